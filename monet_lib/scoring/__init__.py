"""How good paintings are: FID, KID and MiFID in NumPy, the feature networks under them, images from anywhere.

Every score names its features and counts: without them a number can't be compared. Nothing here knows a generator.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "features": ["feature_network"],
        "metrics": ["diversity", "frechet_distance", "kernel_distance", "memorization_distance", "mifid", "scene_kept"],
        "scores": ["Score", "compare", "embed", "score"],
        "sources": ["read_images"],
    },
)
