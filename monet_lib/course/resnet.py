"""Lesson 4: its trainings, checkerboards, patches, style statistics, sick runs, figures; its exercises' checks."""

import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from matplotlib import patches
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.config import Config
from monet_lib.course.checks import answer_of, close, exercise, expect_shape, refuse_if
from monet_lib.course.tools import short_run
from monet_lib.course.unet import Images, Jury
from monet_lib.data import find_images, load, split
from monet_lib.figures import COLORS, figure_style
from monet_lib.files import UserError
from monet_lib.model import receptive_field, upsample, with_border
from monet_lib.model.imagenet import squeezenet_maps
from monet_lib.paint import paint_all
from monet_lib.recipes import profile
from monet_lib.score import Score, scene_kept

PATCHGAN = [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]  # (kernel, stride) of the paper's discriminator


class Settings(NamedTuple):
    """How long lesson 4 trains, and where."""

    name: str  # of the run's folder, where lesson 5 looks for it
    quick: Config  # of the learner's own run
    unet: Config  # of the short run with a U-Net in its place
    teach: int = 600  # steps of a discriminator that learns by heart, for each of `seeds`
    pull: int = 20  # steps of the pixels that are pulled towards a judge's features
    descents: int = 40  # steps of each photo's pixels to a painting's statistics
    ablate: int = 150  # steps of a run in the last exercise
    seeds: tuple[int, ...] = (0, 1)


# Changes that make every part run in seconds, for the tests: what comes out are no pictures.
SMALL = {
    "image_size": 32, "generator_filters": 4, "residual_blocks": 1, "discriminator_filters": 4,
    "feature_discriminator": 0.0, "features": "random-conv",
}  # fmt: skip


def settings(config: Config, root: str | Path) -> tuple[Settings, Images, Images]:
    """(Settings, images to train on, images held out), of the images in `root`; prints the counts.

    A third of each set, at most 60 paintings and 100 photos, is held out: the same images that `train` holds out.
    """
    tiny, kept, out, held = config.profile == "tiny", {}, {}, {}
    for name, most in (("monet", 60), ("photo", 100)):
        pixels = load(find_images(root, name))[1]
        held[f"holdout_{name}s"] = count = min(4 if tiny else most, len(pixels) // 3)
        inside, outside = split(len(pixels), count, config.seed)
        kept[name], out[name] = pixels[inside], pixels[outside]
        print(f"{name}s: {len(inside)} to train on, {len(outside)} held out")

    def runs(recipe: str, steps: int, **changes: Any) -> tuple[Config, Config]:
        every = {"validate_every": max(4, steps // 6), "checkpoint_every": max(2, steps // 2)}
        quick = profile(recipe, seed=config.seed, steps=steps, **held, **every, **changes)
        return quick, quick.with_(model="unet", unet_depth=3 if tiny else 5, steps=max(2, steps // 3), validate_every=0)

    if tiny:
        plan = Settings("lesson4-tiny", *runs("quick", 4, **SMALL), teach=2, pull=1, descents=1, ablate=2, seeds=(0,))
    elif config.profile == "full":
        plan = Settings("lesson4", *runs("full", 30000), teach=2000, pull=60, descents=100, ablate=2000)
    else:
        plan = Settings("lesson4", *runs("quick", 1200))
    return plan, kept, out


def overlaps(size: int, kernel: int, stride: int) -> np.ndarray:
    """How many strokes of a transposed convolution cover each of its output positions: int (size * stride,)."""
    begins = np.zeros(stride * (size - 1) + 1, int)
    begins[::stride] = 1
    cut = (kernel - stride) // 2  # padding "same" cuts the rim
    return np.convolve(begins, np.ones(kernel, int))[cut : cut + size * stride]


def unevenness(images: np.ndarray, period: int = 2) -> float:
    """How far the means of the positions of a period x period grid lie apart, without the rim: 0 is no checkerboard."""
    x = np.asarray(images, np.float64)[:, 8:-8, 8:-8]
    means = [x[:, i::period, j::period].mean((1, 2)) for i in range(period) for j in range(period)]
    return float(np.std(means, axis=0).mean())


def checkerboards(seeds: int = 12) -> tuple[list[np.ndarray], dict[str, float]]:
    """What fresh layers that double the size make of a constant: transposed convolutions, and one that resizes first.

    Returns (16 px of each, enlarged, in [-1, 1]; {layer: `unevenness` as a share of the mean absolute value}).
    """
    flat, pictures, uneven = np.ones((1, 32, 32, 8), np.float32), [], {}
    for size, how in ((3, "transpose"), (4, "transpose"), (3, "resize")):
        made = []
        for seed in range(seeds):
            keras.utils.set_random_seed(seed)
            made.append(np.asarray(upsample(3, size=size, norm="none", how=how, activation="linear")(flat))[0])
        uneven[f"{how} {size}×{size}"] = unevenness(np.stack(made)) / np.abs(made).mean()
        part = made[0][16:32, 16:32] / np.abs(made[0]).max()
        pictures.append(part.repeat(16, 0).repeat(16, 1))
    return pictures, uneven


@figure_style()
def patch_figure(image: np.ndarray, row: int, column: int) -> Figure:
    """A painting, uint8 (256, 256, 3), with the patch behind one of its 30x30 answers marked, and the patch alone."""
    top, left = 8 * row - 23, 8 * column - 23  # patches of 70 px, 8 px apart; the first begins outside of the image
    inside = tuple(slice(max(0, start), min(len(image), start + 70)) for start in (top, left))
    figure, (whole, part) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    whole.imshow(image, extent=(0, 256, 256, 0))
    for width, color, dashes in ((2.5, "white", "-"), (1.2, "black", "--")):
        whole.add_patch(patches.Rectangle((left, top), 70, 70, fill=False, lw=width, ec=color, ls=dashes))
    whole.set(title=f"answer ({row}, {column}) of 30×30", xlim=(-30, 286), ylim=(286, -30))
    whole.set(xlabel="pixels", ylabel="pixels")
    whole.grid(False)
    part.imshow(seen := image[inside])
    part.set(title=f"what it sees: {len(seen)}×{seen.shape[1]} pixels", xticks=[], yticks=[])
    return figure


def emptied(name: str) -> Path:
    """runs/NAME, without what an earlier run of the lesson has left there."""
    shutil.rmtree(folder := Path("runs") / name, ignore_errors=True)
    return folder


def compared(ways: Mapping[str, np.ndarray], jury: Jury) -> dict[str, dict[str, Score]]:
    """Print and return the scores of ways to paint, {name: uint8 (n, h, w, 3)}; "photo" is untouched."""
    lite, other = jury.names
    table = {name: jury(images) for name, images in ways.items()}
    print(f"{'':17} {'KID, Lite0':>15} {'SqueezeNet, photo = 1':>23} {'scene kept':>12}")
    for name, found in table.items():
        kid, share = found[lite], found[other].kid / table["photo"][other].kid
        kept = scene_kept(ways["photo"], ways[name])
        print(f"{name:17} {kid.kid:7.3f} ± {kid.kid_std:.3f} {share:23.2f} {kept:12.2f}")
    return table


@figure_style()
def heart_figure(runs: Mapping[str, Any]) -> Figure:
    """The mean logits of `teach_discriminator`, one panel for each {title: [a result a seed]}, with a common axis."""
    orange, blue = COLORS["monet"], COLORS["photo"]
    lines = {"seen": ("paintings trained on", "-", orange), "held": ("paintings never met", "--", orange),
             "photo": ("photos", ":", blue)}  # fmt: skip
    figure, axes = plt.subplots(1, len(runs), figsize=(10, 4), sharey=True, layout="constrained")
    for axis, (title, seeds) in zip(axes, runs.items(), strict=True):
        for k, found in enumerate(seeds):
            for name, (label, style, color) in lines.items():
                named = label if k == 0 and axis is axes[0] else None
                axis.plot(found["step"], found[name], style, color=color, label=named)
        axis.set(title=title, xlabel="training step")
    axes[0].set_ylabel("mean logit (above 0: a painting)")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def kernel_gap(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """KID of features (n, d) and (m, d) in one draw of all, as a scalar with a gradient: see `kernel_distance`."""

    def within(z):
        table, n = (tf.matmul(z, z, transpose_b=True) / z.shape[1] + 1) ** 3, z.shape[0]
        return (tf.reduce_sum(table) - tf.linalg.trace(table)) / (n * (n - 1))

    between = tf.reduce_mean((tf.matmul(x, y, transpose_b=True) / x.shape[1] + 1) ** 3)
    return within(x) + within(y) - 2 * between


CONTENT, STYLE = 4, (0, 2, 4, 6)  # which of SqueezeNet's eight maps are kept, and whose statistics are the painting's
STYLE_WEIGHT, RATE, BATCH = 30.0, 3.0, 8


def style_statistics(
    photos: np.ndarray, paintings: np.ndarray, steps: int, more: Callable[[float], bool] = lambda share: False
) -> np.ndarray:
    """Gatys et al. 2016: the pixels of photo k descend to the Gram matrices of painting k, in SqueezeNet's maps.

    photos, paintings: uint8 (n, h, w, 3). Returns uint8 (n, h, w, 3). Nothing is trained. Each batch of photos takes
    `steps` steps, and further ones while more(the share of the photos that will be done after the batch).
    """

    @tf.function
    def descend(pixels, first, second, content, grams, step):
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            maps = squeezenet_maps(pixels)
            loss = tf.reduce_mean((maps[CONTENT] - content) ** 2) / tf.reduce_mean(content**2)
            for k, gram in zip(STYLE, grams, strict=True):
                apart = tf.reduce_mean((_gram(maps[k]) - gram) ** 2) / tf.reduce_mean(gram**2)
                loss += STYLE_WEIGHT * apart / len(STYLE)
        gradient = BATCH * tape.gradient(loss, pixels)
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2  # Adam's moments
        slope = first / (1 - 0.9**step) / (tf.sqrt(second / (1 - 0.99**step)) + 1e-8)
        return tf.clip_by_value(pixels - RATE * slope, 0.0, 255.0), first, second

    painted = []
    for start in range(0, len(photos), BATCH):
        rows = np.arange(start, start + BATCH) % len(photos)  # the last batch is filled up
        pixels, targets = (tf.constant(images[rows], tf.float32) for images in (photos, paintings))
        content, styles = squeezenet_maps(pixels)[CONTENT], squeezenet_maps(targets)
        grams, state, step = [_gram(styles[k]) for k in STYLE], (pixels, *[tf.zeros_like(pixels)] * 2), 0
        while step < steps or more((start + BATCH) / len(photos)):
            step += 1
            state = descend(*state, content, grams, tf.constant(float(step)))
        painted.append(np.asarray(state[0]).round().astype("uint8"))
    return np.concatenate(painted)[: len(photos)]


def _gram(x):
    flat = tf.reshape(x, (tf.shape(x)[0], -1, x.shape[-1]))
    return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[1], "float32")


@figure_style()
def validation_figure(rows: np.ndarray, levels: Mapping[str, Score], features: str) -> Figure:
    """KID of a run over its steps, with bars, over levels, {name: Score} of other ways. rows: of validation.csv."""
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    axis.errorbar(*rows[:, :2].T, rows[:, 2], color="black", marker="o", capsize=3, label="this run")
    for (name, score), (color, dashes) in zip(levels.items(), (("#0072B2", "--"), ("#009E73", ":")), strict=True):
        axis.axhline(score.kid, color=color, ls=dashes, label=name)
        axis.axhspan(score.kid - score.kid_std, score.kid + score.kid_std, color=color, alpha=0.12, lw=0)
    axis.set(title="Distance to held-out paintings", xlabel="training step", ylabel=f"KID ({features})")
    figure.legend(loc="outside lower center", ncols=4)
    return figure


FAULTS_FILE = Path(__file__).with_name("faults.npz")  # made by tools/keep_faults.py
FAULT_STEPS = 480
# {letter: (what is wrong, where to look again)}
FAULTS = {
    "A": ("a resume that restored the generators alone", "compare both halves of its curves"),
    "B": ("photos scaled to [0, 1]", "look at the photo before the painting"),
    "C": ("the discriminator's labels swapped", "which of its losses should work against each other?"),
    "D": ("a learning rate far too high", "the picture alone tells it; then see when its curves stop moving"),
    "E": ("transposed convolutions", "the curves are inconspicuous; look at the picture from near"),
    "F": ("a cycle weight far too high", "compare painting and photo, and its cycle loss with the healthy run's"),
}
CURVES = {"monet_generator": "generator: fool", "monet_discriminator": "discriminator: tell apart", "cycle": "cycle"}


def read_faults() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{"healthy" or a letter of FAULTS: (curves (3, n) of CURVES, picture uint8 (64, 128, 3))}."""
    with np.load(FAULTS_FILE) as file:
        picture = lambda letter: np.asarray(Image.open(io.BytesIO(file[f"{letter} picture"].tobytes())))  # noqa: E731
        return {x: (file[f"{x} curves"].astype("float32"), picture(x)) for x in ("healthy", *FAULTS)}


@figure_style()
def faults_figure(runs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Curves of each run of `read_faults` over a photo and its painting; the last place is the legend's."""
    figure = plt.figure(figsize=(13, 9.6), layout="constrained")
    cells = figure.subfigures(2, 4)
    styles = ({"color": COLORS["monet"]}, {"color": "black"}, {"color": "#009E73", "ls": "--"})
    for cell, (letter, (curves, picture)) in zip(cells.flat, runs.items(), strict=False):
        upper, lower = cell.subplots(2, 1, height_ratios=(1, 1))
        for curve, style in zip(curves, styles, strict=True):
            upper.plot(np.linspace(0, FAULT_STEPS, len(curve)), np.clip(curve, 0, 1.2), lw=1.2, **style)
        upper.axhline(0.25, color="0.5", ls=":", lw=1)
        upper.set(title=letter, ylim=(0, 1.2), xlabel="step")
        lower.imshow(picture, interpolation="nearest")
        lower.set(xticks=[], yticks=[], xlabel="photo | painting")
        lower.grid(False)
    last = cells.flat[-1].subplots()
    last.axis("off")
    for label, style in zip(CURVES.values(), styles, strict=True):
        last.plot([], [], label=label, **style)
    last.plot([], [], color="0.5", ls=":", label="knows nothing: 0.25")
    last.legend(loc="center", title="losses, cut at 1.2")
    return figure


BLOCK_BUGS = {
    "padding": "at the rim of the picture: with which values should a convolution be fed beyond the edge?",
    "order": "inside F: at its norm's output half of all values are negative. What should happen to these?",
    "after": "at the very end: give the block an F of zeros. Are negative values of x handed on?",
}


def residual_block(x: np.ndarray, first: np.ndarray, second: np.ndarray, bugs: Sequence[str] = ()) -> np.ndarray:
    """x + F(x) in NumPy, F as in `layers.ResidualBlock`, with some of BLOCK_BUGS; "padding 1" and "padding 2" are one.

    x: (n, h, w, c); first, second: kernels (3, 3, c, c). Returns (n, h, w, c).
    """

    def convolved(y, kernel, padding):
        y = np.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)), "constant" if padding in bugs else "reflect")
        seen = np.lib.stride_tricks.sliding_window_view(y, (3, 3), (1, 2))
        return np.einsum("nhwcij,ijcd->nhwd", seen, kernel)

    def normed(y):
        return (y - y.mean((1, 2), keepdims=True)) / (y.std((1, 2), keepdims=True) + 1e-5)

    y = convolved(x, first, "padding 1")
    y = normed(np.maximum(y, 0)) if "order" in bugs else np.maximum(normed(y), 0)
    y = x + normed(convolved(y, second, "padding 2"))
    return np.maximum(y, 0) if "after" in bugs else y


@exercise("Exercise 1, a residual block to repair")
def check_block(answer):
    rng = np.random.default_rng(0)
    x, (first, second) = rng.normal(size=(2, 6, 6, 3)), rng.normal(0, 0.3, (2, 3, 3, 3, 3))
    found = np.asarray(answer_of(answer, x, first, second))
    expect_shape(found, x.shape)
    flags = ("padding 1", "padding 2", "order", "after")
    for chosen in np.ndindex(2, 2, 2, 2):
        bugs = [flag for flag, on in zip(flags, chosen, strict=True) if on]
        if np.allclose(found, residual_block(x, first, second, bugs), atol=1e-4):
            left = list(dict.fromkeys(bug.split()[0] for bug in bugs))
            return {f"{len(left)} of 3 bugs left. Look {BLOCK_BUGS[left[0]]}": True} if left else {}
    bare = np.allclose(found, residual_block(x, first, second) - x, atol=1e-4)
    return {"the input has got lost: that is F(x) alone.": bare,
            "this block has none of the three bugs and is not right either. Undo the last change: which of the steps "
            "pad, convolve, norm, ReLU, pad, convolve, norm is missing or stands twice?": True}  # fmt: skip


def rings() -> np.ndarray:
    """One picture of rings twice, the second with a quarter of the contrast: (2, 96, 96, 1)."""
    places = np.linspace(-1, 1, 96)
    picture = np.cos(12 * np.hypot(*np.meshgrid(places, places)))[..., None]
    return np.stack([picture, picture / 4])


def side_by_side(normed: np.ndarray) -> np.ndarray:
    """Two maps (2, h, w, 1), values within two deviations, as one grey picture (h, 2 w, 3)."""
    return np.repeat(np.clip(np.concatenate(np.asarray(normed, float), 1) / 2, -1, 1), 3, -1)


@exercise(
    "Exercise 2, instance norm",
    expected=lambda: side_by_side(np.stack([(x - x.mean()) / x.std() for x in rings()])),
    drawn=lambda answer: side_by_side(answer(rings())),
    alt="Two equal pictures of rings, although the second one came with a quarter of the first one's contrast",
)
def check_instance_norm(answer):
    x = np.random.default_rng(0).normal(3, 2, (2, 6, 6, 3)) * np.array([1.0, 5.0, 0.2])
    x[1] *= 4
    found = np.asarray(answer_of(answer, x))
    expect_shape(found, x.shape)
    normed, whole = (lambda axes: (x - x.mean(axes, keepdims=True)) / x.std(axes, keepdims=True)), (1, 2)
    spread, share = x.std(whole, keepdims=True), (x - x.min(whole, keepdims=True)) / np.ptp(x, whole, keepdims=True)
    wrong = {
        "that is batch norm: the two images share their mean and deviation.": normed((0, 1, 2)),
        "that is layer norm: the three channels share one mean and deviation.": normed((1, 2, 3)),
        "one mean and deviation for everything: images and channels must stay apart.": normed((0, 1, 2, 3)),
        "the pixels of one place are normed over the channels: a place is then normed by itself.": normed(3),
        "each row is normed alone, or each column: the statistics are of a whole map.": [normed(1), normed(2)],
        "the contrast is still in it: the brighter image stays the stronger one.": normed(whole) * spread,
        "the mean is still in it.": x / spread,
        "divided by the variance: in which unit is it, and in which are the values?": normed(whole) / spread,
        "that brings minimum and maximum to fixed values: one bright pixel then decides how pale all others are.":
            [share, 2 * share - 1],
    }  # fmt: skip
    last = "each channel of each image should have mean 0 and deviation 1."
    return close(found, wrong, 1e-2) | {last: not np.allclose(found, normed(whole), 1e-2, 1e-2)}


@exercise("Exercise 3, the receptive field")
def check_field(answer):
    def folded(layers, step, size=1):
        for kernel, stride in layers:
            size = step(size, kernel, stride)
        return size

    need = lambda n, k, s: (n - 1) * s + k  # noqa: E731
    cases = ([(3, 1), (3, 1)], [(7, 1), (3, 2), (3, 2)], [(4, 2)] * 2 + [(4, 1)] * 2, PATCHGAN)
    found = [answer_of(answer, list(layers)) for layers in cases]
    wrong = {
        "a layer after a stride of 2 counts too little: a step at its input is 2 pixels of the image.":
            lambda x: 1 + sum(k - 1 for k, _ in x),
        "the kernels' sum counts pixels twice that two neighbouring kernels share.": lambda x: sum(k for k, _ in x),
        "the kernels' product is right for no stack: try two layers (3, 1) on paper.":
            lambda x: np.prod([k for k, _ in x]),
        "that begins at the image. One answer is at the other end.": lambda x: folded(x, need),
        "too large: even two layers of (3, 1) see only 5 pixels. How many strides lie between n values?":
            lambda x: folded(x[::-1], lambda n, k, s: n * s + k),
        "that is how far apart neighbouring patches lie, not how wide they are.": lambda x: np.prod([s for _, s in x]),
        "right for the PatchGAN only: it must follow from `layers`.": lambda x: 70,
    }  # fmt: skip
    hints = {hint: all(n == rule(x) for n, x in zip(found, cases, strict=True)) for hint, rule in wrong.items()}
    for size, layers in zip(found, cases, strict=True):
        right, kind = receptive_field(layers), type(size).__name__
        hints[f"one number is wanted, the side of the patch, not a {kind}."] = not np.isscalar(size)
        hints[f"{layers}: {size} pixels, not {right}. Draw the layers as rows of dots, and count."] = size != right
    return hints


@exercise("Exercise 4, the learning rate")
def check_rate(answer):
    steps = np.array([0, 25, 50, 75, 99, 100])
    rate = lambda *given: float(answer_of(answer, *given))  # noqa: E731
    found, right = [rate(int(step), 2.0, 50, 100) for step in steps], 2 * np.clip((100 - steps) / 50, 0, 1)
    early, late, other = rate(10, 2.0, 50, 100), rate(120, 2.0, 50, 100), rate(150, 4.0, 100, 200)
    at_once = 2 * (1 - steps / 100)
    wrong: dict[str, Any] = {
        "it never falls.": np.full(6, 2),
        "it falls from the first step on: `constant` has no effect.": at_once,
        "it jumps to 0 instead of falling in a line.": [2 * (steps <= 50), 2 * (steps < 50)],
        "it jumps down where it should begin to fall: at step 51 it is already at half.":
            np.where(steps < 50, 2, at_once),
        "that is a share of the rate, from 1 to 0. Where is `start`?": right / 2,
        "it rises: the share that is left is wanted, not the share that is done.": 2 - right,
        "it falls along a cosine. The paper's falls along a straight line.": 1 - np.cos(np.pi * right / 2),
    }  # fmt: skip
    above = f"at step 10 it is {early:g}, more than `start`: before the decay begins the rate must stay at `start`."
    hints = close(found, wrong, 1e-6) | {above: early > 2.0 + 1e-9}
    for step, got, wanted in zip(steps, found, right, strict=True):
        hints[f"start 2, constant 50, total 100: {got:g} at step {step}, not {wanted:g}."] = abs(got - wanted) > 1e-4
    return hints | {
        "beyond the last step the rate is negative: training would climb.": late < 0,
        f"start 4, constant 100, total 200: {other:g} at step 150. Are numbers fixed?": abs(other - 2) > 1e-6,
    }


@exercise("Exercise 5, find the fault")
def check_faults(answer):
    names = [name for name, _ in FAULTS.values()]
    refuse_if(not isinstance(answer, Mapping), "give a dict: each letter with the name of its fault.")
    refuse_if(missing := [letter for letter in FAULTS if letter not in answer], f"{', '.join(missing)}: still without.")
    for letter, name in answer.items():
        refuse_if(letter not in FAULTS, f"{letter!r} is no run of the figure.")
        refuse_if(name not in names, f"{letter}: {name!r} is none of the names. They are: {'; '.join(sorted(names))}.")
    given = list(answer.values())
    wrong = [letter for letter, (name, _) in FAULTS.items() if answer[letter] != name]
    hints = {f"{name!r} stands twice: every fault belongs to one run.": given.count(name) > 1 for name in names}
    return hints | {f"{6 - len(wrong)} of 6 are right. {letter}: {FAULTS[letter][1]}.": True for letter in wrong}


# Settings that change nothing of what a run learns in the exercise's fixed number of steps.
IDLE = ("profile", "steps", "epochs", "holdout_monets", "holdout_photos", "fit_schedule", "log_every", "patience",
        "checkpoint_every", "keep", "validate_every", "features", "precision")  # fmt: skip


@exercise("Exercise 6, an ablation")
def check_ablation(answer):
    (runs, seeds), usual = answer, profile("quick")
    enough = isinstance(runs, dict) and len(runs) >= 3
    refuse_if(not enough, "give at least three runs: one to compare with, {}, and two that change something.")
    refuse_if({} not in runs.values(), "nothing to compare with: one run must change nothing, {}.")
    for name, setting in runs.items():
        both = " and ".join(setting)
        refuse_if(len(setting) > 1, f"{name!r} changes {both} at once: a difference could come from either.")
        refuse_if("seed" in setting, f"{name!r} changes the seed: that measures chance. my_seeds does it for all runs.")
        idle = f"{name!r}: {both} changes nothing of what is learnt in a fixed number of steps."
        refuse_if(set(setting) & set(IDLE), idle)
        refuse_if("start_from" in setting, f"{name!r} starts from trained weights: it has had more training.")
        try:
            same = setting and usual.with_(**setting) == usual
        except UserError as error:
            return {f"{name!r}: {error}": True}
        refuse_if(same, f"{name!r} sets {both} to the value that it has anyway.")
    settings = {tuple(sorted(setting.items())) for setting in runs.values()}
    chance = "one seed can't tell an effect from chance: take at least two different ones."
    return {"two of the runs are the same.": len(settings) < len(runs), chance: len(set(seeds)) < 2}


def ablation(
    runs: Mapping[str, Mapping], seeds: Sequence[int], config: Config, steps: int, kept: Images, out: Images
) -> list[dict[str, Any]]:
    """Train every run, {name: changes to config}, with every seed; prints and returns a table, {"run", "seed 0", ...}.

    Its numbers are KIDs by SqueezeNet, which no training has looked through, as shares of the untouched photos' KID.
    """
    jury = Jury(out["monet"])
    untouched = jury(out["photo"])["squeezenet"].kid
    rows = []
    for name, changes in runs.items():
        row: dict[str, Any] = {"run": name}
        for seed in seeds:
            model, _ = short_run(config.with_(seed=seed, **changes), kept["monet"], kept["photo"], steps)
            painted = paint_all(with_border(model.painter, config.border), out["photo"])
            row[f"seed {seed}"] = round(jury(painted)["squeezenet"].kid / untouched, 2)
        print(row, flush=True)
        rows.append(row)
    return rows
