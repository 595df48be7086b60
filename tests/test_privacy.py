"""Nothing leaves the machine: no command opens a connection, or writes but into its output and its packages' caches."""

import os
import shutil
import subprocess
import sys

import pytest
from inputs import SMALL, jpeg, make_data

# Imported by Python itself when it starts: what asks for a host or opens a connection is written down, and refused.
WATCH = """
import os, socket
def refused(*arguments, **_):
    with open(os.environ["WATCHED"], "a") as log:
        print(*arguments, file=log)
    raise OSError("no network here")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.gethostbyname = refused
"""
CACHES = (".keras/keras.json", ".cache/matplotlib/", ".config/matplotlib/")  # what Keras and Matplotlib write
COMMANDS = [
    ["translate", "hill.jpg"],
    ["data", "data"],
    ["train", "--data", "data", *SMALL, "--steps", "1", "--validate-every", "1", "--out", "run"],
    ["translate", "--run", "run", "hill.jpg", "--out", "by-run"],
    ["export", "--run", "run"],
    ["submit", "--run", "run"],
    ["score", "data/photo_jpg", "--reference", "data/monet_jpg"],
]
OUTPUTS = {"painted", "run", "by-run", "painter.onnx", "images.zip"}


@pytest.fixture
def home(tmp_path):
    """A fresh home and working folder, and the environment of a process that is watched."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "work" / "hill.jpg").write_bytes(jpeg(size=(64, 48)))
    make_data(tmp_path / "work" / "data", 8, 8, ["jpg"])
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MONET_", "MPL", "KERAS", "ORT_"))}
    watched = {"HOME": str(tmp_path / "home"), "WATCHED": str(tmp_path / "log"), "PYTHONPATH": str(tmp_path / "watch")}
    return tmp_path, kept | watched


def run(place, environment, *command):
    done = subprocess.run(command, cwd=place / "work", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("commands", [COMMANDS[:1], COMMANDS[1:]], ids=["painting", "training"])
def test_commands_ask_no_server_and_write_where_they_say(home, commands):
    place, environment = home
    before = set(os.listdir(place / "work"))
    for command in commands:
        run(place, environment, sys.executable, "-m", "monet_lib.cli", *command)
    assert not (place / "log").exists(), (place / "log").read_text()
    assert set(os.listdir(place / "work")) - before <= OUTPUTS
    left = [str(f.relative_to(place / "home")) for f in (place / "home").rglob("*") if f.is_file()]
    assert [name for name in left if not name.startswith(CACHES)] == []
    assert commands[0][0] != "translate" or not left  # who only paints finds nothing in the home folder


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_no_library_underneath_opens_a_connection(home):
    place, environment = home
    watch = ["strace", "-f", "-qq", "-e", "trace=network", "-o", str(place / "calls")]
    run(place, environment, *watch, sys.executable, "-m", "monet_lib.cli", "translate", "hill.jpg")
    assert "AF_INET" not in (place / "calls").read_text()
