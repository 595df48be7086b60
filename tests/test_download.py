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
from inputs import jpeg, largest_file, make_data

from monet_lib import cli
from monet_lib.course import start
from monet_lib.data import download
from monet_lib.data.download import COMPETITION, PAINTINGS, download_data
from monet_lib.data.reading import find_data, find_images, inspect_data
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
            self.wfile.write(web.body[begin : HALF if web.how in ("cut", "Ctrl-C") else None])
            if web.how == "Ctrl-C":
                while not (web.part.exists() and web.part.stat().st_size):
                    time.sleep(0.01)
                interrupt_main()
                with contextlib.suppress(OSError):  # until the reader hangs up
                    self.wfile.write(b"x")
                    self.rfile.read(1)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.web = Web(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.web
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def listed():
    """[(name, name in monet2photo's zip)] of the competition's paintings."""
    with open(PAINTINGS, newline="") as file:
        return list(csv.reader(file))[1:]


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


def test_monet2photo_takes_the_competitions_layout_and_names(web, place, listed, capsys):
    assert download_data(place, **web.source()) == place
    named = {there: name for name, there in listed}
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


def test_the_list_names_300_paintings_once(listed):
    ours, theirs = zip(*listed, strict=True)
    assert len(set(ours)) == len(set(theirs)) == 300
    assert {name.split("/")[0] for name in theirs} == {"trainA", "testA"}


@pytest.mark.real_data
def test_the_list_names_the_competitions_paintings(listed):
    assert {name for name, _ in listed} == {f.name for f in find_images(find_data(), "monet", "jpg").files}


UNREACHABLE = r"\.zip: can't be downloaded \({}\). Go online \(on Kaggle: .*, or download it by hand"
REFUSED = {
    "not there": ({"how": 404}, {}, UNREACHABLE.format("404 Not Found")),
    "forbidden": ({"how": 403}, {}, UNREACHABLE.format("403 Forbidden")),
    "no server": ({}, {"url": "http://127.0.0.1:9/a.zip"}, UNREACHABLE.format(".*refused.*")),
    "a page that is called a zip": ({"body": b"<!DOCTYPE html>"}, {"sha256": "0"}, "not the zip .* .a web page"),
    "another hash": ({}, {"sha256": "0"}, r"not the zip that was expected \(sha256 .*\). It was removed. Repeat it"),
    "a longer part": ({"part": b"x" * 2 * len(ZIP)}, {"sha256": "0"}, r"not the zip that was expected \(sha256"),
    "a way out": ({"body": zipped(["trainA/00043.jpg", "trainB/../../../evil.jpg"])}, {}, "leads out of the zip"),
    "the root": ({"body": zipped(["/trainB/evil.jpg"])}, {}, "leads out of the zip"),
    "other folders": ({"body": zipped(["other/a.jpg"])}, {}, "holds no images in trainA and trainB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_one_line_and_leaves_nothing(web, place, tmp_path, case):
    served, asked, says = REFUSED[case]
    part = place.with_name("images.zip.part")
    if "part" in served:
        part.parent.mkdir()
        part.write_bytes(served["part"])
    web.how, web.body = served.get("how"), served.get("body", ZIP)
    fails(web, place, says, **asked)
    assert not list(tmp_path.rglob("*.jpg"))
    assert part.exists() == ("body" in served and not asked)  # a whole zip with the right hash


def test_a_broken_line_is_resumed_where_it_broke(web, place):
    web.how = "cut"
    fails(web, place, r"can't be downloaded \(.*\). Repeat it: it continues at \d\.\d MB")
    have = place.with_name("images.zip.part").read_bytes()
    assert HALF - 8192 <= len(have) <= HALF
    assert ZIP.startswith(have)
    web.how = 403
    fails(web, place, r"403 Forbidden\). Repeat it: it continues")  # a refusal costs nothing of it
    web.how = "page"
    fails(web, place, "a web page instead of the zip: a proxy's.*Repeat it: it continues")
    web.how = "whole"
    download_data(place, **web.source())
    assert web.asked == [0, *[len(have)] * 3]
    assert there(place) == {"images"}


@pytest.mark.parametrize(("part", "asked"), [(HALF, [HALF]), (len(ZIP), [])], ids=["no ranges", "whole already"])
def test_a_server_that_knows_no_ranges_sends_all_again_and_a_whole_zip_is_not_asked_for(web, place, part, asked):
    place.parent.mkdir()
    place.with_name("images.zip.part").write_bytes(ZIP[:part])
    web.how = "no ranges"
    download_data(place, **web.source())
    assert web.asked == asked
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


@pytest.mark.parametrize(("room", "before", "after"), [(HALF, b"", HALF), (5000, ZIP, len(ZIP))],
                         ids=["for half a zip", "for no image"])  # fmt: skip
def test_a_disk_that_fills_up_keeps_what_can_be_resumed(web, place, room, before, after):
    place.parent.mkdir()
    place.with_name("images.zip.part").write_bytes(before)
    with largest_file(room):
        fails(web, place, r"can't be written \(File too large\). Choose a place")
    assert place.with_name("images.zip.part").stat().st_size == after
    download_data(place, **web.source())
    assert web.asked == ([] if before else [0, HALF])


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout without real images."""
    for module in ("download", "reading"):
        monkeypatch.setattr(f"monet_lib.data.{module}.CHECKOUT_DATA", tmp_path)
    return tmp_path


def test_a_lesson_downloads_where_there_are_no_real_images(web, checkout, monkeypatch, capsys):
    root = checkout / COMPETITION
    assert start()[1] != root  # the sample
    assert start(download=True, **web.source())[1] == root
    assert f"data: {root}" in capsys.readouterr().out.replace(os.path.relpath(root), str(root))
    assert start(download=True, **web.source())[1] == root
    kaggle = make_data(checkout / "input" / COMPETITION, 1, 1, ["jpg"])
    monkeypatch.setenv("MONET_INPUT", str(kaggle.parent))
    assert start(download=True, **web.source())[1] == kaggle
    monkeypatch.setenv("MONET_DATA", str(checkout / "missing"))
    with pytest.raises(UserError, match="missing: no such folder"):
        start(download=True, **web.source())
    assert web.asked == [0]


def test_scores_are_against_the_other_monets_too(web, place, capsys):
    download_data(place, **web.source())
    score = ["score", str(place / "photo_jpg"), "--features", "random-conv", "--reference"]
    assert cli.main([*score, str(place / "monet_jpg")]) == 0
    out = capsys.readouterr().out
    assert "3 generated against 2 real images" in out
    assert "other_monets: 3 generated against 2 real images" in out
    assert cli.main([*score, str(place / "monet_jpg"), "--json", "--n", "2"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["generated"] == 2
    assert found["proxy_fid"] != found["other_monets"]["proxy_fid"]
    assert found["proxy_memorization"] == found["other_monets"]["proxy_memorization"]
    assert cli.main([*score, str(place / "other_monets")]) == 0
    assert "other_monets: 3" not in capsys.readouterr().out


@pytest.fixture
def kaggle(monkeypatch, data_folder):
    """A kagglehub that hands out `data_folder` and notes what it was asked for."""
    asked = []
    hub = SimpleNamespace(competition_download=lambda name: asked.append(name) or str(data_folder))
    monkeypatch.setitem(sys.modules, "kagglehub", hub)
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


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (None, "pip install kagglehub"),
        (
            ConnectionError("403 Client Error.\n\nYou don't have permission\nfor this."),
            "403 Client Error.*rules.*kaggle.json.*data/README.md",
        ),
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
