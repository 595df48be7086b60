"""The run's curves and pictures for TensorBoard, in RUN/tensorboard: `tensorboard --logdir RUN`.

Within `board(run)` the callbacks' own `write_scalars` and `write_image` reach the file; elsewhere they do nothing. A
resumed run adds a file; steps that a killed run had reached already are there twice, with the same values.


What happens around the training steps: a journal with a progress bar, pictures, saving.

Warnings during training: the ways in which a CycleGAN goes wrong while its losses look calm.

Scores during training on images that were kept out of it, by which the best checkpoint is chosen."""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from monet_lib.data.reading import to_float, to_uint8
from monet_lib.figures import encode, plot_history, plot_validation, read_history, training_grid
from monet_lib.files import UserError
from monet_lib.model.cyclegan import losses_of
from monet_lib.model.generators import with_border
from monet_lib.score.metrics import Skies, scene_kept
from monet_lib.score.networks import feature_network
from monet_lib.score.score import compare, embed
from monet_lib.train.checkpoints import Checkpoints
from monet_lib.train.run import Run


# training.tensorboard
def require_tensorboard() -> None:
    """Raise UserError where the tensorboard package is not installed: TensorFlow writes no summaries without it."""
    if find_spec("tensorboard") is None:
        raise UserError("tensorboard: not installed. Install it: pip install tensorboard, or train without it.")


def board(folder: Path) -> AbstractContextManager:
    """The context in which what is written goes into `folder`/tensorboard."""
    return tf.summary.create_file_writer(str(folder / "tensorboard")).as_default()


def write_scalars(kind: str, values: Iterable[tuple[str, Any]], step: int) -> None:
    """Write (name, number) pairs as kind/name."""
    if tf.summary.should_record_summaries():
        for name, value in values:
            tf.summary.scalar(f"{kind}/{name}", float(value), step)


def write_image(name: str, image: np.ndarray, step: int) -> None:
    """Write one uint8 image (h, w, 3)."""
    if tf.summary.should_record_summaries():
        tf.summary.image(name, image[None], step)


# training.callbacks
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


# training.guards
CURES = {
    "one colour": "the paintings have hardly any contrast. Check the identity loss; lower the learning rates.",
    "negative": "the paintings are negatives of the photos. Raise identity_weight, or start again with another seed.",
    "copy": "the paintings are the photos. Lower identity_weight and cycle_weight, or give it time.",
    "overfitted discriminator":
                     "a discriminator's loss has been near zero for long, so it knows its images by heart. Set "
                     "diff_augment=color,translation,cutout or r1_weight, or lower discriminator_rate.",
}  # fmt: skip


def symptoms(photos: np.ndarray, painted: np.ndarray) -> set[str]:
    """The kinds of collapse that paintings show: a set of "one colour", "negative" and "copy".

    photos, painted: (n, h, w, 3) in [-1, 1]. One colour: a spread within images under a tenth of the photos'.
    Negative: luminance correlates below -0.3. Copy: mean absolute difference under 0.02, 2.5 of 255 levels.
    """
    spread, spread_painted = (float(x.std((1, 2)).mean()) for x in (photos, painted))
    if spread_painted < 0.1 * spread:
        return {"one colour"}
    signs = {"negative": scene_kept(photos, painted) < -0.3, "copy": np.abs(photos - painted).mean() < 0.02}
    return {kind for kind, seen in signs.items() if seen}


class Guard(StepCallback):
    """Looks at a few paintings every `every` steps and at the discriminators' losses, and says what looks wrong.

    One line for a kind of collapse, and none again until it has gone and come back. A copy is reported from `patience`
    steps on; a discriminator's loss counts as near zero when its mean over the last `patience` steps is below 0.02.
    photos: (n, h, w, 3) in [-1, 1].
    """

    def __init__(self, run: Run, start: int, photos: np.ndarray, every: int = 100, patience: int = 1000) -> None:
        super().__init__(run, start)
        self.photos, self.every, self.patience = photos, every, patience
        self.said, self.means = set(), {"monet_discriminator": 1.0, "photo_discriminator": 1.0}

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        for name, mean in self.means.items():
            self.means[name] = mean + (float(logs[name]) - mean) / min(self.patience, self.step)
        if self.passed(before, self.every):
            found = symptoms(self.photos, np.asarray(self.model.monet_generator(self.photos)))
            if self.step < self.patience:
                found.discard("copy")
            elif min(self.means.values()) < 0.02:
                found.add("overfitted discriminator")
            for kind in sorted(found - self.said):
                tqdm.write(f"warning: step {self.step}, {kind}: {CURES[kind]}")
            self.said = found


# training.validation
# Beyond these a checkpoint counts as faulty, and is never preferred to one that isn't.
MOST_PATTERN = 2.5  # times as patterned as paintings are
MOST_ORANGE = 0.05  # of the skies turned orange


class Validator(StepCallback):
    """Scores the painted photos against the paintings, both kept out of training, and keeps the best checkpoint by KID.

    photos, monets: uint8 (n, 256, 256, 3). Appends to validation.csv, draws validation.png; with `patience`, stops
    training after that many scores without a better one. FID depends on how many images there are, KID does not. A
    generator whose skies are patterned or turn orange is worse than any without, whatever its KID: see `skies`.
    """

    FIELDS = ("step", "kid", "kid_std", "fid", "memorization", "content", "pattern", "orange")

    def __init__(
        self, run: Run, start: int, saver: Saver, photos: np.ndarray, monets: np.ndarray, train_monets: np.ndarray
    ) -> None:
        super().__init__(run, start)
        self.every, self.patience = run.config.validate_every, run.config.patience
        self.saver, self.photos = saver, photos
        self.network, self.skies = feature_network(run.config.features), Skies(train_monets)
        self.real, self.seen = embed(monets, self.network), embed(train_monets, self.network)
        self.rows: list = run.table("validation.csv", self.FIELDS, start)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if score_is_missing(self.run, self.start):
            self.validate()

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self.passed(before, self.every):
            self.validate()

    def paint(self) -> np.ndarray:
        """The photos painted as the finished generator will paint them, with its border: uint8.

        The network is called directly: under a strategy, `predict_on_batch` hands the whole batch to every replica.
        """
        generator = self.model.averaged_generator or self.model.monet_generator
        painter = with_border(generator, self.run.config.border)
        parts = (self.photos[k : k + 8] for k in range(0, len(self.photos), 8))
        return np.concatenate([to_uint8(painter(to_float(part), training=False)) for part in parts])

    def validate(self) -> None:
        """Score the generator of now. What is best is kept first: a kill before the row leaves it to be scored anew."""
        painted = self.paint()
        score = compare(self.network, embed(painted, self.network), self.real, self.seen)
        skies = self.skies.pattern(self.photos, painted), self.skies.orange(self.photos, painted)
        best = min(self.rows, key=_rank, default=None)
        values = (score.kid, score.kid_std, score.fid, score.memorization, scene_kept(self.photos, painted))
        row = [self.step, *values, *skies]
        if best is None or _rank(row) < _rank(best):
            self.saver.save()
            self.saver.checkpoints.save_best(self.step, score.kid)
        self.rows.append(row)
        self.run.write_table("validation.csv", self.FIELDS, self.rows)
        write_scalars("validation", zip(self.FIELDS[1:], row[1:], strict=True), self.step)
        self.run.write_picture("validation.png", encode(plot_validation(self.rows, self.network.name))[0])
        tqdm.write(
            f"step {self.step}: {self.network.name} KID {score.kid:.5f}, best before "
            f"{float(best[1]) if best else math.inf:.5f}; skies: pattern {skies[0]:.1f} times a painting's, "
            f"{skies[1]:.0%} turned orange"
        )
        since = len(self.rows) - 1 - min(range(len(self.rows)), key=lambda k: _rank(self.rows[k]))
        if self.patience and since >= self.patience:
            tqdm.write(f"no better score in {since} validations: stopping early; the best is checkpoints/best")
            self.model.stop_training = True


def score_is_missing(run: Run, step: int) -> bool:
    """Whether a run that is resumed at `step` was stopped there before its score was written."""
    every = run.config.validate_every
    due = every and step and step % every == 0
    return bool(due) and all(int(float(row[0])) != step for row in run.table("validation.csv", Validator.FIELDS, step))


def _rank(row):
    """(faulty, KID) of a row of validation.csv: the smaller the better. What wasn't measured is no fault."""
    kid, pattern, orange = (float(row[Validator.FIELDS.index(name)]) for name in ("kid", "pattern", "orange"))
    return pattern > MOST_PATTERN or orange > MOST_ORANGE, kid
