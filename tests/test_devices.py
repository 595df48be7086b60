"""Several devices take the same steps as one device with the same global batch."""

import os
import subprocess
import sys
from pathlib import Path

import distributed
import numpy as np
import pytest
from inputs import make_data, rows

from monet_lib.files import UserError
from monet_lib.model.cyclegan import LOSSES
from monet_lib.train.loop import strategy

SCRIPT = Path(__file__).with_name("distributed.py")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data") / "data")


def start(kind, data, run, weights, **environment):
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""} | environment
    command = [sys.executable, str(SCRIPT), kind, str(data), str(run), str(weights)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, errors = process.communicate(timeout=3600)
    assert process.returncode == 0, errors[-3000:]
    return out


@pytest.fixture(scope="module")
def one_device(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    distributed.main("one", data, folder / "run", folder / "weights.npz")
    return folder


def assert_same(run, weights, expected):
    got, wanted = np.load(weights), np.load(expected / "weights.npz")
    assert (wanted["replicas"], got["replicas"]) == (1, 2)
    np.testing.assert_allclose(got["weights"], wanted["weights"], atol=1e-5)
    found, right = ([[float(row[name]) for name in LOSSES] for row in rows(r)] for r in (run, expected / "run"))
    assert len(found) == 2
    np.testing.assert_allclose(found, right, rtol=1e-4, atol=2e-5)


def test_two_logical_devices_stopped_and_resumed(one_device, data, tmp_path):
    out = finish(start("mirrored", data, tmp_path / "run", tmp_path / "weights.npz"))
    assert "resuming at step 1" in out
    assert "all as with one device" in out
    assert_same(tmp_path / "run", tmp_path / "weights.npz", one_device)


def test_an_overflow_on_one_device_is_left_out_on_both(data, tmp_path):
    """In a process of its own: two strategies in one would share the names of their collective operations."""
    assert "left out on both" in finish(start("overflow", data, tmp_path / "run", tmp_path / "weights.npz"))


def test_one_device_is_the_default_and_a_wrong_name_is_named():
    assert strategy("one").num_replicas_in_sync == 1
    with pytest.raises(UserError, match="devices 'gpu' is unknown. Choose one of auto, one"):
        strategy("gpu")
