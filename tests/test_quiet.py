"""Importing the library changes no setting of the process; commands and lessons write their own lines alone."""

import json
import logging
import os
import re
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
from inputs import ROOT, SMALL, make_data
from standalone import progress_removed

import monet_lib
from monet_lib import cli, without_stderr
from monet_lib.train.loop import FEW


def fresh(*command, code=0, **environment):
    """(stderr, stdout) of a new process for which nobody has chosen a log level."""
    kept = {k: v for k, v in os.environ.items() if k not in ("TF_CPP_MIN_LOG_LEVEL", "MONET_DATA")}
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True,
                          env=kept | environment)  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stderr, done.stdout


STATE = """
import json, os, sys
import keras
from PIL import Image, PngImagePlugin
keras.config.set_floatx("float16")
keras.config.set_image_data_format("channels_first")
keras.config.set_dtype_policy("mixed_bfloat16")
def state():
    places = [[os.fstat(k).st_dev, os.fstat(k).st_ino] for k in (0, 1, 2)]
    settings = keras.config.floatx(), keras.config.image_data_format(), keras.config.dtype_policy().name
    pillow = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    return json.dumps([places, settings, pillow, [id(each) for each in sys.meta_path + sys.path_hooks]])
before = state()
import monet_lib.course, monet_lib.data, monet_lib.model, monet_lib.paint, monet_lib.score, monet_lib.train
from monet_lib.paint import read_photo
read_photo("data/photos/brook.jpg")
assert state() == before, (before, state())
"""
FIRST = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print("telemetry off:", os.environ["ORT_DISABLE_TELEMETRY"])
sys.meta_path.insert(0, Watch())
import monet_lib.data
from monet_lib.paint import SHIPPED_PAINTER, Painter
print("imported:", *sorted({"tensorflow", "keras", "onnx", "onnxruntime", "matplotlib"} & set(sys.modules)))
Painter(SHIPPED_PAINTER)
"""


def test_importing_the_library_changes_no_setting_of_the_process():
    """No import hook, no redirected descriptor, no setting of Keras; and neither does reading a photo of Pillow's."""
    fresh("-c", STATE)


def test_painting_imports_onnxruntime_alone_and_without_its_telemetry():
    _, printed = fresh("-c", FIRST, ORT_DISABLE_TELEMETRY="0")
    assert printed.splitlines() == ["imported:", "telemetry off: 1"]


def test_every_command_writes_its_progress_and_no_more(tmp_path):
    """One after the other, as a user calls them: train, paint, submit, score."""
    data, run = make_data(tmp_path / "data"), tmp_path / "run"
    photos, cache = data / "photo_jpg", {"MONET_CACHE": str(tmp_path / "cache")}
    traced = ["--steps", FEW + 1, "--devices", "mirrored"]
    commands = [
        ["data", data],
        ["train", "--data", data, *SMALL, *traced, "--out", run],
        ["translate", photos, "--out", tmp_path / "painted"],
        ["translate", "--run", run, photos, "--out", tmp_path / "mine"],
        ["submit", "--run", run, "--out", tmp_path / "images.zip"],
        ["score", photos, "--reference", data / "monet_jpg", "--features", "random-conv"],
    ]  # fmt: skip
    for command in commands:
        errors, printed = fresh("-m", "monet_lib.cli", *command, **cache)
        assert progress_removed(errors) == "", command
        assert printed


def test_a_lessons_setup_writes_nothing_to_stderr():
    cells = re.split(r"^# %%.*\n", (ROOT / "notebooks" / "src" / "01_eda.py").read_text(), flags=re.M)
    setup = next(cell for cell in cells if "start()" in cell)
    errors, printed = fresh("-c", f"{setup}\ntf.function(lambda x: x + 1)(tf.ones(1))", MONET_PROFILE="tiny")
    assert errors == ""
    assert printed.startswith("tensorflow ")


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_saved_output_is_of_stderr(notebook):
    saved = json.loads(notebook.read_text())["cells"]
    written = [o["text"] for cell in saved for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert progress_removed("".join("".join(text) for text in written)) == ""


IMPORT = "import sys; sys.ps1 = 'In : '; from monet_lib import import_tensorflow; tf = import_tensorflow();"


def test_tensorflow_is_quiet_in_a_notebook_until_an_error():
    """Where there is a prompt, as in a kernel, TensorFlow makes its logger talkative when it is first asked for."""
    errors, printed = fresh("-c", f"{IMPORT} tf.get_logger().warning('advice'); tf.nothing", code=1)
    assert errors.startswith("Traceback (most recent call last)"), "and nothing before it"
    assert errors.count("Traceback") == 1
    assert printed == ""


def test_a_user_can_have_tensorflows_messages():
    assert progress_removed(fresh("-c", IMPORT, TF_CPP_MIN_LOG_LEVEL="0")[0])


def test_an_error_while_tensorflow_is_imported_is_shown():
    errors, _ = fresh("-c", f"import sys; sys.modules['tensorflow'] = None; {IMPORT}", code=1)
    assert "ModuleNotFoundError: import of tensorflow halted" in errors


def test_a_processor_that_tensorflow_cannot_use_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "cpuinfo").write_text("flags : fpu sse2 ssse3")
    monkeypatch.setattr(monet_lib, "CPU", tmp_path / "cpuinfo")
    (tmp_path / "config.json").touch()
    assert cli.main(["export", "--run", str(tmp_path), "--out", str(tmp_path / "a.onnx")]) == 2
    assert capsys.readouterr().err.startswith("monet: TensorFlow's packages need a processor with AVX.")


@pytest.mark.parametrize(
    ("system", "devices", "hidden"), [("Darwin", 1, True), ("Darwin", 0, False), ("Linux", 1, False)]
)
def test_apples_metal_plugin_is_not_used(monkeypatch, capfd, system, devices, hidden):
    """A stand-in: its sums differ, and a Mac's GPU would train another generator than the same seed on its CPU."""
    called, tensorflow = [], ModuleType("tensorflow")
    tensorflow.config = SimpleNamespace(list_physical_devices=lambda kind: devices * [kind],
                                        set_visible_devices=lambda *given: called.append(given))  # fmt: skip
    tensorflow.get_logger = logging.getLogger
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    monkeypatch.setattr(monet_lib.platform, "system", lambda: system)
    assert monet_lib.import_tensorflow() is tensorflow
    assert called == hidden * [([], "GPU")]
    assert capfd.readouterr().err == hidden * "note: on the CPU: Apple's Metal plugin computes other results\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows closes no descriptor for a child")
def test_a_process_without_stderr_paints_and_gets_tensorflow(tmp_path):
    code = f"""from monet_lib.cli import main
assert main(["translate", "data/photos/brook.jpg", "--brush", "8", "--out", {str(tmp_path / "out")!r}]) == 0
{IMPORT} print(tf.ones(2).numpy().sum(), sys.stderr.name)"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: os.close(2))  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.endswith("2.0 /dev/null\n")
    assert (tmp_path / "out" / "brook.jpg").exists()


def test_only_what_is_written_meanwhile_is_lost_and_exceptions_pass(capfd):
    with without_stderr():
        os.write(2, b"lost")
    with pytest.raises(ZeroDivisionError), without_stderr():
        os.write(2, b"lost" * (1 // 0))
    os.write(2, b"kept")
    assert capfd.readouterr().err == "kept"


NO_NETWORK_NEEDED = [
    (["--help"], 0), (["train", "--help"], 0), (["data", "data/sample"], 0), ([], 2), (["paint"], 2),
    (["train", "--set", "colour=1", "--out", "OUT"], 2), (["train", "--profile", "huge", "--out", "OUT"], 2),
    (["train", "--data", "OUT/nothing", "--out", "OUT/run"], 2), (["score", "OUT/nothing"], 2),
    (["translate", "OUT/nothing.jpg", "--out", "OUT/painted"], 2),
    (["translate", "data/photos", "--brush", "0.5", "--out", "OUT/painted"], 2),
    (["translate", "--run", "OUT/nothing", "data/photos", "--out", "OUT/painted"], 2),
    (["submit", "--run", "OUT/nothing", "--out", "OUT/images.zip"], 2), (["submit", "--check", "OUT/nothing.zip"], 2),
]  # fmt: skip
ASK = """
import contextlib, io, json, sys
from monet_lib.cli import main
for arguments, code in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            ended = main(arguments)
        except SystemExit as error:
            ended = error.code
    heavy = sorted({"tensorflow", "keras", "matplotlib", "scipy"} & set(sys.modules))
    if ended != code or heavy:
        print(arguments, "ended with", ended, "and imported", heavy)
"""


def test_what_needs_no_network_imports_none(tmp_path):
    cases = json.dumps(NO_NETWORK_NEEDED).replace("OUT", str(tmp_path))
    assert fresh("-c", ASK, cases)[1] == ""
