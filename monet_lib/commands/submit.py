"""`monet submit`: repaint every photo into images.zip, or check such a zip."""

import argparse
import tempfile
from pathlib import Path

from monet_lib.commands.export import painter_of
from monet_lib.errors import UserError
from monet_lib.training.folders import require_run

HELP = "repaint every photo into images.zip, or check such a zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its ArgumentParser."""
    parser.add_argument("--run", metavar="RUN")
    parser.add_argument("--data", metavar="DIR", help="default: the data that the run was trained on")
    parser.add_argument("--format", choices=("tfrec", "jpg"))
    parser.add_argument("--out", default="images.zip", metavar="ZIP")
    parser.add_argument("--pad", action="store_true", help="add mirrored photos up to the 7,000 that Kaggle wants")
    parser.add_argument("--check", metavar="ZIP", help="verify a zip and exit")


def run(arguments: argparse.Namespace) -> None:
    """Run the command; returns its exit code, None for 0."""
    from monet_lib.painting.submission import LEAST, check_submission, write_submission

    if arguments.check:
        print(check_submission(arguments.check))
        return
    if not arguments.run:
        raise UserError("submit: which run's generator is to paint? Name it: --run RUN, or --check ZIP a zip.")
    require_run(arguments.run)
    from monet_lib.data.competition import find_data, find_images
    from monet_lib.painting.painter import Painter
    from monet_lib.training.runs import Run

    run = Run.load(arguments.run)
    root = find_data(arguments.data or run.data["folder"])
    photos = find_images(root, "photo", arguments.format or run.data["format"])
    with tempfile.TemporaryDirectory() as folder:
        painter = Painter(painter_of(run.folder, Path(folder)))
    print(write_submission(painter, photos, arguments.out, arguments.pad))
    try:
        print(check_submission(arguments.out))
    except UserError as error:
        # A valid zip of too few images is what a part of the data gives: said, and no failure.
        if photos.count() >= LEAST:
            raise
        print(f"note: {error}")
