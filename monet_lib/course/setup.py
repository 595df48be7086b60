"""The first line of every lesson: versions, profile and data, in one place."""

import os
from pathlib import Path

from monet_lib.config import Config, profile
from monet_lib.data.competition import find_data
from monet_lib.quiet import quiet


def start(data: str | Path | None = None) -> tuple[Config, Path]:
    """Print what a lesson runs on; returns (Config of the profile, folder of the images).

    The profile is MONET_PROFILE's, or `laptop`; the images are those that `find_data(data)` finds. From here on
    TensorFlow says only what stops it, so this line comes before TensorFlow is imported.
    """
    quiet()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # lessons make many small networks: no advice on tracing
    config = profile()
    print(f"tensorflow {tf.__version__}, keras {keras.__version__}; profile: {config.profile}")
    return config, find_data(data)
