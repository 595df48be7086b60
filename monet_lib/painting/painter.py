"""A painter: a generator in an .onnx file, run by ONNX Runtime. No TensorFlow, no Keras."""

import json
from pathlib import Path

import numpy as np
import onnxruntime

from monet_lib.errors import UserError
from monet_lib.files import reading
from monet_lib.places import COURSE

SHIPPED_PAINTER = COURSE / "models" / "monet.onnx"


class Painter:
    """Call it with uint8 photos (n, h, w, 3) in 0..255 of any h and w; the paintings come back in the same form.

    config: the settings the generator was trained with, a dict. surroundings: px around a pixel that it looks at, None
    for the whole picture. Memory grows with h * w, about 400 bytes a pixel: paint large photos in tiles. Raises
    UserError where `path` is not such a file.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.exists():
            raise UserError(f"{path}: no such file. Make one: monet export --run RUN --out {path}.")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors: they are raised as well
        with reading(path, "painter", "Make one: monet export --run RUN."):
            self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
            metadata = self._session.get_modelmeta().custom_metadata_map
            ends = [(e.name, e.type, e.shape[-1:]) for e in self._session.get_inputs() + self._session.get_outputs()]
            if ends != [("photo", "tensor(uint8)", [3]), ("painting", "tensor(uint8)", [3])]:
                raise ValueError("its input is no photo")
            self.config = json.loads(metadata["config"])
            seen = metadata["surroundings"]
            self.surroundings = None if seen == "whole" else int(seen)

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        # One by one, which is a quarter faster than in a batch: a photo's layers fit a processor's caches.
        runs = (self._session.run(["painting"], {"photo": photo[None]})[0] for photo in np.ascontiguousarray(photos))
        return np.concatenate(list(runs))
