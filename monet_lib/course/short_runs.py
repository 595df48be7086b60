"""Trainings of a few steps on small images, without a run's folder: what a lesson shows while the reader waits."""

import time
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from monet_lib.config import Config
from monet_lib.data.batches import UnpairedBatches, training_data
from monet_lib.data.reading import to_float
from monet_lib.model.augment import DRAWS, diff_augment
from monet_lib.model.cyclegan import LOSSES, CycleGAN, build
from monet_lib.model.losses import discriminator_loss
from monet_lib.train.loop import FEW


def shrunk(pixels: np.ndarray, size: int) -> np.ndarray:
    """uint8 (n, 256, 256, 3) as float32 (n, size, size, 3) in [-1, 1]."""
    resized = tf.image.resize(to_float(pixels), (size, size), antialias=True)
    return tf.clip_by_value(resized, -1.0, 1.0).numpy()  # the sum of the weights may be a little above 1


def short_run(
    config: Config, monets: np.ndarray, photos: np.ndarray, steps: int
) -> tuple[CycleGAN, dict[str, np.ndarray]]:
    """Train a CycleGAN of `config` for a few steps without a run's folder.

    Returns (model, {"step", "seconds", each loss: array (steps,)}); seconds of each step, the first with its tracing.
    """
    model = build(config, steps)
    take = tf.function(model.train_step, jit_compile=False) if steps > FEW else model.train_step
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


def teach_discriminator(
    discriminator: keras.Model,
    monets: np.ndarray,
    photos: np.ndarray,
    steps: int,
    rate: float = 1e-3,
    policy: str = "",
    watch: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Teach a discriminator to tell paintings from photos, both (n, h, w, 3) in [-1, 1], by BCE and Adam.

    policy: what `diff_augment` does to everything that it sees in training. watch: {name: images (n, h, w, 3)}, whose
    mean logits are noted about 20 times. Returns {"step", "loss", each name of `watch`: float array}.
    """
    rng, optimizer = np.random.default_rng(seed), keras.optimizers.Adam(rate, 0.5)
    optimizer.build(discriminator.trainable_variables)

    @tf.function(jit_compile=False)
    def step(real, fake, draws):
        with tf.GradientTape() as tape:
            logits = [discriminator(diff_augment(x, draws, policy), training=True) for x in (real, fake)]
            loss = discriminator_loss(*logits, "bce")
        gradients = tape.gradient(loss, discriminator.trainable_variables)
        optimizer.apply(gradients, discriminator.trainable_variables)
        return loss

    watch, losses = watch or {}, []
    found = {name: [] for name in ("step", "loss", *watch)}
    for k in range(1, steps + 1):
        pair = (images[rng.integers(0, len(images), 4)] for images in (monets, photos))
        losses.append(float(step(*(tf.constant(x, tf.float32) for x in (*pair, rng.random((4, DRAWS)))))))
        if k % max(1, steps // 20) == 0:
            means = [float(tf.reduce_mean(discriminator(x))) for x in watch.values()]
            for name, value in zip(found, (k, np.mean(losses), *means), strict=True):
                found[name].append(value)
            losses = []
    return {name: np.array(values) for name, values in found.items()}
