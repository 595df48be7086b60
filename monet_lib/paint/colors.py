"""A trained generator's colours, brought to those of paintings by its last layer alone."""

import keras
import numpy as np

from monet_lib.data.reading import to_float
from monet_lib.files import UserError
from monet_lib.model.generators import with_border
from monet_lib.model.layers import ChangedImage

BATCH, ITERATIONS = 8, 30


def match_colors(generator: keras.Model, photos: np.ndarray, monets: np.ndarray, border: int = 0) -> None:
    """Scale and shift the last layer, in place, until paintings of `photos` have the mean and spread of `monets`.

    The two sides of the game swing around each other, and with them the tint of all paintings: where training stops,
    it is off by some levels, and darker than paintings, since the cycle and identity losses hold it to the photos.
    Each colour channel gets the mean and standard deviation that it has in `monets` over all pixels, as Reinhard et
    al. (2001) match images, but once for a generator, not for each image. Both are uint8 (n, h, w, 3), of the training
    set: images kept out to score with must stay out of it. `border`: as in `with_border`.

    Raises UserError for a generator that has no such layer: a U-Net, or one that changes the photo (`residual_output`).
    """
    convolutions = [layer for layer in generator.layers if isinstance(layer, keras.layers.Conv2D)]
    if not convolutions or isinstance(generator.layers[-1], ChangedImage):
        raise UserError(
            f"{generator.name}: no convolution at its end makes the image, so its colours can't be matched. "
            "Train a ResNet with residual_output off."
        )
    last = convolutions[-1]
    inside = with_border(keras.Model(generator.inputs, last.output), border)  # what goes into the last tanh
    batches = (to_float(photos[k : k + BATCH]) for k in range(0, len(photos), BATCH))
    values = np.concatenate([np.asarray(inside(batch, training=False)) for batch in batches])
    scale, shift = _adjustment(values, _moments(monets))
    kernel, bias = last.get_weights()
    last.set_weights([kernel * scale, bias * scale + shift])


def _moments(images):
    return images.mean((0, 1, 2), dtype=np.float64), images.std((0, 1, 2), dtype=np.float64)


def _adjustment(inside, goal):
    """(scale, shift), each (3,), of what goes into the last tanh, which bring the images to the moments `goal`."""
    centre = inside.mean((0, 1, 2))  # scaled around it, the mean hardly moves, and the two can be sought side by side
    scale, level = np.ones(3, np.float32), centre.copy()
    for _ in range(ITERATIONS):
        tones = np.tanh((inside - centre) * scale + level)
        mean, spread = _moments((tones + 1) * 127.5)
        slope = 1 - np.square(tones).mean((0, 1, 2))  # of the tanh, on average
        level += np.clip((goal[0] - mean) / 127.5 / np.maximum(slope, 0.1), -0.5, 0.5)
        scale *= np.clip(goal[1] / np.maximum(spread, 1), 0.7, 1.4)
    return scale, level - scale * centre
