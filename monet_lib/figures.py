"""Figures: grids of images and plots, in one style that also works on a dark page and for colour-blind readers."""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from monet_lib.data.reading import to_uint8

# Okabe & Ito's palette, told apart under every common colour blindness. Its orange is Monet's and its blue the photos'
# in every figure, and neither means anything else: channels and other lines have colours of their own, which no colour
# blindness brings near these two.
COLORS = {"monet": "#D55E00", "photo": "#0072B2", "red": "#AA1155", "green": "#009E73", "blue": "#5533CC"}
STYLE = {
    "figure.facecolor": "white",  # not transparent: axis labels stay readable on a dark page
    "figure.dpi": 100,
    "axes.titlesize": 12,
    "axes.prop_cycle": plt.cycler(color=["#000000", "#009E73", "#CC79A7", "#C9B400", "#7B1E7A", "#606060"]),
}


def figure_style() -> AbstractContextManager:
    """The context in which every figure is drawn: `with figure_style(): ...`. Nothing is set outside it."""
    return plt.rc_context({**sns.axes_style("whitegrid"), **STYLE})


def encode(picture: Figure | np.ndarray) -> tuple[bytes, str]:
    """(bytes, "png" or "jpeg") of a Figure, as PNG, or of an image (h, w, 3), uint8 or in [-1, 1], as JPEG."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        # No metadata: the same figure gives the same bytes, and diffs stay quiet.
        picture.savefig(buffer, format="png", metadata={"Software": None})
        plt.close(picture)
        return buffer.getvalue(), "png"
    picture = np.asarray(picture)
    Image.fromarray(picture if picture.dtype == np.uint8 else to_uint8(picture)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue(), "jpeg"


def show(picture: Figure | np.ndarray, alt: str) -> None:
    """Display a Figure or an image in a notebook, with `alt`, the text that says what is to be seen in it."""
    from IPython import display  # comes with the lessons, not with what trains

    data, format = encode(picture)
    display.display(display.Image(data=data, format=format, alt=alt))


def image_grid(
    rows: Sequence[Sequence[np.ndarray]],
    labels: Sequence[str] | None = None,
    gap: int = 4,
    row_labels: Sequence[str] | None = None,
    least: int = 0,
) -> np.ndarray:
    """Rows of images of one size as a single uint8 (h, w, 3) image, with a label over each column and before each row.

    rows: a list of lists, each image uint8 or float in [-1, 1], (height, width, 3). labels, row_labels: one str a
    column, a row. least: images lower than this many pixels are enlarged by repeating pixels.
    """
    rows = [[x if np.asarray(x).dtype == np.uint8 else to_uint8(x) for x in row] for row in rows]
    times = max(1, -(-least // rows[0][0].shape[0]))
    height, width = (times * side for side in rows[0][0].shape[:2])
    head, columns = 20 if labels else 0, max(len(row) for row in rows)
    points = max(13, columns * (width + gap) // 70)  # a page shrinks what is wider than a thousand pixels
    side = max((round(_font(points).getlength(label)) + 8 for label in row_labels or ()), default=0)
    size = (side + columns * (width + gap) - gap, head + len(rows) * (height + gap) - gap)
    canvas = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    for r, row in enumerate(rows):
        top = head + r * (height + gap)
        for c, image in enumerate(row):
            large = Image.fromarray(np.asarray(image)).resize((width, height), Image.Resampling.NEAREST)
            canvas.paste(large, (side + c * (width + gap), top))
        if row_labels:
            place = (2, top + height // 2 - points * 5 // 8)
            draw.text(place, row_labels[r], fill="black", font=_font(points))
    for c, label in enumerate(labels or ()):
        draw.text((side + c * (width + gap) + 2, 2), label, fill="black", font=_font(13))
    return np.asarray(canvas)


def _font(points):
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), points)  # comes with matplotlib; knows ×


def training_grid(model: Any, photos: np.ndarray, monets: np.ndarray) -> np.ndarray:
    """Photo, painted, cycled; Monet, its photo, cycled: one row an image, as uint8. Inputs in [-1, 1]."""
    painted = np.asarray(model(photos))
    cycled = np.asarray(model.photo_generator(painted, training=False))
    unpainted = np.asarray(model.photo_generator(monets, training=False))
    repainted = np.asarray(model(unpainted))
    labels = ["photo", "painted", "back to photo", "Monet", "as a photo", "back to Monet"]
    columns = zip(photos, painted, cycled, monets, unpainted, repainted, strict=False)
    return image_grid([list(row) for row in columns], labels)


def plot_history(history: Mapping[str, np.ndarray], smooth: float = 0.98) -> Figure:
    """Losses over steps, each smoothed exponentially, as a Figure. history: {column: values} with "step" among them."""
    steps = np.asarray(history["step"], float)
    groups = {
        "generators: adversarial": ["monet_generator", "photo_generator"],
        "generators: cycle and identity": ["cycle", "identity"],
        "discriminators": ["monet_discriminator", "photo_discriminator"],
    }
    with figure_style():
        figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
        for axis, (title, names) in zip(axes, groups.items(), strict=True):
            for name in names:
                values, color = np.asarray(history[name], float), COLORS.get(name.split("_")[0])
                axis.plot(steps, _smoothed(values, smooth), label=name.replace("_", " "), color=color)
            axis.set(title=title, xlabel="training step", ylabel="loss", ylim=(0, None))
            axis.locator_params(axis="x", nbins=5)  # more labels of five digits would touch
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure


def plot_validation(rows: Sequence[Sequence[float]], features: str) -> Figure:
    """KID over steps with its spread, the best marked, as a Figure. rows: (step, kid, kid_std, ...) each."""
    steps, kid, spread = np.array([row[:3] for row in rows], float).T
    best = int(np.argmin(kid))
    with figure_style():
        figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
        axis.errorbar(steps, kid, spread, marker="o", capsize=3, label="held-out photos, painted")
        axis.plot(steps[best], kid[best], "*", markersize=16, color="black", label=f"best: {kid[best]:.4f}")
        axis.set(title="Distance to held-out paintings", xlabel="training step", ylabel=f"KID ({features})")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure


def read_history(path: str | Path) -> dict[str, np.ndarray]:
    """history.csv as {column: float array}."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return dict(zip(rows[0], np.array(rows[1:], float).reshape(-1, len(rows[0])).T, strict=True))


def _smoothed(values, decay):
    """Exponential moving average, corrected for its start as Adam's is."""
    out, average = np.empty_like(values), 0.0
    for k, value in enumerate(values):
        average = decay * average + (1 - decay) * value
        out[k] = average / (1 - decay ** (k + 1))
    return out
