import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from monet_lib.model.layers import (
    ChangedImage,
    CropLike,
    ReflectionPadding2D,
    ResidualBlock,
    downsample,
    fuses,
    normalization,
    upsample,
)

rng = np.random.default_rng(0)


def as_numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_instance_norm_is_each_channel_of_each_image_alone():
    x = rng.normal(3, 2, (2, 8, 6, 4)).astype("float32")
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(as_numpy(normalization("instance", 4)(x)), expected, atol=1e-5)


def test_group_norm_is_over_groups_of_channels():
    x = rng.normal(3, 2, (2, 4, 4, 64)).astype("float32")
    groups = x.reshape(2, 4, 4, 32, 2)
    mean, variance = groups.mean(axis=(1, 2, 4), keepdims=True), groups.var(axis=(1, 2, 4), keepdims=True)
    expected = ((groups - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)
    np.testing.assert_allclose(as_numpy(normalization("group", 64)(x)), expected, atol=1e-4)


def test_batch_norm_is_over_the_batch():
    x = rng.normal(3, 2, (4, 4, 4, 2)).astype("float32")
    expected = (x - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(as_numpy(normalization("batch", 2)(x, training=True)), expected, atol=1e-4)


def test_norm_statistics_stay_float32_under_bfloat16():
    x = rng.normal(100, 1, (1, 32, 32, 2)).astype("float32")
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        y = as_numpy(keras.ops.cast(normalization("instance", 2)(x), "float32"))
    finally:
        keras.config.set_dtype_policy(outside)
    # Input rounding costs some spread, but a mean summed in bfloat16 would be off by several units.
    assert abs(y.mean()) < 0.05
    assert abs(y.std() - 1) < 0.1


def test_unknown_arguments_are_named():
    with pytest.raises(ValueError, match="norm 'layer' is unknown"):
        normalization("layer", 4)
    with pytest.raises(ValueError, match="how 'shuffle' is unknown"):
        upsample(4, how="shuffle")


def test_reflection_is_numpys():
    x = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    expected = np.pad(x, [(0, 0), (3, 3), (3, 3), (0, 0)], mode="reflect")
    np.testing.assert_array_equal(as_numpy(ReflectionPadding2D(3)(x)), expected)


def test_cropping_keeps_the_upper_left():
    x = rng.normal(size=(1, 6, 6, 2)).astype("float32")
    np.testing.assert_array_equal(as_numpy(CropLike()([x, np.zeros((1, 5, 4, 7))])), x[:, :5, :4])


@pytest.mark.parametrize("norm", ["instance", "group", "batch", "none"])
def test_steps_halve_and_double(norm):
    x = rng.normal(size=(2, 12, 9, 3)).astype("float32")
    assert downsample(8, norm=norm)(x).shape == (2, 6, 5, 8)
    for how in ("transpose", "resize"):
        assert upsample(8, norm=norm, how=how)(x).shape == (2, 24, 18, 8)


def test_downsampling_computes_what_it_says():
    block = downsample(1, size=4, norm="none")
    x = rng.normal(size=(1, 4, 4, 1)).astype("float32")
    block.build(x.shape)
    kernel = rng.normal(size=(4, 4, 1, 1)).astype("float32")
    block.set_weights([kernel, np.array([0.5], "float32")])
    padded = np.pad(x[0, :, :, 0], 1)
    sums = [[(padded[i : i + 4, j : j + 4] * kernel[..., 0, 0]).sum() + 0.5 for j in (0, 2)] for i in (0, 2)]
    expected = np.where(np.array(sums) > 0, sums, 0.2 * np.array(sums))
    np.testing.assert_allclose(as_numpy(block(x))[0, :, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_a_residual_block_adds_to_its_input():
    block = ResidualBlock(4)
    x = rng.normal(size=(1, 8, 8, 4)).astype("float32")
    block(x)
    np.testing.assert_allclose(as_numpy(block(x)) - x, as_numpy(block.residual(x)), atol=1e-5)
    silent = [np.zeros_like(w) for w in block.get_weights()]
    block.set_weights(silent)
    np.testing.assert_array_equal(as_numpy(block(x)), x)


def test_blocks_can_be_saved_by_keras(tmp_path):
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, ResidualBlock(4)(ReflectionPadding2D(1)(inputs)))
    model.save(tmp_path / "model.keras")
    x = rng.normal(size=(1, 8, 8, 4)).astype("float32")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(as_numpy(again(x)), as_numpy(model(x)), atol=1e-5)


def test_a_changed_image_without_a_change_is_the_image_and_else_moves_within_the_range():
    image = rng.uniform(-1, 1, (1, 4, 4, 3)).astype("float32")
    change = rng.normal(0, 1, (1, 4, 4, 3)).astype("float32")
    layer = ChangedImage()
    np.testing.assert_allclose(as_numpy(layer([0 * change, image])), 0.98 * image, atol=1e-5)
    expected = np.tanh(np.arctanh(0.98 * image) + change)
    np.testing.assert_allclose(as_numpy(layer([change, image])), expected, atol=1e-5)
    far = as_numpy(layer([100 * change, 3 * image]))
    assert np.isfinite(far).all()
    assert np.abs(far).max() <= 1


@pytest.mark.parametrize("batch", [1, 3])
def test_the_fused_instance_norm_is_keras_own_with_its_gradients_and_theirs(batch):
    """The second derivative too, which a gradient penalty takes."""
    x = tf.constant(np.random.default_rng(0).normal(2, 3, (batch, 16, 16, 5)), tf.float32)
    weights = tf.constant(np.random.default_rng(1).normal(0, 1, x.shape), tf.float32)
    plain, fused = layers.GroupNormalization(groups=-1, epsilon=1e-5), normalization("instance", 5)
    assert fuses(x)
    assert not fuses(x[:, :8])
    results = []
    for layer in (plain, fused):
        layer.build(x.shape)
        layer.set_weights([np.linspace(0.5, 2, 5), np.linspace(-1, 1, 5)])
        variables = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = layer(x)
                total = tf.reduce_sum(weights * y**2)
            first = inner.gradient(total, x)
            penalty = tf.reduce_sum(first**2)
        results.append([y, first, *outer.gradient(penalty, [x, *variables])])
    for expected, got in zip(*results, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got / scale, expected / scale, atol=1e-4)
