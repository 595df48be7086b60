"""A Keras generator as an ONNX graph, layer by layer, and faster where arithmetic allows: the same pixels either way.

Keras' own export goes through TensorFlow's graph, whose enlargements copy pixels and whose last convolution fills 3 of
a processor's 8 or 16 lanes; painted from this graph, a photo takes three quarters of the time (benchmarks/README.md).
Tensors are (n, c, h, w) within it, Keras' (n, h, w, c) outside.
"""

from typing import Any

import keras
import numpy as np
from keras import layers
from onnx import TensorProto, helper, numpy_helper

from monet_lib.networks.layers import ChangedImage, CropLike, ReflectionPadding2D, ResidualBlock

OPSET = 17
ALL = np.iinfo(np.int64).max


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
        return self.add("Slice", x, *(_ints(i) if isinstance(i, list) else i for i in (starts, ends, axes)))

    def crop(self, x: str, border: int) -> str:
        return self.slice(x, [border, border], [-border, -border], [2, 3]) if border else x

    def size(self, x: str) -> str:
        """A tensor's (h, w), int64 (2,)."""
        return self.slice(self.add("Shape", x), [2], [4], [0])


def network(graph: Graph, model: keras.Model, x: str) -> str:
    """Append a functional Keras model of one input, called on the tensor x; returns its output's name."""
    names = {}

    def call(layer, *args, **kwargs):
        symbols = keras.tree.flatten(args)
        output = layer(*args, **kwargs)
        # The symbol is kept with its name: its id stays its own.
        names[id(output)] = (output, _layer(graph, layer, [names[id(symbol)][1] for symbol in symbols]))
        return output

    symbol = keras.Input((None, None, 3))
    names[id(symbol)] = (symbol, x)
    copy = keras.models.clone_model(model, symbol, clone_function=lambda layer: layer, call_function=call)
    return names[id(copy.output)][1]


def _layer(graph, layer, inputs):
    """Append one layer, or the layers it is made of."""
    x = inputs[0]
    if isinstance(layer, keras.Sequential):
        return _chain(graph, layer.layers, x)
    if isinstance(layer, keras.Model):
        return network(graph, layer, x)
    if isinstance(layer, ResidualBlock):
        return graph.add("Add", x, _chain(graph, layer.residual.layers, x))
    if isinstance(layer, layers.InputLayer | layers.Dropout | layers.Identity):
        return x
    if isinstance(layer, ReflectionPadding2D):
        p = layer.padding
        return graph.add("Pad", x, _ints([0, 0, p, p, 0, 0, p, p]), mode="reflect")
    if isinstance(layer, layers.ZeroPadding2D):
        (top, bottom), (left, right) = layer.padding
        return graph.add("Pad", x, _ints([0, 0, top, left, 0, 0, bottom, right]))
    if isinstance(layer, layers.Cropping2D):
        (top, bottom), (left, right) = layer.cropping
        return graph.slice(x, [top, left], [-bottom or ALL, -right or ALL], [2, 3])
    if isinstance(layer, CropLike):
        return graph.slice(x, [0, 0], graph.size(inputs[1]), [2, 3])
    if isinstance(layer, layers.Concatenate):
        return graph.add("Concat", *inputs, axis=1)
    if isinstance(layer, layers.ReLU):
        return graph.add("Relu", x)
    if isinstance(layer, layers.LeakyReLU):
        return graph.add("LeakyRelu", x, alpha=float(layer.negative_slope))
    if isinstance(layer, layers.Activation):
        kind = {"relu": "Relu", "tanh": "Tanh", "linear": None}[layer.activation.__name__]
        return graph.add(kind, x) if kind else x
    if isinstance(layer, ChangedImage):
        return _changed_image(graph, *inputs)
    if isinstance(layer, layers.UpSampling2D):
        return graph.add("Resize", x, "", _floats([1, 1, 2, 2]), mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")  # fmt: skip
    if isinstance(layer, layers.Conv2DTranspose):
        return _transposed(graph, layer, x)
    if isinstance(layer, layers.Conv2D):
        return _convolution(graph, layer, x)
    return _norm(graph, layer, x)


def _chain(graph, chain, x):
    chain = list(chain)
    while chain:
        layer = chain.pop(0)
        if isinstance(layer, layers.UpSampling2D) and chain[0].kernel_size == (3, 3):
            x = _enlarged_convolution(graph, chain.pop(0), x)
        else:
            x = _layer(graph, layer, [x])
    return x


def _weights(layer, outputs=0):
    """(kernel (size, size, in, out), [bias] or []) as float32."""
    kernel, *bias = (np.asarray(w, np.float32) for w in layer.get_weights())
    return kernel, bias


def _convolution(graph, layer, x):
    kernel, bias = _weights(layer)
    size, (stride, _) = kernel.shape[0], layer.strides
    if layer.padding == "valid" and stride == 1 and kernel.shape[-1] == 3:
        return _convolution_in_fours(graph, kernel, bias, x)
    if layer.padding == "valid":
        where = {"pads": [0] * 4}
    elif stride == 1:
        where = {"pads": [(size - 1) // 2] * 2 + [size // 2] * 2}
    else:  # depends on whether the size is odd, as TensorFlow's does
        where = {"auto_pad": "SAME_UPPER"}
    return graph.add("Conv", x, kernel.transpose(3, 2, 0, 1), *bias, strides=[stride] * 2, **where)


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


def _enlarged_convolution(graph, layer, x):
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
    return graph.crop(graph.add("DepthToSpace", x, blocksize=2, mode="CRD"), 1)


def _transposed(graph, layer, x):
    kernel, bias = _weights(layer)  # (size, size, out, in)
    extra = kernel.shape[0] - 2  # of the doubled size, cut off as TensorFlow does: the larger half below
    pads = [extra // 2] * 2 + [extra - extra // 2] * 2
    return graph.add("ConvTranspose", x, kernel.transpose(3, 2, 0, 1), *bias, strides=[2, 2], pads=pads)


def _changed_image(graph, change, image):
    x = graph.add("Mul", graph.add("Clip", image, _float(-1), _float(1)), _float(0.98))
    ratio = graph.add("Div", graph.add("Add", _float(1), x), graph.add("Sub", _float(1), x))
    return graph.add("Tanh", graph.add("Add", graph.add("Mul", graph.add("Log", ratio), _float(0.5)), change))


def _norm(graph, layer, x):
    if isinstance(layer, layers.BatchNormalization):
        scale, shift, mean, variance = (np.asarray(w, np.float32) for w in layer.get_weights())
        scale = scale / np.sqrt(variance + layer.epsilon)
        return _scaled(graph, x, scale, shift - mean * scale)
    scale, shift = (np.asarray(w, np.float32) for w in layer.get_weights())
    if layer.groups in (-1, len(scale)):
        return graph.add("InstanceNormalization", x, scale, shift, epsilon=float(layer.epsilon))
    one = np.ones(layer.groups, np.float32)
    grouped = graph.add("Reshape", x, _ints([0, layer.groups, -1]))
    grouped = graph.add("InstanceNormalization", grouped, one, 0 * one, epsilon=float(layer.epsilon))
    return _scaled(graph, graph.add("Reshape", grouped, graph.add("Shape", x)), scale, shift)


def _scaled(graph, x, scale, shift):
    return graph.add("Add", graph.add("Mul", x, scale[:, None, None]), shift[:, None, None])


def _ints(values):
    return np.array(values, np.int64)


def _floats(values):
    return np.array(values, np.float32)


def _float(value):
    return np.array(value, np.float32)
