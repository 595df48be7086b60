"""Stop in time, and fit the schedule to it: a session ends at a fixed hour, and by then every photo must be painted."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from monet_lib.data.reading import ImageSet
from monet_lib.paint.submission import check_submission, submission_size, write_submission
from monet_lib.train.run import Run, Saver, StepCallback

SLACK = 1.25  # times the measured time of painting: the machine may have been quicker when it was measured


class TimeBudget(StepCallback):
    """Stops training in time to save and to paint all photos before the deadline.

    It measures saving and painting after the first step: a machine that can't paint fails then, and not after hours.
    Training stops when the time left is shorter than SLACK times these and two of the longest steps so far. The
    learning rates follow the step, so a run that is resumed later ends like one that never stopped.

    photos: the ImageSet to be painted. deadline: as `time.monotonic` counts, in seconds.
    """

    def __init__(self, run: Run, saver: Saver, photos: ImageSet, deadline: float) -> None:
        super().__init__(run, saver.start)
        self.saver, self.photos, self.deadline = saver, photos, deadline
        self.longest = self.reserve = self.before = 0.0

    def on_step(self, losses: Mapping[str, Any]) -> None:
        if not self.before:
            self.measure()
        else:
            self.longest = max(self.longest, time.monotonic() - self.before)
        self.before = time.monotonic()
        if self.seconds_left(self.before) < 0:
            tqdm.write(f"time budget: stopped after step {self.step} to paint in time; the same call resumes")
            self.model.stop_training = True

    def seconds_left(self, now: float) -> float:
        """Seconds to train in from `now` on, before it is time to save and paint."""
        return self.deadline - self.reserve - 2 * self.longest - now

    def measure(self) -> None:
        """Set the reserve: the seconds that are kept for saving and painting."""
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


START, TRIAL, LONG_TRIAL = 8, 64, 512  # images of a trial submission: the first, the second, and a longer second one
SOON = 5.0  # seconds: in a trial that takes less than this, its start still weighs much


def submission_seconds(generator: Callable, photos: ImageSet, folder: Path) -> float:
    """Seconds that `write_submission` and `check_submission` will take, measured on this machine.

    Small submissions of the first photos are written into `folder` and removed: one pays the start-up, the last gives
    the time of an image. Raises UserError where a submission of this generator is not valid.
    """
    path, total = folder / "trial.zip", submission_size(photos, pad=True)

    def trial(images):
        began = time.monotonic()
        write_submission(generator, photos, path, pad=True, limit=images)
        check_submission(path, least=images)
        path.unlink()
        return time.monotonic() - began

    start_up, images = trial(min(START, total)), min(TRIAL, total)
    seconds = trial(images)
    if seconds < SOON and total > images:
        images = min(LONG_TRIAL, total)
        seconds = trial(images)
    return start_up + seconds * total / images


MARGIN = 0.03  # share of the time left that is not planned: later steps may be slower
REPLANS = 100  # how often a session makes its plan anew


class SessionPlan(StepCallback):
    """Sets both learning rates to fall to 0 at the last step that `budget`, a TimeBudget, has time for; stops there.

    From the second step on it measures the seconds of a step, with all that happens between steps, and plans: the
    constant rate for the config's `decay_from` of this session's steps, then a straight line. The plan is made anew
    again and again, so that a machine that gets slower or faster still ends at a rate of 0; the rate itself never
    jumps. Every session plans for itself, from the full rate, and not beyond the run's last step. The progress bar of
    `journal` gets the length of the plan.
    """

    def __init__(self, run: Run, start: int, budget: Any, journal: Any) -> None:
        super().__init__(run, start)
        self.budget, self.journal = budget, journal
        self.constant, self.total = float(run.config.steps), run.config.steps
        self.first: float | None = None
        self.planned: float | None = None  # when the first step ended, when the plan was made

    def on_train_begin(self, logs: Any = None) -> None:
        self.follow(self.constant, self.total)

    def on_step(self, losses: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if self.first is None:  # the first step builds TensorFlow's graph, and its time tells nothing
            self.first, self.first_step = now, self.step
            return
        left = self.budget.seconds_left(now)
        if self.planned is None or now - self.planned > (now - self.first + left) / REPLANS:
            seconds = (now - self.first) / (self.step - self.first_step)
            self.plan(max(0.0, left) * (1 - MARGIN) / seconds)
            self.journal.bar.total = self.total
            if self.planned is None:
                tqdm.write(f"plan: {seconds:.3g} s a step, so {self.total} steps; "
                           f"the learning rates fall from step {self.constant:.0f} on")  # fmt: skip
            self.planned = now
        if self.step >= self.total or self.model.stop_training:
            tqdm.write(f"plan: trained to step {self.step}, learning rates at {self.share():.1%}")
            self.model.stop_training = True

    def share(self) -> float:
        """The learning rates' share of their full value at this step: 0 to 1."""
        return min(1.0, max(0.0, (self.total - self.step) / max(1.0, self.total - self.constant)))

    def plan(self, steps: float) -> None:
        """Plan for so many steps from this one on."""
        total, share = min(self.run.config.steps, self.step + int(steps)), self.share()
        if self.step < self.constant:
            self.follow(max(self.step, self.start + self.run.config.decay_from * (total - self.start)), total)
        else:  # the rate is falling already: a straight line from its present value, whatever the new length
            self.follow(total - (total - self.step) / max(share, 1e-6), total)

    def follow(self, constant: float, total: int) -> None:
        """Let the learning rates fall from step `constant` on, to 0 at step `total`."""
        self.constant, self.total = constant, total
        for schedule in self.model.schedules:
            schedule.plan(constant, total)
