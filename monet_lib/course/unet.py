"""Lesson 3: sizes of its trainings, made-up translators, figures; then the checks of its exercises."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.config import Config
from monet_lib.course.checks import Wrong, answer_of, exercise, expect_close, expect_shape, refuse_if
from monet_lib.course.tools import descent, drawing
from monet_lib.figures import figure_style
from monet_lib.model.cyclegan import CycleGAN
from monet_lib.model.discriminators import patch_discriminator
from monet_lib.model.generators import unet_generator
from monet_lib.recipes import profile

# Changes to a recipe's Config: whole pictures, shrunk, and a U-Net that trains in minutes; steps of the longest
# training, of each of the comparisons, and the seeds of a comparison.
SCALES = {
    "tiny": ({"image_size": 32, "unet_depth": 4, "generator_filters": 4, "discriminator_filters": 4}, 4, 2, (0,)),
    "laptop": ({"crop": 256, "unet_depth": 7, "generator_filters": 16, "discriminator_filters": 16}, 400, 120, (0, 1)),
    "full": ({"unet_depth": 8}, 30000, 2000, (0, 1, 2)),
}  # fmt: skip


def settings(config: Config) -> tuple[Config, int, int, tuple[int, ...]]:
    """(Config of the lesson's U-Net CycleGAN, SCALES' steps of the long and of a short training, seeds)."""
    changes, steps, short, seeds = SCALES[config.profile]
    common = {"model": "unet", "upsample": "transpose", "pool_size": 0, "ema": 0.0, "adversarial": "bce",
              "diff_augment": "", "feature_discriminator": 0.0}  # fmt: skip
    return profile(config.profile, **common, precision="float32", **changes), steps, short, seeds


def cyclegan_figure() -> Figure:
    """A CycleGAN's data flow with its six passes through the two generators, numbered."""
    places = {  # see `drawing`
        "photo": (0, 0, "photo", "photo"), "paint1": (1, 0, "paint  ①", "net"),
        "fake_monet": (2, 0, "fake Monet", "monet"), "back1": (3, 0, "back  ③", "net"),
        "cycled_photo": (4, 0, "photo again", "photo"), "DM": (2, 1, "Monet\ndiscriminator", "net"),
        "monet": (0, 2, "Monet", "monet"), "back2": (1, 2, "back  ②", "net"),
        "fake_photo": (2, 2, "fake photo", "photo"), "paint2": (3, 2, "paint  ④", "net"),
        "cycled_monet": (4, 2, "Monet again", "monet"), "DP": (2, 3, "photo\ndiscriminator", "net"),
        "same_monet": (0, 1, "Monet", "monet"), "paint3": (1, 1, "paint  ⑤", "net"),
        "same_photo": (0, 3, "photo", "photo"), "back3": (1, 3, "back  ⑥", "net"),
    }  # fmt: skip
    arrows = [
        ("photo", "paint1"), ("paint1", "fake_monet"), ("fake_monet", "back1"), ("back1", "cycled_photo"),
        ("fake_monet", "DM", "adversarial"), ("monet", "back2"), ("back2", "fake_photo"), ("fake_photo", "paint2"),
        ("paint2", "cycled_monet"), ("fake_photo", "DP", "adversarial"),
        ("same_monet", "paint3", "identity"), ("same_photo", "back3", "identity"),
    ]  # fmt: skip
    title = "A CycleGAN's step: ①–④ two cycles, ⑤ and ⑥ identity; each generator is used three times"
    return drawing(places, arrows, title, (11, 5.4))


def regress(
    generator: keras.Model,
    inputs: np.ndarray,
    targets: np.ndarray,
    steps: int,
    *,
    paired: bool = True,
    rate: float = 1e-3,
    seed: int = 0,
) -> np.ndarray:
    """Teach a generator one target for each input by the mean absolute error; returns the losses, (steps,).

    inputs, targets: (n, h, w, 3) in [-1, 1]. paired: target k belongs to input k; otherwise any target is drawn.
    """
    rng, losses = np.random.default_rng(seed), []
    step = descent(
        generator,
        keras.optimizers.Adam(rate),
        lambda x, y: tf.reduce_mean(tf.abs(generator(x, training=True) - y)),
    )
    for _ in range(steps):
        pick = rng.integers(0, len(inputs), 4)
        wanted = pick if paired else rng.integers(0, len(targets), 4)
        losses.append(float(step(tf.constant(inputs[pick]), tf.constant(targets[wanted]))))
    return np.array(losses)


@figure_style()
def hourglass_figure(filters: Sequence[int], size: int) -> Figure:
    """A U-Net drawn: a bar for each map, as high as the map, with its filters; skip connections as arcs."""
    middle = len(filters)
    down = [(size, 3), *((size >> (level + 1), f) for level, f in enumerate(filters))]
    maps = [*down, *down[-2:0:-1], (size, 3)]
    figure, axis = plt.subplots(figsize=(11, 4.2), layout="constrained")
    for x, (height, channels) in enumerate(maps):
        axis.bar(x, np.log2(height) + 1, 0.5, color="0.55" if x <= middle else "0.8", edgecolor="black")
        axis.text(x, np.log2(height) + 1.1, f"{height}²\n×{channels}", ha="center", fontsize=9)
    for level in range(1, middle):
        top = np.log2(maps[level][0]) + 2.2
        arrow = {"arrowstyle": "->", "color": "0.4", "lw": 1.4}
        axis.annotate("", (2 * middle - level, top), (level, top), arrowprops=arrow)
    names = ["photo", *(f"down {k}" for k in range(1, middle + 1)), *(f"up {k}" for k in range(1, middle)), "painting"]
    axis.set_xticks(range(len(maps)), names, rotation=30, ha="right", fontsize=9)
    axis.set(title="The U-Net: maps halve, then double; arrows are skip connections", yticks=[])
    axis.set_ylim(0, np.log2(size) + 3.2)
    axis.set_ylabel("height of the map (logarithmic)")
    axis.grid(False)
    return figure


@figure_style()
def answers_figure(image: np.ndarray, answers: np.ndarray, title: str) -> Figure:
    """An image in [-1, 1] beside a PatchGAN's answers (n, n, 1) as probabilities."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
    left.imshow((image + 1) / 2)
    left.set(title=title, xticks=[], yticks=[])
    shown = right.imshow(1 / (1 + np.exp(-answers[..., 0])), cmap="cividis", vmin=0, vmax=1)
    right.set(title=f"{answers.shape[0]}×{answers.shape[1]} answers", xticks=[], yticks=[])
    right.grid(False)
    figure.colorbar(shown, ax=right, label="probability: a painting")
    return figure


def candidate_losses(
    discriminator: keras.Model, monets: np.ndarray, photos: np.ndarray
) -> dict[str, tuple[float, float, float]]:
    """{name: (adversarial, cycle, identity)} of made-up translators, the sums over both directions.

    Each translator is a pair (paint, back) of exact functions, so that a loss shows its blind spot without training.
    """

    def tint(*rgb):  # without clipping, so that it can be undone exactly
        shift = np.array(rgb, np.float32)
        return lambda x: x + shift, lambda x: x - shift

    def apart(a, b):
        return float(np.abs(a - b).mean())

    monet, photo = (images.mean((0, 1, 2)) for images in (monets, photos))
    pairs = {
        "do nothing": (lambda x: x, lambda x: x),
        "paint blue, and back": tint(-0.3, 0, 0.4),
        "paint gold, and back": tint(0.3, 0, -0.4),
        "negative, and back": (lambda x: -x, lambda x: -x),
        "one colour": (lambda x: 0 * x + monet, lambda x: 0 * x + photo),
    }
    found = {}
    for name, (paint, back) in pairs.items():
        fool = float(np.logaddexp(0, -discriminator(paint(photos)).numpy()).mean())
        cycle = apart(back(paint(photos)), photos) + apart(paint(back(monets)), monets)
        found[name] = (fool, cycle, apart(paint(monets), monets) + apart(back(photos), photos))
    return found


@figure_style()
def weights_figure(
    losses: Mapping[str, tuple[float, float, float]], cycle_weight: float, identity_weight: float
) -> Figure:
    """Stacked bars of each candidate's weighted losses; the candidate that training would prefer is marked."""
    parts = np.array(list(losses.values())) * [1, cycle_weight, identity_weight]
    best, left = int(parts.sum(1).argmin()), np.zeros(len(losses))
    figure, axis = plt.subplots(figsize=(9, 3.2), layout="constrained")
    labels = {"adversarial": "", "cycle × weight": "//", "identity × weight": ".."}
    for part, (label, hatch) in zip(parts.T, labels.items(), strict=True):
        axis.barh(list(losses), part, left=left, label=label, hatch=hatch, edgecolor="white")
        left += part
    axis.text(left[best], best, "  cheapest", va="center", weight="bold")
    axis.set(title=f"What each translator pays at cycle {cycle_weight:g}, identity {identity_weight:g}")
    axis.set(xlabel="total loss", xlim=(0, max(left.max() * 1.25, 1)))
    axis.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@exercise("Exercise 1, the decoder's filters")
def check_up_filters(answer):
    found, right = list(answer), [512, 512, 512, 512, 256, 128, 64]
    eight = "eight numbers: the last doubling, to 3 channels, is not in the list, so seven are left."
    refuse_if(found == [512, *right], eight)
    hint = "each decoder map gets the filters of the encoder map of its size; begin beside the innermost."
    refuse_if(found != right, f"{found}: {hint}")


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


@exercise(
    "Exercise 2, a skip connection",
    expected=lambda: maps(np.concatenate(halves(), -1)),
    drawn=lambda answer: maps(answer(*halves())),
    alt="Eleven small maps in a row: eight even greys, the step's own channels, then three with an edge, the encoder's",
)
def check_skip(answer):
    found = np.asarray(answer_of(answer, np.zeros((1, 5, 5, 8), np.float32), np.ones((1, 5, 5, 3), np.float32)))
    added = found.shape == (1, 5, 5, 8)
    refuse_if(added, "8 channels: a sum, as in a residual block. A U-Net puts the channels side by side.")
    expect_shape(found, (1, 5, 5, 11), "what the next step receives")
    refuse_if(float(found.sum()) != 75, "the skipped channels are not all there, unchanged.")


@exercise("Exercise 3, how many answers")
def check_answers(answer):
    expect_close(answer[0], 30, "256 px: 32 after three halvings, then twice one less, which is not {got}.")
    expect_close(answer[1], 14, "128 px: 16 after three halvings, then twice one less, which is not {got}.")


@exercise("Exercise 4, both cycles")
def check_cycle(answer):
    monet, photo = np.random.default_rng(0).uniform(-1, 1, (2, 2, 4, 4, 3)).astype(np.float32)
    paint, back = (lambda x: 0.5 * x), (lambda x: x + 0.25)
    found = float(answer_of(answer, monet, photo, paint, back))
    both = [np.abs(back(paint(photo)) - photo).mean(), np.abs(paint(back(monet)) - monet).mean()]
    for one, missing in zip(both, ("monet -> photo -> monet", "photo -> monet -> photo"), strict=True):
        refuse_if(np.isclose(found, one, rtol=1e-4), f"one cycle is missing: {missing}.")
    expect_close(found, sum(both), "{got} instead of {expected}: add the mean absolute errors of both cycles.")


@exercise("Exercise 5, identity")
def check_identity(answer):
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
        refuse_if(np.isclose(found, values, rtol=1e-4).any(), f"{found:.2f}: {hint}.")
    hint = "{got} instead of {expected}: paint(monet) against monet, back(photo) against photo."
    expect_close(found, sum(right), hint)


def _networks():
    """Two generators and two discriminators of a few weights."""
    keras.utils.set_random_seed(0)
    generators = [unet_generator((4, 4), dropout=0.0) for _ in range(2)]
    return [*generators, *(patch_discriminator((4, 4, 4, 4), norm="none") for _ in range(2))]


@exercise("Exercise 6, a training step")
def check_step(answer):
    rng = np.random.default_rng(0)
    monet, photo = (tf.constant(rng.uniform(-1, 1, (1, 32, 32, 3)), tf.float32) for _ in range(2))
    yours, right = _networks(), _networks()
    start = [network.get_weights() for network in right]
    model = CycleGAN(*right)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), Config(adversarial="bce"))
    model.train_step((monet, photo))
    answer(yours, [keras.optimizers.SGD(0.1) for _ in range(4)], monet, photo)
    names = ("paint", "back", "the Monet discriminator", "the photo discriminator")
    for name, network, other, before in zip(names, yours, right, start, strict=True):
        pairs = list(zip(network.get_weights(), other.get_weights(), before, strict=True))
        still = all(np.array_equal(a, c) for a, _, c in pairs)
        refuse_if(still, f"{name} has not moved: each of the four networks takes a step by its own optimizer.")
        if max(np.abs(a - b).max() for a, b, _ in pairs) > 1e-4:
            loss = "the sum of all generator losses" if name in names[:2] else "the discriminators' losses"
            raise Wrong(f"{name} moved, but not down the slope of {loss} by its own variables.")
