"""The identity loss of a step (Zhu et al. 2017, 5.2), whose weight can fade away."""

from collections.abc import Callable

import tensorflow as tf

from monet_lib.gan.losses import identity_loss
from monet_lib.gan.passes import Passes


def fading_identity(
    images: Passes, monet_generator: Callable, photo_generator: Callable, weight: float, steps: int, step: tf.Tensor
) -> tuple[float | tf.Tensor, tf.Tensor]:
    """(weight at `step`, loss of both generators). Where the weight is 0, their two forward passes are not made.

    weight: falls linearly to 0 within `steps` steps; 0 keeps it. step: steps taken before this one, a scalar.
    """

    def loss():
        same_monet, same_photo = images.same_monet, images.same_photo
        if same_monet is None:  # they did not come along with the translation
            same_monet = monet_generator(images.monet, training=True)
            same_photo = photo_generator(images.photo, training=True)
        return identity_loss(images.monet, same_monet) + identity_loss(images.photo, same_photo)

    if not weight:
        return 0.0, tf.constant(0.0)
    if not steps:
        return weight, loss()
    left = tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / steps)
    return weight * left, tf.cond(left > 0.0, loss, lambda: tf.constant(0.0))
