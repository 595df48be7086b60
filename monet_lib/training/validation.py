"""Scores during training on images that were kept out of it, by which the best checkpoint is chosen."""

import math
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from monet_lib.data.competition import to_float
from monet_lib.data.pixels import to_uint8
from monet_lib.figures import encode, plot_validation
from monet_lib.networks.generators import with_border
from monet_lib.scoring.features import feature_network
from monet_lib.scoring.metrics import scene_kept
from monet_lib.scoring.scores import compare, embed
from monet_lib.scoring.skies import Skies
from monet_lib.training.callbacks import Saver, StepCallback
from monet_lib.training.runs import Run
from monet_lib.training.tensorboard import write_scalars

# Beyond these a checkpoint counts as faulty, and is never preferred to one that isn't.
MOST_PATTERN = 2.5  # times as patterned as paintings are
MOST_ORANGE = 0.05  # of the skies turned orange


class Validator(StepCallback):
    """Scores the painted photos against the paintings, both kept out of training, and keeps the best checkpoint by KID.

    photos, monets: uint8 (n, 256, 256, 3). Appends to validation.csv, draws validation.png; with `patience`, stops
    training after that many scores without a better one. FID depends on how many images there are, KID does not. A
    generator whose skies are patterned or turn orange is worse than any without, whatever its KID: see `skies`.
    """

    FIELDS = ("step", "kid", "kid_std", "fid", "memorization", "content", "pattern", "orange")

    def __init__(
        self, run: Run, start: int, saver: Saver, photos: np.ndarray, monets: np.ndarray, train_monets: np.ndarray
    ) -> None:
        super().__init__(run, start)
        self.every, self.patience = run.config.validate_every, run.config.patience
        self.saver, self.photos = saver, photos
        self.network, self.skies = feature_network(run.config.features), Skies(train_monets)
        self.real, self.seen = embed(monets, self.network), embed(train_monets, self.network)
        self.rows: list = run.table("validation.csv", self.FIELDS, start)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if score_is_missing(self.run, self.start):
            self.validate()

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self.passed(before, self.every):
            self.validate()

    def paint(self) -> np.ndarray:
        """The photos painted as the finished generator will paint them, with its border: uint8.

        The network is called directly: under a strategy, `predict_on_batch` hands the whole batch to every replica.
        """
        generator = self.model.averaged_generator or self.model.monet_generator
        painter = with_border(generator, self.run.config.border)
        parts = (self.photos[k : k + 8] for k in range(0, len(self.photos), 8))
        return np.concatenate([to_uint8(painter(to_float(part), training=False)) for part in parts])

    def validate(self) -> None:
        """Score the generator of now. What is best is kept first: a kill before the row leaves it to be scored anew."""
        painted = self.paint()
        score = compare(self.network, embed(painted, self.network), self.real, self.seen)
        skies = self.skies.pattern(self.photos, painted), self.skies.orange(self.photos, painted)
        best = min(self.rows, key=_rank, default=None)
        values = (score.kid, score.kid_std, score.fid, score.memorization, scene_kept(self.photos, painted))
        row = [self.step, *values, *skies]
        if best is None or _rank(row) < _rank(best):
            self.saver.save()
            self.saver.checkpoints.save_best(self.step, score.kid)
        self.rows.append(row)
        self.run.write_table("validation.csv", self.FIELDS, self.rows)
        write_scalars("validation", zip(self.FIELDS[1:], row[1:], strict=True), self.step)
        self.run.write_picture("validation.png", encode(plot_validation(self.rows, self.network.name))[0])
        tqdm.write(
            f"step {self.step}: {self.network.name} KID {score.kid:.5f}, best before "
            f"{float(best[1]) if best else math.inf:.5f}; skies: pattern {skies[0]:.1f} times a painting's, "
            f"{skies[1]:.0%} turned orange"
        )
        since = len(self.rows) - 1 - min(range(len(self.rows)), key=lambda k: _rank(self.rows[k]))
        if self.patience and since >= self.patience:
            tqdm.write(f"no better score in {since} validations: stopping early; the best is checkpoints/best")
            self.model.stop_training = True


def score_is_missing(run: Run, step: int) -> bool:
    """Whether a run that is resumed at `step` was stopped there before its score was written."""
    every = run.config.validate_every
    due = every and step and step % every == 0
    return bool(due) and all(int(float(row[0])) != step for row in run.table("validation.csv", Validator.FIELDS, step))


def _rank(row):
    """(faulty, KID) of a row of validation.csv: the smaller the better. What wasn't measured is no fault."""
    kid, pattern, orange = (float(row[Validator.FIELDS.index(name)]) for name in ("kid", "pattern", "orange"))
    return pattern > MOST_PATTERN or orange > MOST_ORANGE, kid
