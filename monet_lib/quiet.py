"""Keep other packages' start-up messages from the screen. Errors, theirs and ours, are still shown."""

import contextlib
import importlib.util
import logging
import os
import sys
from collections.abc import Callable
from typing import Any


def quiet() -> None:
    """From now on TensorFlow and Matplotlib say only what stops them. Call it before TensorFlow is imported.

    TF_CPP_MIN_LOG_LEVEL, set to 0 or 1 by the user, leaves TensorFlow as talkative as it is.
    """
    # Matplotlib tells that it looks for fonts, once on each machine.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") in ("0", "1"):
        return
    waiting = any(isinstance(finder, QuietImport) for finder in sys.meta_path)
    if "tensorflow" not in sys.modules and not waiting:
        sys.meta_path.insert(0, QuietImport())


class QuietImport:
    """Finds TensorFlow as usual, and has it imported without the messages that come before its log level counts."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What `importlib` asks every entry of `sys.meta_path` for; None for all packages but tensorflow."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: _import_quietly(run, module)
        return spec


def _import_quietly(run, tensorflow):
    without_stderr(run, tensorflow)
    # What it says from Python, of devices and of tracing again. In a notebook it chooses a level of its own at first.
    tensorflow.get_logger().setLevel(logging.ERROR)


def without_stderr(call: Callable[..., Any], *arguments: Any) -> Any:
    """`call(*arguments)`, while all that is written to the process's stderr, by C code too, is thrown away.

    Exceptions pass, and so does what is written afterwards.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a process without stderr, such as a service
            kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        return call(*arguments)
