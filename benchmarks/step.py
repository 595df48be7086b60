"""The training step against its peers, in turns on the same machine: python benchmarks/step.py [CASE ...] [--quick].

Variants, with the same networks and the same batch: `tutorial`, the official TensorFlow CycleGAN tutorial's step
written from its description (one persistent tape, four gradient calls, four of Keras' Adams, BCE, instance norm by its
formula, float32); `float32` and `bf16`, ours with image pool and moving average, in either precision;
`torch` and `torch bf16`, the same networks and losses in PyTorch at its best (see torch_step.py), in float32 and by
autocast to bfloat16, where it is installed (`--torch PYTHON` names another interpreter that has it). Its best is looked
for first, at 128 px with one image, and taken for the network's other cases too. Each variant lives in a process of its
own, whose peak memory is its own; the processes take one step each in turns. The figures are medians of ratios within a
turn.
A case is MODEL-SIZE-BATCH, such as resnet-128-1; by default all eight. `--avx2`: in float32, as a processor without
AVX-512 runs it, PyTorch eager. Results are kept in benchmarks/step.json, and the tables of all that is there are
printed at the end (`--table`: only that).
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

CASES = [f"{model}-{size}-{batch}" for model in ("unet", "resnet") for size in (128, 256) for batch in (1, 4)]
ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "benchmarks" / "step.json"
# What holds TensorFlow's and PyTorch's kernels back to AVX2; such cases are kept under names that begin with AVX2.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
VARIANTS = ("tutorial", "float32", "torch", "bf16", "torch bf16")
TITLES = {"float32": "ours, float32", "torch": "PyTorch, float32",
          "bf16": "ours, bfloat16", "torch bf16": "PyTorch, bfloat16"}  # fmt: skip
# The tutorial's losses: BCE, a cycle weight of 10, an identity weight of half of it.
LOSSES = {"adversarial": "bce", "cycle_weight": 10.0, "identity_weight": 5.0}


def config_of(case, precision="float32"):
    """`Config` at a case's size and batch: 32 filters, instance norm; a ResNet of 6 blocks, a U-Net of 7 halvings."""
    from monet_lib.config import Config

    model, size, batch = case.split("-")
    return Config(model=model, image_size=int(size), crop=int(size), batch_size=int(batch),
                   precision=precision, **LOSSES)  # fmt: skip


def images(case):
    import numpy as np

    _, size, batch = case.split("-")
    shape = (int(batch), int(size), int(size), 3)
    return [np.random.default_rng(k).uniform(-1, 1, shape).astype("float32") for k in (0, 1)]


def tutorial_step(case):
    """A function that takes one step as the official tutorial describes it."""
    import keras
    import tensorflow as tf

    from monet_lib.model import layers
    from monet_lib.model.networks import discriminator_of, generator_of

    layers.fuses = lambda x: False  # instance norm by its formula, as the tutorial's layer has it
    config = config_of(case)
    keras.utils.set_random_seed(0)
    to_monet, to_photo = generator_of(config, "g"), generator_of(config, "f")
    judge_monet, judge_photo = discriminator_of(config, "x"), discriminator_of(config, "y")
    networks = (to_monet, to_photo, judge_monet, judge_photo)
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in networks]
    for optimizer, network in zip(optimizers, networks, strict=True):
        optimizer.build(network.trainable_variables)
    bce = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function(jit_compile=False)
    def step(monet, photo):
        with tf.GradientTape(persistent=True) as tape:
            fake_monet = to_monet(photo, training=True)
            cycled_photo = to_photo(fake_monet, training=True)
            fake_photo = to_photo(monet, training=True)
            cycled_monet = to_monet(fake_photo, training=True)
            same_photo = to_photo(photo, training=True)
            same_monet = to_monet(monet, training=True)
            real_monet_logits = judge_monet(monet, training=True)
            real_photo_logits = judge_photo(photo, training=True)
            fake_monet_logits = judge_monet(fake_monet, training=True)
            fake_photo_logits = judge_photo(fake_photo, training=True)
            cycle = 10.0 * (tf.reduce_mean(tf.abs(photo - cycled_photo)) + tf.reduce_mean(tf.abs(monet - cycled_monet)))
            monet_loss = bce(tf.ones_like(fake_monet_logits), fake_monet_logits) + cycle
            monet_loss += 5.0 * tf.reduce_mean(tf.abs(monet - same_monet))
            photo_loss = bce(tf.ones_like(fake_photo_logits), fake_photo_logits) + cycle
            photo_loss += 5.0 * tf.reduce_mean(tf.abs(photo - same_photo))
            judge_losses = [
                0.5 * (bce(tf.ones_like(real), real) + bce(tf.zeros_like(fake), fake))
                for real, fake in (
                    (real_monet_logits, fake_monet_logits),
                    (real_photo_logits, fake_photo_logits),
                )
            ]
        gradients = [
            tape.gradient(loss, network.trainable_variables)
            for loss, network in zip((monet_loss, photo_loss, *judge_losses), networks, strict=True)
        ]
        for optimizer, gradient, network in zip(optimizers, gradients, networks, strict=True):
            optimizer.apply(gradient, network.trainable_variables)
        return monet_loss, photo_loss, judge_losses

    data = [tf.constant(x) for x in images(case)]
    return lambda: float(step(*data)[0])


def our_step(case, precision):
    """A function that takes one step of `CycleGAN.train_step`, compiled as `fit` compiles it."""
    import tensorflow as tf

    from monet_lib.model.cyclegan import build

    model = build(config_of(case, precision), steps=1000)
    step = tf.function(model.train_step, jit_compile=False)
    data = tuple(tf.constant(x) for x in images(case))
    return lambda: float(step(data)["cycle"])


def quickest_way(variant, case, kept, python):
    """PyTorch's quickest way of a case, one of torch_step.WAYS. kept: what was measured in earlier cases."""
    # torch.compile writes for the processor that it finds, not for the one that the variables speak of.
    ways = ["first eager", "last eager"] if AVX2.items() <= os.environ.items() else []
    first = f"{case.split('-')[0]}-128-1"
    if not ways and case != first and (way := kept.get(first, {}).get(variant, {}).get("way")):
        return way
    command = [python, str(Path(__file__).with_name("torch_step.py")), case, precision_of(variant), *ways]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1]


def precision_of(variant):
    return "bfloat16" if variant.endswith("bf16") else "float32"


def worker(variant, case, way):
    """Build a variant, then take a step for every line on standard input and answer with its seconds."""
    if variant.startswith("torch"):
        sys.path.insert(0, str(Path(__file__).parent))
        from torch_step import torch_step

        step = torch_step(case, images(case), precision_of(variant), way)
    elif variant == "tutorial":
        step = tutorial_step(case)
    else:
        step = our_step(case, "mixed_bfloat16" if variant == "bf16" else "float32")
    for _ in range(2):  # the first traces, the second still allocates
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        loss = step()
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(json.dumps({"seconds": seconds, "megabytes": peak, "loss": loss}), flush=True)


class Variant:
    """A worker process that takes a step when asked."""

    def __init__(self, name, case, python, way=None):
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        command = [python, __file__, case, "--worker", name, *(["--way", way] if way else [])]
        self.process = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        while line := self.process.stdout.readline():
            if line == "ready\n":
                return
        raise SystemExit(f"{name}, {case}: {self.process.stderr.read()[-2000:]}")

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def measure(case, seconds, kept, torch_python):
    """Median step time and peak memory of every variant, as ratios to the tutorial's, from turns for `seconds`."""
    wanted = [name for name in VARIANTS if torch_python or not name.startswith("torch")]
    wanted = [name for name in wanted if not (name.endswith("bf16") and AVX2.items() <= os.environ.items())]
    ways = {name: quickest_way(name, case, kept, torch_python) for name in wanted if name.startswith("torch")}
    running = {}
    for name in wanted:
        running[name] = Variant(name, case, torch_python if name in ways else sys.executable, ways.get(name))
    turns, began = [], time.perf_counter()
    while len(turns) < 3 or (time.perf_counter() - began < seconds and len(turns) < 60):
        turns.append({name: variant.step() for name, variant in running.items()})
    for variant in running.values():
        variant.close()
    found = {"turns": len(turns)}
    for name in running:
        found[name] = {
            "seconds": statistics.median(t[name]["seconds"] for t in turns),
            "speed": statistics.median(t["tutorial"]["seconds"] / t[name]["seconds"] for t in turns),
            "memory": turns[-1][name]["megabytes"] / turns[-1]["tutorial"]["megabytes"],
            "megabytes": turns[-1][name]["megabytes"],
            **({"way": ways[name]} if name in ways else {}),
        }
    return found


def torch_interpreter(wanted):
    """The interpreter to run PyTorch with: the wanted one, or this one if it can import torch; else None."""
    for python in filter(None, (wanted, sys.executable)):
        if not subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
            return python
    return None


def tables(kept):
    """Markdown: of every case and variant, steps per second and peak memory as ratios to the tutorial's."""
    narrow = {case.removeprefix("AVX2 "): found for case, found in kept.items() if case.startswith("AVX2 ")}
    return table(kept) + (f"\n\nThe same with AVX2 alone (`--avx2`):\n\n{table(narrow)}" if narrow else "")


def table(kept):
    names = [name for name in TITLES if any(name in found for found in kept.values())]
    titles = [
        "network, size, batch",
        "tutorial, float32: s a step, MB",
        *(f"{TITLES[n]}: speed, memory" for n in names),
    ]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for case in filter(kept.get, CASES):
        found, cells = kept[case], []
        for name in names:
            f = found.get(name)
            cells.append(f"{f['speed']:.2f}, {f['memory']:.2f}" if f else "")
        base = found["tutorial"]
        model, size, batch = case.split("-")
        title = f"{ {'unet': 'U-Net', 'resnet': 'ResNet'}[model] } {size} px, {batch}"
        lines.append(f"| {title} | {base['seconds']:.2f}, {base['megabytes']:.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--quick", action="store_true", help="128 px with one image only, for fewer seconds")
    parser.add_argument("--seconds", type=float, default=25, help="of turns for a case; default: 25")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    parser.add_argument("--torch", metavar="PYTHON", default=os.environ.get("MONET_TORCH"))
    parser.add_argument("--avx2", action="store_true", help="use no wider instructions than AVX2, and float32")
    parser.add_argument("--worker", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments.worker, arguments.cases[0], arguments.way)
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"case {min(unknown)!r} is unknown. Choose from {', '.join(CASES)}.")
    cases = arguments.cases or [c for c in CASES if not arguments.quick or c.endswith("128-1")]
    torch_python = torch_interpreter(arguments.torch)
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    os.environ |= AVX2 if arguments.avx2 else {}
    for case in [] if arguments.table else cases:
        found = measure(case, 10 if arguments.quick else arguments.seconds, kept, torch_python)
        kept[f"AVX2 {case}" if arguments.avx2 else case] = found
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
        for name in filter(found.get, VARIANTS):
            f = found[name]
            print(f"{case:13} {name:9} {f['seconds']:7.3f} s a step   {f['speed']:5.2f} times the tutorial's steps a "
                  f"second   {f['megabytes']:6.0f} MB, {f['memory']:.2f} times", file=sys.stderr)  # fmt: skip
    if not torch_python and not arguments.table:
        print("PyTorch is not installed: its step is left out (pip install torch, or --torch)", file=sys.stderr)
    print(tables(kept))


if __name__ == "__main__":
    main()
