import keras
import numpy as np
import pytest

from monet_lib.model.losses import (
    bce,
    color_moments,
    cycle_loss,
    discriminator_loss,
    generator_loss,
    identity_loss,
    least_squares,
    r1_penalty,
    tone_loss,
)

rng = np.random.default_rng(0)
REAL, FAKE = (rng.normal(size=(2, 5, 5, 1)).astype("float32") * 3 for _ in range(2))


def reference_bce(logits, target):
    p = 1 / (1 + np.exp(-logits.astype("float64")))
    return -(target * np.log(p) + (1 - target) * np.log(1 - p)).mean()


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0])
def test_bce_is_the_definition(target):
    assert float(bce(REAL, target)) == pytest.approx(reference_bce(REAL, target), rel=1e-5)


def test_bce_survives_extreme_logits():
    values = [float(bce(np.float32([x]), t)) for x in (-1e4, 1e4) for t in (0.0, 1.0)]
    assert values == pytest.approx([0.0, 1e4, 1e4, 0.0], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "of_discriminator", "of_generator"),
    [
        ("bce", reference_bce(REAL, 0.9) + reference_bce(FAKE, 0.0), reference_bce(FAKE, 1.0)),
        ("least_squares", ((REAL - 0.9) ** 2).mean() + (FAKE**2).mean(), ((FAKE - 1) ** 2).mean()),
        ("hinge", np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean(), -FAKE.mean()),
    ],
    ids=["bce", "least_squares", "hinge"],
)
def test_adversarial_losses_by_numpy(kind, of_discriminator, of_generator):
    found = float(discriminator_loss(REAL, FAKE, kind, real_label=0.9))
    assert found == pytest.approx(of_discriminator / 2, rel=1e-5)
    assert float(generator_loss(FAKE, kind)) == pytest.approx(of_generator, rel=1e-5)


def test_round_trip_identity_and_penalty_by_numpy():
    a, b = (rng.uniform(-1, 1, (3, 4, 4, 3)).astype("float32") for _ in range(2))
    for loss in (cycle_loss, identity_loss):
        assert float(loss(a, b)) == pytest.approx(np.abs(a - b).mean(), rel=1e-5)
    assert float(r1_penalty(a)) == pytest.approx((a**2).sum(axis=(1, 2, 3)).mean(), rel=1e-5)


def test_tone_loss_by_numpy_lets_strokes_pass_and_not_a_weave():
    photo, painted = (rng.uniform(-1, 1, (2, 40, 32, 3)).astype("float32") for _ in range(2))
    photo[1] *= 0.5
    painted[0] += 0.9
    squares = [x[:, :32].astype("float64").reshape(2, 2, 16, 2, 16, 3) for x in (photo, painted)]
    (mean, spread), (new_mean, new_spread) = ((x.mean((2, 4)), x.std((2, 4))) for x in squares)
    shift = np.maximum(np.abs(new_mean - mean) - 0.25, 0)
    grown = np.maximum(new_spread - spread - 0.05, 0)
    assert shift[1].max() == 0 < shift[0].min()
    assert grown[0].max() < grown[1].min()
    assert float(tone_loss(photo, painted)) == pytest.approx(shift.mean() + grown.mean(), rel=1e-5)
    night, weave = np.full((1, 32, 32, 3), -0.9, "float32"), np.full((1, 32, 32, 3), -0.9, "float32")
    weave[:, ::2] += 0.4
    assert float(tone_loss(night, night)) == 0
    assert float(tone_loss(night, night + 1.5)) == pytest.approx(1.5 - 0.25, rel=1e-5)
    assert float(tone_loss(night, weave)) == pytest.approx(0.2 - 0.05, abs=2e-3)


def test_color_moments_by_numpy():
    images = rng.uniform(-1, 1, (2, 8, 6, 3)).astype("float32")
    pixels = images.reshape(-1, 3).astype("float64")
    covariance = np.cov(pixels.T, bias=True) + np.outer(pixels.mean(0), pixels.mean(0))
    expected = [*pixels.mean(0), *covariance[np.triu_indices(3)]]
    np.testing.assert_allclose(color_moments(images), expected, atol=1e-6)
    np.testing.assert_allclose(color_moments(images[:, ::-1, ::2]), color_moments(images[:, :, ::2]), atol=1e-6)


def test_losses_of_half_precision_are_float32():
    half = keras.ops.cast(REAL, "bfloat16")
    losses = bce(half, 1.0), least_squares(half, 1.0), generator_loss(half, "hinge"), cycle_loss(half, half)
    assert [keras.backend.standardize_dtype(value.dtype) for value in losses] == ["float32"] * 4


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="adversarial loss 'wasserstein' is unknown"):
        generator_loss(FAKE, "wasserstein")
