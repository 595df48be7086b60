import io
import os

# Two processes of tests share two cores: each of them, and each notebook's kernel, gets one thread. Before NumPy.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in (
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
    ):
        os.environ.setdefault(name, "1")

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import monet_lib  # noqa: F401, first of all: it keeps TensorFlow quiet
from monet_lib.config import profile

LONGEST = ("04_resnet_cyclegan.ipynb", "test_kill.py", "test_training.py", "test_kaggle.py", "test_devices.py",
           "05_submission.ipynb", "03_unet_cyclegan.ipynb", "test_quiet.py", "test_techniques.py", "02_dcgan.ipynb",
           "test_cli.py", "test_exercises.py", "test_cyclegan.py", "test_survival.py")  # fmt: skip

# A processor without 16-bit instructions runs these tests, by TensorFlow's own kernels.
sixteen_bits = pytest.mark.skipif(
    os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT") not in ("DEFAULT", "ALL"),
    reason="TensorFlow asks oneDNN for the 16-bit convolutions that it was told to leave unused",
)


def pytest_collection_modifyitems(config, items):
    """Between two processes, what takes longest begins first, so that none is left waiting for it at the end."""
    if hasattr(config, "workerinput"):
        order = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch, request):
    """Tests choose their own data and profile; only those marked real_data see the caller's MONET_DATA."""
    monkeypatch.delenv("MONET_PROFILE", raising=False)
    if request.node.get_closest_marker("real_data"):
        if not os.environ.get("MONET_DATA"):
            pytest.skip("MONET_DATA is not set: no real images")
    else:
        monkeypatch.delenv("MONET_DATA", raising=False)


@pytest.fixture(autouse=True)
def _own_draws(request):
    """Each test draws the same numbers whichever others run before it, alone or beside it."""
    if hasattr(request.module, "rng"):
        request.module.rng = np.random.default_rng(0)


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


@pytest.fixture
def data_folder(tmp_path):
    return make_data(tmp_path / "data")


@pytest.fixture
def eagerly():
    """Training steps run eagerly. For tests of what is around a few steps: tracing these takes longer than they do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def nano():
    """The smallest config that still has every part: a step takes milliseconds once traced."""
    return profile(
        "tiny", image_size=32, generator_filters=2, residual_blocks=1, unet_depth=3, discriminator_filters=2,
        log_every=1, checkpoint_every=2,
    )  # fmt: skip
