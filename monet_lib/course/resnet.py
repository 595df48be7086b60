"""Lesson 4's plumbing: paddings, checkerboards, patches, a judge that learns by heart, figures, exercise checks."""

import keras
import numpy as np
import tensorflow as tf
from matplotlib import patches
from matplotlib import pyplot as plt

from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.figures import COLORS, figure_style
from monet_lib.gan.augment import DRAWS, diff_augment
from monet_lib.gan.losses import discriminator_loss
from monet_lib.gan.pool import ImagePool
from monet_lib.networks.discriminators import patch_discriminator

# Changes to a profile's Config, and the steps of the trainings.
SCALES = {
    "tiny": ({"image_size": 32, "crop": 32, "generator_filters": 4, "residual_blocks": 1,
              "discriminator_filters": 4}, 6),
    "laptop": ({"image_size": 96, "crop": 96, "generator_filters": 24, "residual_blocks": 4,
                "discriminator_filters": 24, "norm": "instance", "identity_weight": 5.0}, 600),
    "full": ({}, 30000),
}  # fmt: skip
GO_ON = {"tiny": 3, "laptop": 1500, "full": 20000}  # steps of going on from a trained generator
PATCHGAN = [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]  # (kernel, stride) of the paper's discriminator


def overlaps(size, kernel, stride):
    """How many strokes of a transposed convolution cover each of its output positions: int (size * stride,)."""
    counts = np.zeros(stride * (size - 1) + kernel, int)
    for place in range(size):
        counts[place * stride : place * stride + kernel] += 1
    before = (kernel - stride) // 2  # padding "same" cuts the rim
    return counts[before : before + size * stride]


def unevenness(images, period=2):
    """How far the mean values of the positions of a period x period grid lie apart: 0 without a checkerboard.

    images: (n, h, w, c). The rim of 8 pixels is left out.
    """
    x = np.asarray(images, np.float64)[:, 8:-8, 8:-8]
    means = [x[:, i::period, j::period].mean((1, 2)) for i in range(period) for j in range(period)]
    return float(np.std(means, axis=0).mean())


def box(row, column, layers=PATCHGAN):
    """(top, left, side) in pixels of the patch behind answer (row, column); parts of it may lie outside the image."""
    side, jump, start = 1, 1, 0
    for kernel, stride in layers:
        start -= jump  # every layer of the PatchGAN pads one row above
        side += (kernel - 1) * jump
        jump *= stride
    return start + row * jump, start + column * jump, side


def patch_figure(image, row, column):
    """A painting, uint8 (256, 256, 3), with the patch behind one of its 30x30 answers marked, and the patch alone."""
    top, left, side = box(row, column)
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


def learn_by_heart(monets, held, photos, policy, steps, seed=0):
    """Teach a small PatchGAN some paintings, with `diff_augment` of `policy`, and watch paintings that it never met.

    monets, held, photos: (n, h, w, 3) in [-1, 1]. Returns {"step", "seen", "held", "photo"}: mean logits.
    """
    keras.utils.set_random_seed(seed)
    judge = patch_discriminator((16, 32, 64, 128), norm="instance")
    optimizer, rng = keras.optimizers.Adam(5e-4, 0.5), np.random.default_rng(seed)
    optimizer.build(judge.trainable_variables)

    @tf.function(jit_compile=False)
    def step(real, fake, draws):
        with tf.GradientTape() as tape:
            logits = [judge(diff_augment(x, draws, policy), training=True) for x in (real, fake)]
            loss = discriminator_loss(*logits, "bce")
        gradients = tape.gradient(loss, judge.trainable_variables)
        optimizer.apply(gradients, judge.trainable_variables)

    found = {name: [] for name in ("step", "seen", "held", "photo")}
    for k in range(1, steps + 1):
        real, fake = (images[rng.integers(0, len(images), 4)] for images in (monets, photos))
        step(*(tf.constant(x, tf.float32) for x in (real, fake, rng.random((4, DRAWS)))))
        if k % max(1, steps // 20) == 0:
            means = [float(tf.reduce_mean(judge(x))) for x in (monets, held, photos)]
            for name, value in zip(found, (k, *means), strict=True):
                found[name].append(value)
    return {name: np.array(values) for name, values in found.items()}


def heart_figure(runs):
    """The mean logits of `learn_by_heart`, one panel for each {title: result}, with a common axis."""
    lines = {
        "seen": ("paintings trained on", "-"),
        "held": ("paintings never met", "--"),
        "photo": ("photos", ":"),
    }
    with figure_style():
        figure, axes = plt.subplots(1, len(runs), figsize=(11, 3.6), sharey=True, layout="constrained")
        for axis, (title, found) in zip(axes, runs.items(), strict=True):
            for name, (label, style) in lines.items():
                axis.plot(found["step"], found[name], style, label=label)
            axis.set(title=title, xlabel="training step")
        axes[0].set_ylabel("mean logit (above 0: a painting)")
        axes[0].legend()
    return figure


def pool_ages(size, steps, seed=0):
    """How many steps old the images are that an ImagePool hands to the judge, int (steps,), once it is full."""
    rng, pool = np.random.default_rng(seed), ImagePool(size, (1, 1, 1))
    ages = []
    for now in range(size + steps):
        draws = tf.constant(rng.random((1, 2)), tf.float32)
        ages.append(now - int(pool(tf.fill((1, 1, 1, 1), float(now)), draws)[0, 0, 0, 0]))
    return np.array(ages[size:])


def noisy_descent(steps=400, decay=0.98, rate=0.2, seed=0):
    """(weight, its average) over `steps` of gradient descent on w² / 2 with noisy gradients, from w = 3."""
    rng, weight, average = np.random.default_rng(seed), 3.0, 3.0
    path = []
    for step in range(steps):
        weight -= rate * (weight + rng.normal(0, 1.5))
        rate_now = 1 - min(decay, (1 + step) / (10 + step))
        average += rate_now * (weight - average)
        path.append((weight, average))
    return np.array(path).T


def helpers_figure(ages, descent, rates):
    """Three helpers of a long training: the pool's ages, weights and their average, the learning rate over steps."""
    with figure_style():
        figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.4), layout="constrained")
        left.hist(ages, 30, color=COLORS["photo"])
        left.set(title="Image pool: age of what the judge sees", xlabel="steps old", ylabel="images")
        middle.plot(descent[0], color="0.6", lw=0.8, label="weight")
        middle.plot(descent[1], color=COLORS["monet"], label="moving average")
        middle.set(title="EMA: a weight and its average", xlabel="step", ylabel="distance from the best")
        middle.legend()
        right.plot(np.linspace(0, 100, len(rates)), rates, color=COLORS["green"])
        right.set(title="Decay: constant, then linear", xlabel="% of training", ylabel="learning rate")
        right.set_ylim(0, None)
    return figure


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
    if np.allclose(
        found, (x - x.mean((1, 2, 3), keepdims=True)) / x.std((1, 2, 3), keepdims=True), atol=1e-2
    ):
        raise Wrong("that is layer norm: channels are mixed. Keep axis 3 apart.")
    if np.allclose(found, x - mean, atol=1e-2):
        raise Wrong("the contrast is still in it: divide by the standard deviation.")
    expect_close(found, (x - mean) / deviation, "mean 0 and deviation 1 in each channel of each image.", 1e-2)


def _test_field(answer):
    for layers in (PATCHGAN, [(7, 1), (3, 2), (3, 2)], [(4, 2)] * 2 + [(4, 1)] * 2):
        found, wanted = answer_of(answer, layers), box(0, 0, layers)[2]
        if found != wanted:
            raise Wrong(
                f"{layers}: {found} pixels, not {wanted}. From the output on: (size − 1) · stride + kernel."
            )


def _test_rate(answer):
    for step, share in ((0, 1), (50, 1), (75, 0.5), (100, 0)):
        found = answer_of(answer, step, 2.0, 50, 100)
        expect_close(
            found, 2.0 * share, f"start 2, constant 50, total 100: {{got}} at step {step}, not {{expected}}."
        )
    if answer(120, 2.0, 50, 100) < 0:
        raise Wrong("beyond the last step the rate is negative: that would climb. Stop at 0.")


def _test_average(answer):
    expect_close(
        answer_of(answer, 1.0, 3.0, 0.9), 1.2, "average 1, weight 3, decay 0.9: {got}, not {expected}."
    )
    expect_close(answer(1.0, 3.0, 1.0), 1.0, "decay 1 should leave the average alone, not make it {got}.")


check_residual = Check("Exercise 1, a residual block", _test_residual)
check_instance_norm = Check("Exercise 2, instance norm", _test_instance_norm)
check_field = Check("Exercise 3, the receptive field", _test_field)
check_rate = Check("Exercise 4, the learning rate", _test_rate)
check_average = Check("Exercise 5, a moving average", _test_average)
