"""What happens around the training steps: a journal with a progress bar, pictures, saving."""

import math
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from tqdm.auto import tqdm

from monet_lib.errors import UserError
from monet_lib.figures import encode, plot_history, read_history, training_grid
from monet_lib.gan.losses import losses_of
from monet_lib.training.checkpoints import Checkpoints
from monet_lib.training.runs import Run
from monet_lib.training.tensorboard import write_image, write_scalars


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

    def __init__(self, run: Run, start: int, steps: int) -> None:
        super().__init__(run, start)
        self.steps, self.names = steps, losses_of(run.config)
        self.sums, self.count = dict.fromkeys(self.names, 0.0), 0
        self.bar: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.began = time.perf_counter() - self.run.begin_history(self.start)
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
        if self.passed(before, self.run.config.log_every) or self.step == self.steps:
            self._write({name: total / self.count for name, total in self.sums.items()})
            self.sums, self.count = dict.fromkeys(self.names, 0.0), 0

    def _write(self, means):
        seconds = time.perf_counter() - self.began
        self.run.append_history([self.step, f"{seconds:.2f}", *(f"{mean:.5f}" for mean in means.values())])
        write_scalars("losses", means.items(), self.step)
        for name in ("generator", "discriminator"):
            optimizer = getattr(self.model, f"{name}_optimizer")
            write_scalars("learning rate", [(f"{name}s", optimizer.learning_rate)], self.step)
        generator, discriminator = (means[f"monet_{k}"] + means[f"photo_{k}"] for k in ("generator", "discriminator"))
        self.bar.set_postfix_str(
            f"generator {generator:.2f} cycle {means['cycle']:.2f} "
            f"identity {means['identity']:.2f} discriminator {discriminator:.2f}"
        )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


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
        write_image("photo, painted, cycled", grid, self.step)
        history = read_history(self.run.folder / "history.csv")
        if len(history["step"]) > 1:
            self.run.write_picture("losses.png", encode(plot_history(history))[0])


class Saver(StepCallback):
    """Saves a checkpoint and the generator every `checkpoint_every` steps and at the end."""

    def __init__(self, run: Run, checkpoints: Checkpoints, start: int) -> None:
        super().__init__(run, start)
        self.checkpoints, self.saved = checkpoints, start

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self.passed(before, self.run.config.checkpoint_every):
            self.save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.save()

    def save(self) -> None:
        """Save now. The step is the model's own: an interruption may have come between a step and its callbacks."""
        self.step = int(self.model.step)
        if self.saved == self.step:
            return
        for variable in self.model.trainable_variables:
            if not np.isfinite(variable.numpy()).all():
                raise UserError(
                    f"{self.run.folder}: step {self.step}, weights {variable.path} are not finite, and not saved; "
                    "the last checkpoint is from before. Lower the learning rate."
                )
        self.run.save_generator(self.model)
        self.checkpoints.save(self.step)
        self.saved = self.step
