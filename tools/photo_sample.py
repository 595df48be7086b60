"""Make data/sample from photographs with free licences: python tools/photo_sample.py FOLDER OUT.

FOLDER holds the unpacked Debian packages that data/README.md names (`apt-get download`, `dpkg -x PACKAGE FOLDER`);
OUT is a new folder. The photo side is squares cut from some photographs; the painting side is squares of OTHER
photographs, repainted in brush strokes with Monet's measured colours. Same files in, same pictures out.
"""

import hashlib
import io
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from brushwork import repainted

from monet_lib.data.reading import SIZE

QUALITY = 84  # of the JPEGs: keeps 24 + 24 pictures, in both formats, under 2 MB
SHARD = 12  # records in a shard
# file: the squares cut from it as (left, top, side), each a share of the photograph's height.
PHOTOS = {
    "picosdeeuropa_by_Aitzol_Berasategi.jpg": [
        (0, 0, 1),
        (0.33, 0.05, 0.6),
        (0.7, 0.1, 0.55),
        (0.05, 0.42, 0.55),
    ],
    "sunset_by_Aitzol_Berasategi.jpg": [(0, 0.05, 0.95), (0.55, 0, 1), (0.3, 0.35, 0.5)],
    "life_by_Aitzol_Berasategi.jpg": [(0.05, 0, 1), (0.52, 0, 0.8), (0.45, 0.4, 0.6), (0.9, 0.05, 0.55)],
    "beacon-street-sunset.jpg": [(0.78, 0, 1), (0, 0.1, 0.9), (0.4, 0.3, 0.65)],
    "roman-colosseum.jpg": [(0, 0, 1), (0.75, 0, 1)],
    "Bridge_by_Sander_Klootwijk.jpg": [(0.05, 0.1, 0.9), (0.8, 0.2, 0.8)],
    "perched-osprey.jpg": [(0, 0, 1), (0.85, 0.1, 0.9)],
    "Road.jpg": [(0, 0, 1), (0.4, 0.2, 0.55)],
    "extreme-desert-hike.jpg": [(0.1, 0, 1)],
    "oakland-zoo-otters.jpg": [(0.7, 0.1, 0.9)],
}
PAINTINGS = {
    "lake-sherburne.jpg": [(0, 0, 1), (0.78, 0, 1), (0.2, 0.35, 0.65), (0.9, 0.1, 0.6), (0.5, 0.05, 0.5)],
    "tea-gardens.jpg": [(0, 0, 1), (0.5, 0, 1), (0.1, 0.35, 0.5), (0.85, 0.45, 0.55)],
    "aitzgorri_by_Aitzol_Berasategi.jpg": [(0, 0, 1), (0.5, 0, 1), (0.75, 0.3, 0.55), (0.1, 0.3, 0.55)],
    "singaporean-cityscape.jpg": [(0, 0, 1), (0.75, 0, 1), (0.3, 0.35, 0.65)],
    "SeaSunset.jpg": [(0, 0, 1), (0.45, 0.05, 0.7)],
    "seeding_by_Clements_Engelhardt.jpg": [(0.05, 0, 1), (0.75, 0.1, 0.9)],
    "blue-periwinkle.jpg": [(0.3, 0.1, 0.9), (0.05, 0.3, 0.55)],
    "Dragonfly_by_Bolly.jpg": [(0, 0, 1), (0.3, 0.3, 0.6)],
}


def square(photograph, box):
    """uint8 (256, 256, 3): the square (left, top, side) of a Pillow image, shares of its height, scaled down."""
    height = photograph.height
    left, top, side = (round(share * height) for share in box)
    side = min(side, photograph.width - left, height - top)
    cut = photograph.resize((SIZE, SIZE), Image.Resampling.LANCZOS, (left, top, left + side, top + side))
    return np.asarray(cut.convert("RGB"))


def pictures(folder, table):
    """Yield (name, uint8 (256, 256, 3)) of each square of a table, reading the photographs under `folder`."""
    for file, boxes in table.items():
        found = sorted(Path(folder).rglob(file))
        if not found:
            sys.exit(f"{file}: not under {folder}. data/README.md says which package holds it.")
        with Image.open(found[0]) as photograph:
            for box in boxes:
                yield hashlib.sha256(f"{file}{box}".encode()).hexdigest()[:10], square(photograph, box)


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


def main(folder, out):
    paintings = ((name, repainted(image, np.random.default_rng(int(name, 16))))
                 for name, image in pictures(folder, PAINTINGS))  # fmt: skip
    for domain, named in (("photo", pictures(folder, PHOTOS)), ("monet", paintings)):
        named = sorted(named, key=lambda pair: pair[0])  # by name: neighbours aren't cut from one photograph
        write_domain(Path(out), domain, named)
    print(f"{out}: {sum(map(len, PHOTOS.values()))} photos, {sum(map(len, PAINTINGS.values()))} paintings")


if __name__ == "__main__":
    main(*sys.argv[1:])
