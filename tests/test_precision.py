"""float16 with loss scaling: an overflow is left out, the scale recovers, a resumed run goes on exactly."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inputs import sixteen_bits

from monet_lib.model import state
from monet_lib.model.cyclegan import build
from monet_lib.model.layers import pick_precision
from monet_lib.model.state import ScaledAdam
from monet_lib.train.run import Checkpoints

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [
        ([(6, 0)], "float32"),  # P100
        ([(7, 0)], "mixed_float16"),  # V100
        ([(8, 0)], "mixed_bfloat16"),  # A100
        ([(9, 0), (7, 5)], "mixed_float16"),  # the slowest decides
        ([()], "float32"),  # a driver that tells nothing
    ],
)
def test_a_gpus_compute_capability_decides(abilities, expected, monkeypatch):
    details = [{"compute_capability": ability} if ability else {} for ability in abilities]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(range(len(details))))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details.__getitem__)
    assert pick_precision() == expected
    assert pick_precision("float32") == "float32"


@pytest.mark.parametrize(
    ("flags", "most", "expected"),
    [
        ("avx2 avx512_bf16", None, "mixed_bfloat16"),
        ("amx_bf16", None, "mixed_bfloat16"),
        ("avx2", None, "float32"),
        ("amx_bf16", "AVX2", "float32"),
    ],
)
def test_precision_follows_the_processor_and_what_onednn_may_use(flags, most, expected, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr("monet_lib.model.layers.Path.read_text", lambda self: f"flags : {flags}")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if most:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", most)
    assert pick_precision() == expected


@pytest.fixture
def float16(nano):
    return nano.with_(precision="mixed_float16", norm="none", discriminator_norm="instance", pool_size=2, ema=0.9)


def batch(scale=1.0):
    return tuple(tf.constant(scale * rng.uniform(-1, 1, (1, 32, 32, 3)), tf.float32) for _ in range(2))


def values(model):
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    return [v.numpy() for part in (model, *optimizers) for v in part.variables]


def scale_of(optimizer):
    return float(optimizer.loss_scale.numpy())


@sixteen_bits
def test_scaled_steps_follow_those_in_float32(float16):
    """The update of one step, in the direction and the size that float32 gives it."""
    moved = []
    pair = batch()
    for precision in ("mixed_float16", "float32"):
        model, scale = build(float16.with_(precision=precision), 10), 1.0
        if precision == "mixed_float16":
            scale = 2.0**8
            model.generator_optimizer.loss_scale.assign(scale)
        gradients = model.gradients(pair)[0]
        moved.append(np.concatenate([np.ravel(g) for g in gradients]) / scale)
    got, wanted = moved
    assert got @ wanted / np.linalg.norm(got) / np.linalg.norm(wanted) > 0.99
    assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(wanted), rel=0.05)


@sixteen_bits
def test_an_overflow_is_left_out_and_the_scale_recovers(float16, monkeypatch):
    monkeypatch.setattr(state, "GROWTH", 2)
    model = build(float16, 10)
    step, optimizer = tf.function(model.train_step), model.generator_optimizer
    optimizer.loss_scale.assign(2.0**40)  # no gradient fits into 16 bits times this
    before = [v.numpy() for v in model.generator_variables]
    step(batch())
    assert all((v.numpy() == w).all() for v, w in zip(model.generator_variables, before, strict=True))
    assert scale_of(optimizer) == 2.0**39
    assert int(model.step) == 1, "data, draws and learning rate go on"
    optimizer.loss_scale.assign(2.0**8)
    step(batch())
    assert any((v.numpy() != w).any() for v, w in zip(model.generator_variables, before, strict=True))
    assert all(np.isfinite(value).all() for value in values(model))
    assert scale_of(optimizer) == 2.0**8
    step(batch())
    assert scale_of(optimizer) == 2.0**9, "doubled after two steps that fit"


def test_a_scale_of_one_is_adam():
    """The same gradients, the same weights, to rounding; powers of two don't even round."""
    start = np.float32([1.0, -2.0, 3.0])
    ends = []
    for adam in (keras.optimizers.Adam(0.1, beta_1=0.5), ScaledAdam(0.1, beta_1=0.5)):
        weight = keras.Variable(start)
        adam.build([weight])
        for gradient in np.float32([[1, 2, 3], [-1, 0.5, 1e-9], [0, 1, 1]]):
            scale = adam.loss_scale.numpy() if isinstance(adam, ScaledAdam) else 1.0
            adam.apply([tf.constant(gradient * scale)], [weight])
        ends.append(weight.numpy())
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("precision", ["float32", *(
    pytest.param(name, marks=sixteen_bits) for name in ("mixed_bfloat16", "mixed_float16"))])  # fmt: skip
@pytest.mark.parametrize("model", ["resnet", "unet"])
def test_white_and_black_pictures_leave_everything_finite(nano, model, precision):
    """They have no spread, which norms and the colour loss divide by."""
    config = nano.with_(model=model, unet_depth=3, norm="instance", precision=precision, tone_weight=4.0,
                        color_weight=10.0, diff_augment="color,translation")  # fmt: skip
    gan = build(config, 4)
    white = tf.ones((1, 32, 32, 3))
    step = tf.function(gan.train_step)
    for pair in ((white, -white), (-white, white), (white, white)):
        assert all(np.isfinite(float(loss)) for loss in step(pair).values())
    assert all(np.isfinite(value).all() for value in values(gan))
    assert all(np.isfinite(gan.painter(image)).all() for image in (white, -white))


@sixteen_bits
def test_a_resumed_run_has_the_same_scale_to_the_last_bit(float16, tmp_path):
    pairs, ends = [batch() for _ in range(3)], []
    for stop in (False, True):
        model = build(float16, 10)
        model.generator_optimizer.loss_scale.assign(2.0**40)
        for number, pair in enumerate(pairs, 1):
            model.train_step(pair)
            if stop and number == 2:
                Checkpoints(tmp_path, model).save(2)
                model = build(float16, 10)
                assert Checkpoints(tmp_path, model).restore() == 2
        ends.append((scale_of(model.generator_optimizer), int(model.step), values(model)))
    assert ends[0][:2] == ends[1][:2] == (2.0**37, 3)
    assert all((a == b).all() for a, b in zip(ends[0][2], ends[1][2], strict=True))
