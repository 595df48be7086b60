"""Build and execute notebooks/*.ipynb from notebooks/src/*.py: python tools/build_notebooks.py [--keep] [NAME ...].

Executed on the embedded sample with profile `laptop`, outputs and counts kept, volatile metadata removed. A notebook
is replaced only when all of its cells ran. The picture of the cell tagged `cover` becomes docs/images/NAME.jpg, which
the lesson's head shows. Relative links are made absolute, since Colab opens a notebook alone. A text can quote a
result: {{ kid:.3f }} in a Markdown cell of the source becomes what the f-string f"{kid:.3f}" gives at that place of the
run, so that text and output can't disagree. A cell tagged `ci` holds asserts for the tests alone: its source is folded.
--keep executes nothing: outputs and quoted values are kept, for changes to the texts, and to code of which they don't
depend.
"""

import argparse
import base64
import io
import json
import re
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
FIELD = re.compile(r"\{\{ *(.+?) *\}\}")
LANGUAGE = {"file_extension": ".py", "name": "python", "nbconvert_exporter": "python"}


def assemble(source):
    """The unexecuted notebook of a percent-format source, with ids that depend on the place of the cell alone."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.cell_type == "markdown":
            cell.source = absolute(cell.source)
        elif for_tests(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
    return notebook


def for_tests(cell):
    """Whether a cell holds asserts that only the tests need, which a reader does not see."""
    return "ci" in cell.metadata.get("tags", [])


def with_values(cell, values):
    """Put the values, {field: text}, in the place of a Markdown cell's fields, and keep them in its metadata."""
    if fields := FIELD.findall(cell.source):
        if missing := [field for field in fields if field not in values]:
            raise SystemExit(f"{cell.source[:60]!r}: {missing} has no value. Execute the lesson: make notebooks.")
        cell.metadata["values"] = {field: values[field] for field in fields}
        cell.source = FIELD.sub(lambda found: values[found[1]], cell.source)


def run(notebook):
    """Execute the notebook in place and fill in the values that its texts quote; returns (seconds, peak MB).

    Before each text with fields runs a cell that prints their values; it is dropped afterwards.
    """
    cells, probes = [], {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (fields := FIELD.findall(cell.source)):
            pairs = ", ".join(f"{field!r}: f'''{{{field}}}'''" for field in fields)
            probes[cell.id] = nbformat.v4.new_code_cell(f"import json\nprint(json.dumps({{{pairs}}}))")
            cells.append(probes[cell.id])
        cells.append(cell)
    notebook.cells = cells
    measured = execute(notebook, "laptop")
    for cell in notebook.cells:
        if cell.id in probes:
            with_values(cell, json.loads(probes[cell.id].outputs[0].text))
    dropped = {probe.id for probe in probes.values()}
    notebook.cells = [cell for cell in notebook.cells if cell.id not in dropped]
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    return measured


def keep_outputs(source):
    """Write the notebook of a source with the outputs and counts of the one that is there, cell by cell."""
    target = NOTEBOOKS / f"{source.stem}.ipynb"
    kept, notebook = nbformat.read(target, as_version=4), assemble(source)
    kinds = [[cell.cell_type for cell in book.cells] for book in (kept, notebook)]
    if kinds[0] != kinds[1]:
        sys.exit(f"{target}: has other cells than its source. Execute it: make notebooks.")
    for cell, new in zip(kept.cells, notebook.cells, strict=True):
        if new.cell_type == "markdown":
            with_values(new, cell.metadata.get("values", {}))
        cell.source, cell.metadata = new.source, new.metadata
    nbformat.write(kept, target)


def build(source):
    notebook = assemble(source)
    target = NOTEBOOKS / f"{source.stem}.ipynb"
    seconds, megabytes = run(notebook)
    for cell in notebook.cells:
        if "cover" in cell.metadata.get("tags", []):
            _save_cover(cell, source.stem)
    notebook.metadata.pop("widgets", None)  # the controls of a kernel that is gone
    for cell in notebook.cells:
        if cell.cell_type == "code":  # without progress bars, which are written to stderr
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata["language_info"] = LANGUAGE
    nbformat.write(notebook, target)
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
            if source.stem != "monet_submission":  # build_kaggle.py makes the submission's notebook
                (keep_outputs if arguments.keep else build)(source)


if __name__ == "__main__":
    main()
