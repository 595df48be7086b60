"""CycleGAN: two generators, two discriminators, one training step."""

import keras
import tensorflow as tf

from monet_lib.gan.augment import DRAWS, diff_augment
from monet_lib.gan.losses import cycle_loss, discriminator_loss, generator_loss, identity_loss, r1_penalty
from monet_lib.gan.pool import ImagePool

LOSSES = (
    "monet_generator",
    "photo_generator",
    "cycle",
    "identity",
    "monet_discriminator",
    "photo_discriminator",
)
FEATURE_LOSSES = ("feature_generator", "feature_discriminator")


def losses_of(config):
    """The names of the losses that training with this Config reports."""
    return LOSSES + (FEATURE_LOSSES if config.feature_discriminator else ())


class CycleGAN(keras.Model):
    """Unpaired translation between photos and Monets (Zhu et al. 2017).

    `monet_generator` paints: photo -> Monet. `photo_generator` goes back. Inputs are (monet, photo) throughout, each
    (batch, h, w, 3) float32 in [-1, 1]. `averaged_generator`, a network like `monet_generator`, follows it as an
    exponential moving average and does the painting of `model(photos)`; without it `monet_generator` does.
    feature_discriminator: a `FeatureDiscriminator` that judges paintings beside `monet_discriminator`, or None.
    pool_size: fakes kept for each discriminator, 0 for none; the pool needs image_shape, such as (128, 128, 3).
    """

    def __init__(self, monet_generator, photo_generator, monet_discriminator, photo_discriminator,
                 averaged_generator=None, pool_size=0, image_shape=None, seed=0, feature_discriminator=None,
                 **kwargs):  # fmt: skip
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

    def call(self, photos, training=False):
        """Paint photos: (batch, h, w, 3) in [-1, 1] to the same."""
        return (self.averaged_generator or self.monet_generator)(photos, training=training)

    def compile(self, generator_optimizer, discriminator_optimizer, adversarial="least_squares", real_label=1.0,
                cycle_weight=10.0, identity_weight=5.0, identity_steps=0, r1_weight=0.0, diff_augment="", ema=0.999,
                joined=False, feature_share=0.5, **kwargs):  # fmt: skip
        """Set optimizers and losses. One optimizer serves both generators, one both discriminators.

        adversarial: "least_squares", "bce" or "hinge"; a comma list gives each discriminator head its own.
        identity_steps: the identity weight falls linearly to 0 over so many steps, and its forward passes are then
        skipped; 0 keeps it. r1_weight: gradient penalty on real images. diff_augment: see `augment.diff_augment`.
        ema: decay of the averaged generator. joined: translation and identity in one call of a generator, real and fake
        in one of a discriminator: quicker, for networks in which an image doesn't depend on the others of its batch,
        so not with batch norm. feature_share: of the feature discriminator's loss in the Monet side's; the rest is the
        other's. Other arguments go to `keras.Model.compile`.
        """
        # XLA takes a minute to compile this step on a CPU and then runs slower; Keras would choose "auto".
        super().compile(optimizer=generator_optimizer, **{"jit_compile": False, **kwargs})
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.adversarial, self.real_label = tuple(adversarial.split(",")), real_label
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.identity_steps, self.r1_weight = identity_steps, r1_weight
        self.diff_augment, self.ema, self.joined = diff_augment, ema, joined
        self.feature_share = feature_share if self.feature_discriminator is not None else 0.0
        generator_optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator_variables)

    @property
    def generator_variables(self):
        return self.monet_generator.trainable_variables + self.photo_generator.trainable_variables

    @property
    def discriminator_variables(self):
        networks = (self.monet_discriminator, self.photo_discriminator, self.feature_discriminator)
        return [v for network in networks if network is not None for v in network.trainable_variables]

    @property
    def step(self):
        """Training steps taken so far: an int32 scalar tensor."""
        return tf.cast(self.generator_optimizer.iterations.value, tf.int32)

    def train_step(self, data):
        """One step of both sides from the same forward pass. Returns the losses as scalars, unweighted."""
        step = self.step
        generator_gradients, discriminator_gradients, losses = self.gradients(data)
        self.generator_optimizer.apply(generator_gradients, self.generator_variables)
        self.discriminator_optimizer.apply(discriminator_gradients, self.discriminator_variables)
        if self.averaged_generator is not None:
            self._average(step)
        # Each replica's losses are its share of the global batch's mean: the sum is that mean.
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, losses)

    def gradients(self, data):
        """Both sides' full joint gradients and the losses, without taking the step.

        Every generator gets the gradient of both cycles: the Monet generator starts one and ends the other.
        """
        monet, photo = data
        step, replicas = self.step, self._replicas()
        with tf.GradientTape() as generator_tape:
            fake_monet, same_monet = self._translate(self.monet_generator, photo, monet)
            fake_photo, same_photo = self._translate(self.photo_generator, monet, photo)
            cycled_photo = self.photo_generator(fake_monet, training=True)
            cycled_monet = self.monet_generator(fake_photo, training=True)
            cycle = cycle_loss(monet, cycled_monet) + cycle_loss(photo, cycled_photo)
            identity_weight, identity = self._identity(monet, photo, same_monet, same_photo, step)
            monet_draws, photo_draws = (self._share(self._draws(monet, step, k, DRAWS)) for k in (0, 1))
            monet_adversarial = self._fool(self.monet_discriminator, fake_monet, monet_draws)
            photo_adversarial = self._fool(self.photo_discriminator, fake_photo, photo_draws)
            adversarial = (1.0 - self.feature_share) * monet_adversarial + photo_adversarial
            if self.feature_share:
                fake_maps = self._maps(fake_monet, monet_draws)
                feature_adversarial = self.feature_discriminator.fool(fake_maps)
                adversarial += self.feature_share * feature_adversarial
            total = (adversarial + self.cycle_weight * cycle + identity_weight * identity) / replicas
            total = self.generator_optimizer.scale_loss(total)
        generator_gradients = generator_tape.gradient(total, self.generator_variables)
        if self.monet_pool is not None:
            fake_monet = self.monet_pool(fake_monet, self._draws(monet, step, 2, 2))
            fake_photo = self.photo_pool(fake_photo, self._draws(photo, step, 3, 2))
        with tf.GradientTape() as discriminator_tape:
            monet_loss = self._tell_apart(self.monet_discriminator, monet, fake_monet, monet_draws)
            photo_loss = self._tell_apart(self.photo_discriminator, photo, fake_photo, photo_draws)
            total = (1.0 - self.feature_share) * monet_loss + photo_loss
            if self.feature_share:
                real_maps = self._maps(monet, monet_draws)
                feature_loss = self.feature_discriminator.tell_apart(real_maps, fake_maps)
                total += self.feature_share * feature_loss
            total = self.discriminator_optimizer.scale_loss(total / replicas)
        discriminator_gradients = discriminator_tape.gradient(total, self.discriminator_variables)
        losses = {
            "monet_generator": monet_adversarial,
            "photo_generator": photo_adversarial,
            "cycle": cycle,
            "identity": identity,
            "monet_discriminator": monet_loss,
            "photo_discriminator": photo_loss,
        }
        if self.feature_share:
            losses |= {"feature_generator": feature_adversarial, "feature_discriminator": feature_loss}
        return generator_gradients, discriminator_gradients, {k: v / replicas for k, v in losses.items()}

    def _translate(self, generator, images, targets):
        """(translated images, the generator's answer to its own target domain, or None to be asked for later)."""
        if not (self.joined and self.identity_weight and not self.identity_steps):
            return generator(images, training=True), None
        return tf.split(generator(tf.concat([images, targets], 0), training=True), 2)

    def _identity(self, monet, photo, same_monet, same_photo, step):
        """(weight, loss); where the weight is 0 the two forward passes are not made."""
        if not self.identity_weight:
            return 0.0, tf.constant(0.0)

        def loss():
            same = (same_monet, same_photo)
            if same_monet is None:
                same = self.monet_generator(monet, training=True), self.photo_generator(photo, training=True)
            return identity_loss(monet, same[0]) + identity_loss(photo, same[1])

        if not self.identity_steps:
            return self.identity_weight, loss()
        left = tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / self.identity_steps)
        return self.identity_weight * left, tf.cond(left > 0.0, loss, lambda: tf.constant(0.0))

    def _maps(self, images, draws):
        return self.feature_discriminator.project(diff_augment(images, draws, self.diff_augment))

    def _fool(self, discriminator, fake, draws):
        logits = discriminator(diff_augment(fake, draws, self.diff_augment), training=True)
        return self._over_heads(generator_loss, logits)

    def _tell_apart(self, discriminator, real, fake, draws):
        # The same draws for real and fake, so that the alteration itself gives nothing away.
        real = diff_augment(real, draws, self.diff_augment)
        fake = diff_augment(tf.stop_gradient(fake), draws, self.diff_augment)
        if self.joined and not self.r1_weight:
            logits = discriminator(tf.concat([real, tf.cast(fake, real.dtype)], 0), training=True)
            return self._over_heads(discriminator_loss, *tf.split(logits, 2), real_label=self.real_label)
        if not self.r1_weight:
            real_logits, penalty = discriminator(real, training=True), 0.0
        else:
            with tf.GradientTape() as tape:
                tape.watch(real)
                real_logits = discriminator(real, training=True)
                total = tf.reduce_sum(real_logits)
            penalty = 0.5 * self.r1_weight * r1_penalty(tape.gradient(total, real))
        fake_logits = discriminator(fake, training=True)
        loss = self._over_heads(discriminator_loss, real_logits, fake_logits, real_label=self.real_label)
        return loss + penalty

    def _over_heads(self, loss, *logits, **kwargs):
        heads = [
            loss(*(x[..., k] for x in logits), kind=kind, **kwargs) for k, kind in enumerate(self.adversarial)
        ]
        return sum(heads) / len(heads)

    def _draws(self, images, step, stream, columns):
        """Uniform numbers for the global batch, a function of (seed, step): a resumed run draws the same."""
        shape = (images.shape[0] * self._replicas(), columns)
        return tf.random.stateless_uniform(shape, [self.seed * 8 + stream, step])

    def _share(self, draws):
        """This replica's rows."""
        local = draws.shape[0] // self._replicas()
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return draws[replica * local : (replica + 1) * local]

    def _replicas(self):
        return tf.distribute.get_strategy().num_replicas_in_sync

    def _average(self, step):
        # The decay starts low, so that the first weights, which are noise, are soon forgotten.
        step = tf.cast(step, tf.float32)
        rate = 1.0 - tf.minimum(self.ema, (1.0 + step) / (10.0 + step))
        pairs = list(zip(self.averaged_generator.weights, self.monet_generator.weights, strict=True))

        def update(strategy, rate):
            rate = strategy.experimental_local_results(rate)[0]
            for average, weight in pairs:
                strategy.extended.update(
                    average.value, lambda a, w, r: a.assign_add(r * (w - a)), args=(weight.value, rate)
                )

        tf.distribute.get_replica_context().merge_call(update, args=(rate,))
