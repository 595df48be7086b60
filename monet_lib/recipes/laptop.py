"""Training on a CPU for as long as one likes: crops of 128 px at full resolution, networks for two cores.

Memory 1.75 GB, shown by `python benchmarks/training.py` with 2,816 photos on 2 cores of an Intel Xeon with avx512_bf16
and amx_bf16. Its four epochs were not scored; the course's generator has the same network (models/README.md).

    monet train --profile laptop --out runs/first
"""

from monet_lib.config import Config

RECIPE = Config(
    profile="laptop",
    generator_filters=16,  # a light network takes more steps in the same time
    norm="none",  # so that large photos are painted in tiles without seams
    border=24,  # the zero-padded halvings leave a strip at two edges; the border takes it away
    discriminator_norm="spectral",  # instance norm asked for strokes in bare skies, and the generator drew weaves there
    feature_discriminator=0.5,
    cycle_weight=3.0,  # the feature discriminator learns fast, so little has to hold the generator to the photo
    identity_weight=0.5,
    diff_augment="translation",
    beta_1=0.0,
    ema=0.995,
    features="efficientnet-lite0",
)
