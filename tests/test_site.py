"""How the site's pages are made: links, folded answers, the failure gallery, and the check of what was built."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from site_check import faults  # noqa: E402
from site_links import SOURCE, LinkError, relinked  # noqa: E402
from site_notebooks import failures, folded  # noqa: E402
from site_pages import entries  # noqa: E402

PAGES = {
    "README.md": "about.md",
    "docs/glossary.md": "glossary.md",
    "notebooks/01_eda.ipynb": "lessons/01_eda.md",
}


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
        (
            "[![Open in Colab](https://c.org/b.svg)](https://c.org)",
            "[Open in Colab](https://c.org){ .badge .colab }",
        ),
    ],
)
def test_links_lead_to_pages_pictures_or_the_source(written, made):
    pictures = set()
    assert relinked(written, "notebooks/01_eda.ipynb", PAGES, pictures) == made
    assert pictures == ({"docs/images/01_eda.jpg"} if "!" in made else set())


def test_a_link_to_nothing_is_named():
    with pytest.raises(LinkError, match=r"^README\.md: a link to docs/lost\.md, which is not there"):
        relinked("see [this](docs/lost.md)", "README.md", PAGES, set())


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


def test_every_failure_of_the_gallery_has_its_figure():
    text = (ROOT / "site" / "course" / "failures.md").read_text()
    made, missing = failures(text, ROOT / "notebooks")
    assert missing == []
    assert made.count("{ .figure }") == made.count("**Remedy.**") == made.count("\n## ")


def test_the_check_finds_what_is_broken(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text('<h1 id="top">A</h1><a href="../#x">back</a>')
    (tmp_path / "index.html").write_text(
        '<a id="x" href="a/#top">fine</a><a href="a/#lost">anchor</a><img src="no.png"><a href="https://x.org">far</a>'
        '<script src="https://cdn.org/x.js"></script>'
    )
    assert faults(tmp_path) == [
        "index.html: a/#lost: no such anchor",
        "index.html: https://cdn.org/x.js is loaded from another server",
        "index.html: no.png leads nowhere",
    ]
