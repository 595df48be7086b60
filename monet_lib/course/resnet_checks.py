"""Lesson 4's exercises: what is tested of an answer, and what each wrong one is told."""

import numpy as np

from monet_lib.config import profile
from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.course.resnet import PATCHGAN, SCALES
from monet_lib.errors import UserError
from monet_lib.networks.discriminators import receptive_field


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
