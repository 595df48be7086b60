"""Lesson 2: sizes of its trainings, a game of points, nearest patches, figures; then the checks of its exercises."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.config import Config
from monet_lib.course.checks import answer_of, close, exercise, expect_shape, refuse_if
from monet_lib.course.tools import cosine, drawing, flat, shrunk
from monet_lib.data.reading import find_images, load, read_images, to_uint8
from monet_lib.figures import COLORS, figure_style, image_grid
from monet_lib.model import DCGAN, dcgan_discriminator, dcgan_generator, losses
from monet_lib.score import diversity

LATENT = 64  # random numbers that a generator makes a picture of
PATCH = 32  # px, the side of what it makes
SIDE = 128  # px of the shrunk pictures that patches are cut from
HELD = 12  # paintings that no training of the lesson sees


class Sizes(NamedTuple):
    """How long a recipe trains."""

    turns: int = 3000  # of the game of points
    moments: int = 30  # of it that are kept
    steps: int = 300  # of each comparison
    seeds: tuple[int, ...] = (0, 1)  # of each comparison
    own: int = 3000  # steps of the last training
    batch: int = 32  # patches in a step of it
    judged: int = 128  # patches that a score takes


def settings(config: Config) -> Sizes:
    """The Sizes of a recipe; those of `laptop` for a recipe without sizes of its own."""
    sizes = {
        "tiny": Sizes(turns=60, moments=6, steps=12, own=12, batch=8, judged=12),
        "full": Sizes(steps=1000, seeds=(0, 1, 2), own=40000, batch=64, judged=512),
    }
    return sizes.get(config.profile, Sizes())


def pictures(root: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(paintings to train on, the last HELD paintings, at most 300 photos), (n, SIDE, SIDE, 3); prints the counts."""
    paintings = shrunk(load(find_images(root, "monet"))[1], SIDE)
    folder = find_images(root, "photo").files[0].parent
    photos = shrunk(np.stack([image for _, image in read_images(folder, 300)]), SIDE)
    print(f"{len(paintings) - HELD} paintings to train on, {HELD} held out, {len(photos)} photos")
    return paintings[:-HELD], paintings[-HELD:], photos


def gan_figure() -> Figure:
    """A GAN's data flow: noise to generator to fake; fake and real picture to discriminator; a loss back to each."""
    places = {
        "noise": (0, 1, "z\nrandom numbers", None),
        "G": (1, 1, "generator G", "net"),
        "fake": (2, 1, "G(z)\na fake", None),
        "real": (2, 0, "x\na real painting", "monet"),
        "D": (3, 0.5, "discriminator D", "net"),
        "for D": (4.1, 0.5, "D's loss\nreal as real, fake as fake?", None),
        "for G": (2.6, 2, "G's loss\nfake taken for real?", None),
    }
    arrows = [("noise", "G"), ("G", "fake"), ("fake", "D"), ("real", "D"), ("D", "for D"), ("for D", "D"),
              ("D", "for G"), ("for G", "G", "slope")]  # fmt: skip
    return drawing(places, arrows, "Both networks learn from D's answers, each by a loss of its own", (11, 3.6))


CENTERS = 2 * np.stack([f(np.arange(8) * np.pi / 4) for f in (np.cos, np.sin)], 1)  # of the real points' clusters
SPREAD = 0.05  # their standard deviation
AXIS = np.linspace(-3.2, 3.2, 33, dtype=np.float32)
GRID = np.stack(np.meshgrid(AXIS, AXIS), -1).reshape(-1, 2)  # where the discriminator's answers are drawn


def small(inputs: int, outputs: int) -> keras.Model:
    """A network of the game of points: three layers of 64 units with ReLU."""
    hidden = [keras.layers.Dense(64, "relu") for _ in range(3)]
    return keras.Sequential([keras.Input((inputs,)), *hidden, keras.layers.Dense(outputs)])


def ring(count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` real points of the game, each from one of the eight clusters: float32 (count, 2)."""
    return (CENTERS[rng.integers(0, 8, count)] + rng.normal(0, SPREAD, (count, 2))).astype(np.float32)


def caught(points: np.ndarray) -> tuple[int, float]:
    """(how many of the eight clusters the points reach, the share of points in one) for points (n, 2).

    Points lie in a cluster within three standard deviations of its centre. A fiftieth of the points reach a cluster.
    """
    inside = np.linalg.norm(points[:, None] - CENTERS, axis=2) < 3 * SPREAD
    return int((inside.mean(0) >= 0.02).sum()), float(inside.any(1).mean())


Moments = Sequence[tuple[np.ndarray, np.ndarray]]  # (fakes (n, 2), D's answers on GRID) at moments of a game


@figure_style()
def moment_figure(moments: Moments, moment: int, turns: int) -> Figure:
    """The fakes and the discriminator's answers at one of the moments of a game of `turns` turns."""
    figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
    _draw(axis, *moments[moment])
    (reached, share), turn = caught(moments[moment][0]), moment * turns // (len(moments) - 1)
    axis.set_title(f"turn {turn}: {reached} of 8 clusters, {share:.0%} of the fakes in a cluster")
    return figure


@figure_style()
def moments_figure(games: Mapping[str, Moments], turns: int) -> Figure:
    """Six moments of each {name: game}, a row each: the fakes over the discriminator's answers."""
    last = len(next(iter(games.values()))) - 1
    shown = sorted({round(last * share) for share in (0, 0.035, 0.1, 0.25, 0.5, 1)})
    figure, axes = plt.subplots(len(games), len(shown), figsize=(2 * len(shown), 2.15 * len(games)),
                                layout="constrained", squeeze=False)  # fmt: skip
    for row, (name, moments) in zip(axes, games.items(), strict=True):
        for axis, moment in zip(row, shown, strict=True):
            _draw(axis, *moments[moment])
            axis.set_title(f"turn {moment * turns // last}" if axis in axes[0] else "", fontsize=10)
        row[0].set_ylabel(name)
    figure.suptitle("White: clusters of real points. Black: fakes. Light ground: D says real")
    return figure


def _draw(axis, fakes, answers):
    # Each picture has its own colours: the answers of the four losses have no common scale.
    axis.contourf(AXIS, AXIS, answers.reshape(len(AXIS), -1), 12, cmap="cividis", alpha=0.7)
    axis.plot(*CENTERS.T, "o", color="white", markersize=7)
    axis.plot(*fakes[:200].T, ".", color="black", markersize=3)
    axis.set(xlim=(AXIS[0], AXIS[-1]), ylim=(AXIS[0], AXIS[-1]), xticks=[], yticks=[], aspect="equal")


def game_figure(
    discriminator: keras.Model, of_real: tuple[float, float], of_fake: tuple[float, float]
) -> tuple[Figure, float, float]:
    """The best discriminator of two bell curves, (mean, deviation) each, by formula and as trained.

    Returns (Figure, where the formula passes 1/2, the largest difference where the densities' sum is above 0.05).
    """
    x = np.linspace(-3, 3, 6001)
    real, fake = (np.exp(-0.5 * ((x - m) / s) ** 2) / (s * np.sqrt(2 * np.pi)) for m, s in (of_real, of_fake))
    best = real / (real + fake)
    learnt = ops.convert_to_numpy(ops.sigmoid(discriminator(x[:, None].astype(np.float32))))[:, 0]
    apart = float(np.abs(best - learnt)[real + fake > 0.05].max())
    with figure_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
        left.plot(x, real, color=COLORS["monet"], label="real numbers")
        left.plot(x, fake, "--", color="0.3", label="fakes")
        left.set(title="Two densities", xlabel="number", ylabel="density")
        right.plot(x, best, color="black", lw=3, alpha=0.35, label="p / (p + q)")
        right.plot(x, learnt, ":", color="black", lw=2, label="a trained network")
        right.set(title="Probability that a number is real", xlabel="number", ylim=(-0.03, 1.03))
        for axis in (left, right):
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure, float(x[np.argmax(best > 0.5)]), apart


def costs_figure() -> tuple[Figure, float]:
    """(BCE over the logit for labels 1, 0.9 and 0, the logit that costs least with label 0.9)."""
    x, best = np.linspace(-4, 8, 241), float(np.log(0.9 / 0.1))
    with figure_style():
        figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
        for label, dashes in ((1.0, "-"), (0.9, "--"), (0.0, ":")):
            axis.plot(x, np.logaddexp(0, x) - x * label, dashes, label=f"label {label}")
        axis.plot(best, np.logaddexp(0, best) - best * 0.9, "o", color="black", label=f"lowest at {best:.2f}")
        axis.set(title="What an answer costs", xlabel="logit", ylabel="loss (BCE)", ylim=(0, 4))
        figure.legend(loc="outside lower center", ncols=4)
    return figure, best


# What both sides pay if the discriminator gives the same answer to everything, with labels 0.9 and 0: its cheapest
# answer is p = 0.45. The discriminator's price is half the sum of its two sides, as in `losses.discriminator_loss`.
BLIND = {"generator": float(-np.log(0.45)), "discriminator": float(-(0.9 * np.log(0.45) + 1.1 * np.log(0.55)) / 2)}


@figure_style()
def curves_figure(runs: Mapping[str, Sequence[Mapping[str, np.ndarray]]], title: str) -> Figure:
    """A panel for each {name: [a history for each seed]}: losses and diversity, means and range; pale: `BLIND`."""
    looks = {"generator": ("#000000", "-"), "discriminator": ("#C9B400", "--"), "diversity": ("#7B1E7A", ":")}
    figure, axes = plt.subplots(1, len(runs), figsize=(3.1 * len(runs), 3.4), sharey=True, layout="constrained")
    for axis, (name, histories) in zip(axes, runs.items(), strict=True):
        for which, (color, dashes) in looks.items():
            lines = np.array([history[which] for history in histories])
            axis.plot(histories[0]["step"], lines.mean(0), dashes, color=color, lw=2, label=which)
            axis.fill_between(histories[0]["step"], lines.min(0), lines.max(0), color=color, alpha=0.15, lw=0)
            if which in BLIND:
                axis.axhline(BLIND[which], color=color, lw=5, alpha=0.15, zorder=0)
        axis.set(title=name, xlabel="step", ylim=(0, 2))
    axes[0].set_ylabel("loss; diversity")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle(title)
    return figure


def nearest(patches: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of patches (n, s, s, 3) the most similar square of images (m, h, w, 3), at any place, mirrored or not.

    Returns (squares (n, s, s, 3), distances (n,)): root mean square differences, divided by the patch's own contrast,
    its root mean square difference from its mean colour. 0 is a copy; 1 is as far as a plain square of that colour.
    """
    size, shape = patches.shape[1], images.shape[1:3]
    # The product of a patch and every square at once is a correlation: by the Fourier transform, n * m * h * w * log h.
    spectra, window = np.fft.rfft2(images, axes=(1, 2)), np.conj(np.fft.rfft2(np.ones((size, size)), shape))
    squares = np.fft.irfft2(np.fft.rfft2((images.astype(float) ** 2).sum(-1)) * window, shape)
    found, distances = [], []
    for patch in np.asarray(patches, float):
        both = []
        for side in (1, -1):  # as it is, and mirrored
            spectrum = np.conj(np.fft.rfft2(patch[:, ::side], shape, axes=(0, 1)))
            squared = squares - 2 * np.fft.irfft2((spectra * spectrum).sum(-1), shape) + (patch**2).sum()
            inside = squared[:, : shape[0] - size + 1, : shape[1] - size + 1]
            n, y, x = np.unravel_index(inside.argmin(), inside.shape)
            both.append((inside[n, y, x], images[n, y : y + size, x : x + size][:, ::side]))
        least, square = min(both, key=lambda one: one[0])
        contrast = np.sqrt(np.mean((patch - patch.mean((0, 1))) ** 2))
        found.append(square)
        distances.append(np.sqrt(max(least, 0) / patch.size) / max(contrast, 1e-6))
    return np.array(found), np.array(distances)


def averaged(gan: DCGAN) -> None:
    """Give the generator of a DCGAN the average of its weights that its optimizer kept (use_ema=True).

    Batch norm's means and variances belong to the weights of the last step, so they are measured anew, on 60 batches.
    """
    gan.generator_optimizer.finalize_variable_values(gan.generator.trainable_variables)
    for step in range(60):
        gan(gan.noise(64, -2 - step), training=True)


def enlarged(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """{label: patches (n, s, s, 3)} as a grid with a row each, every patch enlarged three times; uint8 (h, w, 3)."""

    def large(patch):
        size = (3 * len(patch), 3 * len(patch))
        return np.asarray(Image.fromarray(to_uint8(patch)).resize(size, Image.Resampling.BICUBIC))

    return image_grid([[*map(large, row)] for row in rows.values()], row_labels=list(rows))


@exercise("Exercise 1, the loss of a logit")
def check_bce(answer):
    logits, labels = np.array([-60, -2, 0, 3, 40, 200], np.float32), (1.0, 0.9, 0.0)
    found = np.array([[answer_of(answer, logit, label) for logit in logits] for label in labels], float)
    refuse_if(found.ndim > 2, "one logit has one loss: return a number, not an array.")
    for row, column in np.argwhere(~np.isfinite(found))[:1]:
        large = "e^200 is beyond float32. Which exponential stays small for a large logit?"
        hint = "A probability there is exactly 0 or 1, and its logarithm infinite."
        where = f"logit {logits[column]:g}, label {labels[row]}: the loss is not finite."
        return {f"{where} {large if logits[column] == 200 else hint}": True}
    right = np.array([[float(losses.bce(logit, label)) for logit in logits] for label in labels])
    one, zero = found[0], found[2]
    clipped = f"logit 200 as a fake costs {zero[-1]:.1f}, hardly more than logit 20 would: the probability was clipped"
    faults = {
        "the loss is negative somewhere: no answer earns anything.": min(zero.min(), one.min()) < -1e-4,
        f"{clipped}, and beyond the clip the loss has no slope. Do without the probability.": 9 < zero[-1] < 60,
        "labels 0 and 1 cost the same: the label isn't used.": np.allclose(zero, one),
        "a real picture with logit 200 is recognized and costs much: the labels are exchanged.": one[-1] > 1,
        "a fake with logit 200 costs next to nothing: the part of 1 - label is missing.": zero[-1] < 1,
        "take natural logarithms, not those of base 2.": np.allclose(one * np.log(2), right[0], atol=1e-3),
    }
    for label, values, wanted in zip(labels, found, right, strict=True):
        hint = f"label {label}, logits -60, -2, 0, 3, 40, 200: {values.round(4)}, not {wanted.round(4)}."
        faults[hint] = not np.allclose(values, wanted, 1e-4, 1e-4)
    return faults


@exercise("Exercise 2, a blind discriminator")
def check_blind(answer):
    refuse_if(np.shape(answer) != (2,), "give two numbers: p, then the loss.")
    (p, loss), right = map(float, answer), -(0.8 * np.log(0.4) + 1.2 * np.log(0.6)) / 2
    refuse_if(not 0 <= p <= 1, f"p = {p:g} is no probability.")
    refuse_if(np.isclose(loss, 0.4, 1e-3), "the order is p first, then the loss.")
    refuse_if(p in (0.0, 1.0), f"p = {p:g} is certain: one of the two sides then costs infinitely much.")
    last = f"{loss:g} is not what p = 0.4 costs. Write out both sides at that p."
    cost = -(0.8 * np.log(p) + 1.2 * np.log(1 - p)) / 2
    known = {
        "that is the sum of both sides, and the discriminator's loss is half of it.": 2 * right,
        "that is what the generator pays.": -np.log(0.4),
        "that is the level for labels 1 and 0.": np.log(2),
        "take natural logarithms, not those of base 2.": right / np.log(2),
        "that is the sum for label 1. With 0.8 a real picture's loss has two parts.": -np.log(0.4) - np.log(0.6),
    }
    return {
        "p = 0.5 costs least for labels 1 and 0. What does 0.8 change?": np.isclose(p, 0.5),
        "p = 0.8 costs least for real pictures alone. The fakes get the same p.": np.isclose(p, 0.8),
        "p = 0.45 costs least for labels 0.9 and 0. Here the label is 0.8.": np.isclose(p, 0.45),
        f"p = {p:g} costs {cost:.4f}; a {'lower' if p > 0.4 else 'higher'} p costs less.": abs(p - 0.4) > 2e-3,
        "the loss is a cost, so it is positive.": loss < 0,
        **close(loss, known, 7e-4),
        last: not np.isclose(loss, right, 2e-3, 2e-3),
    }


@exercise("Exercise 3, diversity")
def check_diversity(answer):
    rng = np.random.default_rng(0)
    same = np.repeat(rng.normal(size=(1, 8, 8, 3)), 5, 0)
    other = rng.normal(0, 3, (64, 8, 8, 3)) * rng.uniform(0, 2, (8, 8, 3))
    spread = answer_of(answer, same)
    refuse_if(np.ndim(spread), f"the result has shape {np.shape(spread)}: combine the values into one number.")
    pixels = "five copies of one picture must give 0: take the spread over images, not pixels."
    refuse_if(not abs(spread) < 1e-6, pixels)
    found, by_value = float(answer(other)), other.std(0)
    right = np.sqrt((by_value**2).mean())
    wrong = {
        "the square: the root is missing.": right**2,
        "the plain mean of the deviations, not the root of the mean square.": by_value.mean(),
        "the largest of the deviations.": by_value.max(),
        "a sum: it would grow with the size of the pictures.": np.sqrt((by_value**2).sum()),
        "the median of the deviations.": np.median(by_value),
    }
    hints = close(found, {f"noise gives {found:.2f}: that is {hint}": value for hint, value in wrong.items()}, 0.01)
    return hints | {f"noise gives {found:.4f}, not {right:.4f}.": not np.isclose(found, right, 0.02)}


def greys(values):
    """A row of squares, (24, 24 n, 3), in the greys of `values`, each in [-1, 1]."""
    return np.tile(np.repeat(np.asarray(values, float), 24)[None, :, None], (24, 1, 3))


@exercise(
    "Exercise 4, a walk",
    expected=lambda: greys(np.linspace(-1, 1, 8)),
    drawn=lambda answer: greys(np.asarray(answer(np.full(1, -1.0), np.full(1, 1.0), 8))[:, 0]),
    alt="Eight grey squares in even steps, black to white",
)
def check_walk(answer):
    start, end = np.array([0, 3, 6], np.float32), np.array([8, 3, -2], np.float32)
    found = np.asarray(answer_of(answer, start, end, 5), float)
    refuse_if(found.shape == (3, 5), "shape 3 x 5: a row for each latent of the walk, a column for each number of it.")
    expect_shape(found, (5, 3), "the path")
    straight = np.abs(np.cross(found - start, end - start)).max() < 1e-3
    return {
        "all five latents are the same.": np.allclose(found, found[0]),
        "the walk goes from the end to the start.": np.allclose(found[[0, -1]], [end, start]),
        "the first row is not the start.": not np.allclose(found[0], start),
        "the last row is not the end.": not np.allclose(found[-1], end),
        f"the latents between lie beside the straight line: {found.round(4)}.": not straight,
        f"the steps are not equal: {found.round(4)}.": not np.allclose(found, np.linspace(start, end, 5), 1e-4, 1e-4),
    }


@exercise("Exercise 5, a broken GAN")
def check_repaired(answer):
    networks, before = _small_pair(), _small_pair()  # with equal weights
    seen, call = [], networks[1].call

    def noted(x, **options):
        seen.append(np.asarray(x))
        return call(x, **options)

    networks[1].call = noted
    real = np.random.default_rng(0).choice([-1.0, 1.0], (6, 16, 16, 3)).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    answer(*networks, [keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01)], real, noise)
    pairs = zip(networks, before, strict=True)
    g_move, d_move = (flat(new.trainable_variables) - flat(old.trainable_variables) for new, old in pairs)
    fools, *directions = _downhill(before, real, noise)
    shown = any(all(np.isclose(x, one).all((1, 2, 3)).any() for one in real) for x in seen)
    along, (own, *others) = cosine(g_move, fools), [cosine(d_move, direction) for direction in directions]
    astray = d_move.any() and shown and own < 0.97
    faults = {
        "the discriminator must see real pictures as they are, in [-1, 1]": not shown,
        "the generator's weights have not moved": not g_move.any(),
        "the generator's step should make the discriminator take its fakes for real more, not less": along < -0.9,
        "the generator must descend its own loss alone": g_move.any() and -0.9 <= along < 0.9,
        "the discriminator's weights have not moved: it must take a step of its own": not d_move.any(),
        OTHERS[np.argmax(others)]: astray and max(others) > 0.9,
        "the discriminator must descend its own loss alone": astray and max(others) <= 0.9,
    }
    left = [fault for fault, applies in faults.items() if applies]
    return {f"{len(left)} of 3 bugs left. Look at this one: {fault}.": True for fault in left}


OTHERS = (  # losses that the discriminator may descend instead of its own
    "the discriminator descends the generator's loss", "the discriminator learns with exchanged labels",
    "the discriminator's loss has only the real side", "the discriminator's loss has only the fakes' side",
)  # fmt: skip


def _small_pair():
    keras.utils.set_random_seed(0)
    return dcgan_generator(8, 16, 16), dcgan_discriminator(16, 4, dropout=0.0)


def _downhill(networks, real, noise):
    """The directions in which losses of a step fall, flat arrays: G's, D's, and those of OTHERS, for D."""
    generator, discriminator = networks
    with tf.GradientTape(persistent=True) as tape:
        fakes = discriminator(generator(noise, training=True), training=True)
        reals = discriminator(real, training=True)
        fooled, sides = losses.bce(fakes, 1.0), (losses.bce(reals, 0.9), losses.bce(fakes, 0.0))
        both, exchanged = sides[0] + sides[1], losses.bce(reals, 0.0) + losses.bce(fakes, 0.9)
    of_discriminator = [tape.gradient(x, discriminator.trainable_variables) for x in (both, fooled, exchanged, *sides)]
    return [-flat(x) for x in (tape.gradient(fooled, generator.trainable_variables), *of_discriminator)]


@exercise("Exercise 6, patches of your own")
def check_own(answer):
    three = isinstance(answer, tuple | list) and len(answer) == 3
    refuse_if(not three, "give three things: what you changed, the pictures, and their KID.")
    change, images, kid = answer
    refuse_if(not isinstance(change, str) or len(change.split()) < 3, "say in a few words what you changed, and why.")
    images = np.asarray(images)
    shape = f"the pictures have shape {images.shape}, not (n, {PATCH}, {PATCH}, 3)."
    refuse_if(images.ndim != 4 or images.shape[1:] != (PATCH, PATCH, 3), shape)
    refuse_if(len(images) < 24, f"{len(images)} pictures are too few to judge: make 24 or more.")
    refuse_if(not np.isfinite(images).all(), "there are NaN or infinite values: the training broke down.")
    refuse_if(np.size(kid) != 1, "give the KID itself, one number, without its spread.")
    low, high, kid = images.min(), images.max(), float(kid)
    coarse = images.reshape(len(images), 8, 4, 8, 4, 3).mean((2, 4)).std((1, 2)).mean()
    ends = f"values from {low:.3g} to {high:.3g}: leave them in [-1, 1], as the generator makes them."
    grain = "within the pictures there is hardly more than noise from pixel to pixel."
    return {
        ends: max(-low, high) > 1.001,
        "the pictures are plain grey: this generator is untrained.": images.std() < 0.02,
        "all pictures are alike: a collapsed generator. Find out why before you hand it in.": diversity(images) < 0.05,
        grain: coarse < 0.3 * images.std((1, 2)).mean(),
        f"a KID of {kid:g} can't be: it is 0 for equal sets and seldom above 1.": not -0.1 < kid < 5,
    }
