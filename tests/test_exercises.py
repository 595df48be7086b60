"""Exercises of all lessons: every solution passes its check, wrong answers are refused with the right hint."""

import ast
import functools
import importlib
import io
import re
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace

import jupytext
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image

from monet_lib.course import checks, eda, resnet, submission
from monet_lib.course.checks import Check
from monet_lib.data import to_uint8
from monet_lib.model import losses
from monet_lib.paint import paint_broadly

ROOT = Path(__file__).resolve().parents[1]
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


def zipper(levels=to_uint8, name="{}.jpg", **options):
    """A writer of lesson 5's zip that does one thing in another way."""

    def zipped(x, names):
        with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
            for pixels, each in zip(levels(x), names, strict=True):
                encoding = {"format": "JPEG", "quality": 95, "subsampling": 0} | options
                Image.fromarray(pixels).save(file := io.BytesIO(), **encoding)
                archive.writestr(name.format(each), file.getvalue())
        return buffer.getvalue()

    return zipped


def alike(a, b, keys):
    return all(a[key] == b[key] for key in keys.split())


def kid_or(a, b, keys):
    """Lesson 5's rule with other conditions."""
    return alike(a, b, keys) and (a["measure"] == "KID" or a["images"] == b["images"])


def cosine(a, b):
    return np.einsum("ik,jk", *(x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)))


def similarity(a, b):
    return np.abs(cosine(a, b))


def broken_step(bugs):
    """The repaired step of lesson 2 with some bugs put into it."""

    def step(generator, discriminator, optimizers, real, noise):
        real = (real + 1) / 2 if "range" in bugs else real
        with tf.GradientTape(persistent=True) as tape:
            fake = generator(noise, training=True)
            fakes = discriminator(fake, training=True)
            reals = fakes if "unseen" in bugs else discriminator(real, training=True)
            labels = (0.0, 0.9) if "exchanged" in bugs else (0.9, 0.0)
            fooled = losses.bce(fakes, 0.0 if "target" in bugs else 1.0)
            sides = losses.bce(reals, labels[0]), losses.bce(fakes, labels[1])
            judged = {"real side": sides[0], "fake side": sides[1], "fooled": fooled}
            judged = next((judged[bug] for bug in judged if bug in bugs), sum(sides))
            if "together" in bugs:
                fooled = judged = fooled + judged
        moved = {"no D": (generator,), "no G": ()}
        networks = next((moved[bug] for bug in moved if bug in bugs), (generator, discriminator))
        for network, loss, optimizer in zip(networks, (fooled, judged), optimizers, strict=False):
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)

    return step


def two_costs(p_of, x, label):
    with np.errstate(all="ignore"):
        p = p_of(1 / (1 + np.exp(-np.float32(x))))
        return -label * np.log(p) - (1 - label) * np.log(1 - p)


def right_bce(x, label):
    return float(losses.bce(np.float32(x), label))


def handed_in(images=None, change="a hard label instead", kid=0.12):
    return change, GOOD if images is None else images, kid


GOOD = np.random.default_rng(0).uniform(-1, 1, (24, 4, 4, 3)).repeat(8, 1).repeat(8, 2)


def training_step(
    moves=2, cycle=10.0, identity=5.0, fool=1.0, judged=1.0, *, first_only=False, one_optimizer=False, each=False,
    outside=False, persistent=True,
):  # fmt: skip
    """Lesson 3's step that weighs its losses otherwise, moves only some of the networks, or uses its tools wrongly."""

    def step(networks, optimizers, monet, photo):
        named = step_losses()

        def sums():
            total = fool * (parts["monet_generator"] + parts["photo_generator"])
            return total + cycle * parts["cycle"] + identity * parts["identity"], judged * sum(answers)

        with tf.GradientTape(persistent=persistent) as tape:
            parts, fakes = named["generator_losses"](networks, monet, photo)
            answers = named["discriminator_losses"](networks, (monet, photo), fakes)
            goals = None if outside else sums()
        for k, goal in enumerate((goals or sums())[:moves]):
            first, second = networks[2 * k : 2 * k + 2]
            optimizer, groups = optimizers[0 if one_optimizer else k], [first.trainable_variables]
            if each:
                groups.append(second.trainable_variables)
            elif not first_only:
                groups = [groups[0] + second.trainable_variables]
            for variables in groups:
                optimizer.apply(tape.gradient(goal, variables), variables)

    return step


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


def walked(compared, after=16, order="<"):
    """A reader of shards that compares only some of the checksums; "padded" reads a record with missing bytes.

    after: the bytes that the reader skips beyond a record's data; order: the order of the bytes of an integer.
    """

    def walk(raw):
        found, place = [], 0
        while place < len(raw):
            length, of_length = struct.unpack(f"{order}QI", raw[place : place + 12])
            data = raw[place + 12 : place + 12 + length]
            wrong = "length" in compared and eda.checksum(raw[place : place + 8]) != of_length
            if "data" in compared:
                rest = raw[place + 12 + length : place + 16 + length]
                (of_data,) = struct.unpack(f"{order}I", rest.ljust(4, b"\0") if "padded" in compared else rest)
                wrong |= eda.checksum(data) != of_data
            if wrong:
                raise ValueError(place)
            found.append(data)
            place += after + length
        return found

    return walk


def chained(steps="cache shuffle crop batch", buffer=12, scale=127.5):
    """An answer to lesson 1's repair: a chain of these steps, with levels divided by `scale`, less 1 for 127.5."""

    def chain(images, size):
        todo = {
            "cache": lambda data: data.cache(),
            "shuffle": lambda data: data.shuffle(buffer),
            "crop": lambda data: data.map(lambda x: tf.image.random_crop(x, (size, size, 3))),
            "batch": lambda data: data.batch(4),
        }
        for step in steps.split():
            images = todo[step](images)
        return images.map(lambda x: tf.cast(x, tf.float32) / scale - (scale == 127.5))

    return chain


MEANT = dict(eda.MEANINGS)
WRONG = [
    ("eda", "reds", ..., "nothing here yet"),
    ("eda", "reds", (60, 0, 0), "shape 3"),
    ("eda", "reds", [(60, 0, 0), (300, 240, 240)], "outside 0..255"),
    ("eda", "reds", [(-60, -120, -120), (240, 180, 180)], "outside 0..255"),
    ("eda", "reds", [(0.2, 0, 0), (0.9, 0.7, 0.7)], "not from 0 to 1"),
    ("eda", "reds", [(60, 0, 0), (240, 100, 100)], "60 and 140"),
    ("eda", "reds", [(5, 0, 0), (250, 245, 245)], "at least 20"),
    ("eda", "reds", [(0, 0, 0), (200, 200, 200)], "is 0 and 0"),
    ("eda", "reds", [(240, 180, 180), (60, 0, 0)], "larger one should come first"),
    ("eda", "reds", [(100, 40, 40), (200, 140, 140)], "0.60 and 0.30: the first should be three times"),
    ("eda", "meaning", dict.fromkeys(MEANT, (..., ...)), "nothing here yet"),
    ("eda", "meaning", {}, "S0: darker: give a pair"),
    ("eda", "meaning", [*MEANT.values()], "give a pair"),
    ("eda", "meaning", MEANT | {"S0: darker": "brightness"}, "give a pair"),
    ("eda", "meaning", MEANT | {"S0: darker": ("spread", -1)}, "can be high in an image"),
    ("eda", "meaning", MEANT | {"S0: darker": ("brightness", 1)}, "true or not"),
    ("eda", "meaning", MEANT | {"S0: darker": (-1, "brightness")}, "no measure -1"),
    ("eda", "meaning", MEANT | {"S0: higher deviation": ("spread", "more")}, "+1 or -1, not 'more'"),
    ("eda", "meaning", MEANT | {"S3: more intense colours": ("saturation", 1)}, "Do your eyes agree"),
    ("eda", "meaning", MEANT | {"S3: more in green": ("saturation", 1)}, "S3: more in green"),
    ("eda", "back", lambda x: ..., "nothing here yet"),
    ("eda", "back", lambda x: x[..., 0], "shape 64 x 256"),
    ("eda", "back", lambda x: np.clip(np.rint((x + 1) * 127.5), 0, 255), "float32"),
    ("eda", "back", lambda x: np.rint((x + 1) * 127.5).astype(int).astype(np.uint8), "became (243, 12)"),
    ("eda", "back", lambda x: np.clip((x + 1) * 127.5, 0, 255).astype(np.uint8), "levels come back one lower"),
    ("eda", "back", lambda x: np.clip(np.rint((x + 1) * 128), 0, 255).astype(np.uint8), "don't come back"),
    ("eda", "back", lambda x: np.clip(np.rint(x * 255), 0, 255).astype(np.uint8), "level 254 becomes 253"),
    ("eda", "back", lambda x: np.clip(np.rint(x * 127.5), 0, 255).astype(np.uint8), "level 255 becomes 128"),
    ("eda", "back", lambda x: np.clip(np.ceil((x + 1) * 127.5), 0, 255).astype(np.uint8), "100.3 becomes 101"),
    ("eda", "back", lambda x: np.rint(np.clip((x + 1) / 2, 0, 1) * 255), "float32"),
    ("eda", "deal", (300, 23.46, 6738), "not 300.0 steps"),
    ("eda", "deal", (7038, 23.46, 6738), "batches of one photo"),
    ("eda", "deal", (1760, 23.46, 6738), "Where do the last two come from"),
    ("eda", "deal", (75, 23.46, 6738), "not 75.0 steps"),
    ("eda", "deal", (1759, 1, 6738), "not 1.0 times"),
    ("eda", "deal", (1759, 7038 / 300 / 4, 6738), "the batch size counts once"),
    ("eda", "deal", (1759, 4 * 7038 / 300, 6738), "the batch size counts once"),
    ("eda", "deal", (1759, 23.46, 0), "not 0.0 of 7,038"),
    ("eda", "deal", (1759, 23.46, 300), "that this zip does show"),
    ("eda", "deal", (1759, 23.46, 7038), "not 7038.0 of 7,038"),
    ("eda", "chain", lambda i, s: ..., "nothing here yet"),
    ("eda", "chain", lambda i, s: list(i), "not a list"),
    ("eda", "chain", chained(scale=255), "become 0.00 to 0.88"),
    ("eda", "chain", chained("crop cache shuffle batch"), "the same crops"),
    ("eda", "chain", chained("shuffle cache crop batch"), "in the same order"),
    ("eda", "chain", chained("cache crop batch"), "in the same order"),
    ("eda", "chain", chained("cache crop batch shuffle"), "the same four images are together"),
    ("eda", "chain", chained("shuffle crop batch"), "read from the file 288 times"),
    ("eda", "chain", chained(buffer=2), "never come in the first batch"),
    ("eda", "chain", chained("cache shuffle crop"), "a batch has shape 8 x 8 x 3"),
    ("eda", "chain", lambda i, s: chained()(i.take(8), s), "brings 8 of 12 images; 4 are missing"),
    ("eda", "chain", chained("crop cache batch shuffle", scale=255), "3 faults"),
    ("eda", "opponent", lambda p, m: ..., "nothing here yet"),
    ("eda", "opponent", lambda p, m: p.copy(), "the photos themselves"),
    ("eda", "opponent", lambda p, m: eda.color_transfer(p, m) / 255, "float64, not uint8"),
    ("eda", "opponent", lambda p, m: (eda.color_transfer(p, m) / 255).astype(np.uint8), "one single colour"),
    ("eda", "opponent", lambda p, m: eda.color_transfer(p[:1], m), "shape 1 x 64"),
    ("eda", "opponent", lambda p, m: m[[0, 1, 2, 0, 1]], "the scene is lost"),
    ("eda", "opponent", lambda p, m: 255 - eda.color_transfer(p, m), "light is dark"),
    ("eda", "opponent", lambda p, m: p // 2 + 60, "with other paintings"),
    ("eda", "opponent", lambda p, m: np.concatenate([eda.color_transfer(p[:4], m), p[4:]]), "photo 4 of 5 comes back"),
    ("eda", "opponent", lambda p, m: eda.color_transfer(p, m) ^ np.random.randint(0, 9, p.shape, "u1"), "two calls"),
    ("eda", "opponent", lambda p, m: np.add(p, 9, out=p), "writes into the photos"),
    ("eda", "record", lambda r: ..., "nothing here yet"),
    ("eda", "record", pixels_of, "return two things"),
    ("eda", "record", lambda r: (feature(r, "image_name"), pixels_of(r)), "bytes, not text"),
    ("eda", "record", lambda r: (feature(r, "target").decode(), pixels_of(r)), "image_name"),
    ("eda", "record", lambda r: ("ramp", feature(r, "image")), "a bytes, not an array"),
    ("eda", "record", lambda r: ("ramp", pixels_of(r)[..., :1]), "64 x 256 x 1"),
    ("eda", "record", lambda r: ("ramp", pixels_of(r) / 127.5 - 1), "float64"),
    ("eda", "record", lambda r: ("ramp", pixels_of(r) // 2), "are they those of the image"),
    ("eda", "record", lambda r: ("ramp", pixels_of(r)[..., ::-1]), "this is BGR"),
    ("eda", "record", lambda r: ("ramp", tf.constant(pixels_of(r))), "a tensor of TensorFlow"),
    ("eda", "record", lambda r: feature(r, "nothing"), "raised IndexError"),
    ("eda", "walk", lambda raw: ..., "nothing here yet"),
    ("eda", "walk", lambda raw: [eda.framed(b"first")], "give the data alone"),
    ("eda", "walk", lambda raw: [(5, 0, b"first", 0)], "give the data alone"),
    ("eda", "walk", lambda raw: [5, 300, 0], "give the bytes"),
    ("eda", "walk", lambda raw: [b"first"], "the shard holds 3"),
    ("eda", "walk", walked(()), "a bit of the second record's data flipped: you read on"),
    ("eda", "walk", walked(("length",)), "a bit of the second record's data flipped"),
    ("eda", "walk", walked(("data",)), "instead of ValueError. Was the length compared"),
    ("eda", "walk", walked(("data", "padded")), "checksum of the second record's length flipped: you read on"),
    ("eda", "walk", walked(("length", "data"), after=12), "the second one begins at byte 21"),
    ("eda", "walk", walked(("length", "data"), order=">"), "an undamaged shard"),
    ("dcgan", "bce", lambda x, label: ..., "nothing here yet"),
    ("dcgan", "bce", naive_bce, "exactly 0 or 1"),
    ("dcgan", "bce", lambda x, label: two_costs(lambda p: np.clip(p, 1e-7, 1 - 1e-7), x, label), "was clipped"),
    ("dcgan", "bce", lambda x, label: np.log1p(np.exp(np.float32(x))) - x * label, "beyond float32"),
    ("dcgan", "bce", lambda x, label: max(x, 0) + np.log1p(np.exp(-abs(x))), "the label isn't used"),
    ("dcgan", "bce", lambda x, label: right_bce(x, 1 - label), "labels are exchanged"),
    ("dcgan", "bce", lambda x, label: -right_bce(x, label), "negative somewhere"),
    ("dcgan", "bce", lambda x, label: label * right_bce(x, 1.0), "part of 1 - label is missing"),
    ("dcgan", "bce", lambda x, label: right_bce(x, label) / np.log(2), "natural logarithms"),
    ("dcgan", "bce", lambda x, label: np.full(3, right_bce(x, label)), "not an array"),
    ("dcgan", "bce", lambda x, label: 2 * right_bce(x, label), "label 1.0, logits"),
    ("dcgan", "blind", 0.45, "two numbers"),
    ("dcgan", "blind", (0.5, 0.688), "labels 1 and 0"),
    ("dcgan", "blind", (0.9, 0.688), "real pictures alone"),
    ("dcgan", "blind", (0.0, 0.688), "is certain"),
    ("dcgan", "blind", (-0.2, 0.688), "no probability"),
    ("dcgan", "blind", (0.688, 0.45), "the order is p first"),
    ("dcgan", "blind", (0.3, 0.688), "a higher p costs less"),
    ("dcgan", "blind", (0.47, 0.688), "a lower p costs less"),
    ("dcgan", "blind", (0.45, 1.376), "sum of both sides"),
    ("dcgan", "blind", (0.45, 0.799), "what the generator pays"),
    ("dcgan", "blind", (0.45, 0.6931), "the level for labels 1 and 0"),
    ("dcgan", "blind", (0.45, 0.993), "natural logarithms"),
    ("dcgan", "blind", (0.45, -0.688), "positive"),
    ("dcgan", "diversity", lambda x: x.std(), "over images, not pixels"),
    ("dcgan", "diversity", lambda x: x.std((1, 2, 3)).mean(), "over images, not pixels"),
    ("dcgan", "diversity", lambda x: x.mean(0).std(), "over images, not pixels"),
    ("dcgan", "diversity", lambda x: np.sqrt(x.var(-1).mean()), "over images, not pixels"),
    ("dcgan", "diversity", lambda x: x.var(0).mean(), "the root is missing"),
    ("dcgan", "diversity", lambda x: x.std(0).mean(), "the plain mean"),
    ("dcgan", "diversity", lambda x: x.std(0).max(), "the largest"),
    ("dcgan", "diversity", lambda x: np.median(x.std(0)), "the median"),
    ("dcgan", "diversity", lambda x: np.sqrt(x.var(0).sum()), "a sum"),
    ("dcgan", "diversity", lambda x: x.std(0), "into one number"),
    ("dcgan", "diversity", lambda x: 2 * np.sqrt(x.var(0).mean()), "noise gives"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a, b, n).T, "a row for each latent"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a, b, n, endpoint=False), "last row is not the end"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(b, a, n), "from the end to the start"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(0, 1, n)[:, None] * b, "first row is not the start"),
    ("dcgan", "walk", lambda a, b, n: a + np.linspace(0, 1, n)[:, None] ** 2 * (b - a), "steps are not equal"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a, b, n + 1), "shape 6 x 3"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a, b, n + 2)[1:-1], "first row is not the start"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a.mean(), b.mean(), n), "has shape 5, not"),
    ("dcgan", "walk", lambda a, b, n: np.repeat([a], n, 0), "all five latents are the same"),
    ("dcgan", "walk", lambda a, b, n: np.linspace(a, b, n) + np.sin(np.linspace(0, np.pi, n))[:, None] * [1, 0, 0],
     "beside the straight line"),
    ("dcgan", "repaired", broken_step({"range"}), "1 of 3 bugs left. Look at this one: the discriminator must see"),
    ("dcgan", "repaired", broken_step({"target"}), "1 of 3 bugs left. Look at this one: the generator's step"),
    ("dcgan", "repaired", broken_step({"no D"}), "1 of 3 bugs left. Look at this one: the discriminator's weights"),
    ("dcgan", "repaired", broken_step({"no G"}), "the generator's weights have not moved"),
    ("dcgan", "repaired", broken_step({"range", "target"}), "2 of 3"),
    ("dcgan", "repaired", broken_step({"fooled"}), "descends the generator's loss"),
    ("dcgan", "repaired", broken_step({"exchanged"}), "exchanged labels"),
    ("dcgan", "repaired", broken_step({"real side"}), "only the real side"),
    ("dcgan", "repaired", broken_step({"fake side"}), "only the fakes' side"),
    ("dcgan", "repaired", broken_step({"unseen"}), "must see real pictures"),
    ("dcgan", "repaired", broken_step({"together"}), "must descend its own loss alone"),
    ("dcgan", "own", GOOD, "give three things"),
    ("dcgan", "own", handed_in(change="better"), "in a few words"),
    ("dcgan", "own", handed_in(GOOD[..., :1]), "not (n, 32, 32, 3)"),
    ("dcgan", "own", handed_in(GOOD[:6]), "too few"),
    ("dcgan", "own", handed_in(np.where(GOOD > 0.9, np.nan, GOOD)), "NaN"),
    ("dcgan", "own", handed_in((GOOD + 1) * 127.5), "leave them in [-1, 1]"),
    ("dcgan", "own", handed_in(0.001 * GOOD), "untrained"),
    ("dcgan", "own", handed_in(GOOD[:1].repeat(24, 0)), "collapsed"),
    ("dcgan", "own", handed_in(np.random.default_rng(0).choice([-1.0, 1.0], GOOD.shape)), "noise from pixel to pixel"),
    ("dcgan", "own", handed_in(kid=(0.12, 0.01)), "without its spread"),
    ("dcgan", "own", handed_in(kid=120.0), "can't be"),
    ("unet", "skip", lambda a, b: ..., "nothing here yet"),
    ("unet", "skip", lambda a, b: a + b.sum(-1, keepdims=True), "what a residual block hands on"),
    ("unet", "skip", lambda a, b: a, "what a residual block hands on"),
    ("unet", "skip", lambda a, b: b, "own map is lost"),
    ("unet", "skip", lambda a, b: np.concatenate([b, a], -1), "in the other order"),
    ("unet", "skip", lambda a, b: np.concatenate([a, b]), "can't be put together so"),
    ("unet", "skip", lambda a, b: np.concatenate([a, b], 1), "can't be put together so"),
    ("unet", "skip", lambda a, b: np.concatenate([a, 0 * b], -1), "the encoder's channels are not there"),
    ("unet", "skip", lambda a, b: np.concatenate([a / 2, b / 2], -1), "the step's own channels are not there"),
    ("unet", "skip", lambda a, b: np.concatenate([a, a[..., :3]], -1), "the encoder's channels are not there"),
    ("unet", "skip", lambda a, b: np.concatenate([a, b, b], -1), "14, not 1 x 5 x 5 x 11"),
    ("unet", "answers", (64, 23), "64 is the side after the halvings"),
    ("unet", "answers", (62, 25), "25 is the side after the halvings"),
    ("unet", "answers", (63, 23), "after one of the last two layers"),
    ("unet", "answers", (62, 24), "after one of the last two layers"),
    ("unet", "answers", (3844, 23), "asked is their number along one side"),
    ("unet", "answers", (62, 529), "asked is their number along one side"),
    ("unet", "answers", (23, 62), "in the wrong order"),
    ("unet", "answers", (30, 23), "two halvings and 256 px: not 30. Write down the side"),
    ("unet", "answers", (62, 22.5), "whole numbers"),
    ("unet", "answers", (62, ...), "nothing here yet"),
    ("unet", "cycle", lambda m, p, paint, back: l1(back(paint(p)), p), "monet -> photo -> monet"),
    ("unet", "cycle", lambda m, p, paint, back: l1(paint(back(m)), m), "photo -> monet -> photo"),
    ("unet", "cycle", lambda m, p, paint, back: l1(paint(p), m), "are no pair"),
    ("unet", "cycle", lambda m, p, paint, back: l1(paint(p), p) + l1(back(m), m), "only one way is walked"),
    ("unet", "cycle", lambda m, p, paint, back: l1(paint(back(p)), p) + l1(back(paint(m)), m), "in the wrong order"),
    ("unet", "cycle", lambda m, p, paint, back: cycles(l1, m, p, paint, back) / 2, "half of the sum"),
    ("unet", "cycle", lambda m, p, paint, back: 10 * cycles(l1, m, p, paint, back), "weight of the cycle loss"),
    ("unet", "cycle", lambda *x: cycles(lambda a, b: (a - b).mean(), *x), "cancel out"),
    ("unet", "cycle", lambda *x: cycles(lambda a, b: ((a - b) ** 2).mean(), *x), "squares instead of absolute"),
    ("unet", "cycle", lambda *x: cycles(lambda a, b: np.abs(a - b).sum(), *x), "a sum over pixels"),
    ("unet", "cycle", lambda *x: cycles(lambda a, b: np.abs(a - b), *x), "a loss is one number"),
    ("unet", "cycle", lambda m, p, paint, back: 0.0, "Which picture should come back"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(m), p) + l1(back(p), m), "the median of that set"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(p), m) + l1(back(m), p), "the median of that set"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(m), m), "only one of the two"),
    ("unet", "identity", lambda m, p, paint, back: l1(back(p), p), "only one of the two"),
    ("unet", "identity", lambda m, p, paint, back: l1(paint(p), p) + l1(back(m), m), "that it should translate"),
    ("unet", "identity", lambda *x: cycles(l1, *x), "the cycle loss"),
    ("unet", "identity", lambda m, p, paint, back: (l1(paint(m), m) + l1(back(p), p)) / 2, "half of the sum"),
    ("unet", "identity", lambda m, p, paint, back: 5 * (l1(paint(m), m) + l1(back(p), p)), "weight of the identity"),
    ("unet", "identity", lambda m, p, paint, back: (paint(m) - m).mean() + (back(p) - p).mean(), "cancel out"),
    ("unet", "identity", lambda m, p, paint, back: np.abs(paint(m) - m), "a loss is one number"),
    ("unet", "identity", lambda m, p, paint, back: 0.0, "Which image needs no painting"),
    ("unet", "step", training_step(moves=0), "no network has moved"),
    ("unet", "step", training_step(moves=1), "the Monet discriminator has not moved"),
    ("unet", "step", training_step(first_only=True), "back has not moved"),
    ("unet", "step", training_step(cycle=1.0), "paint moved, but not by the slope of the weighted sum"),
    ("unet", "step", training_step(identity=0.0), "paint moved, but not by the slope of the weighted sum"),
    ("unet", "step", training_step(fool=0.0), "paint moved, but not by the slope of the weighted sum"),
    ("unet", "step", training_step(judged=2.0), "not by the slope of both discriminators' losses"),
    ("unet", "step", training_step(judged=-1.0), "the Monet discriminator climbs"),
    ("unet", "step", training_step(one_optimizer=True), "an optimizer meets variables that it wasn't built for"),
    ("unet", "step", training_step(each=True), "apply it once, to both networks"),
    ("unet", "step", training_step(outside=True), "the sums are formed outside its block"),
    ("unet", "step", training_step(persistent=False), "this tape gives one gradient only"),
    ("unet", "painter", lambda photos, monets: ..., "nothing here yet"),
    ("unet", "painter", lambda photos, monets: photos[:4], "has shape 4 x"),
    ("unet", "painter", lambda photos, monets: photos / np.float32(127.5) - 1, "float32, not uint8"),
    ("unet", "painter", lambda photos, monets: photos, "the photos, not changed"),
    ("unet", "painter", lambda photos, monets: monets, "paintings held out, not your own"),
    ("unet", "painter", lambda photos, monets: 0 * photos + np.uint8(128), "of one colour"),
    ("unet", "painter", lambda photos, monets: 255 - photos, "light and dark are exchanged"),
    ("unet", "painter", lambda photos, monets: np.roll(photos, 1, 0), "keep the order"),
    ("unet", "painter", lambda photos, monets: photos[:, ::-1], "turned or mirrored"),
    ("unet", "painter", lambda photos, monets: photos[:, :, ::-1], "turned or mirrored"),
    ("unet", "painter", lambda photos, monets: monets[:, ::-1], "scenes are lost"),
    ("unet", "painter", lambda photos, monets: photos // 4, "change one setting, train again"),
    ("submission", "zipped", zipper(levels=lambda x: ((x + 1) / 2).astype(np.uint8)), "the pictures are black"),
    ("submission", "zipped", zipper(levels=lambda x: x.clip(0, 1).astype(np.uint8)), "the pictures are black"),
    ("submission", "zipped", zipper(levels=lambda x: to_uint8(x)[..., ::-1]), "should be red, and is blue"),
    ("submission", "zipped",
     zipper(levels=lambda x: np.rint((x + 1) * 127.5).astype(int).astype(np.uint8)), "bright and dark changed places"),
    ("submission", "zipped", zipper(levels=lambda x: np.clip((x + 1) * 127.5, 0, 255).astype(np.uint8)), "too low"),
    ("submission", "zipped", zipper(levels=lambda x: np.clip(x * 127.5 + 128.5, 0, 255).astype(np.uint8)), "too high"),
    ("submission", "zipped", zipper(quality=75), "What does the encoder throw away?"),
    ("submission", "zipped", zipper(subsampling=2), "What does the encoder throw away?"),
    ("submission", "zipped", zipper(format="PNG"), "not 64x64 RGB JPEGs"),
    ("submission", "zipped", zipper(name="out/{}.jpg"), "Kaggle takes no folders"),
    ("submission", "zipped", zipper(name="{}"), "the entries are called"),
    ("submission", "zipped", lambda x, names: zipper()(x[:1], names[:1]), "two pictures went in, 1 came out"),
    ("submission", "zipped", lambda x, names: zipper()(x[[0, 0]], names), "not the second one"),
    ("submission", "zipped", lambda x, names: io.BytesIO(zipper()(x, names)), "a BytesIO: return the zip's bytes"),
    ("submission", "zipped", lambda x, names: zipper()(x, names)[:500], "no whole zip"),
    ("submission", "frechet", lambda a, b, c, d: (a - c) ** 2 + abs(b**2 - d**2), "spreads 1 and 3"),
    ("submission", "frechet", lambda a, b, c, d: abs(a - c) + (b - d) ** 2, "means 0 and 3"),
    ("submission", "frechet", lambda a, b, c, d: (a - c) ** 2 + abs(b - d), "spreads 1 and 3"),
    ("submission", "frechet", lambda a, b, c, d: (a - c) ** 2 + b**2 + d**2, "means 0 and 3"),
    ("submission", "frechet", lambda a, b, c, d: (a - c) ** 2 + b + d - 2 * (b * d) ** 0.5, "spreads 1 and 3"),
    ("submission", "frechet", lambda a, b, c, d: (a - c) ** 2, "spreads 1 and 3"),
    ("submission", "frechet", lambda a, b, c, d: (b - d) ** 2, "means 0 and 3"),
    ("submission", "frechet", lambda a, b, c, d: ((a - c) ** 2 + (b - d) ** 2) ** 0.5, "means 0 and 3"),
    ("submission", "frechet", lambda a, b, c, d: (a - b) ** 2 + (c - d) ** 2, "means 0 and 3"),
    ("submission", "frechet", lambda a, b, c, d: (abs(a - c) + abs(b - d)) ** 2, "0.5 and 2"),
    ("submission", "memorization", lambda g, r: 1 - similarity(g, r).max(0).mean(), "Who is suspected"),
    ("submission", "memorization", lambda g, r: similarity(g, r).max(1).mean(), "copies get the highest"),
    ("submission", "memorization", lambda g, r: 1 - similarity(g, r).mean(), "counts for every generated"),
    ("submission", "memorization", lambda g, r: (1 - cosine(g, r)).min(1).mean(), "-2: its distance should be 0"),
    ("submission", "memorization", lambda g, r: (1 - similarity(g, r)).min(), "one copy decides alone"),
    ("submission", "memorization", lambda g, r: (1 - similarity(g, r)).max(1).mean(), "the farthest"),
    ("submission", "memorization", lambda g, r: (1 - similarity(g, r)).min(1).sum(), "depend on how many"),
    ("submission", "memorization", lambda g, r: np.median((1 - similarity(g, r)).min(1)), "the median"),
    ("submission", "memorization", lambda g, r: (1 - similarity(g, r)).min(1), "return one number"),
    ("submission", "memorization", lambda g, r: (1 - np.abs(g @ r.T)).min(1).mean(), "angles don't"),
    ("submission", "memorization",
     lambda g, r: np.linalg.norm(g[:, None] - r, axis=-1).min(1).mean(), "angles don't"),
    ("submission", "comparable", lambda a, b: a == b, "two KIDs, of 5,000 and of 300 images"),
    ("submission", "comparable", lambda a, b: True, "by Inception of 2015 and by Keras'"),
    ("submission", "comparable", lambda a, b: False, "all of whose conditions are equal"),
    ("submission", "comparable", lambda a, b: "yes", "return True or False"),
    ("submission", "comparable", lambda a, b: alike(a, b, "measure network reference filter"), "two FIDs, of 5,000"),
    ("submission", "comparable", lambda a, b: kid_or(a, b, "measure network filter"), "to the 300 Monets and to 893"),
    ("submission", "comparable", lambda a, b: kid_or(a, b, "measure network reference"), "by two filters"),
    ("submission", "comparable", lambda a, b: kid_or(a, b, "measure reference filter"), "by Inception of 2015"),
    ("submission", "comparable", lambda a, b: kid_or(a, b, "network reference filter"), "an FID and a KID"),
    ("submission", "comparable", lambda a, b: a == b or "KID" == a["measure"] == b["measure"], "by Inception and"),
    ("submission", "comparable", lambda a, b: a["images"] == b["images"], "by Inception of 2015 and by Keras'"),
    ("submission", "checkpoint", lambda rows: rows[rows[:, 1].argmin(), 0], "an earlier step"),
    ("submission", "checkpoint", lambda rows: rows[-1, 0], "the last step that"),
    ("submission", "checkpoint", lambda rows: rows[0, 0], "Whose spread"),
    ("submission", "checkpoint", lambda rows: 250, "no step of the curve"),
    ("submission", "checkpoint", lambda rows: 1, "no step of the curve"),
    ("submission", "checkpoint", lambda rows: 300, "so is an earlier one"),
    ("submission", "checkpoint", lambda rows: 200, "a curve that rises from the start"),
    ("submission", "checkpoint", lambda rows: rows[rows[:, 1] - rows[:, 2] <= rows[:, 1].min(), 0].min(), "Whose"),
    ("submission", "checkpoint", lambda rows: rows[rows[:, 1] <= rows[:, 1].min() + 0.009, 0].max(), "the last step"),
    ("submission", "checkpoint", lambda rows: rows[rows[:, 1] <= rows[:, 1].min() + 0.01, 0], "return one step"),
    ("submission", "checkpoint",
     lambda rows: rows[rows[:, 1] <= rows[:, 1].min() + rows[rows[:, 1].argmin(), 2], 0][0], "in another order"),
    ("submission", "my_way", lambda photo: photo, "the photo itself"),
    ("submission", "my_way", lambda photo: photo / 127.5 - 1, "float64; the zip takes uint8"),
    ("submission", "my_way", lambda photo: photo[::2, ::2], "128 x 128 x 3"),
    ("submission", "my_way", lambda photo: photo.mean(-1).astype(np.uint8), "shape 256 x 256, not"),
    ("submission", "my_way", lambda photo: (photo / 255).astype(np.uint8), "are black"),
    ("submission", "my_way", lambda photo: photo * 0 + 90, "a single colour"),
    ("submission", "my_way", lambda photo: 255 - photo, "changed places"),
    ("submission", "my_way", lambda photo: rng.integers(0, 256, photo.shape, np.uint8), "the scene is gone"),
    ("submission", "my_way", lambda photo: submission._scenes()[0], "one and the same painting"),
    ("submission", "my_way", lambda photo: np.ndarray.__ior__(photo, 1), "changes the photo"),
    ("submission", "my_way", lambda photo: photo[None], "shape 1 x 256 x 256 x 3"),
    ("submission", "my_way", lambda photo: print(photo.shape), "nothing here yet"),
]  # fmt: skip


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


ONE, TWO = "1 of 3 bugs left. Look ", "2 of 3 bugs left"
WRONG += [
    ("resnet", "block", lambda x, first, second: ..., "nothing here yet"),
    ("resnet", "block", block_with("padding 1", "padding 2", "order", "after"), "3 of 3 bugs left"),
    ("resnet", "block", block_with("padding 1", "padding 2"), ONE + "at the rim"),
    ("resnet", "block", block_with("padding 2"), ONE + "at the rim"),
    ("resnet", "block", block_with("order"), ONE + "inside F"),
    ("resnet", "block", block_with("after"), ONE + "at the very end"),
    ("resnet", "block", block_with("order", "after"), TWO),
    ("resnet", "block", block_with("padding 1", "after"), TWO),
    ("resnet", "block", lambda x, a, b: resnet.residual_block(x, a, b) - x, "F(x) alone"),
    ("resnet", "block", lambda x, a, b: x[:, 1:-1, 1:-1], "shape 2 x 4 x 4 x 3"),
    ("resnet", "block", lambda x, a, b: x + resnet.residual_block(x, a, b), "is not right either"),
    ("resnet", "instance_norm", lambda x: x[0], "shape 6 x 6 x 3"),
    ("resnet", "instance_norm", normed_over((0, 1, 2)), "batch norm"),
    ("resnet", "instance_norm", normed_over((1, 2, 3)), "layer norm"),
    ("resnet", "instance_norm", normed_over((0, 1, 2, 3)), "must stay apart"),
    ("resnet", "instance_norm", normed_over(3), "a place is then normed by itself"),
    ("resnet", "instance_norm", normed_over(1), "each row is normed alone"),
    ("resnet", "instance_norm", normed_over((1, 2), np.var), "divided by the variance"),
    ("resnet", "instance_norm", lambda x: x - x.mean((1, 2), keepdims=True), "contrast is still"),
    ("resnet", "instance_norm", lambda x: x / x.std((1, 2), keepdims=True), "mean is still"),
    ("resnet", "instance_norm", low_high, "minimum and maximum"),
    ("resnet", "instance_norm", lambda x: x, "mean 0 and deviation 1"),
    ("resnet", "field", lambda layers: None, "nothing here yet"),
    ("resnet", "field", lambda layers: sum(k for k, _ in layers), "two neighbouring kernels share"),
    ("resnet", "field", lambda layers: folded(layers, lambda n, k, s: n + k - 1), "after a stride of 2"),
    ("resnet", "field", lambda layers: folded(layers, lambda n, k, s: n * k), "on paper"),
    ("resnet", "field", lambda layers: folded(layers, lambda n, k, s: (n - 1) * s + k), "begins at the image"),
    ("resnet", "field", lambda layers: folded(layers[::-1], lambda n, k, s: n * s + k), "How many strides"),
    ("resnet", "field", lambda layers: folded(layers, lambda n, k, s: n * s), "how far apart"),
    ("resnet", "field", lambda layers: 70, "PatchGAN only"),
    ("resnet", "field", lambda layers: [70], "one number is wanted"),
    ("resnet", "field", lambda layers: folded(layers[::-1], lambda n, k, s: (n - 1) * s + k) + 1, "Draw the layers"),
    ("resnet", "rate", lambda step, start, constant, total: ..., "nothing here yet"),
    ("resnet", "rate", rate_of(lambda k, c, n: 1), "never falls"),
    ("resnet", "rate", rate_of(lambda k, c, n: 1 - k / n), "from the first step on"),
    ("resnet", "rate", rate_of(lambda k, c, n: k < c), "jumps to 0"),
    ("resnet", "rate", rate_of(lambda k, c, n: 1 if k < c else 1 - k / n), "jumps down"),
    ("resnet", "rate", lambda k, s, c, n: min(1, max(0, (n - k) / (n - c))), "Where is `start`"),
    ("resnet", "rate", rate_of(lambda k, c, n: max(0, k - c) / (n - c)), "it rises"),
    ("resnet", "rate", rate_of(lambda k, c, n: 0.5 + 0.5 * np.cos(np.pi * max(0, k - c) / (n - c))), "a cosine"),
    ("resnet", "rate", rate_of(lambda k, c, n: (n - k) / (n - c)), "must stay at `start`"),
    ("resnet", "rate", rate_of(lambda k, c, n: min(1, (n - k) / (n - c))), "is negative"),
    ("resnet", "rate", rate_of(lambda k, c, n: min(1, max(0, (100 - k) / 50))), "Are numbers fixed"),
    ("resnet", "rate", rate_of(lambda k, c, n: min(1, max(0, (n - k) / n + 0.4))), "1.8 at step 50"),
    ("resnet", "faults", dict.fromkeys("ABCDEF", ...), "nothing here yet"),
    ("resnet", "faults", ["transposed convolutions"], "give a dict"),
    ("resnet", "faults", {"A": "transposed convolutions"}, "B, C, D, E, F: still without"),
    ("resnet", "faults", fault_names(G="transposed convolutions"), "no run of the figure"),
    ("resnet", "faults", fault_names(A="bad luck"), "none of the names"),
    ("resnet", "faults", fault_names("ABCDEE"), "stands twice"),
    ("resnet", "faults", fault_names("BACDEF"), "4 of 6 are right. A: compare both halves"),
    ("resnet", "faults", fault_names("ABFDEC"), "4 of 6 are right. C: which of its losses"),
    ("resnet", "faults", fault_names("ABCDFE"), "4 of 6 are right. E: the curves are inconspicuous"),
    ("resnet", "faults", fault_names("BCDEFA"), "0 of 6 are right"),
    ("resnet", "ablation", ({"a": {}, "b": {"norm": "batch"}}, [0, 1]), "at least three runs"),
    ("resnet", "ablation", ({"a": {"norm": "batch"}, "b": {"ema": 0.5}, "c": {"ema": 0.0}}, [0, 1]), "nothing to"),
    ("resnet", "ablation", ablated(norm="batch", ema=0.0), "at once"),
    ("resnet", "ablation", ablated(size=3), "no setting named"),
    ("resnet", "ablation", ablated(norm="none"), "has anyway"),
    ("resnet", "ablation", ablated(seed=3), "changes the seed"),
    ("resnet", "ablation", ablated(log_every=5), "changes nothing of what is learnt"),
    ("resnet", "ablation", ablated(steps=9), "changes nothing of what is learnt"),
    ("resnet", "ablation", ablated(start_from="models"), "more training"),
    ("resnet", "ablation", ablated(ema=0.0), "two of the runs are the same"),
    ("resnet", "ablation", ablated(norm="batch", seeds=[3, 3]), "one seed"),
]


@pytest.mark.parametrize(("module", "check", "answer", "hint"), WRONG)
def test_wrong_answers_are_refused_with_the_right_hint(module, check, answer, hint):
    if check == "chain":
        tf.random.set_seed(None)  # a seed of earlier tests makes all passes of a chain equal
    if check == "painter":
        photos, monets = held_out()
        answer = answer(photos, monets), photos, monets
    assert hint in (getattr(LESSONS[module], f"check_{check}").hint(answer) or "accepted")
