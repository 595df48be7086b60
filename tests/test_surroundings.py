"""Keras' own settings, of the user's other work, change nothing here."""

import csv
import json
import os
import subprocess
import sys

import pytest

PLAIN = {"floatx": "float32", "epsilon": 1e-7, "backend": "tensorflow", "image_data_format": "channels_last"}
SMALL = ["--profile", "tiny", "--set", "image_size=32", "--set", "generator_filters=2", "--set", "residual_blocks=1",
         "--set", "discriminator_filters=2", "--set", "log_every=1", "--steps", "1"]  # fmt: skip


def losses(folder, data, keras, **environment):
    """Of a step of training in a new process, whose home holds these settings of Keras."""
    (folder / "keras").mkdir(parents=True)
    (folder / "keras" / "keras.json").write_text(json.dumps(PLAIN | keras))
    command = ["train", "--data", data, *SMALL, "--out", folder / "run"]
    done = subprocess.run([sys.executable, "-m", "monet_lib.cli", *map(str, command)], capture_output=True, text=True,
                          env=os.environ | {"KERAS_HOME": str(folder / "keras")} | environment)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with open(folder / "run" / "history.csv", newline="") as file:
        return [float(value) for value in list(csv.reader(file))[1][2:]]


def test_settings_of_keras_change_nothing(data_folder, tmp_path):
    plain = losses(tmp_path / "plain", data_folder, {}, KERAS_BACKEND="")
    keras = {"floatx": "float16", "image_data_format": "channels_first", "backend": "mxnet"}
    other = losses(tmp_path / "other", data_folder, keras, KERAS_BACKEND="unknown")
    assert other == pytest.approx(plain, abs=1e-4)
