"""What made the course's generator, in one run: `laptop` with four crops a step.

Four crops steady what every step learns: after 5,000 steps nights are painted nights, without a grain, and KID is that
of 20,000 steps of one crop or better. Scores on the 500 photos kept out, by EfficientNet-Lite0, and by SqueezeNet as a
share of the photos' distance: models/README.md.

    monet train --profile shipped --out runs/shipped
    python benchmarks/shipped.py --generator runs/shipped/generator.npz
"""

from monet_lib.recipes.laptop import RECIPE as LAPTOP

RECIPE = LAPTOP.with_(
    profile="shipped",
    batch_size=4,
    steps=5000,
    holdout_monets=30,
    holdout_photos=500,
    validate_every=500,
)
