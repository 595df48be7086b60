import hashlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from monet_lib.sample import SHARD, make_sample
from PIL import Image

from monet_lib import sample
from monet_lib.data.reading import SIZE
from monet_lib.files import UserError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import photo_sample
from brushwork import repainted

COMMITTED = Path(__file__).resolve().parents[1] / "data" / "sample"
FEATURES = {key: tf.io.FixedLenFeature([], tf.string) for key in ("image", "image_name", "target")}


def records(root, domain):
    """All records of a domain's shards in order: a list of (name, JPEG bytes, target)."""
    shards = sorted(str(path) for path in (root / f"{domain}_tfrec").iterdir())
    parsed = (tf.io.parse_single_example(record, FEATURES) for record in tf.data.TFRecordDataset(shards))
    return [(p["image_name"].numpy().decode(), p["image"].numpy(), p["target"].numpy()) for p in parsed]


def pixels(jpeg):
    return tf.io.decode_jpeg(jpeg, channels=3).numpy()


def files(root):
    """Every file under `root`: its path and its bytes."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_sample(tmp_path_factory.mktemp("sample") / "made")


@pytest.fixture(scope="module")
def images(made):
    """Domain to uint8 (24, 256, 256, 3)."""
    return {d: np.stack([pixels(jpeg) for _, jpeg, _ in records(made, d)]) for d in ("monet", "photo")}


def test_layout_is_kaggles(made):
    assert {path.name for path in made.iterdir()} == {"monet_jpg", "monet_tfrec", "photo_jpg", "photo_tfrec"}
    for domain in ("monet", "photo"):
        names = [path.name for path in (made / f"{domain}_jpg").iterdir()]
        assert len(names) == 24
        assert all(re.fullmatch(r"[0-9a-f]{10}\.jpg", name) for name in names)


def test_records_follow_the_schema_and_hold_the_same_jpegs(made):
    for domain in ("monet", "photo"):
        found = records(made, domain)
        assert {target for _, _, target in found} == {domain.encode()}
        in_folder = {path.stem: path.read_bytes() for path in (made / f"{domain}_jpg").iterdir()}
        assert {name: jpeg for name, jpeg, _ in found} == in_folder
        assert all(pixels(jpeg).shape == (256, 256, 3) for _, jpeg, _ in found)


def test_shard_names_tell_their_number_of_records(tmp_path):
    root = make_sample(tmp_path / "made", monets=SHARD + 1, photos=2 * SHARD)
    names = sorted(path.name for path in root.glob("*_tfrec/*"))
    assert names == ["monet00-12.tfrec", "monet01-1.tfrec", "photo00-12.tfrec", "photo01-12.tfrec"]
    for path in root.glob("*_tfrec/*"):
        count = sum(1 for _ in tf.data.TFRecordDataset(str(path)))
        assert path.name.endswith(f"-{count}.tfrec")


def test_same_seed_same_bytes(tmp_path):
    a, b, other = (make_sample(tmp_path / k, 1, 1, seed) for k, seed in (("a", 3), ("b", 3), ("c", 4)))
    assert files(a) == files(b)
    assert not set(files(a).values()) & set(files(other).values())


def test_a_larger_set_begins_with_the_smaller(made, tmp_path):
    smaller = make_sample(tmp_path / "smaller", monets=2, photos=3)
    assert records(smaller, "monet") == records(made, "monet")[:2]
    assert records(smaller, "photo") == records(made, "photo")[:3]


def test_paintings_are_lighter_than_photos_as_in_the_real_data(images):
    """The Monets' mean is 129, the photos' 101."""
    mean = {domain: x.mean() for domain, x in images.items()}
    assert mean["monet"] == pytest.approx(129, abs=8)
    assert mean["monet"] > mean["photo"] + 10


def test_paintings_show_brush_work_where_photos_are_smooth():
    """Between neighbouring pixels of a sky, strokes differ more than its own gradient does."""
    sky = np.repeat(np.linspace(90, 200, SIZE)[:, None, None] * [0.8, 0.9, 1], SIZE, 1).astype(np.uint8)
    painted = repainted(sky, np.random.default_rng(0)).astype(float).mean(-1)
    across, own = np.abs(np.diff(painted, axis=1)).mean(), np.diff(sky.mean(-1), axis=0).mean()
    assert across > 2 * own


def test_no_two_images_are_nearly_equal(images):
    for domain, x in images.items():
        small = x.reshape(len(x), 16, 16, 16, 16, 3).mean((2, 4))  # 16x16 pixels
        apart = np.abs(small[:, None] - small[None]).mean((2, 3, 4)) + 255 * np.eye(len(x))
        assert apart.min() > 8, f"{domain} {np.unravel_index(apart.argmin(), apart.shape)}"


def test_no_image_is_grey_or_flat(images):
    for x in images.values():
        assert x.std(axis=(1, 2, 3)).min() > 20
        assert (x.max(-1).astype(int) - x.min(-1)).mean((1, 2)).min() > 5


@pytest.mark.parametrize("counts", [(0, 1), (1, 0), (-1, 5)])
def test_counts_below_one_are_refused(counts, tmp_path):
    with pytest.raises(UserError, match="at least one of each"):
        make_sample(tmp_path / "made", *counts)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"mine: not empty \(found notes.txt\)\. Name a new") as error:
        make_sample(folder, 1, 1)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"notes\.txt: a file"):
        make_sample(folder / "notes.txt", 1, 1)
    assert files(tmp_path) == {"mine/notes.txt": b"mine"}


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "new" / "deep"):
        assert make_sample(folder, 1, 1) == folder.resolve()
        assert len(files(folder)) == 4


def test_a_failure_midway_leaves_nothing_behind(monkeypatch, tmp_path):
    drawn = []

    def fail_at_the_third(picture, rng):
        drawn.append(1)
        if len(drawn) == 3:
            raise OSError("disk full")
        return np.asarray(picture)

    monkeypatch.setattr(sample, "_varied_square", fail_at_the_third)
    with pytest.raises(UserError, match="disk full"):
        make_sample(tmp_path / "made", 5, 2)
    assert len(drawn) == 3
    assert list(tmp_path.iterdir()) == []


def test_the_committed_sample_is_small():
    assert sum(len(data) for data in files(COMMITTED).values()) < 2_000_000


@pytest.fixture(scope="module")
def committed():
    """Domain to the committed sample's uint8 (24, 256, 256, 3)."""
    return {d: np.stack([pixels(jpeg) for _, jpeg, _ in records(COMMITTED, d)]) for d in ("monet", "photo")}


def test_the_committed_sample_is_named_by_the_tables_of_its_tool():
    for domain, table in (("photo", photo_sample.PHOTOS), ("monet", photo_sample.PAINTINGS)):
        names = [hashlib.sha256(f"{f}{box}".encode()).hexdigest()[:10] for f, boxes in table.items() for box in boxes]
        found = records(COMMITTED, domain)
        assert [name for name, _, _ in found] == sorted(names)
        assert len(names) == 24
        for name, jpeg, target in found:
            assert target == domain.encode()
            assert (COMMITTED / f"{domain}_jpg" / f"{name}.jpg").read_bytes() == jpeg
    assert not set(photo_sample.PHOTOS) & set(photo_sample.PAINTINGS), "no scene is on both sides"


def test_every_photograph_is_credited():
    text = (COMMITTED.parent / "README.md").read_text()
    for file in (*photo_sample.PHOTOS, *photo_sample.PAINTINGS):
        assert f"`{file.removesuffix('.jpg').split('_by_')[0]}`" in text, file


def test_the_committed_paintings_differ_from_the_photos_as_monets_do(committed):
    mean = {domain: x.mean() for domain, x in committed.items()}
    spread = {domain: x.std(axis=(1, 2, 3)).mean() for domain, x in committed.items()}
    assert mean["monet"] > mean["photo"] + 10
    assert spread["monet"] < spread["photo"] - 3
    assert mean["monet"] == pytest.approx(129, abs=8)


def test_a_repainted_photo_keeps_its_scene_and_takes_monets_colours(committed):
    rng = np.random.default_rng(0)
    photos = [np.clip(photo.astype(int) - 40, 0, 255).astype(np.uint8) for photo in committed["photo"][:4]]
    paintings = np.stack([repainted(photo, rng) for photo in photos])
    assert abs(paintings.mean() - 130) < 25
    for photo, painted in zip(photos, paintings, strict=True):
        small = [x.reshape(32, 8, 32, 8, 3).mean((1, 3, 4)).ravel() for x in (photo, painted)]
        assert np.corrcoef(small)[0, 1] > 0.7
    darkest, photos_darkest = np.percentile(paintings, 1), np.percentile(photos, 1)
    assert darkest > photos_darkest + 10, "next to no black"


def test_squares_are_cut_where_the_table_says():
    ramp = np.zeros((100, 200, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(200)[None], np.arange(100)[:, None]
    cut = photo_sample.square(Image.fromarray(ramp), (0.5, 0.25, 0.5))
    assert cut.shape == (256, 256, 3)
    assert abs(int(cut[0, 0, 0]) - 50) <= 1
    assert abs(int(cut[-1, -1, 0]) - 99) <= 1
    assert (abs(int(cut[0, 0, 1]) - 25), abs(int(cut[-1, -1, 1]) - 74)) <= (1, 1)


def test_committed_jpegs_open_outside_tensorflow():
    with Image.open(next((COMMITTED / "photo_jpg").iterdir())) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (256, 256))
