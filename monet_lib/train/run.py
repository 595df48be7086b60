"""A run's folder with its checkpoints, and the callback that knows the run's step.

Checkpoints survive a kill: written beside and renamed, several kept, damaged ones passed over.
"""

import contextlib
import csv
import errno
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from monet_lib.config import Config
from monet_lib.files import (
    TEMPORARY,
    UserError,
    contents,
    counted,
    made_folder,
    read_table,
    reading,
    recover_folders,
    say,
    sha256_of,
    unwritable,
    write_beside,
    write_folder_beside,
)
from monet_lib.model.cyclegan import CycleGAN, build, losses_of
from monet_lib.model.weights import load_generator, load_networks, save_generator
from monet_lib.paint.painting import fingerprint

# The settings that may change when a run resumes: they don't alter how a step is computed from the steps before.
FREE = ("profile", "epochs", "steps", "log_every", "checkpoint_every", "keep", "validate_every", "patience")
LOCK = ".lock"  # the file that a training holds
STEP = re.compile(r"step-(\d{8,})$")  # a checkpoint's folder; "step-00000500 (1)", a synced drive's copy, is none
NUMBER = re.compile(r"nan|[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")  # as the tables' fields are
SUMS = "sha256.json"  # beside the state: the hash that each of its files must have
RESTORE = "Restore it from a copy, or remove this folder to resume from the one before."


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
            match json.loads(contents(file).decode("utf-8-sig")):
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
                score = json.loads(contents(best / "score.json"))
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

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of history.csv."""
        return ("step", "seconds", *losses_of(self.config))

    def begin_history(self, step: int) -> float:
        """Cut history.csv back to its rows up to `step`. Returns the seconds that it has counted."""
        rows = self.table("history.csv", self.fields, step)
        self.write_table("history.csv", self.fields, rows)
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

    def columns(self) -> dict[str, np.ndarray]:
        """The history so far as {column: float array}; {} before its first row."""
        return dict(zip(self.fields, np.transpose(self.history), strict=True)) if self.history else {}

    def table(self, name: str, fields: Sequence[str], step: int) -> list[list[str]]:
        """The rows of a CSV table up to `step`, in the order of `fields`: a killed run may have written beyond.

        Columns are known by their names. One that is missing, as in tables of earlier versions, gets nan. What a
        spreadsheet made of a table is read where that can be; the file is kept beside where it holds more.
        """
        file = self.folder / name
        if not file.exists():
            return []
        with reading(file, "table", "Remove it: the run resumes without it."):
            header, read, between = read_table(file)
        rows = []
        for row in read:
            cells = dict(zip(header, row, strict=False))
            values = [cells.get(name, "nan") if name in header else "nan" for name in fields]
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


class Saver(StepCallback):
    """Saves a checkpoint and the generator every `checkpoint_every` steps and at the end."""

    def __init__(self, run: Run, checkpoints: "Checkpoints", start: int) -> None:
        super().__init__(run, start)
        self.checkpoints, self.saved = checkpoints, start

    def on_step(self, losses: Mapping[str, Any]) -> None:
        if self.step % self.run.config.checkpoint_every == 0:
            self.save()

    def on_train_end(self, logs: Any = None) -> None:
        self.save()

    def save(self) -> None:
        """Save the model. The step is the model's own: Ctrl-C may have come between a step and its callbacks."""
        self.step = int(self.model.step)
        if self.saved == self.step:
            return
        for variable in self.model.trainable_variables:
            if not np.isfinite(variable.numpy()).all():
                raise UserError(
                    f"{self.run.folder}: step {self.step}, weights {variable.path} are not finite, and not saved; "
                    "the last checkpoint is from before. Lower the learning rate."
                )
        self.run.save_generator(self.model)
        self.checkpoints.save(self.step)
        self.saved = self.step


class Checkpoints:
    """The training state under a folder: `step-00000500/` and so on, and `best/`.

    The state is every variable of the model (both generators, their average, both discriminators, image pools,
    dropout's random state) and of both optimizers (moments, step count): all that a later step depends on, since data
    order and random draws are functions of the step.
    """

    def __init__(self, folder: str | Path, model: keras.Model, keep: int = 3) -> None:
        self.folder, self.model, self.keep = Path(folder), model, keep
        self.folder.mkdir(parents=True, exist_ok=True)
        recover_folders(self.folder)
        best, old = self.folder / "best", self.folder / "best.old"
        if old.is_dir() and not best.exists():  # left by a killed run of version 0.2.0 or before
            old.rename(best)
        optimizers = (model.generator_optimizer, model.discriminator_optimizer)
        variables = {id(v.value): v.value for part in (model, *optimizers) for v in part.variables}
        self.state = tf.train.Checkpoint(variables=list(variables.values()))

    def saved(self) -> list[Path]:
        """The complete checkpoints, oldest first."""
        return sorted(f for f in self.folder.iterdir() if STEP.match(f.name) and f.is_dir())

    def save(self, step: int) -> Path:
        """Write the state of `step` and drop the oldest beyond `keep`. Raises UserError where it can't be written."""
        target = self.folder / f"step-{step:08d}"

        def write(folder):
            try:
                with plainly_named(folder) if os.name == "posix" else contextlib.nullcontext(folder) as plain:
                    self.state.write(str(plain / "state"))
            except tf.errors.OpError as error:
                raise os_error(error) from None
            sums = {file.name: sha256_of(file) for file in sorted(folder.iterdir())}
            (folder / SUMS).write_text(json.dumps(sums, indent=1))

        write_folder_beside(target, write)
        for old in self.saved()[: -self.keep]:
            shutil.rmtree(old)
        return target

    def save_best(self, step: int, score: float) -> None:
        """Keep the state of `step`, saved before, as `best/` with its score and, in a run, its generator.npz."""
        generator = self.folder.parent / "generator.npz"

        def copy(folder):
            shutil.copytree(self.folder / f"step-{step:08d}", folder, dirs_exist_ok=True)
            if generator.exists():
                shutil.copyfile(generator, folder / generator.name)
            (folder / "score.json").write_text(json.dumps({"step": step, "score": score}))

        write_folder_beside(self.folder / "best", copy)

    def restore(self) -> int:
        """Load the newest whole checkpoint and return its step, 0 if there is none. Says which it passed over.

        Only a checkpoint that its checksums prove damaged is passed over, and set aside once a whole one has been
        loaded. Raises UserError where none is whole, and where TensorFlow can't read one that is.
        """
        damaged = {}
        for folder in reversed(self.saved()):
            if found := damage(folder):
                damaged[folder] = found
                continue
            self.load(folder)
            for each, found in damaged.items():
                say(f"{each}: damaged ({found}); using the one before it. You may delete this folder.")
                aside = each.with_name(f"damaged-{each.name}")
                shutil.rmtree(aside, ignore_errors=True)
                each.rename(aside)
            return int(folder.name.removeprefix("step-"))
        if damaged or any(self.folder.glob("damaged-*")):
            found = "; ".join(f"{folder.name}: {found}" for folder, found in damaged.items())
            raise UserError(
                f"{self.folder}: no whole checkpoint is left ({found}). Restore one from a copy, or start again with "
                "another --out."
            )
        return 0

    def load(self, folder: Path) -> None:
        """Load one checkpoint. Raises UserError where TensorFlow can't."""
        with reading(folder, "checkpoint of this run", RESTORE), plainly_named(folder) as plain:
            self.state.read(str(plain / "state")).assert_consumed()


def restored(run: Run) -> tuple[CycleGAN, Saver]:
    """(model, Saver) of a run: from its newest checkpoint, or from its config where it has none."""
    model = build(run.config, run.config.steps)
    checkpoints = Checkpoints(run.folder / "checkpoints", model, run.config.keep)
    start = checkpoints.restore()
    if run.config.start_from and not start:
        load_networks(run.config.start_from, model)
    saver = Saver(run, checkpoints, start)
    saver.set_model(model)
    return model, saver


def damage(folder: Path) -> str | None:
    """What proves a checkpoint damaged, or None: a file that is missing or has another hash than its own."""
    if not any(folder.iterdir()):
        return "no files in it"
    if not (folder / SUMS).exists():
        return None  # of version 0.1.0, without hashes
    try:
        sums = json.loads(contents(folder / SUMS))
    except ValueError:
        sums = None
    if not isinstance(sums, dict) or "state.index" not in sums:
        return f"{SUMS} is damaged"
    for name in (name for name in sums if Path(name).name == name):
        if not (folder / name).is_file():
            return f"{name} is missing"
        if sha256_of(folder / name) != sums[name]:
            return f"the checksum of {name} is wrong"
    return None


def os_error(error: tf.errors.OpError) -> OSError:
    """TensorFlow's error of a file as an OSError: with its number where the message ends in the system's words."""
    known = [number for number in errno.errorcode if os.strerror(number) in error.message]
    number = max(known, key=lambda number: len(os.strerror(number)), default=None)
    return OSError(error.message) if number is None else OSError(number, os.strerror(number))


@contextlib.contextmanager
def plainly_named(folder: Path) -> Iterator[Path]:
    """`folder`, or a link to it under a plain name, or where there are no links a copy.

    TensorFlow takes * ? [ ] in a path for a pattern, and knows only UTF-8.
    """
    if glob.escape(str(folder)) == str(folder) and str(folder).isprintable():
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        plain = Path(place) / "checkpoint"
        try:
            plain.symlink_to(folder.resolve(), target_is_directory=True)
        except OSError:
            shutil.copytree(folder, plain)
        yield plain
