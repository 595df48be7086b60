"""What training remembers of earlier steps: fakes for the discriminators, and the colours of both sets."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from monet_lib.model.losses import color_moments

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
