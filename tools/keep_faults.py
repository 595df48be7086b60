"""The six sick runs of lesson 4 and a healthy one: python tools/keep_faults.py [DATA] [LETTER ...].

Trains each at 64 px on the images in DATA (default: the sample), half a minute on two cores, and writes its curves and
a picture into monet_lib/course/faults.npz, 40 kB. What the file holds of other letters stays.
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from monet_lib.config import Config
from monet_lib.course.museum import labels_swapped, stepped
from monet_lib.course.resnet import CURVES, FAULT_STEPS, FAULTS, FAULTS_FILE
from monet_lib.course.tools import shrunk
from monet_lib.data import find_images, load, to_uint8
from monet_lib.data.batches import UnpairedBatches, training_data
from monet_lib.model import build

SHOWN, PART = 38, slice(30, 94)  # the photo that is shown and not trained on, and which of its 128 rows and columns
HEALTHY = Config(
    profile="fault", image_size=64, crop=128, steps=FAULT_STEPS, generator_filters=12, residual_blocks=2, norm="none",
    residual_output=True, discriminator_filters=16, discriminator_norm="instance", cycle_weight=2.0,
    identity_weight=0.3, generator_rate=8e-4, discriminator_rate=6e-4, beta_1=0.0, decay_from=1.0, pool_size=0, ema=0.0,
    precision="float32",
)  # fmt: skip
CHANGES = {
    "D": {"generator_rate": 0.02, "discriminator_rate": 0.02},
    "E": {"upsample": "transpose"},
    "F": {"cycle_weight": 200.0},
}


def train(letter, monets, photos):
    """(curves (3, FAULT_STEPS) of CURVES, a part of photo SHOWN beside its painting, uint8 (64, 128, 3))."""
    config = HEALTHY.with_(**CHANGES.get(letter, {}))
    if letter == "B":
        photos = (127.5 + photos / 2).astype(np.uint8)  # these levels are scaled to 0..1
    model = build(config, FAULT_STEPS)
    if letter == "C":
        labels_swapped(model)
    data = training_data(UnpairedBatches(monets, np.delete(photos, SHOWN, 0), config), 0, FAULT_STEPS)
    rows = [[float(losses[name]) for name in CURVES] for _, losses in stepped(model, data, letter == "A")]
    photo = shrunk(photos[[SHOWN]], 128)
    sides = [x[0, PART, PART] for x in (photo, np.asarray(model.monet_generator(photo)))]
    return np.array(rows).T, to_uint8(np.concatenate(sides, 1))


def main(data=ROOT / "data" / "sample", *letters):
    held = dict(np.load(FAULTS_FILE)) if FAULTS_FILE.exists() else {}
    images = [load(find_images(data, name))[1] for name in ("monet", "photo")]
    for letter in letters or ("healthy", *FAULTS):
        curves, picture = train(letter, *images)
        Image.fromarray(picture).save(jpeg := io.BytesIO(), "JPEG", quality=92, subsampling=0)
        means = curves.reshape(len(CURVES), -1, 8).mean(-1)
        held |= {f"{letter} curves": means.astype("float16"), f"{letter} picture": np.frombuffer(jpeg.getvalue(), "u1")}
        np.savez_compressed(FAULTS_FILE, **held)


if __name__ == "__main__":
    main(*sys.argv[1:])
