"""Lesson 1: measures against NumPy and Pillow by hand, figures by what they hold, wrong answers refused."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from inputs import example, jpeg, make_data, write_shard
from matplotlib import pyplot as plt
from matplotlib.colors import rgb_to_hsv

from monet_lib.course import eda as lesson
from monet_lib.course import eda_checks as check
from monet_lib.data.reading import find_images, load


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    """Surveys of 6 paintings and 9 photos, and their pixels."""
    root = make_data(tmp_path_factory.mktemp("eda"), 6, 9)
    images = {name: find_images(root, name) for name in lesson.LABELS}
    return {k: lesson.survey(i) for k, i in images.items()}, {k: load(i)[1] for k, i in images.items()}, root


def test_a_survey_measures_every_image(surveyed):
    surveys, pixels, _ = surveyed
    for name, of in surveys.items():
        images = pixels[name].astype(float)
        hsv = rgb_to_hsv(images / 255)
        np.testing.assert_allclose(of.columns["brightness"], images.mean((1, 2, 3)))
        np.testing.assert_allclose(of.columns["spread"], images.std((1, 2, 3)))
        for c, channel in enumerate(lesson.CHANNELS):
            np.testing.assert_allclose(of.columns[channel], images[..., c].mean((1, 2)))
            assert (of.histograms[:, c] @ np.arange(256) == images[..., c].sum((1, 2))).all()
        np.testing.assert_allclose(of.columns["chroma"], np.ptp(images, 3).mean((1, 2)))
        np.testing.assert_allclose(of.columns["saturation"], hsv[..., 1].mean((1, 2)))
        assert (of.histograms.sum(2) == 256 * 256).all()
        assert of.thumbs.shape == (len(images), 32, 32, 3)


def test_a_limit_takes_the_first_images(surveyed):
    surveys, _, root = surveyed
    for limit in (1, 6, 7):
        part = lesson.survey(find_images(root, "photo"), limit)
        assert part.names == surveys["photo"].names[:limit]
        np.testing.assert_array_equal(part.thumbs, surveys["photo"].thumbs[:limit])


def test_copies_are_found(tmp_path):
    again = [jpeg(1), jpeg(2), jpeg(3), jpeg(2)]
    records = [example(data, str(k), "monet") for k, data in enumerate(again)]
    write_shard(tmp_path / "monet_tfrec" / "monet00-4.tfrec", records)
    found = lesson.survey(find_images(tmp_path, "monet"))
    assert len(set(found.digests)) == 3
    best, index = lesson.closest(found.thumbs)
    assert (index[1], index[3]) == (3, 1)
    assert best[1] == pytest.approx(1)
    assert max(best[0], best[2]) < 0.9


def test_closest_agrees_with_correlation_across_its_blocks():
    thumbs = np.random.default_rng(0).integers(0, 256, (600, 4, 4, 3), np.uint8)
    by_hand = np.corrcoef(thumbs.reshape(600, -1)) - 3 * np.eye(600)
    best, index = lesson.closest(thumbs)
    np.testing.assert_allclose(best, by_hand.max(1), atol=1e-5)
    np.testing.assert_array_equal(index, by_hand.argmax(1))


def test_an_image_of_one_colour_resembles_nothing():
    best, _ = lesson.closest(np.stack([np.full((32, 32, 3), 9, np.uint8)] * 2))
    assert (best == 0).all()


def test_shrink_takes_means():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert (lesson.shrink(image, 2)[0, 0] == np.rint(image[:2, :2].mean((0, 1)))).all()


def test_effect_size():
    a, b = np.array([1.0, 2, 3, 4]), np.array([3.0, 5, 7])
    # Means 2.5 and 5, variances 5/3 and 4: pooled (3 * 5/3 + 2 * 4) / 5 = 2.6.
    assert lesson.cohens_d(a, b) == pytest.approx(-2.5 / 2.6**0.5)
    x = np.random.default_rng(0).normal(size=100_000)
    assert lesson.cohens_d(x[:50_000] + 0.5, x[50_000:]) == pytest.approx(0.5, abs=0.02)


def test_effects_have_intervals_and_the_table_prints_them(surveyed, capsys):
    surveys, _, root = surveyed
    found = lesson.effects(surveys["monet"], surveys["photo"])
    assert list(found) == list(lesson.MEASURES)
    assert all(low < d < high for d, low, high in found.values())
    assert found == lesson.effects(surveys["monet"], surveys["photo"])
    lesson.claims_table(root)
    lines = capsys.readouterr().out.splitlines()
    assert "6 paintings, 9 photos" in lines[1]
    assert f"{found['brightness'][0]:+.2f}" in lines[2]
    assert len(lines) == 2 + len(lesson.MEASURES)


def test_palette_finds_the_colours_and_their_shares():
    image = np.zeros((40, 40, 3), np.uint8)
    image[:10], image[10:20] = (200, 30, 30), (250, 250, 250)
    assert lesson.palette(image, 3) == [(0.5, (0, 0, 0)), (0.25, (200, 30, 30)), (0.25, (250, 250, 250))]


def test_bars_show_the_numbers():
    figure = lesson.bars_figure({"a": {"Monet": 300, "photo": 7038}, "b": {"x": 1.5}}, "images")
    widths = [[bar.get_width() for bar in axis.patches] for axis in figure.axes]
    assert widths == [[300, 7038], [1.5]]
    assert [text.get_text().strip() for text in figure.axes[0].texts] == ["300", "7,038"]
    assert all(axis.get_xlabel() == "images" and axis.get_title() for axis in figure.axes)
    plt.close(figure)


def test_the_explorer_draws_the_chosen_image_and_channel(surveyed):
    surveys, pixels, _ = surveyed
    draw = lesson.channel_explorer(pixels, surveys)
    for domain, number, channel, lines in (("monet", 0, "all", 6), ("photo", 4, "green", 2)):
        figure = draw(domain=domain, number=number, channel=channel)
        left, right = figure.axes
        np.testing.assert_array_equal(left.images[0].get_array(), pixels[domain][number])
        assert len(right.get_lines()) == lines
        first = lesson.CHANNELS.index("red" if channel == "all" else channel)
        own, whole = (line.get_ydata() for line in right.get_lines()[:2])
        counts = np.histogram(pixels[domain][number][..., first], 256, (0, 256))[0]
        np.testing.assert_allclose(own, 100 * counts / 65536)
        every = np.histogram(pixels[domain][..., first], 256, (0, 256))[0]
        np.testing.assert_allclose(whole, 100 * every / every.sum())
        plt.close(figure)


def feature(record, name):
    return tf.train.Example.FromString(record).features.feature[name].bytes_list.value[0]


def pixels_of(record):
    return tf.io.decode_jpeg(feature(record, "image"), channels=3).numpy()


def walked(compared):
    """A reader of shards that compares only some of the checksums; "padded": it goes on where bytes are missing."""

    def walk(raw):
        found, place = [], 0
        while place < len(raw):
            length, of_length = struct.unpack("<QI", raw[place : place + 12])
            data = raw[place + 12 : place + 12 + length]
            wrong = "length" in compared and check.checksum(raw[place : place + 8]) != of_length
            if "data" in compared:
                after = raw[place + 12 + length : place + 16 + length]
                (of_data,) = struct.unpack("<I", after.ljust(4, b"\0") if "padded" in compared else after)
                wrong |= check.checksum(data) != of_data
            if wrong:
                raise ValueError(place)
            found.append(data)
            place += 16 + length
        return found

    return walk


def test_a_framed_record_is_tensorflows(tmp_path):
    with tf.io.TFRecordWriter(str(file := tmp_path / "a.tfrec")) as writer:
        for data in (b"first", bytes(range(256)), b""):
            writer.write(data)
    assert file.read_bytes() == b"".join(map(check.framed, (b"first", bytes(range(256)), b"")))


MEANT = dict(check.MEANINGS)
WRONG = [
    (check.record, lambda r: ..., "nothing here yet"),
    (check.record, pixels_of, "return two things"),
    (check.record, lambda r: (feature(r, "image_name"), pixels_of(r)), ".decode()"),
    (check.record, lambda r: (feature(r, "target").decode(), pixels_of(r)), "image_name"),
    (check.record, lambda r: ("ramp", feature(r, "image")), "a bytes, not an array"),
    (check.record, lambda r: ("ramp", pixels_of(r)[..., :1]), "64 x 256 x 1"),
    (check.record, lambda r: ("ramp", pixels_of(r) / 127.5 - 1), "0 to 255"),
    (check.record, lambda r: feature(r, "nothing"), "raised IndexError"),
    (check.reds, ..., "nothing here yet"),
    (check.reds, (60, 0, 0), "shape 3"),
    (check.reds, [(60, 0, 0), (300, 240, 240)], "outside 0..255"),
    (check.reds, [(60, 0, 0), (240, 100, 100)], "60 and 140"),
    (check.reds, [(5, 0, 0), (250, 245, 245)], "at least 20"),
    (check.reds, [(240, 180, 180), (60, 0, 0)], "make the first darker"),
    (check.meaning, dict.fromkeys(MEANT, (..., ...)), "nothing here yet"),
    (check.meaning, {}, "give a pair"),
    (check.meaning, MEANT | {"S0: darker": ("spread", -1)}, "doesn't measure"),
    (check.meaning, MEANT | {"S0: darker": ("brightness", 1)}, "true or not"),
    (check.meaning, MEANT | {"S3: more intense colours": ("saturation", 1)}, "darkness raises it"),
    (check.back, lambda x: ..., "nothing here yet"),
    (check.back, lambda x: x[..., 0], "shape 64 x 256"),
    (check.back, lambda x: np.clip(np.rint((x + 1) * 127.5), 0, 255), "float32"),
    (check.back, lambda x: np.rint((x + 1) * 127.5).astype(int).astype(np.uint8), "wraps around"),
    (check.back, lambda x: np.clip((x + 1) * 127.5, 0, 255).astype(np.uint8), "63 of 256 levels"),
    (
        check.back,
        lambda x: np.clip(np.rint((x + 1) * 128), 0, 255).astype(np.uint8),
        "don't come back",
    ),
    (check.walk, lambda raw: [check.framed(b"first")], "give the data alone"),
    (check.walk, lambda raw: [b"first"], "the shard holds 3"),
    (check.walk, walked(()), "a bit of the second record's data flipped: you read on"),
    (check.walk, walked(("length",)), "a bit of the second record's data flipped"),
    (check.walk, walked(("data",)), "instead of ValueError. Check the length first"),
    (check.walk, walked(("data", "padded")), "checksum of the second record's length flipped: you read on"),
    (check.deal, (300, 23.46, 6738), "not 300.0 steps"),
    (check.deal, (1759, 1, 6738), "not 1.0 times"),
    (check.deal, (1759, 23.46, 0), "not 0.0 of 7,038"),
]


@pytest.mark.parametrize(("tested", "answer", "hint"), WRONG)
def test_a_wrong_answer_is_refused_with_its_hint(tested, answer, hint):
    assert hint in (tested.hint(answer) or "accepted")


def test_the_expected_pictures_are_right_answers():
    red, pink = (tuple(map(int, c)) for c in check.reds.expected()[0, [0, -1]])
    assert check.reds.hint((red, pink)) is None
    picture = check.back.expected()[0, :, 0].astype(int)
    assert (picture[0], picture[-1]) == (0, 255)
    assert (np.diff(picture) >= 0).all()
    assert all(len(c.alt) >= 30 for c in (check.record, check.reds, check.back))


@pytest.mark.real_data
def test_what_the_lesson_says_of_the_real_images():
    import os

    surveys = [lesson.survey(find_images(os.environ["MONET_DATA"], name)) for name in lesson.LABELS]
    d = {measure: found[0] for measure, found in lesson.effects(*surveys, draws=2).items()}
    assert d["brightness"] == pytest.approx(0.86, abs=0.05)
    assert d["spread"] == pytest.approx(-0.55, abs=0.05)
    assert abs(d["chroma"]) < 0.2
    assert d["saturation"] == pytest.approx(-0.56, abs=0.05)
