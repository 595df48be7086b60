"""A run's folder: what it was made from, how its losses went, and its generator."""

import csv
import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path

from monet_lib.config import Config
from monet_lib.errors import UserError
from monet_lib.files import write_beside
from monet_lib.gan.losses import losses_of
from monet_lib.networks.weights import load_generator, save_generator


class Run:
    """`config.json` (settings and data), `history.csv`, `checkpoints/`, `grids/`, `losses.png`, `generator.npz`."""

    def __init__(self, folder, config, data):
        self.folder, self.config, self.data = Path(folder), config, data

    @classmethod
    def open(cls, folder, config, data, pair, format=None):
        """The run in `folder`, made if it isn't there. Raises UserError where it holds anything else than this run."""
        folder = Path(folder)
        described = {"folder": str(Path(data).resolve()), "format": format}
        described |= {name: _described(names) for name, (names, _) in pair.items()}
        run = cls(folder, config, described)
        if (folder / "config.json").exists():
            before = cls.load(folder)
            now, then = config.settings(), before.config.settings()
            changed = [f"{k} {then[k]!r}, not {now[k]!r}" for k in now if now[k] != then[k]]
            changed += [
                f"{k} with {before.data[k]['count']} other images"
                for k in pair
                if before.data[k] != described[k]
            ]
            if changed:
                raise UserError(f"{folder}: holds another run ({'; '.join(changed)}). Choose another --out.")
            return run
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder}: exists and is no run (no config.json in it). Choose another --out.")
        try:
            (folder / "grids").mkdir(parents=True)
        except OSError as error:
            raise UserError(f"{folder}: can't be made ({error.strerror}). Choose another --out.") from None
        text = json.dumps({"config": config.settings(), "data": described}, indent=2) + "\n"
        write_beside(folder / "config.json", lambda file: file.write_text(text))
        return run

    @classmethod
    def load(cls, folder):
        """The run in `folder`. Raises UserError where there is none."""
        file = Path(folder) / "config.json"
        try:
            values = json.loads(file.read_text())
            return cls(folder, Config().with_(**values["config"]), values["data"])
        except FileNotFoundError:
            raise UserError(
                f"{folder}: no run is there (no config.json). Train first: monet train --out {folder}."
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{file}: damaged ({error}). Restore it or start a new run.") from None

    def generator(self):
        """(generator, Config) as last saved: the averaged generator where the run keeps one."""
        return load_generator(self.folder / "generator.npz")

    def save_generator(self, model):
        save_generator(
            self.folder / "generator.npz", model.averaged_generator or model.monet_generator, self.config
        )

    def table(self, name, fields, step):
        """The rows of a CSV table up to `step`, its first column: a killed run may have written beyond."""
        file, rows = self.folder / name, []
        if file.exists():
            with open(file, newline="") as old:
                rows = [
                    row
                    for row in list(csv.reader(old))[1:]
                    if len(row) == len(fields) and int(row[0]) <= step
                ]
        return rows

    def write_table(self, name, fields, rows):
        """Write a whole CSV table with its heads."""

        def write(path):
            with open(path, "w", newline="") as new:
                csv.writer(new).writerows([fields, *rows])

        write_beside(self.folder / name, write)

    def history_from(self, step):
        """history.csv, cut back to rows up to `step` and opened to append to, and the seconds it has counted."""
        fields = ["step", "seconds", *losses_of(self.config)]
        rows = self.table("history.csv", fields, step)
        self.write_table("history.csv", fields, rows)
        seconds = float(rows[-1][1]) if rows else 0.0
        return open(self.folder / "history.csv", "a", newline=""), seconds

    def write_picture(self, name, data):
        """Write an encoded picture, the bytes of its file, to `name` within the run's folder."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_beside(target, lambda path: path.write_bytes(data))


def _described(names):
    # Which images, and in which order: the same seed picks other batches from another list.
    return {"count": len(names), "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest()}


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
