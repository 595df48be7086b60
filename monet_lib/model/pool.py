"""The image pool: discriminators are also shown fakes of earlier steps, which damps oscillations."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


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
        # All devices compute the same pool, so none has to send it to another.
        alone = {"synchronization": tf.VariableSynchronization.ON_READ}
        with tf.variable_creator_scope(lambda create, **options: create(**options | alone)):
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
