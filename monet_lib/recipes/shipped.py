"""The course's generator, `models/monet.npz`, from nothing in one run.

    monet train --profile shipped --out runs/shipped
"""

from monet_lib.config import Config

RECIPE = Config(
    profile="shipped",
    steps=5000,
    holdout_monets=30,
    holdout_photos=500,
    generator_filters=16,  # a light network takes more steps in the same time
    norm="none",  # so that large photos are painted in tiles without seams
    border=24,  # the zero-padded halvings leave a strip at two edges; the border takes it away
    discriminator_norm="spectral",  # instance norm asked for strokes in bare skies, and the generator drew weaves there
    feature_discriminator=0.5,
    cycle_weight=2.0,
    identity_weight=2.0,
    tone_weight=8.0,
    color_weight=10.0,
    diff_augment="translation",
    beta_1=0.0,
    ema=0.999,
    decay_from=0.3,
    validate_every=2500,
    features="efficientnet-lite0",
)
