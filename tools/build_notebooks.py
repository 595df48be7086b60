"""Build and execute notebooks/*.ipynb from notebooks/src/*.py: python tools/build_notebooks.py [NAME ...].

Executed on the embedded sample with profile `laptop`, outputs and counts kept, volatile metadata removed. A notebook
is replaced only when all of its cells ran.
"""

import os
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"


def assemble(source):
    """The unexecuted notebook of a percent-format source, with ids that depend on the place of the cell alone."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
    return notebook


def build(source):
    notebook = assemble(source)
    target = NOTEBOOKS / f"{source.stem}.ipynb"
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(
        notebook, timeout=3600, kernel_name="python3", record_timing=False, resources=resources
    ).execute()
    temporary = target.with_suffix(".building.ipynb")
    nbformat.write(notebook, temporary)
    strip = [sys.executable, "-m", "nbstripout", "--keep-output", "--keep-count", "--keep-id", "--extra-keys",
             "metadata.widgets cell.metadata.execution metadata.language_info", str(temporary)]  # fmt: skip
    subprocess.run(strip, check=True)
    temporary.replace(target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e3:.0f} kB")


def main():
    os.environ.setdefault("MONET_PROFILE", "laptop")
    os.environ["MONET_DATA"] = "../data/sample"  # from notebooks/, where the kernels run
    names = sys.argv[1:] or ["*"]
    for name in names:
        for source in sorted((NOTEBOOKS / "src").glob(f"{name}.py")):
            build(source)


if __name__ == "__main__":
    main()
