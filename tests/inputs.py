"""What tests share: small images, records, data folders and trainings. And who may ask for 16-bit convolutions."""

import contextlib
import csv
import io
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
# A processor without 16-bit instructions runs these tests, by TensorFlow's own kernels.
sixteen_bits = pytest.mark.skipif(
    os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT") not in ("DEFAULT", "ALL"),
    reason="TensorFlow asks oneDNN for the 16-bit convolutions that it was told to leave unused",
)

# The smallest networks that still have every part, and settings of a training in which every step leaves something.
SMALLEST = {"image_size": 32, "generator_filters": 2, "residual_blocks": 1, "discriminator_filters": 2}
NANO = SMALLEST | {"unet_depth": 3, "log_every": 1, "checkpoint_every": 2}


def options(settings):
    """Settings as `monet train` is given them."""
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


SMALL = ["--profile", "tiny", *options(SMALLEST)]


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


def invert(photos):
    """Stands in for a painter: exact, so that pixels can be followed."""
    return 255 - photos


def weights(network):
    """All weights of a Keras model in one vector."""
    return np.concatenate([np.ravel(w) for w in network.get_weights()])


def rows(run, table="history.csv"):
    """The lines of a run's table, each a dict of strings."""
    with open(run / table, newline="") as file:
        return list(csv.DictReader(file))


class At(keras.callbacks.Callback):
    """Calls do(model) at the end of one step of this session."""

    def __init__(self, step, do):
        super().__init__()
        self.at, self.do = step, do

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == self.at:
            self.do(self.model)


def ctrl_c(model):
    raise KeyboardInterrupt


@contextlib.contextmanager
def largest_file(size):
    """No file grows beyond so many bytes: the kernel takes a part of a write, and refuses the next one."""
    resource = pytest.importorskip("resource", reason="Windows knows no limit on the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
