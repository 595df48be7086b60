from types import SimpleNamespace

import pytest

from monet_lib import cli
from monet_lib.data.reading import find_images
from monet_lib.files import UserError
from monet_lib.model.generators import generator_of
from monet_lib.train import loop as training
from monet_lib.train import session_plan
from monet_lib.train.budget import submission_seconds
from monet_lib.train.loop import train
from monet_lib.train.run import Run, find_run


def test_painting_is_measured_and_not_guessed(data_folder, nano, tmp_path, monkeypatch):
    """By a clock of the test's own, on which an image takes 0.02 s and a start 3 s."""
    photos, generator = find_images(data_folder, "photo"), generator_of(nano)
    assert submission_seconds(generator, photos, tmp_path) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    clock, write = SimpleNamespace(now=0.0), session_plan.write_submission
    clock.monotonic = lambda: clock.now

    def timed(*arguments, limit, **options):
        clock.now += 3 + 0.02 * limit
        return write(*arguments, limit=limit, **options)

    monkeypatch.setattr(session_plan, "time", clock)
    monkeypatch.setattr(session_plan, "write_submission", timed)
    monkeypatch.setattr(session_plan, "submission_size", lambda photos, pad: 1000)
    # A start with 8 images; then 512, since 64 were soon done, for the time of each of 1,000.
    expected = 3 + 8 * 0.02 + (3 + 512 * 0.02) * 1000 / 512
    assert submission_seconds(generator, photos, tmp_path) == pytest.approx(expected)


class Clock:
    """A clock that advances by three seconds whenever it is looked at."""

    now = 0

    def monotonic(self):
        self.now += 3
        return self.now


@pytest.mark.usefixtures("eagerly")
def test_training_stops_in_time_and_resumes(data_folder, nano, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(session_plan, "TRIAL", 2)
    monkeypatch.setattr(session_plan, "LONG_TRIAL", 2)
    # A budget that is over already: one step, saved, and not a step too many.
    config, run = nano.with_(steps=1000), tmp_path / "run"
    assert int(train(config, data_folder, run, time_budget=1e-9).step) == 1
    assert (run / "checkpoints" / "step-00000001").is_dir()
    clock = Clock()
    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(session_plan, "time", clock)
    monkeypatch.setattr(session_plan, "submission_seconds", lambda *arguments: 30.0)
    stopped = int(train(config, data_folder, run, time_budget=100 / 3600).step)
    assert 4 < stopped < 14, "about two looks at the clock a step, 19 of them before it is time to paint"
    assert 50 < clock.now < 70
    assert "time budget: stopped" in capsys.readouterr().out
    assert Run.load(run).config.steps == 1000, "the schedule is the whole run's"
    assert find_run(tmp_path) == run
    assert (run / "checkpoints" / f"step-{stopped:08d}").is_dir()


@pytest.mark.parametrize("hours", [0, -1, float("nan")])
def test_a_budget_of_no_time_is_refused(data_folder, nano, tmp_path, hours):
    with pytest.raises(UserError, match="time budget: must be more than 0 hours"):
        train(nano, data_folder, tmp_path / "run", time_budget=hours)


def test_the_command_has_the_option(tmp_path, capsys):
    assert cli.main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "r"), "--time-budget", "1"]) == 2
    assert "time" not in capsys.readouterr().err
