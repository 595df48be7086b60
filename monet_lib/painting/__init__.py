"""Paint with a trained generator: arrays, image files of any size, and every photo into Kaggle's images.zip.

A photo is uint8 (height, width, 3), and so is its painting. Nothing here trains.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "painter": ["Painter"],
        "photos": ["read_photo"],
        "shipped": ["SHIPPED", "photographs", "shipped_generator"],
        "submission": ["check_submission", "write_submission"],
        "translation": ["paint", "paint_all", "paint_broadly", "paint_large", "translate"],
    },
)
