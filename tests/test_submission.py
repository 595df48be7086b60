"""images.zip: what is painted into it, what an interruption leaves, and what Kaggle would refuse.

`make soak` kills a submission 20 times.
"""

import io
import os
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from inputs import example, invert, jpeg, make_data, write_shard
from PIL import Image

from monet_lib.data.reading import find_images, load
from monet_lib.files import UserError
from monet_lib.paint.submission import check_submission, submission_size, write_submission


@pytest.fixture
def photos(data_folder):
    return find_images(data_folder, "photo")


def unzipped(path):
    """{name: JPEG} of a submission, in its order."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pixels_of(data):
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


def test_one_painting_for_each_photo_named_after_it(photos, tmp_path):
    file = tmp_path / "images.zip"
    assert "5 images" in write_submission(invert, photos, file, batch=2)
    names, pixels, _ = load(photos)
    found = unzipped(file)
    assert list(found) == [f"{name}.jpg" for name in names]
    for data, photo in zip(found.values(), pixels, strict=True):
        assert np.abs(pixels_of(data) - (255 - photo.astype(int))).mean() < 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "images.zip"]
    assert "5 images" in check_submission(file, least=5)  # all of them 256x256 RGB JPEGs
    write_submission(invert, photos, tmp_path / "again.zip", batch=3)
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()


def test_padding_adds_mirrored_photos_up_to_the_least(photos, tmp_path):
    write_submission(invert, photos, tmp_path / "images.zip", pad=True, batch=2, limit=12)
    pixels, found = load(photos)[1], unzipped(tmp_path / "images.zip")
    parts = (("", 5), ("-lr", 5), ("-ud", 2))
    assert list(found) == [f"photo{k:02d}{flip}.jpg" for flip, count in parts for k in range(count)]
    mirrored = pixels_of(found["photo00-lr.jpg"])
    assert np.abs(mirrored - (255 - pixels[0][:, ::-1].astype(int))).mean() < 2
    sizes = {count: submission_size(SimpleNamespace(count=lambda n=count: n), pad=True) for count in (5, 3000, 7038)}
    assert sizes == {5: 20, 3000: 7000, 7038: 7038}  # with all its mirror images a photo gives four
    assert submission_size(photos) == 5


def test_names_from_records_are_not_trusted(tmp_path):
    for number, name in enumerate(("../../etc/passwd", "a/b", ".hidden")):
        root = tmp_path / str(number)
        write_shard(root / "photo_tfrec" / "photo00-1.tfrec", [example(jpeg(), name)])
        with pytest.raises(UserError, match="not a plain file name"):
            write_submission(invert, find_images(root, "photo"), root / "images.zip")
        assert not (root / "images.zip").exists()
    write_shard(tmp_path / "photo_tfrec" / "photo00-2.tfrec", [example(jpeg(k), "same") for k in (1, 2)])
    with pytest.raises(UserError, match="two photos are named same"):
        write_submission(invert, find_images(tmp_path, "photo"), tmp_path / "images.zip")
    assert not (tmp_path / "images.zip").exists()


def test_an_output_that_cannot_be_written_is_told_before_the_work(photos, tmp_path):
    def fail(photos):
        raise AssertionError("painted")

    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be made"):
        write_submission(fail, photos, tmp_path / "file" / "images.zip")
    with pytest.raises(UserError, match="a folder is there. Name a file, such as --out .*images.zip"):
        write_submission(fail, photos, tmp_path)


SUBMIT = """
import sys, time
from monet_lib.data.reading import find_images
from monet_lib.paint.submission import write_submission
def slow(photos):
    time.sleep(0.02)
    return 255 - photos
photos = find_images(sys.argv[1], "photo")
print("ready", flush=True)
write_submission(slow, photos, sys.argv[2], batch=2)
print("done", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_leaves_no_half_of_a_zip(tmp_path):
    """SIGKILL at random moments: where the zip was not there it is whole or not there, else whole or as it was."""
    data, out = make_data(tmp_path / "data", monets=1, photos=30, formats=["jpg"]), tmp_path / "out" / "images.zip"
    write_submission(invert, find_images(data, "photo"), tmp_path / "whole.zip", batch=2)
    whole, moments = (tmp_path / "whole.zip").read_bytes(), random.Random(0)
    out.parent.mkdir()
    for kill in range(int(os.environ.get("MONET_KILLS", "3"))):
        out.write_bytes(b"before") if kill % 2 else out.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", SUBMIT, data, out], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[0]
        left = out.read_bytes() if out.exists() else None
        assert left == whole or (left == (b"before" if kill % 2 else None) and not said)


GOOD = jpeg()


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
def test_what_kaggle_would_refuse_is_named(tmp_path, entries, says):
    with zipfile.ZipFile(tmp_path / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    with pytest.raises(UserError, match=says):
        check_submission(tmp_path / "images.zip", least=3, most=4)


def test_the_least_and_the_most_that_kaggle_takes_are_taken(tmp_path):
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for k in range(3):
            archive.writestr(f"{k}.jpg", GOOD)
    for least, most in ((3, 4), (2, 3)):
        said = check_submission(tmp_path / "images.zip", least=least, most=most)
        assert re.search("3 images.*but Kaggle takes 7,000 to 10,000", said)
    with pytest.raises(UserError, match="3 valid images; Kaggle takes 7,000 to 10,000. --pad adds mirrored"):
        check_submission(tmp_path / "images.zip")


def test_what_is_no_whole_zip_is_refused(tmp_path):
    path = tmp_path / "images.zip"
    with pytest.raises(UserError, match="no such file"):
        check_submission(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", GOOD)
    whole = path.read_bytes()
    encrypted, damaged = bytearray(whole), bytearray(whole)
    for header in (0, whole.index(b"PK\x01\x02") + 2):  # the flag of encryption, in both of the entry's headers
        encrypted[header + 6] |= 1
    damaged[len(GOOD) // 2] ^= 0xFF
    for data, says in (
        (b"PK\x03\x04 and nothing more", "not a readable zip"),
        (whole[: len(whole) // 2], "not a readable zip"),
        (encrypted, "a.jpg is encrypted"),
        (damaged, "a.jpg: not a readable entry of a zip .*CRC"),
    ):
        path.write_bytes(data)
        with pytest.raises(UserError, match=says):
            check_submission(path)
