"""What the benchmarks count and train: the convolutions of the GPU estimate, and CUT."""

import gpu_estimate
import numpy as np
import pytest
from contrastive import TEMPERATURE, build_cut, patch_nce
from inputs import weights
from scipy.special import logsumexp

from monet_lib.model.networks import patch_discriminator, resnet_generator
from monet_lib.recipes import profile


def test_the_convolutions_counted_are_the_networks_and_cost_what_arithmetic_says():
    resnet, patch = (
        resnet_generator(8, 2, norm="none", upsample="resize"),
        patch_discriminator((8, 16, 32, 64), norm="none"),
    )
    for counted, network in ((gpu_estimate.resnet(8, 2), resnet), (gpu_estimate.patch(8), patch)):
        assert sum(k * k * i * o + o for k, i, o, _ in counted) == network.count_params()
    assert gpu_estimate.flops([(3, 2, 5, 4)]) == 2 * 9 * 2 * 5 * 16


def test_patch_nce_is_the_cross_entropy_of_finding_ones_own_place():
    rng = np.random.default_rng(0)
    queries, keys = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in rng.normal(size=(2, 3, 7, 5)))
    losses = []
    for q, k in zip(queries, keys, strict=True):
        similar = q @ k.T / TEMPERATURE
        losses += [logsumexp(similar[i]) - similar[i, i] for i in range(7)]
    found = float(patch_nce(queries.astype("float32"), keys.astype("float32")))
    assert found == pytest.approx(np.mean(losses), rel=1e-4)
    assert float(patch_nce(keys.astype("float32"), keys.astype("float32"))) < found / 3


def test_a_step_moves_the_painter_its_heads_and_the_discriminator_and_not_the_way_back():
    config = profile(
        "tiny", image_size=32, crop=32, generator_filters=4, discriminator_filters=4, residual_blocks=4,
        feature_discriminator=0.5, tone_weight=1.0, color_weight=1.0, pool_size=0,
    )  # fmt: skip
    model = build_cut(config, 4)
    parts = {
        "painter": model.monet_generator, "heads": model.heads[0], "discriminator": model.monet_discriminator,
        "features": model.feature_discriminator, "back": model.photo_generator,
    }  # fmt: skip
    before = {name: weights(part) for name, part in parts.items()}
    pair = [np.random.default_rng(k).uniform(-1, 1, (1, 32, 32, 3)).astype("float32") for k in range(2)]
    losses = model.train_step(pair)
    assert all(np.isfinite(float(x)) for x in losses.values())
    moved = {name: np.abs(weights(part) - before[name]).max() for name, part in parts.items()}
    assert moved.pop("back") == 0
    assert min(moved.values()) > 0
