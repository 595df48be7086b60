"""What several lessons use: small pictures, trainings of minutes, drawings of data flow, figures with controls."""

import html
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from IPython.display import Image as DisplayImage
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.config import Config
from monet_lib.data import UnpairedBatches, to_float, training_data
from monet_lib.figures import COLORS, encode, figure_style
from monet_lib.model.augment import DRAWS, diff_augment
from monet_lib.model.cyclegan import LOSSES, CycleGAN, build
from monet_lib.model.losses import discriminator_loss
from monet_lib.train.loop import FEW


def flat(arrays: Sequence) -> np.ndarray:
    """All values of arrays or tensors in one row: (n,)."""
    return np.concatenate([np.ravel(x) for x in arrays])


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of the angle between two arrays (n,): 1 for one direction, 0 where an array is all zeros."""
    return float(a @ b / max(np.linalg.norm(a), 1e-30) / max(np.linalg.norm(b), 1e-30))


def shrunk(pixels: np.ndarray, size: int) -> np.ndarray:
    """uint8 (n, 256, 256, 3) as float32 (n, size, size, 3) in [-1, 1]."""
    resized = tf.image.resize(to_float(pixels), (size, size), antialias=True)
    return tf.clip_by_value(resized, -1.0, 1.0).numpy()  # the sum of the weights may be a little above 1


def short_run(
    config: Config, monets: np.ndarray, photos: np.ndarray, steps: int
) -> tuple[CycleGAN, dict[str, np.ndarray]]:
    """Train a CycleGAN of `config` for some steps on uint8 (n, 256, 256, 3), without a run's folder.

    Returns (model, {"step", "seconds", each loss: array (steps,)}). The first step's seconds include its tracing.
    """
    model = build(config, steps)
    take = tf.function(model.train_step, jit_compile=False) if steps > FEW else model.train_step
    rows, clock = [], [time.perf_counter()]
    for pair in training_data(UnpairedBatches(monets, photos, config), 0, steps):
        losses = take(pair)
        rows.append([float(losses[name]) for name in LOSSES])
        clock.append(time.perf_counter())
    history = {"step": np.arange(1, steps + 1), "seconds": np.diff(clock)}
    return model, history | dict(zip(LOSSES, np.array(rows).T, strict=True))


def descent(network: keras.Model, optimizer: keras.optimizers.Optimizer, loss_of: Callable) -> Callable:
    """A compiled training step: called with tensors, it moves `network` down `loss_of(*tensors)` and returns that."""
    optimizer.build(network.trainable_variables)

    @tf.function(jit_compile=False)
    def step(*tensors):
        with tf.GradientTape() as tape:
            loss = loss_of(*tensors)
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    return step


def teach_discriminator(
    discriminator: keras.Model, monets: np.ndarray, photos: np.ndarray, steps: int, *,
    rate: float = 1e-3, policy: str = "", watch: Mapping[str, np.ndarray] | None = None, seed: int = 0,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Teach a discriminator to tell paintings from photos, both (n, h, w, 3) in [-1, 1], by BCE and Adam.

    policy: what `diff_augment` does to all images in training. watch: {name: images (n, h, w, 3)}, whose mean logits
    are noted about 20 times. Returns {"step", "loss", each name of `watch`: float array}.
    """

    def loss_of(real, fake, draws):
        of_real, of_fake = (discriminator(diff_augment(x, draws, policy), training=True) for x in (real, fake))
        return discriminator_loss(of_real, of_fake, kind="bce")

    rng, step = np.random.default_rng(seed), descent(discriminator, keras.optimizers.Adam(rate, 0.5), loss_of)
    watch, losses = watch or {}, []
    found: dict[str, list] = {name: [] for name in ("step", "loss", *watch)}
    for k in range(1, steps + 1):
        pair = (images[rng.integers(0, len(images), 4)] for images in (monets, photos))
        losses.append(float(step(*(tf.constant(x, tf.float32) for x in (*pair, rng.random((4, DRAWS)))))))
        if k % max(1, steps // 20) == 0:
            means = [float(tf.reduce_mean(discriminator(x))) for x in watch.values()]
            for values, value in zip(found.values(), (k, np.mean(losses), *means), strict=True):
                values.append(value)
            losses = []
    return {name: np.array(values) for name, values in found.items()}


def drawing(places: Mapping[str, tuple], arrows: Sequence[tuple], title: str, size: tuple[float, float]) -> Figure:
    """A Figure of a data flow: boxes for networks, rounded frames for data, arrows between them.

    places: {name: (column, row, text, "net" or the frame's name in COLORS or None)}; arrows: (from, to) or
    (from, to, label), by names of `places`; size: inches.
    """
    with figure_style():
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        drawn = {}
        for name, (column, row, text, kind) in places.items():
            box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": COLORS.get(kind, "0.3")}
            box |= {"boxstyle": "square,pad=0.5", "facecolor": "0.92"} if kind == "net" else {}
            width = 2.5 if kind in COLORS else 1.2
            drawn[name] = axis.text(column, -row, text, ha="center", va="center", bbox=box | {"linewidth": width})
        for start, end, *label in arrows:
            arrow = {"arrowstyle": "->", "lw": 1.3, "color": "0.2", "shrinkA": 4, "shrinkB": 4}
            arrow |= {"patchA": drawn[start].get_bbox_patch(), "patchB": drawn[end].get_bbox_patch()}
            (x0, y0), (x1, y1) = ((places[k][0], -places[k][1]) for k in (start, end))
            axis.annotate("", (x1, y1), (x0, y0), arrowprops=arrow)
            beside = {"ha": "left"} if x0 == x1 else {"ha": "center", "va": "bottom"}
            where = ((x0 + x1) / 2 + 0.06 * (x0 == x1), (y0 + y1) / 2 + 0.04)
            for text in label:
                axis.text(*where, text, fontsize=9, style="italic", **beside)
        columns, rows = (max(place[k] for place in places.values()) for k in (0, 1))
        axis.set(xlim=(-0.5, columns + 0.5), ylim=(-rows - 0.5, 0.5), title=title)
        axis.axis("off")
    return figure


QUICK = 0.3  # seconds: a figure drawn faster than this follows a slider, a slower one waits until the slider is let go
# Live controls have the same figure under them: JupyterLab and Notebook 7 then hide the still one. Screen readers find
# the alt text beside the controls, as an Image widget has none (and breaks when it gets a tooltip).
EXPLORER_STYLE = """<style>
.jp-OutputArea-child:has(+ .jp-OutputArea-child .monet-explorer) { display: none; }
.monet-explorer .monet-alt { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.monet-explorer .widget-readout { min-width: 44px; }
.monet-explorer .widget-image { align-self: flex-start; margin: 6px 0 0; }
</style>"""


class Explorer(dict):
    """The controls of a figure by name; `redraw()` draws the figure from their values."""

    def __init__(self, controls: Mapping[str, Any], redraw: Callable[[], None]) -> None:
        super().__init__(controls)
        self.redraw = redraw

    def __repr__(self):
        return ", ".join(f"{name}={control.value}" for name, control in self.items())


def explore(draw: Callable, alt: str, **controls: Any) -> Explorer:
    """Show draw(**start values), and in a running notebook controls over it. Returns the controls as an Explorer.

    draw: called with a value for each control; returns a Figure or an image (h, w, 3).
    controls: name=(low, high, start) for a slider (integers or floats), name=[a, b, ...] for a choice.
    An error is raised, and written under the control that was moved. Without ipywidgets the Explorer is empty.
    """
    starts = {name: values[2] if isinstance(values, tuple) else values[0] for name, values in controls.items()}
    data, format = encode(draw(**starts))
    display(DisplayImage(data=data, format=format, alt=alt))
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to move the controls of this figure.")
        return Explorer({}, lambda: None)
    made = {name: _control(ipywidgets, name, values) for name, values in controls.items()}
    image = ipywidgets.Image(value=data, format=format)
    hidden = f'{EXPLORER_STYLE}<span class="monet-alt">{html.escape(alt)}</span>'
    message = ipywidgets.HTML(hidden)

    def redraw():
        start = time.perf_counter()
        image.value, image.format = encode(draw(**{name: control.value for name, control in made.items()}))
        quick = time.perf_counter() - start < QUICK
        for control in made.values():
            if hasattr(control, "continuous_update"):
                control.continuous_update = quick

    def moved(_):
        message.value = hidden
        try:
            redraw()
        except Exception as error:  # a page shows no traceback: the old figure stays, and the error is written
            message.value = f"{hidden}<b>{html.escape(f'{type(error).__name__}: {error}')}</b>"
            raise

    for control in made.values():
        control.observe(moved, "value")
    row = ipywidgets.Box([*made.values()], layout={"flex_flow": "row wrap"})
    bundle = ipywidgets.VBox([row, message, image]).add_class("monet-explorer")._repr_mimebundle_()
    display({**bundle, "text/plain": "Run this cell to move the controls of this figure."}, raw=True)
    return Explorer(made, redraw)


def _control(ipywidgets, name, values):
    # As many controls in a row as there is room for: 180 pixels beside the name at least.
    layout = {"flex": f"1 1 {180 + 8 * len(name)}px", "max_width": "400px", "margin": "2px 16px 2px 2px"}
    common = {"description": name.replace("_", " "), "style": {"description_width": "initial"}, "layout": layout}
    if isinstance(values, list):
        return ipywidgets.Dropdown(options=values, value=values[0], **common)
    low, high, start = values
    common |= {"min": low, "max": high, "value": start, "continuous_update": False}
    if all(isinstance(value, int) for value in values):
        return ipywidgets.IntSlider(**common)
    return ipywidgets.FloatSlider(step=(high - low) / 50, **common)
