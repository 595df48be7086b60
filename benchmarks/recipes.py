"""Compare training recipes at equal wall time on the real images: python benchmarks/recipes.py --data DIR --out DIR.

The seconds of a step are measured first, for all recipes in turns. Each then trains for `--minutes` of its own steps,
so that its schedule ends with its time; after each quarter, 200 of the photos kept out of training are painted and
scored. The same command resumes where it was stopped. Prints the table of recipes.md, and writes OUT/recipes.jpg:
photographs that are in the repo, painted by each.

--judge: a program that is called with a folder of paintings, `--photos` and the folder of their photos, and prints
JSON with proxy_kid and, if it has them, content (the mean correlation of the luminance of photo and painting) and
memorization; without it, KID by the project's own features (`monet score --features random-conv`).
"""

import argparse
import json
import shlex
import statistics
import subprocess
import time
from pathlib import Path

import tensorflow as tf
from PIL import Image

from monet_lib.config import profile
from monet_lib.data.competition import find_data
from monet_lib.data.pipeline import UnpairedBatches, load_pair, split, training_data
from monet_lib.figures import image_grid
from monet_lib.gan.builder import build
from monet_lib.painting.shipped import photographs
from monet_lib.painting.translation import JPEG, paint_all
from monet_lib.scoring.features import feature_network
from monet_lib.scoring.scores import compare, embed
from monet_lib.training.callbacks import StepCallback
from monet_lib.training.loop import train
from monet_lib.training.runs import Run

HELD, SCORED, QUARTERS, ROUNDS, STEPS = 500, 200, 4, 6, 6
SHOWN = [0, 2, 4]  # of the repo's photographs
# The profile `laptop` as it was when these were compared: the table stays what this program computes.
THEN = {
    "discriminator_norm": "instance", "cycle_weight": 10.0, "identity_weight": 3.0, "feature_discriminator": 0.0,
    "diff_augment": "", "beta_1": 0.5, "ema": 0.999,
}  # fmt: skip
# What each changes of it.
PLAIN = {"generator_filters": 32, "norm": "instance", "discriminator_norm": "", "identity_weight": 5.0}
RECIPES = {
    "official tutorial": {
        **PLAIN, "model": "unet", "image_size": 256, "crop": 229, "unet_depth": 8, "generator_filters": 64,
        "discriminator_filters": 64, "upsample": "transpose", "adversarial": "bce", "pool_size": 0, "ema": 0.0,
        "decay_from": 1.0, "precision": "float32",
    },
    "ResNet9, 64 filters": {**PLAIN, "residual_blocks": 9, "generator_filters": 64, "discriminator_filters": 64},
    "ResNet6, 32 filters": PLAIN,
    "transposed convolutions": {**PLAIN, "upsample": "transpose"},
    "16 filters, instance norm": {"norm": "instance"},
    "laptop": {},
    "laptop, looser": {"cycle_weight": 5.0, "identity_until": 0.5},
    "laptop, DiffAugment": {"diff_augment": "color,translation,cutout"},
}  # fmt: skip


def configured(name, steps):
    settings = {"steps": steps, "holdout_photos": HELD, "checkpoint_every": 500}
    return profile("laptop", **{**THEN, **settings, **RECIPES[name]})


def seconds_a_step(names, monets, photos):
    """Median seconds of a step of each recipe, all of them measured in turns."""
    takers, found = {}, {name: [] for name in names}
    for name in names:
        config = configured(name, 1000)
        model, batches = build(config, 1000), UnpairedBatches(monets, photos, config)
        take = tf.function(model.train_step, jit_compile=False)
        data = iter(training_data(batches, 0, 1000))
        take(next(data))  # traces
        takers[name] = (take, data)
    for _ in range(ROUNDS):
        for name, (take, data) in takers.items():
            began = time.perf_counter()
            for _ in range(STEPS):
                float(next(iter(take(next(data)).values())))
            found[name].append((time.perf_counter() - began) / STEPS)
    return {name: statistics.median(values) for name, values in found.items()}


class Quarters(StepCallback):
    """Paints and scores the photos kept out after each quarter of training; keeps the scores in scores.json."""

    def __init__(self, run, photos, score):
        super().__init__(run, 0)
        self.photos, self.score, self.file = photos, score, run.folder / "scores.json"
        self.scores = json.loads(self.file.read_text()) if self.file.exists() else {}

    def on_train_batch_end(self, batch, logs=None):
        step, steps = int(self.model.step), self.run.config.steps
        if step * QUARTERS // steps > (step - 1) * QUARTERS // steps and str(step) not in self.scores:
            self.scores[str(step)] = self.score(paint_all(self.model, self.photos))
            self.file.write_text(json.dumps(self.scores))


def outside_judge(command, folder, names, photos):
    """score(painted) by a program of the user's."""
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    for name, photo in zip(names, photos, strict=True):
        Image.fromarray(photo).save(folder / "photos" / f"{name}.png")

    def score(painted):
        (folder / "painted").mkdir(exist_ok=True)
        for name, image in zip(names, painted, strict=True):
            Image.fromarray(image).save(folder / "painted" / f"{name}.jpg", **JPEG)
        call = [*shlex.split(command), str(folder / "painted"), "--photos", str(folder / "photos")]
        found = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        return {"kid": found["proxy_kid"], **{k: found[k] for k in ("content", "memorization") if k in found}}

    return score


def own_judge(monets):
    network = feature_network("random-conv")
    real = embed(monets, network)
    return lambda painted: {"kid": compare(network, embed(painted, network), real).kid}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", help=f"default: all of {', '.join(RECIPES)}")
    parser.add_argument("--data")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"))
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--judge", metavar="COMMAND")
    arguments = parser.parse_args()
    root, names = find_data(arguments.data), arguments.recipes or list(RECIPES)
    pair = load_pair(root)
    (_, monets), (photo_names, photos) = pair["monet"], pair["photo"]
    _, held = split(len(photos), HELD, 0)
    speeds = arguments.out / "seconds.json"
    seconds = json.loads(speeds.read_text()) if speeds.exists() else {}
    if set(names) - set(seconds):
        seconds = seconds_a_step(names, monets, photos)
        arguments.out.mkdir(parents=True, exist_ok=True)
        speeds.write_text(json.dumps(seconds))
    scored, looks = held[:SCORED], []
    held_names = [photo_names[k] for k in scored]
    judge = arguments.judge and outside_judge(arguments.judge, arguments.out, held_names, photos[scored])
    score = judge or own_judge(monets)
    shown = photographs(photos[held])[SHOWN]
    print("| recipe | s/step | steps | KID after each quarter | content |\n|---|---|---|---|---|", flush=True)
    for name in names:
        config = configured(name, int(arguments.minutes * 60 / seconds[name]))
        folder = arguments.out / name.replace(" ", "-").replace(",", "")
        quarters = Quarters(Run(folder, config, None), photos[scored], score)
        train(config, root, folder, callbacks=[quarters])
        looks.append(paint_all(Run.load(folder).generator()[0], shown))
        scores = list(quarters.scores.values())
        kids = ", ".join(f"{found['kid']:.3f}" for found in scores)
        content = f"{scores[-1]['content']:.2f}" if "content" in scores[-1] else ""
        print(f"| {name} | {seconds[name]:.2f} | {config.steps} | {kids} | {content} |", flush=True)
    picture = image_grid(list(zip(shown, *looks, strict=True)), ["photo", *names])
    Image.fromarray(picture).save(arguments.out / "recipes.jpg", quality=88)


if __name__ == "__main__":
    main()
