"""Training stops in time, and the learning rate is zero when it stops, however the machine's speed changes."""

import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest
from inputs import make_data

from monet_lib import cli
from monet_lib.data.reading import find_images
from monet_lib.files import UserError
from monet_lib.model.cyclegan import ConstantThenLinear
from monet_lib.model.networks import generator_of
from monet_lib.model.weights import save_generator
from monet_lib.paint.submission import submission_seconds
from monet_lib.train import train
from monet_lib.train.loop import Journal
from monet_lib.train.run import Run
from monet_lib.train.watch import SessionPlan, TimeBudget


class Clock:
    """`time.monotonic` as a test moves it; it advances by `tick` seconds whenever it is looked at."""

    now, tick = 1000.0, 0.0

    def __call__(self):
        self.now += self.tick
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


class SlowPainter:
    """Takes 3 s for its first photos and then `seconds` for each photo, by the test's clock."""

    def __init__(self, clock, seconds, side=256):
        self.clock, self.seconds, self.started, self.side = clock, seconds, False, side

    def __call__(self, photos):
        self.clock.now += self.seconds * len(photos) + (0 if self.started else 3)
        self.started = True
        return 255 - np.asarray(photos)[:, : self.side, : self.side]


@pytest.mark.parametrize(
    ("seconds", "last"),
    [(0.1, 64), (0.05, 96)],  # 64 images in more than 5 s give the time of each of the 96; else all are tried
)
def test_painting_is_measured_and_not_guessed(seconds, last, clock, tmp_path):
    photos = find_images(make_data(tmp_path / "data", photos=24, formats=["jpg"]), "photo")
    started = clock.now
    found = submission_seconds(SlowPainter(clock, seconds), photos, tmp_path)
    assert found == pytest.approx(3 + 8 * seconds + 96 * seconds)  # a start with 8 images, then 96 of them
    assert clock.now - started == pytest.approx(3 + (8 + 64 + (last if last > 64 else 0)) * seconds)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_submission_that_is_not_valid_fails_when_it_is_measured(data_folder, tmp_path, clock):
    with pytest.raises(UserError, match="trial.zip: .*128"):
        submission_seconds(SlowPainter(clock, 0.0, side=128), find_images(data_folder, "photo"), tmp_path)


@pytest.mark.usefixtures("eagerly")
def test_training_stops_in_time_and_resumes(data_folder, nano, tmp_path, clock, capsys):
    config, run, clock.tick = nano.with_(steps=1000), tmp_path / "run", 3.0
    # A budget that is over already: one step, saved, and not a step too many.
    assert int(train(config, data_folder, run, time_budget=1e-9).step) == 1
    assert (run / "checkpoints" / "step-00000001").is_dir()
    began = clock.now
    stopped = int(train(config, data_folder, run, time_budget=100 / 3600).step)
    assert 4 < stopped < 14, "about two looks at the clock a step"
    assert 50 < clock.now - began < 100
    assert "time budget: stopped" in capsys.readouterr().out
    assert Run.load(run).config.steps == 1000, "the schedule is the whole run's"
    assert (run / "checkpoints" / f"step-{stopped:08d}").is_dir()


@pytest.mark.usefixtures("eagerly")
def test_a_run_is_trained_by_its_plan(nano, data_folder, tmp_path, clock, capsys):
    clock.tick = 1.0
    config, run = nano.with_(steps=1000, fit_schedule=True), tmp_path / "run"
    model = train(config, data_folder, run, time_budget=60 / 3600)
    told = capsys.readouterr().out
    assert 2 <= int(model.step) < 30, "some looks at the clock a step"
    assert f"plan: trained to step {int(model.step)}, learning rates at" in told
    assert float(model.schedules[0](int(model.step))) < 0.2 * config.generator_rate


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--fit-schedule"], "fit_schedule: fits the learning rates to a time budget, and there is none"),
        (["--time-budget", "0"], "time budget: must be a number of hours above 0, got 0.0"),
        (["--time-budget", "nan"], "time budget: must be a number of hours above 0"),
    ],
)
def test_the_command_refuses_a_plan_without_time(data_folder, tmp_path, capsys, option, says):
    command = ["train", "--data", str(data_folder), "--profile", "tiny", "--out", str(tmp_path / "run")]
    assert cli.main([*command, *option]) == 2
    assert says in capsys.readouterr().err


def session(clock, folder, config, seconds, start=0, minutes=10):
    """A session whose step number k takes seconds(k). Returns (the plan, the share of the full rate at each step)."""
    limit = config.steps
    schedule, journal = ConstantThenLinear(2e-4, limit, limit), SimpleNamespace(bar=SimpleNamespace(total=limit))
    model, run = SimpleNamespace(schedules=[schedule], stop_training=False), Run(folder, config, {})
    saver = SimpleNamespace(start=start, save=lambda: setattr(clock, "now", clock.now + 16))
    photos = find_images(folder / "data", "photo")
    limits = TimeBudget(run, saver, photos, clock.now + 60 * minutes)
    plan, shares = SessionPlan(run, start, limits, journal), []
    limits.set_model(model)
    plan.set_model(model)
    plan.on_train_begin()
    while not model.stop_training:
        shares.append(float(schedule(start + len(shares))) / 2e-4)
        clock.now += seconds(len(shares))
        for callback in (limits, plan):
            callback.on_train_batch_end(len(shares) - 1, {})
    shares.append(float(schedule(start + len(shares))) / 2e-4)
    assert journal.bar.total == plan.total, "the progress bar is as long as the plan"
    return plan, shares


@pytest.fixture
def run(nano, tmp_path):
    """(folder, config) of a run with photos and a generator; saving takes 16 s by the clock, and painting no time."""
    make_data(tmp_path / "data", photos=2, formats=["jpg"])
    save_generator(tmp_path / "generator.npz", generator_of(nano), nano)
    return tmp_path, nano.with_(steps=10**6)


@pytest.mark.parametrize(
    "seconds",
    [
        lambda k: 15.0 if k == 1 else 0.5,  # building the graph
        lambda k: 0.5 if k < 300 else 1.0,  # slower later
        lambda k: 1.0 if k < 100 else 0.4,  # faster later
        lambda k: 6.0 if k % 100 == 0 else 0.5,  # validation
    ],
)
def test_the_rate_is_zero_when_training_stops(seconds, clock, run):
    end = clock.now + 600
    _, shares = session(clock, *run, seconds)
    assert shares[-1] < 0.02
    assert max(a - b for a, b in itertools.pairwise(shares)) < 0.06, "no jump"
    assert shares == sorted(shares, reverse=True)
    assert shares[len(shares) // 3] > 0.999
    assert 0.2 < shares[int(0.75 * len(shares))] < 0.8, "on its way down over the second half"
    assert end - 110 < clock.now <= end - 40, "40 s were kept for saving twice, and hardly more was wasted"


def test_a_resumed_session_plans_anew(clock, run):
    first, _ = session(clock, *run, lambda k: 0.5)
    second, shares = session(clock, *run, lambda k: 0.5, start=first.step)
    assert shares[0] > 0.999
    assert shares[-1] < 0.02
    folder, config = run
    shorter = config.with_(steps=second.step + 100)
    third, shares = session(clock, folder, shorter, lambda k: 0.5, start=second.step)
    assert third.step == second.step + 100, "no further than the run's last step"
    assert shares[-1] == 0


@pytest.mark.parametrize(("steps", "warned"), [(211_000, True), (1000, False)])
def test_many_hours_on_a_cpu_are_told_first(steps, warned, clock, nano, tmp_path, capsys):
    journal = Journal(Run(tmp_path, nano.with_(steps=steps), {}), 0)
    journal.on_train_begin()
    for batch in range(4):
        clock.now += 8.2
        journal.on_train_batch_end(batch, dict.fromkeys(journal.names, 1.0))
    journal.on_train_end()
    said = capsys.readouterr().out
    assert ("8.2 s a step, so about 481 hours to step 211000 on this CPU" in said) == warned
