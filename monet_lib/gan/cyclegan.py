"""CycleGAN: two generators, two discriminators, one training step."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from monet_lib.gan.adversarial import Adversarial
from monet_lib.gan.augment import DRAWS, diff_augment
from monet_lib.gan.losses import cycle_loss, identity_loss
from monet_lib.gan.passes import Passes, translate
from monet_lib.gan.pool import ImagePool
from monet_lib.gan.replicas import global_draws, move_towards, own_rows, replicas, summed


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
        adversarial: str = "least_squares",
        real_label: float = 1.0,
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        identity_steps: int = 0,
        r1_weight: float = 0.0,
        diff_augment: str = "",
        ema: float = 0.999,
        joined: bool = False,
        feature_share: float = 0.5,
        **kwargs: Any,
    ) -> None:
        """Set optimizers and losses. One optimizer serves both generators, one both discriminators.

        adversarial: "least_squares", "bce" or "hinge"; a comma list gives each discriminator head its own.
        identity_steps: the identity weight falls linearly to 0 over so many steps, and its forward passes are then
        skipped; 0 keeps it. r1_weight: gradient penalty on real images. diff_augment: see `augment.diff_augment`.
        ema: decay of the averaged generator. joined: translation and identity in one call of a generator, real and fake
        in one of a discriminator: quicker, for networks in which an image doesn't depend on the others of its batch,
        so not with batch norm. feature_share: of the feature discriminator's loss in the Monet side's; the rest is the
        other's. Other arguments go to `keras.Model.compile`.
        """
        # XLA takes a minute to compile this step on a CPU and then runs slower; Keras would choose "auto". On a GPU
        # `training.compiling` measures.
        super().compile(optimizer=generator_optimizer, **{"jit_compile": False, **kwargs})
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.adversarial = Adversarial(tuple(adversarial.split(",")), real_label, r1_weight, joined)
        self.cycle_weight, self.identity_weight, self.identity_steps = (
            cycle_weight,
            identity_weight,
            identity_steps,
        )
        self.diff_augment, self.ema, self.joined = diff_augment, ema, joined
        self.feature_share = feature_share if self.feature_discriminator is not None else 0.0
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

    @property
    def _joins_identity(self):
        """Whether translation and identity go through a generator as one batch: not where identity fades away."""
        return bool(self.joined and self.identity_weight and not self.identity_steps)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step of both sides from the same forward passes. Returns the losses as scalars, unweighted."""
        step = self.step
        generator_gradients, discriminator_gradients, losses = self.gradients(data)
        self.generator_optimizer.apply(generator_gradients, self.generator_variables)
        self.discriminator_optimizer.apply(discriminator_gradients, self.discriminator_variables)
        if self.averaged_generator is not None:
            self._average(step)
        # Each replica's losses are its share of the global batch's mean: the sum is that mean.
        return summed(losses)

    def gradients(
        self, data: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], dict[str, tf.Tensor]]:
        """Both sides' full joint gradients and the losses, without taking the step.

        Every generator gets the gradient of both cycles: the Monet generator starts one and ends the other.
        """
        monet, photo = data
        batch = monet.shape[0]
        draws = [own_rows(global_draws(self.seed, self.step, stream, batch, DRAWS)) for stream in (0, 1)]
        with tf.GradientTape() as tape:
            passes = translate(self.monet_generator, self.photo_generator, monet, photo, self._joins_identity)
            fake_maps = self._maps(passes.fake_monet, draws[0]) if self.feature_share else None
            total, losses = self.generator_loss(monet, photo, passes, fake_maps, draws)
            total = self.generator_optimizer.scale_loss(total / replicas())
        generator_gradients = tape.gradient(total, self.generator_variables)
        fakes = [passes.fake_monet, passes.fake_photo]
        if self.monet_pool is not None:
            pools = zip((self.monet_pool, self.photo_pool), fakes, (2, 3), strict=True)
            fakes = [
                pool(x, global_draws(self.seed, self.step, stream, batch, 2)) for pool, x, stream in pools
            ]
        with tf.GradientTape() as tape:
            total, more = self.discriminator_loss((monet, photo), fakes, fake_maps, draws)
            total = self.discriminator_optimizer.scale_loss(total / replicas())
        discriminator_gradients = tape.gradient(total, self.discriminator_variables)
        shares = {name: loss / replicas() for name, loss in (losses | more).items()}
        return generator_gradients, discriminator_gradients, shares

    def generator_loss(
        self,
        monet: tf.Tensor,
        photo: tf.Tensor,
        passes: Passes,
        fake_maps: list[tf.Tensor] | None,
        draws: Sequence[tf.Tensor],
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Both generators' objective (Zhu et al. 2017, eq. 3) and identity loss: (weighted sum, each loss by name)."""
        monet_generator, photo_generator = (
            self.adversarial.generator_loss(discriminator, diff_augment(fake, own, self.diff_augment))
            for discriminator, fake, own in (
                (self.monet_discriminator, passes.fake_monet, draws[0]),
                (self.photo_discriminator, passes.fake_photo, draws[1]),
            )
        )
        cycle = cycle_loss(monet, passes.cycled_monet) + cycle_loss(photo, passes.cycled_photo)
        identity_weight, identity = self._identity(monet, photo, passes)
        losses = {"monet_generator": monet_generator, "photo_generator": photo_generator, "cycle": cycle,
                  "identity": identity}  # fmt: skip
        adversarial = (1.0 - self.feature_share) * monet_generator + photo_generator
        if self.feature_share:
            losses["feature_generator"] = self.feature_discriminator.generator_loss(fake_maps)
            adversarial += self.feature_share * losses["feature_generator"]
        return adversarial + self.cycle_weight * cycle + identity_weight * identity, losses

    def discriminator_loss(
        self,
        reals: Sequence[tf.Tensor],
        fakes: Sequence[tf.Tensor],
        fake_maps: list[tf.Tensor] | None,
        draws: Sequence[tf.Tensor],
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The discriminators' objective on (monet, photo) pairs of batches: (weighted sum, each loss by name).

        Real and fake are altered by the same draws, so that the alteration itself gives nothing away.
        """
        monet, photo = (
            self.adversarial.discriminator_loss(
                discriminator,
                *(diff_augment(x, own, self.diff_augment) for x in (real, tf.stop_gradient(fake))),
            )
            for discriminator, real, fake, own in zip(
                (self.monet_discriminator, self.photo_discriminator), reals, fakes, draws, strict=True
            )
        )
        losses = {"monet_discriminator": monet, "photo_discriminator": photo}
        total = (1.0 - self.feature_share) * monet + photo
        if self.feature_share:
            real_maps = self._maps(reals[0], draws[0])
            losses["feature_discriminator"] = self.feature_discriminator.discriminator_loss(
                real_maps, fake_maps
            )
            total += self.feature_share * losses["feature_discriminator"]
        return total, losses

    def _identity(self, monet, photo, passes):
        """(weight, loss); where the weight is 0 the two forward passes are not made."""
        if not self.identity_weight:
            return 0.0, tf.constant(0.0)

        def loss():
            same = passes.same_monet, passes.same_photo
            if passes.same_monet is None:
                same = self.monet_generator(monet, training=True), self.photo_generator(photo, training=True)
            return identity_loss(monet, same[0]) + identity_loss(photo, same[1])

        if not self.identity_steps:
            return self.identity_weight, loss()
        left = tf.maximum(0.0, 1.0 - tf.cast(self.step, tf.float32) / self.identity_steps)
        return self.identity_weight * left, tf.cond(left > 0.0, loss, lambda: tf.constant(0.0))

    def _maps(self, images, draws):
        return self.feature_discriminator.project(diff_augment(images, draws, self.diff_augment))

    def _average(self, step):
        # The decay starts low, so that the first weights, which are noise, are soon forgotten.
        step = tf.cast(step, tf.float32)
        rate = 1.0 - tf.minimum(self.ema, (1.0 + step) / (10.0 + step))
        move_towards(self.averaged_generator.weights, self.monet_generator.weights, rate)
