"""Keras' own settings, of the user's other work, change nothing here."""

import json
import os
import subprocess
import sys

import pytest
from inputs import SMALL, rows

from monet_lib import cli
from monet_lib.model.cyclegan import LOSSES


@pytest.mark.usefixtures("eagerly")
def test_settings_of_keras_change_nothing(data_folder, tmp_path):
    """A step in a new process whose home holds other settings, and one in this process, which has Keras' own."""
    settings = {"floatx": "float16", "image_data_format": "channels_first", "backend": "mxnet"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    command = ["train", "--data", str(data_folder), *SMALL, "--set", "log_every=1", "--steps", "1", "--out"]
    done = subprocess.run([sys.executable, "-m", "monet_lib.cli", *command, str(tmp_path / "other")],
                          capture_output=True, text=True,
                          env=os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "unknown"})  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert cli.main([*command, str(tmp_path / "plain")]) == 0
    ((other,), (plain,)) = (rows(tmp_path / name) for name in ("other", "plain"))
    for name in LOSSES:
        assert float(other[name]) == pytest.approx(float(plain[name]), abs=1e-4), name
