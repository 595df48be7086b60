"""Time and peak memory of every lesson, and the README's chapter table made of them.

    python benchmarks/lessons.py [PROFILE [LESSON ...]]     measure these lessons (default: all) with that profile
                                                            (default: tiny), then write the table

The figures are kept in benchmarks/lessons.json. `make notebooks` measures too, but keeps no figures, because the table
must come from one machine.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import jupytext
import psutil
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "benchmarks" / "lessons.json"
ABOUT = {
    "01_eda": ("EDA", "open TFRecords by hand, compare paintings and photos, test what others claimed about them"),
    "02_dcgan": ("DCGAN", "paint from noise, meet mode collapse and measure it"),
    "03_unet_cyclegan": ("U-Net CycleGAN", "build generator, PatchGAN, losses and training step piece by piece"),
    "04_resnet_cyclegan": ("ResNet CycleGAN", "the paper's model, and what keeps it alive: norms, pool, decay, EMA"),
    "05_submission": ("Submission", "repaint every photo, write and check `images.zip`, understand the score"),
}  # fmt: skip


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


def record(name, profile, seconds, megabytes):
    """Keep one lesson's figures and write the README's table anew."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures.setdefault(name, {})[profile] = [round(seconds), round(megabytes, -1)]
    FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition("<!-- lessons -->\n")
    if not rest:
        raise SystemExit("README.md: no <!-- lessons --> mark. Put it back where the chapter table belongs.")
    _, _, after = rest.partition("<!-- /lessons -->")
    readme.write_text(f"{before}<!-- lessons -->\n{table(figures)}<!-- /lessons -->{after}")


def table(figures):
    """The chapter table in Markdown: time and memory of profile `laptop`, time of `tiny`."""
    lines = ["| lesson | what you do | `laptop`: time, memory | `tiny`: time |", "|---|---|---|---|"]
    for name, (title, what) in ABOUT.items():
        laptop, tiny = (figures.get(name, {}).get(profile) for profile in ("laptop", "tiny"))
        long = f"{laptop[0] / 60:.1f} min, {laptop[1] / 1000:.1f} GB" if laptop else ""
        short = f"{tiny[0]} s" if tiny else ""
        lines.append(f"| [{name[:2]} {title}](notebooks/{name}.ipynb) | {what} | {long} | {short} |")
    return "\n".join(lines) + "\n"


def main():
    profile, *lessons = sys.argv[1:] or ["tiny"]
    for name in lessons or ABOUT:
        notebook = jupytext.read(ROOT / "notebooks" / "src" / f"{name}.py")
        notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        seconds, megabytes = execute(notebook, profile)
        record(name, profile, seconds, megabytes)
        print(f"{name}, {profile}: {seconds:.0f} s, {megabytes:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
