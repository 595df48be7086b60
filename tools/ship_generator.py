"""Put a run's generator into models/, with its log: python tools/ship_generator.py RUN [--out models].

Writes monet.npz, the generator, and companions.npz, the other three networks, to start a training from (weights as
float16, no pickle), monet.onnx, the generator to paint with anywhere, and config.json (settings and data). log/1 holds
that too, with validation.csv and history.csv, thinned to 200 rows; of a run that began with such networks, log/1 and so
on are theirs, and its own comes after them. The best by validation is taken, with --last that of the last step.
--match-colors: its paintings of training photos get the colours of the training paintings, see
`monet_lib.paint.colors`. --painter instead of RUN: monet.onnx alone, of the monet.npz that is there.
"""

import argparse
import csv
import json
import shutil
from pathlib import Path

from monet_lib.data.batches import load_pair
from monet_lib.data.reading import find_data
from monet_lib.files import write_beside
from monet_lib.model.cyclegan import build
from monet_lib.model.weights import load_generator, save_networks
from monet_lib.paint.colors import match_colors
from monet_lib.paint.onnx_export import export_painter
from monet_lib.train.checkpoints import Checkpoints
from monet_lib.train.loop import hold_out
from monet_lib.train.run import Run

ROWS, PHOTOS = 200, 200


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("run", type=Path, nargs="?")
    source.add_argument("--painter", action="store_true", help="write monet.onnx of monet.npz, nothing else")
    parser.add_argument("--last", action="store_true")
    parser.add_argument("--match-colors", metavar="DATA")
    parser.add_argument("--out", type=Path, default=Path("models"))
    arguments = parser.parse_args()
    out = arguments.out
    if arguments.painter:
        return _write_painter(out)
    run = Run.load(arguments.run)
    out.mkdir(parents=True, exist_ok=True)
    model = build(run.config, run.config.steps)
    checkpoints = Checkpoints(run.folder / "checkpoints", model, run.config.keep)
    step = (None if arguments.last else checkpoints.restore_best()) or checkpoints.restore()
    if arguments.match_colors:
        generator = model.averaged_generator or model.monet_generator
        match_colors(generator, *_trained_on(arguments.match_colors, run.config), run.config.border)
    save_networks(out, model, run.config, half=True)
    _write_painter(out)
    described = {
        "config": run.config.settings(),
        "data": {k: v for k, v in run.data.items() if k != "folder"},
    }
    before = sorted(Path(run.config.start_from, "log").glob("*")) if run.config.start_from else []
    shutil.rmtree(out / "log", ignore_errors=True)
    for stage, folder in enumerate(before, 1):
        shutil.copytree(folder, out / "log" / str(stage))
    log = out / "log" / str(len(before) + 1)
    log.mkdir(parents=True)
    for folder in (out, log):
        write_beside(folder / "config.json", lambda path: path.write_text(json.dumps(described, indent=2) + "\n"))
    for name in ("history.csv", "validation.csv"):
        if (run.folder / name).exists():
            _write_table(run.folder / name, log / name, step)
    sizes = ", ".join(f"{name} {(out / name).stat().st_size / 1e6:.2f} MB" for name in ("monet.npz", "companions.npz"))
    print(f"{out}: step {step}, {sizes}")


def _trained_on(data, config):
    """(photos, monets) of the training set: all its paintings, and photos enough to know the colours by."""
    pair = load_pair(find_data(data))
    photos, monets = (hold_out(pair[name][1], name, config)[0] for name in ("photo", "monet"))
    return photos[:: max(1, len(photos) // PHOTOS)], monets


def _write_painter(out):
    """monet.onnx beside monet.npz."""
    difference = export_painter(*load_generator(out / "monet.npz"), out / "monet.onnx")
    print(f"{out / 'monet.onnx'}: paints as Keras does, to {difference} of 255 levels")


def _write_table(source, target, step):
    """The rows up to `step`, thinned to ROWS, the last among them."""
    with open(source, newline="") as file:
        head, *rows = csv.reader(file)
    rows = [row for row in rows if int(row[0]) <= step]
    kept = reversed(rows[-1 :: -max(1, len(rows) // ROWS)])

    def write(path):
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([head, *kept])

    write_beside(target, write)


if __name__ == "__main__":
    main()
