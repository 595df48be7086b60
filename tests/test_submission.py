import io
import zipfile

import numpy as np
import pytest
from inputs import example, jpeg, make_data, write_shard
from PIL import Image

from monet_lib.data.reading import find_images, load
from monet_lib.files import UserError
from monet_lib.paint import submission
from monet_lib.paint.submission import check_submission, submission_size, write_submission


class Invert:
    """Stands in for a generator: exact, and counts the batches that it paints."""

    def __init__(self, fail_at=None):
        self.batches, self.fail_at = 0, fail_at

    def __call__(self, photos):
        self.batches += 1
        if self.batches == self.fail_at:
            raise KeyboardInterrupt
        return 255 - photos


@pytest.fixture
def photos(data_folder):
    return find_images(data_folder, "photo")


def test_one_painting_for_each_photo_named_after_it(photos, tmp_path):
    summary = write_submission(Invert(), photos, tmp_path / "images.zip", batch=2)
    assert "5 images" in summary
    names, pixels, _ = load(photos)
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        assert archive.namelist() == [f"{name}.jpg" for name in names]
        for name, photo in zip(names, pixels, strict=True):
            with Image.open(io.BytesIO(archive.read(f"{name}.jpg"))) as image:
                assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (256, 256))
                assert np.abs(np.asarray(image).astype(int) - (255 - photo.astype(int))).mean() < 2
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith((".", "images"))] == ["images.zip"]


def test_an_interrupted_submission_paints_only_the_rest(photos, tmp_path):
    write_submission(Invert(), photos, tmp_path / "whole.zip", batch=1)
    with pytest.raises(KeyboardInterrupt):
        write_submission(Invert(fail_at=5), photos, tmp_path / "images.zip", batch=1)
    assert not (tmp_path / "images.zip").exists()
    generator = Invert()
    write_submission(generator, photos, tmp_path / "images.zip", batch=1)
    assert 1 <= generator.batches < 5
    assert (tmp_path / "images.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()


def test_a_damaged_part_is_painted_anew(photos, tmp_path):
    write_submission(Invert(), photos, tmp_path / "whole.zip", batch=1)
    with pytest.raises(KeyboardInterrupt):
        write_submission(Invert(fail_at=5), photos, tmp_path / "images.zip", batch=1)
    part = next((tmp_path / "images.zip.parts").rglob("*.jpg"))
    part.write_bytes(part.read_bytes()[:500])
    write_submission(Invert(), photos, tmp_path / "images.zip", batch=1)
    assert (tmp_path / "images.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()


def test_as_many_are_painted_as_asked(photos, tmp_path, monkeypatch):
    assert "3 images" in write_submission(Invert(), photos, tmp_path / "few.zip", batch=2, limit=3)
    with zipfile.ZipFile(tmp_path / "few.zip") as archive:
        assert archive.namelist() == ["photo00.jpg", "photo01.jpg", "photo02.jpg"]
    sizes = []
    for least in (3, 12, 7000):
        monkeypatch.setattr(submission, "LEAST", least)
        sizes.append((submission_size(photos), submission_size(photos, pad=True)))
    assert sizes == [(5, 5), (5, 12), (5, 20)]  # of 5 photos, and with their mirror images at most 20


def test_parts_of_another_generator_are_not_used(photos, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_submission(Invert(fail_at=5), photos, tmp_path / "images.zip", batch=1)

    class Darker(Invert):
        def __call__(self, photos):
            return super().__call__(photos) // 2

    other = Darker()
    write_submission(other, photos, tmp_path / "images.zip", batch=1)
    assert other.batches == 1 + 5  # noise, by which it is known, and the photos


def test_padding_adds_mirrored_photos_up_to_the_least(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "LEAST", 12)
    write_submission(Invert(), photos, tmp_path / "images.zip", pad=True, batch=2)
    _, pixels, _ = load(photos)
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        names = archive.namelist()
        mirrored = np.asarray(Image.open(io.BytesIO(archive.read("photo00-lr.jpg")))).astype(int)
    assert len(names) == len(set(names)) == 12
    assert names[10:] == ["photo00-ud.jpg", "photo01-ud.jpg"]
    assert np.abs(mirrored - (255 - pixels[0][:, ::-1].astype(int))).mean() < 2
    assert "12 images" in check_submission(tmp_path / "images.zip")


def test_names_from_records_are_not_trusted(tmp_path):
    for number, name in enumerate(("../../etc/passwd", "a/b", ".hidden")):
        root = tmp_path / str(number)
        write_shard(root / "photo_tfrec" / "photo00-1.tfrec", [example(jpeg(), name)])
        with pytest.raises(UserError, match="not a plain file name"):
            write_submission(Invert(), find_images(root, "photo"), root / "images.zip")
        assert not (root / "images.zip").exists()


def test_two_photos_of_one_name_are_refused(tmp_path):
    write_shard(tmp_path / "photo_tfrec" / "photo00-2.tfrec", [example(jpeg(k), "same") for k in (1, 2)])
    with pytest.raises(UserError, match="two photos are named same"):
        write_submission(Invert(), find_images(tmp_path, "photo"), tmp_path / "images.zip")
    assert not (tmp_path / "images.zip").exists()


def test_an_output_that_cannot_be_written(photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be made"):
        write_submission(Invert(), photos, tmp_path / "file" / "images.zip")
    generator = Invert()
    with pytest.raises(UserError, match="a folder is there. Name a file, such as --out .*images.zip"):
        write_submission(generator, photos, tmp_path)
    assert generator.batches == 0  # told before the work


GOOD = jpeg()


@pytest.mark.parametrize("count", [3, 4])
def test_the_least_and_the_most_that_kaggle_takes_are_taken(tmp_path, monkeypatch, count):
    monkeypatch.setattr(submission, "LEAST", 3)
    monkeypatch.setattr(submission, "MOST", 4)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for k in range(count):
            archive.writestr(f"{k}.jpg", GOOD)
    assert f"{count} images" in check_submission(tmp_path / "images.zip")


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({f"{k}.jpg": GOOD for k in range(2)}, "2 valid images; Kaggle takes 3 to 4"),
        ({f"{k}.jpg": GOOD for k in range(5)}, "5 valid images; Kaggle takes 3 to 4"),
        ({"../a.jpg": GOOD}, "leads out of the zip"),
        ({"/a.jpg": GOOD}, "leads out of the zip"),
        ({"images/a.jpg": GOOD}, "no flat .jpg name"),
        ({"readme.txt": b"hello"}, "no flat .jpg name"),
        ({"a.jpg": jpeg(size=(128, 128))}, "a.jpg: 128x128 px, not 256x256"),
        ({"a.jpg": jpeg(mode="L")}, "a.jpg: a greyscale image, not RGB"),
        ({"a.jpg": jpeg(format="PNG")}, "a.jpg: not a JPEG"),
        ({"a.jpg": GOOD[:1000]}, "a.jpg: not a readable JPEG"),
        ({"a.jpg": b"\0" * 10_000_000}, "would unpack to 10,000,000 bytes"),
    ],
)
def test_what_kaggle_would_refuse_is_named(tmp_path, monkeypatch, entries, says):
    monkeypatch.setattr(submission, "LEAST", 3)
    monkeypatch.setattr(submission, "MOST", 4)
    with zipfile.ZipFile(tmp_path / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    with pytest.raises(UserError, match=says):
        check_submission(tmp_path / "images.zip")


def test_encrypted_and_truncated_archives_are_refused(tmp_path):
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", GOOD)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a readable zip"):
        check_submission(path)
    # The flag of encryption, in the entry's local and central header.
    encrypted = bytearray(whole)
    encrypted[6] |= 1
    encrypted[whole.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(encrypted)
    with pytest.raises(UserError, match="a.jpg is encrypted"):
        check_submission(path)
    damaged = bytearray(whole)
    damaged[len(GOOD) // 2] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(UserError, match="a.jpg: not a readable entry of a zip .*CRC"):
        check_submission(path)


def test_a_file_that_is_no_zip(tmp_path, data_folder):
    make_data(tmp_path / "d", 1, 1)
    (tmp_path / "images.zip").write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(UserError, match="not a readable zip"):
        check_submission(tmp_path / "images.zip")
    with pytest.raises(UserError, match="no such file"):
        check_submission(tmp_path / "missing.zip")
