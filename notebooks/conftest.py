"""Settings for `pytest --nbval-lax notebooks/`: kernels inherit them."""

import os

os.environ["MONET_PROFILE"] = "tiny"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
