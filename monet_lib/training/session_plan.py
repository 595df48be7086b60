"""Fit the schedule to the session: how many steps there is time for is measured, and the rates fall to zero in them."""

import json
import time
from typing import Any

import tensorflow as tf
from tqdm.auto import tqdm

from monet_lib.files import write_beside
from monet_lib.training.callbacks import StepCallback
from monet_lib.training.runs import Run

MARGIN = 0.03  # share of the time left that is not planned: later steps may be slower
REPLANS = 100  # times a session at which the plan is made anew
LONG = 12.0  # hours on a CPU from which on a warning is due


class SessionPlan(StepCallback):
    """Sets both learning rates to fall to 0 at the last step that `budget`, a TimeBudget, has time for; stops there.

    From the second step on it measures the seconds of a step, with all that happens between steps, and plans: the
    constant rate for the config's `decay_from` of this session's steps, then a straight line. The plan is made anew
    again and again, so that a machine that gets slower or faster still ends at a rate of 0; the rate itself never
    jumps. Every session plans for itself, from the full rate. limit: the run's last step, which no plan goes beyond.
    """

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

    def __init__(self, run: Run, start: int, limit: Any, budget: Any, journal: Any = None) -> None:
        super().__init__(run, start, limit, budget)
        self.journal = journal

    def _plan(self, steps):
        super()._plan(steps)
        if self.journal is not None and self.journal.file:
            self.journal.bar.total = self.total
        file = self.run.folder / "plan.json"
        sessions = json.loads(file.read_text()) if file.exists() else []
        sessions = [each for each in sessions if each["from"] < self.start]
        sessions.append({"from": self.start, "constant_until": self.constant, "to": self.total,
                         "seconds_a_step": self.seconds})  # fmt: skip
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
