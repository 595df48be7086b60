"""In which precision to compute: with 16 bits where the hardware multiplies faster in them, else in float32."""

import os
from pathlib import Path

import tensorflow as tf

# GPUs' compute capability: tensor cores for float16 from 7.0 on (V100, T4), for bfloat16 from 8.0 on (A100, L4, H100).
FLOAT16, BFLOAT16 = (7, 0), (8, 0)


def pick_precision(precision: str = "auto") -> str:
    """The Keras dtype policy to train in: "auto" asks the slowest GPU, or the CPU where there is none.

    bfloat16 has float32's range and needs no care. float16 is for GPUs that have no bfloat16, and its losses are
    scaled (see `ScaledAdam`). A P100 (6.0) has neither's tensor cores, and convolutions of float16 are summed in
    float32 there: only memory would be saved, so it keeps float32. Norm statistics, losses, the networks' outputs,
    weights and optimizers are float32 in each.
    """
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
        slowest = min(tuple(found.get("compute_capability", (0, 0))) for found in details)
        return "mixed_bfloat16" if slowest >= BFLOAT16 else "mixed_float16" if slowest >= FLOAT16 else "float32"
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT") not in ("DEFAULT", "ALL"):
        return "float32"  # TensorFlow would ask oneDNN for the instructions that it was told to leave unused
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        flags = []
    return "mixed_bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "float32"
