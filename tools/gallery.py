"""Photos and their paintings side by side: python tools/gallery.py PHOTOS PAINTINGS [PAINTINGS ...] OUT.jpg.

With several folders of paintings, a row is one photo and all its paintings, each under its folder's name.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from monet_lib.figures import image_grid
from monet_lib.paint.photos import read_photo


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("paintings", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--pairs", type=int, default=3, help="in a row")
    arguments = parser.parse_args()
    folders = [arguments.photos, *arguments.paintings]
    pairs = arguments.pairs if len(folders) == 2 else 1
    painted = [folder.name.replace("-", " ") for folder in folders[1:]] if len(folders) > 2 else ["painted"]
    labels = ["photo", *painted]
    names = sorted(path.name for path in folders[1].glob("*.jpg"))[: arguments.count]
    images = [Image.fromarray(read_photo(folder / name)) for name in names for folder in folders]
    size = tuple(min(image.size[k] for image in images) for k in (0, 1))
    cut = [np.asarray(ImageOps.fit(image, size)) for image in images]
    row = len(folders) * pairs
    rows = [cut[k : k + row] for k in range(0, len(cut), row)]
    Image.fromarray(image_grid(rows, labels * pairs)).save(arguments.out, quality=90)


if __name__ == "__main__":
    main()
