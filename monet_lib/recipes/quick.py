"""What ten minutes on two cores make, from nothing: the recipe `shipped` in a quarter of its steps.

    monet train --profile quick --out runs/quick
"""

from monet_lib.recipes.shipped import RECIPE as SHIPPED

RECIPE = SHIPPED.with_(profile="quick", steps=5000, holdout_monets=0, holdout_photos=0, validate_every=0)
