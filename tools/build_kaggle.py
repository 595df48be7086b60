"""Build kaggle/: a notebook and its kernel-metadata.json for each lesson and for a submission.

    python tools/build_kaggle.py [--user NAME] [--repo OWNER/NAME] [--out FOLDER]

A lesson is the lesson: it uses the internet, and its first cell installs the course. The submission stands alone: what
it reaches of monet_lib becomes cells of it, and so does the course's trained generator, as text. Equal sources give
equal bytes.
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
from urllib.parse import quote

import jupytext
import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from address import absolute, published, set_published, tracked
from inline import PACKAGE, BuildError, Source, check, reached

PLACEHOLDER = "INSERT_YOUR_KAGGLE_NAME"
REPO = published()  # "owner/name" on GitHub
# Kaggle and JupyterLab show the library's code folded: it is there to be run, and to be opened by the curious.
FOLDED = {"_kg_hide-input": True, "jupyter": {"source_hidden": True}}
STANDALONE = f"""This notebook stands alone: it holds what it needs of the [course's library](https://github.com/{REPO}),
folded. It wants the competition *gan-getting-started* as input, no internet, and no package beyond Kaggle's."""
LIBRARY = """The functions and classes that this notebook reaches, each part using only those above it; a click on a
folded cell opens it. To use the notebook you need not read this: run it, and go on at {}."""
INSTALL = f"""# Fetch the course with its sample and install its library. This needs the internet: see the settings.
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("monet_lib") is None:
    if not Path("monet-lab").exists():  # an earlier try may have come so far
        subprocess.run("git clone --depth=1 https://github.com/{REPO} monet-lab".split(), check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--editable", "monet-lab"], check=True)
    sys.path.insert(0, "monet-lab")  # this kernel looked for packages before there was one"""
WITHOUT_GPU = ("01_eda",)
# What the submission's settings decide: tests in the library that always come out so, see `inline.Source.settled`.
FACTS = {
    "gan.adversarial": {"self.joined and (not self.r1_weight)": True},
    "gan.cyclegan": {
        "not self.settings.diff_augment": True,
        "self.settings.tone_weight": False,
        "averaged_generator is not None": True,
        "self.averaged_generator is not None": True,
        "pool is None": False,
    },
    "gan.identity": {"same_monet is None": False, "not weight": False, "not steps": True},
    "gan.losses": {"kind not in ('bce', 'least_squares')": False},
    "gan.passes": {"targets is None": False},
    "networks.generators": {"config.model == 'resnet'": True, "residual_output": False},
    "networks.layers": {"how == 'transpose'": False, "how == 'resize'": True},
    "networks.norms": {"norm == 'group'": False, "norm == 'batch'": False},
    "painting.translation": {"not hasattr(generator, 'predict_on_batch')": False},
    "scoring.metrics": {
        "subsets < 1 or size < 2": False,
        "not (fid >= 0 and distance >= 0)": False,
        "x.ndim != 2 or x.shape[1] < 1": False,
        "len(x) < 2": False,
        "pair[0].shape[1] != pair[1].shape[1]": False,
    },
    "scoring.network": {
        "images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or (not images.size)": False
    },
    "scoring.scores": {"not waiting": False},
    "training.devices": {"name not in STRATEGIES": False, "name == 'mirrored' and batch_size % len(found)": False},
}
# What it does without, see `inline.Source.without`: checks of settings that it makes itself, what speeds up a processor
# and not a GPU, and a file's reader in whose place it has its own.
LEFT_OUT = {
    "config": ("Config.__post_init__",),
    "networks.imagenet": ("trained_arrays",),
    "networks.norms": ("InstanceNormalization.call",),
}


def lesson(source):
    """The notebook of a lesson as it is, its links leading to the repository, its first code cell installing it."""
    cells = []
    for cell in jupytext.read(source).cells:
        if cell.cell_type == "markdown":
            cells.append(new_markdown_cell(absolute(cell.source)))
        else:
            installs = "install" in cell.metadata.get("tags", [])
            cells.append(new_code_cell(INSTALL if installs else cell.source))
    return _notebook(cells, source.stem not in WITHOUT_GPU, internet=True)


def standalone(source, generator=ROOT / "models" / "monet.npz"):
    """The notebook of a percent-format source with what it reaches of the library, and the generator, in it.

    Raises BuildError for what can't be inlined.
    """
    cells = jupytext.read(source).cells
    own = Source(source.name, _code(cells))
    parts = reached(own, facts=FACTS, left_out=LEFT_OUT)
    check(parts, own)
    # The library comes before the section with the first cell that uses it.
    first = next(k for k, cell in enumerate(cells) if cell.cell_type == "code" and PACKAGE in cell.source)
    first = max(k for k, cell in enumerate(cells[:first]) if cell.source.startswith("## "))
    before, after = ([_own_cell(cell, generator) for cell in part] for part in (cells[:first], cells[first:]))
    given = set(Source(source.name, _code(cells[:first])).names().items())
    heading = _link(cells[first].source.splitlines()[0][3:])
    library = [new_markdown_cell(f"## The library\n\n{LIBRARY.format(heading)}")]
    for module, kept in parts:
        idea = ast.get_docstring(module.tree).split("\n\n")[0].replace("*", r"\*")
        library += [new_markdown_cell(f"### {module.name}\n\n{idea}")]
        text = module.inlined(kept, given)
        library += [new_code_cell(text, metadata=FOLDED)]
        given |= set(Source(module.where, text).names().items())
    cells = [cell for cell in (*before, *library, *after) if cell.source.strip()]
    cells.insert(1, new_markdown_cell(f"{STANDALONE}\n\n## Contents\n\n{_contents(cells)}"))
    return _notebook(cells, gpu=True, internet=False)


def packed(file):
    """A generator's file (see `weights.save_generator`) as text: 8 bits a weight and one scale a channel.

    q: int8, s: one float32 scale for each output channel; q * s differs from the weight by at most half a level of the
    channel's 255. Half the size of float16, so that the notebook stays below a megabyte.
    """
    arrays = {}
    with np.load(file, allow_pickle=False) as found:
        for name in sorted(found.files):
            if name == "config":
                arrays[name] = found[name]
                continue
            values = found[name].astype("float32")
            scale = np.abs(values).max(tuple(range(values.ndim - 1)), keepdims=True) / 127 + 1e-12
            arrays[f"{name}q"] = np.rint(values / scale).astype("int8")
            arrays[f"{name}s"] = scale.astype("float32")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez's bytes depend on the version of Python
        for name, values in arrays.items():
            part = io.BytesIO()
            np.save(part, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue())
    return base64.b85encode(buffer.getvalue()).decode()


def _notebook(cells, gpu, internet):
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:03d}"
    # What Kaggle's editor is to be set to when the notebook is uploaded by hand.
    editor = {"accelerator": "nvidiaTeslaT4" if gpu else "none", "isGpuEnabled": gpu, "isInternetEnabled": internet,
              "language": "python", "sourceType": "notebook"}  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kaggle": editor, "kernelspec": kernel, "language_info": {"name": "python"}}
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
        "enable_gpu": name not in WITHOUT_GPU,
        "enable_tpu": False,
        "enable_internet": not name.startswith("monet"),  # a lesson installs the course
        **({} if name in WITHOUT_GPU else {"machine_shape": "NvidiaTeslaT4"}),  # Kaggle gives two of them
        "competition_sources": ["gan-getting-started"],
        "dataset_sources": [],
        "kernel_sources": [],
        "model_sources": [],
    }


def _code(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def _own_cell(cell, generator):
    if cell.cell_type == "code":
        text = Source("", cell.source).inlined()
        folded = "GENERATOR_AS_TEXT" in text
        return new_code_cell(text.replace("GENERATOR_AS_TEXT", packed(generator)), metadata=FOLDED if folded else {})
    return new_markdown_cell(absolute(cell.source))


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


def build_all(out, user=PLACEHOLDER, repo=REPO):
    """Write every notebook with its metadata under the folder `out`, each in a folder of its own.

    user: on Kaggle. repo: "owner/name" on GitHub, put wherever the course's own address stands.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise BuildError(f"--repo {repo!r}: not of the form owner/name. Take it from the repository's address.")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", user):
        raise BuildError(f"--user {user!r}: not a Kaggle user name. Take it from your profile's address.")
    sources = [*sorted((ROOT / "notebooks" / "src").glob("*.py")), ROOT / "tools" / "monet-submission.py"]
    # All of them, before anything is written.
    built = {source.stem: (standalone if source.stem.startswith("monet") else lesson)(source) for source in sources}
    for name, notebook in built.items():
        folder = Path(out) / name
        folder.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(notebook).replace(REPO, repo)
        (folder / f"{name}.ipynb").write_text(f"{text}\n")
        metadata = json.dumps(kernel_metadata(name, user), indent=2)
        (folder / "kernel-metadata.json").write_text(f"{metadata}\n")
    return list(built)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user", default=PLACEHOLDER, help="your Kaggle user name, for kernel-metadata.json")
    parser.add_argument(
        "--repo",
        default=REPO,
        help="owner/name of your copy on GitHub, for every link to it",
    )
    parser.add_argument("--out", default=ROOT / "kaggle", help="default: kaggle/ of the repository")
    arguments = parser.parse_args()
    try:
        names = build_all(arguments.out, arguments.user, arguments.repo)
        if arguments.repo != REPO:
            set_published(arguments.repo, tracked())
    except BuildError as error:
        sys.exit(f"build_kaggle: {error}")
    print(f"{arguments.out}: {', '.join(names)}")


if __name__ == "__main__":
    main()
