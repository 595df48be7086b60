"""What tests read: small images, records and data folders. And who may ask for 16-bit convolutions."""

import io
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

# A processor without 16-bit instructions runs these tests, by TensorFlow's own kernels.
sixteen_bits = pytest.mark.skipif(
    os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT") not in ("DEFAULT", "ALL"),
    reason="TensorFlow asks oneDNN for the 16-bit convolutions that it was told to leave unused",
)


def jpeg(seed=0, mode="RGB", size=(256, 256), format="JPEG"):
    """A smooth random picture's file, as bytes."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize(size, Image.BICUBIC)
    buffer = io.BytesIO()
    small.convert(mode).save(buffer, format, quality=90)
    return buffer.getvalue()


def example(image, name="a", target="photo"):
    """One serialized record in the competition's schema; image None leaves that feature out."""
    values = {"image": image, "image_name": name.encode(), "target": target.encode()}
    features = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
        if value is not None
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)


def write_shard(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def make_data(root, monets=3, photos=5, formats=("tfrec", "jpg")):
    """A small random data set in the competition's layout."""
    for kind, count, offset in (("monet", monets, 100), ("photo", photos, 200)):
        images = [(f"{kind}{k:02d}", jpeg(offset + k)) for k in range(count)]
        if "jpg" in formats:
            (root / f"{kind}_jpg").mkdir(parents=True, exist_ok=True)
            for name, data in images:
                (root / f"{kind}_jpg" / f"{name}.jpg").write_bytes(data)
        if "tfrec" in formats:
            half = (count + 1) // 2
            for number, part in enumerate((images[:half], images[half:])):
                if part:
                    shard = root / f"{kind}_tfrec" / f"{kind}{number:02d}-{len(part)}.tfrec"
                    write_shard(shard, [example(data, name, kind) for name, data in part])
    return root
