"""Whether a folder is a run's, told without the networks: a command that was given a wrong one says so at once."""

from pathlib import Path

from monet_lib.errors import UserError


def require_run(folder: str | Path) -> Path:
    """The run's config.json in `folder`, as a Path. Raises UserError where there is none."""
    file = Path(folder) / "config.json"
    if not file.exists():
        raise UserError(
            f"{folder}: no run is there (no config.json). Train first: monet train --out {folder}."
        )
    return file
