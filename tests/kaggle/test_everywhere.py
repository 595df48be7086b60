"""The dress rehearsal: the submission notebook as Kaggle runs it, here and with what its older images hold; minutes each.

    make test-kaggle

With MONET_DATA, also a submission from the real images within three minutes, and another that goes on from it.
"""

import os
import re
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from standalone import fresh_environment, kaggle_input, run_standalone  # noqa: E402

from monet_lib.painting.submission import check_submission# noqa: E402

SUBMISSION = ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb"
# Everything that Kaggle's images of 2025 have and a notebook uses; the rest follows from these.
OLDER = ["tensorflow-cpu==2.18.*", "keras==3.8.*", "numpy==1.26.*", "pillow", "google-crc32c", "matplotlib", "seaborn", "tqdm",
         "ipywidgets", "ipykernel", "nbclient"]  # fmt: skip


@pytest.fixture(scope="module", params=["this environment", "TensorFlow 2.18, Keras 3.8, NumPy 1.26"])
def python(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    if request.param == "this environment":
        return fresh_environment(folder)
    if sys.version_info >= (3, 13):
        pytest.skip("TensorFlow 2.18 has no build for this Python")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *OLDER], check=True)
    versions = (
        "import keras, numpy, tensorflow as t; print(t.__version__, keras.__version__, numpy.__version__)"
    )
    found = subprocess.run([folder / "bin" / "python", "-c", versions], capture_output=True, text=True).stdout
    assert [version[:4] for version in found.split()] == ["2.18", "3.8.", "1.26"]
    return folder / "bin" / "python"


# Two devices, on any machine: set up before TensorFlow has looked at what there is.
TWO_DEVICES = {"root = find_data()": """cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
root = find_data()"""}
# As many steps as there is time for, saved often.
LONG = {"steps = 8 if": "steps = 10**6 if", '"checkpoint_every": 1000': '"checkpoint_every": 4',
        '"validate_every": 4 if': '"validate_every": 20 if', "LEAST, MOST = 7000": "LEAST, MOST = 96"}  # fmt: skip
KILL = {"hours = time_budget_hours": """import signal
import threading


def kill_when_saved():
    while len(list(run_folder.glob("checkpoints/step-*"))) < 2:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


threading.Thread(target=kill_when_saved, daemon=True).start()
hours = time_budget_hours"""}


@pytest.mark.parametrize("layout", ["gan-getting-started", "competitions/gan-getting-started"])
def test_a_session_is_killed_and_the_next_goes_on(layout, python, tmp_path, monkeypatch):
    """Two devices, a few minutes: the zip of before training survives the kill; the rates are zero at the end."""
    monkeypatch.setattr("monet_lib.painting.submission.LEAST", 96)
    images = kaggle_input(tmp_path / "input", layout=layout)
    edit = TWO_DEVICES | LONG
    run_standalone(SUBMISSION, python, images, tmp_path / "first", edit=edit | KILL, dies=True)
    assert "96 images" in check_submission(tmp_path / "first" / "images.zip")
    saved = _steps(tmp_path / "first")
    assert saved > 0
    (tmp_path / "first").rename(images / "monet-submission")
    minutes = {"time_budget_hours = 4.5": "time_budget_hours = 4 / 60"}
    done = run_standalone(SUBMISSION, python, images, tmp_path / "second", edit=edit | minutes)
    text = "\n".join(_lines(done))
    print(text)
    assert f"resuming at step {saved}" in text
    assert float(re.search(r"learning rates at ([\d.]+)%", text)[1]) <= 3
    assert _steps(tmp_path / "second") > saved
    assert "96 images" in check_submission(tmp_path / "second" / "images.zip")
    assert {path.name for path in (tmp_path / "second").iterdir()} == {"images.zip", "monet-run"}


def _steps(working):
    saved = sorted((working / "monet-run" / "checkpoints").glob("step-*"))
    return int(saved[-1].name.removeprefix("step-"))


def test_a_submission_of_7000_images_is_valid(python, tmp_path):
    # 1,750 photos and their mirror images.
    images, working = kaggle_input(tmp_path / "input", photos=1750), tmp_path / "working"
    run_standalone(SUBMISSION, python, images, working)
    assert "7000 images" in check_submission(working / "images.zip")


@pytest.mark.real_data
def test_three_minutes_of_real_images_and_three_more(tmp_path):
    """Training stops in time, the zip is valid in time, and with the output as input the run goes on."""
    python, images = fresh_environment(tmp_path / "env"), tmp_path / "input"
    images.mkdir()
    (images / "gan-getting-started").symlink_to(Path(os.environ["MONET_DATA"]).resolve())
    edit = {"time_budget_hours = 4.5": "time_budget_hours = 3 / 60", "steps = 8 if": "steps = 0 if"}
    steps = []
    for version in ("first", "second"):
        began = time.monotonic()
        done = run_standalone(SUBMISSION, python, images, tmp_path / version, edit=edit)
        seconds = time.monotonic() - began
        print(*_lines(done), f"{version}: {seconds:.0f} s", sep="\n")
        assert "images" in check_submission(tmp_path / version / "images.zip")
        text = "\n".join(_lines(done))
        assert float(re.search(r"learning rates at ([\d.]+)%", text)[1]) <= 3
        taken = re.search(r"^([\d.]+) of 3.0 minutes$", text, re.M)[1]
        assert float(taken) <= 3.0, "from the first cell to the checked zip"
        steps.append(_steps(tmp_path / version))
        assert (f"resuming at step {steps[0]}" in text) == (version == "second")
        if version == "first":
            (tmp_path / version).rename(images / "monet-submission")
    assert 0 < steps[0] < steps[1]


def _lines(notebook):
    texts = [o.text for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "text" in o]
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if re.search(r": | of [\d.]+ minutes", line) and "0000 00" not in line]
