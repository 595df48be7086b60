"""What the lessons draw and measure: tested on cases whose answer is known."""

import subprocess
import sys

import keras
import matplotlib
import numpy as np
import pytest
import tensorflow as tf

from monet_lib.course import dcgan, resnet, submission, tools, unet
from monet_lib.model import patch_discriminator, receptive_field
from monet_lib.paint import painting
from monet_lib.recipes import profile

rng = np.random.default_rng(0)


def test_a_lesson_chooses_the_backend_before_keras_is_imported():
    code = "import sys, monet_lib.course; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (5, 2), (4, 3)])
def test_overlaps_are_what_a_transposed_convolution_of_ones_gives(kernel, stride):
    layer = keras.layers.Conv1DTranspose(1, kernel, stride, "same", use_bias=False, kernel_initializer="ones")
    expected = layer(np.ones((1, 6, 1), np.float32)).numpy()[0, :, 0]
    np.testing.assert_allclose(resnet.overlaps(6, kernel, stride), expected, atol=1e-5)


def test_unevenness_is_the_amplitude_of_a_checkerboard_and_blind_to_a_shift():
    place = np.add.outer(np.arange(48), np.arange(48))
    board = 0.25 * (place % 2 * 2 - 1)[None, ..., None] * np.ones((1, 48, 48, 3))
    assert resnet.unevenness(board) == pytest.approx(0.25)
    assert resnet.unevenness(board + 0.3) == pytest.approx(0.25)
    assert resnet.unevenness(np.ones((2, 48, 48, 3))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("row", "column"), [(4, 25), (15, 10)])
def test_the_marked_patch_is_where_the_gradient_reaches(row, column):
    network = patch_discriminator((2, 2, 2, 2), norm="none")
    for variable in network.trainable_variables:
        variable.assign(np.full(variable.shape, 0.1, "float32"))
    image = tf.Variable(np.ones((1, 256, 256, 3), "float32"))
    with tf.GradientTape() as tape:
        answer = network(image)[0, row, column, 0]
    slopes = np.abs(tape.gradient(answer, image)[0].numpy()).sum(-1)
    reached = np.argwhere(slopes > 1e-5 * slopes.max())  # beyond it, 0 or rounding
    figure = resnet.patch_figure(np.zeros((256, 256, 3), np.uint8), row, column)
    (left, top), side = figure.axes[0].patches[0].get_xy(), figure.axes[0].patches[0].get_width()
    matplotlib.pyplot.close(figure)
    assert side == receptive_field(resnet.PATCHGAN) == 70
    np.testing.assert_array_equal(reached.min(0), np.maximum([top, left], 0))
    np.testing.assert_array_equal(reached.max(0), np.minimum([top + 69, left + 69], 255))


def test_shrunk_pictures_stay_in_the_range():
    extremes = np.stack([np.zeros((256, 256, 3), np.uint8), np.full((256, 256, 3), 255, np.uint8)])
    for size in (32, 64, 128):
        small = tools.shrunk(extremes, size)
        assert small.shape == (2, size, size, 3)
        assert (small.min(), small.max()) == (-1, 1)


def test_half_of_a_full_pools_images_are_fresh():
    ages = resnet.pool_ages(5, 400)
    assert len(ages) == 400
    assert ages.min() == 0
    assert np.mean(ages == 0) == pytest.approx(0.5, abs=0.08)
    assert ages.mean() == pytest.approx(5, rel=0.4)  # half wait, each 2 * 5 steps in the mean


def test_an_average_jitters_less_than_what_it_follows():
    weight, average = resnet.noisy_descent()
    assert average[200:].std() < 0.5 * weight[200:].std()


def test_regress_fits_pairs_and_finds_the_middle_of_what_has_no_pair():
    inputs = rng.uniform(-1, 1, (6, 8, 8, 3)).astype("float32")
    targets = np.concatenate([np.full((3, 8, 8, 3), -0.5), np.full((3, 8, 8, 3), 0.5)]).astype("float32")
    for paired in (True, False):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Flatten(), keras.layers.Dense(192), keras.layers.Reshape((8, 8, 3))]
        network = keras.Sequential([keras.Input((8, 8, 3)), *layers])
        losses = unet.regress(network, inputs, targets, 150, paired=paired, rate=0.02)
        made = network(inputs).numpy().mean((1, 2, 3))
        assert losses.shape == (150,)
        assert (made[3:].mean() - made[:3].mean() > 0.7) == paired


def test_made_up_translators_cost_what_arithmetic_says():
    monets, photos = (rng.uniform(-0.5, 0.5, (3, 16, 16, 3)).astype("float32") for _ in range(2))
    found = unet.candidate_losses(lambda x: tf.zeros((len(x), 2, 2, 1)), monets, photos)
    assert found["do nothing"] == pytest.approx((np.log(2), 0, 0))
    assert found["paint blue, and back"] == pytest.approx((np.log(2), 0, 2 * 0.7 / 3), abs=1e-6)
    assert found["negative, and back"][2] == pytest.approx(2 * np.abs(monets).mean() + 2 * np.abs(photos).mean())


def test_a_short_run_trains_and_repeats():
    config = profile("tiny", image_size=32, generator_filters=2, residual_blocks=1, discriminator_filters=2)
    pixels = rng.integers(0, 256, (2, 3, 256, 256, 3), np.uint8)
    (one, history), (two, _) = (tools.short_run(config, *pixels, 2) for _ in range(2))
    assert history["cycle"].shape == history["seconds"].shape == (2,)
    for a, b in zip(one.monet_generator.get_weights(), two.monet_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_discriminator_is_taught_and_watched():
    monets, photos = np.full((3, 32, 32, 3), 0.8, "float32"), np.full((3, 32, 32, 3), -0.8, "float32")
    keras.utils.set_random_seed(0)
    network, watch = patch_discriminator((4, 4, 4, 4), norm="none"), {"seen": monets, "photo": photos}
    found = tools.teach_discriminator(network, monets, photos, 40, rate=5e-3, policy="translation", watch=watch)
    assert list(found) == ["step", "loss", "seen", "photo"]
    assert len(found["step"]) == 20
    assert found["loss"][-1] < found["loss"][0]
    assert found["seen"][-1] > 0 > found["photo"][-1]


def test_five_fold_gives_the_image_and_four_copies_of_it():
    images = np.linspace(-1, 1, 3 * 16 * 16 * 3, dtype=np.float32).reshape(3, 16, 16, 3)
    same, down, mirrored, cropped, noisy = np.split(dcgan.five_fold(images, np.random.default_rng(0)), 5)
    np.testing.assert_array_equal(same, images)
    np.testing.assert_array_equal(down, images[:, ::-1])
    np.testing.assert_array_equal(mirrored, images[:, :, ::-1])
    # The images are linear in the pixel's place, and a crop enlarged again is flatter by the share that was kept.
    slope = lambda x: np.diff(x[:, 4:12], axis=1).mean()  # noqa: E731
    assert slope(cropped) == pytest.approx(0.875 * slope(images), rel=0.02)
    assert 0.03 < np.std(noisy - images) < 0.06
    again = dcgan.five_fold(images, np.random.default_rng(0))
    np.testing.assert_array_equal(again[-3:], noisy)


def test_the_nearest_painting_is_found_with_its_distance():
    paintings = rng.uniform(-1, 1, (5, 8, 8, 3))
    found, distances = dcgan.nearest(paintings[[3, 1]] + 0.1, paintings)
    np.testing.assert_array_equal(found, paintings[[3, 1]])
    np.testing.assert_allclose(distances, 0.1)


def test_fakes_collapse_against_a_frozen_discriminator_and_spread_against_one_that_keeps_up():
    frozen, moving = (dcgan.chase(400, frozen=still)[-1] for still in (True, False))
    # d/dx of log p - log q is 0 where -(x - 1) / 0.25 + (x + 0.5) / 0.64 = 0, the highest value of p / (p + q).
    assert frozen.mean() == pytest.approx((1 / 0.25 + 0.5 / 0.64) / (1 / 0.25 - 1 / 0.64), abs=0.2)
    assert frozen.std() < 0.05
    assert (moving.mean(), moving.std()) == pytest.approx((1, 0.5), abs=0.1)


def test_the_price_of_knowing_nothing_is_the_lowest_of_all_constant_answers():
    p = np.linspace(0.001, 0.999, 9999)
    cost = -(0.9 * np.log(p) + 0.1 * np.log(1 - p)) - np.log(1 - p)
    assert dcgan.BLIND["discriminator"] == pytest.approx(cost.min(), abs=1e-6)
    assert dcgan.BLIND["generator"] == pytest.approx(-np.log(p[cost.argmin()]), abs=1e-3)


def test_mistakes_of_writing_are_the_ones_they_are_called():
    x = np.float32([-1, -0.5, 0, 0.5, 1]).reshape(1, 1, 5, 1) * np.ones(3, np.float32)
    found = {name: images[0, 0, :, 0] for name, images in submission.written_wrong(x).items()}
    np.testing.assert_array_equal(found["right"], [0, 64, 128, 191, 255])
    np.testing.assert_array_equal(found["cast from [0, 1]"], [0, 0, 0, 0, 1])
    np.testing.assert_array_equal(found["255 instead of 127.5"], [0, 127, 255, 126, 254])
    colors = np.float32([[[[-1, 0, 1]]]])
    np.testing.assert_array_equal(submission.written_wrong(colors)["blue and red swapped"], [[[[255, 128, 0]]]])


def test_a_split_view_shows_both_sides():
    photo, painted = np.zeros((4, 8, 3), np.uint8), np.full((4, 8, 3), 100, np.uint8)
    view = submission.split_view(photo, painted, 0.5)
    np.testing.assert_array_equal(view[0, :, 0], [0, 0, 0, 255, 255, 100, 100, 100])


def test_the_courses_photographs_are_squares_and_a_notebook_alone_takes_others(monkeypatch, tmp_path):
    others = np.zeros((2, 256, 256, 3), np.uint8)
    squares = painting.photographs(others)
    assert squares.shape[1:] == (256, 256, 3)
    assert squares.std((1, 2, 3)).min() > 20, "each shows something"
    monkeypatch.setattr(painting, "COURSE", tmp_path)
    assert painting.photographs(others) is others


def test_the_drawing_of_a_cyclegan_has_six_passes_and_twelve_arrows():
    figure = unet.cyclegan_figure()
    texts = [text.get_text() for text in figure.axes[0].texts]
    matplotlib.pyplot.close(figure)
    assert sorted(text[-1] for text in texts if text.startswith(("paint", "back"))) == list("①②③④⑤⑥")
    assert texts.count("") == 12  # an arrow is an annotation without text
    assert (texts.count("adversarial"), texts.count("identity")) == (2, 2)


def test_the_cheapest_translator_is_marked_by_its_weighted_sum():
    losses = {"a": (1.0, 0.0, 0.0), "b": (0.0, 0.3, 0.0), "c": (0.0, 0.0, 0.5)}
    for weights, cheapest in (((10.0, 5.0), 0), ((1.0, 5.0), 1), ((10.0, 1.0), 2)):
        (axis,) = (figure := unet.weights_figure(losses, *weights)).axes
        matplotlib.pyplot.close(figure)
        assert axis.texts[0].get_position()[1] == cheapest


@pytest.mark.parametrize(
    "draw",
    [
        lambda: unet.hourglass_figure([4, 8, 16], 32),
        lambda: unet.answers_figure(np.zeros((8, 8, 3)), np.zeros((2, 2, 1)), "a"),
        dcgan.gan_figure,
        lambda: dcgan.chase_figure({"a": dcgan.chase(3, True)}),
        lambda: resnet.patch_figure(np.zeros((256, 256, 3), np.uint8), 0, 29),
        lambda: submission.scores_figure({"a": (1, 0), "b": (2, 0.1)}, "title", "distance"),
    ],
)
def test_figures_have_titles(draw):
    figure = draw()
    assert any(axis.get_title() for axis in figure.axes)
    matplotlib.pyplot.close(figure)
