"""Images, from files to batches. An image is uint8 (256, 256, 3), RGB in 0..255, until it is scaled to [-1, 1]."""

from monet_lib.data.batches import UnpairedBatches, load_pair, split, training_data
from monet_lib.data.download import download_data
from monet_lib.data.reading import (
    ImageSet,
    count_images,
    examine,
    find_data,
    find_images,
    inspect_data,
    load,
    read_batches,
    read_images,
    to_float,
    to_uint8,
)
