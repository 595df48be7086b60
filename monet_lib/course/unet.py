"""Lesson 3: sizes of its trainings, made-up translators, figures.

Lesson 3's exercises: what is tested of an answer, and what each wrong one is told."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.config import Config
from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.figures import figure_style
from monet_lib.model.cyclegan import CycleGAN
from monet_lib.model.discriminators import patch_discriminator
from monet_lib.model.generators import unet_generator
from monet_lib.recipes import profile

# course.unet
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


# course.unet_checks
def _test_up_filters(answer):
    if list(answer) == [512, 512, 512, 512, 512, 256, 128, 64]:
        raise Wrong("eight numbers: the last doubling, to 3 channels, is not in the list, so seven are left.")
    if list(answer) != [512, 512, 512, 512, 256, 128, 64]:
        raise Wrong(
            f"{list(answer)}: each decoder map gets the filters of the encoder map of its size; "
            "begin beside the innermost."
        )


def _test_answers(answer):
    expect_close(answer[0], 30, "256 px: 32 after three halvings, then twice one less, which is not {got}.")
    expect_close(answer[1], 14, "128 px: 16 after three halvings, then twice one less, which is not {got}.")


def _test_cycle(answer):
    rng = np.random.default_rng(0)
    monet, photo = rng.uniform(-1, 1, (2, 2, 4, 4, 3)).astype(np.float32)
    paint, back = (lambda x: 0.5 * x), (lambda x: x + 0.25)
    found = float(answer_of(answer, monet, photo, paint, back))
    both = [np.abs(back(paint(photo)) - photo).mean(), np.abs(paint(back(monet)) - monet).mean()]
    for one, missing in zip(both, ("monet -> photo -> monet", "photo -> monet -> photo"), strict=True):
        if np.isclose(found, one, rtol=1e-4):
            raise Wrong(f"one cycle is missing: {missing}.")
    expect_close(found, sum(both), "{got} instead of {expected}: add the mean absolute errors of both cycles.")


def _test_identity(answer):
    monet, photo = np.full((1, 2, 2, 3), 0.5, np.float32), np.full((1, 2, 2, 3), -0.25, np.float32)
    paint, back = (lambda x: 1.2 * x), (lambda x: 1.6 * x)

    def apart(a, b):
        return np.abs(a - b).mean()

    found = float(answer_of(answer, monet, photo, paint, back))
    right = [apart(paint(monet), monet), apart(back(photo), photo)]
    wrong = {
        "compared with the other set's image, which is S0's one-colour trap": [
            apart(paint(monet), photo) + apart(back(photo), monet),
            apart(paint(photo), monet) + apart(back(monet), photo),
        ],
        "only one of the two generators is asked": right,
        "each generator gets the image that it should translate, and is told to leave it": [
            apart(paint(photo), photo) + apart(back(monet), monet)
        ],
    }
    for hint, values in wrong.items():
        if any(np.isclose(found, value, rtol=1e-4) for value in values):
            raise Wrong(f"{found:.2f}: {hint}.")
    expect_close(
        found,
        sum(right),
        "{got} instead of {expected}: paint(monet) against monet, back(photo) against photo.",
    )


def _test_skip(answer):
    inner, skip = np.zeros((1, 5, 5, 8), np.float32), np.ones((1, 5, 5, 3), np.float32)
    found = answer_of(answer, inner, skip)
    if np.shape(found) == (1, 5, 5, 8):
        raise Wrong("8 channels: a sum, as in a residual block. A U-Net puts the channels side by side.")
    expect_shape(np.asarray(found), (1, 5, 5, 11), "what the next step receives")
    if float(np.sum(found)) != 75:
        raise Wrong("the skipped channels are not all there, unchanged.")


def maps(channels: np.ndarray) -> np.ndarray:
    """The channels of one map (1, h, w, n), values in [-1, 1], as n grey squares side by side, white between them."""
    squares = np.asarray(channels, float)[0].repeat(8, 0).repeat(8, 1).transpose(2, 0, 1)
    row = np.pad(squares, [(0, 0), (0, 0), (0, 4)], constant_values=1.0)
    return np.repeat(np.concatenate(row, 1)[:, :-4, None], 3, 2)


def halves() -> tuple[np.ndarray, np.ndarray]:
    """A decoder step's map (1, 5, 5, 8), each channel of one grey, and an encoder's (1, 5, 5, 3) with an edge in it."""
    inner = np.ones((1, 5, 5, 8)) * np.linspace(-0.8, 0.6, 8)
    edge = np.where(np.arange(5)[:, None] < np.arange(3) + 1, -1.0, 0.7)  # (places, channels)
    return inner, np.ones((1, 5, 5, 3)) * edge


def _networks(seed=0):
    """Two generators and two discriminators of a few weights."""
    keras.utils.set_random_seed(seed)
    generators = [unet_generator((4, 4), dropout=0.0) for _ in range(2)]
    return [*generators, *(patch_discriminator((4, 4, 4, 4), norm="none") for _ in range(2))]


def _test_step(answer):
    rng = np.random.default_rng(0)
    monet, photo = (tf.constant(rng.uniform(-1, 1, (1, 32, 32, 3)), tf.float32) for _ in range(2))
    yours, right = _networks(), _networks()
    start = [network.get_weights() for network in right]
    model = CycleGAN(*right)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), Config(adversarial="bce"))
    generators, discriminators, _ = model.gradients((monet, photo))
    model.generator_optimizer.apply(generators, model.generator_variables)
    model.discriminator_optimizer.apply(discriminators, model.discriminator_variables)
    answer(yours, [keras.optimizers.SGD(0.1) for _ in range(4)], monet, photo)
    names = ("paint", "back", "the Monet discriminator", "the photo discriminator")
    for name, network, other, before in zip(names, yours, right, start, strict=True):
        pairs = list(zip(network.get_weights(), other.get_weights(), before, strict=True))
        if all(np.array_equal(a, c) for a, _, c in pairs):
            raise Wrong(f"{name} has not moved: each of the four networks takes a step by its own optimizer.")
        worst = max(np.abs(a - b).max() for a, b, _ in pairs)
        if worst > 1e-4:
            loss = "the sum of all generator losses" if name in names[:2] else "the discriminators' losses"
            raise Wrong(f"{name} moved, but not down the slope of {loss} by its own variables.")


up_filters = Check("Exercise 1, the decoder's filters", _test_up_filters)
skip = Check(
    "Exercise 2, a skip connection", _test_skip, lambda: maps(np.concatenate(halves(), -1)),
    "Eleven small maps in a row: eight even greys, the step's own channels, then three with an edge, the encoder's",
    lambda answer: maps(answer(*halves())),
)  # fmt: skip
answers = Check("Exercise 3, how many answers", _test_answers)
cycle = Check("Exercise 4, both cycles", _test_cycle)
identity = Check("Exercise 5, identity", _test_identity)
step = Check("Exercise 6, a training step", _test_step)
