"""Lesson 1: measure every image once, compare the two sets, draw the figures."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.data.competition import ImageSet, find_data, find_images, read_batches
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


def shrink(image: np.ndarray, factor: int) -> np.ndarray:
    """A uint8 (h, w, 3) image, each side divided by `factor`: the mean of each square of pixels."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    return np.rint(image.reshape(height, factor, width, factor, 3).mean((1, 3))).astype(np.uint8)


def closest(thumbs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of uint8 (n, 32, 32, 3): (correlation with its most similar other, that one's index), both (n,)."""
    x = np.asarray(thumbs, np.float32).reshape(len(thumbs), -1)
    x -= x.mean(1, keepdims=True)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
    best, index = np.empty(len(x), np.float32), np.empty(len(x), int)
    for start in range(0, len(x), 512):  # 7,038 x 7,038 at once would take 200 MB
        similar = x[start : start + 512] @ x.T
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -2
        index[start + rows], best[start + rows] = similar.argmax(1), similar.max(1)
    return best, index


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


def claims_table(data: str | Path | None = None, limit: int | None = None) -> None:
    """Print each measure's mean in both sets and its effect size, for the data that `find_data(data)` finds."""
    root = find_data(data)
    monet, photo = (survey(find_images(root, name), limit) for name in LABELS)
    print(f"{len(monet.names):,} paintings, {len(photo.names):,} photos{'':5}Monet   photo   d [95 %]")
    for measure, (d, low, high) in effects(monet, photo).items():
        a, b = monet.columns[measure].mean(), photo.columns[measure].mean()
        print(f"{MEASURES[measure]:32}{a:8.2f}{b:8.2f}   {d:+.2f} [{low:+.2f}, {high:+.2f}]")


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
