"""TensorFlow without its start-up messages: the `monet` command and the lessons print only lines of their own."""

import contextlib
import logging
import os
from collections.abc import Iterator
from types import ModuleType


def import_tensorflow() -> ModuleType:
    """Import TensorFlow, as Keras' backend, and return it; from then on it prints only errors.

    TensorFlow prints some messages before it reads its log level, and no environment variable prevents them. So all
    that the process writes to stderr during the import is thrown away, by C code too. Where the user has set
    TF_CPP_MIN_LOG_LEVEL to 0 or 1, nothing is hidden.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    wordy = os.environ.get("TF_CPP_MIN_LOG_LEVEL") in ("0", "1")
    with contextlib.nullcontext() if wordy else without_stderr():
        import tensorflow
    if not wordy:
        # The Python logger warns of devices and of repeated tracing. In a notebook it lowers its own level.
        tensorflow.get_logger().setLevel(logging.ERROR)
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it tells once that it looks for fonts
    return tensorflow


@contextlib.contextmanager
def without_stderr() -> Iterator[None]:
    """A `with` block in which what the process writes to stderr is thrown away. Exceptions pass."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a process without stderr, such as a service
            kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        yield
