"""Lesson 2's plumbing: small paintings, a training loop that watches diversity, figures, exercise checks."""

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt

from monet_lib.course.checks import Check, Wrong, answer_of, expect_close, expect_shape
from monet_lib.data.competition import find_images, load, to_float
from monet_lib.figures import figure_style, image_grid
from monet_lib.gan.dcgan import DCGAN
from monet_lib.gan.losses import bce
from monet_lib.networks.discriminators import dcgan_discriminator
from monet_lib.networks.generators import dcgan_generator
from monet_lib.scoring.metrics import diversity

# What a profile trains: pixels, the generator's and discriminator's filters, batch, steps of the long and short runs.
SCALES = {
    "tiny": {"size": 32, "filters": 32, "judge": 8, "batch": 8, "steps": 12, "short": 6},
    "laptop": {"size": 64, "filters": 128, "judge": 32, "batch": 16, "steps": 800, "short": 320},
    "full": {"size": 128, "filters": 512, "judge": 64, "batch": 64, "steps": 20000, "short": 500},
}
LATENT = 64


def small_paintings(root, size, limit=None):
    """The paintings under `root`, the first `limit` of them, as float32 (n, size, size, 3) in [-1, 1]."""
    pixels = load(find_images(root, "monet"))[1][:limit]
    return tf.image.resize(to_float(pixels), (size, size), antialias=True).numpy()


def new_dcgan(scale, generator_rate, discriminator_rate, seed=0):
    """An untrained, compiled DCGAN of a SCALES entry, with a learning rate for each side."""
    keras.utils.set_random_seed(seed)
    generator = dcgan_generator(LATENT, scale["size"], scale["filters"])
    model = DCGAN(generator, dcgan_discriminator(scale["size"], scale["judge"]), seed)
    model.compile(*(keras.optimizers.Adam(rate, 0.5) for rate in (generator_rate, discriminator_rate)))
    return model


def train_and_watch(model, images, steps, batch, looks=24, seed=0):
    """Train for `steps` batches drawn from `images`, (n, h, w, 3) in [-1, 1].

    Returns {"step", "generator", "discriminator", "diversity": float arrays of about `looks` values, "pictures":
    uint8-ready float (looks, 8, h, w, 3)}: the losses averaged since the last look; diversity relative to `images`.
    """
    rng, every = np.random.default_rng(seed), max(1, steps // looks)
    latents, step_of = model.noise(32, -1), tf.function(model.train_step, jit_compile=False)
    found = {name: [] for name in ("step", "generator", "discriminator", "diversity", "pictures")}
    sums = []
    for step in range(1, steps + 1):
        losses = step_of(tf.constant(images[rng.integers(0, len(images), batch)]))
        sums.append([losses["generator"], losses["discriminator"]])
        if step % every == 0 or step == steps:
            made = model(latents, training=False).numpy()
            row = (step, *np.mean(np.array(sums, float), 0), diversity(made, images), made[:8])
            for name, value in zip(found, row, strict=True):
                found[name].append(value)
            sums = []
    return {name: np.array(values) for name, values in found.items()}


def curves_figure(histories, title):
    """Generator loss, discriminator loss and diversity over steps, for each {label: train_and_watch result}."""
    panels = {
        "generator": "generator loss (BCE)",
        "discriminator": "discriminator loss (BCE)",
        "diversity": "diversity (1: like real paintings)",
    }
    with figure_style():
        figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
        for axis, (name, label) in zip(axes, panels.items(), strict=True):
            for (run, history), style in zip(histories.items(), ("-", "--", ":"), strict=False):
                axis.plot(history["step"], history[name], style, label=run)
            if name != "diversity":
                axis.axhline(BLIND[name], color="0.5", lw=1, label="a blind discriminator")
            axis.set(xlabel="training step", ylabel=label, ylim=(0, None))
        axes[0].legend()
        figure.suptitle(title)
    return figure


def picture_rows(histories, at=-1):
    """A grid with one row of eight latents for each run, as the generators stood at look `at`."""
    return image_grid([list(history["pictures"][at]) for history in histories.values()])


# What both sides pay where the discriminator answers the same to everything, with labels 0.9 and 0: its best
# constant answer is p = 0.45.
BLIND = {
    "generator": float(-np.log(0.45)),
    "discriminator": float(-0.5 * (0.9 * np.log(0.45) + 1.1 * np.log(0.55))),
}


def walk(model, start, end, count=8):
    """Images (count, h, w, 3) along the straight line between the latents `start` and `end`, both (latent,)."""
    share = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    return model(tf.constant((1 - share) * start + share * end), training=False).numpy()


def _test_shapes(answer):
    if list(answer) != [4, 8, 16, 32, 64, 128, 256]:
        raise Wrong(
            f"{list(answer)}: begin with the 4 of the first map and double until 256; both ends belong to the list."
        )


def _test_bce(answer):
    logits = np.array([-60.0, -2.0, 0.0, 3.0, 200.0])
    for target in (1.0, 0.9, 0.0):
        found = np.array([float(answer_of(answer, np.float32(x), target)) for x in logits])
        if not np.isfinite(found).all():
            bad = logits[~np.isfinite(found)][0]
            raise Wrong(
                f"logit {bad:g}, label {target}: {found[~np.isfinite(found)][0]}. A sigmoid there is exactly 0 or 1, "
                "and its logarithm infinite: write it without the sigmoid."
            )
        expected = np.array([float(bce(np.float32(x), target)) for x in logits])
        expect_close(found, expected, f"label {target}: {{got}} instead of {{expected}}.", 1e-4)


def _test_blind(answer):
    p, loss = answer
    if abs(p - 0.5) < 1e-6:
        raise Wrong("p = 0.5 is right for labels 1 and 0. With 0.9 the answer that costs least is lower.")
    expect_close(p, 0.45, "p = {got} costs more than p = {expected}: the mean of the two labels.", 1e-3)
    expect_close(
        loss,
        2 * BLIND["discriminator"],
        "the summed loss is {expected}, not {got}: S3 adds both sides.",
        1e-2,
    )


def _test_diversity(answer):
    rng = np.random.default_rng(0)
    same = np.repeat(rng.normal(size=(1, 8, 8, 3)), 5, 0)
    other = rng.normal(0, 3, (64, 8, 8, 3))
    if abs(float(answer_of(answer, same))) > 1e-6:
        raise Wrong("five copies of one picture give not 0: take the spread over images, not over pixels.")
    expect_close(
        float(answer(other)), np.sqrt(other.var(0).mean()), "noise gives {got}, not {expected}.", 0.05
    )


def _test_walk(answer):
    a, b = np.zeros(4, np.float32), np.float32([0, 3, 6, 9])
    found = answer_of(answer, a, b, 4)
    expect_shape(np.asarray(found), (4, 4), "the path")
    found = np.asarray(found)
    if not (np.allclose(found[0], a) and np.allclose(found[-1], b)):
        raise Wrong("the first row must be the start and the last one the end.")
    expect_close(
        np.diff(found, axis=0), np.diff(np.linspace(a, b, 4), axis=0), "the steps are not equal: {got}."
    )


def expected_walk():
    """A row of greys from black to white: what an even walk between two latents looks like."""
    return np.repeat(np.repeat(np.linspace(-1, 1, 8)[None, :], 24, 0).repeat(24, 1)[..., None], 3, 2)


check_shapes = Check("Exercise 1, doublings", _test_shapes)
check_bce = Check("Exercise 2, the loss of a logit", _test_bce)
check_blind = Check("Exercise 3, a blind discriminator", _test_blind)
check_diversity = Check("Exercise 4, diversity", _test_diversity)
check_walk = Check(
    "Exercise 5, a walk", _test_walk, expected_walk, "Eight grey squares in even steps, black to white"
)
