"""Bytes changed, cut and inserted in every kind of file that is read: a UserError of one line, or what is there.

A seeded 300 inputs; `make fuzz` tries 3,000. What a checksum guards may not come out otherwise than it went in.
"""

import contextlib
import io
import json
import os
import zipfile
from functools import partial

import numpy as np
import pytest
from field import P3, chunked, hundred_thousandths
from inputs import SMALLEST, example, jpeg, weights, write_shard
from PIL import Image, PngImagePlugin

from monet_lib.data.reading import ImageSet, load, read_images
from monet_lib.files import UserError, write_beside
from monet_lib.model.cyclegan import build
from monet_lib.model.networks import generator_of
from monet_lib.model.weights import load_generator, save_generator
from monet_lib.paint.photos import read_photo
from monet_lib.paint.submission import check_submission
from monet_lib.recipes import profile
from monet_lib.train.run import Checkpoints, Run

INPUTS = int(os.environ.get("MONET_FUZZ", "300"))
NANO = profile("tiny", **SMALLEST)


def mutated(data, rng):
    """`data` with a few bytes changed, its end cut off, or bytes inserted or left out; mostly near the beginning."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        size = len(data) if rng.random() < 0.5 else min(len(data), 400)
        at = int(rng.integers(max(1, size)))
        kind = rng.integers(5)
        if kind == 0:
            data[at : at + 1] = bytes([rng.integers(256)])
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[at:at] = rng.bytes(rng.integers(1, 9))
        elif kind == 3:
            del data[at : at + int(rng.integers(1, 99))]
        else:
            data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"[[[["])
    return bytes(data)


def shard(folder):
    file = folder / "photo_tfrec" / "photo00-3.tfrec"
    write_shard(file, [example(jpeg(k, size=(256, 256)), f"n{k}") for k in range(3)])
    return file, lambda: load(ImageSet("photo", "tfrec", (file,)))[1]


def image(folder, format="png", tags=((0x112, 6),), **options):
    exif, file = Image.Exif(), folder / f"a.{format}"
    exif.update(tags)
    if format == "jpg":
        exif.get_ifd(0x8769)[0x9203] = 1.5
    Image.open(io.BytesIO(jpeg(1, size=(40, 30)))).save(file, exif=exif, **options)
    return file, lambda: read_photo(file)


def png(folder):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a" * 500, zip=True)
    return image(folder, pnginfo=texts, icc_profile=b"x" * 200)


def photo(folder):
    return image(folder, "jpg", ((0x112, 6), (0x10F, "maker"), (0x11A, 72.0)))


def chunks(folder):
    """A PNG with a gamma and primaries."""
    data = chunked(jpeg(1, size=(40, 30), format="PNG"), gAMA=hundred_thousandths(0.5), cHRM=hundred_thousandths(*P3))
    (folder / "a.png").write_bytes(data)
    return folder / "a.png", lambda: read_photo(folder / "a.png")


def archive(folder):
    file = folder / "images.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for k in range(2):
            made.writestr(f"{k}.jpg", jpeg(k))
        made.writestr(zipfile.ZipInfo("2.jpg"), jpeg(2), zipfile.ZIP_LZMA)

    def read():
        pictures = np.stack([image for _, image in read_images(file)])
        with contextlib.suppress(UserError):  # of three images it always says something
            check_submission(file)
        return pictures

    return file, read


def generator(folder):
    file = folder / "generator.npz"
    save_generator(file, generator_of(NANO), NANO)
    return file, lambda: weights(load_generator(file)[0])


def state(folder):
    model = build(NANO, 1)
    kept = Checkpoints(folder / "checkpoints", model)
    file = next(kept.save(1).glob("*.data*"))

    def read():
        for name in [f.name for f in kept.folder.iterdir() if f.name.startswith("damaged")]:
            (kept.folder / name).rename(kept.folder / name.removeprefix("damaged-"))
        kept.restore()
        return weights(model)

    return file, read


def index(folder):
    file, read = state(folder)
    return file.with_name("state.index"), read


def run_of(folder):
    described = {"count": 1, "sha256": "0"}
    data = {"folder": "data", "format": None, "monet": described, "photo": described}
    file = folder / "config.json"
    write_beside(file, lambda path: path.write_text(json.dumps({"config": NANO.settings(), "data": data})))
    return folder


def config(folder):
    return run_of(folder) / "config.json", lambda: Run.load(folder)


def history(folder):
    run, fields = Run.load(run_of(folder)), ["step", "seconds", "a"]
    run.write_table("history.csv", fields, [[k, 0.5 * k, 1.0] for k in range(20)])
    # Lines that can't be read are left out; the others are numbers, up to the step.
    return folder / "history.csv", lambda: [float(row[0]) <= 10 for row in run.table("history.csv", fields, 10)]


# What its checksums guard comes out as it went in, or not at all.
GUARDED = (shard, archive, generator, state, index)
IMAGES = {name: partial(image, format=name) for name in ("tiff", "webp", "bmp")}
READERS = {make.__name__: make for make in (*GUARDED, png, chunks, photo, config, history)} | IMAGES


def outcome(read):
    """(what read() returns, None), or (None, the text of its UserError); any other error is the test's failure."""
    try:
        return read(), None
    except UserError as error:
        return None, str(error)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", READERS)
def test_damaged_bytes_are_one_line_or_what_was_there(tmp_path, name):
    make = READERS[name]
    file, read = make(tmp_path)
    whole, right, rng = file.read_bytes(), read(), np.random.default_rng(len(name))
    refused = 0
    for number in range(INPUTS // len(READERS) + 1):
        data = mutated(whole, rng)
        file.write_bytes(data)
        found, error = outcome(read)
        assert "\n" not in (error or ""), number
        if error:
            refused += 1
            continue
        assert name != "history" or all(found)
        if make in GUARDED and not (make is archive and len(found) != len(right)):
            np.testing.assert_array_equal(found, right, err_msg=f"input {number}")
    # A table leaves out the lines that it can't read, and of a BMP any bytes are pixels.
    assert refused >= {"history": 0, "bmp": 1}.get(name, 5)
    file.write_bytes(whole)
    np.testing.assert_array_equal(np.shape(read()), np.shape(right))
