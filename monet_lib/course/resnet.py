"""Lesson 4: sizes of its trainings, checkerboards, patches, the image pool, figures; then its exercises' checks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib import patches
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.course.checks import Wrong, answer_of, exercise, expect_close, expect_shape, refuse_if
from monet_lib.figures import COLORS, figure_style
from monet_lib.files import UserError
from monet_lib.model.discriminators import receptive_field
from monet_lib.model.pool import ImagePool
from monet_lib.recipes import profile

# The paper's settings, which replace those of a recipe.
PAPER = {
    "norm": "instance", "discriminator_norm": "instance", "cycle_weight": 10.0, "identity_weight": 5.0, "beta_1": 0.5,
    "ema": 0.999, "diff_augment": "", "feature_discriminator": 0.0,
}  # fmt: skip
# Changes to a recipe's Config, steps of the run that is interrupted, seconds for each side of the comparison, seeds.
SCALES = {
    "tiny": ({"image_size": 32, "crop": 32, "generator_filters": 4, "residual_blocks": 1,
              "discriminator_filters": 4, **PAPER}, 6, 0, (0,)),
    "laptop": ({"image_size": 96, "crop": 96, "generator_filters": 24, "residual_blocks": 4,
                "discriminator_filters": 24, **PAPER}, 300, 45, (0, 1)),
    "full": (PAPER, 30000, 3600, (0, 1, 2)),
}  # fmt: skip
CONTINUED = {"tiny": 3, "laptop": 300, "full": 20000}  # steps of training that starts from a trained generator
PATCHGAN = [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]  # (kernel, stride) of the paper's discriminator


def overlaps(size: int, kernel: int, stride: int) -> np.ndarray:
    """How many strokes of a transposed convolution cover each of its output positions: int (size * stride,)."""
    counts = np.zeros(stride * (size - 1) + kernel, int)
    for place in range(size):
        counts[place * stride : place * stride + kernel] += 1
    before = (kernel - stride) // 2  # padding "same" cuts the rim
    return counts[before : before + size * stride]


def unevenness(images: np.ndarray, period: int = 2) -> float:
    """How far the mean values of the positions of a period x period grid lie apart: 0 without a checkerboard.

    images: (n, h, w, c). The rim of 8 pixels is left out.
    """
    x = np.asarray(images, np.float64)[:, 8:-8, 8:-8]
    means = [x[:, i::period, j::period].mean((1, 2)) for i in range(period) for j in range(period)]
    return float(np.std(means, axis=0).mean())


@figure_style()
def patch_figure(image: np.ndarray, row: int, column: int) -> Figure:
    """A painting, uint8 (256, 256, 3), with the patch behind one of its 30x30 answers marked, and the patch alone.

    Patches are 70 px wide and 8 px apart, and the first begins 23 px outside of the image.
    """
    top, left = 8 * row - 23, 8 * column - 23
    inside = tuple(slice(max(0, start), min(len(image), start + 70)) for start in (top, left))
    figure, (whole, part) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    whole.imshow(image, extent=(0, 256, 256, 0))
    for width, color, dashes in ((2.5, "white", "-"), (1.2, "black", "--")):
        whole.add_patch(patches.Rectangle((left, top), 70, 70, fill=False, lw=width, ec=color, ls=dashes))
    whole.set(title=f"answer ({row}, {column}) of 30×30", xlim=(-30, 286), ylim=(286, -30))
    whole.set(xlabel="pixels", ylabel="pixels")
    whole.grid(False)
    part.imshow(image[inside])
    part.set(title="what it sees: 70×70 pixels", xticks=[], yticks=[])
    return figure


@figure_style()
def heart_figure(runs: Mapping[str, Any]) -> Figure:
    """The mean logits of `teach_discriminator`, one panel for each {title: [a result a seed]}, with a common axis."""
    lines = {
        "seen": ("paintings trained on", "-", COLORS["monet"]),
        "held": ("paintings never met", "--", COLORS["monet"]),
        "photo": ("photos", ":", COLORS["photo"]),
    }
    figure, axes = plt.subplots(1, len(runs), figsize=(11, 4), sharey=True, layout="constrained")
    for axis, (title, seeds) in zip(axes, runs.items(), strict=True):
        for k, found in enumerate(seeds):
            for name, (label, style, color) in lines.items():
                named = label if k == 0 and axis is axes[0] else None
                axis.plot(found["step"], found[name], style, color=color, label=named)
        axis.set(title=title, xlabel="training step")
    axes[0].set_ylabel("mean logit (above 0: a painting)")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def pool_ages(size: int, steps: int) -> np.ndarray:
    """How many steps old the images are that an ImagePool hands to the discriminator, int (steps,), once it is full."""
    rng, pool = np.random.default_rng(0), ImagePool(size, (1, 1, 1))
    ages = []
    for now in range(size + steps):
        draws = tf.constant(rng.random((1, 2)), tf.float32)
        ages.append(now - int(pool(tf.fill((1, 1, 1, 1), float(now)), draws)[0, 0, 0, 0]))
    return np.array(ages[size:])


def noisy_descent() -> np.ndarray:
    """(weight, its average) over 400 steps of gradient descent on w² / 2 with noisy gradients, from w = 3: (2, 400)."""
    rng, weight, average = np.random.default_rng(0), 3.0, 3.0
    path = []
    for step in range(400):
        weight -= 0.2 * (weight + rng.normal(0, 1.5))
        average += (1 - min(0.98, (1 + step) / (10 + step))) * (weight - average)
        path.append((weight, average))
    return np.array(path).T


@figure_style()
def helpers_figure(ages: np.ndarray, descent: np.ndarray, rates: np.ndarray) -> Figure:
    """Three helpers of a long training: the pool's ages, weights and their average, the learning rate over steps."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.4), layout="constrained")
    left.hist(ages, 30, color="0.45")
    left.set(title="Image pool: age of what is judged", xlabel="steps old", ylabel="images")
    middle.plot(descent[0], color="0.6", lw=0.8, label="weight")
    middle.plot(descent[1], color="black", label="moving average")
    middle.set(title="EMA: a weight and its average", xlabel="step", ylabel="distance from the best")
    middle.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    right.plot(np.linspace(0, 100, len(rates)), rates, color="black")
    right.set(title="Decay: constant, then linear", xlabel="% of training", ylabel="learning rate", ylim=(0, None))
    return figure


@exercise("Exercise 1, a residual block")
def check_residual(answer):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 4)), rng.normal(size=(4, 4))
    found, change = answer_of(answer, x, lambda x: np.tanh(x @ w)), np.tanh(x @ w)
    refuse_if(np.allclose(found, change), "that is F(x) alone. A residual block adds it to what came in.")
    cut = np.allclose(found, np.maximum(x + change, 0))
    refuse_if(cut, "no ReLU after the sum: it would cut what the block passes through.")
    expect_close(found, x + change, "the block should give x + F(x).")


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
    expect_shape(found, (2, 6, 6, 3))

    def centred(axes):
        return x - x.mean(axes, keepdims=True)

    wrong = {
        "that is batch norm: the mean and deviation go over the images too. Take axes 1 and 2.":
            centred((0, 1, 2)) / x.std((0, 1, 2)),
        "that is layer norm: channels are mixed. Keep axis 3 apart.":
            centred((1, 2, 3)) / x.std((1, 2, 3), keepdims=True),
        "the contrast is still in it: divide by the standard deviation.": centred((1, 2)),
    }  # fmt: skip
    for hint, normed in wrong.items():
        refuse_if(np.allclose(found, normed, atol=1e-2), hint)
    right = centred((1, 2)) / x.std((1, 2), keepdims=True)
    expect_close(found, right, "mean 0 and deviation 1 in each channel of each image.", 1e-2)


@exercise("Exercise 3, the receptive field")
def check_field(answer):
    for layers in (PATCHGAN, [(7, 1), (3, 2), (3, 2)], [(4, 2)] * 2 + [(4, 1)] * 2):
        found, wanted = answer_of(answer, layers), receptive_field(layers)
        hint = f"{layers}: {found} pixels, not {wanted}. From the output on: (size − 1) · stride + kernel."
        refuse_if(found != wanted, hint)


@exercise("Exercise 4, the learning rate")
def check_rate(answer):
    for step, share in ((0, 1), (50, 1), (75, 0.5), (100, 0)):
        found = answer_of(answer, step, 2.0, 50, 100)
        expect_close(found, 2.0 * share, f"start 2, constant 50, total 100: {{got}} at step {step}, not {{expected}}.")
    beyond = "beyond the last step the rate is negative: that would climb. Stop at 0."
    refuse_if(answer(120, 2.0, 50, 100) < 0, beyond)


@exercise("Exercise 5, a moving average")
def check_average(answer):
    expect_close(answer_of(answer, 1.0, 3.0, 0.9), 1.2, "average 1, weight 3, decay 0.9: {got}, not {expected}.")
    expect_close(answer(1.0, 3.0, 1.0), 1.0, "decay 1 should leave the average alone, not make it {got}.")


@exercise("Exercise 6, an ablation")
def check_ablation(answer):
    runs, seeds = answer
    enough = isinstance(runs, dict) and len(runs) >= 3
    refuse_if(not enough, "give at least three runs: one to compare with, {}, and two that change something.")
    refuse_if({} not in runs.values(), "nothing to compare with: one run must change nothing, {}.")
    usual = profile("laptop").with_(**SCALES["laptop"][0])
    for name, setting in runs.items():
        both = " and ".join(setting)
        refuse_if(len(setting) > 1, f"{name!r} changes {both} at once: a difference could come from either.")
        try:
            same = setting and usual.with_(**setting) == usual
        except UserError as error:
            raise Wrong(f"{name!r}: {error}") from None
        refuse_if(same, f"{name!r} sets {both} to the value that it has anyway.")
    refuse_if(len(set(seeds)) < 2, "one seed can't tell an effect from chance: take at least two different ones.")
