"""What the lessons show: for each lesson a module with its figures and the checks of its exercises.

`tools` holds what several lessons use. What a lesson teaches stands in the lesson itself. This file imports no Keras:
`start` chooses Keras' backend, so a lesson imports the modules with its checks after it has called `start`.
"""

from functools import partial
from pathlib import Path
from typing import Any

from monet_lib import import_tensorflow
from monet_lib.config import Config
from monet_lib.course.checks import collect
from monet_lib.data.download import download_data
from monet_lib.data.reading import find_data
from monet_lib.recipes import profile


def start(data: str | Path | None = None, *, download: bool = False, **source: Any) -> tuple[Config, Path]:
    """Print what a lesson runs on; returns (Config of the recipe, folder of the images).

    The environment variable MONET_PROFILE names the recipe; without it the recipe is `laptop`. `find_data(data)` finds
    the images; where it finds no real ones, download=True gets them by `download_data(**source)`.
    """
    tf = import_tensorflow()
    import keras

    config = profile()
    print(f"tensorflow {tf.__version__}, keras {keras.__version__}; profile: {config.profile}")
    return config, find_data(data, partial(download_data, **source) if download else None)
