"""Explorers without a browser: what is displayed, what a moved control does. tests/browser/ moves them on a page."""

import ast
import io
import re
import sys

import ipywidgets
import jupytext
import numpy as np
import pytest
from inputs import ROOT
from matplotlib import pyplot as plt
from PIL import Image

from monet_lib.course import tools
from monet_lib.course.tools import explore

SOURCES = sorted((ROOT / "notebooks" / "src").glob("[0-9]*.py"))


@pytest.fixture
def displayed(monkeypatch):
    """The list of what explore displays: an IPython Image, then the mime bundle of the controls."""
    shown = []
    monkeypatch.setattr(tools, "display", lambda output, raw=False: shown.append(output))
    return shown


def square(brightness=0):
    return np.full((8, 8, 3), brightness, np.uint8)


def parts(output):
    """(the message's widget, the image's) of a displayed explorer."""
    _, message, image = ipywidgets.widget_serialization["from_json"](
        "IPY_MODEL_" + output["application/vnd.jupyter.widget-view+json"]["model_id"], None
    ).children
    return message, image


def test_controls_are_of_the_kind_that_their_values_ask_for(displayed):
    seen = []

    def draw(**values):
        seen.append(values)
        return square()

    made = explore(draw, "a square", checkpoint=(0, 9, 3), where_to=(0.0, 1.0, 0.5), domain=["monet", "photo"])
    assert seen == [{"checkpoint": 3, "where_to": 0.5, "domain": "monet"}], "drawn once, at the start values"
    whole, real, choice = (made[name] for name in ("checkpoint", "where_to", "domain"))
    kinds = [ipywidgets.IntSlider, ipywidgets.FloatSlider, ipywidgets.Dropdown]
    assert [type(control) for control in (whole, real, choice)] == kinds
    assert (whole.min, whole.max, whole.value) == (0, 9, 3)
    assert (real.min, real.max, real.step, real.description) == (0, 1, 0.02, "where to")
    assert choice.options == ("monet", "photo")
    assert repr(made) == "checkpoint=3, where_to=0.5, domain=monet"


def test_shows_the_still_figure_and_then_the_controls_over_the_same(displayed):
    explore(square, "a square & more", brightness=(0, 200, 100))
    still, live = displayed
    assert (still.alt, still.format) == ("a square & more", "jpeg")
    message, image = parts(live)
    assert still.data == image.value
    assert image.format == "jpeg"
    assert Image.open(io.BytesIO(image.value)).size == (8, 8)
    assert "a square &amp; more" in message.value
    assert live["text/plain"].startswith("Run this cell"), "what GitHub shows in the controls' place"


def test_moving_a_control_draws_the_figure_anew(displayed):
    def draw(height, name):
        figure, axis = plt.subplots(figsize=(2, 2))
        axis.bar([name], [height])
        axis.set_ylim(0, 10)
        return figure

    made = explore(draw, "a bar", height=(1, 9, 2), name=["a", "b"])
    _, image = parts(displayed[1])
    pictures = [image.value]
    for name, value in (("height", 5), ("name", "b")):
        made[name].value = value
        pictures.append(image.value)
    assert len(set(pictures)) == 3
    made["height"].value, made["name"].value = 2, "a"
    assert image.value == pictures[0], "the same values, the same bytes"
    assert not plt.get_fignums(), "every figure is closed"


@pytest.mark.parametrize(("quick", "follows"), [(1e9, True), (0.0, False)])
def test_a_slow_figure_waits_until_the_hand_lets_go(displayed, monkeypatch, quick, follows):
    monkeypatch.setattr(tools, "QUICK", quick)  # seconds up to which a figure counts as quick
    made = explore(square, "a square", brightness=(0, 200, 100))
    made["brightness"].value = 0
    assert made["brightness"].continuous_update is follows


def test_an_error_is_raised_and_told_beside_the_controls(displayed):
    def draw(brightness):
        if brightness > 100:
            raise ValueError("at most <100>")
        return square(brightness)

    made = explore(draw, "a square", brightness=(0, 200, 100))
    message, _ = parts(displayed[1])
    with pytest.raises(ValueError, match="at most <100>"):
        made["brightness"].value = 150
    assert "<b>ValueError: at most &lt;100&gt;</b>" in message.value
    with pytest.raises(ValueError, match="at most <100>"):
        made.redraw()
    made["brightness"].value = 50
    assert "ValueError" not in message.value


def test_without_ipywidgets_the_still_figure_remains(displayed, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    made = explore(square, "a square", brightness=(0, 200, 100))
    assert [output.alt for output in displayed] == ["a square"]
    assert "Install ipywidgets" in capsys.readouterr().out
    assert not made
    made.redraw()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_lessons_move_a_control_if_there_are_any(source):
    """CI moves one, since an error in a page's control fails nothing; without ipywidgets the Explorer is empty."""

    def moved(nodes):
        inner = [inner for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Subscript)]
        return sum(ast.unparse(node.value) == name for node in inner)

    cells = [cell.source for cell in jupytext.read(source).cells if cell.cell_type == "code"]
    for name in re.findall(r"^(\w+) = explore\(", "\n".join(cells), re.M):
        lesson = ast.parse("\n".join(cells)).body
        guarded = [node for node in lesson if isinstance(node, ast.If) and ast.unparse(node.test) == name]
        assert moved(lesson) == moved(guarded) > 0, name
