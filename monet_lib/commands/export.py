"""`monet export`: write a generator as one ONNX file."""

from pathlib import Path

HELP = "write a generator as one ONNX file, to paint with anywhere"


def add_arguments(parser):
    """Add the command's arguments to its ArgumentParser."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", metavar="RUN", help="a run's generator")
    source.add_argument("--generator", metavar="FILE", help="an .npz, such as models/monet.npz")
    parser.add_argument("--out", default="painter.onnx", metavar="FILE", help="default: painter.onnx")


def run(arguments):
    """Run the command; returns its exit code, None for 0."""
    difference = export_file(arguments.generator or Path(arguments.run) / "generator.npz", arguments.out)
    size = Path(arguments.out).stat().st_size / 1e6
    print(f"{arguments.out}: {size:.2f} MB; paints as Keras does, to {difference} of 255 levels")


def export_file(generator, out):
    from monet_lib.networks.weights import load_generator
    from monet_lib.painting.export import export_painter

    return export_painter(*load_generator(generator), out)
