"""Runs' folders, recognized, found and copied without TensorFlow: a command given a wrong one says so at once."""

import re
from pathlib import Path

from monet_lib.errors import UserError
from monet_lib.files import copy_files, made_folder, write_folder_beside

STEP = re.compile(r"step-(\d{8,})")  # a checkpoint's folder; a synced drive's copy "… (1)" is none


def require_run(folder: str | Path) -> Path:
    """The run's config.json in `folder`, as a Path. Raises UserError where there is none."""
    file = Path(folder) / "config.json"
    if not file.exists():
        raise UserError(f"{folder}: no run is there (no config.json). Train first: monet train --out {folder}.")
    return file


def find_run(root: str | Path) -> Path | None:
    """The folder of the run under `root` that was trained longest, as a Path; None where there is no run."""
    steps = {}
    for file in sorted(Path(root).rglob("config.json")):
        saved = [STEP.fullmatch(folder.name) for folder in (file.parent / "checkpoints").glob("step-*")]
        if any(saved):
            steps[file.parent] = max(int(match[1]) for match in saved if match)
    return max(steps, key=steps.get, default=None)


def copy_run(source: str | Path, target: str | Path) -> None:
    """Copy the run `source`, which may be read-only, to the new folder `target`, which can be written. Whole or not.

    Raises UserError where it can't be copied, or `target` is there.
    """
    source, target = Path(source), Path(target)
    if target.exists():
        raise UserError(f"{target}: exists already. Remove it or choose another place for the copy of {source}.")
    made_folder(target.parent, "place")
    write_folder_beside(target, lambda folder: copy_files(source, folder))
