"""Where the files lie that come with the course: its data, its trained networks."""

from pathlib import Path

# In a notebook that holds this code there is no __file__: then `data/` and `models/` are looked for beside it.
_PACKAGE = Path(globals().get("__file__", "monet_lib/places.py")).resolve().parent
# The folder of data/ and models/: the checkout, or a part of the package where that was installed on its own.
COURSE = _PACKAGE / "shipped" if (_PACKAGE / "shipped").is_dir() else _PACKAGE.parent
# The trained ImageNet networks: for scores, and for the feature discriminator.
IMAGENET = COURSE / "models" / "imagenet"
