"""Kaggle's notebooks: built from these sources, and the submission carries the library's files and runs alone."""

import ast
import base64
import io
import json
import os
import re
import subprocess
import sys

import jupytext
import nbformat
import numpy as np
import pytest
from address import published, set_published, tracked
from build_kaggle import PLACEHOLDER, REPO, build_all, kernel_metadata, library_files, packed
from build_notebooks import for_tests
from inputs import ROOT
from IPython.core.inputtransformer2 import TransformerManager
from standalone import fresh_environment, kaggle_input, run_standalone

from monet_lib.paint.submission import check_submission

SUBMISSION = ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb"
NAMES = sorted(path.parent.name for path in (ROOT / "kaggle").glob("*/*.ipynb"))
# What Kaggle's images hold, beside Python's own modules.
AVAILABLE = set("IPython PIL google google_crc32c keras matplotlib numpy seaborn tensorflow tqdm monet_lib".split())


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def cells_of(name):
    return nbformat.read(ROOT / "kaggle" / name / f"{name}.ipynb", as_version=4).cells


def test_kaggle_is_built_from_these_sources(tmp_path):
    def files_of(folder):
        """{path: text}, without the user's name, which each user fills in."""
        files = {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}
        return {k: re.sub(r'"id": "[\w-]+/', '"id": "/', text) for k, text in files.items()}

    assert build_all(tmp_path) == NAMES
    assert files_of(tmp_path) == files_of(ROOT / "kaggle"), "run: make kaggle"


def test_the_submission_carries_files_that_kaggle_can_import_byte_for_byte():
    """As IPython writes them. The order is tested below, and by running the notebook alone."""
    cells = [cell for cell in cells_of("monet-submission") if "%%writefile" in cell.source]
    assert len(cells) > 20
    for cell in cells:
        code = TransformerManager().transform_cell(cell.source)
        magic, path, text = (ast.literal_eval(argument) for argument in ast.parse(code).body[0].value.args)
        assert magic == "writefile"
        assert text.encode() == (ROOT / path).read_bytes(), path
        tops = [node for node in ast.parse(text).body if isinstance(node, (ast.Import, ast.ImportFrom))]
        modules = (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in tops)
        outside = {module.split(".")[0] for module in modules}
        assert outside <= AVAILABLE | sys.stdlib_module_names, f"{path}: Kaggle may lack a package"
        assert cell.metadata["jupyter"]["source_hidden"]
        assert cell.metadata["_kg_hide-input"]


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
    found = kernel_metadata(name)
    slug = found["id"].removeprefix(f"{PLACEHOLDER}/")
    assert slug == re.sub("[^a-z0-9]+", "-", found["title"].lower()).strip("-"), "else Kaggle makes another"
    assert 5 <= len(found["title"]) <= 50
    assert (ROOT / "kaggle" / name / found["code_file"]).stat().st_size < 1_000_000
    assert found["competition_sources"] == ["gan-getting-started"]
    assert found["enable_gpu"] == (name != "01_eda"), "the first lesson only looks at data"
    assert found["enable_internet"] == (name != "monet-submission"), "a lesson installs the course"


def test_no_notebook_links_into_a_folder_that_kaggle_lacks(name):
    text = "\n".join(cell.source for cell in cells_of(name) if cell.cell_type == "markdown")
    assert not re.findall(r"\]\((?!https?:|#)[^)]+\)", text)
    anchors = {heading.replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


@pytest.mark.parametrize("name", [name for name in NAMES if name[0] == "0"])
def test_a_lesson_on_kaggle_is_the_lesson_after_one_cell_that_installs_the_course(name):
    source = [cell for cell in jupytext.read(ROOT / "notebooks" / "src" / f"{name}.py").cells if not for_tests(cell)]
    first, *pairs = [(a, b) for a, b in zip(cells_of(name), source, strict=True) if b.cell_type == "code"]
    assert first[1].metadata["tags"] == ["install"]
    assert f"https://github.com/{REPO}" in first[0].source
    assert all(a.source == b.source for a, b in pairs)


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
