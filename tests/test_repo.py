"""The repository's own rules: lists that must agree, layering, sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
# A module imports only from those above it.
ORDER = """
config data download scenery brushwork sample pipeline inspection fused spectral layers models losses augment pool
imagenet squeezenet feature_discriminator
cyclegan dcgan viz checkpoints runs resuming shipped metrics features image_sources scoring translation callbacks guards
skies validation devices workers tensorboard submission budget adam training widgets checks
short_runs lesson_eda lesson_dcgan lesson_unet lesson_resnet lesson_submission cli
""".split()
TENSORFLOW_FREE = (
    "config", "layers", "models", "losses", "augment", "metrics", "spectral", "imagenet", "squeezenet",
    "feature_discriminator", "skies",
)  # fmt: skip
LARGE = {"models/imagenet/efficientnet_lite0.npz"}  # 3.4 million trained weights that no smaller file holds


def imports(module):
    tree = ast.parse((ROOT / "monet_lib" / f"{module}.py").read_text())
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
    wanted = set(project["dependencies"]) | set(project["optional-dependencies"]["test"])
    assert conda - {python} == wanted
    assert python.removeprefix("python").startswith(project["requires-python"])


def test_dependencies_are_ranges_without_exact_pins(project):
    every = project["dependencies"] + [
        p for extra in project["optional-dependencies"].values() for p in extra
    ]
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+", p) for p in every)


def test_modules_import_only_from_those_above():
    assert {p.stem for p in (ROOT / "monet_lib").glob("*.py")} - {"__init__"} == set(ORDER)
    for place, module in enumerate(ORDER):
        for imported in imports(module):
            if imported.startswith("monet_lib"):
                assert imported.removeprefix("monet_lib.") in ORDER[:place], f"{module} imports {imported}"


@pytest.mark.parametrize("module", TENSORFLOW_FREE)
def test_networks_and_losses_import_no_tensorflow(module):
    assert not [name for name in imports(module) if name.split(".")[0] == "tensorflow"]


def test_private_names_of_other_packages_are_not_used():
    for path in (ROOT / "monet_lib").glob("*.py"):
        for name in imports(path.stem):
            assert not any(part.startswith("_") for part in name.split(".")), f"{path.name}: {name}"


def test_modules_are_short():
    long = {
        p.name: n for p in (ROOT / "monet_lib").glob("*.py") if (n := len(p.read_text().splitlines())) > 260
    }
    assert not long


def test_files_are_small():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    large = {name for name in tracked if (ROOT / name).stat().st_size > 4_000_000}
    assert large == LARGE
    assert all((ROOT / name).stat().st_size < 7_000_000 for name in LARGE)


@pytest.mark.parametrize("document", ["README.md", "data/README.md", "docs/kaggle.md", "docs/training.md"])
def test_links_in_documents_lead_somewhere(document):
    text = (ROOT / document).read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert ((ROOT / document).parent / target).exists(), target
