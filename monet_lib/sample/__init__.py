"""The embedded sample: procedural landscapes as photos and as paintings, in the competition's layout.

It needs no licence and no download, so that every lesson and test runs anywhere.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "dataset": ["make_sample"],
    },
)
