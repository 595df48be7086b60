"""An ONNX graph as it grows: operators and weights, tensors by name. Images are (n, c, h, w) within it.

Keras' convolutions are rearranged where that gives the same numbers in less time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

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
