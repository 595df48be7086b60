"""A Keras generator as an ONNX graph, layer by layer: the same pixels.

Keras' own export, `model.export(format="onnx")`, goes through TensorFlow's graph and the package tf2onnx. It paints the
same, but its enlargements copy pixels and its last convolution fills 3 of a processor's 8 or 16 lanes: it takes 1.2 to
1.3 times as long as this graph (benchmarks/README.md).
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from monet_lib.networks.layers import ChangedImage, CropLike, ReflectionPadding2D, ResidualBlock
from monet_lib.painting.graph import ALL, Graph, convolution, enlarged_convolution, ints, scalar, transposed_convolution


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
