"""The generators' forward passes of one training step: translation, the way back, and identity."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Passes(NamedTuple):
    """A pair of batches and what the generators make of it: (batch, h, w, 3) each, in [-1, 1].

    fake_monet: photos painted; cycled_photo: the way back from there. fake_photo, cycled_monet: the same from Monets.
    same_monet, same_photo: each generator's answer to images of its own target domain; None where that was not asked.
    """

    monet: tf.Tensor
    photo: tf.Tensor
    fake_monet: tf.Tensor
    fake_photo: tf.Tensor
    cycled_monet: tf.Tensor
    cycled_photo: tf.Tensor
    same_monet: tf.Tensor | None
    same_photo: tf.Tensor | None


def translate(
    monet_generator: Callable, photo_generator: Callable, monet: tf.Tensor, photo: tf.Tensor, with_identity: bool
) -> Passes:
    """The Passes of a pair of batches, for training.

    with_identity: translation and identity go through a generator as one batch, which is quicker, and the same where an
    image doesn't depend on the others of its batch.
    """
    fake_monet, same_monet = _translated(monet_generator, photo, monet if with_identity else None)
    fake_photo, same_photo = _translated(photo_generator, monet, photo if with_identity else None)
    cycled_photo = photo_generator(fake_monet, training=True)
    cycled_monet = monet_generator(fake_photo, training=True)
    return Passes(monet, photo, fake_monet, fake_photo, cycled_monet, cycled_photo, same_monet, same_photo)


def _translated(generator, images, targets):
    if targets is None:
        return generator(images, training=True), None
    return tf.split(generator(tf.concat([images, targets], 0), training=True), 2)
