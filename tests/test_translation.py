import numpy as np
import pytest
from conftest import jpeg
from PIL import Image

from monet_lib.config import UserError
from monet_lib.models import generator_of
from monet_lib.translation import image_files, paint, read_photo, translate


class Invert:
    """Stands in for a generator: exact, so that pixels can be followed."""

    def predict_on_batch(self, x):
        return -x


@pytest.fixture
def gradient():
    rows, columns = np.mgrid[0:40, 0:30]
    return np.stack([rows * 6, columns * 8, rows + columns], -1).astype(np.uint8)


def test_painting_is_uint8_in_and_out(gradient):
    np.testing.assert_array_equal(paint(Invert(), gradient[None])[0], 255 - gradient)


def test_a_real_generator_keeps_the_size(nano):
    photos = np.random.default_rng(0).integers(0, 256, (2, 30, 45, 3), np.uint8)
    assert paint(generator_of(nano), photos).shape == photos.shape


def test_photos_are_read_upright_and_rgb(tmp_path, gradient):
    image = Image.fromarray(gradient)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: to be shown rotated by 90 degrees clockwise
    image.save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_photo(tmp_path / "turned.png"), np.rot90(gradient, -1))
    image.convert("L").save(tmp_path / "grey.png")
    grey = read_photo(tmp_path / "grey.png")
    assert grey.shape == gradient.shape
    assert (grey[..., 0] == grey[..., 2]).all()
    clear = image.convert("RGBA")
    clear.putalpha(0)
    clear.save(tmp_path / "clear.webp", lossless=True)
    assert (read_photo(tmp_path / "clear.webp") == 255).all()


def test_files_and_folders(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b.jpg", "a.PNG", "notes.txt"):
        (tmp_path / "in" / name).write_bytes(jpeg())
    assert [f.name for f in image_files([tmp_path / "in"])] == ["a.PNG", "b.jpg"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no JPEG, PNG or WebP in it"):
        image_files([tmp_path / "empty"])
    with pytest.raises(UserError, match="no such file"):
        image_files([tmp_path / "missing.jpg"])


def test_translated_files_are_named_after_the_photos(tmp_path, gradient):
    Image.fromarray(gradient).save(tmp_path / "hill.png")
    (tmp_path / "sea.jpg").write_bytes(jpeg(size=(64, 48)))
    written = translate(Invert(), [tmp_path / "hill.png", tmp_path / "sea.jpg"], tmp_path / "out")
    assert [p.name for p in written] == ["hill.jpg", "sea.jpg"]
    painted = np.asarray(Image.open(written[0])).astype(int)
    assert painted.shape == gradient.shape
    assert np.abs(painted - (255 - gradient)).mean() < 3


def test_inputs_are_safe(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "a.png").write_bytes(jpeg(format="PNG"))
    with pytest.raises(UserError, match="would be written over an input"):
        translate(Invert(), [tmp_path / "a.jpg"], tmp_path)
    with pytest.raises(UserError, match="another input is called a too"):
        translate(Invert(), [tmp_path / "a.jpg", tmp_path / "a.png"], tmp_path / "out")
    (tmp_path / "broken.jpg").write_bytes(jpeg()[:500])
    with pytest.raises(UserError, match="broken.jpg: not a readable image"):
        translate(Invert(), [tmp_path / "broken.jpg"], tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be made"):
        translate(Invert(), [tmp_path / "a.jpg"], tmp_path / "file")
