"""Training to be seen working in a minute and a half; `make demo` runs it.

As `quick`, on smaller crops, at a higher rate, and with a shorter average.

    monet train --profile demo --data data/sample --out build/demo/run
"""

from monet_lib.recipes.laptop import RECIPE as LAPTOP

RECIPE = LAPTOP.with_(
    profile="demo",
    steps=216,
    image_size=96,
    crop=96,
    residual_output=True,
    feature_discriminator=0.7,
    cycle_weight=1.0,
    identity_weight=0.1,
    generator_rate=6e-4,
    discriminator_rate=6e-4,
    decay_from=0.7,
    ema=0.95,
)
