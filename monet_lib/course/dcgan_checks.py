"""Lesson 2's exercises: what is tested of an answer, and what each wrong one is told."""

from collections.abc import Sequence

import keras
import numpy as np

from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.course.dcgan import BLIND
from monet_lib.gan import losses
from monet_lib.networks.discriminators import dcgan_discriminator
from monet_lib.networks.generators import dcgan_generator


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
