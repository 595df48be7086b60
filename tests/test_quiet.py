"""What a command and a lesson write to stderr: progress bars, errors of our own, and nothing of other packages."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from inputs import make_data
from standalone import progress_removed

from monet_lib.quiet import without_stderr
from monet_lib.train.loop import FEW

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
SMALL = ["--set", "image_size=32", "--set", "generator_filters=2", "--set", "residual_blocks=1",
         "--set", "discriminator_filters=2"]  # fmt: skip


def fresh(*command, code=0, **environment):
    """What a new process, in which nobody has chosen a log level, writes to stderr and stdout."""
    kept = {k: v for k, v in os.environ.items() if k not in ("TF_CPP_MIN_LOG_LEVEL", "MONET_DATA")}
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True,
                          env=kept | environment)  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stderr, done.stdout


def test_every_command_writes_its_progress_and_no_more(tmp_path):
    """One after the other, as a user calls them: train, paint, submit, score."""
    data, run = make_data(tmp_path / "data"), tmp_path / "run"
    photos, cache = data / "photo_jpg", {"MONET_CACHE": str(tmp_path / "cache")}
    traced = ["--steps", FEW + 1, "--devices", "mirrored"]
    commands = [
        ["data", data],
        ["train", "--data", data, "--profile", "tiny", *SMALL, *traced, "--out", run],
        ["translate", photos, "--out", tmp_path / "painted"],
        ["translate", "--run", run, photos, "--out", tmp_path / "mine"],
        ["submit", "--run", run, "--out", tmp_path / "images.zip"],
        ["score", photos, "--reference", data / "monet_jpg", "--features", "random-conv"],
    ]  # fmt: skip
    for command in commands:
        errors, printed = fresh("-m", "monet_lib.cli", *command, **cache)
        assert progress_removed(errors) == "", command
        assert printed


def test_errors_of_our_own_are_shown(tmp_path):
    errors, _ = fresh("-m", "monet_lib.cli", "translate", "--run", tmp_path, "x.jpg", code=2)
    assert errors.startswith("monet: ")
    assert errors.count("\n") == 1


def test_a_user_can_have_tensorflows_messages():
    errors, _ = fresh("-c", "import monet_lib, tensorflow", TF_CPP_MIN_LOG_LEVEL="0")
    assert progress_removed(errors)


def test_only_what_is_written_meanwhile_is_lost_and_exceptions_pass(capfd):
    def noisy(number):
        os.write(2, b"lost")
        return 1 / number

    assert without_stderr(noisy, 2) == 0.5
    with pytest.raises(ZeroDivisionError):
        without_stderr(noisy, 0)
    os.write(2, b"kept")
    assert capfd.readouterr().err == "kept"


def test_a_notebook_gets_no_advice_from_tensorflows_logger_and_errors_are_shown():
    """Where there is a prompt, as in a kernel, TensorFlow makes its logger talkative when it is first asked for."""
    code = "import sys; sys.ps1 = 'In : '; import monet_lib, tensorflow as tf; tf.get_logger().warning('advice')"
    errors, printed = fresh("-c", f"{code}; tf.nothing", code=1)
    assert errors.startswith("Traceback (most recent call last)"), "and nothing before it"
    assert errors.count("Traceback") == 1
    assert printed == ""


def cells(source):
    return re.split(r"^# %%.*\n", source.read_text(), flags=re.M)


def test_a_lessons_setup_writes_nothing_to_stderr():
    setup = next(cell for cell in cells(SOURCES[0]) if "import tensorflow" in cell)
    assert fresh("-c", setup, MONET_PROFILE="tiny")[0] == ""


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.stem)
def test_every_lesson_asks_for_quiet_before_it_imports_tensorflow(source):
    setup = next(cell for cell in cells(source) if "= start()" in cell or "import tensorflow" in cell)
    asked = setup.find("= start()")  # a lesson's first line asks for it
    imported = [setup.find(f"import {name}") for name in ("keras", "tensorflow")]
    assert -1 < asked < min((place for place in imported if place >= 0), default=len(setup))


def test_the_notebook_without_the_library_imports_in_silence():
    notebook = json.loads((ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb").read_text())
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    first = next(k for k, text in enumerate(code) if re.search(r"^(import|from) (keras|tensorflow)", text, re.M))
    program = "import os\n" + code[first] + "\ntf.ones(1)"  # the cells before it are settings
    assert fresh("-c", program)[0] == ""


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_saved_output_is_of_stderr(notebook):
    saved = json.loads(notebook.read_text())["cells"]
    written = [o["text"] for cell in saved for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert progress_removed("".join("".join(text) for text in written)) == ""


NO_NETWORK_NEEDED = {
    "help": (["--help"], 0),
    "help of a command": (["train", "--help"], 0),
    "no command": ([], 2),
    "an unknown command": (["paint"], 2),
    "an unknown setting": (["train", "--set", "colour=1", "--out", "OUT"], 2),
    "an unknown profile": (["train", "--profile", "huge", "--out", "OUT"], 2),
    "no such data": (["train", "--data", "OUT/nothing", "--out", "OUT/run"], 2),
    "no such photo": (["translate", "OUT/nothing.jpg", "--out", "OUT/painted"], 2),
    "a brush too fine": (["translate", "data/photos", "--brush", "0.5", "--out", "OUT/painted"], 2),
    "no such run": (["translate", "--run", "OUT/nothing", "data/photos", "--out", "OUT/painted"], 2),
    "no run to submit": (["submit", "--run", "OUT/nothing", "--out", "OUT/images.zip"], 2),
    "no such zip": (["submit", "--check", "OUT/nothing.zip"], 2),
    "nothing to score": (["score", "OUT/nothing"], 2),
    "the data": (["data", "data/sample"], 0),
}
ASK = """
import sys
from monet_lib.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as error:
    code = error.code
heavy = sorted({"tensorflow", "keras", "matplotlib", "scipy"} & set(sys.modules))
print("imported:", *heavy)
sys.exit(code)
"""


@pytest.mark.parametrize("case", NO_NETWORK_NEEDED)
def test_what_needs_no_network_imports_none(case, tmp_path):
    arguments, code = NO_NETWORK_NEEDED[case]
    _, printed = fresh("-c", ASK, *(a.replace("OUT", str(tmp_path)) for a in arguments), code=code)
    assert printed.splitlines()[-1].strip() == "imported:"
