"""The averaged generator: an exponential moving average of the weights, which changes less from step to step."""

from typing import Any

import tensorflow as tf


def follow(averaged: Any, network: Any, step: tf.Tensor, decay: float) -> None:
    """Move every weight of `averaged` towards the same one of `network` by the share 1 - decay, on every replica.

    The decay of the first steps is lower, so that the first weights, which are noise, are soon forgotten. step: steps
    taken before this one, a scalar.
    """
    step = tf.cast(step, tf.float32)
    rate = 1.0 - tf.minimum(decay, (1.0 + step) / (10.0 + step))
    pairs = list(zip(averaged.weights, network.weights, strict=True))

    def update(strategy, rate):
        rate = strategy.experimental_local_results(rate)[0]
        for average, weight in pairs:
            strategy.extended.update(
                average.value, lambda a, w, r: a.assign_add(r * (w - a)), args=(weight.value, rate)
            )

    tf.distribute.get_replica_context().merge_call(update, args=(rate,))
