"""How good paintings are: FID, KID and MiFID in NumPy, and the feature networks under them."""

from monet_lib.data.reading import read_images
from monet_lib.score.metrics import (
    Skies,
    diversity,
    frechet_distance,
    kernel_distance,
    memorization_distance,
    mifid,
    scene_kept,
)
from monet_lib.score.scoring import Score, compare, embed, extract, feature_network, score
