"""Go on from a run that an earlier session left behind: on Kaggle its output, attached as input, can't be written."""

import os
import shutil
import uuid
from pathlib import Path

from monet_lib.config import UserError


def find_run(root):
    """The folder of the run under `root` that was trained longest, as a Path; None where there is no run."""
    steps = {}
    for file in sorted(Path(root).rglob("config.json")):
        saved = [folder.name for folder in (file.parent / "checkpoints").glob("step-*")]
        if saved:
            steps[file.parent] = max(int(name.removeprefix("step-")) for name in saved)
    return max(steps, key=steps.get, default=None)


def copy_run(source, target):
    """Copy the run `source`, which may be read-only, to the new folder `target`, which can be written. Whole or not.

    Raises UserError where it can't be copied, or `target` is there.
    """
    source, target = Path(source), Path(target)
    if target.exists():
        raise UserError(
            f"{target}: exists already. Remove it or choose another place for the copy of {source}."
        )
    temporary = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}")
    try:
        for file in sorted(source.rglob("*")):
            if file.is_file():
                copy = temporary / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)  # the bytes without the permissions
        os.replace(temporary, target)
    except OSError as error:
        raise UserError(
            f"{target}: {source} can't be copied ({error.strerror or error}). Free space."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
