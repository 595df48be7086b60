"""What the feature discriminator costs: python benchmarks/feature_discriminator.py.

Seconds of a training step of the profile `laptop`, in float32, with and without it, in turns on random images; and what
a patch discriminator's norms cost. Medians, and the ratio to the step without it.
"""

import statistics
import time

import numpy as np
import tensorflow as tf

from monet_lib.model.cyclegan import build
from monet_lib.recipes import profile

ROUNDS, STEPS = 8, 5
VARIANTS = {
    "without": {"feature_discriminator": 0.0},
    "with": {},
    "with, patch discriminator with instance norm": {"discriminator_norm": "instance"},
    "with, patch discriminator without norm": {"discriminator_norm": "none"},
    "with, identity weight 0": {"identity_weight": 0.0},
}


def main():
    rng, takers = np.random.default_rng(0), {}
    images = [tf.constant(rng.uniform(-1, 1, (1, 128, 128, 3)), tf.float32) for _ in range(2)]
    for name, changes in VARIANTS.items():
        model = build(profile("laptop", precision="float32", **changes), 1000)
        takers[name] = tf.function(model.train_step, jit_compile=False)
        takers[name](images)  # traces
    seconds = {name: [] for name in takers}
    for _ in range(ROUNDS):
        for name, take in takers.items():
            began = time.perf_counter()
            for _ in range(STEPS):
                float(next(iter(take(images).values())))
            seconds[name].append((time.perf_counter() - began) / STEPS)
    base = statistics.median(seconds["without"])
    for name, values in seconds.items():
        print(f"{name:46} {statistics.median(values):.3f} s, {statistics.median(values) / base:.2f} times")


if __name__ == "__main__":
    main()
