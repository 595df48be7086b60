"""CycleGAN: two generators, two discriminators, one training step."""

from typing import Any

import keras
import tensorflow as tf

from monet_lib.config import Config
from monet_lib.gan.adversarial import Adversarial
from monet_lib.gan.augment import DRAWS, diff_augment
from monet_lib.gan.identity import fading_identity
from monet_lib.gan.losses import cycle_loss, tone_loss
from monet_lib.gan.passes import Passes, translate
from monet_lib.gan.pool import ImagePool
from monet_lib.gan.replicas import follow, global_draws, own_rows, replicas, summed

MONET, PHOTO, MONET_POOL, PHOTO_POOL = range(4)  # streams of random numbers


class CycleGAN(keras.Model):
    """Unpaired translation between photos and Monets (Zhu et al. 2017).

    `monet_generator` paints: photo -> Monet. `photo_generator` goes back. Inputs are (monet, photo) throughout, each
    (batch, h, w, 3) float32 in [-1, 1]. `averaged_generator`, a network like `monet_generator`, follows it as an
    exponential moving average and does the painting of `model(photos)`; without it `monet_generator` does.
    feature_discriminator: a `FeatureDiscriminator` that looks at paintings beside `monet_discriminator`, or None.
    pool_size: fakes kept for each discriminator, 0 for none; the pool needs image_shape, such as (128, 128, 3).
    """

    def __init__(
        self,
        monet_generator: keras.Model,
        photo_generator: keras.Model,
        monet_discriminator: keras.Model,
        photo_discriminator: keras.Model,
        averaged_generator: keras.Model | None = None,
        pool_size: int = 0,
        image_shape: tuple[int, ...] | None = None,
        seed: int = 0,
        feature_discriminator: keras.Model | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.monet_generator, self.photo_generator = monet_generator, photo_generator
        self.monet_discriminator, self.photo_discriminator = monet_discriminator, photo_discriminator
        self.averaged_generator, self.feature_discriminator = averaged_generator, feature_discriminator
        self.monet_pool = ImagePool(pool_size, image_shape, name="monet_pool") if pool_size else None
        self.photo_pool = ImagePool(pool_size, image_shape, name="photo_pool") if pool_size else None
        self.seed = seed
        if averaged_generator is not None:
            averaged_generator.trainable = False
            averaged_generator.set_weights(monet_generator.get_weights())

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do: the networks come built. Under a tf.distribute.Strategy Keras warns of a model without it."""

    def call(self, photos: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Paint photos: (batch, h, w, 3) in [-1, 1] to the same."""
        return (self.averaged_generator or self.monet_generator)(photos, training=training)

    def compile(
        self,
        generator_optimizer: keras.Optimizer,
        discriminator_optimizer: keras.Optimizer,
        config: Config,
        steps: int = 0,
        **kwargs: Any,
    ) -> None:
        """Set the optimizers, one for both generators and one for both discriminators, and the losses.

        config: the losses, their weights, what the discriminators see, the average's decay. steps: of the whole
        training, for what is a share of it. Other arguments go to `keras.Model.compile`.
        """
        # XLA makes this step slower on a CPU, and Keras would choose "auto"; on a GPU `training.compiling` measures.
        super().compile(optimizer=generator_optimizer, **{"jit_compile": False, **kwargs})
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.settings, self.identity_steps = config, round(config.identity_until * steps)
        joined = "batch" not in (config.norm, config.discriminator_norm)
        kinds = tuple(config.adversarial.split(","))
        self.adversarial = Adversarial(kinds, config.real_label, config.r1_weight, joined)
        # Not where identity fades away: its passes are skipped then.
        self.joins_identity = bool(joined and config.identity_weight and not self.identity_steps)
        generator_optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator_variables)

    @property
    def generator_variables(self) -> list[keras.Variable]:
        return self.monet_generator.trainable_variables + self.photo_generator.trainable_variables

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        networks = (self.monet_discriminator, self.photo_discriminator, self.feature_discriminator)
        return [v for network in networks if network is not None for v in network.trainable_variables]

    @property
    def step(self) -> tf.Tensor:
        """Training steps taken so far: an int32 scalar tensor."""
        return tf.cast(self.generator_optimizer.iterations.value, tf.int32)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step of both sides from the same forward passes. Returns the losses as scalars, unweighted."""
        step = self.step
        generator_gradients, discriminator_gradients, losses = self.gradients(data)
        self.generator_optimizer.apply(generator_gradients, self.generator_variables)
        self.discriminator_optimizer.apply(discriminator_gradients, self.discriminator_variables)
        if self.averaged_generator is not None:
            follow(self.averaged_generator, self.monet_generator, step, self.settings.ema)
        # Each replica's losses are its share of the global batch's mean: the sum is that mean.
        return summed(losses)

    def gradients(
        self, data: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], dict[str, tf.Tensor]]:
        """Both sides' full joint gradients and the losses, without taking the step.

        Every generator gets the gradient of both cycles: the Monet generator starts one and ends the other.
        """
        with tf.GradientTape() as tape:
            images = translate(self.monet_generator, self.photo_generator, *data, self.joins_identity)
            fake_maps = self._maps(images.fake_monet)
            total, losses = self.generator_loss(images, fake_maps)
            total = self.generator_optimizer.scale_loss(total / replicas())
        generator_gradients = tape.gradient(total, self.generator_variables)
        fake_monet = self._pooled(self.monet_pool, images.fake_monet, MONET_POOL)
        fake_photo = self._pooled(self.photo_pool, images.fake_photo, PHOTO_POOL)
        images = images._replace(fake_monet=fake_monet, fake_photo=fake_photo)
        with tf.GradientTape() as tape:
            total, more = self.discriminator_loss(images, fake_maps)
            total = self.discriminator_optimizer.scale_loss(total / replicas())
        discriminator_gradients = tape.gradient(total, self.discriminator_variables)
        shares = {name: loss / replicas() for name, loss in (losses | more).items()}
        return generator_gradients, discriminator_gradients, shares

    def generator_loss(
        self, images: Passes, fake_maps: list[tf.Tensor] | None = None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Both generators' objective (Zhu et al. 2017, eq. 3) and identity loss: (weighted sum, each loss by name).

        fake_maps: the feature discriminator's maps of the fake Monets, where there is one.
        """
        adversarial = self.adversarial.generator_loss
        monet = adversarial(self.monet_discriminator, *self._augmented(MONET, images.fake_monet))
        photo = adversarial(self.photo_discriminator, *self._augmented(PHOTO, images.fake_photo))
        cycle = cycle_loss(images.monet, images.cycled_monet) + cycle_loss(images.photo, images.cycled_photo)
        generators = self.monet_generator, self.photo_generator
        identity_weight, identity = fading_identity(
            images, *generators, self.settings.identity_weight, self.identity_steps, self.step
        )
        losses = {"monet_generator": monet, "photo_generator": photo, "cycle": cycle, "identity": identity}
        share = self.settings.feature_discriminator if fake_maps else 0.0
        total = (1.0 - share) * monet + photo
        if self.settings.tone_weight:
            losses["tone"] = tone_loss(images.photo, images.fake_monet)
            total += self.settings.tone_weight * losses["tone"]
        if fake_maps:
            losses["feature_generator"] = self.feature_discriminator.generator_loss(fake_maps)
            total += share * losses["feature_generator"]
        return total + self.settings.cycle_weight * cycle + identity_weight * identity, losses

    def discriminator_loss(
        self, images: Passes, fake_maps: list[tf.Tensor] | None = None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The discriminators' objective on real and fake images: (weighted sum, each loss by name)."""
        loss = self.adversarial.discriminator_loss
        monet = loss(self.monet_discriminator, *self._augmented(MONET, images.monet, images.fake_monet))
        photo = loss(self.photo_discriminator, *self._augmented(PHOTO, images.photo, images.fake_photo))
        losses = {"monet_discriminator": monet, "photo_discriminator": photo}
        share = self.settings.feature_discriminator if fake_maps else 0.0
        total = (1.0 - share) * monet + photo
        if fake_maps:
            maps = self._maps(images.monet), fake_maps
            losses["feature_discriminator"] = self.feature_discriminator.discriminator_loss(*maps)
            total += share * losses["feature_discriminator"]
        return total, losses

    def _augmented(self, stream, *batches):
        """Batches of one domain, all altered by the same draws, so that the alteration itself gives nothing away."""
        if not self.settings.diff_augment:
            return batches
        draws = own_rows(global_draws(self.seed, self.step, stream, batches[0].shape[0], DRAWS))
        return [diff_augment(images, draws, self.settings.diff_augment) for images in batches]

    def _maps(self, monets):
        """What the feature discriminator sees of real or fake Monets; None where there is none."""
        if self.feature_discriminator is None:
            return None
        return self.feature_discriminator.project(*self._augmented(MONET, monets))

    def _pooled(self, pool, fakes, stream):
        """The fakes, some of them exchanged for older ones where there is a pool."""
        if pool is None:
            return fakes
        return pool(fakes, global_draws(self.seed, self.step, stream, fakes.shape[0], 2))
