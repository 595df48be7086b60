"""Speed and memory of the input pipeline, as ratios of things measured in turns: python benchmarks/pipeline.py [DATA].

Each measurement is a process of its own, repeated in rounds. Prints the medians and the machine's name.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 9
BATCH = 16


def measure(kind, root):
    import resource
    import time

    import tensorflow as tf

    from monet_lib.data import UnpairedBatches, find_images, load, training_data
    from monet_lib.recipes import profile

    sets = [find_images(root, name) for name in ("monet", "photo")]
    files = [str(file) for images in sets for file in images.files]

    schema = {"image": tf.io.FixedLenFeature([], tf.string)}

    def decode(record):
        return tf.io.decode_jpeg(tf.io.parse_single_example(record, schema)["image"], channels=3)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    if kind == "bare":
        # It keeps what it decodes, as the pipeline does: fresh memory is a good part of the cost.
        images = list(tf.data.TFRecordDataset(files).map(decode, tf.data.AUTOTUNE))
        result = {"bare decode loop": len(images) / (time.perf_counter() - began)}
    else:
        monets, photos = (load(images)[1] for images in sets)
        batches = UnpairedBatches(monets, photos, profile("laptop", batch_size=BATCH))
        epoch = batches.steps_per_epoch
        for _ in training_data(batches, 0, epoch):
            pass
        # Images delivered, as in the later epochs: a step is a batch of each set, and the paintings repeat.
        first = 2 * epoch * BATCH / (time.perf_counter() - began)
        began = time.perf_counter()
        for _ in training_data(batches, epoch, 2 * epoch):
            pass
        cached = 2 * epoch * BATCH / (time.perf_counter() - began)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result = {"first epoch": first, "cached epoch": cached, "megabytes": (peak - before) * 1024 / 1e6}
    print(json.dumps(result))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--measure", choices=("bare", "pipeline"))
    arguments = parser.parse_args()
    if arguments.measure:
        return measure(arguments.measure, arguments.data)
    from monet_lib.data import find_data

    root = find_data(arguments.data)
    rounds = []
    for _ in range(ROUNDS):
        figures = {}
        for kind in ("bare", "pipeline"):
            command = [sys.executable, __file__, str(root), "--measure", kind]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            figures |= json.loads(out.splitlines()[-1])
        rounds.append(figures)
    median = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    first = statistics.median(r["first epoch"] / r["bare decode loop"] for r in rounds)
    cached = statistics.median(r["cached epoch"] / r["first epoch"] for r in rounds)
    print(f"{platform.processor() or platform.machine()}, {platform.system()}; {ROUNDS} rounds, batch {BATCH}, medians")
    print(f"bare decode loop that keeps the images: {median['bare decode loop']:.0f} images/s")
    print(f"first epoch, images delivered a second, reading and cropping included: {first:.2f} times that")
    print(f"later epochs, from memory: {cached:.1f} times the first")
    print(f"peak memory above TensorFlow's import: {median['megabytes']:.0f} MB")


if __name__ == "__main__":
    main()
