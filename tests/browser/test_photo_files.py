"""Photos of every kind, read by the painting page and by the command: no pixel may differ by more than two levels.

`pytest -s tests/browser/test_photo_files.py` prints each kind's largest difference. The pictures are made here.
"""

import base64
import struct
import zlib

import numpy as np
import pytest
from field import DEEP, GREY, KEY, P3, adobe_by_exif, chunk, chunked, encoded, grey_profile, hundred_thousandths, scene
from pages import ROOT, browse
from PIL import Image
from test_paint_page import Server

from monet_lib.data.pictures import ADOBE_GAMMA, ADOBE_RGB, SRGB, picture, rgb_profile

READ = """
const [data, done] = arguments;
const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
import("./photo.js").then(({ readPhoto }) => readPhoto(new File([bytes], "photo"), 12)).then((canvas) => {
  const { width, height } = canvas;
  const rgba = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  done([width, height, btoa(Array.from(rgba, (value) => String.fromCharCode(value)).join(""))]);
}, (fault) => done(fault.code));
"""
COLOURS = scene()
CLEAR = np.dstack([COLOURS, np.broadcast_to(np.linspace(0, 255, COLOURS.shape[1]).astype("u1"), GREY.shape)])
PALETTE = Image.fromarray(COLOURS).quantize(64)
TURNED = range(1, 9)  # EXIF's orientations
WIDE, ADOBE, OLD = rgb_profile(P3, 2.2), rgb_profile(ADOBE_RGB, ADOBE_GAMMA), rgb_profile(P3, 1.8)


def cmyk_profile():
    """An ICC profile of a made-up press: a table of colours for 9 amounts each of cyan, magenta, yellow and black."""
    ink = np.indices([9] * 4).reshape(4, -1).T / 8
    light = (1 - 0.9 * ink[:, 3]) * (1 - 0.2 * ink[:, :3].sum(1))
    lab = np.stack([250 * light, 128 + 60 * (ink[:, 1] - ink[:, 0]), 128 + 60 * (ink[:, 2] - ink[:, 1])], -1)
    even, unit = bytes(range(256)), struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel())
    table = b"mft1" + bytes([0, 0, 0, 0, 4, 3, 9, 0]) + unit + 4 * even + lab.round().astype("u1").tobytes() + 3 * even
    head = struct.pack(">I4xI4s4s4s12x4s28x3i48x", 144 + len(table), 0x02100000, b"prtr", b"CMYK", b"Lab ", b"acsp",
                       63190, 65536, 54061)  # fmt: skip
    return head + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


def deep_png(pixels):
    """A PNG of uint16 (h, w, 3 or 4), which Pillow doesn't write."""
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def photos():
    """Yield (kind, bytes of a file)."""
    for kind, pixels, format, options in (
        ("JPEG", COLOURS, "JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG, colours halved", COLOURS, "JPEG", {"quality": 90, "subsampling": 2}),
        ("JPEG, progressive", COLOURS, "JPEG", {"quality": 85, "subsampling": 1, "progressive": True}),
        ("JPEG, grey", GREY, "JPEG", {}),
        ("JPEG, grey, grey profile", GREY, "JPEG", {"icc_profile": grey_profile(1.8)}),
        ("JPEG, grey, RGB profile", GREY, "JPEG", {"icc_profile": OLD}),
        ("JPEG, CMYK", Image.fromarray(COLOURS).convert("CMYK"), "JPEG", {}),
        ("JPEG, CMYK, profile", Image.fromarray(COLOURS).convert("CMYK"), "JPEG", {"icc_profile": cmyk_profile()}),
        ("JPEG, sRGB profile", COLOURS, "JPEG", {"icc_profile": bytes(SRGB)}),
        ("JPEG, Display P3", COLOURS, "JPEG", {"icc_profile": WIDE}),
        ("JPEG, Adobe RGB", COLOURS, "JPEG", {"icc_profile": ADOBE}),
        ("PNG", COLOURS, "PNG", {}),
        ("PNG, palette", PALETTE, "PNG", {}),
        ("PNG, Adobe RGB", COLOURS, "PNG", {"icc_profile": ADOBE}),
        ("PNG, transparent", CLEAR, "PNG", {}),
        ("PNG, transparent, Display P3", CLEAR, "PNG", {"icc_profile": WIDE}),
        ("WebP", COLOURS, "WEBP", {"quality": 80}),
        ("WebP, lossless", COLOURS, "WEBP", {"lossless": True}),
        ("WebP, Display P3", COLOURS, "WEBP", {"lossless": True, "icc_profile": WIDE}),
        ("WebP, transparent", CLEAR, "WEBP", {"lossless": True}),
        ("AVIF", COLOURS, "AVIF", {"quality": 95}),
        ("AVIF, Display P3", COLOURS, "AVIF", {"quality": 95, "icc_profile": WIDE}),
    ):
        for orientation in TURNED:
            exif = Image.Exif()
            exif[0x112] = orientation
            yield kind, encoded(pixels, format, exif=exif, **options)
    yield "JPEG, Adobe RGB by EXIF", adobe_by_exif()[0]
    deep = COLOURS * np.uint16(257) - np.indices(COLOURS.shape).sum(0).astype("u2") % 128
    for kind, png in (
        ("8 bits", encoded(COLOURS)), ("grey", encoded(GREY)), ("a palette", encoded(PALETTE)),
        ("16 bits", deep_png(deep)), ("16 bits, grey", encoded(DEEP)), ("one colour clear", encoded(COLOURS, **KEY)),
        ("16 bits, transparent", deep_png(np.dstack([deep, CLEAR[..., 3] * np.uint16(257)]))),
    ):  # fmt: skip
        for gamma in (1 / 2.2, 1 / 1.8, 0.6, 1):
            yield f"PNG, {kind}, gamma", chunked(png, gAMA=hundred_thousandths(gamma))
        if "grey" not in kind:
            primaries = hundred_thousandths(*P3)
            yield f"PNG, {kind}, primaries", chunked(png, gAMA=hundred_thousandths(0.5), cHRM=primaries)
        yield f"PNG, {kind}, sRGB said", chunked(png, sRGB=b"\0", gAMA=hundred_thousandths(0.45455))
        yield f"PNG, {kind}", png
    for format in ("BMP", "GIF"):
        for pixels in (COLOURS, GREY, PALETTE, Image.fromarray(GREY).convert("1")):
            yield format, encoded(pixels, format)


@pytest.mark.short
def test_the_page_and_the_command_read_the_same_pixels():
    largest, count = {}, 0
    server = Server(ROOT / "site")
    try:
        with browse() as driver:
            driver.get(f"{server.url}index.html")
            for kind, data in photos():
                width, height, rgba = driver.execute_async_script(READ, base64.b64encode(data).decode())
                page = np.frombuffer(base64.b64decode(rgba), "u1").reshape(height, width, 4)[..., :3]
                command = picture(data, kind, "", lambda width, height: None)
                assert page.shape == command.shape, kind
                largest[kind] = max(largest.get(kind, 0), int(np.abs(page - command.astype(int)).max()))
                count += 1
    finally:
        server.stop()
    print(f"\n{count} files;", *(f"{levels} {kind}" for kind, levels in largest.items()), sep="\n")
    assert max(largest.values()) <= 2, {kind: levels for kind, levels in largest.items() if levels > 2}
