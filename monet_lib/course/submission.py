"""Lesson 5: a painter with its stages, a before/after picture, mistakes in writing, figures; then its checks."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.course.checks import RAMP, answer_of, exercise, expect_close, ramp, refuse_if
from monet_lib.course.resnet import SCALES as RESNET_SCALES
from monet_lib.data.reading import to_uint8
from monet_lib.figures import figure_style
from monet_lib.paint.painting import jpeg_of, paint
from monet_lib.score.metrics import memorization_distance

# Changes to a recipe's Config, those of lesson 4, and the steps of the training.
SCALES = {name: (RESNET_SCALES[name][0], steps) for name, steps in {"tiny": 6, "laptop": 400, "full": 30000}.items()}


class Stages(keras.callbacks.Callback):
    """Paints some photos, uint8 (n, h, w, 3), before training and after every `every` steps of it.

    `pictures`: {step: uint8 (n, h, w, 3)}.
    """

    def __init__(self, photos: np.ndarray, every: int) -> None:
        super().__init__()
        self.photos, self.every, self.pictures = photos, every, {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.pictures[0] = paint(self.model.painter, self.photos)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (batch + 1) % self.every == 0:
            self.pictures[batch + 1] = paint(self.model.painter, self.photos)


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


def zip_of(images: Iterable[np.ndarray], names: Sequence[str]) -> bytes:
    """The bytes of a zip of uint8 images as JPEGs with these names."""
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        for name, image in zip(names, images, strict=True):
            archive.writestr(name, jpeg_of(image))
    return buffer.getvalue()


@figure_style()
def scores_figure(scores: Mapping[str, tuple[float, float]], title: str, xlabel: str) -> Figure:
    """Horizontal bars of {name: (value, spread)}, the bar of the lowest value darker."""
    values, spreads = np.array(list(scores.values()), float).T
    figure, axis = plt.subplots(figsize=(9, 1.1 + 0.42 * len(scores)), layout="constrained")
    colors = ["0.35" if value == values.min() else "0.7" for value in values]
    axis.barh(list(scores), values, xerr=spreads, color=colors, capsize=3)
    axis.set(title=title, xlabel=xlabel)
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    return figure


@figure_style()
def numbers_figure(counts: Sequence[int], fid: Sequence[float], kid: Sequence[tuple[float, float]]) -> Figure:
    """FID and KID, (value, spread), of samples of one and the same distribution over the number of images."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    left.plot(counts, fid, "o-")
    left.set(title="FID of equals", xlabel="images", ylabel="FID (features of noise)", ylim=(0, None))
    right.errorbar(counts, *np.array(kid).T, fmt="o-", capsize=3)
    right.axhline(0, color="0.5", lw=1)
    right.set(title="KID of equals", xlabel="images", ylabel="KID")
    return figure


@exercise(
    "Exercise 1, back to levels", expected=lambda: to_uint8(ramp()), drawn=lambda answer: answer(ramp()), alt=RAMP
)
def check_levels(answer):
    x = np.array([-1.2, -1.0, 0.0, 0.999, 1.3], np.float32).reshape(1, 5, 1) * np.ones((2, 1, 3), np.float32)
    found = np.asarray(answer_of(answer, x))
    refuse_if(found.dtype != np.uint8, f"the result is {found.dtype}; JPEG encoders take uint8.")
    refuse_if(found.max() <= 2, "nearly black: the values are still in 0 to 1 or −1 to 1 when they are cast.")
    wrapped = found[0, 0, 0] > 10 or found[0, 4, 0] < 250
    refuse_if(wrapped, "values beyond −1 and 1 wrap around: clip before the cast.")
    expect_close(found[0, :, 0], [0, 0, 128, 255, 255], "levels {got} instead of {expected}: round to the nearest.")


@exercise("Exercise 2, too few photos")
def check_missing(answer):
    expect_close(answer, 7000 - 2816, "Kaggle takes 7,000 at least; 2,816 are there. Not {got} are missing.")


@exercise("Exercise 3, FID of one feature")
def check_frechet(answer):
    expect_close(answer_of(answer, 0.0, 1.0, 3.0, 1.0), 9.0, "means 0 and 3, spreads 1: {got}, not {expected}.")
    expect_close(answer(0.0, 1.0, 0.0, 3.0), 4.0, "spreads 1 and 3, equal means: {got}, not {expected}.")


@exercise("Exercise 4, memorization")
def check_memorization(answer):
    rng = np.random.default_rng(0)
    generated, real = rng.normal(size=(6, 5)) + 0.5, rng.normal(size=(3, 5)) + 0.5
    found, right = float(answer_of(answer, generated, real)), memorization_distance(generated, real)
    swapped = np.isclose(found, memorization_distance(real, generated))
    refuse_if(swapped, "that is the nearest generated image of each real one; Kaggle takes it the other way round.")
    refuse_if(np.isclose(1 - found, right), "that is the similarity; the distance is 1 minus it.")
    expect_close(found, right, "{got} instead of {expected}: for each GENERATED image the nearest real one, averaged.")


@exercise("Exercise 5, MiFID")
def check_mifid(answer):
    for distance, wanted in ((0.4, 60.0), (0.05, 1200.0), (0.1, 60.0)):
        hint = f"FID 60.0, distance {distance}: {{got}}, not {{expected}}."
        expect_close(answer_of(answer, 60.0, distance), wanted, hint)


CURVE = np.array([[100, 0.09, 0.01], [200, 0.052, 0.01], [300, 0.047, 0.008], [400, 0.045, 0.009], [500, 0.07, 0.01]])


@exercise("Exercise 6, a checkpoint")
def check_checkpoint(answer):
    found = answer_of(answer, CURVE.copy())
    hints = {
        400: "400 has the lowest KID, but 200 is no worse than its spread: take the earliest such step.",
        100: "step 100 lies far above the lowest KID plus its spread of 0.009.",
        500: "the last step is not the best here: the curve rises again.",
    }
    refuse_if(found in hints, hints.get(found, ""))
    refuse_if(found not in CURVE[:, 0], f"{found!r} is no step of the curve: return a value of the first column.")
    expect_close(found, 200, "{got}: steps 200, 300 and 400 are within the spread of the best; take the earliest.")
    rising = np.array([[10, 0.1, 0.01], [20, 0.2, 0.01]])
    expect_close(answer(rising), 10, "on a curve that rises from the start the first step is right, not {got}.")
