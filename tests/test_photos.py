"""Photos as cameras, phones, scanners and downloads leave them."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest
from inputs import invert, jpeg, make_data
from PIL import Image, ImageCms, PngImagePlugin

from monet_lib import cli
from monet_lib.data.reading import find_data, find_images, inspect_data, load
from monet_lib.files import UserError
from monet_lib.paint import read_photo, translate, write_submission
from monet_lib.paint.photos import allow_large_photos, image_files

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# A colour profile in which the first channel is blue and the third red.
SWAPPED = SRGB.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


@pytest.fixture
def ramp():
    rows, columns = np.mgrid[0:30, 0:40]
    return np.stack([columns * 6, rows * 8, rows + columns], -1).astype(np.uint8)


def entry(tag, kind, count, value):
    return struct.pack("<HHI", tag, kind, count) + value


TURN = entry(0x112, 3, 1, struct.pack("<HH", 6, 0))
ODD_TAGS = {
    "resolution in letters": entry(0x11A, 2, 4, b"72\0\0"),
    "resolution of -1 / 0": entry(0x11A, 10, 1, struct.pack("<I", 38)),
    "the maker a fraction": entry(0x10F, 5, 1, struct.pack("<I", 38)),
    "a folder in itself": entry(0x8769, 4, 1, struct.pack("<I", 8)),
    "a folder beyond the end": entry(0x8769, 4, 1, struct.pack("<I", 0x7FFFFFF0)),
    "an unknown type": entry(0xC000, 99, 1, bytes(4)),
}


@pytest.mark.parametrize("odd", ODD_TAGS)
def test_a_photo_is_turned_whatever_else_its_exif_holds(tmp_path, ramp, odd):
    body = struct.pack("<H", 2) + TURN + ODD_TAGS[odd] + bytes(4) + struct.pack("<ii", -1, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + body
    Image.fromarray(ramp).save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = read_photo(tmp_path / "a.jpg").astype(int)
    assert found.shape == (40, 30, 3)
    assert np.abs(found - np.rot90(ramp, -1)).mean() < 8


@pytest.fixture
def _large_photos(monkeypatch):
    """As the command reads: Pillow's limits are raised, and are as before after the test."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    for name in ("MAX_TEXT_CHUNK", "MAX_TEXT_MEMORY"):
        monkeypatch.setattr(PngImagePlugin, name, getattr(PngImagePlugin, name))
    allow_large_photos()


@pytest.mark.usefixtures("_large_photos")
def test_long_texts_and_profiles_of_a_png_are_no_hindrance(tmp_path, ramp):
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "a" * 1_200_000, zip=True)
    Image.fromarray(ramp).save(tmp_path / "text.png", pnginfo=text)
    Image.fromarray(ramp).save(tmp_path / "profile.png", icc_profile=bytes(1_200_000))
    for name in ("text", "profile"):
        np.testing.assert_array_equal(read_photo(tmp_path / f"{name}.png"), ramp)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (bytes(999), "zeros"),
        (b"<html>", "a web page"),
        (b"version https://git-lfs", "Git LFS"),
    ],
)
def test_what_stands_in_for_a_photo_is_named(tmp_path, data, says):
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(UserError, match=f"a.jpg: .*{says}"):
        read_photo(tmp_path / "a.jpg")


def test_a_jpeg_cut_and_closed_again_is_refused(tmp_path):
    whole = jpeg(3)
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) * 2 // 3] + b"\xff\xd9")
    with pytest.raises(UserError, match=r"a.jpg: not a readable image .premature end"):
        read_photo(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(whole + bytes(500))  # what phones put behind the picture
    assert read_photo(tmp_path / "b.jpg").shape == (256, 256, 3)


@pytest.mark.usefixtures("_large_photos")
def test_two_hundred_megapixels_are_read_and_more_are_refused_before_reading(tmp_path):
    for width, height, says in (
        (65535, 65535, "a.jpg: more than the 250 million pixels"),
        (16320, 12240, "premature end|truncated|not a readable"),  # of the right size, and cut
    ):
        data = bytearray(jpeg())
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
        (tmp_path / "a.jpg").write_bytes(data)
        with pytest.raises(UserError, match=says):
            read_photo(tmp_path / "a.jpg")
    Image.new("RGB", (66000, 2)).save(tmp_path / "wide.png")
    Image.new("RGB", (33000, 2)).save(tmp_path / "half.png")
    with pytest.raises(UserError, match="66000x2 px, a JPEG at most 65,500"):
        read_photo(tmp_path / "wide.png")
    assert read_photo(tmp_path / "half.png").shape == (2, 33000, 3)
    with pytest.raises(UserError, match="66000x2 px"):
        read_photo(tmp_path / "half.png", side_by_side=True)


def test_a_phones_folder_its_files_and_patterns(tmp_path, ramp, capsys):
    image, folder = Image.fromarray(ramp), tmp_path / "phone"
    folder.mkdir()
    for name in ("a.JPG", "b.tif", "c.gif", "d.avif", "e.bmp"):
        image.save(folder / name)
    for name in ("._a.JPG", ".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    if pipes := hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.jpg")
        with pytest.raises(UserError, match="pipe.jpg: can't be read .a pipe or a device"):
            read_photo(folder / "pipe.jpg")
    assert [f.name for f in image_files([folder])] == ["a.JPG", "b.tif", "c.gif", "d.avif", "e.bmp"]
    others = "notes.txt, pipe.jpg" if pipes else "notes.txt"
    assert capsys.readouterr().out == f"note: {folder}: no photos, left out: {others}\n"
    assert len(translate(invert, [folder], tmp_path / "out")) == 5
    found = image_files([f"{folder}/*.bmp", folder / "notes.txt"])
    assert [f.name for f in found] == ["e.bmp", "notes.txt"]
    (tmp_path / "empty").mkdir()
    for missing, says in (("missing.jpg", "no such file"), ("*.webp", "no such file"), ("empty", "no image in it")):
        with pytest.raises(UserError, match=says):
            image_files([tmp_path / missing])


def test_a_program_called_jpg_is_not_run(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *arguments, **options: ran.append(arguments))
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    (tmp_path / "a.jpg").write_bytes(program)
    with pytest.raises(UserError, match="a.jpg: not a readable image"):
        read_photo(tmp_path / "a.jpg")
    assert not ran


def test_a_heic_photo_is_read_or_its_reader_named(tmp_path, ramp, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(4) + b"mif1heic" + bytes(200))
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(UserError, match="a HEIC photo. Install its reader: pip install pillow-heif"):
        read_photo(tmp_path / "a.jpg")
    monkeypatch.undo()
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    Image.fromarray(ramp).save(tmp_path / "b.heic", quality=95)
    assert np.abs(read_photo(tmp_path / "b.heic").astype(int) - ramp).mean() < 6


def test_a_bad_photo_among_others_is_named_and_they_are_painted(tmp_path, ramp, capsys):
    for name in ("a", "b", "c"):
        Image.fromarray(ramp).save(tmp_path / f"{name}.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    arguments = [str(tmp_path), "--out", str(tmp_path / "out")]
    assert cli.main(["translate", *arguments]) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("monet: ")]
    assert "b.png: not a readable image" in error[0]
    assert "2 of 3 photos painted; 1 could not be" in error[1]
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["a.jpg", "c.jpg"]


def test_a_data_folders_files_all_count(tmp_path):
    folder = make_data(tmp_path, photos=6, formats=["jpg"]) / "photo_jpg"
    for name, to in (("photo00.jpg", "a.JPG"), ("photo01.jpg", "b.jpeg")):
        (folder / name).rename(folder / to)
    Image.open(io.BytesIO(jpeg(9))).save(folder / "c.png")
    for name in ("._a.jpg", ".DS_Store", "Thumbs.db"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    report, problems = inspect_data(tmp_path)
    assert problems == []
    assert "photo_jpg: 7 images" in report[1]
    (folder / "d.webp").write_bytes(b"RIFF")
    (folder / "e.jpg").mkdir()
    (folder / "f.jpg").symlink_to("nowhere")
    said = "\n".join(inspect_data(tmp_path)[1])
    assert "d.webp: not a JPEG or PNG" in said
    assert "e.jpg: can't be read (Is a directory)" in said
    assert "f.jpg: can't be read (No such" in said
    assert len(load(find_images(tmp_path, "photo"), skip_bad=True)[0]) == 7


def test_a_turned_photo_is_trained_upright(tmp_path):
    exif, data = Image.Exif(), io.BytesIO()
    exif[0x112] = 6
    Image.open(io.BytesIO(jpeg(1))).save(data, "JPEG", quality=90, exif=exif)
    plain = np.asarray(Image.open(io.BytesIO(data.getvalue())))
    (tmp_path / "photo_jpg").mkdir()
    (tmp_path / "photo_jpg" / "a.jpg").write_bytes(data.getvalue())
    np.testing.assert_array_equal(load(find_images(tmp_path, "photo"))[1][0], np.rot90(plain, -1))


def test_names_that_submit_refuses_are_named_by_monet_data(tmp_path):
    folder = make_data(tmp_path, formats=["jpg"]) / "photo_jpg"
    (folder / "photo00.jpg").rename(folder / "IMG 00 (1).jpg")
    (folder / "photo01.jpg").rename(folder / "été.jpg")
    assert inspect_data(tmp_path)[1] == []
    write_submission(invert, find_images(tmp_path, "photo"), tmp_path / "images.zip")
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        assert {"IMG 00 (1).jpg", "été.jpg"} < set(archive.namelist())
    (folder / "photo02.jpg").rename(folder / "a:b.jpg")
    assert "1 name not plain enough for a file, such as 'a:b'" in inspect_data(tmp_path)[1][0]
    with pytest.raises(UserError, match="'a:b': not a plain file name"):
        write_submission(invert, find_images(tmp_path, "photo"), tmp_path / "images.zip")


@pytest.mark.parametrize("attached", ["gan-getting-started", "competitions/gan-getting-started", "datasets/me/monet"])
def test_kaggles_data_are_found_and_the_sample_does_not_stand_in_for_them(tmp_path, monkeypatch, attached):
    monkeypatch.setenv("MONET_INPUT", str(tmp_path))
    with pytest.raises(UserError, match="On Kaggle, add the competition"):
        find_data()
    (tmp_path / attached / "monet_jpg").mkdir(parents=True)
    with pytest.raises(UserError, match="none found"):
        find_data()
    assert make_data(tmp_path / attached, 1, 1, ["jpg"]) == find_data()


def test_a_photo_of_many_rows_is_the_photo(tmp_path, ramp):
    """It is converted in bands, which do not end where a repetition of the picture ends."""
    image = Image.fromarray(ramp)
    clear = image.convert("RGBA")
    clear.putalpha(Image.fromarray(ramp[..., 0]))
    palette = image.convert("P", palette=Image.Palette.ADAPTIVE)
    grey = Image.fromarray(ramp[..., 0].astype("f4") / 255)
    for picture, name, options in (
        (palette, "palette.png", {"transparency": 3}),
        (image, "profile.png", {"icc_profile": SWAPPED}),
        (clear, "clear.png", {"icc_profile": SWAPPED}),
        (grey, "float.tif", {}),
    ):
        high = Image.new(picture.mode, (40, 40 * 30))
        if picture.mode == "P":
            high.putpalette(picture.getpalette())
        for row in range(40):
            high.paste(picture, (0, 30 * row))
        for each, file in ((picture, tmp_path / name), (high, tmp_path / f"high-{name}")):
            each.save(file, **options)
        expected = np.tile(read_photo(tmp_path / name), (40, 1, 1))
        np.testing.assert_array_equal(read_photo(tmp_path / f"high-{name}"), expected, err_msg=name)
