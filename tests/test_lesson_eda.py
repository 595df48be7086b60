"""Lesson 1: measures against NumPy and Pillow, figures by what they hold."""

import numpy as np
import pytest
from inputs import example, jpeg, make_data, write_shard
from matplotlib import pyplot as plt
from matplotlib.colors import rgb_to_hsv
from PIL import Image, ImageCms

from monet_lib.course import eda as lesson
from monet_lib.data.reading import find_images, load
from monet_lib.score import Score


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    """Surveys of 6 paintings and 9 photos, and their pixels."""
    root = make_data(tmp_path_factory.mktemp("eda"), 6, 9)
    images = {name: find_images(root, name) for name in lesson.LABELS}
    return {k: lesson.survey(i) for k, i in images.items()}, {k: load(i)[1] for k, i in images.items()}


def test_a_survey_measures_every_image(surveyed):
    surveys, pixels = surveyed
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
    assert (lesson.closest(0 * thumbs[:2] + 9)[0] == 0).all(), "an image of one colour resembles nothing"


def test_shrink_takes_means():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert (lesson.shrink(image, 2)[0, 0] == np.rint(image[:2, :2].mean((0, 1)))).all()


def test_effect_size():
    a, b = np.array([1.0, 2, 3, 4]), np.array([3.0, 5, 7])
    # Means 2.5 and 5, variances 5/3 and 4: pooled (3 * 5/3 + 2 * 4) / 5 = 2.6.
    assert lesson.cohens_d(a, b) == pytest.approx(-2.5 / 2.6**0.5)


def test_effects_have_intervals_and_repeat(surveyed):
    found, again = (lesson.effects(*surveyed[0].values()) for _ in range(2))
    assert list(found) == list(lesson.MEASURES)
    assert all(low < d < high for d, low, high in found.values())
    assert found == again


def test_lab_agrees_with_littlecms():
    """Pillow's colour management as the reference: 8 bits, so half a level of rounding, L in 255ths of 100."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    pixels[0, :5] = (255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0), (3, 2, 1)
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    convert = ImageCms.buildTransform(*profiles, "RGB", "LAB", renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC)
    found = np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), convert))
    lab = lesson.to_lab(pixels)
    np.testing.assert_allclose(lab[..., 0], found[..., 0] / 2.55, atol=0.3)
    np.testing.assert_allclose(lab[..., 1:], found[..., 1:].astype(np.int8), atol=0.9)
    np.testing.assert_allclose(lab[0, :2], [(100, 0, 0), (0, 0, 0)], atol=1e-9)


def test_lab_and_back_changes_no_level():
    pixels = np.stack(np.meshgrid(*[np.arange(0, 256, 5)] * 3), -1).astype(np.uint8)
    np.testing.assert_array_equal(lesson.from_lab(lesson.to_lab(pixels)), pixels)
    assert lesson.from_lab([150.0, 0, 0]).tolist() == [255] * 3, "clipped"


def test_colour_transfer_gives_photo_k_the_colours_of_painting_k():
    rng = np.random.default_rng(0)
    photos, paintings = rng.integers(0, 256, (3, 32, 32, 3), np.uint8), rng.integers(90, 160, (2, 32, 32, 3), np.uint8)
    photos[1] = 77  # one colour: no spread to stretch
    before = photos.copy()
    made = lesson.color_transfer(photos, paintings)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(photos, before)
    for k, style in ((0, 0), (2, 0), (1, 1)):
        own, wanted = (lesson.to_lab(image).reshape(-1, 3) for image in (made[k], paintings[style]))
        np.testing.assert_allclose(own.mean(0), wanted.mean(0), atol=0.5)
        if k != 1:
            np.testing.assert_allclose(own.std(0), wanted.std(0), atol=0.1)
    assert np.ptp(made[1], (0, 1)).max() == 0


def test_figures_hold_the_numbers():
    figure = lesson.met_figure({"again": np.zeros(10, int), "each": np.arange(10)}, 20)
    again, each = (line.get_ydata() for line in figure.axes[0].get_lines())
    np.testing.assert_allclose(again, 5)
    np.testing.assert_allclose(each, 5 * np.arange(1, 11))
    counts = {name: np.random.default_rng(k).random((2, 3, 256)) for k, name in enumerate(lesson.LABELS)}
    figure = lesson.histograms_figure(counts, {"counts": "pixels", "shares": "%"})
    for axis, (row, c) in zip(figure.axes, np.ndindex(2, 3), strict=True):
        drawn = [line.get_ydata() for line in axis.get_lines()]
        np.testing.assert_array_equal(drawn, [values[row, c] for values in counts.values()])
    figure = lesson.effects_figure({"brightness": (0.5, 0.25, 1.0), "spread": (-1.0, -2.0, -0.5)})
    ((points, _, (bars,)),) = figure.axes[0].containers
    assert points.get_xdata().tolist() == [0.5, -1.0]
    assert [segment[:, 0].tolist() for segment in bars.get_segments()] == [[0.25, 1.0], [-2.0, -0.5]]
    figure = lesson.scores_figure({"a": Score("x", False, 9, 9, 1.0, 0.2, 0.05, 0.3, 1.0)})
    ((points, _, (bars,)),) = figure.axes[0].containers
    assert points.get_xdata().tolist() == [0.2]
    assert bars.get_segments()[0][:, 0] == pytest.approx([0.15, 0.25])
    plt.close("all")
