"""The `monet` command: data, train, translate, export, submit, score."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from monet_lib.commands import data, export, score, submit, train, translate
from monet_lib.errors import UserError
from monet_lib.files import advice, reason

COMMANDS = {"data": data, "train": train, "translate": translate, "export": export, "submit": submit, "score": score}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, 2 for something that the user can fix, 130 for Ctrl-C."""
    _settle_surroundings()
    arguments = _parser().parse_args(argv)
    # A scheduler that ends the session sends SIGTERM: treat it as Ctrl-C, which saves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = arguments.command(arguments) or 0
        if sys.stdout:
            sys.stdout.flush()  # here, where a pipe that nobody reads any more is an error that is caught
        return code
    except BrokenPipeError:  # `monet data | head`: who reads has seen enough
        _drop_output()
        return 141  # as the shell tells of a command that SIGPIPE ended; Windows knows no such signal
    except (UserError, ModuleNotFoundError, OSError, MemoryError) as error:
        print(f"monet: {_told(error)}", file=sys.stderr)
        if isinstance(error, OSError) and not error.filename:  # perhaps of what is printed
            _drop_output()
        return 2
    except KeyboardInterrupt:
        print("\nmonet: interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _told(error):
    """What happened, and what to do about it, in one line."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is missing: this needs pip install 'monet-lab[train]'."
    if isinstance(error, MemoryError):
        return "not enough memory. Close other programs, or take smaller images."
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{reason(error)}. {advice(error)}"
    return str(error)


def _drop_output():
    """What is still to be printed is nobody's any more: else Python fails at it once more when it ends."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _settle_surroundings():
    """What commands rely on, whatever the environment says: Keras on TensorFlow, and any terminal."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a score's ± on a terminal that knows ASCII alone
            stream.reconfigure(errors="backslashreplace")


def _parser():
    parser = argparse.ArgumentParser(prog="monet", description="Turn photographs into Monets with a CycleGAN.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        own = commands.add_parser(name, help=command.HELP)
        command.add_arguments(own)
        own.set_defaults(command=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
