import keras
import numpy as np
import pytest

from monet_lib.score.metrics import scene_kept
from monet_lib.train.callbacks import Guard, symptoms

rng = np.random.default_rng(0)
PHOTOS = np.kron(rng.uniform(-1, 1, (3, 4, 4, 3)), np.ones((1, 4, 4, 1))).astype("float32")
HEALTHY = np.clip(0.8 * PHOTOS + 0.15 + rng.normal(0, 0.05, PHOTOS.shape), -1, 1).astype("float32")


@pytest.mark.parametrize(
    ("painted", "expected"),
    [
        (HEALTHY, set()),
        (0 * PHOTOS + np.float32([0.1, 0.2, 0.6]), {"one colour"}),
        (0.05 * PHOTOS, {"one colour"}),
        (-0.7 * PHOTOS, {"negative"}),
        (PHOTOS + 0.005, {"copy"}),
        (rng.permutation(HEALTHY.ravel()).reshape(HEALTHY.shape), set()),  # noise is bad, but none of these
    ],
)
def test_each_collapse_is_told_and_a_healthy_painting_is_not(painted, expected):
    assert symptoms(PHOTOS, painted) == expected


def test_how_much_of_a_scene_is_kept():
    assert scene_kept(PHOTOS, 0.5 * PHOTOS + 0.3) == pytest.approx(1)
    assert scene_kept(PHOTOS, -PHOTOS) == pytest.approx(-1)
    first, second = PHOTOS[0].mean(-1).ravel(), HEALTHY[0].mean(-1).ravel()
    by_hand = ((first - first.mean()) * (second - second.mean())).mean() / (first.std() * second.std())
    assert scene_kept(PHOTOS[:1], HEALTHY[:1]) == pytest.approx(by_hand, abs=1e-5)
    one_flat = np.stack([PHOTOS[0], 0 * PHOTOS[1]])
    assert scene_kept(PHOTOS[:2], one_flat) == pytest.approx(1)
    assert scene_kept(one_flat, PHOTOS[:2]) == pytest.approx(1)
    assert np.isnan(scene_kept(PHOTOS, 0 * PHOTOS))


class Painter:
    """A stand-in for a CycleGAN whose paintings are given."""

    def __init__(self):
        self.painted = HEALTHY

    def monet_generator(self, photos):
        return keras.ops.convert_to_tensor(self.painted)


def guard(**kwargs):
    found = Guard(None, 0, PHOTOS, **kwargs)
    found.set_model(Painter())
    return found


def steps(callback, first, last, discriminator=0.2):
    for step in range(first, last + 1):
        callback.on_train_batch_end(step - 1, {"monet_discriminator": discriminator, "photo_discriminator": 0.2})


def test_a_warning_comes_once_with_step_and_advice_and_again_after_recovery(capsys):
    callback = guard(every=5)
    steps(callback, 1, 10)
    assert capsys.readouterr().out == ""
    callback.model.painted = -PHOTOS
    steps(callback, 11, 30)
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert "step 15, negative" in told
    assert "identity_weight" in told
    callback.model.painted = HEALTHY
    steps(callback, 31, 35)
    callback.model.painted = -PHOTOS
    steps(callback, 36, 40)
    assert "step 40, negative" in capsys.readouterr().out


def test_a_copy_is_expected_at_first(capsys):
    callback = guard(every=5, patience=20)
    callback.model.painted = PHOTOS
    steps(callback, 1, 19)
    assert capsys.readouterr().out == ""
    steps(callback, 20, 20)
    assert "step 20, copy" in capsys.readouterr().out


def test_a_discriminator_near_zero_for_long_is_reported_and_a_short_dip_is_not(capsys):
    callback = guard(every=5, patience=20)
    steps(callback, 1, 40)
    steps(callback, 41, 45, discriminator=0.001)
    assert capsys.readouterr().out == ""
    steps(callback, 46, 120, discriminator=0.001)
    assert "overfitted discriminator" in capsys.readouterr().out
