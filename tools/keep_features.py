"""Features of the competition's images for lesson 5: python tools/keep_features.py [DATA].

Writes monet_lib/course/real_features.npz: 96 random mixtures of EfficientNet-Lite0's 1,280 features for 250 of the
paintings in DATA (default: MONET_DATA), as shards and as JPEGs, for 250 of the photos, and for the course's paintings
of these photos. These are numbers, below 100 kB, which may be kept where the images may not: with them FID and KID to
real Monets can be computed without a download.
"""

import io
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from monet_lib.course.submission import FEATURES, real_network
from monet_lib.data import find_images, load
from monet_lib.files import write_beside
from monet_lib.paint import paint_all, shipped_generator
from monet_lib.score import embed

COUNT = 250


def spread(images):
    """COUNT of the images, an even spread of them."""
    return images[np.linspace(0, len(images) - 1, COUNT).round().astype(int)]


def write_features(sets, file=FEATURES):
    """Write {name: (n, features)} as `real_features` reads it: 256 levels between a feature's lowest and highest."""
    low, high = (edge([edge(features, 0) for features in sets.values()], 0) for edge in (np.min, np.max))
    scale = (high - low) / 255 + 1e-9
    levels = {name: np.rint((features - low) / scale).astype(np.uint8) for name, features in sets.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, low=low.astype(np.float32), scale=scale.astype(np.float32), **levels)
    write_beside(file, lambda path: path.write_bytes(buffer.getvalue()))


def main(data=None):
    data = data or os.environ["MONET_DATA"]
    monets, photos = (spread(load(find_images(data, name))[1]) for name in ("monet", "photo"))
    sets = {
        "Monets": monets,
        "Monets as monet_jpg": spread(load(find_images(data, "monet", "jpg"))[1]),
        "photos": photos,
        "the course's": paint_all(shipped_generator()[0], photos),
    }
    write_features({name: embed(images, real_network()) for name, images in sets.items()})
    print(f"{FEATURES}: {FEATURES.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(*sys.argv[1:])
