"""Photos: found, their paintings named before any work, read, painted and written, with the date of the photo."""

import glob
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin
from tqdm.auto import tqdm

from monet_lib.data.pictures import FORMATS, PICTURES, picture
from monet_lib.data.reading import in_order
from monet_lib.files import UserError, contents, made_folder, reading, refuse_replacing, say, write_beside
from monet_lib.paint.painting import auto_brushes, jpeg_of, paint_broadly

LONGEST_SIDE = 65_500  # px that a JPEG can have
PHOTO_ADVICE = "Leave it out or convert it."
LONGEST_TEXT = 1 << 26  # bytes of a PNG's texts and of its colour profile, unpacked
# EXIF's tags, in its first table and in the camera's, that a painting may keep beside the place: what the photo shows,
# who took it, when and with what; and those that tell the date.
TAGS = {0x8769: (33434, 33437, 34855, 36867, 36868, 36880, 36881, 36882, 37386, 37520, 37521, 37522, 41989, 42036),
        0x8825: range(32), None: (270, 271, 272, 305, 306, 315, 33432)}  # fmt: skip
DATES = (306, 36867, 36868, 36880, 36881, 36882, 37520, 37521, 37522)


def allow_large_photos() -> None:
    """Let Pillow read photos of 200 megapixels, as phones make them, and PNGs with texts above 1 MB.

    Pillow's limits are settings of the process, so a program may set them, and reading an image does not. What
    `data.pictures` refuses by itself does not change.
    """
    Image.MAX_IMAGE_PIXELS = None
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = LONGEST_TEXT


def translate(
    generator: Callable,
    inputs: Iterable[str | Path],
    out: str | Path,
    *,
    side_by_side: bool = False,
    brush: float | None = None,
    overwrite: bool = False,
    metadata: str = "date",
) -> list[Path]:
    """Paint image files into the folder `out`, as `targets_of` names them. Returns the files written.

    side_by_side: each file shows the photo at the left and the painting at the right. brush: see `paint_broadly`; None:
    see `auto_brushes`. metadata: of the photo's EXIF the painting keeps the "date", "all" but what is of the camera
    alone, or "none". A file that is there already is refused before any work, if not `overwrite`. If one of several
    photos can't be read, it is named and the others are painted; then UserError says how many are missing.
    """
    if brush is not None and not 1 <= brush < math.inf:
        raise UserError(f"brush: must be a number from 1 on, got {brush:g}; 1 is a stroke's own width.")
    files = image_files(inputs)
    targets, jobs = targets_of(files, out, overwrite), []

    def read(file):
        try:
            return read_photo(file, side_by_side), exif_of(file, metadata)
        except UserError as problem:
            return problem, b""

    def write(photo, painting, exif, target):
        pixels = np.hstack([photo, painting]) if side_by_side else painting
        write_beside(target, lambda path: path.write_bytes(jpeg_of(pixels, exif)), overwrite)
        return target

    # Threads read the next photo and write the last painting during the painting.
    with ThreadPoolExecutor(2) as pool, tqdm(total=len(files), unit="photo") as bar:
        for target, (photo, exif) in zip(targets, in_order(pool, read, files, 1), strict=True):
            try:
                if isinstance(photo, UserError):
                    raise photo
                brushes = auto_brushes(*photo.shape[:2]) if brush is None else (brush,)
                painting = paint_broadly(generator, photo, *brushes)
            except UserError as problem:
                if len(files) == 1:
                    raise
                tqdm.write(f"monet: {problem}", file=sys.stderr)
            else:
                if jobs:
                    jobs[-1].result()  # keeps one painting in memory, and raises what stopped its writing
                jobs.append(pool.submit(write, photo, painting, exif, target))
            bar.update()
        written = [job.result() for job in jobs]
    if bad := len(files) - len(written):
        raise UserError(f"{out}: {len(written)} of {len(files)} photos painted; {bad} could not be: see above.")
    return written


def image_files(inputs: Iterable[str | Path]) -> list[Path]:
    """The image files that `inputs` name: files as they are, and the images of folders in the order of their names.

    A pattern such as "holiday/*.jpg" that the shell has not expanded is expanded here. A file named twice counts
    once. What a folder holds beside images is printed, except folders and the hidden files of a system. Raises
    UserError for a missing file and for a folder without images.
    """
    files: list[Path] = []
    for name in map(Path, inputs):
        with reading(name, "folder", "Name photos or their folder."):
            if name.is_dir():
                files += _images_in(name)
            elif found := [name] if name.exists() else sorted(map(Path, glob.glob(str(name)))):
                files += found
            else:
                raise UserError(f"{name}: no such file. Name photos or their folder.")
    resolved = cache(Path.resolve)
    return list({(resolved(file.parent), file.name): file for file in files}.values())


def _images_in(folder):
    found, other = [], []
    for file in sorted(folder.iterdir()):
        hidden = file.name.startswith(".") or file.name.lower() in ("thumbs.db", "desktop.ini")
        if not hidden and not file.is_dir():
            # A dangling link is no file, and reading it says so; a pipe is left out.
            wanted = file.suffix.lower() in PICTURES and (file.is_file() or not file.exists())
            (found if wanted else other).append(file)
    if not found:
        raise UserError(f"{folder}: no image in it that can be painted. Name photos or their folder.")
    if other:
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        say(f"note: {folder}: no photos, left out: {', '.join(file.name for file in other[:3])}{more}")
    return found


def targets_of(files: Sequence[Path], out: str | Path, overwrite: bool = False) -> list[Path]:
    """The file that each of the photos `files` is painted to, in the folder `out`, which is made.

    A photo's own name as .jpg; of photos that would share one, with the photo's ending, or else with its folder: of
    a.png and a.webp a-png.jpg and a-webp.jpg. Raises UserError where that doesn't help, where a painting would replace
    a photo, and where it would replace another file, if not `overwrite`.
    """
    out = Path(out)
    if out.suffix.lower() in PICTURES and not out.is_dir():
        raise UserError(f"{out}: --out names the folder that paintings are written into. Name a folder.")
    names = [file.stem if file.suffix.lower() in PICTURES else file.name for file in files]
    for way in (lambda f: f.name.replace(".", "-"), lambda f: f"{f.absolute().parent.name}-{f.name.replace('.', '-')}"):
        # In lower case: on some disks a.jpg and A.jpg are one file.
        times = Counter(name.lower() for name in names)
        names = [way(f) if times[name.lower()] > 1 else name for f, name in zip(files, names, strict=True)]
    times = Counter(name.lower() for name in names)
    if shared := [file for file, name in zip(files, names, strict=True) if times[name.lower()] > 1]:
        raise UserError(f"{shared[0]} and {shared[1]}: their paintings would have one name. Rename one of them.")
    targets = [out / f"{name}.jpg" for name in names]
    inputs = {(found.st_dev, found.st_ino) for found in map(os.stat, filter(os.path.exists, files))}
    for target in targets:
        if os.path.exists(target):
            if target.is_dir():
                raise UserError(f"{target}: a folder is there. Choose another --out.")
            if ((found := os.stat(target)).st_dev, found.st_ino) in inputs:
                raise UserError(f"{target}: would be written over an input. Choose another --out.")
    if not overwrite:
        refuse_replacing(targets)
    if renamed := [f"{f} → {t.name}" for f, t in zip(files, targets, strict=True) if t.stem not in (f.stem, f.name)]:
        say(f"note: photos of one name: {', '.join(renamed[:4])}{' …' if len(renamed) > 4 else ''}")
    made_folder(out)
    return targets


def read_photo(file: str | Path, side_by_side: bool = False) -> np.ndarray:
    """An image file as uint8 (h, w, 3) sRGB, upright, on white where it is transparent: see `data.pictures`.

    side_by_side: its picture will be twice as wide, photo and painting. Raises UserError where the file can't be read,
    and where its painting would have a longer side than a JPEG can have.
    """

    def check(width, height):
        width *= 2 if side_by_side else 1
        if max(width, height) > LONGEST_SIDE:
            raise UserError(f"{file}: the painting has {width}x{height} px, a JPEG at most {LONGEST_SIDE:,} a side. "
                            "Scale it down.")  # fmt: skip

    with reading(file, "image", PHOTO_ADVICE):
        data = contents(file)
    return picture(data, file, PHOTO_ADVICE, check)


def exif_of(file: str | Path, metadata: str) -> bytes:
    """The EXIF of a photo's painting: its "date", "all" of TAGS, or "none". Damaged metadata give none."""
    made = Image.Exif()
    try:
        with Image.open(file, formats=(*FORMATS, *{"HEIF"} & Image.OPEN.keys())) as image:
            source = image.getexif()
        for table, tags in TAGS.items() if metadata != "none" else ():
            into = made if table is None else made.get_ifd(table)
            for tag, value in (source if table is None else source.get_ifd(table)).items():
                date = tag in DATES and isinstance(value, str) and re.fullmatch(r"[\d: +-]{1,40}\0?", value)
                if tag in tags and (metadata == "all" or (date and table != 0x8825)):
                    into[tag] = value
        return made.tobytes() if any(made.get_ifd(t) if t else dict(made) for t in TAGS) else b""
    except Exception:  # Pillow meets errors of any type in them, in reading and in writing
        return b""
