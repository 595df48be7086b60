"""Write a sample data set in Kaggle's layout; `make_sample` draws its own: landscapes as photos and as paintings."""

import hashlib
import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from monet_lib.errors import UserError
from monet_lib.sample.brushwork import painting
from monet_lib.sample.scenery import landscape

SHARD = 12  # records in a shard
JPEG_QUALITY = 88  # keeps 24 + 24 images, in both formats, under 2 MB
DOMAINS = ("monet", "photo")


def make_sample(folder: str | Path, monets: int = 24, photos: int = 24, seed: int = 0) -> Path:
    """Write the sample in Kaggle's layout: monet_jpg, monet_tfrec, photo_jpg, photo_tfrec. Returns its Path.

    Both formats hold the same JPEGs; a record has the bytes features image, image_name and target. Image i
    depends only on (seed, domain, i): a larger set begins with the same images. Raises UserError for a count
    below 1 and where `folder` exists and isn't an empty folder. If it fails midway, it leaves nothing behind.
    """
    if min(monets, photos) < 1:
        raise UserError(f"make_sample: monets={monets}, photos={photos}. Ask for at least one of each.")
    folder = Path(folder).resolve()
    found = next(folder.iterdir(), None) if folder.is_dir() else folder if folder.exists() else None
    if found:
        what = f"not empty (found {found.name})" if folder.is_dir() else "a file"
        raise UserError(f"{folder}: {what}. Name a new or empty folder, or delete this one first.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        built = Path(temporary) / folder.name
        for domain, count in (("monet", monets), ("photo", photos)):
            write_domain(built, domain, _drawn(domain, count, seed))
        if folder.exists():
            folder.rmdir()  # empty; Windows doesn't rename onto it
        built.rename(folder)
    return folder


def _drawn(domain, count, seed):
    """Yield (name, uint8 (256, 256, 3)) of `count` pictures of a domain, each drawn from (seed, domain, number)."""
    draw = painting if domain == "monet" else landscape
    for i in range(count):
        name = hashlib.sha256(f"{seed}/{domain}/{i}".encode()).hexdigest()[:10]
        yield name, draw(np.random.default_rng([seed, DOMAINS.index(domain), i]))


def write_domain(
    root: Path, domain: str, pictures: Iterable[tuple[str, np.ndarray]], quality: int = JPEG_QUALITY
) -> None:
    """Write (name, uint8 (256, 256, 3)) pairs under `root` as shards of SHARD records and as JPEG files."""
    jpegs, shards = root / f"{domain}_jpg", root / f"{domain}_tfrec"
    jpegs.mkdir(parents=True)
    shards.mkdir()
    pictures = iter(pictures)
    for number in itertools.count():
        records = []
        for name, image in itertools.islice(pictures, SHARD):
            path = jpegs / f"{name}.jpg"
            Image.fromarray(image).save(path, quality=quality)
            records.append(_record(path.read_bytes(), name.encode(), domain.encode()))
        if not records:
            return
        with tf.io.TFRecordWriter(str(shards / f"{domain}{number:02d}-{len(records)}.tfrec")) as writer:
            for record in records:
                writer.write(record)


def _record(image, image_name, target):
    """A tf.train.Example of three bytes features, serialized."""
    values = {"image": image, "image_name": image_name, "target": target}
    features = {k: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for k, v in values.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)  # else the features' order may change
