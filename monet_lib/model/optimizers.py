"""How the networks take their steps: the learning rate's schedule, the precision, and Adam for float16."""

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

# GPUs' compute capability: tensor cores for float16 from 7.0 on (V100, T4), for bfloat16 from 8.0 on (A100, L4, H100).
FLOAT16, BFLOAT16 = (7, 0), (8, 0)
GROWTH = 2000  # steps without an overflow after which `ScaledAdam` doubles its scale


@keras.saving.register_keras_serializable("monet_lib")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """`rate` for the first `constant` steps, then a straight line to 0 at `total` (Zhu et al. 2017, 7.1)."""

    def __init__(self, rate: float, constant: int, total: int) -> None:
        self.rate = rate
        # A variable, so that a plan made while training needs no new graph; float32 counts exactly to 16 million.
        self.bounds = keras.Variable([float(constant), float(total)], trainable=False, dtype="float32", name="bounds")

    def __call__(self, step: Any) -> Any:
        constant, total = self.bounds[0], self.bounds[1]
        left = (total - keras.ops.cast(step, "float32")) / keras.ops.maximum(1.0, total - constant)
        return self.rate * keras.ops.clip(left, 0.0, 1.0)

    def plan(self, constant: float, total: float) -> None:
        """Fall from step `constant` on, to 0 at step `total`."""
        self.bounds.assign([float(constant), float(total)])

    def get_config(self) -> dict[str, Any]:
        constant, total = (float(x) for x in self.bounds.numpy())
        return {"rate": self.rate, "constant": constant, "total": total}


def pick_precision(precision: str = "auto") -> str:
    """The Keras dtype policy to train in: "auto" asks the slowest GPU, or the CPU where there is none.

    bfloat16 has float32's range and needs no care. float16 is for GPUs that have no bfloat16, and its losses are
    scaled (see `ScaledAdam`). A P100 (6.0) has neither's tensor cores, and convolutions of float16 are summed in
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


@keras.saving.register_keras_serializable("monet_lib")
class ScaledAdam(keras.optimizers.Adam):
    """Adam for float16, on one device or several: small gradients don't become 0 (Micikevicius et al. 2018, 3.2).

    `scale_loss` multiplies the loss before its gradient is taken, `apply` divides the gradient. Where a gradient
    overflows on any device the scale is halved, and the step counts on each device as one with a gradient of 0; after
    GROWTH steps without an overflow it is doubled. `keras.optimizers.LossScaleOptimizer` leaves such a step out by a
    branch, in which the devices lose count of what they exchange (two devices stopped with a shape mismatch), and it
    asks only the first device.
    """

    def build(self, variables: list[Any]) -> None:
        if not self.built:
            options = {"shape": (), "aggregation": "only_first_replica"}
            start = keras.initializers.Constant(2.0**15)
            self.loss_scale = self.add_variable(initializer=start, dtype="float32", name="loss_scale", **options)
            self.since = self.add_variable(initializer="zeros", dtype="int32", name="since", **options)
        super().build(variables)

    def scale_loss(self, loss: tf.Tensor) -> tf.Tensor:
        """The loss times the scale."""
        return loss * self.loss_scale.value

    def apply(self, gradients: list[Any], trainable_variables: list[Any] | None = None) -> None:
        """Take a step by gradients of the scaled loss, this device's, which are added up over the devices."""
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
        context = tf.distribute.get_replica_context()
        overflows = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.where(finite, 0.0, 1.0))
        fits, scale, since = overflows == 0, self.loss_scale.value, self.since.value + 1
        gradients = [tf.where(fits, g / scale, tf.zeros_like(g)) for g in gradients]
        grows = since >= GROWTH
        self.loss_scale.assign(tf.where(fits, tf.where(grows, 2.0, 1.0), 0.5) * scale)
        self.since.assign(tf.where(fits & ~grows, since, 0))
        super().apply(gradients, trainable_variables)
