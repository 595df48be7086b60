"""Painting a submission and saving networks, killed with SIGKILL at random moments: as if never killed.

Before every other kill of a submission the photos are replaced under the same names. `make soak` kills 20 times.
"""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from inputs import jpeg, make_data

from monet_lib.data.reading import find_images
from monet_lib.paint.submission import write_submission

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
KILLS = int(os.environ.get("MONET_KILLS", "3"))
SUBMIT = """
import time
from monet_lib.data.reading import find_images
from monet_lib.paint.submission import write_submission
class Slow:
    def __call__(self, photos):
        time.sleep(0.02)
        return 255 - photos
print("ready", flush=True)
write_submission(Slow(), find_images({data!r}, "photo"), {out!r}, batch=2)
"""
SAVE = """
import sys
from pathlib import Path
import numpy as np
from monet_lib.files import write_beside, write_folder_beside
folder, number = Path({out!r}), 0
print("ready", flush=True)
while True:
    number += 1
    def save(path):
        with open(path, "wb") as stream:
            np.savez(stream, **{{str(k): np.full(20_000, number) for k in range(20)}})
    write_beside(folder / "generator.npz", save)
    write_folder_beside(folder / "best", lambda inside: save(inside / "state.npz"))
"""


class Invert:
    """Stands in for a painter, as the killed ones' does, which takes its time."""

    def __call__(self, photos):
        return 255 - photos


def killed(code, seconds):
    """Run code in a process of its own and kill it so many seconds after it is ready; whether it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_killed_submissions_end_as_if_never_killed(tmp_path):
    data, out = make_data(tmp_path / "data", monets=1, photos=30, formats=["jpg"]), tmp_path / "images.zip"
    photos, moments = find_images(data, "photo"), random.Random(0)
    code = SUBMIT.format(data=str(data), out=str(out))
    for kill in range(KILLS):
        if kill % 2:
            for k, file in enumerate(photos.files):
                file.write_bytes(jpeg(1000 * kill + k))
        killed(code, moments.uniform(0, 0.3))
    write_submission(Invert(), photos, out, batch=2)
    write_submission(Invert(), photos, tmp_path / "whole.zip", batch=2)
    assert out.read_bytes() == (tmp_path / "whole.zip").read_bytes()


def test_networks_are_whole_after_every_kill(tmp_path):
    from monet_lib.files import recover_folders

    moments, before = random.Random(0), 0
    for _ in range(KILLS):
        assert killed(SAVE.format(out=str(tmp_path)), moments.uniform(0.05, 0.4))
        recover_folders(tmp_path)
        assert sorted(f.name for f in tmp_path.iterdir()) == ["best", "generator.npz"]
        for file in (tmp_path / "generator.npz", tmp_path / "best" / "state.npz"):
            with np.load(file) as arrays:
                values = np.concatenate([arrays[name] for name in arrays.files])
            assert len(values) == 400_000
            assert (values == values[0]).all()
            assert values[0] > before
