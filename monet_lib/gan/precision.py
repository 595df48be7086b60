"""In which precision to compute: bfloat16 where the hardware multiplies in it, else float32."""

from pathlib import Path

import tensorflow as tf


def pick_precision(precision="auto"):
    """The Keras dtype policy to train in: bfloat16 arithmetic where the hardware has it, else float32.

    Norm statistics, losses, the networks' outputs, weights and optimizers are float32 in either.
    """
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        abilities = [
            tf.config.experimental.get_device_details(g).get("compute_capability", (0, 0)) for g in gpus
        ]
        return "mixed_bfloat16" if min(abilities) >= (8, 0) else "float32"
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        flags = []
    return "mixed_bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "float32"
