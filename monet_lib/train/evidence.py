"""What a diagnosis looks at: the losses of a run, and what its networks do with a few images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from monet_lib.data.batches import load_pair
from monet_lib.data.reading import find_data, to_float
from monet_lib.figures import read_history
from monet_lib.model.cyclegan import CycleGAN
from monet_lib.score.diagnosis import Evidence
from monet_lib.train.loop import hold_out
from monet_lib.train.run import Run, restored

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
