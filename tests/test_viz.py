import numpy as np
import pytest
from matplotlib import pyplot as plt

from monet_lib.figures import figure_style, image_grid, plot_history


def test_a_grid_places_images_and_labels():
    images = [[np.full((8, 8, 3), 10 * r + c, np.uint8) for c in range(3)] for r in range(2)]
    grid = image_grid(images, gap=2)
    assert grid.shape == (18, 28, 3)
    for r in range(2):
        for c in range(3):
            assert (grid[r * 10 : r * 10 + 8, c * 10 : c * 10 + 8] == 10 * r + c).all()
    assert (grid[8:10] == 255).all()
    labelled = image_grid(images, ["a", "b", "c"], gap=2)
    assert labelled.shape == (38, 28, 3)
    assert (labelled[:20] < 128).any()


def test_floats_are_taken_as_minus_one_to_one():
    assert image_grid([[np.zeros((2, 2, 3), "float32")]])[0, 0, 0] == 128
    assert image_grid([[np.ones((2, 2, 3), "float32")]])[0, 0, 0] == 255


def test_history_plot_shows_every_loss():
    names = (
        "monet_generator",
        "photo_generator",
        "cycle",
        "identity",
        "monet_discriminator",
        "photo_discriminator",
    )
    history = {"step": np.arange(1, 101)} | {name: np.full(100, k + 1.0) for k, name in enumerate(names)}
    figure = plot_history(history)
    lines = {line.get_label(): line.get_ydata() for axis in figure.axes for line in axis.get_lines()}
    assert set(lines) == {name.replace("_", " ") for name in names}
    # The smoothing is corrected for its start: a constant stays that constant from the first point on.
    np.testing.assert_allclose(lines["cycle"], 3.0)
    assert all(axis.get_xlabel() and axis.get_ylabel() and axis.get_title() for axis in figure.axes)
    plt.close(figure)


def test_style_is_local():
    before = plt.rcParams["axes.grid"]
    with figure_style():
        assert plt.rcParams["axes.grid"] is True
    assert plt.rcParams["axes.grid"] == before


@pytest.mark.parametrize("rows", [[[np.zeros((4, 4, 3), np.uint8)], [np.zeros((4, 4, 3), np.uint8)] * 3]])
def test_rows_may_differ_in_length(rows):
    assert image_grid(rows, gap=0).shape == (8, 12, 3)
