"""A training of a minute and a half on two cores whose pictures visibly change; `make demo` runs it.

`quick` on smaller crops, with a shorter average. It promises no score: 216 steps make no painter.

    monet train --profile demo --data data/sample --out build/demo/run
"""

from monet_lib.recipes.quick import RECIPE as QUICK

RECIPE = QUICK.with_(profile="demo", steps=216, image_size=96, crop=96, decay_from=0.7, ema=0.95)
