"""The discriminators: PatchGAN, one on ImageNet features, and DCGAN's.

Images are (batch, height, width, 3) in [-1, 1]; logits are high for "real".
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from monet_lib.config import Config
from monet_lib.model.generators import doublings_to
from monet_lib.model.imagenet import MAP_CHANNELS, STRIDES, feature_maps
from monet_lib.model.layers import SpectralConv2D, convolution, downsample, normalization

MIXED_CHANNELS = 64
# The maps' root mean squares on paintings: divided by them, all four reach the heads at one size.
MAP_SIZES = (7.8, 6.2, 4.9, 2.3)


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


def discriminator_of(config: Config, name: str | None = None) -> keras.Model:
    """The untrained PatchGAN that a Config describes."""
    filters = [config.discriminator_filters * factor for factor in (1, 2, 4, 8)]
    norm = config.discriminator_norm or config.norm
    return patch_discriminator(filters, norm, heads=len(config.adversarial.split(",")), name=name)


def receptive_field(kernels_strides: Sequence[tuple[int, int]]) -> int:
    """Side in pixels of the input patch that one output value sees: [(kernel, stride), ...] from input to output."""
    size = 1
    for kernel, stride in reversed(kernels_strides):
        size = (size - 1) * stride + kernel
    return size


class FeatureDiscriminator(keras.Model):
    """Looks at ImageNet features, not at pixels: Projected GANs, Sauer et al. 2021.

    Frozen feature maps at four strides, a fixed random mixture of the channels of each, and a small head on each. It
    builds on what the frozen network has learnt of textures and objects, which a PatchGAN needs hours to learn.

    call: the four mixed maps of `project` to a list of four maps of logits, (batch, h, w, 1) float32, high for "real".
    Only the heads have weights, all trainable; the mixtures are drawn from `seed`. Without the mixtures a head could
    rely on the few channels that differ most (Sauer et al. 2021, 3.2).
    """

    def __init__(self, channels: int = MIXED_CHANNELS, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.seed = channels, seed
        rng = np.random.default_rng([seed, 5])
        self._mixtures = [
            rng.normal(0, 1 / (size * count**0.5), (count, channels)).astype("float32")
            for count, size in zip(MAP_CHANNELS, MAP_SIZES, strict=True)
        ]
        self.heads = [_head(channels, f"stride_{stride}") for stride in STRIDES]
        for head in self.heads:
            head.build((None, None, None, channels))
        self.built = True

    def project(self, images: Any) -> list[Any]:
        """Images (batch, h, w, 3) in [-1, 1] to four maps (batch, h / stride, w / stride, channels)."""
        maps = feature_maps(ops.cast(images, self.compute_dtype))
        return [ops.matmul(x, ops.cast(m, x.dtype)) for x, m in zip(maps, self._mixtures, strict=True)]

    def call(self, maps: list[Any]) -> list[Any]:
        return [head(x) for head, x in zip(self.heads, maps, strict=True)]


def _head(channels, name):
    head = keras.Sequential(name=name)
    for stride in (2, 1):
        head.add(SpectralConv2D(channels, 3, stride, "same"))
        head.add(layers.LeakyReLU(0.2))
    head.add(SpectralConv2D(1, 3, 1, "same"))
    head.add(layers.Activation("linear", dtype="float32"))
    return head


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
