"""What the lessons show: for each lesson a module with its figures and the checks of its exercises.

What a lesson teaches stands in the lesson itself.
"""

from pathlib import Path

from monet_lib.config import Config
from monet_lib.data.reading import find_data
from monet_lib.quiet import import_tensorflow
from monet_lib.recipes import profile


def start(data: str | Path | None = None) -> tuple[Config, Path]:
    """Print what a lesson runs on; returns (Config of the profile, folder of the images).

    The profile is MONET_PROFILE's, or `laptop`; the images are those that `find_data(data)` finds. This line comes
    before Keras is imported: it sets Keras' backend.
    """
    tf = import_tensorflow()
    import keras

    config = profile()
    print(f"tensorflow {tf.__version__}, keras {keras.__version__}; profile: {config.profile}")
    return config, find_data(data)
