"""Write a trained generator as one ONNX file that paints photos as they are: no Keras, no scaling left to the caller.

The file's input `photo` and output `painting` are uint8 (n, h, w, 3) in 0..255, h and w of any size. Within it the
photo is padded at the right and below with its own edge, as in `translation.paint_large`, and the painting cut.
"""

import json
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image

from monet_lib.config import Config
from monet_lib.errors import UserError
from monet_lib.files import write_beside
from monet_lib.painting.graph import OPSET, Graph, ints, scalar
from monet_lib.painting.onnx_layers import network
from monet_lib.painting.painter import Painter
from monet_lib.painting.translation import MULTIPLE, SMALLEST, paint_large
from monet_lib.places import COURSE

LICENCE = "MIT"
VERSION = "1"  # of the input, the output and the metadata
LARGEST_DIFFERENCE = 1  # of 255: where a value lies between two levels, either is right


def export_painter(generator: keras.Model, config: Config, path: str | Path) -> int:
    """Write a generator and its Config to `path`, and compare what it paints with Keras.

    The metadata hold the Config, the licence and how far around a pixel the network looks. Weights are kept as float16
    where that changes no pixel by more than a level, else as float32. Returns the largest difference found, 0 or 1 of
    255. Raises UserError, and leaves no file, where it is larger.
    """
    path = Path(path)
    photos = _trial_photos()
    expected = [paint_large(generator, photo, tile=10**9) for photo in photos]

    def write(temporary):
        for half in (True, False):
            temporary.write_bytes(_model(generator, config, half).SerializeToString())
            painter = Painter(temporary)
            pairs = [(painter(photo[None])[0].astype(int), e) for photo, e in zip(photos, expected, strict=True)]
            differences.append(max(int(np.abs(got - e).max()) for got, e in pairs))
            if differences[-1] <= LARGEST_DIFFERENCE:
                return
        raise UserError(
            f"{path}: would paint up to {differences[-1]} of 255 levels away from Keras, not {LARGEST_DIFFERENCE}. "
            "Nothing was written; report the generator's config."
        )

    differences = []
    write_beside(path, write)
    return differences[-1]


def surroundings(config: Config) -> int | None:
    """How many px around a pixel the generator of a Config looks at, at most, or None: at the whole picture.

    A ResNet: 3 for each 7x7 convolution, 1 + 2 for the halvings and 2 + 1 for the doublings, 8 for each block, whose
    two 3x3 convolutions work at a quarter of the size; and 3, since a pixel of that quarter is repeated 4 times: some
    see farther to one side than to the other. A U-Net's innermost step sees everything. A norm over the picture sees
    all too, but only its mean and spread: tiles larger than the convolutions' reach nearly agree.
    """
    return 15 + 8 * config.residual_blocks if config.model == "resnet" else None


def _model(generator, config, half):
    graph = Graph(half)
    size = graph.add("Shape", "photo", start=1, end=3)
    fill = graph.add("Mod", graph.add("Neg", size), ints([MULTIPLE]))
    fill = graph.add("Max", fill, graph.add("Sub", ints([SMALLEST]), size))
    pads = graph.add("Concat", ints([0] * 5), fill, ints([0]), axis=0)
    x = graph.add("Cast", "photo", to=TensorProto.FLOAT)
    x = graph.add("Pad", x, pads, mode="edge")
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    x = graph.add("Sub", graph.add("Div", x, scalar(127.5)), scalar(1))
    x = network(graph, generator, x)
    x = graph.add("Transpose", x, perm=[0, 2, 3, 1])
    x = graph.slice(x, [0, 0], size, [1, 2])
    x = graph.add("Round", graph.add("Mul", graph.add("Add", x, scalar(1)), scalar(127.5)))
    x = graph.add("Cast", graph.add("Clip", x, scalar(0), scalar(255)), to=TensorProto.UINT8)
    graph.nodes.append(helper.make_node("Identity", [x], ["painting"]))
    ends = [[helper.make_tensor_value_info(x, TensorProto.UINT8, ["n", "h", "w", 3])] for x in ("photo", "painting")]
    whole = helper.make_graph(graph.nodes, "painter", *ends, graph.weights)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(whole, opset_imports=opset, ir_version=8, producer_name="monet-lab")
    metadata = {"config": json.dumps(config.settings()), "licence": LICENCE, "version": VERSION}
    metadata["surroundings"] = str(surroundings(config) or "whole")
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    return model


def _trial_photos():
    """Noise of several sizes, and the photographs that come with the course."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((256, 256), (75, 131), (40, 301))]
    files = sorted((COURSE / "data" / "photos").glob("*.jpg"))
    return noise + [np.asarray(Image.open(file).convert("RGB")) for file in files]
