"""What watches a training: scores of images kept out of it, signs that it goes wrong, and the clock.

At the end: what `diagnose` asks of a run.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from monet_lib.data.batches import hold_out, load_pair
from monet_lib.data.reading import ImageSet, find_data, to_float, to_uint8
from monet_lib.figures import encode, plot_validation, read_history
from monet_lib.model.cyclegan import CycleGAN
from monet_lib.model.networks import with_border
from monet_lib.paint.submission import submission_seconds, submission_size
from monet_lib.score.diagnosis import Evidence, diagnose
from monet_lib.score.metrics import Skies, scene_kept
from monet_lib.score.scoring import compare, embed, feature_network
from monet_lib.train.run import Run, Saver, StepCallback, restored

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
        before = f", best before {float(best[1]):.5f}" if best else ""
        tqdm.write(
            f"step {self.step}: {self.network.name} KID {score.kid:.5f}{before}; skies: pattern {pattern:.1f} times a "
            f"painting's, {orange:.0%} turned orange; grain like linen in {linen:.0%} of the nights"
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
        painted, settings = np.asarray(self.model.monet_generator(self.photos)), self.run.config.settings()
        found = diagnose(Evidence(self.run.columns(), self.photos, painted, settings=settings, step=self.step))
        sick = found.cause not in ("healthy", "nothing to tell from")
        if sick and found.cause != self.said:
            tqdm.write(
                f"warning: step {self.step}, {found.cause}: {found.remedy} See: monet diagnose {self.run.folder}"
            )
        self.said = found.cause if sick else ""


# A session ends at a fixed hour, and by then every photo must be painted.
SLACK = 1.25  # times the measured time of painting: the machine may have been quicker when it was measured


class TimeBudget(StepCallback):
    """Stops training in time to save and to paint all photos before the deadline.

    It measures saving and painting after the first step: a machine that can't paint fails then, and not after hours.
    Training stops when the time left is shorter than SLACK times these and two of the longest steps so far. The
    learning rates follow the step, so a run that is resumed later ends like one that never stopped.

    photos: the ImageSet to be painted. deadline: as `time.monotonic` counts, in seconds.
    """

    def __init__(self, run: Run, saver: Saver, photos: ImageSet, deadline: float) -> None:
        super().__init__(run, saver.start)
        self.saver, self.photos, self.deadline = saver, photos, deadline
        self.longest = self.reserve = self.before = 0.0

    def on_step(self, losses: Mapping[str, Any]) -> None:
        if not self.before:
            self.measure()
        else:
            self.longest = max(self.longest, time.monotonic() - self.before)
        self.before = time.monotonic()
        if self.seconds_left(self.before) < 0:
            tqdm.write(f"time budget: stopped after step {self.step} to paint in time; the same call resumes")
            self.model.stop_training = True

    def seconds_left(self, now: float) -> float:
        """Seconds to train in from `now` on, before it is time to save and paint."""
        return self.deadline - self.reserve - 2 * self.longest - now

    def measure(self) -> None:
        """Set the reserve: the seconds that are kept for saving and painting."""
        began = time.monotonic()
        self.saver.save()
        saving = time.monotonic() - began
        painting = submission_seconds(self.run.last_generator()[0], self.photos, self.run.folder)
        self.reserve = SLACK * (painting + 2 * saving)
        left = self.deadline - time.monotonic()
        tqdm.write(
            f"time budget: {left / 60:.1f} min left, {self.reserve / 60:.1f} of them kept for saving and for painting "
            f"{submission_size(self.photos, pad=True)} images"
        )


MARGIN = 0.03  # share of the time left that is not planned: later steps may be slower
REPLANS = 100  # how often a session makes its plan anew


class SessionPlan(StepCallback):
    """Sets both learning rates to fall to 0 at the last step that `budget`, a TimeBudget, has time for; stops there.

    From the second step on it measures the seconds of a step, with all that happens between steps, and plans: the
    constant rate for the config's `decay_from` of this session's steps, then a straight line. The plan is made anew
    again and again, so that a machine that gets slower or faster still ends at a rate of 0; the rate itself never
    jumps. Every session plans for itself, from the full rate, and not beyond the run's last step. The progress bar of
    `journal` gets the length of the plan.
    """

    def __init__(self, run: Run, start: int, budget: Any, journal: Any) -> None:
        super().__init__(run, start)
        self.budget, self.journal = budget, journal
        self.constant, self.total = float(run.config.steps), run.config.steps
        self.first: float | None = None
        self.planned: float | None = None  # when the first step ended, when the plan was made

    def on_train_begin(self, logs: Any = None) -> None:
        self.follow(self.constant, self.total)

    def on_step(self, losses: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if self.first is None:  # the first step builds TensorFlow's graph, and its time tells nothing
            self.first, self.first_step = now, self.step
            return
        left = self.budget.seconds_left(now)
        if self.planned is None or now - self.planned > (now - self.first + left) / REPLANS:
            seconds = (now - self.first) / (self.step - self.first_step)
            self.plan(max(0.0, left) * (1 - MARGIN) / seconds)
            self.journal.bar.total = self.total
            if self.planned is None:
                tqdm.write(f"plan: {seconds:.3g} s a step, so {self.total} steps; "
                           f"the learning rates fall from step {self.constant:.0f} on")  # fmt: skip
            self.planned = now
        if self.step >= self.total or self.model.stop_training:
            tqdm.write(f"plan: trained to step {self.step}, learning rates at {self.share():.1%}")
            self.model.stop_training = True

    def share(self) -> float:
        """The learning rates' share of their full value at this step: 0 to 1."""
        return min(1.0, max(0.0, (self.total - self.step) / max(1.0, self.total - self.constant)))

    def plan(self, steps: float) -> None:
        """Plan for so many steps from this one on."""
        total, share = min(self.run.config.steps, self.step + int(steps)), self.share()
        if self.step < self.constant:
            self.follow(max(self.step, self.start + self.run.config.decay_from * (total - self.start)), total)
        else:  # the rate is falling already: a straight line from its present value, whatever the new length
            self.follow(total - (total - self.step) / max(share, 1e-6), total)

    def follow(self, constant: float, total: int) -> None:
        """Let the learning rates fall from step `constant` on, to 0 at step `total`."""
        self.constant, self.total = constant, total
        for schedule in self.model.schedules:
            schedule.plan(constant, total)


PHOTOS, PAINTINGS = 8, 64  # that a diagnosis looks at: a pattern in skies is compared with that of many paintings


def evidence_of(folder: str | Path, data: str | Path | None = None) -> Evidence:
    """What `diagnose` asks of a run: its losses, and what its newest checkpoint does with images kept out of training.

    data: the images' folder; default: the one that the run was trained on. Writes nothing. Raises UserError where
    there is no run, or where its images are gone.
    """
    run, table = Run.load(folder), Path(folder) / "history.csv"
    config, history = run.config, read_history(table) if table.exists() else {}
    if not list(Path(folder).glob("checkpoints/step-*")):
        return Evidence(history=history, settings=config.settings())
    pair = load_pair(find_data(data or run.data["folder"]), format=run.data["format"])
    photos, held_photos = hold_out(pair["photo"][1], "photo", config)
    monets, unseen = hold_out(pair["monet"][1], "monet", config)
    model, saver = restored(run)
    side = round(256 * config.image_size / config.crop)  # whole images, at the size that the crops had

    def whole(images, count=PAINTINGS):
        scaled = tf.image.resize(to_float(images[:count]), (side, side), antialias=True)
        return np.clip(np.asarray(scaled), -1, 1)

    shown = whole(held_photos if len(held_photos) else photos, PHOTOS)
    found = look(model, shown, whole(monets), whole(unseen))
    found.history, found.step = history, saver.start
    scores = Path(folder) / "validation.csv"
    patterns = list(read_history(scores).get("pattern", [])) if scores.exists() else []
    found.pattern = float(patterns[-1]) if patterns else None
    return found


def look(
    model: CycleGAN,
    photos: np.ndarray,
    monets: np.ndarray,
    unseen: np.ndarray,
    *,
    feed: Callable = lambda images: images,
) -> Evidence:
    """What a CycleGAN does with photos, paintings that it was trained on, and others; float (n, h, w, 3) in [-1, 1].

    unseen may be empty. feed: what the network gets of such images. The losses are for the caller to add.
    """
    fed = feed(photos)
    painted = np.asarray(model.painter(fed, training=False))
    last = np.asarray(model.monet_generator(fed, training=False))
    back, judge = model.photo_generator, model.monet_discriminator
    logits = [np.asarray(judge(x, training=False)).mean((1, 2, 3)) if len(x) else x for x in (monets, unseen, last)]
    return Evidence(
        photos=photos,
        painted=painted,
        fed=fed,
        monets=monets,
        last=last,
        in_training=np.concatenate([np.asarray(model.monet_generator(x[None], training=True)) for x in fed]),
        cycled=np.asarray(back(last, training=False)),
        seen=logits[0],
        unseen=logits[1],
        fake=logits[2],
        settings=model.config.settings(),
    )
