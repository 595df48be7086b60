"""The lessons in a browser: run from top to bottom, every explorer moved by hand; and read as they were saved.

Screenshots are left in build/browser/ to be looked at. Not part of `make test`: `make test-browser` runs these.
"""

import math
import re

import nbformat
import pytest
from pages import LESSONS, ROOT, Lesson, browse, serve

SHOTS = ROOT / "build" / "browser"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SCROLLED = "document.querySelector('.jp-Notebook .jp-WindowedPanel-outer, .jp-WindowedPanel-outer')"


@pytest.fixture
def driver():
    with browse() as driver:
        yield driver


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def shoot(request, driver):
    """shoot(label, element): a screenshot of the page with `element` in its middle, named after the test."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def shoot(label, element=None):
        if element is not None:
            driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        driver.save_screenshot(str(SHOTS / f"{request.node.callspec.id}-{label.replace(' ', '-')}.png"))

    return shoot


def count(path, pattern, kind):
    cells = nbformat.read(path, as_version=4).cells
    return sum(len(re.findall(pattern, cell.source)) for cell in cells if cell.cell_type == kind)


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_runs_and_every_control_changes_its_figure(path, app, tmp_path, driver, shoot):
    with serve(app, tmp_path) as url:
        lesson = Lesson(driver, url, app, path.stem)
        lesson.run_all()
        assert lesson.errors() == []
        lesson.top()
        shoot("top")
        explorers = lesson.explorers()
        assert len(explorers) == count(path, r"\bexplore\(", "code"), "an explorer is missing on the page"
        for number, explorer in enumerate(explorers):
            assert explorer.stands_alone(), "the still figure is on the page as well"
            assert explorer.fits(), "it must be scrolled sideways, or is drawn larger than its pixels: blurred"
            # The last one first: between one picture and itself, lesson 2's position would change nothing.
            for control in reversed(explorer.controls):
                shoot(f"{number}-{control.name}-before", explorer.box)
                seconds = [explorer.move(control, gesture) for gesture in control.gestures]
                shoot(f"{number}-{control.name}-after", explorer.box)
                print(f"\n{path.stem} {app} {control.name}:", *(f"{s:.2f} s" if s else "-" for s in seconds))
                assert any(seconds) or not seconds, f"moving {control.name} leaves the figure as it was"
                assert explorer.message() == ""
        assert lesson.errors() == []


@pytest.mark.parametrize("theme", THEMES)
def test_reads_well_before_it_is_run(path, theme, tmp_path, driver, shoot):
    with serve("lab", tmp_path, THEMES[theme]) as url:
        lesson = Lesson(driver, url, "lab", path.stem)
        assert lesson.errors() == []
        shown = lesson.text(".jp-OutputArea-output")
        assert "VBox(" not in shown, "in the place of controls, their code"
        assert "Error displaying widget" not in shown
        formulas = count(path, r"\$\$[^$]+\$\$|\$[^$\s][^$\n]*\$", "markdown")
        lesson.wait(lambda _: len(lesson.all("mjx-container")) >= formulas, 30, "the formulas")
        assert all(image.get_property("naturalWidth") for image in lesson.all(".jp-OutputArea-output img"))
        folded = count(path, "<details>", "markdown")
        lesson.wait(lambda _: len(lesson.all("details")) == folded, 60, "the folded solutions")
        assert not lesson.all("details[open]"), "solutions are folded"
        height, screen = driver.execute_script(f"return [{SCROLLED}.scrollHeight, {SCROLLED}.clientHeight - 40]")
        for k in range(math.ceil(height / screen)):
            driver.execute_script(f"{SCROLLED}.scrollTop = {k * screen}")
            shoot(f"screen-{k:02d}")
        last = lesson.all("details")[-1]
        last.find_element("css selector", "summary").click()
        assert last.get_attribute("open"), "a solution unfolds"
        shoot("unfolded", last)
