# %% [markdown]
# # 2 · Paint from noise
#
# Build a DCGAN block by block, train it on small paintings, and find out why one famous attempt got the same
# picture out of every random vector.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/02_dcgan.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/02_dcgan/02_dcgan.ipynb)

# %% [markdown]
# ## You will learn
#
# - how a generator doubles 4×4 numbers into a picture, and how a discriminator undoes it
# - why discriminators answer in logits, and what a soft label of 0.9 changes
# - to read a GAN's loss curves: the level at which the discriminator knows nothing
# - to measure mode collapse by one number while training
# - what two learning rates do, in both directions
# - what five copies of every painting give, and what they cost
#
# **You need** [lesson 1](01_eda.ipynb) and an idea of what a convolution and a gradient are.
#
# <!-- measured -->
# Time and memory: measured in the table of the [README](../README.md).

# %% [markdown]
# ## What you will have made
#
# ![Three rows of small pictures made from noise: in the first one picture eight times, in the others different ones](../docs/images/02_dcgan.jpg)
#
# Three generators that differ in nothing but two learning rates. The first answers every latent with one
# picture.

# %% [markdown]
# ## Setup
#
# Pictures of 64×64 pixels, so that a training takes a minute on a laptop. At that size and with so few
# paintings nobody gets a Monet; every effect of this lesson shows all the same.

# %% tags=["install"]
# On Colab: fetch the course with its sample, and install the library. For the competition's images, put your Kaggle
# token into Colab's secrets and add here: from monet_lib.download import download_data; download_data()
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("monet_lib") is None:
    subprocess.run(["git", "clone", "--depth=1", "https://github.com/monet-lab/monet-lab"], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--editable", "monet-lab"], check=True)
    sys.path.insert(0, "monet-lab")  # this kernel looked for packages before there was one

# %%
from monet_lib.quiet import quiet

quiet()  # TensorFlow says only what stops it

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from matplotlib import pyplot as plt

from monet_lib.config import profile
from monet_lib.course import dcgan as lesson
from monet_lib.course.widgets import explore
from monet_lib.data.competition import find_data
from monet_lib.figures import figure_style, image_grid, show
from monet_lib.gan.augment import five_fold
from monet_lib.gan.losses import bce
from monet_lib.networks.discriminators import dcgan_discriminator
from monet_lib.networks.generators import dcgan_generator
from monet_lib.scoring.metrics import diversity

print(f"tensorflow {tf.__version__}, keras {keras.__version__}")
config = profile()
root = find_data()
scale = lesson.SCALES[config.profile]
size = scale["size"]
print(f"profile: {config.profile}, {scale}")
paintings = lesson.small_paintings(root, size, limit=40 if config.profile == "tiny" else None)
assert paintings.shape[1:] == (size, size, 3)
assert -1 <= paintings.min() < paintings.max() <= 1

# %% [markdown]
# ## From a vector to a picture
#
# A GAN's generator starts from a [latent vector](../docs/glossary.md#latent), random numbers without meaning,
# and must give them one. A DCGAN (Radford et al. 2016) does it in three kinds of steps:
#
# 1. a dense layer turns the vector into a 4×4 map with many channels;
# 2. a [transposed convolution](../docs/glossary.md#transposed-convolution), stride 2, doubles height and
#    width and halves the channels, again and again, each with batch norm and LeakyReLU;
# 3. the last doubling gives three channels and a tanh.
#
# **Predict first:** S3 makes 256×256 pixels. How many doublings is that from 4×4?


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


mine = my_generator(lesson.LATENT, size, scale["filters"])
for layer in mine.layers[1:]:
    print(f"{layer.__class__.__name__:22}{layer.output.shape}")

# %% [markdown]
# Six doublings for 256, four for 64. Your generator and the library's are the same network: the same weights
# in the same order, so one can lend them to the other and must then paint the same.

# %%
generator = dcgan_generator(lesson.LATENT, size, scale["filters"])
assert mine.count_params() == generator.count_params()
mine.set_weights(generator.get_weights())
latents = np.random.default_rng(0).normal(size=(8, lesson.LATENT)).astype(np.float32)
untrained = generator(latents).numpy()
np.testing.assert_allclose(mine(latents).numpy(), untrained, atol=1e-5)
print(f"{generator.count_params():,} weights; values from {untrained.min():.3f} to {untrained.max():.3f}")
show(
    image_grid([list(untrained), list(paintings[:8])]),
    "Upper row: eight evenly grey squares, the untrained generator; lower row: eight small paintings",
)

# %% [markdown]
# Grey, whatever the latent. The first weights have a standard deviation of 0.02 and shrink what passes them,
# so tanh is asked about values near 0: level 128 of 255. S1 met the same grey before training.
#
# ## The judge, and why it answers in logits
#
# The discriminator walks the way back: strided convolutions halve the picture down to 4×4, dropout between
# them, and one number comes out. S3 returns it as it is, without a sigmoid: a
# [logit](../docs/glossary.md#logit). The probability is sigmoid(logit), and the loss is the
# [binary cross-entropy](../docs/glossary.md#bce) of that. Why not let the network give the probability?
#
# **Predict first:** in float32, from which logit on is 1 − sigmoid(logit) exactly 0?

# %%
discriminator = dcgan_discriminator(size, scale["judge"])
logits = discriminator(paintings[:4]).numpy()
assert logits.shape == (4, 1)
assert np.isfinite(logits).all()

sure = np.float32([2, 8, 16, 17, 40, 100])
probability = 1 / (1 + np.exp(-sure))
with np.errstate(divide="ignore"):
    from_probability = -np.log(np.float32(1) - probability)
for x, naive in zip(sure, from_probability, strict=True):
    print(f"a fake judged {x:5.1f}: loss by probability {naive:7.3f}, by logit {float(bce(x, 0.0)):7.3f}")
assert np.isinf(from_probability[-1])
np.testing.assert_allclose([float(bce(x, 0.0)) for x in sure], np.logaddexp(0, sure), rtol=1e-5)

# %% [markdown]
# From about 17 on the loss by probability is infinite, and one infinite loss turns every weight into NaN. By
# logits the same quantity is max(x, 0) − x·label + log(1 + e^−|x|), which is never more than the logit itself.
#
# ## Soft labels
#
# S0 and S3 ask the discriminator for 0.9 instead of 1 on real pictures
# ([label smoothing](../docs/glossary.md#label-smoothing)). **Predict first:** which logit costs least with
# label 1? With 0.9?

# %%
x = np.linspace(-4, 8, 241)
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for label, style in ((1.0, "-"), (0.9, "--"), (0.0, ":")):
        axis.plot(x, np.logaddexp(0, x) - x * label, style, label=f"label {label}")
    best = np.log(0.9 / 0.1)
    axis.plot(best, np.logaddexp(0, best) - best * 0.9, "o", color="black", label=f"lowest at {best:.2f}")
    axis.set(title="What an answer costs", xlabel="logit", ylabel="loss (BCE)", ylim=(0, 4))
    axis.legend()
show(figure, "Loss over logit: label 1 falls for ever, label 0.9 has its lowest point at 2.2, label 0 rises")
costs = [float(bce(np.float32(value), 0.9)) for value in x]
assert abs(x[int(np.argmin(costs))] - best) < 0.06

# %% [markdown]
# With label 1 a larger logit is always cheaper: the discriminator is paid for boasting, and a boasting
# discriminator is steep only where no picture is. With 0.9 it stops at 2.2. Only the real side is softened:
# a soft label on fakes would tell the generator that its present fakes are partly right. (S0 did it so: the
# Monets' side times 0.9.)
#
# ## The level at which nothing is known
#
# Now a number that lets you read anyone's curves. Suppose that the discriminator can't tell anything and
# gives every picture the same probability p. Real ones cost −0.9 log p − 0.1 log(1 − p), fakes −log(1 − p).

# %%
p = np.linspace(0.01, 0.99, 981)
blind = -(0.9 * np.log(p) + 0.1 * np.log(1 - p)) - np.log(1 - p)
best = p[blind.argmin()]
print(
    f"cheapest p: {best:.2f}; both sides together {blind.min():.3f}, the generator pays {-np.log(best):.3f}"
)
assert np.isclose(blind.min(), 2 * lesson.BLIND["discriminator"], atol=1e-4)

# %% [markdown]
# A discriminator that knows nothing pays 1.38 (with hard labels 2 ln 2 = 1.39), and its generator about
# 0.8. S3 reports exactly this: the discriminator's loss "drops sharply from 2.25 to approximately 1.25", the
# generator's starts "around 0.75 and remains relatively stable". They read it as balance. It is a
# discriminator that has learnt hardly anything, and so has nothing to teach. The cause stands in the same
# write-up: equal learning rates let the discriminator win, so they handicapped it. Keep that in mind for the
# experiment below.
#
# ## Five for one
#
# 300 paintings are few. S3 adds to each a flipped, a mirrored, a cropped and a noisy copy: 1,500. **Predict
# first:** which of these four copies will the generator imitate although no Monet looks so?

# %%
enlarged = five_fold(paintings, np.random.default_rng(config.seed))
assert enlarged.shape == (5 * len(paintings), size, size, 3)
np.testing.assert_array_equal(enlarged[len(paintings)], paintings[0][::-1])
rows = [enlarged[k :: len(paintings)] for k in range(3)]
show(
    image_grid(
        [[np.repeat(np.repeat(x, 2, 0), 2, 1) for x in row] for row in rows],
        ["as it is", "upside down", "mirrored", "cropped", "noise"],
    ),
    "Three paintings in five versions each: original, upside down, mirrored, cropped and enlarged, noisy",
)
print(f"{len(paintings)} paintings become {len(enlarged)}; diversity {diversity(enlarged, paintings):.2f}")

# %% [markdown]
# Upside down: a generator that may not tell up from down paints lakes into skies, and the discriminator
# applauds. Noise: it learns to make grain. Such augmentation *leaks*, because the discriminator takes the
# altered pictures for real ones. Mirroring and slight crops don't leak, since a mirrored Monet still looks
# like one. [Lesson 4](04_resnet_cyclegan.ipynb) shows the way out: alter real *and* generated pictures alike.
# We go on with original, mirrored and cropped ones.

# %%
kept = np.concatenate([enlarged[k * len(paintings) : (k + 1) * len(paintings)] for k in (0, 2, 3)])
assert len(kept) == 3 * len(paintings)

# %% [markdown]
# ## One step, written out
#
# Both sides learn from the same fakes. The generator wants "real" for them, which is the *non-saturating*
# form of Goodfellow et al. 2014: with the other form, −loss of the discriminator, a generator that is far
# behind would get no gradient at all. Each side's gradient goes to its own variables alone.


# %%
def one_step(generator, discriminator, real, noise, rates):
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        fake_logits, real_logits = discriminator(fake, training=True), discriminator(real, training=True)
        generator_loss = bce(fake_logits, 1.0)
        discriminator_loss = 0.5 * (bce(real_logits, 0.9) + bce(fake_logits, 0.0))
    for side, loss, rate in zip(
        (generator, discriminator), (generator_loss, discriminator_loss), rates, strict=True
    ):
        gradients = tape.gradient(loss, side.trainable_variables)
        keras.optimizers.Adam(rate, 0.5).apply(gradients, side.trainable_variables)
    return float(generator_loss), float(discriminator_loss)


def pair():
    keras.utils.set_random_seed(1)
    return dcgan_generator(lesson.LATENT, size, 16), dcgan_discriminator(size, 4, dropout=0.0)


by_hand = pair()
library = lesson.DCGAN(*pair(), seed=3)
library.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(8e-4, 0.5))
losses = one_step(*by_hand, kept[:4], library.noise(4, 0), (2e-4, 8e-4))
theirs = library.train_step(tf.constant(kept[:4]))

# %%
np.testing.assert_allclose(losses, [float(theirs["generator"]), float(theirs["discriminator"])], rtol=1e-4)
start = pair()
for before, after, other in zip(start, by_hand, (library.generator, library.discriminator), strict=True):
    moved = max(np.abs(a - b).max() for a, b in zip(before.get_weights(), after.get_weights(), strict=True))
    apart = max(np.abs(a - b).max() for a, b in zip(other.get_weights(), after.get_weights(), strict=True))
    print(
        f"{after.name}: weights moved by up to {moved:.4f}; from the library's step they differ by {apart:.1e}"
    )
    assert moved > 1e-5
    assert apart < 1e-4

# %% [markdown]
# From here on `monet_lib.gan.dcgan.DCGAN` takes the steps; it is what you have just written, and a few lines.
#
# ## A number for mode collapse
#
# S3 noticed by eye, after 1,000 epochs, that every latent gave the same picture
# ([mode collapse](../docs/glossary.md#mode-collapse)). Measure it instead: 32 latents, 32 pictures; average
# each to 8×8 squares, so that pixel noise doesn't pass for variety; take the standard deviation over the
# pictures, and divide by that of real paintings. 0 is one picture for all, 1 the variety of the paintings.
#
# **Predict first:** what do 32 copies of one painting give, with noise added to each? And the untrained
# generator?

# %%
rng = np.random.default_rng(config.seed)
one = paintings[:1] + rng.normal(0, 0.2, (32, size, size, 3))
cases = {
    "one painting + noise": one,
    "untrained": generator(rng.normal(size=(32, lesson.LATENT)).astype(np.float32)).numpy(),
    "half the paintings": paintings[::2],
}
for name, images in cases.items():
    print(f"{name:22}{diversity(images, paintings):.3f}")
assert diversity(one, paintings) < 0.3 < diversity(paintings[::2], paintings)

# %% [markdown]
# ## Two learning rates, both ways
#
# Three runs, alike but for the rates. *Handicapped*, as S3 did it: generator 2·10⁻³, discriminator 2·10⁻⁵.
# *Equal*: 2·10⁻⁴ each. *Faster judge*: generator 2·10⁻⁴, discriminator 8·10⁻⁴, the two time-scale rule of
# Heusel et al. 2017.
#
# **Predict first:** a discriminator that hardly moves, and a generator that may look for the picture it
# likes best. What will the generator paint, for all latents?

# %%
RATES = {"handicapped judge": (2e-3, 2e-5), "equal rates": (2e-4, 2e-4), "faster judge": (2e-4, 8e-4)}
models, histories = {}, {}
for name, rates in RATES.items():
    models[name] = lesson.new_dcgan(scale, *rates, config.seed)
    start = models[name].generator.get_weights()
    histories[name] = lesson.train_and_watch(models[name], kept, scale["short"], scale["batch"])
    last = {key: float(histories[name][key][-1]) for key in ("generator", "discriminator", "diversity")}
    assert np.isfinite(list(last.values())).all()
    assert np.abs(models[name].generator.get_weights()[0] - start[0]).max() > 1e-4, "weights moved"
    print(f"{name:18}", "  ".join(f"{key} {value:.2f}" for key, value in last.items()))
show(
    lesson.curves_figure(histories, "The same networks under three pairs of learning rates"),
    "Losses and diversity of three runs; the handicapped one lies on the grey lines of a blind judge, its diversity falls",
)

# %% tags=["cover"]
show(
    lesson.picture_rows(histories),
    "Rows of eight latents: with the handicapped judge eight times one picture, in the other two rows different ones",
)
if config.profile != "tiny":
    assert histories["handicapped judge"]["diversity"][-1] < histories["faster judge"]["diversity"][-1]

# %% [markdown]
# The first row is S3's result in a minute: one picture, whatever the latent, and loss curves that look
# calm. The reason is simple arithmetic. Against a discriminator that stands still, a generator's best answer
# is the *one* picture that this discriminator rates highest, given to every latent. Nothing in the loss asks
# for variety: each fake is judged alone. Variety comes only from the chase. As soon as the one picture is
# everywhere, a discriminator that learns marks it as fake, and the generator has to leave. A handicapped
# discriminator is too slow to chase it away, so it stays. S3 turned learning rates, betas, latent sizes and
# norms within that handicap, where none of them could help.
#
# And the opposite failure, from which S3 fled? With a judge that is far ahead, the generator's loss climbs
# (see its curve at the start). The non-saturating loss still has a gradient there. The cures are to weaken
# what the judge can *learn by heart* (dropout, augmentation, soft labels, a gradient penalty: lesson 4), not
# how fast it learns.
#
# ## The longer run

# %%
model = models["faster judge"]
longer = lesson.train_and_watch(model, kept, scale["steps"], scale["batch"], seed=1)
print(f"diversity {longer['diversity'][0]:.2f} at first, {longer['diversity'][-1]:.2f} at the end")
assert np.isfinite(longer["generator"]).all()
looks = [0, len(longer["pictures"]) // 3, len(longer["pictures"]) - 1]
show(
    image_grid([list(longer["pictures"][k]) for k in looks]),
    "Eight latents at three moments of training: stripes become bands of sky, land and water, and the eight differ",
)

# %% [markdown]
# Skies above, darker land below, and a palette near the paintings': that is what a few minutes and two dozen
# pictures give. S3, with 1,500 pictures and 1,000 epochs, found "purely abstract" ones and drew the right
# conclusion: a generator that begins with noise must invent the *scene* as well as the style, from 300
# examples. One that begins with a photo only needs the style. That is the next lesson.
#
# **On the real images** the course's `full` profile trains this at 128 px; published DCGANs for this
# competition score about 313, ordinary CycleGANs 55 to 70.
#
# ## A walk through the latents
#
# If the generator has learnt more than to recite, then between two latents its pictures change smoothly, and
# if it recites, they jump. Walk along the straight line from one latent to another.

# %%
ends = np.random.default_rng(5).normal(size=(6, lesson.LATENT)).astype(np.float32)
path = lesson.walk(model, ends[0], ends[1])
jumps = np.abs(np.diff(path, axis=0)).mean((1, 2, 3))
print("change from step to step:", np.round(jumps, 3))
assert jumps.max() < np.abs(path[0] - path[-1]).mean() + 1e-3
show(
    image_grid([list(path), list(lesson.walk(model, ends[2], ends[3]))]),
    "Two walks of eight pictures that blend",
)


# %%
def between(start, end, position):
    images = lesson.walk(model, ends[start], ends[end], 11)
    row = [images[0], images[round(10 * position)], images[-1]]
    return image_grid([[np.repeat(np.repeat(x, 3, 0), 3, 1) for x in row]], ["start", "between", "end"])


walker = explore(
    between,
    "Start, a picture between, and end of a walk: the middle one mixes the outer two",
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
# List the heights of all maps of a generator that paints 256×256, from the first to the picture.

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
# −label·log σ(x) − (1 − label)·log(1 − σ(x)), with log σ(x) = −log(1 + e^−x), and the larger exponential
# taken out.
# </details>

# %% [markdown]
# ### Exercise 3: read a curve
#
# A discriminator with labels 0.9 and 0 answers the same p to everything. Which p costs least, and what is
# then the sum of both sides' losses, the figure that S3 plots?

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
# The cheapest constant answer is the mean of the labels, (0.9 + 0) / 2. The sum is 1.376. S3's 1.25 is just
# below.
# </details>

# %% [markdown]
# ### Exercise 4: diversity
#
# Write the heart of the measure: for images (n, h, w, 3), the standard deviation over the *images* at each
# value, combined to one number as a root mean square.


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
# `images.std()` would mix in the spread within each picture and call one picture, eight times, diverse.
# </details>

# %% [markdown]
# ### Exercise 5: a walk
#
# `path(start, end, count)`: `count` latents in equal steps from `start` to `end`, both included, as an array
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
# Latents from N(0, 1) lie near a sphere of radius √latent and the middle of the line inside it. For long
# walks people go along the sphere (slerp).
# </details>

# %% [markdown]
# ## Self-quiz
#
# <details><summary>1. A DCGAN's summed discriminator loss rests at 1.38 and the generator's at 0.7 to 0.8. Is that an equilibrium?</summary>
#
# It is what a discriminator pays that knows nothing. In theory that is also where a perfect generator leads.
# Look at the pictures, or at the diversity: if they are poor, the discriminator is too weak to teach.
# </details>
#
# <details><summary>2. Why does a generator collapse to one picture when the discriminator stands still?</summary>
#
# Every fake is judged alone. The picture that this discriminator rates highest is the best answer for each
# latent, so all latents get it. Only a discriminator that moves makes a repeated picture expensive.
# </details>
#
# <details><summary>3. Why is only the real label softened?</summary>
#
# A target of 0.1 on fakes rewards the discriminator for finding them a little real, where they are now: the
# generator would be drawn to its own present pictures.
# </details>
#
# <details><summary>4. You add noisy copies to the training set. What will the generator do?</summary>
#
# Paint noise: a fifth of the "real" pictures have it. Augmentation of the set leaks whatever it does into the
# results, unless the altered picture could be a real one (as a mirrored one could).
# </details>
#
# <details><summary>5. Why average to 8×8 before measuring diversity?</summary>
#
# A collapsed generator's pictures may differ in fine noise. Averaging keeps what makes two paintings
# different for us, where light and dark and colours are, and takes the noise out.
# </details>

# %% [markdown]
# ## Recap
#
# - A [generator](../docs/glossary.md#generator) doubles a 4×4 map; a
#   [discriminator](../docs/glossary.md#discriminator) halves a picture and answers with a
#   [logit](../docs/glossary.md#logit).
# - 1.38 (both sides, labels 0.9 and 0) is the price of knowing nothing. S3's curves lay there.
# - [Mode collapse](../docs/glossary.md#mode-collapse) is the best answer to a discriminator that doesn't move.
#   Measure diversity while you train.
# - Copies that could be real help; upside-down and noisy ones leak.
#
# Next: [lesson 3](03_unet_cyclegan.ipynb) starts from photos instead of noise, with a
# [U-Net](../docs/glossary.md#u-net) and [cycle consistency](../docs/glossary.md#cycle-consistency).
