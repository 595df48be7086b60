"""Where to train: on one CPU or GPU, or on several GPUs of this machine."""

from functools import cache

import tensorflow as tf

from monet_lib.errors import UserError

STRATEGIES = ("auto", "one", "mirrored")


def strategy(name: str = "auto", batch_size: int = 1) -> tf.distribute.Strategy:
    """The tf.distribute.Strategy to build and train a model under.

    name: "one" device; "mirrored", every GPU of this machine, or its logical CPUs where it has no GPU; "auto", as many
    of those as the batch divides among, so that a batch of 1 trains on one of two GPUs. batch_size: the global one.
    Raises UserError for another name, and for "mirrored" where the batch is no multiple of the number of devices.
    """
    if name not in STRATEGIES:
        raise UserError(f"devices {name!r} is unknown. Choose one of {', '.join(STRATEGIES)}.")
    found = [d.name for d in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]
    if name == "mirrored" and batch_size % len(found):
        raise UserError(f"batch_size: {batch_size} is no multiple of the {len(found)} devices. Change it.")
    most = {"one": 1, "mirrored": len(found), "auto": min(batch_size, len(found))}[name]
    count = max(n for n in range(1, most + 1) if batch_size % n == 0)
    return tf.distribute.get_strategy() if count == 1 else _mirrored(tuple(found[:count]))


@cache
def _mirrored(devices):
    """One for all trainings of a process: a second one mixes up its exchanges with the first's."""
    return tf.distribute.MirroredStrategy(devices)
