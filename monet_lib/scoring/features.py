"""Feature networks: uint8 images in, one row of features for each out, with the name that a score must carry.

Only the Inception graph of 2015 gives numbers that may be called FID and MiFID and compared with published ones.
Every other network, Keras' InceptionV3 with its other weights too, gives a proxy: good for comparing own models.
"""

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from PIL import Image

from monet_lib.errors import UserError
from monet_lib.files import write_beside
from monet_lib.networks.imagenet import pooled_features
from monet_lib.networks.squeezenet import squeezenet_features

GRAPH = "classify_image_graph_def.pb"
# The bucket behind http://download.tensorflow.org/models/image/imagenet/, where it is published, but over TLS.
GRAPH_URL = (
    "https://storage.googleapis.com/download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
)
GRAPH_BYTES = 95_673_916
GRAPH_CONVOLUTIONS = 94
GRAPH_SHAPE = (1, 1, 2048)  # of pool_3, for each image
NETWORKS = ("efficientnet-lite0", "squeezenet", "inception-2015", "keras-inception-v3", "random-conv")

TRAINED = {"efficientnet-lite0": (pooled_features, 224), "squeezenet": (squeezenet_features, 227)}


@dataclass(frozen=True)
class FeatureNetwork:
    """A function from uint8 images (batch, h, w, 3) in 0..255 to float32 features (batch, features).

    name: what every score made with it is labelled with. canonical: whether that score is FID, or a proxy.
    size: pixels; the network resizes every image to size x size itself.
    """

    name: str
    canonical: bool
    size: int
    extract: Callable

    def __call__(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or not images.size:
            raise UserError(f"{self.name}: needs uint8 images (batch, h, w, 3) in 0..255, "
                            f"got {images.dtype} {images.shape}.")  # fmt: skip
        return np.asarray(self.extract(images), np.float32).reshape(len(images), -1)


def feature_network(
    name: str = "efficientnet-lite0", weights: str | Path | None = None, sha256: str | None = None
) -> FeatureNetwork:
    """The FeatureNetwork of that name, one of NETWORKS. weights, sha256: the Inception graph's file and its hash."""
    if name == "inception-2015":
        return load_inception(find_inception(weights), sha256)
    if weights or sha256:
        raise UserError(f"features {name}: only inception-2015 takes a weights file. Leave it out.")
    if name in TRAINED:
        return trained_network(name, *TRAINED[name])
    if name == "keras-inception-v3":
        return keras_inception()
    if name == "random-conv":
        return random_network()
    raise UserError(f"features {name!r} are unknown. Choose one of {', '.join(NETWORKS)}.")


def find_inception(weights: str | Path | None = None, url: str = GRAPH_URL) -> Path:
    """The path of classify_image_graph_def.pb, and where it came from printed.

    The first of: `weights`; the environment variable MONET_INCEPTION; /kaggle/input/* (MONET_INPUT moves it); the
    cache; a download of 89 MB into the cache. Raises UserError where a file was named and is missing, or offline.
    """
    for named, by in ((weights, "as asked"), (os.environ.get("MONET_INCEPTION"), "from MONET_INCEPTION")):
        if named:
            path = Path(named) / GRAPH if Path(named).is_dir() else Path(named)
            if not path.is_file():
                raise UserError(f"{path}: no such file. Name {GRAPH}, or leave it out to download it.")
            print(f"features: {path} ({by})")
            return path
    kaggle, cached = Path(os.environ.get("MONET_INPUT", "/kaggle/input")), cache_folder() / GRAPH
    found = [
        path for depth in ("*", "*/*", "*/*/*", "*/*/*/*") for path in sorted(kaggle.glob(f"{depth}/{GRAPH}"))
    ]
    places = [(path, "Kaggle input") for path in found]
    places += [(cached, "downloaded before")] if cached.is_file() else []
    if not places:
        _download_inception(url, cached)
        places = [(cached, "downloaded")]
    print("features: {} ({})".format(*places[0]))
    return places[0][0]


def load_inception(path: str | Path, sha256: str | None = None) -> FeatureNetwork:
    """The FeatureNetwork of a frozen graph with the nodes of the 2015 one: `ExpandDims` takes RGB, `pool_3` answers.

    The graph decodes one JPEG, and its `ExpandDims` makes that image a batch of one; here that node becomes the
    input for any batch of raw 0..255 RGB, so that what is after it adapts. The resizing to 299 px is the graph's
    own. sha256: the file's expected hash; any other is refused.

    No trustworthy publication of the file's SHA-256 is known, so it is recognized by its exact size, its node names,
    94 convolutions and 2,048 features. A graph that differs still loads, as a proxy named after its own hash.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror}). Name {GRAPH}.") from None
    digest, graph_def = hashlib.sha256(data).hexdigest(), tf.compat.v1.GraphDef()
    if sha256 and digest != sha256.lower():
        raise UserError(f"{path}: its SHA-256 is {digest}, not {sha256}. Download it again.")
    try:
        graph_def.ParseFromString(data)
        nodes = {node.name: node for node in graph_def.node}
        if missing := [name for name in ("ExpandDims", "ResizeBilinear", "pool_3") if name not in nodes]:
            raise KeyError(f"no node {missing[0]}")
        _open_batch(graph_def, nodes["ExpandDims"])
        # A graph of its own keeps the old version number, under which the batch norms of 2015 still exist.
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(graph_def, name="")
        images, features = graph.get_tensor_by_name("ExpandDims:0"), graph.get_tensor_by_name("pool_3:0")
        session = tf.compat.v1.Session(graph=graph)
        # A graph that still insists on one image fails here, and not after half an hour.
        shape = session.run(features, {images: np.zeros((2, 64, 64, 3), np.float32)}).shape
    except DecodeError:
        raise UserError(f"{path}: not a frozen TensorFlow graph. Download {GRAPH} again.") from None
    except (KeyError, ValueError, tf.errors.OpError) as error:
        reason = f"{error.args[0] if isinstance(error, KeyError) else error}".splitlines()[0][:120]
        raise UserError(f"{path}: not the Inception graph of 2015 ({reason}). Use {GRAPH}.") from None
    if shape[:1] != (2,):
        raise UserError(f"{path}: pool_3 gives shape {shape} for 2 images. Use {GRAPH} of 2015.")
    convolutions = sum(node.op == "Conv2D" for node in graph_def.node)
    canonical = len(data) == GRAPH_BYTES and convolutions == GRAPH_CONVOLUTIONS and shape[1:] == GRAPH_SHAPE
    name = "inception-2015" if canonical else f"graph-{digest[:8]}"
    return FeatureNetwork(name, canonical, 299, lambda x: session.run(features, {images: np.float32(x)}))


def keras_inception() -> FeatureNetwork:
    """Keras' InceptionV3, average-pooled, with its own ImageNet weights, which Keras downloads: a proxy."""
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # whatever precision a training run around this has chosen
    try:
        model = keras.applications.InceptionV3(include_top=False, pooling="avg", input_shape=(299, 299, 3))
    except Exception as error:  # Keras raises a bare Exception when it can't download
        reason = str(error).splitlines()[0][:200]
        raise UserError(f"keras-inception-v3: {reason}. Go online once, or take random-conv.") from None
    finally:
        keras.config.set_dtype_policy(outside)

    def extract(images):
        return model.predict_on_batch(tf.image.resize(images, (299, 299)).numpy() / 127.5 - 1)

    return FeatureNetwork("keras-inception-v3", False, 299, extract)


def trained_network(name: str, features: Callable[[Any], Any], size: int) -> FeatureNetwork:
    """A network trained on ImageNet that comes with the repo: a proxy that knows textures and things, offline.

    features: a function from float32 images (batch, size, size, 3) in 0..255 to (batch, features).
    """
    run = tf.function(features)

    def extract(images):
        resized = [Image.fromarray(x).resize((size, size), Image.Resampling.BILINEAR) for x in images]
        return run(np.stack(resized).astype("float32")).numpy()

    return FeatureNetwork(name, False, size, extract)


def random_network(seed: int = 0, filters: Sequence[int] = (16, 32, 64), size: int = 64) -> FeatureNetwork:
    """Three strided convolutions with seeded random kernels: a proxy in milliseconds, for tests and first looks.

    The features are the mean and the standard deviation of each channel of each layer: untrained, they know
    colours, contrasts and edges, and nothing of what is shown. 2 * (16 + 32 + 64) = 224 of them.
    """
    rng, kernels = np.random.default_rng(seed), []
    for fan, count in zip((3, *filters), filters, strict=False):
        kernels.append(rng.normal(0, (2 / (25 * fan)) ** 0.5, (5, 5, fan, count)).astype(np.float32))

    def extract(images):
        x, features = tf.image.resize(images, (size, size), antialias=True) / 127.5 - 1, []
        for kernel in kernels:
            x = tf.nn.leaky_relu(tf.nn.conv2d(x, kernel, 2, "VALID"), 0.2)
            features += [tf.reduce_mean(x, (1, 2)), tf.math.reduce_std(x, (1, 2))]
        return tf.concat(features, 1)

    return FeatureNetwork("random-conv" if seed == 0 else f"random-conv-{seed}", False, size, extract)


def cache_folder() -> Path:
    """Where downloads and features are kept: MONET_CACHE, or ~/.cache/monet-lab."""
    return Path(os.environ.get("MONET_CACHE") or Path.home() / ".cache" / "monet-lab")


def _download_inception(url, target):
    """Fetch the published archive and keep one member's bytes. Nothing is extracted to a path from inside it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            archive = keras.utils.get_file("inception.tgz", url, cache_dir=folder, cache_subdir="")
            with tarfile.open(archive) as tar:
                member = next((m for m in tar if m.isfile() and Path(m.name).name == GRAPH), None)
                size = member.size if member else 0
                data = tar.extractfile(member).read() if size == GRAPH_BYTES else b""
    except Exception as error:  # keras.utils.get_file raises nothing more specific
        raise UserError(
            f"{url}: can't be downloaded ({str(error).splitlines()[0][:200]}). Set MONET_INCEPTION to {GRAPH}, or take "
            "other features, such as random-conv."
        ) from None
    if not data:
        raise UserError(f"{url}: its {GRAPH} has {size:,} bytes, not {GRAPH_BYTES:,}. Set MONET_INCEPTION.")
    write_beside(target, lambda temporary: temporary.write_bytes(data))


def _open_batch(graph_def, node):
    """Turn `node` into a placeholder for any batch and drop the shapes that were recorded for a batch of one."""
    node.op = "Placeholder"
    del node.input[:]
    node.attr.clear()
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape((None, None, None, 3)).as_proto())
    for each in graph_def.node:
        each.attr.pop("_output_shapes", None)
