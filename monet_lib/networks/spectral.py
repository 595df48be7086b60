"""Spectral normalization: convolutions that can't enlarge a difference, for discriminators without norms."""

from typing import Any

import keras
from keras import layers, ops

SQUARINGS = 5  # as many power iterations as 2 ** 5


@keras.saving.register_keras_serializable("monet_lib")
class SpectralConv2D(layers.Conv2D):
    """A convolution whose kernel, as a matrix, is divided by its largest singular value (Miyato et al. 2018, eq. 8).

    The paper keeps a vector from step to step for that, and so does `keras.layers.SpectralNormalization`, which also
    overwrites the kernel in the forward pass. Here nothing is kept: a step depends on the weights alone, a resumed run
    continues exactly, and several devices need no synchronization.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution by the divided kernel."""
        kernel = kernel / ops.cast(spectral_norm(kernel), kernel.dtype)
        # A stride has nothing to skip on a 1 x 1 map; given one, oneDNN 3 takes a bfloat16 kernel's gradient from
        # memory that nobody has written: NaN in most steps.
        strides = 1 if tuple(inputs.shape[1:3]) == (1, 1) else self.strides
        return ops.conv(inputs, kernel, strides, self.padding, self.data_format, self.dilation_rate)


def spectral_norm(kernel: Any) -> Any:
    """The largest singular value of a kernel (h, w, in, out) as a matrix of h * w * in rows: a float32 scalar.

    Power iterations, from a start that is the same each time, by squaring the matrix of inner products: 5 products of
    (out, out) matrices do the work of 32 steps. The gradient passes through the two vectors found as if they were
    constants, as in the paper.
    """
    matrix = ops.reshape(ops.cast(kernel, "float32"), (-1, kernel.shape[-1]))
    constant = ops.stop_gradient(matrix)
    power = ops.matmul(ops.transpose(constant), constant)
    for _ in range(SQUARINGS):
        power = power / (ops.max(ops.abs(power)) + 1e-12)
        power = ops.matmul(power, power)
    # The row of the largest diagonal element: never at a right angle to the vector that is looked for.
    right = ops.take(power, ops.argmax(ops.diagonal(power)), axis=0)[:, None]
    right = right / (ops.norm(right) + 1e-12)
    left = ops.matmul(constant, right)
    left = left / (ops.norm(left) + 1e-12)
    return ops.sum(left * ops.matmul(matrix, right)) + 1e-12
