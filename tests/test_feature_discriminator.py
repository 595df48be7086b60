"""The discriminator on frozen features: what it trains, what it leaves alone, and that it resumes."""

import numpy as np
import pytest
import tensorflow as tf
from inputs import At, sixteen_bits, weights

from monet_lib.model.cyclegan import build
from monet_lib.model.layers import SpectralConv2D, spectral_norm
from monet_lib.model.networks import FeatureDiscriminator
from monet_lib.model.weights import load_networks, save_networks
from monet_lib.train.loop import train

rng = np.random.default_rng(0)
both_precisions = pytest.mark.parametrize("precision", ["float32", pytest.param("mixed_bfloat16", marks=sixteen_bits)])


def pair(size=32, batch=1):
    return tuple(tf.constant(rng.uniform(-1, 1, (batch, size, size, 3)), tf.float32) for _ in range(2))


def flat(tensors):
    return np.concatenate([np.ravel(t) for t in tensors])


@pytest.fixture
def config(nano):
    return nano.with_(feature_discriminator=0.5, diff_augment="translation", steps=4)


def test_spectral_norm_is_the_largest_singular_value():
    for shape in ((3, 3, 8, 16), (4, 4, 3, 5), (1, 1, 7, 1)):
        kernel = rng.normal(0, 0.3, shape).astype("float32")
        largest = np.linalg.norm(kernel.reshape(-1, shape[-1]), 2)
        assert float(spectral_norm(kernel)) == pytest.approx(largest, rel=0.02)
    layer = SpectralConv2D(16, 3)
    layer.build((None, None, None, 8))
    x = tf.constant(rng.normal(size=(1, 9, 9, 8)), tf.float32)
    before = layer(x)
    layer.kernel.assign(7 * layer.kernel)  # the size of the weights doesn't matter
    np.testing.assert_allclose(layer(x), before, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_spectral_norm_is_the_singular_values():
    """d sigma / d W = u v^T, against finite differences along the gradient."""
    kernel = tf.Variable(rng.normal(0, 0.3, (3, 3, 4, 8)).astype("float32"))
    with tf.GradientTape() as tape:
        sigma = spectral_norm(kernel)
    gradient = tape.gradient(sigma, kernel)
    assert np.linalg.norm(flat([gradient])) == pytest.approx(1, rel=1e-3)
    exact = lambda w: np.linalg.norm(w.reshape(-1, 8), 2)  # noqa: E731
    ahead, behind = (exact(kernel.numpy() + s * gradient.numpy()) for s in (1e-2, -1e-2))
    assert (ahead - behind) / 2e-2 == pytest.approx(1, rel=0.02)


def test_only_heads_have_weights_and_the_mixtures_follow_the_seed():
    first, second, other = (FeatureDiscriminator(seed=seed) for seed in (1, 1, 2))
    assert len(first.weights) == len(first.trainable_weights) == 4 * 3 * 2
    image = pair()[0]
    maps = [network.project(image) for network in (first, second, other)]
    np.testing.assert_array_equal(flat(maps[0]), flat(maps[1]))
    assert np.abs(flat(maps[0]) - flat(maps[2])).max() > 0.1
    assert [m.shape for m in maps[0]] == [(1, n, n, 64) for n in (8, 4, 2, 1)]
    assert [x.shape for x in first(maps[0])] == [(1, n, n, 1) for n in (4, 2, 1, 1)]


@both_precisions
def test_steps_move_the_heads_and_leave_the_features_bit_by_bit(config, precision):
    model, image = build(config.with_(precision=precision), steps=4), pair()[0]
    features = [x.numpy() for x in model.feature_discriminator.project(image)]
    heads = model.feature_discriminator.get_weights()
    for _ in range(2):
        losses = model.train_step(pair())
    assert all(np.isfinite(float(v)) for v in losses.values())
    np.testing.assert_array_equal(flat(model.feature_discriminator.project(image)), flat(features))
    moved = [np.abs(a - b).max() for a, b in zip(heads, model.feature_discriminator.get_weights(), strict=True)]
    assert min(moved[::2]) > 0  # the kernels: of the last bias, the sides of the hinge cancel at first


@both_precisions
def test_a_one_pixel_map_has_the_output_and_the_gradient_of_its_stride(precision):
    """Against a plain strided convolution in float32; as often as it takes for memory to be another's."""
    layer = SpectralConv2D(64, 3, 2, "same", dtype=precision)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 1, 1, 64)).astype("float32")
    layer.build(x.shape)
    kernel = tf.convert_to_tensor(layer.kernel)
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        expected = tf.nn.conv2d(x, kernel / tf.stop_gradient(spectral_norm(kernel)), 2, "SAME")
        loss = tf.reduce_sum(expected)
    direct = tape.gradient(loss, kernel)
    for _ in range(40):
        with tf.GradientTape() as tape:
            found = layer(x)
            loss = tf.reduce_sum(tf.cast(found, "float32"))
        gradient = tape.gradient(loss, layer.kernel)
        np.testing.assert_allclose(tf.cast(found, "float32"), expected, atol=0.05)
        assert np.isfinite(gradient).all()
    # The gradient through the singular value has rank one: away from it both agree.
    sigma_part = np.asarray(gradient - direct).reshape(-1, 64)
    values = np.linalg.svd(sigma_part, compute_uv=False)
    assert values[1] < 0.05 * np.linalg.norm(np.asarray(direct))


def test_nothing_frozen_is_trained_or_saved(config, tmp_path):
    """Beside the plain model's variables there are the heads', in the optimizer twice more, and no other."""
    plain, model = build(config.with_(feature_discriminator=0.0), 4), build(config, 4)
    heads = sum(int(np.prod(w.shape)) for w in model.feature_discriminator.weights)
    count = lambda variables: sum(int(np.prod(v.shape)) for v in variables)  # noqa: E731
    assert count(model.variables) - count(plain.variables) in (heads, 3 * heads)
    assert len(model.discriminator_variables) - len(plain.discriminator_variables) == 24
    save_networks(tmp_path, model, config)
    with np.load(tmp_path / "companions.npz") as file:
        saved = [k for k in file.files if k.startswith("feature_discriminator")]
        assert sum(file[k].size for k in saved) == heads


def test_the_generator_hears_it(config):
    """With the other discriminator silenced, the Monet generator still gets a gradient, the other generator none."""
    model = build(config.with_(feature_discriminator=1.0, cycle_weight=0.0, identity_weight=0.0), steps=4)
    count = len(model.monet_generator.trainable_variables)
    gradients = model.gradients(pair())[0][:count]
    assert all(np.abs(g).max() > 0 for g in gradients if g is not None)
    heads = len(model.feature_discriminator.trainable_variables)
    of_heads = model.gradients(pair())[1][-heads:]
    assert all(g is not None and np.isfinite(g).all() for g in of_heads)


@pytest.mark.usefixtures("eagerly")
def test_it_resumes_exactly(config, data_folder, tmp_path):
    config, stop = config.with_(steps=2), At(1, lambda model: setattr(model, "stop_training", True))
    whole = train(config, data_folder, tmp_path / "whole")
    train(config, data_folder, tmp_path / "parts", callbacks=[stop])
    parts = train(config, data_folder, tmp_path / "parts")
    np.testing.assert_array_equal(weights(parts), weights(whole))
    head = (tmp_path / "parts" / "history.csv").read_text().splitlines()
    assert head[0].endswith("feature_generator,feature_discriminator")
    assert len(head) == 3


def test_networks_without_it_can_go_on_with_a_fresh_one(config, nano, tmp_path, capsys):
    save_networks(tmp_path, build(nano, 1), nano)
    model = build(config.with_(discriminator_norm="spectral"), 1)
    heads = weights(model.feature_discriminator)
    load_networks(tmp_path, model)
    said = capsys.readouterr().out
    assert "no feature_discriminator of the config's kind" in said
    assert "no monet_discriminator of the config's kind" in said
    np.testing.assert_array_equal(weights(model.feature_discriminator), heads)
