import sys
from types import SimpleNamespace

import pytest

from monet_lib import cli
from monet_lib.data import download
from monet_lib.data.competition import find_images
from monet_lib.data.download import COMPETITION, download_data
from monet_lib.errors import UserError


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


def test_a_folder_with_other_things_is_left_alone(kaggle, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match="exists and holds no images"):
        download_data(tmp_path / "mine")
    assert kaggle == []
