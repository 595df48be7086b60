"""Instant checks for exercises: run an answer, say what is wrong, show its picture beside the right one."""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from monet_lib.course.handed_in import keep as keep  # lessons take it from here
from monet_lib.course.handed_in import note_solved
from monet_lib.figures import image_grid, show

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
