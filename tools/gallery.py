"""Photos and their paintings side by side, two pairs in a row: python tools/gallery.py PHOTOS PAINTINGS OUT.jpg."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from monet_lib.figures import image_grid
from monet_lib.paint.photos import read_photo


def main(photos, paintings, out):
    names = sorted(path.name for path in Path(paintings).glob("*.jpg"))[:12]
    images = [Image.fromarray(read_photo(Path(folder) / name)) for name in names for folder in (photos, paintings)]
    size = tuple(min(image.size[k] for image in images) for k in (0, 1))
    cut = [np.asarray(ImageOps.fit(image, size)) for image in images]
    rows = [cut[k : k + 4] for k in range(0, len(cut), 4)]
    Image.fromarray(image_grid(rows, ["photo", "painted"] * 2)).save(out, quality=90)


if __name__ == "__main__":
    main(*sys.argv[1:])
