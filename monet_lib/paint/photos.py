"""Image files of cameras, phones, scanners and downloads: found, checked before any work, read, and painted."""

import glob
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin
from tqdm.auto import tqdm

from monet_lib.data.reading import MOST_PIXELS, in_order, opened_image, strict_jpeg, upright
from monet_lib.files import UserError, made_folder, reading, write_beside
from monet_lib.paint.painting import jpeg_of, paint_broadly

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".avif", ".heic",
            ".heif", ".mpo", ".jp2")  # fmt: skip
HEIC_BRANDS = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc")
LONGEST_SIDE = 65_500  # px that a JPEG can have
BAND = 512  # rows of a photo that are converted at once
PHOTO_ADVICE = "Leave it out or convert it."
LONGEST_TEXT = 1 << 26  # bytes of a PNG's texts and of its colour profile, unpacked


def allow_large_photos() -> None:
    """Let Pillow read photos of 200 megapixels, as phones make them, and PNGs with texts above 1 MB.

    Pillow's limits are settings of the process, so a program may set them, and reading an image does not.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = LONGEST_TEXT


def translate(
    generator: Callable, inputs: Iterable[str | Path], out: str | Path, *, side_by_side: bool = False, brush: float = 1
) -> list[Path]:
    """Paint image files into the folder `out`, under their own names as JPEG. Returns the files written.

    side_by_side: each file shows the photo at the left and the painting at the right. brush: see `paint_broadly`. Two
    inputs with one name are refused, and so is an output that would replace an input. If one of several photos can't
    be read, it is named and the others are painted; then UserError says how many are missing.
    """
    if not brush >= 1:
        raise UserError(f"brush: {brush:g} is below 1, a stroke's own width. Take 1 or more.")
    files = image_files(inputs)
    targets, jobs = targets_of(files, out), []

    def read(file):
        try:
            return read_photo(file, side_by_side)
        except UserError as problem:
            return problem

    def write(pixels, target):
        write_beside(target, lambda path: path.write_bytes(jpeg_of(pixels)))
        return target

    # Threads read the next photo and write the last painting during the painting.
    with ThreadPoolExecutor(2) as pool, tqdm(total=len(files), unit="photo") as bar:
        for target, photo in zip(targets, in_order(pool, read, files, 1), strict=True):
            try:
                if isinstance(photo, UserError):
                    raise photo
                painting = paint_broadly(generator, photo, brush)
            except UserError as problem:
                if len(files) == 1:
                    raise
                tqdm.write(f"monet: {problem}", file=sys.stderr)
            else:
                if jobs:
                    jobs[-1].result()  # keeps one painting in memory, and raises what stopped its writing
                jobs.append(pool.submit(write, np.hstack([photo, painting]) if side_by_side else painting, target))
            bar.update()
        written = [job.result() for job in jobs]
    if bad := len(files) - len(written):
        raise UserError(f"{out}: {len(written)} of {len(files)} photos painted; {bad} could not be: see above.")
    return written


def image_files(inputs: Iterable[str | Path]) -> list[Path]:
    """The image files that `inputs` name: files as they are, and the images of folders in the order of their names.

    A pattern such as "holiday/*.jpg" that the shell has not expanded is expanded here. Files of a folder that are no
    images are printed, except the hidden files of a system. Raises UserError for a missing file and for a folder
    without images.
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
    return files


def _images_in(folder):
    inside = [f for f in sorted(folder.iterdir()) if not f.name.startswith(".") and not f.is_dir()]
    found = [file for file in inside if file.suffix.lower() in SUFFIXES]
    other = [f.name for f in inside if f not in found and f.name.lower() not in ("thumbs.db", "desktop.ini")]
    if not found:
        raise UserError(f"{folder}: no image in it that can be painted. Name photos or their folder.")
    if other:
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        print(f"note: {folder}: no photos, left out: {', '.join(other[:3])}{more}")
    return found


def targets_of(files: Sequence[Path], out: str | Path) -> list[Path]:
    """The file that each of the photos `files` is painted to: its own name as .jpg in the folder `out`, which is made.

    Raises UserError where two photos would get one name, and where a painting would replace a photo.
    """
    targets = [Path(out) / f"{file.stem}.jpg" for file in files]
    # In lower case: on some disks a.jpg and A.jpg are one file.
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


def read_photo(file: str | Path, side_by_side: bool = False) -> np.ndarray:
    """An image file as uint8 (h, w, 3) sRGB, upright, on white where it is transparent.

    side_by_side: its picture will be twice as wide, photo and painting. Raises UserError where the file can't be read,
    and where its painting would have a longer side than a JPEG can have.
    """
    with reading(file, "image", PHOTO_ADVICE):
        data = Path(file).read_bytes()
    if data[4:12] in HEIC_BRANDS and not _heic():
        raise UserError(f"{file}: a HEIC photo. Install its reader: pip install pillow-heif, or convert it to JPEG.")
    with opened_image(data, file, PHOTO_ADVICE) as image:
        if image.format in ("JPEG", "MPO"):
            damage = strict_jpeg(data, smallest=True)[1]
            if damage and "extraneous" not in damage:  # superfluous bytes change nothing in the picture
                raise UserError(f"{file}: not a readable image ({damage}). {PHOTO_ADVICE}")
        profile = image.info.get("icc_profile")
        image = upright(image)
        width, height = image.width * (2 if side_by_side else 1), image.height
        if max(width, height) > LONGEST_SIDE:
            raise UserError(f"{file}: the painting has {width}x{height} px, a JPEG at most {LONGEST_SIDE:,} a side. "
                            "Scale it down.")  # fmt: skip
        image = _eight_bits(image)
        pixels = np.empty((image.height, image.width, 3), np.uint8)
        for top in range(0, image.height, BAND):  # converted as a whole, the photo would be in memory three times
            band = image.crop((0, top, image.width, min(top + BAND, image.height)))
            pixels[top : top + BAND] = np.asarray(_flat(_in_srgb(band, profile)))
        return pixels


def _heic():
    """Whether Pillow reads HEIC, which it does with the package pillow-heif."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _eight_bits(image):
    """Pillow's image in a mode of 8 bits: palettes as colours, greys of 16 and 32 bits and of floats scaled."""
    if image.mode[0] in "IF":
        values = np.nan_to_num(np.asarray(image).astype("f8"), posinf=0, neginf=0)
        # White is the largest number of the format, or the first usual maximum that no value of the image exceeds.
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
    except Exception:  # a damaged profile, or a profile of another kind of image: the colours stay as they are
        return image


def _flat(image):
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
