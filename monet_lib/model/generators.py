"""The generators: U-Net, ResNet and DCGAN's. Images are (batch, height, width, 3), RGB in [-1, 1]."""

from collections.abc import Sequence

import keras
from keras import layers

from monet_lib.config import Config
from monet_lib.model import layers as blocks
from monet_lib.model.layers import ChangedImage, CropLike, ReflectionPadding2D, ResidualBlock, normalization

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
        x = layers.Concatenate()([CropLike()([x, skip]), skip])
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
    x = ReflectionPadding2D(3)(x)
    x = blocks.convolution(filters, 7, padding="valid", use_bias=norm == "none", init=init)(x)
    x = layers.ReLU()(normalization(norm, filters)(x))
    for f in (2 * filters, 4 * filters):
        x = blocks.convolution(f, 3, strides=2, use_bias=norm == "none", init=init)(x)
        x = layers.ReLU()(normalization(norm, f)(x))
    for _ in range(residual_blocks):
        x = ResidualBlock(4 * filters, norm)(x)
    for f in (2 * filters, filters):
        x = blocks.upsample(f, size=3, norm=norm, how=upsample, init=init)(x)
    x = ReflectionPadding2D(3)(x)
    x = blocks.convolution(3, 7, padding="valid", use_bias=True, init="zeros" if residual_output else "normal")(x)
    name = name or "resnet_generator"
    if residual_output:
        return keras.Model(inputs, ChangedImage()([CropLike()([x, inputs]), inputs]), name=name)
    return keras.Model(inputs, _image(x, inputs), name=name)


def dcgan_generator(
    latent: int = 128, image_size: int = 256, filters: int = 512, norm: str = "batch", name: str | None = None
) -> keras.Model:
    """Noise to image by transposed convolutions (Radford et al. 2016): 4x4, then doubled up to image_size.

    Input (batch, latent) from N(0, 1), output (batch, image_size, image_size, 3) in [-1, 1]. `filters` at 4x4,
    halved with every doubling, 16 at least. Raises ValueError unless image_size is 8, 16, 32, ...
    """
    doublings = doublings_to(image_size)
    x = inputs = keras.Input((latent,))
    init = keras.initializers.RandomNormal(stddev=blocks.INIT_STDDEV)
    x = layers.Dense(4 * 4 * filters, use_bias=False, kernel_initializer=init)(x)
    x = layers.LeakyReLU(0.2)(normalization(norm, filters)(layers.Reshape((4, 4, filters))(x)))
    for level in range(1, doublings):
        x = blocks.upsample(max(16, filters >> level), norm=norm, activation="leaky_relu")(x)
    x = blocks.upsample(3, norm="none", activation="linear")(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name=name or "dcgan_generator")


def with_border(generator: keras.Model, border: int) -> keras.Model:
    """The generator, padding each image with `border` px of reflection and cropping its painting by as much.

    Zero padding within the networks shows at an image's edge; this moves the edge outside. The weights are shared, and
    a side must be longer than `border`.
    """
    if not border:
        return generator
    inputs = keras.Input((None, None, 3))
    painted = generator(ReflectionPadding2D(border)(inputs))
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
    return layers.Activation("tanh", dtype="float32")(CropLike()([x, inputs]))


def doublings_to(image_size: int) -> int:
    """How often 4 px must be doubled to give `image_size`. Raises ValueError unless it is 8, 16, 32, ..."""
    doublings = image_size.bit_length() - 3
    if image_size < 8 or 4 << doublings != image_size:
        raise ValueError(f"image_size must be 8, 16, 32, ...; got {image_size}.")
    return doublings
