"""Find or download the Inception graph of 2015 and open it: only with its features is a Fréchet distance FID."""

import hashlib
import os
import tarfile
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from monet_lib.errors import UserError
from monet_lib.files import reading, write_beside
from monet_lib.scoring.network import FeatureNetwork

GRAPH = "classify_image_graph_def.pb"
# The bucket behind http://download.tensorflow.org/models/image/imagenet/, where it is published, but over TLS.
GRAPH_URL = "https://storage.googleapis.com/download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
GRAPH_BYTES = 95_673_916
GRAPH_CONVOLUTIONS = 94
GRAPH_SHAPE = (1, 1, 2048)  # of pool_3, for each image


def find_inception(weights: str | Path | None = None, url: str = GRAPH_URL) -> Path:
    """The path of classify_image_graph_def.pb, and where it came from printed.

    The first of: `weights`; the environment variable MONET_INCEPTION; /kaggle/input/* (MONET_INPUT moves it); the
    cache, MONET_CACHE or ~/.cache/monet-lab; a download of 89 MB into it. Raises UserError where a file was named and
    is missing, or offline.
    """
    asked = [(weights, "as asked"), (os.environ.get("MONET_INCEPTION"), "from MONET_INCEPTION")]
    places = [(Path(name) / GRAPH if Path(name).is_dir() else Path(name), by) for name, by in asked if name]
    if places and not places[0][0].is_file():
        raise UserError(f"{places[0][0]}: no such file. Name {GRAPH}, or leave it out to download it.")
    kaggle = Path(os.environ.get("MONET_INPUT", "/kaggle/input"))
    for depth in ("*", "*/*", "*/*/*", "*/*/*/*"):
        places += [(path, "Kaggle input") for path in sorted(kaggle.glob(f"{depth}/{GRAPH}"))]
    cached = Path(os.environ.get("MONET_CACHE") or Path.home() / ".cache" / "monet-lab") / GRAPH
    if not places and not cached.is_file():
        _download_inception(url, cached)
        places = [(cached, "downloaded")]
    path, by = [*places, (cached, "downloaded before")][0]
    print(f"features: {path} ({by})")
    return path


def load_inception(path: str | Path) -> FeatureNetwork:
    """The FeatureNetwork of a frozen graph with the nodes of the 2015 one: `ExpandDims` takes RGB, `pool_3` answers.

    The resizing to 299 px is the graph's own.

    No trustworthy publication of the file's SHA-256 is known, so it is recognized by its exact size, its node names,
    94 convolutions and 2,048 features. A graph that differs still loads, as a proxy named after its own hash.
    """
    advice = f"Use {GRAPH} of 2015; download it again."
    with reading(path, "Inception graph", advice):
        return graph_network(Path(path).read_bytes())


def graph_network(data: bytes) -> FeatureNetwork:
    """The FeatureNetwork of a frozen graph's bytes. Raises TensorFlow's errors, or ValueError, for another one's."""
    graph_def = tf.compat.v1.GraphDef.FromString(data)
    run = _opened(graph_def)
    # A graph that still insists on one image fails here, and not after half an hour.
    shape = run(np.zeros((2, 64, 64, 3))).shape
    if shape[:1] != (2,):
        raise ValueError(f"pool_3 gives shape {shape} for 2 images")
    convolutions = sum(node.op == "Conv2D" for node in graph_def.node)
    canonical = len(data) == GRAPH_BYTES and convolutions == GRAPH_CONVOLUTIONS and shape[1:] == GRAPH_SHAPE
    name = "inception-2015" if canonical else f"graph-{hashlib.sha256(data).hexdigest()[:8]}"
    return FeatureNetwork(name, canonical, 299, run)


def _opened(graph_def):
    """The function from RGB images (batch, h, w, 3) in 0..255 to what `pool_3` answers, of a graph for one JPEG.

    The graph decodes the JPEG, and its `ExpandDims` makes a batch of one of it: that node becomes a placeholder for any
    batch, and the shapes that were recorded for a batch of one are dropped.
    """
    nodes = {node.name: node for node in graph_def.node}
    if missing := [name for name in ("ExpandDims", "ResizeBilinear", "pool_3") if name not in nodes]:
        raise ValueError(f"no node {missing[0]}")
    node = nodes["ExpandDims"]
    node.op = "Placeholder"
    del node.input[:]
    node.attr.clear()
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape((None, None, None, 3)).as_proto())
    for each in graph_def.node:
        each.attr.pop("_output_shapes", None)
    # A graph of its own keeps the old version number, under which the batch norms of 2015 still exist.
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    images, features = graph.get_tensor_by_name("ExpandDims:0"), graph.get_tensor_by_name("pool_3:0")
    session = tf.compat.v1.Session(graph=graph)
    return lambda x: session.run(features, {images: np.float32(x)})


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
