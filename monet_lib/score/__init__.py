"""How good paintings are: FID, KID and MiFID in NumPy, and the feature networks under them."""

from monet_lib.score.metrics import (
    diversity,
    frechet_distance,
    kernel_distance,
    memorization_distance,
    mifid,
    scene_kept,
)
from monet_lib.score.scoring import Score, compare, embed, extract, feature_network, score
