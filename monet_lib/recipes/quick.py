"""A painter in minutes on any processor, from nothing: what lesson 4 trains.

Its generator begins by changing nothing, so that it has something to show after a few hundred steps. `laptop`, which
begins with noise, paints more broadly after 5,000 steps.

    monet train --profile quick --out runs/quick
"""

from monet_lib.recipes.laptop import RECIPE as LAPTOP

RECIPE = LAPTOP.with_(
    profile="quick",
    steps=2400,
    residual_output=True,
    feature_discriminator=0.7,
    cycle_weight=1.0,  # the generator begins at the photo, so that little has to hold it there
    identity_weight=0.1,
    tone_weight=5.0,
    generator_rate=4e-4,
    discriminator_rate=4e-4,
    decay_from=0.5,
    ema=0.99,
    precision="float32",
)
