"""Write a trained generator as one ONNX file that paints photos as they are, with the same pixels as in Keras.

The file's input `photo` and output `painting` are uint8 (n, h, w, 3) in 0..255, of any h and w. The graph itself scales
the levels, pads the photo at the right and below with its own edge, as `paint_large` does, and cuts the painting.

Keras' own export, `model.export(format="onnx")`, goes through TensorFlow's graph and the package tf2onnx. It paints the
same, but its enlargements copy pixels, and its last convolution fills 3 of a processor's 8 or 16 lanes: it takes 1.2 to
1.3 times as long as this graph (benchmarks/README.md). Read from `export_painter` down: the whole graph, the network,
its layers, its convolutions.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from keras import layers
from onnx import TensorProto, helper, numpy_helper

from monet_lib.config import Config
from monet_lib.files import COURSE, UserError, write_beside
from monet_lib.model.layers import ChangedImage, CropLike, ReflectionPadding2D, ResidualBlock
from monet_lib.paint.painting import MULTIPLE, SMALLEST, Painter, fingerprint, paint_large
from monet_lib.paint.photos import read_photo

OPSET = 17
LICENCE = "MIT"
VERSION = "1"  # of the input, the output and the metadata
LARGEST_DIFFERENCE = 1  # of 255: a value between two levels may be rounded to either


def export_painter(generator: keras.Model, config: Config, path: str | Path, overwrite: bool = True) -> int:
    """Write a generator and its Config to `path`. Returns the largest difference to Keras, see `exported`.

    overwrite: replace a file that is there. Raises UserError, and leaves no file, where `exported` does.
    """
    data, largest = exported(generator, config)
    write_beside(Path(path), lambda temporary: temporary.write_bytes(data), overwrite)
    return largest


def exported(generator: keras.Model, config: Config) -> tuple[bytes, int]:
    """(an ONNX file's bytes, the largest difference of what it paints to Keras, 0 or 1 of 255).

    The metadata hold the Config, the licence, the weights' fingerprint and how far around a pixel the network looks.
    Weights are kept as float16 where that changes no pixel by more than a level, else as float32. Raises UserError
    where the difference is larger.
    """
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((256, 256), (75, 131), (40, 301))]
    photos += map(read_photo, sorted((COURSE / "data" / "photos").glob("*.jpg")))
    expected = [paint_large(generator, photo, tile=10**9) for photo in photos]
    for half in (True, False):
        data = _whole_graph(generator, config, half).SerializeToString()
        painter = Painter(data)
        pairs = [(painter(photo[None])[0].astype(int), e) for photo, e in zip(photos, expected, strict=True)]
        largest = max(int(np.abs(got - e).max()) for got, e in pairs)
        if largest <= LARGEST_DIFFERENCE:
            return data, largest
    raise UserError(
        f"export: the painter would paint up to {largest} of 255 levels away from Keras, not {LARGEST_DIFFERENCE}. "
        "Nothing was written; report the generator's config."
    )


def surroundings(config: Config) -> int | None:
    """How many px around a pixel the generator of a Config looks at, at most, or None: at the whole picture.

    A ResNet: 3 for each 7x7 convolution, 1 + 2 for the halvings and 2 + 1 for the doublings, 8 for each block, whose
    two 3x3 convolutions work at a quarter of the size. A pixel of that quarter is repeated 4 times, so some pixels see
    3 px farther to one side than to the other. A U-Net's innermost step sees everything. A norm over the picture sees
    everything too, but only its mean and spread: tiles larger than the reach of the convolutions nearly agree.
    """
    return 15 + 8 * config.residual_blocks if config.model == "resnet" else None


def _whole_graph(generator, config, half):
    """The ONNX model from uint8 photo to uint8 painting. Images are (n, c, h, w) within the network."""
    graph = Graph(half)
    size = graph.add("Shape", "photo", start=1, end=3)
    fill = graph.add("Mod", graph.add("Neg", size), [MULTIPLE])
    fill = graph.add("Max", fill, graph.add("Sub", [SMALLEST], size))
    pads = graph.add("Concat", [0] * 5, fill, [0], axis=0)
    x = graph.add("Cast", "photo", to=TensorProto.FLOAT)
    x = graph.add("Pad", x, pads, mode="edge")
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    x = graph.add("Sub", graph.add("Div", x, 127.5), 1.0)
    x = _network(graph, generator, x)
    x = graph.add("Transpose", x, perm=[0, 2, 3, 1])
    x = graph.add("Slice", x, [0, 0], size, [1, 2])
    x = graph.add("Round", graph.add("Mul", graph.add("Add", x, 1.0), 127.5))
    x = graph.add("Cast", graph.add("Clip", x, 0.0, 255.0), to=TensorProto.UINT8)
    graph.nodes.append(helper.make_node("Identity", [x], ["painting"]))
    ends = [[helper.make_tensor_value_info(x, TensorProto.UINT8, ["n", "h", "w", 3])] for x in ("photo", "painting")]
    whole = helper.make_graph(graph.nodes, "painter", *ends, graph.weights)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(whole, opset_imports=opset, ir_version=8, producer_name="monet-lab")
    metadata = {
        "config": json.dumps(config.settings()),
        "licence": LICENCE,
        "version": VERSION,
        "weights": fingerprint(generator),
    }
    helper.set_model_props(model, metadata | {"surroundings": str(surroundings(config) or "whole")})
    onnx.checker.check_model(model)
    return model


class Graph:
    """Nodes and weights as they are added. A tensor is its name. half: keep weights as float16, compute in float32."""

    def __init__(self, half: bool) -> None:
        self.nodes, self.weights, self.half = [], [], half

    def add(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        """Append one operator and return its output. Inputs are tensors, or numbers, which become constants."""
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def constant(self, value: np.ndarray | float | list[int]) -> str:
        """Arrays as they are; a number as float32, with which ONNX computes; a list as int64: sizes and places."""
        if not isinstance(value, np.ndarray):
            value = np.array(value, np.int64 if isinstance(value, list) else np.float32)
        name = f"constant_{len(self.weights)}"
        halved = self.half and value.dtype == np.float32 and value.size > 1
        self.weights.append(numpy_helper.from_array(value.astype(np.float16) if halved else value, name))
        return self.add("Cast", name, to=TensorProto.FLOAT) if halved else name


def _network(graph, model, x):
    """Append a functional Keras model of one input, called on the tensor x; returns its output."""
    names = {}

    def call(layer, *args, **kwargs):
        symbols = keras.tree.flatten(args)
        output = layer(*args, **kwargs)
        # The symbol is kept beside its name: as long as it lives, no other symbol gets its id.
        names[id(output)] = (output, _layer(graph, layer, *(names[id(symbol)][1] for symbol in symbols)))
        return output

    symbol = keras.Input((None, None, 3))
    names[id(symbol)] = (symbol, x)
    copy = keras.models.clone_model(model, symbol, clone_function=lambda layer: layer, call_function=call)
    return names[id(copy.output)][1]


def _layer(graph, layer, *inputs):
    """Append one layer, as LAYERS says of its class or of the nearest class that it inherits from."""
    kind = next(kind for kind in type(layer).__mro__ if kind in LAYERS)
    return LAYERS[kind](graph, layer, *inputs)


def _chain(graph, chain, x):
    """Append layers that follow each other; an enlargement and its 3x3 convolution become one."""
    chain = list(chain)
    while chain:
        layer = chain.pop(0)
        if isinstance(layer, layers.UpSampling2D) and chain[0].kernel_size == (3, 3):
            x = _enlarged_convolution(graph, chain.pop(0), x)
        else:
            x = _layer(graph, layer, x)
    return x


def _convolution(graph, layer, x):
    """A Conv2D, padded as TensorFlow does."""
    kernel, *bias = _weights(layer)  # (size, size, in, out)
    size, (stride, _) = kernel.shape[0], layer.strides
    if layer.padding == "valid" and stride == 1 and kernel.shape[-1] == 3:
        return _convolution_in_fours(graph, kernel, bias, x)
    if layer.padding == "valid":
        where: dict[str, Any] = {"pads": [0] * 4}
    elif stride == 1:
        where = {"pads": [(size - 1) // 2] * 2 + [size // 2] * 2}
    else:  # which side gets more depends on whether the image's size is odd
        where = {"auto_pad": "SAME_UPPER"}
    return graph.add("Conv", x, kernel.transpose(3, 2, 0, 1), *bias, strides=[stride] * 2, **where)


def _convolution_in_fours(graph, kernel, bias, x):
    """A convolution of an even-sided image to 3 channels, as one of stride 2 to 12 channels: 2x2 pixels at once."""
    size, _, channels, outputs = kernel.shape
    wide = np.zeros((outputs, 2, 2, channels, size + 1, size + 1), np.float32)
    for row in (0, 1):
        for column in (0, 1):
            wide[:, row, column, :, row : row + size, column : column + size] = kernel.transpose(3, 2, 0, 1)
    wide = wide.reshape(4 * outputs, channels, size + 1, size + 1)
    x = graph.add("Conv", x, wide, *(np.repeat(b, 4) for b in bias), strides=[2, 2])
    return graph.add("DepthToSpace", x, blocksize=2, mode="CRD")


def _enlarged_convolution(graph, layer, x):
    """Nearest-neighbour doubling and a 3x3 convolution, as one 2x2 convolution of the small image.

    Of the 3 pixels that the kernel meets on the enlarged image in each direction, 2 are copies of one pixel: their
    weights are added. An even row of the result sees a small row and the row above it, an odd row a small row and the
    row below it.
    """
    kernel, *bias = _weights(layer)
    up = np.array([[1, 0, 0], [0, 1, 1]], np.float32)  # weights of (row above, row) for an even row
    down = np.array([[1, 1, 0], [0, 0, 1]], np.float32)  # of (row, row below) for an odd row
    # A window at i gives row 2i - 1 (odd, of the small rows i - 1 and i) and row 2i (even, of the same two).
    pairs = np.stack([down, up])
    outputs = kernel.shape[-1]
    small = np.einsum("ray,sbx,yxio->orsiab", pairs, pairs, kernel).reshape(4 * outputs, -1, 2, 2)
    x = graph.add("Conv", x, small, *(np.repeat(b, 4) for b in bias), pads=[1] * 4)
    x = graph.add("DepthToSpace", x, blocksize=2, mode="CRD")
    return graph.add("Slice", x, [1, 1], [-1, -1], [2, 3])


def _transposed_convolution(graph, layer, x):
    """A Conv2DTranspose that doubles the size."""
    kernel, *bias = _weights(layer)  # (size, size, out, in)
    extra = kernel.shape[0] - 2  # of the doubled size, cut off as TensorFlow does: the larger half below
    pads = [extra // 2] * 2 + [extra - extra // 2] * 2
    return graph.add("ConvTranspose", x, kernel.transpose(3, 2, 0, 1), *bias, strides=[2, 2], pads=pads)


def _cropping(graph, layer, x):
    (top, bottom), (left, right) = layer.cropping
    end = np.iinfo(np.int64).max
    return graph.add("Slice", x, [top, left], [-bottom or end, -right or end], [2, 3])


def _activation(graph, layer, x):
    kind = {"relu": "Relu", "tanh": "Tanh", "linear": None}[layer.activation.__name__]
    return graph.add(kind, x) if kind else x


def _changed_image(graph, layer, change, image):
    x = graph.add("Mul", graph.add("Clip", image, -1.0, 1.0), 0.98)
    ratio = graph.add("Div", graph.add("Add", 1.0, x), graph.add("Sub", 1.0, x))
    return graph.add("Tanh", graph.add("Add", graph.add("Mul", graph.add("Log", ratio), 0.5), change))


def _group_norm(graph, layer, x):
    scale, shift = _weights(layer)
    if layer.groups in (-1, len(scale)):
        return graph.add("InstanceNormalization", x, scale, shift, epsilon=float(layer.epsilon))
    one = np.ones(layer.groups, np.float32)
    grouped = graph.add("Reshape", x, [0, layer.groups, -1])
    grouped = graph.add("InstanceNormalization", grouped, one, 0 * one, epsilon=float(layer.epsilon))
    x = graph.add("Reshape", grouped, graph.add("Shape", x))
    return graph.add("Add", graph.add("Mul", x, scale[:, None, None]), shift[:, None, None])


def _weights(layer):
    """A layer's weights as float32: (kernel[, bias]) or (scale, shift[, mean, variance])."""
    return [np.asarray(w, np.float32) for w in layer.get_weights()]


DOUBLED = np.array([1, 1, 2, 2], np.float32)  # times n, c, h, w
NEAREST = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
# How each kind of layer is appended: a function of (graph, layer, its input tensors).
LAYERS: dict[type, Callable[..., str]] = {
    keras.Sequential: lambda graph, layer, x: _chain(graph, layer.layers, x),
    keras.Model: _network,
    **dict.fromkeys((layers.InputLayer, layers.Dropout, layers.Identity), lambda graph, layer, x: x),
    layers.Conv2D: _convolution,
    layers.Conv2DTranspose: _transposed_convolution,
    layers.UpSampling2D: lambda graph, layer, x: graph.add("Resize", x, "", DOUBLED, **NEAREST),
    ResidualBlock: lambda graph, layer, x: graph.add("Add", x, _chain(graph, layer.residual.layers, x)),
    ReflectionPadding2D: lambda graph, layer, x: graph.add("Pad", x, [0, 0, *[layer.padding] * 2] * 2, mode="reflect"),
    layers.Cropping2D: _cropping,
    CropLike: lambda graph, layer, x, like: graph.add("Slice", x, [0, 0], graph.add("Shape", like, start=2), [2, 3]),
    layers.Concatenate: lambda graph, layer, *inputs: graph.add("Concat", *inputs, axis=1),
    layers.ReLU: lambda graph, layer, x: graph.add("Relu", x),
    layers.LeakyReLU: lambda graph, layer, x: graph.add("LeakyRelu", x, alpha=float(layer.negative_slope)),
    layers.Activation: _activation,
    ChangedImage: _changed_image,
    layers.BatchNormalization: lambda graph, layer, x: graph.add(
        "BatchNormalization", x, *_weights(layer), epsilon=float(layer.epsilon)
    ),
    layers.GroupNormalization: _group_norm,
}
