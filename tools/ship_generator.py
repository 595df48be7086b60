"""Put a run's generator into models/, with its log: python tools/ship_generator.py RUN [--out models].

Writes monet.npz (weights as float16, no pickle), config.json (settings and data) and history.csv, thinned to 200 rows.
"""

import argparse
import csv
import json
import shutil
from pathlib import Path

import numpy as np

from monet_lib.checkpoints import write_beside
from monet_lib.runs import Run

ROWS = 200


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("models"))
    arguments = parser.parse_args()
    out, run = arguments.out, Run.load(arguments.run)
    with np.load(run.folder / "generator.npz", allow_pickle=False) as file:
        halved = {k: v.astype("float16") if v.dtype == np.float32 else v for k, v in file.items()}
    out.mkdir(parents=True, exist_ok=True)

    def write(path):
        with open(path, "wb") as stream:
            np.savez_compressed(stream, **halved)

    write_beside(out / "monet.npz", write)
    described = {
        "config": run.config.settings(),
        "data": {k: v for k, v in run.data.items() if k != "folder"},
    }
    write_beside(out / "config.json", lambda path: path.write_text(json.dumps(described, indent=2) + "\n"))
    with open(run.folder / "history.csv", newline="") as file:
        head, *rows = csv.reader(file)

    def thinned(path):
        with open(path, "w", newline="") as file:
            kept = rows[-1 :: -max(1, len(rows) // ROWS)]  # the last among them
            csv.writer(file).writerows([head, *reversed(kept)])

    write_beside(out / "history.csv", thinned)
    if (run.folder / "validation.csv").exists():
        shutil.copy(run.folder / "validation.csv", out / "validation.csv")
    print(f"{out / 'monet.npz'}: {(out / 'monet.npz').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
