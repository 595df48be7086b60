"""Image files of any kind as pixels: uint8 (h, w, 3) sRGB, upright, on white where they are transparent.

`picture` takes these steps, in this order, each on what the step before gave:

1. The file is opened by its content, whatever its name, as one of FORMATS. Of an animation the first frame counts.
2. It is decoded to 8 bits a channel, palettes to their colours: `_eight_bits`.
3. It is turned as its orientation says. Pillow turns a TIFF while decoding it, and removes that orientation.
4. Its colours become sRGB: from its ICC profile, else from EXIF's Adobe RGB, else from a PNG's gAMA and cHRM.
5. What is transparent lets white through.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from monet_lib.files import UserError, disguised, reading, say

MOST_PIXELS = 250_000_000  # of one image: phones make 200 million; as an array these are 750 MB
# What is read, MPO as JPEG. Other formats of Pillow's are not tried: for PostScript, say, it starts another program.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000")
# The endings of image files that are taken from a folder.
PICTURES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".avif", ".heic",
            ".heif", ".mpo", ".jp2")  # fmt: skip
HEIC_BRANDS = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc")
BAND = 512  # rows of a picture that are converted at once
# The transposition that turns an image upright, by its EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
WHITE_IS_ZERO = 262  # TIFF's tag of what the numbers mean; at 0 the largest is black


def picture(data: bytes, where: str | Path, otherwise: str, check: Callable[[int, int], None]) -> np.ndarray:
    """The bytes of an image file as uint8 (h, w, 3), by the steps above.

    check: called with the upright width and height before the pixels are converted; it may raise. Raises UserError,
    beginning with `where` and ending with `otherwise`, for anything that can't be read.
    """
    formats: tuple[str, ...] = FORMATS
    if kind := disguised(data):
        raise UserError(f"{where}: {kind}. {otherwise}")
    if data[4:12] in HEIC_BRANDS and b"avif" not in data[8:40]:
        try:
            import pillow_heif
        except ImportError:
            install = "Install its reader: pip install pillow-heif, or convert it to JPEG."
            raise UserError(f"{where}: a HEIC photo. {install}") from None
        pillow_heif.register_heif_opener()
        formats = ("HEIF",)
    with opened_image(data, where, otherwise, formats=formats) as image:
        if image.format in ("JPEG", "MPO"):
            damage = strict_jpeg(data, smallest=True)[1]
            if damage and "extraneous" not in damage:  # superfluous bytes change nothing in the picture
                raise UserError(f"{where}: not a readable image ({damage}). {otherwise}")
        image.load()
        profile, turn = _profile(image), turn_of(image)
        upright = image if turn is None else image.transpose(turn)
        check(*upright.size)
        upright = _eight_bits(upright, image)
        convert = _to_srgb(upright.mode, profile)
        pixels = np.empty((upright.height, upright.width, 3), np.uint8)
        for top in range(0, upright.height, BAND):  # converted as a whole, it would be in memory three times
            band = upright.crop((0, top, upright.width, min(top + BAND, upright.height)))
            colours = convert(band)
            if band.mode in ("LA", "RGBA"):
                colours = Image.composite(colours, Image.new("RGB", band.size, "white"), band.getchannel("A"))
            pixels[top : top + BAND] = np.asarray(colours)
        return pixels


@contextmanager
def opened_image(
    data: bytes, where: str | Path, otherwise: str, *, formats: tuple[str, ...] = FORMATS, what: str = "image"
) -> Iterator[Image.Image]:
    """A Pillow image of the bytes `data`, for a `with` in which nothing is done but reading it.

    Raises UserError, beginning with `where`, for anything that Pillow can't read, and above MOST_PIXELS.
    """
    many = f"{where}: more than the {MOST_PIXELS // 10**6} million pixels that are read. Scale it down."
    with reading(where, what, otherwise):
        try:
            image = Image.open(io.BytesIO(data), formats=formats)
        except Image.DecompressionBombError:  # Pillow's own limit, a setting of the process
            raise UserError(many) from None
        with image:
            if image.width * image.height > MOST_PIXELS:
                raise UserError(many)
            yield image


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Pillow's transposition that turns an image upright; None where it is upright or its EXIF has no orientation."""
    try:
        orientation = image.getexif().get(0x112)
    except Exception:  # damaged metadata, in which Pillow meets errors of any type: the pixels are there
        return None
    return TURNS.get(orientation) if isinstance(orientation, int) else None


def strict_jpeg(data: bytes, smallest: bool = False) -> tuple[np.ndarray | None, str | None]:
    """A JPEG decoded by libjpeg with its warnings as errors: (uint8 (h, w, 3) or None, the warning or None).

    Pillow and TensorFlow keep these warnings to themselves, and fill missing parts with grey or noise. smallest: decode
    an eighth of the size in grey, only to look for damage. Without simplejpeg (None, None). A changed bit that gives
    another valid picture can't be found: a JPEG has no checksum; a shard has one.
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


def _eight_bits(image, original):
    """`image` in L, LA, RGB, RGBA, CMYK or LAB. original: as it was opened, with what its file says of its numbers."""
    if image.mode[0] in "IF":
        values = np.nan_to_num(np.asarray(image).astype("f4"), posinf=float(np.finfo("f4").max), neginf=0)
        # White is the format's largest number, or the first usual maximum that hardly any value exceeds: a photo's
        # highlights may, by much.
        whites = (65535,) if image.mode.startswith("I;16") else (1, 255, 65535) if image.mode == "F" else (255, 65535)
        white = next((white for white in whites if (values > white).mean() < 0.25), values.max())
        if original.format == "TIFF" and original.tag_v2.get(WHITE_IS_ZERO) == 0:
            values = white - values
        grey = Image.fromarray((values.clip(0, white) / white * 255).round().astype(np.uint8))
        if isinstance(key := original.info.get("transparency"), int):  # of a PNG: the grey that is transparent
            grey.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
        return grey
    if image.mode in ("P", "PA", "1", "L", "RGB") and image.has_transparency_data:
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    if original.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox():
        return image.convert("RGB")  # programs that know no transparency leave its bytes at 0
    plain = {"1": "L", "La": "LA", "RGBa": "RGBA"}
    kept = ("L", "LA", "RGB", "RGBA", "CMYK", "LAB")
    return image if image.mode in kept else image.convert(plain.get(image.mode, "RGB"))


# Colours

# The chromaticities x, y of white, red, green and blue.
REC_709 = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # sRGB's
ADOBE_RGB = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
ADOBE_GAMMA = 563 / 256
SRGB = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
SRGB[8] = 2  # its version: to a profile of version 4 lcms moves a print's black, which browsers leave where it is
SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}  # of ICC, and Pillow's modes of them


def _profile(image):
    """The ICC profile of a Pillow image's colours, as bytes; None for sRGB."""
    info = image.info
    if info.get("icc_profile"):
        return info["icc_profile"]
    try:
        if image.getexif().get_ifd(0xA005).get(1) == "R03":  # how cameras mark Adobe RGB
            _say_once("note: of photos without a profile, those that their EXIF calls Adobe RGB are read as that")
            return rgb_profile(ADOBE_RGB, ADOBE_GAMMA)
        if image.format == "PNG" and "gamma" in info and "srgb" not in info:
            points, gamma = info.get("chromaticity", REC_709), info["gamma"]
            if abs(gamma - 1 / 2.2) > 0.01 or np.abs(np.subtract(points, REC_709)).max() > 0.005:  # else sRGB is meant
                return rgb_profile(points, 1 / gamma)
    except Exception:  # damaged metadata: the pixels are there
        pass
    return None


_say_once = cache(say)


def _to_srgb(mode, profile):
    """A function that turns a Pillow image of that mode into RGB of sRGB, its transparency left aside."""
    base = mode.removesuffix("A")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = SPACES.get(source.profile.xcolor_space.strip())
            if space == base or (base, space) == ("L", "RGB"):
                target = ImageCms.ImageCmsProfile(io.BytesIO(SRGB))
                finer = ImageCms.Flags.HIGHRESPRECALC
                transform = ImageCms.buildTransform(source, target, space, "RGB", flags=finer)
                return lambda image: ImageCms.applyTransform(image.convert(base).convert(space), transform)
        except Exception:  # a damaged profile: the colours stay as they are, as with one of another kind of image
            pass
    return lambda image: image.convert(base).convert("RGB")


BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50 = np.array([0.9642, 1.0, 0.8249])  # the white of ICC profiles


def rgb_profile(points: tuple[float, ...], gamma: float) -> bytes:
    """A minimal ICC profile, version 2, of an RGB space. points: as ADOBE_RGB; gamma: value ** gamma is the light."""
    x, y = np.reshape(points, (4, 2)).T
    white, *primaries = np.stack([x / y, np.ones(4), (1 - x - y) / y], -1)
    columns = np.stack(primaries, 1) * np.linalg.solve(np.stack(primaries, 1), white)
    to_d50 = np.linalg.inv(BRADFORD) @ np.diag(BRADFORD @ D50 / (BRADFORD @ white)) @ BRADFORD
    fixed = np.rint(np.stack([D50, *(to_d50 @ columns).T]) * 65536).astype(">i4")  # white, red, green, blue
    curve = b"curv" + bytes(4) + np.array([1], ">u4").tobytes() + np.array([round(gamma * 256), 0], ">u2").tobytes()
    tags = [(f"{c}XYZ", b"XYZ " + bytes(4) + xyz.tobytes()) for c, xyz in zip("rgb", fixed[1:], strict=True)]
    tags += [("wtpt", b"XYZ " + bytes(4) + fixed[0].tobytes()), *((f"{c}TRC", curve) for c in "rgb")]
    start, table, body = 132 + 12 * len(tags), b"", b""
    for name, tag in tags:
        table += name.encode() + np.array([start + len(body), len(tag)], ">u4").tobytes()
        body += tag
    size = np.array([start + len(body)], ">u4").tobytes()
    header = size + bytes(4) + bytes([2, 0x10, 0, 0]) + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    header += fixed[0].tobytes() + bytes(48)
    return header + np.array([len(tags)], ">u4").tobytes() + table + body
