"""Photos and their paintings side by side: python tools/gallery.py PHOTOS PAINTINGS OUT.jpg [--count N]."""

import argparse
from pathlib import Path

from PIL import Image

from monet_lib.translation import read_photo
from monet_lib.viz import image_grid


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=12)
    arguments = parser.parse_args()
    names = sorted(path.name for path in arguments.paintings.glob("*.jpg"))[: arguments.count]
    pairs = [(read_photo(arguments.photos / name), read_photo(arguments.paintings / name)) for name in names]
    rows = [sum(pairs[k : k + 3], ()) for k in range(0, len(pairs), 3)]
    Image.fromarray(image_grid(rows, ["photo", "painted"] * 3)).save(arguments.out, quality=90)


if __name__ == "__main__":
    main()
