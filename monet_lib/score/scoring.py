"""Score generated images against real ones: FID, KID, memorization and MiFID, always with features and counts.

Features are computed by a feature network: images in, a row of features for each image out. Only the Inception graph
of 2015 gives numbers that may be called FID and MiFID and compared with published ones. Every other network, Keras'
InceptionV3 with its other weights too, gives a proxy: good for comparing models of your own.
"""

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tqdm.auto import tqdm

from monet_lib.data.reading import count_images, read_images
from monet_lib.files import UserError, contents, reading, reason, user_path, write_beside
from monet_lib.model.imagenet import pooled_features, squeezenet_features
from monet_lib.model.layers import keras_defaults
from monet_lib.score.metrics import frechet_distance, kernel_distance, memorization_distance, mifid


@dataclass(frozen=True)
class FeatureNetwork:
    """A function from uint8 images (batch, h, w, 3) in 0..255 to float32 features (batch, features).

    name: stands in every score made with the network. canonical: whether that score is FID, or a proxy.
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


@dataclass(frozen=True)
class Score:
    """The result of `score`, with what it depends on. FID, KID and MiFID: lower is better; MiFID as Kaggle has it.

    features: the feature network's name. canonical: whether that is the Inception graph of 2015. If not, every number
    is a proxy and is called so; MiFID's threshold was made for that graph, and may then punish images that copy none.
    generated, reference: images on each side.
    """

    features: str
    canonical: bool
    generated: int
    reference: int
    fid: float
    kid: float
    kid_std: float  # standard deviation of one of the draws that kid is the mean of
    memorization: float  # 0: copies of training images, 1: nothing in common; Kaggle punishes below 0.1
    mifid: float

    def nearer_than(self, other: "Score") -> bool:
        """Whether this KID lies below the other by more than the deviations of both: less may be chance."""
        return self.kid + self.kid_std < other.kid - other.kid_std

    def __str__(self):
        proxy = "" if self.canonical else "proxy "
        lines = {
            f"{proxy}FID": f"{self.fid:.3f}",
            f"{proxy}KID": f"{self.kid:.5f} ± {self.kid_std:.5f}",
            f"{proxy}memorization distance": f"{self.memorization:.4f}",
            f"{proxy}MiFID": f"{self.mifid:.3f}",
        }
        head = f"{self.generated} generated against {self.reference} real images, features {self.features}"
        return "\n".join([head, *(f"{name:28}{value}" for name, value in lines.items())])

    def to_json(self) -> str:
        """One line of JSON. Without the canonical features the numbers' names begin with `proxy_`."""
        values = dict(vars(self))
        if not self.canonical:
            for name in ("fid", "kid", "kid_std", "memorization", "mifid"):
                values[f"proxy_{name}"] = values.pop(name)
        return json.dumps(values)


def score(
    generated: str | Path,
    reference: str | Path,
    train: str | Path | None = None,
    features: str | FeatureNetwork = "efficientnet-lite0",
    n: int | None = None,
) -> Score:
    """The Score of the images in `generated` against those in `reference`: what `data.read_images` takes.

    train: where the training paintings are, for the memorization distance; None takes the reference images. features: a
    name from NETWORKS, or a FeatureNetwork. n: score an even spread of n generated images. FID depends on
    the numbers of images: compare only scores with equal numbers. Deterministic. Raises UserError for images that can't
    be read.
    """
    network = feature_network(features) if isinstance(features, str) else features
    made, real = extract(generated, network, n), extract(reference, network)
    return compare(network, made, real, None if train is None else extract(train, network))


def compare(
    network: FeatureNetwork, generated: np.ndarray, reference: np.ndarray, train: np.ndarray | None = None
) -> Score:
    """The Score of features that `network` gave: arrays (images, features). train: None takes the reference."""
    fid = frechet_distance(generated, reference)
    # Draws of all images would be equal, with a deviation of 0: of few images a draw takes three quarters.
    size = max(2, min(250, 3 * min(len(generated), len(reference)) // 4))
    kid = kernel_distance(generated, reference, size=size)
    distance = memorization_distance(generated, reference if train is None else train)
    counts = len(generated), len(reference)
    return Score(network.name, network.canonical, *counts, fid, *kid, distance, mifid(fid, distance))


def extract(source: str | Path, network: FeatureNetwork, n: int | None = None) -> np.ndarray:
    """The features of the images in `source`, or of an even spread of n: float32 (images, features), in name order.

    Shows a progress bar.
    """
    label = f"{Path(source).name} ({network.name})"
    images = tqdm(read_images(source, n), label, count_images(source, n), unit="image")
    return embed((image for _, image in images), network)


def embed(images: Iterable[np.ndarray], network: FeatureNetwork, batch: int = 32) -> np.ndarray:
    """The features of uint8 images (h, w, 3), an array or any iterable, run through the network in batches."""
    rows, waiting = [], []
    for image in images:
        if len(waiting) == batch or (waiting and image.shape != waiting[0].shape):
            rows.append(network(np.stack(waiting)))
            waiting = []
        waiting.append(image)
    if not waiting:
        raise UserError(f"features {network.name}: no images to score.")
    return np.concatenate([*rows, network(np.stack(waiting))])


# The feature networks.

NETWORKS = ("efficientnet-lite0", "squeezenet", "inception-2015", "keras-inception-v3", "random-conv")
# The networks that come with the repo, and the pixels that they were trained on.
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


def trained_network(name: str, features: Callable, size: int) -> FeatureNetwork:
    """A network trained on ImageNet that comes with the repo: a proxy that knows textures and objects, offline.

    features: a function from float32 images (batch, size, size, 3) in 0..255 to (batch, features).
    """
    run = tf.function(features)

    def extract(images):
        resized = [np.asarray(Image.fromarray(x).resize((size, size), Image.Resampling.BILINEAR)) for x in images]
        return run(np.stack(resized).astype("float32")).numpy()

    return FeatureNetwork(name, False, size, extract)


def random_network(seed: int = 0) -> FeatureNetwork:
    """Three strided convolutions with seeded random kernels: a proxy in milliseconds, for tests and first looks.

    The features are the mean and the standard deviation of each channel of each layer, 2 * (16 + 32 + 64) = 224. The
    network is untrained: its features tell colours, contrasts and edges, but not the objects in an image.
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


def keras_inception() -> FeatureNetwork:
    """Keras' InceptionV3, average-pooled, with its own ImageNet weights, which Keras downloads: a proxy."""
    with keras_defaults():
        try:
            model = keras.applications.InceptionV3(include_top=False, pooling="avg", input_shape=(299, 299, 3))
        except Exception as error:  # Keras raises a bare Exception when it can't download
            raise UserError(f"keras-inception-v3: {reason(error)}. Go online once, or take random-conv.") from None

    def extract(images):
        return model.predict_on_batch(tf.image.resize(images, (299, 299)).numpy() / 127.5 - 1)

    return FeatureNetwork("keras-inception-v3", False, 299, extract)


# The Inception graph of 2015.
GRAPH = "classify_image_graph_def.pb"
# The bucket behind http://download.tensorflow.org/models/image/imagenet/, where it is published, but over TLS.
GRAPH_URL = "https://storage.googleapis.com/download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
GRAPH_BYTES = 95_673_916
GRAPH_CONVOLUTIONS = 94
GRAPH_SHAPE = (1, 1, 2048)  # of the answer of pool_3 to an image


def find_inception(weights: str | Path | None = None, url: str = GRAPH_URL) -> Path:
    """The path of classify_image_graph_def.pb. Prints which file it is and why.

    The first of: `weights`; the environment variable MONET_INCEPTION; /kaggle/input/* (MONET_INPUT moves it); the
    cache, MONET_CACHE or ~/.cache/monet-lab; a download of 89 MB into it. Raises UserError where a file was named and
    is missing, or offline.
    """
    asked = [(weights, "as asked"), (os.environ.get("MONET_INCEPTION"), "from MONET_INCEPTION")]
    named = [(user_path(name), by) for name, by in asked if name]
    places = [(path / GRAPH if path.is_dir() else path, by) for path, by in named]
    if places and not places[0][0].is_file():
        raise UserError(f"{places[0][0]}: no such file. Name {GRAPH}, or leave it out to download it.")
    kaggle = Path(os.environ.get("MONET_INPUT", "/kaggle/input"))
    for depth in ("*", "*/*", "*/*/*", "*/*/*/*"):
        places += [(path, "Kaggle input") for path in sorted(kaggle.glob(f"{depth}/{GRAPH}"))]
    cached = user_path(os.environ.get("MONET_CACHE") or "~/.cache/monet-lab") / GRAPH
    if not places and not cached.is_file():
        _download_inception(url, cached)
        places = [(cached, "downloaded")]
    path, by = [*places, (cached, "downloaded before")][0]
    print(f"features: {path} ({by})")
    return path


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


def load_inception(path: str | Path) -> FeatureNetwork:
    """The FeatureNetwork of a frozen graph with the nodes of the 2015 one: `ExpandDims` takes RGB, `pool_3` answers.

    The graph itself resizes images to 299 px. It decodes one JPEG, and its `ExpandDims` makes a batch of one of it:
    that node becomes a placeholder for any batch. No trustworthy publication of the file's SHA-256 is known, so it is
    recognized by its exact size, its node names, 94 convolutions and 2,048 features. A graph that differs still loads,
    as a proxy named after its own hash. Raises UserError where the file is no such graph.
    """
    advice = f"Use {GRAPH} of 2015; download it again."
    with reading(path, "Inception graph", advice):
        data = contents(path)
        graph_def = tf.compat.v1.GraphDef.FromString(data)
    nodes = {node.name: node for node in graph_def.node}
    if missing := [name for name in ("ExpandDims", "ResizeBilinear", "pool_3") if name not in nodes]:
        raise UserError(f"{path}: no node {missing[0]} in this graph. {advice}")
    node = nodes["ExpandDims"]
    node.op = "Placeholder"
    del node.input[:]
    node.attr.clear()
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape((None, None, None, 3)).as_proto())
    for each in graph_def.node:
        each.attr.pop("_output_shapes", None)  # recorded for a batch of one
    # A graph of its own keeps the old version number, under which the batch norms of 2015 still exist.
    with tf.Graph().as_default() as graph:
        try:
            tf.graph_util.import_graph_def(graph_def, name="")
        except (ValueError, tf.errors.OpError) as error:
            raise UserError(f"{path}: not a readable Inception graph ({reason(error)}). {advice}") from None
    pixels, features = graph.get_tensor_by_name("ExpandDims:0"), graph.get_tensor_by_name("pool_3:0")
    session = tf.compat.v1.Session(graph=graph)

    def extract(images):
        return session.run(features, {pixels: np.float32(images)})

    # A graph that still insists on one image is refused here, and not after half an hour.
    try:
        shape = extract(np.zeros((2, 64, 64, 3))).shape
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"{path}: this graph can't take two images at once ({reason(error)}). {advice}") from None
    if shape[:1] != (2,):
        raise UserError(f"{path}: pool_3 of this graph answers {shape} to 2 images. {advice}")
    convolutions = sum(node.op == "Conv2D" for node in graph_def.node)
    canonical = len(data) == GRAPH_BYTES and convolutions == GRAPH_CONVOLUTIONS and shape[1:] == GRAPH_SHAPE
    name = "inception-2015" if canonical else f"graph-{hashlib.sha256(data).hexdigest()[:8]}"
    return FeatureNetwork(name, canonical, 299, extract)
