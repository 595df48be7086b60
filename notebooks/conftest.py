"""Settings for `pytest --nbval-lax notebooks/`: kernels inherit them."""

import os

os.environ["MONET_PROFILE"] = "tiny"
