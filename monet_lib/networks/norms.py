"""Normalization layers by name.

Instance norm goes by TensorFlow's fused batch norm. The statistics of one image are batch statistics of a batch of one,
so each image goes through the fused kernel on its own: one pass where the plain formula makes a dozen. Forward and
backward take 0.4 to 0.6 times as long on a CPU (benchmarks/README.md). Other backends and devices use Keras' own layer.
"""

import math
from typing import Any

import keras
from keras import layers

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


@keras.saving.register_keras_serializable("monet_lib")
class InstanceNormalization(layers.GroupNormalization):
    """Each channel of each image by its own mean and variance (Ulyanov et al. 2016).

    By a fused kernel where it can. (batch, h, w, c) -> the same. Two weights, gamma and beta, as
    `GroupNormalization(groups=-1)`, which it is.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**{"groups": -1, "epsilon": epsilon, **kwargs})

    def call(self, x: Any) -> Any:
        return fused_instance_norm(x, self.gamma, self.beta, self.epsilon) if fuses(x) else super().call(x)


def normalization(norm: str, channels: int) -> layers.Layer:
    """Make a normalization layer for `channels` channels.

    "instance": each channel of each image by its own mean and variance (Ulyanov et al. 2016), so that an image's
    contrast drops out. "group": 32 groups of channels, or as many as divide. "batch": over the batch. "none": none; nor
    with "spectral", where the convolutions do the work.
    Epsilon is 1e-5 as in the papers; Keras' own default is 1e-3.
    """
    if norm == "instance":
        return InstanceNormalization(epsilon=1e-5)
    if norm == "group":
        return layers.GroupNormalization(groups=math.gcd(32, channels), epsilon=1e-5)
    if norm == "batch":
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    if norm in ("none", "spectral"):
        return layers.Identity()
    raise ValueError(f"norm {norm!r} is unknown. Use 'instance', 'group', 'batch' or 'none'.")


def fuses(x: Any) -> bool:
    """Whether `fused_instance_norm` serves for x: a CPU, and a shape that is known and worth it."""
    if keras.backend.backend() != "tensorflow" or any(size is None for size in x.shape):
        return False
    batch, height, width, _ = x.shape
    # A small map costs more in calls than in arithmetic, a large batch in tracing.
    return batch <= 16 and height * width >= 256 and not tf.config.list_logical_devices("GPU")


def fused_instance_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """x: (batch, h, w, c), float32 or bfloat16; gamma, beta: (c,). The same as instance norm, statistics in float32."""
    gamma, beta = tf.cast(gamma, "float32"), tf.cast(beta, "float32")
    parts = tf.split(x, x.shape[0]) if x.shape[0] > 1 else [x]
    norm = tf.compat.v1.nn.fused_batch_norm
    images = [norm(part, gamma, beta, epsilon=epsilon, is_training=True)[0] for part in parts]
    return tf.concat(images, 0) if len(images) > 1 else images[0]
