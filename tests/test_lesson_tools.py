"""What the lessons draw and measure: tested on cases whose answer is known."""

import subprocess
import sys

import keras
import matplotlib
import numpy as np
import pytest
import tensorflow as tf
from inputs import SMALLEST, weights
from keep_features import write_features
from PIL import Image

from monet_lib.course import dcgan, resnet, submission, tools, unet
from monet_lib.data import find_images, load
from monet_lib.data.batches import hold_out, split
from monet_lib.files import COURSE, UserError
from monet_lib.model import ResidualBlock, patch_discriminator, receptive_field, unet_generator
from monet_lib.model.cyclegan import build
from monet_lib.paint import painting
from monet_lib.recipes import profile
from monet_lib.score import Score, kernel_distance
from monet_lib.score.diagnosis import Evidence, diagnose
from monet_lib.score.scoring import random_network
from monet_lib.train import Run

rng = np.random.default_rng(0)


def test_a_lesson_chooses_the_backend_before_keras_is_imported_and_collecting_needs_none():
    code = "import sys, monet_lib.course; print(sorted({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (5, 2), (4, 3)])
def test_overlaps_are_what_a_transposed_convolution_of_ones_gives(kernel, stride):
    layer = keras.layers.Conv1DTranspose(1, kernel, stride, "same", use_bias=False, kernel_initializer="ones")
    expected = layer(np.ones((1, 6, 1), np.float32)).numpy()[0, :, 0]
    np.testing.assert_allclose(resnet.overlaps(6, kernel, stride), expected, atol=1e-5)


def test_unevenness_is_the_amplitude_of_a_checkerboard_and_blind_to_a_shift():
    place = np.add.outer(np.arange(48), np.arange(48))
    board = 0.25 * (place % 2 * 2 - 1)[None, ..., None] * np.ones((1, 48, 48, 3))
    assert resnet.unevenness(board + 0.3) == pytest.approx(0.25)
    assert resnet.unevenness(np.ones((2, 48, 48, 3))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("row", "column"), [(4, 25), (0, 29)])
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
    height, width = np.ptp(reached, 0) + 1
    assert figure.axes[1].get_title().endswith(f" {height}×{width} pixels")


def test_shrunk_pictures_stay_in_the_range():
    extremes = np.stack([np.zeros((256, 256, 3), np.uint8), np.full((256, 256, 3), 255, np.uint8)])
    for size in (32, 64, 128):
        small = tools.shrunk(extremes, size)
        assert small.shape == (2, size, size, 3)
        assert (small.min(), small.max()) == (-1, 1)


def test_lesson_4_holds_out_what_the_training_holds_out(capsys):
    plan, kept, out = resnet.settings(profile("tiny"), COURSE / "data" / "sample")
    for name in ("monet", "photo"):
        pixels = load(find_images(COURSE / "data" / "sample", name))[1]
        for ours, theirs in zip((kept[name], out[name]), hold_out(pixels, name, plan.quick), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert len(out[name]) == 4
    assert "held out" in capsys.readouterr().out


def test_the_gap_that_pixels_descend_is_the_kid_of_one_draw():
    x, y = rng.normal(size=(7, 5)), rng.normal(0.5, 2, size=(7, 5))
    expected, _ = kernel_distance(x, y, subsets=1, size=7)
    found = resnet.kernel_gap(tf.constant(x), tf.constant(y))
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_style_statistics_move_a_photo_towards_its_own_painting():
    photos = np.full((2, 64, 64, 3), 128, np.uint8)
    noise, flat = rng.integers(0, 256, (64, 64, 3), np.uint8), np.full((64, 64, 3), 128, np.uint8)
    rough, calm = resnet.style_statistics(photos, np.stack([noise, flat]), 6).astype(int)
    assert rough.std() > 1.3 * calm.std()


def test_the_repaired_block_is_the_librarys():
    layer = ResidualBlock(3)
    x = rng.normal(size=(2, 6, 6, 3)).astype("float32")
    layer(x)
    kernels = [weight for weight in layer.trainable_variables if weight.shape[:2] == (3, 3)]
    for kernel in kernels:
        kernel.assign(20 * kernel)  # so that the norms' epsilons don't count
    first, second = (kernel.numpy() for kernel in kernels)
    np.testing.assert_allclose(layer(x), resnet.residual_block(x, first, second), atol=2e-3)


def test_the_sick_runs_show_what_their_solution_says():
    runs = resnet.read_faults()
    assert list(runs) == ["healthy", *resnet.FAULTS]
    fool, tell, cycle = range(3)
    ends = {name: curves[:, -10:].mean(1) for name, (curves, _) in runs.items()}
    sides = {name: np.split(picture.astype(int), 2, 1) for name, (_, picture) in runs.items()}
    half = runs["A"][0].shape[1] // 2
    jump = lambda name: runs[name][0][tell, half : half + 3].mean() / runs[name][0][tell, half - 3 : half].mean()  # noqa: E731
    assert jump("A") > 1.5 * jump("healthy")
    assert sides["B"][0].min() > 100 > sides["healthy"][0].min()
    assert max(ends["C"][fool], ends["C"][tell]) < 0.1 < min(ends["healthy"][:2])
    assert sides["D"][1].std() < 0.5 * sides["D"][0].std()
    grid = {name: resnet.unevenness(sides[name][1][None], 4) for name in ("healthy", "E")}
    assert grid["E"] > 1.2 * grid["healthy"]
    assert np.abs(np.subtract(*sides["F"])).mean() < 0.5 * np.abs(np.subtract(*sides["healthy"])).mean()
    assert ends["F"][cycle] < 0.5 * ends["healthy"][cycle]
    assert resnet.FAULTS_FILE.stat().st_size < 100_000


def test_the_tool_names_the_sick_runs_that_the_solution_says_it_names():
    said = {}
    for name, (curves, picture) in resnet.read_faults().items():
        photo, painting = np.split(picture[None].astype("float32") / 127.5 - 1, 2, 2)
        history = dict(zip(resnet.CURVES, curves, strict=True))
        settings = {"steps": resnet.FAULT_STEPS}
        said[name] = diagnose(Evidence(history, photo, painting, fed=photo, settings=settings, step=resnet.FAULT_STEPS))
    assert {name: found.cause for name, found in said.items()} == {
        "healthy": "healthy", "A": "stale resume", "B": "wrong scale", "C": "labels swapped", "D": "rate too high",
        "E": "healthy", "F": "copy",
    }  # fmt: skip


def test_made_up_translators_cost_what_arithmetic_says():
    pixels = {name: rng.integers(60, 200, (3, 128, 128, 3), np.uint8) for name in ("monet", "photo")}
    translators = {
        "nothing": (lambda x: x, lambda x: x),
        "tint": (lambda x: x + np.float32([-0.3, 0, 0.4]), lambda x: x - np.float32([-0.3, 0, 0.4])),
        "negative": (lambda x: -x, lambda x: -x),
    }
    found = unet.translator_losses(translators, lambda x: tf.zeros((len(x), 2, 2, 1)), pixels)
    sizes = [np.abs(pixels[name] / 127.5 - 1).mean() for name in pixels]
    identity = {"nothing": 0, "tint": 2 * 0.7 / 3, "negative": 2 * sum(sizes)}
    for name, costs in found.items():
        assert list(costs.values()) == pytest.approx([1, 0, identity[name]], abs=1e-4), name


def test_patches_of_a_painting_have_target_1_and_the_half_picture_is_of_images_held_out():
    train, held = ({n: np.full((2, 256, 256, 3), v, np.uint8) for n, v in pair} for pair in (
        (("monet", 100), ("photo", 50)), (("monet", 200), ("photo", 20))))  # fmt: skip
    network = patch_discriminator((2, 2, 2, 2), norm="none")
    pictures, targets, half = unet.patch_task(network, train, held)
    assert targets.shape == network(pictures).shape
    assert [x.mean() for x in targets] == [1, 1, 0, 0]
    assert pictures[0, 0, 0, 0] > pictures[-1, 0, 0, 0]
    assert np.allclose(half[:, :64], 20 / 127.5 - 1, atol=1e-6)
    assert np.allclose(half[:, 64:], 200 / 127.5 - 1, atol=1e-6)


def test_half_of_the_cycles_gradient_is_what_its_name_says():
    images = {name: rng.uniform(-1, 1, (1, 8, 8, 3)).astype("float32") for name in ("monet", "photo")}
    keras.utils.set_random_seed(0)
    paint, back = (unet_generator((4, 4), dropout=0.0) for _ in range(2))
    assert unet.half_gradient(paint, back, images) < 0.9999
    still = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Rescaling(0.0)])  # hands nothing on
    assert unet.half_gradient(paint, still, images) == pytest.approx(1, abs=1e-6)


def test_what_is_measured_of_two_generators_that_darken_and_lighten():
    images = {name: rng.uniform(-0.5, 0.5, (2, 16, 16, 3)).astype("float32") for name in ("monet", "photo")}
    paint, back = (
        keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Rescaling(1.0, shift)]) for shift in (-0.2, 0.3)
    )
    found = unet.measures(paint, back, images)
    assert found == pytest.approx({"cycle": 0.1, "scene": 1.0, "tint": 0.2 * 127.5}, abs=1e-4)


def test_a_short_run_trains_and_repeats():
    config = profile("tiny", **SMALLEST)
    pixels = rng.integers(0, 256, (2, 3, 256, 256, 3), np.uint8)
    (one, history), (two, _) = (tools.short_run(config, *pixels, 2) for _ in range(2))
    assert history["cycle"].shape == history["seconds"].shape == (2,)
    np.testing.assert_array_equal(weights(one.monet_generator), weights(two.monet_generator))


def test_a_discriminator_is_taught_and_watched():
    monets, photos = np.full((3, 32, 32, 3), 0.8, "float32"), np.full((3, 32, 32, 3), -0.8, "float32")
    keras.utils.set_random_seed(0)
    network, watch = patch_discriminator((4, 4, 4, 4), norm="none"), {"seen": monets, "photo": photos}
    found = tools.teach_discriminator(network, monets, photos, 40, rate=5e-3, policy="translation", watch=watch)
    assert list(found) == ["step", "loss", "seen", "photo"]
    assert len(found["step"]) == 20
    assert found["loss"][-1] < found["loss"][0]
    assert found["seen"][-1] > 0 > found["photo"][-1]


def test_the_nearest_square_is_found_at_any_place_mirrored_too_with_its_distance():
    images = rng.uniform(-1, 1, (3, 24, 24, 3))
    cut = images[1, 3:11, 5:13]
    found, distances = dcgan.nearest(np.stack([cut, cut[:, ::-1], cut + 0.1]), images)
    np.testing.assert_array_equal(found, np.stack([cut, cut[:, ::-1], cut]))
    contrast = np.sqrt(np.mean((cut - cut.mean((0, 1))) ** 2))
    np.testing.assert_allclose(distances, [0, 0, 0.1 / contrast], atol=1e-6)
    everywhere = np.lib.stride_tricks.sliding_window_view(images, (8, 8), (1, 2)).transpose(0, 1, 2, 4, 5, 3)
    other = rng.uniform(-1, 1, (8, 8, 3))
    by_hand = min(np.sqrt(((everywhere - x) ** 2).mean((3, 4, 5))).min() for x in (other, other[:, ::-1]))
    assert dcgan.nearest(other[None], images)[1][0] == pytest.approx(by_hand / other.std((0, 1)).mean(), rel=0.02)


def test_clusters_of_the_ring_are_counted_by_the_points_in_them():
    real = dcgan.ring(4000, np.random.default_rng(0))
    assert dcgan.caught(real)[0] == 8
    assert dcgan.caught(real)[1] > 0.95
    assert dcgan.caught(np.zeros((100, 2))) == (0, 0)
    half = np.concatenate([np.repeat(dcgan.CENTERS[[2]], 50, 0), np.zeros((49, 2)), dcgan.CENTERS[[5]]])
    assert dcgan.caught(half) == (1, 0.51)  # one point of a hundred doesn't reach a cluster


def test_an_average_of_weights_comes_with_batch_norms_own_numbers():
    dense = keras.layers.Dense(3)
    generator = keras.Sequential([keras.Input((2,)), dense, keras.layers.BatchNormalization(momentum=0.9)])
    gan = dcgan.DCGAN(generator, keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    gan.compile(keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5), keras.optimizers.SGD(0.0))
    for _ in range(3):  # the bias falls from 0 to -6
        gradients = [tf.fill(w.shape, 2.0 * (w is dense.bias)) for w in generator.trainable_variables]
        gan.generator_optimizer.apply(gradients, generator.trainable_variables)
    dcgan.averaged(gan)
    assert -6 < dense.bias.numpy().mean() < -2
    made = gan(np.random.default_rng(0).normal(size=(4000, 2)).astype("float32")).numpy()
    np.testing.assert_allclose(made.mean(0), 0, atol=0.15)
    np.testing.assert_allclose(made.std(0), 1, atol=0.15)


def test_the_figure_of_the_best_discriminator_knows_where_the_curves_cross():
    keras.utils.set_random_seed(0)
    figure, half, apart = dcgan.game_figure(dcgan.small(1, 1), (1.0, 0.5), (0.0, 0.5))
    matplotlib.pyplot.close(figure)
    assert half == pytest.approx(0.5, abs=0.011)  # equal spreads: in the middle, on a grid of 0.01
    assert apart > 0.3, "an untrained network"


def test_mistakes_of_writing_are_the_ones_they_are_called():
    x = np.float32([-1, -0.5, 0, 0.5, 1]).reshape(1, 1, 5, 1) * np.ones(3, np.float32)
    found = {name: images[0, 0, :, 0] for name, images in submission.written_wrong(x).items()}
    np.testing.assert_array_equal(found["right"], [0, 64, 128, 191, 255])
    np.testing.assert_array_equal(found["cast from [0, 1]"], [0, 0, 0, 0, 1])
    np.testing.assert_array_equal(found["255 instead of 127.5"], [0, 127, 255, 126, 254])
    colors = np.float32([[[[-1, 0, 1]]]])
    np.testing.assert_array_equal(submission.written_wrong(colors)["blue and red swapped"], [[[[255, 128, 0]]]])


def test_a_run_of_lesson_4_is_found_and_its_held_out_images_are_known(tmp_path, monkeypatch, nano, capsys):
    names, folder = [f"p{k}" for k in range(8)], tmp_path / "runs" / "lesson4"
    config = nano.with_(holdout_photos=3, holdout_monets=2)
    pair = {"monet": (names[:5], None), "photo": (names, None)}
    monkeypatch.setattr(submission, "RUNS", (folder,))
    laptop = profile("laptop")
    whose, _, none = submission.own_generator(laptop)
    assert (whose, none) == ("the course's", None)
    run = Run.open(folder, config, tmp_path, pair)
    assert submission.own_generator(laptop)[0] == "the course's", "no generator is saved yet"
    model = build(config, 2)
    run.save_generator(model)
    whose, generator, found = submission.own_generator(laptop)
    assert (whose, found.config) == ("yours", config)
    assert generator.count_params() == model.painter.count_params()
    assert submission.own_generator(profile("tiny"))[0] == "the course's"
    assert submission.own_generator(profile("tiny"), folder)[0] == "yours"
    for kind, count in (("photo", 3), ("monet", 2)):
        seen, unseen = submission.sides(found, pair[kind][0], kind)
        np.testing.assert_array_equal(unseen, split(len(pair[kind][0]), count, config.seed)[1])
        assert sorted([*seen, *unseen]) == list(range(len(pair[kind][0])))
    for strange in (None, found):  # no run, or other images than the run's
        assert [len(side) for side in submission.sides(strange, ["x"] * 8, "photo")] == [4, 4]
    assert "no run of lesson 4" in capsys.readouterr().out
    with pytest.raises(UserError, match="no run is there"):
        submission.own_generator(laptop, tmp_path / "elsewhere")


def test_kept_features_of_real_images_are_small_and_order_what_they_should():
    real = submission.real_features()
    assert submission.FEATURES.stat().st_size < 100_000
    assert {features.shape for features in real.values()} == {(250, submission.MIXTURES)}
    kids = {name: kernel_distance(real[name], real["Monets"])[0] for name in real}
    assert kids["Monets"] < kids["the course's"] < kids["photos"]
    # By all 1,280 features photos have 0.089 and the course's paintings 0.0131.
    assert (kids["photos"], kids["the course's"]) == pytest.approx((0.0891, 0.0131), rel=0.1)


def test_features_are_written_as_they_are_read(tmp_path, monkeypatch):
    file = tmp_path / "features.npz"
    monkeypatch.setattr(submission, "FEATURES", file)
    sets = {name: rng.normal(size=(4, 6)) for name in ("a", "b")}
    write_features(sets, file)
    for name, features in submission.real_features().items():
        np.testing.assert_allclose(features, sets[name], atol=0.02)
    file.write_bytes(b"no archive")
    with pytest.raises(UserError, match="not a readable file of features"):
        submission.real_features()


def test_another_filter_gives_other_features_of_the_same_images():
    network = random_network()
    images = rng.integers(0, 256, (2, 256, 256, 3), np.uint8)
    small = submission.resized(network, Image.Resampling.NEAREST)(images)
    np.testing.assert_allclose(small, network(images[:, 2::4, 2::4]), rtol=1e-5)
    assert np.abs(small - network(images)).max() > 0.1


def test_two_scores_are_told_apart_beyond_both_spreads():
    score = lambda kid, spread: Score("x", False, 9, 9, 1.0, kid, spread, 0.3, 1.0)  # noqa: E731
    assert submission.verdict(score(0.1, 0.02), score(0.2, 0.07)) == "closer than"
    assert submission.verdict(score(0.2, 0.02), score(0.1, 0.07)) == "farther than"
    assert submission.verdict(score(0.1, 0.05), score(0.2, 0.06)) == "not to be told apart from"
    (row,) = submission.table({"a": score(0.1, 0.02)})
    assert row == {"what": "a", "KID": 0.1, "spread": 0.02, "images": 9, "features": "x"}


def test_the_curve_of_a_run_is_its_own_or_the_courses(tmp_path, nano):
    run = Run(tmp_path, nano, {})
    assert submission.validation(None).shape[1] > 3
    np.testing.assert_array_equal(submission.validation(run), submission.validation(None))
    (tmp_path / "validation.csv").write_text("step,kid,kid_std\n10,0.2,0.1\n")
    np.testing.assert_array_equal(submission.validation(run), [[10, 0.2, 0.1]])


def test_the_courses_photographs_are_squares_and_a_notebook_alone_takes_others(monkeypatch, tmp_path):
    others = np.zeros((2, 256, 256, 3), np.uint8)
    squares = painting.photographs(others)
    assert squares.shape[1:] == (256, 256, 3)
    assert squares.std((1, 2, 3)).min() > 20, "each shows something"
    monkeypatch.setattr(painting, "COURSE", tmp_path)
    assert painting.photographs(others) is others


def test_the_cheapest_translator_is_marked_by_its_weighted_sum():
    rows = {"a": (1.0, 0.0, 0.0), "b": (0.0, 0.3, 0.0), "c": (0.0, 0.0, 0.5)}
    losses = {name: dict(zip(("adversarial", "cycle", "identity"), row, strict=True)) for name, row in rows.items()}
    for pair, cheapest in (((10.0, 5.0), 0), ((1.0, 5.0), 1), ((10.0, 1.0), 2)):
        (axis,) = (figure := unet.weights_figure(losses, *pair)).axes
        matplotlib.pyplot.close(figure)
        assert axis.texts[0].get_position()[1] == cheapest
