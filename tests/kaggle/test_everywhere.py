"""Every standalone notebook on its own, here and with what older images of Kaggle hold; minutes each.

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

LESSONS = sorted(path.parent.name for path in (ROOT / "kaggle").glob("0*/*.ipynb"))
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


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return kaggle_input(tmp_path_factory.mktemp("input"))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_alone(name, python, images, tmp_path, monkeypatch):
    done = run_standalone(ROOT / "kaggle" / name / f"{name}.ipynb", python, images, tmp_path / "working")
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
    if name == "05_submission":
        monkeypatch.setattr("monet_lib.painting.submission.LEAST", 24)  # so many photos the sample has
        assert "24 images" in check_submission(next((tmp_path / "working").rglob("images.zip")))


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
        assert "time budget: stopped" in text
        taken = re.search(r"^([\d.]+) of 3.0 minutes$", text, re.M)[1]
        assert float(taken) <= 3.0, "from the first cell to the checked zip"
        saved = sorted((tmp_path / version / "monet-run" / "checkpoints").glob("step-*"))
        steps.append(int(saved[-1].name.removeprefix("step-")))
        assert (f"resuming at step {steps[0]}" in text) == (version == "second")
        if version == "first":
            (tmp_path / version).rename(images / "monet-submission")
    assert 0 < steps[0] < steps[1]


def _lines(notebook):
    texts = [o.text for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "text" in o]
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if re.search(r": | of 3.0 ", line) and "0000 00" not in line]
