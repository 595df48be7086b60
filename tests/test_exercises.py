"""Exercises of all lessons: every solution passes its check, wrong answers are refused with the right hint."""

import ast
import functools
import importlib
import io
import re
import struct
import zipfile
from types import SimpleNamespace

import jupytext
import keras
import numpy as np
import pytest
import tensorflow as tf
from inputs import ROOT
from keras import ops
from PIL import Image

from monet_lib.course import checks, eda, resnet, submission
from monet_lib.course.checks import Check
from monet_lib.data import to_uint8
from monet_lib.model import losses
from monet_lib.paint import paint_broadly

rng = np.random.default_rng(0)
SOURCES = {"eda": "01_eda", "dcgan": "02_dcgan", "unet": "03_unet_cyclegan", "resnet": "04_resnet_cyclegan",
           "submission": "05_submission"}  # fmt: skip
LESSONS = {name: importlib.import_module(f"monet_lib.course.{name}") for name in SOURCES}


def exercises(name):
    """(check's name, the stub's cell, the solution's code) of a lesson, in order."""
    sources = [SOURCES[name], *(["appendix_tfrecord"] if name == "eda" else [])]
    text = "".join((ROOT / "notebooks" / "src" / f"{source}.py").read_text() for source in sources)
    for part in re.split(r"^# ### Exercise \d.*$", text, flags=re.M)[1:]:
        cell = re.search(r"^# %%\n(.*?)(?=^# %%|\Z)", part, re.M | re.S).group(1)
        check = re.search(r"lesson\.(check_\w+)\(", cell).group(1)
        solution = re.search(r"^# ```python\n(.*?)^# ```", part, re.M | re.S).group(1)
        yield check, cell, re.sub(r"^# ?", "", solution, flags=re.M)


ALL = [(name, *exercise) for name in SOURCES for exercise in exercises(name)]
# These stubs are code with something missing or wrong, not dots: what their check says of them as they are.
UNFINISHED = {"check_block": "3 of 3 bugs left",
              "check_chain": "3 faults", "check_zipped": "the pictures are black",
              "check_repaired": "3 of 3 bugs left",
              "check_step": "no network has moved"}  # fmt: skip


# What the cells of lesson 5 use.
PAINTING = {"io": io, "zipfile": zipfile, "Image": Image, "paint_broadly": paint_broadly,
            "generator": lambda x: x // 2 + 60}  # fmt: skip


@pytest.fixture
def space():
    """What an exercise's cell may use: names from the lesson's own imports and cells before it."""
    photos, monets = held_out()
    painter = SimpleNamespace(predict=lambda *_, **__: np.pad(painted_by_the_course(), AROUND) / 127.5 - 1)
    stands_in = {"held": {"photo": photos, "monet": monets}, "own": SimpleNamespace(steps=1), "keep": lambda *_: None,
                 "my_generator": lambda *_: None, "dcgan_discriminator": lambda *_, **__: None,
                 "sizes": SimpleNamespace(own=1, batch=1), "kid_of": lambda _: SimpleNamespace(kid=0.1),
                 "train": lambda *_, **__: (PatchMaker(), None),
                 "four": lambda config, change: [painter] * 4, "trained": lambda *_, **weights: None}  # fmt: skip
    modules = {"np": np, "tf": tf, "keras": keras, "struct": struct}
    return {**modules, "bce": losses.bce, **step_losses(), **stands_in, **PAINTING}


class PatchMaker:
    """In the place of a DCGAN that lesson 2 trained."""

    generator_optimizer = SimpleNamespace(finalize_variable_values=lambda _: None)
    generator = SimpleNamespace(trainable_variables=[])

    def noise(self, count, step):
        return np.zeros((count, 64))

    def __call__(self, noise, training=False):
        return SimpleNamespace(numpy=lambda: GOOD)


@functools.cache
def step_losses():
    """`generator_losses` and `discriminator_losses` as lesson 3 defines them."""
    cells = jupytext.read(ROOT / "notebooks" / "src" / "03_unet_cyclegan.py").cells
    cell = next(cell.source for cell in cells if "def discriminator_losses" in cell.source)
    exec(cell, names := {"ops": ops, "least_squares": losses.least_squares})
    return {name: names[name] for name in ("generator_losses", "discriminator_losses")}


@pytest.mark.parametrize(("name", "check", "cell", "solution"), ALL, ids=[f"{n}-{c}" for n, c, _, _ in ALL])
def test_the_stub_is_told_to_begin_and_the_solution_passes(name, check, cell, solution, space, capsys):
    """Where a hint draws the answer, the drawing of the solution is the picture that is shown as the right one."""
    space["lesson"] = LESSONS[name]
    exec(cell, space)  # as the learner meets it: no error, a hint
    assert UNFINISHED.get(check, "nothing here yet") in capsys.readouterr().out
    # The stub's assignments and functions replaced by the solution's, the check's call kept.
    exec(solution, space)
    calls = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)]
    (call,) = (node for node in calls if ast.unparse(node.func) == f"lesson.{check}")
    assert eval(compile(ast.Expression(call), name, "eval"), space) is True
    assert "✓" in capsys.readouterr().out
    if draw := getattr(LESSONS[name], check).drawn:
        answer = eval(compile(ast.Expression(call.args[0]), name, "eval"), space)
        pictures = (np.asarray(x) for x in (draw(answer), getattr(LESSONS[name], check).expected()))
        yours, right = (x.astype(int) if x.dtype == np.uint8 else to_uint8(x).astype(int) for x in pictures)
        assert yours.shape == right.shape
        assert np.abs(yours - right).max() <= 1


@pytest.mark.parametrize("name", SOURCES)
def test_every_check_has_an_exercise_some_draw_and_every_picture_has_an_alt_text(name):
    found = {key: value for key, value in vars(LESSONS[name]).items() if isinstance(value, Check)}
    assert set(found) == {check for lesson, check, _, _ in ALL if lesson == name}
    assert all(len(check.alt) >= 30 for check in found.values() if check.expected)
    assert any(check.drawn for check in found.values())


def test_a_picture_of_the_answer_stands_beside_the_right_one(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("monet_lib.figures.show", lambda picture, alt: shown.append((picture, alt)))
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


class But(tuple):
    """As an answer: the solution with pieces of its text replaced, (old, new), ..."""


def but(*replaced):
    return But(replaced)


def changed(module, check, replaced):
    """The function of an exercise's solution with pieces of its text replaced."""
    (code,) = (code for name, found, _, code in ALL if (name, found) == (module, f"check_{check}"))
    for old, new in replaced:
        assert old in code, old
        code = code.replace(old, new)
    names = {"np": np, "tf": tf, "struct": struct, "bce": losses.bce, "lesson": LESSONS[module]}
    names |= PAINTING | step_losses()
    exec(code, names)
    return names[re.search(r"def (\w+)", code)[1]]


def l1(a, b):
    return np.abs(a - b).mean()


BCE, CHAIN = "max(a, 0) - a * label + np.log1p(np.exp(-abs(a)))", ".cache().shuffle(12).map(crop).batch(4)"
SIDES, SAVED = "bce(reals, 0.9) + bce(fakes, 0.0)", "quality=95, subsampling=0"
LENGTH, DATA = (("lesson.checksum(header) != of_length", "False"), ("lesson.checksum(data) != of_data", "False"))
D = "(1 - np.abs(g @ r.T)).min(axis=1)"


def chained(steps=CHAIN, scale="127.5 - 1"):
    """Lesson 1's chain of other steps."""
    return but((CHAIN, steps), ("127.5 - 1", scale))


def naive_bce(a, label, least=0.0):
    with np.errstate(all="ignore"):
        p = np.clip(1 / (1 + np.exp(-np.float32(a))), least, 1 - least)
        return -label * np.log(p) - (1 - label) * np.log(1 - p)


def handed_in(images=None, change="a hard label instead", kid=0.12):
    return change, GOOD if images is None else images, kid


GOOD = np.random.default_rng(0).uniform(-1, 1, (24, 4, 4, 3)).repeat(8, 1).repeat(8, 2)


def cycles(loss, monet, photo, paint, back):
    """The sum of a loss over both cycles."""
    return loss(back(paint(photo)), photo) + loss(paint(back(monet)), monet)


AROUND = [(0, 0), *[(LESSONS["unet"].BORDER,) * 2] * 2, (0, 0)]  # what `painted_by` crops


@functools.cache
def held_out():
    """The photos and paintings that lesson 3 holds out."""
    _, held = LESSONS["unet"].split_off(ROOT / "data" / "sample")
    return held["photo"], held["monet"]


@functools.cache
def painted_by_the_course():
    return LESSONS["unet"].by_the_course(held_out()[0])["the course's"]


def feature(record, name):
    return tf.train.Example.FromString(record).features.feature[name].bytes_list.value[0]


def pixels_of(record):
    return tf.io.decode_jpeg(feature(record, "image"), channels=3).numpy()


def block_with(*bugs):
    return lambda x, first, second: resnet.residual_block(x, first, second, bugs)


def normed_over(axes, deviation=np.std):
    return lambda x: (x - x.mean(axes, keepdims=True)) / deviation(x, axes, keepdims=True)


def rate_of(share):
    """A learning rate whose share of `start` is a function of (step, constant, total)."""
    return lambda step, start, constant, total: start * share(step, constant, total)


def fault_names(order="ABCDEF", **changes):
    """Lesson 4's solution with the faults of other letters, and changes."""
    return {letter: resnet.FAULTS[other][0] for letter, other in zip("ABCDEF", order, strict=True)} | changes


def low_high(x):
    low = x.min((1, 2), keepdims=True)
    return (x - low) / (x.max((1, 2), keepdims=True) - low)


def folded(layers, step, size=1):
    for kernel, stride in layers:
        size = step(size, kernel, stride)
    return size


def ablated(seeds=(0, 1), **changes):
    return {"as it is": {}, "no EMA": {"ema": 0.0}, "changed": changes}, seeds


def identities(m, p, paint, back):
    """Both parts of the identity loss."""
    return l1(paint(m), m), l1(back(p), p)


SLOPE = "paint moved, but not by the slope of the weighted sum"
ONE, TWO, IDLE = "1 of 3 bugs left. Look ", "2 of 3 bugs left", "changes nothing of what is learnt"
MEANT = dict(eda.MEANINGS)
WRONG = {
    "eda reds": [
        ((60, 0, 0), "shape 3"), ([(60, 0, 0), (300, 240, 240)], "outside 0..255"),
        ([(-60, -120, -120), (240, 180, 180)], "outside 0..255"), ([(0.2, 0, 0), (0.9, 0.7, 0.7)], "not from 0 to 1"),
        ([(60, 0, 0), (240, 100, 100)], "60 and 140"), ([(5, 0, 0), (250, 245, 245)], "at least 20"),
        ([(240, 180, 180), (60, 0, 0)], "larger one should come first"),
        ([(100, 40, 40), (200, 140, 140)], "0.60 and 0.30: the first should be three times")],
    "eda meaning": [
        ([*MEANT.values()], "give a pair"), (MEANT | {"S0: darker": "brightness"}, "give a pair"),
        (MEANT | {"S0: darker": ("spread", -1)}, "can be high in an image"),
        (MEANT | {"S0: darker": ("brightness", 1)}, "true or not"),
        (MEANT | {"S0: darker": (-1, "brightness")}, "no measure -1"),
        (MEANT | {"S0: higher deviation": ("spread", "more")}, "+1 or -1, not 'more'"),
        (MEANT | {"S3: more intense colours": ("saturation", 1)}, "Do your eyes agree")],
    "eda back": [
        (lambda x: x[..., 0], "shape 64 x 256"), (lambda x: np.clip(np.rint((x + 1) * 127.5), 0, 255), "float32"),
        (lambda x: np.rint((x + 1) * 127.5).astype(int).astype(np.uint8), "became (243, 12)"),
        (lambda x: np.clip((x + 1) * 127.5, 0, 255).astype(np.uint8), "levels come back one lower"),
        (lambda x: np.clip(np.rint(x * 255), 0, 255).astype(np.uint8), "level 254 becomes 253"),
        (lambda x: np.clip(np.ceil((x + 1) * 127.5), 0, 255).astype(np.uint8), "100.3 becomes 101")],
    "eda deal": [
        ((300, 23.46, 6738), "not 300.0 steps"), ((7038, 23.46, 6738), "batches of one photo"),
        ((1760, 23.46, 6738), "Where do the last two come from"), ((1759, 1, 6738), "not 1.0 times"),
        ((1759, 7038 / 300 / 4, 6738), "the batch size counts once"),
        ((1759, 4 * 7038 / 300, 6738), "the batch size counts once"), ((1759, 23.46, 0), "not 0.0 of 7,038"),
        ((1759, 23.46, 300), "that this zip does show")],
    "eda chain": [
        (lambda i, s: list(i), "not a list"), (chained(scale="255"), "become 0.00 to 0.88"),
        (chained(".map(crop).cache().shuffle(12).batch(4)"), "the same crops"),
        (chained(".shuffle(12).cache().map(crop).batch(4)"), "in the same order"),
        (chained(".cache().map(crop).batch(4).shuffle(12)"), "the same four images are together"),
        (chained(".shuffle(12).map(crop).batch(4)"), "read from the file 480 times"),
        (chained(CHAIN.replace("12", "2")), "never come in the first batch"),
        (chained(".cache().shuffle(12).map(crop)"), "a batch has shape 8 x 8 x 3"),
        (chained(".take(8)" + CHAIN), "brings 8 of 12 images; 4 are missing"),
        (chained(".map(crop).cache().batch(4).shuffle(12)", scale="255"), "3 faults")],
    "eda opponent": [
        (lambda p, m: p.copy(), "the photos themselves"),
        (lambda p, m: eda.color_transfer(p, m) / 255, "float64, not uint8"),
        (lambda p, m: (eda.color_transfer(p, m) / 255).astype(np.uint8), "one single colour"),
        (lambda p, m: eda.color_transfer(p[:1], m), "shape 1 x 60"),
        (lambda p, m: m[[0, 1, 2, 0, 1]], "the scene is lost"),
        (lambda p, m: 255 - eda.color_transfer(p, m), "light is dark"),
        (lambda p, m: p // 2 + 60, "with other paintings"),
        (lambda p, m: np.concatenate([eda.color_transfer(p[:4], m), p[4:]]), "photo 4 of 5 comes back"),
        (lambda p, m: eda.color_transfer(p, m) ^ np.random.randint(0, 9, p.shape, "u1"), "two calls"),
        (lambda p, m: np.add(p, 9, out=p), "writes into the photos")],
    "eda record": [
        (pixels_of, "return two things"), (lambda r: (feature(r, "image_name"), pixels_of(r)), "bytes, not text"),
        (lambda r: (feature(r, "target").decode(), pixels_of(r)), "image_name"),
        (lambda r: ("ramp", feature(r, "image")), "a bytes, not an array"),
        (lambda r: ("ramp", pixels_of(r)[..., :1]), "64 x 256 x 1"),
        (lambda r: ("ramp", pixels_of(r) / 127.5 - 1), "float64"),
        (lambda r: ("ramp", pixels_of(r) // 2), "are they those of the image"),
        (lambda r: ("ramp", pixels_of(r)[..., ::-1]), "this is BGR"),
        (lambda r: ("ramp", tf.constant(pixels_of(r))), "a tensor of TensorFlow"),
        (lambda r: feature(r, "nothing"), "raised IndexError")],
    "eda walk": [
        (lambda raw: [eda.framed(b"first")], "give the data alone"), (lambda raw: [5, 300, 0], "give the bytes"),
        (lambda raw: [b"first"], "the shard holds 3"), (but(DATA), "a bit of the second record's data flipped"),
        (but(LENGTH), "instead of ValueError. Was the length compared"),
        (but(LENGTH, ("end + 4])", "end + 4].ljust(4))")),
         "checksum of the second record's length flipped: you read on"),
        (but(("place = end + 4", "place = end")), "the second one begins at byte 21")],
    "dcgan bce": [
        (naive_bce, "exactly 0 or 1"), (lambda a, label: naive_bce(a, label, 1e-7), "was clipped"),
        (lambda a, label: np.log1p(np.exp(np.float32(a))) - a * label, "beyond float32"),
        (but((" - a * label", "")), "the label isn't used"),
        (but(("a * label", "a * (1 - label)")), "labels are exchanged"),
        (but((BCE, f"-({BCE})")), "negative somewhere"),
        (but((BCE, f"label * ({BCE.replace(' * label', '')})")), "part of 1 - label is missing"),
        (but((BCE, f"({BCE}) / np.log(2)")), "natural logarithms"), (but((BCE, f"np.full(3, {BCE})")), "not an array"),
        (but((BCE, f"2 * ({BCE})")), "label 1.0, logits")],
    "dcgan blind": [
        (0.4, "two numbers"), ((0.5, 0.673), "labels 1 and 0"), ((0.8, 0.673), "real pictures alone"),
        ((0.45, 0.688), "labels 0.9 and 0"), ((0.0, 0.673), "is certain"), ((-0.2, 0.673), "no probability"),
        ((0.673, 0.4), "the order is p first"),
        ((0.3, 0.673), "a higher p costs less"), ((0.42, 0.673), "a lower p costs less"),
        ((0.4, 1.346), "sum of both sides"), ((0.4, 0.916), "what the generator pays"),
        ((0.4, 0.6931), "the level for labels 1 and 0"), ((0.4, 0.971), "natural logarithms"),
        ((0.4, -0.673), "positive")],
    "dcgan diversity": [
        (lambda x: x.std(), "over images, not pixels"), (lambda x: x.var(0).mean(), "the root is missing"),
        (lambda x: x.std(0).mean(), "the plain mean"), (lambda x: x.std(0).max(), "the largest"),
        (lambda x: np.median(x.std(0)), "the median"), (lambda x: np.sqrt(x.var(0).sum()), "a sum"),
        (lambda x: x.std(0), "into one number"), (lambda x: 2 * np.sqrt(x.var(0).mean()), "noise gives")],
    "dcgan walk": [
        (lambda a, b, n: np.linspace(a, b, n).T, "a row for each latent"),
        (lambda a, b, n: np.linspace(a, b, n, endpoint=False), "last row is not the end"),
        (lambda a, b, n: np.linspace(b, a, n), "from the end to the start"),
        (lambda a, b, n: np.linspace(0, 1, n)[:, None] * b, "first row is not the start"),
        (lambda a, b, n: a + np.linspace(0, 1, n)[:, None] ** 2 * (b - a), "steps are not equal"),
        (lambda a, b, n: np.linspace(a, b, n + 1), "shape 6 x 3"),
        (lambda a, b, n: np.repeat([a], n, 0), "all five latents are the same"),
        (lambda a, b, n: np.linspace(a, b, n) + np.sin(np.linspace(0, np.pi, n))[:, None] * [1, 0, 0],
         "beside the straight line")],
    "dcgan repaired": [
        (but(("    with", "    real = (real + 1) / 2\n    with")), "this one: the discriminator must see"),
        (but(("bce(fakes, 1.0)", "bce(fakes, 0.0)")), "1 of 3 bugs left. Look at this one: the generator's step"),
        (but(("(generator, discriminator)\n", "(generator,)\n")), "1 of 3 bugs left. Look at this one: the discr"),
        (but(("(generator, discriminator)\n", "()\n")),
         "2 of 3 bugs left. Look at this one: the generator's weights have not moved"),
        (but((SIDES, "bce(fakes, 1.0)")), "descends the generator's loss"),
        (but((SIDES, "bce(reals, 0.0) + bce(fakes, 0.9)")), "exchanged labels"),
        (but((SIDES, "bce(reals, 0.9)")), "only the real side"),
        (but((SIDES, "bce(fakes, 0.0)")), "only the fakes' side"),
        (but((f"bce(fakes, 1.0), {SIDES}", f"2 * [bce(fakes, 1.0) + {SIDES}]")), "must descend its own loss alone")],
    "dcgan own": [
        (GOOD, "give three things"), (handed_in(change="better"), "in a few words"),
        (handed_in(GOOD[..., :1]), "not (n, 32, 32, 3)"), (handed_in(GOOD[:6]), "too few"),
        (handed_in(np.where(GOOD > 0.9, np.nan, GOOD)), "NaN"),
        (handed_in((GOOD + 1) * 127.5), "leave them in [-1, 1]"), (handed_in(0.001 * GOOD), "untrained"),
        (handed_in(GOOD[:1].repeat(24, 0)), "collapsed"),
        (handed_in(np.random.default_rng(0).choice([-1.0, 1.0], GOOD.shape)), "noise from pixel to pixel"),
        (handed_in(kid=(0.12, 0.01)), "without its spread"), (handed_in(kid=120.0), "can't be")],
    "unet skip": [
        (lambda a, b: b, "own map is lost"), (lambda a, b: a, "what a residual block"),
        (lambda a, b: np.concatenate([b, a], -1), "in the other order"),
        (lambda a, b: np.concatenate([a, b]), "can't be put together so"),
        (lambda a, b: np.concatenate([a, 0 * b], -1), "the encoder's channels are not there"),
        (lambda a, b: np.concatenate([a / 2, b / 2], -1), "the step's own channels are not there"),
        (lambda a, b: np.concatenate([a, b, b], -1), "14, not 1 x 5 x 5 x 11")],
    "unet answers": [
        ((64, 23), "64 is the side after the halvings"), ((62, 24), "after one of the last two layers"),
        ((3844, 23), "asked is their number along one side"), ((23, 62), "in the wrong order"),
        ((30, 23), "two halvings and 256 px: not 30. Write down the side"), ((62, 22.5), "whole numbers")],
    "unet cycle": [
        (lambda m, p, f, g: l1(g(f(p)), p), "monet -> photo -> monet"), (lambda *x: 0.0, "Which picture should come"),
        (lambda m, p, f, g: l1(f(g(m)), m), "photo -> monet -> photo"), (lambda m, p, f, g: l1(f(p), m), "are no pair"),
        (lambda m, p, f, g: l1(f(p), p) + l1(g(m), m), "only one way is walked"),
        (lambda m, p, f, g: l1(f(g(p)), p) + l1(g(f(m)), m), "in the wrong order"),
        (lambda *x: cycles(l1, *x) / 2, "half of the sum"), (lambda *x: 10 * cycles(l1, *x), "the weight of the loss"),
        (lambda *x: cycles(lambda a, b: (a - b).mean(), *x), "cancel out"),
        (lambda *x: cycles(lambda a, b: ((a - b) ** 2).mean(), *x), "squares instead of absolute"),
        (lambda *x: cycles(lambda a, b: np.abs(a - b).sum(), *x), "a sum over pixels"),
        (lambda *x: cycles(lambda a, b: np.abs(a - b), *x), "a loss is one number")],
    "unet identity": [
        (lambda m, p, f, g: l1(f(m), p) + l1(g(p), m), "the median of that set"),
        (lambda m, p, f, g: l1(f(p), m) + l1(g(m), p), "the median of that set"),
        (lambda *x: identities(*x)[0], "only one of the two"), (lambda *x: identities(*x)[1], "only one of the two"),
        (lambda m, p, f, g: l1(f(p), p) + l1(g(m), m), "that it should translate"),
        (lambda *x: cycles(l1, *x), "the cycle loss"), (lambda *x: sum(identities(*x)) / 2, "half of the sum"),
        (lambda *x: 5 * sum(identities(*x)), "the weight of the loss"),
        (lambda m, p, f, g: (f(m) - m).mean() + (g(p) - p).mean(), "cancel out"),
        (lambda m, p, f, g: np.abs(f(m) - m), "a loss is one number"),
        (lambda *x: 0.0, "Which image needs no painting")],
    "unet step": [
        (but(("(goals)", "(goals[:0])")), "no network has moved"),
        (but(("(goals)", "(goals[:1])")), "the Monet discriminator has not moved"),
        (but((" + second.trainable_variables", "")), "back has not moved"),
        (but((' + 5.0 * a["identity"]', "")), SLOPE),
        (but(('a["monet_generator"] + a["photo_generator"] + ', "")), SLOPE),
        (but(("b[0] + b[1]", "2 * (b[0] + b[1])")), "not by the slope of both discriminators' losses"),
        (but(("b[0] + b[1]", "-b[0] - b[1]")), "the Monet discriminator climbs"),
        (but(("optimizers[k]", "optimizers[0]")), "an optimizer meets variables that it wasn't built for"),
        (but(("        total", "    total"), ("        goals", "    goals")), "the sums are formed outside"),
        (but(("persistent=True", "")), "this tape gives one gradient only")],
    "unet painter": [
        (lambda photos, monets: photos[:4], "has shape 4 x"),
        (lambda photos, monets: photos / np.float32(127.5) - 1, "float32, not uint8"),
        (lambda photos, monets: photos, "the photos, not changed"),
        (lambda photos, monets: monets, "paintings held out, not your own"),
        (lambda photos, monets: 0 * photos + np.uint8(128), "of one colour"),
        (lambda photos, monets: 255 - photos, "light and dark are exchanged"),
        (lambda photos, monets: np.roll(photos, 1, 0), "keep the order"),
        (lambda photos, monets: photos[:, ::-1], "turned or mirrored"),
        (lambda photos, monets: photos[:, :, ::-1], "turned or mirrored"),
        (lambda photos, monets: monets[:, ::-1], "scenes are lost"),
        (lambda photos, monets: photos // 4, "change one setting, train again")],
    "resnet block": [
        (lambda x, a, b: x[:, 1:-1, 1:-1], "shape 2 x 4 x 4 x 3"),
        (block_with("padding 1", "padding 2", "order", "after"), "3 of 3 bugs left"),
        (block_with("padding 2"), ONE + "at the rim"), (block_with("order"), ONE + "inside F"),
        (block_with("after"), ONE + "at the very end"), (block_with("padding 1", "after"), TWO),
        (lambda x, a, b: resnet.residual_block(x, a, b) - x, "F(x) alone"),
        (lambda x, a, b: x + resnet.residual_block(x, a, b), "is not right either")],
    "resnet instance_norm": [
        (lambda x: x[0], "shape 6 x 6 x 3"), (normed_over((0, 1, 2)), "batch norm"),
        (normed_over((1, 2, 3)), "layer norm"), (normed_over((0, 1, 2, 3)), "must stay apart"),
        (normed_over(3), "a place is then normed by itself"), (normed_over(1), "each row is normed alone"),
        (normed_over((1, 2), np.var), "divided by the variance"), (low_high, "minimum and maximum"),
        (lambda x: x - x.mean((1, 2), keepdims=True), "contrast is still"),
        (lambda x: x / x.std((1, 2), keepdims=True), "mean is still"), (lambda x: x, "mean 0 and deviation 1")],
    "resnet field": [
        (lambda layers: 70, "PatchGAN only"),
        (lambda layers: sum(k for k, _ in layers), "two neighbouring kernels share"),
        (lambda layers: folded(layers, lambda n, k, s: n + k - 1), "after a stride of 2"),
        (lambda layers: folded(layers, lambda n, k, s: n * k), "on paper"),
        (lambda layers: folded(layers, lambda n, k, s: (n - 1) * s + k), "begins at the image"),
        (lambda layers: folded(layers[::-1], lambda n, k, s: n * s + k), "How many strides"),
        (lambda layers: folded(layers, lambda n, k, s: n * s), "how far apart"),
        (lambda layers: [70], "one number is wanted"),
        (lambda layers: folded(layers[::-1], lambda n, k, s: (n - 1) * s + k) + 1, "Draw the layers")],
    "resnet rate": [
        (rate_of(lambda k, c, n: 1), "never falls"), (rate_of(lambda k, c, n: 1 - k / n), "from the first step on"),
        (rate_of(lambda k, c, n: k < c), "jumps to 0"),
        (rate_of(lambda k, c, n: 1 if k < c else 1 - k / n), "jumps down"),
        (lambda k, s, c, n: min(1, max(0, (n - k) / (n - c))), "Where is `start`"),
        (rate_of(lambda k, c, n: max(0, k - c) / (n - c)), "it rises"),
        (rate_of(lambda k, c, n: 0.5 + 0.5 * np.cos(np.pi * max(0, k - c) / (n - c))), "a cosine"),
        (rate_of(lambda k, c, n: (n - k) / (n - c)), "must stay at `start`"),
        (rate_of(lambda k, c, n: min(1, (n - k) / (n - c))), "is negative"),
        (rate_of(lambda k, c, n: min(1, max(0, (100 - k) / 50))), "Are numbers fixed"),
        (rate_of(lambda k, c, n: min(1, max(0, (n - k) / n + 0.4))), "1.8 at step 50")],
    "resnet faults": [
        (["transposed convolutions"], "give a dict"),
        ({"A": "transposed convolutions"}, "B, C, D, E, F: still without"),
        (fault_names(G="transposed convolutions"), "no run of the figure"),
        (fault_names(A="bad luck"), "none of the names"), (fault_names("ABCDEE"), "stands twice"),
        (fault_names("BACDEF"), "4 of 6 are right. A: compare both halves"),
        (fault_names("ABFDEC"), "4 of 6 are right. C: which of its losses"),
        (fault_names("ABCDFE"), "4 of 6 are right. E: the curves are inconspicuous")],
    "resnet ablation": [
        (({"a": {}, "b": {"norm": "batch"}}, [0, 1]), "at least three runs"),
        (({"a": {"norm": "batch"}, "b": {"ema": 0.5}, "c": {"ema": 0.0}}, [0, 1]), "nothing to"),
        (ablated(norm="batch", ema=0.0), "at once"), (ablated(size=3), "no setting named"),
        (ablated(norm="none"), "has anyway"), (ablated(seed=3), "changes the seed"), (ablated(log_every=5), IDLE),
        (ablated(start_from="models"), "more training"), (ablated(ema=0.0), "two of the runs are the same"),
        (ablated(norm="batch", seeds=[3, 3]), "one seed")],
    "submission zipped": [
        (but(("np.clip(levels, 0, 255)", "((image + 1) / 2)")), "the pictures are black"),
        (but(("fromarray(pixels)", "fromarray(pixels[..., ::-1])")), "should be red, and is blue"),
        (but(("np.clip(levels, 0, 255)", "levels.astype(int)")), "bright and dark changed places"),
        (but(("np.rint((image + 1) * 127.5)", "(image + 1) * 127.5")), "too low"),
        (but(("np.rint((image + 1) * 127.5)", "image * 127.5 + 128.5")), "too high"),
        (but((SAVED, "quality=95")), "What does the encoder throw away?"),
        (but((f'"JPEG", {SAVED}', '"PNG"')), "not 64x64 RGB JPEGs"),
        (but(("{name}.jpg", "out/{name}.jpg")), "Kaggle takes no folders"),
        (but(("{name}.jpg", "{name}")), "the entries are called"),
        (but(("zip(x, names, strict=True)", "zip(x[:1], names)")), "two pictures went in, 1 came out"),
        (but(("zip(x,", "zip(x[[0, 0]],")), "not the second one"),
        (but(("return buffer.getvalue()", "return buffer")), "a BytesIO: return the zip's bytes"),
        (but(("return buffer.getvalue()", "return buffer.getvalue()[:500]")), "no whole zip")],
    "submission frechet": [
        (lambda a, b, c, d: (a - c) ** 2 + abs(b**2 - d**2), "spreads 1 and 3"),
        (lambda a, b, c, d: abs(a - c) + (b - d) ** 2, "means 0 and 3"),
        (lambda a, b, c, d: (a - c) ** 2 + b**2 + d**2, "means 0 and 3"),
        (lambda a, b, c, d: (a - c) ** 2 + b + d - 2 * (b * d) ** 0.5, "spreads 1 and 3"),
        (lambda a, b, c, d: (abs(a - c) + abs(b - d)) ** 2, "0.5 and 2")],
    "submission memorization": [
        (but(("axis=1).mean", "axis=0).mean")), "Who is suspected"),
        (but((D, "np.abs(g @ r.T).max(axis=1)")), "copies get the highest"),
        (but((D, D[:-12])), "counts for every generated"),
        (but(("np.abs(g @ r.T)", "g @ r.T")), "-2: its distance should be 0"),
        (but((f"{D}.mean()", f"{D}.min()")), "one copy decides alone"),
        (but((D, D.replace("min", "max"))), "the farthest"), (but((".mean()", ".sum()")), "depend on how many"),
        (but((f"{D}.mean()", f"np.median({D})")), "the median"), (but((".mean()", "")), "return one number"),
        (lambda g, r: np.linalg.norm(g[:, None] - r, axis=-1).min(1).mean(), "angles don't")],
    "submission comparable": [
        (lambda a, b: a == b, "two KIDs, of 5,000 and of 300 images"),
        (lambda a, b: False, "all of whose conditions are equal"), (lambda a, b: "yes", "return True or False"),
        (but(('a["measure"] == "KID" or a["images"] == b["images"]', "True")), "two FIDs, of 5,000"),
        (but(('"reference", ', "")), "to the 300 Monets and to 893"), (but((', "filter"', "")), "by two filters"),
        (but(('"network", ', "")), "by Inception of 2015"), (but(('"measure", ', "")), "an FID and a KID"),
        (lambda a, b: a == b or "KID" == a["measure"] == b["measure"], "by Inception and")],
    "submission checkpoint": [
        (lambda rows: rows[rows[:, 1].argmin(), 0], "an earlier step"),
        (lambda rows: rows[-1, 0], "the last step that"), (lambda rows: rows[0, 0], "Whose spread"),
        (lambda rows: 250, "no step of the curve"), (lambda rows: 300, "so is an earlier one"),
        (lambda rows: 200, "a curve that rises from the start"),
        (lambda rows: rows[rows[:, 1] <= rows[:, 1].min() + 0.01, 0], "return one step"),
        (lambda rows: rows[rows[:, 1] <= rows[:, 1].min() + rows[rows[:, 1].argmin(), 2], 0][0], "in another order")],
    "submission my_way": [
        (lambda photo: photo, "the photo itself"), (lambda photo: photo / 127.5 - 1, "float64; the zip takes uint8"),
        (lambda photo: photo[::2, ::2], "128 x 128 x 3"), (lambda photo: (photo / 255).astype(np.uint8), "are black"),
        (lambda photo: photo * 0 + 90, "a single colour"), (lambda photo: 255 - photo, "changed places"),
        (lambda photo: rng.integers(0, 256, photo.shape, np.uint8), "the scene is gone"),
        (lambda photo: submission._scenes()[0], "one and the same painting"),
        (lambda photo: np.ndarray.__ior__(photo, 1), "changes the photo"),
        (lambda photo: print(photo.shape), "nothing here yet")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "check", "answer", "hint"), [(*name.split(), *row) for name, rows in WRONG.items() for row in rows]
)
def test_wrong_answers_are_refused_with_the_right_hint(module, check, answer, hint):
    if check == "chain":
        tf.random.set_seed(None)  # a seed of earlier tests makes all passes of a chain equal
    if check == "painter":
        photos, monets = held_out()
        answer = answer(photos, monets), photos, monets
    if isinstance(answer, But):
        answer = changed(module, check, answer)
    assert hint in (getattr(LESSONS[module], f"check_{check}").hint(answer) or "accepted")
