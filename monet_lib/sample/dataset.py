"""The embedded sample data set: procedural landscapes as photos and as paintings, in Kaggle's layout."""

import hashlib
import tempfile
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


def make_sample(folder, monets=24, photos=24, seed=0):
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
        _write_domain(built, "monet", monets, seed)
        _write_domain(built, "photo", photos, seed)
        if folder.exists():
            folder.rmdir()  # empty; Windows doesn't rename onto it
        built.rename(folder)
    return folder


def _write_domain(root, domain, count, seed):
    draw = painting if domain == "monet" else landscape
    jpegs, shards = root / f"{domain}_jpg", root / f"{domain}_tfrec"
    jpegs.mkdir(parents=True)
    shards.mkdir()
    for number, start in enumerate(range(0, count, SHARD)):
        size = min(SHARD, count - start)
        with tf.io.TFRecordWriter(str(shards / f"{domain}{number:02d}-{size}.tfrec")) as writer:
            for i in range(start, start + size):
                image = draw(np.random.default_rng([seed, DOMAINS.index(domain), i]))
                name = hashlib.sha256(f"{seed}/{domain}/{i}".encode()).hexdigest()[:10]
                path = jpegs / f"{name}.jpg"
                Image.fromarray(image).save(path, quality=JPEG_QUALITY)
                writer.write(_record(path.read_bytes(), name.encode(), domain.encode()))


def _record(image, image_name, target):
    """A tf.train.Example of three bytes features, serialized."""
    values = {"image": image, "image_name": image_name, "target": target}
    features = {k: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for k, v in values.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)  # else the features' order may change
