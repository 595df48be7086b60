"""The adversarial losses of one discriminator and its generator: several heads, soft labels, gradient penalty."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from monet_lib.gan.losses import discriminator_loss, generator_loss, r1_penalty


@dataclass(frozen=True)
class Adversarial:
    """The adversarial losses of a discriminator that gives one channel of logits for each name in `kinds`.

    kinds: of "least_squares", "bce" and "hinge". real_label: below 1 smooths the real side's target. r1_weight: of the
    gradient penalty on real images, 0 for none. joined: real and fake go through the discriminator as one batch, which
    is quicker, and the same where an image doesn't depend on the others of its batch.
    """

    kinds: tuple
    real_label: float = 1.0
    r1_weight: float = 0.0
    joined: bool = False

    def generator_loss(self, discriminator: Any, fake: tf.Tensor) -> tf.Tensor:
        """How badly the fakes (batch, h, w, 3) pass for real: a float32 scalar, the mean over the heads."""
        return self._over_heads(generator_loss, discriminator(fake, training=True))

    def discriminator_loss(self, discriminator: Any, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """How badly real and fake, (batch, h, w, 3) each, are distinguished. No gradient goes back into the fakes."""
        fake = tf.cast(tf.stop_gradient(fake), real.dtype)
        if self.joined and not self.r1_weight:
            logits = tf.split(discriminator(tf.concat([real, fake], 0), training=True), 2)
            return self._over_heads(discriminator_loss, *logits, real_label=self.real_label)
        real_logits, penalty = self._on_real(discriminator, real)
        logits = real_logits, discriminator(fake, training=True)
        return self._over_heads(discriminator_loss, *logits, real_label=self.real_label) + penalty

    def _on_real(self, discriminator, real):
        """(logits, penalty) of real images; without the weight of a penalty its gradient is not computed."""
        if not self.r1_weight:
            return discriminator(real, training=True), 0.0
        with tf.GradientTape() as tape:
            tape.watch(real)
            logits = discriminator(real, training=True)
            total = tf.reduce_sum(logits)
        return logits, 0.5 * self.r1_weight * r1_penalty(tape.gradient(total, real))

    def _over_heads(self, loss, *logits, **options):
        heads = [loss(*(x[..., k] for x in logits), kind=kind, **options) for k, kind in enumerate(self.kinds)]
        return sum(heads) / len(heads)
