"""The DCGAN step against plain NumPy-checked gradients, and its randomness."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inputs import weights

from monet_lib.model.dcgan import DCGAN
from monet_lib.model.losses import bce
from monet_lib.model.networks import dcgan_discriminator, dcgan_generator

REAL = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3)), tf.float32)


def new(seed=3, rates=(2e-4, 8e-4), **compiled):
    keras.utils.set_random_seed(1)
    model = DCGAN(dcgan_generator(8, 16, 16), dcgan_discriminator(16, 4, dropout=0.0), seed)
    model.compile(*(keras.optimizers.SGD(rate) for rate in rates), **compiled)
    return model


def test_a_step_descends_each_sides_own_loss():
    """With plain gradient descent, (before - after) / rate is the gradient: compared with one taken separately."""
    model, same = new(rates=(0.5, 0.25)), new()
    noise = same.noise(4, 0)
    with tf.GradientTape(persistent=True) as tape:
        fake = same.generator(noise, training=True)
        answers = same.discriminator(fake, training=True)
        real_side = bce(same.discriminator(REAL, training=True), 0.9)
        expected = {"generator": bce(answers, 1.0), "discriminator": 0.5 * (real_side + bce(answers, 0.0))}
    before = {side: [w.numpy() for w in getattr(model, side).trainable_variables] for side in expected}
    losses = model.train_step(REAL)
    for (side, loss), rate in zip(expected.items(), (0.5, 0.25), strict=True):
        assert float(losses[side]) == pytest.approx(float(loss), rel=1e-5)
        gradients = tape.gradient(loss, getattr(same, side).trainable_variables)
        for was, now, gradient in zip(before[side], getattr(model, side).trainable_variables, gradients, strict=True):
            np.testing.assert_allclose((was - now.numpy()) / rate, gradient, atol=2e-4)


@pytest.mark.usefixtures("eagerly")
def test_fit_repeats_exactly_under_a_seed_and_differs_under_another():
    data = tf.data.Dataset.from_tensors(REAL).repeat(3)
    ends = []
    for seed in (3, 3, 4):
        model = new(seed)
        model.fit(data, verbose=0)
        ends.append(weights(model.generator))
    np.testing.assert_array_equal(ends[0], ends[1])
    assert (ends[0] != ends[2]).any()


def test_noise_is_normal_and_differs_from_step_to_step():
    model = new()
    noise = model.noise(4000, 5).numpy()
    assert noise.shape == (4000, 8)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert np.abs(noise - model.noise(4000, 6)).max() > 1


def test_the_label_of_real_images_is_an_argument():
    hard, soft = (float(new(real_label=label).train_step(REAL)["discriminator"]) for label in (1.0, 0.9))
    logits = new().discriminator(REAL, training=True).numpy()
    # d BCE / d label = -logit, half of it for the real side.
    assert soft - hard == pytest.approx(0.1 * 0.5 * logits.mean(), abs=1e-5)
