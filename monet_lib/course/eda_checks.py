"""Lesson 1's exercises: what is tested of an answer, and what each wrong one is told."""

import io
import struct

import numpy as np
import tensorflow as tf
from PIL import Image

from monet_lib.course.checks import RAMP, Check, Wrong, answer_of, expect_close, expect_shape, ramp
from monet_lib.course.eda import MEASURES
from monet_lib.data.pixels import to_uint8


def _test_record(answer):
    Image.fromarray(to_uint8(ramp())).save(file := io.BytesIO(), "JPEG")
    values = {"image": file.getvalue(), "image_name": b"ramp", "target": b"photo"}
    features = {k: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for k, v in values.items()}
    found = answer_of(answer, tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    if not isinstance(found, tuple) or len(found) != 2:
        raise Wrong(f"return two things, (name, pixels), not a {type(found).__name__}.")
    if found[0] != "ramp":
        raise Wrong(f"the name is {found[0]!r}, not 'ramp': take image_name; .decode() turns bytes to text.")
    expect_shape(found[1], (64, 256, 3), "the array of pixels")
    if np.abs(found[1] - np.float32(to_uint8(ramp()))).max() > 8:
        raise Wrong("the pixels are not those of the feature image, 0 to 255.")


def _test_reds(answer):
    colors = np.asarray(answer, float)
    expect_shape(colors, (2, 3), "the pair of colours")
    low, high = colors.min(1), colors.max(1)
    if low.min() < 0 or high.max() > 255:
        raise Wrong("a level lies outside 0..255.")
    chroma, saturation = high - low, (high - low) / np.maximum(high, 1)
    if abs(chroma[0] - chroma[1]) > 1 or chroma.min() < 20:
        raise Wrong(f"max − min is {chroma[0]:.0f} and {chroma[1]:.0f}: make both the same, at least 20.")
    if saturation[0] < 3 * saturation[1]:
        raise Wrong(f"the saturations are {saturation[0]:.2f} and {saturation[1]:.2f}: make the first darker.")


def _test_meaning(answer):
    for claim, (measure, sign) in MEANINGS.items():
        if not isinstance(answer, dict) or np.shape(answer.get(claim)) != (2,):
            raise Wrong(f"{claim}: give a pair (measure, sign).")
        found, direction = answer[claim]
        if found is ...:
            raise Wrong(f"nothing here yet. Begin with {claim!r}: a measure's name and a sign, +1 or -1.")
        if found == "saturation":
            raise Wrong(f"{claim}: HSV saturation divides by the maximum, so mere darkness raises it.")
        if found != measure:
            raise Wrong(f"{claim}: {found!r} doesn't measure that. Choose among {', '.join(MEASURES)}.")
        if direction != sign:
            raise Wrong(f"{claim}: the sign is what the source says of Monets, be it true or not.")


def _test_back(answer):
    found, levels = answer_of(answer, ramp()), np.tile(np.arange(256)[None, :, None], (1, 1, 3))
    expect_shape(found, (64, 256, 3), "the picture")
    if found.dtype != np.uint8:
        raise Wrong(f"the result is {found.dtype}; a JPEG encoder wants uint8.")
    if (ends := tuple(map(int, found[0, [0, -1], 0]))) != (0, 255):
        raise Wrong(f"-1.1 and 1.1 became {ends}: uint8 wraps around. Clip to 0..255 first.")
    lost = int((answer(levels.astype(np.float32) / 127.5 - 1) != levels)[0, :, 0].sum())
    if lost:
        raise Wrong(f"{lost} of 256 levels don't come back: astype cuts off what follows the point. Round.")


def _test_deal(answer):
    steps, times, never = answer
    expect_close(steps, 7038 // 4, "an epoch deals 7,038 photos, 4 a step: not {got} steps.")
    expect_close(times, 7036 / 300, "each step deals 4 of 300 paintings: each comes not {got} times.", 0.02)
    expect_close(never, 6738, "a zip ends with its shorter side: it leaves out not {got} of 7,038 photos.")


def _test_walk(answer):
    records = [b"first", b"x" * 300, b""]
    shard = b"".join(framed(data) for data in records)
    found = list(answer_of(answer, shard))
    if any(isinstance(one, tuple) for one in found) or found[:1] == [framed(b"first")]:
        raise Wrong("give the data alone: without the length and the two checksums around them.")
    if found != records:
        raise Wrong(
            f"{len(found)} records of {[len(x) for x in found]} bytes; the shard holds 3, of 5, 300 and 0 bytes."
        )
    damage = {
        "a bit of the second record's data": len(framed(b"first")) + 12 + 40,
        "a bit of the second record's length": len(framed(b"first")) + 2,
        "a bit of the checksum of the second record's length": len(framed(b"first")) + 8,
    }
    for what, place in damage.items():
        broken = bytearray(shard)
        broken[place] ^= 1
        try:
            list(answer(bytes(broken)))
        except ValueError:
            continue
        except Exception as error:
            raise Wrong(
                f"{what} flipped: {type(error).__name__} instead of ValueError. Check the length first."
            ) from None
        raise Wrong(f"{what} flipped: you read on as if nothing had happened. Compare its checksum, raise ValueError.")


def crc32c(data: bytes) -> int:
    """CRC-32C of bytes (polynomial 0x1EDC6F41, reflected), bit by bit through a table of 256 entries."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def checksum(data: bytes) -> int:
    """The checksum that a TFRecord stores of bytes: their CRC-32C, turned by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def framed(data: bytes) -> bytes:
    """One record of a TFRecord file: length, its checksum, data, their checksum."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", checksum(length)) + data + struct.pack("<I", checksum(data))


def _table_entry(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_TABLE = [_table_entry(byte) for byte in range(256)]

MEANINGS = {  # what to measure for each claim, and what the source says of the Monets: 1 more, -1 less
    "S0: darker": ("brightness", -1),
    "S0: higher deviation": ("spread", 1),
    "S3: more intense colours": ("chroma", 1),
    "S3: more in green": ("green", 1),
}
record = Check("Exercise 1, a record", _test_record, lambda: to_uint8(ramp()), RAMP)
reds = Check(
    "Exercise 2, chroma and saturation", _test_reds,
    lambda: np.array([[[60, 0, 0], [240, 180, 180]]], np.uint8).repeat(80, 0).repeat(120, 1),
    "Two squares of one chroma: a dark red and a pale pink",
    lambda answer: np.array([answer], np.uint8).repeat(80, 0).repeat(120, 1),
)  # fmt: skip
meaning = Check("Exercise 3, claims as measures", _test_meaning)
back = Check("Exercise 4, back to levels", _test_back, lambda: to_uint8(ramp()), RAMP, lambda answer: answer(ramp()))
deal = Check("Exercise 5, batches", _test_deal)
walk = Check("Exercise 6, a reader of your own", _test_walk)
