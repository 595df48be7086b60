"""Lesson 1: measures against NumPy and Pillow by hand, figures by what they hold."""

import os

import numpy as np
import pytest
from inputs import example, jpeg, make_data, write_shard
from matplotlib import pyplot as plt
from matplotlib.colors import rgb_to_hsv

from monet_lib.course import eda as lesson
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


def test_effects_have_intervals_and_repeat(surveyed):
    surveys, *_ = surveyed
    found = lesson.effects(surveys["monet"], surveys["photo"])
    assert list(found) == list(lesson.MEASURES)
    assert all(low < d < high for d, low, high in found.values())
    assert found == lesson.effects(surveys["monet"], surveys["photo"])


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


@pytest.mark.real_data
def test_what_the_lesson_says_of_the_real_images():
    surveys = [lesson.survey(find_images(os.environ["MONET_DATA"], name)) for name in lesson.LABELS]
    d = {measure: found[0] for measure, found in lesson.effects(*surveys, draws=2).items()}
    assert d["brightness"] == pytest.approx(0.86, abs=0.05)
    assert d["spread"] == pytest.approx(-0.55, abs=0.05)
    assert abs(d["chroma"]) < 0.2
    assert d["saturation"] == pytest.approx(-0.56, abs=0.05)
