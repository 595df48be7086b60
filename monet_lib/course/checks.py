"""Instant checks for exercises: run an answer, say what is wrong, show its picture beside the right one."""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
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

    In a notebook it also notes a right answer, for `collect`.

    test: called with the answer; raises Wrong, with a hint, if the answer is not right, or returns {hint: whether it
    applies to the answer}, of which the first that applies is given. expected: makes the picture, (h, w, 3), uint8 or
    in [-1, 1], that the right answer makes; or None. drawn: makes the same picture of the learner's answer; if it can,
    both are shown side by side with the hint. alt: what is to be seen in the right picture.
    """

    title: str
    test: Callable
    expected: Callable | None = None
    drawn: Callable | None = None
    alt: str = ""

    def __call__(self, answer: Any) -> bool:
        hint = self.hint(answer)
        if hint is None:
            print(f"✓ {self.title}")
            if in_notebook() and (lesson := LESSONS.get(self.test.__module__.rpartition(".")[2])):
                note_solved(lesson, self.title, answer)
            return True
        print(f"✗ {self.title}: {hint}")
        if self.expected:
            self.show_pictures(answer)
        return False

    def show_pictures(self, answer: Any) -> None:
        """Show the right answer's picture, and the learner's beside it if the answer makes one of the right size."""
        right = self.expected()
        try:
            yours = None if self.drawn is None or answer in (None, ...) else np.asarray(self.drawn(answer))
        except Exception:  # an answer that makes no picture yet
            yours = None
        if yours is None or yours.shape != right.shape:
            print("The right answer makes this picture:")
            show(right, self.alt)
        else:
            print("Your answer makes the left picture, the right answer the other one:")
            show(image_grid([[yours, right]], ["yours", "right"]), f"Left, your answer. Right: {self.alt}")

    def hint(self, answer: Any) -> str | None:
        """None if the answer is right, else the hint."""
        if answer is None or answer is ...:
            return "nothing here yet. Replace the ... and run the cell again."
        try:
            table = self.test(answer) or {}
            return next((hint for hint, applies in table.items() if applies), None)
        except Wrong as wrong:
            return str(wrong)
        except Exception as error:  # the learner's own code may raise anything
            line = traceback.extract_tb(error.__traceback__)[-1]
            return f"your code raised {type(error).__name__}: {error} (in {line.name}, line {line.lineno})."


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
    refuse_if(
        found is ... or found is None,
        "nothing here yet: the function returns no answer. Replace its ... and run the cell again.",
    )
    return found


def refuse_if(wrong: Any, hint: str) -> None:
    """Raise Wrong(hint) if `wrong` is true."""
    if wrong:
        raise Wrong(hint)


def refuse_known(found: Any, known: Mapping[str, Any], tolerance: float = 1e-3) -> None:
    """Raise Wrong with the first hint of {hint: wrong result} whose result is `found`, within a relative tolerance."""
    for hint, wrong in known.items():
        refuse_if(np.isclose(found, wrong, rtol=tolerance), hint)


def expect_shape(got: Any, shape: Sequence[int], what: str = "the result") -> None:
    """Raise Wrong unless `got` is an array of `shape`."""
    refuse_if(not hasattr(got, "shape"), f"{what} is a {type(got).__name__}, not an array.")
    found, wanted = (" x ".join(map(str, sizes)) for sizes in (got.shape, shape))
    refuse_if(found != wanted, f"{what} has shape {found}, not {wanted}.")


def expect_close(got: Any, expected: Any, hint: str, tolerance: float = 1e-4) -> None:
    """Raise Wrong(hint) unless `got` equals `expected` within `tolerance`; the hint may use {got} and {expected}."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=tolerance, atol=tolerance):
        raise Wrong(hint.format(got=np.round(got, 4), expected=np.round(expected, 4)))
