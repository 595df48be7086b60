"""The first line of every lesson: versions, profile and data, in one place."""

import keras
import tensorflow as tf

from monet_lib.config import profile
from monet_lib.data.competition import find_data


def start(data=None):
    """Print what a lesson runs on; returns (Config of the profile, folder of the images).

    The profile is MONET_PROFILE's, or `laptop`; the images are those that `find_data(data)` finds.
    """
    tf.get_logger().setLevel("ERROR")  # lessons make many small networks: no advice on tracing
    config = profile()
    print(f"tensorflow {tf.__version__}, keras {keras.__version__}; profile: {config.profile}")
    return config, find_data(data)
