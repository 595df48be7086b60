"""Every part of a training run in seconds, for tests and first looks; what it paints is no picture.

Whole photos at 64 px, so that the face of a hill is still a hill. An epoch of the sample takes 25 s on two cores, most
of which TensorFlow builds its graph:

    monet train --profile tiny --out runs/tiny
"""

from monet_lib.config import Config

RECIPE = Config(
    profile="tiny",
    image_size=64,
    crop=256,
    epochs=1,
    generator_filters=8,
    residual_blocks=2,
    unet_depth=5,
    discriminator_filters=8,
    pool_size=4,
    ema=0.9,
    checkpoint_every=20,
    precision="float32",
)
