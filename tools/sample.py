"""Sample images in the competition's layout, with no download: squares of the pictures that come with the course."""

import hashlib
import io
import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from monet_lib.data.reading import SIZE, make_example, write_records
from monet_lib.files import COURSE, UserError, made_folder, write_folder_beside

SHARD = 12  # records in a shard
JPEG_QUALITY = 88  # keeps 24 + 24 images, in both formats, under 2 MB
DOMAINS = ("photo", "monet")


def make_sample(folder: str | Path, monets: int = 24, photos: int = 24, seed: int = 0) -> Path:
    """Write the sample in Kaggle's layout: monet_jpg, monet_tfrec, photo_jpg, photo_tfrec. Returns its Path.

    The images are squares of those in data/sample (data/README.md has their licences), so no scene is on both sides.
    Both formats hold the same JPEGs; a record has the bytes features image, image_name and target. Image i depends
    only on (seed, domain, i): a larger set begins with the same images. Raises UserError for a count below 1, where
    `folder` exists and isn't an empty folder, and where it can't be written. If it fails midway, it leaves nothing.
    """
    if min(monets, photos) < 1:
        raise UserError(f"make_sample: monets={monets}, photos={photos}. Ask for at least one of each.")
    folder = Path(folder).resolve()
    found = next(folder.iterdir(), None) if folder.is_dir() else folder if folder.exists() else None
    if found:
        what = f"not empty (found {found.name})" if folder.is_dir() else "a file"
        raise UserError(f"{folder}: {what}. Name a new or empty folder, or delete this one first.")

    def write(built):
        for domain, count in (("monet", monets), ("photo", photos)):
            write_domain(built, domain, _pictures(domain, count, seed))

    made_folder(folder.parent, "folder")
    write_folder_beside(folder, write)
    return folder


def _pictures(domain, count, seed):
    """Yield (name, uint8 (256, 256, 3)) of `count` pictures of a domain, each drawn from (seed, domain, number)."""
    files = sorted((COURSE / "data" / "sample" / f"{domain}_jpg").glob("*.jpg"))
    for number in range(count):
        rng = np.random.default_rng([seed, DOMAINS.index(domain), number])
        name = hashlib.sha256(f"{seed}/{domain}/{number}".encode()).hexdigest()[:10]
        with Image.open(files[number % len(files)]) as picture:
            yield name, _varied_square(picture, rng)


def _varied_square(picture, rng):
    """A random square of a Pillow image, mirrored as often as not, in a light of a slightly different colour."""
    side = rng.uniform(0.6, 1) * SIZE
    left, top = rng.uniform(0, SIZE - side, 2)
    pixels = np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS, (left, top, left + side, top + side)))
    pixels = pixels[:, :: rng.choice((-1, 1))] * rng.uniform(0.9, 1.1, 3)
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
            Image.fromarray(image).save(buffer := io.BytesIO(), "JPEG", quality=quality)
            (jpegs / f"{name}.jpg").write_bytes(jpeg := buffer.getvalue())
            records.append(make_example({"image": jpeg, "image_name": name.encode(), "target": domain.encode()}))
        if not records:
            return
        write_records(shards / f"{domain}{number:02d}-{len(records)}.tfrec", records)
