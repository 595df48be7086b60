"""A museum of failures: what goes wrong with CycleGANs and DCGANs, made on purpose, in about half a minute from a seed.

`visit` trains a room and returns what `monet_lib.score.diagnosis` asks for. `monet museum ROOM` shows it, and `python
benchmarks/museum.py` visits all rooms with several seeds and two sizes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from monet_lib.config import Config
from monet_lib.course.tools import descent, shrunk
from monet_lib.data.batches import UnpairedBatches, split, training_data
from monet_lib.figures import figure_style, image_grid
from monet_lib.files import UserError
from monet_lib.model.cyclegan import CycleGAN, build, losses_of
from monet_lib.model.dcgan import DCGAN
from monet_lib.model.networks import dcgan_discriminator, dcgan_generator
from monet_lib.score.diagnosis import Evidence
from monet_lib.train.watch import look

HELD = 8  # paintings, and photos, that no room trains on
# Small, quick and healthy: the picture changes, its scene stays, and the rates fall to zero at the end.
RECIPE = Config(
    profile="museum", image_size=64, crop=128, steps=400, generator_filters=12, residual_blocks=2, norm="none",
    residual_output=True, discriminator_filters=16, discriminator_norm="instance", cycle_weight=2.0,
    identity_weight=0.3, tone_weight=4.0, color_weight=10.0, generator_rate=8e-4, discriminator_rate=6e-4, beta_1=0.0,
    decay_from=0.5, pool_size=50, ema=0.9, diff_augment="translation", precision="float32", holdout_monets=HELD,
    holdout_photos=HELD,
)  # fmt: skip
CYCLE_ALONE = {"identity_weight": 0.0, "tone_weight": 0.0, "color_weight": 0.0}
BGR = slice(None, None, -1)


@dataclass(frozen=True)
class Room:
    """One way to fail, or none. cause: what `diagnose` should call it. wrong: what is done wrong; lesson: the notebook
    that teaches it. changes: of RECIPE's settings.

    What settings can't break, functions do. monets: uint8 (n, 256, 256, 3) to those trained on. feed: images
    (n, h, w, 3) in [-1, 1] to what the networks get of them. pairs: the dataset of pairs to the one trained on. model:
    changes the built CycleGAN. loses: the discriminators and both optimizers begin anew after half of the steps.
    """

    cause: str
    wrong: str = ""
    lesson: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    monets: Callable = lambda monets: monets
    feed: Callable = lambda images: images
    pairs: Callable = lambda data: data
    model: Callable = lambda model: None
    loses: bool = False


def labels_swapped(model: CycleGAN) -> None:
    """The discriminators learn to call fakes real."""
    model.tell_apart = lambda discriminator, real, fake: CycleGAN.tell_apart(model, discriminator, fake, real)


def identity_of_the_wrong_image(monet: tf.Tensor, photo: tf.Tensor, fakes: Sequence[tf.Tensor]) -> tf.Tensor:
    """The identity loss is given the photo where it should be given the Monet: |G(photo) - monet|, and the reverse."""
    return 60 * (tf.reduce_mean(tf.abs(fakes[0] - monet)) + tf.reduce_mean(tf.abs(fakes[1] - photo)))


def begins_negative(model: CycleGAN) -> None:
    """Both generators first learn, on soft random pictures, to answer with the negative of what they are given."""
    size = (model.config.image_size,) * 2
    for generator in (model.monet_generator, model.photo_generator):

        def apart(step, generator=generator):
            coarse = tf.random.stateless_uniform((4, 8, 8, 3), [model.config.seed, step], -1, 1)
            images = tf.image.resize(coarse, size)
            return tf.reduce_mean(tf.abs(generator(images, training=True) + images))

        learn = descent(generator, keras.optimizers.Adam(2e-3), apart)
        for step in tf.range(150):
            learn(step)
    if model.averaged_generator is not None:
        model.averaged_generator.set_weights(model.monet_generator.get_weights())


def style_in_float16(monet: tf.Tensor, photo: tf.Tensor, fakes: Sequence[tf.Tensor]) -> tf.Tensor:
    """A style loss on Gram matrices in float16: sums above 65,504 are infinite, and infinity less infinity is nan."""

    def gram(images):
        x = tf.reshape(tf.cast(30 * images, tf.float16), (-1, 3))
        return tf.matmul(x, x, transpose_a=True)

    return tf.cast(tf.reduce_mean(tf.abs(gram(fakes[0]) - gram(monet))), tf.float32)


def add_loss(model: CycleGAN, loss: Callable) -> None:
    """Add loss(monet, photo, fakes) to the generators' objective."""

    def objective(monet, photo):
        total, losses, fakes = CycleGAN.generator_objective(model, monet, photo)
        return total + loss(monet, photo, fakes), losses, fakes

    model.generator_objective = objective


GAME, CYCLE, PIPELINE, TRAINING = "02_dcgan", "03_unet_cyclegan", "01_eda", "04_resnet_cyclegan"  # the lessons
ROOMS = {
    "healthy": Room("healthy"),
    "healthy-bce": Room("healthy", changes={"adversarial": "bce"}),
    "healthy-no-identity": Room("healthy", changes={"identity_weight": 0.0}),
    "healthy-tight-cycle": Room("healthy", changes={"cycle_weight": 5.0}),
    "healthy-spectral": Room("healthy", changes={"discriminator_norm": "spectral"}),
    "healthy-unet": Room("healthy", changes={
        "model": "unet", "unet_depth": 4, "norm": "instance", "cycle_weight": 5.0}),
    "discriminator-wins": Room("discriminator wins", "a DCGAN whose discriminator learns 100 times faster", GAME),
    "mode-collapse": Room("mode collapse", "a DCGAN whose generator learns 100 times faster", GAME),
    "by-heart": Room(
        "paintings learnt by heart",
        "six paintings, always whole, and a large discriminator that sees nothing augmented", TRAINING,
        {"crop": 256, "flip": False, "diff_augment": "", "discriminator_rate": 2e-3, "discriminator_filters": 32},
        monets=lambda monets: monets[:6]),
    "labels-swapped": Room(
        "labels swapped", "the discriminators are asked to call fakes real", CYCLE,
        {"tone_weight": 0.0, "color_weight": 0.0}, model=labels_swapped),
    "one-tint": Room(
        "one tint", "the identity loss takes the photo in place of the Monet: |G(photo) - monet|", CYCLE,
        CYCLE_ALONE | {"cycle_weight": 0.0, "residual_output": False},
        model=partial(add_loss, loss=identity_of_the_wrong_image)),
    "negative": Room(
        "negative", "both generators begin as negatives, which the cycle loss doesn't mind; there is no identity loss",
        CYCLE, CYCLE_ALONE | {"cycle_weight": 10.0, "residual_output": False}, model=begins_negative),
    "copy": Room("copy", "a cycle weight of 200", CYCLE, {"cycle_weight": 200.0}),
    "checkerboard": Room("checkerboard", "transposed convolutions", TRAINING, {"upsample": "transpose"}),
    "rate-too-high": Room("rate too high", "learning rates of 0.02", TRAINING, {
        "generator_rate": 0.02, "discriminator_rate": 0.02}),
    "not-finite": Room(
        "not finite", "a style loss in float16", TRAINING, model=partial(add_loss, loss=style_in_float16)),
    "batch-norm": Room("batch norm", "batch norm, and one picture in a batch", TRAINING, {"norm": "batch"}),
    "circling": Room("circling", "learning rates that never fall", TRAINING, {"decay_from": 1.0}),
    "bgr": Room("channels swapped", "photos in BGR, shown as RGB", PIPELINE, feed=lambda images: images[..., BGR]),
    "wrong-scale": Room("wrong scale", "photos in [0, 1]", PIPELINE, feed=lambda images: (images + 1) / 2),
    "few-images": Room(
        "few images", "the first 24 pairs are cached after their crop, and repeated", PIPELINE,
        pairs=lambda data: data.take(24).cache().repeat()),
    "stale-resume": Room(
        "stale resume", "the discriminators and both optimizers begin anew in the middle", TRAINING, loses=True),
}  # fmt: skip
DCGAN_RATES = {"discriminator-wins": (1e-5, 1e-3), "mode-collapse": (2e-3, 2e-5)}  # rooms of another network


def visit(room: str, monets: np.ndarray, photos: np.ndarray, seed: int = 0, size: int = 64) -> Evidence:
    """Train a room of ROOMS at `size` px. monets, photos: uint8 (n, 256, 256, 3), at least 20 each.

    Half a minute on two cores. The same seed gives the same evidence on the same machine. Raises UserError for an
    unknown room and for too few images.
    """
    if room not in ROOMS:
        raise UserError(f"room {room!r} is unknown. Choose one of {', '.join(ROOMS)}.")
    if min(len(monets), len(photos)) < 20:
        raise UserError(f"{len(monets)} paintings and {len(photos)} photos: a room needs 20 of each. Use data/sample.")
    if room in DCGAN_RATES:
        return dcgan(monets, DCGAN_RATES[room], seed, size // 2)
    made = ROOMS[room]
    config = RECIPE.with_(**(dict(made.changes) | {"seed": seed, "image_size": size}))
    (kept, held), (trained, shown) = (split(len(images), HELD, seed) for images in (monets, photos))
    paintings = made.monets(monets[kept])
    model = build(config, config.steps)
    made.model(model)
    data = training_data(UnpairedBatches(paintings, photos[trained], config), 0, config.steps)
    fed = tf.autograph.experimental.do_not_convert(lambda monet, photo: (monet, made.feed(photo)))
    data = made.pairs(data).take(config.steps).map(fed)
    rows, drawn = [], []
    for pair, losses in stepped(model, data, made.loses):
        drawn += [pair[1].numpy()[0]] if len(rows) < len(trained) else []
        rows.append([float(losses[name]) for name in losses_of(config)])
        if not np.isfinite(rows[-1]).all():
            break
    whole = lambda images: shrunk(images, 256 * size // config.crop)  # noqa: E731
    evidence = look(model, whole(photos[shown]), whole(paintings[:HELD]), whole(monets[held]), feed=made.feed)
    evidence.history = dict(zip(losses_of(config), np.transpose(rows), strict=True))
    evidence.drawn, evidence.step = np.array(drawn), len(rows)
    return evidence


def stepped(model: CycleGAN, data: Iterable, loses: bool) -> Iterator[tuple[tuple, Mapping[str, Any]]]:
    """Train on each pair of `data`; yields (pair, losses) of each step. loses: see `Room`."""
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    lost = [*model.discriminator_variables, *(v for optimizer in optimizers for v in optimizer.variables)]
    fresh = [variable.numpy() for variable in lost]
    take = tf.function(model.train_step, jit_compile=False)
    for step, pair in enumerate(data):
        if loses and step == model.config.steps // 2:
            for variable, value in zip(lost, fresh, strict=True):
                variable.assign(value)
        yield pair, take(pair)


def dcgan(monets: np.ndarray, rates: tuple[float, float], seed: int, size: int, steps: int = 300) -> Evidence:
    """A DCGAN with these learning rates of (generator, discriminator). size: px of its samples, 32 or 16 here."""
    keras.utils.set_random_seed(seed)
    size = 1 << (size.bit_length() - 1)  # a DCGAN doubles 4 px
    gan = DCGAN(dcgan_generator(32, size, filters=64), dcgan_discriminator(size, filters=16), seed=seed)
    gan.compile(*(keras.optimizers.Adam(rate, 0.5) for rate in rates))
    real = shrunk(monets, size)
    data = tf.data.Dataset.from_tensor_slices(real).shuffle(len(real), seed=seed).repeat().batch(16).take(steps)
    take = tf.function(gan.train_step, jit_compile=False)
    rows = [{name: float(loss) for name, loss in take(pictures).items()} for pictures in data]
    history = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    samples = np.asarray(gan(gan.noise(32, steps)))
    return Evidence(history=history, painted=samples, monets=real, settings={"adversarial": "bce"}, step=steps)


def picture(evidence: Evidence) -> np.ndarray:
    """Photos over their paintings over the way back, or samples, as one picture: uint8 (h, w, 3)."""
    shown = (evidence.photos, evidence.painted, evidence.cycled)
    rows = [images[:8] for images in shown if images is not None]
    rows = rows if evidence.photos is not None else [evidence.painted[:16], evidence.painted[16:32]]
    return image_grid([[np.clip(np.nan_to_num(image), -1, 1) for image in row] for row in rows], least=64)


@figure_style()
def room_figure(history: Mapping[str, Any], grid: np.ndarray) -> Figure:
    """The losses of a room over its `picture`. history: {column: values} of at least one of the names below."""
    names = {"monet_generator": "generator", "monet_discriminator": "discriminator", "cycle": "cycle",
             "generator": "generator", "discriminator": "discriminator"}  # fmt: skip
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(8, 5.4), layout="constrained")
    for name, label in names.items():
        if name in history:
            values = np.asarray(history[name], float)
            width = max(1, len(values) // 50)  # means of so many steps
            means = values[: len(values) // width * width].reshape(-1, width).mean(-1)
            upper.plot(width * np.arange(len(means)), means, label=label, marker="o" if len(means) < 3 else None)
    upper.set(xlabel="step", ylabel="loss", xlim=(0, max(10, len(values))), ylim=(0, None))
    upper.legend(loc="best")
    lower.imshow(grid)
    lower.axis("off")
    return figure
