"""What a training step needs to know of `tf.distribute`: how many replicas, whose rows, one sum for all."""

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
