"""The rule by which a learner's time is counted, on a small notebook."""

import re
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.insert(0, str(ROOT / "tools"))

import lessons  # noqa: E402
from site_pages import ROW  # noqa: E402

PICTURE = new_output("display_data", {"image/png": "", "text/plain": ""})
BOOK = new_notebook(
    cells=[
        new_markdown_cell("# Title\n\n" + "word " * 128),
        new_code_cell("x = 1\n\ny = 2", outputs=[PICTURE, new_output("stream", text="2")]),
        new_code_cell("assert x", metadata={"tags": ["ci"]}, outputs=[PICTURE]),
        new_markdown_cell("[one](https://example.org/a) <b>word</b>\n\n## Exercises\n\n### Exercise 1: a\n\nDo it."),
        new_code_cell("z = ..."),
        new_markdown_cell("<details><summary>Solution</summary>1</details>\n\n### Exercise 2: b"),
        new_code_cell("z = ...", outputs=[PICTURE]),
        new_markdown_cell("## Self-quiz\n\n" + "word " * 128),
    ]
)


def test_what_is_counted():
    found = lessons.counts(BOOK)
    assert found == {
        "words": 130 + 2,  # the heading's sign is a word, an address and a tag are none
        "cells": 7,
        "lines": 4,
        "figures": 2,
        "reading": 132 + 128,
        "code": 1,
        "exercises": 2,
    }


def test_minutes_are_reading_cells_exercises_and_waiting():
    assert lessons.minutes(lessons.counts(BOOK), 90) == pytest.approx(260 / 130 + 1 + 2 * 5 + 1.5)
    assert lessons.minutes({"reading": 0, "code": 0, "exercises": 0}, 0) == 0


def test_the_table_says_the_time_where_the_sites_cards_look_for_it():
    found = dict.fromkeys(lessons.ABOUT, lessons.counts(BOOK))
    table = lessons.table({"01_eda": {"laptop": [240, 1234], "tiny": [9, 800]}}, found)
    assert "| 15 min, 4 min | 1.2 GB | 9 s |" in table
    rows = ROW.findall(table)
    assert [row[2] for row in rows] == [f"notebooks/{name}.ipynb" for name in lessons.ABOUT]
    assert "01_eda" in lessons.report(found, {})


def test_the_readme_names_the_rule_and_its_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "ROOT", tmp_path)
    monkeypatch.setattr(lessons, "FIGURES", tmp_path / "none.json")
    (tmp_path / "README.md").write_text("before\n<!-- lessons -->\nold\n<!-- /lessons -->\nafter\n")
    lessons.write_table(dict.fromkeys(lessons.ABOUT, lessons.counts(BOOK)))
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("before\n<!-- lessons -->\n| lesson |")
    assert text.endswith("<!-- /lessons -->\nafter\n")
    assert "old" not in text
    assert re.search(r"130 words of text a\s+minute, 1 minute a code\s+cell, 5 minutes an\s+exercise", text)
    (tmp_path / "README.md").write_text("no mark")
    with pytest.raises(SystemExit, match="no <!-- lessons --> mark"):
        lessons.write_table(dict.fromkeys(lessons.ABOUT, lessons.counts(BOOK)))
