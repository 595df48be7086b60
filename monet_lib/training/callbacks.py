"""What happens around the training steps: a journal with a progress bar, pictures, saving."""

import csv
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TextIO

import keras
import numpy as np
from tqdm.auto import tqdm

from monet_lib.errors import UserError
from monet_lib.figures import encode, plot_history, read_history, training_grid
from monet_lib.gan.losses import losses_of
from monet_lib.training.checkpoints import Checkpoints
from monet_lib.training.runs import Run


class StepCallback(keras.callbacks.Callback):
    """A callback that knows the run's step, counted from the beginning of the run and not of this process."""

    def __init__(self, run: "Run", start: int) -> None:
        super().__init__()
        self.run, self.start, self.step = run, start, start

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        before, self.step = self.step, self.start + batch + 1
        self.on_step(before, logs)

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        """Called after the steps before + 1 ... self.step."""

    def passed(self, before: int, every: int) -> bool:
        """Whether a multiple of `every` lies among the steps just taken."""
        return self.step // every > before // every


class Journal(StepCallback):
    """Appends to history.csv and shows progress: losses, seconds a step, time left.

    A loss that is not finite stops training before anything is saved: UserError with the step and the loss's name.
    """

    def __init__(self, run: Run, start: int, steps: int, log_every: int) -> None:
        super().__init__(run, start)
        self.steps, self.log_every = steps, log_every
        self.names = losses_of(run.config)
        self.sums, self.count = dict.fromkeys(self.names, 0.0), 0
        self.file: TextIO | None = None
        self.row: list[float] | None = None  # the last line written: step, seconds, losses

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.file, self.before = self.run.history_from(self.start)
        self.began = time.perf_counter()
        self.bar = tqdm(total=self.steps, initial=self.start, unit="step", mininterval=1.0, dynamic_ncols=True)

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        for name in self.names:
            value = float(logs[name])
            if not math.isfinite(value):
                raise UserError(
                    f"{self.run.folder}: step {self.step}, loss {name} is {value}. Training stopped; the last "
                    "checkpoint is from before. Lower the learning rate or check the data: monet data."
                )
            self.sums[name] += value
        self.count += 1
        self.bar.update(self.step - before)
        if self.passed(before, self.log_every) or self.step == self.steps:
            means = [self.sums[name] / self.count for name in self.names]
            seconds = self.before + time.perf_counter() - self.began
            self.row = [self.step, seconds, *means]
            self._write([self.step, f"{seconds:.2f}", *(f"{m:.5f}" for m in means)])
            self.sums, self.count = dict.fromkeys(self.names, 0.0), 0
            shown = {
                "generator": means[0] + means[1],
                "cycle": means[2],
                "identity": means[3],
                "discriminator": means[4] + means[5],
            }
            self.bar.set_postfix_str(" ".join(f"{name} {loss:.2f}" for name, loss in shown.items()))

    def _write(self, row):
        try:
            csv.writer(self.file).writerow(row)
            self.file.flush()
        except OSError as error:
            raise UserError(
                f"{self.run.folder}/history.csv: can't be written ({error.strerror}). Free space; the same command "
                "resumes from the last checkpoint."
            ) from None

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        if self.file:
            with suppress(OSError):  # on a full disk: said before
                self.file.close()
            self.bar.close()
            self.file = None


class Pictures(StepCallback):
    """After every epoch and at the end: a grid of what the generators make of a few images, and the loss curves."""

    def __init__(self, run: Run, shown: Sequence[np.ndarray], start: int, steps_per_epoch: int) -> None:
        super().__init__(run, start)
        self.photos, self.monets = shown
        self.steps_per_epoch = steps_per_epoch
        self.drawn: int | None = None

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self.passed(before, self.steps_per_epoch):
            self.draw()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.draw()

    def draw(self) -> None:
        if self.drawn == self.step:
            return
        self.drawn = self.step
        grid = training_grid(self.model, self.photos, self.monets)
        self.run.write_picture(f"grids/step-{self.step:08d}.jpg", encode(grid)[0])
        history = read_history(self.run.folder / "history.csv")
        if len(history["step"]) > 1:
            self.run.write_picture("losses.png", encode(plot_history(history))[0])


class Saver(StepCallback):
    """Saves a checkpoint and the generator every `every` steps and at the end."""

    def __init__(self, run: Run, checkpoints: Checkpoints, start: int, every: int) -> None:
        super().__init__(run, start)
        self.checkpoints, self.every, self.saved = checkpoints, every, start

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self.passed(before, self.every):
            self.save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.save()

    def save(self) -> None:
        """Save now. The step is the model's own: an interruption may have come between a step and its callbacks."""
        self.step = int(self.model.step)
        if self.saved != self.step:
            for variable in self.model.trainable_variables:
                if not np.isfinite(variable.numpy()).all():
                    raise UserError(
                        f"{self.run.folder}: step {self.step}, weights {variable.path} are not finite, and not saved; "
                        "the last checkpoint is from before. Lower the learning rate."
                    )
            self.run.save_generator(self.model)
            self.checkpoints.save(self.step)
            self.saved = self.step
