import io
import json
import zipfile

import numpy as np
import pytest
from inputs import example, jpeg, make_data, write_shard
from PIL import Image

from monet_lib import files
from monet_lib.data.reading import count_images, find_data, read_images
from monet_lib.files import UserError
from monet_lib.score.scoring import Score, embed, extract, random_network, score


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "images"
    path.mkdir()
    for k in (3, 1, 2, 0, 4):
        (path / f"p{k}.jpg").write_bytes(jpeg(k))
    return path


def zipped(path, *entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name) if method == zipfile.ZIP_STORED else name, data)
    return path


def test_folders_zips_and_shards_give_the_same_images_in_name_order(folder, tmp_path):
    records = [(f"p{k}", jpeg(k)) for k in range(5)]
    write_shard(tmp_path / "shards" / "a-3.tfrec", [example(data, name) for name, data in records[:3]])
    write_shard(tmp_path / "shards" / "b-2.tfrec", [example(data, name) for name, data in records[3:]])
    archive = zipped(tmp_path / "a.zip", *((f"{name}.jpg", data) for name, data in records[::-1]))
    expected = list(read_images(folder))
    assert [name for name, _ in expected] == [f"p{k}.jpg" for k in range(5)]
    for source in (archive, tmp_path / "shards", tmp_path / "shards" / "a-3.tfrec"):
        found = list(read_images(source))
        assert len(found) == count_images(source) == (3 if source.suffix == ".tfrec" else 5)
        for (name, image), (other_name, other) in zip(expected, found, strict=False):
            assert name.removesuffix(".jpg") == other_name.removesuffix(".jpg")
            assert other.dtype == np.uint8
            np.testing.assert_array_equal(image, other)


def test_other_kinds_of_images_become_rgb_and_other_files_are_left_alone(tmp_path):
    (tmp_path / "b.PNG").write_bytes(jpeg(1, "RGBA", (30, 20), "PNG"))
    (tmp_path / "c.jpeg").write_bytes(jpeg(2, "L"))
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._b.png").write_bytes(b"what macOS leaves")
    found = [(name, image.shape) for name, image in read_images(tmp_path)]
    assert found == [("b.PNG", (20, 30, 3)), ("c.jpeg", (256, 256, 3))]


def test_n_takes_an_even_spread(folder):
    assert [name for name, _ in read_images(folder, 2)] == ["p0.jpg", "p2.jpg"]
    assert len(list(read_images(folder, 99))) == 5
    assert len(extract(folder, random_network(), n=3)) == count_images(folder, 3) == 3
    with pytest.raises(UserError, match="n must be 2 or more"):
        extract(folder, random_network(), n=1)


def test_n_decodes_only_the_records_that_are_wanted(tmp_path):
    """A damaged image among the others isn't met; a damaged record is, since the records behind it can't be found."""
    shard, damaged = tmp_path / "a-5.tfrec", jpeg(3)[:2000]
    write_shard(shard, [example(jpeg(k) if k in (0, 2) else damaged, f"p{k}") for k in range(5)])
    assert [name for name, _ in read_images(shard, 2)] == ["p0", "p2"]
    refused(shard, "a-5.tfrec, record 2: not a readable JPEG")
    data = bytearray(shard.read_bytes())
    data[-2500] ^= 255
    shard.write_bytes(data)
    with pytest.raises(UserError, match=r"a-5.tfrec, record [45]: its checksum is wrong"):
        list(read_images(shard, 2))


def refused(source, message):
    with pytest.raises(UserError, match=message) as caught:
        list(read_images(source))
    assert "\n" not in str(caught.value)


def test_sources_without_images_are_refused(tmp_path):
    refused(tmp_path / "missing", "no such file or folder")
    refused(tmp_path / "missing.zip", "no such file or folder")
    (tmp_path / "a.txt").write_text("a")
    refused(tmp_path / "a.txt", "neither a folder, a .zip nor a .tfrec")
    refused(tmp_path, "no image or .tfrec in it; folders inside are not searched")
    refused(zipped(tmp_path / "a.zip", ("a.txt", b"a")), "no image in it")
    (tmp_path / "a.jpg").write_bytes(jpeg())
    write_shard(tmp_path / "a-1.tfrec", [example(jpeg())])
    refused(tmp_path, "both images and shards")


def test_damaged_images_are_refused_with_their_place(folder, tmp_path):
    (folder / "p2.jpg").write_bytes(jpeg(2)[:800])
    refused(folder, r"p2.jpg: not a readable image \(Premature end")
    (folder / "p2.jpg").write_bytes(b"GIF89a")
    refused(folder, "p2.jpg: not a readable")
    Image.new("1", (6000, 6000)).save(folder / "p0.png")
    refused(folder, "p0.png: 6000x6000 px are too many")
    write_shard(tmp_path / "s" / "a-2.tfrec", [example(jpeg()), example(b"no")])
    refused(tmp_path / "s", "a-2.tfrec, record 2: not a JPEG")
    write_shard(tmp_path / "t" / "a-3.tfrec", [example(jpeg())])
    refused(tmp_path / "t", "named for 3 records, holds 1")


@pytest.mark.parametrize("name", ["/etc/a.jpg", "../a.jpg", "b/../../a.jpg", "..\\a.jpg", "C:\\a.jpg"])
def test_zips_that_lead_out_of_themselves_are_refused(tmp_path, name):
    refused(zipped(tmp_path / "a.zip", ("ok.jpg", jpeg()), (name, jpeg())), "leads out of the zip")


def test_zip_bombs_are_refused_before_anything_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    monkeypatch.setattr(files, "MOST_UNPACKED", 1 << 20)
    many = [(f"{k}.jpg", bytes(1 << 20)) for k in range(3)]
    refused(zipped(tmp_path / "b.zip", *many, method=zipfile.ZIP_DEFLATED), "would unpack to 3,145,728, a bomb")


def test_batches_change_nothing_and_sizes_may_differ():
    network = random_network()
    mixed = [np.asarray(Image.open(io.BytesIO(jpeg(k, size=(64, 64 + 32 * (k > 2)))))) for k in range(6)]
    expected = np.concatenate([network(image[None]) for image in mixed])
    for batch in (1, 2, 32):
        np.testing.assert_allclose(embed(iter(mixed), network, batch), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match="no images to score"):
        embed([], network)


def test_a_score_says_what_it_depends_on(tmp_path):
    root = make_data(tmp_path / "data", monets=6, photos=8)
    found = score(root / "photo_tfrec", root / "monet_jpg", features="random-conv", n=4)
    assert (found.features, found.canonical, found.generated, found.reference) == ("random-conv", False, 4, 6)
    divisor = found.memorization if found.memorization < 0.1 else 1.0
    assert found.mifid == pytest.approx(found.fid / divisor)
    head, *lines = str(found).splitlines()
    assert head == "4 generated against 6 real images, features random-conv"
    names = [line[:28].strip() for line in lines]
    assert names == ["proxy FID", "proxy KID", "proxy memorization distance", "proxy MiFID"]
    data = json.loads(found.to_json())
    assert data["proxy_fid"] == found.fid
    assert not {"fid", "kid", "mifid"} & set(data)
    canonical = Score("inception-2015", True, 7038, 300, 61.5, 0.04, 0.002, 0.05, 1230.0)
    assert "proxy" not in str(canonical)
    assert "FID                         61.500" in str(canonical)
    assert "0.04000 ± 0.00200" in str(canonical)
    assert json.loads(canonical.to_json())["fid"] == 61.5
    assert score(root / "photo_tfrec", root / "monet_jpg", features="random-conv", n=4) == found
    assert score(root / "photo_jpg", root / "monet_tfrec", features=random_network(), n=4) == found


def test_copies_of_the_training_images_are_seen_and_g_and_r_are_not_interchangeable(tmp_path):
    root = make_data(tmp_path / "data", monets=4, photos=8, formats=["jpg"])
    monets, photos = root / "monet_jpg", root / "photo_jpg"
    itself = score(monets, monets, features="random-conv")
    # Both are 0 in exact arithmetic; rounding differs between processors.
    assert itself.memorization < 1e-6
    assert itself.fid < 1e-6
    copied = score(monets, photos, train=monets, features="random-conv")
    other = score(monets, photos, features="random-conv")
    assert copied.memorization < 1e-6 < other.memorization
    assert copied.fid == pytest.approx(other.fid, rel=1e-6)
    assert copied.mifid > 1e5 * copied.fid > 0
    two = score(monets, monets, features="random-conv", n=2)
    assert two.memorization < 1e-6, "each generated image is a copy, though not each painting was copied"


@pytest.mark.real_data
def test_real_shards_and_photos_are_scored_in_the_right_order():
    root = find_data()
    paintings = score(root / "monet_tfrec", root / "monet_tfrec", features="random-conv", n=100)
    photos = score(root / "photo_tfrec" / "photo00-352.tfrec", root / "monet_tfrec", features="random-conv", n=100)
    assert paintings.reference == photos.reference == 300
    assert paintings.memorization < 1e-6 < photos.memorization
    assert paintings.fid < photos.fid
    assert paintings.kid < photos.kid
