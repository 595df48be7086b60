"""Put a run's networks into models/, with its log: python tools/ship_generator.py RUN [--out models].

Writes monet.npz, the generator; companions.npz, the other networks, from which a training can start (weights as
float16, no pickle); monet.onnx, the generator to paint with anywhere; config.json (settings and data); and in log/ the
run's history.csv, thinned to 200 rows, and validation.csv. --painter instead of RUN: writes only monet.onnx, of the
monet.npz that is there.
"""

import argparse
import json
from pathlib import Path

from monet_lib.files import write_beside
from monet_lib.model.cyclegan import build
from monet_lib.model.weights import load_generator, save_networks
from monet_lib.paint.onnx_export import export_painter
from monet_lib.train.run import Checkpoints, Run

ROWS = 200


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("run", type=Path, nargs="?")
    source.add_argument("--painter", action="store_true", help="write monet.onnx of monet.npz, nothing else")
    parser.add_argument("--out", type=Path, default=Path("models"))
    arguments = parser.parse_args()
    if not arguments.painter:
        ship(Run.load(arguments.run), arguments.out)
    difference = export_painter(*load_generator(arguments.out / "monet.npz"), arguments.out / "monet.onnx")
    print(f"{arguments.out / 'monet.onnx'}: paints as Keras does, to {difference} of 255 levels")


def ship(run, out):
    """Write the networks of the run's newest checkpoint into the folder `out`, with settings and log."""
    (out / "log").mkdir(parents=True, exist_ok=True)
    model = build(run.config, run.config.steps)
    step = Checkpoints(run.folder / "checkpoints", model, run.config.keep).restore()
    save_networks(out, model, run.config, half=True)
    data = {k: v for k, v in run.data.items() if k != "folder"}
    described = {"config": run.config.settings(), "data": data}
    write_beside(out / "config.json", lambda path: path.write_text(json.dumps(described, indent=2) + "\n"))
    for name in ("history.csv", "validation.csv"):
        if (run.folder / name).exists():
            thin(run.folder / name, out / "log" / name)
    sizes = ", ".join(f"{name} {(out / name).stat().st_size / 1e6:.2f} MB" for name in ("monet.npz", "companions.npz"))
    print(f"{out}: step {step}, {sizes}")


def thin(source, target):
    """Copy a table with at most about ROWS of its rows, the last among them."""
    head, *rows = source.read_bytes().splitlines(keepends=True)
    kept = rows[:: -max(1, len(rows) // ROWS)][::-1]
    write_beside(target, lambda path: path.write_bytes(head + b"".join(kept)))


if __name__ == "__main__":
    main()
