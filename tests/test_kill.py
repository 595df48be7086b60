"""Training killed with SIGKILL at random moments, resumed each time, ends with the uninterrupted run's weights."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np

from monet_lib.checkpoints import load_generator

KILLS = int(os.environ.get("MONET_KILLS", "3"))
STEPS = 40


def start(data, run, *more):
    command = [sys.executable, "-m", "monet_lib.cli", "train", "--data", str(data), "--profile", "tiny",
               "--model", "unet", "--steps", str(STEPS), "--out", str(run), *more]  # fmt: skip
    settings = {"image_size": 32, "unet_depth": 3, "generator_filters": 2, "discriminator_filters": 2,
                "checkpoint_every": 1, "diff_augment": "color,translation,cutout", "log_every": 1}  # fmt: skip
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def steps_done(run):
    history = run / "history.csv"
    return len(history.read_text().splitlines()) - 1 if history.exists() else 0


def test_killed_training_ends_as_if_never_killed(data_folder, tmp_path):
    assert start(data_folder, tmp_path / "whole").wait(timeout=300) == 0
    moments, killed = random.Random(0), 0
    for _ in range(KILLS):
        process, before = start(data_folder, tmp_path / "killed"), steps_done(tmp_path / "killed")
        # Every step writes a checkpoint here, so most of these moments lie within the writing of one.
        while process.poll() is None and steps_done(tmp_path / "killed") <= before:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        killed += process.wait(timeout=60) == -signal.SIGKILL
    assert killed >= 1
    assert start(data_folder, tmp_path / "killed").wait(timeout=300) == 0
    whole, resumed = (
        load_generator(tmp_path / name / "generator.npz")[0].get_weights() for name in ("whole", "killed")
    )
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(a, b)
    first, second = (
        (tmp_path / name / "history.csv").read_text().splitlines() for name in ("whole", "killed")
    )
    losses = [[line.split(",")[2:] for line in lines] for lines in (first, second)]
    assert losses[0] == losses[1]
