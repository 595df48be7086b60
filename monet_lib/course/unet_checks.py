"""Lesson 3's exercises: what is tested of an answer, and what each wrong one is told."""

import keras
import numpy as np
import tensorflow as tf

from monet_lib.config import Config
from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.gan.cyclegan import CycleGAN
from monet_lib.networks.discriminators import patch_discriminator
from monet_lib.networks.generators import unet_generator


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
