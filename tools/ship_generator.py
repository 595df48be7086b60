"""Put a run's generator into models/, with its log: python tools/ship_generator.py RUN [--out models].

Writes monet.npz, the generator; companions.npz, the other three networks, from which a training can start (weights as
float16, no pickle); monet.onnx, the generator to paint with anywhere; and config.json (settings and data). log/1 holds
the config too, with validation.csv and history.csv, thinned to 200 rows. If the run itself started from such networks,
their logs are log/1 and so on, and the run's log follows them. The best generator by validation is taken, with --last
that of the last step. --match-colors: the last layer is changed until paintings of training photos have the colours of
the training paintings. --painter instead of RUN: writes only monet.onnx, of the monet.npz that is there.
"""

import argparse
import csv
import json
import shutil
from pathlib import Path

import keras
import numpy as np

from monet_lib.data.batches import load_pair
from monet_lib.data.reading import find_data, to_float
from monet_lib.files import UserError, write_beside
from monet_lib.model.cyclegan import build
from monet_lib.model.generators import with_border
from monet_lib.model.layers import ChangedImage
from monet_lib.model.weights import load_generator, save_networks
from monet_lib.paint.onnx_export import export_painter
from monet_lib.train.checkpoints import Checkpoints
from monet_lib.train.loop import hold_out
from monet_lib.train.run import Run

ROWS, PHOTOS = 200, 200
BATCH, ITERATIONS = 8, 30


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
        match_colors(model.painter, *_trained_on(arguments.match_colors, run.config), run.config.border)
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


def match_colors(generator, photos, monets, border=0):
    """Scale and shift the last layer, in place, until paintings of `photos` have the mean and spread of `monets`.

    While the two sides of the game swing around each other, the tint of all paintings swings too, and the cycle and
    identity losses keep paintings as dark as photos. Each colour channel gets the mean and standard deviation that it
    has in `monets` over all pixels, as Reinhard et al. (2001) match images. Both are uint8 (n, h, w, 3), of the
    training set: images kept out to score with must stay out of it. border: as in `with_border`. Raises UserError for
    a generator without such a layer: a U-Net, or a generator that changes the photo (`residual_output`).
    """
    convolutions = [layer for layer in generator.layers if isinstance(layer, keras.layers.Conv2D)]
    if not convolutions or isinstance(generator.layers[-1], ChangedImage):
        raise UserError(
            f"{generator.name}: no convolution at its end makes the image, so its colours can't be matched. "
            "Train a ResNet with residual_output off."
        )
    last = convolutions[-1]
    before_tanh = with_border(keras.Model(generator.inputs, last.output), border)
    batches = (to_float(photos[k : k + BATCH]) for k in range(0, len(photos), BATCH))
    values = np.concatenate([np.asarray(before_tanh(batch, training=False)) for batch in batches])
    scale, shift = _adjustment(values, _moments(monets))
    kernel, bias = last.get_weights()
    last.set_weights([kernel * scale, bias * scale + shift])


def _moments(images):
    return images.mean((0, 1, 2), dtype=np.float64), images.std((0, 1, 2), dtype=np.float64)


def _adjustment(values, goal):
    """(scale, shift), each (3,), of the `values` before the last tanh that bring the images to the moments `goal`."""
    centre = values.mean((0, 1, 2))  # scaling around it hardly moves the mean: scale and level are found side by side
    scale, level = np.ones(3, np.float32), centre.copy()
    for _ in range(ITERATIONS):
        tones = np.tanh((values - centre) * scale + level)
        mean, spread = _moments((tones + 1) * 127.5)
        slope = 1 - np.square(tones).mean((0, 1, 2))  # of the tanh, on average
        level += np.clip((goal[0] - mean) / 127.5 / np.maximum(slope, 0.1), -0.5, 0.5)
        scale *= np.clip(goal[1] / np.maximum(spread, 1), 0.7, 1.4)
    return scale, level - scale * centre


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
