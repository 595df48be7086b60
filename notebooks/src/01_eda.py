# %% [markdown]
# # 1 · Know the two sets
#
# Open the competition's files, test on the data what others said about Monet's colours, and make the opponent that
# every network of this course has to beat.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/01_eda.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/01_eda/01_eda.ipynb)

# %% [markdown]
# ## You will learn
#
# - to read a record of a TFRecord file, and to build a `tf.data` pipeline in an order that works
# - what 300 paintings against 7,038 photos mean for training
# - to find copies among images, and to hold images out without holding out their siblings
# - to test statements about two sets of images with effect sizes
# - to give photos a painting's colours in twenty lines, and to score the result
#
# **You need** Python and a little NumPy; no neural networks yet.
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
# ![Two photographs and a detail of each; below them the same in the colours of a painting; below these the same as the course's generator paints them](../docs/images/01_eda.jpg)
#
# The middle row: photos in a painting's colours, made and scored by your own code. The last row is a trained network's.
#
# ## Setup
#
# Without a download, everything runs on the embedded sample: 48 photographs with free licences, and 48 paintings
# ([credits](../data/README.md)). These paintings are not Monets: an earlier generator of the course, which learnt from
# Monet's paintings, painted them from 48 other photographs. `start(download=True)` fetches the real images instead,
# without an account (305 MB). **On the real images** stands above what the same cells print for all 300 paintings
# and 2,816 of the photos; `python tools/real_images.py 01_eda` prints it again.

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

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from monet_lib.course import eda as lesson
from monet_lib.course.checks import keep
from monet_lib.course.tools import explore
from monet_lib.data import find_images, read_batches, split
from monet_lib.figures import image_grid, show
from monet_lib.paint import paint_all, photographs, shipped_generator
from monet_lib.score import compare, embed, feature_network

scored = lesson.scored(config)  # photos

# %% [markdown]
# ## Where this leads
#
# Here is the end of the course first: three photographs, and what a [generator](../docs/glossary.md#generator) makes
# of them. A generator is a network that makes images; this one comes with the course and was trained on the
# competition's images. In lessons 2 to 4 you train such networks. Look at the grass: strokes stand in place of blades.

# %%
painter, _ = shipped_generator()
scenes = photographs(next(read_batches(find_images(root, "photo"), 3))[1])[:3]
painted = paint_all(painter, scenes)
show(
    image_grid([scenes, painted], row_labels=["photo", "painted"]),
    "Three photographs, and below each the same scene painted in strokes",
)

# %% tags=["ci"]
assert painted.shape == scenes.shape == (3, 256, 256, 3)
assert np.abs(painted.astype(int) - scenes).mean() > 8  # it does paint

# %% [markdown]
# ## A record, opened by hand
#
# The images come in TFRecord files, also called *shards*. A shard is a row of records, and each record is a
# `tf.train.Example`: a dictionary from names to bytes or numbers. `parse_single_example` takes such a record and a
# description of what is wanted from it.
#
# **Predict first:** the paintings have 256×256 pixels with three channels of one byte. How many bytes will a record
# have: about 200,000, or far fewer?

# %%
text = tf.io.FixedLenFeature([], tf.string)
wanted = {"image": text, "image_name": text, "target": text}


def parse(record):
    jpeg = tf.io.parse_single_example(record, wanted)["image"]
    return tf.io.decode_jpeg(jpeg, 3, dct_method="INTEGER_ACCURATE")


shards, data = {}, {}
for name in ("monet", "photo"):
    shards[name] = find_images(root, name, "tfrec")
    files = [str(file) for file in shards[name].files]
    data[name] = tf.data.TFRecordDataset(files)
    count = sum(1 for _ in data[name])
    print(f"{name}: {count} records in {len(files)} shards")
record = next(iter(data["monet"]))
feature = tf.io.parse_single_example(record, wanted)
pixels = parse(record).numpy()
print(f"record {len(record.numpy()):,} bytes, pixels {pixels.nbytes:,}")
for name, value in feature.items():
    print(f"{name:11}{value.numpy()[:12]}")

# %% tags=["ci"]
names, batch = next(read_batches(shards["monet"], 1))
np.testing.assert_array_equal(pixels, batch[0])  # what the library reads
assert feature["image_name"].numpy().decode() == names[0]
assert len(record.numpy()) < pixels.nbytes / 2
for name, images in shards.items():
    assert sum(1 for _ in data[name]) == images.named_count()

# %% [markdown]
# Far fewer: {{ len(record.numpy()):,}} bytes here. The record holds the picture as a JPEG, its name, and the set that
# it belongs to. S3 lists the same three features. S1 asks for the image and its name alone, and a parser skips what
# nobody asked for. (`INTEGER_ACCURATE` makes TensorFlow decode to the same pixels as Pillow.) The bytes of the file,
# its checksums, and what shards save are in an [appendix](appendix_tfrecord.ipynb), with a reader of your own.
#
# ## A chain of steps
#
# A `Dataset` is a recipe for a stream of elements, and each method adds one step:
#
# | step | what it does | why at this place |
# |---|---|---|
# | `map(parse)` | decodes each record | slow, so before the cache |
# | `cache()` | keeps what came so far in memory after the first pass | as uint8, a quarter of the memory of floats |
# | `shuffle(n)` | draws the next element at random from a buffer of n | after the cache: each pass gets a new order |
# | `map(augment)` | alters images at random | after the cache: each pass gets new versions |
# | `batch(b)` | stacks b elements | after the steps that work on single images |
# | `prefetch(k)` | prepares k batches while the network works | last |
#
# **Predict first:** put the random step *before* the cache instead. How many different versions of a painting will
# six passes give?


# %%
def augment(pixels):
    return tf.image.random_crop(pixels, (128, 128, 3))


def scaled(pixels):
    return tf.cast(pixels, tf.float32) / 127.5 - 1


images = data["monet"].map(parse, tf.data.AUTOTUNE)
chain = images.cache().shuffle(300, seed=0).map(augment)
chain = chain.batch(4).map(scaled).prefetch(2)
versions = {}
for order, stream in (
    ("cache, then augment", images.take(1).cache().map(augment)),
    ("augment, then cache", images.take(1).map(augment).cache()),
):
    passes = [picture.numpy().tobytes() for _ in range(6) for picture in stream]
    versions[order] = len(set(passes))
    print(f"{order}: {versions[order]} versions in 6 passes")

# %% tags=["ci"]
assert next(iter(chain)).shape == (4, 128, 128, 3)
assert versions["cache, then augment"] > 1 == versions["augment, then cache"]

# %% [markdown]
# The cache keeps what the first pass drew. The CycleGAN example of
# [Keras](https://github.com/keras-team/keras-io/blob/master/examples/generative/cyclegan.py) has this order: it flips
# and crops, then caches.
#
# ## What the imbalance does to an epoch
#
# The competition has 23 photos for each painting. S0 calls this a heavy imbalance and tried batch sizes from 64 down to
# 4; S3 fears that 300 paintings are too few. A CycleGAN, the model that here translates photos into paintings, takes a
# batch of each set in every step and compares no painting with a certain photo, so the larger set can't draw answers to
# its side, as it would in a classifier. It decides *which images the networks meet*. S2 trains for 30
# [epochs](../docs/glossary.md#epoch), passes over the data, on what its summary calls paired datasets. Nothing is paired,
# as its first lines say; in the [notebook](https://www.kaggle.com/code/amyjang/monet-cyclegan-tutorial) that it names as
# a source, this is `Dataset.zip((monets, photos))`, which ends with its shorter member.
#
# **Predict first:** how many of the 7,038 photos do 30 such epochs show, in batches of one, if nothing is shuffled? And
# if all photos are shuffled before each epoch?

# %%
rng = np.random.default_rng(config.seed)
photos, epochs, deal = 7038, 30, rng.permutation
orders = {
    "zip, never shuffled": np.tile(np.arange(300), epochs),
    "zip, all photos shuffled": np.ravel(
        [deal(photos)[:300] for _ in range(epochs)]
    ),
    "dealt like cards": np.ravel([deal(photos), deal(photos)])[: 300 * epochs],
}
met = {name: len(set(order)) / photos for name, order in orders.items()}
result = ", ".join(f"{name}: {share:.0%}" for name, share in met.items())
show(lesson.met_figure(orders, photos), f"Photos met in 9,000 steps. {result}")
print(result)

# %% tags=["ci"]
from monet_lib.data import UnpairedBatches


def numbered(count):  # images of 16 x 16 pixels (hundreds, rest, 0)
    number = np.arange(count)
    colors = np.stack([number // 100, number % 100, 0 * number], 1)
    return np.tile(colors.astype(np.uint8)[:, None, None], (1, 16, 16, 1))


batches = UnpairedBatches(
    numbered(300), numbered(7038), config.with_(crop=16, batch_size=1)
)
shown = {"monet": np.zeros(300, int), "photo": np.zeros(7038, int)}
for step in range(batches.steps_per_epoch):
    for name, image in zip(shown, batches(step), strict=True):
        shown[name][100 * int(image[0, 0, 0, 0]) + int(image[0, 0, 0, 1])] += 1
assert (shown["photo"] == 1).all(), "UnpairedBatches deals like cards"
assert set(shown["monet"]) == {23, 24}
assert (
    met["zip, never shuffled"]
    < met["zip, all photos shuffled"]
    < 0.8
    < met["dealt like cards"]
    == 1
)

# %% [markdown]
# Unshuffled, the same 300 photos come in every epoch, each beside the same painting. Even if all photos are shuffled,
# an epoch takes 300 at random, and {{ 1 - met["zip, all photos shuffled"]:.0%}} of them were never met after 9,000
# steps. The generator has to paint all of them for the submission. `UnpairedBatches`, the library's loader, deals each
# set like a pack of cards: all of it in random order, then all of it in a new order. Every photo comes once in 7,038
# steps, and every painting 23 or 24 times.
#
# The other side of the imbalance remains: the *discriminator*, the network that tells paintings from imitations, sees
# each painting 23 times while it sees one imitation made from each photo, and can learn 300 of them by heart. Lesson 4
# shows it. What the sources set against it is *augmentation*, altered copies: random flips (S1), flips, crops and noise
# (S3, lesson 2), a library of alterations (S4), flips and rotations (which S0 wished at the end that it had used; here
# the settings `flip` and `rotate`).
#
# ## Look, twins, and why a split goes by source
#
# Before any statistics, look, and keep in mind which row is brighter. `lesson.survey` measures every image in one pass
# (brightness, spread, colours, histograms) and keeps a thumbnail of 32×32 pixels and a hash.

# %%
surveys, pictures = {}, {}
for name, count in (("monet", 300), ("photo", scored)):
    images = find_images(root, name)
    surveys[name] = lesson.survey(images)
    pictures[name] = next(read_batches(images, count))[1]
rows = [pictures[name][:6, ::2, ::2] for name in ("monet", "photo")]
grid = image_grid(rows, row_labels=["painting", "photo"])
show(grid, "Six paintings in visible strokes, and below them six photographs")

# %% [markdown]
# A photo that is in the set twice counts twice. It is worse if one copy is trained on while the other is held out to
# score with.
#
# **Predict first:** plant three copies of one painting: one saved as a poor JPEG, one made brighter by 20 levels, one
# mirrored. Which of them will a hash of the pixels find? Which will the correlation of two thumbnails find?

# %%
original = pictures["monet"][0]
poor = tf.io.decode_jpeg(tf.io.encode_jpeg(original, quality=20)).numpy()
copies = {
    "poor JPEG": poor,
    "brighter": np.clip(original.astype(int) + 20, 0, 255),
    "mirrored": original[:, ::-1],
}
found, thumb = {}, lesson.shrink(original, 8).ravel()
for name, copy in copies.items():
    other = lesson.shrink(copy, 8).ravel()
    found[name] = np.corrcoef(thumb, other)[0, 1]
    same = np.array_equal(copy, original)
    print(f"{name:10} same hash: {same!s:6} correlation: {found[name]:.3f}")
for name, of in surveys.items():
    best, index = lesson.closest(of.thumbs)
    twins = sum(k < index[k] for k in np.flatnonzero(best > 0.99))
    print(f"{name}: {len(of.names)} images, {len(set(of.digests))} by hash;")
    print(f"       pairs above 0.99: {twins}; highest {best.max():.4f}")

# %% tags=["ci"]
assert min(found["poor JPEG"], found["brighter"]) > 0.99 > found["mirrored"]
by_hand = np.corrcoef(
    surveys["monet"].thumbs[:20].reshape(20, -1)
) - 2 * np.eye(20)
np.testing.assert_allclose(
    by_hand.max(1), lesson.closest(surveys["monet"].thumbs[:20])[0], atol=1e-4
)

# %% [markdown]
# A hash finds none of the copies. The correlation of thumbnails ignores brightness, contrast and fine detail, so it finds
# the brighter copy and the poor JPEG; for the mirrored one, compare with mirrored thumbnails as well. **On the real
# images**
#
# ```
# monet: 300 images, 300 by hash;
#        pairs above 0.99: 0; highest 0.9404
# photo: 2816 images, 2815 by hash;
#        pairs above 0.99: 4; highest 1.0000
# ```
#
# Both tests overlook *siblings*: two pictures of one place on one day. Cut each photo into a left and a right half. The
# halves share no pixel, but they do share light, grain and motif. Now hold out a quarter, in two ways: of the halves at
# random, or of the photos, with both halves of each. The distance to the nearest training picture is measured by the
# features of a network trained on ImageNet: 1,280 numbers that tell textures and objects (0 is a copy, 1 has nothing in
# common). The number after ± is the standard deviation over 20 random splits.
#
# **Predict first:** which of the two ways leaves the held-out pictures nearer to the training pictures?

# %%
network, photos = feature_network(), pictures["photo"]
halves = np.concatenate([photos[:, :, :128], photos[:, :, 128:]])
features = embed(halves, network)
features /= np.linalg.norm(features, axis=1, keepdims=True)
source = np.tile(np.arange(len(photos)), 2)  # the photo of each half
nearest = {"by picture": [], "by source": []}
for _ in range(20):
    held = {
        "by picture": rng.permutation(len(halves)) < len(halves) // 4,
        "by source": rng.permutation(len(photos))[source] < len(photos) // 4,
    }
    for way, out in held.items():
        alike = features[out] @ features[~out].T  # cosines
        nearest[way].append(1 - alike.max(1).mean())
for way, distances in nearest.items():
    print(f"split {way}: {np.mean(distances):.3f} ± {np.std(distances):.3f}")

# %% tags=["ci"]
from monet_lib.score import memorization_distance

assert features.shape == (len(halves), 1280)
by_library = memorization_distance(features[out], features[~out])
assert np.isclose(nearest["by source"][-1], by_library, atol=1e-5)
thumbs = np.stack([lesson.shrink(half, 8).ravel() for half in halves])
found = (
    np.corrcoef(thumbs)[source == source[:, None]]
    .reshape(len(halves), 2)
    .min(1)
)
assert (found > 0.99).mean() < 0.1, (
    "the correlation of thumbnails finds hardly any sibling"
)
assert np.mean(nearest["by picture"]) < np.mean(nearest["by source"])

# %% [markdown]
# By picture, the nearest training picture is at {{ np.mean(nearest["by picture"]):.3f}}, by source at
# {{ np.mean(nearest["by source"]):.3f}}. A model that learnt its training pictures by heart would look better in the
# first split than it is. So hold out whole sources. In the sample each picture comes from a photograph of its own,
# and any split goes by source. Monet painted one motif many times, and the competition's files don't say
# which of the 300 belong together.
#
# ## Two claims about Monet's colours
#
# S3 drew a histogram for each channel of both sets. **Predict first:** draw 300 paintings and 7,038 photos into one
# axis, counting pixels. What will you see of the paintings? (With fewer images, their shares are scaled to these
# counts.)

# %%
counts = {}
for name, total in (("monet", 300), ("photo", 7038)):
    pixels_at = surveys[name].histograms.sum(0)  # (3, 256)
    shares = pixels_at / pixels_at.sum(1, keepdims=True)
    counts[name] = np.stack([shares * total * 256**2 / 1e6, 100 * shares])
units = {"counts, 300 to 7,038": "million pixels", "shares": "% of the set"}
show(
    lesson.histograms_figure(counts, units),
    "Histograms of red, green and blue: as counts the paintings lie flat under "
    "the photos, as shares both curves have the same area",
)

# %% tags=["ci"]
for name in counts:
    np.testing.assert_allclose(counts[name][1].sum(1), 100)

# %% [markdown]
# The counts show the imbalance and nothing about colour. Of shares, each curve adds up to 100 %, so the two sets can be
# compared. (Values clipped to 0 and 255 pile up at the ends.) Now test two claims, image by image: the 65,536 pixels
# of one sky are one observation.
#
# - **S0**: the Monets are a bit darker than the photos, with a bit higher standard deviation.
# - **S3**: Monet's paintings use deeper, more intense colours, most clearly in the green channel.
#
# How large is "a bit"? The usual scale is **Cohen's d**, the difference of the two means divided by the standard
# deviation that images have within a set:
#
# $$d = \frac{\bar a - \bar b}{s}, \qquad s^2 = \frac{(n_a - 1)\,s_a^2 + (n_b - 1)\,s_b^2}{n_a + n_b - 2}$$
#
# As a rule of thumb ([Cohen 1988](https://en.wikipedia.org/wiki/Effect_size#Cohen's_d)), 0.2 is small, 0.5 medium and
# 0.8 large. "Intense" is measured by **chroma**, the largest channel minus the smallest, or by **HSV saturation**,
# chroma divided by the largest channel: exercise 1 shows why that is a trap. Each bar holds 95 % of the values of d from
# 400 random redraws of the images.
#
# **Predict first:** judging by the grid above, are the paintings brighter or darker than the photos?


# %%
def effect_size(a, b):
    squares = sum((len(x) - 1) * np.var(x, ddof=1) for x in (a, b))
    spread = np.sqrt(squares / (len(a) + len(b) - 2))
    return (np.mean(a) - np.mean(b)) / spread


monet, photo = (surveys[name].columns for name in ("monet", "photo"))
effects = lesson.effects(surveys["monet"], surveys["photo"])
for name in effects:
    a, b = monet[name], photo[name]
    means = f"paintings {a.mean():6.2f}, photos {b.mean():6.2f}"
    print(f"{name:10} {means}, d = {effect_size(a, b):+.2f}")
text = ", ".join(f"{name} {d:+.2f}" for name, (d, *_) in effects.items())
show(lesson.effects_figure(effects), f"Effect sizes with intervals: {text}")

# %% tags=["ci"]
for name in effects:
    assert np.isclose(effects[name][0], effect_size(monet[name], photo[name]))
    assert effects[name][1] < effects[name][0] < effects[name][2]

# %% [markdown]
# About *Monet* the sample proves nothing: its paintings got their colours from a network. For a verdict take the real
# images. **On the real images**
#
# ```
# brightness paintings 130.22, photos 101.83, d = +0.86
# spread     paintings  50.50, photos  57.52, d = -0.55
# red        paintings 134.10, photos 103.14, d = +0.86
# green      paintings 133.70, photos 104.24, d = +0.86
# blue       paintings 122.87, photos  98.12, d = +0.63
# chroma     paintings  40.90, photos  42.39, d = -0.07
# saturation paintings   0.30, photos   0.40, d = -0.56
# ```
#
# ![On the real images: histograms of the three channels as shares, where the paintings' curves lie to the right of the photos', and effect sizes with intervals: brightness and channels positive, spread and saturation negative, chroma near zero](../docs/images/real_colours.png)
#
# Both halves of S0's claim are the wrong way round. *Exchange the two names*, and both become true: the photos are
# darker and have the higher spread. Nobody can prove from outside that S0 did this, but check it first when a result is
# the mirror image of the truth; every record names its set in `target`.
#
# Of S3's claim, "intense" fails: the chroma is the same. Every channel's mean is higher in the paintings, green no more
# than red: that is light, not depth. (Of the paintings' three curves green's has the highest *peak*. That means that
# its values lie closest together, not that there is more of the colour.)
#
# ## From levels to tanh, and back
#
# The generators of this course end in a tanh, whose values lie between −1 and 1. Real images are brought to the same
# range: x = level / 127.5 − 1. (S1 writes "a scale to [1, 1]"; it must mean [−1, 1].) On the way back, round.
# **Predict first:** with `.astype("uint8")` instead of rounding, how many of the 256 levels come back changed? And by
# how much does a generator's output, which falls anywhere between two levels, darken on average?

# %%
levels = np.arange(256, dtype=np.uint8)
x = levels.astype(np.float32) / 127.5 - 1
cut = ((x + 1) * 127.5).astype("uint8")
rounded = np.rint((x + 1) * 127.5).astype("uint8")
for how, back in (("cut off", cut), ("rounded", rounded)):
    print(f"{how}: {(back != levels).sum()} of 256 levels come back changed")
output = (rng.uniform(-1, 1, 100_000) + 1) * 127.5
darker = (output - output.astype("uint8")).mean()
print(f"an output between the levels loses {darker:.2f} of a level on average")
for level in (0, 1, 64, 128, 192, 254, 255):  # 0.25 and 254.75 at the ends
    value = np.arctanh(np.clip(level / 127.5 - 1, -254.5 / 255, 254.5 / 255))
    slope = 127.5 * (1 - np.tanh(value) ** 2)
    print(f"level {level:3}: tanh of {value:5.2f}, slope {slope:5.1f} levels")

# %% tags=["ci"]
from monet_lib.data import to_float

np.testing.assert_allclose(x, to_float(levels), atol=1e-6)
assert (rounded == levels).all()
assert (cut != levels).any()
assert abs(darker - 0.5) < 0.02

# %% [markdown]
# Cutting off changes {{ (cut != levels).sum()}} levels of an image that only went there and back, and darkens what a
# generator makes by half a level on average. That is too little to see, and costs nothing to avoid. Keras' example,
# linked above, writes its pictures so.
#
# The slopes say more. In the mid-tones a small change before the tanh moves a level far; near black and white it hardly
# does (only an infinite number would give level 0 or 255 exactly), so that training, which works by small changes, moves
# such pixels slowly. An output near 0 is level 128, the grey that S1 saw before training.
#
# ## A first opponent: colour transfer
#
# If colour were all, no network would be needed: give each photo the colours of a painting ([Reinhard et al.
# 2001](https://doi.org/10.1109/38.946629)). Take a space in which lightness is one axis and the colours are the other
# two. The paper takes lαβ; **CIELAB** is the better known one, with L from black to white, a from green to red, b from
# blue to yellow. In each axis, subtract the photo's mean, stretch to the painting's spread, and add the painting's mean.
# Then move the sliders: whose colours suit which photo? What happens above strength 1?

# %%
RGB_TO_XYZ = lesson.RGB_TO_XYZ  # of sRGB, by the white of ICC profiles
XYZ_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]])


def to_lab(pixels):
    x = pixels / 255
    light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    xyz = light @ RGB_TO_XYZ.T
    line = xyz * (29 / 6) ** 2 / 3 + 4 / 29  # near black, instead of the root
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), line)
    return root @ XYZ_TO_LAB.T - [16, 0, 0]


def transfer(photo, painting):
    lab, style = to_lab(photo), to_lab(painting)
    spread = style.std((0, 1)) / lab.std((0, 1))
    lab = (lab - lab.mean((0, 1))) * spread + style.mean((0, 1))
    return lesson.from_lab(lab)  # the same steps backwards, clipped


print("white in Lab:", to_lab(np.array([255, 255, 255])).round(1) + 0.0)

# %% tags=["ci"]
np.testing.assert_allclose(
    to_lab(photos[0]), lesson.to_lab(photos[0]), atol=1e-9
)
mine = np.stack(
    [
        transfer(*pair)
        for pair in zip(photos[:3], pictures["monet"][:3], strict=True)
    ]
)
np.testing.assert_array_equal(
    mine, lesson.color_transfer(photos[:3], pictures["monet"][:3])
)


# %%
def transferred(photo, painting, strength):
    before, style = pictures["photo"][photo], pictures["monet"][painting]
    lab, full = to_lab(before), to_lab(transfer(before, style))
    made = lesson.from_lab(lab + strength * (full - lab))
    labels = ["photo", "painting", "the photo in its colours"]
    return image_grid([[before, style, made]], labels)


explorer = explore(
    transferred,
    "A photo, a painting, and the photo in the painting's colours",
    photo=(0, len(pictures["photo"]) - 1, 2),
    painting=(0, len(pictures["monet"]) - 1, 3),
    strength=(0.0, 1.5, 1.0),
)
if explorer:  # as a hand on the slider would
    explorer["painting"].value = 5
    explorer.redraw()

# %% [markdown]
# Above strength 1 the photo overshoots the painting's tint and contrast. How near does all this come to paintings? The
# course measures it by [KID](../docs/glossary.md#kid): the features of both
# sets as two clouds, and the distance of the clouds, 0 for two sets of one kind. A score is only worth something beside
# others, so the untouched photos and other paintings are scored too, all against paintings that are held out: they lend
# no colours. Each bar is the standard deviation of 100 draws, each of three quarters of the images. The draws share most
# of their images: over draws of new images the bars would be about 1.7 times as long. The cell takes about half a minute
# on two cores.
#
# **Predict first:** which share of the way from the photos to the paintings do colours alone go?

# %%
lent, held = split(len(pictures["monet"]), len(pictures["monet"]) // 2, 0)
paintings = pictures["monet"][lent]
real = embed(pictures["monet"][held], network)
sets = {
    "untouched photos": photos,
    "colour transfer": lesson.color_transfer(photos, paintings),
    "the course's generator": paint_all(painter, photos),
    "other paintings": paintings,
}
scores = {}
for name, images in tqdm(sets.items(), "scoring"):
    scores[name] = compare(network, embed(images, network), real)
for name, of in scores.items():
    print(f"{name:23} KID {of.kid:6.3f} ± {of.kid_std:.3f}")
before, after = scores["untouched photos"], scores["colour transfer"]
apart = before.nearer_than(after) or after.nearer_than(before)
verdict = "beyond the bars" if apart else "within the bars"
print(f"photos and colour transfer differ {verdict}")
text = ", ".join(f"{name} {s.kid:.3f}" for name, s in scores.items())
show(lesson.scores_figure(scores), f"KID with bars: {text}")

# %% [markdown]
# On these {{ len(photos)}} photos colours alone take the score from {{ before.kid:.3f}} to {{ after.kid:.3f}}; the two
# differ {{ verdict}}. **On the real images**, on 150 photos:
#
# ```
# untouched photos        KID  0.091 ± 0.004
# colour transfer         KID  0.079 ± 0.004
# the course's generator  KID  0.014 ± 0.002
# other paintings         KID  0.001 ± 0.001
# photos and colour transfer differ beyond the bars
# ```
#
# There colours go about an eighth of the way from the photos to the other paintings. These rows are the course's
# baseline: a network that doesn't beat *colour transfer* is no nearer to paintings than twenty lines without learning.
# (On the sample the generator's row flatters, since one of its kind painted those paintings.) Why do colours go such a
# short way? Look closely.


# %% tags=["cover"]
def fine(images):  # what averages of 8 x 8 squares leave out
    grey = images.mean(-1)
    coarse = grey.reshape(len(grey), 32, 8, 32, 8).mean((2, 4))
    return grey - coarse.repeat(8, 1).repeat(8, 2)


rows, agree = [], {}
for name in list(sets)[:3]:
    pairs = zip(fine(photos), fine(sets[name]), strict=True)
    same = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]
    agree[name] = np.mean(same)
    print(f"{name:23} detail correlates with the photo's: {agree[name]:.2f}")
    rows.append([])
    for x in sets[name][[2, 9]]:
        rows[-1] += [x, x[80:144, 96:160].repeat(4, 0).repeat(4, 1)]
show(
    image_grid(rows, row_labels=["photo", "colours", "generator"]),
    "Two photos and a detail of each; in a painting's colours, with every edge "
    "as before; and painted by the generator, with strokes instead of detail",
)

# %% tags=["ci"]
assert agree["colour transfer"] > 0.95 > 0.8 > agree["the course's generator"]
assert scores["other paintings"].kid < min(before.kid, after.kid)
for strength, right in (
    (0.0, photos[2]),
    (1.0, transfer(photos[2], pictures["monet"][3])),
):
    made = transferred(2, 3, strength)[-256:, -256:]
    np.testing.assert_array_equal(made, right)

# %% [markdown]
# The transfer is one straight line per axis for the whole photo. It moves no edge and makes no stroke: the fine detail
# still correlates with the photo's by {{ agree["colour transfer"]:.2f}}, the generator's by
# {{ agree["the course's generator"]:.2f}}. A painting has strokes of a certain width and direction instead of detail.
# For that a function must look at *neighbourhoods* of pixels, which is what convolutions do, and must learn from
# paintings what belongs there. That is the business of the next lessons.
#
# ## Exercises
#
# ### Exercise 1: the trap in "saturation"
#
# Give two colours, each three levels from 0 to 255, that have the same chroma (max − min, at least 20), the first with
# at least three times the saturation (chroma / max) of the second. Which of the two would you call more colourful?

# %%
two_colors = ...

solved = lesson.check_reds(two_colors)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# two_colors = [(60, 0, 0), (240, 180, 180)]
# ```
# The chroma is 60 in both; the saturation is 60/60 = 1 and 60/240 = 0.25. HSV calls the near-black fully saturated,
# while an eye sees hardly any colour in it. Of two sets with the same chroma the darker one therefore has the higher
# saturation, without being more colourful.
# </details>
#
# ### Exercise 2: sentences as measures
#
# Say for each claim which measure decides it, and what the source says of the Monets: +1 for more, −1 for less. Do not
# say whether it is true: the cell finds that out for your images. The measures are `brightness`, `spread`, `red`,
# `green`, `blue`, `chroma` and `saturation`.

# %%
meanings = {
    "S0: darker": (..., ...),
    "S0: higher deviation": (..., ...),
    "S3: more intense colours": (..., ...),
    "S3: more in green": (..., ...),
}

if lesson.check_meaning(meanings):
    for claim, (measure, sign) in meanings.items():
        d = sign * effects[measure][0]
        verdict = "holds" if d > 0.2 else "fails"
        print(f"{claim:26} {measure:10} {sign} x d = {d:+.2f}: {verdict}")

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# meanings = {
#     "S0: darker": ("brightness", -1),
#     "S0: higher deviation": ("spread", 1),
#     "S3: more intense colours": ("chroma", 1),
#     "S3: more in green": ("green", 1),
# }
# ```
# On the real images S0's two claims fail, and the chroma of the sets is the same (d = −0.07). "More in green" holds, and
# so it does for red and blue, since all channels are higher in a brighter picture.
# </details>
#
# ### Exercise 3: back to levels
#
# Write `back(x)`, which turns floats of about −1 to 1 into uint8, so that every level survives the way there and back.
# A generator's values, averaged or resized, can lie a little beyond the ends.


# %%
def back(x):
    return ...


solved = lesson.check_back(back)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def back(x):
#     return np.clip(np.rint((x + 1) * 127.5), 0, 255).astype(np.uint8)
# ```
# Clip before the cast: 260 as uint8 is 4, so the brightest spots of a picture would turn black.
# </details>
#
# ### Exercise 4: predict the batches
#
# There are 300 paintings and 7,038 photos, and S4 uses a batch size of 4. Replace the dots by three numbers: the steps
# in an epoch of `UnpairedBatches`, which leaves out a batch that isn't full; how often each painting is shown in it on
# average; and how many photos an unshuffled zip never shows, however many epochs it runs.

# %%
steps, times_shown, never_shown = ..., ..., ...

answer = None if steps is ... else (steps, times_shown, never_shown)
solved = lesson.check_deal(answer)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# steps, times_shown, never_shown = 7038 // 4, 7038 / 300, 7038 - 300
# answer = steps, times_shown, never_shown
# ```
# 1,759 steps, 23.5 times, 6,738 photos. The batch size changes how many steps an epoch has, but not how often an image
# is shown: the imbalance stays as it is.
# </details>
#
# ### Exercise 5: repair a chain
#
# This chain runs without an error, and a network would learn badly from it. Repair it: each image is read once, each
# pass brings all images in a new order and in new crops, as batches of 4 for a network that ends in tanh.


# %%
def repaired(images, size):
    def crop(image):
        return tf.image.random_crop(image, (size, size, 3))

    chain = images.map(crop).cache().batch(4).shuffle(12)
    return chain.map(lambda x: tf.cast(x, tf.float32) / 255)


solved = lesson.check_chain(repaired)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def repaired(images, size):
#     def crop(image):
#         return tf.image.random_crop(image, (size, size, 3))
#
#     chain = images.cache().shuffle(12).map(crop).batch(4)
#     return chain.map(lambda x: tf.cast(x, tf.float32) / 127.5 - 1)
# ```
# Three faults: the crop stood before the cache, the shuffle after the batch, where it mixes batches instead of images,
# and the values went from 0 to 1.
# </details>
#
# ### Exercise 6: an opponent of your own
#
# Can you beat the colour transfer without a network? Write `my_transfer(photos, paintings)`, uint8 (n, 256, 256, 3)
# each, which returns a picture for each photo. Ideas: choose a fitting painting for each photo; let the axes of Lab act
# together (a covariance instead of three spreads); match whole histograms; blur the photo into flecks. There is no
# right answer: your score and your picture are kept for the end of the course.


# %%
def my_transfer(photos, paintings):
    return ...


if lesson.check_opponent(my_transfer):
    mine = my_transfer(photos, paintings)
    score = compare(network, embed(mine, network), real)
    print(f"yours {score.kid:.3f} ± {score.kid_std:.3f}")
    print(f"colour transfer {after.kid:.3f} ± {after.kid_std:.3f}")
    grid = image_grid([photos[:4], mine[:4]], row_labels=["photo", "yours"])
    show(grid, f"Four photos, and below them yours, KID {score.kid:.3f}")
    keep(1, "KID of my opponent without a network", score.kid)
    keep(1, "My opponent without a network", grid)

# %% [markdown]
# <details><summary>Solution (one of many)</summary>
#
# ```python
# def root(matrix):
#     values, vectors = np.linalg.eigh(matrix)
#     return vectors * np.sqrt(np.maximum(values, 1e-3)) @ vectors.T
#
#
# def my_transfer(photos, paintings):
#     made = np.empty_like(photos)
#     for k, photo in enumerate(photos):
#         lab = lesson.to_lab(photo)
#         flat = lab.reshape(-1, 3)
#         style = lesson.to_lab(paintings[k % len(paintings)]).reshape(-1, 3)
#         own = root(np.cov(flat.T))
#         back = np.linalg.inv(own)
#         move = back @ root(own @ np.cov(style.T) @ own) @ back
#         made[k] = lesson.from_lab((lab - flat.mean(0)) @ move + style.mean(0))
#     return made
# ```
# The three axes act together: where the painting's light places are yellow and its dark places blue, the photo's become
# so. The matrix is the smallest move that gives one covariance the other ([Pitié and Kokaram
# 2007](https://doi.org/10.1049/cp:20070055)). On the 150 real photos KID fell to 0.072, where the three spreads give
# 0.079 and the untouched photos have 0.091.
# </details>
#
# ## Self-quiz
#
# Choose an answer by clicking on it, and read why it is right or wrong.
#
# **1. A shard is named photo03-352.tfrec. How many images does it hold?**
#
# <details><summary>352</summary>
#
# **No.** The number in the name is only a custom, and a download that broke off keeps its name.
# </details>
#
# <details><summary>As many as its size divided by 200 kB</summary>
#
# **No.** The records hold JPEGs of different lengths, not pixels.
# </details>
#
# <details><summary>You know when you have walked through its records</summary>
#
# **Right.** Compare the count with the name: a difference shows a download that broke off.
# </details>
#
# **2. Two sets differ by d = 0.86 in brightness. Is a painting always brighter than a photo?**
#
# <details><summary>Yes, 0.86 is a large effect</summary>
#
# **No.** A large effect is a statement about sets. The values of the two sets still overlap widely.
# </details>
#
# <details><summary>No: a single image can lie anywhere in its set</summary>
#
# **Right.** The means are 0.86 standard deviations apart. Of two bell curves at this distance, a value of the higher
# one is above a value of the lower one in 73 % of all pairs.
# </details>
#
# <details><summary>Only if there are more than 300 images</summary>
#
# **No.** The number of images makes d more certain, not larger.
# </details>
#
# **3. Your model scores better on held-out squares of its training photographs than on new photographs. Why?**
#
# <details><summary>The squares are siblings of what it was trained on</summary>
#
# **Right.** They share light, grain and motif with the training pictures. Hold out whole sources.
# </details>
#
# <details><summary>A duplicate was overlooked, so that a hash would have found it</summary>
#
# **No.** Two squares of one photograph needn't share a pixel, and where they overlap, the common part lies at different
# places: neither a hash nor a correlation of thumbnails finds them.
# </details>
#
# <details><summary>New photographs always score worse</summary>
#
# **No.** Photographs of the same kind score alike if neither they nor their siblings were trained on.
# </details>
#
# **4. A random crop stands before cache() in your pipeline. What happens?**
#
# <details><summary>Every pass gives new crops, as intended</summary>
#
# **No.** The cache keeps what came out of the crop in the first pass.
# </details>
#
# <details><summary>Every pass gives the crops of the first pass</summary>
#
# **Right.** The augmentation is frozen. Put random steps after the cache.
# </details>
#
# <details><summary>TensorFlow raises an error</summary>
#
# **No.** It runs without a word, as the Keras example does.
# </details>
#
# **5. A network's KID equals that of colour transfer. How much of Monet does this number show that it has learnt?**
#
# <details><summary>His colours and his strokes</summary>
#
# **No.** Colour transfer makes no stroke, and has the same score.
# </details>
#
# <details><summary>No more than means and spreads of colours give</summary>
#
# **Right.** Look at an enlarged detail to see what else it does, above all with edges.
# </details>
#
# <details><summary>Nothing, since KID can't see colours</summary>
#
# **No.** The features come from pixels of three channels. Change the colours of a set, and its KID changes.
# </details>
#
# ## Recap
#
# - A [TFRecord](../docs/glossary.md#tfrecord) is a row of records, here a JPEG with its name and its set.
# - In a `tf.data` chain, decode before the cache, and shuffle and augment after it.
# - A zip hides photos from the networks. Show both sets in full in each [epoch](../docs/glossary.md#epoch).
# - Hold out whole sources, or the score flatters.
# - Compare images and not pixels, by an [effect size](../docs/glossary.md#effect-size). Monets are brighter than the
#   photos and have less spread, and their chroma is no higher.
# - Images go to [−1, 1] because of tanh; round and clip on the way back.
# - Colour transfer is the opponent: it changes all colours and no edge.
#
# Next: [lesson 2](02_dcgan.ipynb) makes pictures from noise with a [DCGAN](../docs/glossary.md#dcgan), and finds out
# why S3's DCGAN gave the same picture every time.
