"""Photographs from cameras, phones, scanners and downloads: found, checked before any work, read as uint8 sRGB."""

import glob
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from monet_lib.data.reading import opened_image, strict_jpeg, upright
from monet_lib.files import UserError, made_folder, reading

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".avif", ".heic",
            ".heif", ".mpo", ".jp2")  # fmt: skip
HEIC_BRANDS = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc")
LONGEST_SIDE = 65_500  # px that a JPEG can have
BAND = 512  # rows of a photo that are converted at once
PHOTO_ADVICE = "Leave it out or convert it."


def image_files(inputs: Iterable[str | Path]) -> list[Path]:
    """The image files that `inputs` name: files as they are, folders' images in name order.

    A pattern such as "holiday/*.jpg" that the shell has left as it is stands for the files that it fits. Of a folder,
    files that are no images are named, but not what a system hides there. Raises UserError for a missing file and for
    a folder without images.
    """
    files = []
    for name in inputs:
        fitting = [] if Path(name).exists() else sorted(map(Path, glob.glob(str(name))))
        files += fitting or _files_of(Path(name))
    return files


def _files_of(name):
    with reading(name, "folder", "Name photos or their folder."):
        if name.is_dir():
            inside = [f for f in sorted(name.iterdir()) if not f.name.startswith(".") and not f.is_dir()]
            found = [file for file in inside if file.suffix.lower() in SUFFIXES]
            other = [f.name for f in inside if f not in found and f.name.lower() not in ("thumbs.db", "desktop.ini")]
            if not found:
                raise UserError(f"{name}: no image in it that can be painted. Name photos or their folder.")
            if other:
                more = f" and {len(other) - 3} more" if len(other) > 3 else ""
                print(f"note: {name}: no photos, left out: {', '.join(other[:3])}{more}")
            return found
        if not name.exists():
            raise UserError(f"{name}: no such file. Name photos or their folder.")
        return [name]


def targets_of(files: Sequence[Path], out: str | Path) -> list[Path]:
    """Where each of the photos `files` is painted to: its own name as .jpg in the folder `out`, which is made.

    Raises UserError where two would have one name, or one be written over a photo.
    """
    targets = [Path(out) / f"{file.stem}.jpg" for file in files]
    # As a disk that takes a.jpg and A.jpg for one sees them.
    names, originals = Counter(t.name.lower() for t in targets), {file.resolve() for file in files}
    for file, target in zip(files, targets, strict=True):
        if names[target.name.lower()] > 1:
            raise UserError(f"{file}: another input is called {target.stem} too. Rename one of them.")
        if target.resolve() in originals:
            raise UserError(f"{target}: would be written over an input. Choose another --out.")
        if target.is_dir():
            raise UserError(f"{target}: a folder is there. Choose another --out.")
    made_folder(out)
    return targets


def read_photo(file: Path, side_by_side: bool = False) -> np.ndarray:
    """An image file as uint8 (h, w, 3) sRGB, upright, on white where it is transparent.

    side_by_side: it will be painted beside itself, twice as wide. Raises UserError where it can't be read, and where
    its painting would have a longer side than a JPEG takes.
    """
    with reading(file, "image", PHOTO_ADVICE):
        data = Path(file).read_bytes()
    if data[4:12] in HEIC_BRANDS and not _heic():
        raise UserError(f"{file}: a HEIC photo. Install its reader: pip install pillow-heif, or convert it to JPEG.")
    with opened_image(data, file, PHOTO_ADVICE) as image:
        if image.format in ("JPEG", "MPO"):
            damage = strict_jpeg(data, smallest=True)[1]
            if damage and "extraneous" not in damage:  # bytes too many, which leave the picture as it is
                raise UserError(f"{file}: not a readable image ({damage}). {PHOTO_ADVICE}")
        profile = image.info.get("icc_profile")
        image = upright(image)
        width, height = image.width * (2 if side_by_side else 1), image.height
        if max(width, height) > LONGEST_SIDE:
            raise UserError(f"{file}: the painting has {width}x{height} px, a JPEG at most {LONGEST_SIDE:,} a side. "
                            "Scale it down.")  # fmt: skip
        return _in_bands(_eight_bits(image), lambda band: _flat(_in_srgb(band, profile)))


def _in_bands(image, convert):
    """Pillow's image as uint8 (h, w, 3), converted band by band: whole, it would be there three times."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, BAND):
        band = image.crop((0, top, image.width, min(top + BAND, image.height)))
        pixels[top : top + BAND] = np.asarray(convert(band))
    return pixels


def _eight_bits(image):
    """Pillow's image in a mode of 8 bits: palettes as colours, greys of 16 and 32 bits and of floats scaled."""
    if image.mode[0] in "IF":
        values = np.nan_to_num(np.asarray(image).astype("f8"), posinf=0, neginf=0)
        # What white is: the largest number of the format, or the next usual one above all that is there.
        whites = (65535,) if image.mode.startswith("I;16") else (1, 255, 65535) if image.mode == "F" else (255, 65535)
        white = next((white for white in whites if values.max() <= white), values.max())
        return Image.fromarray((values / white * 255).clip(0, 255).round().astype(np.uint8))
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _in_srgb(image, profile):
    if not profile:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except Exception:  # a damaged profile, or one of another kind of image: the colours as they are
        return image


def _flat(image):
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _heic():
    """Whether Pillow reads HEIC, which it does with pillow-heif."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
