"""A training of a minute and a half on two cores whose pictures visibly change; `make demo` runs it.

Smaller crops, a higher rate and a shorter average than in `laptop`. It promises no score: 216 steps make no painter.

    monet train --profile demo --data data/sample --out build/demo/run
"""

from monet_lib.recipes.laptop import RECIPE as LAPTOP

RECIPE = LAPTOP.with_(
    profile="demo",
    steps=216,
    image_size=96,
    crop=96,
    residual_output=True,
    tone_weight=0.0,
    color_weight=0.0,
    feature_discriminator=0.7,
    cycle_weight=1.0,
    identity_weight=0.1,
    generator_rate=6e-4,
    discriminator_rate=6e-4,
    decay_from=0.7,
    ema=0.95,
)
