"""A painter in minutes on any processor, from nothing: what lesson 4 trains.

Its generator begins by changing nothing, so that it has something to show after a few hundred steps. `shipped`, which
begins with noise, paints more broadly after twice the steps.

    monet train --profile quick --out runs/quick
"""

from monet_lib.recipes.shipped import RECIPE as SHIPPED

RECIPE = SHIPPED.with_(
    profile="quick",
    steps=2400,
    holdout_monets=0,
    holdout_photos=0,
    validate_every=0,
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
