"""Lesson 3's plumbing: one network taught alone, drawings of the network and the losses, exercise checks."""

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt

from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.figures import COLORS, figure_style
from monet_lib.gan.losses import discriminator_loss

# Changes to a profile's Config: whole pictures, shrunk, and a U-Net that trains in minutes; steps of the longest and
# of the other trainings.
SCALES = {
    "tiny": ({"image_size": 32, "unet_depth": 4, "generator_filters": 4, "discriminator_filters": 4}, 4, 2),
    "laptop": ({"crop": 256, "unet_depth": 7, "generator_filters": 16, "discriminator_filters": 16,
                "precision": "float32"}, 600, 150),
    "full": ({"unet_depth": 8}, 30000, 2000),
}  # fmt: skip


def regress(generator, inputs, targets, steps, paired=True, rate=1e-3, seed=0):
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


def teach_judge(discriminator, monets, photos, steps, rate=1e-3, seed=0):
    """Teach a PatchGAN paintings from photos, both (n, h, w, 3) in [-1, 1]; returns the losses, (steps,)."""
    rng, optimizer = np.random.default_rng(seed), keras.optimizers.Adam(rate, 0.5)
    optimizer.build(discriminator.trainable_variables)

    @tf.function(jit_compile=False)
    def step(real, fake):
        with tf.GradientTape() as tape:
            loss = discriminator_loss(
                discriminator(real, training=True), discriminator(fake, training=True), "bce"
            )
        gradients = tape.gradient(loss, discriminator.trainable_variables)
        optimizer.apply(gradients, discriminator.trainable_variables)
        return loss

    pick = lambda images: tf.constant(images[rng.integers(0, len(images), 4)])  # noqa: E731
    return np.array([float(step(pick(monets), pick(photos))) for _ in range(steps)])


def hourglass_figure(filters, size):
    """A U-Net drawn: a bar for each map, as high as the map, with its filters; skip connections as arcs."""
    heights = [size >> (level + 1) for level in range(len(filters))]
    maps = [(size, 3), *zip(heights, filters, strict=True)]
    maps += [(h, f) for h, f in reversed(list(zip(heights[:-1], filters[:-1], strict=True)))] + [(size, 3)]
    middle = len(filters)
    with figure_style():
        figure, axis = plt.subplots(figsize=(11, 4.2), layout="constrained")
        for x, (height, channels) in enumerate(maps):
            color = COLORS["photo"] if x <= middle else COLORS["monet"]
            axis.bar(x, np.log2(height) + 1, 0.5, color=color)
            axis.text(x, np.log2(height) + 1.1, f"{height}²\n×{channels}", ha="center", fontsize=9)
        for level in range(1, middle):
            left, right = level, 2 * middle - level
            top = np.log2(maps[level][0]) + 2.2
            axis.annotate(
                "", (right, top), (left, top), arrowprops={"arrowstyle": "->", "color": "0.4", "lw": 1.4}
            )
        names = ["photo", *(f"down {k}" for k in range(1, middle + 1))]
        names += [*(f"up {k}" for k in range(1, middle)), "painting"]
        axis.set_xticks(range(len(maps)), names, rotation=30, ha="right", fontsize=9)
        axis.set(title="The U-Net: maps halve, then double; arrows are skip connections", yticks=[])
        axis.set_ylim(0, np.log2(size) + 3.2)
        axis.set_ylabel("height of the map (logarithmic)")
        axis.grid(False)
    return figure


def answers_figure(image, answers, title):
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


def tint(images, red=0.0, green=0.0, blue=0.0):
    """Shift an image's channels, in [-1, 1] units, without clipping: a change that can be undone exactly."""
    return images + np.float32([red, green, blue])


def candidate_losses(judge, monets, photos):
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
        fool = float(np.logaddexp(0, -judge(paint(photos)).numpy()).mean())
        cycle = l1(back(paint(photos)), photos) + l1(paint(back(monets)), monets)
        identity = l1(paint(monets), monets) + l1(back(photos), photos)
        found[name] = (fool, cycle, identity)
    return found


def weights_figure(losses, cycle_weight, identity_weight):
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


def _test_up_filters(answer):
    if list(answer) == [512, 512, 512, 512, 512, 256, 128, 64]:
        raise Wrong("eight numbers: the last doubling, to 3 channels, is not in the list, so seven are left.")
    if list(answer) != [512, 512, 512, 512, 256, 128, 64]:
        raise Wrong(
            f"{list(answer)}: each decoder map gets the filters of the encoder map of its size; "
            "begin beside the innermost."
        )


def _test_answers(answer):
    expect_close(
        answer[0], 30, "halve 256 three times, then two 4x4 steps on a rim of 1 take one each: not {got}."
    )
    expect_close(answer[1], 14, "128 px: 16 after three halvings, less two: not {got}.")


def _test_cycle(answer):
    rng = np.random.default_rng(0)
    monet, photo = rng.uniform(-1, 1, (2, 2, 4, 4, 3)).astype(np.float32)
    paint, back = (lambda x: 0.5 * x), (lambda x: x + 0.25)
    found = float(answer_of(answer, monet, photo, paint, back))
    both = [np.abs(back(paint(photo)) - photo).mean(), np.abs(paint(back(monet)) - monet).mean()]
    for one, missing in zip(both, ("monet -> photo -> monet", "photo -> monet -> photo"), strict=True):
        if np.isclose(found, one, rtol=1e-4):
            raise Wrong(f"one cycle is missing: {missing}.")
    expect_close(
        found, sum(both), "{got} instead of {expected}: add the mean absolute errors of both cycles."
    )


def _test_identity(answer):
    monet, photo = np.full((1, 2, 2, 3), 0.5, np.float32), np.full((1, 2, 2, 3), -0.5, np.float32)
    paint, back = (lambda x: x + 0.1), (lambda x: x - 0.3)
    found = float(answer_of(answer, monet, photo, paint, back))
    wrong = {
        "compared with the other set's image, which is S0's one-colour trap": [
            np.abs(paint(monet) - photo).mean() + np.abs(back(photo) - monet).mean(),
            np.abs(paint(photo) - monet).mean() + np.abs(back(monet) - photo).mean(),
        ],
        "only one of the two generators is asked": [0.1, 0.3],
    }
    for hint, values in wrong.items():
        if any(np.isclose(found, value, rtol=1e-4) for value in values):
            raise Wrong(f"{found:.2f}: {hint}.")
    expect_close(
        found, 0.4, "{got} instead of {expected}: paint(monet) against monet, back(photo) against photo."
    )


def _test_skip(answer):
    inner, skip = np.zeros((1, 5, 5, 8), np.float32), np.ones((1, 5, 5, 3), np.float32)
    found = answer_of(answer, inner, skip)
    if np.shape(found) == (1, 5, 5, 8):
        raise Wrong("8 channels: a sum, as in a residual block. A U-Net puts the channels side by side.")
    expect_shape(np.asarray(found), (1, 5, 5, 11), "what the next step receives")
    if float(np.sum(found)) != 75:
        raise Wrong("the skipped channels are not all there, unchanged.")


check_up_filters = Check("Exercise 1, the decoder's filters", _test_up_filters)
check_skip = Check("Exercise 2, a skip connection", _test_skip)
check_answers = Check("Exercise 3, how many answers", _test_answers)
check_cycle = Check("Exercise 4, both cycles", _test_cycle)
check_identity = Check("Exercise 5, identity", _test_identity)
