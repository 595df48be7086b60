"""The `monet` command: data, train, translate, export, submit, score."""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path

from PIL import Image

from monet_lib.config import CHOICES, PROFILES, Config, profile
from monet_lib.errors import UserError
from monet_lib.files import advice, reason
from monet_lib.training.folders import require_run

SWITCHES = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
LARGE = 1000  # px of the shorter side, from which a painting at its own size looks like the photo


def main(argv=None):
    """Run one command. Returns the exit code: 0, 2 for something that the user can fix, 130 for Ctrl-C."""
    _settle_surroundings()
    arguments = _parser().parse_args(argv)
    # A scheduler that ends the session sends SIGTERM: treat it as Ctrl-C, which saves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = arguments.command(arguments) or 0
        sys.stdout.flush()  # here, where a pipe that nobody reads any more is an error that is caught
        return code
    except UserError as error:
        print(f"monet: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `monet data | head`: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except ModuleNotFoundError as error:
        print(f"monet: {error.name} is missing: this needs pip install 'monet-lab[train]'.", file=sys.stderr)
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"monet: {where}{reason(error)}. {advice(error)}", file=sys.stderr)
        return 2
    except MemoryError:
        print("monet: not enough memory. Close other programs, or take smaller images.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nmonet: interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _settle_surroundings():
    """What commands rely on, whatever the environment says: Keras on TensorFlow, and any terminal."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a score's ± on a terminal that knows ASCII alone
            stream.reconfigure(errors="backslashreplace")


def _data(arguments):
    if arguments.make_sample:
        from monet_lib.sample.dataset import make_sample

        make_sample(arguments.make_sample, arguments.monets, arguments.photos, arguments.seed)
        print(f"{arguments.make_sample}: {arguments.monets} paintings and {arguments.photos} photos")
        return 0
    if arguments.download is not None:
        from monet_lib.data.download import download_data

        folder = download_data(arguments.download)
        print(
            f"{folder}: ready. Look at it: monet data {folder}. Use it anywhere: export MONET_DATA={folder.resolve()}"
        )
        return 0
    from monet_lib.data.competition import find_data
    from monet_lib.data.inspection import inspect_data

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
    changes |= dict(_setting(text) for text in arguments.set)
    changes = {k: v for k, v in changes.items() if v is not None}
    config = profile(arguments.profile, **changes)
    if arguments.patience and not arguments.validate_every:
        raise UserError("--patience: counts scores, and without --validate-every there are none. Add it.")
    from monet_lib.data.competition import find_data

    root = find_data(arguments.data)
    if arguments.validate_every:
        changes = _holdouts(root, arguments.format) | changes
        changes |= {"validate_every": arguments.validate_every, "patience": arguments.patience or 0}
        config = profile(arguments.profile, **changes)
    from monet_lib.training.loop import train

    train(
        config,
        root,
        arguments.out,
        arguments.skip_bad,
        arguments.format,
        devices=arguments.devices,
        time_budget=arguments.time_budget,
        tensorboard=arguments.tensorboard,
    )
    print(f"{arguments.out}: config.json, history.csv, losses.png, grids/, checkpoints/, generator.npz")


def _holdouts(root, format):
    """How many images to keep out of training, to score with: a quarter of few, and at most 60 and 200."""
    from monet_lib.data.competition import find_images

    monets, photos = (find_images(root, name, format).count() // 4 for name in ("monet", "photo"))
    return {"holdout_monets": max(2, min(60, monets)), "holdout_photos": max(2, min(200, photos))}


def _translate(arguments):
    from monet_lib.painting.painter import SHIPPED_PAINTER, Painter
    from monet_lib.painting.translation import translate

    with tempfile.TemporaryDirectory() as folder:
        file = Path(arguments.generator or SHIPPED_PAINTER)
        if arguments.run:
            file = _painter_of(Path(arguments.run), Path(folder))
        elif file.suffix != ".onnx":
            file = Path(folder) / "painter.onnx"
            _write_painter(file, file=arguments.generator)
        painter = Painter(file)
    written = translate(painter, arguments.photos, arguments.out, arguments.side_by_side, arguments.brush)
    print(f"{arguments.out}: {len(written)} paintings")
    largest = max(min(Image.open(file).size) for file in written)
    if arguments.brush == 1 and largest >= LARGE:
        print(
            f"note: strokes are a few pixels wide; at {largest} px, --brush {largest // 400} makes them visible"
        )


def _painter_of(run, temporary):
    """The painter beside a run's generator, exported once; into the folder `temporary` where that is read-only."""
    require_run(run)
    painter, generators = (
        run / "painter.onnx",
        (run / "generator.npz", run / "checkpoints/best/generator.npz"),
    )
    newest = max((file.stat().st_mtime for file in generators if file.exists()), default=0)
    if not painter.exists() or painter.stat().st_mtime < newest:
        painter = painter if os.access(run, os.W_OK) else temporary / painter.name
        _write_painter(painter, run)
    return painter


def _write_painter(out, run=None, file=None):
    from monet_lib.networks.weights import load_generator
    from monet_lib.painting.export import export_painter
    from monet_lib.training.runs import Run

    return export_painter(*(Run.load(run).generator() if run else load_generator(file)), out)


def _export(arguments):
    if arguments.run:
        require_run(arguments.run)
    difference = _write_painter(arguments.out, arguments.run, arguments.generator)
    size = Path(arguments.out).stat().st_size / 1e6
    print(f"{arguments.out}: {size:.2f} MB; paints as Keras does, to {difference} of 255 levels")


def _submit(arguments):
    from monet_lib.painting.submission import LEAST, check_submission, write_submission

    if arguments.check:
        print(check_submission(arguments.check))
        return
    if not arguments.run:
        raise UserError(
            "submit: which run's generator is to paint? Name it: --run RUN, or --check ZIP a zip."
        )
    require_run(arguments.run)
    from monet_lib.data.competition import find_data, find_images
    from monet_lib.training.runs import Run

    run = Run.load(arguments.run)
    root = find_data(arguments.data or run.data["folder"])
    photos = find_images(root, "photo", arguments.format or run.data["format"])
    from monet_lib.painting.painter import Painter

    with tempfile.TemporaryDirectory() as folder:
        painter = Painter(_painter_of(run.folder, Path(folder)))
    print(write_submission(painter, photos, arguments.out, arguments.pad))
    try:
        print(check_submission(arguments.out))
    except UserError as error:
        # A valid zip of too few images is what a part of the data gives: said, and no failure.
        if photos.count() >= LEAST:
            raise
        print(f"note: {error}")


def _score(arguments):
    from monet_lib.data.competition import find_data, find_images
    from monet_lib.scoring.sources import count_images

    # With --json, the line of JSON is all that goes to stdout.
    with contextlib.redirect_stdout(sys.stderr if arguments.json else sys.stdout):
        reference = arguments.reference or find_images(find_data(), "monet").files[0].parent
        for source in (arguments.generated, reference, arguments.train or reference):
            count_images(source)  # what is missing or empty is told before TensorFlow is imported
        from monet_lib.scoring.features import feature_network
        from monet_lib.scoring.scores import score

        network = feature_network(arguments.features, arguments.weights, arguments.sha256)
        found = score(arguments.generated, reference, arguments.train, network, arguments.n)
    print(found.to_json() if arguments.json else found)


def _setting(text):
    name, equals, value = text.partition("=")
    settings = Config().settings()
    if not equals or name not in settings:
        raise UserError(f"--set {text!r}: not of the form name=value. The names are {', '.join(settings)}.")
    kind = type(settings[name])
    try:
        return name, SWITCHES[value.lower()] if kind is bool else kind(value)
    except KeyError:
        raise UserError(f"--set {text}: {value!r} is neither on nor off.") from None
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
    train.add_argument("--devices", default="auto", help="auto, one or mirrored (every GPU of this machine)")
    train.add_argument("--tensorboard", action="store_true", help="write RUN/tensorboard for TensorBoard too")
    train.add_argument("--skip-bad", action="store_true", help="train without the records that can't be read")
    train.add_argument("--out", required=True, metavar="RUN", help="the run's folder")
    train.set_defaults(command=_train)

    translate = commands.add_parser("translate", help="paint image files of any size")
    translate.add_argument("photos", nargs="+", metavar="IN", help="photos, folders of photos, or patterns")
    by = translate.add_mutually_exclusive_group()
    by.add_argument("--run", metavar="RUN", help="paint with a run's generator; default: the course's")
    by.add_argument("--generator", metavar="FILE", help="paint with an .onnx of monet export, or an .npz")
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

    export = commands.add_parser("export", help="write a generator as one ONNX file, to paint with anywhere")
    source = export.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", metavar="RUN", help="a run's generator")
    source.add_argument("--generator", metavar="FILE", help="an .npz, such as models/monet.npz")
    export.add_argument("--out", default="painter.onnx", metavar="FILE", help="default: painter.onnx")
    export.set_defaults(command=_export)

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
    scored.add_argument(
        "--reference", help="real paintings; default: the paintings of the data that is found"
    )
    scored.add_argument(
        "--train", help="the paintings trained on, for the memorization; default: the reference"
    )
    scored.add_argument(
        "--features", default="inception-2015", help="inception-2015, keras-inception-v3, random-conv"
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
