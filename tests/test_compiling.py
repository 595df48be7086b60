"""How steps are run: few of them eagerly; and XLA is a measured choice, which leaves no trace in the model."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from monet_lib.data.batches import UnpairedBatches, training_data
from monet_lib.model.cyclegan import build
from monet_lib.train import compiling
from monet_lib.train.loop import FEW, STEPS, WORTH_IT, compile_if_quicker, run_few_eagerly, step_seconds


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["GPU:0"])


class Model(SimpleNamespace):
    """Knows how it is to be compiled, and whether that has reached the function that takes its steps."""

    def __init__(self, devices=1):
        strategy = SimpleNamespace(num_replicas_in_sync=devices)
        super().__init__(distribute_strategy=strategy, jit_compile=None, takes=None)

    def make_train_function(self, force=False):
        assert force, "without it the old one is kept"
        self.takes = self.jit_compile


def measured(monkeypatch, plain, compiled):
    def seconds(model, data, xla):
        model.jit_compile = xla
        if xla and compiled is None:
            raise tf.errors.InvalidArgumentError(None, None, "no kernel")
        return compiled if xla else plain

    monkeypatch.setattr(compiling, "step_seconds", seconds)


@pytest.mark.parametrize(("plain", "compiled", "on"), [(2.0, 1.0, True), (1.0, 2.0, False), (1.0, None, False)])
def test_the_quicker_way_is_taken(plain, compiled, on, gpu, monkeypatch, capsys):
    measured(monkeypatch, plain, compiled)
    model = Model()
    assert compile_if_quicker(model, None, WORTH_IT) == on
    assert model.jit_compile is on
    assert model.takes is on
    assert capsys.readouterr().out.startswith(f"XLA {'on' if on else 'off'}: ")


def test_nothing_is_measured_without_a_gpu_for_few_steps_or_on_several_devices(gpu, monkeypatch, capsys):
    measured(monkeypatch, 2.0, 1.0)
    asked = [(Model(), WORTH_IT - 1), (Model(devices=2), WORTH_IT)]
    assert not any(compile_if_quicker(model, None, steps) for model, steps in asked)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    asked.append((Model(), WORTH_IT))
    assert not compile_if_quicker(*asked[-1][:1], None, WORTH_IT)
    assert all(model.jit_compile is None for model, _ in asked)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("steps", "devices", "eagerly"), [(FEW, 1, True), (FEW + 1, 1, False), (FEW, 2, False)])
def test_few_steps_on_one_device_are_not_traced(steps, devices, eagerly):
    run_few_eagerly(model := Model(devices), steps)
    assert model.run_eagerly is eagerly


def test_measuring_leaves_the_model_as_it_was(nano, monkeypatch):
    """The first step, which builds the graph, is not counted; the clock here gives it 60 s, and the others 2 s."""
    reads = iter([60.0 + 2.0 * k for k in range(1 + STEPS)])
    monkeypatch.setattr(compiling, "time", SimpleNamespace(monotonic=lambda: next(reads)))
    config = nano.with_(pool_size=3)
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 256, 256, 3), np.uint8)
    model = build(config, 100)
    parts = (model, model.generator_optimizer, model.discriminator_optimizer)
    before = [v.numpy() for part in parts for v in part.variables]
    data = training_data(UnpairedBatches(*images, config), 0, 100)
    assert step_seconds(model, data, False) == 2.0
    assert int(model.step) == 0
    after = [v.numpy() for part in parts for v in part.variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    model.train_function(iter(data))
    assert int(model.step) == 1, "it did take steps"
