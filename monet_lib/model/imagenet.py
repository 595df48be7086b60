"""ImageNet features of two networks: EfficientNet-Lite0, to score by and to discriminate with, and SqueezeNet 1.1.

The trained weights are constants, read from array files of the repo (models/imagenet/README.md has origin and licence):
no download, no variables that an optimizer or a checkpoint could take, and differentiable with respect to the images.
A generator that was trained against the features of one network must be scored by the other network, too
(Kynkäänniemi et al. 2022): it can improve the first score in ways that nobody sees.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops

from monet_lib.files import IMAGENET, reading

# Repeats, kernel, stride, expansion, channels out: Tan & Le 2019, table 1, without squeeze-and-excitation; the Lite
# variant puts ReLU6 in Swish's place. The stem before has 32 channels, the layer after 1,280.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
          (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))  # fmt: skip
LAST_OF_STRIDE = (1, 2, 4, 6)  # stages with the last map at strides 4, 8, 16 and 32
MAP_CHANNELS = tuple(STAGES[k][4] for k in LAST_OF_STRIDE)  # 24, 40, 112, 320
STRIDES = (4, 8, 16, 32)
BATCH_NORM_EPSILON = 1e-3
# SqueezeNet's: means of blue, green and red, the order that it was trained with; and where a maximum over 3x3 at every
# second place follows, after conv1, fire3 and fire5.
SQUEEZENET_MEANS = (104.006, 116.669, 122.679)
POOLED = (1, 3, 5)


def pooled_features(pixels: Any) -> Any:
    """What scores are computed with: (batch, h, w, 3) in 0..255 to (batch, 1280), the mean over places.

    The network was trained on 224x224: the caller resizes.
    """
    x = (ops.cast(pixels, "float32") - 127.0) / 128.0
    *_, last = _maps(x)
    *_, last_weights = _folded_weights()
    return ops.mean(ops.relu6(_convolved(last, last_weights, 1)), axis=(1, 2))


def feature_maps(images: Any) -> list[Any]:
    """Four maps of images (batch, h, w, 3) in [-1, 1], of any size: the last at strides 4, 8, 16 and 32.

    (batch, ceil(h / stride), ceil(w / stride), channels) each, of 24, 40, 112 and 320 channels: those that Sauer et al.
    2021 take from this network. In the images' dtype. Batch norm is in inference mode.
    """
    return _maps((images * 127.5 + 0.5) / 128.0)


def squeezenet_features(pixels: Any) -> Any:
    """(batch, h, w, 3) RGB in 0..255 to (batch, 512): the last fire module's mean over places (Iandola et al. 2016).

    The network was trained on 227x227: the caller resizes.
    """
    return ops.mean(squeezenet_maps(pixels)[-1], axis=(1, 2))


def squeezenet_maps(pixels: Any) -> list[Any]:
    """What the eight fire modules answer to (batch, h, w, 3) RGB in 0..255, of 128, 128, 256, 256, 384, 384, 512 and
    512 channels: the first two at stride 4, the next two at 8, the others at 16.
    """
    weights, maps = iter(_pairs()), []
    x = ops.cast(pixels, "float32")[..., ::-1] - np.array(SQUEEZENET_MEANS, "float32")
    kernel, bias = next(weights)
    x = _thinned(_activated(x, kernel, bias, 2, "valid"))
    for module in range(2, 10):
        x = _activated(x, *next(weights))
        x = ops.concatenate([_activated(x, *next(weights)), _activated(x, *next(weights))], axis=-1)
        maps.append(x)
        if module in POOLED:
            x = _thinned(x)
    return maps


def trained_arrays(name: str) -> list[np.ndarray]:
    """A file of models/imagenet/ as float32 arrays in the order of use. Raises UserError where it can't be read."""
    advice = "Restore it from the repository, or set features=random-conv and feature_discriminator=0."
    with reading(IMAGENET / name, "file of weights", advice), np.load(IMAGENET / name, allow_pickle=False) as file:
        return [file[key].astype("float32") for key in sorted(file.files)]


def _maps(x):
    weights, found = iter(_folded_weights()), []
    x = ops.relu6(_convolved(x, next(weights), 2))
    for stage, (repeats, _, stride, expansion, channels) in enumerate(STAGES):
        for repeat in range(repeats):
            y, step = x, 1 if repeat else stride
            if expansion > 1:
                y = ops.relu6(_convolved(y, next(weights), 1))
            kernel, bias = next(weights)
            y = ops.depthwise_conv(y, ops.cast(kernel, y.dtype), step, "same", data_format="channels_last")
            y = ops.relu6(y + ops.cast(bias, y.dtype))
            y = _convolved(y, next(weights), 1)
            x = x + y if step == 1 and x.shape[-1] == channels else y
        if stage in LAST_OF_STRIDE:
            found.append(x)
    return found


def _convolved(x, weights, stride):
    kernel, bias = weights
    x = ops.conv(x, ops.cast(kernel, x.dtype), stride, "same", data_format="channels_last")
    return x + ops.cast(bias, x.dtype)


@lru_cache(maxsize=1)
def _folded_weights():
    """[(kernel, bias), ...] float32 in the order of use, each convolution with its batch norm multiplied into it.

    The file has five arrays for each: kernel (h, w, in, out) or (h, w, channels, 1), gamma, beta, mean, variance.
    """
    arrays, folded = trained_arrays("efficientnet_lite0.npz"), []
    for kernel, gamma, beta, mean, variance in zip(*(arrays[k::5] for k in range(5)), strict=True):
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        depthwise = kernel.shape[-1] == 1
        folded.append((kernel * (scale[:, None] if depthwise else scale), beta - mean * scale))
    return folded


def _activated(x, kernel, bias, stride=1, padding="same"):
    return ops.relu(ops.conv(x, kernel, stride, padding, data_format="channels_last") + bias)


def _thinned(x):
    return ops.max_pool(x, 3, 2, "valid", data_format="channels_last")


@lru_cache(maxsize=1)
def _pairs():
    """[(kernel, bias), ...] float32: conv1, then squeeze, expand 1x1 and expand 3x3 of fire2 to fire9."""
    arrays = trained_arrays("squeezenet.npz")
    return list(zip(arrays[::2], arrays[1::2], strict=True))
