"""Put a run's generator into models/, with its log: python tools/ship_generator.py RUN [--out models].

Writes monet.npz, the generator, and companions.npz, the other three networks, for training to go on from (weights as
float16, no pickle); config.json (settings and data), validation.csv, and history.csv, thinned to 200 rows. Of a run
that began with such networks, the folder first/ keeps the settings and the log that came with them.
"""

import argparse
import csv
import json
import shutil
from pathlib import Path

from monet_lib.checkpoints import Checkpoints, save_networks, write_beside
from monet_lib.runs import Run
from monet_lib.training import build

ROWS = 200
LOGS = ("history.csv", "validation.csv")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("models"))
    arguments = parser.parse_args()
    out, run = arguments.out, Run.load(arguments.run)
    out.mkdir(parents=True, exist_ok=True)
    model = build(run.config, run.config.steps)
    step = Checkpoints(run.folder / "checkpoints", model, run.config.keep).restore()
    save_networks(out, model, run.config, half=True)
    described = {
        "config": run.config.settings(),
        "data": {k: v for k, v in run.data.items() if k != "folder"},
    }
    write_beside(out / "config.json", lambda path: path.write_text(json.dumps(described, indent=2) + "\n"))
    for name in LOGS:
        if (run.folder / name).exists():
            _write_table(run.folder / name, out / name, step)
    if run.config.start_from:
        (out / "first").mkdir(exist_ok=True)
        for name in ("config.json", *LOGS):
            if (before := Path(run.config.start_from, name)).exists():
                write_beside(out / "first" / name, lambda path, before=before: shutil.copyfile(before, path))
    sizes = ", ".join(
        f"{name} {(out / name).stat().st_size / 1e6:.2f} MB" for name in ("monet.npz", "companions.npz")
    )
    print(f"{out}: step {step}, {sizes}")


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
