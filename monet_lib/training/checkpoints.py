"""Checkpoints that survive anything: written beside and renamed, several kept, damaged ones passed over."""

import json
import shutil
from pathlib import Path

import tensorflow as tf

from monet_lib.errors import UserError
from monet_lib.files import write_folder_beside


class Checkpoints:
    """The training state under a folder: `step-00000500/` and so on, and `best/`.

    The state is every variable of the model (both generators, their average, both discriminators, image pools,
    dropout's random state) and of both optimizers (moments, step count): all that a later step depends on, since data
    order and random draws are functions of the step.
    """

    def __init__(self, folder, model, keep=3):
        self.folder, self.model, self.keep = Path(folder), model, keep
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("writing-*"):
            shutil.rmtree(leftover)
        optimizers = (model.generator_optimizer, model.discriminator_optimizer)
        variables = [v.value for part in (model, *optimizers) for v in part.variables]
        self._checkpoint = tf.train.Checkpoint(variables=list({id(v): v for v in variables}.values()))

    def save(self, step):
        """Write the state of `step` and drop the oldest beyond `keep`. Raises UserError where it can't be written."""
        target = self.folder / f"step-{step:08d}"

        def write(folder):
            try:
                self._checkpoint.write(str(folder / "state"))
            except tf.errors.OpError as error:
                raise OSError(str(error)) from None

        write_folder_beside(target, write)
        for old in self.saved()[: -self.keep]:
            shutil.rmtree(old)
        return target

    def save_best(self, step, score):
        """Keep the state of `step`, saved before, as `best/` with its score."""

        def copy(folder):
            shutil.copytree(self.folder / f"step-{step:08d}", folder, dirs_exist_ok=True)
            (folder / "score.json").write_text(json.dumps({"step": step, "score": score}))

        write_folder_beside(self.folder / "best", copy)

    def saved(self):
        """The complete checkpoints, oldest first."""
        return sorted(self.folder.glob("step-*"))

    def restore(self):
        """Load the newest whole checkpoint and return its step, 0 if there is none. Prints what it passed over."""
        for folder in reversed(self.saved()):
            step = int(folder.name.removeprefix("step-"))
            try:
                self._load(folder)
                return step
            except (tf.errors.OpError, AssertionError, ValueError) as error:
                reason = str(error).splitlines()[0][:120]
                print(f"{folder}: damaged ({reason}); using the one before it. You may delete this folder.")
                damaged = folder.with_name(f"damaged-{folder.name}")
                shutil.rmtree(damaged, ignore_errors=True)
                folder.rename(damaged)
        if any(self.folder.glob("damaged-*")):
            raise UserError(f"{self.folder}: no whole checkpoint is left. Start again with another --out.")
        return 0

    def read(self, folder):
        """Load one checkpoint, such as another process's. Raises UserError if it isn't there or not whole."""
        try:
            self._load(folder)
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            reason = str(error).splitlines()[0][:120]
            raise UserError(
                f"{folder}: can't be read here ({reason}). Put --out on a disk that all machines see."
            ) from None

    def _load(self, folder):
        self._checkpoint.read(str(folder / "state")).assert_consumed()
