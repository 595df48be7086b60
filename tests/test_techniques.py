"""Every technique switched on at once trains, in either precision, on one and on two devices.

`make soak` runs it for longer, and on the real images: MONET_STEPS=200 MONET_DATA=... pytest tests/test_techniques.py.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from inputs import SMALLEST, make_data, sixteen_bits

from monet_lib.model.cyclegan import LOSSES
from monet_lib.recipes import profile
from monet_lib.train.loop import train

STEPS = int(os.environ.get("MONET_STEPS", "3"))
LONG = STEPS > 3
DATA = os.environ.get("MONET_DATA") if LONG else None
# In a few steps nothing is learnt, whatever the size.
SIZE = {} if LONG else SMALLEST | {"unet_depth": 3}
EVERYTHING = {
    "adversarial": "hinge,bce", "real_label": 0.9, "r1_weight": 0.1, "norm": "instance",
    "diff_augment": "color,translation,cutout", "generator_rate": 1e-4, "discriminator_rate": 4e-4, "decay_from": 0.5,
    "pool_size": 50, "ema": 0.99, "flip": True, "batch_size": 2, "crop": 200, "log_every": 1, "checkpoint_every": 100,
}  # fmt: skip
GENERATORS = {
    "resnet": {"residual_output": True, "upsample": "resize"},
    "unet": {"unet_dropout": 0.5, "upsample": "transpose", "discriminator_norm": "group"},
}


def run_everything(data, run, model, precision, devices="one"):
    config = profile("tiny", model=model, precision=precision, steps=STEPS, **EVERYTHING, **GENERATORS[model], **SIZE)
    return train(config, data, run, devices=devices)


def check(run):
    rows = np.genfromtxt(run / "history.csv", delimiter=",", names=True)
    assert len(rows) == STEPS
    assert all(np.isfinite(rows[name]).all() for name in LOSSES)


@pytest.mark.parametrize(
    ("model", "precision"),
    [("resnet", "float32"), pytest.param("unet", "mixed_bfloat16", marks=sixteen_bits)],
)
def test_on_one_device(model, precision, tmp_path):
    trained = run_everything(DATA or make_data(tmp_path / "data"), tmp_path / "run", model, precision)
    check(tmp_path / "run")
    assert int(trained.monet_pool.count.value) == min(50, 2 * STEPS)
    assert trained.monet_generator.dtype_policy.name == precision
    pairs = zip(trained.averaged_generator.get_weights(), trained.monet_generator.get_weights(), strict=True)
    assert any((average != now).any() for average, now in pairs)


# test_devices.py compares two devices with one, for a ResNet in float32: a short test here takes the other of each.
@pytest.mark.parametrize(
    ("model", "precision"),
    [pytest.param("unet", "mixed_bfloat16", marks=sixteen_bits), *([("resnet", "float32")] if LONG else [])],
)
def test_on_two_devices(model, precision, tmp_path):
    data = DATA or make_data(tmp_path / "data")
    command = [sys.executable, __file__, str(data), str(tmp_path / "run"), model, precision]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    check(tmp_path / "run")


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    run_everything(*sys.argv[1:], devices="mirrored")
