import keras
import numpy as np
import pytest

from monet_lib.score.metrics import scene_kept
from monet_lib.train.run import Run
from monet_lib.train.watch import EVERY, SETTLED, Guard, symptoms

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

    painted = HEALTHY

    def monet_generator(self, photos):
        return keras.ops.convert_to_tensor(self.painted)


class Training:
    """Steps of a run in a folder, with the history that they leave: a row each `log_every` steps."""

    def __init__(self, folder, config, start=0):
        self.run = Run(folder, config.with_(log_every=10), {})
        self.run.begin_history(start)
        self.guard, self.step = Guard(self.run, start, PHOTOS), start
        self.guard.set_model(Painter())

    def to(self, last, discriminator=0.2):
        for step in range(self.step + 1, last + 1):
            if step % 10 == 0:
                self.run.append_history([str(x) for x in (step, step, 1, 1, 1, 1, discriminator, 0.2)])
            self.guard.on_train_batch_end(step - self.guard.start - 1, {})
        self.step = last
        return self


@pytest.fixture
def training(nano, tmp_path):
    return lambda start=0: Training(tmp_path, nano, start)


def test_a_warning_comes_once_with_step_and_advice_and_again_after_recovery(training, capsys):
    begun = training().to(2 * EVERY)
    assert capsys.readouterr().out == ""
    begun.guard.model.painted = -PHOTOS
    begun.to(5 * EVERY)
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert f"step {3 * EVERY}, negative" in told
    assert "identity_weight" in told
    begun.guard.model.painted = HEALTHY
    begun.to(6 * EVERY)
    begun.guard.model.painted = -PHOTOS
    begun.to(7 * EVERY)
    assert f"step {7 * EVERY}, negative" in capsys.readouterr().out


def test_a_copy_is_expected_at_first(training, capsys):
    begun = training()
    begun.guard.model.painted = PHOTOS
    begun.to(SETTLED - 1)
    assert capsys.readouterr().out == ""
    begun.to(SETTLED)
    assert f"step {SETTLED}, copy" in capsys.readouterr().out


@pytest.mark.parametrize("resumed", [False, True])
def test_a_discriminator_near_zero_over_the_last_steps_is_told_at_the_same_step_after_a_pause(
    training, resumed, capsys
):
    """0.2 and later 0.001: the mean over 1,000 steps is below 0.02 when 905 of them are of the second kind."""
    begun = training().to(1200).to(1700, discriminator=0.001)
    if resumed:
        begun.run.append_history(["1710", "9", *6 * ["9"]])  # of a killed session, and trained again
        begun = training(start=1700)
    begun.to(2100, discriminator=0.001)
    assert capsys.readouterr().out == ""
    begun.to(2200, discriminator=0.001)
    assert "step 2200, overfitted discriminator" in capsys.readouterr().out


def test_a_discriminator_near_zero_from_the_first_step_is_told_when_it_can_be(training, capsys):
    training().to(SETTLED - 1, discriminator=0.001)
    assert capsys.readouterr().out == ""
    training(start=SETTLED - 10).to(SETTLED, discriminator=0.001)
    assert f"step {SETTLED}, overfitted discriminator" in capsys.readouterr().out
