"""An ONNX graph as it grows: operators and weights, tensors by name. Images are (n, c, h, w) within it."""

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

    def crop(self, x: str, border: int) -> str:
        return self.slice(x, [border, border], [-border, -border], [2, 3]) if border else x

    def size(self, x: str) -> str:
        """A tensor's (h, w), int64 (2,)."""
        return self.slice(self.add("Shape", x), [2], [4], [0])


def ints(values: Sequence[int]) -> np.ndarray:
    """Numbers as ONNX wants sizes and places."""
    return np.array(values, np.int64)


def scalar(value: float) -> np.ndarray:
    """A number as ONNX computes with it."""
    return np.array(value, np.float32)
