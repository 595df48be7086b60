"""Repaint every photo of a data set into the `images.zip` that Kaggle takes, and check such a zip."""

import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from tqdm.auto import tqdm

from monet_lib.data.reading import SIZE, ImageSet, decode, in_order, opened_zip, plain_name, read_batches, read_entry
from monet_lib.files import UserError, counted, made_folder, refuse_replacing, write_beside
from monet_lib.paint.painting import jpeg_of, paint

LEAST, MOST = 7000, 10000  # images that the competition accepts
LARGEST_JPEG = 10 * SIZE * SIZE * 3  # bytes, far above any JPEG of that size
# The mirror images that --pad adds, in this order: photos upside down only when left and right are used up.
FLIPS = {"": (1, 1), "-lr": (1, -1), "-ud": (-1, 1), "-udlr": (-1, -1)}


def submission_size(photos: ImageSet, pad: bool = False) -> int:
    """How many images `write_submission` makes of the photos: with `pad`, mirrored photos up to Kaggle's 7,000."""
    count = photos.count()
    return max(count, min(LEAST, count * len(FLIPS))) if pad else count


def write_submission(
    generator: Callable,
    photos: ImageSet,
    path: str | Path,
    *,
    pad: bool = False,
    batch: int = 8,
    limit: int | None = None,
    overwrite: bool = True,
) -> str:
    """Paint the photos into the zip `path`: one 256x256 JPEG for each photo, with the photo's name.

    Decoding, painting, encoding and zipping overlap, and memory does not grow with the number of photos. An
    interruption leaves no zip, or the zip that was there before. Equal photos and an equal generator give equal bytes.
    pad: add mirrored photos up to Kaggle's 7,000. limit: paint at most this many images, without a progress bar, to
    measure the speed. overwrite: replace a file that is there. Returns a one-line summary.
    """
    began, path = time.perf_counter(), Path(path)
    if path.is_dir():
        raise UserError(f"{path}: a folder is there. Name a file, such as --out {path / 'images.zip'}.")
    if not overwrite:
        refuse_replacing([path])
    made_folder(path.parent)
    size = submission_size(photos, pad)
    total = size if limit is None else min(size, limit)
    with ThreadPoolExecutor(2) as pool:  # encodes while the next batch is painted
        jobs = islice(_paintings(generator, photos, batch), total)
        images = in_order(pool, lambda job: (job[0], jpeg_of(job[1])), jobs, 2 * batch)
        images = tqdm(images, total=total, unit="image", disable=limit is not None)
        write_beside(path, lambda temporary: _write_zip(temporary, images, photos.files[0].parent), overwrite)
    seconds, megabytes = time.perf_counter() - began, path.stat().st_size / 1e6
    return f"{path}: {counted(total, 'image')}, {megabytes:.1f} MB, {seconds:.0f} s ({total / seconds:.1f} images/s)"


def _paintings(generator, photos, batch):
    """Yield (name, uint8 (256, 256, 3)) of every photo, then of its mirror images."""
    for suffix, (down, right) in FLIPS.items():
        for names, pixels in read_batches(photos, batch):
            for name in names:
                if not plain_name(name):
                    raise UserError(
                        f"photo name {name!r}: not a plain file name. Rename the image in its shard or folder."
                    )
            painted = paint(generator, pixels[:, ::down, ::right])
            yield from zip([f"{name}{suffix}" for name in names], painted, strict=True)


def _write_zip(path, images, folder):
    """Write (name, JPEG bytes) pairs into the zip `path`. folder: the folder of the photos, for the message."""
    seen = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, jpeg in images:
            if name in seen:
                raise UserError(f"{folder}: two photos are named {name}. Rename one: monet data.")
            seen.add(name)
            # ZipInfo has a fixed date, so equal images give equal bytes.
            archive.writestr(zipfile.ZipInfo(f"{name}.jpg"), jpeg)


def check_submission(path: str | Path, *, least: int = LEAST, most: int = MOST) -> str:
    """Verify that Kaggle would take the zip. Returns a one-line summary; raises UserError with what is wrong.

    least, most: how many images may be in it; with other numbers than Kaggle's, a part of a submission can be checked.
    """
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
    few = f"--pad adds mirrored photos, from {LEAST // len(FLIPS):,} photos on."
    pad = few if len(names) < LEAST else "Leave some out."
    if not least <= len(names) <= most:
        raise UserError(f"{path}: {counted(len(names), 'valid image')}; Kaggle takes {least:,} to {most:,}. {pad}")
    takes = "Kaggle would take it"
    if not LEAST <= len(names) <= MOST:
        takes = f"but Kaggle takes {LEAST:,} to {MOST:,} images. {pad}"
    return f"{path}: {counted(len(names), 'image')}, all {SIZE}x{SIZE} RGB JPEGs with flat, unique names: {takes}"


START, TRIAL, LONG_TRIAL = 8, 64, 512  # images of a trial submission: the first, the second, and a longer second one
SOON = 5.0  # seconds: in a trial that takes less than this, its start still weighs much


def submission_seconds(generator: Callable, photos: ImageSet, folder: Path) -> float:
    """Seconds that `write_submission` and `check_submission` will take, measured on this machine.

    Small submissions of the first photos are written into `folder` and removed: one pays the start-up, the last gives
    the time of an image. Raises UserError where a submission of this generator is not valid.
    """
    path, total = folder / "trial.zip", submission_size(photos, pad=True)

    def trial(images):
        began = time.monotonic()
        write_submission(generator, photos, path, pad=True, limit=images)
        check_submission(path, least=images)
        path.unlink()
        return time.monotonic() - began

    start_up, images = trial(min(START, total)), min(TRIAL, total)
    seconds = trial(images)
    if seconds < SOON and total > images:
        images = min(LONG_TRIAL, total)
        seconds = trial(images)
    return start_up + seconds * total / images


def _check_image(path, archive, info):
    stem, _, ending = info.filename.rpartition(".")
    if ending not in ("jpg", "jpeg") or not plain_name(stem):
        raise UserError(f"{path}: entry {info.filename!r} is no flat .jpg name. Put only JPEGs in it, and no folders.")
    if info.file_size > LARGEST_JPEG:
        raise UserError(
            f"{path}: {info.filename} would unpack to {info.file_size:,} bytes. No 256x256 JPEG is so large."
        )
    decode(read_entry(archive, info), f"{path}: {info.filename}", otherwise="Make it again.")
