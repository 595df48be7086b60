"""The rules that every lesson keeps. The sources are what people edit; the notebooks are built from them."""

import ast
import os
import re
import subprocess
import sys

import jedi
import nbformat
import pytest
from address import published
from build_notebooks import assemble, for_tests, run, with_values
from inputs import ROOT
from lessons import counts
from real_images import printed

from monet_lib.data import find_images

SOURCES = sorted((ROOT / "notebooks" / "src").glob("[0-9]*.py"))
NAMES = [source.stem for source in SOURCES]
HEADINGS = ["You will learn", "What you will have made", "Setup", "Exercises", "Self-quiz", "Recap"]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def notebook(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.fixture
def text(notebook):
    """All of a lesson's Markdown."""
    return "\n".join(cell.source for cell in cells(notebook, "markdown"))


def cells(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


@pytest.mark.parametrize("source", sorted((ROOT / "notebooks" / "src").glob("*.py")), ids=lambda source: source.stem)
def test_an_editor_leads_from_every_name_of_the_library_to_its_definition(source):
    """Every name that a lesson imports from monet_lib, and every `lesson.name`: what Ctrl-click does in an editor."""
    text, names = source.read_text(), {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "monet_lib":
            names |= {alias.name: (alias.lineno, alias.col_offset) for alias in node.names}
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "lesson":
            names[f"lesson.{node.attr}"] = (node.end_lineno, node.end_col_offset)
    assert len(names) > 10
    editor = jedi.Script(text, path=source, project=jedi.Project(ROOT))
    for name, place in names.items():
        (found,) = editor.goto(*place, follow_imports=True)
        assert (ROOT / "monet_lib") in found.module_path.parents, name
        assert found.type in ("class", "function", "module", "statement"), name
        assert found.type == "module" or not found.get_line_code().startswith(("from ", "import ", "    from")), name


BOOKS = {path.stem for kind in ("*.ipynb", "src/*.py") for path in (ROOT / "notebooks").glob(kind)}


@pytest.mark.parametrize("name", sorted(BOOKS - {"monet_submission"}))
def test_notebook_is_built_from_its_source(name):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    source = assemble(ROOT / "notebooks" / "src" / f"{name}.py")
    for new, built in zip(source.cells, notebook.cells, strict=True):
        if new.cell_type == "markdown":
            with_values(new, built.metadata.get("values", {}))
    as_built, as_written = (
        [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in book.cells] for book in (notebook, source)
    )
    assert as_built == as_written, "run: make notebooks"
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.file_extension == ".py"  # else nbconvert writes a script as .txt


def test_a_text_quotes_the_value_of_its_place_in_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("MONET_DATA", "")  # the run sets it
    source = tmp_path / "lesson.py"
    source.write_text(
        "# %%\nscores = {'photo': 0.25}\nscores\n\n"
        "# %% [markdown]\n# A photo has {{ scores['photo']:.3f }}, twice {{ 2 * scores[\"photo\"] }}.\n\n"
        "# %%\nscores['photo'] = 1.0\n\n# %% [markdown]\n# Now {{ scores['photo']:.3f }}.\n"
    )
    notebook = assemble(source)
    run(notebook)
    first, text, second, last = notebook.cells
    assert text.source == "A photo has 0.250, twice 0.5."
    assert last.source == "Now 1.000."
    assert [first.execution_count, second.execution_count] == [1, 2]
    with_values(again := assemble(source).cells[1], text.metadata["values"])
    assert again.source == text.source
    with pytest.raises(SystemExit, match="has no value"):
        with_values(assemble(source).cells[3], {})


def test_all_cells_ran_in_order_and_none_is_skipped(notebook):
    code = [cell for cell in cells(notebook, "code") if cell.source.strip()]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    tags = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
    assert not tags & {"nbval-skip", "skip", "raises-exception", "nbval-raises-exception"}
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)


def test_skeleton(name, notebook, text):
    first = notebook.cells[0].source
    assert re.match(rf"# {int(name[:2])} · .+\n\n.+", first), "title, then the promise"
    assert "colab.research.google.com" in first
    assert "kaggle.com" in first
    badges = re.findall(rf"{published()}/blob/main/([^)]+)\)", first)
    assert badges == [f"notebooks/{name}.ipynb", f"kaggle/{name}/{name}.ipynb"]
    assert all((ROOT / badge).exists() for badge in badges)
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert [h for h in headings if h in HEADINGS] == HEADINGS
    between = headings[headings.index("Setup") + 1 : headings.index("Exercises")]
    assert len(between) >= 3, "sections"
    assert text.count("Predict first") >= 3, "sections ask before they answer"
    setup = cells(notebook, "code")[1].source
    assert setup.startswith("from monet_lib.course import start\n\nconfig, root = start()\n")


def test_exercises_and_five_questions_that_answer_in_place(text):
    assert len(re.findall(r"^### Exercise \d", text, re.M)) >= 6
    assert text.count("<summary>Solution") >= 6
    quiz = text[text.index("## Self-quiz") : text.index("## Recap")]
    questions = re.split(r"^\*\*\d\. ", quiz, flags=re.M)[1:]
    assert len(questions) == 5
    for question in questions:
        answers = re.findall(
            r"<details><summary>(.+?)</summary>\n\n\*\*(Right|No)\.\*\* .{20,}?</details>", question, re.S
        )
        assert len(answers) == question.count("<details>") >= 3, question
        assert [verdict for _, verdict in answers].count("Right") == 1, question
    places = [re.findall(r"\*\*(Right|No)\.", q).index("Right") for q in questions]
    assert len(set(places)) > 1, "not always the same place"


def test_a_lesson_fits_into_75_minutes_and_its_cells_on_a_screen(name, notebook):
    found = counts(notebook)
    assert found["words"] <= 2600
    assert found["cells"] <= 45
    assert found["lines"] <= 260
    assert found["figures"] <= 10
    code = [cell.source.splitlines() for cell in cells(notebook, "code") if not for_tests(cell)]
    install, setup, *sections = map(len, code)
    assert max(sections) <= 26
    assert setup <= 42, "the setup cell, mostly imports"
    assert install <= 12, "the cell for Colab"
    assert max(len(line) for cell in code for line in cell) <= 80
    assert (ROOT / "notebooks" / f"{name}.ipynb").stat().st_size < 2_000_000


def test_code_asserts_something_hides_no_failure_and_shows_no_machinery_of_the_tests(notebook):
    """A failing magic or shell command ends with a message that nbval 0.11 takes for success."""
    code = cells(notebook, "code")
    for cell in code:
        assert not re.search(r"^\s*[%!]|get_ipython|run_line_magic|run_cell_magic", cell.source, re.M), cell.source
        assert for_tests(cell) or not re.search(r"\btiny\b", cell.source), cell.source
    assert sum(isinstance(node, ast.Assert) for cell in code for node in ast.walk(ast.parse(cell.source))) >= 5


def test_every_picture_has_an_alt_text(notebook, text):
    pictures = 0
    for cell in cells(notebook, "code"):
        for output in cell.outputs:
            for kind in ("image/png", "image/jpeg"):
                if kind in output.get("data", {}):
                    pictures += 1
                    assert len(output.metadata.get(kind, {}).get("alt", "")) >= 30, cell.source
    assert pictures >= 4
    assert all(re.findall(r"!\[(.*?)\]\(", text))


def test_links_lead_somewhere_from_colab_too(text):
    """Colab opens a notebook alone: relative links would lead nowhere. Those to the repository name a file of it."""
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)\s]+)\)", text)
    assert len(links) > 10
    for image, link in links:
        assert link.startswith(("https://", "http://", "#")), link
        place = f"raw.githubusercontent.com/{published()}/main" if image else f"github.com/{published()}/blob/main"
        own = re.match(rf"https://{place}/([^#]+)", link)
        assert own is None or (ROOT / own[1]).exists(), link
    assert any(image and published() in link for image, link in links), "a picture of what will have been made"


def test_outputs_are_of_the_sample_and_name_no_machine(notebook):
    # Not the pictures: their base64 may hold any word.
    outputs = [o for c in cells(notebook, "code") for o in c.outputs]
    text = "\n".join(str(o.get("text", o.get("data", {}).get("text/plain", ""))) for o in outputs)
    assert "data/sample" in text
    assert not re.search(r"/(work|root|home|tmp)/", text)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "blocks"), [("01_eda", 3), ("appendix_tfrecord", 1)])
def test_lesson_1_quotes_what_its_cells_print_for_the_real_images(name, blocks):
    data = os.environ["MONET_DATA"]
    if find_images(data, "photo").count() != 2816:
        pytest.skip("the lesson quotes the numbers of 2,816 photos")
    lines = set(printed(name, data).splitlines())
    source = assemble(ROOT / "notebooks" / "src" / f"{name}.py")
    text = "\n".join(c.source for c in source.cells if c.cell_type == "markdown")
    quotes = [part.split("```")[1] for part in text.split("**On the real images**")[1:] if "```" in part]
    quoted = [line for quote in quotes for line in quote.split("\n")[1:-1]]
    assert len(quotes) >= blocks
    assert len(quoted) >= 4 * blocks
    assert set(quoted) <= lines, set(quoted) - lines


def test_the_installing_cell_fetches_the_course_where_the_library_is_missing(tmp_path, monkeypatch):
    """It leaves an installed library alone, and can be run again after a clone that worked and a pip that failed."""
    cells_ = [cell for source in SOURCES for cell in assemble(source).cells]
    (source,) = {cell.source for cell in cells_ if "install" in cell.metadata.get("tags", [])}  # one in all lessons
    commands, fails = [], {"-m"}

    def run(command, check):
        commands.append(command)
        if command[0] == "git":
            (tmp_path / command[-1]).mkdir()  # fails where it is already
        if command[1] in fails:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "path", [*sys.path])
    exec(source, {})
    assert commands == [], "there is the library"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(subprocess.CalledProcessError):
        exec(source, {})
    fails.clear()
    exec(source, {})
    (git, clone, *_, course), failed, (python, *pip) = commands
    assert (git, clone, python) == ("git", "clone", sys.executable)
    assert failed[1:] == pip
    assert pip[:2] == ["-m", "pip"]
    # The clone's folder is what pip installs and where this kernel looks from now on.
    assert sys.path[0] == pip[-1] == course == "monet-lab"
