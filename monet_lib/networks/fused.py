"""Instance norm by TensorFlow's fused batch norm: one pass over the image where the plain formula makes a dozen.

The statistics of one image are batch statistics of a batch of one, so each image goes through on its own. Forward and
backward take 0.4 to 0.6 times as long on a CPU (benchmarks/README.md). Other backends and devices use Keras' own layer.
"""

from typing import Any

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


def fuses(x: Any) -> bool:
    """Whether `fused_instance_norm` serves for x: a CPU, and a shape that is known and worth it."""
    if keras.backend.backend() != "tensorflow" or any(size is None for size in x.shape):
        return False
    batch, height, width, _ = x.shape
    # A small map costs more in calls than in arithmetic, a large batch in tracing.
    return batch <= 16 and height * width >= 256 and not _accelerated()


def fused_instance_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """x: (batch, h, w, c), float32 or bfloat16; gamma, beta: (c,). The same as instance norm, statistics in float32."""
    gamma, beta = tf.cast(gamma, "float32"), tf.cast(beta, "float32")
    images = [
        tf.compat.v1.nn.fused_batch_norm(image, gamma, beta, epsilon=epsilon, is_training=True)[0]
        for image in (tf.split(x, x.shape[0]) if x.shape[0] > 1 else [x])
    ]
    return tf.concat(images, 0) if len(images) > 1 else images[0]


def _accelerated():
    return bool(tf.config.list_logical_devices("GPU"))
