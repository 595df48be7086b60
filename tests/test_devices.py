"""Several devices take the same step as one with the same global batch."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from monet_lib.config import UserError
from monet_lib.devices import strategy

SCRIPT = Path(__file__).with_name("distributed.py")


def start(kind, out, **environment):
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""} | environment
    command = [sys.executable, str(SCRIPT), kind, str(out)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]


@pytest.fixture(scope="module")
def one_device(tmp_path_factory):
    out = tmp_path_factory.mktemp("one") / "one.npz"
    finish(start("one", out))
    return np.load(out)


def assert_same(got, expected):
    assert got["replicas"] == 2
    np.testing.assert_allclose(got["weights"], expected["weights"], atol=1e-5)
    np.testing.assert_allclose(got["losses"], expected["losses"], rtol=1e-4)


def test_two_logical_devices(one_device, tmp_path):
    finish(start("mirrored", tmp_path / "two.npz"))
    assert_same(np.load(tmp_path / "two.npz"), one_device)


def test_one_device_is_the_default_and_a_wrong_name_is_named():
    assert strategy("one").num_replicas_in_sync == 1
    with pytest.raises(UserError, match="strategy 'gpu' is unknown. Choose one of auto, one"):
        strategy("gpu")
