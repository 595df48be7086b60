"""Repaint every photo of a data set into the `images.zip` that Kaggle takes."""

import hashlib
import shutil
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from monet_lib.data.reading import SIZE, ImageSet, decode, in_order, opened_zip, plain_name, read_batches, read_entry
from monet_lib.files import UserError, counted, made_folder, write_beside
from monet_lib.paint.painting import jpeg_of, paint

LEAST, MOST = 7000, 10000  # images that the competition accepts
LARGEST_JPEG = 10 * SIZE * SIZE * 3  # bytes, far above any JPEG of that size
# The mirror images that --pad adds, in this order: photos upside down only when left and right are used up.
FLIPS = {"": (1, 1), "-lr": (1, -1), "-ud": (-1, 1), "-udlr": (-1, -1)}


def submission_size(photos: ImageSet, pad: bool = False) -> int:
    """How many images `write_submission` makes of the ImageSet `photos`: with `pad`, up to Kaggle's 7,000."""
    count = photos.count()
    return max(count, min(LEAST, count * len(FLIPS))) if pad else count


def write_submission(
    generator: Callable, photos: ImageSet, path: str | Path, pad: bool = False, batch: int = 8, limit: int | None = None
) -> str:
    """Paint the ImageSet `photos` into the zip `path`: one 256x256 JPEG for each photo, named after it.

    Decoding, painting, encoding and zipping overlap, and memory does not grow with the photos. What is painted is
    kept in `path`.parts until the zip is whole, under what it was painted of and by, so that the same call after an
    interruption paints only the rest and gives the same bytes, and other photos or another generator are painted anew.
    pad: add mirrored photos up to Kaggle's 7,000. limit: at most this many images, and no progress bar, to measure the
    speed. Returns a one-line summary.
    """
    began, path = time.perf_counter(), Path(path)
    if path.is_dir():
        raise UserError(f"{path}: a folder is there. Name a file, such as --out {path / 'images.zip'}.")
    size = submission_size(photos, pad)
    total = size if limit is None else min(size, limit)
    parts = made_folder(path.with_name(f"{path.name}.parts") / _fingerprint(generator))
    images = _painted(generator, photos, parts, batch, total)
    images = tqdm(images, total=total, unit="image", disable=limit is not None)
    write_beside(path, lambda temporary: _write_zip(temporary, images, photos.files[0].parent))
    shutil.rmtree(parts.parent)
    seconds, megabytes = time.perf_counter() - began, path.stat().st_size / 1e6
    return f"{path}: {counted(total, 'image')}, {megabytes:.1f} MB, {seconds:.0f} s ({total / seconds:.1f} images/s)"


def _write_zip(path, images, folder):
    """Write (name, JPEG bytes) pairs into the zip `path`. folder: of the photos, for the message."""
    seen = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, jpeg in images:
            if name in seen:
                raise UserError(f"{folder}: two photos are named {name}. Rename one: monet data.")
            seen.add(name)
            # A fixed date, so that the same images give the same bytes.
            archive.writestr(zipfile.ZipInfo(f"{name}.jpg"), jpeg)


def _painted(generator, photos, parts, batch, total):
    """Yield (name, JPEG bytes) in order, from `parts` where they are and else painted and put there."""
    with ThreadPoolExecutor(2) as pool:  # encodes while the next batch is painted
        paintings = islice(_paintings(generator, photos, parts, batch), total)
        yield from in_order(pool, _encoded, paintings, 2 * batch)


def _paintings(generator, photos, parts, batch):
    """Yield (name, file, painting): its place in `parts`, and a JPEG's bytes from there or uint8 (256, 256, 3)."""
    for suffix, (down, right) in FLIPS.items():
        for names, pixels in read_batches(photos, batch):
            names = [f"{_safe(name)}{suffix}" for name in names]
            pixels = np.ascontiguousarray(pixels[:, ::down, ::right])
            files = [parts / f"{hashlib.sha256(photo).hexdigest()[:32]}.jpg" for photo in pixels]
            done = [_part(file) for file in files]
            yield from zip(names, files, done if all(done) else paint(generator, pixels), strict=True)


def check_submission(path: str | Path) -> str:
    """Verify that Kaggle would take the zip. Returns a one-line summary; raises UserError with what is wrong."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such file. Make it: monet submit --out {path}.")
    with opened_zip(path) as (archive, _):
        infos = archive.infolist()
        names = [info.filename for info in infos]
        for info in infos:
            _check_image(path, archive, info)
    if len(set(names)) < len(names):
        raise UserError(f"{path}: {counted(len(names) - len(set(names)), 'name')} used twice. Make it again.")
    if not LEAST <= len(names) <= MOST:
        raise UserError(f"{path}: {counted(len(names), 'valid image')}; Kaggle takes {LEAST:,} to {MOST:,}. "
                        "With fewer photos, --pad adds mirrored ones.")  # fmt: skip
    return f"{path}: {len(names)} images, all {SIZE}x{SIZE} RGB JPEGs with flat, unique names: Kaggle would take it"


def _check_image(path, archive, info):
    name = info.filename
    stem, _, ending = name.rpartition(".")
    if ending not in ("jpg", "jpeg") or not plain_name(stem):
        raise UserError(f"{path}: entry {name!r} is no flat .jpg name. Put only JPEGs in it, and no folders.")
    if info.file_size > LARGEST_JPEG:
        raise UserError(f"{path}: {name} would unpack to {info.file_size:,} bytes. No 256x256 JPEG is so large.")
    decode(read_entry(archive, info), f"{path}: {name}", otherwise="Make it again.")


def _part(file):
    """The JPEG that an interrupted call has left in `file`, or None where it isn't there or not whole."""
    try:
        jpeg = file.read_bytes()
        decode(jpeg, file.name)
    except (OSError, UserError):
        return None
    return jpeg


def _encoded(job):
    """(name, JPEG bytes) of what `_paintings` yields; of a new painting they are kept in its file."""
    name, file, painting = job
    if isinstance(painting, bytes):
        return name, painting
    jpeg = jpeg_of(painting)
    write_beside(file, lambda temporary: temporary.write_bytes(jpeg), durable=False)
    return name, jpeg


def _safe(name):
    if not plain_name(name):
        raise UserError(f"photo name {name!r}: not a plain file name. Rename the image in its shard or folder.")
    return name


def _fingerprint(generator):
    """What a generator is known by: how it paints noise, in which every weight and every way of computing shows."""
    noise = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)
    return hashlib.sha256(np.ascontiguousarray(paint(generator, noise))).hexdigest()[:16]
