import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from inputs import example, jpeg, make_data, write_shard
from PIL import Image

from monet_lib.data import examine, find_data, find_images, inspect_data, load, to_float, to_uint8
from monet_lib.data.reading import CHECKOUT_DATA
from monet_lib.files import UserError


def test_shards_and_folders_give_the_same_images(data_folder):
    for name, count in (("monet", 3), ("photo", 5)):
        shards, folder = find_images(data_folder, name, "tfrec"), find_images(data_folder, name, "jpg")
        assert shards.named_count() == shards.count() == folder.count() == count
        assert (shards.format, folder.format) == ("tfrec", "jpg")
        (names, pixels, problems), (other_names, others, _) = load(shards), load(folder)
        assert names == other_names == [f"{name}{k:02d}" for k in range(count)]
        assert problems == []
        np.testing.assert_array_equal(pixels, others)


def test_scaling_to_float_and_back_loses_nothing():
    every = np.arange(256, dtype=np.uint8)
    scaled = np.asarray(to_float(every))
    assert (scaled.min(), scaled.max()) == (-1.0, 1.0)
    np.testing.assert_array_equal(to_uint8(scaled), every)
    # Truncation would answer 127 for the first, and darken every painting by half a level.
    np.testing.assert_array_equal(to_uint8(np.float32([127.6 / 127.5 - 1, -1.5, 1.5])), [128, 0, 255])


def test_a_shard_without_a_count_in_its_name_is_counted(tmp_path):
    write_shard(tmp_path / "photo_tfrec" / "mine.tfrec", [example(jpeg(k), f"n{k}") for k in range(3)])
    write_shard(tmp_path / "photo_tfrec" / "more.tfrecord", [example(jpeg(9), "n9")])
    images = find_images(tmp_path, "photo")
    assert (images.named_count(), images.count()) == (None, 4)
    assert load(images)[0] == ["n0", "n1", "n2", "n9"]


def test_data_is_found_in_the_documented_order(tmp_path, monkeypatch, capsys):
    asked, named, kaggle = (make_data(tmp_path / name, 1, 1, ["jpg"]) for name in ("asked", "named", "in/kaggle"))
    monkeypatch.setenv("MONET_INPUT", str(kaggle.parent))
    assert find_data() == kaggle
    monkeypatch.setenv("MONET_DATA", str(named))
    assert find_data() == named
    assert find_data(asked) == asked
    _, chosen, why = capsys.readouterr().out.splitlines()[-1].split(" ", 2)
    assert Path(chosen).resolve() == asked.resolve()  # printed as the shell needs it from here
    assert why == "(as asked)"
    monkeypatch.delenv("MONET_DATA")
    monkeypatch.setenv("MONET_INPUT", str(tmp_path / "nothing"))
    assert CHECKOUT_DATA in find_data().parents


def test_a_folder_that_was_named_must_hold_images(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no such folder"):
        find_data(tmp_path / "missing")
    monkeypatch.setenv("MONET_DATA", str(tmp_path))
    with pytest.raises(UserError, match="neither monet_tfrec"):
        find_data()


def test_both_sets_are_needed(tmp_path):
    make_data(tmp_path, monets=0, photos=1)
    with pytest.raises(UserError, match=r"no paintings \(monet_tfrec/\*.tfrec or monet_jpg/\*.jpg\)"):
        find_images(tmp_path, "monet")
    assert "no paintings" in "".join(inspect_data(tmp_path)[1])


GOOD = [example(jpeg(k), f"good{k}") for k in range(2)]
BAD_RECORDS = {
    "no feature 'image' of bytes (is missing)": example(None),
    "not a readable tf.train.Example": b"\xff\xff\xff",
    "not a JPEG (zeros: ": example(b"\0\0\0\0"),
    "not a JPEG (first bytes 89 50 4e 47)": example(jpeg(3, format="PNG")),
    "not a readable JPEG (": example(jpeg(3)[:2000]),
    "a greyscale image": example(jpeg(3, "L")),
    "a CMYK image": example(jpeg(3, "CMYK")),
    "256x192 px, not 256x256": example(jpeg(3, size=(256, 192))),
}


@pytest.mark.parametrize("says", BAD_RECORDS)
def test_a_bad_record_is_named_and_can_be_left_out(tmp_path, says):
    write_shard(tmp_path / "photo_tfrec" / "photo00-3.tfrec", [GOOD[0], BAD_RECORDS[says], GOOD[1]])
    images = find_images(tmp_path, "photo")
    with pytest.raises(UserError, match=f"^photo_tfrec/photo00-3.tfrec, record 2: {re.escape(says)}.*--skip-bad"):
        load(images)
    names, pixels, problems = load(images, skip_bad=True)
    assert (names, len(pixels), len(problems)) == (["good0", "good1"], 2, 1)
    assert [image is None for _, image, _ in examine(images)] == [False, True, False]


def test_nothing_readable_at_all_is_an_error_even_when_skipping(tmp_path):
    write_shard(tmp_path / "photo_tfrec" / "photo00-1.tfrec", [example(None)])
    with pytest.raises(UserError, match="no readable image in 1 file"):
        load(find_images(tmp_path, "photo"), skip_bad=True)


def test_inspection_reports_every_problem_at_once(data_folder):
    photos, shard = data_folder / "photo_jpg", data_folder / "monet_tfrec" / "monet00-2.tfrec"
    (photos / "grey.jpg").write_bytes(jpeg(1, "L"))
    (photos / "small.jpg").write_bytes(jpeg(1, size=(64, 64)))
    (photos / "copy.jpg").write_bytes((photos / "photo00.jpg").read_bytes())
    shard.write_bytes(shard.read_bytes()[:-100])
    report, problems = inspect_data(data_folder)
    assert [line.split(":")[0] for line in report] == ["monet_tfrec", "monet_jpg", "photo_tfrec", "photo_jpg"]
    assert "5 distinct, such as copy = photo00" in report[3]
    damaged, monets, *bad, last = problems
    assert damaged.startswith("monet_tfrec/monet00-2.tfrec, record 2: the file ends within it")
    assert "monet_tfrec and monet_jpg differ: 1 image only as files (monet01). Training reads the shards" in monets
    assert [line.split(":")[0] for line in bad] == ["photo_jpg/grey.jpg", "photo_jpg/small.jpg"]
    assert "differ: 3 images only as files (copy, grey, small). " in last


def test_formats_with_other_images_are_told_with_names_and_another_encoding_is_none(data_folder):
    photos, monets = data_folder / "photo_jpg", data_folder / "monet_jpg"
    for file in photos.iterdir():
        Image.open(file).save(file, quality=30)
    report, problems = inspect_data(data_folder)
    assert (len(report), problems) == (4, [])  # and the two formats of an image are no twins
    (monets / "monet00.jpg").write_bytes(jpeg(500))
    (photos / "photo01.jpg").rename(photos / "other.jpg")
    for k in range(12):
        (photos / f"new{k:02d}.jpg").write_bytes(jpeg(600 + k))
    monet, photo = inspect_data(data_folder)[1]
    assert f"{data_folder}: monet_tfrec and monet_jpg differ: 1 image with two pictures (monet00). " in monet
    first = ", ".join(f"new{k:02d}" for k in range(10))
    assert f"1 image only in the shards (photo01); 13 images only as files ({first} and 3 more). " in photo


def test_near_twins_are_named_within_a_set_and_across(tmp_path):
    make_data(tmp_path, formats=["jpg"])
    monets, photos = tmp_path / "monet_jpg", tmp_path / "photo_jpg"
    assert len(inspect_data(tmp_path)[0]) == 2
    Image.open(photos / "photo00.jpg").save(photos / "again.jpg", quality=20)
    brighter = np.clip(np.asarray(Image.open(photos / "photo04.jpg"), int) * 0.8 + 40, 0, 255).astype(np.uint8)
    Image.fromarray(brighter).save(monets / "bright.jpg")
    (monets / "same.jpg").write_bytes((photos / "photo02.jpg").read_bytes())
    report, problems = inspect_data(tmp_path)
    assert problems == []  # a note: training works
    twins = ["monet/bright = photo/photo04", "monet/same = photo/photo02", "photo/again = photo/photo00"]
    assert report[2:] == [f"3 pairs nearly the same: {', '.join(twins)}"]


@pytest.mark.real_data
def test_the_twins_among_the_competitions_images():
    twins = inspect_data(find_data())[0][-1]
    assert re.match(r"\d+ pairs? nearly the same: photo/", twins)
    assert "monet/" not in twins


def test_every_problem_says_what_to_do(data_folder):
    (data_folder / "photo_jpg" / "inside").mkdir()
    for file in (data_folder / "photo_jpg").glob("*.jpg"):
        file.rename(data_folder / "photo_jpg" / "inside" / file.name)
    shutil.rmtree(data_folder / "photo_tfrec")
    write_shard(data_folder / "monet_tfrec" / "monet02-2.tfrec", [example(jpeg(k), "same") for k in (1, 2)])
    twice, _, missing = inspect_data(data_folder)[1]
    assert re.search("monet_tfrec: 1 name used twice, such as same. Rename", twice)
    assert re.search("no photos .*Folders inside are not searched: move", missing)


@pytest.mark.real_data
def test_the_competitions_images():
    root = find_data()
    names, pixels, _ = load(find_images(root, "monet"))
    assert len(set(names)) == len(pixels) == 300
    assert abs(pixels.mean() - 130) < 1  # the loose JPEGs of the same paintings: 129
    assert abs(pixels.astype("float32").std(axis=(1, 2, 3)).mean() - 51) < 2
