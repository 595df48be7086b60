"""How the site's pages are made: links, folded answers, the failure gallery, and the check of what was built."""

import hashlib
import json
import re
import subprocess
import sys
from base64 import b64encode
from runpy import run_path

import pytest
import site_notebooks
from inputs import ROOT
from nbformat.v4 import new_markdown_cell, new_notebook
from PIL import Image
from site_check import faults
from site_links import SOURCE, LinkError, relinked
from site_notebooks import failures, folded, lesson_page, running
from site_pages import described, entries, finished

PAGES = {"README.md": "about.md", "docs/glossary.md": "glossary.md", "notebooks/01_eda.ipynb": "lessons/01_eda.md"}


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("[a](../README.md)", "[a](../about.md)"),
        ("[a](../docs/glossary.md#bce)", "[a](../glossary.md#bce)"),
        ("[a](../pyproject.toml)", f"[a]({SOURCE}/blob/main/pyproject.toml)"),
        ("[a](../tests)", f"[a]({SOURCE}/tree/main/tests)"),
        ("![a](../docs/images/01_eda.jpg)", "![a](../pictures/docs/images/01_eda.jpg)"),
        ("[a](#setup) [b](https://x.org/y)", "[a](#setup) [b](https://x.org/y)"),
        ("`[a](nowhere.md)`", "`[a](nowhere.md)`"),
        ("```\n[a](nowhere.md)\n```\n", "```\n[a](nowhere.md)\n```\n"),
        ("[![Open in Colab](https://c.org/b.svg)](https://c.org)", "[Open in Colab](https://c.org){ .badge .colab }"),
    ],
)
def test_links_lead_to_pages_pictures_or_the_source(written, made):
    pictures = set()
    assert relinked(written, "notebooks/01_eda.ipynb", PAGES, pictures) == made
    assert pictures == ({"docs/images/01_eda.jpg"} if "!" in made else set())


def test_the_site_is_built_without_what_only_trains():
    """GitHub Pages installs the extra `site` alone."""
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tools')!r}]; "
        "sys.modules |= dict.fromkeys(['tensorflow', 'keras', 'matplotlib', 'seaborn', 'jupytext', 'IPython']); "
        "import site_pages, site_check, monet_lib.paint"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_lessons_link_to_their_painters(monkeypatch):
    monkeypatch.setattr(site_notebooks, "visible", lambda path: new_notebook(cells=[new_markdown_cell("# A title")]))
    painters = [{"id": id, "title": f"{id} steps", "lesson": name} for id, name in (("x", "01_eda"), ("y", "02_dcgan"))]
    made, _ = lesson_page(ROOT / "notebooks" / "01_eda.ipynb", str, painters)
    assert re.findall("<a .+?</a>", made) == ['<a href="../../paint/?painter=x">x steps</a>']


def test_a_link_to_nothing_is_named():
    with pytest.raises(LinkError, match=r"^README\.md: a link to docs/lost\.md, which is not there"):
        relinked("see [this](docs/lost.md)", "README.md", PAGES, set())


def test_on_github_a_forks_pages_lead_to_the_fork(monkeypatch):
    text = (
        "[![Open in Colab](https://c.org/b.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/x) "
        "[a](https://github.com/monet-lab/monet-lab/blob/main/docs/kaggle.md) https://github.com/monet-lab/monet-labs"
    )
    monkeypatch.setenv("GITHUB_REPOSITORY", "You/paint")
    monkeypatch.delenv("SITE_URL", raising=False)
    links = run_path(str(ROOT / "tools" / "site_links.py"))
    assert links["ADDRESS"] == "https://you.github.io/paint/"
    assert links["relinked"](text, "README.md", PAGES, set()).split() == [
        *"[Open in Colab](https://colab.research.google.com/github/You/paint/blob/x){ .badge .colab }".split(),
        "[a](https://github.com/You/paint/blob/main/docs/kaggle.md)",
        "https://github.com/monet-lab/monet-labs",
    ]


def test_a_description_is_the_first_paragraph_without_its_markup():
    page = '# Title\n\n34 min to read\n\n![a](b.jpg)\n\n```\ncode\n```\n\n`a` is *the* "[b](c.md)",\nand more.\n\nNo.\n'
    assert described(page) == "a is the &quot;b&quot;, and more."
    assert described("# Title\n") == ""
    assert len(described("Word " * 100)) <= 160


def test_a_lesson_tells_its_time_where_it_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(site_notebooks, "FIGURES", tmp_path / "lessons.json")
    assert running("long") == ""
    kept = {"long": {"laptop": [210, 1210.0]}, "short": {"laptop": [11, 900.0]}, "other": {"tiny": [9, 1.0]}}
    (tmp_path / "lessons.json").write_text(json.dumps(kept))
    assert [running(name) for name in (*kept, "none")] == ["4 min", "1 min", "", ""]


def test_pages_know_their_pictures_sizes_and_allow_their_own_scripts_alone(tmp_path):
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    made = finished(
        '<meta charset="utf-8"><script src="b.js"></script><script>x = 1</script><script type="application/json">{}'
        '</script><img alt="" src="a.png"><img src="c.svg"><img width="1" src="a.png">',
        tmp_path,
    )
    allowed = re.findall(r"'sha256-([^']+)'", made)
    assert allowed == [b64encode(hashlib.sha256(b"x = 1").digest()).decode()]
    assert re.findall(r"<img[^>]*>", made) == [
        '<img width="30" height="20" alt="" src="a.png">', '<img src="c.svg">', '<img width="1" src="a.png">',
    ]  # fmt: skip


def test_answers_fold_and_the_quiz_knows_right_from_wrong():
    text = (
        "<details><summary>Solution</summary>\n\n`x`\n</details>\n\n## Self-quiz\n\n"
        "<details><summary>An open\nquestion?</summary>\n\nYes.\n</details>\n"
        "<details><summary>One</summary>\n\n**No.** Two.\n</details>\n"
        "<details><summary>Two</summary>\n\n**Right.** Two.\n</details>\n\n## Recap\n"
        "<details><summary>More</summary>\nx</details>\n"
    )
    blocks = re.findall(r"^/// details \| (.+)\n    type: (\w+)$", folded(text), re.MULTILINE)
    assert blocks == [
        ("Solution", "solution"), ("An open question?", "question"), ("One", "wrong"), ("Two", "right"),
        ("More", "solution"),
    ]  # fmt: skip
    assert "details>" not in folded(text)


def test_every_word_of_the_glossary_is_a_section_of_its_own():
    table = '# Glossary\n\n| term | meaning |\n|---|---|\n| <a id="u-net"></a>U-Net | an hourglass |\n'
    assert entries(table).endswith("# Glossary\n\n## U-Net { #u-net .term }\n\nan hourglass")
    text = (ROOT / "docs" / "glossary.md").read_text()
    assert entries(text).count("\n## ") == text.count("<a id=")
    with pytest.raises(AssertionError, match=r"docs/glossary\.md"):
        entries(table + "| row without an anchor | lost |\n")


def test_every_failure_of_the_gallery_has_its_figure_and_links_to_the_painters_that_there_are():
    text = (ROOT / "site" / "course" / "failures.md").read_text()
    made, missing = failures(text, ROOT / "notebooks", [{"id": "collapsed", "title": "Collapsed"}])
    assert missing == []
    assert re.findall(r'<a href="../paint/(.+?)</a>', made) == ['?painter=collapsed">Collapsed']
    assert "painter:" not in made
    assert made.count("{ .figure }") == made.count("**Remedy.**") == made.count("\n## ")


def test_the_check_finds_what_is_broken(tmp_path):
    (tmp_path / "a").mkdir()
    named = ("description", "og:title", "og:image", "Content-Security-Policy")
    head = "".join(f'<meta name="{name}" content="words">' for name in named)
    (tmp_path / "a" / "index.html").write_text(
        head + '<h1 id="top">A</h1><a href="../#x">back</a><a href="/m/a/">a</a>'
    )
    (tmp_path / "404.html").write_text(head.replace("words", "", 1) + '<a href="/m/">home</a><a href="/m/b/">b</a>')
    (tmp_path / "index.html").write_text(
        head
        + '<a id="x" href="a/#top">fine</a><a href="a/#lost">anchor</a><img src="no.png"><a href="https://x.org">far</a>'
        '<script src="https://cdn.org/x.js"></script>'
    )
    assert faults(tmp_path, "https://you.github.io/m/") == [
        "404.html: /m/b/ leads nowhere",
        "404.html: no description",
        "index.html: a/#lost: no such anchor",
        "index.html: https://cdn.org/x.js is loaded from another server",
        "index.html: no.png leads nowhere",
    ]
