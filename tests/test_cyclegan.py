import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from inputs import weights

from monet_lib.config import Config
from monet_lib.model.cyclegan import LOSSES, CycleGAN, build, losses_of
from monet_lib.model.layers import keras_defaults
from monet_lib.model.losses import color_moments
from monet_lib.model.networks import discriminator_of, generator_of, patch_discriminator, resnet_generator
from monet_lib.model.state import ImagePool, RecentColors

rng = np.random.default_rng(0)


def pair(size=32, batch=1):
    return tuple(tf.constant(rng.uniform(-1, 1, (batch, size, size, 3)), tf.float32) for _ in range(2))


def small(seed=0, heads=1, generator_optimizer=None, **settings):
    """A small CycleGAN; calls with the same settings of its networks give the same weights."""
    keras.utils.set_random_seed(seed)
    model = CycleGAN(
        *(resnet_generator(2, 1) for _ in range(2)),
        *(patch_discriminator((2, 2, 4, 4), heads=heads) for _ in range(2)),
    )
    sgd = lambda: keras.optimizers.SGD(1e-2)  # noqa: E731
    model.compile(generator_optimizer or sgd(), sgd(), Config(**settings))
    # Weights of the papers' size give a nearly constant output, in which nothing could be seen.
    draws = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            variable.assign(draws.normal(0, 0.3, variable.shape))
    return model


def flat(tensors):
    return np.concatenate([np.ravel(t) for t in tensors])


def assert_same_gradients(got, expected):
    """To rounding, which is a share of the largest terms of a sum and not of what they leave of each other."""
    got, expected = flat(got), flat(expected)
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def generator_objective(model, monet, photo):
    """The papers' full objective for both generators, summed here once more in NumPy's words."""
    to_monet = lambda x: model.monet_generator(x, training=True)  # noqa: E731
    to_photo = lambda x: model.photo_generator(x, training=True)  # noqa: E731
    l1 = lambda a, b: tf.reduce_mean(tf.abs(a - b))  # noqa: E731
    fakes = ((model.monet_discriminator, to_monet(photo)), (model.photo_discriminator, to_photo(monet)))
    fool = sum(tf.reduce_mean((discriminator(fake, training=True) - 1) ** 2) for discriminator, fake in fakes)
    cycles = l1(photo, to_photo(to_monet(photo))) + l1(monet, to_monet(to_photo(monet)))
    same = l1(monet, to_monet(monet)) + l1(photo, to_photo(photo))
    return fool + model.config.cycle_weight * cycles + model.config.identity_weight * same


def test_the_step_takes_the_full_joint_gradient():
    model, images = small(cycle_weight=10.0, identity_weight=5.0), pair()
    got = model.gradients(images)[0]
    with tf.GradientTape() as tape:
        total = generator_objective(model, *images)
    assert_same_gradients(got, tape.gradient(total, [v.value for v in model.generator_variables]))


def test_both_gradients_agree_with_finite_differences():
    """Along the gradient itself, where the objective changes most, float32 has the fewest digits to lose."""
    model, images = small(cycle_weight=10.0, identity_weight=5.0), pair()
    pairs = list(zip(model.gradients(images)[0], model.generator_variables, strict=True))
    for network in (model.monet_generator, model.photo_generator):
        own = {id(v) for v in network.trainable_variables}
        moved = [(gradient, v, v.numpy()) for gradient, v in pairs if id(v) in own]
        norm, values = np.linalg.norm(flat(gradient for gradient, _, _ in moved)), []
        for step in (1e-4, -1e-4, 0.0):
            for gradient, variable, at in moved:
                variable.assign(at + step / norm * gradient)
            values.append(float(generator_objective(model, *images)))
        assert norm == pytest.approx((values[0] - values[1]) / 2e-4, rel=0.03)


def test_the_discriminators_gradient_is_of_their_own_loss():
    model, (monet, photo) = small(real_label=0.9), pair()
    got = model.gradients((monet, photo))[1]
    fake_monet, fake_photo = model.monet_generator(photo, training=True), model.photo_generator(monet, training=True)
    sides = (model.monet_discriminator, monet, fake_monet), (model.photo_discriminator, photo, fake_photo)
    with tf.GradientTape() as tape:
        total = sum(
            0.5 * tf.reduce_mean((network(real, training=True) - 0.9) ** 2)
            + 0.5 * tf.reduce_mean(network(fake, training=True) ** 2)
            for network, real, fake in sides
        )
    assert_same_gradients(got, tape.gradient(total, [v.value for v in model.discriminator_variables]))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("adversarial", ["least_squares", "bce", "hinge", "hinge,bce"])
def test_fit_moves_all_four_networks_and_reports_the_losses(adversarial):
    model = small(heads=adversarial.count(",") + 1, adversarial=adversarial)
    before = [weights(network) for network in model.layers]
    history = model.fit(tf.data.Dataset.from_tensors(pair()).repeat(3), verbose=0, shuffle=False).history
    assert set(history) == set(LOSSES)
    assert np.isfinite(list(history.values())).all()
    for old, network in zip(before, model.layers, strict=True):
        assert np.abs(weights(network) - old).max() > 1e-7
    assert int(model.step) == 3


def test_training_reduces_the_round_trip_error():
    model = small(generator_optimizer=keras.optimizers.Adam(1e-2), identity_weight=0.0)
    data = tf.data.Dataset.from_tensors(pair()).repeat(40)
    first = model.gradients(pair())[2]["cycle"]
    model.fit(data, verbose=0, shuffle=False)
    assert model.fit(data.take(1), verbose=0, shuffle=False).history["cycle"][0] < 0.8 * float(first)


@pytest.mark.parametrize("batch", [1, 2])
def test_joined_calls_give_the_same_gradients(batch):
    data = pair(batch=batch)
    apart, joined = small(norm="batch"), small()  # a config with batch norm is trained without joining
    for expected, got in zip(apart.gradients(data)[:2], joined.gradients(data)[:2], strict=True):
        assert_same_gradients(got, expected)


def test_without_an_identity_weight_its_passes_are_not_made():
    model, calls = small(identity_weight=0.0), []
    generator = model.monet_generator
    model.monet_generator = lambda x, training: calls.append(len(x)) or generator(x, training=training)
    _, losses, _ = model.generator_objective(*pair())
    assert calls == [1, 1]  # the photo painted, the fake photo painted back; no Monet
    assert float(losses["identity"]) == 0.0


class Spy(keras.layers.Layer):
    """A discriminator that keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, images, training=False):
        self.seen.append(images.numpy())
        return images[..., :1]


def spied(**settings):
    """A CycleGAN with spies in the place of its discriminators."""
    model = small(**settings)
    model.monet_discriminator, model.photo_discriminator = Spy(), Spy()
    return model


@pytest.mark.parametrize("policy", ["color", "translation", "cutout"])
def test_real_and_fake_images_are_altered_by_the_same_draws(policy):
    model, (monet, photo) = spied(diff_augment=policy), pair(batch=2)
    model.discriminator_objective(monet, photo, monet, photo, [])  # fakes that equal the real images
    for spy, images in ((model.monet_discriminator, monet), (model.photo_discriminator, photo)):
        (seen,) = spy.seen
        np.testing.assert_array_equal(seen[:2], seen[2:])
        assert np.abs(seen[:2] - images).max() > 0.1
    first = model.monet_discriminator.seen[0]
    model.generator_optimizer.iterations.assign(1)
    model.discriminator_objective(monet, photo, monet, photo, [])
    assert np.abs(model.monet_discriminator.seen[1] - first).max() > 0.1  # new draws at each step


def test_the_two_pools_draw_for_themselves():
    model = spied()
    model.monet_pool, model.photo_pool = (ImagePool(4, (32, 32, 3)) for _ in range(2))
    shown = []
    for step in range(40):
        model.generator_optimizer.iterations.assign(step)
        fake = tf.fill((1, 32, 32, 3), step / 40)
        model.discriminator_objective(fake, fake, fake, fake, [])
        spies = model.monet_discriminator, model.photo_discriminator
        shown.append([round(float(spy.seen[-1][1, 0, 0, 0]) * 40) for spy in spies])
    old = np.array(shown) != np.arange(40)[:, None]  # where a fake of an earlier step was shown
    assert not old[:4].any()
    assert (old[4:].mean(0) > 0.2).all()
    assert (old[:, 0] != old[:, 1]).any()


def test_the_optimizers_are_the_configs_with_rates_that_are_constant_and_then_fall_to_zero(nano):
    model = build(nano.with_(beta_1=0.3, generator_rate=1e-3, discriminator_rate=4e-3, decay_from=0.5), steps=10)
    for optimizer, rate in ((model.generator_optimizer, 1e-3), (model.discriminator_optimizer, 4e-3)):
        assert optimizer.beta_1 == 0.3
        rates = []
        for step in (0, 5, 9, 10, 15):
            optimizer.iterations.assign(step)
            rates.append(float(optimizer.learning_rate))
        np.testing.assert_allclose(rates, [rate, rate, rate / 5, 0.0, 0.0], rtol=1e-6)


def test_a_configs_weights_depend_on_its_seed_and_on_nothing_else(nano):
    random.seed(5)
    before = random.getstate()
    first = weights(build(nano, steps=4).monet_generator)
    assert random.getstate() == before  # the process's own random numbers go on as if nothing had been built
    keras.utils.set_random_seed(9)
    np.testing.assert_array_equal(weights(build(nano, steps=4).monet_generator), first)
    assert np.abs(weights(build(nano.with_(seed=1), steps=4).monet_generator) - first).max() > 1e-3


def test_r1_adds_the_gradients_square():
    data = pair()
    plain, penalized = small(r1_weight=0.0), small(r1_weight=10.0)
    real = tf.Variable(data[0])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(plain.monet_discriminator(real, training=True))
    expected = 5.0 * float(tf.reduce_sum(tape.gradient(total, real) ** 2))
    losses = [float(model.gradients(data)[2]["monet_discriminator"]) for model in (penalized, plain)]
    assert losses[0] - losses[1] == pytest.approx(expected, rel=1e-3)
    assert expected > 1e-4


def test_the_average_follows_the_generator(nano):
    model = build(nano.with_(ema=0.15), steps=10)
    expected = weights(model.monet_generator)
    for step in range(3):
        model.train_step(pair())
        rate = 1 - min(0.15, (1 + step) / (10 + step))  # from the second step on, ema is less
        expected += rate * (weights(model.monet_generator) - expected)
    np.testing.assert_allclose(weights(model.averaged_generator), expected, atol=1e-6)
    photos = pair()[0]
    np.testing.assert_array_equal(model(photos), model.averaged_generator(photos))


def test_pool_keeps_its_draws_and_images_exact_in_mixed_precision():
    with keras_defaults("mixed_bfloat16"):
        pool = ImagePool(50, (1, 1, 3))
    for k in range(51):  # the last draw rounds to 1.0 in bfloat16
        image = np.full((1, 1, 1, 3), 0.1 + k / 256, np.float32)
        got = pool(tf.constant(image), tf.constant([[0.999, 0.1]], tf.float32)).numpy()
    np.testing.assert_array_equal(got[0, 0, 0], np.float32([0.1 + 49 / 256] * 3))


def test_pool_by_a_plain_list():
    pool, stored = ImagePool(3, (2, 2, 3)), []
    for step in range(40):
        images = rng.normal(size=(2, 2, 2, 3)).astype("float32")
        draws = rng.random((2, 2)).astype("float32")
        got = pool(tf.constant(images), tf.constant(draws)).numpy()
        for image, (place, coin), out in zip(images, draws, got, strict=True):
            expected = image
            if len(stored) < 3:
                stored.append(image)
            elif coin < 0.5:
                k = int(np.float32(place) * 3)
                expected, stored[k] = stored[k], image
            np.testing.assert_array_equal(out, expected, err_msg=f"step {step}")


@pytest.mark.parametrize(
    "changes",
    [{}, {"model": "unet"}, {"upsample": "transpose", "norm": "batch"}, {"norm": "group", "ema": 0.0},
     {"pool_size": 0, "diff_augment": "color,translation,cutout", "r1_weight": 1.0}, {"tone_weight": 1.0},
     {"color_weight": 1.0}, {"feature_discriminator": 0.5}],
    ids=str,
)  # fmt: skip
def test_every_choice_of_a_config_gives_a_trainable_model_and_its_losses(nano, changes):
    config = nano.with_(**changes)
    model = build(config, steps=4)
    assert model.monet_generator.count_params() == generator_of(config).count_params()
    assert model.monet_discriminator.count_params() == discriminator_of(config).count_params()
    losses = model.train_step(pair())
    assert set(losses) == set(losses_of(config))
    assert all(np.isfinite(float(v)) for v in losses.values())


def test_recent_colors_by_numpy():
    """The value is that of two averages; the gradient is as if the newest painting's colours were the average's."""
    decay, steps = 0.7, 5
    layer, seen = RecentColors(decay), []
    for _ in range(steps):
        monet, painted = (rng.uniform(-1, 1, (1, 4, 4, 3)).astype("float32") for _ in range(2))
        seen.append([np.asarray(color_moments(x), "float64") for x in (monet, painted)])
        variable = tf.Variable(painted)
        with tf.GradientTape() as tape:
            loss = layer(tf.constant(monet), variable)
        gradient = tape.gradient(loss, variable).numpy()
    gap = np.subtract(*np.average(seen, 0, decay ** np.arange(steps)[::-1]))
    assert float(loss) == pytest.approx((gap**2).sum(), rel=1e-4)

    def pull(x):
        return -2 * gap @ np.asarray(color_moments(x), "float64")

    for place in ((0, 0, 0, 0), (0, 2, 1, 1), (0, 3, 3, 2)):
        moved = np.zeros_like(painted)
        moved[place] = 1e-2
        expected = (pull(painted + moved) - pull(painted - moved)) / 2e-2
        assert gradient[place] == pytest.approx(expected, rel=1e-2, abs=1e-5)
