"""The run's curves and pictures for TensorBoard, in RUN/tensorboard: `tensorboard --logdir RUN`."""

from importlib.util import find_spec
from typing import Any

import tensorflow as tf

from monet_lib.errors import UserError
from monet_lib.training.callbacks import StepCallback
from monet_lib.training.runs import Run


def require_tensorboard() -> None:
    """Raise UserError where the tensorboard package is not installed: TensorFlow writes no summaries without it."""
    if find_spec("tensorboard") is None:
        raise UserError("tensorboard: not installed. Install it: pip install tensorboard, or train without it.")


class TensorBoard(StepCallback):
    """Writes each line of history.csv, the learning rates, each line of validation.csv and each grid as it appears.

    journal, pictures, validator: the callbacks that make them, called before this one; validator may be None. A
    resumed run adds a file; steps that a killed run had reached already are there twice, with the same values.
    """

    def __init__(self, run: Run, start: int, journal: Any, pictures: Any, validator: Any = None) -> None:
        super().__init__(run, start)
        self.journal, self.pictures, self.validator = journal, pictures, validator
        self.written = {}
        self.writer: tf.summary.SummaryWriter | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.writer = tf.summary.create_file_writer(str(self.run.folder / "tensorboard"))

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self._new("losses", self.journal.row):
            step, _, *losses = self.journal.row
            self._scalars("losses", zip(self.journal.sums, losses, strict=True), step)
            optimizers = {
                "generators": self.model.generator_optimizer,
                "discriminators": self.model.discriminator_optimizer,
            }
            self._scalars("learning rate", ((name, o.learning_rate) for name, o in optimizers.items()), step)
        if self.validator and self._new("validation", self.validator.rows and self.validator.rows[-1]):
            step, *scores = self.validator.rows[-1]
            self._scalars("validation", zip(self.validator.FIELDS[1:], scores, strict=True), int(step))
        if self._new("grid", self.pictures.drawn):
            step = self.pictures.drawn
            grid = tf.io.decode_jpeg(tf.io.read_file(str(self.run.folder / f"grids/step-{step:08d}.jpg")))
            with self.writer.as_default(step):
                tf.summary.image("photo, painted, cycled", grid[None])

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.on_step(self.step, logs)
        self.writer.close()

    def _new(self, kind, value):
        # Whether this is something, and something else than what was last written of its kind.
        changed = bool(value) and self.written.get(kind) != value
        self.written[kind] = value
        return changed

    def _scalars(self, kind, values, step):
        with self.writer.as_default(step):
            for name, value in values:
                tf.summary.scalar(f"{kind}/{name}", float(value))
