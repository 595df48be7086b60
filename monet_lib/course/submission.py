"""Lesson 5: a painter with its stages, a before/after picture, mistakes in writing, figures.

Lesson 5's exercises: what is tested of an answer, and what each wrong one is told."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.course.checks import RAMP, Check, Wrong, answer_of, expect_close, ramp
from monet_lib.course.resnet import PAPER
from monet_lib.data.reading import to_uint8
from monet_lib.figures import figure_style
from monet_lib.paint.painting import JPEG, paint
from monet_lib.paint.submission import LEAST
from monet_lib.score.metrics import memorization_distance

# course.submission
# Changes to a profile's Config, and the steps of the training.
SCALES = {
    "tiny": ({"image_size": 32, "crop": 32, "generator_filters": 4, "residual_blocks": 1,
              "discriminator_filters": 4, **PAPER}, 6),
    "laptop": ({"image_size": 96, "crop": 96, "generator_filters": 24, "residual_blocks": 4,
                "discriminator_filters": 24, **PAPER}, 400),
    "full": (PAPER, 30000),
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


# course.submission_checks
def _test_levels(answer):
    x = np.float32([-1.2, -1.0, 0.0, 0.999, 1.3]).reshape(1, 5, 1) * np.ones((2, 1, 3), np.float32)
    found = np.asarray(answer_of(answer, x))
    if found.dtype != np.uint8:
        raise Wrong(f"the result is {found.dtype}; JPEG encoders take uint8.")
    if found.max() <= 2:
        raise Wrong("nearly black: the values are still in 0 to 1 or −1 to 1 when they are cast.")
    if found[0, 0, 0] > 10 or found[0, 4, 0] < 250:
        raise Wrong("values beyond −1 and 1 wrap around: clip before the cast.")
    expect_close(found[0, :, 0], [0, 0, 128, 255, 255], "levels {got} instead of {expected}: round to the nearest.")


def _test_missing(answer):
    expect_close(answer, LEAST - 2816, "Kaggle takes 7,000 at least; 2,816 are there. Not {got} are missing.")


def _test_memorization(answer):
    rng = np.random.default_rng(0)
    generated, real = rng.normal(size=(6, 5)) + 0.5, rng.normal(size=(3, 5)) + 0.5
    found, right = float(answer_of(answer, generated, real)), memorization_distance(generated, real)
    other = memorization_distance(real, generated)
    if np.isclose(found, other):
        raise Wrong("that is the nearest generated image of each real one; Kaggle takes it the other way round.")
    if np.isclose(1 - found, right):
        raise Wrong("that is the similarity; the distance is 1 minus it.")
    expect_close(found, right, "{got} instead of {expected}: for each GENERATED image the nearest real one, averaged.")


def _test_mifid(answer):
    for fid, distance, wanted in ((60.0, 0.4, 60.0), (60.0, 0.05, 1200.0), (60.0, 0.1, 60.0)):
        expect_close(
            answer_of(answer, fid, distance),
            wanted,
            f"FID {fid}, distance {distance}: {{got}}, not {{expected}}.",
        )


def _test_frechet(answer):
    expect_close(answer_of(answer, 0.0, 1.0, 3.0, 1.0), 9.0, "means 0 and 3, spreads 1: {got}, not {expected}.")
    expect_close(answer(0.0, 1.0, 0.0, 3.0), 4.0, "spreads 1 and 3, equal means: {got}, not {expected}.")


CURVE = np.array([[100, 0.09, 0.01], [200, 0.052, 0.01], [300, 0.047, 0.008], [400, 0.045, 0.009], [500, 0.07, 0.01]])


def _test_checkpoint(answer):
    found = answer_of(answer, CURVE.copy())
    if found == 400:
        raise Wrong("400 has the lowest KID, but 200 is no worse than its spread: take the earliest such step.")
    if found == 100:
        raise Wrong("step 100 lies far above the lowest KID plus its spread of 0.009.")
    if found not in CURVE[:, 0]:
        raise Wrong(f"{found!r} is no step of the curve: return a value of the first column.")
    if found == 500:
        raise Wrong("the last step is not the best here: the curve rises again.")
    expect_close(found, 200, "{got}: steps 200, 300 and 400 are within the spread of the best; take the earliest.")
    rising = np.array([[10, 0.1, 0.01], [20, 0.2, 0.01]])
    expect_close(answer(rising), 10, "on a curve that rises from the start the first step is right, not {got}.")


levels = Check(
    "Exercise 1, back to levels", _test_levels, lambda: to_uint8(ramp()), RAMP, lambda answer: answer(ramp())
)
missing = Check("Exercise 2, too few photos", _test_missing)
frechet = Check("Exercise 3, FID of one feature", _test_frechet)
memorization = Check("Exercise 4, memorization", _test_memorization)
mifid = Check("Exercise 5, MiFID", _test_mifid)
checkpoint = Check("Exercise 6, a checkpoint", _test_checkpoint)
