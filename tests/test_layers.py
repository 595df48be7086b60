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
    keras_defaults,
    normalization,
    upsample,
)

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "shape", "axes"),
    [
        ("instance", (2, 8, 6, 4, 1), (1, 2)),
        ("group", (2, 4, 4, 32, 2), (1, 2, 4)),
        ("batch", (4, 4, 4, 2, 1), (0, 1, 2)),
    ],
)
def test_norms_are_over_these_axes(name, shape, axes):
    """Axes of (batch, height, width, group, channel of the group)."""
    x = rng.normal(3, 2, shape).astype("float32")
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    flat = x.reshape(*shape[:3], -1)
    found = normalization(name, flat.shape[-1])(flat, training=True)
    np.testing.assert_allclose(found, expected.reshape(flat.shape), atol=1e-4)


def test_norm_statistics_stay_float32_under_bfloat16():
    x = rng.normal(100, 1, (1, 32, 32, 2)).astype("float32")
    with keras_defaults("mixed_bfloat16"):
        y = np.asarray(keras.ops.cast(normalization("instance", 2)(x), "float32"))
    # Input rounding costs some spread, but a mean summed in bfloat16 would be off by several units.
    assert abs(y.mean()) < 0.05
    assert abs(y.std() - 1) < 0.1


def test_unknown_arguments_are_named():
    with pytest.raises(ValueError, match="norm 'layer' is unknown"):
        normalization("layer", 4)
    with pytest.raises(ValueError, match="how 'shuffle' is unknown"):
        upsample(4, how="shuffle")


def test_reflection_is_numpys_and_cropping_keeps_the_upper_left():
    x = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    expected = np.pad(x, [(0, 0), (3, 3), (3, 3), (0, 0)], mode="reflect")
    np.testing.assert_array_equal(ReflectionPadding2D(3)(x), expected)
    np.testing.assert_array_equal(CropLike()([x, np.zeros((2, 4, 3, 7))]), x[:, :4, :3])


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
    np.testing.assert_allclose(np.asarray(block(x))[0, :, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_a_residual_block_adds_to_its_input_and_can_be_saved_by_keras(tmp_path):
    inputs, block = keras.Input((None, None, 4)), ResidualBlock(4)
    model = keras.Model(inputs, block(ReflectionPadding2D(1)(inputs)))
    x = rng.normal(size=(1, 8, 8, 4)).astype("float32")
    np.testing.assert_allclose(block(x) - x, block.residual(x), atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x), model(x), atol=1e-5)
    block.set_weights([np.zeros_like(w) for w in block.get_weights()])
    np.testing.assert_array_equal(block(x), x)


def test_a_changed_image_without_a_change_is_the_image_and_else_moves_within_the_range():
    image = rng.uniform(-1, 1, (1, 4, 4, 3)).astype("float32")
    change = rng.normal(0, 1, (1, 4, 4, 3)).astype("float32")
    layer = ChangedImage()
    np.testing.assert_allclose(layer([0 * change, image]), 0.98 * image, atol=1e-5)
    expected = np.tanh(np.arctanh(0.98 * image) + change)
    np.testing.assert_allclose(layer([change, image]), expected, atol=1e-5)
    far = np.asarray(layer([100 * change, 3 * image]))
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
