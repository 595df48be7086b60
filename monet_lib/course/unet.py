"""Lesson 3: sizes of its trainings, made-up translators, figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.config import Config, profile
from monet_lib.figures import figure_style

# Changes to a profile's Config: whole pictures, shrunk, and a U-Net that trains in minutes; steps of the longest
# training, of each of the comparisons, and the seeds of a comparison.
SCALES = {
    "tiny": ({"image_size": 32, "unet_depth": 4, "generator_filters": 4, "discriminator_filters": 4}, 4, 2, (0,)),
    "laptop": ({"crop": 256, "unet_depth": 7, "generator_filters": 16, "discriminator_filters": 16}, 400, 120, (0, 1)),
    "full": ({"unet_depth": 8}, 30000, 2000, (0, 1, 2)),
}  # fmt: skip


def settings(config: Config) -> tuple[Config, int, int, Any]:
    """(Config of the lesson's U-Net CycleGAN, SCALES' steps of the long and of a short training, seeds)."""
    changes, steps, short, seeds = SCALES[config.profile]
    common = {"model": "unet", "upsample": "transpose", "pool_size": 0, "ema": 0.0, "adversarial": "bce",
              "diff_augment": "", "feature_discriminator": 0.0}  # fmt: skip
    return profile(config.profile, **common, precision="float32", **changes), steps, short, seeds


def regress(
    generator: keras.Model,
    inputs: np.ndarray,
    targets: np.ndarray,
    steps: int,
    paired: bool = True,
    rate: float = 1e-3,
    seed: int = 0,
) -> np.ndarray:
    """Teach a generator one target for each input by the mean absolute error; returns the losses, (steps,).

    inputs, targets: (n, h, w, 3) in [-1, 1]. paired: whether target k belongs to input k; if not, any is drawn.
    """
    rng, optimizer = np.random.default_rng(seed), keras.optimizers.Adam(rate)
    optimizer.build(generator.trainable_variables)

    @tf.function(jit_compile=False)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(generator(x, training=True) - y))
        gradients = tape.gradient(loss, generator.trainable_variables)
        optimizer.apply(gradients, generator.trainable_variables)
        return loss

    losses = []
    for _ in range(steps):
        pick = rng.integers(0, len(inputs), 4)
        wanted = pick if paired else rng.integers(0, len(targets), 4)
        losses.append(float(step(tf.constant(inputs[pick]), tf.constant(targets[wanted]))))
    return np.array(losses)


def hourglass_figure(filters: Sequence[int], size: int) -> Figure:
    """A U-Net drawn: a bar for each map, as high as the map, with its filters; skip connections as arcs."""
    heights = [size >> (level + 1) for level in range(len(filters))]
    maps = [(size, 3), *zip(heights, filters, strict=True)]
    maps += [(h, f) for h, f in reversed(list(zip(heights[:-1], filters[:-1], strict=True)))] + [(size, 3)]
    middle = len(filters)
    with figure_style():
        figure, axis = plt.subplots(figsize=(11, 4.2), layout="constrained")
        for x, (height, channels) in enumerate(maps):
            axis.bar(x, np.log2(height) + 1, 0.5, color="0.55" if x <= middle else "0.8", edgecolor="black")
            axis.text(x, np.log2(height) + 1.1, f"{height}²\n×{channels}", ha="center", fontsize=9)
        for level in range(1, middle):
            left, right = level, 2 * middle - level
            top = np.log2(maps[level][0]) + 2.2
            axis.annotate("", (right, top), (left, top), arrowprops={"arrowstyle": "->", "color": "0.4", "lw": 1.4})
        names = ["photo", *(f"down {k}" for k in range(1, middle + 1))]
        names += [*(f"up {k}" for k in range(1, middle)), "painting"]
        axis.set_xticks(range(len(maps)), names, rotation=30, ha="right", fontsize=9)
        axis.set(title="The U-Net: maps halve, then double; arrows are skip connections", yticks=[])
        axis.set_ylim(0, np.log2(size) + 3.2)
        axis.set_ylabel("height of the map (logarithmic)")
        axis.grid(False)
    return figure


def answers_figure(image: np.ndarray, answers: np.ndarray, title: str) -> Figure:
    """An image in [-1, 1] beside a PatchGAN's answers (n, n, 1) as probabilities."""
    with figure_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
        left.imshow((image + 1) / 2)
        left.set(title=title, xticks=[], yticks=[])
        shown = right.imshow(1 / (1 + np.exp(-answers[..., 0])), cmap="cividis", vmin=0, vmax=1)
        right.set(title=f"{answers.shape[0]}×{answers.shape[1]} answers", xticks=[], yticks=[])
        right.grid(False)
        figure.colorbar(shown, ax=right, label="probability: a painting")
    return figure


def tint(images: np.ndarray, red: float = 0.0, green: float = 0.0, blue: float = 0.0) -> np.ndarray:
    """Shift an image's channels, in [-1, 1] units, without clipping: a change that can be undone exactly."""
    return images + np.array([red, green, blue], np.float32)


def candidate_losses(
    discriminator: keras.Model, monets: np.ndarray, photos: np.ndarray
) -> dict[str, tuple[float, float, float]]:
    """{name: (adversarial, cycle, identity)} of made-up translators, the sums over both directions.

    Each is a pair (paint, back) of exact functions, so that a loss shows its blind spot without any training.
    """
    average = {"monet": monets.mean((0, 1, 2)), "photo": photos.mean((0, 1, 2))}
    blue, gold = {"red": -0.3, "blue": 0.4}, {"red": 0.3, "blue": -0.4}
    undo = lambda shift: {channel: -value for channel, value in shift.items()}  # noqa: E731
    pairs = {
        "do nothing": (lambda x: x, lambda x: x),
        "paint blue, and back": (lambda x: tint(x, **blue), lambda x: tint(x, **undo(blue))),
        "paint gold, and back": (lambda x: tint(x, **gold), lambda x: tint(x, **undo(gold))),
        "negative, and back": (lambda x: -x, lambda x: -x),
        "one colour": (lambda x: 0 * x + average["monet"], lambda x: 0 * x + average["photo"]),
    }
    l1 = lambda a, b: float(np.abs(a - b).mean())  # noqa: E731
    found = {}
    for name, (paint, back) in pairs.items():
        fool = float(np.logaddexp(0, -discriminator(paint(photos)).numpy()).mean())
        cycle = l1(back(paint(photos)), photos) + l1(paint(back(monets)), monets)
        identity = l1(paint(monets), monets) + l1(back(photos), photos)
        found[name] = (fool, cycle, identity)
    return found


def weights_figure(
    losses: Mapping[str, tuple[float, float, float]], cycle_weight: float, identity_weight: float
) -> Figure:
    """Stacked bars of each candidate's weighted losses; the one that training would prefer is marked."""
    names = list(losses)
    parts = np.array(list(losses.values())) * [1, cycle_weight, identity_weight]
    best = int(parts.sum(1).argmin())
    with figure_style():
        figure, axis = plt.subplots(figsize=(9, 3.2), layout="constrained")
        left = np.zeros(len(names))
        for part, label, hatch in zip(
            parts.T, ("adversarial", "cycle × weight", "identity × weight"), ("", "//", ".."), strict=True
        ):
            axis.barh(names, part, left=left, label=label, hatch=hatch, edgecolor="white")
            left += part
        axis.text(left[best], best, "  cheapest", va="center", weight="bold")
        axis.set(title=f"What each translator pays at cycle {cycle_weight:g}, identity {identity_weight:g}")
        axis.set(xlabel="total loss", xlim=(0, max(left.max() * 1.25, 1)))
        axis.invert_yaxis()
        figure.legend(loc="outside lower center", ncols=3)
    return figure
