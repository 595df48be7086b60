"""What made the course's generator, in one run: `laptop` with four crops a step.

Four crops steady what every step learns: nights are painted nights, without a grain. Two runs had a KID of 0.0144 and
0.0113 by EfficientNet-Lite0 and, by SqueezeNet, 0.27 and 0.30 of the photos' distance, on the 500 photos kept out. It
took 54 minutes on one core of an AMD EPYC with avx512_bf16 (0.59 s a step in bfloat16). Shown by

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
