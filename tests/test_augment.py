import numpy as np
import pytest
import tensorflow as tf

from monet_lib.model.augment import DRAWS, color, cutout, diff_augment, translation

rng = np.random.default_rng(0)
IMAGES = rng.uniform(-1, 1, (4, 16, 16, 3)).astype("float32")


def draws(columns):
    return rng.random((len(IMAGES), columns)).astype("float32")


def test_color_by_numpy():
    d = draws(3)
    out = np.asarray(color(IMAGES, d))
    for image, (brightness, saturation, contrast), got in zip(IMAGES, d, out, strict=True):
        x = image + brightness - 0.5
        grey = x.mean(-1, keepdims=True)
        x = grey + (x - grey) * 2 * saturation
        x = x.mean() + (x - x.mean()) * (contrast + 0.5)
        np.testing.assert_allclose(got, x, atol=1e-5)


def test_translation_by_numpy():
    d = np.float32([[0.0, 0.0], [0.99, 0.99], [0.5, 0.5], [0.0, 0.99]])
    out = np.asarray(translation(IMAGES, d))
    for image, (down, right), got in zip(IMAGES, [(-2, -2), (2, 2), (0, 0), (-2, 2)], out, strict=True):
        padded = np.pad(image, [(2, 2), (2, 2), (0, 0)])
        np.testing.assert_allclose(got, padded[2 - down : 18 - down, 2 - right : 18 - right], atol=1e-6)


def test_cutout_by_numpy():
    d = draws(2)
    out = np.asarray(cutout(IMAGES, d))
    for image, (row, column), got in zip(IMAGES, d, out, strict=True):
        expected = image.copy()
        top, left = int(row * 17) - 4, int(column * 17) - 4
        expected[max(0, top) : max(0, top + 8), max(0, left) : max(0, left + 8)] = 0
        np.testing.assert_array_equal(got, expected)


def test_an_empty_policy_alters_nothing():
    np.testing.assert_array_equal(diff_augment(IMAGES, draws(DRAWS), ""), IMAGES)


@pytest.mark.parametrize("policy", ["color", "translation", "cutout", "color,translation,cutout"])
def test_gradients_flow_through(policy):
    """Against finite differences along a random direction: a generator learns through the augmentation."""
    x, d = tf.constant(IMAGES.astype("float64")), draws(DRAWS).astype("float64")
    direction = rng.normal(size=IMAGES.shape)
    loss = lambda x: tf.reduce_sum(tf.sin(3 * tf.cast(diff_augment(x, d, policy), tf.float64)))  # noqa: E731
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    slope = float(tf.reduce_sum(tape.gradient(value, x) * direction))
    numeric = float(loss(x + 1e-5 * direction) - loss(x - 1e-5 * direction)) / 2e-5
    assert slope == pytest.approx(numeric, rel=1e-4)
    assert abs(slope) > 1e-3
