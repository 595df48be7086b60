"""Levels of pixels, without TensorFlow."""

from typing import Any

import numpy as np


def to_uint8(images: Any) -> np.ndarray:
    """[-1, 1] back to uint8 0..255: rounded, so that `to_uint8(to_float(x)) == x`, and clipped. Returns NumPy."""
    return np.clip(np.rint((np.asarray(images, np.float32) + 1.0) * 127.5), 0, 255).astype(np.uint8)
