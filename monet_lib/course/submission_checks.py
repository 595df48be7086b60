"""Lesson 5's exercises: what is tested of an answer, and what each wrong one is told."""

import numpy as np

from monet_lib.course.checks import RAMP, Check, Wrong, answer_of, expect_close, ramp
from monet_lib.data.pixels import to_uint8
from monet_lib.painting.submission import LEAST
from monet_lib.scoring.metrics import memorization_distance


def _test_levels(answer):
    x = np.float32([-1.2, -1.0, 0.0, 0.999, 1.3]).reshape(1, 5, 1) * np.ones((2, 1, 3), np.float32)
    found = np.asarray(answer_of(answer, x))
    if found.dtype != np.uint8:
        raise Wrong(f"the result is {found.dtype}; JPEG encoders take uint8.")
    if found.max() <= 2:
        raise Wrong("nearly black: the values are still in 0 to 1 or −1 to 1 when they are cast.")
    if found[0, 0, 0] > 10 or found[0, 4, 0] < 250:
        raise Wrong("values beyond −1 and 1 wrap around: clip before the cast.")
    expect_close(found[0, :, 0], [0, 0, 128, 255, 255], "levels {got} instead of {expected}: round to the nearest.")


def _test_missing(answer):
    expect_close(answer, LEAST - 2816, "Kaggle takes 7,000 at least; 2,816 are there. Not {got} are missing.")


def _test_memorization(answer):
    rng = np.random.default_rng(0)
    generated, real = rng.normal(size=(6, 5)) + 0.5, rng.normal(size=(3, 5)) + 0.5
    found, right = float(answer_of(answer, generated, real)), memorization_distance(generated, real)
    other = memorization_distance(real, generated)
    if np.isclose(found, other):
        raise Wrong("that is the nearest generated image of each real one; Kaggle takes it the other way round.")
    if np.isclose(1 - found, right):
        raise Wrong("that is the similarity; the distance is 1 minus it.")
    expect_close(found, right, "{got} instead of {expected}: for each GENERATED image the nearest real one, averaged.")


def _test_mifid(answer):
    for fid, distance, wanted in ((60.0, 0.4, 60.0), (60.0, 0.05, 1200.0), (60.0, 0.1, 60.0)):
        expect_close(
            answer_of(answer, fid, distance),
            wanted,
            f"FID {fid}, distance {distance}: {{got}}, not {{expected}}.",
        )


def _test_frechet(answer):
    expect_close(answer_of(answer, 0.0, 1.0, 3.0, 1.0), 9.0, "means 0 and 3, spreads 1: {got}, not {expected}.")
    expect_close(answer(0.0, 1.0, 0.0, 3.0), 4.0, "spreads 1 and 3, equal means: {got}, not {expected}.")


CURVE = np.array([[100, 0.09, 0.01], [200, 0.052, 0.01], [300, 0.047, 0.008], [400, 0.045, 0.009], [500, 0.07, 0.01]])


def _test_checkpoint(answer):
    found = answer_of(answer, CURVE.copy())
    if found == 400:
        raise Wrong("400 has the lowest KID, but 200 is no worse than its spread: take the earliest such step.")
    if found == 100:
        raise Wrong("step 100 lies far above the lowest KID plus its spread of 0.009.")
    if found not in CURVE[:, 0]:
        raise Wrong(f"{found!r} is no step of the curve: return a value of the first column.")
    if found == 500:
        raise Wrong("the last step is not the best here: the curve rises again.")
    expect_close(found, 200, "{got}: steps 200, 300 and 400 are within the spread of the best; take the earliest.")
    rising = np.array([[10, 0.1, 0.01], [20, 0.2, 0.01]])
    expect_close(answer(rising), 10, "on a curve that rises from the start the first step is right, not {got}.")


levels = Check(
    "Exercise 1, back to levels", _test_levels, lambda: to_uint8(ramp()), RAMP, lambda answer: answer(ramp())
)
missing = Check("Exercise 2, too few photos", _test_missing)
frechet = Check("Exercise 3, FID of one feature", _test_frechet)
memorization = Check("Exercise 4, memorization", _test_memorization)
mifid = Check("Exercise 5, MiFID", _test_mifid)
checkpoint = Check("Exercise 6, a checkpoint", _test_checkpoint)
