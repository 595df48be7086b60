import gzip
import io
import re

import numpy as np
import pytest
import tensorflow as tf
from inputs import example, jpeg, write_shard
from PIL import Image

from monet_lib.data.reading import count_records, decode, find_images, load, parse_example, read_records
from monet_lib.files import UserError


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "photo_tfrec" / "photo00-3.tfrec"
    write_shard(path, [example(jpeg(k), f"n{k}") for k in range(3)])
    return path


def test_records_and_features_are_those_that_tensorflow_reads(shard):
    records = list(read_records(shard, "s"))
    assert records == list(tf.data.TFRecordDataset(str(shard)).as_numpy_iterator())
    assert count_records(shard) == 3
    for record in records:
        theirs = tf.train.Example.FromString(record).features.feature
        assert parse_example(record, "s") == {k: list(v.bytes_list.value) for k, v in theirs.items()}


@pytest.mark.parametrize("quality", [50, 75, 95])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_pixels_are_those_of_tensorflows_and_pillows_decoders(quality, subsampling):
    rng, data = np.random.default_rng(quality + subsampling), io.BytesIO()
    picture = Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).resize((256, 256), Image.BICUBIC)
    picture.save(data, "JPEG", quality=quality, subsampling=subsampling)
    theirs = tf.io.decode_jpeg(data.getvalue(), channels=3, dct_method="INTEGER_ACCURATE").numpy()
    np.testing.assert_array_equal(decode(data.getvalue(), "a"), theirs)
    np.testing.assert_array_equal(np.asarray(Image.open(data)), theirs)


def test_every_cut_and_every_changed_byte_is_refused_where_tensorflow_refuses_it(shard):
    """The verdicts of both readers on the same damage: how many records are whole before it."""
    whole, rng = shard.read_bytes(), np.random.default_rng(0)
    for _ in range(40):
        data = bytearray(whole)
        if rng.random() < 0.5:
            del data[rng.integers(1, len(data)) :]
        else:
            data[rng.integers(len(data))] ^= rng.integers(1, 256)
        shard.write_bytes(data)
        ours, error = counted(read_records(shard, "s"))
        assert re.match(r"s, record \d: (the file ends within it|its checksum is wrong)", str(error))
        theirs, their_error = counted(tf.data.TFRecordDataset(str(shard)))
        assert isinstance(their_error, tf.errors.DataLossError)
        assert ours == theirs


def counted(records):
    """How many there are before an error, and the error."""
    count = 0
    try:
        for _ in records:
            count += 1
    except (UserError, tf.errors.OpError) as error:
        return count, error
    return count, None


@pytest.mark.parametrize(
    ("pack", "says"),
    [
        (gzip.compress, "compressed by gzip: unpack it"),
        (lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS"),
        (lambda _: b"<!DOCTYPE html><html>" + b"Sign in " * 99, "a web page or XML, not the file"),
        (lambda data: bytes(len(data)), "zeros"),
        (lambda _: b"", "named for 3 records, holds 0"),
        (lambda _: None, "can't be read .Is a directory."),
    ],
)
def test_what_came_instead_of_a_shard_is_named(shard, pack, says):
    data = pack(shard.read_bytes())
    shard.unlink()
    shard.mkdir() if data is None else shard.write_bytes(data)
    with pytest.raises(UserError, match=f"^photo_tfrec/photo00-3.tfrec: {says}"):
        load(find_images(shard.parents[1], "photo"))


def test_more_records_than_the_name_says_are_all_read_and_no_record_is_told(tmp_path):
    write_shard(tmp_path / "photo_tfrec" / "photo00-1.tfrec", [example(jpeg(k), f"n{k}") for k in range(3)])
    write_shard(tmp_path / "photo_tfrec" / "without-number.tfrec", [])
    names, pixels, problems = load(find_images(tmp_path, "photo"), skip_bad=True)
    assert (names, len(pixels)) == (["n0", "n1", "n2"], 3)
    assert "named for 1 record, holds 3" in str(problems[0])
    assert "without-number.tfrec: holds no record. " in str(problems[1])


@pytest.mark.parametrize(("name", "says"), [("image", "of bytes .holds no bytes"), ("image_name", "holds no text")])
def test_features_of_numbers_are_refused(tmp_path, name, says):
    record = tf.train.Example.FromString(example(jpeg()))
    record.features.feature[name].int64_list.value[:] = [1, 2]
    write_shard(tmp_path / "photo_tfrec" / "photo00-1.tfrec", [record.SerializeToString()])
    with pytest.raises(UserError, match=says):
        load(find_images(tmp_path, "photo"))


def test_names_in_latin_1_are_read(tmp_path):
    record = tf.train.Example.FromString(example(jpeg()))
    record.features.feature["image_name"].bytes_list.value[0] = "été".encode("latin-1")
    write_shard(tmp_path / "photo_tfrec" / "photo00-1.tfrec", [record.SerializeToString()])
    assert load(find_images(tmp_path, "photo"))[0] == ["été"]
