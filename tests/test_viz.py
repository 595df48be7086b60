from itertools import combinations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from monet_lib.figures import COLORS, STYLE, image_grid, plot_history
from monet_lib.model.cyclegan import LOSSES


def test_a_grid_places_images_and_labels_and_takes_floats_as_minus_one_to_one():
    images = [[np.full((8, 8, 3), 10 * r + c, np.uint8) for c in range(3)] for r in range(2)]
    grid = image_grid(images)
    assert grid.shape == (20, 32, 3)
    for r in range(2):
        for c in range(3):
            assert (grid[r * 12 : r * 12 + 8, c * 12 : c * 12 + 8] == 10 * r + c).all()
    assert (grid[8:12] == 255).all()
    labelled = image_grid(images, ["a", "b", "c"])
    assert labelled.shape == (40, 32, 3)
    assert (labelled[:20] < 128).any()
    assert (image_grid([[np.float32([[[-1, 0, 1]]])]])[0, 0] == (0, 128, 255)).all()


def test_the_plot_of_a_history_shows_every_loss_as_a_weighted_mean_of_its_past():
    rng, outside = np.random.default_rng(0), plt.rcParams["axes.grid"]
    history = {"step": np.arange(1, 6)} | {name: rng.random(5) for name in LOSSES}
    figure = plot_history(history, smooth=0.8)
    lines = {line.get_label(): line.get_ydata() for axis in figure.axes for line in axis.get_lines()}
    assert set(lines) == {name.replace("_", " ") for name in LOSSES}
    for name in LOSSES:
        by_hand = [np.average(history[name][: k + 1], weights=0.8 ** np.arange(k, -1, -1)) for k in range(5)]
        np.testing.assert_allclose(lines[name.replace("_", " ")], by_hand)
    assert all(axis.get_xlabel() and axis.get_ylabel() and axis.get_title() for axis in figure.axes)
    plt.close(figure)
    assert plt.rcParams["axes.grid"] == outside, "the style of figures is for them alone"


def test_rows_may_differ_in_length_and_small_images_are_enlarged():
    grid = image_grid([[np.zeros((4, 4, 3), np.uint8)], [np.full((4, 4, 3), 9, np.uint8)] * 3], least=7)
    assert grid.shape == (20, 32, 3)
    assert (grid[:8, :8] == 0).all()
    assert (grid[:8, 8:] == 255).all()
    assert (grid[12:, 24:] == 9).all()


def test_row_labels_grow_with_a_grid_that_a_page_will_shrink():
    def label(columns):
        grid = image_grid([[np.full((256, 256, 3), 200, np.uint8)] * columns], row_labels=["photo"])
        side = grid.shape[1] - columns * 260 + 4
        dark = np.flatnonzero((grid[:, :side] < 128).any((1, 2)))
        return (dark[-1] - dark[0] + 1) * min(1, 1000 / grid.shape[1])  # its height on a page of 1,000 pixels

    assert label(6) > 0.8 * label(3)


# What the three kinds of dichromats see of linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
SEEN = {
    "by most": np.eye(3),
    "without red cones": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "without green cones": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "without blue cones": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(color, seen):
    """CIELAB of a colour as one kind of eye sees it: differences of 2 are just visible side by side."""
    rgb = np.array(to_rgb(color))
    linear = np.clip(seen @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.434, 0.376, 0.190], [0.213, 0.715, 0.072], [0.018, 0.109, 0.873]]) @ linear
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", SEEN)
def test_lines_are_told_apart_and_from_monets_and_the_photos_colour(eye):
    lines = STYLE["axes.prop_cycle"].by_key()["color"]
    assert len(lines) == 6  # as many runs as lesson 2 compares
    for one, other in combinations([*lines, COLORS["monet"], COLORS["photo"]], 2):
        assert np.linalg.norm(lab(one, SEEN[eye]) - lab(other, SEEN[eye])) > 15, (one, other)
