import errno
import sys
from types import SimpleNamespace

import pytest

from monet_lib import cli
from monet_lib.data import download
from monet_lib.data.download import COMPETITION, download_data
from monet_lib.data.reading import find_images
from monet_lib.files import UserError


@pytest.fixture
def kaggle(monkeypatch, data_folder):
    """A kagglehub that hands out `data_folder` and notes what it was asked for."""
    asked = []

    def competition_download(name):
        asked.append(name)
        return str(data_folder)

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(competition_download=competition_download))
    return asked


def test_a_download_is_copied_whole_and_only_once(kaggle, data_folder, tmp_path, capsys):
    folder = download_data(tmp_path / "images")
    assert find_images(folder, "photo").count() == find_images(data_folder, "photo").count()
    assert download_data(folder) == folder
    assert kaggle == [COMPETITION]
    assert "already" in capsys.readouterr().out
    assert [f.name for f in tmp_path.iterdir() if f != data_folder] == ["images"]


def test_the_default_is_where_the_checkout_looks(kaggle, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "CHECKOUT_DATA", tmp_path)
    assert download_data() == tmp_path / "gan-getting-started"


def test_the_command_says_how_to_go_on(kaggle, tmp_path, capsys):
    assert cli.main(["data", "--download", str(tmp_path / "images")]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "images") in out
    assert "MONET_DATA" in out


def test_without_the_package_it_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert cli.main(["data", "--download", str(tmp_path / "images")]) == 2
    error = capsys.readouterr().err
    assert "pip install kagglehub" in error
    assert error.count("\n") == 1


def test_without_credentials_it_says_what_to_do(monkeypatch, tmp_path):
    def refuse(name):
        raise ConnectionError("403 Client Error.\n\nYou don't have permission\nfor this.")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(competition_download=refuse))
    with pytest.raises(UserError, match=r"403 Client Error.*rules.*kaggle.json.*data/README.md") as error:
        download_data(tmp_path / "images")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "images").exists()


@pytest.mark.parametrize("inside", ["notes.txt", "monet_jpg/a.jpg"])
def test_a_folder_with_other_things_or_with_half_is_left_alone(kaggle, tmp_path, inside):
    (tmp_path / "mine" / inside).parent.mkdir(parents=True)
    (tmp_path / "mine" / inside).write_text("mine")
    with pytest.raises(UserError, match="exists and doesn't hold the images, or not all"):
        download_data(tmp_path / "mine")
    assert kaggle == []
    assert (tmp_path / "mine" / inside).read_text() == "mine"


def test_empty_folders_of_an_unpacking_that_broke_off_are_no_hindrance(kaggle, data_folder, tmp_path):
    (tmp_path / "images" / "monet_jpg").mkdir(parents=True)
    folder = download_data(tmp_path / "images")
    assert find_images(folder, "monet", "jpg").count() == find_images(data_folder, "monet", "jpg").count()


def test_a_full_disk_under_kagglehub_is_not_called_a_matter_of_credentials(monkeypatch, tmp_path):
    def full(name):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(competition_download=full))
    with pytest.raises(UserError, match="can't be kept .No space left on device.. Free space"):
        download_data(tmp_path / "images")
