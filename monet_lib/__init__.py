"""From raw TFRecords to repainted photographs: see docs/architecture.md."""

import contextlib
import logging
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

# TensorFlow and ONNX Runtime read these when they are imported: no start-up messages, and no telemetry.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
CPU = Path("/proc/cpuinfo")  # of Linux; on ARM it has no flags


def import_tensorflow() -> ModuleType:
    """Import TensorFlow, as Keras' backend, and return it; from then on it prints only errors.

    TensorFlow prints some messages before it reads its log level, and no environment variable prevents them. So all
    that the process writes to stderr during the import is thrown away, by C code too. Where the user has set
    TF_CPP_MIN_LOG_LEVEL to 0 or 1, nothing is hidden. Raises ImportError on a processor without AVX, on
    which TensorFlow would end the process without a word.
    """
    if "flags" in (features := CPU.read_text() if CPU.exists() else "") and " avx" not in features:
        needs = "TensorFlow's packages need a processor with AVX. Train elsewhere; painting works here."
        raise ImportError(needs, name="tensorflow")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    wordy = os.environ.get("TF_CPP_MIN_LOG_LEVEL") in ("0", "1")
    with contextlib.nullcontext() if wordy else without_stderr():
        import tensorflow
    if platform.system() == "Darwin" and tensorflow.config.list_physical_devices("GPU"):
        print("note: on the CPU: Apple's Metal plugin computes other results", file=sys.stderr)
        tensorflow.config.set_visible_devices([], "GPU")
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
