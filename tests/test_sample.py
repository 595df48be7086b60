"""The embedded sample, data/sample, and the tools that have made it."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from monet_lib.data import find_images, load

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import photo_sample
from brushwork import repainted

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
FEATURES = {key: tf.io.FixedLenFeature([], tf.string) for key in ("image", "image_name", "target")}


def records(root, domain):
    """All records of a domain's shards in order: a list of (name, JPEG bytes, target)."""
    shards = sorted(str(path) for path in (root / f"{domain}_tfrec").iterdir())
    parsed = (tf.io.parse_single_example(record, FEATURES) for record in tf.data.TFRecordDataset(shards))
    return [(p["image_name"].numpy().decode(), p["image"].numpy(), p["target"].numpy()) for p in parsed]


@pytest.fixture(scope="module")
def images():
    """Domain to the sample's uint8 (24, 256, 256, 3)."""
    return {domain: load(find_images(SAMPLE, domain))[1] for domain in ("monet", "photo")}


def test_the_sample_is_small():
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 2_000_000


def test_the_sample_is_named_by_the_tables_of_its_tool_and_follows_the_schema():
    for domain, table in (("photo", photo_sample.PHOTOS), ("monet", photo_sample.PAINTINGS)):
        names = [hashlib.sha256(f"{f}{box}".encode()).hexdigest()[:10] for f, boxes in table.items() for box in boxes]
        found = records(SAMPLE, domain)
        assert [name for name, _, _ in found] == sorted(names)
        assert len(names) == 24
        assert {target for _, _, target in found} == {domain.encode()}
        files = {path.stem: path.read_bytes() for path in (SAMPLE / f"{domain}_jpg").iterdir()}
        assert {name: jpeg for name, jpeg, _ in found} == files
    assert not set(photo_sample.PHOTOS) & set(photo_sample.PAINTINGS), "no scene is on both sides"


def test_every_photograph_is_credited():
    text = (SAMPLE.parent / "README.md").read_text()
    for file in (*photo_sample.PHOTOS, *photo_sample.PAINTINGS):
        assert f"`{file.removesuffix('.jpg').split('_by_')[0]}`" in text, file


def test_the_paintings_differ_from_the_photos_as_monets_do(images):
    """The mean of the competition's Monets is 129, that of its photos 101."""
    mean = {domain: x.mean() for domain, x in images.items()}
    spread = {domain: x.std(axis=(1, 2, 3)).mean() for domain, x in images.items()}
    assert mean["monet"] > mean["photo"] + 10
    assert spread["monet"] < spread["photo"] - 3
    assert mean["monet"] == pytest.approx(129, abs=8)


def test_no_two_images_are_nearly_equal_and_none_is_grey(images):
    for domain, x in images.items():
        small = x.reshape(len(x), 16, 16, 16, 16, 3).mean((2, 4))  # 16x16 pixels
        apart = np.abs(small[:, None] - small[None]).mean((2, 3, 4)) + 255 * np.eye(len(x))
        assert apart.min() > 8, f"{domain} {np.unravel_index(apart.argmin(), apart.shape)}"
        assert (x.max(-1).astype(int) - x.min(-1)).mean((1, 2)).min() > 5


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


def test_strokes_show_where_a_photo_is_smooth():
    """Between neighbouring pixels of a sky, strokes differ more than its own gradient does."""
    sky = np.repeat(np.linspace(90, 200, 256)[:, None, None] * [0.8, 0.9, 1], 256, 1).astype(np.uint8)
    painted = repainted(sky, np.random.default_rng(0)).astype(float).mean(-1)
    across, own = np.abs(np.diff(painted, axis=1)).mean(), np.diff(sky.mean(-1), axis=0).mean()
    assert across > 2 * own


def test_a_repainted_photo_keeps_its_scene_and_takes_monets_colours(images):
    rng = np.random.default_rng(0)
    photos = [np.clip(photo.astype(int) - 40, 0, 255).astype(np.uint8) for photo in images["photo"][:4]]
    paintings = np.stack([repainted(photo, rng) for photo in photos])
    assert abs(paintings.mean() - 130) < 25
    for photo, painted in zip(photos, paintings, strict=True):
        small = [x.reshape(32, 8, 32, 8, 3).mean((1, 3, 4)).ravel() for x in (photo, painted)]
        assert np.corrcoef(small)[0, 1] > 0.7
    assert np.percentile(paintings, 1) > np.percentile(photos, 1) + 10, "next to no black"


def test_squares_are_cut_where_the_table_says():
    ramp = np.zeros((100, 200, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(200)[None], np.arange(100)[:, None]
    cut = photo_sample.square(Image.fromarray(ramp), (0.5, 0.25, 0.5)).astype(int)
    assert cut.shape == (256, 256, 3)
    corners = np.array([cut[0, 0, :2], cut[-1, -1, :2]])
    np.testing.assert_allclose(corners, [[50, 25], [99, 74]], atol=1)  # column and row of the square's corners
