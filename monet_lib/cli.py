"""The `monet` command: data, train, diagnose, museum, translate, export, submit, score."""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from configparser import ConfigParser
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from monet_lib import import_tensorflow
from monet_lib.config import Config
from monet_lib.files import (
    UserError,
    advice,
    counted,
    opened,
    plain,
    reason,
    refuse_replacing,
    say,
    user_path,
    write_beside,
)
from monet_lib.recipes import PROFILES, profile

TRAINS = ("tensorflow", "keras", "onnx", "matplotlib", "seaborn")  # packages of the extra `train`
PATHS = ("folder", "data", "run", "generator", "out", "check", "generated", "reference", "train", "weights")
DATA = "default: MONET_DATA, Kaggle's input, data/, the sample"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, 2 for something that the user can fix, 130 for Ctrl-C."""
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a score's ± on a terminal that knows ASCII alone
            stream.reconfigure(errors="backslashreplace")
    arguments = parser().parse_args(argv)
    save_on_signals()
    try:
        name_paths(arguments)
        code = arguments.command(arguments) or 0
        sys.stdout.flush()  # a closed pipe is an error here, where it is caught
        return code
    except BrokenPipeError:  # `monet data | head`: the reader has seen enough
        drop_output()
        return 141  # as the shell tells of a command that SIGPIPE ended; Windows knows no such signal
    except KeyboardInterrupt:
        print("\nmonet: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except Exception as error:
        if (message := message_of(error)) is None:
            raise
        print(f"monet: {plain(message)}", file=sys.stderr)
        if isinstance(error, OSError) and not error.filename:  # perhaps stdout's
            drop_output()
        return 2


def open_streams() -> None:
    """Open the null device for each of stdin, stdout and stderr that a process was started without, as a service is.

    The next file to be opened would get the number of the missing stream, and messages would be written into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdout, sys.stderr = (each or open(os.devnull, "w") for each in (sys.stdout, sys.stderr))  # noqa: SIM115


def save_on_signals() -> None:
    """A scheduler that ends a session sends SIGTERM, a closing terminal SIGHUP: both act as Ctrl-C, which saves."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not hasattr(signal, "SIGHUP") or signal.getsignal(signal.SIGHUP) != signal.SIG_DFL:  # `nohup` ignores it
        return
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def hang_up(*_):
        for number in terminals:  # they are gone: what is written there would stop the saving
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGHUP, hang_up)


def name_paths(arguments: argparse.Namespace) -> None:
    """Put the home folder for a ~ in every path. Raises UserError for an empty one and for the sign of a stream."""
    for name, value in vars(arguments).items():
        given = value if name == "photos" else [value] if name in PATHS and value is not None else []
        for text in given:
            if not text.strip():
                raise UserError(f"{name}: empty, perhaps a variable that is not set. Name a path, or leave it out.")
            if text == "-":
                raise UserError(f"{name}: - stands for no file here. Name a path.")
        if given:
            paths = [str(user_path(text)) for text in given]
            setattr(arguments, name, paths if name == "photos" else paths[0])


def message_of(error: Exception) -> str | None:
    """What happened, and what to do about it, in one line; None for an error that the user can't fix."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name in TRAINS:
        return f"{error.name} is missing. Install what training needs, from the repository: pip install '.[train]'."
    if isinstance(error, ImportError) and error.name == "tensorflow":  # see `import_tensorflow`
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{reason(error)}. {advice(error)}"
    # TensorFlow's error for a full GPU, known by name: not every command has imported TensorFlow.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "not enough memory. Close other programs, or take smaller images, a smaller batch or fewer filters."
    return None


def drop_output() -> None:
    """If the reader closed the pipe, send the remaining output to /dev/null.

    Otherwise Python raises BrokenPipeError again at exit.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; the Namespace that it gives has the command's function as `command`."""
    whole = argparse.ArgumentParser(prog="monet", description="Turn photographs into Monets with a CycleGAN.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    overwrite = "replace files that are there"

    def command(function, help):
        own = commands.add_parser(function.__name__, help=help)
        own.set_defaults(command=function)
        return own.add_argument, own.add_mutually_exclusive_group

    add, _ = command(data, "look at a data set, or download the competition's images")
    add("folder", nargs="?", metavar="DIR", help=DATA)
    sources = ("monet2photo", "kaggle")
    add("--download", nargs="?", choices=sources, const=sources[0], help="into DIR: monet2photo, without a login "
        "(default), or Kaggle's files, with your token")  # fmt: skip

    add, group = command(train, "train a CycleGAN; the same command resumes")
    add("--data", metavar="DIR", help=DATA)
    add("--format", choices=("tfrec", "jpg"), help="default: shards where there are any")
    add("--profile", help=f"{', '.join(PROFILES)}; default: MONET_PROFILE or laptop")
    add("--validate-every", type=int, metavar="STEPS", help="score on images kept out of training")
    add("--patience", type=int, metavar="N", help="stop after N scores without a better one")
    length = group()
    length.add_argument("--steps", type=int, help="training steps, a batch each")
    length.add_argument("--epochs", type=int, help="passes over the photos")
    add("--seed", type=int)
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting; repeatable")
    add("--time-budget", type=float, metavar="HOURS", help="stop in time to paint all photos")
    schedule = "the learning rates reach zero when the time budget ends"
    add("--fit-schedule", action="store_true", default=None, help=schedule)
    add("--devices", default="auto", help="auto, one or mirrored (every GPU of this machine)")
    add("--tensorboard", action="store_true", help="write RUN/tensorboard for TensorBoard too")
    add("--skip-bad", action="store_true", help="train without the records that can't be read")
    add("--out", required=True, metavar="RUN", help="the run's folder")

    add, _ = command(diagnose, "say what is wrong with a training, or that nothing is")
    add("run", metavar="RUN", help="a run's folder, or a .csv with a column for each loss")
    add("--data", metavar="DIR", help="default: the data that the run was trained on")
    add("--json", action="store_true", help="one line of JSON")

    add, _ = command(museum, "train a failure on purpose, and diagnose it")
    add("room", nargs="?", metavar="ROOM", help="default: list the rooms")
    add("--data", metavar="DIR", help=DATA)
    add("--seed", type=int, default=0)
    add("--out", metavar="PNG", help="write its losses, photos, paintings and the way back")
    add("--overwrite", action="store_true", help=overwrite)

    add, group = command(translate, "paint image files of any size")
    add("photos", nargs="+", metavar="IN", help="photos, folders of photos, or patterns")
    by = group()
    by.add_argument("--run", metavar="RUN", help="paint with a run's generator; default: the course's")
    by.add_argument("--generator", metavar="FILE", help="paint with an .onnx of monet export, or an .npz")
    add("--out", default="painted", metavar="DIR", help="default: painted")
    add("--brush", type=brush, default="auto", metavar="N", help="strokes N times as wide; default: auto, which is 1 "
        "up to a megapixel, and above it broad strokes with finer ones on top")  # fmt: skip
    add("--side-by-side", action="store_true", help="show each photo beside its painting")
    add("--overwrite", action="store_true", help=overwrite)
    keeps = group()
    kept, date = "keep the photo's EXIF, its place too; default: its date", "keep nothing, not even the date"
    keeps.add_argument("--keep-metadata", dest="metadata", action="store_const", const="all", default="date", help=kept)
    keeps.add_argument("--strip-metadata", dest="metadata", action="store_const", const="none", help=date)

    add, group = command(export, "write a generator as one ONNX file, to paint with anywhere")
    source = group(required=True)
    source.add_argument("--run", metavar="RUN", help="a run's generator")
    source.add_argument("--generator", metavar="FILE", help="an .npz, such as models/monet.npz")
    add("--out", default="painter.onnx", metavar="FILE", help="default: painter.onnx")
    add("--overwrite", action="store_true", help=overwrite)

    add, group = command(submit, "repaint every photo into images.zip, or check such a zip")
    what = group(required=True)
    what.add_argument("--run", metavar="RUN", help="paint with this run's generator")
    what.add_argument("--check", metavar="ZIP", help="check a zip and exit")
    add("--data", metavar="DIR", help="default: the data that the run was trained on")
    add("--format", choices=("tfrec", "jpg"))
    add("--out", default="images.zip", metavar="ZIP", help="default: images.zip")
    add("--overwrite", action="store_true", help=overwrite)
    add("--pad", action="store_true", help="add mirrored photos up to the 7,000 that Kaggle wants")

    add, _ = command(score, "FID, KID, memorization and MiFID of images against paintings")
    add("generated", metavar="GENERATED", help="a folder, a .zip or shards")
    add("--reference", help="real paintings; default: the paintings of the data that is found")
    add("--train", help="the paintings trained on, for the memorization; default: the reference")
    add("--features", help="efficientnet-lite0 (default), squeezenet, random-conv, keras-inception-v3, or "
        "inception-2015, which downloads 89 MB and gives FID and MiFID")  # fmt: skip
    add("--weights", help="classify_image_graph_def.pb; default: MONET_INCEPTION, Kaggle, download")
    add("--n", type=int, help="score N images, evenly spread")
    add("--json", action="store_true", help="one line of JSON")
    return whole


# The commands. Each imports what it needs, so that a mistake in the arguments is told before TensorFlow is imported.


def data(arguments: argparse.Namespace) -> int:
    """`monet data`: what a data folder holds and what is wrong with it, or a download."""
    from monet_lib.data import download_data, find_data, inspect_data

    if arguments.download:
        folder = download_data(arguments.folder, kaggle=arguments.download == "kaggle")
        say(f"{folder}: ready. Look at it: monet data {folder}. Use it: export MONET_DATA={folder.resolve()}")
        return 0
    report, problems = inspect_data(find_data(arguments.folder))
    for line in report:
        say(line)
    for problem in problems:
        print(plain(f"problem: {problem}"), file=sys.stderr)
    print(counted(len(problems), "problem") if problems else "no problems")
    return 2 if problems else 0


def train(arguments: argparse.Namespace) -> None:
    """`monet train`: train a CycleGAN in a run's folder."""
    began = time.monotonic()
    if arguments.steps == 0:
        raise UserError("--steps 0: no step to train. Leave it out to train by epochs.")
    typed = {
        name: getattr(arguments, name)
        for name in ("seed", "steps", "epochs", "fit_schedule", "validate_every", "patience")
        if getattr(arguments, name) is not None
    }
    typed |= dict(setting(text) for text in arguments.set)
    from monet_lib.data import find_data, find_images

    root = find_data(arguments.data)
    if typed.get("validate_every"):
        typed = holdouts(*(find_images(root, name, arguments.format).count() for name in ("monet", "photo"))) | typed
    config = profile(arguments.profile, **typed)
    if config.patience and not config.validate_every:
        raise UserError("patience: counts scores, and without validate_every there are none. Set --validate-every.")
    import_tensorflow()
    from monet_lib.train import train

    hours, start_up = arguments.time_budget, (time.monotonic() - began) / 3600
    if hours and hours > 3 * start_up:
        hours -= 3 * start_up  # of this command, and of the submission, which also makes its painter
    train(
        config,
        root,
        arguments.out,
        skip_bad=arguments.skip_bad,
        format=arguments.format,
        devices=arguments.devices,
        time_budget=hours,
        tensorboard=arguments.tensorboard,
    )
    say(f"{arguments.out}: config.json, history.csv, losses.png, grids/, checkpoints/, generator.npz")


def holdouts(monets: int, photos: int) -> dict[str, int]:
    """How many of so many images to keep out of training, to score with: a quarter of few, at most 60 and 200."""
    return {"holdout_monets": max(2, min(60, monets // 4)), "holdout_photos": max(2, min(200, photos // 4))}


def setting(text: str) -> tuple[str, object]:
    """(name, value) of a `--set NAME=VALUE`. Raises UserError for an unknown name or a value of another type."""
    name, equals, value = text.partition("=")
    settings = Config().settings()
    if not equals or name not in settings:
        raise UserError(f"--set {text!r}: not of the form name=value. The names are {', '.join(settings)}.")
    kind = type(settings[name])
    try:
        return name, ConfigParser.BOOLEAN_STATES[value.lower()] if kind is bool else kind(value)
    except KeyError:
        raise UserError(f"--set {text}: {value!r} is neither on nor off.") from None
    except ValueError:
        raise UserError(f"--set {text}: {value!r} is not {kind.__name__}.") from None


def diagnose(arguments: argparse.Namespace) -> None:
    """`monet diagnose`: what is wrong with a run, or with the losses in a table of another program."""
    if Path(arguments.run).suffix != ".csv":
        require_run(arguments.run)
    import_tensorflow()
    from monet_lib.figures import read_history
    from monet_lib.score.diagnosis import Evidence, diagnose
    from monet_lib.train.watch import evidence_of

    if Path(arguments.run).suffix == ".csv":
        evidence = Evidence(read_history(arguments.run))
    else:
        # With --json, the line of JSON is all that goes to stdout.
        with contextlib.redirect_stdout(sys.stderr if arguments.json else sys.stdout):
            evidence = evidence_of(arguments.run, arguments.data)
    found = diagnose(evidence)
    for line in (json.dumps(asdict(found)) if arguments.json else str(found)).splitlines():
        say(line)


def museum(arguments: argparse.Namespace) -> None:
    """`monet museum`: list the rooms, or train one and diagnose it."""
    import_tensorflow()
    from monet_lib.course.museum import ROOMS, picture, room_figure, visit
    from monet_lib.data import find_data, find_images, load
    from monet_lib.figures import encode
    from monet_lib.score.diagnosis import diagnose

    if arguments.room is None:
        print(*ROOMS, sep="\n")
        return
    if arguments.out and not arguments.overwrite:
        refuse_replacing([Path(arguments.out)])
    root = find_data(arguments.data)
    monets, photos = (load(find_images(root, name))[1] for name in ("monet", "photo"))
    evidence = visit(arguments.room, monets, photos, arguments.seed)
    if arguments.out:
        shown = encode(room_figure(evidence.history, picture(evidence)))[0]
        write_beside(Path(arguments.out), lambda file: file.write_bytes(shown))
    print(f"{arguments.room}, seed {arguments.seed}: {diagnose(evidence)}")


def translate(arguments: argparse.Namespace) -> None:
    """`monet translate`: paint image files of any size."""
    from monet_lib.paint import translate
    from monet_lib.paint.photos import allow_large_photos

    allow_large_photos()
    painter = painter_of(arguments.run, arguments.generator)
    written = translate(
        painter,
        arguments.photos,
        arguments.out,
        side_by_side=arguments.side_by_side,
        brush=arguments.brush,
        overwrite=arguments.overwrite,
        metadata=arguments.metadata,
    )
    say(f"{arguments.out}: {counted(len(written), 'painting')}")


def brush(text: str) -> float | None:
    """The value of --brush: a number, or None for "auto". Raises ValueError for anything else."""
    return None if text == "auto" else float(text)


def export(arguments: argparse.Namespace) -> None:
    """`monet export`: write a generator as one ONNX file."""
    out = Path(arguments.out)
    if out.suffix.lower() == ".npz":
        raise UserError(f"{out}: an ONNX file is written, and no .npz, as generators are kept. Choose another --out.")
    if not arguments.overwrite:
        refuse_replacing([out])
    generator, config = generator_of(arguments.run, arguments.generator)
    from monet_lib.paint.onnx_export import export_painter

    difference = export_painter(generator, config, out, arguments.overwrite)
    say(f"{out}: {out.stat().st_size / 1e6:.2f} MB; paints as Keras does, to {difference} of 255 levels")


def painter_of(run: str | None, generator: str | None = None) -> Callable:
    """The Painter of a run, or of an .onnx or .npz file; the course's where neither is given. Says which paints.

    The painter of a run or an .npz is made for every call: a file kept beside them could be of another generator.
    """
    from monet_lib.paint import SHIPPED_PAINTER, Painter

    if run is not None or (generator is not None and holds_arrays(Path(generator))):
        network, config = generator_of(run, generator)
        from monet_lib.paint.onnx_export import exported

        return Painter(exported(network, config)[0])
    painter = Painter(generator or SHIPPED_PAINTER)
    weights = f"; weights {painter.weights}" if painter.weights else ""
    say(f"painting with {generator or 'the generator of the course'}{weights}")
    return painter


def holds_arrays(file: Path) -> bool:
    """Whether a generator's file is an .npz, which is a zip. Its content tells, or where it is missing its name."""
    with suppress(OSError), opened(file) as stream:
        return stream.read(2) == b"PK"
    return file.suffix.lower() == ".npz"


def generator_of(run: str | None, file: str | None) -> tuple:
    """(Keras model, Config) of a run's generator or of an .npz. Says which."""
    if run is not None:
        require_run(run)
    import_tensorflow()
    from monet_lib.model import load_generator
    from monet_lib.paint.painting import fingerprint
    from monet_lib.train import Run

    if run is not None:
        return Run.load(run).generator()
    found = load_generator(file)
    say(f"painting with {file}; weights {fingerprint(found[0])}")
    return found


def require_run(folder: str) -> None:
    """Raise UserError where `folder` is no run's, before TensorFlow is imported."""
    if not folder or not (Path(folder) / "config.json").exists():
        raise UserError(f"run {folder!r}: no run is there (no config.json). Train first: monet train --out RUN.")


def submit(arguments: argparse.Namespace) -> None:
    """`monet submit`: repaint every photo into images.zip, or check such a zip."""
    from monet_lib.paint.submission import LEAST, check_submission, submission_size, write_submission

    if arguments.check:
        say(check_submission(arguments.check))
        return
    require_run(arguments.run)
    if not arguments.overwrite:
        refuse_replacing([Path(arguments.out)])  # before TensorFlow is imported
    import_tensorflow()
    from monet_lib.data import find_data, find_images
    from monet_lib.train import Run

    run = Run.load(arguments.run)
    root = find_data(arguments.data or run.data["folder"])
    photos = find_images(root, "photo", arguments.format or run.data["format"])
    painter = painter_of(arguments.run)
    say(write_submission(painter, photos, arguments.out, pad=arguments.pad, overwrite=arguments.overwrite))
    # A part of the data gives a valid zip of too few images: no failure, and the line says what Kaggle takes.
    say(check_submission(arguments.out, least=min(LEAST, submission_size(photos, arguments.pad))))


def score(arguments: argparse.Namespace) -> None:
    """`monet score`: score images against paintings, and against other_monets where that is beside the data's."""
    from monet_lib.data import count_images, find_data, find_images

    # With --json, the line of JSON is all that goes to stdout.
    with contextlib.redirect_stdout(sys.stderr if arguments.json else sys.stdout):
        reference = arguments.reference or find_images(find_data(), "monet").files[0].parent
        for source in (arguments.generated, reference, arguments.train or reference):
            count_images(source)  # what is missing or empty is told before TensorFlow is imported
        import_tensorflow()
        from monet_lib.score import compare, extract, feature_network

        # A weights file is the Inception graph's, if nothing else is said.
        default = "inception-2015" if arguments.weights else "efficientnet-lite0"
        network = feature_network(arguments.features or default, arguments.weights)
        made, real = extract(arguments.generated, network, arguments.n), extract(reference, network)
        trained = extract(arguments.train, network) if arguments.train else real
        found, second = compare(network, made, real, trained), None
        others = Path(reference).parent / "other_monets"  # Monet's paintings that the competition leaves out
        if others.is_dir() and others != Path(reference):
            second = compare(network, made, extract(others, network), trained)
    if arguments.json:
        print(json.dumps(json.loads(found.to_json()) | ({others.name: json.loads(second.to_json())} if second else {})))
    else:
        print(found, *([f"{others.name}: {second}"] if second else []), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
