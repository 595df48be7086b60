# %% [markdown]
# # 3 · From photo to painting and back
#
# Build a CycleGAN with U-Net generators piece by piece: the generator, the discriminator of patches, four losses and the
# training step, each tested before it is used.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/03_unet_cyclegan.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/03_unet_cyclegan/03_unet_cyclegan.ipynb)

# %% [markdown]
# ## You will learn
#
# - how two generators and two discriminators learn from pictures that don't come in pairs
# - how a U-Net keeps the edges of a photo, shown by taking its skip connections away
# - why a discriminator that looks at patches suits a painter's style
# - what each of the four losses sees, and what it cannot see
# - to write a `keras.Model` with its own `train_step`, to train it by `fit`, and what a stopped gradient loses
# - to test a suspicion by changing one thing at a time: which of S1's settings did harm?
#
# **You need** [lesson 2](02_dcgan.ipynb): discriminators, logits, BCE.
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
# ![A row of photographs, the paintings that a small CycleGAN makes of them, and the photos it recovers](../docs/images/03_unet_cyclegan.jpg)
#
# A CycleGAN that you assembled yourself, after a few minutes of training without a GPU.

# %% [markdown]
# ## Setup
#
# The lesson uses whole pictures, shrunk so that a training takes minutes. `config` holds every setting of it.

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
from keras import layers, ops

from monet_lib.course import unet as lesson
from monet_lib.course.tools import explore, short_run, shrunk, teach_discriminator
from monet_lib.data import UnpairedBatches, find_images, load, training_data
from monet_lib.figures import image_grid, plot_history, show
from monet_lib.model import bce, build, discriminator_of, generator_of, patch_discriminator, unet_generator
from monet_lib.score import diversity, scene_kept

config, steps, short, seeds = lesson.settings(config)
print(f"{config.image_size} px, {steps} steps in the long training, {short} in the short ones")
pixels = {name: load(find_images(root, name))[1] for name in ("monet", "photo")}
monets, photos = (shrunk(pixels[name][:24], config.image_size) for name in ("monet", "photo"))
assert monets.shape[1:] == photos.shape[1:] == (config.image_size, config.image_size, 3)

# %% [markdown]
# ## Two translators and two discriminators
#
# In lesson 2 the generator had to invent a scene. Now it gets one: `paint` takes a photo and gives a painting. If there
# were pairs of a photo and Monet's painting of the same scene, one could compare the two paintings. There are no such
# pairs. CycleGAN ([Zhu et al. 2017](https://arxiv.org/abs/1703.10593)) trains a second generator, `back`, which makes
# photos of paintings, and asks that a picture which goes through both generators comes back as it was. A discriminator
# for each side says whether a picture belongs there.
#
# One training step sends pictures through the generators six times:

# %%
show(
    lesson.cyclegan_figure(),
    "A drawing of six numbered passes: photo to fake Monet and back to the photo, Monet to fake photo and back, and two identity passes",
)

# %% [markdown]
# ① and ② make the fakes, which the discriminators judge. ③ and ④ translate the fakes back: the results should equal
# the pictures that the cycles began with. ⑤ and ⑥ give each generator a picture that already belongs to its target
# set: the generator should not change that picture. Note that `paint` is used in ①, ④ and ⑤. Each part of this
# drawing is built below.
#
# ## Down, and up again
#
# A U-Net ([Isola et al. 2017](https://arxiv.org/abs/1611.07004)) has the shape of an hourglass. Each step of its
# *encoder* halves the map by a strided convolution, each step of its *decoder* doubles it by a
# [transposed convolution](../docs/glossary.md#transposed-convolution) (lesson 2). On the way down the network learns
# *what* is in the picture, with more and more channels on coarser and coarser maps. On the way up it must say *where* it
# is. The sources build it alike and differ in the arguments:
#
# | | filters | norm | dropout in the decoder |
# |---|---|---|---|
# | S1 | down 64, 128 ×4, 256 ×3; up 256 ×4, 128 ×2, 64 | batch | 0.7, "to improve model speed" |
# | S2 | not given; its sources use 64, 128, 256, 512 ×5 | not given | not given |
# | S3 | not given | group | yes, rate not given, against overfitting |
#
# [Dropout](../docs/glossary.md#dropout) sets a random share of the values to zero in training. It does not make a network
# faster, as S1 hopes: the zeros are multiplied like other numbers. It makes learning noisier, and thereby harder to
# overfit, as S3 says.
#
# The norms differ in what they average over. *Batch norm* (lesson 2) takes one mean and one variance for a channel over
# all images of the batch. *[Instance norm](../docs/glossary.md#instance-normalization)*
# ([Ulyanov et al. 2016](https://arxiv.org/abs/1607.08022)) takes them for each image by itself, and
# *[group norm](../docs/glossary.md#group-normalization)* ([Wu and He 2018](https://arxiv.org/abs/1803.08494)) for each
# image over groups of channels. With one image in a batch, as here, the first two compute the same while training, but
# batch norm paints with averages that it stored.

# %%
x = np.random.default_rng(0).normal(2, 3, (2, 6, 6, 4)).astype(np.float32)
for name, groups, grouped in (("instance", -1, 4), ("group", 2, 2)):
    normed = np.asarray(layers.GroupNormalization(groups=groups, epsilon=1e-5)(x))
    parts = x.reshape(2, 6, 6, grouped, 4 // grouped)  # channels of one group side by side
    mean, variance = (f(parts, (1, 2, 4), keepdims=True) for f in (np.mean, np.var))
    by_hand = ((parts - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)
    np.testing.assert_allclose(normed, by_hand, atol=1e-4)
    print(f"{name} norm: {grouped} means for each image, as computed by hand")

# %% [markdown]
# **Predict first:** S1 has eight encoder steps for 256 pixels. How large is the innermost map?


# %%
def down(filters, norm=True):
    start = keras.initializers.RandomNormal(stddev=0.02)
    block = [layers.Conv2D(filters, 4, 2, "same", use_bias=not norm, kernel_initializer=start)]
    if norm:
        block.append(layers.GroupNormalization(groups=-1, epsilon=1e-5))  # -1: each channel by itself
    return keras.Sequential([*block, layers.LeakyReLU(0.2)])


def up(filters, dropout=0.0):
    start = keras.initializers.RandomNormal(stddev=0.02)
    block = [layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False, kernel_initializer=start)]
    block += [layers.GroupNormalization(groups=-1, epsilon=1e-5), layers.Dropout(dropout)]
    return keras.Sequential([*block, layers.ReLU()])


x = photos[:1]
for step in (down(8, norm=False), down(16), up(8, dropout=0.5)):
    y = step(x)
    print(f"{x.shape[1]}×{x.shape[2]}×{x.shape[3]} -> {y.shape[1]}×{y.shape[2]}×{y.shape[3]}")
    x = y
assert x.shape == (1, config.image_size // 2, config.image_size // 2, 8)

# %% [markdown]
# 1×1: after eight halvings a single pixel with 256 channels stands for the whole scene. (The innermost step must not
# have instance norm: one value minus its own mean is always 0.) From there no network can put a tree's edge back into
# its place. This is why a U-Net has [skip connections](../docs/glossary.md#skip-connection): every decoder step also
# receives the encoder's map of the same size, beside its own channels.


# %%
def my_unet(filters, skips=True, dropout=0.5):
    x = inputs = keras.Input((None, None, 3))
    kept = []
    for level, f in enumerate(filters):
        kept.append(x)
        x = down(f, norm=level not in (0, len(filters) - 1))(x)
    for level, (f, skip) in enumerate(zip(filters[-2::-1], kept[:0:-1], strict=True)):
        x = up(f, dropout if level < 3 else 0.0)(x)
        if skips:
            x = layers.Concatenate()([x, skip])
    start = keras.initializers.RandomNormal(stddev=0.02)
    x = layers.Conv2DTranspose(3, 4, 2, "same", kernel_initializer=start)(x)
    return keras.Model(inputs, layers.Activation("tanh")(x))


filters = [config.generator_filters * min(8, 2**level) for level in range(config.unet_depth)]
mine, theirs = my_unet(filters), unet_generator(filters)
assert mine.count_params() == theirs.count_params()
mine.set_weights(theirs.get_weights())
np.testing.assert_allclose(mine(photos[:2]), theirs(photos[:2]), atol=1e-4)
print(f"yours and the library's paint alike, with {mine.count_params():,} weights")

# %%
show(
    lesson.hourglass_figure(filters, config.image_size),
    "A U-Net drawn as bars: maps halve in height to one pixel and double again, arrows join maps of one size",
)

# %% [markdown]
# ## What the skips are worth, and what the filters
#
# Take the skip connections away and see what happens. Both networks get one simple task: to give the photo back as it
# is. **Predict first:** which of the two networks will do that better after the same number of steps, and *where in the
# picture* will the other one fail?

# %%
ablation = {}
for skips in (True, False):
    ends = []
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        network = my_unet(filters[:5], skips, dropout=0.0)
        losses = lesson.regress(network, photos, photos, steps=2 * short, seed=seed)
        ends.append(losses[-5:].mean())
        assert np.isfinite(losses).all()
    ablation[skips] = network(photos[:4]).numpy()
    print(
        f"{'with' if skips else 'without'} skips: error {losses[0]:.2f} -> {', '.join(f'{e:.3f}' for e in ends)} (each seed)"
    )
show(
    image_grid(
        [list(photos[:4]), *map(list, ablation.values())],
        row_labels=["photo", "with skips", "without"],
        least=128,
    ),
    "Four photos; below, as the network with skips gives them back, nearly sharp; below, without: a coarse blur",
)

# %% [markdown]
# Without skips, everything has to pass through the narrow part of the hourglass. Edges and texture turn to a blur,
# most colours fade, and only large light and dark areas come back. For repainting, where the scene has to stay, the
# skips are therefore decisive. They also have a price: a generator can pass the photo through them unchanged, and
# then it does not paint. [Lesson 4](04_resnet_cyclegan.ipynb) has another answer, residual blocks.
#
# And the filters? S1 took fewer than usual, so as to train on its own machine. Here are both lists, each a quarter as
# wide, on the same task.

# %%
LISTS = {
    "S1": ((64, *(128,) * 4, *(256,) * 3), (256,) * 4 + (128, 128, 64)),
    "usual": ((64, 128, 256, *(512,) * 5), None),
}
for name, (encoder, decoder) in LISTS.items():
    full = unet_generator(encoder, decoder, norm="batch" if name == "S1" else "instance").count_params()
    narrow = [tuple(f // 4 for f in part)[k:] if part else None for k, part in ((0, encoder), (1, decoder))]
    if config.image_size < 256:  # one halving less for every halving of the picture
        less = 8 - config.image_size.bit_length() + 1
        narrow = [narrow[0][: 8 - less], narrow[1] and narrow[1][less - 1 :]]
    ends = []
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        network = unet_generator(*narrow, norm="instance", dropout=0.0)
        ends.append(lesson.regress(network, photos, photos, steps=short, seed=seed)[-5:].mean())
    print(
        f"{name:6}{full:12,} weights; narrowed: {network.count_params():9,}, error {', '.join(f'{e:.3f}' for e in ends)}"
    )

# %% [markdown]
# S1's lists have about a fifth of the weights, and the errors of the two lists are as close together as the seeds of one
# list: for keeping a scene the narrower network is as good. What cost S1 its score must be something else. (Whether it
# can paint as well is another question.)
#
# What does such a network paint before any training?

# %%
keras.utils.set_random_seed(config.seed)
painter = generator_of(config)
grey = painter(photos[:4]).numpy()
show(
    image_grid([list(photos[:4]), list(grey)], row_labels=["photo", "untrained"], least=128),
    "Four photos, and below them what the untrained U-Net makes: grey with a random texture",
)
print(f"values from {grey.min():.3f} to {grey.max():.3f}: level {127.5 * (grey.mean() + 1):.0f} of 255 on average")
assert abs(grey.mean()) < 0.2

# %% [markdown]
# Grey on the whole and unrecognizable, as S1 describes it: small weights give values around 0, level 128, and the norms
# enlarge what is left to a random texture.
#
# ## A discriminator of patches
#
# The discriminator of lesson 2 gave one answer for a picture. A [PatchGAN](../docs/glossary.md#patchgan) gives one
# answer for every *patch* of it (of 70×70 pixels in the paper; S1, S3 and S4 use such a discriminator). Such a
# discriminator cannot know the scene, so it has to judge how things are painted. This is what a generator of paintings
# has to learn, and hundreds of answers for each picture teach it more than one answer. **Predict first:** S1's has
# three halving steps and two more 4×4 convolutions, each with a border of one pixel: how many answers does it give for
# 256×256 pixels?

# %%
full_size = patch_discriminator((64, 128, 256, 512), norm="batch")  # S1's, by arguments
print("256×256 ->", full_size.compute_output_shape((1, 256, 256, 3))[1:3])
assert full_size.compute_output_shape((1, 256, 256, 3)) == (1, 30, 30, 1)

keras.utils.set_random_seed(config.seed)
discriminator = discriminator_of(
    config.with_(discriminator_norm="none")
)  # so that an answer depends on its patch alone
taught = teach_discriminator(discriminator, monets, photos, steps=2 * short)
side = config.image_size // 2
half = np.concatenate([photos[0][:, :side], monets[0][:, side:]], 1)
answers = discriminator(half[None]).numpy()[0]
show(
    lesson.answers_figure(half, answers, "left: photo, right: painting"),
    "A picture, left half photo and right half painting; beside it the map of answers, on the whole darker on the left",
)
left, right = np.split(answers[..., 0], [answers.shape[1] // 2], axis=1)
print(f"loss {taught['loss'][0]:.2f} -> {taught['loss'][-1]:.2f}")
print(
    f"mean logit left {left.mean():+.2f}, right {right.mean():+.2f}; above 0: {(left > 0).mean():.0%} and {(right > 0).mean():.0%}"
)
assert np.isfinite(answers).all()
if config.profile != "tiny":
    assert left.mean() < right.mean()

# %% [markdown]
# The discriminator was trained on whole paintings and whole photos only. On a picture that is half and half its answers
# differ between the halves, since each depends on its own patch. They are not equally certain everywhere: look which
# parts it finds hard to judge. (A smooth sky looks much the same in both sets.)
#
# ## Four losses, one by one
#
# | loss | what it asks for | formula |
# |---|---|---|
# | adversarial, for a generator | the discriminator takes paint(photo) for real | bce(D(paint(photo)), 1) |
# | adversarial, for a discriminator | tell real from fake | ½ [bce(D(monet), 1) + bce(D(paint(photo)), 0)] |
# | [cycle](../docs/glossary.md#cycle-consistency) | a picture that is translated and translated back is the same picture | mean abs(back(paint(photo)) − photo), and the same for Monets |
# | [identity](../docs/glossary.md#identity-loss) | a Monet needs no painting | mean abs(paint(monet) − monet), and the same for photos |
#
# What can a loss *not* see? Test it on invented translators, which need no training. One shifts all colours to blue,
# and its partner shifts them back. One turns the picture into its negative. One answers every picture with one
# colour. **Predict first:** which of these does the cycle loss notice?

# %%
found = lesson.candidate_losses(discriminator, monets, photos)
print(f"{'':24}adversarial  cycle  identity")
for name, (fool, cycle, identity) in found.items():
    print(f"{name:24}{fool:8.2f}{cycle:10.2f}{identity:9.2f}")
assert found["paint blue, and back"][1] < 1e-5 < 0.1 < found["paint blue, and back"][2]
assert found["negative, and back"][1] < 1e-5
assert found["one colour"][1] > 0.1

# %%
explorer = explore(
    lambda cycle, identity: lesson.weights_figure(found, cycle, identity),
    "Stacked bars of five translators' losses at cycle 10 and identity 0; the cheapest is marked",
    cycle=(0.0, 20.0, 10.0),
    identity=(0.0, 10.0, 0.0),
)
if explorer:  # as a hand on the slider would
    explorer["identity"].value = 5.0
    explorer.redraw()

# %% [markdown]
# The cycle loss notices only the one colour. Blue, gold and the negative are undone exactly by their partners, so
# their cycle loss is 0: with identity weight 0, only the discriminator can prevent them. Look at its column. This
# discriminator finds the blue, the gold and the negative pictures less like paintings than the untouched photos, so
# it would not lead a generator there. It takes one plain colour for a painting, though, and only the cycle loss (and
# the identity loss, where it has a weight) prevents that. Whether a generator gains by a tint thus depends on what
# its discriminator has learnt so far, and at the beginning of a training a discriminator has learnt little. Inverted
# colours are among the most frequent complaints about CycleGANs. The identity loss does not depend on any
# discriminator: it sees every tint at once. Move the sliders and watch who becomes the cheapest.
#
# ## S0's blue pictures, then gold ones
#
# S0 tells that its images were all blue, then all gold, and that it then found that the identity loss had to be
# repaired. Its code isn't shown. Here is one bug of that kind and what it must do. Suppose that the loss compares
# paint(monet) not with that monet but with an image of the other set, which is another one at every step. Then no answer
# is right, and the best constant guess wins. **Predict first:** which guess is that under the mean absolute error, and
# what will the results look like?

# %%
repaired = {}
for name, targets in (("right: the monet itself", monets), ("wrong: some photo", photos)):
    keras.utils.set_random_seed(config.seed)
    network = my_unet(filters[:5], dropout=0.0)
    lesson.regress(network, monets, targets, steps=2 * short, paired=targets is monets)
    repaired[name] = network(monets[:4]).numpy()
    print(f"{name:26} diversity of the results {diversity(repaired[name], monets):.2f}")
show(
    image_grid(
        [list(monets[:4]), *map(list, repaired.values())],
        row_labels=["Monet", "right loss", "wrong loss"],
        least=128,
    ),
    "Four paintings; with the right identity loss they stay; with the wrong one all become the same dull haze",
)
for name in ("monet", "photo"):
    for where, part in (
        ("whole", slice(None)),
        ("upper quarter", slice(0, 64)),
        ("lower quarter", slice(192, None)),
    ):
        colour = np.median(pixels[name][:, part, ::8], axis=0).mean((0, 1))
        print(f"median {name}, {where:14} (red, green, blue) = {tuple(int(value) for value in colour)}")

# %% [markdown]
# The guess with the least absolute error is the *median* of all targets, pixel by pixel: one picture for all, the haze in
# the last row. Its colours are those of the set that the loss wrongly aims at.
#
# **On the real images** (300 paintings, 2,816 photos; `python tools/real_images.py 03_unet_cyclegan`)
#
# ```
# median monet, whole          (red, green, blue) = (137, 138, 125)
# median monet, upper quarter  (red, green, blue) = (167, 170, 165)
# median monet, lower quarter  (red, green, blue) = (121, 120, 100)
# median photo, whole          (red, green, blue) = (96, 99, 91)
# median photo, upper quarter  (red, green, blue) = (110, 124, 137)
# median photo, lower quarter  (red, green, blue) = (70, 68, 49)
# ```
#
# The median photo is a blue haze above a brown one. The median Monet is everywhere lighter and less blue, a pale gold. A
# loss aimed at the photos therefore pulls everything to one bluish and brownish haze, and a loss aimed at the Monets to
# a golden one. This bug explains why all images of S0 had the same colour. It explains the golden ones well, but the
# blue ones only in part, because the lower half of such pictures would be brown. We can't know whether it was this bug.
#
# ## The losses in code
#
# Two functions hold everything that the drawing shows. `paint` appears in both cycles, as the first half of one and the
# second half of the other, and must learn from both. The inputs are (monet, photo) everywhere, so that nothing can be
# exchanged by mistake.


# %%
def generator_losses(paint, back, monet_discriminator, photo_discriminator, monet, photo):
    """Named losses of both generators, unweighted, and the two fakes."""
    fake_monet, fake_photo = paint(photo, training=True), back(monet, training=True)  # ① ②
    cycle = ops.mean(ops.abs(back(fake_monet, training=True) - photo))  # ③
    cycle += ops.mean(ops.abs(paint(fake_photo, training=True) - monet))  # ④
    identity = ops.mean(ops.abs(paint(monet, training=True) - monet))  # ⑤
    identity += ops.mean(ops.abs(back(photo, training=True) - photo))  # ⑥
    losses = {
        "monet_generator": bce(monet_discriminator(fake_monet, training=True), 1.0),
        "photo_generator": bce(photo_discriminator(fake_photo, training=True), 1.0),
        "cycle": cycle,
        "identity": identity,
    }
    return losses, fake_monet, fake_photo


def discriminator_losses(monet_discriminator, photo_discriminator, monet, photo, fake_monet, fake_photo):
    def tell_apart(network, real, fake):
        fake = ops.stop_gradient(fake)  # a discriminator's loss must not move a generator
        return 0.5 * (bce(network(real, training=True), 1.0) + bce(network(fake, training=True), 0.0))

    return {
        "monet_discriminator": tell_apart(monet_discriminator, monet, fake_monet),
        "photo_discriminator": tell_apart(photo_discriminator, photo, fake_photo),
    }


# %% [markdown]
# ## The model: compile, train_step, fit
#
# A `keras.Model` with its own `train_step` can be trained by `fit`, which brings progress bars, callbacks and epochs. S1
# and S2 did it so, with an Adam for each of the four networks. `compile` receives the optimizers, `train_step` takes one
# batch and returns the losses to show. The weights of the losses are λ = 10 for the cycle and half of it for identity.


# %%
class MyCycleGAN(keras.Model):
    def __init__(self, paint, back, monet_discriminator, photo_discriminator):
        super().__init__()
        self.networks = [paint, back, monet_discriminator, photo_discriminator]

    def compile(self, optimizers, cycle_weight=10.0, identity_weight=5.0):
        super().compile(jit_compile=False)
        self.optimizers, self.cycle_weight, self.identity_weight = optimizers, cycle_weight, identity_weight
        for optimizer, network in zip(optimizers, self.networks, strict=True):
            optimizer.build(network.trainable_variables)

    def train_step(self, pair):
        monet, photo = pair
        with tf.GradientTape(persistent=True) as tape:
            losses, *fakes = generator_losses(*self.networks, monet, photo)
            fool = losses["monet_generator"] + losses["photo_generator"]
            total = fool + self.cycle_weight * losses["cycle"] + self.identity_weight * losses["identity"]
            judged = discriminator_losses(*self.networks[2:], monet, photo, *fakes)
            both = judged["monet_discriminator"] + judged["photo_discriminator"]
        sums = (total, total, both, both)
        for loss, network, optimizer in zip(sums, self.networks, self.optimizers, strict=True):
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return {**losses, **judged}


# %% [markdown]
# Is your model right? Two steps of your model and two of the library's, from the same weights and on the same pictures,
# must end at the same weights.


# %%
def networks_of(model):
    return [
        model.monet_generator,
        model.photo_generator,
        model.monet_discriminator,
        model.photo_discriminator,
    ]


def four_adams(rate=2e-4):
    return [keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(4)]


# %%
small = config.with_(unet_dropout=0.0, decay_from=1.0)
library, own = build(small, 2), build(small, 2)
mine = MyCycleGAN(*networks_of(own))
mine.compile(four_adams())
pairs = list(training_data(UnpairedBatches(pixels["monet"], pixels["photo"], small), 0, 2))
for pair in pairs:
    ours, theirs = mine.train_step(pair), library.train_step(pair)
for name, value in theirs.items():
    print(f"{name:20} yours {float(ours[name]):.4f}, the library's {float(value):.4f}")
    np.testing.assert_allclose(float(ours[name]), float(value), rtol=2e-2)
worst = max(
    np.abs(a - b).max()
    for one, other in zip(mine.networks, networks_of(library), strict=True)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
)
print(f"after two steps the weights differ by at most {worst:.0e}")
assert worst < 1e-3

# %% [markdown]
# Two popular implementations, the Keras example among them, lose a part of the cycle's gradient: they stop the gradient
# between the two generators of a cycle, so that each generator learns only from the half in which it comes last.
# **Predict first:** how far does the direction turn? (The cosine of the two gradients: 1 is the same direction, 0 a
# right angle.)

# %%
monet, photo = pairs[0]
paint, back = networks_of(build(small, 1))[:2]
both = paint.trainable_variables + back.trainable_variables
with tf.GradientTape() as tape:
    fake_monet, fake_photo = paint(photo), back(monet)
    halves = ops.mean(ops.abs(back(tf.stop_gradient(fake_monet)) - photo))
    halves += ops.mean(ops.abs(paint(tf.stop_gradient(fake_photo)) - monet))
half_gradients = tape.gradient(halves, both)
with tf.GradientTape() as tape:
    whole = ops.mean(ops.abs(back(paint(photo)) - photo)) + ops.mean(ops.abs(paint(back(monet)) - monet))
whole_gradients = tape.gradient(whole, both)
a, b = (np.concatenate([np.ravel(x) for x in gradients]) for gradients in (half_gradients, whole_gradients))
cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
print(f"cosine {cosine:.3f}; length {np.linalg.norm(a) / np.linalg.norm(b):.2f} of the whole gradient's")
np.testing.assert_allclose(float(whole), float(halves), rtol=1e-4)
assert cosine < 0.999

# %% [markdown]
# The loss is the same number, but its gradient isn't. The part that gets lost is the one that makes `paint` keep the
# things that `back` needs.
#
# ## Train
#
# Now call `fit`. An element of the data is a pair (monet, photo), dealt by `UnpairedBatches` of lesson 1. For BCE, a
# discriminator that knows nothing pays 0.69 here, because the table above takes the mean of its two sides.

# %%
model = MyCycleGAN(*networks_of(build(config, steps)))
model.compile(four_adams())
start_weights = [w.copy() for w in model.networks[0].get_weights()[:2]]
chunk = max(1, steps // 20)  # steps that one point of the curves averages
data = training_data(UnpairedBatches(pixels["monet"], pixels["photo"], config), 0, steps)
fitted = model.fit(data.repeat(), steps_per_epoch=chunk, epochs=steps // chunk, shuffle=False, verbose=0)
history = {"step": chunk * np.arange(1, steps // chunk + 1), **fitted.history}
for a, b in zip(start_weights, model.networks[0].get_weights(), strict=False):
    assert np.abs(a - b).max() > 1e-5, "weights moved"
assert all(np.isfinite(values).all() for values in history.values())
show(
    plot_history(history, smooth=0.0),
    "Three panels of loss curves: the generators' adversarial losses, cycle and identity falling, the discriminators'",
)
print(f"cycle {history['cycle'][0]:.2f} -> {history['cycle'][-1]:.2f}")

# %% tags=["cover"]
paint, back = model.networks[:2]
painted = paint(photos[:6]).numpy()
recovered = back(painted).numpy()
assert painted.shape == recovered.shape == photos[:6].shape
show(
    image_grid([photos[:6], painted, recovered], row_labels=["photo", "painted", "recovered"], least=128),
    "Six photos, below them their paintings in the sample's colours, below those the photos recovered",
)

# %% [markdown]
# Compare the shadows and the light of the middle row with those of the upper row, and then look at how much of the photo
# comes back in the lower row. S1 saw "a bit of cubism" in such results. S3 noticed that they are more concrete than a
# DCGAN's, because the scene is given and only the style has to be learnt.
#
# ## Reading S3's curves
#
# S3 trained for 500 epochs. It reports that its discriminator's loss stays near zero and its generator's hovers around
# 2.5. S3 doesn't say whether that figure contains the cycle and identity losses. Suppose that it doesn't. **Predict
# first:** what probability does that discriminator then give to the generator's pictures?

# %%
print(f"a generator loss of 2.5 means a probability of {np.exp(-2.5):.2f} for 'painting'")
logit = np.log(np.exp(-2.5) / (1 - np.exp(-2.5)))
with tf.GradientTape() as tape:
    answer = tf.Variable(logit)
    loss = bce(answer, 1.0)
slope = float(tape.gradient(loss, answer))
print(f"the slope that the generator gets from it: {slope:.2f}, of at most -1")
assert np.isclose(float(loss), 2.5, atol=1e-4)
assert np.isclose(slope, np.exp(-2.5) - 1, atol=1e-4)

# %% [markdown]
# Eight per cent: that discriminator is nearly always right. (S3 also sees one sudden spike, at epoch 175, after which
# the curves return. One spike in 500 epochs changes nothing in this reading.) S3 concludes that its generator may not
# get useful feedback. The slope is not the problem: the non-saturating loss of lesson 2 is still steep there. Its
# *direction* may be the problem. In 500 epochs the discriminator meets each of the 300 paintings at least 500 times. It
# can know them by heart, and "this is not one of the 300" is a true answer that says nothing about style. S3's own
# proposals (another learning rate for the discriminator, dropout, a [gradient
# penalty](../docs/glossary.md#gradient-penalty), here the setting `r1_weight`) can all make learning by heart harder, as
# flips and crops do; [lesson 4](04_resnet_cyclegan.ipynb) measures one more remedy, differentiable augmentation.
#
# ## Identity on and off, and S1's settings one at a time
#
# S1 took a learning rate of 2·10⁻³, ten times that of S2, S3 and S4, with batch norm and dropout 0.7, and scored 684.
# Which of these settings does harm? The next cells run short trainings at a smaller size. After a first one with the
# usual settings, each of them changes one setting, and the last one changes all three of S1's. Each runs with two
# seeds. **Predict first:** which run shifts the colours most, and which loses most of the scene?

# %%
RUNS = {
    "usual settings": {},
    "identity off": {"identity_weight": 0.0},
    "rate × 10": {"generator_rate": 2e-3, "discriminator_rate": 2e-3},
    "batch norm": {"norm": "batch"},
    "dropout 0.7": {"unet_dropout": 0.7},
    "all three (S1)": {
        "generator_rate": 2e-3,
        "discriminator_rate": 2e-3,
        "norm": "batch",
        "unet_dropout": 0.7,
    },
}
smaller = config.with_(image_size=min(64, config.image_size), unet_depth=min(5, config.unet_depth), decay_from=1.0)
small_photos, small_monets = (shrunk(pixels[k][:24], smaller.image_size) for k in ("photo", "monet"))

# %%
rows = [small_photos[:6]]
print(f"{'':18}{'cycle error':>16}{'scene kept':>16}{'tint on a Monet':>18}   (one number a seed)")
for name, setting in RUNS.items():
    measured = []
    for seed in seeds:
        run, _ = short_run(smaller.with_(seed=seed, **setting), pixels["monet"], pixels["photo"], short)
        painted, same = (run.monet_generator.predict_on_batch(x) for x in (small_photos, small_monets))
        again = run.photo_generator.predict_on_batch(painted)
        tint = 127.5 * np.abs(same.mean((1, 2)) - small_monets.mean((1, 2))).mean()
        measured.append((np.abs(again - small_photos).mean(), scene_kept(small_photos, painted), tint))
        assert np.isfinite(measured).all()
    rows.append(painted[:6])
    cells = [
        "  ".join(f"{value:.2f}" if k < 2 else f"{value:.0f}" for value in column)
        for k, column in enumerate(zip(*measured, strict=True))
    ]
    print(f"{name:18}{cells[0]:>16}{cells[1]:>16}{cells[2]:>18}")
show(
    image_grid(rows, row_labels=["photo", *RUNS], least=128),
    "Photos, and their paintings by six runs: with identity loss, without it, and with S1's settings one by one and together",
)

# %% [markdown]
# Compare each row of the table with the first row, and compare their difference with the difference between the two
# seeds of one row. *Tint on a Monet* is by how many levels the mean colour of a Monet changes when it passes through
# `paint`. The first run has the usual settings; after so few steps its pictures are still grey and blurred.
#
# Without the identity loss, less of the scene is kept and the tint is a little stronger, with both seeds. A likely
# reason: the identity loss also teaches the generators to pass a picture through, which is what they have to learn
# first.
#
# The high learning rate is everyone's first suspect for S1's 684: Adam moves a weight by up to 0.002 a step, while
# weights start with a spread of 0.02. But over these few steps the high rate is *better*: it learns to keep scene and
# colours much sooner, alone and together with S1's other settings. Batch norm makes the tint a little weaker, and
# dropout 0.7 by itself changes nothing that stands out from the seeds. What a high rate does over 10 epochs, this
# experiment cannot show; published CycleGANs mostly use 2·10⁻⁴, perhaps because a rate that is good for finding the
# scene is too high for improving a painting.
#
# There is another suspect. S1 describes its pictures as recognizable scenes with an impressionist look, and more
# filters, less dropout and more epochs did not improve the score at all. When a score does not react to changes of
# the model, look at what comes *after* the model: here at the writing of `images.zip`, with which S1 says it
# struggled. That is a suspicion and no proof. [Lesson 5](05_submission.ipynb) shows what good paintings become when
# they are written on the wrong scale, and measures it.
#
# ## Exercises
#
# ### Exercise 1: the decoder's filters
#
# The encoder has 64, 128, 256, 512, 512, 512, 512, 512 filters. List the decoder's, beginning beside the innermost map, and
# without the last step, which goes to three channels.

# %%
decoder = ...

solved = lesson.check_up_filters(decoder)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# decoder = [512, 512, 512, 512, 256, 128, 64]
# ```
# The encoder's list reversed, without the innermost: eight steps down, seven up, and the step to the picture.
# </details>

# %% [markdown]
# ### Exercise 2: a skip connection
#
# Write `join(inner, skip)`, which returns what a decoder step hands on: it gets the step's own map (1, 5, 5, 8) and the
# encoder's map (1, 5, 5, 3).


# %%
def join(inner, skip):
    return ...


solved = lesson.check_skip(join)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def join(inner, skip):
#     return np.concatenate([inner, skip], axis=-1)
# ```
# The channels stand side by side, so nothing is mixed before a convolution has looked at both.
# </details>

# %% [markdown]
# ### Exercise 3: how many answers
#
# How many answers along one side does the PatchGAN above give for 256×256 pixels, and how many for 128×128?

# %%
at_256, at_128 = ..., ...

solved = lesson.check_answers(None if at_256 is ... else (at_256, at_128))

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# at_256, at_128 = 256 // 8 - 2, 128 // 8 - 2
# ```
# 30 and 14. A 4×4 convolution on a map with a border of one pixel makes it one row and one column smaller.
# </details>

# %% [markdown]
# ### Exercise 4: both cycles
#
# Write the cycle loss for both directions, without its weight. It gets two arrays and two functions.


# %%
def my_cycle_loss(monet, photo, paint, back):
    return ...


solved = lesson.check_cycle(my_cycle_loss)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_cycle_loss(monet, photo, paint, back):
#     return np.abs(back(paint(photo)) - photo).mean() + np.abs(paint(back(monet)) - monet).mean()
# ```
# </details>

# %% [markdown]
# ### Exercise 5: identity
#
# Write the identity loss for both generators, without the bug of "S0's blue pictures".


# %%
def my_identity_loss(monet, photo, paint, back):
    return ...


solved = lesson.check_identity(my_identity_loss)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_identity_loss(monet, photo, paint, back):
#     return np.abs(paint(monet) - monet).mean() + np.abs(back(photo) - photo).mean()
# ```
# Each generator gets an image of its own target set, which it should not change.
# </details>

# %% [markdown]
# ### Exercise 6: a training step
#
# Complete the training step. It gets `networks`, the four of `MyCycleGAN` in the same order, and their four
# `optimizers`; `generator_losses` and `discriminator_losses` are those above. When the step is right, the cell trains a
# CycleGAN with it and shows what that paints.


# %%
def my_step(networks, optimizers, monet, photo):
    with tf.GradientTape(persistent=True) as tape:
        losses, *fakes = generator_losses(*networks, monet, photo)
        judged = discriminator_losses(*networks[2:], monet, photo, *fakes)
        ...  # the sums that the generators and the discriminators go down
    ...  # four gradients, each applied by its own optimizer


if lesson.check_step(my_step):
    yours, adams = networks_of(build(smaller, short)), four_adams()
    for optimizer, network in zip(adams, yours, strict=True):
        optimizer.build(network.trainable_variables)
    quick = tf.function(lambda monet, photo: my_step(yours, adams, monet, photo), jit_compile=False)
    for pair in training_data(UnpairedBatches(pixels["monet"], pixels["photo"], smaller), 0, short):
        quick(*pair)
    show(
        image_grid([small_photos[:6], yours[0](small_photos[:6]).numpy()], row_labels=["photo", "painted"], least=128),
        "Six photos, and below them what your CycleGAN makes of them",
    )

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_step(networks, optimizers, monet, photo):
#     with tf.GradientTape(persistent=True) as tape:
#         losses, *fakes = generator_losses(*networks, monet, photo)
#         judged = discriminator_losses(*networks[2:], monet, photo, *fakes)
#         total = losses["monet_generator"] + losses["photo_generator"]
#         total += 10.0 * losses["cycle"] + 5.0 * losses["identity"]
#         both = judged["monet_discriminator"] + judged["photo_discriminator"]
#     for loss, network, optimizer in zip((total, total, both, both), networks, optimizers, strict=True):
#         optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
# ```
# The sums must be formed inside the tape's block, or the tape knows nothing of them.
# </details>

# %% [markdown]
# ## Self-quiz
#
# Choose an answer by clicking on it, and read why it is right or wrong.
#
# **1. The cycle loss is nearly 0 and the paintings are negatives of the photos. How can that be?**
#
# <details><summary>The weight of the cycle loss is too small</summary>
#
# **No.** It is nearly 0 already: a larger weight changes nothing.
# </details>
#
# <details><summary>The second generator has learnt to invert too</summary>
#
# **Right.** The cycle only asks that there and back cancel out. The identity loss makes this expensive, and so does a
# discriminator that has seen Monets.
# </details>
#
# <details><summary>The discriminator is too strong</summary>
#
# **No.** A strong discriminator would know that Monets are no negatives.
# </details>
#
# **2. Why does the usual U-Net have 54 million weights and S1's only a fifth of that?**
#
# <details><summary>Batch norm has fewer weights than instance norm</summary>
#
# **No.** Norms have two weights a channel: nothing beside the convolutions.
# </details>
#
# <details><summary>Its steps around the middle have 512 channels instead of 128 and 256</summary>
#
# **Right.** A 4×4 convolution from 512 to 512 channels has 4 million weights; four such steps lead down, and
# the decoder's, which get the skips as well, have up to 8 million each.
# </details>
#
# <details><summary>S1 has fewer layers</summary>
#
# **No.** Both have eight steps down and eight up, the last to the picture.
# </details>
#
# **3. What would a discriminator of the whole image do that the PatchGAN can't?**
#
# <details><summary>Judge the composition, for instance sky above and water below</summary>
#
# **Right.** The PatchGAN needn't: the photo brings the composition.
# </details>
#
# <details><summary>Judge colours</summary>
#
# **No.** A patch shows colours as well.
# </details>
#
# <details><summary>Give more answers for each picture</summary>
#
# **No.** It gives one; the PatchGAN gives 900.
# </details>
#
# **4. Why must the innermost step of a full-depth U-Net have no instance norm?**
#
# <details><summary>Its map is 1×1: value minus mean is 0 for every photo</summary>
#
# **Right.** Nothing would pass through the middle of the hourglass.
# </details>
#
# <details><summary>Instance norm needs several images</summary>
#
# **No.** It looks at each image by itself.
# </details>
#
# <details><summary>It would be too slow</summary>
#
# **No.** On one pixel it costs nothing.
# </details>
#
# **5. A discriminator's loss is near zero after 500 epochs. What would you try?**
#
# <details><summary>Train longer</summary>
#
# **No.** The discriminator already knows the paintings; more epochs make it know them better.
# </details>
#
# <details><summary>Enlarge the generator</summary>
#
# **No.** It doesn't lack weights: it gets answers that say nothing about style.
# </details>
#
# <details><summary>Augment what the discriminator sees, or penalize its gradient</summary>
#
# **Right.** Both make it harder to learn 300 paintings by heart.
# </details>

# %% [markdown]
# ## Recap
#
# - A CycleGAN's step sends pictures through its two generators six times; each generator learns from both cycles.
# - A [U-Net](../docs/glossary.md#u-net) gives its encoder's maps to its decoder, so the scene stays sharp.
# - A [PatchGAN](../docs/glossary.md#patchgan) judges how patches are painted.
# - The cycle loss cannot see any change that is undone exactly; the [identity loss](../docs/glossary.md#identity-loss)
#   sees tints, if it is aimed at the right image.
# - `compile`, `train_step` and `fit` make a training of a `keras.Model`; test it against another implementation.
# - Test a suspicion by an experiment that changes one thing at a time.
# - A discriminator loss near zero can mean that it knows the paintings by heart.
#
# Next: [lesson 4](04_resnet_cyclegan.ipynb) builds the paper's [ResNet](../docs/glossary.md#residual-block) generator and
# everything that keeps a long training alive.
