"""What a training step does by `tf.distribute`: how many replicas, whose rows, one sum and one average for all."""

from typing import Any

import tensorflow as tf


def replicas() -> int:
    """How many devices share the global batch."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def global_draws(seed: int, step: int | tf.Tensor, stream: int, batch: int, columns: int) -> tf.Tensor:
    """Uniform numbers in [0, 1), (global batch, columns), the same on every replica.

    A function of (seed, step, stream): a resumed run draws the same numbers again. batch: this replica's.
    """
    return tf.random.stateless_uniform((batch * replicas(), columns), [seed * 8 + stream, step])


def own_rows(draws: tf.Tensor) -> tf.Tensor:
    """This replica's rows of what was drawn for the global batch."""
    local = draws.shape[0] // replicas()
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return draws[replica * local : (replica + 1) * local]


def summed(losses: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """A dict of scalars, each summed over the replicas."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, losses)


def follow(averaged: Any, network: Any, step: tf.Tensor, decay: float) -> None:
    """Move every weight of `averaged` towards the same one of `network` by the share 1 - decay, on every replica.

    So `averaged` is an exponential moving average, which changes less from step to step. The decay of the first steps
    is lower, so that the first weights, which are noise, are soon forgotten. step: steps taken before, a scalar.
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
