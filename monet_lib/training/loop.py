"""Train a CycleGAN in a run's folder: data, model, checkpoint, and the callbacks around `keras.Model.fit`."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import keras
import numpy as np

from monet_lib.config import Config
from monet_lib.data.competition import find_images, to_float
from monet_lib.data.pipeline import UnpairedBatches, load_pair, split, training_data
from monet_lib.errors import UserError
from monet_lib.gan.builder import build
from monet_lib.gan.cyclegan import CycleGAN
from monet_lib.gan.precision import pick_precision
from monet_lib.networks.weights import load_networks
from monet_lib.training.callbacks import Journal, Pictures, Saver
from monet_lib.training.checkpoints import Checkpoints
from monet_lib.training.compiling import compile_if_quicker, run_few_eagerly
from monet_lib.training.devices import strategy
from monet_lib.training.guards import Guard
from monet_lib.training.runs import Run
from monet_lib.training.session_plan import Estimate, RecordedPlan, TimeBudget
from monet_lib.training.tensorboard import board, require_tensorboard
from monet_lib.training.validation import Validator, score_is_missing


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
    afterwards (see `TimeBudget`, and with the config's fit_schedule `SessionPlan`); None: no limit. tensorboard: write
    for TensorBoard, too. Raises UserError for bad images, where `out` holds another run, and where it can't write.
    """
    began = time.monotonic()
    _check(config, time_budget, tensorboard)
    scope = strategy(devices, config.batch_size)
    pair = load_pair(data, skip_bad, format)
    photos, monets = (hold_out(pair[name][1], name, config) for name in ("photo", "monet"))
    batches = UnpairedBatches(monets[0], photos[0], config)
    steps = config.steps or config.epochs * batches.steps_per_epoch
    run = Run.open(out, config.with_(steps=steps), data, pair, format)
    with scope.scope():
        model, saver = _restored(run)
    if saver.start >= steps and not score_is_missing(run, saver.start):
        print(f"{out}: trained to its last step, {steps}, already")
        return model
    print(f"{out}: {f'resuming at step {saver.start}' if saver.start else 'a new run'}, to step {steps}; "
          f"{batches.steps_per_epoch} steps an epoch; {pick_precision(config.precision)}")  # fmt: skip
    deadline = None if time_budget is None else began + 3600 * time_budget
    with board(run.folder) if tensorboard else nullcontext():
        _fit(model, saver, batches, (photos, monets), deadline, callbacks)
    return model


def _check(config, time_budget, tensorboard):
    """Raise UserError, before anything is read or made, for what doesn't go together or is not installed."""
    if tensorboard:
        require_tensorboard()
    if time_budget is not None and not time_budget > 0:
        raise UserError(f"time budget: must be more than 0 hours, got {time_budget!r}.")
    if config.fit_schedule and time_budget is None:
        raise UserError("fit_schedule: fits the learning rates to a time budget, and there is none. Set both.")


def hold_out(pixels: np.ndarray, name: str, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """(to train on, held out to score with) of uint8 (n, 256, 256, 3) images. Raises UserError if none is left."""
    count = getattr(config, f"holdout_{name}s")
    if count >= len(pixels):
        raise UserError(f"holdout_{name}s: {count} of {len(pixels)} leaves none to train on. Lower it.")
    inside, outside = split(len(pixels), count, config.seed)
    return pixels[inside] if count else pixels, pixels[outside]


def _restored(run):
    """(model, Saver) of a run: as it was saved last, else as its config has it begin."""
    model = build(run.config, run.config.steps)
    checkpoints = Checkpoints(run.folder / "checkpoints", model, run.config.keep)
    start = checkpoints.restore()
    if run.config.start_from and not start:
        load_networks(run.config.start_from, model)
    saver = Saver(run, checkpoints, start)
    saver.set_model(model)
    return model, saver


def _fit(model, saver, batches, domains, deadline, callbacks):
    """Take the steps that are left, with all that happens around them. Ctrl-C saves and returns."""
    run, start, steps = saver.run, saver.start, saver.run.config.steps
    (photos, held_photos), (monets, held_monets) = domains
    shown = [np.asarray(to_float(images[:4])) for images in (photos, monets)]
    journal, pictures = Journal(run, start, steps), Pictures(run, shown, start, batches.steps_per_epoch)
    around = [journal, Guard(run, start, shown[0]), *callbacks]
    if run.config.validate_every:
        validator = Validator(run, start, saver, held_photos, held_monets, monets)
        if start >= steps:  # stopped between its last step and that step's score
            validator.set_model(model)
            return validator.validate()
        around.append(validator)
    if deadline is not None:
        budget = TimeBudget(run, start, saver, find_images(run.data["folder"], "photo", run.data["format"]), deadline)
        around += [budget, RecordedPlan(run, start, steps, budget, journal)] if run.config.fit_schedule else [budget]
    around += [Estimate(run, start, steps), pictures, saver]
    data = training_data(batches, start, steps)
    run_few_eagerly(model, steps)
    compile_if_quicker(model, data, steps - start)
    try:
        model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=around)
    except KeyboardInterrupt:
        journal.close()
        saver.save()
        pictures.draw()
        print(f"\nstopped at step {saver.step} of {steps} and saved; the same command resumes it")
    finally:
        journal.close()
