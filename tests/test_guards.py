"""The warnings of a training: when they come, and that they come once. What is a sign of what: test_diagnosis.py."""

import keras
import numpy as np
import pytest

from monet_lib.course.tools import short_run
from monet_lib.data.batches import load_pair
from monet_lib.data.reading import to_float
from monet_lib.files import COURSE
from monet_lib.paint import paint_all
from monet_lib.recipes import profile
from monet_lib.score.diagnosis import Evidence, diagnose
from monet_lib.score.metrics import scene_kept
from monet_lib.train.run import Run
from monet_lib.train.watch import EVERY, Guard

rng = np.random.default_rng(0)
PHOTOS = np.kron(rng.uniform(-1, 1, (3, 4, 4, 3)), np.ones((1, 4, 4, 1))).astype("float32")
HEALTHY = np.clip(0.8 * PHOTOS + 0.15 + rng.normal(0, 0.05, PHOTOS.shape), -1, 1).astype("float32")
STEPS = 2000


class Painter:
    """A stand-in for a CycleGAN whose paintings are given."""

    painted = HEALTHY

    def monet_generator(self, photos):
        return keras.ops.convert_to_tensor(self.painted)


class Training:
    """Steps of a run in a folder, with the history that they leave: a row each ten steps."""

    def __init__(self, folder, config, start=0):
        self.run = Run(folder, config.with_(log_every=10, steps=STEPS), {})
        self.run.begin_history(start)
        self.guard, self.step = Guard(self.run, start, PHOTOS), start
        self.guard.set_model(Painter())

    def to(self, last, discriminator=0.2, generator=0.3):
        for step in range(self.step + 1, last + 1):
            if step % 10 == 0:
                self.run.append_history([str(x) for x in (step, step, generator, 1, 1, 1, discriminator, 0.2)])
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
    assert "identity loss" in told
    begun.guard.model.painted = HEALTHY
    begun.to(6 * EVERY)
    begun.guard.model.painted = -PHOTOS
    begun.to(7 * EVERY)
    assert f"step {7 * EVERY}, negative" in capsys.readouterr().out


def test_a_run_that_logs_seldom_is_looked_at_all_the_same(nano, tmp_path, capsys):
    begun = Training(tmp_path, nano)
    begun.guard.model.painted = -PHOTOS
    begun.guard.on_train_batch_end(EVERY - 1, {})  # no row of the history is written yet
    assert f"step {EVERY}, negative" in capsys.readouterr().out


def test_a_copy_is_expected_in_the_first_fifth(training, capsys):
    begun = training()
    begun.guard.model.painted = PHOTOS
    begun.to(STEPS // 5)
    assert capsys.readouterr().out == ""
    begun.to(STEPS // 5 + EVERY)
    assert f"step {STEPS // 5 + EVERY}, copy" in capsys.readouterr().out


@pytest.mark.parametrize("resumed", [False, True])
def test_a_discriminator_that_wins_is_told_at_the_same_step_after_a_pause(training, resumed, capsys):
    """The mean over the last fifth of the history counts, whatever a killed session wrote beyond its checkpoint."""
    begun = training().to(1000).to(1150, discriminator=0.001, generator=1)
    if resumed:
        begun.run.append_history(["1160", "9", *6 * ["9"]])  # of a killed session, and trained again
        begun = training(start=1150)
    begun.to(1190, discriminator=0.001, generator=1)
    assert capsys.readouterr().out == ""
    begun.to(1200, discriminator=0.001, generator=1)
    assert "step 1200, discriminator wins" in capsys.readouterr().out


def test_what_make_demo_trains_changes_its_photos_and_keeps_their_scenes():
    """Without the losses of tones and colours it ended in one colour, and said so only in a warning."""
    pair = load_pair(COURSE / "data" / "sample")
    (_, monets), (_, photos) = pair["monet"], pair["photo"]
    config = profile("demo")
    model, history = short_run(config, monets, photos, config.steps)
    painted = paint_all(model.painter, photos[:12])
    assert np.abs(painted.astype(float) - photos[:12]).mean() > 10  # levels
    assert scene_kept(photos[:12], painted) > 0.8
    seen = to_float(photos[:12]).numpy(), to_float(painted).numpy()
    assert diagnose(Evidence(history, *seen, settings=config.settings(), step=config.steps)).cause == "healthy"
