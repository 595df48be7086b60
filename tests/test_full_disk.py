"""Every command that writes, where no file may grow: one line, exit code 2, no half of a file, earlier files kept."""

import sys
from types import SimpleNamespace

import pytest
from inputs import NANO, At, ctrl_c, largest_file, options

from monet_lib import cli
from monet_lib.model.networks import generator_of
from monet_lib.model.weights import save_generator
from monet_lib.train.loop import train


def export(data, out, tmp_path, nano):
    save_generator(tmp_path / "g.npz", generator_of(nano), nano)
    return ["export", "--generator", tmp_path / "g.npz", "--out", out / "painter.onnx"]


def translate(data, out, tmp_path, nano):
    return ["translate", data / "photo_jpg", "--out", out / "painted"]


def submit(data, out, tmp_path, nano):
    run = tmp_path / "run"
    if not run.exists():
        train(nano.with_(steps=1), data, run)
    return ["submit", "--run", run, "--out", out / "images.zip"]


def download(data, out, tmp_path, nano):
    return ["data", out / "images", "--download", "kaggle"]


def training(data, out, tmp_path, nano):
    if not (out / "run").exists():
        train(nano.with_(steps=4), data, out / "run", callbacks=[At(2, ctrl_c)])
    return ["train", "--data", data, "--profile", "tiny", *options(NANO), "--steps", 4, "--out", out / "run"]


# The bytes that are left. Training has room for its generator, and then TensorFlow has none for the checkpoint.
ROOM = {export: 8192, translate: 20_480, submit: 20_480, download: 20_480, training: 65_536}


def files(folder):
    """{path: bytes} of all that is there."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("command", ROOM)
def test_a_full_disk_is_one_line_and_leaves_no_half(command, data_folder, nano, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(competition_download=lambda _: str(data_folder)))
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "mine").write_text("mine")
    arguments = [str(part) for part in command(data_folder, disk, tmp_path, nano)]
    before = files(disk)
    capsys.readouterr()
    with largest_file(ROOM[command]):
        code = cli.main(arguments)
    told = capsys.readouterr().err
    assert code == 2, told
    (line,) = [line for line in told.splitlines() if line.startswith("monet: ")]
    assert "File too large" in line
    assert "Traceback" not in told
    if command is training:
        assert "step-00000004: can't be written" in line
        assert "What was there before is kept" in line
    left = files(disk)
    assert cli.main(arguments) == 0
    whole = files(disk)
    for name in left:
        if "history.csv" not in name:  # a table of lines, as far as it went
            assert left[name] in (before.get(name), whole.get(name)), name
    assert set(before) <= set(left)
