"""Warnings during training: the ways in which a CycleGAN goes wrong while its losses look calm."""

from typing import Any

import numpy as np
from tqdm.auto import tqdm

from monet_lib.scoring.metrics import scene_kept
from monet_lib.training.callbacks import StepCallback
from monet_lib.training.runs import Run

CURES = {
    "one colour": "the paintings have hardly any contrast. Check the identity loss; lower the learning rates.",
    "negative": "the paintings are negatives of the photos. Raise identity_weight, or start again with another seed.",
    "copy": "the paintings are the photos. Lower identity_weight and cycle_weight, or give it time.",
    "overfitted discriminator":
                     "a discriminator's loss has been near zero for long, so it knows its images by heart. Set "
                     "diff_augment=color,translation,cutout or r1_weight, or lower discriminator_rate.",
}  # fmt: skip


def symptoms(photos: np.ndarray, painted: np.ndarray) -> set[str]:
    """The kinds of collapse that paintings show: a set of "one colour", "negative" and "copy".

    photos, painted: (n, h, w, 3) in [-1, 1]. One colour: a spread within images under a tenth of the photos'.
    Negative: luminance correlates below -0.3. Copy: mean absolute difference under 0.02, 2.5 of 255 levels.
    """
    spread, spread_painted = (float(x.std((1, 2)).mean()) for x in (photos, painted))
    if spread_painted < 0.1 * spread:
        return {"one colour"}
    signs = {"negative": scene_kept(photos, painted) < -0.3, "copy": np.abs(photos - painted).mean() < 0.02}
    return {kind for kind, seen in signs.items() if seen}


class Guard(StepCallback):
    """Looks at a few paintings every `every` steps and at the discriminators' losses, and says what looks wrong.

    One line for a kind of collapse, and none again until it has gone and come back. A copy is reported from `patience`
    steps on; a discriminator's loss counts as near zero when its mean over the last `patience` steps is below 0.02.
    photos: (n, h, w, 3) in [-1, 1].
    """

    def __init__(self, run: Run, start: int, photos: np.ndarray, every: int = 100, patience: int = 1000) -> None:
        super().__init__(run, start)
        self.photos, self.every, self.patience = photos, every, patience
        self.said, self.means = set(), {"monet_discriminator": 1.0, "photo_discriminator": 1.0}

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        for name, mean in self.means.items():
            self.means[name] = mean + (float(logs[name]) - mean) / min(self.patience, self.step)
        if self.passed(before, self.every):
            found = symptoms(self.photos, np.asarray(self.model.monet_generator(self.photos)))
            if self.step < self.patience:
                found.discard("copy")
            elif min(self.means.values()) < 0.02:
                found.add("overfitted discriminator")
            for kind in sorted(found - self.said):
                tqdm.write(f"warning: step {self.step}, {kind}: {CURES[kind]}")
            self.said = found
