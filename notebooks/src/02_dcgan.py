# %% [markdown]
# # 2 · Paint from noise
#
# Learn the game that a GAN plays, build a DCGAN and its training loop, and find out why one attempt got the same
# picture out of every random vector.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/02_dcgan.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/02_dcgan/02_dcgan.ipynb)

# %% [markdown]
# ## You will learn
#
# - what the two networks of a GAN want, as a formula, and what the best discriminator answers
# - how a generator doubles 4×4 numbers into a picture, and how a discriminator undoes it
# - why discriminators answer in logits, and what a soft label of 0.9 changes
# - to write the training loop, and to read a GAN's loss curves
# - to measure mode collapse by one number while training
# - to find the cause of a collapse by changing one thing at a time, with several seeds
#
# **You need** [lesson 1](01_eda.ipynb) and an idea of what a convolution and a gradient are.
#
# <!-- measured -->
# Time and memory: measured in the table of the [README](../README.md).
#
# Five people wrote publicly about their attempts at this competition. The course calls them S0 to S4 and tests what
# they say:
# [S0](https://github.com/vbthrhb6jy-creator/kaggle_CycleGan_Monet), a CycleGAN with residual blocks, score 125;
# S1 (no lasting address is known), a U-Net CycleGAN, score 684;
# [S2](https://github.com/rsandel94/I-mSomethingOfAPainterMyself), a U-Net CycleGAN with skip connections;
# [S3](https://github.com/addocolo/Gan-getting-started), a DCGAN and then a U-Net CycleGAN;
# [S4](https://github.com/Faig22/Machine_Learning_projects), the CycleGAN of the paper, in Russian.

# %% [markdown]
# ## What you will have made
#
# ![Rows of small pictures made from noise: with a handicapped discriminator nearly one picture again and again, in the other rows different ones](../docs/images/02_dcgan.jpg)
#
# Generators whose trainings differ in one or two settings. One of them answers nearly every random vector with the same
# picture, and you will know why.

# %% [markdown]
# ## Setup
#
# The comparisons use pictures of 32×32 pixels, so that each training takes seconds, and the longer run uses 64×64.
# Paragraphs that begin with **On the real images** say what the same cell prints for the competition's 300 paintings, by
# `python tools/real_images.py 02_dcgan`. At that size and with so few paintings nobody gets a Monet, but every effect of
# this lesson shows.

# %% tags=["install"]
# On Colab: fetch the course with its sample, and install the library. For the competition's images, put your Kaggle
# token into Colab's secrets and add here: from monet_lib.data import download_data; download_data()
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("monet_lib") is None:
    if not Path("monet-lab").exists():  # an earlier try may have come so far
        subprocess.run("git clone --depth=1 https://github.com/monet-lab/monet-lab monet-lab".split(), check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--editable", "monet-lab"], check=True)
    sys.path.insert(0, "monet-lab")  # this kernel looked for packages before there was one

# %%
from monet_lib.course import start

config, root = start()

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from matplotlib import pyplot as plt

from monet_lib.course import dcgan as lesson
from monet_lib.course.tools import explore, shrunk
from monet_lib.data import find_images, load
from monet_lib.figures import figure_style, image_grid, show
from monet_lib.model import DCGAN, bce, dcgan_discriminator, dcgan_generator
from monet_lib.score import diversity

scale = lesson.SCALES[config.profile]
size, seeds = scale["size"], scale["seeds"]
print({name: scale[name] for name in ("size", "steps", "large", "long")})
pixels = load(find_images(root, "monet"))[1][: 40 if config.profile == "tiny" else None]
paintings = shrunk(pixels, size)
assert paintings.shape[1:] == (size, size, 3)
assert -1 <= paintings.min() < paintings.max() <= 1

# %% [markdown]
# ## The game
#
# A generative adversarial network, or GAN ([Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661)), is two networks
# that learn from each other. The **generator** G turns random numbers z into a picture G(z), a *fake*. The
# **discriminator** D gets real pictures and fakes and says for each one how probable it is that it is real.

# %%
show(
    lesson.gan_figure(),
    "A drawing: noise goes into the generator, which makes a fake; the fake and a real painting go into the discriminator",
)

# %% [markdown]
# D wants to give real pictures a high probability and fakes a low one. G wants the opposite for its fakes. As a
# formula, both play for the same number V, which D makes as large and G as small as it can (a *minimax* game):
#
# $$\min_G \max_D \; V(D, G) = \mathbb{E}_{x\ \mathrm{real}}[\log D(x)] + \mathbb{E}_{z}[\log(1 - D(G(z)))]$$
#
# **What is the best D against a given G?** Call p(x) the density of real pictures and q(x) that of the fakes. Then V
# is the integral of p(x) log D(x) + q(x) log(1 − D(x)), and D may choose its answer at every x by itself. The
# derivative by D(x) is p/D − q/(1 − D). It is zero at
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}$$
#
# and that is a maximum, since both logarithms curve downwards. Where real and fake are equally frequent, the best
# answer is ½. If p = q everywhere, then D* is ½ everywhere and V = −2 ln 2 = −1.386, the least that G can reach: G then
# makes exactly what real pictures are, with all their variety.
#
# **Predict first:** real numbers come from a bell curve around 1, fakes from a wider one around −0.5. At which number
# does the answer of the best discriminator pass ½: in the middle between the two means, or elsewhere? And what does
# it say far out on the left and far out on the right?

# %%
rng = np.random.default_rng(config.seed)
REAL, FAKE = (1.0, 0.5), (-0.5, 0.8)  # (mean, deviation) of two bell curves
keras.utils.set_random_seed(config.seed)
small = keras.Sequential([keras.Input((1,)), *(layers.Dense(32, "tanh") for _ in range(2)), layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.01)


@tf.function(jit_compile=False)
def learn(real, fake):
    with tf.GradientTape() as tape:
        loss = bce(small(real), 1.0) + bce(small(fake), 0.0)  # −V, as an average over samples
    optimizer.apply(tape.gradient(loss, small.trainable_variables), small.trainable_variables)
    return loss


for _ in range(600 if config.profile != "tiny" else 200):
    loss = learn(*(tf.constant(rng.normal(*of, (256, 1)), tf.float32) for of in (REAL, FAKE)))

# %%
x = np.linspace(-3, 3, 121)
p, q = lesson.density(x, *REAL), lesson.density(x, *FAKE)
best, learnt = p / (p + q), tf.sigmoid(small(x[:, None].astype(np.float32))).numpy()[:, 0]
show(
    lesson.game_figure(x, p, q, best, learnt),
    "Two bell curves; beside them the probability by formula and by a network: alike, until the formula falls at the right",
)
inside = (p + q) > 0.05  # where there are samples to learn from
print(f"largest difference where samples are: {np.abs(best - learnt)[inside].max():.3f}")
print(f"loss at the end {float(loss):.3f}; of a discriminator that always says one half: {2 * np.log(2):.3f}")
assert np.abs(best - learnt)[inside].max() < 0.2

# %% [markdown]
# A small network that is trained by this loss arrives at the formula wherever there are samples. Its answer passes ½
# where the two curves cross, at 0.30: a little to the right of the middle, 0.25, because the fakes spread wider. Far
# out on the left the answer is 0. Far out on the right the formula falls again, since beyond 3.6 the wide curve of
# the fakes is the higher one. The network does not follow: there are no samples there, and so nothing in the loss
# asks for a right answer. Keep that in mind, because a generator may find such places.
#
# ## Two ways to write the generator's loss
#
# By the formula, G should make log(1 − D(G(z))) small. With the logit a = log(D / (1 − D)), the slope of this loss by a
# is −D. At the start every fake is easily recognized, so D is near 0 and the slope vanishes: this loss is called
# *saturating*. Goodfellow et al. therefore let G make −log D(G(z)) small instead. This loss moves the fakes in the same
# direction, but its slope is −(1 − D).
#
# **Predict first:** which of the two has the larger slope for a fake with a logit of −4?

# %%
a = tf.Variable(np.linspace(-6, 6, 97), dtype=tf.float32)
with tf.GradientTape(persistent=True) as tape:
    saturating = tf.math.log(1 - tf.sigmoid(a))
    other = -tf.math.log(tf.sigmoid(a))
slopes = {
    "saturating: log(1 − D)": tape.gradient(saturating, a),
    "non-saturating: −log D": tape.gradient(other, a),
}
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for (name, slope), style in zip(slopes.items(), ("--", "-"), strict=True):
        axis.plot(a.numpy(), np.abs(slope), style, label=name)
    axis.set(title="How strongly a fake is pulled", xlabel="its logit (left: recognized)", ylabel="|slope|")
    figure.legend(loc="outside lower center", ncols=2)
show(
    figure,
    "Slopes over the logit: the saturating loss has none on the left, the non-saturating one has its largest there",
)
at = int(np.argmin(np.abs(a.numpy() + 4)))
print({name: round(float(abs(slope[at])), 3) for name, slope in slopes.items()}, "at a logit of -4")
np.testing.assert_allclose(slopes["non-saturating: −log D"], tf.sigmoid(a) - 1, atol=1e-5)

# %% [markdown]
# The non-saturating loss pulls hardest where the generator is far behind. From here on, it is the generator's loss.
#
# ## From a vector to a picture
#
# The generator's input is a [latent vector](../docs/glossary.md#latent): random numbers from a bell curve that have no
# meaning, until training gives them one. How many there are, the *latent size*, limits how many directions of variety
# the pictures can have; 64 to 128 is usual, and S3 tried several without effect. A DCGAN
# ([Radford et al. 2016](https://arxiv.org/abs/1511.06434)) goes from the vector to the picture in three kinds of steps:
#
# 1. a dense layer turns the vector into a 4×4 map with many channels;
# 2. a [transposed convolution](../docs/glossary.md#transposed-convolution) with stride 2 doubles height and width and
#    halves the channels, again and again, each followed by [batch norm](../docs/glossary.md#batch-normalization) and
#    LeakyReLU;
# 3. the last doubling gives three channels and a tanh.
#
# A *transposed convolution* is a convolution run backwards: every input value paints its kernel, scaled by the value,
# into the output, one stride further for each input place; where strokes overlap, they are added
# ([drawings](https://arxiv.org/abs/1603.07285)). *Batch norm*
# ([Ioffe and Szegedy 2015](https://arxiv.org/abs/1502.03167)) brings each channel to mean 0 and variance 1 over the
# batch and all places, then scales and shifts it by two learnt numbers, so that no layer's output drifts away.

# %%
stroke = layers.Conv1DTranspose(1, 4, 2, "same", use_bias=False)
stroke.build((1, 3, 1))
stroke.set_weights([np.array([1.0, 2.0, 3.0, 4.0]).reshape(4, 1, 1)])
print("one value 1 paints", stroke(np.float32([[[0], [1], [0]]])).numpy().ravel())
print("two of them overlap", stroke(np.float32([[[1], [1], [0]]])).numpy().ravel())

values = rng.normal(5, 3, (8, 4, 4, 2)).astype(np.float32)
normed = layers.BatchNormalization(epsilon=1e-5)(values, training=True).numpy()
by_hand = (values - values.mean((0, 1, 2))) / np.sqrt(values.var((0, 1, 2)) + 1e-5)
np.testing.assert_allclose(normed, by_hand, atol=1e-4)
print(f"batch norm: mean {values.mean():.1f} becomes {abs(normed.mean()):.1f}, deviation {normed.std():.1f}")

# %% [markdown]
# **Predict first:** S3 makes pictures of 256×256. How many doublings is that from 4×4?


# %%
def doubling(filters):
    """(h, w, c) -> (2h, 2w, filters): every input value paints a 4x4 stroke, strokes 2 apart are summed."""
    start = keras.initializers.RandomNormal(stddev=0.02)
    return keras.Sequential(
        [
            layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False, kernel_initializer=start),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
            layers.LeakyReLU(0.2),
        ]
    )


def my_generator(latent, size, filters):
    x = inputs = keras.Input((latent,))
    x = layers.Reshape((4, 4, filters))(layers.Dense(16 * filters, use_bias=False)(x))
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
    while 2 * x.shape[1] < size:
        filters = max(16, filters // 2)
        x = doubling(filters)(x)
    return keras.Model(inputs, layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")(x))


mine = my_generator(lesson.LATENT, size, scale["filters"][0])
for layer in mine.layers[1:]:
    print(f"{layer.__class__.__name__:22}{layer.output.shape}")

# %% [markdown]
# Six doublings lead to 256, three to 32. Your generator and the library's are the same network, with the same weights
# in the same order. So one can lend its weights to the other, and both must then paint the same.

# %%
generator = dcgan_generator(lesson.LATENT, size, scale["filters"][0])
assert mine.count_params() == generator.count_params()
mine.set_weights(generator.get_weights())
latents = np.random.default_rng(0).normal(size=(8, lesson.LATENT)).astype(np.float32)
untrained = generator(latents).numpy()
np.testing.assert_allclose(mine(latents).numpy(), untrained, atol=1e-5)
print(f"{generator.count_params():,} weights; values from {untrained.min():.3f} to {untrained.max():.3f}")
show(
    image_grid([list(untrained), list(paintings[:8])], row_labels=["untrained", "paintings"], least=128),
    "Upper row: eight evenly grey squares, the untrained generator; lower row: eight small paintings",
)

# %% [markdown]
# The untrained generator gives grey for every latent. Its first weights have a standard deviation of 0.02 and shrink
# what passes through them, so the tanh gets values near 0, which is level 128 of 255. S1 saw the same grey before
# training.
#
# ## The discriminator answers in logits
#
# The discriminator goes in the opposite direction: strided convolutions halve the picture down to 4×4, with dropout
# between them, and one number comes out. S3 returns this number as it is, without a sigmoid: it is a
# [logit](../docs/glossary.md#logit), the probability is sigmoid(logit), and the loss is the [binary
# cross-entropy](../docs/glossary.md#bce) (BCE) of that probability, −log D for real pictures and −log(1 − D) for fakes,
# as in V. Why should the network not give the probability itself?
#
# **Predict first:** in float32, from which logit on is 1 − sigmoid(logit) exactly 0?

# %%
discriminator = dcgan_discriminator(size, scale["filters"][1])
logits = discriminator(paintings[:4]).numpy()
assert logits.shape == (4, 1)
assert np.isfinite(logits).all()

sure = np.float32([2, 8, 16, 17, 40, 100])
probability = 1 / (1 + np.exp(-sure))
with np.errstate(divide="ignore"):
    from_probability = -np.log(np.float32(1) - probability)
for x, naive in zip(sure, from_probability, strict=True):
    print(f"a fake with logit {x:5.1f}: loss by probability {naive:7.3f}, by logit {float(bce(x, 0.0)):7.3f}")
assert np.isinf(from_probability[-1])
np.testing.assert_allclose([float(bce(x, 0.0)) for x in sure], np.logaddexp(0, sure), rtol=1e-5)
assert all(float(bce(x, 0.0)) <= x + np.log(2) for x in sure)

# %% [markdown]
# From about 17 on, the loss by probability is infinite, and one infinite loss turns every weight into NaN. Computed
# from the logit x, the same quantity is max(x, 0) − x·label + log(1 + e^−|x|). With labels from 0 to 1 it is never more
# than |x| + ln 2: finite for every finite logit.
#
# ## Soft labels
#
# S3 uses soft labels, and S0 multiplies the paintings' label by 0.9: the discriminator is asked for 0.9 instead of 1 on
# real pictures ([label smoothing](../docs/glossary.md#label-smoothing),
# [Salimans et al. 2016](https://arxiv.org/abs/1606.03498)). In a CycleGAN of this library the setting `real_label` does
# it. **Predict first:** which logit costs least with label 1? With label 0.9?

# %%
x = np.linspace(-4, 8, 241)
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.8), layout="constrained")
    for label, style in ((1.0, "-"), (0.9, "--"), (0.0, ":")):
        axis.plot(x, np.logaddexp(0, x) - x * label, style, label=f"label {label}")
    best = np.log(0.9 / 0.1)
    axis.plot(best, np.logaddexp(0, best) - best * 0.9, "o", color="black", label=f"lowest at {best:.2f}")
    axis.set(title="What an answer costs", xlabel="logit", ylabel="loss (BCE)", ylim=(0, 4))
    figure.legend(loc="outside lower center", ncols=4)
show(figure, "Loss over logit: label 1 falls for ever, label 0.9 has its lowest point at 2.2, label 0 rises")
costs = [float(bce(np.float32(value), 0.9)) for value in x]
assert abs(x[int(np.argmin(costs))] - best) < 0.06

# %% [markdown]
# With label 1, a larger logit is always cheaper, so the discriminator is rewarded for growing ever more certain, also
# about pictures that it has merely learnt by heart. With label 0.9 the cheapest logit is 2.2, and going further costs.
# Only the label of real pictures is softened. A label of 0.1 for fakes would reward the discriminator for finding
# present fakes a little real, and the generator would be drawn to its own present pictures. Below, the effect of the
# label is measured.
#
# ## The level at which nothing is known
#
# One number helps to read the loss curves of every GAN. Suppose that the discriminator cannot tell anything and gives
# every picture the same probability p. Then a real picture costs −0.9 log p − 0.1 log(1 − p), and a fake −log(1 − p).

# %%
p = np.linspace(0.01, 0.99, 981)
blind = -(0.9 * np.log(p) + 0.1 * np.log(1 - p)) - np.log(1 - p)
best = p[blind.argmin()]
print(f"cheapest p: {best:.2f}; the sum of both sides is {blind.min():.3f}, their mean {blind.min() / 2:.3f};")
print(f"the generator pays {-np.log(best):.3f}")
assert np.isclose(blind.min(), lesson.BLIND["discriminator"], atol=1e-4)

# %% [markdown]
# A discriminator that knows nothing pays 1.38 for both sides together (with hard labels 2 ln 2 = 1.39), and its
# generator pays about 0.8. In this lesson "discriminator loss" always means that sum; other programs report the mean,
# 0.69.
#
# S3 reports that its discriminator's loss drops from 2.25 to about 1.25, while its generator's starts around 0.75 and
# stays about there, and reads this as balance. S3 doesn't say whether its figure is the sum. But a generator's loss of
# 0.75 means that fakes get a probability of 0.47 and cost the discriminator 0.64. With a mean of 1.25 the real pictures
# would then cost 1.86, so they would get a probability below 0.2, far less than the fakes: no discriminator that learns
# does that. Read as a sum, 1.25 is a little below 1.38: that discriminator has learnt hardly anything, and so it has
# hardly anything to teach. S3's text also says why: with equal learning rates the discriminator won, so S3 handicapped
# it. The experiment below repeats that handicap.
#
# ## Five for one
#
# 300 paintings are few. S3 adds to each one a flipped, a mirrored, a cropped and a noisy copy and gets 1,500. **Predict
# first:** which of these copies will the generator imitate although no Monet looks so?

# %%
enlarged = lesson.five_fold(paintings, np.random.default_rng(config.seed))
n = len(paintings)
assert enlarged.shape == (5 * n, size, size, 3)
np.testing.assert_array_equal(enlarged[n], paintings[0][::-1])
rows = [enlarged[k::n] for k in range(3)]
show(
    image_grid(rows, ["as it is", "upside down", "mirrored", "cropped", "noise"], least=128),
    "Three paintings in five versions each: original, upside down, mirrored, cropped and enlarged, noisy",
)
kept = np.concatenate([enlarged[k * n : (k + 1) * n] for k in (0, 2, 3)])
assert len(kept) == 3 * n
print(f"{n} paintings become {len(enlarged)}; diversity {diversity(enlarged, paintings):.2f} of the originals'")

# %% [markdown]
# The generator may imitate the upside-down copies: they teach the discriminator that a picture with water above and sky
# below is real. It may imitate the noisy copies, too, and paint grain. Such augmentation *leaks* into the results,
# because the discriminator takes the altered pictures for real. Mirrored and slightly cropped paintings don't leak,
# since they still look like paintings. `kept` therefore holds the originals, the mirrored and the cropped ones. [Lesson
# 4](04_resnet_cyclegan.ipynb) shows a way to use strong augmentation without leaks.
#
# ## One step, written out
#
# Both networks learn from the same fakes. Each one's gradient goes to its own variables only, and each one has an
# optimizer of its own, which lives as long as the training: Adam
# ([Kingma and Ba 2015](https://arxiv.org/abs/1412.6980)) remembers moving averages of past gradients, and a new
# optimizer would forget them.


# %%
def one_step(generator, discriminator, optimizers, real, noise, label=0.9):
    """One step of both sides. Returns the generator's loss and the sum of the discriminator's two."""
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        fake_logits, real_logits = discriminator(fake, training=True), discriminator(real, training=True)
        losses = bce(fake_logits, 1.0), bce(real_logits, label) + bce(fake_logits, 0.0)
    for side, loss, optimizer in zip((generator, discriminator), losses, optimizers, strict=True):
        optimizer.apply(tape.gradient(loss, side.trainable_variables), side.trainable_variables)
    return losses


def pair():
    keras.utils.set_random_seed(1)
    return dcgan_generator(lesson.LATENT, size, 16), dcgan_discriminator(size, 4, dropout=0.0)


def two_adams(generator_rate=2e-4, discriminator_rate=2e-4):
    return [keras.optimizers.Adam(rate, beta_1=0.5) for rate in (generator_rate, discriminator_rate)]


by_hand, optimizers = pair(), two_adams(2e-4, 8e-4)
library = DCGAN(*pair(), seed=3)
library.compile(*two_adams(2e-4, 8e-4))
for step in range(3):
    losses = one_step(*by_hand, optimizers, kept[:4], library.noise(4, step))
    theirs = library.train_step(tf.constant(kept[:4]))

# %%
np.testing.assert_allclose(losses, [float(theirs["generator"]), 2 * float(theirs["discriminator"])], rtol=1e-3)
first = pair()
for before, after, other in zip(first, by_hand, (library.generator, library.discriminator), strict=True):
    moved, apart = (
        max(np.abs(a - b).max() for a, b in zip(after.trainable_variables, network.trainable_variables, strict=True))
        for network in (before, other)
    )
    print(
        f"{after.name}: after 3 steps weights moved by up to {moved:.5f}; from the library's they differ by {apart:.0e}"
    )
    assert 1e-5 < moved < 4e-3
    pairs = zip(after.trainable_variables, other.trainable_variables, strict=True)
    assert np.mean([np.abs(a - b).mean() for a, b in pairs]) < 1e-4

# %% [markdown]
# After three steps your networks agree with those of `monet_lib.model.DCGAN`. No weight moved by more than about the
# learning rate a step: Adam divides each gradient by its own size, so that the rate is the length of its steps.
#
# ## A number for mode collapse
#
# S3 noticed by eye that from epoch 50 on every latent gave the same picture
# ([mode collapse](../docs/glossary.md#mode-collapse)). It can be measured. Take 32 latents and their 32 pictures;
# average each picture to 8×8 squares, so that fine noise does not count as variety; take the standard deviation over
# the pictures; and divide it by the same figure of the real paintings. 0 means one picture for all latents, 1 the
# variety of the paintings.
#
# **Predict first:** what do 32 copies of one painting give, with noise added to each? And the untrained generator?

# %%
one = paintings[:1] + rng.normal(0, 0.2, (32, size, size, 3))
cases = {
    "one painting + noise": one,
    "untrained": generator(rng.normal(size=(32, lesson.LATENT)).astype(np.float32)).numpy(),
    "half the paintings": paintings[::2],
}
for name, images in cases.items():
    print(f"{name:22}{diversity(images, paintings):.3f}")
assert diversity(one, paintings) < 0.4 < diversity(paintings[::2], paintings)

# %% [markdown]
# Noise on one painting gives about a sixth of the paintings' diversity, because at this size each of the 8×8 squares
# averages only 16 pixels. So read values up to 0.2 as one picture with noise.
#
# ## The training loop
#
# All parts are ready now. The loop draws a batch of real pictures and a batch of noise, takes one step, and looks at
# the generator's pictures now and then.


# %%
def play(images, steps, rates=(2e-4, 2e-4), label=0.9, filters=scale["filters"], dropout=0.3, seed=0, looks=16):
    """Train a DCGAN on images (n, h, w, 3) in [-1, 1]. Returns (generator, history)."""
    keras.utils.set_random_seed(seed)
    side, rng = images.shape[1], np.random.default_rng(seed)
    generator = dcgan_generator(lesson.LATENT, side, filters[0])
    discriminator, optimizers = dcgan_discriminator(side, filters[1], dropout), two_adams(*rates)
    for optimizer, network in zip(optimizers, (generator, discriminator), strict=True):
        optimizer.build(network.trainable_variables)
    step = tf.function(lambda *x: one_step(generator, discriminator, optimizers, *x, label), jit_compile=False)
    watched = rng.normal(size=(32, lesson.LATENT)).astype(np.float32)
    history = {name: [] for name in ("step", "generator", "discriminator", "diversity", "pictures")}
    losses, every = [], max(1, steps // looks)
    for number in range(1, steps + 1):
        real = images[rng.integers(0, len(images), scale["batch"])]
        noise = rng.normal(size=(scale["batch"], lesson.LATENT)).astype(np.float32)
        losses.append([float(loss) for loss in step(tf.constant(real), tf.constant(noise))])
        if number % every == 0:
            pictures = generator(watched, training=False).numpy()
            row = (number, *np.mean(losses, 0), diversity(pictures, paintings), pictures[:8])
            for name, value in zip(history, row, strict=True):
                history[name].append(value)
            losses = []
    return generator, {name: np.array(values) for name, values in history.items()}


# %% [markdown]
# ## What makes it collapse?
#
# S3 does not give its learning rates; it says that they handicapped the discriminator. Here the generator's rate is
# raised tenfold and the discriminator's lowered tenfold, each alone and both together. A fourth run makes the
# discriminator *faster*, 8·10⁻⁴ against 2·10⁻⁴: two time scales, as
# [Heusel et al. 2017](https://arxiv.org/abs/1706.08500) recommend. A last one leaves the rates equal and makes the
# discriminator strong in another way: twice as wide and without dropout. Everything is done for two seeds, because two
# runs that differ only in their random numbers differ too.
#
# **Predict first:** order the six runs by the diversity of their pictures.

# %%
RATES = {
    "equal rates": {},
    "generator × 10": {"rates": (2e-3, 2e-4)},
    "discriminator ÷ 10": {"rates": (2e-4, 2e-5)},
    "both (handicapped)": {"rates": (2e-3, 2e-5)},
    "discriminator × 4": {"rates": (2e-4, 8e-4)},
    "strong discriminator": {"dropout": 0.0, "filters": (scale["filters"][0], 2 * scale["filters"][1])},
}
runs = {name: [play(kept, scale["steps"], **change, seed=s)[1] for s in seeds] for name, change in RATES.items()}
for name, histories in runs.items():
    ends = {key: [float(np.mean(h[key][-3:])) for h in histories] for key in list(histories[0])[1:4]}
    assert np.isfinite(list(ends.values())).all()
    print(f"{name:22}", "  ".join(f"{key} {np.round(values, 2)}" for key, values in ends.items()))
show(
    lesson.curves_figure(runs, "The same networks, one change at a time, two seeds each"),
    "Losses and diversity over steps: slow discriminators or fast generators keep the losses on the pale band",
)

# %% tags=["cover"]
show(
    image_grid([histories[0]["pictures"][-1][:6] for histories in runs.values()], row_labels=list(runs), least=128),
    "A row of six latents for each run: nearly one picture in the handicapped row, clearly different ones in others",
)
show(
    lesson.spread_figure(runs, "Which change costs diversity?"),
    "Bars of the diversity at the end of each run with a dot for each seed: lowest for the handicapped discriminator",
)
if config.profile != "tiny":
    ends = {name: [h["diversity"][-3:].mean() for h in histories] for name, histories in runs.items()}
    assert max(ends["both (handicapped)"]) < min(ends["equal rates"])

# %% [markdown]
# The handicapped run repeats in seconds what S3 reports: the same picture for every latent (here it is grey with a
# coloured border) and calm loss curves. Of the two changes, the slow discriminator alone costs about half of the
# diversity with both seeds. The fast generator alone costs a little with one seed and nothing with the other, so two
# seeds cannot say how much it does by itself. Together they cost nearly everything. Look at the losses, too: those of
# all three runs stay close to the level at which nothing is known, so only the diversity tells these runs apart.
#
# **On the real images** (300 paintings, the same steps and seeds) the handicaps come in the same order: both changes
# together leave a diversity of 0.07 and 0.14, the slow discriminator alone 0.53 and 0.49, the fast generator alone 0.68
# and 0.79, and equal rates 0.83 and 0.95. In the other two runs the seeds lie far apart, as on the sample: the faster
# discriminator ends at 0.40 and 0.76, the strong one at 0.85 and 0.65. So a discriminator may also be too far
# ahead.
#
# Why? Against a discriminator that stands still, the generator's best answer is the *one* picture that this
# discriminator rates highest, given for every latent. The loss judges each fake alone, so nothing in it asks for
# variety. Variety comes only from a discriminator that goes on learning: when the generator makes one picture for
# every latent, such a discriminator soon marks this picture as fake, and the generator has to make others. A slow
# discriminator marks it too late. In one dimension this can be computed exactly, with the best discriminator of the
# first section: 200 fake numbers climb the slope of log D, once while D stays as it was at the start, and once while
# D is kept up to date.

# %%
paths = {
    "D stands still": lesson.chase(400, frozen=True),
    "D keeps up": lesson.chase(400, frozen=False),
}
for name, path in paths.items():
    print(f"{name}: the fakes end around {path[-1].mean():.2f}, spread {path[-1].std():.2f} (real: 1.00, spread 0.50)")
show(
    lesson.chase_figure(paths),
    "Lines of fake numbers over steps: with a fixed discriminator all run into one point, else they fill the real band",
)
assert paths["D stands still"][-1].std() < 0.1
assert abs(paths["D keeps up"][-1].std() - 0.5) < 0.15

# %% [markdown]
# The frozen discriminator collects all fakes at one point, and this point is not even where real numbers are most
# frequent: it is where real numbers are most *over-represented* against the old fakes. With a discriminator that keeps
# up, the fakes spread like the real numbers.
#
# One thing differs from S3's account. S3 found that equal rates let the discriminator win and gave pictures like noise.
# Here equal rates give varied pictures, on the sample and on the real images, and so does the stronger discriminator on
# the sample. Their variety is not noise, since the measure would notice that: noise averages to nearly the same 8×8
# squares, so its diversity is low. A likely reason for the difference is size. S3's networks make 256×256 pixels, where
# a discriminator finds flaws far more easily than at 32×32, and S3 trained for 1,000 epochs. What this experiment shows
# is only that equal rates need not fail; it cannot show what happened in S3's runs.
#
# ## Labels and copies, measured
#
# Two questions are left from above, and each is answered with the same two seeds: does the soft label help, and do S3's
# five copies help?

# %%
MORE = {
    "soft label, 3 copies": runs["equal rates"],
    "hard label 1.0": [play(kept, scale["steps"], label=1.0, seed=s)[1] for s in seeds],
    "originals alone": [play(paintings, scale["steps"], seed=s)[1] for s in seeds],
    "S3's five copies": [play(enlarged, scale["steps"], seed=s)[1] for s in seeds],
}


def grain(pictures):
    """Mean difference between neighbouring pixels: what noisy copies would raise."""
    return float(np.abs(np.diff(pictures, axis=2)).mean())


print(f"{'paintings':22} grain {grain(paintings):.3f}; with noise added {grain(enlarged[4 * n :]):.3f}")
for name, histories in MORE.items():
    ends = [f"{np.mean(h['diversity'][-3:]):.2f}" for h in histories]
    print(f"{name:22} diversity {', '.join(ends)}; grain {np.mean([grain(h['pictures'][-1]) for h in histories]):.3f}")
show(
    image_grid([histories[0]["pictures"][-1][:6] for histories in MORE.values()], row_labels=list(MORE), least=128),
    "Four rows of generated pictures: soft and hard label, originals alone, and five copies with upside-down ones",
)

# %% [markdown]
# Compare the two seeds of a setting before you compare settings. The soft labels end somewhat above the hard ones, but
# the two seeds of the originals alone lie further apart than that: at this length the label changes nothing that stands
# out from chance. The soft label is meant to stop a discriminator from learning the paintings by heart, and that
# probably takes more than a few hundred steps. The five copies change nothing that stands out, either. But the generator
# learns the upside-down pictures as well as the others. Look in the last row for pictures whose bright part lies at the
# bottom. Whether the noisy copies leak cannot be seen here, because all generated pictures have more grain than the
# noisy copies. You see this grain in the pictures as a regular pattern: transposed convolutions draw it, and lesson 4
# explains and removes it.
#
# **On the real images** neither the label nor the copies change anything that stands out from the seeds: soft labels
# give a diversity of 0.83 and 0.95, hard ones 0.89 and 0.94, the originals alone 1.00 and 0.82, and the five copies
# 0.91 and 0.95.
#
# ## The longer run, and a test for recitation
#
# Now one longer training at 64×64, with the faster discriminator. With so few paintings a network can learn them by
# heart and *recite* them: give back training pictures instead of new ones. So the figure shows under each generated
# picture the training picture that is nearest to it, pixel by pixel.

# %%
large = shrunk(pixels, scale["large"])
large = np.concatenate([lesson.five_fold(large, rng)[k * n : (k + 1) * n] for k in (0, 2, 3)])
model, longer = play(large, scale["long"], (2e-4, 8e-4), filters=scale["large_filters"], seed=1)
print(f"diversity {longer['diversity'][0]:.2f} at first, {longer['diversity'][-1]:.2f} at the end")
assert np.isfinite(longer["generator"]).all()
made = longer["pictures"][-1]
nearest, distances = lesson.nearest(made, large)
between = [lesson.nearest(large[k : k + 1], np.delete(large[:n], k, 0))[1][0] for k in range(n)]
middle = longer["pictures"][len(longer["pictures"]) // 3]
show(
    image_grid([longer["pictures"][0], middle, made, nearest],
               row_labels=["early", "at a third", "at the end", "nearest real"], least=96),
    "Eight latents at three moments of training, and under them the nearest training picture of each, which differs",
)  # fmt: skip
print(f"distance to the nearest training picture {distances.mean():.2f}; between two paintings {np.mean(between):.2f}")

# %% [markdown]
# A distance of 0 would be a copy. If the generated pictures were much nearer to a training picture than two paintings
# are to each other, the generator would be reciting. Here the two printed numbers are about equal. Judge by eye as
# well: the pictures of the last two rows are alike in colour and in where it is light and dark, but they do not share
# their outlines. This generator does not recite.
#
# S3, with 1,500 pictures and 1,000 epochs, found its results purely abstract and drew the right conclusion: a generator
# that begins with noise must invent the *scene* as well as the style, from 300 examples. A generator that begins with a
# photo needs only the style. That is the next lesson. Published DCGANs for this competition score about 313, ordinary
# CycleGANs 55 to 70 (lower is better).
#
# ## A walk through the latents
#
# Go along the straight line from one latent to another, and look at the pictures on the way.

# %%
ends = np.random.default_rng(5).normal(size=(6, lesson.LATENT)).astype(np.float32)


def walk(start, end, count=8):
    """Images (count, h, w, 3) along the straight line between two latents."""
    share = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    return model(tf.constant((1 - share) * start + share * end), training=False).numpy()


path = walk(ends[0], ends[1])
jumps = np.abs(np.diff(path, axis=0)).mean((1, 2, 3))
print("change from step to step:", np.round(jumps, 3))
assert jumps.max() < np.abs(path[0] - path[-1]).mean() + 1e-3
show(
    image_grid([path, walk(ends[2], ends[3])], row_labels=["one walk", "another"], least=96),
    "Two walks of eight pictures that change a little from each picture to the next",
)

# %% [markdown]
# The pictures change smoothly. It is often said that this proves that the generator does not recite. It does not prove
# it: a generator is a continuous function, so it must pass smoothly between its pictures even if it recites at both
# ends. The comparison with the nearest training pictures above is the better test.


# %%
def between_view(start, end, position):
    images = walk(ends[start], ends[end], 11)
    row = [images[0], images[round(10 * position)], images[-1]]
    return image_grid([row], ["start", "between", "end"], least=192)


walker = explore(
    between_view,
    "Start, a picture between, and end of a walk: the middle one lies between the outer two",
    start=(0, 5, 0),
    end=(0, 5, 1),
    position=(0.0, 1.0, 0.5),
)
if walker:  # as a hand on the slider would
    walker["position"].value = 0.2
    walker.redraw()

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: doublings
#
# List the heights of all maps of a generator that paints 256×256, from the first map to the picture.

# %%
heights = ...

solved = lesson.check_shapes(heights)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# heights = [4 * 2**k for k in range(7)]
# ```
# Seven maps, six doublings.
# </details>

# %% [markdown]
# ### Exercise 2: the loss of a logit
#
# Write the BCE of one logit x against a label, in NumPy, so that it stays finite for x = −60 and x = 200.


# %%
def my_bce(x, label):
    return ...


solved = lesson.check_bce(my_bce)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_bce(x, label):
#     return max(x, 0) - x * label + np.log1p(np.exp(-abs(x)))
# ```
# It is −label·log σ(x) − (1 − label)·log(1 − σ(x)) with log σ(x) = −log(1 + e^−x), and with the larger exponential
# taken out of the logarithm.
# </details>

# %% [markdown]
# ### Exercise 3: read a curve
#
# A discriminator with labels 0.9 and 0 gives the same p to everything. Which p costs least, and how large is then the
# sum of both sides' losses?

# %%
p_blind, loss_blind = ..., ...

solved = lesson.check_blind(None if p_blind is ... else (p_blind, loss_blind))

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# p_blind = 0.45
# loss_blind = -(0.9 * np.log(0.45) + 0.1 * np.log(0.55)) - np.log(0.55)
# ```
# The cheapest constant answer is the mean of the labels, (0.9 + 0) / 2. The sum is 1.376.
# </details>

# %% [markdown]
# ### Exercise 4: diversity
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

# %% [markdown]
# ### Exercise 5: a walk
#
# `path_of(start, end, count)` gives `count` latents in equal steps from `start` to `end`, both included, as an array
# (count, latent).


# %%
def path_of(start, end, count):
    return ...


solved = lesson.check_walk(path_of)

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

# %% [markdown]
# ### Exercise 6: repair a broken GAN
#
# This step has three bugs. Each of them was made by somebody and gives no error message. Find and repair them; the
# checker says how many are left and describes one. When all are gone, the cell trains with your step and shows what it
# paints.


# %%
def repaired(generator, discriminator, optimizers, real, noise):
    real = (real + 1) / 2
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        fake_logits, real_logits = discriminator(fake, training=True), discriminator(real, training=True)
        losses = bce(fake_logits, 0.0), bce(real_logits, 0.9) + bce(fake_logits, 0.0)
    gradients = tape.gradient(losses[0], generator.trainable_variables)
    optimizers[0].apply(gradients, generator.trainable_variables)
    return losses


if lesson.check_repaired(repaired):
    working, one_step = one_step, lambda g, d, o, real, noise, label: repaired(g, d, o, real, noise)
    _, mine = play(kept, scale["steps"])
    one_step = working
    show(
        image_grid([mine["pictures"][k][:6] for k in (0, -1)], row_labels=["early", "late"], least=128),
        "Six pictures by your GAN early in its training, and six at its end",
    )

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def repaired(generator, discriminator, optimizers, real, noise):
#     with tf.GradientTape(persistent=True) as tape:
#         fake = generator(noise, training=True)
#         fake_logits, real_logits = discriminator(fake, training=True), discriminator(real, training=True)
#         losses = bce(fake_logits, 1.0), bce(real_logits, 0.9) + bce(fake_logits, 0.0)
#     for side, loss, optimizer in zip((generator, discriminator), losses, optimizers, strict=True):
#         gradients = tape.gradient(loss, side.trainable_variables)
#         optimizer.apply(gradients, side.trainable_variables)
#     return losses
# ```
# Real pictures stay in [−1, 1], else the discriminator tells them by their range. The generator's target is 1. And the
# discriminator has to take a step as well.
# </details>

# %% [markdown]
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
# that was too low both led to this level.
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
# unless the altered picture could be a real one. (The runs above are too short to show it: their own grain is
# stronger.)
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
# **No.** The same setting with another seed may well give 0.70.
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

# %% [markdown]
# ## Recap
#
# - G and D play for one number; the best D is p / (p + q); the non-saturating loss pulls hardest on fakes that are
#   recognized.
# - A [generator](../docs/glossary.md#generator) doubles a 4×4 map; a
#   [discriminator](../docs/glossary.md#discriminator) halves a picture and answers with a
#   [logit](../docs/glossary.md#logit).
# - 1.38 (the sum of both sides with labels 0.9 and 0) is the loss of a discriminator that knows nothing. S3's curve
#   was close to it.
# - [Mode collapse](../docs/glossary.md#mode-collapse) is the best answer to a discriminator that doesn't go on
#   learning. Measure diversity while you train.
# - Change one thing at a time, and use several seeds: otherwise you can't tell an effect from chance.
# - Copies that could be real paintings teach nothing wrong. Upside-down copies leak into the results, and noisy copies
#   can leak.
#
# Next: [lesson 3](03_unet_cyclegan.ipynb) starts from photos instead of noise, with a
# [U-Net](../docs/glossary.md#u-net) and [cycle consistency](../docs/glossary.md#cycle-consistency).
