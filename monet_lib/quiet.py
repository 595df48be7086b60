"""TensorFlow without its start-up messages: for the `monet` command and the lessons, which print only their own."""

import contextlib
import logging
import os
from types import ModuleType


def import_tensorflow() -> ModuleType:
    """Import TensorFlow, as Keras' backend, and return it; from then on it says only what stops it.

    Some of its messages come before its log level counts, and no environment variable prevents them. So what is written
    to the process's stderr, by C code too, is thrown away until the import ends. Where the user has set
    TF_CPP_MIN_LOG_LEVEL to 0 or 1, nothing is hidden.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    wordy = os.environ.get("TF_CPP_MIN_LOG_LEVEL") in ("0", "1")
    with contextlib.nullcontext() if wordy else without_stderr():
        import tensorflow
    if not wordy:
        # What it says from Python, of devices and of tracing again. In a notebook it chooses a level of its own.
        tensorflow.get_logger().setLevel(logging.ERROR)
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # tells once on a machine that it looks around
    return tensorflow


@contextlib.contextmanager
def without_stderr():
    """Around what must not write to the process's stderr. Exceptions pass, and so does what is written afterwards."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a process without stderr, such as a service
            kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        yield
