"""How the training step is run: eagerly in a run of few steps; else traced, and compiled by XLA where that is quicker.

The last is measured on the GPU at hand when a run begins, not taken from another one.
"""

import time
from typing import Any

import tensorflow as tf

STEPS = 5  # that are timed either way, after one that builds the graph
FEW = 6  # steps of a run up to which tracing them takes longer than they do
WORTH_IT = 2000  # steps from which on a run is long enough to measure first


def compile_if_quicker(model: Any, data: tf.data.Dataset, steps: int) -> bool:
    """Let XLA compile the CycleGAN's step if that is quicker on this GPU; returns whether, and says so.

    data: the batches of the run; steps: how many are to come. The model's state is as before. Nothing is measured and
    nothing changes on a CPU, where XLA is slower (benchmarks/README.md), for a short run, and on several GPUs, whose
    variables XLA can't compile together.
    """
    alone = model.distribute_strategy.num_replicas_in_sync == 1
    if steps < WORTH_IT or not alone or not tf.config.list_logical_devices("GPU"):
        return False
    plain = step_seconds(model, data, False)
    try:
        compiled = step_seconds(model, data, True)
    except tf.errors.OpError:  # an operation has no kernel there, or memory ran out
        compiled = float("inf")
    model.jit_compile = compiled < plain
    model.make_train_function(force=True)
    chosen = "on" if model.jit_compile else "off"
    print(f"XLA {chosen}: {compiled:.3g} s a step with it, {plain:.3g} s without")
    return model.jit_compile


def run_few_eagerly(model: Any, steps: int) -> None:
    """Let a run of few steps take them eagerly, on one device.

    steps: of the whole run and not of what is left, so that a resumed run computes as it began.
    """
    model.run_eagerly = steps <= FEW and model.distribute_strategy.num_replicas_in_sync == 1


def step_seconds(model: Any, data: tf.data.Dataset, compiled: bool) -> float:
    """Seconds of a training step, taken as `fit` takes it and undone: all variables get their values back.

    compiled: by XLA.
    """
    parts = (model, model.generator_optimizer, model.discriminator_optimizer)
    state = [(variable, variable.numpy()) for part in parts for variable in part.variables]
    model.jit_compile = compiled
    model.make_train_function(force=True)
    batches, times = iter(data), []
    try:
        for _ in range(1 + STEPS):
            float(model.train_function(batches)["cycle"])  # waits for the device
            times.append(time.monotonic())
    finally:
        for variable, value in state:
            variable.assign(value)
    return (times[-1] - times[0]) / STEPS
