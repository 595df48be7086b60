"""The blocks that generators and discriminators are built from. Each is a Keras layer: make it, then call it.

Images and maps are (batch, height, width, channels).
"""

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

INIT_STDDEV = 0.02  # Radford et al. 2016 and Zhu et al. 2017 draw every convolution's weights from N(0, 0.02)
# GPUs' compute capability: tensor cores for float16 from 7.0 on (V100, T4), for bfloat16 from 8.0 on (A100, L4, H100).
FLOAT16, BFLOAT16 = (7, 0), (8, 0)
SQUARINGS = 5  # of the matrix in `spectral_norm`: as many power iterations as 2 ** 5


def downsample(filters: int, size: int = 4, norm: str = "instance") -> keras.Sequential:
    """Halve height and width: strided convolution, norm, LeakyReLU(0.2). The encoder's and the PatchGAN's step.

    (batch, h, w, c) -> (batch, ceil(h / 2), ceil(w / 2), filters).
    """
    spectral = norm == "spectral"
    halve = convolution(filters, size, strides=2, use_bias=spectral or norm == "none", spectral=spectral)
    return keras.Sequential([halve, normalization(norm, filters), layers.LeakyReLU(0.2)])


def upsample(
    filters: int,
    *,
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
    Raises ValueError for another `how`.
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
class ResidualBlock(layers.Layer):
    """x + F(x), F two reflection-padded 3x3 convolutions with norms and a ReLU between (Zhu et al. 2017, appendix 7.2).

    (batch, h, w, filters) -> the same shape.
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

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.residual.build(input_shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return x + self.residual(x, training=training)


def convolution(
    filters: int,
    size: int,
    *,
    strides: int = 1,
    padding: str = "same",
    use_bias: bool = False,
    init: str = "normal",
    spectral: bool = False,
) -> layers.Layer:
    """A 2D convolution with the papers' initial weights; no bias unless asked, since a norm would cancel it.

    init: "normal", the papers'; "he", He et al. 2015, which keeps a signal's size through layers of ReLUs where no norm
    restores it; "zeros", for a last layer that begins by changing nothing. spectral: see `SpectralConv2D`.
    """
    kind = SpectralConv2D if spectral else layers.Conv2D
    return kind(filters, size, strides, padding, use_bias=use_bias, kernel_initializer=_initializer(init))


def _initializer(init):
    known = {"he": keras.initializers.HeNormal, "zeros": keras.initializers.Zeros}
    return known[init]() if init in known else keras.initializers.RandomNormal(stddev=INIT_STDDEV)


def normalization(norm: str, channels: int) -> layers.Layer:
    """Make a normalization layer for `channels` channels.

    "instance": each channel of each image by its own mean and variance (Ulyanov et al. 2016), so that an image's
    contrast drops out. "group": 32 groups of channels, or as many as divide. "batch": over the batch. "none": no layer;
    "spectral" neither, because there the convolutions are normalized. Epsilon is 1e-5 as in the papers; Keras' own
    default is 1e-3. Raises ValueError for another name.
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


@keras.saving.register_keras_serializable("monet_lib")
class InstanceNormalization(layers.GroupNormalization):
    """Each channel of each image by its own mean and variance: `GroupNormalization(groups=-1)`, which it is, faster.

    On a CPU with TensorFlow each image goes through the fused batch norm as a batch of one, whose statistics are its
    own: one pass where the plain formula makes a dozen. Forward and backward take 0.4 to 0.6 times as long
    (benchmarks/README.md). (batch, h, w, c) -> the same.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**{"groups": -1, "epsilon": epsilon, **kwargs})

    def call(self, x: Any) -> Any:
        return fused_instance_norm(x, self.gamma, self.beta, self.epsilon) if fuses(x) else super().call(x)


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


@keras.saving.register_keras_serializable("monet_lib")
class SpectralConv2D(layers.Conv2D):
    """A convolution whose kernel, as a matrix, is divided by its largest singular value (Miyato et al. 2018, eq. 8).

    So it can't enlarge a difference, which keeps a discriminator without norms stable. The paper keeps a vector from
    step to step for that, and so does `keras.layers.SpectralNormalization`, which also overwrites the kernel in the
    forward pass. Here nothing is kept: a step depends on the weights alone, a resumed run continues exactly, and
    several devices need no synchronization.
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


@contextlib.contextmanager
def keras_defaults(precision: str = "float32") -> Iterator[None]:
    """Around the making of networks: this dtype policy, channels last and float32 weights, whatever keras.json says.

    precision: "float32", "mixed_bfloat16" or "mixed_float16". The user's settings are restored afterwards.
    """
    config = keras.config
    before = config.dtype_policy(), config.floatx(), config.image_data_format()
    config.set_floatx("float32")
    config.set_image_data_format("channels_last")
    config.set_dtype_policy(precision)
    try:
        yield
    finally:
        policy, floatx, data_format = before
        config.set_floatx(floatx)
        config.set_image_data_format(data_format)
        config.set_dtype_policy(policy)


def pick_precision(precision: str = "auto") -> str:
    """The Keras dtype policy to train in: "auto" asks the slowest GPU, or the CPU where there is none.

    bfloat16 has float32's range and needs no care. float16 is for GPUs that have no bfloat16, and its losses are
    scaled (see `state.ScaledAdam`). A P100 (6.0) has neither's tensor cores, and convolutions of float16 are summed in
    float32 there: only memory would be saved, so it keeps float32. Norm statistics, losses, the networks' outputs,
    weights and optimizers are float32 in each.
    """
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
        slowest = min(tuple(found.get("compute_capability", (0, 0))) for found in details)
        return "mixed_bfloat16" if slowest >= BFLOAT16 else "mixed_float16" if slowest >= FLOAT16 else "float32"
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT") not in ("DEFAULT", "ALL"):
        return "float32"  # TensorFlow would ask oneDNN for the instructions that it was told to leave unused
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        flags = []
    return "mixed_bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "float32"
