"""Runs' folders, recognized, found and copied without TensorFlow: a command given a wrong one says so at once.

A run's folder: what it was made from, how its losses went, and its generator."""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from monet_lib.config import Config
from monet_lib.files import (
    TEMPORARY,
    UserError,
    copy_files,
    counted,
    made_folder,
    reading,
    remove_leftovers,
    unwritable,
    write_beside,
    write_folder_beside,
)
from monet_lib.model.cyclegan import losses_of
from monet_lib.model.weights import load_generator, save_generator

# training.folders
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


# training.runs
NUMBER = re.compile(r"nan|[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")  # as the tables' fields are


class Run:
    """`config.json` (settings and data), `history.csv`, `checkpoints/`, `grids/`, `losses.png`, `generator.npz`."""

    def __init__(self, folder: str | Path, config: Config, data: Mapping[str, Any]) -> None:
        self.folder, self.config, self.data = Path(folder), config, data

    @classmethod
    def open(
        cls,
        folder: str | Path,
        config: Config,
        data: str | Path,
        pair: Mapping[str, tuple[list[str], Any]],
        format: str | None = None,
    ) -> "Run":
        """The run in `folder`, made if it isn't there. Raises UserError where it holds anything else than this run."""
        folder = Path(folder)
        described: dict[str, Any] = {"folder": str(Path(data).resolve()), "format": format}
        for name, (names, _) in pair.items():  # which, and in which order: a seed picks other batches from another list
            described[name] = {"count": len(names), "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest()}
        run = cls(folder, config, described)
        if (folder / "config.json").exists():
            before = cls.load(folder)
            now, then = config.settings(), before.config.settings()
            changed = [f"{k} {then[k]!r}, not {now[k]!r}" for k in now if now[k] != then[k]]
            changed += [
                f"{k} with {before.data[k]['count']} other images" for k in pair if before.data[k] != described[k]
            ]
            if changed:
                raise UserError(f"{folder}: holds another run ({'; '.join(changed)}). Choose another --out.")
            remove_leftovers(folder)
            return run
        if folder.is_dir() and any(not f.name.startswith((TEMPORARY, ".DS_Store")) for f in folder.iterdir()):
            raise UserError(f"{folder}: exists and is no run (no config.json in it). Choose another --out.")
        made_folder(folder)
        text = json.dumps({"config": config.settings(), "data": described}, indent=2) + "\n"
        write_beside(folder / "config.json", lambda file: file.write_text(text, encoding="utf-8"))
        return run

    @classmethod
    def load(cls, folder: str | Path) -> "Run":
        """The run in `folder`. Raises UserError where there is none."""
        file = require_run(folder)
        with reading(file, "run's config", "Restore it or start a new run."):
            values = json.loads(file.read_bytes().decode("utf-8-sig"))
            try:
                config = Config().with_(**values["config"])
            except UserError as error:
                raise UserError(f"{file}: {error} Restore it, or use the version that wrote it.") from None
            data = values["data"]
            for name in ("monet", "photo"):
                int(data[name]["count"]), str(data[name]["sha256"])
            return cls(folder, config, {"format": data.get("format"), **data, "folder": str(data["folder"])})

    def generator(self) -> tuple[keras.Model, Config]:
        """(generator, Config) to paint with: of the best score by validation where there is one, else the last saved.

        The averaged generator where the run keeps one. Says which where it is the best.
        """
        best = self.folder / "checkpoints" / "best"
        if (best / "generator.npz").exists():
            with reading(best / "score.json", "score", "Remove checkpoints/best to paint with the last generator."):
                score = json.loads((best / "score.json").read_text())
                which = f"step {int(score['step'])}, KID {float(score['score']):.5f}"
            print(f"{self.folder}: painting with the best generator by validation ({which}), not the last one")
            return load_generator(best / "generator.npz")
        if best.is_dir():
            print(f"note: {best}: of an earlier version, without a generator; painting with the last one")
        return self.last_generator()

    def last_generator(self) -> tuple[keras.Model, Config]:
        """(generator, Config) as last saved, however it scored."""
        return load_generator(self.folder / "generator.npz")

    def save_generator(self, model: Any) -> None:
        save_generator(self.folder / "generator.npz", model.averaged_generator or model.monet_generator, self.config)

    def table(self, name: str, fields: Sequence[str], step: int) -> list[list[str]]:
        """The rows of a CSV table up to `step`, its first column: a killed run may have written beyond.

        A table of an earlier version, in which the last of the fields are missing, gets nan there.
        """
        file = self.folder / name
        if not file.exists():
            return []
        with reading(file, "table", "Remove it: the run resumes without it."):
            text = file.read_bytes().replace(b"\0", b"").decode("utf-8", "replace")
            header, *read = csv.reader(text.splitlines()) if text.strip() else [list(fields)]
        missing = ["nan"] * (len(fields) - len(header))
        rows = [row + missing for row in read if len(row) == len(header) and all(map(NUMBER.fullmatch, row))]
        if len(rows) < len(read):
            print(f"note: {file}: {counted(len(read) - len(rows), 'line')} that can't be read, left out")
        return [row for row in rows if float(row[0]) <= step]

    def write_table(self, name: str, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a whole CSV table with its header."""

        def write(path):
            with open(path, "w", newline="") as new:
                csv.writer(new).writerows([fields, *rows])

        write_beside(self.folder / name, write)

    def begin_history(self, step: int) -> float:
        """Cut history.csv back to its rows up to `step`. Returns the seconds that it has counted."""
        fields = ["step", "seconds", *losses_of(self.config)]
        rows = self.table("history.csv", fields, step)
        self.write_table("history.csv", fields, rows)
        return float(rows[-1][1]) if rows else 0.0

    def append_history(self, row: Sequence[Any]) -> None:
        """Add one row to history.csv."""
        file = self.folder / "history.csv"
        try:
            with open(file, "a", newline="") as stream:
                csv.writer(stream).writerow(row)
        except OSError as error:
            raise UserError(f"{unwritable(file, error)} The same command resumes.") from None

    def write_picture(self, name: str, data: bytes) -> None:
        """Write an encoded picture, the bytes of its file, to `name` within the run's folder."""
        target = self.folder / name
        made_folder(target.parent)
        write_beside(target, lambda path: path.write_bytes(data))
