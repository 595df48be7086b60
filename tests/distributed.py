"""Train a small model on several devices: python distributed.py KIND DATA RUN WEIGHTS.npz.

KIND: one, mirrored or multiworker. All but "one" stop after the first step and go on from there. A process of its own,
since logical devices must be set up before TensorFlow starts. Two steps are enough: Adam divides each gradient by its
size, so that where one is next to nothing its rounding alone sets the direction, and runs part from there on.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from monet_lib.config import profile
from monet_lib.training import train
from monet_lib.workers import is_chief


class StopChief(keras.callbacks.Callback):
    """What a time budget does: one machine's clock stops all of them."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0 and is_chief(self.model.distribute_strategy):
            self.model.stop_training = True


def main(kind, data, run, out):
    if kind == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    config = profile(
        "tiny", image_size=32, crop=64, batch_size=2, generator_filters=2, residual_blocks=1, discriminator_filters=2,
        pool_size=2, diff_augment="color,translation,cutout", r1_weight=0.1, identity_until=1.0, steps=2, log_every=1,
        feature_discriminator=0.5,
    )  # fmt: skip
    if kind != "one":
        train(config, data, run, devices=kind, callbacks=[StopChief()])
    model = train(config, data, run, devices=kind)
    np.savez(out, replicas=model.distribute_strategy.num_replicas_in_sync,
             weights=np.concatenate([np.ravel(w) for w in model.get_weights()]))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
