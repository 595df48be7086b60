"""The feature networks that scores can be computed with, by name.

Only the Inception graph of 2015 (see `inception`) gives numbers that may be called FID and MiFID and compared with
published ones. Every other network, Keras' InceptionV3 with its other weights too, gives a proxy: good for comparing
models of your own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from monet_lib.errors import UserError
from monet_lib.networks.imagenet import pooled_features, squeezenet_features
from monet_lib.scoring.inception import find_inception, load_inception
from monet_lib.scoring.network import FeatureNetwork

NETWORKS = ("efficientnet-lite0", "squeezenet", "inception-2015", "keras-inception-v3", "random-conv")

TRAINED = {"efficientnet-lite0": (pooled_features, 224), "squeezenet": (squeezenet_features, 227)}


def feature_network(name: str = "efficientnet-lite0", weights: str | Path | None = None) -> FeatureNetwork:
    """The FeatureNetwork of that name, one of NETWORKS. weights: the Inception graph's file."""
    if name == "inception-2015":
        return load_inception(find_inception(weights))
    if weights:
        raise UserError(f"features {name}: only inception-2015 takes a weights file. Leave it out.")
    if name in TRAINED:
        return trained_network(name, *TRAINED[name])
    if name == "keras-inception-v3":
        return keras_inception()
    if name == "random-conv":
        return random_network()
    raise UserError(f"features {name!r} are unknown. Choose one of {', '.join(NETWORKS)}.")


def keras_inception() -> FeatureNetwork:
    """Keras' InceptionV3, average-pooled, with its own ImageNet weights, which Keras downloads: a proxy."""
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # whatever precision a training run around this has chosen
    try:
        model = keras.applications.InceptionV3(include_top=False, pooling="avg", input_shape=(299, 299, 3))
    except Exception as error:  # Keras raises a bare Exception when it can't download
        found = str(error).splitlines()[0][:200]
        raise UserError(f"keras-inception-v3: {found}. Go online once, or take random-conv.") from None
    finally:
        keras.config.set_dtype_policy(outside)

    def extract(images):
        return model.predict_on_batch(tf.image.resize(images, (299, 299)).numpy() / 127.5 - 1)

    return FeatureNetwork("keras-inception-v3", False, 299, extract)


def trained_network(name: str, features: Callable[[Any], Any], size: int) -> FeatureNetwork:
    """A network trained on ImageNet that comes with the repo: a proxy that knows textures and objects, offline.

    features: a function from float32 images (batch, size, size, 3) in 0..255 to (batch, features).
    """
    run = tf.function(features)

    def extract(images):
        resized = [Image.fromarray(x).resize((size, size), Image.Resampling.BILINEAR) for x in images]
        return run(np.stack(resized).astype("float32")).numpy()

    return FeatureNetwork(name, False, size, extract)


def random_network(seed: int = 0) -> FeatureNetwork:
    """Three strided convolutions with seeded random kernels: a proxy in milliseconds, for tests and first looks.

    The features are the mean and the standard deviation of each channel of each layer: untrained, they know
    colours, contrasts and edges, but not what is shown. 2 * (16 + 32 + 64) = 224 of them.
    """
    rng, sizes = np.random.default_rng(seed), ((5, 5, 3, 16), (5, 5, 16, 32), (5, 5, 32, 64))
    kernels = [rng.normal(0, (2 / np.prod(size[:3])) ** 0.5, size).astype(np.float32) for size in sizes]

    def extract(images):
        x, features = tf.image.resize(images, (64, 64), antialias=True) / 127.5 - 1, []
        for kernel in kernels:
            x = tf.nn.leaky_relu(tf.nn.conv2d(x, kernel, 2, "VALID"), 0.2)
            features += [tf.reduce_mean(x, (1, 2)), tf.math.reduce_std(x, (1, 2))]
        return tf.concat(features, 1)

    return FeatureNetwork("random-conv" if seed == 0 else f"random-conv-{seed}", False, 64, extract)
