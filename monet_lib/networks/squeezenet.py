"""SqueezeNet 1.1's ImageNet features: a second network, unrelated to the one of `imagenet`, to score pictures by.

What was trained against one network's features must be scored by another's too (Kynkäänniemi et al. 2022): a generator
can improve the score of the first in ways that nobody sees. The trained weights are constants from an array file of the
repo.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops

from monet_lib.networks.imagenet import trained_arrays

MEANS = (104.006, 116.669, 122.679)  # of blue, green and red: the order and means that it was trained with
POOLED = (1, 3, 5)  # a maximum over 3x3 at every second place follows conv1, fire3 and fire5


def squeezenet_features(pixels: Any) -> Any:
    """(batch, h, w, 3) RGB in 0..255 to (batch, 512): the last fire module's mean over places (Iandola et al. 2016).

    The network was trained on 227x227: the caller resizes.
    """
    weights = iter(_pairs())
    x = ops.cast(pixels, "float32")[..., ::-1] - np.array(MEANS, "float32")
    kernel, bias = next(weights)
    x = _thinned(_activated(x, kernel, bias, 2, "valid"))
    for module in range(2, 10):
        x = _activated(x, *next(weights))
        x = ops.concatenate([_activated(x, *next(weights)), _activated(x, *next(weights))], axis=-1)
        if module in POOLED:
            x = _thinned(x)
    return ops.mean(x, axis=(1, 2))


def _activated(x, kernel, bias, stride=1, padding="same"):
    return ops.relu(ops.conv(x, kernel, stride, padding, data_format="channels_last") + bias)


def _thinned(x):
    return ops.max_pool(x, 3, 2, "valid", data_format="channels_last")


@lru_cache(maxsize=1)
def _pairs():
    """[(kernel, bias), ...] float32: conv1, then squeeze, expand 1x1 and expand 3x3 of fire2 to fire9."""
    arrays = trained_arrays("squeezenet.npz")
    return list(zip(arrays[::2], arrays[1::2], strict=True))
