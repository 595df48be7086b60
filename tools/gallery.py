"""Photos and their paintings side by side: python tools/gallery.py PHOTOS PAINTINGS OUT.jpg [--count N]."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from monet_lib.figures import image_grid
from monet_lib.painting.photos import read_photo


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--pairs", type=int, default=3, help="in a row")
    arguments = parser.parse_args()
    names = sorted(path.name for path in arguments.paintings.glob("*.jpg"))[: arguments.count]
    images = [Image.fromarray(read_photo(folder / name)) for name in names for folder in
              (arguments.photos, arguments.paintings)]  # fmt: skip
    size = tuple(min(image.size[k] for image in images) for k in (0, 1))
    cut = [np.asarray(ImageOps.fit(image, size)) for image in images]
    row = 2 * arguments.pairs
    rows = [cut[k : k + row] for k in range(0, len(cut), row)]
    Image.fromarray(image_grid(rows, ["photo", "painted"] * arguments.pairs)).save(arguments.out, quality=90)


if __name__ == "__main__":
    main()
