"""What training costs beside its steps: python benchmarks/training.py [DATA] [--steps N].

Trains the profile `laptop` on DATA (default: the data that is found) in a process of its own, and prints: the CPU time
of the input pipeline as a share of a step's; the time of a checkpoint as a share of the default interval between two;
resident memory at step 200 and at the end, and its peak, images included.
"""

import argparse
import itertools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EARLY = 200  # steps: by then everything that is allocated only once is allocated


def measure(root, steps):
    import keras
    import psutil

    from monet_lib.data.batches import UnpairedBatches, load_pair, training_data
    from monet_lib.recipes import profile
    from monet_lib.train import Run, train
    from monet_lib.train.run import Checkpoints, Saver

    process, resident, clock, cpu, saves = psutil.Process(), {}, [], [], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            clock.append(time.perf_counter())
            cpu.append(time.process_time())
            if batch + 1 in (EARLY, steps):
                resident[batch + 1] = process.memory_info().rss

    config = profile("laptop", steps=steps)
    with tempfile.TemporaryDirectory() as folder:
        model = train(config, root, Path(folder) / "run", callbacks=[Watch()])
        for number in range(3):
            checkpoints = Checkpoints(Path(folder) / str(number), model)
            saver = Saver(Run.load(Path(folder) / "run"), checkpoints, 0)
            saver.set_model(model)
            began = time.perf_counter()
            saver.save()
            saves.append(time.perf_counter() - began)
    step = statistics.median(b - a for a, b in itertools.pairwise(clock))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    pair = load_pair(root)
    batches = UnpairedBatches(pair["monet"][1], pair["photo"][1], config)
    began = None
    for number, _ in enumerate(training_data(batches, 0, 1200)):
        if number == 200:  # the threads are running
            began = time.process_time()
    pipeline = (time.process_time() - began) / 1000
    print(json.dumps({
        "photos": len(pair["photo"][1]), "step": step, "pipeline": pipeline / ((cpu[-1] - cpu[10]) / (len(cpu) - 11)),
        "checkpoint": statistics.median(saves), "interval": config.checkpoint_every,
        "early": resident[EARLY], "late": resident[steps], "peak": peak,
    }))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--steps", type=int, default=1000, help="default: 1000")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        return measure(arguments.data, arguments.steps)
    from monet_lib.data.reading import find_data

    steps = str(arguments.steps)
    command = [sys.executable, __file__, str(find_data(arguments.data)), "--measure", "--steps", steps]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    f = json.loads(done.stdout.splitlines()[-1])
    cost = f["checkpoint"] / (f["interval"] * f["step"])
    print(f"profile laptop, {f['photos']} photos, {arguments.steps} steps")
    print(f"pipeline: {f['pipeline']:.1%} of the CPU time of a step")
    print(f"checkpoint: {f['checkpoint']:.2f} s, {cost:.2%} of the {f['interval']} steps between two")
    print(f"resident memory: {f['early'] / 1e9:.2f} GB at step {EARLY}, {f['late'] / 1e9:.2f} GB at step "
          f"{arguments.steps}, {f['late'] / f['early'] - 1:+.1%}; peak {f['peak'] / 1e9:.2f} GB")  # fmt: skip


if __name__ == "__main__":
    main()
