"""Sample images in the competition's layout, with no download: photographs, and others turned to paintings.

`make_sample` cuts them from the photographs that come with the course; data/sample was cut from more of them
(tools/photo_sample.py). Both are repainted in the brush strokes of `brushwork`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"dataset": ["make_sample"]})
