"""Lesson 1: measure every image once, compare the two sets, draw the figures; then the checks of its exercises."""

import hashlib
import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.course.checks import RAMP, Wrong, answer_of, exercise, expect_close, expect_shape, ramp, refuse_if
from monet_lib.data.reading import ImageSet, masked_checksum, read_batches, shrink, to_uint8
from monet_lib.data.reading import closest as closest  # for the lesson
from monet_lib.figures import COLORS, figure_style

MEASURES = {  # a column of a Survey, and what the figures call it
    "brightness": "brightness", "spread": "spread within an image", "red": "mean red", "green": "mean green",
    "blue": "mean blue", "chroma": "chroma (max − min)", "saturation": "HSV saturation (÷ max)",
}  # fmt: skip
CHANNELS = ("red", "green", "blue")
LABELS = {"monet": "Monet", "photo": "photo"}
LEVELS = np.arange(256)


@dataclass(frozen=True)
class Survey:
    """What one pass over a set keeps of its n images: 6 kB each instead of 200 kB.

    names: n str. columns: {measure: float (n,)}, in levels of 0..255, saturation in 0..1. histograms: int
    (n, 3, 256), pixels at each level. thumbs: uint8 (n, 32, 32, 3). digests: n hashes, alike for alike pixels.
    """

    names: list
    columns: dict
    histograms: np.ndarray
    thumbs: np.ndarray
    digests: list


def survey(images: ImageSet, limit: int | None = None) -> Survey:
    """Measure an ImageSet, or its first `limit` images, in one pass with flat memory. Returns a Survey."""
    kept = []
    for names, batch in read_batches(images, 32):
        for name, image in list(zip(names, batch, strict=True))[: limit and limit - len(kept)]:
            counts = np.stack([np.bincount(image[..., c].ravel(), minlength=256) for c in range(3)])
            digest = hashlib.sha256(image.tobytes()).hexdigest()
            kept.append((name, image_measures(image, counts), np.int32(counts), shrink(image, 8), digest))
        if len(kept) == limit:
            break
    names, rows, histograms, thumbs, digests = map(list, zip(*kept, strict=True))
    columns = {measure: np.array([row[measure] for row in rows]) for measure in MEASURES}
    return Survey(names, columns, np.stack(histograms), np.stack(thumbs), digests)


def image_measures(image: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """{measure: float} of a uint8 (h, w, 3) image and its channel histograms, int (3, 256)."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    high, chroma = planes.max(0), np.ptp(planes, 0)
    share = counts.sum(0) / counts.sum()
    brightness = share @ LEVELS
    return {
        "brightness": brightness,
        "spread": np.sqrt(share @ (LEVELS - brightness) ** 2),
        **dict(zip(CHANNELS, counts @ LEVELS / counts.sum(1), strict=True)),
        "chroma": chroma.mean(),
        "saturation": (chroma / np.maximum(high, 1)).mean(),
    }


def cohens_d(a: np.ndarray, b: np.ndarray) -> float:
    """Difference of the means over the pooled standard deviation (Cohen 1988); above 0: `a` has more."""
    variance = ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / (len(a) + len(b) - 2)
    return float((np.mean(a) - np.mean(b)) / np.sqrt(variance))


def effects(monet: Survey, photo: Survey, draws: int = 400, seed: int = 0) -> dict[str, tuple[float, float, float]]:
    """{measure: (d, low, high)} of two Surveys: Cohen's d, and what 95 % of `draws` resamplings give (bootstrap)."""
    rng, found = np.random.default_rng(seed), {}
    for measure in MEASURES:
        a, b = monet.columns[measure], photo.columns[measure]
        again = [cohens_d(rng.choice(a, len(a)), rng.choice(b, len(b))) for _ in range(draws)]
        found[measure] = (cohens_d(a, b), *np.percentile(again, [2.5, 97.5]))
    return found


def palette(image: np.ndarray, colors: int = 8) -> list[tuple[float, tuple[int, int, int]]]:
    """[(share, (r, g, b)), ...], dark to light: median cut, then k-means, as Pillow's quantize does them."""
    small = Image.fromarray(np.asarray(image)).quantize(colors, Image.Quantize.MEDIANCUT, kmeans=3)
    counts: Any = small.getcolors()  # of an image with a palette: (count, place in it) each
    table, total = small.getpalette(), small.width * small.height
    found: Any = [(count / total, tuple(table[3 * k : 3 * k + 3])) for count, k in counts]
    return sorted(found, key=lambda entry: np.dot(entry[1], (0.299, 0.587, 0.114)))


def bars_figure(panels: Mapping[str, Mapping[str, float]], xlabel: str, log: bool = False) -> Figure:
    """Horizontal bars with their values written on, one panel for each of {title: {label: number}}."""
    colors = {LABELS[name]: COLORS[name] for name in LABELS}
    size = (10, 1.2 + 0.45 * max(map(len, panels.values())))
    with figure_style():
        figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False, layout="constrained")
        for axis, (title, bars) in zip(axes[0], panels.items(), strict=True):
            drawn = axis.barh(list(bars), list(bars.values()), color=[colors.get(b, "0.45") for b in bars])
            axis.bar_label(drawn, [f" {value:,}" for value in bars.values()])
            axis.set(title=title, xlabel=xlabel, xscale="log" if log else "linear")
            axis.set_xlim(1 if log else 0, max(bars.values()) * (6 if log else 1.2))
            axis.invert_yaxis()
            axis.grid(False, axis="y")
    return figure


def channel_explorer(pictures: Mapping[str, np.ndarray], surveys: Mapping[str, Survey]) -> Callable[..., Figure]:
    """draw(domain, number, channel) for `explore`: a picture beside its histograms, dotted: those of its set.

    pictures: {domain: uint8 (n, h, w, 3)}; surveys: {domain: Survey}. channel: "all", "red", "green" or "blue".
    """

    def draw(domain, number, channel):
        image = pictures[domain][number]
        with figure_style():
            figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
            left.imshow(image)
            left.set(title=f"{LABELS[domain]} {number}", xticks=[], yticks=[])
            for c in [c for c in range(3) if channel in ("all", CHANNELS[c])]:
                own = np.bincount(image[..., c].ravel(), minlength=256) / image[..., c].size
                every = surveys[domain].histograms[:, c].sum(0)
                color, label = COLORS[CHANNELS[c]], f"{CHANNELS[c]}, mean {own @ LEVELS:.0f}"
                right.plot(LEVELS, 100 * own, color=color, label=label)
                right.plot(LEVELS, 100 * every / every.sum(), ":", color=color)
            right.set(title="its channels (dotted: the whole set)", xlabel="level (0 to 255)", ylim=(0, 4))
            right.set_ylabel("% of pixels")
            figure.legend(loc="outside lower right", ncols=3)
        return figure

    return draw


@exercise("Exercise 1, a record", expected=lambda: to_uint8(ramp()), alt=RAMP)
def check_record(answer):
    Image.fromarray(to_uint8(ramp())).save(file := io.BytesIO(), "JPEG")
    values = {"image": file.getvalue(), "image_name": b"ramp", "target": b"photo"}
    features = {k: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for k, v in values.items()}
    found = answer_of(answer, tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    two = isinstance(found, tuple) and len(found) == 2
    refuse_if(not two, f"return two things, (name, pixels), not a {type(found).__name__}.")
    name, pixels = found
    refuse_if(name != "ramp", f"the name is {name!r}, not 'ramp': take image_name; .decode() turns bytes to text.")
    expect_shape(pixels, (64, 256, 3), "the array of pixels")
    apart = np.abs(pixels - np.float32(to_uint8(ramp()))).max()
    refuse_if(apart > 8, "the pixels are not those of the feature image, 0 to 255.")


@exercise(
    "Exercise 2, chroma and saturation",
    expected=lambda: np.array([[[60, 0, 0], [240, 180, 180]]], np.uint8).repeat(80, 0).repeat(120, 1),
    drawn=lambda answer: np.array([answer], np.uint8).repeat(80, 0).repeat(120, 1),
    alt="Two squares of one chroma: a dark red and a pale pink",
)
def check_reds(answer):
    colors = np.asarray(answer, float)
    expect_shape(colors, (2, 3), "the pair of colours")
    low, high = colors.min(1), colors.max(1)
    refuse_if(low.min() < 0 or high.max() > 255, "a level lies outside 0..255.")
    chroma, saturation = high - low, (high - low) / np.maximum(high, 1)
    refuse_if(
        abs(chroma[0] - chroma[1]) > 1 or chroma.min() < 20,
        f"max − min is {chroma[0]:.0f} and {chroma[1]:.0f}: make both the same, at least 20.",
    )
    refuse_if(
        saturation[0] < 3 * saturation[1],
        f"the saturations are {saturation[0]:.2f} and {saturation[1]:.2f}: make the first darker.",
    )


MEANINGS = {  # what to measure for each claim, and what the source says of the Monets: 1 more, -1 less
    "S0: darker": ("brightness", -1),
    "S0: higher deviation": ("spread", 1),
    "S3: more intense colours": ("chroma", 1),
    "S3: more in green": ("green", 1),
}


@exercise("Exercise 3, claims as measures")
def check_meaning(answer):
    for claim, (measure, sign) in MEANINGS.items():
        pair = isinstance(answer, dict) and np.shape(answer.get(claim)) == (2,)
        refuse_if(not pair, f"{claim}: give a pair (measure, sign).")
        found, direction = answer[claim]
        refuse_if(found is ..., f"nothing here yet. Begin with {claim!r}: a measure's name and a sign, +1 or -1.")
        refuse_if(found == "saturation", f"{claim}: HSV saturation divides by the maximum, so mere darkness raises it.")
        others = ", ".join(MEASURES)
        refuse_if(found != measure, f"{claim}: {found!r} doesn't measure that. Choose among {others}.")
        refuse_if(direction != sign, f"{claim}: the sign is what the source says of Monets, be it true or not.")


@exercise(
    "Exercise 4, back to levels", expected=lambda: to_uint8(ramp()), drawn=lambda answer: answer(ramp()), alt=RAMP
)
def check_back(answer):
    found, levels = answer_of(answer, ramp()), np.tile(LEVELS[None, :, None], (1, 1, 3))
    expect_shape(found, (64, 256, 3), "the picture")
    refuse_if(found.dtype != np.uint8, f"the result is {found.dtype}; a JPEG encoder wants uint8.")
    ends = tuple(map(int, found[0, [0, -1], 0]))
    refuse_if(ends != (0, 255), f"-1.1 and 1.1 became {ends}: uint8 wraps around. Clip to 0..255 first.")
    lost = int((answer(levels.astype(np.float32) / 127.5 - 1) != levels)[0, :, 0].sum())
    refuse_if(lost, f"{lost} of 256 levels don't come back: astype cuts off what follows the point. Round.")


@exercise("Exercise 5, batches")
def check_deal(answer):
    steps, times, never = answer
    expect_close(steps, 7038 // 4, "an epoch deals 7,038 photos, 4 a step: not {got} steps.")
    expect_close(times, 7036 / 300, "each step deals 4 of 300 paintings: each comes not {got} times.", 0.02)
    expect_close(never, 6738, "a zip ends with its shorter side: it leaves out not {got} of 7,038 photos.")


@exercise("Exercise 6, a reader of your own")
def check_walk(answer):
    records = [b"first", b"x" * 300, b""]
    shard, second = b"".join(map(framed, records)), len(framed(records[0]))  # the byte where the second record begins
    found = list(answer_of(answer, shard))
    whole = any(isinstance(one, tuple) for one in found) or found[:1] == [framed(b"first")]
    refuse_if(whole, "give the data alone: without the length and the two checksums around them.")
    sizes = [len(one) for one in found]
    refuse_if(found != records, f"{len(found)} records of {sizes} bytes; the shard holds 3, of 5, 300 and 0 bytes.")
    record = "second record's"
    for part, place in ((f"{record} data", 52), (f"{record} length", 2), (f"checksum of the {record} length", 8)):
        what = f"a bit of the {part} flipped"
        broken = bytearray(shard)
        broken[second + place] ^= 1
        try:
            list(answer(bytes(broken)))
        except ValueError:
            continue
        except Exception as error:
            raise Wrong(f"{what}: {type(error).__name__} instead of ValueError. Check the length first.") from None
        raise Wrong(f"{what}: you read on as if nothing had happened. Compare its checksum, raise ValueError.")


def checksum(data: bytes) -> int:
    """The checksum that a TFRecord stores of bytes: their CRC-32C, turned by 15 bits, plus a constant."""
    return int.from_bytes(masked_checksum(data), "little")


def framed(data: bytes) -> bytes:
    """One record of a TFRecord file: length, its checksum, data, their checksum."""
    length = struct.pack("<Q", len(data))
    return length + masked_checksum(length) + data + masked_checksum(data)
