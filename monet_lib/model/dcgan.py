"""DCGAN: pictures from noise, one training step for both sides."""

from typing import Any

import keras
import tensorflow as tf

from monet_lib.model.losses import discriminator_loss, generator_loss


class DCGAN(keras.Model):
    """A generator and a discriminator that learn from each other (Goodfellow et al. 2014; Radford et al. 2016).

    generator: noise (batch, latent) -> images (batch, h, w, 3) in [-1, 1]; discriminator: images -> logits
    (batch, 1), high for "real". Trains on batches of real images in [-1, 1], by `fit` or step by step.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.generator, self.discriminator = generator, discriminator
        self.latent, self.seed = generator.input_shape[1], seed

    def call(self, noise: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Noise (batch, latent) to images (batch, h, w, 3) in [-1, 1]."""
        return self.generator(noise, training=training)

    def compile(
        self,
        generator_optimizer: keras.Optimizer,
        discriminator_optimizer: keras.Optimizer,
        real_label: float = 0.9,
        **kwargs: Any,
    ) -> None:
        """Two optimizers, so that each side has its own learning rate. real_label: below 1 smooths the real side."""
        # Left to "auto", Keras compiles with XLA, which takes longer on a CPU than a short training.
        super().compile(optimizer=generator_optimizer, **{"jit_compile": False, **kwargs})
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.real_label = real_label
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)

    def noise(self, count: int, step: int | tf.Tensor) -> tf.Tensor:
        """N(0, 1) of shape (count, latent), a function of (seed, step)."""
        return tf.random.stateless_normal((count, self.latent), [self.seed, step])

    def train_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of both sides from the same fakes. Returns the two losses as scalars."""
        noise = self.noise(tf.shape(real)[0], tf.cast(self.generator_optimizer.iterations.value, tf.int32))
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(noise, training=True)
            fake_logits = self.discriminator(fake, training=True)
            real_logits = self.discriminator(real, training=True)
            losses = {
                "generator": generator_loss(fake_logits, "bce"),
                "discriminator": discriminator_loss(real_logits, fake_logits, "bce", self.real_label),
            }
        for name, loss in losses.items():
            variables, optimizer = getattr(self, name).trainable_variables, getattr(self, f"{name}_optimizer")
            optimizer.apply(tape.gradient(loss, variables), variables)
        return losses
