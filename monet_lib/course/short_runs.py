"""Trainings of a few steps on small images, without a run's folder: what a lesson shows while the reader waits."""

import time

import numpy as np
import tensorflow as tf

from monet_lib.data.competition import to_float
from monet_lib.data.pipeline import UnpairedBatches, training_data
from monet_lib.gan.builder import build
from monet_lib.gan.losses import LOSSES


def shrunk(pixels, size):
    """uint8 (n, 256, 256, 3) as float32 (n, size, size, 3) in [-1, 1]."""
    return tf.image.resize(to_float(pixels), (size, size), antialias=True).numpy()


def short_run(config, monets, photos, steps):
    """Train a CycleGAN of `config` for a few steps without a run's folder.

    Returns (model, {"step", "seconds", each loss: array (steps,)}); seconds of each step, the first with its tracing.
    """
    model = build(config, steps)
    # Tracing the graph costs as much as a few dozen small steps: not worth it for fewer.
    take = tf.function(model.train_step, jit_compile=False) if steps > 8 else model.train_step
    rows, clock = [], [time.perf_counter()]
    for pair in training_data(UnpairedBatches(monets, photos, config), 0, steps):
        losses = take(pair)
        rows.append([float(losses[name]) for name in LOSSES])
        clock.append(time.perf_counter())
    return model, {
        "step": np.arange(1, steps + 1),
        "seconds": np.diff(clock),
        **dict(zip(LOSSES, np.array(rows).T, strict=True)),
    }
