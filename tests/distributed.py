"""Train a small model on several devices: python distributed.py KIND DATA RUN WEIGHTS.npz.

KIND: one, mirrored or overflow. "mirrored" stops after the first step, resumes there, and then tries how two devices
paint and share a batch. A process of its own, since logical devices must be set up before TensorFlow starts. Two steps
are enough: Adam divides each gradient by its size. Where a gradient is nearly zero, its rounding alone sets the
direction, and from there on the weights differ.
"""

import sys

import numpy as np
import pytest
import tensorflow as tf
from inputs import SMALLEST, At, weights

from monet_lib.files import UserError
from monet_lib.model.cyclegan import build
from monet_lib.paint.painting import paint
from monet_lib.recipes import profile
from monet_lib.train.loop import strategy, train


def main(kind, data, run, out):
    if kind != "one":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    config = profile(
        "tiny", **SMALLEST, crop=64, batch_size=2, pool_size=2, diff_augment="color,translation,cutout", r1_weight=0.1,
        steps=2, log_every=1, feature_discriminator=0.5, color_weight=10.0,
    )  # fmt: skip
    if kind == "overflow":
        return an_overflow_on_one_device_is_left_out_on_both(config)
    if kind == "mirrored":
        # As a time budget stops it.
        train(config, data, run, devices=kind, callbacks=[At(1, lambda model: setattr(model, "stop_training", True))])
    model = train(config, data, run, devices=kind)
    np.savez(out, replicas=model.distribute_strategy.num_replicas_in_sync, weights=weights(model))
    if kind == "mirrored":
        eight_photos_give_eight_paintings(model)
        the_batch_decides_how_many_devices()
        print("all as with one device")


def eight_photos_give_eight_paintings(model):
    photos = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    assert paint(model.averaged_generator, photos).shape == photos.shape
    alone = paint(model.averaged_generator, photos[5:6])[0]
    np.testing.assert_allclose(paint(model, photos)[5].astype(int), alone, atol=1)


def the_batch_decides_how_many_devices():
    counts = [strategy("auto", batch).num_replicas_in_sync for batch in (1, 2, 3, 8)]
    assert counts == [1, 2, 1, 2], counts
    assert strategy("one", 8).num_replicas_in_sync == 1
    with pytest.raises(UserError, match="batch_size: 3 is no multiple of the 2 devices"):
        strategy("mirrored", 3)


def an_overflow_on_one_device_is_left_out_on_both(config):
    """The second device's gradients overflow, the first's don't."""
    scope = strategy("mirrored", 2)
    with scope.scope():
        model = build(config.with_(precision="mixed_float16", norm="none", r1_weight=0.0, diff_augment=""), 10)
        model.generator_optimizer.loss_scale.assign(2.0**8)
    adam, weight = model.generator_optimizer, model.generator_variables[0]
    before = weight.numpy()

    def step(factors):
        # Gradients of 1, times the factor on the first and on the second device.
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        adam.apply([tf.ones(v.shape) * factors[replica] for v in model.generator_variables], model.generator_variables)

    take = tf.function(lambda factors: scope.run(step, (factors,)))  # traced once: a second trace confuses the devices
    for factors, scale, moves in (([1.0, np.inf], 2.0**7, False), ([1.0, 1.0], 2.0**7, True)):
        take(tf.constant(factors))
        assert float(adam.loss_scale.numpy()) == scale
        for copy in scope.experimental_local_results(weight.value):
            assert (copy.numpy() != before).any() == moves
            assert np.isfinite(copy.numpy()).all()
    print("left out on both")


if __name__ == "__main__":
    main(*sys.argv[1:])
