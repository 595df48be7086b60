"""What comes with the course: a trained generator (models/) and photographs that may be shown (data/photos/)."""

from typing import Any

import keras
import numpy as np
from PIL import Image, ImageOps

from monet_lib.config import Config
from monet_lib.networks.weights import load_generator
from monet_lib.places import COURSE

SHIPPED = COURSE / "models" / "monet.npz"  # not there in a notebook that came alone


def shipped_generator() -> tuple[keras.Model, Config]:
    """(generator, Config) of models/monet.npz. Raises UserError where it isn't."""
    return load_generator(SHIPPED)


def photographs(otherwise: Any) -> Any:
    """The course's photographs, cut to squares: uint8 (n, 256, 256, 3); `otherwise` where there are none."""
    files = sorted((COURSE / "data" / "photos").glob("*.jpg"))
    squares = [ImageOps.fit(Image.open(file), (256, 256), Image.Resampling.LANCZOS) for file in files]
    return np.stack([np.asarray(square) for square in squares]) if files else otherwise
