"""Downloads, each beside a server of this machine that answers as servers, proxies and broken lines do."""

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
import signal
import sys
import threading
import time
import zipfile
from _thread import interrupt_main
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from inputs import jpeg, make_data

from monet_lib import cli
from monet_lib.course import start
from monet_lib.data import download
from monet_lib.data.download import COMPETITION, PAINTINGS, download_data
from monet_lib.data.reading import find_images, inspect_data
from monet_lib.files import UserError

OURS = "trainA/00043.jpg", "testA/00070.jpg"  # two of the competition's 300
INSIDE = [*OURS, "trainA/00001.jpg", "testA/00010.jpg", "trainB/2014-08-01 17:41:55.jpg",
          "testB/2014-08-01 17:41:55.jpg", "trainB/2013-11-08 16:45:24 (1).jpg"]  # fmt: skip


def zipped(names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("monet2photo/")
        for k, name in enumerate(names):
            archive.writestr(name, jpeg(k))
    return buffer.getvalue()


ZIP = zipped([f"monet2photo/{name}" for name in INSIDE])
HALF = len(ZIP) // 2


class Web:
    """A server: what it sends, how it sends it, and from which bytes on it was asked for it."""

    def __init__(self, port):
        self.url, self.body, self.how, self.asked = f"http://127.0.0.1:{port}/monet2photo.zip", ZIP, "whole", []

    def source(self):
        return {"url": self.url, "sha256": hashlib.sha256(self.body).hexdigest()}


@pytest.fixture
def web():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            web, begin = server.web, int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            web.asked.append(begin)
            begin = 0 if web.how == "no ranges" else begin
            if isinstance(web.how, int) or (begin and begin >= len(web.body)):
                self.send_error(web.how if isinstance(web.how, int) else 416)
                return
            self.send_response(206 if begin else 200)
            self.send_header("Content-Type", "text/html" if web.how == "page" else "application/zip")
            self.send_header("Content-Length", str(len(web.body) - begin))
            self.end_headers()
            if web.how == "cut":
                self.wfile.write(web.body[begin:HALF])
            elif web.how == "Ctrl-C":
                self.wfile.write(web.body[begin:HALF])
                while not (web.part.exists() and web.part.stat().st_size):
                    time.sleep(0.01)
                interrupt_main()
                with contextlib.suppress(OSError):  # until the reader hangs up
                    self.wfile.write(b"x")
                    self.rfile.read(1)
            else:
                self.wfile.write(web.body[begin:])

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.web = Web(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.web
        server.shutdown()
        thread.join()


@pytest.fixture
def place(tmp_path):
    """Where to download to: a folder that is not there, in one that holds nothing."""
    return tmp_path / "new" / "images"


def there(place):
    """The names of what a download left in the folder that it was to make its own in."""
    return {f.name for f in place.parent.iterdir()} if place.parent.exists() else set()


def fails(web, place, says, **changes):
    """Download, expect a UserError of one line that says something, and nothing at `place`."""
    with pytest.raises(UserError, match=says) as caught:
        download_data(place, **(web.source() | changes))
    assert "\n" not in str(caught.value)
    assert there(place) <= {"images.zip.part"}


def test_monet2photo_takes_the_competitions_layout_and_names(web, place, capsys):
    assert download_data(place, **web.source()) == place
    with open(PAINTINGS, newline="") as file:
        named = {there: name for name, there in csv.reader(file)}
    found = {str(f.relative_to(place)): f.read_bytes() for f in place.rglob("*.jpg")}
    wanted = [*(f"monet_jpg/{named[name]}" for name in OURS), "other_monets/trainA-00001.jpg",
              "other_monets/testA-00010.jpg", "photo_jpg/trainB-2014-08-01 17-41-55.jpg",
              "photo_jpg/testB-2014-08-01 17-41-55.jpg", "photo_jpg/trainB-2013-11-08 16-45-24 (1).jpg"]  # fmt: skip
    assert found == {name: jpeg(k) for k, name in enumerate(wanted)}
    assert inspect_data(place)[1] == []
    assert there(place) == {"images"}
    assert f"{place}: downloading monet2photo" in capsys.readouterr().out
    assert download_data(place, **web.source()) == place
    assert web.asked == [0]
    assert "already" in capsys.readouterr().out


def test_the_list_names_300_paintings_once():
    with open(PAINTINGS, newline="") as file:
        ours, theirs = zip(*list(csv.reader(file))[1:], strict=True)
    assert len(set(ours)) == len(set(theirs)) == 300
    assert {name.split("/")[0] for name in theirs} == {"trainA", "testA"}


@pytest.mark.real_data
def test_the_list_names_the_competitions_paintings():
    from monet_lib.data import find_data

    with open(PAINTINGS, newline="") as file:
        ours = {name for name, _ in list(csv.reader(file))[1:]}
    assert ours == {f.name for f in find_images(find_data(), "monet", "jpg").files}


@pytest.mark.parametrize(
    ("status", "says", "where"),
    [
        (404, "404 Not Found", {}),
        (403, "403 Forbidden", {}),
        ("none", ".*refused.*", {"url": "http://127.0.0.1:9/a.zip"}),
    ],
)
def test_a_refusal(web, place, status, says, where):
    web.how = status
    fails(
        web,
        place,
        rf"\.zip: can't be downloaded \({says}\). Go online \(on Kaggle: .*, or download it by hand",
        **where,
    )
    assert there(place) == set()


def test_a_broken_line_is_resumed_where_it_broke(web, place):
    web.how = "cut"
    fails(web, place, r"can't be downloaded \(.*\). Repeat it: it continues at \d\.\d MB")
    have = place.with_name("images.zip.part").read_bytes()
    assert HALF - 8192 <= len(have) <= HALF
    assert ZIP.startswith(have)
    web.how = 403
    fails(web, place, r"403 Forbidden\). Repeat it: it continues")  # a refusal costs nothing of it
    web.how = "whole"
    download_data(place, **web.source())
    assert web.asked == [0, len(have), len(have)]
    assert there(place) == {"images"}


def test_a_server_that_knows_no_ranges_sends_all_again(web, place):
    web.how = "cut"
    fails(web, place, "can't be downloaded")
    web.how = "no ranges"
    download_data(place, **web.source())
    assert web.asked[1] > 0
    assert find_images(place, "photo").count() == 3


def test_ctrl_c_leaves_a_part_that_is_resumed(web, place):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    web.how, web.part = "Ctrl-C", place.with_name("images.zip.part")
    try:
        with pytest.raises(KeyboardInterrupt):
            download_data(place, **web.source())
    finally:
        signal.signal(signal.SIGINT, before)
    assert there(place) == {"images.zip.part"}
    web.how = "whole"
    download_data(place, **web.source())
    assert 0 < web.asked[1] <= HALF
    assert there(place) == {"images"}


def test_a_proxys_page_is_named_and_a_part_outlives_it(web, place):
    web.how = "cut"
    fails(web, place, "can't be downloaded")
    web.how = "page"
    fails(web, place, "a web page instead of the zip: a proxy's.*Repeat it: it continues")
    assert place.with_name("images.zip.part").stat().st_size > 0
    place.with_name("images.zip.part").unlink()
    web.how, web.body = "whole", b"<!DOCTYPE html><html>Please log in"  # and the header calls it a zip
    fails(web, place, r"not the zip that was expected \(a web page", sha256=hashlib.sha256(ZIP).hexdigest())
    assert there(place) == set()


@pytest.mark.parametrize("before", [b"", b"x" * 2 * len(ZIP)], ids=["nothing", "a longer file"])
def test_a_wrong_hash_is_refused_and_nothing_is_kept(web, place, before):
    place.parent.mkdir()
    place.with_name("images.zip.part").write_bytes(before)
    fails(web, place, r"not the zip that was expected \(sha256 .*\). It was removed. Repeat it", sha256="0" * 64)
    assert there(place) == set()


def test_a_zip_that_was_whole_is_unpacked_without_asking_again(web, place):
    place.parent.mkdir()
    place.with_name("images.zip.part").write_bytes(ZIP)
    download_data(place, **web.source())
    assert web.asked == []


@pytest.mark.parametrize("room", [HALF, 5000], ids=["for half a zip", "for no image"])
def test_a_disk_that_fills_up_keeps_what_can_be_resumed(web, place, room):
    resource = pytest.importorskip("resource", reason="Windows knows no limit on the size of files")
    if room < HALF:
        place.parent.mkdir()
        place.with_name("images.zip.part").write_bytes(ZIP)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        fails(web, place, r"can't be written \(File too large\). Choose a place")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    have = place.with_name("images.zip.part").read_bytes()
    assert len(have) == (HALF if room == HALF else len(ZIP))
    download_data(place, **web.source())
    assert web.asked == ([0, HALF] if room == HALF else [])


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["monet2photo/trainA/00043.jpg", "monet2photo/trainB/../../../../evil.jpg"], "leads out of the zip"),
        (["/trainB/evil.jpg"], "leads out of the zip"),
        (["other/a.jpg"], "holds no images in trainA and trainB"),
    ],
)
def test_a_zip_that_holds_something_else(web, place, tmp_path, names, says):
    web.body = zipped(names)
    fails(web, place, says)
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_lesson_downloads_where_there_are_no_real_images(web, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "CHECKOUT_DATA", tmp_path)
    monkeypatch.setattr("monet_lib.data.reading.CHECKOUT_DATA", tmp_path)
    root = tmp_path / COMPETITION
    assert start()[1] != root  # the sample
    assert start(download=True, **web.source())[1] == root
    assert f"data: {root}" in capsys.readouterr().out.replace(os.path.relpath(root), str(root))
    assert start(download=True, **web.source())[1] == root
    kaggle = make_data(tmp_path / "input" / COMPETITION, 1, 1, ["jpg"])
    monkeypatch.setenv("MONET_INPUT", str(kaggle.parent))
    assert start(download=True, **web.source())[1] == kaggle
    monkeypatch.setenv("MONET_DATA", str(tmp_path / "missing"))
    with pytest.raises(UserError, match="missing: no such folder"):
        start(download=True, **web.source())
    assert web.asked == [0]


def test_a_lesson_on_kaggle_without_input_and_internet(tmp_path, monkeypatch):
    monkeypatch.setenv("MONET_INPUT", str(tmp_path / "input"))
    (tmp_path / "input").mkdir()
    monkeypatch.setattr(download, "CHECKOUT_DATA", tmp_path)
    monkeypatch.setattr("monet_lib.data.reading.CHECKOUT_DATA", tmp_path)
    with pytest.raises(UserError, match=r"on Kaggle: turn Internet on, or add the competition as input"):
        start(download=True, url="http://127.0.0.1:9/monet2photo.zip")
    assert [f.name for f in tmp_path.iterdir()] == ["input"]


def test_scores_are_against_the_other_monets_too(web, place, capsys):
    download_data(place, **web.source())
    arguments = ["score", *(str(place / f) for f in ("photo_jpg", "--reference", "monet_jpg"))]
    arguments[2:3] = ["--features", "random-conv", "--reference"]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    assert "3 generated against 2 real images" in out
    assert "other_monets: 3 generated against 2 real images" in out
    assert cli.main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["proxy_fid"] != found["other_monets"]["proxy_fid"]
    assert found["proxy_memorization"] == found["other_monets"]["proxy_memorization"]
    arguments[-1] = str(place / "other_monets")
    assert cli.main(arguments) == 0
    assert "other_monets: 3" not in capsys.readouterr().out


@pytest.fixture
def kaggle(monkeypatch, data_folder):
    """A kagglehub that hands out `data_folder` and notes what it was asked for."""
    asked = []

    def competition_download(name):
        asked.append(name)
        return str(data_folder)

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(competition_download=competition_download))
    return asked


def test_kaggles_files_are_copied_whole_and_only_once(kaggle, data_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "CHECKOUT_DATA", tmp_path)
    folder = tmp_path / COMPETITION  # where the checkout looks
    assert cli.main(["data", "--download", "kaggle"]) == 0
    assert f"MONET_DATA={folder}" in capsys.readouterr().out
    assert find_images(folder, "photo").count() == find_images(data_folder, "photo").count()
    assert download_data(folder, kaggle=True) == folder
    assert kaggle == [COMPETITION]
    assert "already" in capsys.readouterr().out
    assert [f.name for f in tmp_path.iterdir() if f != data_folder] == [COMPETITION]


REFUSED = ConnectionError("403 Client Error.\n\nYou don't have permission\nfor this.")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (None, "pip install kagglehub"),
        (REFUSED, "403 Client Error.*rules.*kaggle.json.*data/README.md"),
        (OSError(errno.ENOSPC, "No space left on device"), "can't be kept .No space left on device.. Free space"),
    ],
    ids=["no kagglehub", "no credentials", "a full disk"],
)
def test_what_keeps_kagglehub_from_its_work_is_one_line(monkeypatch, tmp_path, error, says):
    def fail(name):
        raise error

    hub = error and SimpleNamespace(competition_download=fail)
    monkeypatch.setitem(sys.modules, "kagglehub", hub)
    with pytest.raises(UserError, match=says) as caught:
        download_data(tmp_path / "images", kaggle=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "images").exists()


@pytest.mark.parametrize(("inside", "to"), [("notes.txt", "mine"), ("monet_jpg/a.jpg", "mine"), ("notes.txt", ".")])
def test_a_folder_with_other_things_or_with_half_is_left_alone(web, tmp_path, monkeypatch, inside, to):
    (tmp_path / "mine" / inside).parent.mkdir(parents=True)
    (tmp_path / "mine" / inside).write_text("mine")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="exists and doesn't hold the images, or not all. Remove it or name another"):
        download_data(to, **web.source())
    assert web.asked == []
    assert (tmp_path / "mine" / inside).read_text() == "mine"


def test_empty_folders_of_an_unpacking_that_broke_off_are_no_hindrance(web, tmp_path):
    (tmp_path / "images" / "monet_jpg").mkdir(parents=True)
    folder = download_data(tmp_path / "images", **web.source())
    assert find_images(folder, "monet", "jpg").count() == 2
