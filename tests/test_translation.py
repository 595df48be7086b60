"""Painting arrays and files of any size, and what a painter must not do to its photos."""

import gc
import json
import shutil
import tracemalloc
import weakref
from pathlib import Path

import numpy as np
import pytest
from inputs import invert, jpeg
from PIL import Image

from monet_lib.config import Config
from monet_lib.course.resnet import unevenness
from monet_lib.files import UserError
from monet_lib.model.networks import generator_of, resnet_generator, with_border
from monet_lib.paint import paint, paint_all, paint_broadly, paint_large, read_photo, shipped_generator, translate
from monet_lib.paint.painting import FADE, auto_brushes


@pytest.fixture
def gradient():
    rows, columns = np.mgrid[0:40, 0:30]
    return np.stack([rows * 6, columns * 8, rows + columns], -1).astype(np.uint8)


def test_a_set_is_painted_in_batches_and_a_real_generator_keeps_the_size(nano):
    photos = np.random.default_rng(0).integers(0, 256, (5, 30, 45, 3), np.uint8)
    np.testing.assert_array_equal(paint_all(invert, photos, batch=2), 255 - photos)
    painted = paint(generator_of(nano), photos)
    assert (painted.shape, painted.dtype) == (photos.shape, np.uint8)


def test_a_generator_that_painted_can_be_freed(nano):
    """Its graph, which later calls of the same sizes use again, goes with it."""
    generator = generator_of(nano)
    photos = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    first = paint(generator, photos)
    generator.set_weights([2 * w for w in generator.get_weights()])
    assert (paint(generator, photos) != first).any()
    alive = [weakref.ref(generator), *(weakref.ref(layer) for layer in generator.layers)]
    del generator
    gc.collect()
    assert [each() for each in alive] == [None] * len(alive)


@pytest.mark.parametrize("size", [(260, 257), (700, 300), (301, 1003)])
def test_tiles_cover_every_pixel_once_and_in_its_place(size):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    np.testing.assert_array_equal(paint_large(invert, photo, tile=256), 255 - photo)


@pytest.fixture(scope="module")
def whole():
    """(generator, photo, its painting in one piece). The generator's output depends on the neighbourhood, as a trained
    one's; with fresh weights it hardly does.
    """
    rng = np.random.default_rng(0)
    generator = resnet_generator(4, 6, norm="none", upsample="resize", residual_output=True)
    for variable in generator.trainable_variables:
        if len(variable.shape) == 4:
            variable.assign(rng.normal(0, np.sqrt(2 / np.prod(variable.shape[:3])), variable.shape))
    photo = rng.integers(0, 256, (320, 480, 3), np.uint8)
    return generator, photo, paint_large(generator, photo, 480).astype(int)


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (25, 24)])
def test_photos_smaller_than_their_border_are_painted(size, nano):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert paint_large(with_border(generator_of(nano), 64), photo).shape == photo.shape


@pytest.mark.parametrize("size", [(213, 318), (214, 320), (215, 317)])
def test_a_size_that_does_not_halve_is_painted_like_a_part_of_one_that_does(whole, size):
    """Away from the cut edges, of which a ResNet of 6 blocks sees 60 px."""
    generator, photo, painting = whole
    part = paint_large(generator, photo[: size[0], : size[1]]).astype(int)
    assert part.shape[:2] == size
    seen = (slice(size[0] - 64), slice(size[1] - 64))
    assert np.abs(painting[seen] - part[seen]).max() <= 1


def test_tiles_equal_the_whole_where_no_norm_sees_the_whole(whole):
    generator, photo, painting = whole
    assert np.abs(painting - photo).mean() > 10
    assert np.abs(painting - paint_large(generator, photo, 256)).max() <= 1


def test_a_tiles_border_is_as_wide_as_the_painter_looks():
    class Far:
        """Every pixel is painted as the one 88 px above and 88 to its left."""

        surroundings = 88

        def __call__(self, photos):
            rows, columns = (np.maximum(np.arange(side) - 88, 0) for side in photos.shape[1:3])
            return photos[:, rows][:, :, columns]

    photo = np.random.default_rng(0).integers(0, 256, (500, 900, 3), np.uint8)
    np.testing.assert_array_equal(paint_large(Far(), photo, tile=256), Far()(photo[None])[0])
    Far.surroundings = 60  # less than it looks
    assert (paint_large(Far(), photo, tile=256) != Far()(photo[None])[0]).any()


def test_tiles_of_different_brightness_fade_into_each_other():
    class TileMean:
        def __call__(self, photos):
            return np.broadcast_to(np.rint(photos.mean((1, 2, 3), keepdims=True)), photos.shape).astype(np.uint8)

    photo = np.broadcast_to(np.linspace(0, 255, 800)[None, :, None], (300, 800, 3)).astype(np.uint8)
    painted = paint_large(TileMean(), photo, tile=256).astype(int)
    steps = np.abs(np.diff(painted[..., 0], axis=1))
    between_tiles = (256 - 2 * 64 - FADE) / 800 * 255
    assert np.ptp(painted) > 2 * between_tiles
    assert steps.max() <= np.ceil(between_tiles / FADE) + 1


def test_translated_files_are_named_after_the_photos(tmp_path, gradient):
    Image.fromarray(gradient).save(tmp_path / "hill.png")
    (tmp_path / "sea.jpg").write_bytes(jpeg(size=(64, 48)))
    written = translate(invert, [tmp_path / "hill.png", tmp_path / "sea.jpg"], tmp_path / "out")
    assert [p.name for p in written] == ["hill.jpg", "sea.jpg"]
    painted = np.asarray(Image.open(written[0])).astype(int)
    assert painted.shape == gradient.shape
    assert np.abs(painted - (255 - gradient)).mean() < 3


def test_side_by_side_shows_the_photo_at_the_left(tmp_path, gradient):
    Image.fromarray(gradient).save(tmp_path / "hill.png")
    (written,) = translate(invert, [tmp_path / "hill.png"], tmp_path / "out", side_by_side=True)
    both = np.asarray(Image.open(written)).astype(int)
    width = gradient.shape[1]
    assert both.shape == (gradient.shape[0], 2 * width, 3)
    assert np.abs(both[:, : width - 8] - gradient[:, :-8]).mean() < 3
    assert np.abs(both[:, width + 8 :] - (255 - gradient[:, 8:])).mean() < 3


def test_a_broad_brush_paints_a_small_photo_and_enlarges_it(gradient):
    """Of the smooth gradient nothing is lost, of stripes of one pixel all."""
    np.testing.assert_array_equal(paint_broadly(invert, gradient, 1), 255 - gradient)
    broad = paint_broadly(invert, gradient, 1.7).astype(int)
    assert broad.shape == gradient.shape
    assert np.abs(broad - (255 - gradient))[2:-2, 2:-2].max() <= 3
    stripes = np.zeros((48, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert paint_broadly(invert, stripes, 1).std() == 100
    assert np.abs(paint_broadly(invert, stripes, 3)[:, 4:-4].astype(int) - 155).max() < 12
    with pytest.raises(UserError, match="leaves 10x13 px of 30x40"):
        paint_broadly(invert, gradient, 3)


def test_a_large_photo_is_painted_broadly_and_finer_on_top(tmp_path):
    assert auto_brushes(1000, 1000) == auto_brushes(449, 40_000) == (1,)
    assert auto_brushes(1001, 1000) == (3, 1.5)
    assert auto_brushes(750, 2000) == (2, 1)  # 2.5, rounded to the even number
    coarse = np.random.default_rng(0).integers(0, 256, (62, 75, 3), np.uint8)
    photo = np.asarray(Image.fromarray(coarse).resize((1500, 1240), Image.Resampling.LANCZOS))
    dark = lambda photos: photos // np.uint8(2)  # noqa: E731
    both = np.mean([paint_broadly(dark, photo, brush) for brush in (4, 2)], 0)
    made = paint_broadly(dark, photo, 4, 2)
    assert np.abs(made - both).max() < 3  # of 255: the means are taken before and after an enlargement
    assert np.abs(made - both).mean() < 0.6
    Image.fromarray(photo).save(tmp_path / "large.png")
    (written,) = translate(dark, [tmp_path / "large.png"], tmp_path / "out")
    assert np.abs(np.asarray(Image.open(written)).astype(int) - made).mean() < 3  # JPEG


def test_paintings_have_names_of_their_own_and_replace_no_photo(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "a.png").write_bytes(jpeg(format="PNG"))
    with pytest.raises(UserError, match="would be written over an input"):
        translate(invert, [tmp_path / "a.jpg"], tmp_path)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.png").write_bytes(jpeg(format="PNG"))
    written = translate(invert, [tmp_path / "a.jpg", tmp_path / "a.png", tmp_path / "b" / "a.png"], tmp_path / "three")
    assert [file.name for file in written] == ["a-jpg.jpg", f"{tmp_path.name}-a-png.jpg", "b-a-png.jpg"]
    for folder in ("x", "y"):
        shutil.copytree(tmp_path / "b", tmp_path / folder / "b")
    with pytest.raises(UserError, match="x/b/a.png and .*y/b/a.png: their paintings would have one name"):
        translate(invert, [tmp_path / "x" / "b", tmp_path / "y" / "b"], tmp_path / "out")


def test_the_shipped_generator_paints_a_photo():
    """It keeps the scene and changes what a painter does; of its file, nothing is a pickle and all fits into 4 MB."""
    file = Path(__file__).parents[1] / "models" / "monet.npz"
    assert file.stat().st_size < 4e6
    with np.load(file, allow_pickle=False) as arrays:
        assert {v.dtype for k, v in arrays.items() if k != "config"} == {np.dtype("float16")}
    generator, config = shipped_generator()
    described = json.loads((file.parent / "config.json").read_text())["config"]
    assert config == Config.from_saved(described)
    photo = read_photo(file.parents[1] / "data" / "photos" / "brook.jpg")[:256, :256]
    painted = paint(generator, photo[None])[0]
    luminance = [image.mean(-1).ravel() for image in (photo, painted)]
    assert 0.7 < np.corrcoef(*luminance)[0, 1] < 0.999
    assert 4 < np.abs(painted.astype(int) - photo).mean() < 60
    assert unevenness(painted[None]) < 3 * unevenness(photo[None]) + 1


def test_a_large_photo_is_in_memory_with_its_painting_and_no_third_time():
    photo = np.random.default_rng(0).integers(0, 256, (1600, 2000, 3), np.uint8)
    tracemalloc.start()
    painting = paint_broadly(invert, photo, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(painting, 255 - photo)
    assert peak < 2 * photo.nbytes  # the painting, and a strip of tiles
