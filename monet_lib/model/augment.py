"""Differentiable augmentation: show the discriminators altered images, so that they can't memorize 300 paintings.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training". The random numbers are an argument,
so real and generated images can share a draw, and the functions are pure. Gradients flow through to the generator.
"""

from typing import Any

from keras import ops

DRAWS = 7  # random numbers that diff_augment takes for an image


def diff_augment(images: Any, draws: Any, policy: str = "color,translation,cutout") -> Any:
    """Alter each image by its own draws.

    images: (batch, h, w, 3) float in [-1, 1]; the result may leave that range, as in the paper. draws: (batch, 7)
    uniform in [0, 1): brightness, saturation, contrast, shift down, shift right, hole's row, hole's column.
    policy: comma list of "color", "translation" and "cutout"; "" returns the images as they are.
    """
    if not policy:
        return images
    steps = {"color": (color, 0, 3), "translation": (translation, 3, 5), "cutout": (cutout, 5, 7)}
    for name in policy.split(","):
        step, first, last = steps[name]
        images = step(images, draws[:, first:last])
    return images


def color(images: Any, draws: Any) -> Any:
    """Brightness by -0.5 to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5. draws: (batch, 3)."""
    brightness, saturation, contrast = (ops.reshape(draws[:, k], (-1, 1, 1, 1)) for k in range(3))
    x = images + ops.cast(brightness - 0.5, images.dtype)
    grey = ops.mean(x, axis=3, keepdims=True)
    x = grey + (x - grey) * ops.cast(2 * saturation, x.dtype)
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    return mean + (x - mean) * ops.cast(contrast + 0.5, x.dtype)


def translation(images: Any, draws: Any) -> Any:
    """Shift down and right by up to an eighth, either way; what comes in is 0, mid-grey. draws: (batch, 2)."""
    rows, columns = _shifted(images.shape[1], draws[:, 0]), _shifted(images.shape[2], draws[:, 1])
    # A shift as two products with 0/1 matrices: exact, and a plain matrix product on every device.
    x = ops.einsum("bij,bjwc->biwc", ops.cast(rows, images.dtype), images)
    return ops.einsum("bij,bhjc->bhic", ops.cast(columns, images.dtype), x)


def cutout(images: Any, draws: Any) -> Any:
    """Set a square of half the size, centred anywhere, to 0. draws: (batch, 2)."""
    inside = []
    for axis, draw in ((1, draws[:, 0]), (2, draws[:, 1])):
        size = images.shape[axis]
        hole = int(size * 0.5 + 0.5)
        centre = ops.floor(draw * (size + 1 - hole % 2))[:, None]
        place = ops.arange(size, dtype=draw.dtype)[None, :]
        inside.append(ops.logical_and(place >= centre - hole // 2, place < centre - hole // 2 + hole))
    hole = ops.logical_and(inside[0][:, :, None], inside[1][:, None, :])[..., None]
    return ops.where(hole, ops.zeros_like(images), images)


def _shifted(size, draw):
    """(batch, size, size) matrices that shift a column of `size` values by each draw's share of +-1/8."""
    reach = int(size * 0.125 + 0.5)
    shift = ops.floor(draw * (2 * reach + 1)) - reach
    place = ops.arange(size, dtype=draw.dtype)
    return ops.cast(place[None, :, None] - shift[:, None, None] == place[None, None, :], "float32")
