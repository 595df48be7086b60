"""Figures: grids of images and plots, in one style that also works on a dark page and for colour-blind readers."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from monet_lib.data.reading import to_uint8
from monet_lib.files import read_table, reading

# Okabe & Ito's palette, whose colours differ under every common colour blindness. In every figure its orange stands for
# Monet and its blue for photos, and for nothing else: channels and other lines have colours of their own, which no
# colour blindness brings near these two.
COLORS = {"monet": "#D55E00", "photo": "#0072B2", "red": "#AA1155", "green": "#009E73", "blue": "#5533CC"}
STYLE = {
    "figure.facecolor": "white",  # not transparent: axis labels stay readable on a dark page
    "figure.dpi": 100,
    "axes.titlesize": 12,
    "axes.prop_cycle": plt.cycler(color=["#000000", "#009E73", "#CC79A7", "#C9B400", "#7B1E7A", "#606060"]),
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Around the drawing of every figure, as `with figure_style():` or `@figure_style()`. Nothing is set outside it."""
    with plt.rc_context({**sns.axes_style("whitegrid"), **STYLE}):
        yield


def show(picture: Figure | np.ndarray, alt: str) -> None:
    """Display a Figure or an image in a notebook, with `alt`, the text that says what is to be seen in it."""
    from IPython import display  # comes with the lessons, not with what trains

    data, format = encode(picture)
    display.display(display.Image(data=data, format=format, alt=alt))


def encode(picture: Figure | np.ndarray) -> tuple[bytes, str]:
    """(bytes, "png" or "jpeg") of a Figure, as PNG, or of an image (h, w, 3), uint8 or in [-1, 1], as JPEG."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        # No metadata: the same figure gives the same bytes, and diffs stay quiet.
        picture.savefig(buffer, format="png", metadata={"Software": None})
        plt.close(picture)
        return buffer.getvalue(), "png"
    Image.fromarray(levels(picture)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue(), "jpeg"


def levels(image: np.ndarray) -> np.ndarray:
    """An image, uint8 or in [-1, 1], as uint8."""
    image = np.asarray(image)
    return image if image.dtype == np.uint8 else to_uint8(image)


GAP, HEAD = 4, 20  # px between the images of a grid, and above it for the labels of its columns


def image_grid(
    rows: Sequence[Sequence[np.ndarray]],
    labels: Sequence[str] = (),
    *,
    row_labels: Sequence[str] = (),
    least: int = 0,
) -> np.ndarray:
    """Rows of images of one size as a single uint8 (h, w, 3) image, with a label over each column and before each row.

    rows: a list of lists, each image uint8 or float in [-1, 1], (height, width, 3). labels, row_labels: one str for
    each column, for each row. least: images lower than this many pixels are enlarged by repeating pixels.
    """
    rows = [[levels(image) for image in row] for row in rows]
    times = max(1, -(-least // rows[0][0].shape[0]))
    height, width = (times * side for side in rows[0][0].shape[:2])
    head, columns = HEAD if labels else 0, max(len(row) for row in rows)
    points = max(13, columns * (width + GAP) // 70)  # a page shrinks a grid that is wider than a thousand pixels
    small, large = (ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size) for size in (13, points))
    side = max((round(large.getlength(label)) + 8 for label in row_labels), default=0)
    size = (side + columns * (width + GAP) - GAP, head + len(rows) * (height + GAP) - GAP)
    canvas = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    for c, label in enumerate(labels):
        draw.text((side + c * (width + GAP) + 2, 2), label, fill="black", font=small)
    for r, row in enumerate(rows):
        top = head + r * (height + GAP)
        for c, image in enumerate(row):
            enlarged = Image.fromarray(image).resize((width, height), Image.Resampling.NEAREST)
            canvas.paste(enlarged, (side + c * (width + GAP), top))
        if row_labels:
            draw.text((2, top + height // 2 - points * 5 // 8), row_labels[r], fill="black", font=large)
    return np.asarray(canvas)


def plot_history(history: Mapping[str, np.ndarray], smooth: float = 0.98) -> Figure:
    """Losses over steps as a Figure. history: {column: values} with "step" among them.

    Each loss is smoothed by an exponential moving average with decay `smooth`, corrected for its start as Adam's is.
    """
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
                average, curve = 0.0, []
                for k, value in enumerate(np.asarray(history[name], float), 1):
                    average = smooth * average + (1 - smooth) * value
                    curve.append(average / (1 - smooth**k))
                axis.plot(steps, curve, label=name.replace("_", " "), color=COLORS.get(name.split("_")[0]))
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
    """history.csv as {column: float array}, without a last line that a kill cut short. Any table of losses is read.

    Raises UserError where it is no table of numbers.
    """
    with reading(path, "table of losses", "A header, then a row of numbers a step."):
        header, rows, _ = read_table(Path(path))
        if not header:
            raise ValueError("it is empty")
        if rows and len(rows[-1]) < len(header):
            rows.pop()
        for line, row in enumerate(rows, 2):
            if len(row) != len(header):
                raise ValueError(f"line {line} has {len(row)} fields, the header {len(header)}")
        return {name: np.array([row[column] for row in rows], float) for column, name in enumerate(header)}
