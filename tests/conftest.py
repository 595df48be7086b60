import os
import sys
from pathlib import Path

# Two processes of tests share two cores: each of them, and each notebook's kernel, gets one thread. Before NumPy.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")

import numpy as np
import pytest
import tensorflow as tf
from inputs import NANO, make_data

import monet_lib  # noqa: F401, first of all: it keeps TensorFlow quiet
from monet_lib.recipes import profile

sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in ("tools", "benchmarks")]
LONGEST = ("04_resnet_cyclegan.ipynb", "test_kill.py", "test_training.py", "test_kaggle.py", "test_devices.py",
           "05_submission.ipynb", "03_unet_cyclegan.ipynb", "test_quiet.py", "test_techniques.py", "02_dcgan.ipynb",
           "test_cli.py", "test_exercises.py", "test_cyclegan.py", "test_survival.py")  # fmt: skip


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
    return profile("tiny", **NANO)
