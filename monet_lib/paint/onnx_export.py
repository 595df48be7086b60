"""An ONNX graph as it grows: operators and weights, tensors by name. Images are (n, c, h, w) within it.

Keras' convolutions are rearranged where that gives the same numbers in less time.


A Keras generator as an ONNX graph, layer by layer: the same pixels.

Keras' own export, `model.export(format="onnx")`, goes through TensorFlow's graph and the package tf2onnx. It paints the
same, but its enlargements copy pixels and its last convolution fills 3 of a processor's 8 or 16 lanes: it takes 1.2 to
1.3 times as long as this graph (benchmarks/README.md).


Write a trained generator as one ONNX file that paints photos as they are: no Keras, no scaling left to the caller.

The file's input `photo` and output `painting` are uint8 (n, h, w, 3) in 0..255, h and w of any size. Within it the
photo is padded at the right and below with its own edge, as in `translation.paint_large`, and the painting cut.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from keras import layers
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from monet_lib.config import Config
from monet_lib.files import COURSE, UserError, write_beside
from monet_lib.model.layers import ChangedImage, CropLike, ReflectionPadding2D, ResidualBlock
from monet_lib.paint.painting import MULTIPLE, SMALLEST, Painter, paint_large

# painting.graph
OPSET = 17
ALL = np.iinfo(np.int64).max  # as the end of a slice


class Graph:
    """Nodes and weights as they are added. A tensor is its name. half: keep weights as float16, compute in float32."""

    def __init__(self, half: bool = False) -> None:
        self.nodes, self.weights, self.half = [], [], half

    def add(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        """Append one operator of one output and return that; an array among the inputs becomes a constant."""
        names = [self.constant(i) if isinstance(i, np.ndarray) else i for i in inputs]
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def constant(self, array: np.ndarray) -> str:
        name = f"constant_{len(self.weights)}"
        halved = self.half and array.dtype == np.float32 and array.size > 1
        self.weights.append(numpy_helper.from_array(array.astype(np.float16) if halved else array, name))
        return self.add("Cast", name, to=TensorProto.FLOAT) if halved else name

    def slice(self, x: str, starts: Any, ends: Any, axes: Any) -> str:
        """x[..., start:end, ...] on each of `axes`."""
        return self.add("Slice", x, *(ints(i) if isinstance(i, list) else i for i in (starts, ends, axes)))


def ints(values: Sequence[int]) -> np.ndarray:
    """Numbers as ONNX wants sizes and places."""
    return np.array(values, np.int64)


def scalar(value: float) -> np.ndarray:
    """A number as ONNX computes with it."""
    return np.array(value, np.float32)


def convolution(graph: Graph, layer: Any, x: str) -> str:
    """Append a Conv2D, padded as TensorFlow does."""
    kernel, bias = _weights(layer)
    size, (stride, _) = kernel.shape[0], layer.strides
    if layer.padding == "valid" and stride == 1 and kernel.shape[-1] == 3:
        return _convolution_in_fours(graph, kernel, bias, x)
    if layer.padding == "valid":
        where: dict[str, Any] = {"pads": [0] * 4}
    elif stride == 1:
        where = {"pads": [(size - 1) // 2] * 2 + [size // 2] * 2}
    else:  # depends on whether the size is odd, as TensorFlow's does
        where = {"auto_pad": "SAME_UPPER"}
    return graph.add("Conv", x, kernel.transpose(3, 2, 0, 1), *bias, strides=[stride] * 2, **where)


def enlarged_convolution(graph: Graph, layer: Any, x: str) -> str:
    """Nearest-neighbour doubling and a 3x3 convolution, as one 2x2 convolution of the small image.

    Of the 3 pixels that the kernel meets on the enlarged image in each direction, 2 are copies of one: their weights
    are added. An even row of the result sees a small row and the one above it, an odd row one and the one below.
    """
    kernel, bias = _weights(layer)
    up = np.array([[1, 0, 0], [0, 1, 1]], np.float32)  # weights of (row above, row) for an even row
    down = np.array([[1, 1, 0], [0, 0, 1]], np.float32)  # of (row, row below) for an odd row
    # A window at i gives row 2i - 1 (odd, of the small rows i - 1 and i) and row 2i (even, of the same two).
    pairs = np.stack([down, up])
    outputs = kernel.shape[-1]
    small = np.einsum("ray,sbx,yxio->orsiab", pairs, pairs, kernel).reshape(4 * outputs, -1, 2, 2)
    x = graph.add("Conv", x, small, *(np.repeat(b, 4) for b in bias), pads=[1] * 4)
    x = graph.add("DepthToSpace", x, blocksize=2, mode="CRD")
    return graph.slice(x, [1, 1], [-1, -1], [2, 3])


def transposed_convolution(graph: Graph, layer: Any, x: str) -> str:
    """Append a Conv2DTranspose that doubles the size."""
    kernel, bias = _weights(layer)  # (size, size, out, in)
    extra = kernel.shape[0] - 2  # of the doubled size, cut off as TensorFlow does: the larger half below
    pads = [extra // 2] * 2 + [extra - extra // 2] * 2
    return graph.add("ConvTranspose", x, kernel.transpose(3, 2, 0, 1), *bias, strides=[2, 2], pads=pads)


def _convolution_in_fours(graph, kernel, bias, x):
    """A convolution to 3 channels of an even-sided image, as one of stride 2 to 12: each 2x2 pixels at once."""
    size, _, channels, outputs = kernel.shape
    wide = np.zeros((outputs, 2, 2, channels, size + 1, size + 1), np.float32)
    for row in (0, 1):
        for column in (0, 1):
            place = wide[:, row, column, :, row : row + size, column : column + size]
            place[...] = kernel.transpose(3, 2, 0, 1)
    wide = wide.reshape(4 * outputs, channels, size + 1, size + 1)
    x = graph.add("Conv", x, wide, *(np.repeat(b, 4) for b in bias), strides=[2, 2])
    return graph.add("DepthToSpace", x, blocksize=2, mode="CRD")


def _weights(layer):
    """(kernel (size, size, in, out), [bias] or []) as float32."""
    kernel, *bias = (np.asarray(w, np.float32) for w in layer.get_weights())
    return kernel, bias


# painting.onnx_layers
def network(graph: Graph, model: keras.Model, x: str) -> str:
    """Append a functional Keras model of one input, called on the tensor x; returns its output's name."""
    names = {}

    def call(layer, *args, **kwargs):
        symbols = keras.tree.flatten(args)
        output = layer(*args, **kwargs)
        # The symbol is kept with its name: its id stays its own.
        names[id(output)] = (output, _layer(graph, layer, *(names[id(symbol)][1] for symbol in symbols)))
        return output

    symbol = keras.Input((None, None, 3))
    names[id(symbol)] = (symbol, x)
    copy = keras.models.clone_model(model, symbol, clone_function=lambda layer: layer, call_function=call)
    return names[id(copy.output)][1]


def _layer(graph, layer, *inputs):
    """Append one layer, or the layers it is made of."""
    kind = next(kind for kind in type(layer).__mro__ if kind in LAYERS)
    return LAYERS[kind](graph, layer, *inputs)


def _chain(graph, chain, x):
    """Append layers that follow each other; an enlargement and its 3x3 convolution become one."""
    chain = list(chain)
    while chain:
        layer = chain.pop(0)
        if isinstance(layer, layers.UpSampling2D) and chain[0].kernel_size == (3, 3):
            x = enlarged_convolution(graph, chain.pop(0), x)
        else:
            x = _layer(graph, layer, x)
    return x


def _reflection_padding(graph, layer, x):
    p = layer.padding
    return graph.add("Pad", x, ints([0, 0, p, p, 0, 0, p, p]), mode="reflect")


def _cropping(graph, layer, x):
    (top, bottom), (left, right) = layer.cropping
    return graph.slice(x, [top, left], [-bottom or ALL, -right or ALL], [2, 3])


def _upsampling(graph, layer, x):
    nearest = {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    return graph.add("Resize", x, "", np.array([1, 1, 2, 2], np.float32), mode="nearest", **nearest)


def _activation(graph, layer, x):
    kind = {"relu": "Relu", "tanh": "Tanh", "linear": None}[layer.activation.__name__]
    return graph.add(kind, x) if kind else x


def _changed_image(graph, layer, change, image):
    x = graph.add("Mul", graph.add("Clip", image, scalar(-1), scalar(1)), scalar(0.98))
    ratio = graph.add("Div", graph.add("Add", scalar(1), x), graph.add("Sub", scalar(1), x))
    return graph.add("Tanh", graph.add("Add", graph.add("Mul", graph.add("Log", ratio), scalar(0.5)), change))


def _batch_norm(graph, layer, x):
    weights = (np.asarray(w, np.float32) for w in layer.get_weights())  # scale, shift, mean, variance
    return graph.add("BatchNormalization", x, *weights, epsilon=float(layer.epsilon))


def _group_norm(graph, layer, x):
    scale, shift = (np.asarray(w, np.float32) for w in layer.get_weights())
    if layer.groups in (-1, len(scale)):
        return graph.add("InstanceNormalization", x, scale, shift, epsilon=float(layer.epsilon))
    one = np.ones(layer.groups, np.float32)
    grouped = graph.add("Reshape", x, ints([0, layer.groups, -1]))
    grouped = graph.add("InstanceNormalization", grouped, one, 0 * one, epsilon=float(layer.epsilon))
    x = graph.add("Reshape", grouped, graph.add("Shape", x))
    return graph.add("Add", graph.add("Mul", x, scale[:, None, None]), shift[:, None, None])


# How each kind of layer is appended: a function of (graph, layer, its input tensors). A class not listed here is
# appended as the nearest one that it inherits from.
LAYERS: dict[type, Callable[..., str]] = {
    keras.Sequential: lambda graph, layer, x: _chain(graph, layer.layers, x),
    keras.Model: network,
    **dict.fromkeys((layers.InputLayer, layers.Dropout, layers.Identity), lambda graph, layer, x: x),
    layers.Conv2D: convolution,
    layers.Conv2DTranspose: transposed_convolution,
    layers.UpSampling2D: _upsampling,
    ResidualBlock: lambda graph, layer, x: graph.add("Add", x, _chain(graph, layer.residual.layers, x)),
    ReflectionPadding2D: _reflection_padding,
    layers.Cropping2D: _cropping,
    CropLike: lambda graph, layer, x, like: graph.slice(x, [0, 0], graph.add("Shape", like, start=2), [2, 3]),
    layers.Concatenate: lambda graph, layer, *inputs: graph.add("Concat", *inputs, axis=1),
    layers.ReLU: lambda graph, layer, x: graph.add("Relu", x),
    layers.LeakyReLU: lambda graph, layer, x: graph.add("LeakyRelu", x, alpha=float(layer.negative_slope)),
    layers.Activation: _activation,
    ChangedImage: _changed_image,
    layers.BatchNormalization: _batch_norm,
    layers.GroupNormalization: _group_norm,
}


# painting.export
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
