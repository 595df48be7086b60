"""Pictures as cameras, scanners and other programs make them, each with what it must look like: CASES."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from monet_lib.data.pictures import ADOBE_RGB, REC_709, picture, rgb_profile

P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def scene(width=96, height=72):
    """A picture whose corners and sides all differ: uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    spot = 30 * (np.hypot(x - 0.7, y - 0.3) < 0.2)[..., None]
    return (np.stack([x, y, 0.9 - 0.8 * x * y], -1) * 200 + spot).astype("u1")


GREY = scene()[..., 0]
DEEP = GREY.astype("<u2") * 257


def encoded(pixels, format="PNG", **options):
    """The bytes of an image file of an array, or of a Pillow image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer := io.BytesIO(), format, **options)
    return buffer.getvalue()


def seen(stored, points=REC_709, gamma=2.2):
    """What values of an RGB space with sRGB's white look like in sRGB."""

    def to_xyz(points):
        xyz = np.stack([[x / y, 1, (1 - x - y) / y] for x, y in np.reshape(points, (4, 2))], 1)
        return xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], xyz[:, 0])

    light = (np.asarray(stored) / 255) ** gamma @ (np.linalg.inv(to_xyz(REC_709)) @ to_xyz(points)).T
    light = light.clip(0, 1)
    return np.rint(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)).astype(int)


def on_three(grey):
    return np.repeat(np.asarray(grey, int)[..., None], 3, -1)


def holed(pixels, value=255):
    """The same with a rectangle of one value."""
    pixels = np.array(pixels)
    pixels[10:40, 10:40] = value
    return pixels


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunked(png, **chunks):
    """A PNG's bytes with more chunks behind its header."""
    return png[:33] + b"".join(chunk(kind.encode(), data) for kind, data in chunks.items()) + png[33:]


def hundred_thousandths(*numbers):
    return struct.pack(f">{len(numbers)}I", *(round(1e5 * number) for number in numbers))


def grey_profile(gamma):
    return rgb_profile(REC_709, gamma).replace(b"RGB ", b"GRAY").replace(b"gTRC", b"kTRC")


def grey_and_clear():
    image = Image.fromarray(GREY).convert("LA")
    image.paste((0, 0), (10, 10, 40, 40))
    return encoded(image, icc_profile=grey_profile(1.8)), holed(seen(on_three(GREY), gamma=1.8))


def adobe_by_exif():
    tables = [(0x8769, 4, 1, 26), (0xA005, 4, 1, 44), (1, 2, 4, int.from_bytes(b"R03\0", "little"))]
    body = b"".join(struct.pack("<HHHIII", 1, *table, 0) for table in tables)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + body
    return encoded(scene(), "JPEG", quality=100, subsampling=0, exif=exif), seen(scene(), ADOBE_RGB, 563 / 256)


def highlights():
    light = holed(GREY.astype("f4") / 200, 40)
    light[0] = np.inf
    return encoded(light, "TIFF"), on_three(np.rint(255 * light.clip(0, 1)))


def white_is_zero():
    data, tag = encoded(65535 - DEEP, "TIFF"), struct.pack("<HHI", 262, 3, 1)
    at = data.index(tag) + len(tag)
    return data[:at] + b"\0\0" + data[at + 2 :], on_three(GREY)


def bitmap():
    height, width = GREY.shape
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    head = struct.pack("<IiiHHIIiiII", 108, width, -height, 1, 32, 3, 0, 0, 0, 0, 0) + masks
    pixels = np.dstack([scene()[..., ::-1], np.zeros_like(GREY)]).tobytes()
    return b"BM" + struct.pack("<IHHI", 14 + 108 + len(pixels), 0, 0, 122) + head + pixels, scene()


def turned(orientation, format, **options):
    exif = Image.Exif()
    exif[0x112] = orientation
    turns = {1: np.asarray, 3: lambda x: x[::-1, ::-1], 5: lambda x: x.swapaxes(0, 1), 6: lambda x: np.rot90(x, -1)}
    return encoded(scene(), format, exif=exif, **options), turns[orientation](scene())


FEW_COLOURS = Image.fromarray(scene()).quantize(64)
KEY = {"transparency": (10, 200, 40)}
CASES: dict[str, Callable] = {
    "grey with transparency and a profile": grey_and_clear,
    "a transparent colour and a profile": lambda: (
        encoded(holed(scene(), KEY["transparency"]), icc_profile=rgb_profile(P3, 2.2), **KEY), holed(seen(scene(), P3))
    ),
    "a transparent grey of 16 bits": lambda: (
        chunked(encoded(holed(DEEP, 12345)), tRNS=struct.pack(">H", 12345)), holed(on_three(GREY))
    ),
    "Adobe RGB by EXIF alone": adobe_by_exif,
    "a PNG's gamma": lambda: (chunked(encoded(scene()), gAMA=hundred_thousandths(1)), seen(scene(), gamma=1)),
    "a PNG's primaries": lambda: (
        chunked(encoded(scene()), gAMA=hundred_thousandths(0.5), cHRM=hundred_thousandths(*P3)), seen(scene(), P3, 2.0)
    ),
    "a PNG's usual gamma": lambda: (chunked(encoded(scene()), gAMA=hundred_thousandths(0.45455)), scene()),
    "highlights above one": highlights,
    "grey of 16 bits": lambda: (encoded(DEEP), on_three(GREY)),
    "grey of 32 bits": lambda: (encoded(GREY.astype("i4") * 257, "TIFF"), on_three(GREY)),
    "grey of floats up to 255": lambda: (encoded(GREY.astype("f4"), "TIFF"), on_three(GREY)),
    "grey of floats up to 65,535": lambda: (encoded(GREY.astype("f4") * 257, "TIFF"), on_three(GREY)),
    "a clear WebP": lambda: (encoded(np.dstack([scene(), 0 * GREY]), "WEBP", lossless=True), 0 * scene() + 255),
    "white is zero": white_is_zero,
    "grey with a profile of colours": lambda: (
        encoded(GREY, "JPEG", quality=100, icc_profile=rgb_profile(P3, 1.8)), seen(on_three(GREY), gamma=1.8)
    ),
    "a bitmap whose transparency was never written": bitmap,
    "a damaged profile": lambda: (encoded(scene(), icc_profile=b"no profile"), scene()),
    "a palette with a profile": lambda: (
        encoded(FEW_COLOURS, icc_profile=rgb_profile(P3, 2.2)), seen(np.array(FEW_COLOURS.convert("RGB")), P3)
    ),
} | {f"turned {number} {format}": partial(turned, number, format, **how) for number in (1, 3, 5, 6) for format, how in (
    ("TIFF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 100, "subsampling": 0}))}  # fmt: skip


def differs(name):
    """How many levels a picture is from what it must look like, on average; infinite where its shape is another."""
    data, expected = CASES[name]()
    with np.errstate(all="raise"):  # else a warning of NumPy's would reach the user
        found = picture(data, name, "", lambda width, height: None)
    return np.abs(found.astype(int) - expected).mean() if found.shape == expected.shape else np.inf
