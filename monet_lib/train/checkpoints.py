"""Checkpoints that survive a kill: written beside and renamed, several kept, damaged ones passed over."""

import contextlib
import errno
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from monet_lib.files import UserError, reading, recover_folders, say, sha256_of, write_folder_beside
from monet_lib.train.run import STEP, Run, StepCallback

SUMS = "sha256.json"  # beside the state: the hash that each of its files must have
RESTORE = "Restore it from a copy, or remove this folder to resume from the one before."


class Saver(StepCallback):
    """Saves a checkpoint and the generator every `checkpoint_every` steps and at the end."""

    def __init__(self, run: Run, checkpoints: "Checkpoints", start: int) -> None:
        super().__init__(run, start)
        self.checkpoints, self.saved = checkpoints, start

    def on_step(self, losses: Mapping[str, Any]) -> None:
        if self.step % self.run.config.checkpoint_every == 0:
            self.save()

    def on_train_end(self, logs: Any = None) -> None:
        self.save()

    def save(self) -> None:
        """Save the model. The step is the model's own: Ctrl-C may have come between a step and its callbacks."""
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


class Checkpoints:
    """The training state under a folder: `step-00000500/` and so on, and `best/`.

    The state is every variable of the model (both generators, their average, both discriminators, image pools,
    dropout's random state) and of both optimizers (moments, step count): all that a later step depends on, since data
    order and random draws are functions of the step.
    """

    def __init__(self, folder: str | Path, model: keras.Model, keep: int = 3) -> None:
        self.folder, self.model, self.keep = Path(folder), model, keep
        self.folder.mkdir(parents=True, exist_ok=True)
        recover_folders(self.folder)
        best, old = self.folder / "best", self.folder / "best.old"
        if old.is_dir() and not best.exists():  # left by a killed run of version 0.2.0 or before
            old.rename(best)
        optimizers = (model.generator_optimizer, model.discriminator_optimizer)
        variables = {id(v.value): v.value for part in (model, *optimizers) for v in part.variables}
        self.state = tf.train.Checkpoint(variables=list(variables.values()))

    def saved(self) -> list[Path]:
        """The complete checkpoints, oldest first."""
        return sorted(f for f in self.folder.iterdir() if STEP.match(f.name) and f.is_dir())

    def save(self, step: int) -> Path:
        """Write the state of `step` and drop the oldest beyond `keep`. Raises UserError where it can't be written."""
        target = self.folder / f"step-{step:08d}"

        def write(folder):
            try:
                with plainly_named(folder) if os.name == "posix" else contextlib.nullcontext(folder) as plain:
                    self.state.write(str(plain / "state"))
            except tf.errors.OpError as error:
                raise os_error(error) from None
            sums = {file.name: sha256_of(file) for file in sorted(folder.iterdir())}
            (folder / SUMS).write_text(json.dumps(sums, indent=1))

        write_folder_beside(target, write)
        for old in self.saved()[: -self.keep]:
            shutil.rmtree(old)
        return target

    def save_best(self, step: int, score: float) -> None:
        """Keep the state of `step`, saved before, as `best/` with its score and, in a run, its generator.npz."""
        generator = self.folder.parent / "generator.npz"

        def copy(folder):
            shutil.copytree(self.folder / f"step-{step:08d}", folder, dirs_exist_ok=True)
            if generator.exists():
                shutil.copyfile(generator, folder / generator.name)
            (folder / "score.json").write_text(json.dumps({"step": step, "score": score}))

        write_folder_beside(self.folder / "best", copy)

    def restore(self) -> int:
        """Load the newest whole checkpoint and return its step, 0 if there is none. Says which it passed over.

        Only a checkpoint that its checksums prove damaged is passed over, and set aside once a whole one has been
        loaded. Raises UserError where none is whole, and where TensorFlow can't read one that is.
        """
        damaged = {}
        for folder in reversed(self.saved()):
            if found := damage(folder):
                damaged[folder] = found
                continue
            self.load(folder)
            for each, found in damaged.items():
                say(f"{each}: damaged ({found}); using the one before it. You may delete this folder.")
                aside = each.with_name(f"damaged-{each.name}")
                shutil.rmtree(aside, ignore_errors=True)
                each.rename(aside)
            return int(folder.name.removeprefix("step-"))
        if damaged or any(self.folder.glob("damaged-*")):
            found = "; ".join(f"{folder.name}: {found}" for folder, found in damaged.items())
            raise UserError(
                f"{self.folder}: no whole checkpoint is left ({found}). Restore one from a copy, or start again with "
                "another --out."
            )
        return 0

    def restore_best(self) -> int:
        """Load `best/` and return its step, 0 if there is none. Raises UserError where it can't be read."""
        folder = self.folder / "best"
        if not folder.is_dir():
            return 0
        self.load(folder)
        return int(self.model.step)

    def load(self, folder: Path) -> None:
        """Load one checkpoint. Raises UserError where TensorFlow can't."""
        with reading(folder, "checkpoint of this run", RESTORE), plainly_named(folder) as plain:
            self.state.read(str(plain / "state")).assert_consumed()


def damage(folder: Path) -> str | None:
    """What proves a checkpoint damaged, or None: a file that is missing or has another hash than its own."""
    if not any(folder.iterdir()):
        return "no files in it"
    if not (folder / SUMS).exists():
        return None  # of version 0.1.0, without hashes
    try:
        sums = json.loads((folder / SUMS).read_bytes())
    except ValueError:
        sums = None
    if not isinstance(sums, dict) or "state.index" not in sums:
        return f"{SUMS} is damaged"
    for name in (name for name in sums if Path(name).name == name):
        if not (folder / name).is_file():
            return f"{name} is missing"
        if sha256_of(folder / name) != sums[name]:
            return f"the checksum of {name} is wrong"
    return None


def os_error(error: tf.errors.OpError) -> OSError:
    """TensorFlow's error of a file as an OSError: with its number where the message ends in the system's words."""
    known = [number for number in errno.errorcode if os.strerror(number) in error.message]
    number = max(known, key=lambda number: len(os.strerror(number)), default=None)
    return OSError(error.message) if number is None else OSError(number, os.strerror(number))


@contextlib.contextmanager
def plainly_named(folder: Path) -> Iterator[Path]:
    """`folder`, or a link to it under a plain name, or where there are no links a copy.

    TensorFlow takes * ? [ ] in a path for a pattern, and knows only UTF-8.
    """
    if glob.escape(str(folder)) == str(folder) and str(folder).isprintable():
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        plain = Path(place) / "checkpoint"
        try:
            plain.symlink_to(folder.resolve(), target_is_directory=True)
        except OSError:
            shutil.copytree(folder, plain)
        yield plain
