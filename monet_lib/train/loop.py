"""Train a CycleGAN in a run's folder. Read it from `train` down: images, model, and the callbacks around the steps."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from monet_lib.config import Config
from monet_lib.data.batches import UnpairedBatches, hold_out, load_pair, training_data
from monet_lib.data.reading import find_images, to_float
from monet_lib.figures import encode, image_grid, plot_history
from monet_lib.files import UserError, locked, made_folder, say, unwritable
from monet_lib.model.cyclegan import CycleGAN, losses_of
from monet_lib.model.layers import pick_precision
from monet_lib.train.run import LOCK, Run, StepCallback, os_error, restored
from monet_lib.train.watch import Guard, SessionPlan, TimeBudget, Validator, score_is_missing

FEW = 6  # steps of a run up to which tracing the steps takes longer than taking them


def train(
    config: Config,
    data: str | Path,
    out: str | Path,
    *,
    skip_bad: bool = False,
    format: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    devices: str = "auto",
    time_budget: float | None = None,
    tensorboard: bool = False,
) -> CycleGAN:
    """Train in the folder `out`, from its last checkpoint if it has one. Returns the CycleGAN.

    data: the images' folder (see `find_data`). Writes what `Run` lists. Ctrl-C saves and returns. callbacks: more Keras
    callbacks. devices: see `strategy`. time_budget: hours from now for training and for painting the photos afterwards
    (see `TimeBudget`, and with the config's fit_schedule `SessionPlan`); None: no limit. tensorboard: write the losses
    for TensorBoard, too. Raises UserError for bad images, where `out` holds another run, where it can't write, and
    where memory is too small.
    """
    began = time.monotonic()
    if tensorboard and find_spec("tensorboard") is None:
        raise UserError("tensorboard: not installed. Install it: pip install tensorboard, or train without it.")
    if time_budget is not None and not 0 < time_budget < math.inf:
        raise UserError(f"time budget: must be a number of hours above 0, got {time_budget!r}.")
    if config.fit_schedule and time_budget is None:
        raise UserError("fit_schedule: fits the learning rates to a time budget, and there is none. Set both.")
    scope = strategy(devices, config.batch_size)
    pair = load_pair(data, skip_bad, format)
    photos, held_photos = hold_out(pair["photo"][1], "photo", config)
    monets, held_monets = hold_out(pair["monet"][1], "monet", config)
    batches = UnpairedBatches(monets, photos, config)
    steps = config.steps or config.epochs * batches.steps_per_epoch
    config = config.with_(steps=steps)
    busy = f"{out}: another process is training this run. Wait for it, or choose another --out."
    with locked(made_folder(out) / LOCK, busy):
        run = Run.open(out, config, data, pair, format)
        with scope.scope():
            model, saver = restored(run)
        start = saver.start
        if start == steps and not score_is_missing(run, start):
            run.save_generator(model)  # its file may be gone
            say(f"{out}: trained to its last step, {steps}, already")
            return model
        say(f"{out}: {f'resuming at step {start}' if start else 'a new run'}, to step {steps}; "
              f"{batches.steps_per_epoch} steps an epoch; {pick_precision(config.precision)}")  # fmt: skip

        shown = [np.asarray(to_float(images[:4])) for images in (photos, monets)]
        journal = Journal(run, start)
        around: list[Any] = [journal, Guard(run, start, shown[0]), *callbacks]
        if tensorboard:
            # Its steps count from the session's first one, so each session has a folder, named after the step before.
            folder = run.folder / "tensorboard" / f"from-step-{start:08d}"
            board = keras.callbacks.TensorBoard(str(folder), write_graph=False, update_freq=config.log_every)
            around.insert(0, board)
        if config.validate_every:
            validator = Validator(run, saver, photos=held_photos, monets=held_monets, train_monets=monets)
            if start == steps:  # stopped between its last step and that step's score
                validator.set_model(model)
                validator.validate()
                return model
            around.append(validator)
        if time_budget is not None:
            budget = TimeBudget(run, saver, find_images(data, "photo", format), began + 3600 * time_budget)
            around += [budget, SessionPlan(run, start, budget, journal)] if config.fit_schedule else [budget]
        around += [saver, Pictures(run, start, shown, batches.steps_per_epoch)]

        # By the length of the whole run and not of this session, so that a resumed run computes as it began.
        model.run_eagerly = steps <= FEW and scope.num_replicas_in_sync == 1
        try:
            with graph_as_written():
                model.fit(training_data(batches, start, steps), epochs=1, shuffle=False, verbose=0, callbacks=around)
        except KeyboardInterrupt:
            if journal.bar is None:  # nothing has begun
                raise
            for callback in around:
                callback.on_train_end()
            print(f"\nstopped at step {saver.step} of {steps} and saved; the same command resumes it")
        except tf.errors.ResourceExhaustedError as error:
            if os_error(error).errno:  # TensorBoard's file met a full disk
                raise unwritable(out, os_error(error)) from None
            raise UserError(
                f"{out}: not enough memory for a step. Lower batch_size ({config.batch_size}), image_size "
                f"({config.image_size}) or generator_filters ({config.generator_filters}), or close other programs."
            ) from None
        finally:
            journal.on_train_end()
        return model


@contextmanager
def graph_as_written() -> Iterator[None]:
    """Around a training on a CPU: TensorFlow computes each step's graph without rewriting it first.

    Its rewriter, Grappler, orders sums by hashes that differ from process to process, so that two equal runs with more
    than one image in a batch parted in the last digits. On a CPU a step takes as long without it, and the first one
    begins sooner. On a GPU, where it chooses the layout of images in memory, it stays.
    """
    options, name = tf.config.optimizer, "disable_meta_optimizer"
    before = options.get_experimental_options().get(name, False)
    options.set_experimental_options({name: before or not tf.config.list_physical_devices("GPU")})
    try:
        yield
    finally:
        options.set_experimental_options({name: before})


def strategy(name: str = "auto", batch_size: int = 1) -> tf.distribute.Strategy:
    """The tf.distribute.Strategy to build and train a model under.

    name: "one" device; "mirrored", every GPU of this machine, or its logical CPUs where it has no GPU; "auto", as many
    of those as the batch divides among, so that a batch of 1 trains on one of two GPUs. batch_size: the global one.
    Raises UserError for another name, and for "mirrored" where the batch is no multiple of the number of devices.
    """
    if name not in ("auto", "one", "mirrored"):
        raise UserError(f"devices {name!r} is unknown. Choose one of auto, one, mirrored.")
    found = [d.name for d in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]
    if name == "mirrored" and batch_size % len(found):
        raise UserError(f"batch_size: {batch_size} is no multiple of the {len(found)} devices. Change it.")
    most = {"one": 1, "mirrored": len(found), "auto": min(batch_size, len(found))}[name]
    count = max(n for n in range(1, most + 1) if batch_size % n == 0)
    return tf.distribute.get_strategy() if count == 1 else mirrored(tuple(found[:count]))


# The strategy of all trainings in a process: with a second one, the devices would mix up the exchanges of both.
mirrored = cache(tf.distribute.MirroredStrategy)


LONG = 12.0  # hours on a CPU from which on a warning is due


class Journal(StepCallback):
    """Appends to history.csv and shows progress: losses, seconds a step, time left.

    A loss that is not finite stops training before anything is saved: UserError with the step and the loss's name.
    After the second step it warns where a CPU would take more than LONG hours for the others.
    """

    bar: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.names = losses_of(self.run.config)
        self.sums = np.zeros(len(self.names))
        self.count = 0  # of the steps in the sums
        self.began = time.perf_counter() - self.run.begin_history(self.start)
        steps = self.run.config.steps
        self.bar = tqdm(total=steps, initial=self.start, unit="step", mininterval=1.0, dynamic_ncols=True)

    def on_step(self, losses: Mapping[str, Any]) -> None:
        values = [float(losses[name]) for name in self.names]
        for name, value in zip(self.names, values, strict=True):
            if not math.isfinite(value):
                self.write(
                    {name: x if math.isfinite(x) else math.nan for name, x in zip(self.names, values, strict=True)}
                )
                raise UserError(
                    f"{self.run.folder}: step {self.step}, loss {name} is {value}. Training stopped; the last "
                    "checkpoint is from before. Lower the learning rate or check the data: monet data."
                )
        self.sums += values
        self.count += 1
        self.bar.update()
        if self.step % self.run.config.log_every == 0 or self.step == self.run.config.steps:
            self.write(dict(zip(self.names, self.sums / self.count, strict=True)))
            self.sums, self.count = 0 * self.sums, 0
        self.warn()

    def write(self, means: Mapping[str, float]) -> None:
        seconds = time.perf_counter() - self.began
        self.run.append_history([str(self.step), f"{seconds:.2f}", *(f"{mean:.5f}" for mean in means.values())])
        generator, discriminator = (means[f"monet_{k}"] + means[f"photo_{k}"] for k in ("generator", "discriminator"))
        self.bar.set_postfix_str(
            f"generator {generator:.2f} cycle {means['cycle']:.2f} "
            f"identity {means['identity']:.2f} discriminator {discriminator:.2f}"
        )

    def warn(self) -> None:
        """After the second step, say if a CPU would take too long. The first step builds TensorFlow's graph."""
        if self.step == self.start + 1:
            self.first = time.monotonic()
        elif self.step == self.start + 2 and not tf.config.list_physical_devices("GPU"):
            config, seconds = self.run.config, time.monotonic() - self.first
            hours = (config.steps - self.step) * seconds / 3600
            if hours > LONG and not config.fit_schedule:
                tqdm.write(
                    f"warning: {seconds:.1f} s a step, so about {hours:,.0f} hours to step {config.steps} on this CPU. "
                    "Ctrl-C saves; the profile laptop is for CPUs, --time-budget stops in time."
                )

    def on_train_end(self, logs: Any = None) -> None:
        if self.bar is not None:
            self.bar.close()


class Pictures(StepCallback):
    """After every epoch and at the end: a grid of what the generators make of a few images, and the loss curves.

    shown: photos and monets, (n, 256, 256, 3) each in [-1, 1].
    """

    def __init__(self, run: Run, start: int, shown: Sequence[np.ndarray], steps_per_epoch: int) -> None:
        super().__init__(run, start)
        self.shown, self.steps_per_epoch = shown, steps_per_epoch

    def on_step(self, losses: Mapping[str, Any]) -> None:
        if self.step % self.steps_per_epoch == 0:
            self.draw()

    def on_train_end(self, logs: Any = None) -> None:
        if self.step % self.steps_per_epoch:
            self.draw()

    def draw(self) -> None:
        paint, back = self.model, lambda images: self.model.photo_generator(images, training=False)
        photos, monets = self.shown
        painted, unpainted = np.asarray(paint(photos)), np.asarray(back(monets))
        columns = (photos, painted, back(painted), monets, unpainted, paint(unpainted))
        labels = ["photo", "painted", "back to photo", "Monet", "as a photo", "back to Monet"]
        grid = image_grid(list(zip(*map(np.asarray, columns), strict=False)), labels)  # of as many as both have
        self.run.write_picture(f"grids/step-{self.step:08d}.jpg", encode(grid)[0])
        if len(self.run.history) > 1:
            self.run.write_picture("losses.png", encode(plot_history(self.run.columns()))[0])
