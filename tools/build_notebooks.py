"""Build and execute notebooks/*.ipynb from notebooks/src/*.py: python tools/build_notebooks.py [--keep] [NAME ...].

Executed on the embedded sample with profile `laptop`, outputs and counts kept, volatile metadata removed. A notebook
is replaced only when all of its cells ran. The picture of the cell tagged `cover` becomes docs/images/NAME.jpg, which
the lesson's head shows. Relative links are made absolute, since Colab opens a notebook alone. --keep executes nothing:
the outputs are kept, for changes to the texts, and to code of which they don't depend.
"""

import argparse
import base64
import io
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tools")]

from address import absolute
from lessons import execute

NOTEBOOKS = ROOT / "notebooks"
# Without it nbconvert writes a lesson's script as .txt; the kernel's own tells of its version, which changes.
LANGUAGE = {"file_extension": ".py", "name": "python", "nbconvert_exporter": "python"}


def assemble(source):
    """The unexecuted notebook of a percent-format source, with ids that depend on the place of the cell alone."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.cell_type == "markdown":
            cell.source = absolute(cell.source)
    return notebook


def keep_outputs(source):
    """Write the notebook of a source with the outputs and counts of the one that is there, cell by cell."""
    target = NOTEBOOKS / f"{source.stem}.ipynb"
    kept, notebook = nbformat.read(target, as_version=4), assemble(source)
    kinds = [[cell.cell_type for cell in book.cells] for book in (kept, notebook)]
    if kinds[0] != kinds[1]:
        sys.exit(f"{target}: has other cells than its source. Execute it: make notebooks.")
    for cell, new in zip(kept.cells, notebook.cells, strict=True):
        cell.source, cell.metadata = new.source, new.metadata
    nbformat.write(kept, target)


def build(source):
    notebook = assemble(source)
    target = NOTEBOOKS / f"{source.stem}.ipynb"
    seconds, megabytes = execute(notebook, "laptop")
    for cell in notebook.cells:
        if "cover" in cell.metadata.get("tags", []):
            _save_cover(cell, source.stem)
    temporary = target.with_suffix(".building.ipynb")
    nbformat.write(notebook, temporary)
    strip = [sys.executable, "-m", "nbstripout", "--keep-output", "--keep-count", "--keep-id", "--extra-keys",
             "metadata.widgets cell.metadata.execution metadata.language_info", str(temporary)]  # fmt: skip
    subprocess.run(strip, check=True)
    notebook = nbformat.read(temporary, as_version=4)
    notebook.metadata["language_info"] = LANGUAGE
    nbformat.write(notebook, temporary)
    temporary.replace(target)
    size = target.stat().st_size / 1e3
    print(f"{target.relative_to(ROOT)}: {size:.0f} kB, {seconds:.0f} s, {megabytes:.0f} MB", flush=True)


def _save_cover(cell, name):
    pictures = [o.data[kind] for o in cell.outputs for kind in ("image/jpeg", "image/png") if kind in o.get("data", {})]
    image = Image.open(io.BytesIO(base64.b64decode(pictures[0]))).convert("RGB")
    image.save(ROOT / "docs" / "images" / f"{name}.jpg", quality=88)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["*"], metavar="NAME")
    parser.add_argument("--keep", action="store_true", help="keep the outputs, execute nothing")
    arguments = parser.parse_args()
    for name in arguments.names:
        for source in sorted((NOTEBOOKS / "src").glob(f"{name}.py")):
            if source.stem[0].isdigit():  # a lesson; build_kaggle.py makes the submission's notebook
                (keep_outputs if arguments.keep else build)(source)


if __name__ == "__main__":
    main()
