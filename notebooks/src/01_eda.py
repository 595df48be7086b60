# %% [markdown]
# # 1 · Know the two sets
#
# Open the competition's files byte by byte, measure every image, and test on the data what others said about
# Monet's colours.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/01_eda.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/01_eda/01_eda.ipynb)

# %% [markdown]
# ## You will learn
#
# - what a TFRecord holds: bytes, then a `tf.train.Example`, then a JPEG, then an array
# - to build a `tf.data` pipeline from `map`, `cache`, `shuffle`, `batch` and `prefetch`, in an order that works
# - to count images instead of believing file names, and to find copies among them
# - to compare two sets of images with histograms, effect sizes and palettes
# - how two published statements about these sets came to be wrong, and how one can find that out
# - what 300 paintings against 7,038 photos mean for training
#
# **You need** Python and a little NumPy; no neural networks yet.
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
# ![Six paintings in visible strokes over six photographs, from the embedded sample](../docs/images/01_eda.jpg)
#
# A verdict on four claims about Monet's colours, a reader of TFRecord files written by yourself, and a data set
# whose oddities you know before a model meets them.

# %% [markdown]
# ## Setup
#
# Without a download, everything runs on the embedded sample: 48 photographs with free licences, and 48 paintings
# ([credits](../data/README.md)). These paintings are not Monets. The course's own generator, which learnt strokes and
# colours from Monet's paintings, painted them from 48 other photographs, each twice in a row. What you measure on them
# is true of the sample. Most sections therefore end with **On the real images**, the lines that the same cells print
# for the competition's images ([how to get them](../data/README.md)): all 300 paintings and 2,816 of the photos, drawn
# at random. `python tools/real_images.py 01_eda` prints these lines.

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

import io
import struct
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt
from PIL import Image

from monet_lib.course import eda as lesson
from monet_lib.course.tools import explore
from monet_lib.data import ImageSet, UnpairedBatches, examine, find_images, read_batches, to_float, to_uint8
from monet_lib.figures import COLORS, figure_style, image_grid, show
from monet_lib.paint import SHIPPED, paint_all, photographs, shipped_generator

COMPETITION = {"monet": 300, "photo": 7038}  # how many images of each set it has

# %% [markdown]
# ## Where this leads
#
# Here is the result first. The course comes with a [generator](../docs/glossary.md#generator), a network that paints,
# and this is what it makes of photographs. It was trained on the competition's images with the library that you are
# about to use. Lessons 2 to 4 build such networks, and lesson 4 tells how this one was trained.

# %%
scenes = photographs(next(read_batches(find_images(root, "photo"), 4))[1])[:4]
painted = paint_all(shipped_generator()[0], scenes) if SHIPPED.exists() else scenes
assert painted.shape == scenes.shape == (len(scenes), 256, 256, 3)
assert painted.dtype == np.uint8
show(
    image_grid([scenes, painted], row_labels=["photo", "painted"]),
    "Four photographs in a row, and below each the same scene as the course's generator paints it, in strokes",
)

# %% [markdown]
# A network can only learn what its data show. This lesson looks at the data.
#
# ## A record, opened by hand
#
# A TFRecord file, also called a *shard*, is a row of records with nothing before, between or after them. Each
# record is
#
# | bytes | what they are |
# |---|---|
# | 8 | the length of the data, a little-endian integer |
# | 4 | a checksum of that length |
# | length | the data |
# | 4 | a checksum of the data |
#
# The file has no table of contents and no count: a reader can only walk from record to record.
#
# **Predict first:** the paintings have 256×256 pixels with three channels of one byte. How long will the data of
# one record be: about 200 kB, or far less?

# %%
shards = find_images(root, "monet", "tfrec").files
raw = shards[0].read_bytes()
length, length_checksum = struct.unpack("<QI", raw[:12])
record = raw[12 : 12 + length]
print(f"{shards[0].name}: {len(raw):,} bytes; the first record's data take {length:,}")
print("they begin with", record[:12].hex(" "))
assert len(record) == length < 256 * 256 * 3

# %% [markdown]
# Far less, because the data are not pixels. They are a `tf.train.Example`: a dictionary from names to lists of
# bytes, floats or integers, packed by a format called Protocol Buffers.

# %%
example = tf.train.Example.FromString(record)
for name, feature in sorted(example.features.feature.items()):
    value = feature.bytes_list.value[0]
    print(f"{name:12}{feature.WhichOneof('kind')}  {len(value):6} bytes: {value[:10]}")
jpeg = example.features.feature["image"].bytes_list.value[0]
assert jpeg[:2] == b"\xff\xd8", "every JPEG begins with these two bytes"
assert example.features.feature["target"].bytes_list.value[0] == b"monet"

# %% [markdown]
# There are three features: the picture as a JPEG, its name, and the set that it belongs to. S3 lists the same
# three. S1 names only the image and its name to the parser; that is allowed, since a parser skips what nobody
# asked for.
#
# A JPEG must be decoded. The next cell does it with TensorFlow in two ways and with Pillow, and compares the
# pixels.

# %%
pixels = tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE").numpy()
names, batch = next(read_batches(find_images(root, "monet", "tfrec"), 1))
assert pixels.shape == (256, 256, 3)
assert pixels.dtype == np.uint8
np.testing.assert_array_equal(pixels, batch[0])  # what the library reads

others = {
    "Pillow": np.asarray(Image.open(io.BytesIO(jpeg))),
    "TensorFlow, default transform": tf.io.decode_jpeg(jpeg, channels=3).numpy(),
}
for decoder, other in others.items():
    print(f"{decoder}: differs by at most {np.abs(pixels.astype(int) - other).max()} of 255 levels")

# %%
sizes = {
    "JPEG in the record": len(jpeg),
    "record with checksums": 12 + length + 4,
    "uint8 array": pixels.nbytes,
    "float32 array": pixels.nbytes * 4,
}
show(
    lesson.bars_figure({"One painting, from the file to the network": sizes}, "bytes (logarithmic)", log=True),
    "Bars of one painting's size: JPEG and record about the same, the uint8 array and the float array far larger",
)

# %% [markdown]
# Decoding makes this painting about 8 times as large, and turning it into floats makes it four times larger again.
# The library therefore keeps decoded images as uint8 in memory and makes floats only of the batch in use. It decodes
# with `INTEGER_ACCURATE`, because TensorFlow then gives the same pixels as Pillow, as printed above, and a result
# does not depend on which of the two read the file.
#
# What are the checksums for? Flip one bit in the middle of the record and read it again.

# %%
damaged = bytearray(raw)
damaged[12 + length // 2] ^= 1
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "monet_tfrec" / "damaged.tfrec"
    file.parent.mkdir()
    file.write_bytes(damaged)
    _, image, problem = next(examine(ImageSet("monet", "tfrec", (file,))))
print(problem)
assert image is None
assert "checksum" in str(problem)

# %% [markdown]
# A JPEG decoder would often have drawn a picture from those bytes, with a smear in it. The checksum notices one
# wrong bit among some 26,000 bytes, and the library adds where it happened and what to do. In exercise 6 you will
# write such a reader yourself.
#
# ## A pipeline, built step by step
#
# TensorFlow reads shards with `tf.data`. A `Dataset` is a recipe for a stream of elements, and each method adds
# one step to the recipe. First the parser: `parse_single_example` takes the serialized `Example` and a
# description of the features that are wanted, and returns tensors.

# %%
wanted = {"image": tf.io.FixedLenFeature([], tf.string), "image_name": tf.io.FixedLenFeature([], tf.string)}


def parse(record):
    feature = tf.io.parse_single_example(record, wanted)
    pixels = tf.io.decode_jpeg(feature["image"], channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (256, 256, 3))


files = [str(file) for file in shards]
first = next(iter(tf.data.TFRecordDataset(files).map(parse)))
np.testing.assert_array_equal(first, pixels)
print("one parsed element:", first.shape, first.dtype.name)

# %% [markdown]
# Then comes the chain of steps:
#
# | step | what it does | why at this place |
# |---|---|---|
# | `map(parse)` | decodes each record | it is slow, so it comes before the cache |
# | `cache()` | keeps what came so far in memory after the first pass | as uint8: a quarter of the memory of floats |
# | `shuffle(n)` | draws the next element at random from a buffer of n | after the cache, so that each pass has a new order |
# | `map(augment)` | alters images at random | after the cache, or the same "random" picture comes back for ever |
# | `batch(b)` | stacks b elements | late, so that the steps before it work on single images |
# | `prefetch(k)` | prepares k batches while the network works | last |
#
# **Predict first:** put the random step *before* the cache instead. Over six passes through the data, how many
# different versions of a painting will you get?

# %%
everything = tf.data.TFRecordDataset(files).map(parse, tf.data.AUTOTUNE)


def scaled(pixels):
    return tf.cast(pixels, tf.float32) / 127.5 - 1


def augment(pixels):
    return tf.image.random_flip_left_right(tf.image.random_crop(pixels, (128, 128, 3)))


good = everything.cache().shuffle(300, seed=0).map(augment).batch(4).map(scaled).prefetch(2)
batch = next(iter(good))
print(f"a batch of the chain: {batch.shape}, values from {float(tf.reduce_min(batch)):.2f}")
assert batch.shape == (4, 128, 128, 3)
for order, data in (
    ("cache, then augment", everything.take(1).cache().map(augment)),
    ("augment, then cache", everything.take(1).map(augment).cache()),
):
    versions = {bytes(x.numpy()) for _ in range(6) for x in data}
    print(f"{order}: different versions of one painting in 6 passes: {len(versions)}")
assert len(versions) == 1

# %% [markdown]
# With the random step before the cache, the cache keeps what the first pass drew, and every later pass gives that one
# version again. Two well-known implementations of CycleGAN do this, and thereby train without the augmentation that
# their code seems to have.
#
# A second trap is hidden in `shuffle`. Its buffer must be as large as the set to give every order the same chance;
# a small buffer only mixes neighbours.
#
# ## Shards and counts
#
# Files are named like `monet00-60.tfrec`. By custom the number before the dot is the number of records, but nothing
# guarantees it: a download that broke off keeps its name. So read the names, then walk through the records and count.
# (S1 and S2 report the number of files and go no further.)
#
# S1 notes that the sets come as 5 and 20 TFRecord files instead of 300 and 7,038 JPEGs, and concludes that the
# scale of the data is thereby reduced. **Predict first:** are all shards together smaller than all JPEGs together?

# %%
counts = {}
for name in ("monet", "photo"):
    images = find_images(root, name, "tfrec")
    counts[name] = sum(1 for _ in tf.data.TFRecordDataset([str(file) for file in images.files]))
    size = sum(file.stat().st_size for file in images.files)
    loose = sum(file.stat().st_size for file in (root / f"{name}_jpg").glob("*.jpg"))
    print(f"{name}: {len(images.files)} shards, {images.named_count()} records by name, {counts[name]} counted;")
    print(f"       {size:,} bytes in shards, {loose:,} as loose JPEGs")
    assert counts[name] == images.named_count()

# %% [markdown]
# In the sample the shards are slightly *larger*: they hold the same JPEGs, and add names and checksums. A TFRecord
# compresses nothing. What it saves is the opening of files: 25 files instead of 7,338, each of them read from front to
# back. That matters on a network disk, and little on a laptop.
#
# **On the real images**
#
# ```
# monet: 5 shards, 300 records by name, 300 counted;
#        10,257,938 bytes in shards, 4,937,766 as loose JPEGs
# photo: 8 shards, 2816 records by name, 2816 counted;
#        39,606,954 bytes in shards, 39,352,148 as loose JPEGs
# ```
#
# The loose paintings take half of the space, because they are another, coarser encoding of the same paintings. Train
# on the shards: the blocks of a coarse JPEG are a "style" too, and a network would learn it.

# %%
show(
    lesson.bars_figure(
        {
            f"here ({root.name})": {lesson.LABELS[name]: n for name, n in counts.items()},
            "the competition": {lesson.LABELS[name]: n for name, n in COMPETITION.items()},
        },
        "images",
    ),
    "Bars of the number of images in each set: here, and in the competition with 300 paintings against 7,038 photos",
)

# %% [markdown]
# The competition has 23 photos for each painting. S0 calls this a heavy imbalance, and S3 fears that 300 paintings
# are too few to learn from. The last section shows what the imbalance really does.
#
# ## Look, then look for twins
#
# Before any statistics, look. S0 printed some images of each set, S1 the first, S3 the first batch. That is worth
# doing, and now is also the moment to keep all that will be needed. Here is what is measured of each image: its
# **brightness**, the mean of all its values; its **spread**, their standard deviation; and its **histograms**, how
# many pixels of each channel have each level from 0 to 255.


# %%
def measure(image):
    """Brightness, spread and histograms (3, 256) of a uint8 image (height, width, 3)."""
    histograms = np.stack([np.bincount(image[..., c].ravel(), minlength=256) for c in range(3)])
    return image.mean(), image.std(), histograms


brightness, spread, histograms = measure(pixels)
print(f"the first painting: brightness {brightness:.1f}, spread {spread:.1f}")
for channel, counts_of in zip(lesson.CHANNELS, histograms, strict=True):
    print(f"{channel:6}most frequent level {counts_of.argmax()}, {counts_of.sum():,} pixels in all")
levels = np.arange(256)
assert np.isclose(brightness, (histograms.sum(0) * levels).sum() / pixels.size)

# %% [markdown]
# The brightness can also be computed from the histograms, as the last line of the cell checks. `lesson.survey` makes
# these measurements for every image in one pass, and adds two measures of colour (explained below), a thumbnail of
# 32×32 pixels and a hash of the pixels: 6 kB for each image instead of 200.

# %% tags=["cover"]
limit = 400 if config.profile == "tiny" else None  # images of each set
surveys, pictures = {}, {}
for name in ("monet", "photo"):
    images = find_images(root, name)
    surveys[name] = lesson.survey(images, limit)
    pictures[name] = next(read_batches(images, 24))[1]
    print(f"{name}: {len(surveys[name].names)} images measured")
assert np.isclose(surveys["monet"].columns["brightness"][0], brightness)
assert np.isclose(surveys["monet"].columns["spread"][0], spread)
np.testing.assert_array_equal(surveys["monet"].histograms[0], histograms)
rows = [[lesson.shrink(image, 2) for image in pictures[name][:6]] for name in ("monet", "photo")]
show(
    image_grid(rows, row_labels=["painting", "photo"]),
    "Six paintings in the upper row, in visible strokes, and six photographs in the lower row",
)

# %% [markdown]
# Compare the dark places of the two rows. The darkest parts of the paintings are coloured; the darkest parts of
# the photos are nearly black. Keep that in mind.
#
# Now look for twins. A photo that is in the set twice counts twice. It is worse if one copy is trained on while the
# other is held out to score with, because the score then flatters the model.
#
# **Predict first:** plant three copies of one painting: one saved as a poor JPEG, one made brighter by 20 levels,
# one mirrored. Which of them will a hash of the pixels find? Which will the correlation of two thumbnails find?

# %%
original = pictures["monet"][0]
Image.fromarray(original).save(poor := io.BytesIO(), "JPEG", quality=20)
copies = {
    "original": original,
    "poor JPEG": np.asarray(Image.open(poor)),
    "brighter": np.clip(original.astype(int) + 20, 0, 255).astype(np.uint8),
    "mirrored": original[:, ::-1],
}
flat = np.stack([lesson.shrink(image, 8).ravel().astype(float) for image in copies.values()])
correlations = dict(zip(copies, np.corrcoef(flat)[0], strict=True))
for name, image in copies.items():
    print(f"{name:10} equal pixels: {np.array_equal(image, original)!s:6} correlation: {correlations[name]:.3f}")
labels = [f"{name} {value:.3f}" for name, value in correlations.items()]
show(
    image_grid([[lesson.shrink(x, 2) for x in copies.values()]], labels),
    "One painting and three copies of it, labelled with correlations",
)
assert min(correlations["poor JPEG"], correlations["brighter"]) > 0.99 > correlations["mirrored"]

# %% [markdown]
# A hash compares exact pixels, so it finds none of the copies. The correlation of thumbnails ignores brightness and
# contrast, so it finds two. It does not find the mirrored copy, because there no pixel is where it was; to find
# that one, compare with mirrored thumbnails as well. Now both tests on everything, each image against all others of
# its set.

# %%
for name, of in surveys.items():
    best, index = lesson.closest(of.thumbs)
    by_hand = np.corrcoef(of.thumbs[:20].reshape(20, -1)) - 2 * np.eye(20)
    np.testing.assert_allclose(by_hand.max(1), lesson.closest(of.thumbs[:20])[0], atol=1e-4)
    twins = sum(k < index[k] for k in np.flatnonzero(best > 0.99))
    print(f"{name}: {len(of.names)} images, {len(set(of.digests))} different ones by hash;")
    print(f"       pairs above 0.99: {twins}; highest {best.max():.4f}, median {np.median(best):.2f}")

# %% [markdown]
# The sample has no twins: each of its pictures comes from a photograph of its own, so a picture that is held out of a
# training shows a scene that the training has not met. **On the real images**
#
# ```
# monet: 300 images, 300 different ones by hash;
#        pairs above 0.99: 0; highest 0.9404, median 0.61
# photo: 2816 images, 2815 different ones by hash;
#        pairs above 0.99: 4; highest 1.0000, median 0.70
# ```
#
# The two most alike paintings are two views of one motif, as Monet liked to paint, not copies. (The whole set has 7,038
# photos, of which 7,028 are different.) Ten copies among 7,000 photos do no harm; many copies would.
#
# ## Red, green, blue
#
# S3 drew a histogram for each channel of both sets. **Predict first:** draw the histograms of 300 paintings and of
# 7,038 photos into one axis, counting pixels. What will you see of the paintings?

# %%
with figure_style():
    figure, axes = plt.subplots(2, 3, figsize=(11, 5.8), layout="constrained", sharey="row", sharex=True)
    for name, of in surveys.items():
        pixels_at = of.histograms.sum(0)  # (3, 256)
        shares = pixels_at / pixels_at.sum(1, keepdims=True)
        np.testing.assert_allclose(shares.sum(1), 1)
        for c, channel in enumerate(lesson.CHANNELS):
            look = {"color": COLORS[name], "label": lesson.LABELS[name] if c == 0 else None}
            axes[0, c].plot(shares[c] * COMPETITION[name] * 256**2 / 1e6, **look)
            axes[1, c].plot(100 * shares[c], color=COLORS[name])
            axes[0, c].set_title(f"{channel}: counts, 300 to 7,038")
            axes[1, c].set(title=f"{channel}: shares", xlabel="level (0 to 255)", ylim=(0, 2))
    axes[0, 0].set_ylabel("million pixels")
    axes[1, 0].set_ylabel("% of the set's pixels")
    figure.legend(loc="outside lower center", ncols=2)
show(
    figure,
    "Histograms of red, green and blue: as counts the paintings lie flat under the photos, as shares both are humps",
)

# %% [markdown]
# The upper row shows counts, scaled to the competition's numbers. There the curve of the paintings is almost flat:
# the figure shows the imbalance and nothing about colour. In the lower row the shares of each curve add up to 100 %,
# so the two sets can be compared: the paintings have fewer dark pixels than the photos in all three channels. (The
# spikes at both ends are values that were clipped to 0 and 255.)
#
# The explorer shows one image at a time, and its set as a dotted line. Look for a picture whose curve has nothing
# to do with the curve of its set.

# %%
explorer = explore(
    lesson.channel_explorer(pictures, surveys),
    "One painting, and beside it the histograms of its three channels, with those of all paintings dotted",
    domain=["monet", "photo"],
    number=(0, min(map(len, pictures.values())) - 1, 0),
    channel=["all", *lesson.CHANNELS],
)
if explorer:  # as a hand on the slider would
    explorer["number"].value = 5
    explorer.redraw()

# %% [markdown]
# Nearly every image disagrees with the smooth curve of its set. The next sections therefore count *images* and not
# pixels: the 65,536 pixels of one sky are one observation, not 65,536.
#
# ## Claim one: "darker, with a higher spread"
#
# S0 compared average pixel intensities and found that the Monets are a bit darker than the photos and have a bit
# higher standard deviation. How large is "a bit"? The usual scale is **Cohen's d**: the difference of the two
# means, divided by the standard deviation that images have within a set.
#
# $$d = \frac{\bar a - \bar b}{s}, \qquad s^2 = \frac{(n_a - 1)\,s_a^2 + (n_b - 1)\,s_b^2}{n_a + n_b - 2}$$
#
# As a rule of thumb (Cohen 1988), 0.2 is small, 0.5 medium and 0.8 large. At d = 0 two bell curves coincide, at
# d = 1 they share 62 % of their area, at d = 2 a third. Unlike the verdict of a p-value, d does not grow with the
# number of images.
#
# **Predict first:** judging by the grid above, are the paintings brighter or darker than the photos? By a small or
# by a large d?


# %%
def effect_size(a, b):
    pooled = ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / (len(a) + len(b) - 2)
    return (np.mean(a) - np.mean(b)) / np.sqrt(pooled)


monet, photo = (surveys[name].columns for name in ("monet", "photo"))
for measure_name in ("brightness", "spread"):
    a, b = monet[measure_name], photo[measure_name]
    d, above = effect_size(a, b), (a[:, None] > b).mean()
    assert np.isclose(d, lesson.cohens_d(a, b))
    print(f"{measure_name:10}: paintings {a.mean():5.1f}, photos {b.mean():5.1f}, d = {d:+.2f};")
    print(f"            a painting has more than a photo in {above:.0%} of all pairs")

# %%
with figure_style():
    figure, axis = plt.subplots(figsize=(7, 4.6), layout="constrained")
    for name, marker in (("photo", "o"), ("monet", "^")):
        x, y = surveys[name].columns["brightness"], surveys[name].columns["spread"]
        look = {"alpha": 0.6 if len(x) < 400 else 0.25, "linewidths": 0}
        axis.scatter(x, y, 36, COLORS[name], marker=marker, label=lesson.LABELS[name], **look)
        axis.plot(x.mean(), y.mean(), marker, ms=15, mfc=COLORS[name], mec="black")
    axis.set_title("Every image by brightness and spread (large: the means)")
    axis.set_xlabel("mean of its pixels (0 to 255)")
    axis.set_ylabel("standard deviation of its pixels")
    figure.legend(loc="outside lower center", ncols=2)
show(
    figure,
    "Each image as a point: the paintings' mean lies to the right of the photos' mean, so brighter, and below it",
)

# %% [markdown]
# Both halves of the claim are wrong: the paintings of the sample are brighter and have less spread.
#
# **On the real images** it is the same.
#
# ```
# brightness: paintings 130.2, photos 101.8, d = +0.86;
#             a painting has more than a photo in 74% of all pairs
# spread    : paintings  50.5, photos  57.5, d = -0.55;
#             a painting has more than a photo in 34% of all pairs
# ```
#
# ![On the real images: histograms of the three channels as shares, where the paintings' curves lie to the right of the photos', and effect sizes with intervals: brightness and channels positive, spread and saturation negative, chroma near zero](../docs/images/real_colours.png)
#
# ## How one can come to the opposite claim
#
# S0 doesn't show its code, so test explanations. *Perhaps another standard deviation was meant?* There are three:
# within an image, between the images' means, and of all pixels in one heap. They belong together: the square of
# the third is the mean of the squares of the first plus the square of the second. *Perhaps too few images were
# looked at?* Draw a few at random from each set, many times, and count how often they support S0.
#
# **Predict first:** which of the two explanations will survive?

# %%
for name, of in surveys.items():
    within, means = of.columns["spread"], of.columns["brightness"]
    share = of.histograms.sum((0, 1)) / of.histograms.sum()
    heap = np.sqrt(share @ (lesson.LEVELS - share @ lesson.LEVELS) ** 2)
    assert np.isclose(heap**2, (within**2).mean() + means.var())
    print(f"{name}: within images {within.mean():.1f}, between images {means.std():.1f}, in one heap {heap:.1f}")

# %%
looks, chances = (1, 2, 4, 8, 16, 32), {"darker": [], "more spread": [], "both": []}
rng = np.random.default_rng(config.seed)
for n in looks:
    pick = {name: rng.integers(0, len(of.names), (4000, n)) for name, of in surveys.items()}
    darker, spread = (
        monet[measure_name][pick["monet"]].mean(1) - photo[measure_name][pick["photo"]].mean(1)
        for measure_name in ("brightness", "spread")
    )
    for label, says in (
        ("darker", darker < 0),
        ("more spread", spread > 0),
        ("both", (darker < 0) & (spread > 0)),
    ):
        chances[label].append(100 * says.mean())
for label, shares in chances.items():
    print(f"{label:12}", "  ".join(f"{n}: {share:.1f} %" for n, share in zip(looks, shares, strict=True)))

# %%
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for (label, shares), style in zip(chances.items(), ("o-", "s--", "^:"), strict=True):
        axis.plot(looks, shares, style, label=label)
    axis.set(title="How often a look at a few images finds the Monets…", xscale="log", ylabel="% of 4,000 looks")
    axis.set_xticks(looks, looks)
    axis.minorticks_off()
    axis.set_xlabel("images looked at in each set")
    figure.legend(loc="outside lower center", ncols=3)
show(
    figure,
    "Falling curves: the share of small random looks that find the Monets darker, more spread, or both",
)

# %% [markdown]
# All three deviations are smaller for the paintings, so the claim is wrong for each meaning of "standard deviation".
# A small number of images can mislead: one image of each set says "darker" in 14 % of the looks here, and in a quarter
# of the looks at real images. With eight images of each set that is rare, and both halves of the claim together are
# hardly ever found. **On the real images**
#
# ```
# monet: within images 50.5, between images 28.7, in one heap 59.2
# photo: within images 57.5, between images 33.6, in one heap 67.9
# darker       1: 25.4 %  2: 17.8 %  4: 9.8 %  8: 3.8 %  16: 0.7 %  32: 0.0 %
# more spread  1: 33.7 %  2: 28.1 %  4: 20.6 %  8: 11.5 %  16: 4.7 %  32: 1.1 %
# both         1: 7.2 %  2: 4.3 %  4: 1.6 %  8: 0.2 %  16: 0.0 %  32: 0.0 %
# ```
#
# One more explanation needs no luck at all. *Exchange the two names*, and both halves of the claim become true: the
# photos are darker and have the higher spread. Nobody can prove from outside that S0 did this, but it is the first
# thing to check when a result is the mirror image of the truth. Code with variables like `m2p` and `p2m` gives many
# chances to exchange them. The protection is one line: every record names its set in `target`, and the first
# section compared that with the folder's name.
#
# ## Claim two: "deeper, more intense colours"
#
# S3 concludes from its histograms that Monet's paintings tend to use deeper, more intense colours, most clearly in
# the green channel. What is the intensity of a colour? Two measures are in use, and both begin with the difference
# between the largest and the smallest channel: **chroma** = max − min, and **HSV saturation** = (max − min) / max.
#
# **Predict first:** which of these two colours has more chroma, and which has more saturation: the near-black
# (40, 10, 10) or the salmon (190, 160, 160)?

# %%
for color in ((40, 10, 10), (190, 160, 160)):
    chroma = max(color) - min(color)
    print(f"{color}: chroma {chroma}, saturation {chroma / max(color):.2f}")
found = lesson.effects(surveys["monet"], surveys["photo"])
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.8), layout="constrained")
    d, low, high = np.array(list(found.values())).T
    axis.axvspan(-0.2, 0.2, color="0.88", label="|d| < 0.2: hardly a difference")
    axis.errorbar(d, np.arange(len(d)), xerr=[d - low, high - d], fmt="o", capsize=4, color="black")
    axis.set_yticks(range(len(d)), [lesson.MEASURES[name] for name in found])
    axis.set(title="Monets have less of it (left) or more of it (right)", xlim=(-3, 3))
    axis.set_xlabel("Cohen's d; bars: 95 % of resamplings")
    axis.invert_yaxis()
    figure.legend(loc="outside lower center")
show(
    figure,
    "Effect sizes with intervals: brightness and channels right of zero; spread, chroma and saturation left of zero",
)
assert np.isclose(found["chroma"][0], effect_size(monet["chroma"], photo["chroma"]))

# %% [markdown]
# The two colours have the same chroma, but the dark one has five times the saturation: dividing by the maximum makes
# every dark colour "saturated", down to the noise in a shadow. The photos are darker, so HSV saturation favours
# them. The bars are bootstrap intervals: draw as many images again from each set, with repetition, compute d again,
# and do this 400 times. That is fair only if the images are independent, and so no two of the sample come from one
# photograph. The bars are wide here, because there are only 48 images in a set.
#
# So what remains of the claim? The mean of every channel is *higher* in the paintings, and that is brightness. The
# colours are not more intense: in the sample the paintings have even less chroma. **On the real images**, as the last
# figure shows, the chroma of the two sets is the same (40.9 against 42.4), and the paintings have less saturation (0.30
# against 0.40). Does the difference in saturation come from darkness alone? Compare only images of about the same
# brightness. And is green special? Compare the channels.

# %%
for low, high in ((60, 90), (90, 120), (120, 150), (150, 180)):
    chosen = [(low <= of["brightness"]) & (of["brightness"] < high) for of in (monet, photo)]
    if min(mask.sum() for mask in chosen) >= 4:
        for name in ("saturation", "chroma"):
            a, b = (of[name][mask].mean() for of, mask in zip((monet, photo), chosen, strict=True))
            print(f"brightness {low} to {high}: {name:10} paintings {a:5.2f}, photos {b:5.2f}")
peaks = {name: of.histograms.sum(0) / of.histograms.sum((0, 2))[:, None] for name, of in surveys.items()}
for c, channel in enumerate(lesson.CHANNELS):
    more = monet[channel].mean() - photo[channel].mean()
    tall = 100 * peaks["monet"][c, 5:250].max()  # without the ends, where clipped values pile up
    print(f"{channel:6}: {more:+.1f} levels in Monets, d = {found[channel][0]:+.2f}; their peak is {tall:.2f} % high")

# %% [markdown]
# In the sample only a few images fall into each range of brightness, and the two ranges disagree: from 120 to 150 the
# saturation is equal, from 150 to 180 the photos, only four of them, have more. **On the real images** the difference
# in saturation nearly vanishes at equal brightness: most of it *was* darkness.
#
# ```
# brightness 60 to 90: saturation paintings  0.45, photos  0.47
# brightness 90 to 120: saturation paintings  0.38, photos  0.39
# brightness 120 to 150: saturation paintings  0.29, photos  0.32
# brightness 150 to 180: saturation paintings  0.21, photos  0.23
# red   : +31.0 levels in Monets, d = +0.86; their peak is 0.59 % high
# green : +29.5 levels in Monets, d = +0.86; their peak is 0.62 % high
# blue  : +24.7 levels in Monets, d = +0.63; their peak is 0.51 % high
# ```
#
# Is green special? In the sample it has the largest effect size, but its interval in the figure overlaps widely with
# that of red, so this means little. On the real images green is no stronger than red. What stands out there is the
# *peak* of green. A tall peak means that the values lie close together, not that there is more of the colour (in the
# sample, blue has the tallest peak and the smallest effect). Whoever reads the height of a histogram as intensity makes
# this mistake: how much of a colour there is shows in where the curve lies, not in how high it rises.
#
# ## Palettes
#
# A mean mixes all colours into a grey brown. A palette keeps the main colours: *median cut* splits the cloud of
# pixels in RGB space until there are eight boxes, then *k-means* moves each centre to the middle of its pixels.
# Pillow's `quantize` does both. **Predict first:** in which of the two sets will the darkest of eight colours be
# closer to black?


# %%
def of_set(of):
    return of.thumbs[:: max(1, len(of.thumbs) // 300)].reshape(-1, 32, 3)


bars = {
    "all Monets": lesson.palette(of_set(surveys["monet"])),
    "all photos": lesson.palette(of_set(surveys["photo"])),
}
bars |= {f"Monet {k}": lesson.palette(pictures["monet"][k]) for k in range(2)}
bars |= {f"photo {k}": lesson.palette(pictures["photo"][k]) for k in range(2)}
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for row, colors in enumerate(bars.values()):
        edges = 100 * np.cumsum([0, *(share for share, _ in colors)])
        assert np.isclose(edges[-1], 100)
        axis.barh(row, np.diff(edges), 0.85, edges[:-1], color=[np.array(rgb) / 255 for _, rgb in colors])
    axis.set(title="Eight colours of each, dark to light", xlabel="% of the pixels", xlim=(0, 100))
    axis.set_yticks(range(len(bars)), list(bars))
    axis.invert_yaxis()
    axis.grid(False)
show(
    figure,
    "Palettes as bars of eight colours, dark to light: both sets, two paintings, two photos; photos begin darker",
)
for name in ("all Monets", "all photos"):
    print(f"{name}: the darkest is {bars[name][0][1]}, {bars[name][0][0]:.0%} of the pixels")

# %% [markdown]
# The darkest colour of the photos is much closer to black: what the grid showed is now a number. **On the real images**
#
# ```
# all Monets: the darkest is (49, 48, 41), 11% of the pixels
# all photos: the darkest is (26, 28, 23), 21% of the pixels
# ```
#
# The Impressionists mixed their shadows from colours and hardly used black. A generator has
# to learn this, more than "deeper colours": in the later lessons, watch what happens to the shadows.
#
# ## From bytes to tanh, and back
#
# A generator ends in a tanh, whose values lie between −1 and 1. Real images are brought to the same range, so that
# real and painted ones are alike: x = level / 127.5 − 1. (S1 writes that it normalizes to a scale of [1, 1]; it
# must mean [−1, 1].) On the way back, round. **Predict first:** if you don't round and simply write
# `.astype("uint8")`, how many of the 256 levels come back changed?

# %%
levels = np.arange(256, dtype=np.uint8)
scaled_levels = levels.astype(np.float32) / 127.5 - 1
np.testing.assert_allclose(scaled_levels, to_float(levels), atol=1e-6)
assert (scaled_levels.min(), scaled_levels.max()) == (-1, 1)
cut = ((scaled_levels + 1) * 127.5).astype("uint8")
rounded = np.rint((scaled_levels + 1) * 127.5).astype("uint8")
lost = cut != levels
print(f"cut off: {lost.sum()} levels change, for instance {levels[lost][:5]} become {cut[lost][:5]}")
print(f"rounded: {(rounded != levels).sum()} levels change")
np.testing.assert_array_equal(rounded, to_uint8(scaled_levels))
np.testing.assert_array_equal(to_uint8(to_float(pictures["monet"])), pictures["monet"])

# %%
x = np.linspace(-4, 4, 400)
white = np.arctanh(254.5 / 127.5 - 1)
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
    axis.plot(x, (np.tanh(x) + 1) * 127.5)
    axis.axvspan(white, 4, color="0.88", label=f"rounds to 255: beyond {white:.1f}")
    axis.axvspan(-4, -white, color="0.75", label=f"rounds to 0: below {-white:.1f}")
    axis.set(
        title="What the last layer must give for a level",
        xlabel="value before tanh",
        ylabel="level (0 to 255)",
    )
    figure.legend(loc="outside lower center", ncols=2)
show(
    figure,
    "The S-curve of tanh on the scale of levels, steep in the middle and flat where pure black and pure white lie",
)
assert to_uint8(np.tanh(white + 0.01)) == 255

# %% [markdown]
# Cutting off darkens those levels by one. That is too little to see, but it is a regular pattern in every image that
# you submit, and popular notebooks make this mistake.
#
# The curve tells more. Mid-tones are easy: a small change before the tanh moves them far. Pure black and pure white
# are hard: they lie far out, where the curve is flat and passes hardly any gradient back. An untrained generator
# gives values near 0, which is level 128. This is the grey picture that S1 saw before training.
#
# ## What the imbalance does to an epoch
#
# CycleGAN's losses take one batch of each set and never compare a certain painting with a certain photo. The
# imbalance therefore does not bias a class, as it would in a classifier. The question is *which images the networks
# meet, and how often*. S2 trains for 30 epochs on a zipped dataset, in the style of the tutorials:
# `Dataset.zip((monets, photos))`. **Predict first:** how many different photos does such an epoch show? And how often
# must each painting be shown if every photo is to be met once?


# %%
def numbered(count):  # images that are their own number: 16 x 16 pixels of (hundreds, rest, 0)
    number = np.arange(count)
    return np.tile(
        np.stack([number // 100, number % 100, 0 * number], 1).astype(np.uint8)[:, None, None], (1, 16, 16, 1)
    )


zipped = tf.data.Dataset.zip((tf.data.Dataset.range(300), tf.data.Dataset.range(7038)))
zip_photos = {int(photo) for _, photo in zipped}

batches = UnpairedBatches(numbered(300), numbered(7038), config.with_(crop=16, batch_size=1))
shown = {"monet": np.zeros(300, int), "photo": np.zeros(7038, int)}
for step in range(batches.steps_per_epoch):
    for name, image in zip(shown, batches(step), strict=True):
        shown[name][100 * int(image[0, 0, 0, 0]) + int(image[0, 0, 0, 1])] += 1
print(f"zip: {len(zip_photos)} steps an epoch, {len(zip_photos)} different photos")
print(f"UnpairedBatches: {batches.steps_per_epoch} steps, {(shown['photo'] > 0).sum()} different photos,")
print(f"    each painting {shown['monet'].min()} or {shown['monet'].max()} times")
assert (shown["photo"] == 1).all()
assert shown["monet"].max() - shown["monet"].min() == 1

# %%
show(
    lesson.bars_figure(
        {
            "different photos met in an epoch": {
                "zip": len(zip_photos),
                "UnpairedBatches": int((shown["photo"] > 0).sum()),
            },
            "times each painting is shown": {
                "zip": 1.0,
                "UnpairedBatches": round(float(shown["monet"].mean()), 1),
            },
        },
        "number",
    ),
    "Bars: zip meets 300 photos and shows each painting once; UnpairedBatches meets 7,038 and shows each 23.5 times",
)

# %% [markdown]
# `zip` stops when its shorter member ends. If nothing is shuffled, the same 300 photos come in every epoch, each
# beside the same painting. The generator then never meets the other 6,738 photos, although it has to paint them for
# the submission. Shuffling the *whole* photo set before the zip repairs this; a small shuffle buffer doesn't. An
# "epoch" then means 300 steps, so S2's 30 epochs are 9,000 steps, little more than one pass over the photos.
#
# `UnpairedBatches`, the library's loader, replaces the `shuffle`, `zip` and `batch` of the chain above. It deals each
# set like a pack of cards: all of it in random order, then all of it again in a new order. Each photo comes once in an
# epoch and each painting 23 or 24 times. Which images come at step 5,000 depends only on the seed and on the number
# 5,000, so a training that was interrupted can go on exactly where it stopped.
#
# The other side of the imbalance remains: the *discriminator*, the network that tells paintings from imitations, sees
# each painting 23 times in an epoch. It can learn 300 paintings by heart, and then it stops teaching the generator
# anything about style. Augmentation helps against that: random flips (S1), altered copies of each painting (S3,
# lesson 2), and differentiable augmentation (lesson 4). S0 tried batch sizes from 64 down to 4 and wished at the end
# that it had used flips and rotations; the batch size alone does not make more paintings. In this library the settings
# `flip` and `rotate` turn the crops.

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: a record opened
#
# Turn the data of one record into `(name, pixels)`: a str and a uint8 array (height, width, 3).


# %%
def open_record(record):
    return ...


solved = lesson.check_record(open_record)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def open_record(record):
#     feature = tf.train.Example.FromString(record).features.feature
#     name = feature["image_name"].bytes_list.value[0].decode()
#     jpeg = feature["image"].bytes_list.value[0]
#     return name, tf.io.decode_jpeg(jpeg, channels=3).numpy()
# ```
# </details>

# %% [markdown]
# ### Exercise 2: the trap in "saturation"
#
# Give two colours, each three levels from 0 to 255, that have the same chroma (at least 20), the first with at least
# three times the saturation of the second. Which of the two would you call more colourful when you look at them?

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
# while an eye sees hardly any colour in it. A set of darker pictures therefore looks "more saturated" by this
# measure for no other reason than that it is darker.
# </details>

# %% [markdown]
# ### Exercise 3: sentences as measures
#
# Say for each claim which measure decides it, and what the source says of the Monets: +1 for more, −1 for less. Do
# not say whether it is true: the cell finds that out and prints it. The measures are `brightness`, `spread`, `red`,
# `green`, `blue`, `chroma` and `saturation`. Before you run the cell, write down which verdicts you expect.

# %%
meanings = {
    "S0: darker": (..., ...),
    "S0: higher deviation": (..., ...),
    "S3: more intense colours": (..., ...),
    "S3: more in green": (..., ...),
}

if lesson.check_meaning(meanings):
    for claim, (measure_name, sign) in meanings.items():
        d = found[measure_name][0]
        verdict = "no difference" if abs(d) < 0.2 else "holds" if d * sign > 0 else "the opposite holds"
        print(f"{claim:26} {measure_name:12} d = {d:+.2f}: {verdict}")

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
# On the sample and on the real images alike, the opposite of S0's two claims holds, and S3's colours are not more
# intense: the chroma is the same on the real images, and lower in the sample. Only "more in green" holds, and the same
# could be said of red and blue, since all channels are higher in a brighter picture.
# </details>

# %% [markdown]
# ### Exercise 4: back to levels
#
# A generator's output can be anything that training makes it, and averaging or resizing can push values beyond the
# ends. Write `back(x)`, which turns floats of about −1 to 1 into uint8, so that every level survives the way there and
# back and no value wraps around.


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

# %% [markdown]
# ### Exercise 5: predict the batches
#
# There are 300 paintings and 7,038 photos, and S4 uses a batch size of 4. Replace the dots by three numbers: the steps
# in an epoch of `UnpairedBatches`; how often each painting is shown in it on average; and how many photos an
# unshuffled zip never shows, however many epochs it runs.

# %%
steps, times_shown, never_shown = ..., ..., ...

solved = lesson.check_deal(None if steps is ... else (steps, times_shown, never_shown))

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# steps, times_shown, never_shown = 7038 // 4, 7038 / 300, 7038 - 300
# ```
# 1,759 steps, 23.5 times, 6,738 photos. The batch size changes how many steps an epoch has, but not how often an image
# is shown: the imbalance stays as it is.
# </details>

# %% [markdown]
# ### Exercise 6: a reader of your own
#
# Build the tool that the first section used. `walk(raw)` takes all bytes of a shard and returns a list of the data of
# its records. It compares both checksums of every record and raises a `ValueError` where one is wrong, the length's
# before it trusts the length. `lesson.checksum(data)` computes the checksum of bytes; it is stored as a little-endian
# unsigned integer of 4 bytes (`"<I"`). When your reader is right, the cell shows the paintings that it read.


# %%
def walk(raw):
    return ...


if lesson.check_walk(walk):
    read = [tf.train.Example.FromString(data) for data in walk(raw)]
    jpegs = [one.features.feature["image"].bytes_list.value[0] for one in read[:6]]
    mine = [lesson.shrink(tf.io.decode_jpeg(one, 3).numpy(), 2) for one in jpegs]
    show(image_grid([mine]), "The first paintings of the shard, read by your own reader")

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def walk(raw):
#     found, place = [], 0
#     while place < len(raw):
#         header = raw[place : place + 8]
#         length, of_length = struct.unpack("<QI", raw[place : place + 12])
#         if lesson.checksum(header) != of_length:
#             raise ValueError(f"byte {place}: the checksum of the length is wrong")
#         data = raw[place + 12 : place + 12 + length]
#         (of_data,) = struct.unpack("<I", raw[place + 12 + length : place + 16 + length])
#         if lesson.checksum(data) != of_data:
#             raise ValueError(f"byte {place}: the checksum of the data is wrong")
#         found.append(data)
#         place += 16 + length
#     return found
# ```
# The length has a checksum of its own because a wrong length would send the reader to a wrong place, from where it
# could not find any later record.
# </details>

# %% [markdown]
# ## Self-quiz
#
# Choose an answer by clicking on it, and read why it is right or wrong.
#
# **1. A shard is named photo03-352.tfrec. How many images does it hold?**
#
# <details><summary>352</summary>
#
# **No.** The number in the name is only a custom. The file itself has no count, and a download that broke off keeps
# its name.
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
# <details><summary>No: on the real images it is so in 74 % of all pairs</summary>
#
# **Right.** The means are 0.86 standard deviations apart. A single image can lie anywhere in its set.
# </details>
#
# <details><summary>Only if there are more than 300 images</summary>
#
# **No.** The number of images makes d more certain, not larger.
# </details>
#
# **3. You draw histograms of 300 and of 7,038 images into one axis. What must come first?**
#
# <details><summary>Divide each by its number of pixels</summary>
#
# **Right.** Otherwise the height shows the number of images, 23 to 1, and hides everything else.
# </details>
#
# <details><summary>Smooth them</summary>
#
# **No.** A smooth curve that is 23 times as high still hides the other one.
# </details>
#
# <details><summary>Leave out the levels 0 and 255</summary>
#
# **No.** The clipped values disturb only the two ends.
# </details>
#
# **4. Somebody finds the photos more saturated than the paintings. What do you ask first?**
#
# <details><summary>How many photos were used</summary>
#
# **No.** It matters, but with thousands of photos the difference is real: d = −0.56.
# </details>
#
# <details><summary>In which measure, and at equal brightness?</summary>
#
# **Right.** HSV saturation divides by the largest channel and rises in the dark. At equal brightness most of
# the difference is gone.
# </details>
#
# <details><summary>Which camera took them</summary>
#
# **No.** Whatever the camera, the measure explains most of the difference, as the comparison at equal brightness shows.
# </details>
#
# **5. A random crop stands before cache() in your pipeline. What happens?**
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
# **No.** Nothing warns you: that is why two well-known implementations have it.
# </details>

# %% [markdown]
# ## Recap
#
# - A [TFRecord](../docs/glossary.md#tfrecord) is a row of records with checksums. It compresses nothing; it saves the
#   opening of many files, and its checksums tell when bytes were damaged.
# - In a `tf.data` chain, decode before the cache, and shuffle and augment after it.
# - Compare images and not pixels, by an [effect size](../docs/glossary.md#effect-size); draw histograms as shares.
# - Monets are brighter than the photos and have less spread. S0 has it the other way round, as if the names were
#   exchanged. The Monets' chroma is no higher than the photos'; Monets have more light and less black.
# - Images go to [−1, 1] because of tanh; round and clip on the way back.
# - The imbalance does harm where a zip hides most photos, and where a discriminator learns 300 paintings by heart.
#   Show both sets in full in each [epoch](../docs/glossary.md#epoch), and augment.
#
# Next: [lesson 2](02_dcgan.ipynb) makes pictures from noise with a [DCGAN](../docs/glossary.md#dcgan), and finds out
# why S3's DCGAN gave the same picture every time.
