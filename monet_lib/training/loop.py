"""Train a CycleGAN in a run's folder: data, model, checkpoint, and the callbacks around `keras.Model.fit`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from monet_lib.config import Config
from monet_lib.data.competition import ImageSet, find_images, to_float
from monet_lib.data.pipeline import UnpairedBatches, load_pair, split, training_data
from monet_lib.errors import UserError
from monet_lib.gan.builder import build
from monet_lib.gan.cyclegan import CycleGAN
from monet_lib.gan.precision import pick_precision
from monet_lib.networks.weights import load_networks
from monet_lib.training.budget import TimeBudget
from monet_lib.training.callbacks import Journal, Pictures, Saver
from monet_lib.training.checkpoints import Checkpoints
from monet_lib.training.compiling import compile_if_quicker, run_few_eagerly
from monet_lib.training.devices import strategy
from monet_lib.training.guards import Guard
from monet_lib.training.runs import Run
from monet_lib.training.session_plan import Estimate, SessionPlan
from monet_lib.training.tensorboard import TensorBoard, require_tensorboard
from monet_lib.training.validation import Validator, score_is_missing


@dataclass(frozen=True)
class Domain:
    """The images of one domain: uint8 (n, 256, 256, 3) to train on, and those held out to score with."""

    train: np.ndarray
    held: np.ndarray


def train(
    config: Config,
    data: str | Path,
    out: str | Path,
    skip_bad: bool = False,
    format: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    devices: str = "auto",
    time_budget: float | None = None,
    tensorboard: bool = False,
) -> CycleGAN:
    """Train in the folder `out`, from its last checkpoint if it has one. Returns the CycleGAN.

    data: the images' folder (see `find_data`). Writes what `Run` lists. Ctrl-C saves and returns. callbacks: more Keras
    callbacks. devices: see `devices.strategy`. time_budget: hours from now for training and for painting the photos
    afterwards (see `TimeBudget`, and with the config's fit_schedule `SessionPlan`); None: no limit. tensorboard: see
    `TensorBoard`. Raises UserError for bad images, where `out` holds another run, and where it can't write.
    """
    began = time.monotonic()
    _check(config, time_budget, tensorboard)
    scope = strategy(devices, config.batch_size)
    pair = load_pair(data, skip_bad, format)
    photos, monets = (hold_out(pair[name][1], name, config) for name in ("photo", "monet"))
    batches = UnpairedBatches(monets.train, photos.train, config)
    steps = config.steps or config.epochs * batches.steps_per_epoch
    run = Run.open(out, config.with_(steps=steps), data, pair, format)
    with scope.scope():
        model, checkpoints, start = _restored(run, steps)
    if start >= steps and not score_is_missing(run, start):
        print(f"{out}: trained to its last step, {steps}, already")
        return model
    print(f"{out}: {f'resuming at step {start}' if start else 'a new run'}, to step {steps}; "
          f"{batches.steps_per_epoch} steps an epoch; {pick_precision(config.precision)}")  # fmt: skip
    around = Surroundings(run, checkpoints, start, steps, batches.steps_per_epoch, (photos, monets))
    if time_budget is not None:
        around.limit_time(find_images(data, "photo", format), began + 3600 * time_budget)
    if tensorboard:
        around.board = TensorBoard(run, start, around.journal, around.pictures, around.validator)
    around.fit(model, training_data(batches, start, steps), callbacks)
    return model


def _check(config, time_budget, tensorboard):
    """Raise UserError, before anything is read or made, for what doesn't go together or is not installed."""
    if tensorboard:
        require_tensorboard()
    if time_budget is not None and not time_budget > 0:
        raise UserError(f"time budget: must be more than 0 hours, got {time_budget!r}.")
    if config.fit_schedule and time_budget is None:
        raise UserError("fit_schedule: fits the learning rates to a time budget, and there is none. Set both.")


def _restored(run, steps):
    """(model, Checkpoints, step) of a run: as it was saved last, else as its config has it begin."""
    model = build(run.config, steps)
    checkpoints = Checkpoints(run.folder / "checkpoints", model, run.config.keep)
    start = checkpoints.restore()
    if run.config.start_from and not start:
        load_networks(run.config.start_from, model)
    return model, checkpoints, start


def hold_out(pixels: np.ndarray, name: str, config: Config) -> Domain:
    """The Domain of uint8 (n, 256, 256, 3) images, without the config's holdout. Raises UserError if none is left."""
    count = getattr(config, f"holdout_{name}s")
    if count >= len(pixels):
        raise UserError(f"holdout_{name}s: {count} of {len(pixels)} leaves none to train on. Lower it.")
    inside, outside = split(len(pixels), count, config.seed)
    return Domain(pixels[inside] if count else pixels, pixels[outside])


class Surroundings:
    """What happens around the steps of one run: history, warnings, scores, a time limit, pictures, checkpoints."""

    def __init__(
        self, run: Run, checkpoints: Checkpoints, start: int, steps: int, steps_per_epoch: int, domains: Any
    ) -> None:
        photos, monets = domains
        shown = [np.asarray(to_float(domain.train[:4])) for domain in domains]
        self.run, self.start, self.steps, config = run, start, steps, run.config
        self.saver = Saver(run, checkpoints, start, config.checkpoint_every)
        self.journal = Journal(run, start, steps, config.log_every)
        self.guard = Guard(run, start, shown[0])
        self.pictures = Pictures(run, shown, start, steps_per_epoch)
        self.validator: Any = None
        self.budget: Any = None
        self.plan: Any = None
        self.board: Any = None
        self.estimate = Estimate(run, start, steps)
        if config.validate_every:
            self.validator = Validator(run, start, self.saver, photos.held, monets.held, monets.train)

    def limit_time(self, photos: ImageSet, deadline: float) -> None:
        """Stop in time to paint `photos` before `deadline`, as `time.monotonic` counts."""
        self.budget = TimeBudget(self.run, self.start, self.saver, photos, deadline)
        if self.run.config.fit_schedule:
            self.plan = SessionPlan(self.run, self.start, self.steps, self.budget, self.journal)

    def _score(self, model):
        self.saver.set_model(model)
        self.validator.set_model(model)
        self.validator.validate()

    def fit(self, model: CycleGAN, data: tf.data.Dataset, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Take the steps of `data`. Ctrl-C saves and returns. The board comes last: it shows what the others made."""
        if self.start >= self.steps:  # stopped between its last step and that step's score
            return self._score(model)
        run_few_eagerly(model, self.steps)
        compile_if_quicker(model, data, self.steps - self.start)
        parts = (self.journal, self.guard, *callbacks, self.validator, self.budget, self.plan, self.estimate,
                 self.pictures, self.saver, self.board)  # fmt: skip
        used = [part for part in parts if part is not None]
        try:
            model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=used)
        except KeyboardInterrupt:
            self.journal.close()
            self.saver.save()
            self.pictures.draw()
            print(f"\nstopped at step {self.saver.step} of {self.steps} and saved; the same command resumes it")
        finally:
            self.journal.close()
