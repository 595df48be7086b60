"""The command, called in this process: what it prints, its exit codes, and what it leaves where input is bad."""

import json
import os
import re
import signal
import subprocess
import sys
import zipfile

import pytest
from inputs import SMALL, example, jpeg, make_data, write_shard
from PIL import Image

from monet_lib import cli
from monet_lib.cli import holdouts, save_on_signals


def monet(*arguments):
    return cli.main([str(a) for a in arguments])


def refused(capsys, *arguments):
    """The one line that a refused command prints."""
    assert monet(*arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("monet: ")]
    assert len(lines) == 1
    return lines[0]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MONET_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("eagerly")
def test_the_whole_way(data_folder, tmp_path, capsys):
    run, out, large = tmp_path / "run", tmp_path / "images.zip", tmp_path / "large" / "large.jpg"
    assert monet("train", "--data", data_folder, *SMALL, "--steps", 2, "--out", run) == 0
    assert monet("translate", "--run", run, data_folder / "photo_jpg", "--out", tmp_path / "painted") == 0
    assert len(list((tmp_path / "painted").glob("*.jpg"))) == 5
    Image.new("RGB", (1300, 1200), "teal").save(tmp_path / "large.png")
    paint = ("translate", "--run", run, tmp_path / "large.png", "--out", large.parent)
    assert monet(*paint) == 0
    assert Image.open(large).size == (1300, 1200)
    assert "large.jpg: there already" in refused(capsys, *paint)
    assert monet(*paint, "--brush", 3, "--overwrite") == 0
    assert "brush: must be a number from 1 on, got 0.5" in refused(capsys, *paint, "--brush", 0.5)
    assert monet("export", "--run", run, "--out", tmp_path / "own.onnx") == 0
    assert "own.onnx: 0.0" in capsys.readouterr().out
    for generator in (tmp_path / "own.onnx", run / "generator.npz"):
        again = ("translate", "--generator", generator, tmp_path / "large.png", "--brush", 3)
        assert monet(*again, "--out", tmp_path / generator.suffix) == 0
        assert (tmp_path / generator.suffix / "large.jpg").read_bytes() == large.read_bytes()
    assert monet("submit", "--run", run, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "5 images" in printed
    assert "Kaggle takes 7,000 to 10,000" in printed
    with zipfile.ZipFile(out) as archive:
        assert sorted(archive.namelist()) == [f"photo{k:02d}.jpg" for k in range(5)]
    assert "Kaggle takes 7,000" in refused(capsys, "submit", "--check", out)


def test_painting_needs_no_tensorflow_and_training_says_what_is_missing(tmp_path):
    """As where only the base packages are installed: the others can't be imported."""
    (tmp_path / "hill.jpg").write_bytes(jpeg(size=(64, 48)))
    code = (
        "import sys; sys.modules |= dict.fromkeys(('tensorflow', 'keras', 'onnx', 'matplotlib', 'seaborn'));"
        "from monet_lib.cli import main; sys.exit(main())"
    )

    def run(*arguments):
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    done = run("translate", "hill.jpg", "--brush", "1.5")
    printed = r"painting with the generator of the course; weights \w{12}\npainted: 1 painting\n"
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(printed, done.stdout)
    assert Image.open(tmp_path / "painted" / "hill.jpg").size == (64, 48)
    done = run("train", "--out", "run")
    missing = "tensorflow is missing. Install what training needs, from the repository: pip install '.[train]'."
    assert (done.returncode, done.stderr) == (2, f"monet: {missing}\n")
    done = run("translate", "hill.jpg", "--generator", "hill.jpg")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_inspection_exits_by_what_it_finds(data_folder, capsys):
    assert monet("data", data_folder) == 0
    assert "no problems" in capsys.readouterr().out
    (data_folder / "photo_jpg" / "photo00.jpg").write_bytes(b"")
    (data_folder / "photo_jpg" / "photo01.jpg").write_bytes(jpeg(mode="L"))
    assert monet("data", data_folder) == 2
    captured = capsys.readouterr()
    assert "2 problems" in captured.out
    assert captured.err.count("problem: photo_jpg/photo0") == 2


@pytest.mark.usefixtures("eagerly")
def test_a_bad_record_stops_training_before_it_starts(tmp_path, capsys):
    data, run = make_data(tmp_path / "data", photos=0), tmp_path / "run"
    write_shard(data / "photo_tfrec" / "photo00-2.tfrec", [example(jpeg(1), "good"), example(None)])
    train = ("train", "--data", data, *SMALL, "--steps", 1, "--out", run)
    assert "photo_tfrec/photo00-2.tfrec, record 2: no feature 'image'" in refused(capsys, *train)
    assert not run.exists()
    assert monet(*train, "--skip-bad") == 0
    assert "photo: 1 image from tfrec, 1 bad record skipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "huge"], "profile 'huge' is unknown. Choose one of tiny, demo, quick, laptop, shipped, "),
        (["--set", "colour=1"], "not of the form name=value"),
        (["--set", "batch_size=many"], "'many' is not int"),
        (["--set", "norm=layer"], "norm 'layer' is unknown"),
        (["--set", "flip=maybe"], "'maybe' is neither on nor off"),
        (["--patience", "3"], "patience: counts scores, and without validate_every there are none"),
        (["--data", "."], "neither monet_tfrec"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert says in refused(capsys, "train", *arguments, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def trained_with(monkeypatch, data_folder):
    """A function: the Config that `monet train` with these arguments would train."""
    configs = []
    monkeypatch.setattr("monet_lib.train.train", lambda config, *arguments, **options: configs.append(config))

    def config_of(*arguments):
        assert monet("train", "--data", data_folder, *arguments, "--out", "run") == 0
        return configs.pop()

    return config_of


def test_what_was_typed_beats_what_the_profile_sets(trained_with):
    assert trained_with("--profile", "quick").steps == 2400
    typed = trained_with("--profile", "quick", "--epochs", 2)
    assert (typed.epochs, typed.steps) == (2, 0)  # 0: as many as the epochs make
    assert trained_with("--profile", "quick", "--steps", 7).steps == 7
    typed = trained_with("--profile", "tiny", "--validate-every", 100, "--set", "patience=5")
    assert (typed.validate_every, typed.patience) == (100, 5)
    typed = trained_with("--profile", "tiny", "--set", "validate_every=100", "--set", "holdout_photos=3")
    assert (typed.holdout_photos, typed.holdout_monets) == (3, 2)  # 2: the least, of few paintings
    assert holdouts(monets=300, photos=12) == {"holdout_monets": 60, "holdout_photos": 3}
    assert holdouts(monets=8, photos=7038) == {"holdout_monets": 2, "holdout_photos": 200}
    assert trained_with("--profile", "tiny", "--fit-schedule").fit_schedule


def test_an_error_of_ours_is_no_error_of_the_user(monkeypatch):
    """A module that is missing inside a package, or a wrong call, is shown with its traceback."""
    for error in (ModuleNotFoundError("No module named 'wrapt'", name="wrapt"), TypeError("a wrong call")):
        monkeypatch.setattr(cli, "setting", lambda text, error=error: (_ for _ in ()).throw(error))
        with pytest.raises(type(error)):
            monet("train", "--set", "seed=1", "--out", "run")


def test_an_output_that_cannot_be_made(data_folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = ("train", "--data", data_folder, *SMALL, "--steps", 1, "--out", tmp_path / "file" / "run")
    assert "can't be made (Not a directory)" in refused(capsys, *arguments)
    assert "no run is there" in refused(capsys, "submit", "--run", tmp_path, "--out", tmp_path / "images.zip")
    assert "no run is there" in refused(capsys, "translate", "--run", tmp_path, "x.jpg", "--out", tmp_path / "o")


@pytest.mark.usefixtures("eagerly")
def test_a_run_and_a_table_of_losses_are_diagnosed(data_folder, tmp_path, capsys):
    run, table = tmp_path / "run", tmp_path / "losses.csv"
    assert monet("train", "--data", data_folder, *SMALL, "--steps", 2, "--out", run) == 0
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    capsys.readouterr()
    assert monet("diagnose", run, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"not finite", "darkest", "clipped", "scene", "change", "modes"} <= set(found["numbers"])
    assert found["numbers"]["done"] == 1
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before  # it only reads

    table.write_text("epoch,d_loss,g_loss\n" + "".join(f"{k},0.01,0.9\n" for k in range(20)))
    assert monet("diagnose", table) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "discriminator wins (perhaps)"
    assert "discriminator's late loss" in told[1]
    table.write_text("")
    assert "losses.csv: not a readable table of losses" in refused(capsys, "diagnose", table)
    assert "no run is there" in refused(capsys, "diagnose", tmp_path)
    assert "No such file" in refused(capsys, "diagnose", tmp_path / "none.csv")


def test_the_museum_lists_its_rooms_and_knows_no_other(data_folder, capsys):
    assert monet("museum") == 0
    assert "checkerboard\n" in capsys.readouterr().out
    assert "room 'attic' is unknown" in refused(capsys, "museum", "attic", "--data", data_folder)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN], ids=["a terminal's", "nohup's"])
def test_a_terminal_that_closes_saves_as_ctrl_c_does_and_nohup_goes_on(before, monkeypatch):
    monkeypatch.setattr(os, "isatty", lambda number: False)  # where one is, output that is gone is replaced
    old = signal.signal(signal.SIGHUP, before), signal.getsignal(signal.SIGTERM)
    try:
        save_on_signals()
    finally:
        handler = signal.signal(signal.SIGHUP, old[0])
        signal.signal(signal.SIGTERM, old[1])
    assert callable(handler) == (before == signal.SIG_DFL)
    if callable(handler):
        with pytest.raises(KeyboardInterrupt):
            handler(signal.SIGHUP, None)


def process(*arguments, **how):
    """The command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "monet_lib.cli", *map(str, arguments)], stderr=subprocess.PIPE,
                          text=True, **how)  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says it otherwise when a pipe is closed")
def test_a_pipe_that_nobody_reads_is_no_error(data_folder):
    read, write = os.pipe()
    os.close(read)
    done = process("data", data_folder, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is full")
def test_output_that_cannot_be_written_is_one_line(data_folder):
    with open("/dev/full", "w") as full:
        done = process("data", data_folder, stdout=full)
    assert done.returncode == 2
    assert done.stderr == "monet: No space left on device. Free space, or choose another place.\n"


def test_a_process_without_output_works_on(data_folder, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)  # what Python makes of a closed one: `monet data >&-`
    assert monet("data", data_folder) == 0


def test_a_terminal_that_knows_ascii_alone_shows_the_score(data_folder):
    done = process("score", data_folder / "photo_jpg", "--reference", data_folder / "monet_jpg", "--features",
                   "random-conv", stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"proxy KID +-?[\d.]+ \\xb1 [\d.]+", done.stdout)


def test_help_of_every_command(capsys):
    for command in ("data", "train", "diagnose", "museum", "translate", "export", "submit", "score"):
        with pytest.raises(SystemExit) as raised:
            monet(command, "--help")
        assert raised.value.code == 0
        assert "usage: monet" in capsys.readouterr().out
