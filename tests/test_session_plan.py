"""The schedule fits the session: the learning rate is zero when training stops, however the machine's speed changes."""

import itertools
import json
from types import SimpleNamespace

import pytest

from monet_lib import cli
from monet_lib.files import UserError
from monet_lib.model.cyclegan import ConstantThenLinear
from monet_lib.train import loop, session_plan
from monet_lib.train.budget import Estimate, RecordedPlan, TimeBudget


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(session_plan, "time", clock)
    monkeypatch.setattr(session_plan, "submission_seconds", lambda *arguments: 40.0)
    monkeypatch.setattr(session_plan, "submission_size", lambda *arguments, **options: 7038)
    return clock


def session(clock, nano, folder, seconds, start=0, limit=10**6, minutes=10):
    """A session whose step number k takes seconds(k). Returns (the plan, the share of the full rate at each step)."""
    schedule = ConstantThenLinear(2e-4, limit, limit)
    model = SimpleNamespace(schedules=[schedule], stop_training=False)
    run = SimpleNamespace(folder=folder, config=nano, last_generator=lambda: (None, None))
    limits = TimeBudget(run, start, SimpleNamespace(save=lambda: None), None, clock.now + 60 * minutes)
    bar = SimpleNamespace(total=limit)
    plan, shares = RecordedPlan(run, start, limit, limits, SimpleNamespace(bar=bar)), []
    limits.set_model(model)
    plan.set_model(model)
    plan.on_train_begin()
    while not model.stop_training:
        shares.append(float(schedule(start + len(shares))) / 2e-4)
        clock.now += seconds(len(shares))
        for callback in (limits, plan):
            callback.on_train_batch_end(len(shares) - 1, {})
    shares.append(float(schedule(start + len(shares))) / 2e-4)
    assert bar.total == plan.total, "the progress bar is as long as the plan"
    return plan, shares


@pytest.mark.parametrize(
    "seconds",
    [
        lambda k: 15.0 if k == 1 else 0.5,  # building the graph
        lambda k: 0.5 if k < 300 else 1.0,  # slower later
        lambda k: 1.0 if k < 100 else 0.4,  # faster later
        lambda k: 6.0 if k % 100 == 0 else 0.5,  # validation
    ],
)
def test_the_rate_is_zero_when_training_stops(seconds, clock, nano, tmp_path):
    end = clock.now + 600
    plan, shares = session(clock, nano, tmp_path, seconds)
    assert shares[-1] < 0.02
    assert max(a - b for a, b in itertools.pairwise(shares)) < 0.06, "no jump"
    assert shares == sorted(shares, reverse=True)
    assert shares[len(shares) // 3] > 0.999
    assert 0.2 < shares[int(0.75 * len(shares))] < 0.8, "on its way down over the second half"
    assert end - 120 < clock.now <= end - 50, "50 s were kept for painting, and hardly more was wasted"
    told = json.loads((tmp_path / "plan.json").read_text())
    assert told[-1]["to"] == plan.total


def test_a_resumed_session_plans_anew(clock, nano, tmp_path):
    first, _ = session(clock, nano, tmp_path, lambda k: 0.5)
    second, shares = session(clock, nano, tmp_path, lambda k: 0.5, start=first.step)
    assert shares[0] > 0.999
    assert shares[-1] < 0.02
    told = json.loads((tmp_path / "plan.json").read_text())
    assert [each["from"] for each in told] == [0, first.step]
    third, shares = session(clock, nano, tmp_path, lambda k: 0.5, start=second.step, limit=second.step + 100)
    assert third.step == second.step + 100, "no further than the run's last step"
    assert shares[-1] == 0


def test_a_schedule_to_fit_needs_a_budget(nano, data_folder, tmp_path, capsys):
    with pytest.raises(UserError, match="fit_schedule: fits the learning rates to a time budget"):
        loop.train(nano.with_(fit_schedule=True), data_folder, tmp_path / "run")
    command = ["train", "--data", str(data_folder), "--profile", "tiny", "--out", str(tmp_path / "run")]
    assert cli.main([*command, "--fit-schedule"]) == 2
    assert "there is none" in capsys.readouterr().err


class TickingClock(Clock):
    """A clock that advances by one second whenever it is looked at."""

    def monotonic(self):
        self.now += 1
        return self.now


@pytest.mark.usefixtures("eagerly")
def test_a_run_is_trained_by_its_plan(nano, data_folder, tmp_path, monkeypatch, capsys):
    ticking = TickingClock()
    for module in (loop, session_plan):
        monkeypatch.setattr(module, "time", ticking)
    monkeypatch.setattr(session_plan, "submission_seconds", lambda *arguments: 0.0)
    config, run = nano.with_(steps=1000, fit_schedule=True), tmp_path / "run"
    step = int(loop.train(config, data_folder, run, time_budget=50 / 3600).step)
    (told,) = json.loads((run / "plan.json").read_text())
    assert 2 <= step <= told["to"] < 25, "some looks at the clock a step, 50 of them in all"
    assert f"plan: trained to step {step}, learning rates at" in capsys.readouterr().out


@pytest.mark.parametrize(("steps", "warned"), [(211_000, True), (1000, False)])
def test_many_hours_on_a_cpu_are_told_first(steps, warned, clock, nano, capsys):
    run = SimpleNamespace(config=nano)
    estimate = Estimate(run, 0, steps)
    for batch in range(4):
        clock.now += 8.2
        estimate.on_train_batch_end(batch, {})
    said = capsys.readouterr().out
    assert ("8.2 s a step, so about 481 hours to step 211000 on this CPU" in said) == warned
