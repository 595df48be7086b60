from collections import Counter

import numpy as np
import pytest
from PIL import Image

from monet_lib.data import UnpairedBatches, load_pair, split, training_data


@pytest.fixture
def numbered():
    """3 monets and 7 photos whose every pixel is the image's number."""
    return [np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 256, 256, 3)) for n in (3, 7)]


def test_every_image_is_seen_equally_often(numbered, nano):
    batches = UnpairedBatches(*numbered, nano.with_(batch_size=2))
    assert batches.steps_per_epoch == 3
    assert UnpairedBatches(*numbered, nano.with_(batch_size=8)).steps_per_epoch == 1  # more than there are
    pairs = [batches(step) for step in range(21)]
    for domain, count in ((0, 3), (1, 7)):
        seen = [int(x) for pair in pairs for x in pair[domain][:, 0, 0, 0]]
        assert Counter(seen) == dict.fromkeys(range(count), 42 // count)
        passes = [tuple(seen[k : k + count]) for k in range(0, 42, count)]
        assert all(sorted(one) == list(range(count)) for one in passes)
        assert len(set(passes)) > 1  # a new shuffle each time


def test_a_batch_depends_on_seed_and_step_alone(nano):
    images = np.random.default_rng(0).integers(0, 256, (4, 256, 256, 3), np.uint8)
    config = nano.with_(crop=100)
    forward = [UnpairedBatches(images, images, config)(step) for step in range(6)]
    backward = UnpairedBatches(images, images, config)
    for step in (5, 0, 3):
        np.testing.assert_array_equal(backward(step), forward[step])
    other = UnpairedBatches(images, images, config.with_(seed=1))
    assert any((a != b).any() for step in range(6) for a, b in zip(other(step), forward[step], strict=True))


def test_crops_are_cut_and_flipped_from_the_image(nano):
    rows, columns = np.mgrid[0:256, 0:256].astype(np.uint8)
    image = np.stack([rows, columns, np.zeros_like(rows)], -1)[None]
    batches = UnpairedBatches(image, image, nano.with_(crop=32))
    flipped, corners = set(), set()
    for step in range(40):
        crop = batches(step)[1][0].astype(int)
        assert (np.diff(crop[..., 0], axis=0) == 1).all()
        directions = np.diff(crop[..., 1], axis=1)
        assert abs(directions).min() == 1
        assert directions.min() == directions.max()
        flipped.add(int(directions[0, 0]))
        corners.add((crop[0, 0, 0], crop[0, :, 1].min()))
    assert flipped == {-1, 1}
    assert len(corners) > 30
    straight = UnpairedBatches(image, image, nano.with_(crop=32, flip=False))
    assert all(np.diff(straight(k)[0][0, 0, :, 1].astype(int)).min() == 1 for k in range(20))


def test_crops_reach_every_place_up_to_the_edges(nano):
    rows, columns = np.mgrid[0:256, 0:256].astype(np.uint8)
    image = np.stack([rows, columns, rows], -1)[None]
    batches = UnpairedBatches(image, image, nano.with_(crop=254, flip=False))
    places = {tuple(x[0, 0, 0, :2].tolist()) for step in range(60) for x in batches(step)}
    assert places == {(row, column) for row in range(3) for column in range(3)}


def test_crops_are_turned_by_right_angles_only_if_asked(nano):
    image = np.zeros((1, 256, 256, 3), np.uint8)
    image[0, :, :, 0], image[0, :, :, 1] = np.mgrid[0:256, 0:256]
    config = nano.with_(crop=32, flip=False)
    plain = UnpairedBatches(image, image, config)
    turned = UnpairedBatches(image, image, config.with_(rotate=True))
    turns = []
    for step in range(40):
        for a, b in zip(plain(step), turned(step), strict=True):
            turns += [k for k in range(4) if (np.rot90(a[0], k) == b[0]).all()]
    assert len(turns) == 80, "every crop is the plain one, turned"
    assert set(turns) == {0, 1, 2, 3}


@pytest.mark.parametrize(("crop", "size"), [(64, 64), (256, 32), (48, 64)])
def test_training_data_is_scaled_with_static_shapes(nano, crop, size):
    """Resized as Pillow resizes floats: by a triangle that is as wide as what becomes one pixel."""
    config = nano.with_(crop=crop, image_size=size, batch_size=2)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 256, 256, 3), np.uint8)
    batches = UnpairedBatches(*images, config)
    data = training_data(batches, 2, 5)
    assert [spec.shape.as_list() for spec in data.element_spec] == [[2, size, size, 3]] * 2
    elements = list(data.as_numpy_iterator())
    assert len(elements) == 3
    for step, pair in enumerate(elements, 2):
        for got, raw in zip(pair, batches(step), strict=True):
            assert got.dtype == np.float32
            for image, cut in zip(got, raw, strict=True):
                channels = (Image.fromarray(cut[..., k].astype("f4") / 127.5 - 1) for k in range(3))
                expected = np.stack([c.resize((size, size), Image.Resampling.BILINEAR) for c in channels], -1)
                np.testing.assert_allclose(image, expected, atol=1e-4)


def test_holdout_and_rest_are_a_partition():
    kept, held = split(10, 3, seed=5)
    assert len(held) == 3
    assert sorted([*kept, *held]) == list(range(10))
    np.testing.assert_array_equal(split(10, 3, seed=5)[1], held)


def test_loading_tells_what_was_read_and_skipped(data_folder, capsys):
    (data_folder / "photo_jpg" / "photo00.jpg").write_bytes(b"nothing")
    pair = load_pair(data_folder, skip_bad=True, format="jpg")
    assert [len(pair[name][1]) for name in ("monet", "photo")] == [3, 4]
    out = capsys.readouterr().out
    assert "skipped: photo_jpg/photo00.jpg: not a JPEG" in out
    assert "photo: 4 images from jpg, 1 bad record skipped" in out
