"""Build kaggle/: a standalone notebook and its kernel-metadata.json for each lesson and for a submission.

    python tools/build_kaggle.py [--user NAME] [--out FOLDER]

The modules of monet_lib that a notebook needs become cells of it, so that it runs where only Kaggle's packages are.
Lessons come from notebooks/src, the submission from tools/monet-submission.py. Equal sources give equal bytes.
"""

import argparse
import ast
import json
import posixpath
import re
import sys
from pathlib import Path
from urllib.parse import quote

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from inline import PACKAGE, BuildError, Source, check, is_module, needed_modules

PLACEHOLDER = "INSERT_YOUR_KAGGLE_NAME"
COURSE = "https://github.com/monet-lab/monet-lab"
RAW = "https://raw.githubusercontent.com/monet-lab/monet-lab/main"
LINK = re.compile(r"(!?)(\[[^\]]*\]\()(?!https?:|#)([^)\s]+)\)")
# Kaggle and JupyterLab show the library's code folded: it is there to be run, and to be opened by the curious.
FOLDED = {"_kg_hide-input": True, "jupyter": {"source_hidden": True}}
# What Kaggle's editor is to be set to when the notebook is uploaded by hand.
EDITOR = {"accelerator": "nvidiaTeslaT4", "isGpuEnabled": True, "isInternetEnabled": False, "language": "python",
          "sourceType": "notebook"}  # fmt: skip
STANDALONE = f"""This notebook stands alone: it holds the code that it needs of the [course's library]({COURSE}),
folded. It wants the competition *gan-getting-started* as input, no internet, and no package beyond Kaggle's."""
LIBRARY = """One idea a part, each using only those above it; a click on a folded cell opens it. To use the notebook
you need not read this: run it, and go on at {}."""
CONFIGURATION = """import os

os.environ.setdefault("MONET_PROFILE", "laptop")  # or "tiny": seconds, to try it; "full": hours on a GPU
os.environ.setdefault("MONET_INPUT", "/kaggle/input")  # where the images are looked for
os.environ.setdefault("MONET_WORKING", "/kaggle/working")  # where files are written
if os.path.isdir(os.environ["MONET_WORKING"]):
    os.chdir(os.environ["MONET_WORKING"])"""


def standalone(source):
    """The notebook of a percent-format source with the library in it. Raises BuildError for what can't be inlined."""
    cells = [c for c in jupytext.read(source).cells if "install" not in c.metadata.get("tags", [])]
    own = Source(source.name, _code(cells))
    modules = needed_modules(own)
    alias = _alias(own, modules)
    # The library comes before the section with the first cell that uses it.
    first = next(k for k, cell in enumerate(cells) if cell.cell_type == "code" and PACKAGE in cell.source)
    first = max(k for k, cell in enumerate(cells[:first]) if cell.source.startswith("## "))
    before, after = ([_own_cell(cell, alias) for cell in part] for part in (cells[:first], cells[first:]))
    if not any(cell.source.startswith("## Configuration") for cell in before):
        before += [new_markdown_cell("## Configuration"), new_code_cell(CONFIGURATION)]
    library = [
        new_markdown_cell(
            f"## The library\n\n{LIBRARY.format(_link(cells[first].source.splitlines()[0][3:]))}"
        )
    ]
    for module in modules:
        idea = ast.get_docstring(module.tree).replace("*", r"\*")
        library += [new_markdown_cell(f"### {module.name}\n\n{idea}")]
        library += [new_code_cell(module.inlined(), metadata=FOLDED)]
        if module.name == "quiet":  # comes first, and is wanted before the next part imports TensorFlow
            library += [new_code_cell("quiet()")]
    cells = [cell for cell in (*before, *library, *after) if cell.source.strip()]
    check(modules, Source(source.name, _code(before + after)))
    cells.insert(1, new_markdown_cell(f"{STANDALONE}\n\n## Contents\n\n{_contents(cells)}"))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:03d}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kaggle": EDITOR, "kernelspec": kernel, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


def kernel_metadata(name, user=PLACEHOLDER):
    """What `kaggle kernels push` wants to know. The title's slug is the id's, or Kaggle makes another kernel."""
    title = re.sub(r"[\W_]+", " ", name if name.startswith("monet") else f"monet lab {name}").capitalize()
    return {
        "id": f"{user}/{title.lower().replace(' ', '-')}",
        "title": title,
        "code_file": f"{name}.ipynb",
        "language": "python",
        "kernel_type": "notebook",
        "is_private": True,
        "enable_gpu": True,
        "enable_tpu": False,
        "enable_internet": False,
        "machine_shape": "NvidiaTeslaT4",  # Kaggle gives two of them
        "competition_sources": ["gan-getting-started"],
        "dataset_sources": [],
        "kernel_sources": [],
        "model_sources": [],
    }


def _code(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def _alias(own, modules):
    """The name under which a lesson uses its helpers' module, or None. `alias.name` becomes `name`."""
    found = [
        alias.asname or alias.name
        for node in own.package_imports
        for alias in node.names
        if is_module(node.module, alias.name)
    ]
    if not found:
        return None
    used = set(re.findall(rf"\b{found[0]}\.(\w+)", own.text))
    bound = {n.id for n in ast.walk(own.tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.arg for n in ast.walk(own.tree) if isinstance(n, ast.arg)}
    if used & bound:
        name = min(used & bound)
        raise BuildError(f"{own.where}: {name} would hide {found[0]}.{name}. Rename the lesson's.")
    if unknown := used - set().union(*(module.names() for module in modules)):
        raise BuildError(f"{own.where}: {found[0]}.{min(unknown)} is not in the library. Correct the name.")
    return found[0]


def _own_cell(cell, alias):
    if cell.cell_type == "code":
        text = Source("", cell.source).inlined()
        return new_code_cell(re.sub(rf"\b{alias}\.(?=\w)", "", text) if alias else text)

    def absolute(match):
        image, text, target = match.groups()
        place = posixpath.normpath(f"notebooks/{target}")
        return f"{image}{text}{RAW if image else f'{COURSE}/blob/main'}/{place})"

    return new_markdown_cell(LINK.sub(absolute, cell.source))


def _link(heading):
    return f"[{heading}](#{quote(heading.replace(' ', '-'), safe=',·:')})"


def _contents(cells):
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    lines = []
    for level, heading in re.findall(r"^(##|###) (.+)$", text, re.M):
        link = _link(heading)
        if level == "##":
            lines.append(f"- {link}")
        elif lines[-1].startswith("- [The library]"):
            lines[-1] += f"{' · ' if '#' in lines[-1][30:] else ': '}{link}"
    return "\n".join(lines)


def build_all(out, user=PLACEHOLDER):
    """Write every notebook with its metadata under the folder `out`, each in a folder of its own."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", user):
        raise BuildError(f"--user {user!r}: not a Kaggle user name. Take it from your profile's address.")
    sources = [*sorted((ROOT / "notebooks" / "src").glob("*.py")), ROOT / "tools" / "monet-submission.py"]
    built = {source.stem: standalone(source) for source in sources}  # all of them, before anything is written
    for name, notebook in built.items():
        folder = Path(out) / name
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")
        metadata = json.dumps(kernel_metadata(name, user), indent=2)
        (folder / "kernel-metadata.json").write_text(f"{metadata}\n")
    return list(built)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--user", default=PLACEHOLDER, help="your Kaggle user name, for kernel-metadata.json")
    parser.add_argument("--out", default=ROOT / "kaggle", help="default: kaggle/ of the repository")
    arguments = parser.parse_args()
    try:
        names = build_all(arguments.out, arguments.user)
    except BuildError as error:
        sys.exit(f"build_kaggle: {error}")
    print(f"{arguments.out}: {', '.join(names)}")


if __name__ == "__main__":
    main()
