"""The repository's own rules: lists that must agree, layering, sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from inputs import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

import draw_architecture

LIBRARY = sorted((ROOT / "monet_lib").rglob("*.py"))
# Networks, losses and metrics are written in Keras and NumPy; files and settings need neither.
TENSORFLOW_FREE = (
    "files", "config", "model/networks", "model/weights", "model/losses", "model/augment",
    "model/imagenet", "score/metrics",
)  # fmt: skip
LARGE = {"models/imagenet/efficientnet_lite0.npz"}  # 3.4 million trained weights that no smaller file holds


def imports(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.fixture
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_environment_file_lists_the_same_packages(project):
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {p for p in listed if isinstance(p, str)} - {"make", "pip"}
    python = next(p for p in conda if p.startswith("python>"))
    extras = project["optional-dependencies"]
    wanted = {*project["dependencies"], *extras["train"], *extras["course"], *extras["test"]}
    assert conda - {python} == {p for p in wanted if not p.startswith("monet-lab[")}
    assert python.removeprefix("python").startswith(project["requires-python"])


def test_dependencies_are_ranges_without_exact_pins(project):
    every = project["dependencies"] + [p for extra in project["optional-dependencies"].values() for p in extra]
    own = {f"monet-lab[{extra}]" for extra in project["optional-dependencies"]}
    assert all(p in own or re.fullmatch(r"[\w-]+>=[\d.]+", p) for p in every)


def test_a_wheel_takes_every_room_along():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = {f"monet_lib.{p.parent.name}" for p in (ROOT / "monet_lib").glob("*/__init__.py")}
    assert rooms | {"monet_lib"} == {p for p in setuptools["packages"] if ".shipped." not in p}
    for package, patterns in setuptools["package-data"].items():
        folder = ROOT / setuptools["package-dir"].get(package, package.replace(".", "/"))
        assert all(list(folder.glob(pattern)) for pattern in patterns), package


@pytest.mark.parametrize("module", TENSORFLOW_FREE)
def test_networks_and_losses_import_no_tensorflow(module):
    path = ROOT / "monet_lib" / f"{module}.py"
    assert not [name for name in imports(path) if name.split(".")[0] == "tensorflow"]


def test_public_functions_say_what_they_do_and_private_ones_of_others_are_not_used():
    """Except the checks of exercises: their decorator has a title. A room says in at most 4 lines what it is for."""
    silent, seen = [], 0
    for path in LIBRARY:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                titled = any(ast.unparse(each).startswith("exercise(") for each in node.decorator_list)
                silent += [] if titled or ast.get_docstring(node) else [f"{path.name}: {node.name}"]
                seen += 1
        private = [name for name in imports(path) if any(part.startswith("_") for part in name.split("."))]
        assert not private, f"{path.name}: private names of other packages"
        if path.name == "__init__.py":
            assert 1 <= len(ast.get_docstring(ast.parse(path.read_text())).splitlines()) <= 4, path
    assert not silent
    assert seen > 200


def test_files_are_small():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    large = {name for name in tracked if (ROOT / name).stat().st_size > 4_000_000}
    assert large == LARGE
    assert all((ROOT / name).stat().st_size < 7_000_000 for name in LARGE)


@pytest.mark.parametrize(
    "command",
    [
        "check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml",
        "check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff",
        "pre-commit validate-config .pre-commit-config.yaml",
        "lint-imports --no-cache",  # the contract in pyproject.toml: which room stands on which
    ],
)
def test_files_for_other_programs_are_what_these_accept(command):
    program, *arguments = command.split()
    command = [Path(sys.executable).with_name(program), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_version_everywhere(project):
    version = project["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    newest = re.search(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest[1] == version


DOCUMENTS = [
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md"))
    if path.parent.name != "node_modules"
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_in_documents_lead_somewhere(document):
    text = (ROOT / document).read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert ((ROOT / document).parent / target).exists(), target


def test_the_drawing_of_the_architecture_is_of_this_code():
    document = draw_architecture.DOCUMENT.read_text()
    assert draw_architecture.drawn(document) == document, "run: python tools/draw_architecture.py"
    assert "train --> paint" in document


def test_training_needs_no_package_of_the_lessons():
    """As where only the extra `train` is installed: every room but the course's own is imported."""
    course = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["course"]
    missing = {"IPython", *(re.match(r"[a-z]+", p)[0] for p in course if "[" not in p)}
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in LIBRARY}
    outside = sorted(name for name in names if not name.startswith("monet_lib.course"))
    assert {"monet_lib.train.loop", "monet_lib.figures"} < {*outside}
    code = (
        f"import importlib, sys; sys.modules |= dict.fromkeys({sorted(missing)})\n"
        f"for name in {outside}: importlib.import_module(name)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
