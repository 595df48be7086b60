"""Lesson 5: a painter with its stages, a before/after picture, mistakes in writing, figures."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.figures import figure_style
from monet_lib.painting.translation import JPEG, paint

# Changes to a profile's Config, and the steps of the training.
SCALES = {
    "tiny": ({"image_size": 32, "crop": 32, "generator_filters": 4, "residual_blocks": 1,
              "discriminator_filters": 4}, 6),
    "laptop": ({"image_size": 96, "crop": 96, "generator_filters": 24, "residual_blocks": 4,
                "discriminator_filters": 24, "norm": "instance", "identity_weight": 5.0}, 400),
    "full": ({}, 30000),
}  # fmt: skip


class Stages(keras.callbacks.Callback):
    """Paints some photos, uint8 (n, h, w, 3), before training and after every `every` steps of it.

    `pictures`: {step: uint8 (n, h, w, 3)}.
    """

    def __init__(self, photos: np.ndarray, every: int) -> None:
        super().__init__()
        self.photos, self.every, self.pictures = photos, every, {}

    def _paint(self):
        return paint(self.model.averaged_generator or self.model.monet_generator, self.photos)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.pictures[0] = self._paint()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (batch + 1) % self.every == 0:
            self.pictures[batch + 1] = self._paint()


def split_view(photo: np.ndarray, painted: np.ndarray, position: float) -> np.ndarray:
    """One picture, uint8 (h, w, 3): the photo left of `position` (0 to 1), the painting right of it, a white line."""
    edge = round(position * photo.shape[1])
    view = np.concatenate([photo[:, :edge], painted[:, edge:]], axis=1)
    view[:, max(0, edge - 1) : edge + 1] = 255
    return view


def encoded(image: np.ndarray, **options: Any) -> tuple[bytes, np.ndarray]:
    """(bytes, uint8 (h, w, 3)) of an image saved as JPEG with Pillow's options, and as a reader decodes it again."""
    Image.fromarray(image).save(buffer := io.BytesIO(), "JPEG", **options)
    return buffer.getvalue(), np.asarray(Image.open(buffer))


def written_wrong(x: np.ndarray) -> dict[str, np.ndarray]:
    """What x, float (n, h, w, 3) in [-1, 1], becomes under usual mistakes of writing: {name: uint8 array}."""
    return {
        "right": np.rint(np.clip((x + 1) * 127.5, 0, 255)).astype(np.uint8),
        "cast from [0, 1]": ((x + 1) / 2).astype(np.uint8),
        "blue and red swapped": np.rint(np.clip((x[..., ::-1] + 1) * 127.5, 0, 255)).astype(np.uint8),
        "255 instead of 127.5": ((x + 1) * 255).astype(np.int64).astype(np.uint8),
    }


def scores_figure(scores: Mapping[str, tuple[float, float]], title: str, xlabel: str) -> Figure:
    """Horizontal bars of {name: (value, spread)}, the lowest one darker."""
    names, values = list(scores), np.array(list(scores.values()), float)
    with figure_style():
        figure, axis = plt.subplots(figsize=(9, 1.1 + 0.42 * len(names)), layout="constrained")
        colors = ["0.35" if value == values[:, 0].min() else "0.7" for value in values[:, 0]]
        axis.barh(names, values[:, 0], xerr=values[:, 1], color=colors, capsize=3)
        axis.set(title=title, xlabel=xlabel)
        axis.invert_yaxis()
        axis.grid(False, axis="y")
    return figure


def numbers_figure(counts: Sequence[int], fid: Sequence[float], kid: Sequence[float]) -> Figure:
    """FID and KID of samples of one and the same distribution over the number of images."""
    with figure_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
        left.plot(counts, fid, "o-")
        left.set(title="FID of equals", xlabel="images", ylabel="FID (features of noise)", ylim=(0, None))
        right.errorbar(counts, *np.array(kid).T, fmt="o-", capsize=3)
        right.axhline(0, color="0.5", lw=1)
        right.set(title="KID of equals", xlabel="images", ylabel="KID")
    return figure


def zip_of(images: Iterable[np.ndarray], names: Sequence[str] | None = None) -> bytes:
    """The bytes of a zip of uint8 images as JPEGs; names default to 0000.jpg, 0001.jpg, ..."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for k, image in enumerate(images):
            Image.fromarray(image).save(file := io.BytesIO(), **JPEG)
            archive.writestr(names[k] if names else f"{k:04d}.jpg", file.getvalue())
    return buffer.getvalue()
