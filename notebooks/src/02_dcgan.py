# %% [markdown]
# # 2 · Paint from noise
#
# Watch the game that a GAN plays, build one, learn to see when it fails, and make small painterly pictures out of
# random numbers.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/02_dcgan.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/02_dcgan/02_dcgan.ipynb)

# %% [markdown]
# ## You will learn
#
# - what the two networks of a GAN want, by four losses, and what each loss reads when nothing is known
# - what the best discriminator answers
# - how a generator doubles 4×4 numbers into a picture
# - why discriminators answer in logits, and what a soft label of 0.9 changes
# - to write a training step, and to measure mode collapse
# - to find out by a number whether a generator repeats what it was trained on
#
# **You need** [lesson 1](01_eda.ipynb) and an idea of what a convolution and a gradient are.
#
# <!-- measured -->
# Time and memory: measured in the table of the [README](../README.md).
#
# Five people wrote publicly about their attempts at this competition. The course calls them S0 to S4 and tests what
# they say (a score is the competition's, and lower is better):
# [S0](https://github.com/vbthrhb6jy-creator/kaggle_CycleGan_Monet), a CycleGAN with residual blocks, score 125;
# S1 (no lasting address is known), a CycleGAN with an encoder and a decoder, score 684;
# [S2](https://github.com/rsandel94/I-mSomethingOfAPainterMyself), a U-Net CycleGAN with skip connections;
# [S3](https://github.com/addocolo/Gan-getting-started), a DCGAN and then a U-Net CycleGAN;
# [S4](https://github.com/Faig22/Machine_Learning_projects), the CycleGAN of the paper, in Russian.

# %% [markdown]
# ## What you will have made
#
# ![Small patches of flecks in ochre, pale grey and dark green, made from noise, and below each the most similar square of a training painting, which differs](../docs/images/02_dcgan.jpg)
#
# Patches of 32×32 pixels that a generator of yours made from random numbers, after minutes of training without a GPU,
# each beside the most similar square of all training paintings.
#
# ## Setup
#
# Every picture is shrunk to 128×128 pixels. The last twelve paintings are held out: no training of this lesson sees
# them. On the competition's images instead of the sample: `start(download=True)`, no account needed.

# %% tags=["install"]
# On Colab: fetch the course and its sample. Real images: start(download=True)
import importlib.util
import sys
from pathlib import Path
from subprocess import run

if importlib.util.find_spec("monet_lib") is None:
    git = "git clone --depth=1 https://github.com/monet-lab/monet-lab".split()
    if not Path("monet-lab").exists():  # an earlier try may have come so far
        run([*git, "monet-lab"], check=True)
    run([sys.executable, *"-m pip install -q -e monet-lab".split()], check=True)
    sys.path.insert(0, "monet-lab")  # the kernel looked here before

# %%
from monet_lib.course import start

config, root = start()

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.optimizers import Adam
from numpy.lib.stride_tricks import sliding_window_view
from tqdm.auto import tqdm, trange

from monet_lib.course import dcgan as lesson
from monet_lib.course.checks import keep
from monet_lib.course.tools import descent, explore
from monet_lib.data import to_uint8
from monet_lib.figures import show
from monet_lib.model import DCGAN, bce, dcgan_discriminator, dcgan_generator
from monet_lib.score import compare, diversity, embed, feature_network

sizes = lesson.settings(config)
paintings, held, photos = lesson.pictures(root)

# %% tags=["ci"]
from monet_lib.model import discriminator_loss

assert paintings.shape[1:] == photos.shape[1:] == (128, 128, 3)
assert not any((a == b).all() for a in held for b in paintings)

# %% [markdown]
# ## The game, in two dimensions
#
# A generative adversarial network, or GAN ([Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661)), is two networks
# that learn from each other. The **generator** G turns random numbers z into something new, G(z), a *fake*. The
# **discriminator** D gets real examples and fakes and answers with a number for each, the
# [logit](../docs/glossary.md#logit) a: the higher, the more real. The sigmoid, 1 / (1 + e^−a), makes a probability of it,
# called D(x).
#
# D wants to give real examples a high probability and fakes a low one; G wants the opposite for its fakes. The first
# GAN wrote this as one number, in which E is the mean over many examples. D makes it as large and G as small as it can:
#
# $$V(D, G) = \mathbb{E}_{x\ \mathrm{real}}[\log D(x)] + \mathbb{E}_{z}[\log(1 - D(G(z)))]$$
#
# Written so, G's loss has the slope −D by the logit. It vanishes for a fake that is recognized, where D is near 0: the
# loss is *saturating*. The same paper therefore offers −log D(G(z)), whose slope, −(1 − D), is largest there.
# *Least squares* ([Mao et al. 2017](https://arxiv.org/abs/1611.04076)) takes the answers as they are and asks for 1 and
# 0. *Wasserstein* ([Arjovsky et al. 2017](https://arxiv.org/abs/1701.07875)) compares the mean answers, and a
# [gradient penalty](../docs/glossary.md#gradient-penalty) ([Gulrajani et al. 2017](https://arxiv.org/abs/1704.00028))
# keeps the slope of D near 1, since otherwise D could raise the difference without end.

# %%
show(lesson.gan_figure(), "A drawing: noise becomes a fake; D gets fakes and "
     "real paintings; a loss leads back to each network")  # fmt: skip
mean, softplus = tf.reduce_mean, tf.nn.softplus  # softplus(a) = log(1 + e^a)


def log_loss(real, fake):  # -log D(x) and -log(1 - D(G(z)))
    return mean(softplus(-real)) + mean(softplus(fake))


def squares(real, fake):
    return mean((real - 1) ** 2) + mean(fake**2)


def difference(real, fake):
    return mean(fake) - mean(real)


GAMES = {  # what D makes small, what G makes small, weight of the penalty
    "saturating": (log_loss, lambda fake: -mean(softplus(fake)), 0.0),
    "non-saturating": (log_loss, lambda fake: mean(softplus(-fake)), 0.0),
    "least squares": (squares, lambda fake: mean((fake - 1) ** 2), 0.0),
    "Wasserstein": (difference, lambda fake: -mean(fake), 1.0),
}

# %% [markdown]
# The first game is played with points, so that you can watch it. Real points lie in eight small clusters on a ring. Each
# network has three layers of 64 units, and they take one step each in turn, by the usual optimizer, Adam.
#
# **Predict first:** which of the four losses will have fakes in all eight clusters at the end? (The games take from half
# a minute to two minutes.)


# %%
def penalty(discriminator, real, fake):
    """How far the length of D's slope is from 1, between real and fake."""
    share = tf.random.uniform((real.shape[0], 1))
    between = share * real + (1 - share) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        answers = discriminator(between)
    slope = tape.gradient(answers, between)
    return mean((tf.norm(slope + 1e-8, axis=1) - 1) ** 2)


# %%
def play_points(d_loss, g_loss, weight, d_rate=1e-3, seed=0):
    """A game of points; its moments: fakes, and D's answers on a grid."""
    keras.utils.set_random_seed(seed)
    rng, moments = np.random.default_rng(seed), []
    generator, discriminator = lesson.small(8, 2), lesson.small(2, 1)

    def loss_of_d(real, noise):
        fake = generator(noise)
        loss = d_loss(discriminator(real), discriminator(fake))
        if weight:
            loss += weight * penalty(discriminator, real, fake)
        return loss

    def loss_of_g(noise):
        return g_loss(discriminator(generator(noise)))

    teach_d = descent(discriminator, Adam(d_rate, 0.5, 0.99), loss_of_d)
    teach_g = descent(generator, Adam(1e-3, 0.5, 0.99), loss_of_g)
    watched, *noises = tf.random.normal((sizes.turns + 1, 128, 8))
    for turn, noise in enumerate([watched, *noises]):
        if turn % (sizes.turns // sizes.moments) == 0:
            answers = discriminator(lesson.GRID).numpy()
            moments.append((generator(watched).numpy(), answers))
        teach_d(lesson.ring(128, rng), noise)
        teach_g(noise)
    return moments


# %%
games, counts = {}, {}
for name, game in tqdm(GAMES.items(), desc="games"):
    games[name] = play_points(*game)
    ends = games[name], play_points(*game, seed=1)
    counts[name] = [lesson.caught(moments[-1][0])[0] for moments in ends]
    print(f"{name:15} clusters reached, with two seeds: {counts[name]}")
show(lesson.moments_figure(games, sizes.turns),
     f"Six moments of four games. Clusters reached: {counts}")  # fmt: skip
viewer = explore(
    lambda loss, moment: lesson.moment_figure(games[loss], moment, sizes.turns),
    "One moment of one game: fakes over the discriminator's answers",
    loss=[*games], moment=(0, sizes.moments, sizes.moments // 3),
)  # fmt: skip

# %% [markdown]
# Choose a loss, and move through its game. At first the fakes run together to where D's answers are highest; D marks
# that place as fake, and they run on. Later they spread over the ring. At the end the saturating loss reaches
# {{ counts["saturating"][0] }} of the 8 clusters (with the other seed {{ counts["saturating"][1] }}), the
# non-saturating one {{ counts["non-saturating"][0] }} ({{ counts["non-saturating"][1] }}), least squares
# {{ counts["least squares"][0] }} ({{ counts["least squares"][1] }}) and Wasserstein {{ counts["Wasserstein"][0] }}
# ({{ counts["Wasserstein"][1] }}). A cluster without fakes is a mode that G has *dropped*: every one of the four losses
# of G is a mean over fakes that are looked at one at a time, so that none asks whether all clusters have fakes. Two
# seeds of one toy don't order four losses, and the vanishing slope of the first one did no harm here. The toy shows
# that a generator can drop modes while its discriminator goes on learning.

# %% tags=["ci"]
if viewer:  # as a hand on the controls would
    viewer["moment"].value, viewer["loss"].value = 2, "Wasserstein"
    viewer.redraw()
if config.profile == "laptop":
    assert min(map(min, counts.values())) >= 3, "they spread over the ring"
    assert min(map(min, counts.values())) < 8, "modes are dropped"

# %% [markdown]
# ## What a loss reads when nothing is known
#
# One number for each loss helps to read the curves of any GAN: what D pays if it can only give the *same* answer to
# everything. **Predict first:** by log loss the cheapest such answer is a logit of 0. What does D pay?
#
# And what is the best D against a given G? Call p(x) the density of real examples and q(x) that of the fakes. V is
# the integral of p log D + q log(1 − D), D may choose its answer at every x by itself, and the derivative by D,
# p/D − q/(1 − D), is zero at
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}$$
#
# **Predict first:** real numbers come from a bell curve around 1, fakes from a wider one around −0.5. Does the best D
# pass ½ in the middle between the two means, or elsewhere?

# %%
same, level = np.linspace(-2, 2, 81, dtype=np.float32), {}
for name, (d_loss, *_) in GAMES.items():
    prices = [float(d_loss(a, a)) for a in same]
    best, level[name] = same[np.argmin(prices)], min(prices)
    print(f"{name:15} D pays {level[name]:.3f} at answer {best:4.1f}")

REAL, FAKE = (1.0, 0.5), (-0.5, 0.8)  # (mean, deviation) of bell curves
keras.utils.set_random_seed(config.seed)
rng, small = np.random.default_rng(config.seed), lesson.small(1, 1)
learn = descent(small, Adam(0.003), lambda x, y: log_loss(small(x), small(y)))
for _ in range(600):
    learn(*(np.float32(rng.normal(*of, (256, 1))) for of in (REAL, FAKE)))
figure, half, apart = lesson.game_figure(small, REAL, FAKE)
show(figure, "Two bell curves; beside them the probability by formula and by "
     f"a network, {apart:.2f} apart or less where samples are")  # fmt: skip

# %% tags=["ci"]
assert abs(level["saturating"] - 2 * np.log(2)) < 1e-5
assert level["saturating"] == level["non-saturating"]
assert abs(level["least squares"] - 0.5) < 1e-5
assert level["Wasserstein"] == 0
for kind, name, best in (
    ("bce", "saturating", 0.0),
    ("least_squares", "least squares", 0.5),
):
    library = 2 * float(
        discriminator_loss(np.float32(best), np.float32(best), kind)
    )
    assert abs(library - level[name]) < 1e-5
assert apart < 0.2

# %% [markdown]
# A D that knows nothing pays 2 ln 2 = {{ level["saturating"]:.2f }} by log loss, {{ level["least squares"]:.2f }} by
# least squares and {{ level["Wasserstein"]:.0f }} by Wasserstein, whatever its answer is (−2 was only the first one
# tried). The penalty comes on top: an answer that is the same everywhere has a slope of 0 instead of 1, which costs 1
# here. Programs often report half of the sum, as this library does: {{ level["saturating"] / 2:.2f }} and
# {{ level["least squares"] / 2:.2f }}. Lessons 3 and 4 train by least squares, so there the level is
# {{ level["least squares"] / 2:.2f }}. A loss that *stays* on its level means one of two things: the fakes are perfect,
# or D is too weak to teach. The loss doesn't tell which.
#
# A small network, trained by samples alone, arrives at the formula where there are samples: there the two differ by at
# most {{ apart:.2f }}. The best answer passes ½ at {{ half:.2f }}, where the two curves cross, a little to the right of
# the middle, 0.25. Where there are no samples, nothing in the loss asks for a right answer.
#
# ## From a vector to a picture
#
# From here on, real examples are squares of 32 pixels, cut anywhere from the {{ len(paintings) }} paintings, mirrored
# or not. A DCGAN ([Radford et al. 2016](https://arxiv.org/abs/1511.06434)) leads from the [latent
# vector](../docs/glossary.md#latent) z, random numbers from a bell curve, to a picture. A dense layer makes a 4×4 map
# with many channels. Each *doubling* doubles height and width, by a [transposed
# convolution](../docs/glossary.md#transposed-convolution): every value paints its kernel, times the value, into the
# larger map, two places further for each neighbour, and overlaps are added
# ([drawings](https://arxiv.org/abs/1603.07285)). After it, [batch norm](../docs/glossary.md#batch-normalization)
# ([Ioffe and Szegedy 2015](https://arxiv.org/abs/1502.03167)) brings each channel to mean 0 and variance 1 over the
# batch; a factor and a shift for each channel are learnt. The paper has ReLU in G, and batch norm in D too. Here G has
# LeakyReLU, as S3's has, and D has no norm, so that it answers for each picture alone.
#
# **Predict first:** S3 makes pictures of 256×256. How many doublings is that from 4×4?


# %%
def patches(count, rng, images=paintings, side=lesson.PATCH):
    """Random squares (count, side, side, 3) of images, half mirrored."""
    windows = sliding_window_view(images, (side, side), (1, 2))
    place = tuple(rng.integers(0, n, count) for n in windows.shape[:3])
    found = np.moveaxis(windows[place], 1, 3)
    mirrored = rng.random(count) < 0.5
    found[mirrored] = found[mirrored][:, :, ::-1]
    return found


def doubled(x, width, repeat=False, **options):
    """A map (batch, h, w, c) to (batch, 2h, 2w, width)."""
    options["kernel_initializer"] = keras.initializers.RandomNormal(0, 0.02)
    if repeat:
        x = layers.UpSampling2D()(x)
        return layers.Conv2D(width, 3, padding="same", **options)(x)
    return layers.Conv2DTranspose(width, 4, 2, "same", **options)(x)


def normed(x):
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.LeakyReLU(0.2)(x)


# %%
def my_generator(filters=64, repeat=False):
    """Latents (batch, 64) to pictures (batch, 32, 32, 3)."""
    inputs = keras.Input((lesson.LATENT,))
    x = layers.Dense(16 * filters, use_bias=False)(inputs)
    x = normed(layers.Reshape((4, 4, filters))(x))
    for width in (filters // 2, filters // 4):
        x = normed(doubled(x, width, repeat, use_bias=False))
    if not repeat:
        return keras.Model(inputs, doubled(x, 3, activation="tanh"))
    x = normed(doubled(x, filters // 8, repeat, use_bias=False))
    last = layers.Conv2D(3, 3, padding="same", activation="tanh")
    return keras.Model(inputs, last(x))


mine = my_generator()
for layer in mine.layers[1:]:
    print(f"{layer.__class__.__name__:20}{layer.output.shape}")
generator = dcgan_generator(lesson.LATENT, 32, 64)  # the library's
mine.set_weights(generator.get_weights())
latents = rng.normal(size=(32, lesson.LATENT)).astype(np.float32)
untrained = mine(latents).numpy()
gap = np.abs(untrained - generator(latents)).max()
print(f"apart by {gap:.0e}; largest value {np.abs(untrained).max():.3f}")

# %% tags=["ci"]
assert gap < 1e-5
assert np.abs(untrained).max() < 0.1
square = patches(4, rng)
assert square.shape == (4, 32, 32, 3)
some = patches(8, np.random.default_rng(0))  # leaves `rng` as it is
far = lesson.nearest(some, held)[1].min()
assert lesson.nearest(some, paintings)[1].max() < 1e-3 < far

# %% [markdown]
# Six doublings lead to 256, three to 32. With the same weights, your generator and the library's paint the same.
# Untrained, they answer every latent with nearly the same grey: the convolutions' first weights are drawn with a standard
# deviation of 0.02, which shrinks what passes through, and a tanh near 0 is level 128 of 255. S1 saw such a grey before
# training.
#
# ## Logits and soft labels
#
# The discriminator goes the other way: strided convolutions halve the picture down to 4×4, with dropout (some values
# are set to 0 at random in training) between, and one number comes out. S3 returns it as it is, without a sigmoid, and
# computes the log loss, or [binary cross-entropy](../docs/glossary.md#bce) (BCE), from the logit. Why doesn't the
# network give the probability itself? And what are *soft labels* ([label
# smoothing](../docs/glossary.md#label-smoothing), [Salimans et al. 2016](https://arxiv.org/abs/1606.03498)) good for,
# which S3 uses, and S0, who asks D for 0.9 instead of 1 on paintings?
#
# **Predict first:** in float32, from which logit on is 1 − sigmoid(logit) exactly 0? And which logit costs least on a
# real picture with label 1? With label 0.9?

# %%
for a in np.float32([2, 8, 16, 17, 100]):
    with np.errstate(divide="ignore"):
        naive = -np.log(np.float32(1) - 1 / (1 + np.exp(-a)))
    by_logit = float(bce(a, 0.0))
    print(f"logit {a:3.0f}: {naive:6.3f} by probability, {by_logit:7.3f} by it")

figure, best = lesson.costs_figure()
show(figure, "Loss over logit: label 1 falls for ever, label 0.9 has its "
     f"lowest point at {best:.2f}, label 0 rises")  # fmt: skip

# %% tags=["ci"]
x = np.linspace(-4, 8, 481, dtype=np.float32)
costs = [float(bce(a, 0.9)) for a in x]
assert abs(x[int(np.argmin(costs))] - best) < 0.03
assert np.isinf(naive)
assert by_logit == 100

# %% [markdown]
# From about 17 on, the loss by probability is infinite, and an infinite loss turns weights into NaN. Computed from the
# logit a, the same quantity is max(a, 0) − a·label + log(1 + e^−|a|): at most |a| + ln 2. With label 1 a larger
# logit is always cheaper; with 0.9 the cheapest is {{ best:.2f }}, and more certainty costs. Only the label of real
# pictures is softened: 0.1 on fakes would pay D for finding the present fakes a little real.
#
# With labels 0.9 and 0, a D that knows nothing says 0.45 to everything and pays
# {{ 2 * lesson.BLIND["discriminator"]:.2f }} for both sides, half of which is {{ lesson.BLIND["discriminator"]:.2f }};
# its G pays {{ lesson.BLIND["generator"]:.2f }}. S3 reports a discriminator's loss that drops from 2.25 to about 1.25,
# a generator's that stays around 0.75, learning rates that handicap D, and a balance. If 1.25 is the sum, D is little
# better than one that knows nothing.
#
# ## A step, and a number for collapse
#
# Both networks learn from the same fakes. Each one's gradient goes to its own weights only, and each one has its own
# optimizer for the whole training, since Adam ([Kingma and Ba 2015](https://arxiv.org/abs/1412.6980)) keeps averages of
# past gradients. A hidden test finds the same weights after this step as after the one of the library's class, `DCGAN`.
#
# S3 noticed by eye that from epoch 50 on every latent gave the same picture, a
# [mode collapse](../docs/glossary.md#mode-collapse). It can be measured: make pictures of 32 latents, average each to
# 8×8 squares, so that fine noise doesn't count as variety, take the standard deviation over the pictures, and divide
# it by that of real ones. 0 is one picture for all latents, 1 the variety of real pictures.
#
# **Predict first:** what do 32 copies of one patch give, with noise added to each? And the untrained generator?


# %%
def one_step(networks, optimizers, real, noise, label=0.9):
    """One step of (G, D). Returns G's loss and half the sum of D's two."""
    generator, discriminator = networks
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        fake_logits = discriminator(fake, training=True)
        real_logits = discriminator(real, training=True)
        sides = bce(real_logits, label) + bce(fake_logits, 0.0)
        losses = bce(fake_logits, 1.0), 0.5 * sides
    for k, network in enumerate(networks):
        slopes = tape.gradient(losses[k], network.trainable_variables)
        optimizers[k].apply(slopes, network.trainable_variables)
    return losses


real = patches(256, rng)
one = real[:1] + rng.normal(0, 0.2, (32, 32, 32, 3))
varied = {"one patch + noise": one, "untrained": untrained, "real": real[:32]}
for name, x in varied.items():
    print(f"{name:18} diversity {diversity(x, real):.2f}")


# %% tags=["ci"]
from keras.optimizers import SGD


def pair():
    keras.utils.set_random_seed(1)
    return dcgan_generator(lesson.LATENT, 32, 16), dcgan_discriminator(
        32, 4, dropout=0.0
    )


library, by_hand, before = DCGAN(*pair(), seed=3), pair(), pair()
library.compile(SGD(0.1), SGD(0.1))
library.train_step(tf.constant(square))
one_step(by_hand, (SGD(0.1), SGD(0.1)), square, library.noise(4, 0))
for new, old, other in zip(
    by_hand, before, (library.generator, library.discriminator), strict=True
):
    weights = [
        np.concatenate([w.numpy().ravel() for w in x.trainable_variables])
        for x in (new, old, other)
    ]
    assert (
        np.abs(weights[0] - weights[2]).max()
        < 1e-5
        < 1e-4
        < np.abs(weights[0] - weights[1]).max()
    )

# %% [markdown]
# An untrained generator has no variety, and copies with noise have a little: averages of 16 values don't lose all of the
# noise. 32 of the real patches have nearly the variety of all 256.
#
# ## What a handicap does
#
# With equal rates, S3 writes, D dominated and G collapsed to noise, so it handicapped D. Here G's rate is raised
# tenfold and D's lowered tenfold, each alone and both together, with two seeds, because two runs that differ only in
# their random numbers differ too.
#
# **Predict first:** order the four pairs of rates by the diversity of their pictures. (The eight trainings take from one
# to four minutes.)


# %%
def train(networks, steps, rates, batch=16, label=0.9, seed=0, looks=12):
    """Train a DCGAN on patches; returns (the DCGAN, its history)."""
    gan, rng = DCGAN(*networks, seed), np.random.default_rng(seed)
    averaged = Adam(rates[0], 0.5, use_ema=True, ema_momentum=0.995)
    gan.compile(averaged, Adam(rates[1], 0.5), real_label=label)
    step = tf.function(gan.train_step, jit_compile=False)
    rows, losses = [], []
    for number in trange(1, steps + 1, desc="steps", leave=False):
        losses.append([*step(tf.constant(patches(batch, rng))).values()])
        if number % (steps // looks) == 0:
            variety = diversity(gan(latents).numpy(), real)
            rows.append((number, *np.mean(losses, 0), variety))
            losses = []
    names = "step", "generator", "discriminator", "diversity"
    return gan, dict(zip(names, np.transpose(rows), strict=True))


# %%
RATES = {"equal rates": (2e-4, 2e-4), "G × 10": (2e-3, 2e-4),
         "D ÷ 10": (2e-4, 2e-5), "both": (2e-3, 2e-5)}  # fmt: skip
runs, ends, rows = {}, {}, {}
for name, rates in tqdm(RATES.items(), desc="pairs of rates"):
    runs[name] = []
    for seed in sizes.seeds:
        keras.utils.set_random_seed(seed)
        networks = my_generator(), dcgan_discriminator(32, 32)
        gan, history = train(networks, sizes.steps, rates, seed=seed)
        runs[name].append(history)
    rows[name] = gan(latents[:8]).numpy()
    ends[name] = np.round([h["diversity"][-1] for h in runs[name]], 2).tolist()
    print(f"{name:12} diversity at the end: {ends[name]}")
show(lesson.enlarged(rows), "Pictures of eight latents for each run, nearly "
     f"one picture where diversity is low; at the end {ends}")  # fmt: skip
show(lesson.curves_figure(runs, "One change at a time, two seeds each"),
     f"Losses and diversity over steps, at the end {ends}")  # fmt: skip

# %% tags=["ci"]
last = {name: [run["diversity"][-1] for run in of] for name, of in runs.items()}
assert np.isfinite(
    [run["discriminator"] for of in runs.values() for run in of]
).all()
if config.profile != "tiny":
    assert max(last["both"]) < 0.5 * min(last["equal rates"])
    assert max(last["D ÷ 10"]) < min(last["equal rates"])

# %% [markdown]
# Diversity at the end with two seeds: equal rates {{ ends["equal rates"] }}, the faster G {{ ends["G × 10"] }}, the
# slower D {{ ends["D ÷ 10"] }}, both {{ ends["both"] }}. Here equal rates keep the variety. The slower D costs variety
# with both seeds, and with both handicaps hardly any is left, while the curves lie calm: D's on its pale band, the level
# at which nothing is known, and G's a little below its own, near ln 2, because so slow a D still answers ½ to everything.
# With the faster G alone both curves lie on their bands and the pictures vary, but not because they are good: diversity
# measures no quality.
#
# Is this collapse, or is such a G merely not trained yet? The points can be trained to the end. The next cell
# plays the whole game with a D whose rate is divided by ten.

# %%
slow = play_points(*GAMES["non-saturating"], d_rate=1e-4)
late = [lesson.caught(fakes)[0] for fakes, _ in slow][-10:]
print(f"clusters reached at the last {len(late)} moments: {late}")

# %% tags=["ci"]
if config.profile != "tiny":
    assert max(late) < min(counts["non-saturating"])

# %% [markdown]
# After {{ sizes.turns }} turns, the fakes still run together from place to place: at no late moment do they reach more
# clusters than {{ max(late) }}, where equal rates reach {{ counts["non-saturating"][0] }}. Each loss of G judges a fake
# by itself. Against a D that hardly moves, the best answer is the one point, or picture, that this D rates highest, for
# every latent; only a D that keeps learning makes the repeated picture expensive. So a slow D
# can give one picture for all latents.
#
# **Five for one.** S3 added to each painting an upside-down, a mirrored, a cropped and a noisy copy. Measured with an
# earlier version of this lesson on the competition's 300 paintings, two seeds each: originals alone reached a diversity
# of 1.00 and 0.82, all five 0.91 and 0.95, so no difference beyond the seeds. But a generator imitates what counts as
# real, also upside-down water and noise. Crops and mirror images could be paintings, and `patches` makes only these.
#
# ## Yours: painterly patches
#
# Now the longest training of the lesson, about two minutes on a fast computer and six on a slow one: a wider G, which
# doubles by repeating each pixel before an ordinary convolution, since transposed convolutions can draw a grid
# ([lesson 4](04_resnet_cyclegan.ipynb)), and a wider D without dropout. The optimizer keeps an average of G's weights
# over the last few hundred steps; it paints in the end, after batch norm's means and variances were measured
# anew for it.
#
# **Predict first:** what will a visitor recognize in the patches: skies, trees, houses, strokes?

# %% tags=["cover"]
keras.utils.set_random_seed(config.seed)
networks = my_generator(128, True), dcgan_discriminator(32, 64, dropout=0.0)
painter, history = train(networks, sizes.own, (3e-4, 3e-4), sizes.batch)
lesson.averaged(painter)
made = painter(painter.noise(sizes.judged, -1)).numpy()
fresh, unseen = (patches(sizes.judged, rng, x) for x in (paintings, held))
noisy = fresh + rng.normal(0, 0.05, fresh.shape)
twin, away = {}, {}
for name, x in {"noisy": noisy, "held out": unseen, "yours": made}.items():
    twin[name], distances = lesson.nearest(x[:36], paintings)
    away[name] = float(np.median(distances))
    print(f"{name:9} distance to the nearest training patch {away[name]:.2f}")
rows = {"yours": made[:12], "its nearest": twin["yours"][:12],
        "yours too": made[12:24], "and these": made[24:36],
        "real ones": unseen[:12]}  # fmt: skip
show(lesson.enlarged(rows), "Painterly patches from noise; below the first row "
     "the most similar squares of the training paintings, at a distance of "
     f"{away['yours']:.2f}; last, real patches")  # fmt: skip

# %% tags=["ci"]
assert away["noisy"] < 0.5 * away["held out"]
if config.profile != "tiny":
    assert away["yours"] > 2 * away["noisy"], "learnt by heart"

# %% [markdown]
# A distance of 0 is a copy, and 1 is as far as a plain square of the patch's mean colour. Copies with a little noise are
# found at {{ away["noisy"]:.2f }}, patches of paintings that no training has seen lie at
# {{ away["held out"]:.2f }}, yours at {{ away["yours"]:.2f }}.
#
# Judge by eye as well. These are patches of paint: grounds of flecks, pale skies, dark and light masses with specks that
# pass for leaves. Blues and reds are nearly missing. There are no things in them. Real patches show walls, arches, edges
# and strokes with a direction, and no generated one does.
#
# KID ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401)) judges all patches at once, by the features of a network
# trained on ImageNet (lesson 5 explains it): 0 on average for equal sets,
# higher for sets that look different. The reference is
# patches of the paintings held out. The sample's paintings are by a generator of the course, so this score compares
# yours with its painting and not with Monet's. (Up to a minute.)

# %%
seen = feature_network("efficientnet-lite0")
reference = embed(to_uint8(patches(sizes.judged, rng, held)), seen)


def kid_of(images):
    """The Score of pictures (n, 32, 32, 3) against held-out patches."""
    return compare(seen, embed(to_uint8(images), seen), reference)


sets = {"others held out": unseen, "training patches": fresh, "yours": made,
        "photos": patches(sizes.judged, rng, photos)}  # fmt: skip
kid = {name: kid_of(images) for name, images in sets.items()}
for name, score in kid.items():
    print(f"{name:18} KID {score.kid:.3f} ± {score.kid_std:.3f}")

# %% tags=["ci"]
assert kid["others held out"].kid < kid["photos"].kid
if config.profile != "tiny":
    real_level = kid["training patches"].kid
    assert real_level < min(kid["photos"].kid, kid["yours"].kid)

# %% [markdown]
# Other patches of the same twelve held-out paintings lie at {{ kid["others held out"].kid:.3f }}: siblings of the
# reference, they show the lowest that can be expected. Patches of other paintings, the training ones, lie at
# {{ kid["training patches"].kid:.3f }}, the level to reach; yours have {{ kid["yours"].kid:.3f }}, patches of untouched
# photos {{ kid["photos"].kid:.3f }} (each ± about {{ max(x.kid_std for x in kid.values()):.3f }}). So your patches are
# {{ "nearer to" if kid["yours"].kid < kid["photos"].kid else "farther from" }} the paintings than patches of photos are,
# and farther than real ones: the number agrees with the eye that something is missing, and doesn't say what.
#
# **On the real images** (288 paintings and 12 held out; `python tools/real_images.py 02_dcgan`)
#
# ```
# others held out    KID -0.001 ± 0.001
# training patches   KID 0.006 ± 0.002
# yours              KID 0.088 ± 0.005
# photos             KID 0.048 ± 0.003
# ```
#
# There, too, patches of photos are nearer to the paintings than patches from noise.
#
# S3, at 256 pixels and after 1,000 epochs, found its results purely abstract, and drew the right conclusion: a generator
# that begins with noise must invent the *scene* too, from 300 examples. One that begins with a photo needs only
# the style. That is the next lesson.
#
# ## Exercises
#
# ### Exercise 1: the loss of a logit
#
# Write the BCE of one logit a against a label, in NumPy, so that it stays finite for a = −60 and a = 200.


# %%
def my_bce(a, label):
    return ...


solved = lesson.check_bce(my_bce)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_bce(a, label):
#     return max(a, 0) - a * label + np.log1p(np.exp(-abs(a)))
# ```
# It is −label·log σ(a) − (1 − label)·log(1 − σ(a)) with log σ(a) = −log(1 + e^−a), and with the larger exponential
# taken out of the logarithm.
# </details>
#
# ### Exercise 2: a blind discriminator
#
# A discriminator with labels 0.8 and 0 gives the same p to everything. Which p costs least, and how large is then its
# loss, half the sum of both sides, to three digits?

# %%
p_blind, loss_blind = ..., ...

solved = lesson.check_blind(None if p_blind is ... else (p_blind, loss_blind))

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# p_blind = 0.4
# loss_blind = -(0.8 * np.log(0.4) + 0.2 * np.log(0.6) + np.log(0.6)) / 2
# ```
# The cheapest constant answer is the mean of the labels, (0.8 + 0) / 2.
# </details>
#
# ### Exercise 3: diversity
#
# Write the heart of the measure: for images (n, h, w, 3), the standard deviation over the *images* at each value,
# combined into one number as a root mean square.


# %%
def my_diversity(images):
    return ...


solved = lesson.check_diversity(my_diversity)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_diversity(images):
#     return np.sqrt(images.var(axis=0).mean())
# ```
# `images.std()` would mix in the spread within each picture, and would call one picture, eight times, diverse.
# </details>
#
# ### Exercise 4: a walk
#
# `path_of(start, end, count)` gives `count` latents in equal steps from `start` to `end`, both included, as an array
# (count, latent). When it is right, the cell shows what your generator paints along such a walk. A smooth walk doesn't
# prove that nothing was learnt by heart: a generator is a continuous function, and passes smoothly also between two
# pictures that it recites.


# %%
def path_of(start, end, count):
    return ...


if lesson.check_walk(path_of):
    walk = painter(np.float32(path_of(*painter.noise(2, 5).numpy(), 12)))
    show(lesson.enlarged({"walk": walk.numpy()}),
         "Twelve patches, each a little different from the last")  # fmt: skip

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def path_of(start, end, count):
#     share = np.linspace(0, 1, count)[:, None]
#     return (1 - share) * start + share * end
# ```
# Latents from a bell curve lie near a sphere of radius √latent, and the middle of the line lies inside it. For long
# walks people go along the sphere instead (slerp).
# </details>
#
# ### Exercise 5: repair a broken GAN
#
# This step has three bugs, and none of them gives an error message. Find and repair them; the checker says how many are
# left and describes one.


# %%
def repaired(generator, discriminator, optimizers, real, noise):
    real = (real + 1) / 2
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        fakes = discriminator(fake, training=True)
        reals = discriminator(real, training=True)
        losses = bce(fakes, 0.0), bce(reals, 0.9) + bce(fakes, 0.0)
    weights = generator.trainable_variables
    optimizers[0].apply(tape.gradient(losses[0], weights), weights)
    return losses


solved = lesson.check_repaired(repaired)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def repaired(generator, discriminator, optimizers, real, noise):
#     with tf.GradientTape(persistent=True) as tape:
#         fake = generator(noise, training=True)
#         fakes = discriminator(fake, training=True)
#         reals = discriminator(real, training=True)
#         losses = bce(fakes, 1.0), bce(reals, 0.9) + bce(fakes, 0.0)
#     sides = (generator, discriminator)
#     for side, loss, optimizer in zip(sides, losses, optimizers):
#         weights = side.trainable_variables
#         optimizer.apply(tape.gradient(loss, weights), weights)
#     return losses
# ```
# Real pictures stay in [−1, 1], else the discriminator tells them by their range. The generator's target is 1. And the
# discriminator has to take a step as well.
# </details>
#
# ### Exercise 6: patches of your own, to hand in
#
# Change one thing of the last training that you expect to matter: the rates, the label, the width, the number of steps,
# what `patches` cuts. Train, make at least 24 patches, look at them beside the first ones, and score them. Nobody knows
# the answer before: a change that makes it worse is a result as well. Give what you changed and why, patches, KID.

# %%
own = ...

if lesson.check_own(own):
    keep(2, f"KID of my patches: {own[0]}", float(own[2]))
    keep(2, "My patches", lesson.enlarged({"mine": own[1][:12]}))

# %% [markdown]
# <details><summary>Solution (one of many)</summary>
#
# ```python
# networks = my_generator(128, True), dcgan_discriminator(32, 64, dropout=0.0)
# gan, _ = train(networks, sizes.own, (3e-4, 3e-4), sizes.batch, label=1.0)
# lesson.averaged(gan)
# images = gan(gan.noise(36, -1)).numpy()
# own = ("a hard label: D may be certain", images, kid_of(images).kid)
# ```
# </details>
#
# ## Self-quiz
#
# Choose an answer by clicking on it, and read why it is right or wrong.
#
# **1. The sum of a DCGAN's discriminator losses rests at 1.38 and the generator's loss at 0.8. What do you
# know?**
#
# <details><summary>The game has reached its equilibrium</summary>
#
# **No.** A perfect generator would lead there too, but so does a discriminator that is too weak. The losses
# alone can't tell.
# </details>
#
# <details><summary>The discriminator knows nothing: look at the pictures</summary>
#
# **Right.** If they are poor or all alike, the discriminator is too weak to teach.
# </details>
#
# <details><summary>The learning rate is too high</summary>
#
# **No.** The losses don't say this: in the runs above, a generator's rate that was too high and a discriminator's rate
# that was too low both led the discriminator to this level.
# </details>
#
# **2. Why does a generator collapse to one picture when the discriminator stands still?**
#
# <details><summary>Its latent vectors are too short</summary>
#
# **No.** S3 tried several latent sizes without effect.
# </details>
#
# <details><summary>Every fake is judged alone, so the picture that is rated highest is the best answer for every latent</summary>
#
# **Right.** Only a discriminator that goes on learning makes a repeated picture expensive.
# </details>
#
# <details><summary>Batch norm makes all pictures of a batch alike</summary>
#
# **No.** The other runs use the same batch norm and don't collapse.
# </details>
#
# **3. Why is only the label of real pictures softened?**
#
# <details><summary>A label of 0.1 on fakes would reward finding present fakes a little real</summary>
#
# **Right.** The generator would be drawn to its own present pictures.
# </details>
#
# <details><summary>A soft label on fakes makes the loss infinite</summary>
#
# **No.** By logits the loss is finite for every label.
# </details>
#
# <details><summary>It makes no difference</summary>
#
# **No.** It changes which answer is the cheapest for fakes.
# </details>
#
# **4. You add noisy copies to the training set. What will the generator learn?**
#
# <details><summary>To ignore noise</summary>
#
# **No.** A classifier would. A generator imitates what counts as real.
# </details>
#
# <details><summary>To paint noise</summary>
#
# **Right.** A fifth of the real pictures have it. Whatever you do to the training set can leak into the results,
# unless the altered picture could be a real one.
# </details>
#
# <details><summary>Nothing, there is too little noise</summary>
#
# **No.** The discriminator sees it, and what it sees the generator can learn.
# </details>
#
# **5. Two settings, one run each: diversity 0.83 and 0.76. Which is better?**
#
# <details><summary>The first</summary>
#
# **No.** Two seeds of one setting can differ as much; see the runs above.
# </details>
#
# <details><summary>Unknown: run each with several seeds</summary>
#
# **Right.** Only a difference that is clearly larger than that between seeds counts.
# </details>
#
# <details><summary>The second, its pictures are more alike and so better trained</summary>
#
# **No.** Diversity says nothing about quality, in either direction.
# </details>
#
# ## Recap
#
# - G and D play against each other; the loss sets what each of them reads, and how steep its slope is. The best D is p /
#   (p + q).
# - Each loss has a level of knowing nothing: 1.39 by log loss, 0.5 by least squares (halved: 0.69 and 0.25), 0 by
#   Wasserstein before its penalty. A loss that rests there says: look at the pictures.
# - A [generator](../docs/glossary.md#generator) doubles a 4×4 map; a
#   [discriminator](../docs/glossary.md#discriminator) halves a picture and answers with a
#   [logit](../docs/glossary.md#logit).
# - [Mode collapse](../docs/glossary.md#mode-collapse) is the best answer to a discriminator that hardly learns. Measure
#   diversity while you train, change one thing at a time, and use several seeds.
# - Before you call a picture new, compare its distance to the training set with that of pictures held out.
#
# Next: [lesson 3](03_unet_cyclegan.ipynb) starts from photos instead of noise, with a
# [U-Net](../docs/glossary.md#u-net) and [cycle consistency](../docs/glossary.md#cycle-consistency).
