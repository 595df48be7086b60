"""The standalone notebooks: built from these sources, the library's own program, and they run on their own."""

import ast
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest

from monet_lib import config
from monet_lib.data import pipeline
from monet_lib.data.competition import find_images
from monet_lib.painting.submission import check_submission
from monet_lib.training import loop as training

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests"))

from build_kaggle import PLACEHOLDER, build_all, kernel_metadata, standalone  # noqa: E402
from inline import BuildError, Source, check, needed_modules, read_module  # noqa: E402
from standalone import fresh_environment, kaggle_input, run_standalone  # noqa: E402

NAMES = sorted(path.parent.name for path in (ROOT / "kaggle").glob("*/*.ipynb"))


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def notebook(name):
    return nbformat.read(ROOT / "kaggle" / name / f"{name}.ipynb", as_version=4)


def library_cells(notebook):
    """{module: code} of the parts of the library in a standalone notebook."""
    pairs = zip(notebook.cells, notebook.cells[1:], strict=False)
    return {
        text.source.split()[1]: code.source for text, code in pairs if code.metadata.get("_kg_hide-input")
    }


def files_of(folder):
    """{path: text}, without the user's name, which each user fills in."""
    files = {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}
    return {k: re.sub(r'"id": "[\w-]+/', '"id": "/', text) for k, text in files.items()}


def test_kaggle_is_built_from_these_sources(tmp_path):
    assert build_all(tmp_path) == NAMES
    assert files_of(tmp_path) == files_of(ROOT / "kaggle"), "run: make kaggle"


def test_the_users_name_is_filled_in(tmp_path):
    build_all(tmp_path, "claude-monet")
    for path in tmp_path.glob("*/kernel-metadata.json"):
        assert json.loads(path.read_text())["id"].startswith("claude-monet/")
    with pytest.raises(BuildError, match="not a Kaggle user name"):
        build_all(tmp_path, "claude monet")


def test_make_takes_the_name_from_its_arguments_and_not_from_the_shell():
    environment = {**os.environ, "USER": "login"}
    for arguments, wanted in (([], False), (["USER=claude-monet"], True)):
        command = ["make", "--dry-run", "kaggle", *arguments]
        said = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout
        assert ("--user claude-monet" in said) == wanted
        assert "login" not in said


def test_metadata_is_what_kaggle_wants(name):
    found = json.loads((ROOT / "kaggle" / name / "kernel-metadata.json").read_text())
    assert found == kernel_metadata(name)
    user, slug = found["id"].split("/")
    assert user == PLACEHOLDER
    assert slug == re.sub("[^a-z0-9]+", "-", found["title"].lower()).strip("-"), "else Kaggle makes another"
    assert 5 <= len(found["title"]) <= 50
    assert (ROOT / "kaggle" / name / found["code_file"]).exists()
    assert found["competition_sources"] == ["gan-getting-started"]
    assert (found["enable_gpu"], found["enable_internet"]) == (True, False)


def test_a_notebook_needs_nothing_beside_it(name, notebook):
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for node in ast.walk(ast.parse(code)):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert not any(module.split(".")[0] == "monet_lib" for module in modules)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert not re.findall(r"\]\((?!https?:|#)[^)]+\)", text), "links into the repository"
    assert (ROOT / "kaggle" / name / f"{name}.ipynb").stat().st_size < 1_500_000


def test_a_notebook_is_laid_out_for_readers(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.count("## Contents") == 1
    headings = re.findall(r"^## (.+)$", text, re.M)
    contents = re.findall(r"^- \[([^\]]+)\]\(#", text, re.M)
    assert contents == [heading for heading in headings if heading != "Contents"]
    assert headings.index("Configuration") < headings.index("The library")
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert "MONET_PROFILE" in first.source
    assert "MONET_WORKING" in first.source
    assert len(first.source.splitlines()) <= 20
    for place, cell in enumerate(notebook.cells):
        if cell.metadata.get("_kg_hide-input"):
            assert re.match(r"### [\w.]+\n\n[A-Z]", notebook.cells[place - 1].source), (
                "a heading and a sentence"
            )


def test_the_library_in_a_notebook_is_the_library(notebook):
    cells = library_cells(notebook)
    assert len(cells) >= 6
    seen = set()
    for module, code in cells.items():
        source = read_module(module)
        kept = [node for node in source.tree.body if node not in source.package_imports][1:]
        assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(kept, []))
        assert set(source.modules) <= seen, f"{module} stands before what it needs"
        seen.add(module)


@pytest.fixture(scope="module")
def inlined():
    """The library's cells of the submission notebook, run in a namespace of their own."""
    cells = library_cells(nbformat.read(ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb", 4))
    module = types.ModuleType("standalone_library")
    sys.modules[module.__name__] = module
    for code in cells.values():
        exec(compile(code, module.__name__, "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


def test_running_the_librarys_cells_does_nothing_but_define(capsys, monkeypatch, tmp_path, request):
    monkeypatch.chdir(tmp_path)
    state, environment, policy = (
        np.random.get_state()[1].copy(),
        dict(os.environ),
        keras.config.dtype_policy(),
    )
    capsys.readouterr()
    request.getfixturevalue("inlined")
    assert capsys.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())
    assert (np.random.get_state()[1] == state).all()
    assert os.environ == environment
    assert keras.config.dtype_policy() == policy


def test_a_notebook_and_the_library_are_the_same_program(inlined):
    rng = np.random.default_rng(0)
    monets, photos = rng.integers(0, 256, (2, 3, 256, 256, 3), np.uint8)
    changes = {"model": "unet", "adversarial": "bce", "real_label": 0.9, "image_size": 32, "unet_depth": 3,
               "generator_filters": 2, "discriminator_filters": 2, "batch_size": 2,
               "diff_augment": "color,translation,cutout"}  # fmt: skip
    sides = []
    for profile, build, batches, data in (
        (config.profile, training.build, pipeline.UnpairedBatches, pipeline.training_data),
        (inlined.profile, inlined.build, inlined.UnpairedBatches, inlined.training_data),
    ):
        settings = profile("tiny", **changes)
        model, losses = build(settings, 3), []
        networks = [
            model.monet_generator,
            model.photo_generator,
            model.monet_discriminator,
            model.photo_discriminator,
        ]
        for pair in data(batches(monets, photos, settings), 0, 3):
            losses.append({k: float(v) for k, v in model.train_step(pair).items()})
        painted = model(pair[1]).numpy()
        sides.append(([n.count_params() for n in networks], losses, painted, model.get_weights()))
    (counts, losses, painted, weights), (counts2, losses2, painted2, weights2) = sides
    assert inlined.CycleGAN is not training.CycleGAN
    assert counts == counts2
    assert len(losses) == 3
    assert losses == losses2
    np.testing.assert_array_equal(painted, painted2)
    assert all((a == b).all() for a, b in zip(weights, weights2, strict=True))


BROKEN = {
    "from monet_lib.training import runs": "an import of a module",
    "import monet_lib.config": "import monet_lib. Write",
    "from .config import profile": "an import of a module",
    "from monet_lib.config import profile as p": "under another name",
    "from monet_lib.config import *": "under another name",
    "def f():\n    from monet_lib.config import profile": "inside a block",
    "from monet_lib.nowhere import x": "no such module",
    "from monet_lib.part import x": "imports itself",
    "print('hello')": "does something when it is imported",
    "for k in range(3):\n    pass": "does something when it is imported",
    "if True:\n    x = 1": "does something when it is imported",
    "import os\nos.environ['A'] = 'b'": "does something when it is imported",
    "import os\nx = os.getcwd()": "calls os.getcwd",
    "class A:\n    x = open('a')": "calls open",
    "def f(x=open('a')):\n    pass": "calls open",
    "from pathlib import Path\nx = Path(__file__)": "__file__",
    "import torch": "imports torch, which Kaggle may lack",
    "def f():\n    import torch": "imports torch, which Kaggle may lack",
    "other = 2": "other is already",
    "from os import other": "other is already",
    "def _helper():\n    pass": "_helper is already",
    "import numpy as mine": "mine is already",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_cant_be_inlined_is_one_clear_line(text, tmp_path):
    (tmp_path / "monet_lib").mkdir()
    modules = {
        "config": "def profile():\n    pass\n",
        "base": "other = 1\n\n\ndef _helper():\n    pass\n",
        "part": text,
    }
    for module, code in modules.items():
        (tmp_path / "monet_lib" / f"{module}.py").write_text(f'"""Docstring."""\n\n{code}\n')
    own = Source("lesson.py", "from monet_lib.base import other\nfrom monet_lib.part import x\nmine = 3")
    with pytest.raises(BuildError, match=re.escape(BROKEN[text])) as error:
        check(needed_modules(own, tmp_path), own)
    assert "\n" not in str(error.value)
    assert re.match(r"(monet_lib[/.]\w+|lesson\.py)", str(error.value)), "where it is"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("lesson.nothing()", "lesson.nothing is not in the library"),
        ("tint = 1\nlesson.tint(tint)", "tint would hide lesson.tint"),
        ("def f(tint):\n    return lesson.tint(tint)", "tint would hide lesson.tint"),
        ("def tint():\n    pass", "tint is already monet_lib/course/unet.py's"),
    ],
)
def test_a_lesson_that_would_mean_something_else_alone_is_refused(code, found, tmp_path):
    source = tmp_path / "lesson.py"
    head = "# %% [markdown]\n# # Title\n\n# %% [markdown]\n# ## Setup\n\n# %%\n"
    source.write_text(f"{head}from monet_lib.course import unet as lesson\n\n# %%\n{code}\n")
    with pytest.raises(BuildError, match=re.escape(found)):
        standalone(source)


def test_what_can_be_inlined_is(tmp_path):
    (tmp_path / "monet_lib").mkdir()
    part = '''"""A part."""

import numpy as np

from monet_lib.base import (
    one,
    two,
)

if np.pi > 3:
    import math

ALL = [one(k) for k in range(3)]  # fmt: skip


def three():
    mine = one() + two()
    return mine
'''
    base = '"""Base."""\n\nimport numpy as np\n\n\ndef one(k=0):\n    return k\n\n\ndef two():\n    return np.ones(2)\n'
    (tmp_path / "monet_lib" / "part.py").write_text(part)
    (tmp_path / "monet_lib" / "base.py").write_text(base)
    own = Source(
        "lesson.py",
        "import numpy as np\nfrom monet_lib.part import three\nmine = three()\nfor k in mine:\n    pass",
    )
    modules = needed_modules(own, tmp_path)
    check(modules, own)
    assert [module.name for module in modules] == ["base", "part"]
    names = {}
    exec("\n".join([*(module.inlined() for module in modules), own.inlined()]), names)
    assert names["mine"].tolist() == [1, 1]
    assert "fmt: skip" not in modules[1].inlined()


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return fresh_environment(tmp_path_factory.mktemp("fresh"))


def test_the_submission_notebook_runs_alone(python, tmp_path, monkeypatch):
    images, working = kaggle_input(tmp_path / "input"), tmp_path / "working"
    # The sample has 24 photos, which mirroring makes 96: Kaggle's lower limit is set to that.
    run_standalone(
        ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb", python, images, working,
        edit={"LEAST, MOST = 7000": "LEAST, MOST = 96"},
    )  # fmt: skip
    assert {path.name for path in working.iterdir()} == {"images.zip", "monet-run"}
    monkeypatch.setattr("monet_lib.painting.submission.LEAST", 96)
    assert "96 images" in check_submission(working / "images.zip")
    assert find_images(images / "gan-getting-started", "photo").count() == 24
    assert (working / "monet-run" / "checkpoints" / "step-00000008").is_dir()
    assert len((working / "monet-run" / "validation.csv").read_text().splitlines()) == 3
