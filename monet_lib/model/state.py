"""What training keeps from step to step, beside the networks: earlier fakes, colours, learning rates, Adam's scale."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from monet_lib.model.losses import color_moments

GROWTH = 2000  # steps without an overflow after which `ScaledAdam` doubles its scale
# All devices compute the same state, so none has to send it to another.
ALIKE = {"synchronization": tf.VariableSynchronization.ON_READ}


class ImagePool(keras.layers.Layer):
    """The last generated images, up to `size` of them, in the graph (Shrivastava et al. 2017; Zhu et al. 2017, 4).

    While it fills, images pass through and are stored. Then each is, with probability 1/2, swapped for a stored
    one picked at random. The state is two weights, so checkpoints carry it; the draws are an argument.
    On several devices it is one pool of the global batch's images: every device holds a copy and changes it alike.
    """

    def __init__(self, size: int, image_shape: Sequence[int], **kwargs: Any) -> None:
        # float32 under every policy: a draw rounded to bfloat16 can reach 1.0, one place beyond the pool.
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self.size = size
        state = {"trainable": False, "initializer": "zeros", "aggregation": "only_first_replica"}
        with tf.variable_creator_scope(lambda create, **options: create(**options | ALIKE)):
            self.stored = self.add_weight(shape=(size, *image_shape), dtype="float32", name="stored", **state)
            self.count = self.add_weight(shape=(), dtype="int32", name="count", **state)

    def call(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """images: this device's (batch, h, w, 3); draws: (global batch, 2) uniform in [0, 1). Returns as `images`."""
        context = tf.distribute.get_replica_context()
        local, replica = images.shape[0], context.replica_id_in_sync_group
        if context.num_replicas_in_sync > 1:
            images = tf.ensure_shape(context.all_gather(images, 0), (draws.shape[0], *images.shape[1:]))
        out = []
        for image, draw in zip(tf.unstack(images), tf.unstack(draws), strict=True):
            filling = self.count.value < self.size
            place = tf.where(filling, self.count.value, tf.cast(draw[0] * self.size, tf.int32))
            swap = tf.logical_and(tf.logical_not(filling), draw[1] < 0.5)
            old = tf.gather(self.stored.value, place)
            store = tf.logical_or(filling, swap)
            # In place: at 256 px the pool is 39 MB, and copying it for one image took four times as long.
            tf.raw_ops.ResourceScatterUpdate(
                resource=self.stored.value.handle, indices=[place], updates=[tf.where(store, image, old)]
            )
            self.count.assign(tf.minimum(self.count.value + 1, self.size))
            out.append(tf.where(swap, old, image))
        return tf.stack(out)[replica * local : (replica + 1) * local]


class RecentColors(keras.layers.Layer):
    """The colour loss: how far the colours of recent paintings are from those of recent Monets.

    One crop says little about the colours of 300 paintings, so the `color_moments` of both sides are averaged over
    about 1 / (1 - decay) steps; the loss is the squared distance of the two averages. Its gradient reaches the newest
    paintings as if they were all recent ones, so that its size does not depend on the decay. On several devices the
    moments are those of the global batch.
    """

    def __init__(self, decay: float = 0.998, **kwargs: Any) -> None:
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self.decay = decay
        state = {"trainable": False, "initializer": "zeros", "aggregation": "only_first_replica"}
        with tf.variable_creator_scope(lambda create, **options: create(**options | ALIKE)):
            self.moments = self.add_weight(shape=(2, 9), name="moments", **state)
            self.weight = self.add_weight(shape=(), name="weight", **state)  # of all steps so far: 0, later nearly 1

    def call(self, monet: tf.Tensor, painted: tf.Tensor) -> tf.Tensor:
        """monet, painted: this device's (batch, h, w, 3) in [-1, 1]. Returns a float32 scalar, 0 or more."""
        now = tf.stack([color_moments(monet), color_moments(painted)])
        everywhere = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, tf.stop_gradient(now))
        self.moments.assign(self.decay * self.moments + (1 - self.decay) * everywhere)
        self.weight.assign(self.decay * self.weight + (1 - self.decay))
        gap = tf.subtract(*tf.unstack(tf.convert_to_tensor(self.moments) / tf.convert_to_tensor(self.weight)))
        pull = tf.reduce_sum(-2 * gap * now[1])
        return tf.reduce_sum(gap**2) + pull - tf.stop_gradient(pull)


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
