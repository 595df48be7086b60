"""`monet train`: train a CycleGAN in a run's folder."""

import argparse
from configparser import ConfigParser

from monet_lib.config import CHOICES, PROFILES, Config, profile
from monet_lib.errors import UserError

HELP = "train a CycleGAN; the same command resumes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its ArgumentParser."""
    parser.add_argument("--data", metavar="DIR", help="default: MONET_DATA, Kaggle's input, data/, the sample")
    parser.add_argument("--format", choices=("tfrec", "jpg"), help="default: shards where there are any")
    parser.add_argument("--model", choices=CHOICES["model"], help="the generator; default: resnet")
    parser.add_argument("--profile", help=f"{', '.join(PROFILES)}; default: MONET_PROFILE or laptop")
    parser.add_argument("--validate-every", type=int, metavar="STEPS", help="score on images kept out of training")
    parser.add_argument("--patience", type=int, metavar="N", help="stop after N scores without a better one")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="training steps, a batch each")
    length.add_argument("--epochs", type=int, help="passes over the photos")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting; repeatable")
    parser.add_argument("--time-budget", type=float, metavar="HOURS", help="stop in time to paint all photos")
    schedule = "the learning rates reach zero when the time budget ends"
    parser.add_argument("--fit-schedule", action="store_true", default=None, help=schedule)
    parser.add_argument("--devices", default="auto", help="auto, one or mirrored (every GPU of this machine)")
    parser.add_argument("--tensorboard", action="store_true", help="write RUN/tensorboard for TensorBoard too")
    parser.add_argument("--skip-bad", action="store_true", help="train without the records that can't be read")
    parser.add_argument("--out", required=True, metavar="RUN", help="the run's folder")


def run(arguments: argparse.Namespace) -> None:
    """Run the command; returns its exit code, None for 0."""
    changes = {name: getattr(arguments, name) for name in ("model", "seed", "steps", "epochs", "fit_schedule")}
    changes = {name: value for name, value in changes.items() if value is not None}
    changes |= dict(_setting(text) for text in arguments.set)
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


def _setting(text):
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
