"""Training on several machines at once: each one's share of a batch, and who writes the run's folder.

The same command runs on every machine (`tf.distribute.MultiWorkerMirroredStrategy`). All compute the same weights.
The first, the chief, keeps the run's folder; the others write theirs to a temporary one and read the chief's when
they resume, so it must lie on a disk that all of them see.
"""

import contextlib
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from monet_lib.data.pipeline import training_data
from monet_lib.errors import UserError


def is_chief(scope):
    """Whether this process is the one that writes: of one machine always, of several the first."""
    resolver = scope.cluster_resolver
    if not resolver or resolver.task_type is None:
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0)


@contextlib.contextmanager
def folder_of(scope, out):
    """The folder to write a run to: `out` for the chief, a temporary one for the other machines."""
    if is_chief(scope):
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "run"


def restore_together(scope, checkpoints, shared):
    """Resume every machine from the chief's newest whole checkpoint; returns its step, 0 if there is none.

    checkpoints: this machine's. shared: the chief's checkpoint folder, as seen from here. Raises UserError on a machine
    that can't read it.
    """
    if not isinstance(scope, tf.distribute.MultiWorkerMirroredStrategy):
        return checkpoints.restore()
    chief = is_chief(scope)
    step = checkpoints.restore() if chief else 0
    # The others wait here for the chief's step, so that they read what it has made sure of.
    step = from_first(scope, step)
    if step and not chief:
        checkpoints.read(Path(shared) / f"step-{step:08d}")
    return step


def fit_on(scope, model, batches, start, stop, callbacks=()):
    """`model.fit` on the batches of steps `start` to `stop` - 1, also over several machines.

    There each machine takes its part of every batch, in a loop of our own: Keras 3's `fit` can't reduce a pair of
    images over machines. Callbacks are called on all of them; it is the chief's that can stop training. Raises
    UserError on the others when one machine has stopped.
    """
    if not isinstance(scope, tf.distribute.MultiWorkerMirroredStrategy):
        data = training_data(batches, start, stop)
        return model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=list(callbacks))
    with scope.scope():
        calls = keras.callbacks.CallbackList(list(callbacks), add_history=True, model=model, epochs=1)

    @tf.function(jit_compile=False)
    def step(pair):
        return scope.run(model.train_step, args=(pair,))

    model.stop_training = False
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    try:
        for number, pair in enumerate(_shares(scope, batches, start, stop)):
            calls.on_train_batch_begin(number)
            # The losses are summed over the replicas already, so each has them all.
            logs = {name: scope.experimental_local_results(loss)[0] for name, loss in step(pair).items()}
            calls.on_train_batch_end(number, logs)
            # Clocks differ from machine to machine; all must stop after the same step. At the end all wait for all.
            if from_first(scope, int(model.stop_training)):
                break
    except (tf.errors.UnavailableError, tf.errors.AbortedError):
        raise UserError(
            "another machine has stopped. Start the command on all of them again: they go on from the last checkpoint."
        ) from None
    calls.on_epoch_end(0, logs)
    calls.on_train_end(logs)
    from_first(scope, 0)
    return model.history


def _shares(scope, batches, start, stop):
    def mine(context):
        share = batches.config.batch_size // context.num_input_pipelines
        first = context.input_pipeline_id * share
        data = training_data(batches, start, stop).map(
            lambda *pair: tuple(images[first : first + share] for images in pair)
        )
        each = context.get_per_replica_batch_size(batches.config.batch_size)
        return data.unbatch().batch(each, drop_remainder=True)

    return scope.distribute_datasets_from_function(mine)


def from_first(scope, number):
    """The integer that the first replica, which is the chief's, was given; waits until all machines ask."""
    return int(scope.experimental_local_results(_agree(scope, tf.constant(number, tf.int64)))[0])


@tf.function
def _agree(scope, number):
    def own():
        context = tf.distribute.get_replica_context()
        first = tf.equal(context.replica_id_in_sync_group, 0)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.where(first, number, tf.zeros_like(number)))

    return scope.run(own)
