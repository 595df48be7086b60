"""A run's folder, and the callback that knows the run's step: all else in this package is built on these two."""

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
    contents,
    counted,
    made_folder,
    reading,
    recover_folders,
    say,
    unwritable,
    write_beside,
)
from monet_lib.model.cyclegan import losses_of
from monet_lib.model.weights import load_generator, save_generator
from monet_lib.paint.painting import fingerprint

# The settings that may change when a run resumes: they don't alter how a step is computed from the steps before.
FREE = ("profile", "epochs", "steps", "log_every", "checkpoint_every", "keep", "validate_every", "patience")
LOCK = ".lock"  # the file that a training holds
STEP = re.compile(r"step-(\d{8,})$")  # a checkpoint's folder; "step-00000500 (1)", a synced drive's copy, is none
NUMBER = re.compile(r"nan|[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")  # as the tables' fields are


class Run:
    """`config.json` (settings and data), `history.csv`, `checkpoints/`, `grids/`, `losses.png`, `generator.npz`.

    history: the rows of history.csv as lists of floats, once training has begun: step, seconds, the mean of each loss.
    """

    def __init__(self, folder: str | Path, config: Config, data: Mapping[str, Any]) -> None:
        self.folder, self.config, self.data = Path(folder), config, data
        self.history: list[list[float]] = []

    @classmethod
    def open(
        cls,
        folder: str | Path,
        config: Config,
        data: str | Path,
        pair: Mapping[str, tuple[list[str], Any]],
        format: str | None = None,
    ) -> "Run":
        """The run in `folder`, made if it isn't there. pair: as `load_pair` gives it.

        The settings in FREE may have changed. Raises UserError where the folder holds another run, or no run.
        """
        folder = Path(folder)
        described: dict[str, Any] = {"folder": str(Path(data).resolve()), "format": format}
        for name, (names, pixels) in pair.items():  # their order, too: a seed picks other batches from another list
            described[name] = {"count": len(names), "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest()}
            if pixels is not None:
                described[name]["pixels"] = hashlib.sha256(pixels).hexdigest()
        run = cls(folder, config, described)
        if (folder / "config.json").exists():
            run.check_continues(cls.load(folder))
            recover_folders(folder)
        elif folder.is_dir() and any(not f.name.startswith((TEMPORARY, LOCK, ".DS_Store")) for f in folder.iterdir()):
            raise UserError(f"{folder}: exists and is no run (no config.json in it). Choose another --out.")
        made_folder(folder)
        text = json.dumps({"config": config.settings(), "data": described}, indent=2) + "\n"
        write_beside(folder / "config.json", lambda file: file.write_text(text, encoding="utf-8"))
        return run

    def check_continues(self, before: "Run") -> None:
        """Raise UserError where this run doesn't begin with the steps that the run `before` in its folder has taken.

        Without a checkpoint there are none. Says how the learning rates change where the length of the run does.
        """
        # Scores by two feature networks can't be compared.
        free = FREE if (self.folder / "validation.csv").exists() else (*FREE, "features")
        found = [STEP.search(f.name) for f in (self.folder / "checkpoints").glob("*step-*")]
        trained = max((int(match[1]) for match in found if match), default=0)
        now, then = self.config.settings(), before.config.settings()
        changed = []
        for name, noun in (("monet", "painting"), ("photo", "photo")):
            old, new = before.data[name], self.data[name]
            if (old["count"], old["sha256"]) != (new["count"], new["sha256"]):
                changed.append(f"on {counted(old['count'], f'other {noun}')}")
            elif "pixels" in old and old["pixels"] != new.get("pixels"):  # versions up to 0.2.0 kept the names alone
                changed.append(f"on {noun}s of the same names with other pixels")
        changed += [f"with {k} {then[k]!r}, not {now[k]!r}" for k in now if k not in free and now[k] != then[k]]
        if now["steps"] < trained:
            changed.append(f"to step {trained}, not {now['steps']}")
        if changed and trained:
            raise UserError(
                f"{self.folder}: holds a run that was trained {', '.join(changed)}. Train as it was trained, or choose "
                "another --out."
            )
        if trained and now["steps"] != then["steps"] and not self.config.fit_schedule:
            say(f"{self.folder}: {now['steps']} steps, not {then['steps']}: the learning rates now fall from step "
                f"{round(self.config.decay_from * now['steps'])} on and reach zero at the last step")  # fmt: skip

    @classmethod
    def load(cls, folder: str | Path) -> "Run":
        """The run in `folder`. Raises UserError where there is none."""
        file = Path(folder) / "config.json"
        if not file.exists():
            raise UserError(f"{folder}: no run is there (no config.json). Train first: monet train --out {folder}.")
        with reading(file, "run's config", "Restore it or start a new run."):
            match json.loads(file.read_bytes().decode("utf-8-sig")):
                case {
                    "config": dict(settings),
                    "data": {"folder": str(), "monet": {"count": int(), "sha256": str()},
                             "photo": {"count": int(), "sha256": str()}} as data,
                }:  # fmt: skip
                    data = {"format": None} | data
                case _:
                    raise ValueError("its settings or its data are missing")
        try:
            return cls(folder, Config.from_saved(settings), data)
        except UserError as error:
            raise UserError(f"{file}: {error} Restore it, or use the version that wrote it.") from None

    # Its generator

    def generator(self) -> tuple[keras.Model, Config]:
        """(generator, Config) to paint with: of the best score by validation where there is one, else the last saved.

        The averaged generator where the run keeps one. Says which where it is the best.
        """
        best = self.folder / "checkpoints" / "best"
        if (best / "generator.npz").exists():
            with reading(best / "score.json", "score", "Remove checkpoints/best to paint with the last generator."):
                score = json.loads((best / "score.json").read_bytes())
                which = f"step {score['step']}, KID {score['score']:.5f}"
            found = load_generator(best / "generator.npz")
            which = f"best generator by validation ({which}), not the last one"
        else:
            if best.is_dir():
                say(f"note: {best}: of an earlier version, without a generator")
            found, which = self.last_generator(), "last generator"
        say(f"{self.folder}: painting with the {which}; weights {fingerprint(found[0])}")
        return found

    def last_generator(self) -> tuple[keras.Model, Config]:
        """(generator, Config) as last saved, whatever its score."""
        return load_generator(self.folder / "generator.npz")

    def save_generator(self, model: Any) -> None:
        save_generator(self.folder / "generator.npz", model.painter, self.config)

    # Its tables and pictures

    def begin_history(self, step: int) -> float:
        """Cut history.csv back to its rows up to `step`. Returns the seconds that it has counted."""
        fields = ["step", "seconds", *losses_of(self.config)]
        rows = self.table("history.csv", fields, step)
        self.write_table("history.csv", fields, rows)
        self.history = [[float(value) for value in row] for row in rows]
        return self.history[-1][1] if rows else 0.0

    def append_history(self, row: Sequence[str]) -> None:
        """Add one row to history.csv."""
        file = self.folder / "history.csv"
        try:
            with open(file, "a", newline="") as stream:
                csv.writer(stream).writerow(row)
        except OSError as error:
            raise UserError(f"{unwritable(file, error)} The same command resumes.") from None
        self.history.append([float(value) for value in row])

    def table(self, name: str, fields: Sequence[str], step: int) -> list[list[str]]:
        """The rows of a CSV table up to `step`, in the order of `fields`: a killed run may have written beyond.

        Columns are known by their names. One that is missing, as in tables of earlier versions, gets nan. What a
        spreadsheet made of a table is read where that can be; the file is kept beside where it holds more.
        """
        file = self.folder / name
        if not file.exists():
            return []
        with reading(file, "table", "Remove it: the run resumes without it."):
            text = contents(file).replace(b"\0", b"").decode("utf-8-sig", "replace")
            between = max(",;\t", key=text.partition("\n")[0].count)
            header, *read = csv.reader(text.splitlines(), delimiter=between) if text.strip() else [list(fields)]
        rows = []
        for row in read:
            cells = dict(zip(header, row, strict=False))
            values = [cells.get(name, "nan") if name in header else "nan" for name in fields]
            values = values if between == "," else [value.replace(",", ".") for value in values]
            if len(row) == len(header) and fields[0] in header and all(map(NUMBER.fullmatch, values)):
                rows.append(values)
        left_out = len(read) - len(rows)
        if left_out:
            say(f"note: {file}: {counted(left_out, 'line')} that can't be read, left out")
        if left_out > 1 or between != "," or set(header) - set(fields):  # one line may be half of what a kill cut off
            aside = next(f for k in range(1, 10**6) if not (f := file.with_name(f"{name}.old-{k}")).exists())
            write_beside(aside, lambda path: path.write_bytes(contents(file)))
            say(f"note: {file}: changed by another program; it is kept as {aside.name}")
            self.write_table(name, fields, rows)
        return [row for row in rows if float(row[0]) <= step]

    def write_table(self, name: str, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a whole CSV table with its header."""

        def write(path):
            with open(path, "w", newline="") as new:
                csv.writer(new).writerows([fields, *rows])

        write_beside(self.folder / name, write)

    def write_picture(self, name: str, data: bytes) -> None:
        """Write an encoded picture, the bytes of its file, to `name` within the run's folder."""
        target = self.folder / name
        made_folder(target.parent)
        write_beside(target, lambda path: path.write_bytes(data))


class StepCallback(keras.callbacks.Callback):
    """A callback that knows the run's step, counted from the beginning of the run and not of this process."""

    def __init__(self, run: Run, start: int) -> None:
        super().__init__()
        self.run, self.start, self.step = run, start, start

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step = self.start + batch + 1
        self.on_step(logs or {})

    def on_step(self, losses: Mapping[str, Any]) -> None:
        """Called after each step with its losses; the step is `self.step`."""
