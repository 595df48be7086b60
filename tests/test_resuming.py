from pathlib import Path

import pytest

from monet_lib.files import UserError
from monet_lib.train.run import copy_run, find_run


def make_run(folder, *steps):
    for step in steps:
        (folder / "checkpoints" / f"step-{step:08d}").mkdir(parents=True)
        (folder / "checkpoints" / f"step-{step:08d}" / "state.index").write_text(f"{step}")
    (folder / "config.json").write_text("{}")
    return folder


def test_the_run_that_was_trained_longest_is_found(tmp_path):
    assert find_run(tmp_path / "nothing") is None
    assert find_run(tmp_path) is None
    make_run(tmp_path / "notebook" / "deep" / "run", 5, 90)
    make_run(tmp_path / "older", 70, 80)
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "config.json").write_text("{}")  # somebody's config, no run
    assert find_run(tmp_path) == tmp_path / "notebook" / "deep" / "run"


def test_a_copy_of_a_read_only_run_can_be_written(tmp_path):
    source = make_run(tmp_path / "input", 3)
    for path in (*source.rglob("*"), source):
        path.chmod(0o555 if path.is_dir() else 0o444)
    copy_run(source, tmp_path / "working" / "run")
    made = [tmp_path / "working" / "run", *(tmp_path / "working" / "run").rglob("*")]
    assert len(made) == 5
    assert all(path.stat().st_mode & 0o200 for path in made)
    for path in (source, *source.rglob("*")):
        path.chmod(0o755)


def test_a_copy_is_whole_or_not_there(tmp_path, monkeypatch):
    source = make_run(tmp_path / "input", 3)

    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(UserError, match="No space left on device"):
        copy_run(source, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["input"]


def test_an_existing_run_is_not_written_over(tmp_path):
    source, target = make_run(tmp_path / "input", 3), make_run(tmp_path / "run", 9)
    with pytest.raises(UserError, match="exists already"):
        copy_run(source, target)
    assert find_run(tmp_path) == target
