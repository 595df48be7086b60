"""The discriminators: PatchGAN and DCGAN's. Images are in [-1, 1], RGB, NHWC; logits are high for "real"."""

from collections.abc import Sequence

import keras
from keras import layers

from monet_lib.config import Config
from monet_lib.networks.generators import doublings_to
from monet_lib.networks.layers import convolution, downsample
from monet_lib.networks.norms import normalization


def patch_discriminator(
    filters: Sequence[int] = (64, 128, 256, 512), norm: str = "instance", heads: int = 1, name: str | None = None
) -> keras.Model:
    """Real or fake, patch by patch: a logit for each of the overlapping patches, 70x70 by default (Isola et al. 2017).

    filters: of the 4x4 convolutions; all but the last halve the size. The first has no norm. (batch, 256, 256, 3)
    -> (batch, 30, 30, heads) logits, high for "real"; other sizes likewise. Two heads share the trunk.
    """
    spectral, bias = norm == "spectral", norm in ("none", "spectral")
    x = inputs = keras.Input((None, None, 3))
    for level, f in enumerate(filters[:-1]):
        x = downsample(f, norm="none" if level == 0 and not spectral else norm)(x)
    x = layers.ZeroPadding2D(1)(x)
    x = convolution(filters[-1], 4, padding="valid", use_bias=bias, spectral=spectral)(x)
    x = layers.LeakyReLU(0.2)(normalization(norm, filters[-1])(x))
    x = layers.ZeroPadding2D(1)(x)
    x = convolution(heads, 4, padding="valid", use_bias=True, spectral=spectral)(x)
    return keras.Model(inputs, layers.Activation("linear", dtype="float32")(x), name=name or "patch_discriminator")


def dcgan_discriminator(
    image_size: int = 256, filters: int = 64, dropout: float = 0.3, name: str | None = None
) -> keras.Model:
    """Image to one logit, high for "real": strided convolutions, LeakyReLU and dropout down to 4x4, then a sum.

    (batch, image_size, image_size, 3) -> (batch, 1). No norm, so that real and generated batches can't be told
    apart by their statistics alone.
    """
    x = inputs = keras.Input((image_size, image_size, 3))
    for level in range(doublings_to(image_size)):
        x = downsample(min(8 * filters, filters << level), norm="none")(x)
        x = layers.Dropout(dropout)(x)
    x = layers.Dense(1, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, x, name=name or "dcgan_discriminator")


def receptive_field(kernels_strides: Sequence[tuple[int, int]]) -> int:
    """Side in pixels of the input patch that one output value sees: [(kernel, stride), ...] from input to output."""
    size = 1
    for kernel, stride in reversed(kernels_strides):
        size = (size - 1) * stride + kernel
    return size


def discriminator_of(config: Config, name: str | None = None) -> keras.Model:
    """The untrained PatchGAN that a Config describes."""
    filters = [config.discriminator_filters * factor for factor in (1, 2, 4, 8)]
    norm = config.discriminator_norm or config.norm
    return patch_discriminator(filters, norm, heads=len(config.adversarial.split(",")), name=name)
