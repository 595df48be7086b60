"""Stop training in time: a session ends at a fixed hour, and by then the photos must be painted too."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from monet_lib.data.competition import ImageSet
from monet_lib.errors import UserError
from monet_lib.painting.submission import check_submission, submission_size, write_submission
from monet_lib.training.callbacks import Saver, StepCallback
from monet_lib.training.runs import Run

SLACK = 1.25  # times the measured time of painting: the machine may have been quicker when it was measured
TRIAL, LONG_TRIAL = 64, 512  # images that are painted to measure; the second where the first are soon done
SOON = 5.0  # seconds, in which the start of a trial still weighs much


def submission_seconds(
    generator: Callable[..., Any], photos: ImageSet, folder: Path, pad: bool = True, batch: int = 8
) -> float:
    """Seconds that `write_submission` and `check_submission` will take, measured here and now.

    Small submissions of the first photos are written into `folder` and removed: one pays the start-up, the last gives
    the time of an image. photos: an ImageSet.
    """
    path, total = Path(folder) / "trial.zip", submission_size(photos, pad)

    def trial(images):
        began = time.monotonic()
        write_submission(generator, photos, path, pad, batch, limit=images)
        with suppress(UserError):  # "too few images", said after all of them were looked at
            check_submission(path)
        path.unlink()
        return time.monotonic() - began

    start_up, images = trial(min(batch, total)), min(TRIAL, total)
    seconds = trial(images)
    if seconds < SOON and total > images:
        images = min(LONG_TRIAL, total)
        seconds = trial(images)
    return start_up + seconds * total / images


class TimeBudget(StepCallback):
    """Stops training so early that saving, painting every photo and checking the zip end before `deadline`.

    At its first step it saves the run, which also shows a full disk now and not after hours, and measures what saving
    and painting take. Training stops when less than SLACK times that is left, and two of the longest steps so far;
    the learning rates follow the step, so a run that is resumed later ends like one that never stopped.

    photos: the ImageSet to be painted. deadline: as `time.monotonic` counts, seconds.
    """

    def __init__(self, run: Run, start: int, saver: Saver, photos: ImageSet, deadline: float) -> None:
        super().__init__(run, start)
        self.saver, self.photos, self.deadline = saver, photos, deadline
        self.longest = 0.0
        self.reserve: float | None = None
        self.before: float | None = None

    def on_step(self, before: int, logs: dict[str, Any] | None) -> None:
        if self.reserve is None:
            self._measure()
        else:
            self.longest = max(self.longest, time.monotonic() - self.before)
        self.before = time.monotonic()
        if self.seconds_left(self.before) < 0:
            tqdm.write(f"time budget: stopped after step {self.step} to paint in time; the same call resumes")
            self.model.stop_training = True

    def seconds_left(self, now: float) -> float:
        """Seconds to train in from `now` on, before it is time to save and paint."""
        return self.deadline - self.reserve - 2 * self.longest - now

    def _measure(self):
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
