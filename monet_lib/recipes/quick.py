"""What ten minutes on two cores make, from nothing.

The generator begins by changing nothing. Two discriminators, one of which knows ImageNet, pull it towards the
paintings; little but the tone loss holds it to the photo.

TIME

    monet train --profile quick --out runs/quick
"""

from monet_lib.config import Config

RECIPE = Config(
    profile="quick",
    steps=2400,
    generator_filters=16,
    norm="none",
    residual_output=True,
    border=24,
    discriminator_norm="spectral",
    feature_discriminator=0.7,
    cycle_weight=1.0,
    identity_weight=0.1,
    tone_weight=5.0,
    diff_augment="translation",
    generator_rate=4e-4,
    discriminator_rate=4e-4,
    beta_1=0.0,
    ema=0.99,
    precision="float32",
    features="efficientnet-lite0",
)
