"""The U-Net on a CPU: the papers' norm and weights, with a discriminator on features.

monet train --profile unet --out runs/unet
"""

from monet_lib.config import Config

RECIPE = Config(profile="unet", model="unet", feature_discriminator=0.5, features="efficientnet-lite0")
