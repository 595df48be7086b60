"""The rule by which a learner's time is counted, on a small notebook."""

import lessons
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from site_pages import ROW

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


def test_minutes_are_reading_cells_exercises_and_waiting():
    found = lessons.counts(BOOK)
    assert found == {
        "words": 130 + 2,  # the heading's sign is a word, an address and a tag are none
        "cells": 7, "lines": 4, "figures": 2, "reading": 132 + 128, "code": 1, "exercises": 2,
    }  # fmt: skip
    assert lessons.minutes(found, 90) == pytest.approx(260 / 130 + 1 + 2 * 5 + 1.5)


def test_the_readmes_table_says_the_time_where_the_sites_cards_look_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "ROOT", tmp_path)
    monkeypatch.setattr(lessons, "FIGURES", tmp_path / "lessons.json")
    lessons.record("01_eda", "laptop", 240.4, 1234)
    lessons.record("01_eda", "tiny", 9, 800)
    readme, found = tmp_path / "README.md", dict.fromkeys(lessons.ABOUT, lessons.counts(BOOK))
    readme.write_text("before\n<!-- lessons -->\nold\n<!-- /lessons -->\nafter\n")
    lessons.write_table(found)
    text = readme.read_text()
    assert text.startswith("before\n<!-- lessons -->\n| lesson |")
    assert text.endswith("<!-- /lessons -->\nafter\n")
    assert "old" not in text
    assert "| 15 min, 4 min | 1.2 GB | 9 s |" in text
    assert [row[2] for row in ROW.findall(text)] == [f"notebooks/{name}.ipynb" for name in lessons.ABOUT]
    assert "01_eda" in lessons.report(found, {})
    readme.write_text("no mark")
    with pytest.raises(SystemExit, match="no <!-- lessons --> mark"):
        lessons.write_table(found)
