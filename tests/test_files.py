import errno
import os
import stat
from functools import partial
from pathlib import Path

import keras
import pytest

from monet_lib.files import TEMPORARY, UserError, reading, recover_folders, write_beside, write_folder_beside
from monet_lib.model.networks import generator_of
from monet_lib.model.weights import load_generator, save_generator


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "Free space"),
        (errno.EACCES, "permissions"),
        (errno.ENAMETOOLONG, "Shorten"),
        (errno.EISDIR, "A folder is there"),
        (errno.EROFS, "can be written"),
    ],
)
def test_an_error_of_the_disk_is_answered_by_its_number(tmp_path, number, says):
    def write(path, error):
        path.write_text("half")
        raise error

    (tmp_path / "a").write_text("before")
    with pytest.raises(UserError, match=f"a: can't be written .{os.strerror(number)}.*{says}") as raised:
        write_beside(tmp_path / "a", partial(write, error=OSError(number, os.strerror(number))))
    assert ("Free space" in str(raised.value)) == (number == errno.ENOSPC)
    with pytest.raises(KeyboardInterrupt):
        write_beside(tmp_path / "a", partial(write, error=KeyboardInterrupt))
    assert {f.name: f.read_text() for f in tmp_path.iterdir()} == {"a": "before"}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        *((error, "not a readable image .*Leave it out.$") for error in (
            IndexError(), KeyError("a\nb"), TypeError("no"), RecursionError("deep"), OSError("truncated"))),
        (MemoryError(), "not enough memory"),
        (IsADirectoryError(errno.EISDIR, "Is a directory"), "can't be read .Is a directory.. A folder is there"),
    ],
)  # fmt: skip
def test_whatever_a_reader_raises_is_one_line(error, says):
    """The error comes from another package, as damaged bytes lead to it."""
    with pytest.raises(UserError, match=f"^x.jpg: {says}") as raised, reading("x.jpg", "image", "Leave it out."):
        exec("raise error", {"__name__": "PIL.TiffImagePlugin", "error": error})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("mistake", ["len(5)", "None.size", "undefined"])
def test_a_mistake_in_this_package_is_not_called_damage(mistake):
    with pytest.raises((TypeError, AttributeError, NameError)), reading("x.jpg", "image", "Leave it out."):
        exec(mistake, {"__name__": "monet_lib.data.reading"})


def test_a_network_that_cannot_be_built_is_not_called_damage(nano, tmp_path, monkeypatch):
    """The mistake shows deep in Keras: networks are built when the reading is over."""
    save_generator(tmp_path / "g.npz", generator_of(nano), nano)
    monkeypatch.setattr("monet_lib.model.weights.generator_of", lambda config: keras.Input(shape=3, typo="wide"))
    with pytest.raises(TypeError, match="typo"):
        load_generator(tmp_path / "g.npz")


def test_the_longest_name_can_be_written(tmp_path):
    name = "n" * 255
    write_beside(tmp_path / name, lambda path: path.write_text("x"))
    assert [f.name for f in tmp_path.iterdir()] == [name]


def test_what_is_written_reaches_the_disk_before_it_is_renamed(tmp_path, monkeypatch):
    done = []
    for place, name in ((os, "fsync"), (os, "replace"), (Path, "rename")):
        real = getattr(place, name)
        monkeypatch.setattr(place, name, lambda *args, real=real, name=name: done.append(name) or real(*args))
    write_beside(tmp_path / "a", lambda path: path.write_text("x"))
    assert done[:2] == ["fsync", "replace"]
    done.clear()
    write_folder_beside(tmp_path / "b", lambda folder: [(folder / name).write_text("x") for name in "cd"])
    assert done.count("rename") == 1
    assert done.index("rename") >= 2  # after both files
    assert "fsync" in done[done.index("rename") :] or os.name == "nt"  # and the rename too, on disks that know it


def test_a_share_that_syncs_no_folders_is_written_to(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(number):
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    write_beside(tmp_path / "a", lambda path: path.write_text("x"))
    assert (tmp_path / "a").read_text() == "x"


@pytest.mark.parametrize("moment", range(4))
def test_a_folder_is_the_old_or_the_new_one_wherever_writing_is_killed(tmp_path, monkeypatch, moment):
    """Every rename and removal is a moment at which a kill may come: nothing after it happens."""
    target = tmp_path / "best"
    write_folder_beside(target, lambda folder: (folder / "f").write_text("old"))
    left = iter(range(moment))

    class Killed(BaseException):
        pass

    def until(real):
        def call(*args, **kwargs):
            if next(left, None) is None:
                raise Killed
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", until(type(target).rename))
        patch.setattr("monet_lib.files.shutil.rmtree", until(lambda *_, **__: None))  # killed: it cleans up nothing
        with pytest.raises(Killed):
            write_folder_beside(target, lambda folder: (folder / "f").write_text("new"))
    recover_folders(tmp_path)
    assert (target / "f").read_text() in ("old", "new")
    assert [f.name for f in tmp_path.iterdir()] == ["best"]


def test_leftovers_of_killed_processes_are_removed_and_nothing_of_the_users(tmp_path):
    (tmp_path / f"{TEMPORARY}1").mkdir()
    (tmp_path / f"{TEMPORARY}2").write_text("x")
    mine = ["mine", "mine.old", "step-00000500", "step-00000500.old", "step-00000400.old"]
    for name in mine:
        (tmp_path / name).mkdir()
    write_folder_beside(tmp_path / "step-00000500", lambda folder: (folder / "f").write_text("new"))
    recover_folders(tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted(mine)
