"""Training killed with SIGKILL at random moments, resumed each time, ends with the uninterrupted run's weights.

Every other kill comes while a checkpoint is being written. `make soak` kills 20 times, and repeats a larger run.
"""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from inputs import NANO, make_data, options, rows, weights

from monet_lib.files import COURSE, TEMPORARY
from monet_lib.model.weights import load_generator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL and no SIGSTOP")
KILLS = int(os.environ.get("MONET_KILLS", "2"))
STEPS = max(40, 12 * KILLS)


@pytest.fixture
def start():
    """Begins a training as a process of its own. Processes that still run when the test ends are killed."""
    started = []

    def begin(data, run):
        settings = NANO | {"model": "unet", "checkpoint_every": 1, "diff_augment": "color,translation,cutout"}
        command = [sys.executable, "-m", "monet_lib.cli", "train", "--data", str(data), "--profile", "tiny", "--steps",
                   str(STEPS), "--out", str(run), *options(settings)]  # fmt: skip
        # Always two threads: another number would add in another order.
        environment, nothing = os.environ | {"TF_NUM_INTRAOP_THREADS": "2"}, subprocess.DEVNULL
        started.append(subprocess.Popen(command, env=environment, stdout=nothing, stderr=nothing))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def steps_done(run):
    history = run / "history.csv"
    return len(history.read_text().splitlines()) - 1 if history.exists() else 0


def stop_within_a_checkpoint(process, checkpoints):
    """Stop it when it is seen to write one, and let it go on if that was too late: on any machine, within it."""
    while process.poll() is None:
        if any(checkpoints.glob(f"{TEMPORARY}*")):
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            if any(checkpoints.glob(f"{TEMPORARY}*")):
                return
            process.send_signal(signal.SIGCONT)
        time.sleep(0.0005)


def test_killed_training_ends_as_if_never_killed(tmp_path, start):
    data = make_data(tmp_path / "data", photos=20, formats=["jpg"])
    assert start(data, tmp_path / "whole").wait(timeout=3600) == 0
    moments, checkpoints, within = random.Random(0), tmp_path / "killed" / "checkpoints", 0
    for kill in range(KILLS):
        process, before = start(data, tmp_path / "killed"), steps_done(tmp_path / "killed")
        while process.poll() is None and steps_done(tmp_path / "killed") <= before:
            time.sleep(0.01)
        if kill % 2:
            time.sleep(moments.uniform(0, 0.4))
        else:
            stop_within_a_checkpoint(process, checkpoints)
        process.send_signal(signal.SIGKILL)  # on a slow machine the last of them may have ended already
        assert process.wait(timeout=3600) in (-signal.SIGKILL, 0)
        within += any(checkpoints.glob(f"{TEMPORARY}*"))
    assert within >= (KILLS + 1) // 2
    assert start(data, tmp_path / "killed").wait(timeout=3600) == 0
    runs = tmp_path / "whole", tmp_path / "killed"
    np.testing.assert_array_equal(*(weights(load_generator(run / "generator.npz")[0]) for run in runs))
    whole, killed = ([list(row.values())[2:] for row in rows(run)] for run in runs)
    assert whole == killed


@pytest.mark.skipif("MONET_KILLS" not in os.environ, reason="takes minutes: make soak")
def test_equal_runs_with_several_images_a_batch_agree(tmp_path):
    """TensorFlow's rewriter of graphs ordered sums by hashes of the process; small networks don't show it."""
    runs = [tmp_path / name for name in ("first", "second", "third")]
    settings = options({"batch_size": 4, "precision": "float32"})
    command = [
        sys.executable,
        "-m",
        "monet_lib.cli",
        "train",
        "--data",
        str(COURSE / "data" / "sample"),
        "--steps",
        "8",
    ]
    environment = os.environ | {"TF_NUM_INTRAOP_THREADS": "2"}
    for run in runs:
        subprocess.run([*command, "--out", str(run), *settings], env=environment, check=True, capture_output=True)
    first, *others = (weights(load_generator(run / "generator.npz")[0]) for run in runs)
    for other in others:
        np.testing.assert_array_equal(first, other)
