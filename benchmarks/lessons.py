"""How long a lesson is, for a learner and for a machine, and the README's chapter table made of it.

    python benchmarks/lessons.py count                    print each lesson's words, cells, lines, figures and minutes,
                                                          and write the table; nothing is executed
    python benchmarks/lessons.py [PROFILE [LESSON ...]]   measure time and peak memory of these lessons (default: all)
                                                          with that profile (default: tiny), then write the table

The figures are kept in benchmarks/lessons.json. `make notebooks` measures too, but keeps no figures, because the table
must come from one machine.

A learner's minutes are counted from the built notebook by one rule, `minutes`. The rate of reading is that of the
workload estimator by Barre, Brown and Esarey (https://cat.wfu.edu/resources/workload/estimationdetails) for a text with
many new concepts, read to understand each sentence. A minute for each code cell and five for each exercise are
assumptions: a cell has at most 26 lines, which are read, run and compared with a prediction. Cells that the tests alone
need, and solutions, take none. Waiting counts in full: the time of the run with profile `laptop`.
"""

import json
import os
import re
import sys
import threading
import time
from pathlib import Path
from textwrap import fill

import jupytext
import nbformat
import psutil
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "benchmarks" / "lessons.json"
ABOUT = {
    "01_eda": ("EDA", "open TFRecords by hand, compare paintings and photos, test what others claimed about them"),
    "02_dcgan": ("DCGAN", "paint from noise, meet mode collapse and measure it"),
    "03_unet_cyclegan": ("U-Net CycleGAN", "build generator, PatchGAN, losses and training step piece by piece"),
    "04_resnet_cyclegan": ("ResNet CycleGAN", "the paper's model, and what keeps it alive: norms, pool, decay, EMA"),
    "05_submission": ("Submission", "paint every photo with your generator, write `images.zip`, know what scores say"),
}  # fmt: skip

WORDS_A_MINUTE, MINUTES_A_CELL, MINUTES_AN_EXERCISE = 130, 1, 5
RULE = (
    f"Your time is counted, not measured: {WORDS_A_MINUTE} words of text a minute, {MINUTES_A_CELL} minute a code "
    f"cell, {MINUTES_AN_EXERCISE} minutes an exercise, and the run in full (`python benchmarks/lessons.py count`)."
)


def counts(notebook):
    """How much a built notebook holds for a reader: a dict of numbers.

    words: of the text before the exercises; cells: all that are seen; lines: of code, without empty ones; figures:
    among the outputs. Beside them what `minutes` needs: reading, the words outside the exercises; code, the cells of
    code before them; exercises.
    """
    seen = [cell for cell in notebook.cells if "ci" not in cell.metadata.get("tags", [])]
    text = "\n".join(cell.source for cell in seen if cell.cell_type == "markdown")
    before, _, rest = text.partition("\n## Exercises")
    _, _, after = rest.partition("\n## Self-quiz")
    first = next((k for k, cell in enumerate(seen) if "## Exercises" in cell.source), len(seen))
    code = [cell for cell in seen if cell.cell_type == "code"]
    kinds = [kind for cell in code for output in cell.get("outputs", ()) for kind in output.get("data", ())]
    return {
        "words": words(before),
        "cells": len(seen),
        "lines": sum(bool(line.strip()) for cell in code for line in cell.source.splitlines()),
        "figures": sum(kind in ("image/png", "image/jpeg") for kind in kinds),
        "reading": words(before) + words(after),
        "code": sum(cell.cell_type == "code" for cell in seen[:first]),
        "exercises": len(re.findall(r"^### Exercise \d", text, re.M)),
    }


def words(text):
    """The words of a Markdown text, without the addresses of links and without tags."""
    return len(re.sub(r"\(http\S+\)|<[^>]+>", "", text).split())


def minutes(found, seconds):
    """A learner's minutes with a lesson: found, as `counts` gives it; seconds: of the run with profile `laptop`."""
    reading = found["reading"] / WORDS_A_MINUTE
    doing = MINUTES_A_CELL * found["code"] + MINUTES_AN_EXERCISE * found["exercises"]
    return reading + doing + seconds / 60


def execute(notebook, profile, data="../data/sample"):
    """Run a notebook on the images in `data` in a fresh kernel; returns (seconds, peak MB of the kernel)."""
    os.environ |= {"MONET_PROFILE": profile, "MONET_DATA": str(data)}  # kernels run in notebooks/
    peak, done, me = [0], threading.Event(), psutil.Process()

    def watch():
        while not done.wait(0.2):
            try:
                peak[0] = max(peak[0], sum(p.memory_info().rss for p in me.children(recursive=True)))
            except psutil.NoSuchProcess:
                continue

    watcher, began = threading.Thread(target=watch), time.perf_counter()
    watcher.start()
    try:
        resources = {"metadata": {"path": str(ROOT / "notebooks")}}
        NotebookClient(
            notebook, timeout=3600, kernel_name="python3", record_timing=False, resources=resources
        ).execute()
    finally:
        done.set()
        watcher.join()
    return time.perf_counter() - began, peak[0] / 1e6


def kept():
    """The measured figures: {lesson: {profile: [seconds, MB]}}."""
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}


def record(name, profile, seconds, megabytes):
    """Keep one lesson's figures."""
    figures = kept()
    figures.setdefault(name, {})[profile] = [round(seconds), round(megabytes, -1)]
    FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")


def write_table(found):
    """Write the README's table anew. found: {lesson: its counts}."""
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition("<!-- lessons -->\n")
    if not rest:
        raise SystemExit("README.md: no <!-- lessons --> mark. Put it back where the chapter table belongs.")
    _, _, after = rest.partition("<!-- /lessons -->")
    text = f"{table(kept(), found)}\n{fill(RULE, 120)}\n"
    readme.write_text(f"{before}<!-- lessons -->\n{text}<!-- /lessons -->{after}")


def table(figures, found):
    """The chapter table in Markdown: a learner's time and in it that of the run (`laptop`), memory, time of `tiny`."""
    head = "| lesson | what you do | your time, of which running | memory | run with `tiny` |"
    lines = [head, "|---|---|---|---|---|"]
    for name, (title, what) in ABOUT.items():
        laptop, tiny = (figures.get(name, {}).get(profile) for profile in ("laptop", "tiny"))
        seconds, megabytes = laptop or (0, 0)
        time_ = f"{5 * round(minutes(found[name], seconds) / 5)} min, {seconds / 60:.0f} min"
        memory = f"{megabytes / 1000:.1f} GB" if laptop else ""
        short = f"{tiny[0]} s" if tiny else ""
        lines.append(f"| [{name[:2]} {title}](notebooks/{name}.ipynb) | {what} | {time_} | {memory} | {short} |")
    return "\n".join(lines) + "\n"


def report(found, figures):
    """The printed table: what each lesson holds, and a learner's minutes."""
    columns = ("words", "cells", "lines", "figures", "exercises")
    lines = [f"{'lesson':22}{''.join(f'{column:>11}' for column in columns)}{'run, min':>11}{'learner':>11}"]
    for name, each in found.items():
        seconds = figures.get(name, {}).get("laptop", [0])[0]
        numbers = "".join(f"{each[column]:11,}" for column in columns)
        lines.append(f"{name:22}{numbers}{seconds / 60:11.1f}{minutes(each, seconds):11.0f}")
    return "\n".join(lines)


def main():
    profile, *lessons = sys.argv[1:] or ["tiny"]
    if profile != "count":
        for name in lessons or ABOUT:
            notebook = jupytext.read(ROOT / "notebooks" / "src" / f"{name}.py")
            notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
            seconds, megabytes = execute(notebook, profile)
            record(name, profile, seconds, megabytes)
            print(f"{name}, {profile}: {seconds:.0f} s, {megabytes:.0f} MB", flush=True)
    found = {name: counts(nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)) for name in ABOUT}
    write_table(found)
    print(report(found, kept()))


if __name__ == "__main__":
    main()
