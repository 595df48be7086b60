"""CycleGAN (Zhu et al. 2017): two generators, two discriminators, and the training step for all of them.

Read it from `train_step` down. Images are (batch, height, width, 3), float32 in [-1, 1]; logits are high for "real".
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from monet_lib.config import Config
from monet_lib.model.augment import DRAWS, diff_augment
from monet_lib.model.layers import keras_defaults, pick_precision
from monet_lib.model.losses import (
    cycle_loss,
    discriminator_loss,
    generator_loss,
    identity_loss,
    r1_penalty,
    tone_loss,
)
from monet_lib.model.networks import FeatureDiscriminator, discriminator_of, generator_of
from monet_lib.model.state import ConstantThenLinear, ImagePool, RecentColors, ScaledAdam

# The losses that a training step reports, in the order of history.csv; see `losses_of`.
LOSSES = ("monet_generator", "photo_generator", "cycle", "identity", "monet_discriminator", "photo_discriminator")
MONET, PHOTO, MONET_POOL, PHOTO_POOL = range(4)  # one stream of random numbers for each use


class CycleGAN(keras.Model):
    """Translates photos to Monets (`monet_generator`) and Monets to photos (`photo_generator`).

    averaged_generator: a network like monet_generator that follows it as an exponential moving average, and paints in
    its place; or None. feature_discriminator: looks at ImageNet features of paintings, beside monet_discriminator; or
    None. pools: of earlier fakes, for the Monet discriminator and for the photo discriminator; or None. recent_colors:
    of Monets and paintings, for the colour loss; or None.
    """

    def __init__(
        self,
        monet_generator: keras.Model,
        photo_generator: keras.Model,
        monet_discriminator: keras.Model,
        photo_discriminator: keras.Model,
        *,
        averaged_generator: keras.Model | None = None,
        feature_discriminator: FeatureDiscriminator | None = None,
        pools: tuple[ImagePool | None, ImagePool | None] = (None, None),
        recent_colors: RecentColors | None = None,
    ) -> None:
        super().__init__()
        self.built = True  # the networks come built: Keras' ModelCheckpoint saves their weights
        self.monet_generator, self.photo_generator = monet_generator, photo_generator
        self.monet_discriminator, self.photo_discriminator = monet_discriminator, photo_discriminator
        self.averaged_generator, self.feature_discriminator = averaged_generator, feature_discriminator
        self.monet_pool, self.photo_pool = pools
        self.recent_colors = recent_colors
        if averaged_generator is not None:
            averaged_generator.trainable = False
            averaged_generator.set_weights(monet_generator.get_weights())

    def call(self, photos: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Paint photos."""
        return self.painter(photos, training=training)

    @property
    def painter(self) -> keras.Model:
        """The network that paints: the averaged generator where there is one, else the Monet generator."""
        return self.averaged_generator or self.monet_generator

    def compile(
        self,
        generator_optimizer: keras.Optimizer,
        discriminator_optimizer: keras.Optimizer,
        config: Config,
        jit_compile: bool = False,
    ) -> None:
        """Set the optimizers, one for each side, and the losses. jit_compile: by XLA, which is slower on a CPU."""
        super().compile(optimizer=generator_optimizer, jit_compile=jit_compile)
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.config = config
        # The share of the Monet side's adversarial loss that is the feature discriminator's.
        self.feature_share = config.feature_discriminator if self.feature_discriminator else 0.0
        # Two batches go through a network as one, which is quicker, unless a norm would mix their statistics.
        self.joins = "batch" not in (config.norm, config.discriminator_norm)
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
        """Training steps taken so far: an int32 scalar."""
        return tf.cast(self.generator_optimizer.iterations.value, tf.int32)

    # The training step

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step of all networks from the same forward passes; data is (monet, photo). Returns unweighted losses."""
        step = self.step
        generator_gradients, discriminator_gradients, losses = self.gradients(data)
        self.generator_optimizer.apply(generator_gradients, self.generator_variables)
        self.discriminator_optimizer.apply(discriminator_gradients, self.discriminator_variables)
        if self.averaged_generator is not None:
            move_average(self.averaged_generator, self.monet_generator, step, self.config.ema)
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, losses)

    def gradients(self, data: tuple[tf.Tensor, tf.Tensor]) -> tuple[list, list, dict[str, tf.Tensor]]:
        """(generators' gradients, discriminators' gradients, losses), without taking the step.

        A device's losses are its share of the global batch's mean, so that the sum over devices is that mean. Each
        generator gets the gradient of both cycles: it begins one and ends the other.
        """
        monet, photo = data
        with tf.GradientTape() as tape:
            objective, losses, fakes = self.generator_objective(monet, photo)
            objective = self.generator_optimizer.scale_loss(objective / replicas())
        generator_gradients = tape.gradient(objective, self.generator_variables)
        with tf.GradientTape() as tape:
            objective, more = self.discriminator_objective(monet, photo, *fakes)
            objective = self.discriminator_optimizer.scale_loss(objective / replicas())
        discriminator_gradients = tape.gradient(objective, self.discriminator_variables)
        shares = {name: loss / replicas() for name, loss in (losses | more).items()}
        return generator_gradients, discriminator_gradients, shares

    def generator_objective(self, monet: tf.Tensor, photo: tf.Tensor) -> tuple[tf.Tensor, dict, tuple]:
        """Zhu et al. 2017, eq. 3 and 5.2: (weighted sum, losses by name, (fake_monet, fake_photo, fake_maps))."""
        paint, back, c = self.monet_generator, self.photo_generator, self.config
        fake_monet, same_monet = self.translate(paint, photo, monet)  # passes 1 and 5 of lesson 3's drawing
        fake_photo, same_photo = self.translate(back, monet, photo)  # 2 and 6
        cycled_photo, cycled_monet = back(fake_monet, training=True), paint(fake_photo, training=True)  # 3 and 4
        fake_maps = self.feature_maps(fake_monet)
        losses = {
            "monet_generator": self.fool(self.monet_discriminator, *self.augment(MONET, fake_monet)),
            "photo_generator": self.fool(self.photo_discriminator, *self.augment(PHOTO, fake_photo)),
            "cycle": cycle_loss(monet, cycled_monet) + cycle_loss(photo, cycled_photo),
            "identity": identity_loss(monet, same_monet) + identity_loss(photo, same_photo),
        }
        share = self.feature_share
        objective = (1 - share) * losses["monet_generator"] + losses["photo_generator"]
        if c.tone_weight:
            losses["tone"] = tone_loss(photo, fake_monet)
            objective += c.tone_weight * losses["tone"]
        if self.recent_colors is not None:
            losses["color"] = self.recent_colors(monet, fake_monet)
            objective += c.color_weight * losses["color"]
        if share:
            logits = self.feature_discriminator(fake_maps)
            losses["feature_generator"] = mean(generator_loss(x, "hinge") for x in logits)
            objective += share * losses["feature_generator"]
        objective += c.cycle_weight * losses["cycle"] + c.identity_weight * losses["identity"]
        return objective, losses, (fake_monet, fake_photo, fake_maps)

    def discriminator_objective(
        self, monet: tf.Tensor, photo: tf.Tensor, fake_monet: tf.Tensor, fake_photo: tf.Tensor, fake_maps: list
    ) -> tuple[tf.Tensor, dict]:
        """(weighted sum, losses by name) on real and fake images. No gradient goes back into the fakes."""
        fake_monet = self.pooled(self.monet_pool, tf.stop_gradient(fake_monet), MONET_POOL)
        fake_photo = self.pooled(self.photo_pool, tf.stop_gradient(fake_photo), PHOTO_POOL)
        losses = {
            "monet_discriminator": self.tell_apart(self.monet_discriminator, *self.augment(MONET, monet, fake_monet)),
            "photo_discriminator": self.tell_apart(self.photo_discriminator, *self.augment(PHOTO, photo, fake_photo)),
        }
        share = self.feature_share
        objective = (1 - share) * losses["monet_discriminator"] + losses["photo_discriminator"]
        if share:
            pairs = zip(self.feature_maps(monet), fake_maps, strict=True)
            logits = self.feature_discriminator([tf.stop_gradient(tf.concat(pair, 0)) for pair in pairs])
            halves = (tf.split(x, 2) for x in logits)
            losses["feature_discriminator"] = mean(discriminator_loss(real, fake, "hinge") for real, fake in halves)
            objective += share * losses["feature_discriminator"]
        return objective, losses

    # Its parts

    def translate(self, generator: keras.Model, images: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(generator(images), generator(targets)). Without an identity weight the second pass is not made."""
        if not self.config.identity_weight:
            return generator(images, training=True), targets  # an identity loss of 0
        return self.both(generator, images, targets)

    def both(self, network: keras.Model, first: tf.Tensor, second: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(network(first), network(second)), as one batch where no norm mixes the images of a batch."""
        if self.joins:
            return tuple(tf.split(network(tf.concat([first, second], 0), training=True), 2))
        return network(first, training=True), network(second, training=True)

    def fool(self, discriminator: keras.Model, fake: tf.Tensor) -> tf.Tensor:
        """The generator's adversarial loss: how badly the fakes pass for real."""
        return self.over_heads(generator_loss, discriminator(fake, training=True))

    def tell_apart(self, discriminator: keras.Model, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """The discriminator's adversarial loss, with the gradient penalty on real images where it has a weight."""
        logits = self.both(discriminator, real, tf.cast(fake, real.dtype))
        loss = self.over_heads(discriminator_loss, *logits, real_label=self.config.real_label)
        if not self.config.r1_weight:
            return loss
        with tf.GradientTape() as tape:
            tape.watch(real)
            total = tf.reduce_sum(discriminator(real, training=True))
        return loss + 0.5 * self.config.r1_weight * r1_penalty(tape.gradient(total, real))

    def over_heads(self, loss: Callable, *logits: tf.Tensor, **options: Any) -> tf.Tensor:
        """The mean over a discriminator's heads: one channel of logits for each name in config.adversarial."""
        kinds = enumerate(self.config.adversarial.split(","))
        return mean(loss(*(x[..., k] for x in logits), kind=kind, **options) for k, kind in kinds)

    def augment(self, stream: int, *batches: tf.Tensor) -> Sequence[tf.Tensor]:
        """Alter batches of one domain by the same draws, so that the alteration does not tell real from fake."""
        if not self.config.diff_augment:
            return batches
        local, replica = batches[0].shape[0], tf.distribute.get_replica_context().replica_id_in_sync_group
        draws = self.draws(stream, local, DRAWS)[replica * local : (replica + 1) * local]
        return [diff_augment(images, draws, self.config.diff_augment) for images in batches]

    def feature_maps(self, monets: tf.Tensor) -> list[tf.Tensor]:
        """What the feature discriminator sees of Monets, real or fake; an empty list where there is none."""
        if self.feature_discriminator is None:
            return []
        return self.feature_discriminator.project(*self.augment(MONET, monets))

    def pooled(self, pool: ImagePool | None, fakes: tf.Tensor, stream: int) -> tf.Tensor:
        """The fakes, some of them exchanged for older ones where there is a pool."""
        return fakes if pool is None else pool(fakes, self.draws(stream, fakes.shape[0], 2))

    def draws(self, stream: int, batch: int, columns: int) -> tf.Tensor:
        """Uniform numbers in [0, 1) for the global batch: a function of (seed, step, stream), equal on all devices."""
        return tf.random.stateless_uniform((batch * replicas(), columns), [self.config.seed * 8 + stream, self.step])


def mean(losses: Any) -> Any:
    """The mean of an iterable of scalars."""
    losses = list(losses)
    return sum(losses) / len(losses)


def replicas() -> int:
    """How many devices share the global batch."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def move_average(averaged: keras.Model, network: keras.Model, step: tf.Tensor, ema: float) -> None:
    """Move every weight of `averaged` towards the network's by the share 1 - ema, on every device.

    In the first steps the share is larger, so that the initial weights, which are noise, are soon forgotten. step:
    steps taken before, an int scalar.
    """
    step = tf.cast(step, tf.float32)
    rate = 1.0 - tf.minimum(ema, (1.0 + step) / (10.0 + step))
    pairs = list(zip(averaged.weights, network.weights, strict=True))

    def update(strategy, rate):
        rate = strategy.experimental_local_results(rate)[0]
        for average, weight in pairs:
            strategy.extended.update(
                average.value, lambda a, w, r: a.assign_add(r * (w - a)), args=(weight.value, rate)
            )

    tf.distribute.get_replica_context().merge_call(update, args=(rate,))


def losses_of(config: Config) -> tuple[str, ...]:
    """The names of the losses that training with this Config reports, in the order of history.csv."""
    tone = ("tone",) if config.tone_weight else ()
    features = ("feature_generator", "feature_discriminator") if config.feature_discriminator else ()
    color = ("color",) if config.color_weight else ()
    return LOSSES + tone + color + features


def build(config: Config, steps: int) -> CycleGAN:
    """The compiled CycleGAN of a Config for `steps` training steps, its weights drawn from config.seed.

    Under the scope of a tf.distribute.Strategy it trains on all devices of that strategy.
    """
    state = random.getstate()
    random.seed(config.seed)  # Keras draws the seed of each layer's initial weights from Python's generator
    try:
        with keras_defaults(pick_precision(config.precision)):
            model = _untrained(config)
    finally:
        random.setstate(state)
    return with_optimizers(model, config, steps)


def _untrained(config):
    sides = ("monet", "photo")
    generators = [generator_of(config, f"{side}_generator") for side in sides]
    discriminators = [discriminator_of(config, f"{side}_discriminator") for side in sides]
    averaged = generator_of(config, "averaged_generator") if config.ema else None
    on_features = FeatureDiscriminator(seed=config.seed) if config.feature_discriminator else None
    shape, size = (config.image_size, config.image_size, 3), config.pool_size
    monet_pool, photo_pool = (ImagePool(size, shape, name=f"{side}_pool") if size else None for side in sides)
    return CycleGAN(
        *generators,
        *discriminators,
        averaged_generator=averaged,
        feature_discriminator=on_features,
        pools=(monet_pool, photo_pool),
        recent_colors=RecentColors(name="recent_colors") if config.color_weight else None,
    )


def with_optimizers(model: CycleGAN, config: Config, steps: int) -> CycleGAN:
    """The model compiled with the Config's losses, and with Adam at its two learning rates, for `steps` steps."""
    rates = (config.generator_rate, config.discriminator_rate)
    model.schedules = [ConstantThenLinear(rate, round(config.decay_from * steps), steps) for rate in rates]
    adam = ScaledAdam if pick_precision(config.precision) == "mixed_float16" else keras.optimizers.Adam
    generators, discriminators = (adam(schedule, beta_1=config.beta_1) for schedule in model.schedules)
    model.compile(generators, discriminators, config)
    return model
