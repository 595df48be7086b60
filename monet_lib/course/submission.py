"""Lesson 5: the learner's generator, features of real Monets, mistakes of writing, figures; then the checks."""

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.config import Config
from monet_lib.course.checks import answer_of, close, exercise, expect_shape, refuse_if
from monet_lib.data import split, to_uint8
from monet_lib.figures import COLORS, figure_style
from monet_lib.files import COURSE, reading
from monet_lib.paint import shipped_generator
from monet_lib.score import Score, feature_network, memorization_distance, scene_kept
from monet_lib.score.scoring import FeatureNetwork
from monet_lib.train.run import Run

RUNS = (Path("runs/lesson4"), Path("../runs/lesson4"), COURSE / "runs" / "lesson4")  # where lesson 4 may have trained
A_PHOTO = COURSE / "data" / "photos" / "brook.jpg"
FEATURES = Path(__file__).with_name("real_features.npz")  # tools/keep_features.py wrote it
# Of the 1,280 features of EfficientNet-Lite0 96 random mixtures are kept: a random projection nearly keeps distances
# (Johnson & Lindenstrauss 1984). With this seed the KIDs to Monets of photos, paintings, JPEGs and black pictures are
# within 10 % of those by all features; the median of 60 seeds is 24 % off.
MIXTURES, SEED = 96, 28


def own_generator(config: Config, folder: str | Path | None = None) -> tuple[str, Callable, Run | None]:
    """(whose, generator, run): what lesson 4 trained, or the course's generator with None, which it prints.

    folder: another run's folder; UserError where it is none. A run of profile `tiny` is never taken: it paints nothing.
    """
    places = [Path(folder)] if folder else [] if config.profile == "tiny" else RUNS
    for place in places:
        if folder or ((place / "config.json").exists() and (place / "generator.npz").exists()):
            run = Run.load(min(str(place), os.path.relpath(place), key=len))
            return "yours", run.generator()[0], run
    print("no run of lesson 4 is here: painting with the course's generator instead of yours")
    return "the course's", shipped_generator()[0], None


def sides(run: Run | None, names: Sequence[str], kind: str) -> tuple[np.ndarray, np.ndarray]:
    """(seen, unseen): indices of the images `names` of a kind that a run was trained on, and of those held out of it.

    Without a run, and where it was trained on other images or held none out, the images are divided into halves.
    """
    listed = hashlib.sha256("\n".join(names).encode()).hexdigest()
    held = getattr(run.config, f"holdout_{kind}s") if run and run.data[kind]["sha256"] == listed else 0
    return split(len(names), held or len(names) // 2, run.config.seed if run and held else 0)


def validation(run: Run | None) -> np.ndarray:
    """The curve of a run, rows of (step, KID, spread, …), or that of the course's generator."""
    own = run.folder / "validation.csv" if run else COURSE
    file = own if own.is_file() else COURSE / "models" / "log" / "validation.csv"
    return np.genfromtxt(file, delimiter=",", skip_header=1, ndmin=2)


def real_network() -> FeatureNetwork:
    """EfficientNet-Lite0, its features mixed: uint8 images to float32 (n, 96)."""
    whole = feature_network()
    signs = np.where(np.random.RandomState(SEED).rand(1280, MIXTURES) < 0.5, -1, 1)
    mix = (signs / np.sqrt(len(signs))).astype(np.float32)
    return FeatureNetwork("efficientnet-lite0, 96 mixtures", False, whole.size, lambda images: whole(images) @ mix)


def real_features() -> dict[str, np.ndarray]:
    """What `real_network` gives for 250 images of the competition each: {set: float32 (250, 96)}.

    "Monets as monet_jpg" are the same paintings in the competition's other encoding, "the course's" paintings of these
    photos. Raises UserError where the file is damaged.
    """
    with reading(FEATURES, "file of features", "Restore it."), np.load(FEATURES, allow_pickle=False) as found:
        low, scale = found["low"], found["scale"]
        return {name: found[name] * scale + low for name in found.files if name not in ("low", "scale")}


def resized(network: FeatureNetwork, filter: Image.Resampling) -> FeatureNetwork:
    """A network that gets images already resized by another filter: Pillow's NEAREST, BICUBIC, …"""
    size = (network.size, network.size)

    def extract(images):
        return network(np.stack([np.asarray(Image.fromarray(x).resize(size, filter)) for x in images]))

    return FeatureNetwork(f"{network.name}, {filter.name.lower()}", False, network.size, extract)


def table(judged: Mapping[str, Score]) -> list[dict[str, Any]]:
    """Scores by name as rows to keep: what, KID, spread, images, features."""
    return [
        {"what": name, "KID": score.kid, "spread": score.kid_std, "images": score.generated, "features": score.features}
        for name, score in judged.items()
    ]


def verdict(one: Score, other: Score) -> str:
    """What two KIDs allow to say, see `Score.nearer_than`: which one is closer, or that nothing tells them apart."""
    if one.nearer_than(other):
        return "closer than"
    return "farther than" if other.nearer_than(one) else "not to be told apart from"


def encoded(image: np.ndarray, **options: Any) -> tuple[bytes, np.ndarray]:
    """(bytes, uint8 (h, w, 3)) of an image saved as JPEG with Pillow's options, and as a reader decodes it again."""
    Image.fromarray(image).save(buffer := io.BytesIO(), "JPEG", **options)
    return buffer.getvalue(), np.asarray(Image.open(buffer))


def written_wrong(x: np.ndarray) -> dict[str, np.ndarray]:
    """What x, float (n, h, w, 3) in [-1, 1], becomes under usual mistakes of writing: {name: uint8 array}."""
    right = to_uint8(x)
    return {
        "right": right,
        "cast from [0, 1]": ((x + 1) / 2).astype(np.uint8),
        "blue and red swapped": right[..., ::-1],
        "255 instead of 127.5": ((x + 1) * 255).astype(np.int64).astype(np.uint8),
    }


LOOKS = {  # of each set's lines: colour and style
    "Monets": (COLORS["monet"], "-"), "photos": (COLORS["photo"], "-"),
    "the course's": ("black", "-"), "written black": ("black", ":"),
}  # fmt: skip


@figure_style()
def counts_figure(counts: Sequence[int], found: Mapping[str, np.ndarray]) -> Figure:
    """FID and KID over the number of images. found: {set: (counts, 2, 2), [FID, KID] and their [mean, spread]}."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for name, values in found.items():
        color, style = LOOKS[name]
        for axis, (mean, spread) in zip(axes, np.moveaxis(values, 0, -1), strict=True):
            axis.errorbar(counts, mean, spread, color=color, ls=style, marker="o", ms=4, capsize=3, label=name)
    for axis, measure in zip(axes, ("proxy FID", "KID"), strict=True):
        axis.set(title=f"{measure} to other Monets", xlabel="images a side", ylabel=measure, xscale="log")
        axis.set_xticks(counts, [str(count) for count in counts])
        axis.minorticks_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


@figure_style()
def readings_figure(readings: Mapping[str, Mapping[str, float]]) -> Figure:
    """One row for each way to compute FID, one mark for each of two folders. readings: {folder: {way: value}}."""
    figure, axis = plt.subplots(figsize=(8, 3.8), layout="constrained")
    for (folder, values), marker, above in zip(readings.items(), "os", (5, -13), strict=False):
        color = COLORS["photo"] if folder.startswith("photos") else "black"
        axis.plot(list(values.values()), list(values), marker, color=color, label=folder)
        for row, value in enumerate(values.values()):
            text = f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
            axis.annotate(text, (value, row), (0, above), textcoords="offset points", ha="center", fontsize=8)
    axis.set(title="One folder, and what is called its FID", xlabel="value (logarithmic scale)", xscale="log")
    axis.margins(0.1)
    axis.minorticks_off()
    axis.invert_yaxis()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _test_picture():
    """Colours in fine stripes, float32 (1, 64, 64, 3): a little beyond [-1, 1], and changed by coarse JPEGs."""
    place = np.linspace(-1.05, 1.05, 64, dtype=np.float32)
    stripes = np.where(np.arange(64) % 4 < 2, 0.6, -0.2).astype(np.float32)
    return np.stack(np.broadcast_arrays(place[None, :], stripes[:, None], np.float32(-0.5)), -1)[None]


def _right_picture():
    return encoded(to_uint8(_test_picture()[0]), quality=95, subsampling=0)[1]


def _entries(data):
    """[(name, PIL image), ...] of a zip's bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, Image.open(io.BytesIO(archive.read(name)))) for name in archive.namelist()]


@exercise(
    "Exercise 1, a writer to repair",
    expected=_right_picture,
    drawn=lambda answer: _entries(answer(_test_picture(), ["a"]))[0][1],
    alt="Thin stripes over a ramp from green at the left to yellow and red at the right",
)
def check_zipped(answer):
    x = np.concatenate([_test_picture(), _test_picture()[:, :, ::-1]])
    data = answer_of(answer, x.copy(), ["a", "b"])
    refuse_if(not isinstance(data, bytes), f"the result is a {type(data).__name__}: return the zip's bytes.")
    whole = zipfile.is_zipfile(io.BytesIO(data))
    refuse_if(not whole, "these bytes are no whole zip. It gets its table of contents when it is closed.")
    entries = _entries(data)
    refuse_if(len(entries) != 2, f"two pictures went in, {len(entries)} came out.")
    names, images = zip(*entries, strict=True)
    kinds = {(image.format, image.mode, image.size) for image in images}
    refuse_if(kinds != {("JPEG", "RGB", (64, 64))}, f"the entries are {sorted(kinds)}, not 64x64 RGB JPEGs.")
    (first, second), right = (np.asarray(image).astype(int) for image in images), _right_picture().astype(int)
    error, lower, far = np.abs(first - right).mean(), (first - right).mean(), np.abs(first - right).max((0, 2))
    middle, ends, off = far[8:-8].max(), max(far[:2].max(), far[-2:].max()), "opened again, the pictures are"
    return {
        f"{off} black: their highest level is {first.max()}.": first.max() <= 8,
        "the ramp from left to right should be red, and is blue.": np.abs(first[..., ::-1] - right).mean() < error / 2,
        "the middle is right, and at an edge bright and dark changed places.": ends > 100 > middle,
        "the second picture is not the second one of x.": np.abs(second - right[:, ::-1]).mean() > 40,
        f"{off} off by {error:.1f} levels on average; less than 1.5 is possible. What does the encoder throw away?":
            error > 1.5,
        f"all levels are {abs(lower):.2f} too {'high' if lower > 0 else 'low'} on average.": abs(lower) > 0.25,
        f"the first entry is called {names[0]!r}; Kaggle takes no folders.": any(re.search(r"[/\\]", n) for n in names),
        f"the entries are called {names}, the pictures a and b.": names != ("a.jpg", "b.jpg"),
    }  # fmt: skip


@exercise("Exercise 2, FID of one feature")
def check_frechet(answer):
    cases = {
        "means 0 and 3, both spreads 1": (0.0, 1.0, 3.0, 1.0),
        "equal means, spreads 1 and 3": (0.0, 1.0, 0.0, 3.0),
        "two equal bell curves": (2.0, 2.0, 2.0, 2.0),
        "means 1 and 3, spreads 0.5 and 2": (1.0, 0.5, 3.0, 2.0),
    }
    for case, given in cases.items():
        found, right = answer_of(answer, *given), (given[0] - given[2]) ** 2 + (given[1] - given[3]) ** 2
        refuse_if(not np.allclose(found, right, 1e-4, 1e-4), f"{case}: {np.round(found, 4)}, not {right}.")


@exercise("Exercise 3, memorization")
def check_memorization(answer):
    rng = np.random.default_rng(0)
    generated, real = rng.normal(size=(6, 5)) + 0.5, rng.normal(size=(3, 5)) + 0.5
    real[0] = -2 * generated[0]  # its cosine is -1
    found, right = answer_of(answer, generated.copy(), real.copy()), memorization_distance(generated, real)
    refuse_if(np.ndim(found) > 0, f"the result has shape {np.shape(found)}: return one number.")
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (generated, real)]
    cosines = unit[0] @ unit[1].T
    distances = 1 - np.abs(cosines)
    known = {
        "you look for the nearest generated image of each real one. Who is suspected of copying?":
            distances.min(0).mean(),
        "copies get the highest number. It should be the lowest.": 1 - right,
        "more generated images give a larger number. It should not depend on how many.": distances.min(1).sum(),
        "one generated row is a real row times -2: its distance should be 0.": (1 - cosines).min(1).mean(),
        "every real image counts for every generated one. Which one tells of a copy?": distances.mean(),
        "one copy decides alone. All generated images should count.": distances.min(),
        "you take the farthest real image. Which one tells of a copy?": distances.max(1).mean(),
        "you take the median over the generated images; the definition, the mean.": np.median(distances.min(1)),
    }  # fmt: skip
    angles = "generated features twice as large change the distance; angles don't."
    other = f"{found:.4f} instead of {right:.4f} for six generated and three real images."
    hints = close(found, known, 1e-5) | {angles: not np.isclose(answer(2 * generated, real), found)}
    return hints | {other: not np.isclose(found, right, 1e-4)}


REPORT = {"measure": "FID", "network": "inception-2015", "images": 5000, "reference": "300 Monets",
          "filter": "bilinear"}  # fmt: skip


@exercise("Exercise 4, which may be compared")
def check_comparable(answer):
    kid, few, others = {"measure": "KID"}, {"images": 300}, {"reference": "893 other Monets"}
    # (what one report has other than REPORT, what the other one has, may they be compared, what they are)
    cases: list[tuple[dict, dict, bool, str]] = [
        ({}, {}, True, "two FIDs, all of whose conditions are equal"),
        ({}, {"network": "keras-inception-v3"}, False, "two FIDs, by Inception of 2015 and by Keras'"),
        ({}, few, False, "two FIDs, of 5,000 and of 300 images. See the figure over n"),
        (kid, kid | few, True, "two KIDs, of 5,000 and of 300 images. See the figure over n"),
        ({}, others, False, "two FIDs, to the 300 Monets and to 893 others"),
        ({}, {"filter": "nearest"}, False, "two FIDs, of images resized by two filters"),
        ({}, kid, False, "an FID and a KID"),
        (kid, kid | {"network": "squeezenet"}, False, "two KIDs, by Inception and by SqueezeNet"),
        (kid, kid | others, False, "two KIDs, to the 300 Monets and to 893 others"),
        (kid, kid | few | {"filter": "nearest"}, False, "two KIDs, of images resized by two filters"),
    ]
    for a, b, wanted, what in cases:
        for one, other in ((a, b), (b, a)):
            found = answer_of(answer, REPORT | one, REPORT | other)
            refuse_if(not isinstance(found, bool | np.bool_), f"return True or False, not {found!r}.")
            verb = "can" if found else "can't"
            refuse_if(found != wanted, f"{what}: you say that they {verb} be compared.")


CURVE = np.array([[100, 0.09, 0.05], [200, 0.052, 0.01], [300, 0.047, 0.008], [400, 0.045, 0.009], [500, 0.053, 0.02]])


@exercise("Exercise 5, a checkpoint")
def check_checkpoint(answer):
    found = answer_of(answer, CURVE.copy())
    refuse_if(np.ndim(found) > 0, f"the result has shape {np.shape(found)}: return one step.")
    late = "500 is the last step that can't be told from the best one. Which of them had the least time to overfit?"
    hints = {
        400.0: "400 has the lowest KID. Is there an earlier step that can't be told apart from it?",
        100.0: "step 100 is 0.045 above the lowest KID. Whose spread did you take?",
        500.0: late,
        300.0: "300 is within the spread of the best step, and so is an earlier one.",
        200.0: "",
    }
    step = float(found)
    refuse_if(step not in hints, f"{found!r} is no step of the curve: return a value of the first column.")
    refuse_if(step != 200, hints[step])
    curves = {
        "on a curve that rises from the start you take {}.": ([[10, 0.1, 0.01], [20, 0.2, 0.01]], 10),
        "on a curve that falls from 0.2 to 0.1, spread 0.01, you take {}.": ([[10, 0.2, 0.01], [20, 0.1, 0.01]], 20),
        "with its rows in another order the same curve gives {}.": (CURVE[[3, 1, 0, 4, 2]], 200),
    }
    for hint, (curve, right) in curves.items():
        other = answer(np.array(curve))
        refuse_if(not np.allclose(other, right), hint.format(other))


def _scenes():
    """Three simple scenes, uint8 (3, 256, 256, 3): a sky over ground of three colours, with a sun."""
    rows, columns = np.mgrid[:256, :256]
    sun = ((rows - 70) ** 2 + (columns - 180) ** 2 < 900)[..., None]
    scenes = []
    for ground in ((40, 90, 50), (120, 90, 60), (30, 50, 90)):
        sky = np.stack([150 + rows // 4, 180 + rows // 8, np.full_like(rows, 220)], -1)
        scenes.append(np.where((rows > 150)[..., None], np.array(ground) + columns[..., None] // 8, sky) + 20 * sun)
    return np.clip(scenes, 0, 255).astype(np.uint8)


@exercise("Exercise 6, a way of painting of your own")
def check_my_way(answer):
    scenes = _scenes()
    given = scenes.copy()
    painted = [np.asarray(answer_of(answer, photo)) for photo in given]
    refuse_if((given != scenes).any(), "your function changes the photo that it is given. Work on a copy.")
    for each in painted:
        expect_shape(each, (256, 256, 3), "the painting")
        refuse_if(each.dtype != np.uint8, f"the painting is {each.dtype}; the zip takes uint8, 0 to 255.")
    made = np.stack(painted)
    kept = scene_kept(scenes, made)
    return {
        "the paintings are black: their highest level is at most 2.": made.max() <= 2,
        "each painting is a single colour.": made.std((1, 2)).max() < 2,
        "the painting is the photo itself.": (made == scenes).all(),
        "three photos give one and the same painting.": (made == made[:1]).all(),
        f"light and dark have changed places (correlation with the photo {kept:.2f}).": kept < 0,
        f"the scene is gone (correlation with the photo {kept:.2f}, at least 0.5 is asked).": kept < 0.5,
    }
