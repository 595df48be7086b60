"""Lesson 2: sizes of its trainings, a one-dimensional game, figures; then the checks of its exercises."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.course.checks import Wrong, answer_of, exercise, expect_close, expect_shape, refuse_if
from monet_lib.course.tools import drawing
from monet_lib.figures import COLORS, figure_style
from monet_lib.model import losses
from monet_lib.model.discriminators import dcgan_discriminator
from monet_lib.model.generators import dcgan_generator

# What a recipe trains: pixels, filters of the generator and of the discriminator, batch and steps, of the comparisons
# ("size", "steps") and of the longer run ("large", "long"), and the seeds of a comparison.
SCALES = {
    "tiny": {"size": 32, "filters": (16, 8), "batch": 8, "steps": 6, "large": 32, "large_filters": (16, 8),
             "long": 10, "seeds": (0, 1)},
    "laptop": {"size": 32, "filters": (64, 32), "batch": 16, "steps": 300, "large": 64, "large_filters": (128, 32),
               "long": 1000, "seeds": (0, 1)},
    "full": {"size": 64, "filters": (128, 32), "batch": 32, "steps": 1000, "large": 128, "large_filters": (512, 64),
             "long": 20000, "seeds": (0, 1, 2)},
}  # fmt: skip
LATENT = 64
# What both sides pay if the discriminator answers the same to everything, with labels 0.9 and 0: its best constant
# answer is p = 0.45. The discriminator's price is the sum of its two sides.
BLIND = {
    "generator": float(-np.log(0.45)),
    "discriminator": float(-(0.9 * np.log(0.45) + 1.1 * np.log(0.55))),
}


def gan_figure() -> Figure:
    """A GAN's data flow: noise to generator to fake; fake and real painting to discriminator; one logit."""
    places = {  # see `drawing`
        "noise": (0, 1, "latent z\nrandom numbers", None),
        "G": (1, 1, "generator G", "net"),
        "fake": (2, 1, "G(z)\na fake", None),
        "real": (2, 0, "x\na real painting", "monet"),
        "D": (3, 0.5, "discriminator D", "net"),
        "answer": (4, 0.5, "logit\nhigh: real", None),
    }
    arrows = [("noise", "G"), ("G", "fake"), ("fake", "D"), ("real", "D"), ("D", "answer")]
    return drawing(places, arrows, "A GAN: the discriminator gets real paintings and fakes in turn", (10, 2.6))


def density(x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """The density of N(mean, deviation²) at x."""
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


@figure_style()
def game_figure(x: np.ndarray, real: np.ndarray, fake: np.ndarray, best: np.ndarray, learnt: np.ndarray) -> Figure:
    """Left: the densities of real and fake numbers. Right: the best discriminator by formula and the trained one."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left.plot(x, real, color=COLORS["monet"], label="real numbers")
    left.plot(x, fake, "--", color="0.3", label="fakes")
    left.set(title="Two densities", xlabel="number", ylabel="density")
    right.plot(x, best, color="black", lw=3, alpha=0.35, label="p / (p + q)")
    right.plot(x, learnt, ":", color="black", lw=2, label="a trained network")
    right.set(title="Probability that a number is real", xlabel="number", ylim=(-0.03, 1.03))
    for axis in (left, right):
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure


REAL, FAKE = (1.0, 0.5), (-0.5, 0.8)  # (mean, deviation) of the real numbers and, at the start, of the fakes


def chase(steps: int, frozen: bool) -> np.ndarray:
    """The places of 200 fake numbers that climb log D, D the best discriminator of two bell curves: (steps + 1, 200).

    frozen: D stays that of the start. Otherwise D is the best discriminator of the current fakes, whose bell curve is
    fitted anew at every step.
    """
    path = [np.random.default_rng(0).normal(*FAKE, 200)]
    for _ in range(steps):
        x = path[-1]
        mean, deviation = FAKE if frozen else (x.mean(), max(x.std(), 0.05))
        log_ratio = np.log(density(x, mean, deviation) + 1e-300) - np.log(density(x, *REAL) + 1e-300)
        slope = (x - mean) / deviation**2 - (x - REAL[0]) / REAL[1] ** 2  # of the logit
        path.append(x + 0.05 * slope / (1 + np.exp(-log_ratio)))  # d log D = (1 - D) d logit
    return np.array(path)


@figure_style()
def chase_figure(paths: Mapping[str, np.ndarray]) -> Figure:
    """The paths of fake numbers over steps, one panel for each {title: path}, over two deviations of real numbers."""
    figure, grid = plt.subplots(1, len(paths), figsize=(10, 3.4), sharey=True, squeeze=False, layout="constrained")
    axes, (mean, deviation) = grid[0], REAL
    for axis, (title, path) in zip(axes, paths.items(), strict=True):
        band = {"color": COLORS["monet"], "alpha": 0.2, "label": "95 % of the real numbers"}
        axis.axhspan(mean - 2 * deviation, mean + 2 * deviation, **band)
        axis.plot(path[:, :60], color="0.3", lw=0.6, alpha=0.6)
        axis.set(title=title, xlabel="step")
    axes[0].set_ylabel("fake numbers")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
    return figure


def five_fold(images: np.ndarray, rng: np.random.Generator, crop: float = 0.875, noise: float = 0.05) -> np.ndarray:
    """Each image five times: as it is, upside down, mirrored, a random crop enlarged again, and with Gaussian noise.

    images: float32 (n, h, w, 3) in [-1, 1]; the result (5n, h, w, 3), copy by copy. crop: share of height and width
    kept. noise: standard deviation. S3 enlarged its set so before training. A generator learns these changes too.
    """
    images = np.asarray(images, np.float32)
    height, width = images.shape[1:3]
    rows, columns = round(height * crop), round(width * crop)
    top, left = (rng.integers(0, n + 1, len(images)) for n in (height - rows, width - columns))
    cut = np.stack([x[t : t + rows, u : u + columns] for x, t, u in zip(images, top, left, strict=True)])
    enlarged = ops.convert_to_numpy(ops.image.resize(cut, (height, width), data_format="channels_last"))
    noisy = np.clip(images + rng.normal(0, noise, images.shape), -1, 1).astype(np.float32)
    return np.concatenate([images, images[:, ::-1], images[:, :, ::-1], enlarged, noisy])


@figure_style()
def curves_figure(histories: Mapping[str, Any], title: str) -> Figure:
    """Generator loss, sum of the discriminator's losses and diversity over steps, for each {label: [a run a seed]}."""
    panels = {
        "generator": "generator loss",
        "discriminator": "discriminator loss (sum)",
        "diversity": "diversity (1: like paintings)",
    }
    dashes = ("-", "--", ":", "-.", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))  # of the runs
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for axis, (name, label) in zip(axes, panels.items(), strict=True):
        for k, (run, seeds) in enumerate(histories.items()):
            for seed, history in enumerate(seeds):
                look = {"color": colors[k % len(colors)], "ls": dashes[k % len(dashes)], "lw": 1.5}
                named = run if seed == 0 and name == "generator" else None
                axis.plot(history["step"], history[name], label=named, **look)
        if name in BLIND:
            axis.axhline(BLIND[name], color="0.85", lw=6, zorder=0)
        axis.set(xlabel="training step", ylabel=label, ylim=(0, None))
    axes[0].set_title("pale band: a discriminator that knows nothing", fontsize=10)
    figure.legend(loc="outside lower center", ncols=3)
    figure.suptitle(title)
    return figure


@figure_style()
def spread_figure(histories: Mapping[str, Any], title: str) -> Figure:
    """Diversity at the end of each {label: [a run a seed]}: a dot for each seed and their mean as a bar."""
    figure, axis = plt.subplots(figsize=(9, 0.9 + 0.42 * len(histories)), layout="constrained")
    for row, seeds in enumerate(histories.values()):
        values = [float(np.mean(history["diversity"][-3:])) for history in seeds]
        axis.barh(row, np.mean(values), 0.6, color="0.8")
        axis.plot(values, [row] * len(values), "o", color="black")
    axis.axvline(1, color=COLORS["monet"], lw=2)
    axis.set_yticks(range(len(histories)), list(histories))
    axis.set(title=title, xlabel="diversity at the end; dots: seeds; line: real paintings", xlim=(0, None))
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    return figure


def nearest(images: np.ndarray, paintings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of (n, h, w, 3): (the nearest of `paintings` (m, h, w, 3), root mean square distance to it)."""
    a, b = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (images, paintings))
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    best = squared.argmin(1)
    return paintings[best], np.sqrt(np.maximum(squared[np.arange(len(a)), best], 0) / a.shape[1])


@exercise("Exercise 1, doublings")
def check_shapes(answer):
    wrong = list(answer) != [4, 8, 16, 32, 64, 128, 256]
    refuse_if(wrong, f"{list(answer)}: begin with the 4 of the first map and double until 256; include both ends.")


@exercise("Exercise 2, the loss of a logit")
def check_bce(answer):
    logits = np.array([-60.0, -2.0, 0.0, 3.0, 200.0])
    for target in (1.0, 0.9, 0.0):
        found = np.array([float(answer_of(answer, np.float32(x), target)) for x in logits])
        for logit, loss in zip(logits, found, strict=True):
            refuse_if(
                not np.isfinite(loss),
                f"logit {logit:g}, label {target}: {loss}. A sigmoid there is exactly 0 or 1, and its logarithm "
                "infinite: write it without the sigmoid.",
            )
        expected = np.array([float(losses.bce(np.float32(x), target)) for x in logits])
        expect_close(found, expected, f"label {target}: {{got}} instead of {{expected}}.")


@exercise("Exercise 3, a blind discriminator")
def check_blind(answer):
    p, loss = answer
    half = abs(p - 0.5) < 1e-6
    refuse_if(half, "p = 0.5 is right for labels 1 and 0. With 0.9 the answer that costs least is lower.")
    expect_close(p, 0.45, "p = {got} costs more than p = {expected}: the mean of the two labels.", 1e-3)
    expect_close(loss, BLIND["discriminator"], "the sum of both sides is {expected}, not {got}.", 1e-2)


@exercise("Exercise 4, diversity")
def check_diversity(answer):
    rng = np.random.default_rng(0)
    same = np.repeat(rng.normal(size=(1, 8, 8, 3)), 5, 0)
    other = rng.normal(0, 3, (64, 8, 8, 3)) * rng.uniform(0, 2, (8, 8, 3))
    spread = abs(float(answer_of(answer, same)))
    refuse_if(spread > 1e-6, "five copies of one picture give not 0: take the spread over images, not over pixels.")
    hint = "noise gives {got}, not {expected}: combine the spreads as a root mean square."
    expect_close(float(answer(other)), np.sqrt(other.var(0).mean()), hint, 0.05)


def greys(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """A row of squares, (24, 24 n, 3), in the greys of `values`, each in [-1, 1]."""
    return np.repeat(np.repeat(np.asarray(values, float)[None], 24, 0).repeat(24, 1)[..., None], 3, 2)


@exercise(
    "Exercise 5, a walk",
    expected=lambda: greys(np.linspace(-1, 1, 8)),
    drawn=lambda answer: greys(np.asarray(answer(np.full(1, -1.0), np.full(1, 1.0), 8))[:, 0]),
    alt="Eight grey squares in even steps, black to white",
)
def check_walk(answer):
    a, b = np.zeros(4, np.float32), np.array([0, 3, 6, 9], np.float32)
    found = np.asarray(answer_of(answer, a, b, 4))
    expect_shape(found, (4, 4), "the path")
    ends = np.allclose(found[0], a) and np.allclose(found[-1], b)
    refuse_if(not ends, "the first row must be the start and the last one the end.")
    expect_close(np.diff(found, axis=0), np.diff(np.linspace(a, b, 4), axis=0), "the steps are not equal: {got}.")


class Watched:
    """A network that notes the pictures that it is shown."""

    def __init__(self, network: keras.Model) -> None:
        self.network, self.seen, self.trainable_variables = network, [], network.trainable_variables

    def __call__(self, x: Any, training: bool = False) -> Any:
        self.seen.append(np.asarray(x))
        return self.network(x, training=training)


@exercise("Exercise 6, a broken GAN")
def check_repaired(answer):
    keras.utils.set_random_seed(0)
    generator, discriminator = dcgan_generator(8, 16, 16), dcgan_discriminator(16, 4, dropout=0.0)
    untouched = dcgan_discriminator(16, 4, dropout=0.0)  # a copy of the discriminator before the step
    untouched.set_weights(discriminator.get_weights())
    watched = Watched(discriminator)
    real = np.random.default_rng(0).choice([-1.0, 1.0], (6, 16, 16, 3)).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    before = float(np.mean(untouched(generator(noise, training=True))))
    answer(generator, watched, [keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)], real, noise)
    after = float(np.mean(untouched(generator(noise, training=True))))
    left = []
    if not any(x.shape == real.shape and np.allclose(x, real) for x in watched.seen):
        left.append("the discriminator must see real pictures as they are, in [-1, 1], not in another range")
    if after <= before:
        left.append("the generator's step should make the discriminator take its fakes for real more, not less")
    if all(np.array_equal(a, b) for a, b in zip(untouched.get_weights(), discriminator.get_weights(), strict=True)):
        left.append("the discriminator's weights have not moved: it must take a step of its own")
    if left:
        raise Wrong(f"{len(left)} of 3 bugs left. Look at this one: {left[0]}.")
