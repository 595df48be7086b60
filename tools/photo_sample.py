"""Make data/sample from photographs with free licences: python tools/photo_sample.py FOLDER OUT.

data/sample/sources.csv lists the photographs. FOLDER holds their Debian packages, unpacked (`apt-get download
PACKAGE=VERSION`, `dpkg -x FILE FOLDER`); OUT is a new folder. One square is cut from each photograph. The squares of
side "photo" are the photos. The squares of side "monet" become the paintings: the course's generator paints each of
them twice (the sample's own were painted by an earlier one). OUT.jpg shows all pictures. The same files and the same
generator give the same pictures.
"""

import csv
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from monet_lib.data.reading import SIZE
from monet_lib.paint import SHIPPED_PAINTER, Painter

SOURCES = ROOT / "data" / "sample" / "sources.csv"
QUALITY = 84  # of the JPEGs: keeps 48 + 48 pictures, in both formats, under 4 MB
SHARD = 12  # records in a shard
COLUMNS, EDGE = 12, 88  # the contact sheet's pictures in a row, and the width of each in px


def sources():
    """The rows of sources.csv, one a picture, as dicts.

    name: the picture's name. side: "photo" or "monet". file: the photograph, as a path that no other file's path
    ends in. square: left, top and side of the square, shares of the photograph's height. by: who took the photograph.
    licence, package, version: the photograph's licence, and the Debian package that holds it.
    """
    with open(SOURCES, encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def photographs(folder):
    """{path: its bytes or Path} of all files under `folder`, and of the files inside of .rcc files there."""
    found = {str(path): path for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    for path in [path for path in found.values() if path.suffix == ".rcc"]:
        found |= {f"{path}{name}": data for name, data in files_of_rcc(path.read_bytes())}
    return found


def files_of_rcc(data, node=0, path=""):
    """Yield (path, bytes) of each file in a Qt resource file (qtbase/src/tools/rcc/rcc.cpp; numbers are big-endian).

    The file holds a tree of nodes, the files' data, and their names, at the offsets that its header names.
    """
    version, tree, contents, names = struct.unpack(">4i", data[4:20])
    size = 22 if version >= 2 else 14  # bytes of a node
    start = tree + node * size
    name, flags = struct.unpack(">iH", data[start : start + 6])
    if node:
        length = struct.unpack(">H", data[names + name : names + name + 2])[0]
        path += "/" + data[names + name + 6 : names + name + 6 + 2 * length].decode("utf-16-be")
    if flags & 2:  # a folder
        count, first = struct.unpack(">ii", data[start + 6 : start + 14])
        for child in range(first, first + count):
            yield from files_of_rcc(data, child, path)
        return
    at = contents + struct.unpack(">i", data[start + 10 : start + 14])[0]
    content = data[at + 4 : at + 4 + struct.unpack(">i", data[at : at + 4])[0]]
    yield path, zlib.decompress(content[4:]) if flags & 1 else content


def square(photograph, box):
    """uint8 (256, 256, 3): the square (left, top, side) of a Pillow image, shares of its height, scaled down."""
    height = photograph.height
    left, top, side = (round(share * height) for share in box)
    side = min(side, photograph.width - left, height - top)
    box = (left, top, left + side, top + side)
    return np.asarray(photograph.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS, box))


def pictures(folder):
    """{"photo": [(name, uint8 (256, 256, 3))], "monet": the same}, by name, from the photographs under `folder`."""
    files, painter = photographs(folder), Painter(SHIPPED_PAINTER)
    made = {"photo": [], "monet": []}
    for row in sorted(sources(), key=lambda row: row["name"]):  # so that neighbours are not from one package
        paths = [path for path in files if path.endswith(f"/{row['file']}")]
        if len(paths) != 1:
            sys.exit(f"{folder}: {len(paths)} files end in {row['file']}, not 1. Unpack {row['package']} "
                     f"{row['version']} there, and nothing else of that name.")  # fmt: skip
        file = files[paths[0]]
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as photograph:
            picture = square(photograph, map(float, row["square"].split()))
        if row["side"] == "monet":
            picture = painter(painter(picture[None]))[0]
        made[row["side"]].append((row["name"], picture))
    return made


def write_domain(root, domain, pictures):
    """Write a list of (name, uint8 (256, 256, 3)) under `root` in Kaggle's layout: shards and JPEG files.

    Both formats hold the same JPEGs; a record has the bytes features image, image_name and target.
    """
    jpegs, shards = root / f"{domain}_jpg", root / f"{domain}_tfrec"
    jpegs.mkdir(parents=True)
    shards.mkdir()
    for number, first in enumerate(range(0, len(pictures), SHARD)):
        part = pictures[first : first + SHARD]
        with tf.io.TFRecordWriter(str(shards / f"{domain}{number:02d}-{len(part)}.tfrec")) as shard:
            for name, image in part:
                Image.fromarray(image).save(buffer := io.BytesIO(), "JPEG", quality=QUALITY)
                (jpegs / f"{name}.jpg").write_bytes(buffer.getvalue())
                example, values = tf.train.Example(), (buffer.getvalue(), name.encode(), domain.encode())
                for feature, value in zip(("image", "image_name", "target"), values, strict=True):
                    example.features.feature[feature].bytes_list.value.append(value)
                shard.write(example.SerializeToString(deterministic=True))  # else the features' order may change


def contact_sheet(made):
    """A Pillow image of all photos, and below them all paintings, small."""
    rows = [named[first : first + COLUMNS] for named in made.values() for first in range(0, len(named), COLUMNS)]
    sheet = Image.new("RGB", (COLUMNS * EDGE, len(rows) * EDGE), "white")
    for down, row in enumerate(rows):
        for across, (_, picture) in enumerate(row):
            small = Image.fromarray(picture).resize((EDGE - 2, EDGE - 2), Image.Resampling.LANCZOS)
            sheet.paste(small, (across * EDGE, down * EDGE))
    return sheet


def main(folder, out):
    made, out = pictures(folder), Path(out)
    for domain, named in made.items():
        write_domain(out, domain, named)
    contact_sheet(made).save(out.with_suffix(".jpg"), quality=85)
    print(f"{out}: {len(made['photo'])} photos, {len(made['monet'])} paintings")


if __name__ == "__main__":
    main(*sys.argv[1:])
