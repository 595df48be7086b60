"""Sample images in the competition's layout, with no download: drawn landscapes, and photographs turned to paintings.

`make_sample` draws photos and paintings by formula. The sample in data/sample is cut from free photographs instead
(tools/photo_sample.py) and uses the brush strokes of `brushwork`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "dataset": ["make_sample"],
    },
)
