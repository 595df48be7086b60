"""Checkpoints that survive anything: written beside and renamed, several kept, damaged ones passed over."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from monet_lib.files import UserError, reading, recover_folders, write_folder_beside
from monet_lib.train.run import STEP

SUMS = "sha256.json"  # beside the state: what the hash of each of its files must be
RESTORE = "Restore it from a copy, or remove this folder to resume from the one before."


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
        optimizers = (model.generator_optimizer, model.discriminator_optimizer)
        variables = [v.value for part in (model, *optimizers) for v in part.variables]
        self._checkpoint = tf.train.Checkpoint(variables=list({id(v): v for v in variables}.values()))

    def save(self, step: int) -> Path:
        """Write the state of `step` and drop the oldest beyond `keep`. Raises UserError where it can't be written."""
        target = self.folder / f"step-{step:08d}"

        def write(folder):
            try:
                self._checkpoint.write(str(folder / "state"))
            except tf.errors.OpError as error:
                number = errno.ENOSPC if "No space left" in str(error) else errno.EFBIG
                raise OSError(number, os.strerror(number)) from None
            sums = {file.name: _sum(file) for file in sorted(folder.iterdir())}
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

    def saved(self) -> list[Path]:
        """The complete checkpoints, oldest first."""
        return sorted(f for f in self.folder.iterdir() if STEP.fullmatch(f.name) and f.is_dir())

    def restore(self) -> int:
        """Load the newest whole checkpoint and return its step, 0 if there is none. Says what it passed over.

        Only what its checksums prove damaged is passed over, and set aside once a whole one has been loaded. Raises
        UserError where none is whole, and where TensorFlow can't read one that is.
        """
        damaged = {}
        for folder in reversed(self.saved()):
            if found := self._damage(folder):
                damaged[folder] = found
                continue
            self._load(folder)
            for each, found in damaged.items():
                print(f"{each}: damaged ({found}); using the one before it. You may delete this folder.")
                aside = each.with_name(f"damaged-{each.name}")
                shutil.rmtree(aside, ignore_errors=True)
                each.rename(aside)
            return int(STEP.fullmatch(folder.name)[1])
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
        self._load(folder)
        return int(json.loads((folder / "score.json").read_text())["step"])

    def _damage(self, folder):
        """What proves a checkpoint damaged, or None: a file that isn't there or whose hash is another."""
        if not any(folder.iterdir()):
            return "no files in it"
        if not (folder / SUMS).exists():
            return None  # of version 0.1.0: reading it shows
        try:
            sums = dict(json.loads((folder / SUMS).read_text()))
        except (ValueError, TypeError):
            return f"{SUMS} is damaged"
        for name in (name for name in sums if Path(name).name == name):
            if not (folder / name).is_file():
                return f"{name} is missing"
            if _sum(folder / name) != sums[name]:
                return f"the checksum of {name} is wrong"
        return None if "state.index" in sums else f"{SUMS} is damaged"

    def _load(self, folder):
        with reading(folder, "checkpoint of this run", RESTORE), _plain(folder) as plain:
            self._checkpoint.read(str(plain / "state")).assert_consumed()


@contextlib.contextmanager
def _plain(folder):
    """`folder`, or a copy of it under a plain name: TensorFlow takes * ? [ ] in a path for a pattern."""
    if glob.escape(str(folder)) == str(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        yield Path(shutil.copytree(folder, Path(place) / "checkpoint"))


def _sum(file):
    with open(file, "rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
