"""Where to train: one CPU or GPU, several, a TPU, or several machines; and in which precision."""

import json
import os

import tensorflow as tf

from monet_lib.errors import UserError

STRATEGIES = ("auto", "one", "mirrored", "tpu", "multiworker")


def strategy(name="auto"):
    """The tf.distribute.Strategy to build and train a model under.

    name: "one" device; "mirrored", every GPU of this machine, or its logical CPUs where it has no GPU; "tpu";
    "multiworker", every device of the machines that the environment variable TF_CONFIG lists, the same command running
    on each; "auto" takes the first that is there of several machines, a TPU, several GPUs and one device. The batch
    size of a Config is the global one, and must be a multiple of the number of replicas. Raises UserError for another
    name and for a TF_CONFIG that lists no workers.
    """
    if name not in STRATEGIES:
        raise UserError(f"strategy {name!r} is unknown. Choose one of {', '.join(STRATEGIES)}.")
    if name == "auto":
        several = len(tf.config.list_physical_devices("GPU")) > 1
        name = "tpu" if _has_tpu() else "mirrored" if several else "one"
        name = "multiworker" if machines() > 1 else name
    if name == "multiworker":
        if not machines():
            raise UserError("TF_CONFIG: not set, so the other machines are unknown. See docs/training.md.")
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        return tf.distribute.TPUStrategy(resolver)
    if name == "mirrored":
        kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
        return tf.distribute.MirroredStrategy(
            [device.name for device in tf.config.list_logical_devices(kind)]
        )
    return tf.distribute.get_strategy()


def machines():
    """How many machines TF_CONFIG in the environment lists as workers; 0 without it. UserError if it is damaged."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        cluster = json.loads(text).get("cluster", {})
        return sum(len(cluster.get(role, [])) for role in ("chief", "worker"))
    except (ValueError, AttributeError, TypeError):
        raise UserError(
            f"TF_CONFIG: not the JSON of a cluster ({text[:60]}). See docs/training.md."
        ) from None


def _has_tpu():
    return bool(os.environ.get("TPU_NAME") or tf.config.list_physical_devices("TPU"))
