"""The run's curves and pictures for TensorBoard, in RUN/tensorboard: `tensorboard --logdir RUN`.

Within `board(run)` the callbacks' own `write_scalars` and `write_image` reach the file; elsewhere they do nothing. A
resumed run adds a file; steps that a killed run had reached already are there twice, with the same values.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from monet_lib.errors import UserError


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
