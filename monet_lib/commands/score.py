"""`monet score`: score images against paintings."""

import argparse
import contextlib
import sys

FEATURES = """efficientnet-lite0 (default), squeezenet, inception-2015 (downloads 89 MB, and gives FID and MiFID),
keras-inception-v3, random-conv"""
HELP = "FID, KID, memorization and MiFID of images against paintings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its ArgumentParser."""
    parser.add_argument("generated", metavar="GENERATED", help="a folder, a .zip or shards")
    parser.add_argument("--reference", help="real paintings; default: the paintings of the data that is found")
    parser.add_argument("--train", help="the paintings trained on, for the memorization; default: the reference")
    parser.add_argument("--features", help=FEATURES)
    parser.add_argument("--weights", help="classify_image_graph_def.pb; default: MONET_INCEPTION, Kaggle, download")
    parser.add_argument("--n", type=int, help="score N images, evenly spread")
    parser.add_argument("--json", action="store_true", help="one line of JSON")


def run(arguments: argparse.Namespace) -> None:
    """Run the command; returns its exit code, None for 0."""
    from monet_lib.data.competition import find_data, find_images
    from monet_lib.scoring.sources import count_images

    # With --json, the line of JSON is all that goes to stdout.
    with contextlib.redirect_stdout(sys.stderr if arguments.json else sys.stdout):
        reference = arguments.reference or find_images(find_data(), "monet").files[0].parent
        for source in (arguments.generated, reference, arguments.train or reference):
            count_images(source)  # what is missing or empty is told before TensorFlow is imported
        from monet_lib.scoring.features import feature_network
        from monet_lib.scoring.scores import score

        # A weights file is the Inception graph's, whatever else isn't said.
        default = "inception-2015" if arguments.weights else "efficientnet-lite0"
        network = feature_network(arguments.features or default, arguments.weights)
        found = score(arguments.generated, reference, arguments.train, network, arguments.n)
    print(found.to_json() if arguments.json else found)
