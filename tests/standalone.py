"""Run a standalone notebook as Kaggle would: no monet_lib, no network, read-only input, an empty folder to write to.

As a program, inside that environment: python standalone.py NOTEBOOK OUT TIMEOUT.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Python runs this when it starts. Packages that Kaggle may lack can't be imported. Every connection beyond this machine
# fails, also where Linux doesn't let us take the network away.
AS_KAGGLE = """
import socket
import sys

sys.modules |= dict.fromkeys(["onnx", "onnxruntime", "simplejpeg"])
connect = socket.socket.connect


def refuse(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"no network: {address}")
    return connect(self, address)


socket.socket.connect = refuse
"""
# A network namespace without any network, and the input mounted read-only: even root can't write to it.
ISOLATE = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c",
           'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"']  # fmt: skip


def fresh_environment(folder):
    """A Python that finds the packages of this one, but not those installed to be edited: no monet_lib."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # A path in a .pth file is searched for packages; .pth files in it, editable installs among them, are not read.
    (site / "packages.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def kaggle_input(folder, photos=0, layout="gan-getting-started"):
    """The sample in Kaggle's layout under `folder`; with `photos`, so many copies of a few small photos instead.

    layout: where the competition lies, "gan-getting-started" or "competitions/gan-getting-started".
    """
    from inputs import example, jpeg, write_shard

    data = folder / layout
    shutil.copytree(ROOT / "data" / "sample", data)
    if photos:
        shutil.rmtree(data / "photo_tfrec")
        few = [jpeg(seed) for seed in range(24)]
        records = [example(few[k % 24], f"{k:010x}") for k in range(photos)]
        write_shard(data / "photo_tfrec" / f"photo00-{photos}.tfrec", records)
    return folder


def run_standalone(notebook, python, images, working, profile="tiny", timeout=600, edit=None, dies=False):
    """Execute `notebook` by `python`, with the folder `images` as /kaggle/input and `working`, empty, to write to.

    edit: {text: other text} to change in its code first, as a competitor would. Returns the executed notebook, or None
    where it `dies`, as it then must.
    """
    import nbformat

    working.mkdir()
    opened = nbformat.read(notebook, as_version=4)
    for old, new in (edit or {}).items():
        changed = [cell for cell in opened.cells if cell.cell_type == "code" and old in cell.source]
        assert len(changed) == 1, f"{old!r} is in {len(changed)} cells"
        changed[0].source = changed[0].source.replace(old, new)
    with tempfile.TemporaryDirectory() as scratch:
        place, out = Path(scratch) / notebook.name, Path(scratch) / "executed.ipynb"
        nbformat.write(opened, place)
        (Path(scratch) / "sitecustomize.py").write_text(AS_KAGGLE)
        settings = {"MONET_INPUT": images, "MONET_WORKING": working, "MONET_PROFILE": profile, "MONET_CACHE": scratch,
                    "JUPYTER_RUNTIME_DIR": scratch, "PYTHONPATH": scratch, "TMPDIR": scratch}  # fmt: skip
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MONET_")}
        environment |= {name: str(value) for name, value in settings.items()}
        before = _listing(images)
        command = [python, __file__, place, out, str(timeout)]
        if subprocess.run([*ISOLATE, images, "true"], capture_output=True).returncode == 0:
            command = [*ISOLATE, images, *command]
        done = subprocess.run(command, cwd=working, env=environment, capture_output=True, text=True)
        if dies:
            assert "DeadKernelError" in done.stderr, done.stderr[-4000:]
            return None
        assert done.returncode == 0, done.stderr[-4000:]
        assert _listing(images) == before, "the input was changed"
        executed = nbformat.read(out, as_version=4)
        written = "".join(o.text for c in executed.cells for o in c.get("outputs", ()) if o.get("name") == "stderr")
        assert progress_removed(written) == ""
        return executed


def progress_removed(text):
    """A text of stderr without tqdm's progress bars, each of which is drawn many times from the start of its line."""
    lines = re.split(r"[\r\n]+", text)
    return "\n".join(line for line in lines if line.strip() and not re.search(r"(\d%\|.*\||\d\w*) ?\[.+\]\s*$", line))


def _listing(folder):
    return {(str(f.relative_to(folder)), f.stat().st_size, f.stat().st_mtime_ns) for f in folder.rglob("*")}


def execute(notebook, out, timeout):
    import contextlib
    import importlib.util
    import socket

    import nbformat
    from nbclient import NotebookClient
    from traitlets.config import Config

    assert importlib.util.find_spec("monet_lib") is None, "monet_lib is installed here"
    with contextlib.suppress(OSError):
        socket.create_connection(("1.1.1.1", 53), timeout=1)
        sys.exit("there is a network")
    opened = nbformat.read(notebook, as_version=4)
    # Files instead of ports: without a network there is no localhost either.
    config = Config({"KernelManager": {"transport": "ipc"}})
    resources = {"metadata": {"path": os.getcwd()}}
    NotebookClient(opened, timeout=int(timeout), kernel_name="python3", config=config, resources=resources).execute()
    nbformat.write(opened, out)


if __name__ == "__main__":
    execute(*sys.argv[1:])
