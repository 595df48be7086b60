"""Instant checks for exercises: run an answer, say what is wrong, show its picture beside the right answer's."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monet_lib.figures import image_grid, show

RAMP = "A grey ramp: black at the left edge, white at the right edge, and no jump between"


class Wrong(AssertionError):
    """A wrong answer. The message is a hint: what was found, what was expected, where to look."""


@dataclass(frozen=True)
class Check:
    """One exercise's checker: `check(answer)` prints and returns whether the answer is right, and never raises.

    test: called with the answer; raises Wrong, with a hint, where it is not right.
    expected: makes the picture, uint8 or in [-1, 1], (h, w, 3), that the right answer makes; or None.
    drawn: makes the same picture of the learner's answer; where it can, both are shown side by side with the hint.
    alt: what is to be seen in the right picture.
    """

    title: str
    test: Callable
    expected: Callable | None = None
    alt: str = ""
    drawn: Callable | None = None

    def __call__(self, answer: Any) -> bool:
        hint = self.hint(answer)
        if hint is None:
            print(f"✓ {self.title}")
            return True
        print(f"✗ {self.title}: {hint}")
        if self.expected:
            self.show_pictures(answer)
        return False

    def show_pictures(self, answer: Any) -> None:
        """The picture of the answer, where it makes one of the right size, and that of the right answer."""
        right = self.expected()
        try:
            yours = None if self.drawn is None or answer in (None, ...) else np.asarray(self.drawn(answer))
        except Exception:  # an answer that is no picture yet
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
            self.test(answer)
        except Wrong as wrong:
            return str(wrong)
        except Exception as error:  # the learner's own code may raise anything
            line = traceback.extract_tb(error.__traceback__)[-1]
            return f"your code raised {type(error).__name__}: {error} (in {line.name}, line {line.lineno})."
        return None


def answer_of(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the learner's function returns; Wrong while it is still the stub."""
    found = function(*arguments)
    if found is ... or found is None:
        raise Wrong("nothing here yet: the function returns no answer. Replace its ... and run the cell again.")
    return found


def expect_shape(got: Any, shape: Sequence[int | None], what: str = "the result") -> None:
    """Raise Wrong unless `got` is an array of `shape`, in which None stands for any size."""
    found = tuple(getattr(got, "shape", ())) if hasattr(got, "shape") else None
    if found is None:
        raise Wrong(f"{what} is a {type(got).__name__}, not an array.")
    if len(found) != len(shape) or any(s not in (None, f) for s, f in zip(shape, found, strict=True)):
        wanted = " x ".join("any" if s is None else str(s) for s in shape)
        raise Wrong(f"{what} has shape {' x '.join(map(str, found))}, not {wanted}.")


def expect_close(got: Any, expected: Any, hint: str, tolerance: float = 1e-4) -> None:
    """Raise Wrong(hint) unless `got` equals `expected` within `tolerance`; the hint may use {got} and {expected}."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=tolerance, atol=tolerance):
        raise Wrong(hint.format(got=np.round(got, 4), expected=np.round(expected, 4)))


def ramp() -> np.ndarray:
    """A grey ramp that overshoots, float32 (64, 256, 3) from -1.1 to 1.1: what rounding and clipping are for."""
    return np.tile(np.linspace(-1.1, 1.1, 256, dtype=np.float32)[None, :, None], (64, 1, 3))
