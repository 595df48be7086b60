# %% [markdown]
# # 3 · From photo to painting and back
#
# Build a CycleGAN with U-Net generators piece by piece: the network, the judge of patches, four losses and
# one training step, each tested before it is used.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/03_unet_cyclegan.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/03_unet_cyclegan/03_unet_cyclegan.ipynb)

# %% [markdown]
# ## You will learn
#
# - how a U-Net keeps the edges of a photo, shown by taking its skip connections away
# - why a discriminator that judges patches suits a painter's style
# - what each of the four losses sees, and what it is blind to
# - how a wrong identity loss turns every picture blue, or gold
# - to write the training step with `tf.GradientTape`, and the mistake that loses half of a gradient
# - how to test a suspicion: is S1's learning rate to blame for its score?
#
# **You need** [lesson 2](02_dcgan.ipynb): discriminators, logits, BCE.
#
# <!-- measured -->
# Time and memory: measured in the table of the [README](../README.md).

# %% [markdown]
# ## What you will have made
#
# ![A row of landscape photos, the paintings that a small CycleGAN makes of them, and the photos it recovers](../docs/images/03_unet_cyclegan.jpg)
#
# A CycleGAN that you assembled yourself, after a few minutes of training without a GPU.

# %% [markdown]
# ## Setup
#
# Whole pictures, shrunk so that a training takes minutes. `config` holds every setting of it.

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
from keras import layers, ops

from monet_lib.config import profile
from monet_lib.course import unet as lesson
from monet_lib.course.short_runs import short_run, shrunk
from monet_lib.course.widgets import explore
from monet_lib.data.competition import find_data, find_images, load
from monet_lib.figures import image_grid, plot_history, show
from monet_lib.gan.builder import build
from monet_lib.gan.losses import bce
from monet_lib.networks.discriminators import discriminator_of, patch_discriminator
from monet_lib.networks.generators import generator_of, unet_generator
from monet_lib.scoring.metrics import diversity

print(f"tensorflow {tf.__version__}, keras {keras.__version__}")
changes, steps, short = lesson.SCALES[profile().profile]
config = profile(model="unet", upsample="transpose", pool_size=0, ema=0.0, **changes)
root = find_data()
print(f"profile: {config.profile}, {config.image_size} px, {steps} steps")
pixels = {name: load(find_images(root, name))[1] for name in ("monet", "photo")}
monets, photos = (shrunk(pixels[name][:24], config.image_size) for name in ("monet", "photo"))
assert monets.shape[1:] == photos.shape[1:] == (config.image_size, config.image_size, 3)

# %% [markdown]
# ## Down, and up again
#
# A U-Net is an hourglass. Each step of its *encoder* halves the map by a strided convolution, each step of
# its *decoder* doubles it by a [transposed convolution](../docs/glossary.md#transposed-convolution). On the
# way down the network learns *what* is there, with ever more channels on ever coarser maps; on the way up it
# has to say *where*. The sources build it alike and differ in arguments:
#
# | | encoder's filters | norm | dropout |
# |---|---|---|---|
# | S1 | 64, 128 ×4, 256 ×3 | batch | 0.7 |
# | S2 | 64, 128, 256, 512 ×5, as in the TensorFlow tutorial that its sources use | the author doesn't say | the author doesn't say |
# | S3 | not given | [group](../docs/glossary.md#group-normalization), against dying units | yes |
#
# **Predict first:** S1 has eight encoder steps for 256 pixels. How large is the innermost map?


# %%
def down(filters, norm=True):
    start = keras.initializers.RandomNormal(stddev=0.02)
    block = [layers.Conv2D(filters, 4, 2, "same", use_bias=not norm, kernel_initializer=start)]
    if norm:
        block.append(
            layers.GroupNormalization(groups=-1, epsilon=1e-5)
        )  # each channel by itself: instance norm
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
# 1×1: after eight halvings a single pixel with 256 channels stands for the whole scene. (So the innermost
# step must not have instance norm: one value minus its own mean is always 0.) No network can put a tree's
# edge back from there. Hence the [skip connections](../docs/glossary.md#skip-connection): every decoder step
# also receives the encoder's map of the same size, put beside its own channels.


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
variants = {
    "S1": unet_generator((64, *(128,) * 4, *(256,) * 3), (256,) * 4 + (128, 128, 64), "batch", dropout=0.7),
    "S2": unet_generator(),
    "S3": unet_generator(norm="group"),
    "here": theirs,
}
for name, network in variants.items():
    print(f"{name:5}{network.count_params():12,} weights")
assert variants["S2"].count_params() > 4 * variants["S1"].count_params()

# %% [markdown]
# ## What the skips are worth
#
# Take them away and see. The task: give the photo back, nothing else. **Predict first:** which of the two
# networks, with and without skips, will do that better after the same number of steps, and *where in the
# picture* will the other one fail?

# %%
ablation = {}
for skips in (True, False):
    keras.utils.set_random_seed(config.seed)
    network = my_unet(filters[:5], skips, dropout=0.0)
    losses = lesson.regress(network, photos, photos, steps=2 * short)
    ablation[skips] = network(photos[:4]).numpy(), losses
    print(f"{'with' if skips else 'without'} skips: error {losses[0]:.3f} -> {losses[-5:].mean():.3f}")
    assert np.isfinite(losses).all()
show(
    image_grid([list(photos[:4]), list(ablation[True][0]), list(ablation[False][0])]),
    "Four photos; below, as the network with skips gives them back, nearly sharp; below, without: a coarse blur",
)

# %% [markdown]
# Without skips everything that is larger than a few pixels comes back as fog, and edges are lost: they had to
# pass through the neck of the hourglass. For repainting, where the scene has to stay, that decides. It also
# has a price: what can pass through the skips unchanged needs no painting. [Lesson
# 4](04_resnet_cyclegan.ipynb) has the other answer, residual blocks.
#
# And before any training?

# %%
keras.utils.set_random_seed(config.seed)
painter = generator_of(config)
grey = painter(photos[:4]).numpy()
show(
    image_grid([list(photos[:4]), list(grey)]),
    "Four photos, and below them what the untrained U-Net makes: grey",
)
print(f"values from {grey.min():.3f} to {grey.max():.3f}: level {127.5 * (grey.mean() + 1):.0f} of 255")
assert abs(grey.mean()) < 0.2

# %% [markdown]
# Grey on the whole and unrecognizable, as S1 found: small weights give values around 0, level 128, and the
# norms blow them up to a random texture.
#
# ## A judge of patches
#
# The discriminator of lesson 2 gave one answer for a picture. A [PatchGAN](../docs/glossary.md#patchgan)
# gives one for every *patch* (70×70 pixels in the paper's, which S1, S3 and S4 use): it can't know the scene,
# so it has to judge how things are painted. That is what we want to be judged, and hundreds of verdicts per
# picture teach more than one. **Predict first:** S1's three halving steps and two more 4×4 convolutions, each
# on a rim of one: how many answers for 256×256?

# %%
full_size = patch_discriminator((64, 128, 256, 512), norm="batch")  # S1's, by arguments
print("256×256 ->", full_size.compute_output_shape((1, 256, 256, 3))[1:3])
assert full_size.compute_output_shape((1, 256, 256, 3)) == (1, 30, 30, 1)

keras.utils.set_random_seed(config.seed)
judge = discriminator_of(config.with_(discriminator_norm="none"))  # so that an answer knows its patch alone
losses = lesson.teach_judge(judge, monets, photos, steps=2 * short)
half = np.concatenate([photos[0][:, : config.image_size // 2], monets[0][:, config.image_size // 2 :]], 1)
answers = judge(half[None]).numpy()[0]
show(
    lesson.answers_figure(half, answers, "left: photo, right: painting"),
    "A picture, left half photo and right half painting; beside it the map of answers, dark left and bright right",
)
left, right = (part.mean() for part in np.split(answers[..., 0], [answers.shape[1] // 2], axis=1))
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}; mean logit left {left:+.2f}, right {right:+.2f}")
assert np.isfinite(answers).all()

# %% [markdown]
# Trained on whole paintings and whole photos, the judge finds the border within one picture by itself.
#
# ## Four losses, one by one
#
# Two generators: `paint` makes Monets of photos, `back` makes photos of Monets; a judge for each. Without
# pairs, nobody can say what the Monet of *this* photo is. Four demands stand in for it:
#
# | loss | demand | formula |
# |---|---|---|
# | adversarial, for a generator | the judge takes paint(photo) for real | bce(judge(paint(photo)), 1) |
# | adversarial, for a judge | tell them apart | ½ [bce(judge(monet), 1) + bce(judge(paint(photo)), 0)] |
# | [cycle](../docs/glossary.md#cycle-consistency) | there and back again is the same picture | mean abs(back(paint(photo)) − photo), and the other way round |
# | [identity](../docs/glossary.md#identity-loss) | a Monet needs no painting | mean abs(paint(monet) − monet), and for photos |
#
# What is a loss *blind* to? Ask made-up translators, for which no training is needed. One shifts all colours
# to blue and its partner shifts them back. One turns the picture into its negative. One answers every picture
# with one colour. **Predict first:** which of these does the cycle loss mind?

# %%
found = lesson.candidate_losses(judge, monets, photos)
print(f"{'':24}adversarial  cycle  identity")
for name, (fool, cycle, identity) in found.items():
    print(f"{name:24}{fool:8.2f}{cycle:10.2f}{identity:9.2f}")
assert found["paint blue, and back"][1] < 1e-5 < 0.1 < found["paint blue, and back"][2]
assert found["negative, and back"][1] < 1e-5
assert found["one colour"][1] > 0.1

# %%
explorer = explore(
    lambda cycle, identity: lesson.weights_figure(found, cycle, identity),
    "Stacked bars of five translators' losses at cycle 10 and identity 0: the one that makes negatives is the cheapest",
    cycle=(0.0, 20.0, 10.0),
    identity=(0.0, 10.0, 0.0),
)
if explorer:  # as a hand on the slider would
    explorer["identity"].value = 5.0
    explorer.redraw()

# %% [markdown]
# The cycle loss minds only the one colour. Blue, gold and the negative are undone perfectly by their
# partners: cycle loss 0. So colour hangs on the judge alone, and early in training the judge is a fool: a
# CycleGAN may walk into blue or into negatives (the field's most frequent complaint) and stay, since the
# way out first costs. The identity loss sees the tint at once. Move the sliders: with identity at 0, who is
# cheapest?
#
# ## S0's blue pictures, then gold ones
#
# S0: "all my images were blue, then gold, so I figured out I had to fix my identity loss function". Its code
# isn't shown; here is a bug of that kind and what it must do. Suppose the loss compares paint(monet) not with
# that monet but with an image of the other set, which changes at every step. Then no answer is right, and the
# best constant guess wins. **Predict first:** under the mean absolute error, which guess is that, and what
# colour has it for landscape photos?

# %%
repaired = {}
for name, targets in (("right: the monet itself", monets), ("wrong: some photo", photos)):
    keras.utils.set_random_seed(config.seed)
    network = my_unet(filters[:5], dropout=0.0)
    lesson.regress(network, monets, targets, steps=2 * short, paired=targets is monets)
    repaired[name] = network(monets[:4]).numpy()
    print(f"{name:26} diversity of the results {diversity(repaired[name], monets):.2f}")
show(
    image_grid([list(monets[:4]), *(list(images) for images in repaired.values())]),
    "Four paintings; with the right identity loss they stay; with the wrong one all become one pale, bluish haze",
)
for name in ("monet", "photo"):
    colour = np.median(pixels[name][:, ::8, ::8], axis=0).mean((0, 1))
    print(f"the median {name} is (red, green, blue) = {tuple(int(value) for value in colour)}")

# %% [markdown]
# The guess with the least absolute error is the *median* of all targets, pixel by pixel: one picture for all,
# the haze in the last row. Its colour depends on the set that the loss wrongly aims at. **On the real images**
# (the 300 paintings and 400 photos) the median photo has (112, 127, 143) in its upper quarter: blue. The
# median Monet is (138, 138, 125) overall, with least blue: a pale gold. Aim the identity losses at the wrong
# sets and the pictures turn blue; swap what was swapped, still wrong, and they turn gold. We can't know that
# it was this very bug, but this one does exactly what S0 saw.
#
# ## The step, written out
#
# One step: paint, go back, close both cycles, ask the identity question, judge; sum; four gradients. Note
# what the *joint* gradient means: `paint` appears in both cycles, as the first half of one and the second
# half of the other, and must learn from both. The inputs are (monet, photo) everywhere, so that nothing can
# be swapped.


# %%
def generator_losses(paint, back, monet_judge, photo_judge, monet, photo):
    fake_monet, fake_photo = paint(photo, training=True), back(monet, training=True)
    cycle = ops.mean(ops.abs(back(fake_monet, training=True) - photo))
    cycle += ops.mean(ops.abs(paint(fake_photo, training=True) - monet))
    identity = ops.mean(ops.abs(paint(monet, training=True) - monet))
    identity += ops.mean(ops.abs(back(photo, training=True) - photo))
    fool = bce(monet_judge(fake_monet, training=True), 1.0)
    fool += bce(photo_judge(fake_photo, training=True), 1.0)
    return fool + 10.0 * cycle + 5.0 * identity, fake_monet, fake_photo


def judge_losses(monet_judge, photo_judge, monet, photo, fake_monet, fake_photo):
    total = 0.0
    for judge, real, fake in ((monet_judge, monet, fake_monet), (photo_judge, photo, fake_photo)):
        real_logits, fake_logits = judge(real, training=True), judge(fake, training=True)
        total += 0.5 * (bce(real_logits, 1.0) + bce(fake_logits, 0.0))
    return total


# %%
small = config.with_(adversarial="bce", unet_dropout=0.0, precision="float32")
model = build(small, 1)
networks = model.monet_generator, model.photo_generator, model.monet_discriminator, model.photo_discriminator
monet, photo = tf.constant(monets[:1]), tf.constant(photos[:1])
with tf.GradientTape(persistent=True) as tape:
    total, fake_monet, fake_photo = generator_losses(*networks, monet, photo)
    fakes = tf.stop_gradient(fake_monet), tf.stop_gradient(fake_photo)
    judged = judge_losses(*networks[2:], monet, photo, *fakes)
my_gradients = tape.gradient(total, model.generator_variables)
my_judge_gradients = tape.gradient(judged, model.discriminator_variables)

library, library_judges, losses = model.gradients((monet, photo))
for a, b in zip([*my_gradients, *my_judge_gradients], [*library, *library_judges], strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
print(f"{len(library) + len(library_judges)} gradients agree with the library's")
print({name: round(float(value), 3) for name, value in losses.items()})

# %% [markdown]
# Two popular implementations, the Keras example among them, lose half of this: they stop the gradient between
# the two generators of a cycle, so that each learns from its own half. **Predict first:** how far does the
# direction turn? (The cosine of the two gradients: 1 is the same direction, 0 a right angle.)

# %%
with tf.GradientTape() as tape:
    fake_monet, fake_photo = model.monet_generator(photo), model.photo_generator(monet)
    halves = ops.mean(ops.abs(model.photo_generator(tf.stop_gradient(fake_monet)) - photo))
    halves += ops.mean(ops.abs(model.monet_generator(tf.stop_gradient(fake_photo)) - monet))
half_gradients = tape.gradient(halves, model.generator_variables)
with tf.GradientTape() as tape:
    whole = ops.mean(ops.abs(model.photo_generator(model.monet_generator(photo)) - photo))
    whole += ops.mean(ops.abs(model.monet_generator(model.photo_generator(monet)) - monet))
whole_gradients = tape.gradient(whole, model.generator_variables)
a, b = (np.concatenate([np.ravel(x) for x in gradients]) for gradients in (half_gradients, whole_gradients))
cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
print(f"cosine {cosine:.3f}; length {np.linalg.norm(a) / np.linalg.norm(b):.2f} of the whole gradient's")
np.testing.assert_allclose(float(whole), float(halves), rtol=1e-4)
assert cosine < 0.999

# %% [markdown]
# The loss is the same number; its gradient isn't. What gets lost is what makes `paint` keep the things that
# `back` needs.
#
# ## Train
#
# Everything together, by the library's step, which is yours. The curves first: for BCE a blind judge stands
# at 0.69 (lesson 2).

# %%
model, history = short_run(
    config.with_(adversarial="bce", real_label=0.9), pixels["monet"], pixels["photo"], steps
)
untouched = build(config.with_(adversarial="bce", real_label=0.9), steps).monet_generator
for a, b in zip(untouched.get_weights()[:2], model.monet_generator.get_weights()[:2], strict=True):
    assert np.abs(a - b).max() > 1e-5, "weights moved"
assert all(np.isfinite(values).all() for values in history.values())
show(
    plot_history(history),
    "Three panels of loss curves: generators against judges, cycle and identity falling, discriminators below 0.7",
)
print(f"cycle {history['cycle'][0]:.2f} -> {history['cycle'][-1]:.2f}")

# %% tags=["cover"]
painted = model.monet_generator(photos[:6]).numpy()
recovered = model.photo_generator(painted).numpy()
assert painted.shape == recovered.shape == photos[:6].shape
show(
    image_grid([list(photos[:6]), list(painted), list(recovered)]),
    "Six photos, below them their paintings in the sample's softer colours, below those the photos recovered",
)

# %% [markdown]
# Middle row: paler shadows and a warmer light, as the paintings of this sample have them. Lower row: the
# photos come back from that. S1 saw "a bit of cubism" at this stage; S3 noticed that these results are "more
# concrete" than a DCGAN's, since the scene is given and only the style has to be learnt.
#
# ## Reading S3's curves
#
# S3 trained for 500 epochs. Its discriminator's loss stays "near zero", its generator's "around 2.5".
# **Predict first:** what probability does that judge give to the generator's pictures?

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
# Eight per cent: the judge is nearly always right. The non-saturating loss still has a steep slope there, so
# "no gradient" is not the problem, as S3 feared; its *direction* is. In 500 epochs the judge met each of the
# 300 paintings 500 times. It can know them by heart, and "is not one of the 300" is a true verdict that says
# nothing about style. S3's own proposals (a slower judge, dropout, a
# [gradient penalty](../docs/glossary.md#gradient-penalty)) point the right way, as do flips and crops;
# [lesson 4](04_resnet_cyclegan.ipynb) measures the strongest cure, differentiable augmentation.
#
# ## Identity on and off, and S1's learning rate
#
# Three short trainings at a smaller size, equal but for one line of settings. S1 took a learning rate of
# 2·10⁻³, ten times the usual, with batch norm at batch size 1 and dropout 0.7, and scored 684. **Predict
# first:** which run shifts the colours most, which loses the scene?

# %%
RUNS = {
    "as it should be": {},
    "identity off": {"identity_weight": 0.0},
    "S1's settings": {
        "generator_rate": 2e-3,
        "discriminator_rate": 2e-3,
        "norm": "batch",
        "unet_dropout": 0.7,
    },
}
smaller = config.with_(image_size=min(64, config.image_size), unet_depth=min(6, config.unet_depth))
small_photos, small_monets = (shrunk(pixels[k][:24], smaller.image_size) for k in ("photo", "monet"))
rows, cast = [list(small_photos[:8])], {}
for name, setting in RUNS.items():
    setting = {"adversarial": "bce", "decay_from": 1.0, **setting}
    run, curves = short_run(
        smaller.with_(**setting), pixels["monet"], pixels["photo"], steps if steps > 8 else 2
    )
    rows.append(list(run.monet_generator(small_photos[:8]).numpy()))
    same = run.monet_generator(small_monets).numpy()
    cast[name] = 127.5 * np.abs(same.mean((1, 2)) - small_monets.mean((1, 2))).mean()
    print(f"{name:16} cycle {curves['cycle'][-20:].mean():.2f}, tint put on a Monet: {cast[name]:.0f} levels")
    assert np.isfinite(same).all()
show(
    image_grid(rows),
    "Photos, and their paintings by three runs: with identity loss, without it, and with S1's settings; all keep the scene",
)

# %% [markdown]
# Without the identity loss the scene holds, since the cycle holds it, but a Monet that passes through the
# generator comes out with a stronger tint: nothing pins the colours down.
#
# The third row is the surprise. Everyone's first suspect for S1's 684 is the learning rate: Adam moves a
# weight by up to 0.002 a step while weights start with a spread of 0.02, so both sides jump where they should
# walk. Yet on this scale the run is not ruined; it learns the scene even sooner. The high rate is a risk for
# long trainings (published ones use 2·10⁻⁴ and less), and batch norm at batch size 1 paints with averages
# that belong to no picture. But S1's own pictures, by its description, were landscapes with "a bit of cubism",
# and more filters, less dropout and twice the epochs changed its score *not at all*. A score that doesn't react
# to the model points *behind* the model: to the writing of `images.zip`, with which S1 says it "struggled".
# [Lesson 5](05_submission.ipynb) shows what a good painting scores when it is written with the wrong scale.
#
# ## Exercises
#
# ### Exercise 1: the decoder's filters
#
# The encoder has 64, 128, 256, 512, 512, 512, 512, 512 filters. List the decoder's, from the innermost on,
# without the last step to three channels.

# %%
decoder = ...

solved = lesson.check_up_filters(decoder)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# decoder = [512, 512, 512, 512, 256, 128, 64]
# ```
# The encoder's reversed, without the innermost: eight down, seven up, and the picture.
# </details>

# %% [markdown]
# ### Exercise 2: a skip connection
#
# `join(inner, skip)`: what a decoder step hands on, from its own map (1, 5, 5, 8) and the encoder's (1, 5, 5,
# 3).


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
# Side by side, so nothing is mixed before a convolution has looked at both.
# </details>

# %% [markdown]
# ### Exercise 3: how many answers
#
# How many answers along one side does the PatchGAN above give for 256×256 pixels, and for 128×128?

# %%
at_256, at_128 = ..., ...

solved = lesson.check_answers(None if at_256 is ... else (at_256, at_128))

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# at_256, at_128 = 256 // 8 - 2, 128 // 8 - 2
# ```
# 30 and 14. A 4×4 convolution on a map with a rim of one takes one row away.
# </details>

# %% [markdown]
# ### Exercise 4: both cycles
#
# The cycle loss for both directions, unweighted, from two arrays and two functions.


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
# The identity loss for both generators, and not S0's.


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
# Each generator gets an image that is already where it should bring it.
# </details>

# %% [markdown]
# ## Self-quiz
#
# <details><summary>1. The cycle loss is nearly 0 and the paintings are negatives of the photos. How can that be?</summary>
#
# The second generator has learnt to invert too. The cycle only asks that there and back cancel out. The
# identity loss and a judge that has seen Monets are what speaks against it.
# </details>
#
# <details><summary>2. Why does S2's U-Net have 54 million weights and S1's only a fifth of that?</summary>
#
# A 4×4 convolution from 512 to 512 channels has 4 million weights, and S2 has nine such steps around its
# neck. On maps of 1 to 16 pixels they cost little time and much memory.
# </details>
#
# <details><summary>3. What would a PatchGAN with patches of the whole image do that ours can't?</summary>
#
# Judge the composition: whether there is sky above and water below. Ours can't mind if a sky is at the
# bottom. It needn't: the photo brings the composition.
# </details>
#
# <details><summary>4. Why must the innermost step of a full-depth U-Net have no instance norm?</summary>
#
# Its map is 1×1: mean equals value, so value minus mean is 0 for every photo, and the neck passes nothing.
# </details>
#
# <details><summary>5. S3's discriminator loss is near zero. Train longer, enlarge the generator, or augment?</summary>
#
# Augment what the judge sees, or penalise its gradient. It wins because it knows 300 paintings by heart, not
# because the generator lacks weights or time.
# </details>

# %% [markdown]
# ## Recap
#
# - A [U-Net](../docs/glossary.md#u-net) hands its encoder's maps across: the scene stays sharp.
# - A [PatchGAN](../docs/glossary.md#patchgan) judges how patches are painted.
# - The cycle loss is blind to every change that can be undone; the [identity
#   loss](../docs/glossary.md#identity-loss) sees tints, if it is aimed at the right image.
# - The gradient must flow through whole cycles, or half of the lesson is lost.
# - A suspicion is worth an experiment: S1's rate alone does not explain its score.
# - A discriminator loss near zero means "knows the data by heart", not "needs more epochs".
#
# Next: [lesson 4](04_resnet_cyclegan.ipynb) builds the paper's
# [ResNet](../docs/glossary.md#residual-block) generator and everything that keeps a long training alive.
