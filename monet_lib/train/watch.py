"""What is looked at while training: scores on images that were kept out of it, and signs that it goes wrong."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from monet_lib.data.reading import to_float, to_uint8
from monet_lib.figures import encode, plot_validation
from monet_lib.model.cyclegan import losses_of
from monet_lib.model.networks import with_border
from monet_lib.score.diagnosis import Evidence, diagnose
from monet_lib.score.metrics import Skies, scene_kept
from monet_lib.score.scoring import compare, embed, feature_network
from monet_lib.train.run import Run, Saver, StepCallback

# The columns of validation.csv.
FIELDS = ("step", "kid", "kid_std", "fid", "memorization", "content", "pattern", "orange", "linen")
# A checkpoint beyond one of these is faulty: one without a fault is better, whatever the distances.
MOST_PATTERN = 2.5  # times as patterned as paintings are
MOST_ORANGE = 0.05  # share of the skies that turned orange


class Validator(StepCallback):
    """Scores the painted photos against the paintings, both kept out of training, and keeps the best checkpoint.

    photos, monets, train_monets: uint8 (n, 256, 256, 3). Appends to validation.csv, draws validation.png; with the
    config's `patience`, stops training after that many scores without a better one. See `rank` for what is better.
    """

    def __init__(
        self, run: Run, saver: Saver, *, photos: np.ndarray, monets: np.ndarray, train_monets: np.ndarray
    ) -> None:
        super().__init__(run, saver.start)
        self.saver, self.photos = saver, photos
        self.network, self.skies = feature_network(run.config.features), Skies(train_monets)
        self.real, self.seen = embed(monets, self.network), embed(train_monets, self.network)
        self.rows: list = run.table("validation.csv", FIELDS, self.start)

    def on_train_begin(self, logs: Any = None) -> None:
        if score_is_missing(self.run, self.start):
            self.validate()

    def on_step(self, losses: Mapping[str, Any]) -> None:
        if self.step % self.run.config.validate_every == 0:
            self.validate()

    def paint(self) -> np.ndarray:
        """The photos as the finished generator will paint them, with its border: uint8 (n, 256, 256, 3).

        The network is called directly: under a strategy, `predict_on_batch` hands the whole batch to every replica.
        """
        painter = with_border(self.model.painter, self.run.config.border)
        parts = (self.photos[k : k + 8] for k in range(0, len(self.photos), 8))
        return np.concatenate([to_uint8(painter(to_float(part), training=False)) for part in parts])

    def validate(self) -> None:
        """Score the generator. The checkpoint is kept before the row is written: a resumed run scores it again."""
        painted = self.paint()
        score = compare(self.network, embed(painted, self.network), self.real, self.seen)
        skies = (self.skies.pattern, self.skies.orange, self.skies.linen)
        pattern, orange, linen = (measure(self.photos, painted) for measure in skies)
        kept = scene_kept(self.photos, painted)
        row = [self.step, score.kid, score.kid_std, score.fid, score.memorization, kept, pattern, orange, linen]
        best = min(self.rows, key=rank, default=None)
        if best is None or rank(row) < rank(best):
            self.saver.save()
            self.saver.checkpoints.save_best(self.step, score.kid)
        self.rows.append(row)
        self.run.write_table("validation.csv", FIELDS, self.rows)
        self.run.write_picture("validation.png", encode(plot_validation(self.rows, self.network.name))[0])
        tqdm.write(
            f"step {self.step}: {self.network.name} KID {score.kid:.5f}"
            f"{f', best before {float(best[1]):.5f}' if best else ''}; skies: pattern {pattern:.1f} times a painting's, "
            f"{orange:.0%} turned orange; grain like linen in {linen:.0%} of the nights"
        )
        since = len(self.rows) - 1 - min(range(len(self.rows)), key=lambda k: rank(self.rows[k]))
        if 0 < self.run.config.patience <= since:
            tqdm.write(f"no better score in {since} validations: stopping early; the best is checkpoints/best")
            self.model.stop_training = True


def rank(row: Any) -> tuple[bool, float]:
    """(faulty, KID) of a row of FIELDS: the smaller the better. A pattern or orange that wasn't measured is no fault.

    By KID, since FID depends on how many images there are.
    """
    kid, pattern, orange = (float(row[FIELDS.index(name)]) for name in ("kid", "pattern", "orange"))
    return pattern > MOST_PATTERN or orange > MOST_ORANGE, kid


def score_is_missing(run: Run, step: int) -> bool:
    """Whether a run that resumes at `step` was stopped there before its score was written."""
    every = run.config.validate_every
    if not every or not step or step % every:
        return False
    return all(float(row[0]) != step for row in run.table("validation.csv", FIELDS, step))


EVERY = 100  # steps from one diagnosis to the next


class Guard(StepCallback):
    """Warns, in one line, of what goes wrong while a CycleGAN's losses look calm: see `diagnosis.CAUSES`.

    Diagnoses the losses so far and the paintings of a few photos, (n, h, w, 3) in [-1, 1], every EVERY steps. A warning
    comes once, and again when its cause has gone and come back.
    """

    def __init__(self, run: Run, start: int, photos: np.ndarray) -> None:
        super().__init__(run, start)
        self.photos = photos
        self.said = ""

    def on_step(self, losses: Mapping[str, Any]) -> None:
        if self.step % EVERY:
            return
        names = ("step", "seconds", *losses_of(self.run.config))
        history = dict(zip(names, np.transpose(self.run.history), strict=True)) if self.run.history else {}
        painted = np.asarray(self.model.monet_generator(self.photos))
        found = diagnose(Evidence(history, self.photos, painted, settings=self.run.config.settings(), step=self.step))
        sick = found.cause not in ("healthy", "nothing to tell from")
        if sick and found.cause != self.said:
            tqdm.write(
                f"warning: step {self.step}, {found.cause}: {found.remedy} See: monet diagnose {self.run.folder}"
            )
        self.said = found.cause if sick else ""
