"""Look at skies: python benchmarks/skies.py [DATA] [--generator FILE] [--sheet PNG].

Chooses 40 of the photos that models/monet.npz was not trained on, by a rule: of the photos with enough flat patches in
their upper half (see `monet_lib.score.metrics`), the 20 with the darkest skies, then from the others the 20 with the
most flat patches. Prints how patterned the generator paints these 40, how many turn orange, and the same for all photos
left out of training. --sheet: a picture of the 40, each photo over its painting; the competition's photos may not be
published.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from monet_lib.config import Config
from monet_lib.data import find_data, load_pair, split
from monet_lib.model.weights import load_generator
from monet_lib.paint.painting import SHIPPED, paint_all
from monet_lib.score.metrics import LEAST_PATCHES, Skies, flat_places, patterns, sky_places

DARK, FLAT = 20, 20


def chosen(photos):
    """The indices of the 40 photos, the dark skies first."""
    places = sky_places(photos)
    enough = np.flatnonzero(places.sum((1, 2)) >= LEAST_PATCHES)
    light = np.array([_sky(photos[k])[places[k]].mean() for k in enough])
    dark = enough[np.argsort(light, kind="stable")[:DARK]]
    rest = np.setdiff1d(enough, dark)
    flat = rest[np.argsort(-places[rest].sum((1, 2)), kind="stable")[:FLAT]]
    return np.concatenate([dark, flat])


def _sky(photo):
    return photo.mean(-1).reshape(8, 32, 8, 32).mean((1, 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--generator", metavar="FILE", type=Path, default=SHIPPED)
    parser.add_argument("--sheet", metavar="PNG", type=Path)
    arguments = parser.parse_args()
    config = Config.from_saved(json.loads((SHIPPED.parent / "config.json").read_text())["config"])
    pair = load_pair(find_data(arguments.data))
    monets, photos = (pair[name][1] for name in ("monet", "photo"))
    photos = photos[split(len(photos), config.holdout_photos, config.seed)[1]]
    generator, measure = load_generator(arguments.generator)[0], Skies(monets)
    painted = paint_all(generator, photos)
    forty = chosen(photos)
    for name, indices in (("photos left out", np.arange(len(photos))), ("dark and flat skies", forty)):
        before, after = photos[indices], painted[indices]
        print(f"{len(indices)} {name}: pattern {measure.pattern(before, after):.2f} times a painting's, "
              f"{measure.orange(before, after):.1%} of the skies turned orange")  # fmt: skip
    each = patterns(painted[forty], flat_places(photos[forty]), measure.base) / measure.own
    print("each of the dark and flat:", " ".join(f"{x:.2f}" for x in each))
    if arguments.sheet:
        rows = [
            np.concatenate([np.concatenate(list(images[forty[k : k + 10]]), 1) for images in (photos, painted)])
            for k in range(0, len(forty), 10)
        ]
        Image.fromarray(np.concatenate(rows)).save(arguments.sheet)


if __name__ == "__main__":
    main()
