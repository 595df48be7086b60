"""Networks of the papers' size at 256 px, for one or two GPUs: what the Kaggle notebook trains.

The losses are those of `laptop`. A crop of 229 px at 256 px is the usual jitter, 256 px cut from 286. Evidence for no
augmentation and for larger batches: our table at equal time (benchmarks/recipes.md), and scores that others published
(lesson 5). Not timed: no GPU was at hand.

    monet train --profile full --out runs/full
"""

from monet_lib.recipes.laptop import RECIPE as LAPTOP

RECIPE = LAPTOP.with_(
    profile="full",
    image_size=256,
    crop=229,
    epochs=60,
    batch_size=8,
    generator_filters=64,
    residual_blocks=9,
    discriminator_filters=64,
    diff_augment="",
)
