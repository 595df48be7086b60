"""Every command that writes, on a disk that fills up: one line, exit code 2, nothing half-written, what was there kept.

The disk is a small one of its own where the tests may mount one, and else a limit on the size of files, at which the
kernel takes half of a write and refuses the next.
"""

import contextlib
import shutil
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest

from monet_lib import cli
from monet_lib.model.weights import save_generator
from monet_lib.train.loop import train

resource = pytest.importorskip("resource", reason="Windows knows no limit on the size of files")
DISK = 8 << 20


class Disk:
    """A folder, and a `with` in which it takes only so many bytes more."""

    def __init__(self, folder, own):
        self.folder, self.own = folder, own

    @contextlib.contextmanager
    def full(self, room):
        if self.own:
            filler = self.folder / "filler"
            filler.write_bytes(bytes(shutil.disk_usage(self.folder).free - room))
            yield
            filler.unlink()
        else:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def files(self):
        """{path: bytes} of all that is there."""
        found = (f for f in self.folder.rglob("*") if f.is_file() and f.name != "filler")
        return {str(f.relative_to(self.folder)): f.read_bytes() for f in found}


@pytest.fixture(params=["disk", "limit"])
def disk(request, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limit":
        yield Disk(folder, own=False)
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield Disk(folder, own=True)
    subprocess.run(["umount", str(folder)], check=True)


def stop(model_step):
    """A callback: Ctrl-C after so many steps."""

    def on_train_batch_end(batch, logs=None):
        if batch + 1 == model_step:
            raise KeyboardInterrupt

    return keras.callbacks.LambdaCallback(on_train_batch_end=on_train_batch_end)


def generator(tmp_path, nano):
    from monet_lib.model.generators import generator_of

    save_generator(tmp_path / "g.npz", generator_of(nano), nano)
    return tmp_path / "g.npz"


def export(data, out, tmp_path, nano):
    return ["export", "--generator", generator(tmp_path, nano), "--out", out / "painter.onnx"]


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
        train(nano.with_(steps=4), data, out / "run", callbacks=[stop(2)])
    settings = {name: getattr(nano, name) for name in ("image_size", "generator_filters", "residual_blocks",
                "unet_depth", "discriminator_filters", "log_every", "checkpoint_every")}  # fmt: skip
    chosen = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return ["train", "--data", data, "--profile", "tiny", *chosen, "--steps", 4, "--out", out / "run"]


# The bytes that are left. Training has room for its generator, and then TensorFlow has none for the checkpoint.
ROOM = {export: 8192, translate: 20_480, submit: 20_480, download: 20_480, training: 65_536}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("command", ROOM)
def test_a_full_disk_is_one_line_and_leaves_no_half(command, disk, data_folder, nano, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(competition_download=lambda _: str(data_folder)))
    (disk.folder / "mine").write_text("mine")
    arguments = [str(part) for part in command(data_folder, disk.folder, tmp_path, nano)]
    before = disk.files()
    capsys.readouterr()
    with disk.full(ROOM[command]):
        code = cli.main(arguments)
    told = capsys.readouterr().err
    assert code == 2, told
    (line,) = [line for line in told.splitlines() if line.startswith("monet: ")]
    assert ("No space left on device" if disk.own else "File too large") in line
    assert "Traceback" not in told
    if command is training:
        assert "step-00000004: can't be written" in line
        assert "What was there before is kept" in line
    left = disk.files()
    assert cli.main(arguments) == 0
    whole = disk.files()
    for name in left:
        if "history.csv" not in name:  # a table of lines, as far as it went
            assert left[name] in (before.get(name), whole.get(name)), name
    assert {name for name in before if name not in left} == set()
