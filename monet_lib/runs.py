"""A run's folder: what it was made from, how its losses went, and its generator."""

import csv
import hashlib
import json
from pathlib import Path

from monet_lib.checkpoints import load_generator, save_generator, write_beside
from monet_lib.config import Config, UserError
from monet_lib.viz import encode

LOSSES = (
    "monet_generator",
    "photo_generator",
    "cycle",
    "identity",
    "monet_discriminator",
    "photo_discriminator",
)
FEATURE_LOSSES = ("feature_generator", "feature_discriminator")


def losses_of(config):
    """The names of the losses that training with this Config reports."""
    return LOSSES + (FEATURE_LOSSES if config.feature_discriminator else ())


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
        """The rows of a CSV table up to `step`, its first column: a killed run may have written beyond.

        A table of an earlier version, with some of the last fields missing, gets nan there.
        """
        file, rows = self.folder / name, []
        if file.exists():
            with open(file, newline="") as old:
                heads, *found = csv.reader(old)
                missing = ["nan"] * (len(fields) - len(heads))
                rows = [row + missing for row in found if len(row) == len(heads) and int(row[0]) <= step]
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

    def write_picture(self, name, picture):
        """Write a Figure as PNG or an image as JPEG to `name` within the run's folder."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        data, _ = encode(picture)
        write_beside(target, lambda path: path.write_bytes(data))


def _described(names):
    # Which images, and in which order: the same seed picks other batches from another list.
    return {"count": len(names), "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest()}
