"""Lesson 4: sizes of its trainings, checkerboards, patches, the image pool, figures.

Lesson 4's exercises: what is tested of an answer, and what each wrong one is told."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib import patches
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.figures import COLORS, figure_style
from monet_lib.files import UserError
from monet_lib.model.discriminators import receptive_field
from monet_lib.model.pool import ImagePool
from monet_lib.recipes import profile

# course.resnet
# The paper's settings, not those of a profile.
PAPER = {
    "norm": "instance", "discriminator_norm": "instance", "cycle_weight": 10.0, "identity_weight": 5.0, "beta_1": 0.5,
    "ema": 0.999, "diff_augment": "", "feature_discriminator": 0.0,
}  # fmt: skip
# Changes to a profile's Config, steps of the run that is interrupted, seconds for each side of the comparison, seeds.
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


def patch_figure(image: np.ndarray, row: int, column: int, side: int = 70, step: int = 8, before: int = 23) -> Figure:
    """A painting, uint8 (256, 256, 3), with the patch behind one of its 30x30 answers marked, and the patch alone.

    Patches are `side` px wide and `step` px apart, and the first begins `before` px outside of the image.
    """
    top, left = row * step - before, column * step - before
    inside = [slice(max(0, start), min(len(image), start + side)) for start in (top, left)]
    with figure_style():
        figure, (whole, part) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
        whole.imshow(image, extent=(0, 256, 256, 0))
        whole.add_patch(patches.Rectangle((left, top), side, side, fill=False, lw=2.5, ec="white"))
        whole.add_patch(patches.Rectangle((left, top), side, side, fill=False, lw=1.2, ec="black", ls="--"))
        whole.set(title=f"answer ({row}, {column}) of 30×30", xlim=(-30, 286), ylim=(286, -30))
        whole.set(xlabel="pixels", ylabel="pixels")
        whole.grid(False)
        part.imshow(image[inside[0], inside[1]])
        part.set(title=f"what it sees: {side}×{side} pixels", xticks=[], yticks=[])
    return figure


def heart_figure(runs: Mapping[str, Any]) -> Figure:
    """The mean logits of `teach_discriminator`, one panel for each {title: [a result a seed]}, with a common axis."""
    lines = {
        "seen": ("paintings trained on", "-", COLORS["monet"]),
        "held": ("paintings never met", "--", COLORS["monet"]),
        "photo": ("photos", ":", COLORS["photo"]),
    }
    with figure_style():
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


def pool_ages(size: int, steps: int, seed: int = 0) -> np.ndarray:
    """How many steps old the images are that an ImagePool hands to the discriminator, int (steps,), once it is full."""
    rng, pool = np.random.default_rng(seed), ImagePool(size, (1, 1, 1))
    ages = []
    for now in range(size + steps):
        draws = tf.constant(rng.random((1, 2)), tf.float32)
        ages.append(now - int(pool(tf.fill((1, 1, 1, 1), float(now)), draws)[0, 0, 0, 0]))
    return np.array(ages[size:])


def noisy_descent(steps: int = 400, decay: float = 0.98, rate: float = 0.2, seed: int = 0) -> np.ndarray:
    """(weight, its average) over `steps` of gradient descent on w² / 2 with noisy gradients, from w = 3."""
    rng, weight, average = np.random.default_rng(seed), 3.0, 3.0
    path = []
    for step in range(steps):
        weight -= rate * (weight + rng.normal(0, 1.5))
        rate_now = 1 - min(decay, (1 + step) / (10 + step))
        average += rate_now * (weight - average)
        path.append((weight, average))
    return np.array(path).T


def helpers_figure(ages: np.ndarray, descent: np.ndarray, rates: np.ndarray) -> Figure:
    """Three helpers of a long training: the pool's ages, weights and their average, the learning rate over steps."""
    with figure_style():
        figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.4), layout="constrained")
        left.hist(ages, 30, color="0.45")
        left.set(title="Image pool: age of what is judged", xlabel="steps old", ylabel="images")
        middle.plot(descent[0], color="0.6", lw=0.8, label="weight")
        middle.plot(descent[1], color="black", label="moving average")
        middle.set(title="EMA: a weight and its average", xlabel="step", ylabel="distance from the best")
        middle.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
        right.plot(np.linspace(0, 100, len(rates)), rates, color="black")
        right.set(title="Decay: constant, then linear", xlabel="% of training", ylabel="learning rate")
        right.set_ylim(0, None)
    return figure


# course.resnet_checks
def _test_residual(answer):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 4)), rng.normal(size=(4, 4))
    found = answer_of(answer, x, lambda x: np.tanh(x @ w))
    if np.allclose(found, np.tanh(x @ w)):
        raise Wrong("that is F(x) alone. A residual block adds it to what came in.")
    if np.allclose(found, np.maximum(x + np.tanh(x @ w), 0)):
        raise Wrong("no ReLU after the sum: it would cut what the block passes through.")
    expect_close(found, x + np.tanh(x @ w), "the block should give x + F(x).")


def _test_instance_norm(answer):
    x = np.random.default_rng(0).normal(3, 2, (2, 6, 6, 3)) * np.array([1.0, 5.0, 0.2])
    x[1] *= 4
    found = np.asarray(answer_of(answer, x))
    expect_shape(found, (2, 6, 6, 3))
    mean, deviation = x.mean((1, 2), keepdims=True), x.std((1, 2), keepdims=True)
    if np.allclose(found, (x - x.mean((0, 1, 2))) / x.std((0, 1, 2)), atol=1e-2):
        raise Wrong("that is batch norm: the mean and deviation go over the images too. Take axes 1 and 2.")
    if np.allclose(found, (x - x.mean((1, 2, 3), keepdims=True)) / x.std((1, 2, 3), keepdims=True), atol=1e-2):
        raise Wrong("that is layer norm: channels are mixed. Keep axis 3 apart.")
    if np.allclose(found, x - mean, atol=1e-2):
        raise Wrong("the contrast is still in it: divide by the standard deviation.")
    expect_close(found, (x - mean) / deviation, "mean 0 and deviation 1 in each channel of each image.", 1e-2)


def rings() -> np.ndarray:
    """One picture of rings twice, the second with a quarter of the contrast: (2, 96, 96, 1)."""
    places = np.linspace(-1, 1, 96)
    picture = np.cos(12 * np.hypot(*np.meshgrid(places, places)))[..., None]
    return np.stack([picture, picture / 4])


def side_by_side(normed: np.ndarray) -> np.ndarray:
    """Two maps (2, h, w, 1), values within two deviations, as one grey picture (h, 2 w, 3)."""
    return np.repeat(np.clip(np.concatenate(np.asarray(normed, float), 1) / 2, -1, 1), 3, -1)


def _test_field(answer):
    for layers in (PATCHGAN, [(7, 1), (3, 2), (3, 2)], [(4, 2)] * 2 + [(4, 1)] * 2):
        found, wanted = answer_of(answer, layers), receptive_field(layers)
        if found != wanted:
            raise Wrong(f"{layers}: {found} pixels, not {wanted}. From the output on: (size − 1) · stride + kernel.")


def _test_rate(answer):
    for step, share in ((0, 1), (50, 1), (75, 0.5), (100, 0)):
        found = answer_of(answer, step, 2.0, 50, 100)
        expect_close(found, 2.0 * share, f"start 2, constant 50, total 100: {{got}} at step {step}, not {{expected}}.")
    if answer(120, 2.0, 50, 100) < 0:
        raise Wrong("beyond the last step the rate is negative: that would climb. Stop at 0.")


def _test_average(answer):
    expect_close(answer_of(answer, 1.0, 3.0, 0.9), 1.2, "average 1, weight 3, decay 0.9: {got}, not {expected}.")
    expect_close(answer(1.0, 3.0, 1.0), 1.0, "decay 1 should leave the average alone, not make it {got}.")


def _test_ablation(answer):
    runs, seeds = answer
    if not isinstance(runs, dict) or len(runs) < 3:
        raise Wrong("give at least three runs: one to compare with, {}, and two that change something.")
    if {} not in runs.values():
        raise Wrong("nothing to compare with: one run must change nothing, {}.")
    usual = profile("laptop").with_(**SCALES["laptop"][0])
    for name, setting in runs.items():
        if len(setting) > 1:
            raise Wrong(f"{name!r} changes {' and '.join(setting)} at once: a difference could come from either.")
        for key, value in setting.items():
            try:
                changed = usual.with_(**{key: value})
            except UserError as error:
                raise Wrong(f"{name!r}: {error}") from None
            if getattr(usual, key) == getattr(changed, key):
                raise Wrong(f"{name!r} sets {key} to the value that it has anyway.")
    if len(set(seeds)) < 2:
        raise Wrong("one seed can't tell an effect from chance: take at least two different ones.")


residual = Check("Exercise 1, a residual block", _test_residual)
instance_norm = Check(
    "Exercise 2, instance norm", _test_instance_norm,
    lambda: side_by_side(np.stack([(x - x.mean()) / x.std() for x in rings()])),
    "Two equal pictures of rings, although the second one came with a quarter of the first one's contrast",
    lambda answer: side_by_side(answer(rings())),
)  # fmt: skip
field = Check("Exercise 3, the receptive field", _test_field)
rate = Check("Exercise 4, the learning rate", _test_rate)
average = Check("Exercise 5, a moving average", _test_average)
ablation = Check("Exercise 6, an ablation", _test_ablation)
