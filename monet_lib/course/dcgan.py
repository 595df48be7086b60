"""Lesson 2: sizes of its trainings, a one-dimensional game, figures.

Lesson 2's exercises: what is tested of an answer, and what each wrong one is told."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.figures import COLORS, figure_style
from monet_lib.model import losses
from monet_lib.model.discriminators import dcgan_discriminator
from monet_lib.model.generators import dcgan_generator

# course.dcgan
# What a profile trains: pixels, filters of the generator and of the discriminator, batch and steps, of the comparisons
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
DASHES = ("-", "--", ":", "-.", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))  # of the runs in one figure
# What both sides pay where the discriminator answers the same to everything, with labels 0.9 and 0: its best
# constant answer is p = 0.45. The discriminator's is the sum of its two sides.
BLIND = {
    "generator": float(-np.log(0.45)),
    "discriminator": float(-(0.9 * np.log(0.45) + 1.1 * np.log(0.55))),
}


def density(x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """The density of N(mean, deviation²) at x."""
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


def game_figure(x: np.ndarray, real: np.ndarray, fake: np.ndarray, best: np.ndarray, learnt: np.ndarray) -> Figure:
    """Left: the densities of real and fake numbers. Right: the best discriminator by formula and the trained one."""
    with figure_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
        left.plot(x, real, color=COLORS["monet"], label="real numbers")
        left.plot(x, fake, "--", color="0.3", label="fakes")
        left.set(title="Two densities", xlabel="number", ylabel="density")
        left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
        right.plot(x, best, color="black", lw=3, alpha=0.35, label="p / (p + q)")
        right.plot(x, learnt, ":", color="black", lw=2, label="a trained network")
        right.set(title="Probability that a number is real", xlabel="number", ylim=(-0.03, 1.03))
        right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure


def chase(
    steps: int,
    frozen: bool,
    real: tuple[float, float] = (1.0, 0.5),
    fake: tuple[float, float] = (-0.5, 0.8),
    count: int = 200,
    rate: float = 0.05,
    seed: int = 0,
) -> np.ndarray:
    """Where fake numbers go that climb log D, D the best discriminator of two bell curves: float (steps + 1, count).

    real, fake: (mean, deviation) of the real numbers and, at the start, of the fakes. frozen: D stays that of the
    start; else it is the best against the fakes as they are now, whose bell curve is fitted anew at every step.
    """
    rng = np.random.default_rng(seed)
    path = [rng.normal(*fake, count)]
    for _ in range(steps):
        x = path[-1]
        mean, deviation = (fake[0], fake[1]) if frozen else (x.mean(), max(x.std(), 0.05))
        log_ratio = np.log(density(x, mean, deviation) + 1e-300) - np.log(density(x, *real) + 1e-300)
        slope = (x - mean) / deviation**2 - (x - real[0]) / real[1] ** 2  # of the logit
        path.append(x + rate * slope / (1 + np.exp(-log_ratio)))  # d log D = (1 - D) d logit
    return np.array(path)


def chase_figure(paths: Mapping[str, np.ndarray], real: tuple[float, float] = (1.0, 0.5)) -> Figure:
    """The paths of fake numbers over steps, one panel for each {title: path}, and the real ones' two deviations."""
    with figure_style():
        figure, grid = plt.subplots(1, len(paths), figsize=(10, 3.4), sharey=True, squeeze=False, layout="constrained")
        axes = grid[0]
        for axis, (title, path) in zip(axes, paths.items(), strict=True):
            axis.axhspan(real[0] - 2 * real[1], real[0] + 2 * real[1], color=COLORS["monet"], alpha=0.2,
                         label="95 % of the real numbers")  # fmt: skip
            axis.plot(path[:, :60], color="0.3", lw=0.6, alpha=0.6)
            axis.set(title=title, xlabel="step")
        axes[0].set_ylabel("fake numbers")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center")
    return figure


def curves_figure(histories: Mapping[str, Any], title: str) -> Figure:
    """Generator loss, sum of the discriminator's losses and diversity over steps, for each {label: [a run a seed]}."""
    panels = {
        "generator": "generator loss",
        "discriminator": "discriminator loss (sum)",
        "diversity": "diversity (1: like paintings)",
    }
    with figure_style():
        figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
        colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        for axis, (name, label) in zip(axes, panels.items(), strict=True):
            for k, (run, seeds) in enumerate(histories.items()):
                for seed, history in enumerate(seeds):
                    look = {"color": colors[k % len(colors)], "ls": DASHES[k % len(DASHES)], "lw": 1.5}
                    named = run if seed == 0 and name == "generator" else None
                    axis.plot(history["step"], history[name], label=named, **look)
            if name in BLIND:
                axis.axhline(BLIND[name], color="0.85", lw=6, zorder=0)
            axis.set(xlabel="training step", ylabel=label, ylim=(0, None))
        axes[0].set_title("pale band: a discriminator that knows nothing", fontsize=10)
        figure.legend(loc="outside lower center", ncols=3)
        figure.suptitle(title)
    return figure


def spread_figure(histories: Mapping[str, Any], title: str) -> Figure:
    """Diversity at the end of each {label: [a run a seed]}: a dot for each seed and their mean as a bar."""
    names = list(histories)
    with figure_style():
        figure, axis = plt.subplots(figsize=(9, 0.9 + 0.42 * len(names)), layout="constrained")
        for row, seeds in enumerate(histories.values()):
            values = [float(np.mean(history["diversity"][-3:])) for history in seeds]
            axis.barh(row, np.mean(values), 0.6, color="0.8")
            axis.plot(values, [row] * len(values), "o", color="black")
        axis.axvline(1, color=COLORS["monet"], lw=2)
        axis.set_yticks(range(len(names)), names)
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


# course.dcgan_checks
def _test_shapes(answer):
    if list(answer) != [4, 8, 16, 32, 64, 128, 256]:
        raise Wrong(
            f"{list(answer)}: begin with the 4 of the first map and double until 256; both ends belong to the list."
        )


def _test_bce(answer):
    logits = np.array([-60.0, -2.0, 0.0, 3.0, 200.0])
    for target in (1.0, 0.9, 0.0):
        found = np.array([float(answer_of(answer, np.float32(x), target)) for x in logits])
        if not np.isfinite(found).all():
            bad = logits[~np.isfinite(found)][0]
            raise Wrong(
                f"logit {bad:g}, label {target}: {found[~np.isfinite(found)][0]}. A sigmoid there is exactly 0 or 1, "
                "and its logarithm infinite: write it without the sigmoid."
            )
        expected = np.array([float(losses.bce(np.float32(x), target)) for x in logits])
        expect_close(found, expected, f"label {target}: {{got}} instead of {{expected}}.", 1e-4)


def _test_blind(answer):
    p, loss = answer
    if abs(p - 0.5) < 1e-6:
        raise Wrong("p = 0.5 is right for labels 1 and 0. With 0.9 the answer that costs least is lower.")
    expect_close(p, 0.45, "p = {got} costs more than p = {expected}: the mean of the two labels.", 1e-3)
    expect_close(
        loss,
        BLIND["discriminator"],
        "the sum of both sides is {expected}, not {got}.",
        1e-2,
    )


def _test_diversity(answer):
    rng = np.random.default_rng(0)
    same = np.repeat(rng.normal(size=(1, 8, 8, 3)), 5, 0)
    other = rng.normal(0, 3, (64, 8, 8, 3)) * rng.uniform(0, 2, (8, 8, 3))
    if abs(float(answer_of(answer, same))) > 1e-6:
        raise Wrong("five copies of one picture give not 0: take the spread over images, not over pixels.")
    hint = "noise gives {got}, not {expected}: combine the spreads as a root mean square."
    expect_close(float(answer(other)), np.sqrt(other.var(0).mean()), hint, 0.05)


def _test_walk(answer):
    a, b = np.zeros(4, np.float32), np.float32([0, 3, 6, 9])
    found = answer_of(answer, a, b, 4)
    expect_shape(np.asarray(found), (4, 4), "the path")
    found = np.asarray(found)
    if not (np.allclose(found[0], a) and np.allclose(found[-1], b)):
        raise Wrong("the first row must be the start and the last one the end.")
    expect_close(np.diff(found, axis=0), np.diff(np.linspace(a, b, 4), axis=0), "the steps are not equal: {got}.")


def greys(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """A row of squares, (24, 24 n, 3), in the greys of `values`, each in [-1, 1]."""
    return np.repeat(np.repeat(np.asarray(values, float)[None], 24, 0).repeat(24, 1)[..., None], 3, 2)


def expected_walk() -> np.ndarray:
    """A row of greys from black to white: what an even walk between two latents looks like."""
    return greys(np.linspace(-1, 1, 8))


class _Spy:
    """A network that notes what it is shown."""

    def __init__(self, network):
        self.network, self.seen = network, []

    def __call__(self, x, training=False):
        self.seen.append(np.asarray(x))
        return self.network(x, training=training)

    @property
    def trainable_variables(self):
        return self.network.trainable_variables


def _test_repaired(answer):
    keras.utils.set_random_seed(0)
    generator, discriminator = dcgan_generator(8, 16, 16), dcgan_discriminator(16, 4, dropout=0.0)
    spy = _Spy(discriminator)
    real = np.random.default_rng(0).choice([-1.0, 1.0], (6, 16, 16, 3)).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    before = [network.get_weights() for network in (generator, discriminator)]
    answer(generator, spy, [keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)], real, noise)
    judged = float(np.mean(discriminator_before(before[1], discriminator, generator(noise, training=True))))
    keras.utils.set_random_seed(0)
    untouched = dcgan_generator(8, 16, 16)
    started = float(np.mean(discriminator_before(before[1], discriminator, untouched(noise, training=True))))
    left = []
    if not any(x.shape == real.shape and np.allclose(x, real) for x in spy.seen):
        left.append("the discriminator must see real pictures as they are, in [-1, 1], not in another range")
    if judged <= started:
        left.append("the generator's step should make the discriminator take its fakes for real more, not less")
    if all(np.array_equal(a, b) for a, b in zip(before[1], discriminator.get_weights(), strict=True)):
        left.append("the discriminator's weights have not moved: it must take a step of its own")
    if left:
        raise Wrong(f"{len(left)} of 3 bugs left. Look at this one: {left[0]}.")


def discriminator_before(weights: list[np.ndarray], discriminator: keras.Model, images: np.ndarray) -> np.ndarray:
    """Its answers to `images` with other weights; its own are put back."""
    own = discriminator.get_weights()
    discriminator.set_weights(weights)
    answers = np.asarray(discriminator(images))
    discriminator.set_weights(own)
    return answers


shapes = Check("Exercise 1, doublings", _test_shapes)
bce = Check("Exercise 2, the loss of a logit", _test_bce)
blind = Check("Exercise 3, a blind discriminator", _test_blind)
diversity = Check("Exercise 4, diversity", _test_diversity)
walk = Check(
    "Exercise 5, a walk", _test_walk, expected_walk, "Eight grey squares in even steps, black to white",
    lambda answer: greys(np.asarray(answer(np.full(1, -1.0), np.full(1, 1.0), 8))[:, 0]),
)  # fmt: skip
repaired = Check("Exercise 6, a broken GAN", _test_repaired)
