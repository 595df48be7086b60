"""`monet export`: write a generator as one ONNX file."""

import argparse
import os
from pathlib import Path

from monet_lib.training.folders import require_run

HELP = "write a generator as one ONNX file, to paint with anywhere"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its ArgumentParser."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", metavar="RUN", help="a run's generator")
    source.add_argument("--generator", metavar="FILE", help="an .npz, such as models/monet.npz")
    parser.add_argument("--out", default="painter.onnx", metavar="FILE", help="default: painter.onnx")


def run(arguments: argparse.Namespace) -> None:
    """Run the command; returns its exit code, None for 0."""
    if arguments.run:
        require_run(arguments.run)
    difference = write_painter(arguments.out, arguments.run, arguments.generator)
    size = Path(arguments.out).stat().st_size / 1e6
    print(f"{arguments.out}: {size:.2f} MB; paints as Keras does, to {difference} of 255 levels")


def painter_of(run: Path, temporary: Path) -> Path:
    """The painter beside a run's generator, exported once; into the folder `temporary` where that is read-only."""
    require_run(run)
    painter, best = run / "painter.onnx", run / "checkpoints" / "best" / "generator.npz"
    newest = max((f.stat().st_mtime for f in (run / "generator.npz", best) if f.exists()), default=0)
    if not painter.exists() or painter.stat().st_mtime < newest:
        painter = painter if os.access(run, os.W_OK) else temporary / painter.name
        write_painter(painter, run)
    return painter


def write_painter(out: str | Path, run: Path | None = None, generator: str | Path | None = None) -> int:
    """Export a run's generator, or that of an .npz, to `out`. Returns the largest difference to Keras, of 255."""
    from monet_lib.networks.weights import load_generator
    from monet_lib.painting.export import export_painter
    from monet_lib.training.runs import Run

    return export_painter(*(Run.load(run).generator() if run else load_generator(generator)), out)
