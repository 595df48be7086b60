"""Where to train: on one CPU or GPU, or on every GPU of this machine."""

import tensorflow as tf

from monet_lib.errors import UserError

STRATEGIES = ("auto", "one", "mirrored")


def strategy(name="auto"):
    """The tf.distribute.Strategy to build and train a model under.

    name: "one" device; "mirrored", every GPU of this machine, or its logical CPUs where it has no GPU; "auto" is
    "mirrored" where there are several GPUs, else "one". The batch size of a Config is the global one, and must be a
    multiple of the number of replicas. Raises UserError for another name.
    """
    if name not in STRATEGIES:
        raise UserError(f"devices {name!r} is unknown. Choose one of {', '.join(STRATEGIES)}.")
    gpus = tf.config.list_logical_devices("GPU")
    if name == "one" or (name == "auto" and len(gpus) < 2):
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([d.name for d in gpus or tf.config.list_logical_devices("CPU")])
