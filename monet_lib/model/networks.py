"""The networks. Generators: U-Net, ResNet and DCGAN's; discriminators: PatchGAN, DCGAN's and one on ImageNet features.

Images are (batch, height, width, 3), RGB in [-1, 1]; logits are high for "real".
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from monet_lib.config import Config
from monet_lib.model import layers as blocks
from monet_lib.model.imagenet import MAP_CHANNELS, STRIDES, feature_maps

UNET_FILTERS = (64, 128, 256, 512, 512, 512, 512, 512)


def unet_generator(
    filters: Sequence[int] = UNET_FILTERS,
    up_filters: Sequence[int] | None = None,
    *,
    norm: str = "instance",
    dropout: float = 0.5,
    upsample: str = "transpose",
    name: str | None = None,
) -> keras.Model:
    """Image to image through an hourglass with skip connections (Isola et al. 2017): len(filters) halvings.

    filters: of the encoder's steps. up_filters: of the decoder's, one fewer; by default the encoder's mirrored.
    dropout: rate in the decoder's first three steps. Input (batch, h, w, 3), output the same in [-1, 1]; h and w of
    at least 2 ** len(filters). The innermost step has no norm: on a 1x1 map instance norm answers 0
    whatever it is given.
    """
    up_filters = tuple(up_filters or reversed(filters[:-1]))
    if len(up_filters) != len(filters) - 1:
        raise ValueError(f"up_filters must be {len(filters) - 1}, one fewer than filters; got {len(up_filters)}.")
    x = inputs = keras.Input((None, None, 3))
    skips = []
    for level, f in enumerate(filters):
        skips.append(x)
        x = blocks.downsample(f, norm="none" if level in (0, len(filters) - 1) else norm)(x)
    for level, (f, skip) in enumerate(zip(up_filters, reversed(skips[1:]), strict=True)):
        x = blocks.upsample(f, norm=norm, dropout=dropout if level < 3 else 0.0, how=upsample)(x)
        x = layers.Concatenate()([blocks.CropLike()([x, skip]), skip])
    x = blocks.upsample(3, norm="none", how=upsample, activation="linear")(x)
    return keras.Model(inputs, _image(x, inputs), name=name or "unet_generator")


def resnet_generator(
    filters: int = 64,
    residual_blocks: int = 9,
    *,
    norm: str = "instance",
    upsample: str = "transpose",
    residual_output: bool = False,
    name: str | None = None,
) -> keras.Model:
    """Image to image through residual blocks at a quarter of the size (Johnson et al. 2016; Zhu et al. 2017, 7.2).

    c7s1-k, d2k, d4k, R4k x residual_blocks, u2k, uk, c7s1-3 in the paper's words, k = filters. Input (batch, h, w, 3)
    of any size from 8 px, output the same in [-1, 1]. upsample: see `layers.upsample`. residual_output: the last
    convolution gives a change to the input, see `layers.ChangedImage`, instead of a new image. Without norms the
    initial weights are He's.
    """
    init = "he" if norm == "none" else "normal"
    x = inputs = keras.Input((None, None, 3))
    x = blocks.ReflectionPadding2D(3)(x)
    x = blocks.convolution(filters, 7, padding="valid", use_bias=norm == "none", init=init)(x)
    x = layers.ReLU()(blocks.normalization(norm, filters)(x))
    for f in (2 * filters, 4 * filters):
        x = blocks.convolution(f, 3, strides=2, use_bias=norm == "none", init=init)(x)
        x = layers.ReLU()(blocks.normalization(norm, f)(x))
    for _ in range(residual_blocks):
        x = blocks.ResidualBlock(4 * filters, norm)(x)
    for f in (2 * filters, filters):
        x = blocks.upsample(f, size=3, norm=norm, how=upsample, init=init)(x)
    x = blocks.ReflectionPadding2D(3)(x)
    x = blocks.convolution(3, 7, padding="valid", use_bias=True, init="zeros" if residual_output else "normal")(x)
    name = name or "resnet_generator"
    if residual_output:
        return keras.Model(inputs, blocks.ChangedImage()([blocks.CropLike()([x, inputs]), inputs]), name=name)
    return keras.Model(inputs, _image(x, inputs), name=name)


def dcgan_generator(latent: int = 128, image_size: int = 256, filters: int = 512) -> keras.Model:
    """Noise to image by transposed convolutions (Radford et al. 2016): 4x4, then doubled up to image_size.

    Input (batch, latent) from N(0, 1), output (batch, image_size, image_size, 3) in [-1, 1]. `filters` at 4x4,
    halved with every doubling, 16 at least. Raises ValueError unless image_size is 8, 16, 32, ...
    """
    doublings = doublings_to(image_size)
    x = inputs = keras.Input((latent,))
    init = keras.initializers.RandomNormal(stddev=blocks.INIT_STDDEV)
    x = layers.Dense(4 * 4 * filters, use_bias=False, kernel_initializer=init)(x)
    x = layers.LeakyReLU(0.2)(blocks.normalization("batch", filters)(layers.Reshape((4, 4, filters))(x)))
    for level in range(1, doublings):
        x = blocks.upsample(max(16, filters >> level), norm="batch", activation="leaky_relu")(x)
    x = blocks.upsample(3, norm="none", activation="linear")(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name="dcgan_generator")


def with_border(generator: keras.Model, border: int) -> keras.Model:
    """The generator, padding each image with `border` px of reflection and cropping its painting by as much.

    Zero padding within the networks shows at an image's edge; this moves the edge outside. The weights are shared, and
    a side must be longer than `border`.
    """
    if not border:
        return generator
    inputs = keras.Input((None, None, 3))
    painted = generator(blocks.ReflectionPadding2D(border)(inputs))
    return keras.Model(inputs, layers.Cropping2D(border)(painted), name=generator.name)


def generator_of(config: Config, name: str | None = None) -> keras.Model:
    """The untrained generator that a Config describes."""
    if config.model == "resnet":
        return resnet_generator(
            config.generator_filters,
            config.residual_blocks,
            norm=config.norm,
            upsample=config.upsample,
            residual_output=config.residual_output,
            name=name,
        )
    filters = [config.generator_filters * min(8, 2**level) for level in range(config.unet_depth)]
    return unet_generator(filters, norm=config.norm, dropout=config.unet_dropout, upsample=config.upsample, name=name)


def _image(x, inputs):
    # tanh in float32: in half precision its steps near white are wider than one of 255 levels.
    return layers.Activation("tanh", dtype="float32")(blocks.CropLike()([x, inputs]))


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
        x = blocks.downsample(f, norm="none" if level == 0 and not spectral else norm)(x)
    x = layers.ZeroPadding2D(1)(x)
    x = blocks.convolution(filters[-1], 4, padding="valid", use_bias=bias, spectral=spectral)(x)
    x = layers.LeakyReLU(0.2)(blocks.normalization(norm, filters[-1])(x))
    x = layers.ZeroPadding2D(1)(x)
    x = blocks.convolution(heads, 4, padding="valid", use_bias=True, spectral=spectral)(x)
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

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        rng = np.random.default_rng([seed, 5])
        self._mixtures = [
            rng.normal(0, 1 / (size * count**0.5), (count, MIXED_CHANNELS)).astype("float32")
            for count, size in zip(MAP_CHANNELS, MAP_SIZES, strict=True)
        ]
        self.heads = [_head(f"stride_{stride}") for stride in STRIDES]
        for head in self.heads:
            head.build((None, None, None, MIXED_CHANNELS))
        self.built = True

    def project(self, images: Any) -> list[Any]:
        """Images (batch, h, w, 3) in [-1, 1] to four maps (batch, h / stride, w / stride, 64)."""
        maps = feature_maps(ops.cast(images, self.compute_dtype))
        return [ops.matmul(x, ops.cast(m, x.dtype)) for x, m in zip(maps, self._mixtures, strict=True)]

    def call(self, maps: list[Any]) -> list[Any]:
        return [head(x) for head, x in zip(self.heads, maps, strict=True)]


def _head(name):
    head = keras.Sequential(name=name)
    for stride in (2, 1):
        head.add(blocks.SpectralConv2D(MIXED_CHANNELS, 3, stride, "same"))
        head.add(layers.LeakyReLU(0.2))
    head.add(blocks.SpectralConv2D(1, 3, 1, "same"))
    head.add(layers.Activation("linear", dtype="float32"))
    return head


def dcgan_discriminator(image_size: int = 256, filters: int = 64, dropout: float = 0.3) -> keras.Model:
    """Image to one logit, high for "real": strided convolutions, LeakyReLU and dropout down to 4x4, then a sum.

    (batch, image_size, image_size, 3) -> (batch, 1). No norm, so that real and generated batches can't be told
    apart by their statistics alone.
    """
    x = inputs = keras.Input((image_size, image_size, 3))
    for level in range(doublings_to(image_size)):
        x = blocks.downsample(min(8 * filters, filters << level), norm="none")(x)
        x = layers.Dropout(dropout)(x)
    x = layers.Dense(1, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, x, name="dcgan_discriminator")


def doublings_to(image_size: int) -> int:
    """How often 4 px must be doubled to give `image_size`. Raises ValueError unless it is 8, 16, 32, ..."""
    doublings = image_size.bit_length() - 3
    if image_size < 8 or 4 << doublings != image_size:
        raise ValueError(f"image_size must be 8, 16, 32, ...; got {image_size}.")
    return doublings
