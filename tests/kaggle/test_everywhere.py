"""The submission notebook as Kaggle runs it, with this environment and with older packages; minutes each.

    make test-kaggle

With MONET_DATA, also a submission from real images within three minutes, and another that resumes its run. A machine
that does other work too needs more time: MONET_MINUTES=10.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import nbformat
import numpy as np
import pytest
from inputs import ROOT
from nbclient import NotebookClient
from standalone import fresh_environment, kaggle_input, run_standalone

from monet_lib.paint.painting import paint
from monet_lib.paint.submission import check_submission
from monet_lib.train.run import Run

SUBMISSION = ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb"
# The packages of Kaggle's images of 2025 that a notebook uses; pip adds the packages that these need.
OLDER = ["tensorflow-cpu==2.18.*", "keras==3.8.*", "numpy==1.26.*", "pillow", "google-crc32c", "matplotlib",
         "seaborn", "tqdm", "ipywidgets", "ipykernel", "nbclient"]  # fmt: skip


@pytest.fixture(scope="module", params=["this environment", "TensorFlow 2.18, Keras 3.8, NumPy 1.26"])
def python(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    if request.param == "this environment":
        return fresh_environment(folder)
    if sys.version_info >= (3, 13):
        pytest.skip("TensorFlow 2.18 has no build for this Python")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *OLDER], check=True)
    versions = "import keras, numpy, tensorflow as t; print(t.__version__, keras.__version__, numpy.__version__)"
    found = subprocess.run([folder / "bin" / "python", "-c", versions], capture_output=True, text=True).stdout
    assert [version[:4] for version in found.split()] == ["2.18", "3.8.", "1.26"]
    return folder / "bin" / "python"


def told(notebook):
    """The lines that a notebook wrote, without those of single steps."""
    texts = [o.text for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "text" in o]
    return "\n".join(line for line in "\n".join(texts).splitlines() if line and not line.startswith("step "))


def steps_of(working):
    saved = sorted((working / "monet-run" / "checkpoints").glob("step-*"))
    return int(saved[-1].name.removeprefix("step-"))


# Two devices on any machine. TensorFlow takes this before it looks at the devices.
SPLIT = """cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
TWO_DEVICES = {"tf = import_tensorflow()\n": f"tf = import_tensorflow()\n{SPLIT}"}
# As many steps as there is time for, saved often.
LONG = {"steps = 8 if": "steps = 10**6 if", "check_every = 4 if": "check_every = 20 if"}
MINUTES = float(os.environ.get("MONET_MINUTES", 3))
A_FEW_MINUTES = {"time_budget_hours = 4.5": f"time_budget_hours = {MINUTES} / 60"}
TRAIN_A_FEW_MINUTES = {"time_budget=max(hours, 0.01)": f"time_budget={MINUTES} / 60"}
KILL = {
    "    model = train(": """    import signal
    import threading

    def kill_when_saved():
        while not (run_folder / "checkpoints" / "step-00000040").exists():
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=kill_when_saved, daemon=True).start()
    model = train("""
}


def test_a_session_is_killed_and_the_next_resumes(python, tmp_path):
    """Two devices: the zip of before training survives the kill; the next version ends with rates of zero.

    The images lie where a competition's do in the first version, and where a data set's do in the second.
    """
    edit = TWO_DEVICES | LONG
    images = kaggle_input(tmp_path / "input", layout="competitions/gan-getting-started")
    run_standalone(SUBMISSION, python, images, tmp_path / "first", edit=edit | KILL, dies=True, timeout=1800)
    assert "192 images" in check_submission(tmp_path / "first" / "images.zip", least=192)
    saved = steps_of(tmp_path / "first")
    assert saved >= 40
    images = kaggle_input(tmp_path / "input-2", layout="datasets/someone/gan-getting-started")
    (tmp_path / "first").rename(images / "monet-submission")
    done = run_standalone(SUBMISSION, python, images, tmp_path / "second", edit=edit | TRAIN_A_FEW_MINUTES)
    print(text := told(done))
    assert f"resuming at step {saved}" in text
    assert float(re.search(r"learning rates at ([\d.]+)%", text)[1]) <= 3
    assert steps_of(tmp_path / "second") > saved
    assert "192 images" in check_submission(tmp_path / "second" / "images.zip", least=192)
    assert {path.name for path in (tmp_path / "second").iterdir()} == {"images.zip", "monet-run"}
    generator, config = Run.load(tmp_path / "second" / "monet-run").last_generator()
    painted = paint(generator, np.zeros((1, config.image_size, config.image_size, 3), np.uint8))
    assert painted.shape == (1, config.image_size, config.image_size, 3), "the library paints with it, too"


@pytest.mark.parametrize(
    ("edit", "files"),
    [
        ({"time_budget_hours = 4.5": "time_budget_hours = 0"}, {"images.zip"}),
        ({"time_budget=max(hours, 0.01)": "time_budget=1e-9"}, {"images.zip", "monet-run"}),
    ],
)
def test_where_no_time_is_left_the_first_zip_stays(python, tmp_path, edit, files):
    """Either the budget is used up before training begins, or training stops after the step that measures the time."""
    done = run_standalone(SUBMISSION, python, kaggle_input(tmp_path / "input"), tmp_path / "working", edit=edit)
    text = told(done)
    assert "painted by the course's generator; raise time_budget_hours to train" in text
    assert "plan:" not in text
    assert "192 images" in check_submission(tmp_path / "working" / "images.zip", least=192)
    assert {path.name for path in (tmp_path / "working").iterdir()} == files


def test_a_submission_of_7000_images_is_valid(python, tmp_path):
    """1,750 photos and their mirror images, painted by what was learnt here alone."""
    images, working = kaggle_input(tmp_path / "input", photos=1750), tmp_path / "working"
    alone = {"trained_elsewhere = True": "trained_elsewhere = False"}
    run_standalone(SUBMISSION, python, images, working, edit=alone, timeout=1800)
    assert "7000 images" in check_submission(working / "images.zip")


@pytest.mark.real_data
def test_a_few_minutes_of_real_images_and_as_many_more(python, tmp_path):
    """Valid zips within the time, rates of zero when training stops, and the better zip of the two is kept.

    All paintings, and the photos of the first shard: a processor can't paint 7,000 twice in so little time.
    """
    data, images = Path(os.environ["MONET_DATA"]).resolve(), tmp_path / "input"
    shutil.copytree(data / "monet_tfrec", images / "gan-getting-started" / "monet_tfrec")
    shard = min((data / "photo_tfrec").glob("*.tfrec"))
    (images / "gan-getting-started" / "photo_tfrec").mkdir()
    shutil.copy(shard, images / "gan-getting-started" / "photo_tfrec")
    (images / "features").mkdir()
    shutil.copy(ROOT / "models" / "imagenet" / "efficientnet_lite0.npz", images / "features")
    photos = int(shard.stem.rpartition("-")[2])
    edit, steps = A_FEW_MINUTES | LONG | {"LEAST, MOST = 7000": f"LEAST, MOST = {photos}"}, []
    for version in ("first", "second"):
        began = time.monotonic()
        timeout = 600 + 60 * int(MINUTES)
        done = run_standalone(SUBMISSION, python, images, tmp_path / version, edit=edit, timeout=timeout)
        seconds = time.monotonic() - began
        print(text := told(done), f"{version}: {seconds:.0f} s", sep="\n")
        assert f"{photos} images" in check_submission(tmp_path / version / "images.zip", least=photos)
        assert float(re.search(r"learning rates at ([\d.]+)%", text)[1]) <= 3
        assert float(re.search(r"images.zip after ([\d.]+) min", text)[1]) < MINUTES, "before training"
        assert float(re.search(r"^([\d.]+) of [\d.]+ minutes$", text, re.M)[1]) <= MINUTES
        _, first, last = (float(kid) for kid in re.findall(r"proxy KID +(-?[\d.]+) ±", text))
        assert ("still painted by the course's generator" in text) == (first <= last)
        steps.append(steps_of(tmp_path / version))
        assert (f"resuming at step {steps[0]}" in text) == (version == "second")
        if version == "first":
            (tmp_path / version).rename(images / "monet-submission")
    assert 0 < steps[0] < steps[1]


@pytest.mark.parametrize("name", ["04_resnet_cyclegan", "05_submission"])
def test_a_lesson_that_trains_runs_on_two_devices(name, monkeypatch):
    """As their metadata asks for on Kaggle: batches of 1 take one device, others both."""
    monkeypatch.setenv("MONET_PROFILE", "tiny")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(f"import monet_lib\nimport tensorflow as tf\n{SPLIT}"))
    notebook.cells.append(nbformat.v4.new_code_cell("len(tf.config.list_logical_devices('CPU'))"))
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    assert notebook.cells[-1].outputs[0].data["text/plain"] == "2"
