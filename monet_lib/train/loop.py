"""Where to train: on one CPU or GPU, or on several GPUs of this machine.

How the training step is run: eagerly in a run of few steps; else traced, and compiled by XLA where that is quicker.

The last is measured on the GPU at hand when a run begins, not taken from another one.


Train a CycleGAN in a run's folder: data, model, checkpoint, and the callbacks around `keras.Model.fit`."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from monet_lib.config import Config
from monet_lib.data.batches import UnpairedBatches, load_pair, split, training_data
from monet_lib.data.reading import find_images, to_float
from monet_lib.files import UserError
from monet_lib.model.cyclegan import CycleGAN, build
from monet_lib.model.optimizers import pick_precision
from monet_lib.model.weights import load_networks
from monet_lib.train.budget import Estimate, RecordedPlan, TimeBudget
from monet_lib.train.callbacks import (
    Guard,
    Journal,
    Pictures,
    Saver,
    Validator,
    board,
    require_tensorboard,
    score_is_missing,
)
from monet_lib.train.checkpoints import Checkpoints
from monet_lib.train.run import Run

# training.devices
STRATEGIES = ("auto", "one", "mirrored")


def strategy(name: str = "auto", batch_size: int = 1) -> tf.distribute.Strategy:
    """The tf.distribute.Strategy to build and train a model under.

    name: "one" device; "mirrored", every GPU of this machine, or its logical CPUs where it has no GPU; "auto", as many
    of those as the batch divides among, so that a batch of 1 trains on one of two GPUs. batch_size: the global one.
    Raises UserError for another name, and for "mirrored" where the batch is no multiple of the number of devices.
    """
    if name not in STRATEGIES:
        raise UserError(f"devices {name!r} is unknown. Choose one of {', '.join(STRATEGIES)}.")
    found = [d.name for d in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]
    if name == "mirrored" and batch_size % len(found):
        raise UserError(f"batch_size: {batch_size} is no multiple of the {len(found)} devices. Change it.")
    most = {"one": 1, "mirrored": len(found), "auto": min(batch_size, len(found))}[name]
    count = max(n for n in range(1, most + 1) if batch_size % n == 0)
    return tf.distribute.get_strategy() if count == 1 else _mirrored(tuple(found[:count]))


@cache
def _mirrored(devices):
    """One for all trainings of a process: a second one mixes up its exchanges with the first's."""
    return tf.distribute.MirroredStrategy(devices)


# training.compiling
STEPS = 5  # that are timed either way, after one that builds the graph
FEW = 6  # steps of a run up to which tracing them takes longer than they do
WORTH_IT = 2000  # steps from which on a run is long enough to measure first


def compile_if_quicker(model: Any, data: tf.data.Dataset, steps: int) -> bool:
    """Let XLA compile the CycleGAN's step if that is quicker on this GPU; returns whether, and says so.

    data: the batches of the run; steps: how many are to come. The model's state is as before. Nothing is measured and
    nothing changes on a CPU, where XLA is slower (benchmarks/README.md), for a short run, and on several GPUs, whose
    variables XLA can't compile together.
    """
    alone = model.distribute_strategy.num_replicas_in_sync == 1
    if steps < WORTH_IT or not alone or not tf.config.list_logical_devices("GPU"):
        return False
    plain = step_seconds(model, data, False)
    try:
        compiled = step_seconds(model, data, True)
    except tf.errors.OpError:  # an operation has no kernel there, or memory ran out
        compiled = float("inf")
    model.jit_compile = compiled < plain
    model.make_train_function(force=True)
    chosen = "on" if model.jit_compile else "off"
    print(f"XLA {chosen}: {compiled:.3g} s a step with it, {plain:.3g} s without")
    return model.jit_compile


def run_few_eagerly(model: Any, steps: int) -> None:
    """Let a run of few steps take them eagerly, on one device.

    steps: of the whole run and not of what is left, so that a resumed run computes as it began.
    """
    model.run_eagerly = steps <= FEW and model.distribute_strategy.num_replicas_in_sync == 1


def step_seconds(model: Any, data: tf.data.Dataset, compiled: bool) -> float:
    """Seconds of a training step, taken as `fit` takes it and undone: all variables get their values back.

    compiled: by XLA.
    """
    parts = (model, model.generator_optimizer, model.discriminator_optimizer)
    state = [(variable, variable.numpy()) for part in parts for variable in part.variables]
    model.jit_compile = compiled
    model.make_train_function(force=True)
    batches, times = iter(data), []
    try:
        for _ in range(1 + STEPS):
            float(model.train_function(batches)["cycle"])  # waits for the device
            times.append(time.monotonic())
    finally:
        for variable, value in state:
            variable.assign(value)
    return (times[-1] - times[0]) / STEPS


# training.loop
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
