"""CUT, contrastive unpaired translation (Park et al. 2020), as a recipe to compare with: no cycle, one generator.

A place of the painting must be recognizable, by the generator's own encoder, as the same place of the photo among
others. That takes the place of the way back, and saves its two networks.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from monet_lib.config import Config
from monet_lib.model.cyclegan import MONET, MONET_POOL, CycleGAN, build, mean, with_optimizers
from monet_lib.model.losses import discriminator_loss, generator_loss, tone_loss

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

    Weights as in the paper: 1 for each of the two. Discriminators, tone and colour loss, average and pool are the
    CycleGAN's.
    """

    def __init__(self, of: CycleGAN) -> None:
        super().__init__(
            of.monet_generator,
            of.photo_generator,
            of.monet_discriminator,
            of.photo_discriminator,
            averaged_generator=of.averaged_generator,
            feature_discriminator=of.feature_discriminator,
            pools=(of.monet_pool, of.photo_pool),
            recent_colors=of.recent_colors,
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

    def generator_objective(self, monet: tf.Tensor, photo: tf.Tensor) -> tuple:
        """(weighted sum, losses by name, fakes) of the one generator, see `CycleGAN.generator_objective`."""
        fake, same = self.both(self.monet_generator, photo, monet)
        losses = {
            "monet_generator": self.fool(self.monet_discriminator, *self.augment(MONET, fake)),
            "nce": self.nce(photo, fake) + self.nce(monet, same),
        }
        share = self.feature_share
        objective = (1 - share) * losses["monet_generator"] + losses["nce"]
        if self.config.tone_weight:
            losses["tone"] = tone_loss(photo, fake)
            objective += self.config.tone_weight * losses["tone"]
        if self.recent_colors is not None:
            losses["color"] = self.recent_colors(monet, fake)
            objective += self.config.color_weight * losses["color"]
        maps = self.feature_maps(fake)
        if share:
            objective += share * mean(generator_loss(x, "hinge") for x in self.feature_discriminator(maps))
        return objective, losses, (fake, None, maps)

    def discriminator_objective(self, monet, photo, fake_monet, fake_photo, fake_maps) -> tuple:
        """(weighted sum, losses by name) of the Monet side, see `CycleGAN.discriminator_objective`."""
        fake_monet = self.pooled(self.monet_pool, tf.stop_gradient(fake_monet), MONET_POOL)
        images = self.augment(MONET, monet, fake_monet)
        losses = {"monet_discriminator": self.tell_apart(self.monet_discriminator, *images)}
        share = self.feature_share
        objective = (1 - share) * losses["monet_discriminator"]
        if share:
            pairs = zip(self.feature_maps(monet), fake_maps, strict=True)
            logits = self.feature_discriminator([tf.stop_gradient(tf.concat(pair, 0)) for pair in pairs])
            halves = (tf.split(x, 2) for x in logits)
            objective += share * mean(discriminator_loss(real, fake, "hinge") for real, fake in halves)
        return objective, losses

    def nce(self, images: Any, answers: Any) -> Any:
        """PatchNCE between images and the generator's answers to them, mean over the encoder's maps."""
        found, draws = [], self.draws(PLACE, PLACES, 1)[:, 0]
        for a, b, head in zip(self.encoder(images), self.encoder(answers), self.heads, strict=True):
            flat = [ops.reshape(x, (x.shape[0], -1, x.shape[-1])) for x in (a, b)]
            places = ops.cast(draws * flat[0].shape[1], "int32")
            key, query = (ops.normalize(head(ops.take(x, places, axis=1)), axis=-1) for x in flat)
            found.append(patch_nce(query, key))
        return mean(found)


def build_cut(config: Config, steps: int) -> CycleGAN:
    """A compiled CUT from a CycleGAN's Config: its networks and rates."""
    return with_optimizers(CUT(build(config, steps)), config, steps)
