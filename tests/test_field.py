"""What users do and have."""

import os
import shutil
import signal
import subprocess
import sys

import keras
import nbformat
import numpy as np
import pytest
from field import CASES, differs, scene
from inputs import ROOT, At, invert, make_data
from jupytext.cli import jupytext
from PIL import Image

from monet_lib import cli
from monet_lib.data.batches import UnpairedBatches, load_pair, training_data
from monet_lib.figures import read_history
from monet_lib.files import UserError, locked, plain
from monet_lib.model.cyclegan import build
from monet_lib.model.weights import load_arrays
from monet_lib.paint.photos import exif_of, read_photo, translate
from monet_lib.paint.submission import check_submission
from monet_lib.train.loop import train
from monet_lib.train.run import Run


@pytest.mark.parametrize("name", CASES)
def test_a_picture_looks_as_it_must(name):
    assert differs(name) < 1


def test_dates_stay_places_go_and_both_can_be_chosen(tmp_path):
    exif = Image.Exif()
    exif[0x112], exif[0x132] = 1, "2024:05:06 07:08:09"
    exif.get_ifd(0x8769)[36867] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0)})
    Image.fromarray(scene()).save(tmp_path / "a.jpg", exif=exif)
    for how, date, place in (("date", 1, 0), ("all", 1, 1), ("none", 0, 0)):
        (file,) = translate(invert, [tmp_path / "a.jpg"], tmp_path / how, metadata=how)
        found = Image.open(file).getexif()
        assert bool(found.get_ifd(0x8769).get(36867)) == bool(found.get(0x132)) == date
        assert bool(found.get_ifd(0x8825)) == place
    (tmp_path / "b.jpg").write_bytes(b"no photo")
    assert exif_of(tmp_path / "b.jpg", "all") == b""


def test_nothing_that_is_there_is_replaced(tmp_path, monkeypatch):
    Image.fromarray(scene()).save(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").write_text("mine")
    with pytest.raises(UserError, match="a.jpg: there already. Choose another --out, or replace it with --overwrite"):
        translate(invert, [tmp_path / "a.png"], tmp_path / "out")

    def painter(photos):  # another process writes meanwhile
        (tmp_path / "new" / "a.jpg").write_text("mine")
        return invert(photos)

    for links in (True, False):
        if not links:
            monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError("no links here")))
            (tmp_path / "new" / "a.jpg").unlink()
        with pytest.raises(UserError, match="there already"):
            translate(painter, [tmp_path / "a.png"], tmp_path / "new")
        assert (tmp_path / "new" / "a.jpg").read_text() == "mine"
    assert len(translate(invert, [tmp_path / "a.png"], tmp_path / "out", overwrite=True)) == 1
    for folder in ("out", "new"):
        assert [f.name for f in (tmp_path / folder).iterdir()] == ["a.jpg"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["translate", ""], "photos: empty, perhaps a variable"),
        (["translate", "a.png", "--run", ""], "run: empty"),
        (["translate", "a.png", "--out", "-"], "out: - stands for no file"),
        (["translate", "a.png", "--out", "b.jpg"], "b.jpg: --out names the folder"),
        (["export", "--generator", "g.npz", "--out", "g.npz"], "and no .npz, as generators are kept"),
        (["data", "a.png"], "a.png: a file. If it is the competition's zip, unpack it"),
        (["translate", "a.png", "--brush", "inf"], "brush: must be a number from 1 on, got inf"),
        (["train", "--steps", "0", "--out", "run"], "--steps 0: no step to train"),
        (["train", "--profile", "", "--out", "run"], "profile '' is unknown"),
        (["train", "--time-budget", "inf", "--out", "run"], "time budget: must be a number of hours above 0, got inf"),
        (["export", "--generator", "a.png"], "a.png: not a readable generator file (no .npz)"),
        (["translate", "\x1b[31m\nmonet: all fine.png"], r"monet: \x1b[31m\nmonet: all fine.png: no such file"),
    ],
)
def test_what_is_refused_in_one_line(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(scene()).save("a.png")
    assert cli.main(arguments) == 2
    assert says in capsys.readouterr().err
    assert [f.name for f in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    "read",
    [
        lambda pipe: read_photo(pipe),
        lambda pipe: read_history(pipe),
        lambda pipe: check_submission(pipe),
        lambda pipe: load_arrays(pipe, "generator file"),
        lambda pipe: Run.load(pipe.parent),
        lambda pipe: Run(pipe.parent, None, {}).table(pipe.name, ["step"], 1),
    ],
)
def test_no_reader_waits_for_a_pipe(tmp_path, read):
    pipe = tmp_path / "config.json"
    os.mkfifo(pipe)
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits"))
    signal.alarm(20)
    try:
        with pytest.raises(UserError, match="a pipe or a device, not a file"):
            read(pipe)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_photo_named_twice_is_painted_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(scene()).save("a.png")
    (tmp_path / "b").mkdir()
    assert len(translate(invert, ["a.png", "./a.png", tmp_path / "a.png", "b/../a.png", "."], "out")) == 1


def test_a_lock_is_held_by_one_and_freed_by_a_dead_process(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from monet_lib.files import locked\n"
        "with locked(Path(sys.argv[1]), ''): print('mine', flush=True); input(); os._exit(1)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "l"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "mine\n"
    with pytest.raises(UserError, match="^busy$"), locked(tmp_path / "l", "busy"):
        pass
    other.communicate("\n")
    with locked(tmp_path / "l", "busy"):
        assert (tmp_path / "l").exists()
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="mine"), locked(tmp_path / "l", "busy"):
        raise OSError("mine")


def test_a_run_knows_its_images_by_their_pixels(tmp_path, nano):
    data = make_data(tmp_path / "data", formats=["jpg"])
    pair = load_pair(data)
    nano = nano.with_(steps=2)
    run = Run.open(tmp_path / "run", nano, data, pair)
    (run.folder / "checkpoints" / "step-00000002").mkdir(parents=True)
    Run.open(run.folder, nano, data, pair)
    other = pair | {"photo": (pair["photo"][0], 255 - pair["photo"][1])}
    with pytest.raises(UserError, match="trained on photos of the same names with other pixels"):
        Run.open(run.folder, nano, data, other)
    text = (run.folder / "config.json").read_text()
    (run.folder / "config.json").write_text(text.replace('"pixels"', '"of another version"'))
    Run.open(run.folder, nano, data, other)  # as a run of an earlier version


def test_tables_are_read_by_name_and_what_is_more_is_kept(tmp_path, nano, capsys):
    run, fields = Run(tmp_path, nano, {}), ["step", "seconds", "cycle"]
    file = tmp_path / "history.csv"
    for text, kept in (
        ("seconds,cycle,step\n1.5,0.25,10\n", 0),
        ("step,seconds,cycle,epoch\n10,1.5,0.25,one\n", 1),
        ("\ufeffstep;seconds;cycle\n10;1,5;0,25\n", 2),
        ("step,seconds,cycle\n10,1.5,0.25\n20,1.", 2),
        ("nothing\nof\nthis\n", 3),
        (f"step,seconds,cycle\n10,1.5,0.25\nx,x,x\n20,,1\n30\n{chr(0) * 200}", 4),  # zeros: of a power cut
    ):
        file.write_text(text, encoding="utf-8")
        rows = [[float(value) for value in row] for row in run.table("history.csv", fields, 10)]
        assert rows == ([] if kept == 3 else [[10, 1.5, 0.25]])
        assert len(list(tmp_path.glob("history.csv.old-*"))) == kept
    told = capsys.readouterr().out
    assert "it is kept as history.csv.old-3" in told
    assert "3 lines that can't be read, left out" in told


def test_losses_are_read_as_spreadsheets_and_kills_leave_them(tmp_path):
    file = tmp_path / "history.csv"
    for text in ("step,cycle\n10,0.25\n20", "\ufeffstep;cycle\n10;0,25\n", "step\tcycle\r\n\r\n10\t0.25\r\n\r\n2"):
        file.write_text(text, encoding="utf-8", newline="")
        assert {name: list(values) for name, values in read_history(file).items()} == {"step": [10], "cycle": [0.25]}
    file.write_text("step,cycle\n10,0.25,7\n20,0.5\n")
    with pytest.raises(UserError, match="line 2 has 3 fields, the header 2"):
        read_history(file)
    file.write_bytes(bytes(200))
    with pytest.raises(UserError, match="it is empty"):
        read_history(file)


@pytest.mark.usefixtures("eagerly")
def test_a_table_that_another_program_saves_meanwhile_stops_no_training(tmp_path, nano, data_folder):
    def save(model):
        (tmp_path / "run" / "history.csv").write_text("step;seconds\n1;0,5\n")

    train(nano.with_(steps=2), data_folder, tmp_path / "run", callbacks=[At(1, save)])
    assert (tmp_path / "run" / "losses.png").exists()


def test_names_are_shown_and_not_obeyed():
    assert plain("Été 日本.jpg") == "Été 日本.jpg"
    assert plain("a\x1b[2J\r\nb\udce9") == r"a\x1b[2J\r\nb\udce9"


@pytest.mark.usefixtures("eagerly")
def test_keras_own_checkpoints_keep_a_cyclegan_with_its_optimizers(tmp_path, nano):
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 256, 256, 3), np.uint8)
    kept = keras.callbacks.ModelCheckpoint(tmp_path / "a.weights.h5", save_weights_only=True)
    trained, loaded = build(nano, 1), build(nano.with_(seed=1), 1)
    trained.fit(training_data(UnpairedBatches(*images, nano), 0, 1), shuffle=False, verbose=0, callbacks=[kept])
    loaded.load_weights(tmp_path / "a.weights.h5")
    for part in ("self", "generator_optimizer", "discriminator_optimizer"):
        ours, theirs = (
            getattr(model, part).variables if part != "self" else model.weights for model in (loaded, trained)
        )
        for mine, right in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(mine, right)


def test_a_source_that_jupyterlab_saves_is_unchanged(tmp_path):
    shutil.copy(ROOT / "jupytext.toml", tmp_path)
    for source in (ROOT / "notebooks" / "src").glob("*.py"):
        shutil.copy(source, tmp_path)
        notebook = tmp_path / f"{source.stem}.ipynb"
        jupytext(["--quiet", "--to", "notebook", str(tmp_path / source.name)])
        opened = nbformat.read(notebook, 4)
        opened.metadata["kernelspec"] = {"display_name": "Python 3", "name": "python3", "language": "python"}
        nbformat.write(opened, notebook)
        jupytext(["--quiet", "--to", "py:percent", str(notebook)])
        assert (tmp_path / source.name).read_text() == source.read_text()
