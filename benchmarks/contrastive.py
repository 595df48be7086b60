"""CUT, contrastive unpaired translation (Park et al. 2020), as a recipe to compare with: no cycle, one generator.

A place of the painting must be recognizable, by the generator's own encoder, as the same place of the photo among
others. That takes the place of the way back, and saves its two networks.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from monet_lib.config import Config
from monet_lib.model.cyclegan import MONET, MONET_POOL, CycleGAN, build, global_draws, with_optimizers
from monet_lib.model.losses import tone_loss

TEMPERATURE, PLACES, WIDTH = 0.07, 256, 256  # as in the paper, A.1 and C.2
PLACE = 7  # the stream of random numbers that places are drawn from
BLOCKS = (0, 3)  # residual blocks whose outputs are compared, after the image and the three convolutions before them


def patch_nce(queries: Any, keys: Any) -> Any:
    """How badly each query finds its own key among the image's: mean cross-entropy, a float32 scalar (eq. 3).

    Both (batch, places, width) of unit length, in the same order; no gradient goes into the keys.
    """
    similar = ops.matmul(queries, ops.transpose(ops.stop_gradient(keys), (0, 2, 1))) / TEMPERATURE
    own = ops.diagonal(similar, axis1=1, axis2=2)
    return ops.mean(ops.logsumexp(similar, axis=2) - own)


class CUT(CycleGAN):
    """A CycleGAN's Monet side with PatchNCE, of photos and of Monets, in place of cycle and identity loss.

    Weights as in the paper: 1 for each of the two. Discriminators, tone loss, average and pool are the CycleGAN's.
    """

    def __init__(self, of: CycleGAN, config: Config) -> None:
        networks = (of.monet_generator, of.photo_generator, of.monet_discriminator, of.photo_discriminator)
        shape = (config.image_size, config.image_size, 3)
        super().__init__(
            *networks, of.averaged_generator, config.pool_size, shape, config.seed, of.feature_discriminator
        )
        relus = [x for x in self.monet_generator.layers if isinstance(x, layers.ReLU)][:3]
        blocks = [x for x in self.monet_generator.layers if type(x).__name__ == "ResidualBlock"]
        outputs = [x.output for x in (*relus, *(blocks[k] for k in BLOCKS))]
        self.encoder = keras.Model(self.monet_generator.input, [self.monet_generator.input, *outputs])
        self.heads = [
            keras.Sequential([keras.Input((None, x.shape[-1])), layers.Dense(WIDTH, "relu"), layers.Dense(WIDTH)])
            for x in self.encoder.outputs
        ]

    @property
    def generator_variables(self) -> list[keras.Variable]:
        return self.monet_generator.trainable_variables + [v for head in self.heads for v in head.trainable_variables]

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        networks = (self.monet_discriminator, self.feature_discriminator)
        return [v for network in networks if network is not None for v in network.trainable_variables]

    def gradients(self, data: Any) -> Any:
        """Both sides' gradients and the losses, see `CycleGAN.gradients`."""
        monet, photo = data
        share = self.settings.feature_discriminator
        with tf.GradientTape() as tape:
            fake, same = tf.split(self.monet_generator(tf.concat([photo, monet], 0), training=True), 2)
            adversarial = self.adversarial.generator_loss(self.monet_discriminator, *self._augmented(MONET, fake))
            nce = self.nce(photo, fake) + self.nce(monet, same)
            losses = {"monet_generator": adversarial, "nce": nce}
            total = (1.0 - share) * adversarial + nce
            if self.settings.tone_weight:
                losses["tone"] = tone_loss(photo, fake)
                total += self.settings.tone_weight * losses["tone"]
            fake_maps = self._maps(fake)
            if fake_maps:
                total += share * self.feature_discriminator.generator_loss(fake_maps)
        generator_gradients = tape.gradient(total, self.generator_variables)
        pooled = self._pooled(self.monet_pool, fake, MONET_POOL)
        with tf.GradientTape() as tape:
            images = self._augmented(MONET, monet, pooled)
            losses["monet_discriminator"] = self.adversarial.discriminator_loss(self.monet_discriminator, *images)
            total = (1.0 - share) * losses["monet_discriminator"]
            if fake_maps:
                total += share * self.feature_discriminator.discriminator_loss(self._maps(monet), fake_maps)
        return generator_gradients, tape.gradient(total, self.discriminator_variables), losses

    def nce(self, images: Any, answers: Any) -> Any:
        """PatchNCE between images and the generator's answers to them, mean over the encoder's maps."""
        found, draws = [], global_draws(self.seed, self.step, PLACE, PLACES, 1)[:, 0]
        for a, b, head in zip(self.encoder(images), self.encoder(answers), self.heads, strict=True):
            flat = [ops.reshape(x, (x.shape[0], -1, x.shape[-1])) for x in (a, b)]
            places = ops.cast(draws * flat[0].shape[1], "int32")
            key, query = (ops.normalize(head(ops.take(x, places, axis=1)), axis=-1) for x in flat)
            found.append(patch_nce(query, key))
        return sum(found) / len(found)


def build_cut(config: Config, steps: int) -> CycleGAN:
    """A compiled CUT from a CycleGAN's Config: its networks and rates."""
    return with_optimizers(CUT(build(config, steps), config), config, steps)
