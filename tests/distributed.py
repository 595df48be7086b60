"""Train a few steps of a small model and save its weights: python distributed.py {one,mirrored} OUT.npz.

A process of its own, since logical devices must be set up before TensorFlow starts.
"""

import sys

import numpy as np
import tensorflow as tf

from monet_lib.config import profile
from monet_lib.devices import strategy
from monet_lib.pipeline import UnpairedBatches, training_data
from monet_lib.training import build


def main(kind, out):
    if kind == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    scope = strategy(kind)
    config = profile(
        "tiny", image_size=32, crop=64, batch_size=2, generator_filters=2, residual_blocks=1, discriminator_filters=2,
        pool_size=0, diff_augment="color,translation,cutout", r1_weight=0.1, identity_until=1.0,
    )  # fmt: skip
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 256, 256, 3), np.uint8)
    with scope.scope():
        model = build(config, steps=10)
    losses = model.fit(
        training_data(UnpairedBatches(*images, config), 0, 3), verbose=0, shuffle=False
    ).history
    np.savez(out, losses=[losses[k][-1] for k in sorted(losses)], replicas=scope.num_replicas_in_sync,
             weights=np.concatenate([np.ravel(w) for w in model.get_weights()]))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
