"""Instant checks for exercises, and what a learner keeps of the lessons: the one page that a teacher reads.

A check runs an answer, says what is wrong, and shows its picture beside the right one. Lessons call `keep` with a
result, and checks note what was solved, in the folder `handed_in` beside the notebook: a JSON file for each entry, with
a PNG of the same name where it is a picture. `collect` makes one HTML file of them.
"""

import base64
import hashlib
import html
import inspect
import io
import json
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from monet_lib.data.reading import to_uint8
from monet_lib.files import UserError, made_folder, reading, write_beside

LESSONS = {"eda": 1, "dcgan": 2, "unet": 3, "resnet": 4, "submission": 5}  # {module of checks: its lesson's number}


class Wrong(AssertionError):
    """A wrong answer. The message is a hint: what was found, what was expected, where to look."""


@dataclass(frozen=True)
class Check:
    """The check of one exercise: `check(answer)` prints and returns whether the answer is right, and never raises.

    In a notebook it also notes a right answer, for `collect`. test: called with the answer; raises Wrong(hint), or
    returns {hint: whether it applies}, of which the first that applies is given. expected: makes the right answer's
    picture, (h, w, 3), uint8 or in [-1, 1]. drawn: makes that picture of the learner's answer. alt: what is to be seen
    in the right answer's picture.
    """

    title: str
    test: Callable
    expected: Callable | None = None
    drawn: Callable | None = None
    alt: str = ""

    def __call__(self, answer: Any) -> bool:
        hint = self.hint(answer)
        print(f"✗ {self.title}: {hint}" if hint else f"✓ {self.title}")
        if hint and self.expected:
            self.show_pictures(answer)
        elif not hint and in_notebook() and (lesson := LESSONS.get(self.test.__module__.rpartition(".")[2])):
            note_solved(lesson, self.title, answer)
        return not hint

    def show_pictures(self, answer: Any) -> None:
        """Show the right answer's picture, and the learner's beside it if the answer makes one of the right size."""
        from monet_lib.figures import image_grid, show  # here: `collect` needs no Matplotlib

        right, yours = self.expected(), None
        if self.drawn:
            with suppress(Exception):  # an answer that makes no picture yet
                yours = np.asarray(self.drawn(answer))
        if np.shape(yours) == right.shape:
            print("Your answer makes the left picture, the right answer the other one:")
            show(image_grid([[yours, right]], ["yours", "right"]), f"Left, your answer. Right: {self.alt}")
        else:
            print("The right answer makes this picture:")
            show(right, self.alt)

    def hint(self, answer: Any) -> str | None:
        """None if the answer is right, else the hint."""
        if answer is None or unfinished(answer):
            open_keys = [key for key, part in answer.items() if unfinished(part)] if isinstance(answer, dict) else []
            where = f" for {', '.join(open_keys)}" if open_keys else ""
            return f"nothing here yet{where}. {BEGIN}"
        try:
            table = self.test(answer) or {}
            return next((hint for hint, applies in table.items() if applies), None)
        except Wrong as wrong:
            return str(wrong)
        except Exception as error:  # the learner's own code may raise anything
            line = traceback.extract_tb(error.__traceback__)[-1]
            return f"your code raised {type(error).__name__}: {error} (in {line.name}, line {line.lineno})."


BEGIN = "Replace the ... and run the cell again."


def unfinished(answer: Any) -> bool:
    """Whether an answer, or a part of a tuple or dict, is still the stub's three dots."""
    parts = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, tuple) else ()
    return answer is ... or any(map(unfinished, parts))


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")


def exercise(title: str, **pictures: Any) -> Callable[[Callable], Check]:
    """A decorator that makes a Check of the function that tests an answer. pictures: expected, drawn and alt."""
    return lambda test: Check(title, test, **pictures)


def answer_of(function: Callable, *arguments: Any) -> Any:
    """What the learner's function returns. Raises Wrong while the function is still the stub."""
    found = function(*arguments)
    refuse_if(found is ... or found is None, f"nothing here yet: the function returns no answer. {BEGIN}")
    return found


def refuse_if(wrong: Any, hint: str) -> None:
    """Raise Wrong(hint) if `wrong` is true."""
    if wrong:
        raise Wrong(hint)


def close(found: Any, wrong: Mapping[str, Any], tolerance: float = 1e-4) -> dict[str, bool]:
    """What a check returns: {hint: whether `found` is close to its wrong result, or to one in a list of them}."""
    each = {hint: result if isinstance(result, list) else [result] for hint, result in wrong.items()}
    return {hint: any(np.allclose(found, x, tolerance, tolerance) for x in results) for hint, results in each.items()}


def expect_shape(got: Any, shape: Sequence[int], what: str = "the result", dtype: Any = None) -> None:
    """Raise Wrong unless `got` is an array of `shape`, and of `dtype` where one is given."""
    refuse_if(not hasattr(got, "shape"), f"{what} is a {type(got).__name__}, not an array.")
    found, wanted = (" x ".join(map(str, sizes)) for sizes in (got.shape, shape))
    refuse_if(found != wanted, f"{what} has shape {found}, not {wanted}.")
    refuse_if(dtype and got.dtype != dtype, f"{what} is {got.dtype}, not {np.dtype(dtype)}.")


# What is handed in

FOLDER = "handed_in"
LONGEST_ANSWER = 4000  # characters of an answer's code or value
STYLE = """:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
img { max-width: 100%; height: auto } pre { overflow-x: auto; white-space: pre-wrap }
table { border-collapse: collapse } th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
time { opacity: .7 }"""


def keep(lesson: int, title: str, value: float | str | NDArray | Sequence[Mapping[str, Any]]) -> None:
    """Keep a result of `lesson`; the same title again replaces it. Prints where it is.

    value: a number, a text, a picture (h, w, 3), uint8 or in [-1, 1], or a small table, a list of dicts. Raises
    UserError for anything else, and where the folder can't be written.
    """
    if isinstance(value, list | tuple) and value and all(isinstance(row, Mapping) for row in value):
        kind, value = "table", [dict(row) for row in value]
    else:
        kind = "text" if isinstance(value, str) else "number" if isinstance(value, Real) else "picture"
    picture = _png(value) if kind == "picture" else None
    file = _write(lesson, title, kind, None if picture else value, picture)
    print(f"kept for the end of the course: {file}")


def note_solved(lesson: int, title: str, answer: Any) -> None:
    """Note that an exercise was solved, with the answer's code or value. An error is printed, never raised."""
    try:
        code = inspect.getsource(answer)
    except Exception:  # no function, or a function without a file
        code = repr(answer)
    try:
        _write(lesson, title, "solved", code[:LONGEST_ANSWER], None)
    except UserError as error:
        print(f"note: {error}")


def collect(name: str, folder: str | Path = FOLDER, out: str | Path | None = None) -> Path:
    """Write one HTML file with all that was kept and solved, which any browser shows without a network.

    name: the learner's, in the page's title and, where `out` is None, in the file's name. Prints and returns the
    file's path. Raises UserError where nothing was kept, and for a file that can't be read or written.
    """
    folder = Path(folder)
    entries = sorted((_read(file) for file in folder.glob("*.json")), key=lambda e: (e["lesson"], e["time"]))
    if not entries:
        raise UserError(f"{folder}: nothing is kept there yet. Solve an exercise in the notebook beside it first.")
    target = Path(out) if out else Path(f"{FOLDER}_{_slug(name)}.html")
    made_folder(target.parent)
    page = _page(name, entries)
    write_beside(target, lambda file: file.write_text(page, encoding="utf-8"))
    solved = sum(entry["kind"] == "solved" for entry in entries)
    print(f"{target}: {solved} solved, {len(entries) - solved} kept. Hand in this one file.")
    return target


def _write(lesson, title, kind, value, picture):
    """Write an entry's files, the picture first: an entry that is there has its picture."""
    sign = hashlib.sha256(f"{kind == 'solved'} {title}".encode()).hexdigest()[:6]
    file = made_folder(FOLDER, "folder") / f"{lesson}-{_slug(title)}-{sign}.json"
    if picture:
        write_beside(file.with_suffix(".png"), lambda path: path.write_bytes(picture))
    entry = {"lesson": int(lesson), "title": title, "kind": kind, "value": value}
    entry["time"] = datetime.now().astimezone().isoformat(timespec="microseconds")
    text = json.dumps(entry, indent=2, default=lambda x: x.item() if hasattr(x, "item") else str(x))
    write_beside(file, lambda path: path.write_text(text, encoding="utf-8"))
    return file


def _slug(text):
    return re.sub(r"\W+", "-", text.lower()).strip("-_")[:40] or "unnamed"


def _png(value):
    """The bytes of a picture's PNG. Raises UserError where `value` is no picture."""
    pixels = np.asarray(value)
    if pixels.ndim != 3 or pixels.shape[2:] != (3,) or pixels.dtype.kind not in "iuf" or not pixels.size:
        raise UserError(f"keep: a {type(value).__name__} of shape {pixels.shape}. Give a number, a text, a picture "
                        "(height, width, 3) or a list of dicts.")  # fmt: skip
    if pixels.dtype != np.uint8:
        if not np.abs(pixels).max() <= 1.001:  # NaN is refused too
            raise UserError("keep: a picture whose values are not uint8 and leave [-1, 1]. Scale it first.")
        pixels = to_uint8(pixels)
    Image.fromarray(pixels).save(buffer := io.BytesIO(), "PNG")
    return buffer.getvalue()


def _read(file):
    """An entry, with the bytes of its picture where it has one."""
    with reading(file, "kept result", "Remove it, and run its exercise again."):
        match entry := json.loads(file.read_text(encoding="utf-8")):
            case {"lesson": int(), "title": str(), "kind": str(kind), "time": str(), "value": _}:
                picture = file.with_suffix(".png").read_bytes() if kind == "picture" else None
                return entry | {"picture": picture}
        raise ValueError("a part is missing")


def _page(name, entries):
    """The page of entries in the order of their lessons."""
    name, parts = html.escape(name), []
    for lesson, group in groupby(entries, lambda entry: entry["lesson"]):
        of = sorted(group, key=lambda entry: entry["kind"] != "solved")
        parts.append(f"<h2>Lesson {lesson}</h2>\n<p>{sum(e['kind'] == 'solved' for e in of)} solved</p>\n")
        for entry in of:
            title, shown = f"{html.escape(entry['title'])} {_when(entry)}", _shown(entry)
            solved = f"<details><summary>✓ {title}</summary>{shown}</details>\n"
            parts.append(solved if entry["kind"] == "solved" else f"<h3>{title}</h3>\n{shown}\n")
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{name}: monet-lab</title>
<style>{STYLE}</style>
<h1>{name}</h1>
<p>The course monet-lab, up to {_when(max(entries, key=lambda entry: entry["time"]))}</p>
{"".join(parts)}</html>
"""


def _when(entry):
    time = html.escape(entry["time"])
    return f'<time datetime="{time}">{time[:16].replace("T", " ")}</time>'


def _shown(entry):
    """The value of an entry in HTML."""
    value, text = entry["value"], lambda x: html.escape(f"{x:.5g}" if isinstance(x, float) else str(x))
    if entry["kind"] == "picture":
        data = base64.b64encode(entry["picture"]).decode()
        return f'<img alt="{html.escape(entry["title"])}" src="data:image/png;base64,{data}">'
    if entry["kind"] != "table":
        return f"<pre>{html.escape(str(value))}</pre>"
    names = list(dict.fromkeys(name for row in value for name in row))
    rows = ["".join(f"<td>{text(row.get(name, ''))}</td>" for name in names) for row in value]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    return f"<table>\n<tr>{head}</tr>\n{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
