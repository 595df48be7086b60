"""Exercises of all lessons: every solution passes its check, wrong answers are refused with the right hint."""

import ast
import functools
import importlib
import re
import struct
from pathlib import Path

import jupytext
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from monet_lib.course import checks, eda
from monet_lib.course.checks import Check
from monet_lib.data import to_uint8
from monet_lib.model import losses

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {"eda": "01_eda", "dcgan": "02_dcgan", "unet": "03_unet_cyclegan", "resnet": "04_resnet_cyclegan",
           "submission": "05_submission"}  # fmt: skip
LESSONS = {name: importlib.import_module(f"monet_lib.course.{name}") for name in SOURCES}


def exercises(name):
    """(check's name, the stub's cell, the solution's code) of a lesson, in order."""
    text = (ROOT / "notebooks" / "src" / f"{SOURCES[name]}.py").read_text()
    for part in re.split(r"^# ### Exercise \d.*$", text, flags=re.M)[1:]:
        cell = re.search(r"^# %%\n(.*?)(?=^# %%|\Z)", part, re.M | re.S).group(1)
        check = re.search(r"lesson\.(check_\w+)\(", cell).group(1)
        solution = re.search(r"^# ```python\n(.*?)^# ```", part, re.M | re.S).group(1)
        yield check, cell, re.sub(r"^# ?", "", solution, flags=re.M)


ALL = [(name, *exercise) for name in SOURCES for exercise in exercises(name)]
# These stubs are code with something missing or wrong, not dots: what their check says of them as they are.
UNFINISHED = {"check_repaired": "3 of 3 bugs left", "check_step": "paint has not moved"}


@pytest.fixture
def space():
    """What an exercise's cell may use: names from the lesson's own imports and cells before it."""
    return {"np": np, "tf": tf, "keras": keras, "struct": struct, "bce": losses.bce, **step_losses()}


@functools.cache
def step_losses():
    """`generator_losses` and `discriminator_losses` as lesson 3 defines them."""
    cells = jupytext.read(ROOT / "notebooks" / "src" / "03_unet_cyclegan.py").cells
    cell = next(cell.source for cell in cells if "def discriminator_losses" in cell.source)
    exec(cell, names := {"ops": ops, "bce": losses.bce})
    return {name: names[name] for name in ("generator_losses", "discriminator_losses")}


@pytest.mark.parametrize(("name", "check", "cell", "solution"), ALL, ids=[f"{n}-{c}" for n, c, _, _ in ALL])
def test_the_stub_is_told_to_begin_and_the_solution_passes(name, check, cell, solution, space, capsys):
    space["lesson"] = LESSONS[name]
    exec(cell, space)  # as the learner meets it: no error, a hint
    assert UNFINISHED.get(check, "nothing here yet") in capsys.readouterr().out
    # The stub's assignments and functions replaced by the solution's, the check's call kept.
    exec(solution, space)
    calls = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)]
    (call,) = (node for node in calls if ast.unparse(node.func) == f"lesson.{check}")
    assert eval(compile(ast.Expression(call), name, "eval"), space) is True
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize("name", SOURCES)
def test_every_check_has_an_exercise_and_every_picture_an_alt_text(name):
    found = {key: value for key, value in vars(LESSONS[name]).items() if isinstance(value, Check)}
    assert set(found) == {check for lesson, check, _, _ in ALL if lesson == name}
    assert all(len(check.alt) >= 30 for check in found.values() if check.expected)


def test_in_every_lesson_a_hint_shows_the_picture_that_the_solution_makes(space):
    seen = set()
    for name, check_name, cell, solution in ALL:
        check, space["lesson"] = getattr(LESSONS[name], check_name), LESSONS[name]
        if check.drawn is None:
            continue
        exec(solution, space)
        answer = space[re.search(rf"lesson\.{check_name}\((\w+)\)", cell)[1]]
        pictures = [np.asarray(picture) for picture in (check.drawn(answer), check.expected())]
        yours, right = (x if x.dtype == np.uint8 else to_uint8(x) for x in pictures)
        assert yours.shape == right.shape
        assert np.abs(yours.astype(int) - right).max() <= 1, check.title
        seen.add(name)
    assert seen == set(SOURCES)


def test_a_picture_of_the_answer_stands_beside_the_right_one(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(checks, "show", lambda picture, alt: shown.append((picture, alt)))
    right = np.full((8, 8, 3), 200, np.uint8)

    @checks.exercise("a test", expected=lambda: right, drawn=lambda x: np.full((8, 8, 3), x, np.uint8), alt="bright")
    def check(answer):
        raise checks.Wrong("no")

    assert check(50) is False
    picture, alt = shown.pop()
    assert (picture[22:26, 2:6] == 50).all()
    assert (picture[22:26, 14:18] == 200).all()
    assert alt == "Left, your answer. Right: bright"
    check(...)  # no answer yet: the right picture alone
    np.testing.assert_array_equal(shown.pop()[0], right)
    check("no number")  # no picture
    np.testing.assert_array_equal(shown.pop()[0], right)


def naive_bce(x, label):
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-np.float32(x)))
        return -label * np.log(p) - (1 - label) * np.log(1 - p)


def l1(a, b):
    return np.abs(a - b).mean()


def similarity(a, b):
    return np.abs(np.einsum("ik,jk", *(x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))))


def broken_step(bugs):
    """The repaired step of lesson 2 with some of its bugs put back."""

    def step(generator, discriminator, optimizers, real, noise):
        real = (real + 1) / 2 if "range" in bugs else real
        with tf.GradientTape(persistent=True) as tape:
            fake = generator(noise, training=True)
            fake_logits, real_logits = discriminator(fake, training=True), discriminator(real, training=True)
            both = losses.bce(fake_logits, 0.0 if "target" in bugs else 1.0), losses.bce(real_logits, 0.9)
            both = both[0], both[1] + losses.bce(fake_logits, 0.0)
        sides = (generator,) if "update" in bugs else (generator, discriminator)
        for side, loss, optimizer in zip(sides, both, optimizers, strict=False):
            optimizer.apply(tape.gradient(loss, side.trainable_variables), side.trainable_variables)

    return step


def training_step(moves=4, cycle=10.0, judged=1.0):
    """Lesson 3's step that moves the first networks only, or weighs its losses otherwise."""

    def step(networks, optimizers, monet, photo):
        named = step_losses()
        with tf.GradientTape(persistent=True) as tape:
            parts, *fakes = named["generator_losses"](*networks, monet, photo)
            answers = named["discriminator_losses"](*networks[2:], monet, photo, *fakes)
            total = parts["monet_generator"] + parts["photo_generator"]
            total += cycle * parts["cycle"] + 5.0 * parts["identity"]
            both = judged * (answers["monet_discriminator"] + answers["photo_discriminator"])
        sums = (total, total, both, both)
        for loss, network, optimizer in list(zip(sums, networks, optimizers, strict=True))[:moves]:
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)

    return step


def feature(record, name):
    return tf.train.Example.FromString(record).features.feature[name].bytes_list.value[0]


def pixels_of(record):
    return tf.io.decode_jpeg(feature(record, "image"), channels=3).numpy()


def walked(compared):
    """A reader of shards that compares only some of the checksums; "padded": it goes on where bytes are missing."""

    def walk(raw):
        found, place = [], 0
        while place < len(raw):
            length, of_length = struct.unpack("<QI", raw[place : place + 12])
            data = raw[place + 12 : place + 12 + length]
            wrong = "length" in compared and eda.checksum(raw[place : place + 8]) != of_length
            if "data" in compared:
                after = raw[place + 12 + length : place + 16 + length]
                (of_data,) = struct.unpack("<I", after.ljust(4, b"\0") if "padded" in compared else after)
                wrong |= eda.checksum(data) != of_data
            if wrong:
                raise ValueError(place)
            found.append(data)
            place += 16 + length
        return found

    return walk


MEANT = dict(eda.MEANINGS)
WRONG = [
    ("eda", "record", lambda r: ..., "nothing here yet"),
    ("eda", "record", pixels_of, "return two things"),
    ("eda", "record", lambda r: (feature(r, "image_name"), pixels_of(r)), ".decode()"),
    ("eda", "record", lambda r: (feature(r, "target").decode(), pixels_of(r)), "image_name"),
    ("eda", "record", lambda r: ("ramp", feature(r, "image")), "a bytes, not an array"),
    ("eda", "record", lambda r: ("ramp", pixels_of(r)[..., :1]), "64 x 256 x 1"),
    ("eda", "record", lambda r: ("ramp", pixels_of(r) / 127.5 - 1), "0 to 255"),
    ("eda", "record", lambda r: feature(r, "nothing"), "raised IndexError"),
    ("eda", "reds", ..., "nothing here yet"),
    ("eda", "reds", (60, 0, 0), "shape 3"),
    ("eda", "reds", [(60, 0, 0), (300, 240, 240)], "outside 0..255"),
    ("eda", "reds", [(60, 0, 0), (240, 100, 100)], "60 and 140"),
    ("eda", "reds", [(5, 0, 0), (250, 245, 245)], "at least 20"),
    ("eda", "reds", [(240, 180, 180), (60, 0, 0)], "make the first darker"),
    ("eda", "meaning", dict.fromkeys(MEANT, (..., ...)), "nothing here yet"),
    ("eda", "meaning", {}, "give a pair"),
    ("eda", "meaning", MEANT | {"S0: darker": ("spread", -1)}, "doesn't measure"),
    ("eda", "meaning", MEANT | {"S0: darker": ("brightness", 1)}, "true or not"),
    ("eda", "meaning", MEANT | {"S3: more intense colours": ("saturation", 1)}, "darkness raises it"),
    ("eda", "back", lambda x: ..., "nothing here yet"),
    ("eda", "back", lambda x: x[..., 0], "shape 64 x 256"),
    ("eda", "back", lambda x: np.clip(np.rint((x + 1) * 127.5), 0, 255), "float32"),
    ("eda", "back", lambda x: np.rint((x + 1) * 127.5).astype(int).astype(np.uint8), "wraps around"),
    ("eda", "back", lambda x: np.clip((x + 1) * 127.5, 0, 255).astype(np.uint8), "63 of 256 levels"),
    ("eda", "back", lambda x: np.clip(np.rint((x + 1) * 128), 0, 255).astype(np.uint8), "don't come back"),
    ("eda", "walk", lambda raw: [eda.framed(b"first")], "give the data alone"),
    ("eda", "walk", lambda raw: [b"first"], "the shard holds 3"),
    ("eda", "walk", walked(()), "a bit of the second record's data flipped: you read on"),
    ("eda", "walk", walked(("length",)), "a bit of the second record's data flipped"),
    ("eda", "walk", walked(("data",)), "instead of ValueError. Check the length first"),
    ("eda", "walk", walked(("data", "padded")), "checksum of the second record's length flipped: you read on"),
    ("eda", "deal", (300, 23.46, 6738), "not 300.0 steps"),
    ("eda", "deal", (1759, 1, 6738), "not 1.0 times"),
    ("eda", "deal", (1759, 23.46, 0), "not 0.0 of 7,038"),
    ("dcgan", "shapes", [8, 16, 32, 64, 128, 256], "begin with the 4"),
    ("dcgan", "bce", naive_bce, "logarithm infinite"),
    ("dcgan", "bce", lambda x, label: max(x, 0) + np.log1p(np.exp(-abs(x))), "label"),
    ("dcgan", "blind", (0.5, 1.386), "labels 1 and 0"),
    ("dcgan", "blind", (0.45, 0.688), "the sum of both sides"),
    ("dcgan", "blind", (0.3, 1.376), "costs more than p = 0.45"),
    ("dcgan", "diversity", lambda x: x.std(), "over images, not over pixels"),
    ("dcgan", "diversity", lambda x: x.var(0).mean(), "noise gives"),
    ("dcgan", "diversity", lambda x: x.std(0).mean(), "as a root mean square"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a, b, n, endpoint=False), "last one the end"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(0, 1, n)[:, None] ** 2 * b, "not equal"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a, b, n + 1), "shape"),
    ("unet", "up_filters", [512, 512, 512, 512, 512, 256, 128, 64], "seven are left"),
    ("unet", "up_filters", [64, 128, 256, 512, 512, 512, 512], "beside the innermost"),
    ("unet", "skip", lambda a, b: a + b.sum(-1, keepdims=True), "a sum, as in a residual"),
    ("unet", "skip", lambda a, b: np.concatenate([a, 0 * b], -1), "not all there"),
    ("unet", "answers", (32, 16), "which is not 32"),
    ("unet", "answers", (30, 16), "which is not 16"),
    ("unet", "cycle", lambda m, p, paint, back: l1(back(paint(p)), p), "monet -> photo -> monet"),
    ("unet", "cycle", lambda m, p, paint, back: l1(paint(back(m)), m), "photo -> monet -> photo"),
    ("unet", "cycle", lambda m, p, paint, back: l1(paint(p), m), "add the mean absolute"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(m), p) + l1(back(p), m), "one-colour trap"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(m), m), "only one of the two"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(p), p) + l1(back(m), m), "that it should translate"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(m), m) / 2, "paint(monet) against monet"),
    ("resnet", "residual", lambda x, f: f(x), "F(x) alone"),
    ("resnet", "residual", lambda x, f: np.maximum(x + f(x), 0), "no ReLU after the sum"),
    ("resnet", "residual", lambda x, f: f(x + f(x)), "should give x + F(x)"),
    ("resnet", "instance_norm", lambda x: (x - x.mean((0, 1, 2))) / x.std((0, 1, 2)), "batch norm"),
    ("resnet", "instance_norm", lambda x: x - x.mean((1, 2), keepdims=True), "contrast is still"),
    ("resnet", "instance_norm",
     lambda x: (x - x.mean((1, 2, 3), keepdims=True)) / x.std((1, 2, 3), keepdims=True), "layer norm"),
    ("resnet", "instance_norm",
     lambda x: (x - x.mean((1, 2), keepdims=True)) / x.var((1, 2), keepdims=True), "mean 0 and deviation 1"),
    ("resnet", "field", lambda layers: sum(k for k, _ in layers), "From the output on"),
    ("resnet", "rate", lambda step, start, constant, total: start, "at step 75"),
    ("resnet", "rate",
     lambda step, start, constant, total: start * min(1, (total - step) / (total - constant)), "negative"),
    ("resnet", "average", lambda a, w, d: (1 - d) * a + d * w, "decay 0.9"),
    ("resnet", "average", lambda a, w, d: 0.9 * a + 0.1 * w, "decay 1 should leave"),
    ("submission", "levels", lambda x: ((x + 1) / 2).astype(np.uint8), "nearly black"),
    ("submission", "levels", lambda x: ((x + 1) * 127.5).astype(np.int64).astype(np.uint8), "clip"),
    ("submission", "levels",
     lambda x: np.clip((x + 1) * 127.5, 0, 255).astype(np.uint8), "round to the nearest"),
    ("submission", "levels", lambda x: np.clip(x, 0, 1), "encoders take uint8"),
    ("submission", "missing", 10000 - 2816, "7,000 at least"),
    ("submission", "frechet", lambda a, b, c, d: (a - c) ** 2 + abs(b**2 - d**2), "spreads 1 and 3"),
    ("submission", "frechet", lambda a, b, c, d: abs(a - c) + (b - d) ** 2, "means 0 and 3"),
    ("submission", "mifid", lambda fid, d: fid, "0.05"),
    ("submission", "mifid", lambda fid, d: fid / (d if d <= 0.1 else 1), "distance 0.1"),
    ("dcgan", "repaired", broken_step({"range"}), "1 of 3 bugs left. Look at this one: the discriminator must see"),
    ("dcgan", "repaired", broken_step({"target"}), "1 of 3 bugs left. Look at this one: the generator's step"),
    ("dcgan", "repaired", broken_step({"update"}), "1 of 3 bugs left. Look at this one: the discriminator's weights"),
    ("dcgan", "repaired", broken_step({"range", "target"}), "2 of 3"),
    ("unet", "step", training_step(moves=2), "the Monet discriminator has not moved"),
    ("unet", "step", training_step(cycle=1.0), "paint moved, but not down the slope of the sum"),
    ("unet", "step", training_step(judged=2.0), "not down the slope of the discriminators' losses"),
    ("resnet", "ablation", ({"a": {}, "b": {"norm": "none"}}, [0, 1]), "at least three runs"),
    ("resnet", "ablation", ({"a": {"norm": "none"}, "b": {"ema": 0.5}, "c": {"ema": 0.0}}, [0, 1]), "nothing to"),
    ("resnet", "ablation", ({"a": {}, "b": {"norm": "none", "ema": 0.0}, "c": {"ema": 0.0}}, [0, 1]), "at once"),
    ("resnet", "ablation", ({"a": {}, "b": {"size": 3}, "c": {"ema": 0.0}}, [0, 1]), "no setting named"),
    ("resnet", "ablation", ({"a": {}, "b": {"norm": "instance"}, "c": {"ema": 0.0}}, [0, 1]), "has anyway"),
    ("resnet", "ablation", ({"a": {}, "b": {"norm": "none"}, "c": {"ema": 0.0}}, [3, 3]), "one seed"),
    ("submission", "checkpoint", lambda rows: rows[rows[:, 1].argmin(), 0], "the earliest such step"),
    ("submission", "checkpoint", lambda rows: rows[-1, 0], "the curve rises again"),
    ("submission", "checkpoint", lambda rows: rows[0, 0], "far above"),
    ("submission", "checkpoint", lambda rows: 250, "no step of the curve"),
    ("submission", "checkpoint", lambda rows: 300, "take the earliest"),
    ("submission", "checkpoint", lambda rows: 200, "a curve that rises from the start"),
    ("submission", "memorization", lambda g, r: 1 - similarity(g, r).max(0).mean(), "the other way round"),
    ("submission", "memorization", lambda g, r: similarity(g, r).max(1).mean(), "1 minus it"),
    ("submission", "memorization", lambda g, r: 1 - similarity(g, r).mean(), "for each GENERATED image"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "check", "answer", "hint"), WRONG)
def test_wrong_answers_are_refused_with_the_right_hint(module, check, answer, hint):
    assert hint in (getattr(LESSONS[module], f"check_{check}").hint(answer) or "accepted")
