"""The `monet` command: data, train, translate, submit, score."""

import argparse
import os
import signal
import sys

from PIL import Image

from monet_lib.config import CHOICES, PROFILES, Config, UserError, profile

LARGE = 1000  # px of the shorter side, from which a painting at its own size looks like the photo


def main(argv=None):
    """Run one command. Returns the exit code: 0, 2 for something that the user can mend, 130 for Ctrl-C."""
    arguments = _parser().parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow: only what stops it
    # A scheduler that ends the session sends SIGTERM: treat it as Ctrl-C, which saves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return arguments.command(arguments) or 0
    except UserError as error:
        print(f"monet: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"monet: {error.filename}: {error.strerror}. Free space, or choose another place.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("\nmonet: interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _data(arguments):
    if arguments.make_sample:
        from monet_lib.sample import make_sample

        make_sample(arguments.make_sample, arguments.monets, arguments.photos, arguments.seed)
        print(f"{arguments.make_sample}: {arguments.monets} paintings and {arguments.photos} photos")
        return 0
    if arguments.download is not None:
        from monet_lib.download import download_data

        folder = download_data(arguments.download)
        print(
            f"{folder}: ready. Look at it: monet data {folder}. Use it anywhere: export MONET_DATA={folder.resolve()}"
        )
        return 0
    from monet_lib.data import find_data
    from monet_lib.inspection import inspect_data

    report, problems = inspect_data(find_data(arguments.folder))
    print(*report, sep="\n")
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    print(f"{len(problems)} problems" if problems else "no problems")
    return 2 if problems else 0


def _train(arguments):
    changes = {"model": arguments.model, "seed": arguments.seed}
    changes |= {"steps": arguments.steps} if arguments.steps is not None else {}
    changes |= {"epochs": arguments.epochs} if arguments.epochs is not None else {}
    if arguments.validate_every:
        changes |= {"validate_every": arguments.validate_every, "patience": arguments.patience or 0}
        changes |= {"holdout_monets": 60, "holdout_photos": 200}
    changes |= dict(_setting(text) for text in arguments.set)
    config = profile(arguments.profile, **{k: v for k, v in changes.items() if v is not None})
    from monet_lib.data import find_data
    from monet_lib.training import train

    train(
        config,
        find_data(arguments.data),
        arguments.out,
        arguments.skip_bad,
        arguments.format,
        devices=arguments.devices,
        time_budget=arguments.time_budget,
        tensorboard=arguments.tensorboard,
    )
    print(f"{arguments.out}: config.json, history.csv, losses.png, grids/, checkpoints/, generator.npz")


def _translate(arguments):
    from monet_lib.shipped import shipped_generator
    from monet_lib.translation import translate

    if arguments.run:
        from monet_lib.runs import Run  # half a second of imports for figures, which painting doesn't need

        generator, _ = Run.load(arguments.run).generator()
    else:
        generator, _ = shipped_generator()
    written = translate(generator, arguments.photos, arguments.out, arguments.side_by_side, arguments.brush)
    print(f"{arguments.out}: {len(written)} paintings")
    largest = max(min(Image.open(file).size) for file in written)
    if arguments.brush == 1 and largest >= LARGE:
        print(
            f"note: strokes are a few pixels wide; at {largest} px, --brush {largest // 400} makes them visible"
        )


def _submit(arguments):
    from monet_lib.submission import LEAST, check_submission, write_submission

    if arguments.check:
        print(check_submission(arguments.check))
        return
    from monet_lib.data import find_data, find_images
    from monet_lib.runs import Run

    run = Run.load(arguments.run)
    root = find_data(arguments.data or run.data["folder"])
    photos = find_images(root, "photo", arguments.format or run.data["format"])
    print(write_submission(run.generator()[0], photos, arguments.out, arguments.pad))
    try:
        print(check_submission(arguments.out))
    except UserError as error:
        # A valid zip of too few images is what a part of the data gives: said, and no failure.
        if photos.count() >= LEAST:
            raise
        print(f"note: {error}")


def _score(arguments):
    from monet_lib.data import find_data
    from monet_lib.features import feature_network
    from monet_lib.scoring import score

    reference = arguments.reference or find_data() / "monet_tfrec"
    # A weights file is the Inception graph's, whatever else isn't said.
    default = "inception-2015" if arguments.weights or arguments.sha256 else "efficientnet-lite0"
    network = feature_network(arguments.features or default, arguments.weights, arguments.sha256)
    found = score(arguments.generated, reference, arguments.train, network, arguments.n)
    print(found.to_json() if arguments.json else found)


def _setting(text):
    name, equals, value = text.partition("=")
    settings = Config().settings()
    if not equals or name not in settings:
        raise UserError(f"--set {text!r}: not of the form name=value. The names are {', '.join(settings)}.")
    kind = type(settings[name])
    try:
        return name, value.lower() in ("1", "true", "yes", "on") if kind is bool else kind(value)
    except ValueError:
        raise UserError(f"--set {text}: {value!r} is not {kind.__name__}.") from None


def _parser():
    parser = argparse.ArgumentParser(
        prog="monet", description="Turn photographs into Monets with a CycleGAN."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data = commands.add_parser("data", help="inspect a data folder, make a sample one, or download")
    data.add_argument(
        "folder", nargs="?", metavar="DIR", help="default: MONET_DATA, Kaggle's input, data/, the sample"
    )
    data.add_argument(
        "--make-sample", metavar="DIR", help="write a procedural data set in Kaggle's layout instead"
    )
    data.add_argument(
        "--download",
        nargs="?",
        const="",
        metavar="DIR",
        help="get the images from Kaggle, with your credentials",
    )
    data.add_argument("--monets", type=int, default=24)
    data.add_argument("--photos", type=int, default=24)
    data.add_argument("--seed", type=int, default=0)
    data.set_defaults(command=_data)

    train = commands.add_parser("train", help="train a CycleGAN; the same command resumes")
    train.add_argument("--data", metavar="DIR", help="default: MONET_DATA, Kaggle's input, data/, the sample")
    train.add_argument("--format", choices=("tfrec", "jpg"), help="default: shards where there are any")
    train.add_argument("--model", choices=CHOICES["model"], help="the generator; default: resnet")
    train.add_argument("--profile", help=f"{', '.join(PROFILES)}; default: MONET_PROFILE or laptop")
    train.add_argument(
        "--validate-every", type=int, metavar="STEPS", help="score on images kept out of training"
    )
    train.add_argument("--patience", type=int, metavar="N", help="stop after N scores without a better one")
    length = train.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="training steps, a batch each")
    length.add_argument("--epochs", type=int, help="passes over the photos")
    train.add_argument("--seed", type=int)
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting; repeatable"
    )
    train.add_argument(
        "--time-budget",
        type=float,
        metavar="HOURS",
        help="stop in time to paint all photos within so many hours",
    )
    train.add_argument("--devices", default="auto", help="auto, one, mirrored, tpu or multiworker")
    train.add_argument("--tensorboard", action="store_true", help="write RUN/tensorboard for TensorBoard too")
    train.add_argument("--skip-bad", action="store_true", help="train without the records that can't be read")
    train.add_argument("--out", required=True, metavar="RUN", help="the run's folder")
    train.set_defaults(command=_train)

    translate = commands.add_parser("translate", help="paint image files of any size")
    translate.add_argument("photos", nargs="+", metavar="IN", help="photos, folders of photos, or patterns")
    translate.add_argument("--run", metavar="RUN", help="default: the generator that comes with the course")
    translate.add_argument("--out", default="painted", metavar="DIR", help="default: painted")
    translate.add_argument(
        "--brush",
        type=float,
        default=1,
        metavar="N",
        help="strokes N times as wide, for large photos; default: 1",
    )
    translate.add_argument("--side-by-side", action="store_true", help="show each photo beside its painting")
    translate.set_defaults(command=_translate)

    submit = commands.add_parser("submit", help="repaint every photo into images.zip, or check such a zip")
    submit.add_argument("--run", metavar="RUN")
    submit.add_argument("--data", metavar="DIR", help="default: the data that the run was trained on")
    submit.add_argument("--format", choices=("tfrec", "jpg"))
    submit.add_argument("--out", default="images.zip", metavar="ZIP")
    submit.add_argument(
        "--pad", action="store_true", help="add mirrored photos up to the 7,000 that Kaggle wants"
    )
    submit.add_argument("--check", metavar="ZIP", help="verify a zip and exit")
    submit.set_defaults(command=_submit)
    scored = commands.add_parser("score", help="FID, KID, memorization and MiFID of images against paintings")
    scored.add_argument("generated", metavar="GENERATED", help="a folder, a .zip or shards")
    scored.add_argument("--reference", help="real paintings; default: monet_tfrec of the data that is found")
    scored.add_argument(
        "--train", help="the paintings trained on, for the memorization; default: the reference"
    )
    scored.add_argument(
        "--features",
        help="efficientnet-lite0 (default), squeezenet, inception-2015 (downloads 89 MB, and gives FID and MiFID), "
        "keras-inception-v3, random-conv",
    )
    scored.add_argument(
        "--weights", help="classify_image_graph_def.pb; default: MONET_INCEPTION, Kaggle, download"
    )
    scored.add_argument("--sha256", help="what that file's hash must be")
    scored.add_argument("--n", type=int, help="score an even spread of so many images")
    scored.add_argument("--json", action="store_true", help="one line of JSON")
    scored.set_defaults(command=_score)
    return parser


if __name__ == "__main__":
    sys.exit(main())
