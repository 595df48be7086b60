"""Submitting against the generator alone, in turns on the same photos: python benchmarks/submission.py.

Prints the ratio of images per second, and the peak memory for 48 and for 192 random photos.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
BATCH = 8


def measure(count):
    import numpy as np
    from PIL import Image

    from monet_lib.data import find_images, load
    from monet_lib.model.networks import generator_of
    from monet_lib.paint.painting import paint
    from monet_lib.paint.submission import write_submission
    from monet_lib.recipes import profile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "photo_jpg").mkdir()
        for k, small in enumerate(np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)):
            picture = Image.fromarray(small).resize((256, 256), Image.Resampling.BICUBIC)
            picture.save(Path(folder) / "photo_jpg" / f"{k:03d}.jpg", quality=88)
        photos = find_images(folder, "photo")
        generator = generator_of(profile("laptop"))
        pixels = load(photos)[1][:BATCH]
        paint(generator, pixels)  # traces
        ratios = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(4):
                paint(generator, pixels)
            alone = 4 * BATCH / (time.perf_counter() - began)
            began = time.perf_counter()
            write_submission(generator, photos, Path(folder) / "images.zip", batch=BATCH)
            ratios.append(photos.count() / (time.perf_counter() - began) / alone)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"images": photos.count(), "ratio": statistics.median(ratios), "megabytes": peak}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", type=int)
    arguments = parser.parse_args()
    if arguments.measure:
        return measure(arguments.measure)
    for count in (48, 192):
        command = [sys.executable, __file__, "--measure", str(count)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = json.loads(out.splitlines()[-1])
        print(f"submit, {found['images']} photos: {found['ratio']:.2f} times the generator's own images per second, "
              f"peak memory {found['megabytes']:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
