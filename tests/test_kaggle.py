"""The standalone notebooks: built from these sources, the library's own program, and they run on their own."""

import ast
import base64
import io
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import jupytext
import keras
import nbformat
import numpy as np
import pytest

from monet_lib.config import Config
from monet_lib.data import pipeline
from monet_lib.data.reading import find_images
from monet_lib.model import builder, imagenet, norms
from monet_lib.paint.submission import check_submission

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests"))

from address import published, set_published, tracked  # noqa: E402
from build_kaggle import PLACEHOLDER, REPO, build_all, kernel_metadata, packed  # noqa: E402
from inline import BuildError, Source, check, reached, read_module  # noqa: E402
from standalone import fresh_environment, kaggle_input, run_standalone  # noqa: E402

SUBMISSION = ROOT / "kaggle" / "monet-submission" / "monet-submission.ipynb"
NAMES = sorted(path.parent.name for path in (ROOT / "kaggle").glob("*/*.ipynb"))


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def notebook():
    return nbformat.read(SUBMISSION, as_version=4)


def library_cells(notebook):
    """{module: code} of the parts of the library in a standalone notebook."""
    pairs = zip(notebook.cells, notebook.cells[1:], strict=False)
    return {
        text.source.split()[1]: code.source
        for text, code in pairs
        if code.metadata.get("_kg_hide-input") and text.source.startswith("### ")
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
        said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
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
    assert found["enable_gpu"] == (name != "01_eda"), "the first lesson only looks at data"
    assert found["enable_internet"] == (name != "monet-submission"), "a lesson installs the course"


def test_the_submission_needs_nothing_beside_it(notebook):
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for node in ast.walk(ast.parse(code)):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert not any(module.split(".")[0] == "monet_lib" for module in modules)
    assert SUBMISSION.stat().st_size < 1_000_000


def test_no_notebook_links_into_a_folder_that_kaggle_lacks(name):
    cells = nbformat.read(ROOT / "kaggle" / name / f"{name}.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert not re.findall(r"\]\((?!https?:|#)[^)]+\)", text)


@pytest.mark.parametrize("name", [name for name in NAMES if name[0] == "0"])
def test_a_lesson_on_kaggle_is_the_lesson_after_one_cell_that_installs_the_course(name):
    cells = nbformat.read(ROOT / "kaggle" / name / f"{name}.ipynb", as_version=4).cells
    source = jupytext.read(ROOT / "notebooks" / "src" / f"{name}.py").cells
    pairs = [(a, b) for a, b in zip(cells, source, strict=True) if b.cell_type == "code"]
    installing = [a.source for a, b in pairs if "install" in b.metadata.get("tags", [])]
    assert len(installing) == 1
    assert installing[0] == pairs[0][0].source
    assert f"https://github.com/{REPO}" in installing[0]
    assert all(a.source == b.source for a, b in pairs[1:])


def test_a_forks_address_stands_everywhere(tmp_path):
    build_all(tmp_path, repo="someone/fork-1")
    texts = [path.read_text() for path in tmp_path.rglob("*.ipynb")]
    assert not any(REPO in text for text in texts)
    assert all("github.com/someone/fork-1" in text for text in texts)
    with pytest.raises(BuildError, match="not of the form owner/name"):
        build_all(tmp_path, repo="https://github.com/someone/fork")


def test_a_forks_address_is_written_wherever_the_repository_has_its_own(tmp_path):
    texts = {}
    for file in tracked():
        try:
            texts[file] = (ROOT / file).read_text()
        except UnicodeDecodeError:
            continue
    texts = {file: text for file, text in texts.items() if REPO in text and not file.startswith("tests/")}
    assert {"README.md", "CITATION.cff", "pyproject.toml", "notebooks/01_eda.ipynb", "notebooks/src/05_submission.py",
            "site/course/mkdocs.yml", "tools/monet-submission.py"} <= texts.keys()  # fmt: skip
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
    assert len(first.source.splitlines()) <= 25
    for place, cell in enumerate(notebook.cells):
        if cell.metadata.get("_kg_hide-input") and "course_generator" not in cell.source:
            assert re.match(r"### [\w.]+\n\n[A-Z]", notebook.cells[place - 1].source), "a heading and a sentence"


def test_the_library_in_a_notebook_is_the_library(notebook):
    """Each of its lines stands in the module that its heading names, in the same order. The end of a docstring may have
    moved up, and where an `if` is settled the lines of its branch to the left."""
    cells, seen = library_cells(notebook), set()
    assert len(cells) >= 6
    for module, code in cells.items():
        source = read_module(module)
        theirs = (re.sub(r" *# (noqa|fmt: skip).*", "", line).strip() for line in source.text.splitlines())
        for line in filter(None, map(str.strip, code.splitlines())):
            wanted = {line, line.removesuffix('"""'), re.sub("^if ", "elif ", line)}
            assert any(each in wanted for each in theirs), (module, line)
        used = {below for name, below in source.handed_on().items() if re.search(rf"\b{name}\b", code)}
        assert not (used & cells.keys()) - seen, f"{module} stands before what it needs"
        seen.add(module)


def test_only_what_is_reached_is_there(notebook):
    cells = library_cells(notebook)
    assert "def paint(" in cells["painting.translation"]
    assert "def paint_large(" not in cells["painting.translation"]
    assert "def share(" in cells["training.session_plan"]
    assert "plan.json" not in cells["training.session_plan"]
    assert "def resnet_generator(" in cells["networks.generators"]
    assert "unet" not in cells["networks.generators"]
    assert "Conv2DTranspose" not in cells["networks.layers"]
    assert not cells.keys() & {"files", "quiet", "gan.augment", "training.checkpoints", "training.runs"}
    assert not [module for module in cells if module.startswith(("course", "sample", "commands"))]
    assert sum(len(code.splitlines()) for code in cells.values()) < 1300, "a notebook is to be read"


def test_a_setting_whose_code_is_left_out_cant_be_changed(notebook):
    """Else a competitor's change would do nothing, and say so nowhere."""
    settings = next(cell.source for cell in notebook.cells if "fixed = (" in cell.source)
    names = {"photos": range(6000), "monets": range(300), "profile_name": "tiny", "lite0": None, "epochs": 1, "seed": 0,
             "network": types.SimpleNamespace(name="random-conv"), "pick_precision": str, "Config": Config}  # fmt: skip
    exec(settings, dict(names))
    for change in ("diff_augment='color'", "upsample='transpose'", "rotate=True", "tone_weight=1.0"):
        with pytest.raises(ValueError, match=f"{change.split('=')[0]}: can't be changed"):
            exec(settings.replace("seed=seed,", f"seed=seed, {change},"), dict(names))


@pytest.fixture(scope="module")
def inlined():
    """The library's cells of the submission notebook, and its imports before them, in a namespace of their own."""
    notebook = nbformat.read(SUBMISSION, 4)
    before = [cell.source for cell in notebook.cells if cell.cell_type == "code"][:2]
    module = types.ModuleType("standalone_library")
    sys.modules[module.__name__] = module
    imports = re.findall(r"^(?:import|from) .+$", "\n".join(before), re.M)
    for code in ("\n".join(imports), *library_cells(notebook).values()):
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


def test_a_notebook_and_the_library_are_the_same_program(inlined, monkeypatch):
    # What the notebook has of its own, and what it does without: the same by rounding, quicker on a processor.
    monkeypatch.setattr(inlined, "trained_arrays", imagenet.trained_arrays, raising=False)
    monkeypatch.setattr(norms, "fuses", lambda x: False)
    rng = np.random.default_rng(0)
    monets, photos = rng.integers(0, 256, (2, 3, 256, 256, 3), np.uint8)
    # As the submission has it: what its settings never come to is not in the notebook.
    changes = {"norm": "none", "discriminator_norm": "instance", "border": 24, "identity_weight": 3.0,
               "image_size": 32, "crop": 64, "residual_blocks": 1, "generator_filters": 2, "discriminator_filters": 2,
               "batch_size": 2, "pool_size": 4, "feature_discriminator": 0.5, "precision": "float32"}  # fmt: skip
    sides = []
    for make, build, batches, data in (
        (Config, builder.build, pipeline.UnpairedBatches, pipeline.training_data),
        (inlined.Config, inlined.build, inlined.UnpairedBatches, inlined.training_data),
    ):
        settings = make(**changes)
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
    assert inlined.build is not builder.build
    assert counts == counts2
    assert len(losses) == 3
    assert losses == losses2
    np.testing.assert_array_equal(painted, painted2)
    assert all((a == b).all() for a, b in zip(weights, weights2, strict=True))


X = "\n\n\ndef x():\n    return {}"
BROKEN = {
    "from monet_lib.train import runs" + X.format("runs"): "an import of a module",
    "import monet_lib.config" + X.format(1): "import monet_lib. Write",
    "from .config import profile" + X.format(1): "an import of a module",
    "from monet_lib.config import profile as p" + X.format("p"): "under another name",
    "from monet_lib.config import *" + X.format(1): "under another name",
    "def x():\n    from monet_lib.config import profile": "inside a block",
    "from monet_lib.nowhere import y" + X.format("y"): "no such module",
    "from monet_lib.config import nothing" + X.format("nothing"): "has no nothing",
    "def y():\n    pass": "has no x",
    "print('hello')" + X.format(1): "does something when it is imported",
    "for k in range(3):\n    pass" + X.format(1): "does something when it is imported",
    "import os\nos.environ['A'] = 'b'" + X.format(1): "does something when it is imported",
    "import os\nx = os.getcwd()": "calls os.getcwd",
    "class x:\n    x = open('a')": "calls open",
    "from pathlib import Path\nx = Path(__file__)": "__file__",
    "import torch" + X.format("torch"): "imports torch, which Kaggle may lack",
    "def x():\n    import torch": "imports torch, which Kaggle may lack",
    "other = 2" + X.format("other"): "other is already",
    "from os import other" + X.format("other"): "other is already",
    "import numpy as mine" + X.format("mine"): "mine is already",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_cant_be_inlined_is_one_clear_line(text, tmp_path):
    own = _library(tmp_path, text)
    with pytest.raises(BuildError, match=re.escape(BROKEN[text])) as error:
        check(reached(own, tmp_path), own)
    assert "\n" not in str(error.value)
    assert re.match(r"(monet_lib[/.]\w+|lesson\.py)", str(error.value)), "where it is"


def _library(root, text):
    (root / "monet_lib").mkdir()
    modules = {"config": "def profile():\n    pass", "base": "other = 1", "part": text}
    for module, code in modules.items():
        (root / "monet_lib" / f"{module}.py").write_text(f'"""Docstring."""\n\n{code}\n')
    text = "from monet_lib.base import other\nfrom monet_lib.part import x\nmine = (x, other)"
    return Source("lesson.py", text)


def test_what_is_not_reached_may_be_anything(tmp_path):
    own = _library(tmp_path, "import torch\nother = 2\n\n\ndef y():\n    return torch" + X.format(1))
    check(reached(own, tmp_path), own)


def test_a_part_keeps_its_comments_and_runs(tmp_path):
    own = _library(
        tmp_path,
        """import math
import sys

from monet_lib.recipes import profile

# How many there are.
COUNT = [int(math.floor(k)) for k in range(3)]  # fmt: skip
LEFT_OUT = 1


def left_out():
    return sys


# Above it.
@staticmethod
def helper():
    return len(COUNT)


def x():
    profile()
    return helper()""",
    )
    parts = reached(own, tmp_path)
    check(parts, own)
    assert [source.name for source, _ in parts] == ["base", "config", "part"]
    code = parts[-1][0].inlined(parts[-1][1])
    assert "# How many there are.\nCOUNT" in code
    assert "# Above it.\n@staticmethod" in code
    for gone in ("LEFT_OUT", "left_out", "import sys", "monet_lib", "fmt: skip"):
        assert gone not in code
    names = {}
    exec("\n".join([*(source.inlined(kept) for source, kept in parts), own.inlined()]), names)
    assert names["mine"][0]() == 3


BRANCHES = """def pick(a, b):
    # About a.
    if a == 1:
        first()
    elif a == 2:
        for each in b:
            if each:
                return each
            print(each)
    else:
        raise ValueError(a)
    return None"""


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({"a == 1": True}, "# About a. | first() | return None"),
        ({"a == 1": False, "a == 2": False}, "raise ValueError(a) | return None"),
        ({"a == 2": False}, "# About a. | if a == 1: | first() | else: | raise ValueError(a) | return None"),
        ({"a == 1": False, "a == 2": True, "each": True}, "for each in b: | return each | return None"),
        ({"a == 1": False, "a == 2": True, "each": False}, "for each in b: | print(each) | return None"),
    ],
)
def test_an_if_that_is_settled_leaves_its_branch(facts, left):
    settled = Source("part.py", BRANCHES, "part").settled(facts)
    assert ast.unparse(settled.tree), "it is Python"
    assert " | ".join(line.strip() for line in settled.text.splitlines()[1:]) == left


def test_facts_and_what_is_left_out_must_be_there():
    source = Source("part.py", "class A:\n    def b(self):\n        pass\n\n\ndef c():\n    pass\n", "part")
    assert source.without(["A.b"]).text.split() == ["class", "A:", "def", "c():", "pass"]
    with pytest.raises(BuildError, match="has no A.c to leave out"):
        source.without(["A.c"])
    with pytest.raises(BuildError, match="no `if d` to settle"):
        source.settled({"d": True})


def test_an_import_that_is_given_is_not_repeated(tmp_path):
    text = """import math
from os import path, sep

from monet_lib.recipes import profile


def y(sep):
    return sep


def x():
    profile()
    return math.pi, path"""
    own = _library(tmp_path, text)
    part, kept = reached(own, tmp_path)[-1]
    assert "import math\nfrom os import path, sep" in part.inlined(kept)
    assert part.inlined(kept, {("math", "math"), ("path", "os.path")}).startswith("def x")
    assert "import" in part.inlined(kept, {("math", "another"), ("path", "os.path")})


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return fresh_environment(tmp_path_factory.mktemp("fresh"))


def test_the_submission_notebook_runs_alone(python, tmp_path, monkeypatch):
    images, working = kaggle_input(tmp_path / "input"), tmp_path / "working"
    # The sample has 24 photos, which mirroring makes 96: Kaggle's lower limit is set to that.
    done = run_standalone(SUBMISSION, python, images, working, edit={"LEAST, MOST = 7000": "LEAST, MOST = 96"})
    assert {path.name for path in working.iterdir()} == {"images.zip", "monet-run"}
    monkeypatch.setattr("monet_lib.paint.submission.LEAST", 96)
    assert "96 images" in check_submission(working / "images.zip")
    assert find_images(images / "gan-getting-started", "photo").count() == 24
    assert (working / "monet-run" / "checkpoints" / "step-00000008").is_dir()
    said = "\n".join(o.text for c in done.cells if c.cell_type == "code" for o in c.outputs if "text" in o)
    assert re.findall(r"^step (\d+)  kid", said, re.M) == ["4", "8"]
    first, _, last = (float(kid) for kid in re.findall(r"proxy KID +(-?[\d.]+) ±", said))
    assert ("still painted by the course's generator" in said) == (first <= last), "8 steps can't win, or say so"
