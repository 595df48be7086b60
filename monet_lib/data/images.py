"""What a readable image is, for every command: opened by Pillow, whole, upright, and of a size that memory takes."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from monet_lib.errors import UserError
from monet_lib.files import disguised, reading

SIZE = 256  # pixels: height and width of every image of the competition
IMAGE_ADVICE = "Download it again, or leave it out (--skip-bad); see data/README.md."
MOST_PIXELS = 250_000_000  # of one image: phones make 200 million; as an array these are 750 MB
LONGEST_TEXT = 1 << 26  # bytes of a PNG's texts and of its colour profile, unpacked: Pillow refuses those above 1 MB
STARTS = {"JPEG": b"\xff\xd8", "PNG": b"\x89PNG\r\n\x1a\n"}
MODES = {"L": "greyscale", "1": "black and white", "RGBA": "transparent", "P": "palette"}
# EXIF's orientation: what turns an image upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
PILLOW = threading.Lock()


@contextmanager
def opened_image(
    data: bytes, where: Any, otherwise: str, formats: tuple[str, ...] | None = None, what: str = "image"
) -> Iterator[Image.Image]:
    """A Pillow image of the bytes `data`, for a `with` in which nothing is done but reading it.

    Raises UserError, beginning with `where`, for anything that Pillow can't read, and above MOST_PIXELS.
    """
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = LONGEST_TEXT
    with reading(where, what, otherwise):
        with PILLOW:  # Pillow's own limit, a setting of the process, is below the 200 megapixels of a phone
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = Image.open(io.BytesIO(data), formats=formats)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
        with image:
            if image.width * image.height > MOST_PIXELS:
                found = f"{image.width}x{image.height} px, above the {MOST_PIXELS // 10**6} million that are read"
                raise UserError(f"{where}: {found}. Scale it down.")
            yield image


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Pillow's transposition that turns an image upright by its EXIF orientation; None where it is, or says nothing."""
    try:
        orientation = image.getexif().get(0x112)
    except Exception:  # damaged metadata, in which Pillow meets errors of any type: the pixels are there
        return None
    return TURNS.get(orientation) if isinstance(orientation, int) else None


def upright(image: Image.Image) -> Image.Image:
    """The Pillow image turned as its EXIF orientation says; the rest of its metadata is neither read nor written."""
    turn = turn_of(image)
    return image if turn is None else image.transpose(turn)


def strict_jpeg(data: bytes, smallest: bool = False) -> tuple[np.ndarray | None, str | None]:
    """A JPEG decoded by libjpeg with its warnings as errors: (uint8 (h, w, 3) or None, what it warns of or None).

    Pillow and TensorFlow keep these warnings to themselves, and fill what is missing with grey or noise. smallest: of
    an eighth of the size and grey, which only looks for damage. Without simplejpeg (None, None). A changed bit that
    gives another valid picture is found by nobody: a JPEG has no checksum; a shard has one.
    """
    try:
        import simplejpeg
    except ImportError:
        return None, None
    try:
        small = {"min_height": 1, "min_width": 1, "min_factor": 8, "fastdct": True, "fastupsample": True}
        colours, how = ("GRAY", small) if smallest else ("RGB", {})
        return simplejpeg.decode_jpeg(data, colours, **how), None
    except ValueError as error:
        warning = str(error).startswith(("Corrupt JPEG data", "Premature end"))
        return None, str(error).removeprefix("Corrupt JPEG data: ") if warning else None


def decode(data: bytes, where: Any, formats: tuple[str, ...] = ("JPEG",), otherwise: str | None = None) -> np.ndarray:
    """The bytes of an image file to uint8 (256, 256, 3), RGB in 0..255, upright.

    formats: of JPEG and PNG. Raises UserError, beginning with `where`, for another format, size or mode, and for
    damage; otherwise: what it then says to do.
    """
    kind, again = " or ".join(formats), otherwise or IMAGE_ADVICE
    convert = otherwise or "Convert it, or leave it out (--skip-bad)."
    if not data.startswith(tuple(STARTS[name] for name in formats)):
        instead = disguised(data)
        found = f"(first bytes {data[:4].hex(' ') or 'none'})" + (f", but {instead}" if instead else "")
        raise UserError(f"{where}: not a {kind} {found}. {again}")
    with opened_image(data, where, again, formats, kind) as image:
        if image.mode != "RGB":
            found = MODES.get(image.mode, image.mode)
            raise UserError(f"{where}: a {found} image, not RGB. {convert}")
        if image.size != (SIZE, SIZE):
            raise UserError(f"{where}: {image.width}x{image.height} px, not {SIZE}x{SIZE}. {convert}")
        turn, (pixels, damage) = turn_of(image), strict_jpeg(data) if image.format == "JPEG" else (None, None)
        if damage:
            raise UserError(f"{where}: not a readable JPEG ({damage}). {again}")
        if pixels is None or turn is not None:
            pixels = np.asarray(upright(image))
        return pixels
