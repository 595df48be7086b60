# %% [markdown]
# # 4 · The paper's model, and what keeps it alive
#
# Build the ResNet CycleGAN of Zhu et al. 2017, see what each of its parts prevents, and train it so that nothing is lost
# when the session ends.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/04_resnet_cyclegan.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/04_resnet_cyclegan/04_resnet_cyclegan.ipynb)

# %% [markdown]
# ## You will learn
#
# - residual blocks, and how a generator can begin by changing nothing
# - what instance norm removes from a picture, and batch norm doesn't
# - where dark frames and checkerboards come from, and how to avoid them
# - to derive the 70×70 pixels that one answer of a PatchGAN depends on
# - how a discriminator learns paintings by heart, and what altered pictures change about it
# - why the network that a generator was trained against may not be its only judge
# - to stop, resume and choose a checkpoint, and to tell six faults by their curves and pictures
#
# **You need** [lesson 3](03_unet_cyclegan.ipynb).
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
# ![Three photographs that no training has seen, and below them six ways to paint them, from colour transfer to your own generator and the course's](../docs/images/04_resnet_cyclegan.jpg)
#
# A generator of your own, trained from nothing for about ten minutes, in one table and on one sheet with its opponents.
#
# ## Setup

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
from tqdm.auto import tqdm

from monet_lib import model as nets
from monet_lib.course import resnet as lesson
from monet_lib.course.checks import keep
from monet_lib.course.eda import color_transfer
from monet_lib.course.tools import explore, shrunk, teach_discriminator
from monet_lib.data import to_float
from monet_lib.figures import image_grid, plot_history, read_history, show
from monet_lib.model.imagenet import pooled_features
from monet_lib.paint import paint_all, paint_broadly, shipped_generator
from monet_lib.train import Run, train

plan, kept, out = lesson.settings(config, root)
quick = plan.quick  # the settings of your own run

# %% [markdown]
# Every painting and every photo of the sample comes from a photograph of its own, so no picture that is held out here was
# seen in training.
#
# ## A block that adds a change
#
# A U-Net squeezes the scene through a narrow middle and repairs it by skip connections. The paper's generator, after
# [Johnson et al. 2016](https://arxiv.org/abs/1603.08155), goes down to only a quarter of the size and then stacks
# [residual blocks](../docs/glossary.md#residual-block) ([He et al. 2016](https://arxiv.org/abs/1512.03385)). S0 and S4
# use such generators, S4 with nine blocks; S0 concludes that it could have used fewer. (S4 also lists a `noise_dim` of
# 100. A generator that gets a photo has no input for noise.)
#
# A residual block computes x + F(x): it adds a change to what came in. F consists of two convolutions with weights from
# N(0, 0.02), each followed by a norm, which multiplies its output by a learnt factor, gamma. **Predict first:** gamma
# starts at 1. How much of the input is left after nine fresh blocks, measured by the correlation of input and output?
# And with every last gamma at 0?


# %%
class MyResidualBlock(layers.Layer):
    def __init__(self, filters, norm="instance"):
        super().__init__()
        steps = []
        for _ in range(2):
            init = keras.initializers.RandomNormal(stddev=0.02)
            how = {"use_bias": False, "kernel_initializer": init}
            steps += [nets.ReflectionPadding2D(1)]
            steps += [layers.Conv2D(filters, 3, **how)]
            steps += [nets.normalization(norm, filters), layers.ReLU()]
        self.residual = keras.Sequential(steps[:-1])  # no ReLU at the end

    def call(self, x):
        return x + self.residual(x)


x = np.random.default_rng(0).normal(size=(2, 16, 16, 16)).astype("float32")
mine, theirs = MyResidualBlock(16), nets.ResidualBlock(16)
mine(x), theirs(x)
mine.set_weights(theirs.get_weights())
np.testing.assert_allclose(mine(x), theirs(x), atol=1e-5)

# %%
left = {}
for gamma in (1.0, 0.0):
    y = x
    for block in [MyResidualBlock(16) for _ in range(9)]:
        block(y)  # makes its weights
        block.residual.layers[-1].gamma.assign(np.full(16, gamma))
        y = block(y)
    left[gamma] = np.corrcoef(x.ravel(), np.ravel(y))[0, 1]
    print(f"gamma {gamma:.0f}: correlation after nine blocks {left[gamma]:.2f}")

paper = nets.resnet_generator(filters=64, residual_blocks=9)
print(f"the paper's: {paper.count_params():,} weights; U-Net: 54,414,531")
photo = shrunk(out["photo"][:2], 128)
firsts = {
    "paper's, fresh": paper(photo),
    "quick's, fresh": nets.generator_of(quick)(photo),
    "one mean colour": photo.mean((1, 2), keepdims=True),
}
far = {n: float(np.abs(y - photo).mean()) for n, y in firsts.items()}
print("mean distance from the photo:", {n: round(x, 2) for n, x in far.items()})

# %% tags=["ci"]
assert paper.count_params() == 11_383_427
assert left[0.0] > 0.999
assert abs(left[1.0] - 0.1**0.5) < 0.1
assert far["quick's, fresh"] < 0.1
assert far["one mean colour"] < far["paper's, fresh"]
assert nets.unet_generator().count_params() == 54_414_531

# %% [markdown]
# With gamma at 1 the norm gives every F(x) a spread of 1, that of the first input. Nine such changes that don't depend on
# each other leave a correlation of 1/√10 = 0.32; here it is {{ left[1.0]:.2f }}. With gamma at 0 the stack hands its
# input on. In both cases the sum leaves the gradient a way around every F, from the last block to the first.
#
# A whole fresh generator of the paper's kind is, with these weights, further from the photo
# ({{ far["paper's, fresh"]:.2f }}) than one mean colour is ({{ far["one mean colour"]:.2f }}): it first has to learn to
# copy. The recipe `quick`, which you will
# train below, starts at the photo instead ({{ far["quick's, fresh"]:.2f }}): its last convolution begins with zeros and
# gives a *change* of the photo (`residual_output`), so that it learns only what a painter changes.
#
# ## What instance norm forgets
#
# S4 has [instance norm](../docs/glossary.md#instance-normalization) ([Ulyanov et al.
# 2016](https://arxiv.org/abs/1607.08022)) in its discriminator, because it takes the dependence on contrast out of
# stylization. Test that: halve the contrast of photos, and give both versions to one convolution with a norm behind it.
# **Predict first:** how far apart are the two outputs with instance norm? And with batch norm, as it works when painting
# (with stored averages)?

# %%
small = shrunk(kept["photo"][:24], 64)
versions = {"full contrast": small, "half contrast": 0.5 * small}
keras.utils.set_random_seed(config.seed)
conv = layers.Conv2D(8, 5, padding="same", use_bias=False)
rows, apart = [[x[0] for x in versions.values()]], {}
for norm in ("instance", "batch"):
    layer = nets.normalization(norm, 8)
    for _ in range(60):  # batch norm collects its averages in training
        layer(conv(small), training=True)
    maps = [np.asarray(layer(conv(x))) for x in versions.values()]
    apart[norm] = np.abs(maps[0] - maps[1]).mean() / np.abs(maps[0]).mean()
    print(f"{norm:8} norm: the two differ by {apart[norm]:.1%} of their size")
    span = np.abs(maps[0]).max()
    rows.append([np.repeat(x[0, ..., :1], 3, -1) / span for x in maps])
names = ["photo", "instance norm", "batch norm"]
show(
    image_grid(rows, list(versions), row_labels=names, least=192),
    f"A photo and its faded version; their maps differ by {apart['batch']:.1%} "
    f"after batch norm and by {apart['instance']:.1%} after instance norm",
)

# %% tags=["ci"]
assert apart["instance"] < 0.1 < apart["batch"]

# %% [markdown]
# After instance norm the versions differ by {{ apart["instance"]:.1%}} of their size, after batch norm by
# {{ apart["batch"]:.0%}}: S4 is right. In a generator, the contrast of a photo then no longer decides how strongly it is
# painted. The price is the same fact: a foggy morning and a clear noon get the same treatment. The generators of `quick`
# have no norm (`{{ quick.norm }}`); large photos can then be painted in tiles that fit together.
#
# ## Frames and checkerboards
#
# Two kinds of regular fault come from layers and not from training. First, the edge: a convolution needs pixels beyond
# it. Keras' `padding="same"` takes zeros, and zero is mid-grey in [−1, 1]; the paper pads by
# [reflection](../docs/glossary.md#reflection-padding). Second, the grid: in a
# [transposed convolution](../docs/glossary.md#transposed-convolution) every input value paints a stroke of the kernel's
# size (lesson 2). **Predict first:** what do zeros do to the edge of a bright picture that is blurred eight times? And
# strokes of 3 that lie 2 apart: how many of them cover each pixel? Strokes of 4?


# %%
def blurred(image, mode, times=8):
    for _ in range(times):
        p = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode) / 9
        image = sum(p[i : i + 256, j : j + 256] for i, j in np.ndindex(3, 3))
    return image


bright = to_float(out["photo"][0]).numpy() * 0.3 + 0.6
edges = [blurred(bright, mode) for mode in ("constant", "reflect")]
rims = [float(image[:2].mean()) for image in edges]
print(f"outermost rows: zeros {rims[0]:.2f}, reflection {rims[1]:.2f}")
for kernel in (3, 4):
    print(f"kernel {kernel}, stride 2: {lesson.overlaps(6, kernel, 2)}")
grids, uneven = lesson.checkerboards()  # fresh layers answer to a constant
found = ", ".join(f"{name} {x:.2f}" for name, x in uneven.items())
print(f"unevenness, as a share of the mean: {found}")
show(
    image_grid([[bright, *edges], grids]),
    "Above, a bright picture, blurred with zeros, which darken its rim, and by "
    f"reflection. Below, answers to a constant; their unevenness: {found}",
)

# %% tags=["ci"]
assert rims[0] < rims[1] - 0.1
assert uneven["resize 3×3"] < 1e-5
assert min(uneven["transpose 3×3"], uneven["transpose 4×4"]) > 0.05

# %% [markdown]
# Above (the picture; with zeros; by reflection) zeros draw a frame, several pixels wide. Below (transposed 3×3; 4×4;
# resized) the input is constant, so any pattern comes from the layer. *Unevenness* says how far the means of the four
# places of a 2×2 square lie apart. With 3×3 even the *number* of strokes alternates. With 4×4 every pixel but the
# outermost gets two strokes in each direction, but through different weights, and a fresh layer still draws a grid. The
# cure ([Odena et al. 2016](https://distill.pub/2016/deconv-checkerboard/)) is to enlarge by repeating pixels and *then*
# to convolve, with the same weights at every place: `upsample="resize"`, the default of this library.
#
# ## 70×70
#
# S4 explains that each of the 30×30 answers of a PatchGAN judges 70×70 pixels. Derive it from the end: a layer with
# kernel k and stride s needs (n − 1)·s + k values to give n of them, and one answer is n = 1. **Predict first:** how many
# values does the last layer (kernel 4, stride 1) need, and how many does the layer before it (the same) need for those?
#
# And where do these pixels lie? Neighbouring answers are 2·2·2 = 8 pixels apart. Each layer pads its input by one value
# at every side. At the first layer's input one value is 1 pixel, at the second's it is 2 pixels, then 4, 8 and 8.
# Together that is 23 pixels, so the patch of answer (row, column) begins at 8·row − 23. The proof is the gradient of one
# answer by the image: it must be zero everywhere else.

# %%
size = 1
for kernel, stride in reversed(lesson.PATCHGAN):
    size = (size - 1) * stride + kernel
    print(f"kernel {kernel}, stride {stride}: needs {size}")
assert size == nets.receptive_field(lesson.PATCHGAN) == 70

network = nets.patch_discriminator((4, 4, 4, 4), norm="none")
image = tf.Variable(to_float(kept["monet"][:1]))
with tf.GradientTape() as tape:
    answer = network(image)[0, 12, 20, 0]
slope = np.abs(tape.gradient(answer, image)[0].numpy()).sum(-1)
seen, top, left_edge = np.argwhere(slope > 0), 8 * 12 - 23, 8 * 20 - 23
first, last = seen.min(0), seen.max(0)
print(f"rows {first[0]} to {last[0]}; computed {top} to {top + 69}")
assert tuple(first) == (top, left_edge)
assert tuple(last) == (top + 69, left_edge + 69)
patch = explore(
    lambda row, column: lesson.patch_figure(kept["monet"][0], row, column),
    "A painting with a square of 70×70 pixels marked, and the square enlarged",
    row=(0, 29, 12),
    column=(0, 29, 20),
)

# %% tags=["ci"]
if patch:  # as a hand on the slider would
    patch["row"].value = 0
    patch.redraw()

# %% [markdown]
# At the edge a part of the patch lies outside of the picture, where the padding is. The loss for a whole picture is the
# mean over 900 overlapping patches. This network has no norm. The paper's has instance norm, whose means and spreads let
# every answer depend a little on the whole picture.
#
# ## A discriminator that learns by heart
#
# S3's discriminator had a loss near zero. One way to that: a discriminator gets few paintings, many times. Here it is
# taught with a third of the paintings against photos, and its answers are watched for the paintings of other scenes.
# **Predict first:** will it take those for paintings? The cell takes about a minute.

# %%
monets, photos = (shrunk(kept[n][:24], 64) for n in ("monet", "photo"))
known = len(monets) // 3
watch = {"seen": monets[:known], "held": monets[known:], "photo": photos}
runs, early, gaps = {}, {}, {}
for policy in ("", "color,translation"):
    title = policy or "nothing altered"
    runs[title] = []
    for seed in tqdm(plan.seeds, title):
        keras.utils.set_random_seed(seed)
        network = nets.patch_discriminator((16, 32, 64, 128), norm="instance")
        how = {"rate": 5e-4, "policy": policy, "watch": watch, "seed": seed}
        pair = (monets[:known], photos)
        run = teach_discriminator(network, *pair, plan.teach, **how)
        runs[title].append(run)
    ends = [run["seen"][-1] - run["held"][-1] for run in runs[title]]
    gaps[title] = np.mean(ends)
    early[title] = np.mean([r["seen"][0] - r["held"][0] for r in runs[title]])
    print(f"{title}: known paintings higher by {np.round(ends, 1)}, by seed")
show(
    lesson.heart_figure(runs),
    "Mean logits over training. At the end known paintings are higher than "
    + ", ".join(f"unknown ones by {gap:.1f}: {n}" for n, gap in gaps.items()),
)

# %% tags=["ci"]
if config.profile != "tiny":
    assert early["color,translation"] < early["nothing altered"]
    assert 0 < gaps["nothing altered"] < gaps["color,translation"]
    assert min(run["held"][-1] for run in runs["nothing altered"]) > 0

# %% [markdown]
# The discriminator takes paintings of other scenes for paintings too (above 0). But without alterations its answers for
# those that it knows lie {{ gaps["nothing altered"]:.1f }} higher; one line is a seed. It has learnt a list of paintings
# beside a style, and that is what it would teach a generator.
#
# [Differentiable augmentation](../docs/glossary.md#differentiable-augmentation) ([Zhao et al.
# 2020](https://arxiv.org/abs/2006.10738)) shifts, recolours or masks everything that the discriminator sees, real and
# generated pictures by the same kinds of alteration. (This library gives both the same random numbers; the published code
# draws anew for each.) An alteration then says nothing about what is real, and the gradient passes through it to the
# generator. With colours and shifts everything is learnt more slowly: after the first
# {{ runs["nothing altered"][0]["step"][0] }} steps the gap is {{ early["color,translation"]:.1f }}, against
# {{ early["nothing altered"]:.1f }}, and paintings and photos lie less far apart, too. In the end it is
# {{ gaps["color,translation"]:.1f }}, wider than without: {{ known }} paintings can be learnt by heart in all their
# alterations. (**On the real images**, with eight Monets, the gap is
# 9.9 without alterations and 7.1 with them, so the order of the two is no rule.) The [two-objective
# notebook](https://www.kaggle.com/code/unfriendlyai/two-objective-discriminator), one of S2's sources, puts it before a
# discriminator with two outputs, each with a loss of its own (`adversarial="hinge,bce"`).
#
# ## A score that can be fooled
#
# `quick` has a second discriminator. It doesn't look at pixels but at the feature maps of a frozen network that was
# trained on ImageNet, EfficientNet-Lite0: maps at strides of 4, 8, 16 and 32 pixels, each mixed at random and given to a
# small trained head ([Sauer et al. 2021](https://arxiv.org/abs/2111.01007)). Textures and objects, which a PatchGAN
# learns in hours, are there from the first step.
#
# The course measures distance by [KID](../docs/glossary.md#kid): how far the features of two sets of images lie apart, by
# a frozen network; lower is better, and 0 is expected for two halves of one set (lesson 5 takes it apart). The network is
# the same Lite0. Is that fair? Take photos, and let their *pixels* descend the KID to the training paintings, with no
# generator at all, by at most 4 of 255 levels. **Predict first:** what will the KID to *other* paintings be? What does
# SqueezeNet say, a network that took no part? And what do you see? (The cell takes about a minute.)


# %%
def pull(photos, targets, steps, reach=4.0):
    start = photos.astype("float32")
    x = tf.Variable(start)
    for _ in tqdm(range(steps), "pixels descend"):
        with tf.GradientTape() as tape:
            features = pooled_features(tf.image.resize(x, (224, 224)))
            gap = lesson.kernel_gap(features, targets)
        x.assign_sub(tf.sign(tape.gradient(gap, x)))
        x.assign(tf.clip_by_value(x, start - reach, start + reach))
    return np.uint8(np.rint(np.clip(x, 0, 255)))


judge = lesson.Jury(out["monet"])  # of held-out paintings
lite, other = judge.names
pulled = pull(out["photo"], judge.features(kept["monet"], lite), plan.pull)
both = {"photos": out["photo"], "pulled": pulled}
both["other paintings"] = kept["monet"][: len(pulled)]
fooled = {n: {k: x.kid for k, x in judge(i).items()} for n, i in both.items()}
second = fooled["pulled"][other] / fooled["photos"][other]
for name, found in fooled.items():
    print(f"{name:15}", ", ".join(f"{j} {k:.3f}" for j, k in found.items()))
show(
    image_grid([out["photo"][:3], pulled[:3]], row_labels=["photo", "pulled"]),
    f"Three photos; the same with pixels moved by at most 4 levels: KID "
    f"{fooled['photos'][lite]:.3f} and {fooled['pulled'][lite]:.3f}",
)

# %% tags=["ci"]
if config.profile != "tiny":
    assert fooled["pulled"][lite] / fooled["photos"][lite] < 0.5 * second

# %% [markdown]
# By Lite0 the distance went from {{ fooled["photos"][lite]:.3f }} to {{ fooled["pulled"][lite]:.3f }}; the training
# paintings themselves have {{ fooled["other paintings"][lite]:.3f }}. (The estimate leaves out the pairs of an image with
# itself, so it can fall below 0, the more so for images that were moved together.) By SqueezeNet {{ second:.0%}} of the
# distance are left, and the eye finds photos, with a faint grain in their skies. (SqueezeNet's KID has other units than
# Lite0's.) A score can be met in ways that hardly anybody sees ([Kynkäänniemi et al.
# 2022](https://arxiv.org/abs/2203.06026)), and a generator that is trained against a network searches for such ways. So
# another network must judge as well, and your eye.
#
# ## Train, stop, resume
#
# S0 writes that more epochs would have been beneficial, S4 stopped after one because it learnt slowly, and a Kaggle
# session ends after 9 to 12 hours, in this competition perhaps after 5. A training must survive being stopped. `train`
# keeps in a folder what the next step depends on: weights, the optimizers' moments, and the step, of which learning
# rates, data order and random numbers are functions. Three things help a long training, and what they need is kept too:
#
# - **[Image pool](../docs/glossary.md#image-pool)** ([Shrivastava et al. 2017](https://arxiv.org/abs/1612.07828)): the
#   discriminator also sees earlier fakes, of which {{ quick.pool_size }} are kept.
# - **[Decay](../docs/glossary.md#learning-rate-decay)**: from {{ quick.decay_from:.0%}} of the steps on, the learning
#   rate falls in a line to zero.
# - **[EMA](../docs/glossary.md#ema)**: a moving average of the generator's weights paints, with a decay of
#   {{ quick.ema }}; it averages out the back and forth of single steps.
#
# Its patch discriminators learn by the paper's loss, least squares; whoever knows nothing and answers 0.5 everywhere has
# a loss of 0.25 there. Now train `quick` from nothing, for {{ quick.steps:,}} steps. A callback presses Ctrl-C half way:
# that is about ten minutes in all on two cores of a laptop, in two cells. From time to time `train` scores the held-out
# photos. It also prints what KID overlooks: how strong a regular pattern is in flat places, compared with paintings, and
# which share of the skies turned orange and of the nights got a grain like linen.

# %%
folder = lesson.emptied(plan.name)  # each run of this lesson begins anew


class PressCtrlC(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == quick.steps // 2:
            raise KeyboardInterrupt


model = train(quick, root, folder, callbacks=[PressCtrlC()])

# %%
model = train(quick, root, folder)  # the same call resumes
history = read_history(folder / "history.csv")
scores = np.genfromtxt(folder / "validation.csv", delimiter=",", ndmin=2)[1:]
print("kept:", *sorted(path.name for path in folder.iterdir()))
recoloured = color_transfer(out["photo"], kept["monet"])
both = {"photos, untouched": out["photo"], "colour transfer": recoloured}
levels = {name: judge(images)[lite] for name, images in both.items()}
ends = history["cycle"][0], history["cycle"][-20:].mean()
show(
    plot_history(history, smooth=0.9),
    "Loss curves of the whole run, without a break half way; the cycle loss "
    f"is {ends[0]:.2f} at first and {ends[1]:.2f} at the end",
)
show(
    lesson.validation_figure(scores, levels, lite),
    f"KID over steps: {scores[0, 1]:.3f} at first, {scores[:, 1].min():.3f} at "
    f"best; untouched photos {levels['photos, untouched'].kid:.3f}",
)

# %% tags=["ci"]
assert int(model.step) == quick.steps
assert all(np.isfinite(values).all() for values in history.values())
assert np.isfinite(scores[:, 1]).all()
saved = Run.load(folder).last_generator()[0].get_weights()[0]
np.testing.assert_array_equal(saved, model.painter.get_weights()[0])

# %% [markdown]
# The resumed run ends, on one machine, with the same weights bit by bit as an unbroken one: the library's tests kill
# processes at random moments to show it.
#
# (The generators begin at the photo, leave it at once, and come back.) The losses can't say when to stop. Both sides may
# improve at one pace, and then the curves stay. The second figure can, as far as its bars reach: they are the deviation
# of draws of three quarters of the {{ len(out["photo"]) }} held-out images. `checkpoints/best` keeps the step with the
# lowest KID, here {{ scores[:, 1].min():.3f }}. It was *chosen* by these images, which flatters it a little.
#
# ## Find the fault
#
# Six runs went wrong, each in another way, and one is healthy. They are small (64 px, {{ lesson.FAULT_STEPS }} steps,
# made by `tools/keep_faults.py` and kept in a file). Each shows its losses, and a held-out photo beside its painting.
# The faults are, in another order: {{ "; ".join(sorted(name for name, _ in lesson.FAULTS.values())) }}. **Name them
# before you go on:** exercise 5 checks your names, and its solution says for each fault what shows it, what proves it
# and what helps.

# %%
faults = lesson.read_faults()
show(
    lesson.faults_figure(faults),
    "Seven small runs, one healthy and A to F each with a fault: curves of "
    "three losses, and a photo beside its painting",
)

# %% [markdown]
# ## Yours, and its opponents
#
# "Which is better?" must mean: on the same data, by the same measures, after the same time. The opponents: colour
# transfer (lesson 1); **style statistics** ([Gatys et al. 2016](https://arxiv.org/abs/1508.06576)), which train nothing:
# the pixels of each photo descend towards the correlations that SqueezeNet's features have in one painting; lesson 3's
# kind of generator, a U-Net, in a short run with all other settings of yours, except that it can't begin at the photo
# (`residual_output` is the ResNet's) and that it has dropout; and the course's
# generator, trained in one run of less than an hour: see [models/README.md](../models/README.md). Yours paints twice,
# the second time with a brush of 2: the photo is painted at half its size and the painting is enlarged
# (`monet translate --brush 2`). **Predict first:** which of them comes nearest to the paintings? Which one by SqueezeNet?
# (One to two minutes for the U-Net, half a minute for style statistics.)

# %%
unet_folder = lesson.emptied(f"{plan.name}-unet")
train(plan.unet, root, unet_folder)
unet, _ = Run.load(unet_folder).last_generator()
own, _ = Run.load(folder).generator()
course, _ = shipped_generator()

# %%
photos, rng = out["photo"], np.random.default_rng(0)
styles = kept["monet"][rng.integers(0, len(kept["monet"]), len(photos))]
ways = {
    "photo": photos,
    "colour transfer": recoloured,
    "style statistics": lesson.style_statistics(photos, styles, plan.descents),
    "U-Net": paint_all(unet, photos),
    "yours": paint_all(own, photos),
    "yours, brush 2": np.stack([paint_broadly(own, x, 2) for x in photos]),
    "the course's": paint_all(course, photos),
}
table = lesson.compared(ways, judge)
near = [min(table, key=lambda way: table[way][n].kid) for n in judge.names]
gain = table["photo"][lite].kid - table["yours"][lite].kid
bars = table["photo"][lite].kid_std + table["yours"][lite].kid_std
print(f"yours is nearer than the photo by {gain:.3f}; both bars: {bars:.3f}")
seconds = read_history(unet_folder / "history.csv")["seconds"][-1]
step = int(history["step"][np.abs(history["seconds"] - seconds).argmin()])
print(f"the U-Net had {seconds:.0f} s; then your run was at step {step}")

# %% tags=["ci"]
assert all(painted.dtype == np.uint8 for painted in ways.values())
assert all(painted.shape == photos.shape for painted in ways.values())
if config.profile != "tiny":
    assert gain > bars
    for name in judge.names:
        course_kid, photo_kid = (
            table[n][name] for n in ("the course's", "photo")
        )
        assert course_kid.nearer_than(photo_kid)

# %% tags=["cover"]
shown = [[painted[k] for k in (0, 1, 2)] for painted in ways.values()]
show(
    image_grid(shown, row_labels=list(ways)),
    "Three held-out photos and six ways to paint them; KID: "
    + ", ".join(f"{n} {found[lite].kid:.3f}" for n, found in table.items()),
)

# %% [markdown]
# Yours is {{ gain:.3f }} nearer to held-out paintings than the photo is, and the two bars together are {{ bars:.3f }}. By
# Lite0 style statistics have {{ table["style statistics"][lite].kid:.3f }}, yours {{ table["yours"][lite].kid:.3f }}.
# The U-Net is to be compared with the curve above at step {{ step }}, where your run
# had had the same time, and not with the end: {{ table["U-Net"][lite].kid:.3f }} against {{ scores[0, 1]:.3f }} at step
# {{ scores[0, 0]:.0f }}. Its learning rate had already fallen to zero there, and yours hadn't. One run each, on
# {{ len(photos) }} photos: read no difference that is smaller than the bars.
#
# **On the real images** (100 photos and 60 paintings held out; `python tools/real_images.py 04_resnet_cyclegan`)
#
# ```
#                        KID, Lite0   SqueezeNet, photo = 1   scene kept
# photo               0.091 ± 0.008                    1.00         1.00
# colour transfer     0.079 ± 0.008                    0.71         0.99
# style statistics    0.027 ± 0.004                    0.56         0.96
# U-Net               0.126 ± 0.009                    1.64         0.94
# yours               0.036 ± 0.005                    0.49         0.96
# yours, brush 2      0.076 ± 0.006                    2.21         0.93
# the course's        0.012 ± 0.003                    0.42         0.89
# ```
#
# (The course's generator knows most of these 60 paintings from its training.) On the sample, *{{ near[0] }}* is nearest
# by Lite0, *{{ near[1] }}* by SqueezeNet. The course's generator may have an advantage there too: an earlier one made the
# paintings. SqueezeNet's column flatters style statistics, whose pixels descended its features; Lite0's flatters the four
# rows whose generators learnt against Lite0. Now look. Colour transfer leaves every texture as it was. Style statistics
# put one painting's texture everywhere. Where does yours invent strokes in flat places, such as skies, and what does the
# wider brush lose?
#
# ## Exercises
#
# ### Exercise 1: a residual block to repair
#
# This block should compute x + F(x), where F is: pad by reflection, convolve, norm, ReLU, pad by reflection, convolve,
# norm. It has three bugs.


# %%
def normed(x):
    spread = x.std((1, 2), keepdims=True)
    return (x - x.mean((1, 2), keepdims=True)) / (spread + 1e-5)


def block(x, first, second):
    rim = ((0, 0), (1, 1), (1, 1), (0, 0))
    y = tf.nn.conv2d(np.pad(x, rim), first, 1, "VALID").numpy()
    y = normed(np.maximum(y, 0))
    y = tf.nn.conv2d(np.pad(y, rim), second, 1, "VALID").numpy()
    return np.maximum(x + normed(y), 0)


solved = lesson.check_block(block)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def block(x, first, second):
#     rim = ((0, 0), (1, 1), (1, 1), (0, 0))
#     y = tf.nn.conv2d(np.pad(x, rim, "reflect"), first, 1, "VALID").numpy()
#     y = np.maximum(normed(y), 0)
#     y = tf.nn.conv2d(np.pad(y, rim, "reflect"), second, 1, "VALID").numpy()
#     return x + normed(y)
# ```
# A ReLU after the sum would cut off the negative values at every block, also where F is zero.
# </details>
#
# ### Exercise 2: instance norm
#
# Write `instance_norm(x)` for an array (n, h, w, c), in NumPy, without scale and shift.


# %%
def instance_norm(x):
    return ...


solved = lesson.check_instance_norm(instance_norm)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def instance_norm(x):
#     mean = x.mean((1, 2), keepdims=True)
#     return (x - mean) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
# ```
# In Keras this is `GroupNormalization(groups=-1)`. With `groups=1`, as in
# [Keras' CycleGAN example](https://keras.io/examples/generative/cyclegan/), it is layer norm.
# </details>
#
# ### Exercise 3: the receptive field
#
# Write `field(layers)`, which returns the side of the input patch behind one output, for any list of (kernel, stride).


# %%
def field(layers):
    return ...


solved = lesson.check_field(field)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def field(layers):
#     size = 1
#     for kernel, stride in reversed(layers):
#         size = (size - 1) * stride + kernel
#     return size
# ```
# One more layer of stride 2 at the front makes 142 pixels of 70. Try it.
# </details>
#
# ### Exercise 4: the learning rate
#
# Write `rate(step, start, constant, total)`: it is `start` for the first `constant` steps and then falls linearly to 0
# at `total`.


# %%
def rate(step, start, constant, total):
    return ...


solved = lesson.check_rate(rate)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def rate(step, start, constant, total):
#     return start * min(1, max(0, (total - step) / (total - constant)))
# ```
# It is a function of the step alone, and therefore right after resuming. A schedule that counts from the start of the
# *session* begins anew with every session.
# </details>
#
# ### Exercise 5: find the fault
#
# Give each run of the figure above the name of its fault, as the section lists them.

# %%
my_faults = {"A": ..., "B": ..., "C": ..., "D": ..., "E": ..., "F": ...}

solved = lesson.check_faults(my_faults)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_faults = {
#     "A": "a resume that restored the generators alone",
#     "B": "photos scaled to [0, 1]",
#     "C": "the discriminator's labels swapped",
#     "D": "a learning rate far too high",
#     "E": "transposed convolutions",
#     "F": "a cycle weight far too high",
# }
# ```
# | | symptom | cause | test | remedy |
# |---|---|---|---|---|
# | A | both sides' losses jump at one step | discriminators and moments were lost | restore twice and compare: equal steps must follow | save everything that a step depends on |
# | B | the photo itself is pale | /255 instead of /127.5 − 1 | print the smallest and the largest value of a batch | one function scales both sets |
# | C | both sides' losses fall to zero together | they work for each other | the loss for D(real) = 1, D(fake) = 0 must be 0 | swap the labels back |
# | D | one colour, curves stand still | steps too wide: outputs saturate at ±1 | the share of pixels beyond ±0.98 | a smaller rate, by factors of ten |
# | E | a grid in flat places, here a faint one; calm curves | uneven strokes | unevenness of the answer to a constant | resize, then convolve |
# | F | painting = photo, cycle near zero | copying is the cheapest way | mean difference of painting and photo | a smaller cycle weight |
#
# Then ask the tool. [`monet diagnose`](../docs/diagnosis.md) names A, B, C, D and F from these curves and this one small
# picture, and calls E healthy: it looks for the grid in the spectrum, and one picture of 64 px is too little for that.
# You had to find E by elimination: at this size its grid is faint stripes in the sky. [The museum](../docs/museum.md) has
# more such rooms; `monet museum checkerboard` makes one.
# </details>
#
# ### Exercise 6: an ablation, to hand in
#
# Which settings of `quick` matter in a short training? Design the experiment: `my_runs` names at least three runs and
# what each of them changes ([all settings](../monet_lib/config.py)), and `my_seeds` lists the seeds. The checker reads
# the design. When it is sound, the cell trains all runs (about a minute each on two cores) and keeps the table, to be
# handed in. What did you expect, and what do the seeds allow to say?

# %%
my_runs, my_seeds = ..., ...

if lesson.check_ablation(None if my_runs is ... else (my_runs, my_seeds)):
    ablated = lesson.ablation(my_runs, my_seeds, quick, plan.ablate, kept, out)
    keep(4, "An ablation", ablated)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_runs = {
#     "as it is": {},
#     "patches alone": {"feature_discriminator": 0.0},
#     "no DiffAugment": {"diff_augment": ""},
# }
# my_seeds = [0, 1]
# ```
# One run to compare with, one change in each of the others, and two seeds: only then can a difference be read. There is
# no right table.
# </details>
#
# ## Self-quiz
#
# Choose an answer by clicking on it, and read why it is right or wrong.
#
# **1. Why may a ResNet generator train at 128 px and paint at 256 px?**
#
# <details><summary>It is convolutional: the same weights work at every place</summary>
#
# **Right.** What changes is how much of the scene fits into a receptive field and, with instance norm, the statistics.
# </details>
#
# <details><summary>It resizes its input to 128 px</summary>
#
# **No.** Its output has the size of its input.
# </details>
#
# <details><summary>It may not: it must be trained again</summary>
#
# **No.** Yours was trained on crops of 128 px and has painted 256 px above.
# </details>
#
# **2. Kernel 4 and stride 2 overlap evenly. Why did the fresh layer draw a grid?**
#
# <details><summary>Rounding errors</summary>
#
# **No.** The grid is far larger than any rounding.
# </details>
#
# <details><summary>Neighbouring pixels are made by different weights of the kernel</summary>
#
# **Right.** Only if these agree is a constant painted constant, and fresh weights don't agree.
# </details>
#
# <details><summary>The stride is too small</summary>
#
# **No.** A larger stride makes the grid coarser.
# </details>
#
# **3. Why must real and generated pictures be altered in the same ways in DiffAugment?**
#
# <details><summary>To save time</summary>
#
# **No.** It costs time: there is more to compute.
# </details>
#
# <details><summary>Otherwise the alteration itself would tell real from fake</summary>
#
# **Right.** If only real ones were altered, the generator would learn to paint shifted and masked pictures.
# </details>
#
# <details><summary>Because the generator is augmented too</summary>
#
# **No.** Only what the discriminator sees is altered.
# </details>
#
# **4. KID by Lite0 halves during training, KID by SqueezeNet stays. What do you conclude?**
#
# <details><summary>The paintings are twice as good</summary>
#
# **No.** The photos that were pulled above looked as they had before, with a far better KID.
# </details>
#
# <details><summary>SqueezeNet is too weak to judge</summary>
#
# **No.** It tells paintings from photos: see the table above.
# </details>
#
# <details><summary>Perhaps only that the training has met the features it trained against</summary>
#
# **Right.** Look at the pictures, and believe the network that took no part.
# </details>
#
# **5. The losses have been flat for an hour, and KID is still falling. Stop?**
#
# <details><summary>Yes, flat losses mean that nothing is learnt any more</summary>
#
# **No.** Both sides can improve at the same pace, and then the losses stay.
# </details>
#
# <details><summary>No: KID measures the pictures</summary>
#
# **Right.** Stop when the curve of KID, within its bars, no longer falls.
# </details>
#
# <details><summary>Yes, or it will overfit</summary>
#
# **No.** Overfitting would show in the KID against held-out paintings.
# </details>

# %% [markdown]
# ## Recap
#
# - [Residual blocks](../docs/glossary.md#residual-block) add changes;
#   [instance norm](../docs/glossary.md#instance-normalization) removes contrast;
#   [reflection padding](../docs/glossary.md#reflection-padding) avoids a frame; resizing before convolving avoids the
#   [checkerboard](../docs/glossary.md#checkerboard).
# - One answer of the [PatchGAN](../docs/glossary.md#patchgan) depends on 70×70 pixels, and neighbours are 8 apart.
# - A discriminator with few paintings learns them by heart; altered pictures slow down all that it learns.
# - The network that a training used may not be the only judge.
# - Train in a folder, hold images out, and let KID with its bars choose the checkpoint.
# - Pictures and curves together tell a fault; a test proves it.
#
# Next: [lesson 5](05_submission.ipynb) paints all photos with your generator, packs `images.zip`, and measures what
# Kaggle will measure.
