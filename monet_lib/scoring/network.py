"""What a feature network is: images in, a row of features for each out, with the name that a score must carry."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monet_lib.errors import UserError


@dataclass(frozen=True)
class FeatureNetwork:
    """A function from uint8 images (batch, h, w, 3) in 0..255 to float32 features (batch, features).

    name: what every score made with it is labelled with. canonical: whether that score is FID, or a proxy.
    size: pixels; the network resizes every image to size x size itself.
    """

    name: str
    canonical: bool
    size: int
    extract: Callable

    def __call__(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or not images.size:
            raise UserError(f"{self.name}: needs uint8 images (batch, h, w, 3) in 0..255, "
                            f"got {images.dtype} {images.shape}.")  # fmt: skip
        return np.asarray(self.extract(images), np.float32).reshape(len(images), -1)
