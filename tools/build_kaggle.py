"""Build kaggle/: a notebook and its kernel-metadata.json for each lesson and for a submission.

    python tools/build_kaggle.py [--user NAME] [--repo OWNER/NAME] [--out FOLDER]

A lesson's notebook uses the internet: its first cell installs the course. The submission notebook needs no internet:
its cells write the files of monet_lib that it imports, and hold the course's trained generator as text. Equal sources
give equal bytes.
"""

import argparse
import ast
import base64
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import jupytext
import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from address import absolute, published, set_published, tracked
from build_notebooks import for_tests, with_values

REPO = published()  # "owner/name" on GitHub
PLACEHOLDER = "INSERT_YOUR_KAGGLE_NAME"
LESSONS = sorted((ROOT / "notebooks" / "src").glob("[0-9]*.py"))
SUBMISSION = ROOT / "notebooks" / "src" / "monet_submission.py"
# Kaggle and JupyterLab show these cells, and what they print, folded.
FOLDED = {"_kg_hide-input": True, "_kg_hide-output": True, "jupyter": {"source_hidden": True, "outputs_hidden": True}}
STANDALONE = f"""This notebook stands alone: it holds the files that it needs of the
[course's library](https://github.com/{REPO}), folded. Attach the competition *gan-getting-started* as input. It needs
no internet, and no package that Kaggle lacks.

## Contents
"""
INTERNET = "# Fetch the course with its sample and install its library. This needs the internet: see the settings.\n"


def lesson(source):
    """A lesson's cells, with links that lead to the repository. The first code cell installs the course.

    The values that its texts quote are those of the notebook in notebooks/.
    """
    cells, built = [], nbformat.read(ROOT / "notebooks" / f"{source.stem}.ipynb", as_version=4).cells
    for cell, kept in zip(jupytext.read(source).cells, built, strict=True):
        if cell.cell_type == "markdown":
            with_values(cell, kept.metadata.get("values", {}))
            cells.append(new_markdown_cell(absolute(cell.source)))
        elif "install" in cell.metadata.get("tags", []):
            cells.append(new_code_cell(re.sub(r"\A(#.*\n)+", INTERNET, cell.source)))  # its comment speaks of Colab
        elif not for_tests(cell):
            cells.append(new_code_cell(cell.source))
    return cells


def submission():
    """The cells of the submission notebook: its own, the library's files in folded cells, the generator as text."""
    own, generator = jupytext.read(SUBMISSION).cells, packed(ROOT / "models" / "monet.npz")
    files = library_files("\n".join(cell.source for cell in own if cell.cell_type == "code"))
    folders = " ".join(dict.fromkeys(file.parent.relative_to(ROOT).as_posix() for file in files))
    cells = []
    for cell in own:
        if cell.cell_type == "markdown":
            cells.append(new_markdown_cell(absolute(cell.source)))
            continue
        folded = FOLDED if "GENERATOR_AS_TEXT" in cell.source else {}
        text = cell.source.replace("GENERATOR_AS_TEXT", generator).replace("FOLDERS_OF_THE_LIBRARY", folders)
        cells.append(new_code_cell(text, metadata=folded))
        if "library" in cell.metadata.get("tags", []):
            cells += [part for file in files for part in file_cells(file)]
    headings = [h for cell in own if cell.cell_type == "markdown" for h in re.findall(r"^## (.+)$", cell.source, re.M)]
    contents = "\n".join(f"- [{heading}](#{heading.replace(' ', '-')})" for heading in headings)
    cells.insert(1, new_markdown_cell(f"{STANDALONE}\n{contents}"))
    return cells


def file_cells(file):
    """Two cells for a file of the library: its path with its docstring's first paragraph, and a cell that writes it."""
    path, text = file.relative_to(ROOT).as_posix(), file.read_text()
    idea = ast.get_docstring(ast.parse(text)).split("\n\n")[0].replace("*", r"\*")
    text = text.removesuffix("\n")  # IPython ends a cell's last line
    return [new_markdown_cell(f"### {path}\n\n{idea}"), new_code_cell(f"%%writefile {path}\n{text}", metadata=FOLDED)]


def library_files(code, root=ROOT):
    """The files of monet_lib under `root` that `code` imports, each after the files that it imports itself.

    Imports inside functions count. The `__init__.py` of a package comes after its modules, which it imports.
    """
    found = []

    def visit(code, within):
        for node in ast.walk(ast.parse(code)):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{name}" for name in names)]
            for parts in (name.split(".") for name in names if name.split(".")[0] == "monet_lib"):
                for end in range(1, len(parts) + 1):
                    path = root.joinpath(*parts[:end])
                    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
                    if file.exists() and file not in (*found, *within):
                        visit(file.read_text(), (*within, file))
                        found.append(file)

    visit(code, ())
    return found


def packed(file):
    """A generator's file (see `weights.save_generator`) as text: 8 bits a weight and one scale a channel.

    q: int8, s: one float32 scale for each output channel; q * s differs from the weight by at most half a level of the
    channel's 255. This is half the size of float16: the notebook stays below a megabyte.
    """
    arrays = {}
    with np.load(file, allow_pickle=False) as found:
        arrays["config"] = found["config"]
        for name in sorted(set(found.files) - {"config"}):
            values = found[name].astype("float32")
            scale = np.abs(values).max(tuple(range(values.ndim - 1)), keepdims=True) / 127 + 1e-12
            arrays |= {f"{name}q": np.rint(values / scale).astype("int8"), f"{name}s": scale.astype("float32")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez's bytes depend on the version of Python
        for name, values in arrays.items():
            part = io.BytesIO()
            np.save(part, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue())
    return base64.b85encode(buffer.getvalue()).decode()


def kernel_metadata(name, user=PLACEHOLDER):
    """What `kaggle kernels push` asks for. The title's slug is the id's: otherwise Kaggle makes another kernel."""
    is_lesson, gpu = name[0] == "0", name != "01_eda"
    title = re.sub(r"[\W_]+", " ", f"monet lab {name}" if is_lesson else name).capitalize()
    return {
        "id": f"{user}/{title.lower().replace(' ', '-')}",
        "title": title,
        "code_file": f"{name}.ipynb",
        "language": "python",
        "kernel_type": "notebook",
        "is_private": True,
        "enable_gpu": gpu,
        "enable_tpu": False,
        "enable_internet": is_lesson,  # to install the course
        **({"machine_shape": "NvidiaTeslaT4"} if gpu else {}),  # Kaggle gives two of them
        "competition_sources": ["gan-getting-started"],
        "dataset_sources": [],
        "kernel_sources": [],
        "model_sources": [],
    }


def build_all(out, user=PLACEHOLDER, repo=REPO):
    """Write every notebook with its metadata under the folder `out`, each in a folder of its own. Returns the names.

    user: on Kaggle. repo: "owner/name" on GitHub, written in the place of the course's own address. Raises ValueError
    for a user or a repo of another form.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise ValueError(f"--repo {repo!r}: not of the form owner/name. Take it from the repository's address.")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", user):
        raise ValueError(f"--user {user!r}: not a Kaggle user name. Take it from your profile's address.")
    built = {source.stem: lesson(source) for source in LESSONS} | {"monet-submission": submission()}
    for name, cells in built.items():
        folder, settings = Path(out) / name, kernel_metadata(name, user)
        folder.mkdir(parents=True, exist_ok=True)
        for number, cell in enumerate(cells):
            cell["id"] = f"cell-{number:03d}"
        gpu, internet = settings["enable_gpu"], settings["enable_internet"]
        metadata = {
            # The settings of Kaggle's editor when the notebook is uploaded by hand.
            "kaggle": {"accelerator": "nvidiaTeslaT4" if gpu else "none", "isGpuEnabled": gpu,
                       "isInternetEnabled": internet, "language": "python", "sourceType": "notebook"},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }  # fmt: skip
        # A cell's lines as one string: as a list they would take the submission beyond Kaggle's megabyte.
        text = nbformat.writes(new_notebook(cells=cells, metadata=metadata), split_lines=False).replace(REPO, repo)
        (folder / f"{name}.ipynb").write_text(f"{text}\n")
        (folder / "kernel-metadata.json").write_text(f"{json.dumps(settings, indent=2)}\n")
    return list(built)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user", default=PLACEHOLDER, help="your Kaggle user name, for kernel-metadata.json")
    parser.add_argument("--repo", default=REPO, help="owner/name of your copy on GitHub, for every link to it")
    parser.add_argument("--out", default=ROOT / "kaggle", help="default: kaggle/ of the repository")
    arguments = parser.parse_args()
    try:
        names = build_all(arguments.out, arguments.user, arguments.repo)
    except ValueError as error:
        sys.exit(f"build_kaggle: {error}")
    if arguments.repo != REPO:
        set_published(arguments.repo, tracked())
    print(f"{arguments.out}: {', '.join(names)}")


if __name__ == "__main__":
    main()
