"""The unpaired training pipeline: which painting meets which photo at which step, cropped, flipped, in [-1, 1]."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from monet_lib.config import Config
from monet_lib.data.reading import find_images, load, to_float
from monet_lib.files import UserError, counted, say


class UnpairedBatches:
    """Batch number `step` as a pure function of (seed, step), so that training resumes anywhere exactly.

    monets, photos: uint8 (n, 256, 256, 3), decoded once and kept. Each set is dealt out like a pack of cards: all its
    images in a random order, then all again in a new order, so that training sees every image equally often. An epoch
    is one pass over the larger set: `steps_per_epoch` steps.
    """

    def __init__(self, monets: np.ndarray, photos: np.ndarray, config: Config) -> None:
        self.sets = (monets, photos)
        self.config = config
        self.steps_per_epoch = max(1, max(len(monets), len(photos)) // config.batch_size)
        self._order = lru_cache(maxsize=8)(self._shuffled)

    def __call__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """(monet, photo): uint8 (batch, crop, crop, 3) each, cut, flipped and turned at random."""
        return self._cut(0, int(step)), self._cut(1, int(step))

    def _shuffled(self, domain, epoch):
        return np.random.default_rng([self.config.seed, domain, epoch]).permutation(len(self.sets[domain]))

    def _cut(self, domain, step):
        images, size, batch = self.sets[domain], self.config.crop, self.config.batch_size
        rng = np.random.default_rng([self.config.seed, 2 + domain, step])
        corners = rng.integers(0, images.shape[1] - size + 1, (batch, 2))
        flips = rng.random(batch) < 0.5 if self.config.flip else np.zeros(batch, bool)
        turns = rng.integers(0, 4, batch) if self.config.rotate else np.zeros(batch, int)
        cut = np.empty((batch, size, size, 3), np.uint8)
        for k, ((top, left), flip) in enumerate(zip(corners, flips, strict=True)):
            epoch, place = divmod(step * batch + k, len(images))
            crop = images[self._order(domain, epoch)[place], top : top + size, left : left + size]
            cut[k] = np.rot90(crop[:, ::-1] if flip else crop, turns[k])
        return cut


def training_data(batches, start, stop):
    """A tf.data.Dataset of the batches of steps `start` to `stop` - 1. batches: UnpairedBatches.

    Elements are (monet, photo): float32 (batch, image_size, image_size, 3) in [-1, 1], with static shapes.
    """
    import tensorflow as tf  # imported here, because `monet data` and others import this package without TensorFlow

    config = batches.config

    def cut(step):
        pair = tf.numpy_function(batches, [step], (tf.uint8, tf.uint8), stateful=False)
        return tuple(tf.ensure_shape(x, (config.batch_size, config.crop, config.crop, 3)) for x in pair)

    def scale(*pair):
        return tuple(sized(to_float(x)) for x in pair)

    def sized(x):
        shape = (config.image_size, config.image_size)
        larger = config.crop > config.image_size
        return x if config.crop == config.image_size else tf.image.resize(x, shape, antialias=larger)

    # Each stage works two batches ahead. Cutting is Python code, which runs in one thread; AUTOTUNE was slower here.
    data = tf.data.Dataset.range(start, stop).map(cut).prefetch(2)
    return data.map(scale, num_parallel_calls=2).prefetch(2)


def split(count: int, holdout: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(kept, held): two sorted arrays of indices below `count`; the seed decides which `holdout` indices are held."""
    order = np.random.default_rng([seed, 4]).permutation(count)
    return np.sort(order[holdout:]), np.sort(order[:holdout])


def hold_out(pixels: np.ndarray, name: str, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """(to train on, held out to score with) of uint8 (n, 256, 256, 3) images. Raises UserError if none is left."""
    count = getattr(config, f"holdout_{name}s")
    if count >= len(pixels):
        raise UserError(f"holdout_{name}s: {count} of {len(pixels)} leaves none to train on. Lower it.")
    inside, outside = split(len(pixels), count, config.seed)
    return pixels[inside] if count else pixels, pixels[outside]


def load_pair(
    root: str | Path, skip_bad: bool = False, format: str | None = None
) -> dict[str, tuple[list[str], np.ndarray]]:
    """{"monet": (names, pixels), "photo": (names, pixels)} of a data folder, read by `load`.

    Prints how many images it has read, and each bad record that it has skipped.
    """
    loaded = {}
    for name in ("monet", "photo"):
        images = find_images(root, name, format)
        names, pixels, problems = load(images, skip_bad)
        for problem in problems:
            say(f"skipped: {problem}")
        bad = counted(len(problems), "bad record")
        print(f"{name}: {counted(len(names), 'image')} from {images.format}, {bad} skipped")
        loaded[name] = names, pixels
    return loaded
