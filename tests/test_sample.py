"""The embedded sample, data/sample, and the tool that has made it."""

import csv
import struct
import zlib
from pathlib import Path

import numpy as np
import photo_sample
import pytest
import tensorflow as tf
from inputs import ROOT
from PIL import Image

from monet_lib.data import find_images, load
from monet_lib.data.reading import closest, shrink

SAMPLE = ROOT / "data" / "sample"
SOURCES = list(csv.DictReader((SAMPLE / "sources.csv").read_text(encoding="utf-8").splitlines()))
FEATURES = {key: tf.io.FixedLenFeature([], tf.string) for key in ("image", "image_name", "target")}


def records(root, domain):
    """All records of a domain's shards in order: a list of (name, JPEG bytes, target)."""
    shards = sorted(str(path) for path in (root / f"{domain}_tfrec").iterdir())
    parsed = (tf.io.parse_single_example(record, FEATURES) for record in tf.data.TFRecordDataset(shards))
    return [(p["image_name"].numpy().decode(), p["image"].numpy(), p["target"].numpy()) for p in parsed]


@pytest.fixture(scope="module")
def images():
    """Domain to the sample's uint8 (48, 256, 256, 3)."""
    return {domain: load(find_images(SAMPLE, domain))[1] for domain in ("monet", "photo")}


def test_every_picture_comes_from_a_photograph_of_its_own():
    """No photograph is used twice, on one side or on both: by its path and by its bare name. All are less than 4 MB."""
    for found in ([row["file"] for row in SOURCES], [Path(row["file"]).stem for row in SOURCES],
                  [row["name"] for row in SOURCES]):  # fmt: skip
        assert len(set(found)) == len(found) == 96
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 4_000_000


@pytest.mark.parametrize("domain", ["photo", "monet"])
def test_both_formats_hold_the_pictures_that_sources_names(domain):
    found = records(SAMPLE, domain)
    assert [name for name, _, _ in found] == sorted(row["name"] for row in SOURCES if row["side"] == domain)
    assert len(found) == 48
    assert {target for _, _, target in found} == {domain.encode()}
    files = {path.stem: path.read_bytes() for path in (SAMPLE / f"{domain}_jpg").iterdir()}
    assert {name: jpeg for name, jpeg, _ in found} == files


def test_no_picture_has_a_near_twin_and_none_is_grey(images):
    """Twins by the 32x32 thumbnails of lesson 1, mirrored ones too, within a side and between the sides."""
    pictures = np.concatenate([images["photo"], images["monet"]])
    thumbs = np.stack([shrink(picture, 8) for picture in pictures])
    assert closest(thumbs)[0].max() < 0.95
    flat, mirrored = (x.reshape(len(x), -1).astype(float) for x in (thumbs, thumbs[:, :, ::-1]))
    across = np.corrcoef(flat, mirrored)[: len(flat), len(flat) :]
    assert (across - np.diag(np.diag(across))).max() < 0.95  # a picture may be like its own mirror image
    assert (pictures.max(-1).astype(int) - pictures.min(-1)).mean((1, 2)).min() > 5


def test_every_photograph_is_credited_with_its_licence():
    text = (SAMPLE.parent / "README.md").read_text()
    (section,) = [part for part in text.split("\n## ") if part.startswith("The embedded sample")]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for row in SOURCES:
        name = Path(row["file"]).stem.split("_by_")[0]
        credits = [line for line in lines if f"`{name}`" in line or f"`{name[:40]}…`" in line]
        assert len(credits) == 1, row["file"]
        wanted = [row["by"], row["licence"], f"`{row['package']}`"]
        assert all(word in credits[0] for word in wanted), row["file"]
    assert {row["licence"] for row in SOURCES} <= {
        "CC0 1.0", "public domain", *(f"CC BY {n}.0" for n in (1, 2, 3, 4)), *(f"CC BY-SA {n}.0" for n in (2, 3, 4)),
    }  # fmt: skip


def test_the_paintings_differ_from_the_photos_as_monets_do(images):
    """As the competition's Monets do: they are brighter than its photos and have less spread."""
    mean = {domain: x.mean() for domain, x in images.items()}
    spread = {domain: x.std(axis=(1, 2, 3)).mean() for domain, x in images.items()}
    assert mean["monet"] > mean["photo"] + 10
    assert spread["monet"] < spread["photo"] - 3


def test_a_domain_is_written_in_kaggles_layout(tmp_path, images):
    pictures = [(f"n{k:02d}", image) for k, image in enumerate(images["photo"][:13])]
    photo_sample.write_domain(tmp_path, "photo", pictures)
    shards = sorted(path.name for path in (tmp_path / "photo_tfrec").iterdir())
    assert shards == ["photo00-12.tfrec", "photo01-1.tfrec"]
    found = records(tmp_path, "photo")
    assert [(name, target) for name, _, target in found] == [(name, b"photo") for name, _ in pictures]
    for name, jpeg, _ in found:
        assert (tmp_path / "photo_jpg" / f"{name}.jpg").read_bytes() == jpeg
    written = load(find_images(tmp_path, "photo"))[1].astype(float)
    assert np.abs(written - images["photo"][:13]).mean() < 4


def test_squares_are_cut_where_the_table_says():
    ramp = np.zeros((100, 200, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(200)[None], np.arange(100)[:, None]
    cut = photo_sample.square(Image.fromarray(ramp), (0.5, 0.25, 0.5)).astype(int)
    assert cut.shape == (256, 256, 3)
    corners = np.array([cut[0, 0, :2], cut[-1, -1, :2]])
    np.testing.assert_allclose(corners, [[50, 25], [99, 74]], atol=1)  # column and row of the square's corners


def test_squares_of_a_palette_are_cut():
    """A GIF has one. Halves of two colours survive it; a ramp does not."""
    flat = np.repeat(np.repeat(np.array([[[9, 90, 200], [250, 3, 7]]], np.uint8), 100, 0), 100, 1)
    cut = photo_sample.square(Image.fromarray(flat).quantize(2), (0.5, 0, 1)).astype(int)
    np.testing.assert_allclose([cut[0, 0], cut[0, -1]], [[9, 90, 200], [250, 3, 7]], atol=3)


@pytest.mark.parametrize("version", [1, 2])
def test_the_files_of_a_qt_resource_file_are_found(tmp_path, version):
    """A file written by hand as rcc writes it: a folder `a` with one plain and one compressed file."""
    words = ["a", "plain.jpg", "packed.jpg"]
    names = b"".join(struct.pack(">HI", len(word), 0) + word.encode("utf-16-be") for word in words)
    packed = struct.pack(">I", 6) + zlib.compress(b"second")
    contents = struct.pack(">i", 5) + b"first" + struct.pack(">i", len(packed)) + packed
    end = b"\0" * 8 if version == 2 else b""  # when the file was changed
    # The root, its folder, that folder's two files: each the place of its name, its flags, and the place of its data.
    nodes = [(">iHii", 0, 2, 1, 1), (">iHii", 0, 2, 2, 2), (">iHHHi", 8, 0, 0, 0, 0), (">iHHHi", 32, 1, 0, 0, 9)]
    tree = b"".join(struct.pack(*node) + end for node in nodes)
    header = b"qres" + struct.pack(">4i", version, 20, 20 + len(tree), 20 + len(tree) + len(contents))
    (tmp_path / "b.rcc").write_bytes(header + tree + contents + names)
    found = {name.rsplit("b.rcc", 1)[1]: data for name, data in photo_sample.photographs(tmp_path).items()}
    assert found.pop("") == tmp_path / "b.rcc"
    assert found == {"/a/plain.jpg": b"first", "/a/packed.jpg": b"second"}


def test_a_missing_photograph_is_named_with_its_package(tmp_path):
    with pytest.raises(SystemExit, match=r"0 files end in \S+, not 1. Unpack \S+ \S+ there"):
        photo_sample.pictures(tmp_path)
