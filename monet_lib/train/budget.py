"""Stop in time, and fit the schedule to it: a session ends at a fixed hour, and by then every photo must be painted."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import tensorflow as tf
from tqdm.auto import tqdm

from monet_lib.data.reading import ImageSet
from monet_lib.files import UserError, write_beside
from monet_lib.paint.submission import check_submission, submission_size, write_submission
from monet_lib.train.callbacks import Saver, StepCallback
from monet_lib.train.run import Run

SLACK = 1.25  # times the measured time of painting: the machine may have been quicker when it was measured
START, TRIAL, LONG_TRIAL = 8, 64, 512  # images that are painted to measure; the last where the others are soon done
SOON = 5.0  # seconds, in which the start of a trial still weighs much
MARGIN = 0.03  # share of the time left that is not planned: later steps may be slower
REPLANS = 100  # times a session at which the plan is made anew
LONG = 12.0  # hours on a CPU from which on a warning is due


def submission_seconds(generator: Callable, photos: ImageSet, folder: Path) -> float:
    """Seconds that `write_submission` and `check_submission` will take, measured here and now.

    Small submissions of the first photos are written into `folder` and removed: one pays the start-up, the last gives
    the time of an image. photos: an ImageSet.
    """
    path, total = Path(folder) / "trial.zip", submission_size(photos, pad=True)

    def trial(images):
        began = time.monotonic()
        write_submission(generator, photos, path, pad=True, limit=images)
        with suppress(UserError):  # "too few images", said after all of them were looked at
            check_submission(path)
        path.unlink()
        return time.monotonic() - began

    start_up, images = trial(min(START, total)), min(TRIAL, total)
    seconds = trial(images)
    if seconds < SOON and total > images:
        images = min(LONG_TRIAL, total)
        seconds = trial(images)
    return start_up + seconds * total / images


class TimeBudget(StepCallback):
    """Stops training so early that saving, painting every photo and checking the zip end before `deadline`.

    At its first step it saves the run, which also shows a full disk now and not after hours, and measures what saving
    and painting take. Training stops when less than SLACK times that is left, and two of the longest steps so far;
    the learning rates follow the step, so a run that is resumed later ends like one that never stopped.

    photos: the ImageSet to be painted. deadline: as `time.monotonic` counts, seconds.
    """

    def __init__(self, run: Run, start: int, saver: Saver, photos: ImageSet, deadline: float) -> None:
        super().__init__(run, start)
        self.saver, self.photos, self.deadline = saver, photos, deadline
        self.longest = 0.0
        self.reserve: float | None = None
        self.before: float | None = None

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self.reserve is None:
            self._measure()
        else:
            self.longest = max(self.longest, time.monotonic() - self.before)
        self.before = time.monotonic()
        if self.seconds_left(self.before) < 0:
            tqdm.write(f"time budget: stopped after step {self.step} to paint in time; the same call resumes")
            self.model.stop_training = True

    def seconds_left(self, now: float) -> float:
        """Seconds to train in from `now` on, before it is time to save and paint."""
        return self.deadline - self.reserve - 2 * self.longest - now

    def _measure(self):
        began = time.monotonic()
        self.saver.save()
        saving = time.monotonic() - began
        painting = submission_seconds(self.run.last_generator()[0], self.photos, self.run.folder)
        self.reserve = SLACK * (painting + 2 * saving)
        left = self.deadline - time.monotonic()
        tqdm.write(
            f"time budget: {left / 60:.1f} min left, {self.reserve / 60:.1f} of them kept for saving and for painting "
            f"{submission_size(self.photos, pad=True)} images"
        )


class SessionPlan(StepCallback):
    """Sets both learning rates to fall to 0 at the last step that `budget`, a TimeBudget, has time for; stops there.

    From the second step on it measures the seconds of a step, with all that happens between steps, and plans: the
    constant rate for the config's `decay_from` of this session's steps, then a straight line. The plan is made anew
    again and again, so that a machine that gets slower or faster still ends at a rate of 0; the rate itself never
    jumps. Every session plans for itself, from the full rate. limit: the run's last step, which no plan goes beyond.
    """

    # Run in quotes, here and in StepCallback: the submission notebook has these classes, and a run of its own.
    def __init__(self, run: "Run", start: int, limit: Any, budget: Any) -> None:
        super().__init__(run, start)
        self.limit, self.budget = limit, budget
        self.constant = self.total = limit
        self.first: float | None = None
        self.planned: float | None = None  # when the first step ended, when the plan was made

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._set(self.limit, self.limit)

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        now = time.monotonic()
        if self.first is None:  # the first step's time is TensorFlow's, which builds the graph
            self.first, self.first_step = now, self.step
            return
        left = self.budget.seconds_left(now)
        if self.planned is None or now - self.planned > (now - self.first + left) / REPLANS:
            self.seconds = (now - self.first) / (self.step - self.first_step)
            self._plan(max(0.0, left) * (1 - MARGIN) / self.seconds)
            if self.planned is None:
                tqdm.write(f"plan: {self.seconds:.3g} s a step, so {self.total} steps; "
                           f"the learning rates fall from step {self.constant:.0f} on")  # fmt: skip
            self.planned = now
        if self.step >= self.total or self.model.stop_training:
            tqdm.write(f"plan: trained to step {self.step}, learning rates at {self.share():.1%}")
            self.model.stop_training = True

    def share(self) -> float:
        """The learning rates' share of their full value at this step: 0 to 1."""
        return min(1.0, max(0.0, (self.total - self.step) / max(1.0, self.total - self.constant)))

    def _plan(self, steps):
        total, share = min(self.limit, self.step + int(steps)), self.share()
        if self.step < self.constant:
            fall = self.start + self.run.config.decay_from * (total - self.start)
            constant = max(self.step, fall)
        else:  # on the way down: from the rate of now, whatever the new length
            constant = total - (total - self.step) / max(share, 1e-6)
        self._set(constant, total)

    def _set(self, constant, total):
        self.constant, self.total = constant, total
        for schedule in self.model.schedules:
            schedule.plan(constant, total)


class RecordedPlan(SessionPlan):
    """The same, shown: plan.json of the run tells each session's last plan, and the journal's bar its length."""

    def __init__(self, run: Run, start: int, limit: Any, budget: Any, journal: Any) -> None:
        super().__init__(run, start, limit, budget)
        self.journal = journal

    def _plan(self, steps):
        super()._plan(steps)
        self.journal.bar.total = self.total
        file = self.run.folder / "plan.json"
        sessions = json.loads(file.read_text()) if file.exists() else []
        plan = {"from": self.start, "constant_until": self.constant, "to": self.total, "seconds_a_step": self.seconds}
        sessions = [each for each in sessions if each["from"] < self.start] + [plan]
        write_beside(file, lambda path: path.write_text(json.dumps(sessions, indent=2) + "\n"))


class Estimate(StepCallback):
    """Warns after the second step where a CPU would take more than LONG hours for the rest."""

    def __init__(self, run: Run, start: int, steps: int) -> None:
        super().__init__(run, start)
        self.first: float | None = None
        self.steps, self.said = steps, bool(tf.config.list_physical_devices("GPU"))

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        now = time.monotonic()
        if not self.said and self.first is not None:
            self.said = True
            seconds = (now - self.first) / (self.step - before)
            hours = (self.steps - self.step) * seconds / 3600
            if hours > LONG and not self.run.config.fit_schedule:
                tqdm.write(
                    f"warning: {seconds:.1f} s a step, so about {hours:,.0f} hours to step {self.steps} on this CPU. "
                    "Ctrl-C saves; the profile laptop is for CPUs, --time-budget stops in time."
                )
        self.first = now
