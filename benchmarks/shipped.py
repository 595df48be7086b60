"""Measure models/monet.npz: python benchmarks/shipped.py [DATA] [--generator FILE] [--sheet PNG].

Prints how long `monet translate --brush 1` takes for one photo of 256x256 as a whole process, and its peak memory for
one of 12 megapixels; then, on the photos of DATA that training left out: KID against all paintings by both trained
networks that come with the repo, also as a share of the photos' own KID, and memorization; content, colours, chroma
(max - min); pattern, orange skies and linen over nights (see `monet_lib.score.metrics.Skies`), of all these photos
and of the 40 darkest and the 40 flattest of them. --generator: the same, without the times, of another generator.npz
or monet.npz. --sheet: writes PNG, 24 photos over their paintings, and PNG-nights.png, the 40 darkest; the
competition's photos may not be published.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from monet_lib.config import Config
from monet_lib.data.batches import load_pair, split
from monet_lib.data.reading import find_data
from monet_lib.model.weights import load_generator
from monet_lib.paint.painting import SHIPPED, paint_all
from monet_lib.score.metrics import LUMINANCE, Skies, flat_places, scene_kept
from monet_lib.score.scoring import compare, embed, feature_network

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "data" / "photos" / "brook.jpg"
# Runs a command and prints its peak memory. By a small process: a child's peak is at least its parent's at the start.
PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
SIZES = {"256x256": (256, 256), "4000x3000": (4000, 3000)}
NIGHTS, SHOWN = 40, 24


def translate(size):
    """(seconds, peak megabytes of a process) of `monet translate` on one photo of that size."""
    with tempfile.TemporaryDirectory() as folder:
        Image.open(PHOTO).resize(size).save(Path(folder) / "photo.jpg")
        command = [sys.executable, "-m", "monet_lib.cli", "translate", "photo.jpg", "--brush", "1"]
        began = time.perf_counter()
        environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *command],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
        )
        seconds = time.perf_counter() - began
        assert Image.open(Path(folder) / "painted" / "photo.jpg").size == size
    return seconds, int(done.stdout.split()[-1]) * 1024 / 1e6


def held_out(data):
    """(paintings, photos that models/monet.npz was not trained on), uint8."""
    root = find_data(data)
    trained = json.loads((SHIPPED.parent / "config.json").read_text())
    config, pair = Config.from_saved(trained["config"]), load_pair(root)
    (_, monets), (names, photos) = pair["monet"], pair["photo"]
    if len(names) != trained["data"]["photo"]["count"]:
        raise SystemExit(f"{root}: has not the photos that the generator was trained on. Which were left out?")
    return monets, photos[split(len(names), config.holdout_photos, config.seed)[1]]


def skies(monets, photos, painted):
    """Print the faults of skies: of all photos, of the darkest and of the flattest."""
    measure = Skies(monets)
    darkest = np.argsort((photos @ LUMINANCE).mean((1, 2)), kind="stable")[:NIGHTS]
    flattest = np.argsort(-flat_places(photos).sum((1, 2)), kind="stable")[:NIGHTS]
    for name, indices in (("left out", range(len(photos))), ("darkest", darkest), ("flattest", flattest)):
        before, after = photos[list(indices)], painted[list(indices)]
        print(
            f"{len(before)} {name}: pattern {measure.pattern(before, after):.2f} times a painting's, "
            f"{measure.orange(before, after):.1%} of the skies turned orange, "
            f"linen on {measure.linen(before, after):.0%} of the nights"
        )
    return darkest


def sheet(path, photos, painted, columns):
    """Write photos over their paintings as one picture."""
    rows = [
        np.concatenate(list(images[k : k + columns]), 1)
        for k in range(0, len(photos), columns)
        for images in (photos, painted)
    ]
    Image.fromarray(np.concatenate(rows)).save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--generator", metavar="FILE", type=Path, default=SHIPPED)
    parser.add_argument("--sheet", metavar="PNG", type=Path)
    arguments = parser.parse_args()
    for name, size in SIZES.items() if arguments.generator == SHIPPED else ():
        seconds, memory = translate(size)
        print(f"translate, {name}: {seconds:.1f} s, {memory:.0f} MB")
    monets, photos = held_out(arguments.data)
    painted = paint_all(load_generator(arguments.generator)[0], photos)
    for name in ("efficientnet-lite0", "squeezenet"):
        network = feature_network(name)
        real = embed(monets, network)
        found = [compare(network, embed(images, network), real) for images in (photos, painted)]
        for what, score in zip(("photos as they are", "painted"), found, strict=True):
            print(
                f"{name}, {len(photos)} {what}: KID {score.kid:.4f} ± {score.kid_std:.4f}, "
                f"{score.kid / found[0].kid:.2f} of the photos', memorization {score.memorization:.2f}"
            )
    print(f"content {scene_kept(photos, painted):.2f}")
    for what, images in (("paintings", monets), ("photos as they are", photos), ("painted", painted)):
        mean, spread = (moment((0, 1, 2), dtype=float).round(1) for moment in (images.mean, images.std))
        chroma = np.ptp(images, -1).mean()
        print(f"red, green and blue of {what}: mean {mean}, standard deviation {spread}; chroma {chroma:.1f}")
    darkest = skies(monets, photos, painted)
    if arguments.sheet:
        few = np.linspace(0, len(photos) - 1, SHOWN).astype(int)
        sheet(arguments.sheet, photos[few], painted[few], 8)
        nights = arguments.sheet.with_name(f"{arguments.sheet.stem}-nights.png")
        sheet(nights, photos[darkest], painted[darkest], 10)


if __name__ == "__main__":
    main()
