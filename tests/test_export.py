"""A generator as an ONNX file: the same pixels as Keras, whatever the network, and no TensorFlow to paint with."""

import json
import os
import shutil
import zipfile

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from PIL import Image

from monet_lib import cli
from monet_lib.files import COURSE, UserError
from monet_lib.model.networks import generator_of, with_border
from monet_lib.model.weights import load_generator, save_generator
from monet_lib.paint import SHIPPED_PAINTER, Painter, paint_large, read_photo, shipped_generator
from monet_lib.paint.onnx_export import export_painter, surroundings
from monet_lib.paint.painting import fingerprint
from monet_lib.recipes import profile

SMALL = {"generator_filters": 4, "residual_blocks": 2, "unet_depth": 5, "image_size": 64}


def lively(config, seed=0):
    """A generator whose every weight matters, norms' and biases' too, as after training."""
    rng = np.random.default_rng(seed)
    generator = generator_of(config)
    weights = []
    for weight in generator.get_weights():
        if weight.ndim == 4:
            weight = rng.normal(0, np.sqrt(2 / np.prod(weight.shape[:3])), weight.shape)
        elif weight.size:  # scales and variances are positive
            weight = weight + rng.uniform(0.05, 0.2, weight.shape)
        weights.append(weight)
    generator.set_weights(weights)
    return with_border(generator, config.border)


KINDS = [
    {"norm": "none", "border": 24},
    {"norm": "instance", "upsample": "transpose"},
    {"norm": "group"},
    {"norm": "batch", "residual_output": True},
    {"model": "unet", "norm": "instance"},
    {"model": "unet", "norm": "batch", "upsample": "transpose", "border": 8},
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_every_network_paints_the_same_as_in_keras(kind, tmp_path):
    config = profile("tiny", **SMALL, **kind)
    generator = lively(config)
    assert export_painter(generator, config, tmp_path / "painter.onnx") <= 1
    painter = Painter(tmp_path / "painter.onnx")
    rng = np.random.default_rng(1)
    for size in ((64, 64), (3, 9), (90, 133), (200, 71)):
        photo = rng.integers(0, 256, (*size, 3), np.uint8)
        expected = paint_large(generator, photo).astype(int)
        assert np.abs(painter(photo[None])[0] - expected).max() <= 1
        assert np.ptp(expected) > 50
    assert painter.config == config.settings()
    assert painter.surroundings == surroundings(config)
    photos = rng.integers(0, 256, (3, 80, 96, 3), np.uint8)
    alone = np.concatenate([painter(photo[None]) for photo in photos]).astype(int)
    assert np.abs(painter(photos) - alone).max() <= 1  # a batch is painted like its photos


class Negative(keras.layers.Activation):
    """Is exported as the activation that it inherits from, which gives other pixels."""

    def call(self, x):
        return -super().call(x)


def test_a_file_that_paints_differently_is_not_written(tmp_path):
    config = profile("tiny", **SMALL)
    generator = lively(config)
    other = keras.Model(generator.input, Negative("linear")(generator.output))
    with pytest.raises(UserError, match=r"would paint up to \d+ of 255 levels away from Keras"):
        export_painter(other, config, tmp_path / "painter.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("blocks", [2, 6, 9])
def test_what_a_network_sees_is_where_its_gradient_is_not_zero(blocks):
    """With respect to the photo; with positive weights no ReLU is off."""
    config = profile("tiny", **SMALL | {"residual_blocks": blocks}, norm="none")
    generator = generator_of(config)
    generator.set_weights([0.1 * np.abs(w) + 1e-3 for w in generator.get_weights()])
    reaches = []
    for place in range(120, 124):  # the four pixels of one of the coarse grid
        photo = tf.zeros((1, 240, 240, 3))
        with tf.GradientTape() as tape:
            tape.watch(photo)
            pixel = tf.reduce_sum(generator(photo)[:, place, place])
        rows = np.flatnonzero(tape.gradient(pixel, photo).numpy()[0].any((1, 2)))
        reaches += [place - rows[0], rows[-1] - place]
    assert max(reaches) == surroundings(config) == {2: 31, 6: 63, 9: 87}[blocks]


def another_network(file):
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 3]) for n in "xy"]
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), file)


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda file: None, "no such file"),
        (lambda file: file.write_bytes(b""), "not a readable painter"),
        (lambda file: file.write_bytes(b"\x08\x08onnx?"), "not a readable painter"),
        (lambda file: file.write_bytes(b"<html>"), "not a readable painter"),
        (another_network, "its input is no photo"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, write, says):
    write(tmp_path / "painter.onnx")
    with pytest.raises(UserError, match=says) as raised:
        Painter(tmp_path / "painter.onnx")
    assert "\n" not in str(raised.value)


def test_the_shipped_painter_is_the_shipped_generator():
    """Else: python tools/ship_generator.py --painter writes models/monet.onnx anew."""
    painter = Painter(SHIPPED_PAINTER)
    generator, config = shipped_generator()
    assert SHIPPED_PAINTER.stat().st_size < 1.2e6
    assert painter.surroundings == surroundings(config)
    photo = read_photo(COURSE / "data" / "photos" / "brook.jpg")[:200, :301]
    assert np.abs(painter(photo[None])[0] - paint_large(generator, photo).astype(int)).max() <= 1


def test_a_painter_takes_as_many_threads_as_the_process_may_use_cores(monkeypatch):
    """With two on one core, as a scheduler may leave, painting took twice as long."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    session, threads = onnxruntime.InferenceSession, []

    def noted(data, options, providers):
        threads.append(options.intra_op_num_threads)
        return session(data, options, providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", noted)
    Painter(SHIPPED_PAINTER)
    assert threads == [1]


@pytest.fixture
def run(tmp_path, data_folder):
    """A run with a last and a best generator, and with an .onnx of another generator, newer than both."""
    config, folder = profile("tiny", **SMALL | {"residual_blocks": 1}, norm="none"), tmp_path / "run"
    best = folder / "checkpoints" / "best"
    best.mkdir(parents=True)
    for seed, file in enumerate((folder / "generator.npz", best / "generator.npz")):
        save_generator(file, lively(config, seed), config)
    (best / "score.json").write_text(json.dumps({"step": 4, "score": 0.125}))
    described = {name: {"count": 1, "sha256": ""} for name in ("monet", "photo")}
    described |= {"folder": str(data_folder), "format": "jpg"}
    (folder / "config.json").write_text(json.dumps({"config": config.settings(), "data": described}))
    shutil.copyfile(SHIPPED_PAINTER, folder / "painter.onnx")
    os.utime(folder / "painter.onnx", (2**32, 2**32))
    return folder


def test_the_generator_that_a_run_holds_paints(run, tmp_path, capsys):
    """The best one by validation, after a copy too, and the last one after checkpoints/best is removed."""
    photo = read_photo(tmp_path / "data" / "photo_jpg" / "photo00.jpg")
    last, best = (
        paint_large(load_generator(run / name)[0], photo).astype(int)
        for name in ("generator.npz", "checkpoints/best/generator.npz")
    )
    copy = tmp_path / "copy"
    shutil.copytree(run, copy, copy_function=shutil.copyfile)  # as `cp -r` copies, with new dates
    shutil.rmtree(run / "checkpoints" / "best")
    for folder, expected, other, says in (
        (copy, best, last, f"{copy}: painting with the best generator by validation (step 4, KID 0.12500)"),
        (run, last, best, f"{run}: painting with the last generator"),
    ):
        out = folder / "images.zip"
        assert cli.main(["submit", "--run", str(folder), "--out", str(out)]) == 0
        assert capsys.readouterr().out.count(says) == 1
        with zipfile.ZipFile(out) as archive:
            painted = np.asarray(Image.open(archive.open("photo00.jpg"))).astype(int)
        assert np.abs(painted - expected).mean() < np.abs(painted - other).mean() / 4  # a JPEG
    assert cli.main(["export", "--run", str(run), "--out", str(tmp_path / "own.onnx")]) == 0
    assert f"{run}: painting with the last generator" in capsys.readouterr().out
    assert np.abs(Painter(tmp_path / "own.onnx")(photo[None])[0] - last).max() <= 1
    weights = Painter(tmp_path / "own.onnx").weights
    assert weights == fingerprint(load_generator(run / "generator.npz")[0])
    assert cli.main(["translate", "--generator", str(tmp_path / "own.onnx"), str(tmp_path / "data" / "photo_jpg"),
                     "--out", str(tmp_path / "painted")]) == 0  # fmt: skip
    assert f"painting with {tmp_path / 'own.onnx'}; weights {weights}" in capsys.readouterr().out
