"""The papers' networks at 256 px, for a GPU.

A crop of 229 px at 256 px is the usual jitter, 256 px cut from 286. Not timed: no GPU was at hand.

    monet train --profile full --out runs/full
"""

from monet_lib.config import Config

RECIPE = Config(
    profile="full",
    image_size=256,
    crop=229,
    epochs=30,
    generator_filters=64,
    residual_blocks=9,
    unet_depth=8,
    discriminator_filters=64,
    diff_augment="color,translation,cutout",
    feature_discriminator=0.5,
    features="efficientnet-lite0",
)
