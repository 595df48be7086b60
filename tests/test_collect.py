"""What a learner keeps, and the one page that is made of it."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from monet_lib.course import checks, collect, submission
from monet_lib.course.checks import keep
from monet_lib.files import UserError

PICTURE = np.zeros((4, 6, 3), np.uint8) + np.arange(6, dtype=np.uint8)[None, :, None] * 50


@pytest.fixture(autouse=True)
def _beside_a_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def page(name):
    return collect(name).read_text("utf-8")


def fid_of_one_feature(mean_g, std_g, mean_r, std_r):
    return (mean_g - mean_r) ** 2 + (std_g - std_r) ** 2


class Tags(HTMLParser):
    """All tags of a page, and that each that needs it is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.all = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.all.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "html"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag != "html":
            assert self.open.pop() == tag


def test_every_kind_of_result_is_on_the_page(capsys):
    keep(5, "a number", 0.1234567)
    keep(5, "another number", np.float32(3))
    keep(4, "a text", "first line\nsecond line")
    keep(3, "a table", [{"name": "a", "KID": 0.123456}, {"name": "b", "steps": np.int64(7)}])
    keep(5, "a picture", PICTURE)
    keep(5, "a picture of floats", PICTURE / 127.5 - 1)
    assert "handed_in" in capsys.readouterr().out
    text = page("Ada Lovelace")
    assert re.findall("<h2>(.*?)</h2>", text) == ["Lesson 3", "Lesson 4", "Lesson 5"]
    for part in ("<h1>Ada Lovelace</h1>", "0.1234567", "3.0", "first line\nsecond line", "<td>0.12346</td>",
                 "<td>a</td><td>0.12346</td><td></td>", "<td>b</td><td></td><td>7</td>"):  # fmt: skip
        assert part in text, part
    tags = Tags(text)
    assert tags.open == []
    images = [attributes for tag, attributes in tags.all if tag == "img"]
    assert [image["alt"] for image in images] == ["a picture", "a picture of floats"]
    for image in images:
        data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), PICTURE)


def test_the_page_needs_nothing_else_and_runs_nothing():
    keep(1, "<script>alert(1)</script>", "<b>&")
    keep(2, 'a "picture"', PICTURE / 127.5 - 1)
    text = page("<i>Eve</i>")
    tags = Tags(text)
    assert not {"script", "i", "b", "link"} & {tag for tag, _ in tags.all}
    assert not re.search(r"https?:", text)
    assert "default-src 'none'" in text
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;&amp;" in text


def test_the_same_title_replaces_and_similar_titles_do_not():
    keep(1, "KID", 1)
    keep(1, "KID", 2)
    keep(1, "KID!", 3)
    keep(2, "KID", 4)
    assert re.findall(r"<pre>(\d)</pre>", page("a")) == ["2", "3", "4"]


@pytest.mark.parametrize(
    "value",
    [None, [], [1, 2], np.zeros((4, 4)), np.zeros((4, 4, 4)), np.full((2, 2, 3), 2.0), np.full((2, 2, 3), np.nan),
     np.zeros((0, 4, 3), np.uint8), {"a": 1}, object()],
)  # fmt: skip
def test_other_values_are_refused_and_nothing_is_written(value, tmp_path):
    with pytest.raises(UserError, match="keep: a"):
        keep(1, "no", value)
    assert not (tmp_path / "handed_in").exists()


def test_names_of_any_script_make_a_file(tmp_path):
    keep(1, "日本語", 1)
    assert collect("Zoë 花子").name == "handed_in_zoë-花子.html"
    assert collect("/../..").parent == Path(".")
    assert collect("a", out=tmp_path / "new" / "b.html").exists()


def test_a_solved_exercise_is_noted_with_its_answer(monkeypatch, capsys):
    assert submission.check_frechet(fid_of_one_feature)
    with pytest.raises(UserError, match="nothing is kept"):
        collect("a")  # a test is no notebook: nothing was noted
    monkeypatch.setattr(checks, "in_notebook", lambda: True)
    submission.check_frechet(fid_of_one_feature)
    submission.check_comparable(lambda a, b: True)
    text = page("a")
    assert "1 solved" in text
    assert re.search(r"<summary>✓ Exercise \d, FID of one feature", text)
    assert "return (mean_g - mean_r) ** 2 + (std_g - std_r) ** 2" in text
    assert "compared" not in text
    assert "✓" in capsys.readouterr().out


def test_a_kernel_is_a_notebook_and_a_test_is_none():
    cell = new_code_cell("from monet_lib.course import checks\nprint(checks.in_notebook())")
    NotebookClient(new_notebook(cells=[cell]), kernel_name="python3").execute()
    assert cell.outputs[-1].text == "True\n"
    assert not checks.in_notebook()


def test_a_check_never_raises_where_notes_cant_be_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "handed_in").write_text("a file where the folder belongs")
    monkeypatch.setattr(checks, "in_notebook", lambda: True)
    assert submission.check_frechet(fid_of_one_feature)
    assert "note: handed_in: can't be made" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["", "{", '{"lesson": 1}', "[]", '{"lesson": "1", "title": 2}'])
def test_a_damaged_file_and_one_whose_picture_is_gone_are_named(damage, tmp_path):
    keep(1, "good", 1)
    (tmp_path / "handed_in" / "9-bad.json").write_text(damage)
    with pytest.raises(UserError, match=r"9-bad.json: not a readable kept result .* Remove it"):
        collect("a")
    (tmp_path / "handed_in" / "9-bad.json").unlink()
    keep(1, "picture", PICTURE)
    next((tmp_path / "handed_in").glob("*.png")).unlink()
    with pytest.raises(UserError, match=r"picture.*\.json: can't be read"):
        collect("a")


def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch):
    keep(1, "number", 1)
    monkeypatch.setattr(Path, "write_text", lambda *given, **more: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(UserError, match="No space left"):
        keep(1, "number", 2)
    (file,) = (tmp_path / "handed_in").iterdir()
    assert json.loads(file.read_bytes())["value"] == 1
