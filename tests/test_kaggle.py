"""Kaggle's notebooks: built from these sources, and the submission carries the library's files and runs alone."""

import ast
import base64
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from monet_lib.paint.submission import check_submission

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests"))

from address import published, set_published, tracked  # noqa: E402
from build_kaggle import PLACEHOLDER, REPO, build_all, kernel_metadata, library_files, packed  # noqa: E402
from build_notebooks import for_tests  # noqa: E402
from standalone import fresh_environment, kaggle_input, run_standalone  # noqa: E402

SUBMISSION = ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb"
NAMES = sorted(path.parent.name for path in (ROOT / "kaggle").glob("*/*.ipynb"))
# What Kaggle's images hold, beside Python's own modules.
AVAILABLE = set("IPython PIL google google_crc32c keras matplotlib numpy seaborn tensorflow tqdm monet_lib".split())


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def cells():
    """The cells of the submission notebook."""
    return nbformat.read(SUBMISSION, as_version=4).cells


def carried(cells):
    """{path: text} of the files that the submission notebook writes, as IPython writes them, in its order."""
    python = [TransformerManager().transform_cell(cell.source) for cell in cells if "%%writefile" in cell.source]
    calls = [[ast.literal_eval(argument) for argument in ast.parse(code).body[0].value.args] for code in python]
    assert all(magic == "writefile" for magic, _, _ in calls)
    return {path: text for _, path, text in calls}


def modules_of(code):
    """The names of the modules that code imports, and of what it takes from them."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def module_named(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_kaggle_is_built_from_these_sources(tmp_path):
    def files_of(folder):
        """{path: text}, without the user's name, which each user fills in."""
        files = {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}
        return {k: re.sub(r'"id": "[\w-]+/', '"id": "/', text) for k, text in files.items()}

    assert build_all(tmp_path) == NAMES
    assert files_of(tmp_path) == files_of(ROOT / "kaggle"), "run: make kaggle"


def test_the_submission_carries_the_librarys_files_byte_for_byte(cells):
    files = carried(cells)
    assert len(files) > 20
    for path, text in files.items():
        assert text.encode() == (ROOT / path).read_bytes(), path


def test_each_file_is_imported_after_the_files_that_it_imports(cells):
    """A package stands behind its own modules. No file is there that nothing imports."""
    files, seen = carried(cells), set()
    own = "\n".join(c.source for c in cells if c.cell_type == "code" and "%%writefile" not in c.source)
    imported = {module for text in (own, *files.values()) for module in modules_of(text)}
    every = {module_named(path) for path in files}
    for path, text in files.items():
        name = module_named(path)
        assert any(module == name or module.startswith(f"{name}.") for module in imported), f"{name} is not used"
        tops = [ast.unparse(n) for n in ast.parse(text).body if isinstance(n, (ast.Import, ast.ImportFrom))]
        needed = {m for m in modules_of("\n".join(tops)) if m in every and not name.startswith(f"{m}.")}
        assert needed <= seen, f"{path} stands before {needed - seen}"
        seen.add(name)
        outside = {module.split(".")[0] for module in modules_of("\n".join(tops))}
        assert outside <= AVAILABLE | sys.stdlib_module_names, f"{path}: Kaggle may lack a package"
    places = [k for k, cell in enumerate(cells) if "%%writefile" in cell.source]
    assert all(cells[k].metadata["jupyter"]["source_hidden"] and cells[k].metadata["_kg_hide-input"] for k in places)
    assert all(re.match(r"### monet_lib/[\w/.]+\n\n[A-Z]", cells[k - 1].source) for k in places), (
        "a path and a sentence"
    )


def test_the_files_of_a_library_are_found_by_its_imports(tmp_path):
    texts = {
        "lib/__init__.py": "", "lib/unused.py": "",
        "lib/a/__init__.py": "from lib.a.one import x\nfrom lib.b import z",
        "lib/a/one.py": "def f():\n    from lib.a import two", "lib/a/two.py": "import lib.last",
        "lib/b/__init__.py": "", "lib/b/three.py": "", "lib/last.py": "import os",
    }  # fmt: skip
    for path, text in texts.items():
        file = tmp_path / path.replace("lib/", "monet_lib/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("lib", "monet_lib"))
    found = [str(file.relative_to(tmp_path / "monet_lib")) for file in library_files("import monet_lib.a", tmp_path)]
    assert found == ["__init__.py", "last.py", "a/two.py", "a/one.py", "b/__init__.py", "a/__init__.py"]


def test_metadata_is_what_kaggle_wants(name):
    found = json.loads((ROOT / "kaggle" / name / "kernel-metadata.json").read_text())
    assert found | {"id": ""} == kernel_metadata(name) | {"id": ""}
    slug = kernel_metadata(name)["id"].removeprefix(f"{PLACEHOLDER}/")
    assert slug == re.sub("[^a-z0-9]+", "-", found["title"].lower()).strip("-"), "else Kaggle makes another"
    assert 5 <= len(found["title"]) <= 50
    assert (ROOT / "kaggle" / name / found["code_file"]).stat().st_size < 1_000_000
    assert found["competition_sources"] == ["gan-getting-started"]
    assert found["enable_gpu"] == (name != "01_eda"), "the first lesson only looks at data"
    assert found["enable_internet"] == (name != "monet-submission"), "a lesson installs the course"


def test_no_notebook_links_into_a_folder_that_kaggle_lacks(name):
    cells = nbformat.read(ROOT / "kaggle" / name / f"{name}.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert not re.findall(r"\]\((?!https?:|#)[^)]+\)", text)
    anchors = {heading.replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


@pytest.mark.parametrize("name", [name for name in NAMES if name[0] == "0"])
def test_a_lesson_on_kaggle_is_the_lesson_after_one_cell_that_installs_the_course(name):
    cells = nbformat.read(ROOT / "kaggle" / name / f"{name}.ipynb", as_version=4).cells
    source = [cell for cell in jupytext.read(ROOT / "notebooks" / "src" / f"{name}.py").cells if not for_tests(cell)]
    first, *pairs = [(a, b) for a, b in zip(cells, source, strict=True) if b.cell_type == "code"]
    assert first[1].metadata["tags"] == ["install"]
    assert f"https://github.com/{REPO}" in first[0].source
    assert all(a.source == b.source for a, b in pairs)


def test_the_submission_is_laid_out_for_readers(cells):
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings[:3] == ["Contents", "Configuration", "The library"]
    assert re.findall(r"^- \[([^\]]+)\]\(#", text, re.M) == headings[1:]
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert "MONET_PROFILE" in first.source
    assert "MONET_WORKING" in first.source
    assert len(first.source.splitlines()) <= 25


def test_the_users_name_and_a_forks_address_are_filled_in(tmp_path):
    build_all(tmp_path, "claude-monet", "someone/fork-1")
    for path in tmp_path.glob("*/kernel-metadata.json"):
        assert json.loads(path.read_text())["id"].startswith("claude-monet/")
    texts = [path.read_text() for path in tmp_path.rglob("*.ipynb")]
    assert not any(REPO in text for text in texts)
    assert all("github.com/someone/fork-1" in text for text in texts)
    with pytest.raises(ValueError, match="not a Kaggle user name"):
        build_all(tmp_path, "claude monet")
    with pytest.raises(ValueError, match="not of the form owner/name"):
        build_all(tmp_path, repo="https://github.com/someone/fork")


def test_make_takes_the_name_from_its_arguments_and_not_from_the_shell():
    environment = {**os.environ, "USER": "login"}
    for arguments, wanted in (([], False), (["USER=claude-monet"], True)):
        command = ["make", "--dry-run", "kaggle", *arguments]
        said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        assert ("--user claude-monet" in said) == wanted
        assert "login" not in said


def test_a_forks_address_is_written_wherever_the_repository_has_its_own(tmp_path):
    texts = {}
    for file in tracked():
        try:
            texts[file] = (ROOT / file).read_text()
        except UnicodeDecodeError:
            continue
    texts = {file: text for file, text in texts.items() if REPO in text and not file.startswith("tests/")}
    assert {"README.md", "CITATION.cff", "pyproject.toml", "notebooks/01_eda.ipynb", "notebooks/src/05_submission.py",
            "site/course/home.md", "notebooks/src/monet_submission.py"} <= texts.keys()  # fmt: skip
    for file, text in texts.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    set_published("someone/fork-1", texts, tmp_path)
    assert published(tmp_path) == "someone/fork-1"
    for file, text in texts.items():
        changed = (tmp_path / file).read_text()
        assert REPO not in changed, file
        assert changed.count("someone/fork-1") == text.count(REPO)
    set_published(REPO, texts, tmp_path)
    assert all((tmp_path / file).read_text() == text for file, text in texts.items()), "and back"


def test_the_generator_as_text_paints_the_same():
    """8 bits a weight: no weight is off by more than half a level of its channel."""
    file = ROOT / "models" / "monet.npz"
    with np.load(io.BytesIO(base64.b85decode(packed(file)))) as arrays, np.load(file) as wanted:
        for name in set(wanted.files) - {"config"}:
            scale = arrays[f"{name}s"]
            assert arrays[f"{name}q"].dtype == np.int8
            assert np.all(np.abs(arrays[f"{name}q"] * scale - wanted[name].astype("f4")) <= 0.501 * scale)
        assert str(arrays["config"]) == str(wanted["config"])


def test_the_submission_notebook_runs_alone(tmp_path):
    python = fresh_environment(tmp_path / "fresh")
    images, working = kaggle_input(tmp_path / "input"), tmp_path / "working"
    done = run_standalone(SUBMISSION, python, images, working)
    assert {path.name for path in working.iterdir()} == {"images.zip", "monet-run"}
    # The sample has 48 photos, which mirroring makes 192.
    assert "192 images" in check_submission(working / "images.zip", least=192)
    assert (working / "monet-run" / "checkpoints" / "step-00000008").is_dir()
    said = "\n".join(o.text for c in done.cells if c.cell_type == "code" for o in c.outputs if "text" in o)
    assert re.findall(r"^step (\d+):? .*KID", said, re.M) == ["4", "8"]
    _, first, last = (float(kid) for kid in re.findall(r"proxy KID +(-?[\d.]+) ±", said))
    assert ("still painted by the course's generator" in said) == (first <= last), "8 steps can't win, or say so"
