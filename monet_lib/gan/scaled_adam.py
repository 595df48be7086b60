"""Adam for float16: the loss is multiplied before its gradient is taken, so that small gradients don't become 0."""

from typing import Any

import keras
import tensorflow as tf

GROWTH = 2000  # steps without an overflow after which the scale is doubled


@keras.saving.register_keras_serializable("monet_lib")
class ScaledAdam(keras.optimizers.Adam):
    """Adam with dynamic loss scaling (Micikevicius et al. 2018, 3.2), on one device or several.

    `scale_loss` multiplies, `apply` divides. Where a gradient overflows on any device the scale is halved, and the
    step counts on each device as one with a gradient of 0; after GROWTH steps without an overflow it is doubled.
    `keras.optimizers.LossScaleOptimizer` leaves such a step out by a branch, in which the devices lose count of what
    they exchange (two devices stopped with a shape mismatch), and it asks only the first device.
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
        """Take a step by gradients of the scaled loss, this replica's, which are added up over the replicas."""
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
        context = tf.distribute.get_replica_context()
        overflows = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.where(finite, 0.0, 1.0))
        fits, scale, since = overflows == 0, self.loss_scale.value, self.since.value + 1
        gradients = [tf.where(fits, g / scale, tf.zeros_like(g)) for g in gradients]
        grows = since >= GROWTH
        self.loss_scale.assign(tf.where(fits, tf.where(grows, 2.0, 1.0), 0.5) * scale)
        self.since.assign(tf.where(fits & ~grows, since, 0))
        super().apply(gradients, trainable_variables)
