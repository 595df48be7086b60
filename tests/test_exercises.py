"""Exercises of lessons 2 to 5: every solution passes its check, wrong answers are refused with the right hint."""

import ast
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from monet_lib.course.checks import Check

ROOT = Path(__file__).resolve().parents[1]
LESSONS = {
    "02_dcgan": "dcgan",
    "03_unet_cyclegan": "unet",
    "04_resnet_cyclegan": "resnet",
    "05_submission": "submission",
}


def exercises(name):
    """(check's name, the stub's cell, the solution's code) of a lesson, in order."""
    text = (ROOT / "notebooks" / "src" / f"{name}.py").read_text()
    for part in re.split(r"^# ### Exercise \d.*$", text, flags=re.M)[1:]:
        cell = re.search(r"^# %%\n(.*?)(?=^# %%|\Z)", part, re.M | re.S).group(1)
        check = re.search(r"lesson\.(check_\w+)\(", cell).group(1)
        solution = re.search(r"^# ```python\n(.*?)^# ```", part, re.M | re.S).group(1)
        yield check, cell, re.sub(r"^# ?", "", solution, flags=re.M)


ALL = [(name, *exercise) for name in LESSONS for exercise in exercises(name)]


@pytest.fixture
def space():
    """What an exercise's cell may use: names from the lesson's own imports and figures."""
    import tensorflow as tf

    return {"np": np, "tf": tf}


@pytest.mark.parametrize(("name", "check", "cell", "solution"), ALL, ids=[f"{n}-{c}" for n, c, _, _ in ALL])
def test_the_stub_is_told_to_begin_and_the_solution_passes(name, check, cell, solution, space, capsys):
    lesson = importlib.import_module(f"monet_lib.course.{LESSONS[name]}")
    space["lesson"] = lesson
    exec(cell, space)  # as the learner meets it: no error, a hint
    assert "nothing here yet" in capsys.readouterr().out
    # The stub's assignments and functions replaced by the solution's, the check's line kept.
    exec(solution, space)
    tree = ast.parse(cell)
    last = [node for node in tree.body if check in ast.unparse(node)]
    exec(compile(ast.Module(last, []), name, "exec"), space)
    assert "✓" in capsys.readouterr().out


def test_every_check_has_an_exercise():
    for name, module in LESSONS.items():
        lesson = importlib.import_module(f"monet_lib.course.{module}")
        checks = {key for key, value in vars(lesson).items() if isinstance(value, Check)}
        assert checks == {check for lesson_name, check, _, _ in ALL if lesson_name == name}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def naive_bce(x, label):
    with np.errstate(all="ignore"):
        p = sigmoid(np.float32(x))
        return -label * np.log(p) - (1 - label) * np.log(1 - p)


def l1(a, b):
    return np.abs(a - b).mean()


WRONG = [
    ("dcgan", "check_shapes", [8, 16, 32, 64, 128, 256], "begin with the 4"),
    ("dcgan", "check_bce", naive_bce, "logarithm infinite"),
    ("dcgan", "check_bce", lambda x, label: max(x, 0) + np.log1p(np.exp(-abs(x))), "label"),
    ("dcgan", "check_blind", (0.5, 1.386), "labels 1 and 0"),
    ("dcgan", "check_blind", (0.45, 0.688), "adds both sides"),
    ("dcgan", "check_diversity", lambda x: x.std(), "over images, not over pixels"),
    ("dcgan", "check_diversity", lambda x: x.var(0).mean(), "noise gives"),
    ("dcgan", "check_walk", lambda a, b, n: np.linspace(a, b, n, endpoint=False), "last one the end"),
    ("dcgan", "check_walk", lambda a, b, n: np.linspace(0, 1, n)[:, None] ** 2 * b, "not equal"),
    ("dcgan", "check_walk", lambda a, b, n: np.linspace(a, b, n + 1), "shape"),
    ("unet", "check_up_filters", [512, 512, 512, 512, 512, 256, 128, 64], "seven are left"),
    ("unet", "check_up_filters", [64, 128, 256, 512, 512, 512, 512], "beside the innermost"),
    ("unet", "check_skip", lambda a, b: a + b.sum(-1, keepdims=True), "a sum, as in a residual"),
    ("unet", "check_skip", lambda a, b: np.concatenate([a, 0 * b], -1), "not all there"),
    ("unet", "check_answers", (32, 16), "not 32"),
    ("unet", "check_answers", (30, 16), "not 16"),
    ("unet", "check_cycle", lambda m, p, paint, back: l1(back(paint(p)), p), "monet -> photo -> monet"),
    ("unet", "check_cycle", lambda m, p, paint, back: l1(paint(back(m)), m), "photo -> monet -> photo"),
    ("unet", "check_cycle", lambda m, p, paint, back: l1(paint(p), m), "add the mean absolute"),
    ("unet", "check_identity", lambda m, p, paint, back: l1(paint(m), p) + l1(back(p), m), "one-colour trap"),
    ("unet", "check_identity", lambda m, p, paint, back: l1(paint(m), m), "only one of the two"),
    ("resnet", "check_residual", lambda x, f: f(x), "F(x) alone"),
    ("resnet", "check_residual", lambda x, f: np.maximum(x + f(x), 0), "no ReLU after the sum"),
    ("resnet", "check_instance_norm", lambda x: (x - x.mean((0, 1, 2))) / x.std((0, 1, 2)), "batch norm"),
    ("resnet", "check_instance_norm", lambda x: x - x.mean((1, 2), keepdims=True), "contrast is still"),
    ("resnet", "check_instance_norm",
     lambda x: (x - x.mean((1, 2, 3), keepdims=True)) / x.std((1, 2, 3), keepdims=True), "layer norm"),
    ("resnet", "check_field", lambda layers: sum(k for k, _ in layers), "From the output on"),
    ("resnet", "check_rate", lambda step, start, constant, total: start, "at step 75"),
    ("resnet", "check_rate",
     lambda step, start, constant, total: start * min(1, (total - step) / (total - constant)), "negative"),
    ("resnet", "check_average", lambda a, w, d: (1 - d) * a + d * w, "decay 0.9"),
    ("submission", "check_levels", lambda x: ((x + 1) / 2).astype(np.uint8), "nearly black"),
    ("submission", "check_levels", lambda x: ((x + 1) * 127.5).astype(np.int64).astype(np.uint8), "clip"),
    ("submission", "check_levels",
     lambda x: np.clip((x + 1) * 127.5, 0, 255).astype(np.uint8), "round to the nearest"),
    ("submission", "check_levels", lambda x: np.clip(x, 0, 1), "takes? uint8|take uint8"),
    ("submission", "check_missing", 10000 - 2816, "7,000 at least"),
    ("submission", "check_frechet", lambda a, b, c, d: (a - c) ** 2 + abs(b**2 - d**2), "spreads 1 and 3"),
    ("submission", "check_mifid", lambda fid, d: fid, "0.05"),
    ("submission", "check_mifid", lambda fid, d: fid / (d if d <= 0.1 else 1), "distance 0.1"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "check", "answer", "hint"), WRONG)
def test_wrong_answers_are_refused_with_the_right_hint(module, check, answer, hint):
    found = getattr(importlib.import_module(f"monet_lib.course.{module}"), check).hint(answer)
    assert found
    assert re.search(hint if "|" in hint else re.escape(hint), found), found


def test_memorization_is_refused_the_other_way_round():
    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    check = importlib.import_module("monet_lib.course.submission").check_memorization
    table = lambda g, r: 1 - np.abs(unit(g) @ unit(r).T)  # noqa: E731
    assert "the other way round" in check.hint(lambda g, r: table(g, r).min(0).mean())
    assert "1 minus it" in check.hint(lambda g, r: 1 - table(g, r).min(1).mean())
    assert check.hint(lambda g, r: table(g, r).min(1).mean()) is None
