"""Images, from files to batches: find the competition's folders, read and check shards and JPEGs, pair them up.

An image is uint8 (256, 256, 3), RGB in 0..255, until the pipeline scales it to [-1, 1]. Nothing here knows a network.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "competition": ["ImageSet", "find_data", "find_images", "load", "read_batches", "to_float"],
        "examination": ["examine"],
        "download": ["download_data"],
        "pipeline": ["UnpairedBatches", "load_pair", "split", "training_data"],
        "pixels": ["to_uint8"],
    },
)
