"""The blocks that generators and discriminators are built from. Each is a Keras layer: make it, then call it."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from monet_lib.networks.norms import normalization
from monet_lib.networks.spectral import SpectralConv2D

# Radford et al. 2016 and Zhu et al. 2017 draw every convolution's weights from N(0, 0.02).
INIT_STDDEV = 0.02


@keras.saving.register_keras_serializable("monet_lib")
class ReflectionPadding2D(layers.Layer):
    """Pad height and width by mirroring (the edge itself is not repeated), which leaves no dark frame as zeros do.

    (batch, h, w, c) -> (batch, h + 2 * padding, w + 2 * padding, c). Needs h and w greater than `padding`.
    """

    def __init__(self, padding: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, x: Any) -> Any:
        p = self.padding
        return ops.pad(x, [(0, 0), (p, p), (p, p), (0, 0)], mode="reflect")


@keras.saving.register_keras_serializable("monet_lib")
class CropLike(layers.Layer):
    """Cut the first image tensor's height and width to the second's: a size that was halved rounds up again."""

    def call(self, inputs: Sequence[Any]) -> Any:
        x, like = inputs
        return x[:, : ops.shape(like)[1], : ops.shape(like)[2], :]


def convolution(
    filters: int,
    size: int,
    strides: int = 1,
    padding: str = "same",
    use_bias: bool = False,
    init: str = "normal",
    spectral: bool = False,
    **kwargs: Any,
) -> layers.Layer:
    """A convolution with the papers' initial weights; no bias unless asked, since a norm would cancel it.

    init: "normal", the papers'; "he", He et al. 2015, which keeps a signal's size through layers of ReLUs where no norm
    restores it; "zeros", for a last layer that begins by changing nothing. spectral: see `spectral.SpectralConv2D`.
    """
    kind = SpectralConv2D if spectral else layers.Conv2D
    return kind(filters, size, strides, padding, use_bias=use_bias, kernel_initializer=_initializer(init), **kwargs)


def _initializer(init):
    known = {"he": keras.initializers.HeNormal, "zeros": keras.initializers.Zeros}
    return known[init]() if init in known else keras.initializers.RandomNormal(stddev=INIT_STDDEV)


def downsample(filters: int, size: int = 4, norm: str = "instance") -> keras.Sequential:
    """Halve height and width: strided convolution, norm, LeakyReLU(0.2). The encoder's and the PatchGAN's step.

    (batch, h, w, c) -> (batch, ceil(h / 2), ceil(w / 2), filters).
    """
    spectral = norm == "spectral"
    halve = convolution(filters, size, strides=2, use_bias=spectral or norm == "none", spectral=spectral)
    return keras.Sequential([halve, normalization(norm, filters), layers.LeakyReLU(0.2)])


def upsample(
    filters: int,
    size: int = 4,
    norm: str = "instance",
    dropout: float = 0.0,
    how: str = "transpose",
    activation: str = "relu",
    init: str = "normal",
) -> keras.Sequential:
    """Double height and width: (batch, h, w, c) -> (batch, 2h, 2w, filters). The decoder's step.

    how: "transpose", a strided transposed convolution, whose overlapping strokes can draw a checkerboard; or
    "resize", nearest-neighbour enlargement and a convolution, which can't (Odena et al. 2016). init: see `convolution`.
    """
    options = {"padding": "same", "use_bias": norm == "none", "kernel_initializer": _initializer(init)}
    if how == "transpose":
        enlarge = [layers.Conv2DTranspose(filters, size, strides=2, **options)]
    elif how == "resize":
        enlarge = [layers.UpSampling2D(2, interpolation="nearest"), layers.Conv2D(filters, size, **options)]
    else:
        raise ValueError(f"how {how!r} is unknown. Use 'transpose' or 'resize'.")
    block = [*enlarge, normalization(norm, filters), *([layers.Dropout(dropout)] if dropout else [])]
    return keras.Sequential([*block, layers.Activation(activation)])


@keras.saving.register_keras_serializable("monet_lib")
class ChangedImage(layers.Layer):
    """tanh(atanh(image) + change): an image in [-1, 1] moved by `change`, both (batch, h, w, 3).

    A generator that ends so passes its input through at first and learns only what a painter changes. The image is
    limited to +-0.98 before, where atanh is finite.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs: Sequence[Any]) -> Any:
        change, image = inputs
        x = 0.98 * ops.clip(image, -1.0, 1.0)
        return ops.tanh(0.5 * ops.log((1.0 + x) / (1.0 - x)) + change)


@keras.saving.register_keras_serializable("monet_lib")
class ResidualBlock(layers.Layer):
    """x + F(x), F two reflection-padded 3x3 convolutions with norms and a ReLU between (Zhu et al. 2017, appendix 7.2).

    (batch, h, w, filters) -> the same shape. The sum means that a fresh block nearly passes its input through.
    """

    def __init__(self, filters: int, norm: str = "instance", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.norm = filters, norm
        alone = norm == "none"
        self.residual = keras.Sequential(
            [
                ReflectionPadding2D(1),
                convolution(filters, 3, padding="valid", use_bias=alone, init="he" if alone else "normal"),
                normalization(norm, filters),
                layers.ReLU(),
                ReflectionPadding2D(1),
                convolution(filters, 3, padding="valid", use_bias=alone),
                normalization(norm, filters),
            ]
        )

    def build(self, input_shape: Any) -> None:
        self.residual.build(input_shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return x + self.residual(x, training=training)
