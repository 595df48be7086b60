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
# - residual blocks: a network that begins by changing nothing
# - what instance norm removes from a picture, and batch norm doesn't
# - where dark frames and checkerboards come from, and how to avoid them
# - to derive the 70×70 pixels that one answer of a PatchGAN depends on, and to draw them
# - how a discriminator learns the paintings by heart, and how to make that harder
# - what image pool, decay, moving average and resuming are for
# - to compare two models fairly, and to design an ablation yourself
#
# **You need** [lesson 3](03_unet_cyclegan.ipynb).
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
# ![Four photographs, painted by the course's generator, and by the same after some more training with more freedom](../docs/images/04_resnet_cyclegan.jpg)
#
# A training run that can be stopped at any moment, with a curve that says which of its checkpoints is the best.

# %% [markdown]
# ## Setup

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

import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from monet_lib.course import resnet as lesson
from monet_lib.course.tools import explore, short_run, shrunk, teach_discriminator
from monet_lib.data import find_images, load, split, to_float
from monet_lib.figures import image_grid, plot_history, plot_validation, read_history, show
from monet_lib.model import (
    ConstantThenLinear,
    ReflectionPadding2D,
    ResidualBlock,
    load_generator,
    normalization,
    patch_discriminator,
    receptive_field,
    resnet_generator,
    save_networks,
    upsample,
)
from monet_lib.paint import SHIPPED, paint_all, photographs
from monet_lib.score import compare, embed, feature_network, scene_kept
from monet_lib.train import Run, train

changes, steps, budget, seeds = lesson.SCALES[config.profile]
config = config.with_(model="resnet", **changes)
pixels = {name: load(find_images(root, name))[1] for name in ("monet", "photo")}
monets, photos = (shrunk(pixels[name][:24], 64) for name in ("monet", "photo"))

# %% [markdown]
# ## A block that changes nothing, at first
#
# A U-Net squeezes the scene through a narrow middle and repairs it by skip connections. The paper's generator, which
# follows [Johnson et al. 2016](https://arxiv.org/abs/1603.08155) and which S0 and S4 use, goes down to only a quarter of
# the size and then stacks [residual blocks](../docs/glossary.md#residual-block)
# ([He et al. 2016](https://arxiv.org/abs/1512.03385)). A residual block computes x + F(x): it *adds a change* to what came
# in. S4 has nine of them; S0 concludes that it could have used fewer.
#
# **Predict first:** F consists of two convolutions with fresh weights from N(0, 0.02), and norms. The last norm multiplies
# its output by a learnt number, gamma. If you set gamma to 0, what does the block do?


# %%
class MyResidualBlock(layers.Layer):
    def __init__(self, filters, norm="instance"):
        super().__init__()
        start = keras.initializers.RandomNormal(stddev=0.02)
        conv = [layers.Conv2D(filters, 3, use_bias=False, kernel_initializer=start) for _ in range(2)]
        norms = [normalization(norm, filters) for _ in range(2)]
        steps = [ReflectionPadding2D(1), conv[0], norms[0], layers.ReLU()]
        self.residual = keras.Sequential([*steps, ReflectionPadding2D(1), conv[1], norms[1]])

    def call(self, x):
        return x + self.residual(x)


x = np.random.default_rng(0).normal(size=(2, 8, 8, 16)).astype(np.float32)
mine, theirs = MyResidualBlock(16), ResidualBlock(16)
mine(x), theirs(x)
mine.set_weights(theirs.get_weights())
np.testing.assert_allclose(mine(x), theirs(x), atol=1e-5)
gamma = mine.residual.layers[-1].gamma
gamma.assign(0 * gamma.value)
np.testing.assert_array_equal(mine(x), x)
print("with gamma 0 the block hands its input on, bit by bit")

# %% [markdown]
# Nothing: it hands its input on. A stack of nine blocks is therefore not nine times as hard to train as one. The way
# around each F stays open: the input reaches the last block unchanged, and the gradient reaches the first block. Now
# the whole generator: c7s1-64, d128, d256, nine blocks, u128, u64, c7s1-3, in the paper's shorthand (c7s1: convolution
# 7×7, stride 1; d: down; u: up; then the filters).

# %%
paper = resnet_generator(filters=64, residual_blocks=9)
print(f"{paper.count_params():,} weights; the usual U-Net of lesson 3 has 54,414,531")
for size in (64, 100, 256):
    shape = paper.compute_output_shape((1, size, size, 3))
    print(f"{size} px in, {shape[1]} px out")
weights = sum(np.prod(w.shape) for layer in paper.layers for w in layer.weights if isinstance(layer, ResidualBlock))
print(f"one residual block: {weights // 9:,} weights; nine are {weights / paper.count_params():.0%} of all")
assert paper.count_params() == 11_383_427

# %% [markdown]
# It has a fifth of the U-Net's weights, but each of them is used more often: for a picture of 256 px, the
# convolutions of a residual block run over 64×64 places, while the U-Net's largest layers run over a handful.
#
# ## What instance norm forgets
#
# S4 prefers [instance norm](../docs/glossary.md#instance-normalization)
# ([Ulyanov et al. 2016](https://arxiv.org/abs/1607.08022)), because it takes the dependence on contrast out of
# stylization. Test that: take photos, halve their contrast, and give both versions to one convolution that is followed by
# a norm. **Predict first:** how far apart are the two outputs with instance norm? And with batch norm, as it works when
# painting (with stored averages)?

# %%
faded = 0.5 * photos
keras.utils.set_random_seed(config.seed)
conv = layers.Conv2D(8, 5, padding="same", use_bias=False)
responses = {}
for norm in ("instance", "batch"):
    layer = normalization(norm, 8)
    for _ in range(60):  # batch norm collects its averages in training
        layer(conv(photos), training=True)
    responses[norm] = [np.asarray(layer(conv(x), training=False)) for x in (photos, faded)]
    full, half = responses[norm]
    print(f"{norm:9} norm: mean difference {np.abs(full - half).mean():.3f}, mean size {np.abs(full).mean():.3f}")
x = np.asarray(conv(photos))
by_hand = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
np.testing.assert_allclose(responses["instance"][0], by_hand, atol=1e-3)
assert np.abs(np.subtract(*responses["instance"])).mean() < 0.1 * np.abs(np.subtract(*responses["batch"])).mean()


# %%
def as_grey(map_):
    span = np.abs(responses["batch"][0]).max()
    return np.repeat(map_[..., None], 3, -1) / span


rows = [[photos[0], faded[0]]]
rows += [[as_grey(x[0, ..., 0]) for x in responses[norm]] for norm in ("instance", "batch")]
show(
    image_grid(
        rows,
        ["full contrast", "half contrast"],
        row_labels=["photo", "instance norm", "batch norm"],
        least=192,
    ),
    "A photo and its faded version; equal maps after instance norm; after batch norm the second map is paler",
)

# %% [markdown]
# After instance norm the two versions can't be told apart: the contrast of a *photo* no longer decides how strongly it is
# *painted*. That is useful, because 7,038 photos by many cameras come with every contrast. Batch norm divides all images
# by one stored figure and lets the difference through. With one image in a batch there is a second problem: it trains with
# the statistics of single pictures and paints with averages over many.
#
# Instance norm also has a price: what it removes, the network cannot use. A foggy morning and a clear noon get the same
# treatment.
#
# ## The edge of the picture
#
# A convolution near the edge needs pixels that aren't there. Zeros are the default, and zero is mid-grey in [−1, 1]. The
# paper pads by [reflection](../docs/glossary.md#reflection-padding): it mirrors the picture at its edge. **Predict first:**
# send a bright picture through eight 3×3 averages. What do zeros do to its edge?


# %%
def blurred(image, padding, times=8):
    kernel = np.eye(3, dtype=np.float32)[None, None] / 9 * np.ones((3, 3, 1, 1), np.float32)
    x = image[None]
    for _ in range(times):
        x = ReflectionPadding2D(1)(x) if padding == "reflection" else ops.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
        x = ops.conv(x, kernel, padding="valid")
    return np.asarray(x)[0]


bright = to_float(pixels["photo"][0]).numpy() * 0.3 + 0.6
edges = {padding: blurred(bright, padding) for padding in ("zeros", "reflection")}
for padding, image in edges.items():
    rim, inside = image[:2].mean(), image[8:10].mean()
    print(f"{padding:10} outermost rows {rim:.2f}, rows 8 and 9 {inside:.2f}")
show(
    image_grid([[bright, *edges.values()]], ["input", "zeros", "reflection"]),
    "A bright picture; with zeros it gets a dark frame; with reflection it is blurred evenly up to its edge",
)
assert edges["zeros"][:2].mean() < edges["reflection"][:2].mean() - 0.1

# %% [markdown]
# Zeros draw a frame, several pixels wide, into every picture. A generator can learn to remove the frame, but this
# takes weights that it could use better.
#
# ## Checkerboards
#
# Regular patterns are the most frequent complaint after wrong colours. In a
# [transposed convolution](../docs/glossary.md#transposed-convolution) every input value paints a stroke (lesson 2), and
# where strokes overlap unevenly there is a pattern, whatever the picture. **Predict first:** with strokes of 3 that lie 2
# apart, how many strokes cover each pixel? And with strokes of 4?

# %%
for kernel in (3, 4):
    print(f"kernel {kernel}, stride 2: {lesson.overlaps(6, kernel, 2)}")
flat = np.ones((1, 32, 32, 8), np.float32)
made = {}
for name, size, how in (
    ("transposed 3×3", 3, "transpose"),
    ("transposed 4×4", 4, "transpose"),
    ("resized 3×3", 3, "resize"),
):
    patterns = []
    for seed in range(12):
        keras.utils.set_random_seed(seed)
        patterns.append(np.asarray(upsample(3, size=size, norm="none", how=how, activation="linear")(flat))[0])
    made[name] = np.stack(patterns)
    print(f"{name}: unevenness {lesson.unevenness(made[name]) / np.abs(made[name]).mean():.2f} of the mean value")
assert lesson.unevenness(made["resized 3×3"]) < 1e-5 < lesson.unevenness(made["transposed 4×4"])

# %%
patterns = [x[0] / np.abs(x[0]).max() for x in made.values()]
show(
    image_grid([[x[16:40, 16:40] for x in patterns]], list(made), least=192),
    "Three enlarged answers to a constant input: two show a regular pattern of squares, the third is one even colour",
)

# %% [markdown]
# The input is constant, so any pattern comes from the layer. With 3×3 even the *number* of strokes alternates, 1 and 2.
# With 4×4 every pixel gets two strokes in each direction, but through different weights, so a fresh layer draws a grid as
# well and has to learn not to. The cure ([Odena et al. 2016](https://distill.pub/2016/deconv-checkerboard/)): enlarge by
# repeating pixels, *then* convolve; now all weights meet all places. The `laptop` profile does so (`upsample="resize"`).
# In the comparison of recipes below, transposed convolutions ended with a KID of 0.219 and resized ones, otherwise alike,
# with 0.113.
#
# ## 70×70
#
# Which pixels does one answer of the PatchGAN depend on? S4 explains that each of its 30×30 answers judges 70×70 pixels.
# Derive it from the end: one answer is one value, and a layer with kernel k and stride s needs (n − 1)·s + k values to give
# n of them. **Predict first:** how many values does the last layer (kernel 4, stride 1) need for one answer, and how many
# does the layer before it (the same) need for those?

# %%
size = 1
for kernel, stride in reversed(lesson.PATCHGAN):
    size = (size - 1) * stride + kernel
    print(f"kernel {kernel}, stride {stride}: needs {size}")
assert size == receptive_field(lesson.PATCHGAN) == 70

# %% [markdown]
# And where in the picture do these 70×70 pixels lie? The strides 2·2·2 place neighbouring answers 8 pixels apart. Every
# layer pads one row, and a row of padding is as wide as the strides before it: 1 + 2 + 4 + 8 + 8 = 23 pixels. So the
# patch of answer (row, column) begins at 8·row − 23. The gradient of one answer by the image must be zero everywhere
# else:

# %%
network = patch_discriminator((4, 4, 4, 4), norm="none")
image = tf.Variable(to_float(pixels["monet"][:1]))
with tf.GradientTape() as tape:
    answer = network(image)[0, 12, 20, 0]
seen = np.argwhere(np.abs(tape.gradient(answer, image)[0].numpy()).sum(-1) > 0)
top, left = 8 * 12 - 23, 8 * 20 - 23
print(
    f"the gradient of answer (12, 20) reaches rows {seen.min(0)[0]} to {seen.max(0)[0]}; computed: {top} to {top + 69}"
)
assert tuple(seen.min(0)) == (top, left)
assert tuple(seen.max(0)) == (top + 69, left + 69)

# %%
patch = explore(
    lambda row, column: lesson.patch_figure(pixels["monet"][0], row, column),
    "A painting with a square of 70×70 pixels marked, and the square enlarged",
    row=(0, 29, 12),
    column=(0, 29, 20),
)
if patch:  # as a hand on the slider would
    patch["row"].value = 0
    patch.redraw()

# %% [markdown]
# At the edge a part of the patch lies outside of the picture, where the padding is. Neighbouring patches overlap widely,
# and the result for the whole picture is the mean of 900 answers. A discriminator of 16 pixels would see colours and grain,
# one of 286 the composition; 70 pixels hold some brush strokes and their surroundings.
#
# ## A discriminator that learns by heart
#
# S3's discriminator had a loss near zero. Here is how that can come about: a discriminator gets a third of the paintings
# against all photos, and its answers are watched for the paintings that it has never met. (Each painting of the sample
# comes from a photograph of its own, so their scenes are new to it as well.) **Predict first:** will it take those for
# paintings?

# %%
known = len(monets) // 3
watch = {"seen": monets[:known], "held": monets[known:], "photo": photos}
runs = {}
for policy in ("", "translation", "color,translation"):
    runs[policy or "nothing altered"] = histories = []
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        network = patch_discriminator((16, 32, 64, 128), norm="instance")
        count = 300 if config.profile != "tiny" else 3
        pair = (monets[:known], photos)
        histories.append(teach_discriminator(network, *pair, count, rate=5e-4, policy=policy, watch=watch, seed=seed))
    ends = {k: [f"{found[k][-1]:+.1f}" for found in histories] for k in watch}
    print(f"{policy or 'nothing altered':18}", "  ".join(f"{k} {', '.join(v)}" for k, v in ends.items()))
    assert np.isfinite(histories[0]["seen"]).all()
show(
    lesson.heart_figure(runs),
    "Mean logits while a discriminator learns: known paintings rise highest, unknown ones stay below them, photos fall",
)
gaps = {name: np.mean([f["seen"][-1] - f["held"][-1] for f in found]) for name, found in runs.items()}
print({name: round(float(gap), 1) for name, gap in gaps.items()}, "between known and unknown paintings")
if config.profile != "tiny":
    assert gaps["color,translation"] < gaps["nothing altered"]

# %% [markdown]
# In the left panel the discriminator becomes very certain about the paintings that it knows and much less certain
# about the others. It has learnt a list of paintings as well as a style, and such a discriminator teaches a generator
# to imitate the paintings of the list.
#
# [Differentiable augmentation](../docs/glossary.md#differentiable-augmentation) ([Zhao et al.
# 2020](https://arxiv.org/abs/2006.10738)) shifts, recolours and masks everything that the discriminator sees, real
# and generated pictures by the same random numbers. An alteration then says nothing about what is real, so it doesn't
# leak into the results as S3's upside-down copies do (lesson 2), and the gradient passes through it to the generator.
# With colours and shifts together the gap between known and unknown paintings is much smaller, and so is the
# certainty. (About shifts alone be careful: a curve can jump at the last step, so compare whole curves and both
# seeds.) The `full` profile uses it, and the `laptop` profile the shifts alone. The [two-objective
# notebook](https://www.kaggle.com/code/unfriendlyai/two-objective-discriminator), one of S2's sources, uses it with a
# discriminator that has two outputs, each with a loss of its own (`adversarial="hinge,bce"`).
#
# ## Three helpers of a long training
#
# - **[Image pool](../docs/glossary.md#image-pool)** ([Shrivastava et al. 2017](https://arxiv.org/abs/1612.07828)): the
#   discriminator also sees fakes from a while ago, so that it does not forget them while the generator moves on.
# - **[Decay](../docs/glossary.md#learning-rate-decay)**: the learning rate is constant for a time and then falls linearly
#   to zero, so that the training comes to rest instead of circling around a good place.
# - **[EMA](../docs/glossary.md#ema)**: a moving average of the generator's weights does the painting. It averages out the
#   back and forth of the last steps.
#
# **Predict first:** a pool of 50 images exchanges every second image. How old is the average image that the discriminator
# sees?

# %%
ages = lesson.pool_ages(50 if config.profile != "tiny" else 5, 600 if config.profile != "tiny" else 40)
descent = lesson.noisy_descent()
schedule = ConstantThenLinear(2e-4, 50, 100)
rates = [float(schedule(step)) for step in range(101)]
print(f"fresh images: {np.mean(ages == 0):.0%}; mean age {ages.mean():.0f} steps")
print(
    f"distance from the best, last 200 steps: weight {np.abs(descent[0][-200:]).mean():.2f}, "
    f"average {np.abs(descent[1][-200:]).mean():.2f}"
)
show(
    lesson.helpers_figure(ages, descent, rates),
    "A histogram of ages with a peak at 0 and a long tail; a jittering weight and its calm average; a rate that falls",
)
assert np.abs(descent[1][-200:]).mean() < np.abs(descent[0][-200:]).mean()
assert rates[50] == rates[0] > rates[75] > rates[100] == 0

# %% [markdown]
# Half of the images are fresh. The others have waited for about a hundred steps on average (50 places, one exchange
# every second step), so in a long training the mean age is about 50. The count above is a little lower, because it
# watches a few hundred steps only and so misses the longest waits.
#
# ## Train, stop, resume
#
# S0 writes that more epochs would have been beneficial, S4 stopped after one epoch because it learnt slowly, and a Kaggle
# session ends after 9 to 12 hours. A training must therefore survive being stopped, with its weights, both optimizers, the
# learning rate, the moving average, the pool, the order of the data and the random numbers. `train` keeps all of that in a
# folder. It also has to find out which checkpoint is the best: some paintings and photos are held out of the training, and
# every so often the held-out photos are painted and compared with the held-out paintings by
# [KID](../docs/glossary.md#kid) (lesson 5; lower is better). The training meets neither the held-out images nor other
# parts of their scenes: every image of the sample comes from a photograph of its own.
#
# Here a callback presses Ctrl-C in the middle.

# %%
held = {
    "holdout_monets": min(60, len(pixels["monet"]) // 3),
    "holdout_photos": min(100, len(pixels["photo"]) // 3),
}
run_config = config.with_(steps=steps, validate_every=max(2, steps // 10), checkpoint_every=max(2, steps // 4), **held)
folder = Path("runs") / f"lesson4-{config.profile}"
shutil.rmtree(folder, ignore_errors=True)  # begin anew each time that the lesson runs


class PressCtrlC(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == steps // 2:
            raise KeyboardInterrupt


train(run_config, root, folder, callbacks=[PressCtrlC()])
stopped = read_history(folder / "history.csv")["step"][-1] if steps > 20 else steps // 2
assert stopped <= steps // 2

# %% [markdown]
# The same call resumes it. That the result is *bit by bit* what an uninterrupted run gives is proven by the library's
# tests, which kill the process at random moments.

# %%
model = train(run_config, root, folder)
history = read_history(folder / "history.csv")
assert int(model.step) == steps
assert all(np.isfinite(values).all() for values in history.values())
print(sorted(path.name for path in folder.iterdir()))
last, _ = load_generator(folder / "generator.npz")
np.testing.assert_array_equal(last.get_weights()[0], model.averaged_generator.get_weights()[0])
if len(history["step"]) > 1:
    show(
        plot_history(history, smooth=0.8),
        "Loss curves over all steps without a break at the interruption in the middle: cycle and identity fall",
    )

# %%
scores = np.genfromtxt(folder / "validation.csv", delimiter=",", skip_header=1, ndmin=2)
assert np.isfinite(scores).all()
show(
    plot_validation([tuple(row) for row in scores], run_config.features),
    "KID against held-out paintings over training steps, with its spread, the best step marked by a star",
)
best = int(scores[scores[:, 1].argmin(), 0])
print(f"KID {scores[0, 1]:.4f} at step {int(scores[0, 0])}, best {scores[:, 1].min():.4f} at step {best}")

# %% [markdown]
# The losses cannot tell when to stop: the two sides of a GAN can keep each other in balance whether the pictures
# improve or not. The curve of KID can tell, as far as its bars allow. With the few held-out paintings of the sample
# the bars are about as wide as the differences; with 60 paintings they are narrower. (The step of the interruption
# has no point: the run was stopped before the measurement.) The best checkpoint is kept in `checkpoints/best`, and
# `Run.generator` paints with it.
#
# ## U-Net against ResNet, on the same budget
#
# "Which is better?" must mean: after the same *time*, on the same data, with the same helpers, by the same measure. Both
# have the moving average and the pool here, neither trains on the held-out images, and both get the same number of seconds
# for each of the seeds. **Predict first:** which of them takes more steps in that time? Which keeps more of the scene?

# %%
kept, out = {}, {}
for name in ("monet", "photo"):
    train_on, hold_out = split(len(pixels[name]), held[f"holdout_{name}s"], config.seed)
    kept[name], out[name] = pixels[name][train_on], pixels[name][hold_out]
features = feature_network(config.features)
real = embed(out["monet"], features)
MODELS = {"ResNet": {}, "U-Net": {"model": "unet", "unet_depth": 5, "upsample": "transpose"}}
painters = {}
for name, setting in MODELS.items():
    for seed in seeds:
        own = config.with_(seed=seed, **setting)
        _, clock = short_run(own, kept["monet"], kept["photo"], 2 if not budget else 20)
        each = float(np.median(clock["seconds"]))  # without the first step, which traces the graph
        count = max(2, int(budget / each))
        run, _ = short_run(own, kept["monet"], kept["photo"], count)
        painters[name, seed] = run.averaged_generator
        painted = paint_all(run.averaged_generator, out["photo"])
        found = compare(features, embed(painted, features), real)
        scene = scene_kept(out["photo"], painted)
        print(
            f"{name:7} seed {seed}: {count:5} steps, scene kept {scene:.2f}, KID {found.kid:+.4f} ± {found.kid_std:.4f}"
        )
        assert painted.dtype == np.uint8
untouched = compare(features, embed(out["photo"], features), real)
print(f"photos as they are: KID {untouched.kid:+.4f} ± {untouched.kid_std:.4f} ({config.features})")

# %%
shown = out["photo"][:4]
results = [paint_all(painters[name, seeds[0]], shown) for name in MODELS]
assert all(painted.shape == shown.shape for painted in results)
show(
    image_grid([shown, *results], row_labels=["photo", *MODELS]),
    "Four held-out photos; their paintings by the ResNet and by the U-Net after the same time",
)

# %% [markdown]
# The U-Net takes more steps in the same time, because most of its convolutions run over small maps. It also keeps a
# little more of the scene, because its skip connections hand the edges on. Look at the edges in the pictures first,
# then at the colours, then for patterns. Compare the numbers of the two seeds before you compare the models, and then
# compare all of them with the last line. A generator learns first to keep the scene and much later to paint, so after
# so few steps its results can be further from the paintings than the untouched photos are. On this small scale the
# numbers say which model learns faster, not which is better after a day. Published results for this competition lie
# near each other (by one author, in five hours of a GPU each: ResNets 46.8 and 50.2, a U-Net 40.5; see
# [docs/kaggle.md](../docs/kaggle.md)), and reruns of one recipe differ by 2 to 3.
#
# ## How the course's generator was trained
#
# [`models/monet.npz`](../models/README.md), half a million weights, is what `monet translate photo.jpg` paints with.
# This library made it from the competition's images, on two processor cores. How does one find settings for so small a
# machine? In the way that this lesson has taught: with equal time, equal data and one measure. Eight recipes had eight
# minutes each. **Predict first:** which comes out ahead, a U-Net with 54 million weights, the paper's ResNet with 11,
# or one with half a million? And what do norms in the generator do to it?
#
# <details><summary>The answer</summary>
#
# | recipe | steps in 8 minutes | KID |
# |---|---|---|
# | official tutorial: U-Net, 256 px, BCE | 228 | 0.127 |
# | the paper's ResNet: 9 blocks, 64 filters | 706 | 0.194 |
# | 6 blocks, 32 filters, instance norm | 2,116 | 0.113 |
# | the same with transposed convolutions | 2,234 | 0.219 |
# | 6 blocks, 16 filters, instance norm | 3,529 | 0.123 |
# | **the same without norms in the generators** | 4,390 | **0.059** |
# | the one in bold, cycle weight 5, identity fading out | 3,742 | 0.073 |
# | the one in bold with DiffAugment | 4,128 | 0.102 |
#
# `python benchmarks/recipes.py --earlier`, on an Intel Xeon with 2 cores; KID by an ImageNet network, photos as they are
# 0.085; [pictures and the way there](../benchmarks/recipes.md). (Only an earlier version of the library could let the
# identity loss fade out.)
#
# Each recipe was trained once, and between the third and the fourth quarter of its time a KID still changed by up to
# 0.06: trust only large differences. In a training of minutes, the number of steps counts more than the size of the
# network. And a surprise: instance norm, which the sections above praise, costs more than it gives when time is short.
# It makes every crop forget how bright and contrasty it was, and the generator has to guess that: halos around edges
# and dull meadows are the result. Without it, a network with He's initial weights starts near the photo and learns only
# what to change. The discriminators of these recipes keep their norms.
# </details>
#
# Then the winner was trained for longer. The first generator of this course was made in two stages, the second
# beginning with the networks of the first:
#
# 1. 21,000 steps on crops of 128 px, with a cycle weight of 10 and an identity weight of 3. The result keeps its scene and
#    changes little.
# 2. 6,000 steps on whole images, with weights of 3 and 0.5. So much freedom from the beginning does not pay, as the
#    freer recipe of the table shows; after a first stage it does. Why whole images? On small crops, dark skies filled
#    with a chequered pattern. A possible explanation: the discriminators have instance norm, which stretches whatever
#    they see to the same contrast, so that on a crop of bare sky they expect as many strokes as on a tree. A whole
#    image holds both, and beside the tree the sky may stay calm.
#
# **Predict first:** in the second stage the learning rate falls from step 3,000 on, to zero at 6,000. What would 14,000
# steps at the full rate have given?
#
# <details><summary>The answer</summary>
#
# That was tried first. The first 3,000 steps are the same, bit by bit. At step 5,500 its KID was still as good
# (0.027), but there were yellow dots in dark skies. Then the loss of the Monet discriminator sank, from 0.23 to 0.08,
# and that of the generator rose: the discriminator had found something that every fake has. After 14,000 steps a band
# of stripes ran along the right edge of every painting. (The padding tells a network where the edge is, so it can
# learn to paint something there.) The KID was 0.043. When a discriminator's loss sinks for long, ask what it sees;
# and let the learning rate fall at the end.
# </details>
#
# The profile `laptop` has changed since. Its patch discriminator has no instance norm any more, because that asked
# for strokes in bare skies, but spectral normalization, a limit on its weights ([Miyato et al.
# 2018](https://arxiv.org/abs/1802.05957)). A [second discriminator](../docs/training.md#a-discriminator-on-features)
# looks at the features of a frozen ImageNet network ([Sauer et al. 2021](https://arxiv.org/abs/2111.01007)); it
# learns fast, so the cycle needs less weight. The trainings above go without both, to keep to the paper.
#
# **Predict first:** the profile `quick` trains from nothing for some minutes, with both discriminators, a tone loss and
# DiffAugment's translation. Which single change costs most, after four minutes on two cores: no feature discriminator,
# no patch discriminator, no DiffAugment, or contrastive learning (CUT) in place of the cycle?
#
# <details><summary>The answer</summary>
#
# | what changes | KID, EfficientNet-Lite0 | KID, SqueezeNet, photos 1 | pattern in skies, paintings 1 |
# |---|---|---|---|
# | nothing | 0.035 | 0.41 | 0.9 |
# | no feature discriminator | 0.083 | 0.84 | 0.1 |
# | feature discriminator alone | 0.021 | 0.54 | 1.0 |
# | no DiffAugment | 0.025 | 0.38 | 2.6 |
# | CUT instead of the cycle | 0.030 | 0.51 | 0.5 |
# | official tutorial | 0.153 | 1.36 | 8.9 |
#
# `python benchmarks/recipes.py --minutes 4`, on an Intel Xeon with 2 cores; [all of it](../benchmarks/recipes.md). Without
# the feature discriminator the paintings are still photos. By the first number alone, it would be best to have no
# other; but that number comes from the very network that it looks through, and a network that nobody trained against
# sees less of Monet. So never judge by the features that you trained against. And without the translation both numbers
# are a little better, while flat skies get a regular pattern, which they hardly see: no number replaces looking.
# </details>
#
# The generator that ships now is that first generator after two more stages, together 45 minutes on two cores:
#
# 3. 5,000 steps on crops of 128 px with the second discriminator beside the first, a cycle weight of 1, and a **tone
#    loss**: averaged over squares of 16 px, a painting's colours may differ from the photo's by an eighth of the range
#    without any cost, and only what goes beyond that costs. Without this loss the same training turned night into day:
#    the way back can read from the strokes where it was dark, so the cycle loss does not notice. KID fell by more than
#    half, but dark skies were still filled with a pattern of dots, which validation measures too.
# 4. 4,000 steps in which the tone loss also bounds how much contrast a square may gain, so that a bare sky stays nearly
#    bare, at a rate that falls to zero. The pattern is gone.
#
# **Predict first:** on average over all pixels, these paintings are 17 levels of 255 darker than Monet's, and a little
# violet. Six numbers, a factor and a summand for each channel of the last layer, bring both right. No other weight
# moves, and nothing is trained. How much of the KID, 0.0134, can so little be worth?
#
# <details><summary>The answer</summary>
#
# A quarter: 0.0100. By the second network, which no discriminator looked at, the way from other Monets to the photos
# shrinks from 0.29 to 0.23. Nothing in the game holds the tint of all paintings still, so that it wanders to and fro
# while the two sides circle around each other; and the cycle and the identity loss like a painting as dark as its
# photo. [`match_colors`](../tools/ship_generator.py) measures it on paintings of training photos, and puts it
# right. When a score disappoints, look at the simplest statistics first, as in lesson 1. (`python benchmarks/shipped.py`;
# [all of it](../benchmarks/recipes.md).)
# </details>
#
# Settings, logs and scores lie [beside its weights](../models/README.md). The next cell draws the logs.

# %%
if SHIPPED.exists():  # a notebook that came alone has not got it
    stages = [read_history(file) for file in sorted((SHIPPED.parent / "log").glob("*/history.csv"))]
    ends = np.cumsum([[stage["step"][-1], stage["seconds"][-1]] for stage in stages], 0)
    for stage, (steps_before, seconds_before) in zip(stages[1:], ends, strict=False):
        stage["step"] += steps_before
        stage["seconds"] += seconds_before
    names = set.intersection(*(set(stage) for stage in stages))
    log = {name: np.concatenate([stage[name] for stage in stages]) for name in names}
    assert (np.diff(log["step"]) > 0).all()
    figure = plot_history(log, smooth=0.9)
    for axis in figure.axes:
        for end, _ in ends[:-1]:
            axis.axvline(end, color="grey", linestyle=":")
    show(
        figure,
        "Losses of the long training, its stages parted by dotted lines: at a new stage with other weights the curves jump",
    )
    print(f"{log['step'][-1]:,.0f} steps, {log['seconds'][-1] / 3600:.1f} hours of training")
    print(
        f"the Monet discriminator's loss over the last tenth: {log['monet_discriminator'][-len(log['step']) // 10 :].mean():.2f}"
    )

# %% [markdown]
# In the paintings of the first generator, the band of stripes of that longer training was still visible as a pale strip
# along the edges. The section on padding explains the strip: the halvings of this network still pad with zeros, at the
# right and below. No new training was needed to remove the strip. The trained generator gets 24 px of the photo's
# reflection on every side and paints them too, and the library cuts them off (`border`): KID 0.025 instead of 0.027.
#
# ## Train it further
#
# Trained weights are a start: `start_from` names a folder of networks, and training continues from them with your
# images and your settings. It takes all the networks: a trained generator with fresh discriminators would learn from
# networks that know nothing yet, and would forget within minutes what it had learnt. That is why the course ships the
# discriminators and the way back as well.
#
# Give the generator more freedom: halve the weight of the [cycle](../docs/glossary.md#cycle-consistency). **Predict first:**
# what will be given up, and what gained?

# %%
origin = SHIPPED.parent
if not SHIPPED.exists():  # then from the run above
    save_networks(origin := folder, model, run_config)
before, trained = load_generator(origin / "monet.npz")
freer = trained.with_(
    profile=config.profile, start_from=str(origin), steps=lesson.CONTINUED[config.profile],
    cycle_weight=trained.cycle_weight / 2, decay_from=0.0, validate_every=0, **held,
)  # fmt: skip
shutil.rmtree(further := folder.with_name(f"{folder.name}-further"), ignore_errors=True)
model = train(freer, root, further)
after, _ = Run.load(further).generator()
moved = [np.abs(a - b).max() for a, b in zip(after.get_weights(), before.get_weights(), strict=True)]
assert min(moved) > 0
assert np.isfinite(moved).all()

# %% tags=["cover"]
shown = photographs(pixels["photo"][:6])[:4]
results = {"before": paint_all(before, shown), "after": paint_all(after, shown)}
change = results["after"].astype(int) - results["before"]
for name, painted in results.items():
    print(f"{name:7} scene kept (correlation of luminance) {scene_kept(shown, painted):.3f}")
print(f"the change: {np.abs(change).mean():.1f} levels on average, {np.abs(change).max()} at most")
show(
    image_grid([shown, *results.values()], row_labels=["photo", "before", "after"]),
    "Four photographs; painted by the course's generator; painted by the same after some more training with more freedom",
)

# %% [markdown]
# The way back now has to recover less of the photo, so `paint` may change more. Here it gives up contours: they are
# softer than before. The printed correlation does not show this, because it follows the light and dark areas, which
# stay. Look at flat or dark places, too, such as skies and shadows, where invented patterns come up first. What it
# gains is room for broader strokes and other colours. Freedom pays in a long training and costs in a short one: in the
# table above the freer recipe was behind after eight minutes.
#
# ## Exercises
#
# ### Exercise 1: a residual block
#
# Write `block(x, f)`, which returns what a residual block makes of the array `x`, where `f` is its function F.


# %%
def block(x, f):
    return ...


solved = lesson.check_residual(block)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def block(x, f):
#     return x + f(x)
# ```
# There is no activation after the sum: a ReLU there would cut off the negative values at every block.
# </details>

# %% [markdown]
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
# In Keras this is `GroupNormalization(groups=-1)`; with `groups=1`, as in a well-known example, it is layer norm.
# </details>

# %% [markdown]
# ### Exercise 3: the receptive field
#
# Write `field(layers)`, which returns the side of the input patch behind one output, for a list of (kernel, stride).


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
# </details>

# %% [markdown]
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
# It is a function of the step alone, and therefore right after resuming. Programs that count epochs since the start of the
# *session* begin the schedule anew.
# </details>

# %% [markdown]
# ### Exercise 5: a moving average
#
# Write `follow(average, weight, decay)`, which returns the new average after one step.


# %%
def follow(average, weight, decay):
    return ...


solved = lesson.check_average(follow)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def follow(average, weight, decay):
#     return decay * average + (1 - decay) * weight
# ```
# With decay 0.999 it averages over about a thousand steps. A training of 300 steps would then still paint with its first
# weights, so the library begins with a small decay and lets it grow.
# </details>

# %% [markdown]
# ### Exercise 6: an ablation
#
# Which of the paper's choices matter in a short training? Design the experiment: `my_runs` names at least three runs and
# what each of them changes in `config` ([all settings](../monet_lib/config.py)), and `my_seeds` lists the seeds. The
# checker reads the design. When it is sound, the cell trains all runs and prints what they reach.

# %%
my_runs, my_seeds = ..., ...

if lesson.check_ablation(None if my_runs is ... else (my_runs, my_seeds)):
    count = 150 if config.profile != "tiny" else 2
    for name, setting in my_runs.items():
        for seed in my_seeds:
            run, _ = short_run(config.with_(seed=seed, **setting), kept["monet"], kept["photo"], count)
            painted = paint_all(run.painter, out["photo"])
            found = compare(features, embed(painted, features), real)
            print(f"{name:20} seed {seed}: KID {found.kid:+.4f}, scene kept {scene_kept(out['photo'], painted):.2f}")

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_runs = {"as it is": {}, "no norm": {"norm": "none"}, "no identity": {"identity_weight": 0.0}}
# my_seeds = [0, 1]
# ```
# One run to compare with, one change in each of the others, and two seeds: only then can a difference be read.
# </details>

# %% [markdown]
# ## Self-quiz
#
# Choose an answer by clicking on it, and read why it is right or wrong.
#
# **1. Why may a ResNet generator train at 128 px and paint at 256 px?**
#
# <details><summary>It is convolutional: the same weights work at every place</summary>
#
# **Right.** What changes are the statistics that instance norm takes over a larger picture, and how much of
# the scene fits into a receptive field.
# </details>
#
# <details><summary>It resizes its input to 128 px</summary>
#
# **No.** Its output has the size of its input.
# </details>
#
# <details><summary>It may not: it must be trained again</summary>
#
# **No.** The course's generator was trained in part on crops of 128 px.
# </details>
#
# **2. Kernel 4 and stride 2 overlap evenly. Why do such generators still draw grids?**
#
# <details><summary>Rounding errors</summary>
#
# **No.** The grid is far larger than any rounding.
# </details>
#
# <details><summary>Neighbouring pixels are made by different weights of the kernel</summary>
#
# **Right.** Only if these agree is a constant painted constant, and only training can make them agree.
# </details>
#
# <details><summary>The stride is too small</summary>
#
# **No.** A larger stride makes the grid coarser.
# </details>
#
# **3. Why must real and generated pictures be altered alike in DiffAugment?**
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
# **4. S4 trained for one epoch with batch size 4, at most 1,759 steps. Which helper would have mattered least?**
#
# <details><summary>The decay</summary>
#
# **No.** A rate that falls to 0 within the epoch lets the training come to rest.
# </details>
#
# <details><summary>The moving average</summary>
#
# **No.** With a decay that fits so few steps it steadies the result.
# </details>
#
# <details><summary>The image pool</summary>
#
# **Right.** It is there for long trainings, in which the discriminator forgets earlier fakes.
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
# - A discriminator with few paintings learns them by heart; augment what it sees.
# - Train in a folder, hold out paintings, and let the curve choose the checkpoint.
# - Compare with equal time, equal data, equal helpers, and several seeds.
#
# Next: [lesson 5](05_submission.ipynb) paints all photos, packs `images.zip`, and measures what Kaggle will measure.
