"""`monet translate`: paint image files of any size."""

import argparse
import tempfile
from pathlib import Path

from PIL import Image

from monet_lib.commands.export import painter_of, write_painter
from monet_lib.errors import counted

HELP = "paint image files of any size"
LARGE = 1000  # px of the shorter side, from which a painting at its own size looks like the photo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its ArgumentParser."""
    parser.add_argument("photos", nargs="+", metavar="IN", help="photos, folders of photos, or patterns")
    by = parser.add_mutually_exclusive_group()
    by.add_argument("--run", metavar="RUN", help="paint with a run's generator; default: the course's")
    by.add_argument("--generator", metavar="FILE", help="paint with an .onnx of monet export, or an .npz")
    parser.add_argument("--out", default="painted", metavar="DIR", help="default: painted")
    parser.add_argument("--brush", type=float, default=1, metavar="N", help="strokes N times as wide; default: 1")
    parser.add_argument("--side-by-side", action="store_true", help="show each photo beside its painting")


def run(arguments: argparse.Namespace) -> None:
    """Run the command; returns its exit code, None for 0."""
    from monet_lib.painting.painter import SHIPPED_PAINTER, Painter
    from monet_lib.painting.translation import translate

    with tempfile.TemporaryDirectory() as folder:
        file = Path(arguments.generator or SHIPPED_PAINTER)
        if arguments.run:
            file = painter_of(Path(arguments.run), Path(folder))
        elif file.suffix != ".onnx":
            file = Path(folder) / "painter.onnx"
            write_painter(file, generator=arguments.generator)
        painter = Painter(file)
    written = translate(painter, arguments.photos, arguments.out, arguments.side_by_side, arguments.brush)
    print(f"{arguments.out}: {counted(len(written), 'painting')}")
    largest = max(min(Image.open(file).size) for file in written)
    if arguments.brush == 1 and largest >= LARGE:
        print(f"note: strokes are a few pixels wide; at {largest} px, --brush {largest // 400} makes them visible")
