"""Write a sample data set in Kaggle's layout: squares of the course's photographs, as they are and as paintings."""

import hashlib
import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from monet_lib.data.images import SIZE
from monet_lib.errors import UserError
from monet_lib.places import COURSE
from monet_lib.sample.brushwork import repainted

SHARD = 12  # records in a shard
JPEG_QUALITY = 88  # keeps 24 + 24 images, in both formats, under 2 MB
DOMAINS = ("photo", "monet")


def make_sample(folder: str | Path, monets: int = 24, photos: int = 24, seed: int = 0) -> Path:
    """Write the sample in Kaggle's layout: monet_jpg, monet_tfrec, photo_jpg, photo_tfrec. Returns its Path.

    The pictures are squares of the photographs in data/photos (data/README.md has their licences): of every other one
    as it is, of the rest repainted in brush strokes. Both formats hold the same JPEGs; a record has the bytes features
    image, image_name and target. Image i depends only on (seed, domain, i): a larger set begins with the same images.
    Raises UserError for a count below 1 and where `folder` exists and isn't an empty folder. If it fails midway, it
    leaves nothing behind.
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
            write_domain(built, domain, _pictures(domain, count, seed))
        if folder.exists():
            folder.rmdir()  # empty; Windows doesn't rename onto it
        built.rename(folder)
    return folder


def _pictures(domain, count, seed):
    """Yield (name, uint8 (256, 256, 3)) of `count` pictures of a domain, each drawn from (seed, domain, number)."""
    side = DOMAINS.index(domain)
    files = sorted((COURSE / "data" / "photos").glob("*.jpg"))[side::2]  # no scene is on both sides
    photographs = [Image.open(file).convert("RGB") for file in files]
    for number in range(count):
        rng = np.random.default_rng([seed, side, number])
        picture = _varied_square(photographs[number % len(photographs)], rng)
        name = hashlib.sha256(f"{seed}/{domain}/{number}".encode()).hexdigest()[:10]
        yield name, repainted(picture, rng) if domain == "monet" else picture


def _varied_square(photograph, rng):
    """A random square of a Pillow image, mirrored as often as not, darker or lighter, in a light of another colour."""
    side = rng.uniform(0.35, 0.9) * min(photograph.size)
    left, top = (rng.uniform(0, length - side) for length in photograph.size)
    box = (left, top, left + side, top + side)
    pixels = np.asarray(photograph.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box))
    pixels = pixels[:, :: rng.choice((-1, 1))] * rng.uniform(0.6, 1.1) * rng.uniform(0.9, 1.1, 3)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


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
