"""`monet data`: inspect a data folder, make a sample one, or download the competition's."""

import argparse
import sys

from monet_lib.errors import counted

HELP = "inspect a data folder, make a sample one, or download"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its ArgumentParser."""
    parser.add_argument("folder", nargs="?", metavar="DIR", help="default: MONET_DATA, Kaggle, data/, the sample")
    parser.add_argument("--make-sample", metavar="DIR", help="write a sample data set in Kaggle's layout instead")
    parser.add_argument("--download", nargs="?", const="", metavar="DIR", help="get Kaggle's images, with your key")
    parser.add_argument("--monets", type=int, default=24)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int | None:
    """Run the command; returns its exit code, None for 0."""
    if arguments.make_sample:
        from monet_lib.sample import make_sample

        make_sample(arguments.make_sample, arguments.monets, arguments.photos, arguments.seed)
        photos = counted(arguments.photos, "photo")
        print(f"{arguments.make_sample}: {counted(arguments.monets, 'painting')} and {photos}")
        return 0
    if arguments.download is not None:
        from monet_lib.data.download import download_data

        folder = download_data(arguments.download)
        print(f"{folder}: ready. Look at it: monet data {folder}. Use it: export MONET_DATA={folder.resolve()}")
        return 0
    from monet_lib.data.competition import find_data
    from monet_lib.data.inspection import inspect_data

    report, problems = inspect_data(find_data(arguments.folder))
    print(*report, sep="\n")
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    print(counted(len(problems), "problem") if problems else "no problems")
    return 2 if problems else 0
