# %% [markdown]
# # 1 · Know the two sets
#
# Open the competition's files byte by byte, measure every image, and put what others said about Monet's
# colours to the test.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/01_eda.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/01_eda/01_eda.ipynb)

# %% [markdown]
# ## You will learn
#
# - what a TFRecord holds: bytes, then a `tf.train.Example`, then a JPEG, then an array
# - to count images instead of believing file names, and to find copies among them
# - to compare two sets of images with histograms, effect sizes and palettes
# - how two published statements about these sets came to be wrong, and how to find that out
# - why images go to [-1, 1] and how to get them back unharmed
# - what 300 paintings against 7,038 photos mean for training
#
# **You need** Python and a little NumPy; no neural networks yet.
#
# <!-- measured -->
# Time and memory: measured in the table of the [README](../README.md).

# %% [markdown]
# ## What you will have made
#
# ![Six paintings in visible strokes over six photos of landscapes, from the embedded sample](../docs/images/01_eda.jpg)
#
# A verdict on four claims about Monet's colours, and a data set whose every oddity you have met before it met
# your model.

# %% [markdown]
# ## Setup
#
# Without a download, everything runs on the embedded sample: 24 "paintings" and 24 "photos" that a program
# drew. What you measure on them is true of that program, not of Monet. So most sections end with a line **On
# the real images**: what the same cells printed with `MONET_DATA` set to the competition's folder ([how to
# get it](../data/README.md)), holding its 300 paintings and 2,816 of its photos, drawn at random.

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

import io
import struct
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt
from PIL import Image

from monet_lib.config import profile
from monet_lib.course import eda as lesson
from monet_lib.course.widgets import explore
from monet_lib.data.competition import (
    ImageSet,
    examine,
    find_data,
    find_images,
    read_batches,
    to_float,
)
from monet_lib.data.pipeline import UnpairedBatches
from monet_lib.data.pixels import to_uint8
from monet_lib.figures import COLORS, figure_style, image_grid, show

print(f"tensorflow {tf.__version__}, keras {keras.__version__}")
config = profile()
root = find_data()
print(f"profile: {config.profile}")
COMPETITION = {"monet": 300, "photo": 7038}

# %% [markdown]
# ## A record, opened by hand
#
# A TFRecord file, a *shard*, is a row of records with nothing before, between or after them. Each record is
#
# | bytes | what |
# |---|---|
# | 8 | length of the data, a little-endian integer |
# | 4 | checksum of that length |
# | length | the data |
# | 4 | checksum of the data |
#
# No table of contents, no count: a reader can only walk from record to record.
#
# **Predict first:** the paintings are 256×256 pixels with three channels of one byte. How long will a
# record's data be: about 200 kB, or far less?

# %%
shards = find_images(root, "monet", "tfrec").files
raw = shards[0].read_bytes()
length, length_checksum = struct.unpack("<QI", raw[:12])
record = raw[12 : 12 + length]
print(f"{shards[0].name}: {len(raw):,} bytes; the first record's data take {length:,}")
print("they begin with", record[:12].hex(" "))
assert len(record) == length < 256 * 256 * 3

# %% [markdown]
# Far less, because the data are not pixels. They are a `tf.train.Example`: a dictionary from names to lists
# of bytes, floats or integers, packed by Protocol Buffers.

# %%
example = tf.train.Example.FromString(record)
for name, feature in sorted(example.features.feature.items()):
    value = feature.bytes_list.value[0]
    print(f"{name:12}{feature.WhichOneof('kind')}  {len(value):6} bytes: {value[:10]}")
jpeg = example.features.feature["image"].bytes_list.value[0]
assert jpeg[:2] == b"\xff\xd8", "every JPEG begins with these two bytes"
assert example.features.feature["target"].bytes_list.value[0] == b"monet"

# %% [markdown]
# Three features: the picture as a JPEG, its name, and the set it belongs to. (S3 lists the same three; S1 and
# S2 declare only two of them to the parser, which is allowed: it skips what nobody asked for.) Decode the
# JPEG twice, with TensorFlow and with Pillow, and compare with what the library reads.

# %%
pixels = tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE").numpy()
names, batch = next(read_batches(find_images(root, "monet", "tfrec"), 1))
assert pixels.shape == (256, 256, 3)
assert pixels.dtype == np.uint8
np.testing.assert_array_equal(pixels, batch[0])

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
    lesson.bars_figure(
        {"One painting, from the file to the network": sizes}, "bytes (logarithmic)", log=True
    ),
    "Bars of one painting's size: JPEG and record about the same, the uint8 array and the float array far larger",
)

# %% [markdown]
# Unpacking makes a painting about ten times as large, and turning it to floats four times larger again. So
# the library keeps decoded images as uint8 in memory, and makes floats only of the batch in use.
# `INTEGER_ACCURATE` is worth its few microseconds: with it the pixels are the same in every decoder, so a
# result doesn't depend on who read the file.
#
# And the checksums? Flip one bit in the middle of the record.

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
# A JPEG decoder would often have drawn a picture from those bytes, with a smear in it. The record's checksum
# finds one bit in 20,000 bytes; the library adds the file, the record's number and what to do.
#
# ## Shards and counts
#
# Files are named like `monet00-60.tfrec`: by custom the number before the dot is the number of records. A
# custom is not a fact: a download that broke off keeps its name. So read the names (S1 and S2 go no further
# than the number of files), then walk through the records and count.
#
# S1 notes that the sets come as 5 and 20 TFRecord files instead of 300 and 7,038 JPEGs, and takes that for a
# reduction of the data. **Predict first:** are the shards smaller than the JPEGs, all together?

# %%
counts = {}
for name in ("monet", "photo"):
    images = find_images(root, name, "tfrec")
    counts[name] = sum(1 for _ in tf.data.TFRecordDataset([str(file) for file in images.files]))
    size = sum(file.stat().st_size for file in images.files)
    loose = sum(file.stat().st_size for file in (root / f"{name}_jpg").glob("*.jpg"))
    print(
        f"{name}: {len(images.files)} shards, {images.named_count()} records by name, {counts[name]} counted;"
    )
    print(f"       {size:,} bytes in shards, {loose:,} as loose JPEGs")
    assert counts[name] == images.named_count()

# %% [markdown]
# In the sample the shards are slightly *larger*: they hold the same JPEGs, and add names and checksums. A
# TFRecord compresses nothing. What it saves is opening files: 25 instead of 7,338, each read from front to
# back, which matters on a network disk and little on your laptop.
#
# **On the real images**: names and records agree. The 300 paintings take 10.3 MB in shards and 4.9 MB as
# loose files, because the loose ones are another, coarser encoding of the same paintings. Train on the
# shards: coarse JPEG blocks are a "style" that a discriminator would learn.

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
# 23 photos for each painting. S0, S3 and everyone after them name this imbalance as a difficulty; the last
# section shows what it really does, and to whom.
#
# ## Look, then look for twins
#
# Before any statistics, look. S0 printed some of each set, S1 the first, S3 the first batch, "to make sure
# they came through clean". That is worth doing, and now is the moment to keep all you need: one pass over
# each set that measures every image and keeps a thumbnail of 32×32 pixels, 6 kB in all for each image instead
# of 200.

# %% tags=["cover"]
limit = 400 if config.profile == "tiny" else None  # images of each set
surveys, pictures = {}, {}
for name in ("monet", "photo"):
    images = find_images(root, name)
    surveys[name] = lesson.survey(images, limit)
    pictures[name] = next(read_batches(images, 24))[1]
    print(f"{name}: {len(surveys[name].names)} images measured")
rows = [[lesson.shrink(image, 2) for image in pictures[name][:6]] for name in ("monet", "photo")]
show(
    image_grid(rows),
    "Six paintings in the upper row, in visible strokes, and six photos of landscapes in the lower row",
)

# %% [markdown]
# Look at the dark places: the darkest parts of the upper pictures are coloured, those of the lower ones
# nearly black. Keep that in mind.
#
# Now twins. A photo that is in the set twice counts twice; worse, if one copy is trained on and the other
# held out to score with, the score flatters. **Predict first:** plant three copies of one painting, saved as
# a poor JPEG, made brighter by 20 levels, and mirrored. Which will a hash of the pixels find? Which will the
# correlation of two thumbnails find?

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
    print(
        f"{name:10} equal pixels: {np.array_equal(image, original)!s:6} correlation: {correlations[name]:.3f}"
    )
labels = [f"{name} {value:.3f}" for name, value in correlations.items()]
show(
    image_grid([[lesson.shrink(x, 2) for x in copies.values()]], labels),
    "One painting and three copies of it, labelled with correlations",
)
assert min(correlations["poor JPEG"], correlations["brighter"]) > 0.99 > correlations["mirrored"]

# %% [markdown]
# Equal pixels, which is all that a hash sees, find none of the copies. The thumbnails' correlation ignores
# brightness and contrast and finds two; the mirrored one escapes, since no pixel is where it was (to find it,
# compare with mirrored thumbnails too). Now both tests on everything, each image against all others of its
# set.

# %%
for name, of in surveys.items():
    best, index = lesson.closest(of.thumbs)
    by_hand = np.corrcoef(of.thumbs[:20].reshape(20, -1)) - 2 * np.eye(20)
    np.testing.assert_allclose(by_hand.max(1), lesson.closest(of.thumbs[:20])[0], atol=1e-4)
    twins = sum(k < index[k] for k in np.flatnonzero(best > 0.99))
    print(f"{name}: {len(of.names)} images, {len(set(of.digests))} different ones by hash;")
    print(f"       pairs above 0.99: {twins}; highest {best.max():.4f}, median {np.median(best):.2f}")

# %% [markdown]
# The sample has no twins. **On the real images** the hash finds one pair among 2,816 photos, the thumbnails
# four, and the most alike paintings have 0.94: two views of one motif, as Monet liked to paint, not copies.
# (The whole set has 7,038 photos, 7,028 of them different.) Ten photos in 7,000 spoil nothing. You know it
# now, instead of hoping.
#
# ## Red, green, blue
#
# A histogram tells how many pixels of a channel have each level from 0 to 255. S3 drew one for each channel
# of both sets. **Predict first:** draw 300 paintings and 7,038 photos into one axis, counting pixels. What
# will you see of the paintings?

# %%
with figure_style():
    figure, axes = plt.subplots(2, 3, figsize=(11, 5.4), layout="constrained", sharey="row", sharex=True)
    for name, of in surveys.items():
        pixels_at = of.histograms.sum(0)  # (3, 256)
        shares = pixels_at / pixels_at.sum(1, keepdims=True)
        np.testing.assert_allclose(shares.sum(1), 1)
        for c, channel in enumerate(lesson.CHANNELS):
            look = {"color": COLORS[name], "label": lesson.LABELS[name]}
            axes[0, c].plot(shares[c] * COMPETITION[name] * 256**2 / 1e6, **look)
            axes[1, c].plot(100 * shares[c], **look)
            axes[0, c].set_title(f"{channel}: counts, 300 to 7,038")
            axes[1, c].set(title=f"{channel}: shares", xlabel="level (0 to 255)", ylim=(0, 2))
    axes[0, 0].set_ylabel("million pixels")
    axes[1, 0].set_ylabel("% of the set's pixels")
    axes[0, 0].legend()
show(
    figure,
    "Histograms of red, green and blue: as counts the paintings lie flat under the photos, as shares both are humps",
)

# %% [markdown]
# As counts, scaled here to the competition's numbers, the paintings lie flat on the floor: the picture shows
# the imbalance, and nothing of colour. As shares, each curve has area 1 and the two can be compared. The
# paintings' hump stands further right and they have fewer dark pixels, in all three channels. (The spikes at
# the ends are values clipped to 0 and 255; the axis cuts the one of blue.)
#
# The explorer shows one image at a time, its set dotted. Look for a picture whose curve has nothing to do
# with its set's.

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
# Nearly every image disagrees with its set's smooth curve. That is why the next sections count *images*, not
# pixels: 65,536 pixels of one sky are one observation, not 65,536.
#
# ## Claim one: "darker, with a higher spread"
#
# S0 looked at average pixel intensities and found the Monets "a bit darker" than the photos with "a bit
# higher standard deviation". For each image take the mean of all its values and their standard deviation. "A
# bit" needs a scale, and the usual one is **Cohen's d**: the difference of the two means, divided by the
# standard deviation that images have within a set.
#
# $$d = \frac{\bar a - \bar b}{s}, \qquad s^2 = \frac{(n_a - 1)\,s_a^2 + (n_b - 1)\,s_b^2}{n_a + n_b - 2}$$
#
# Rules of thumb (Cohen 1988): 0.2 is small, 0.5 medium, 0.8 large. At d = 0 two bell curves coincide, at d =
# 1 they share 62 % of their area, at d = 2 a third. It doesn't grow with the number of images, as a p-value's
# verdict does.
#
# **Predict first:** from the grid above, are the paintings brighter or darker than the photos? By a small or
# a large d?


# %%
def effect_size(a, b):
    pooled = ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / (len(a) + len(b) - 2)
    return (np.mean(a) - np.mean(b)) / np.sqrt(pooled)


monet, photo = (surveys[name].columns for name in ("monet", "photo"))
np.testing.assert_allclose(monet["brightness"][0], pictures["monet"][0].mean())
np.testing.assert_allclose(monet["spread"][0], pictures["monet"][0].std())
for measure in ("brightness", "spread"):
    a, b = monet[measure], photo[measure]
    d, above = effect_size(a, b), (a[:, None] > b).mean()
    assert np.isclose(d, lesson.cohens_d(a, b))
    print(f"{measure:10}: paintings {a.mean():5.1f}, photos {b.mean():5.1f}, d = {d:+.2f};")
    print(f"            a painting has more than a photo in {above:.0%} of all pairs")

# %%
with figure_style():
    figure, axis = plt.subplots(figsize=(7, 4.4), layout="constrained")
    for name, marker in (("photo", "o"), ("monet", "^")):
        x, y = surveys[name].columns["brightness"], surveys[name].columns["spread"]
        look = {"alpha": 0.6 if len(x) < 400 else 0.25, "linewidths": 0}
        axis.scatter(x, y, 36, COLORS[name], marker=marker, label=lesson.LABELS[name], **look)
        axis.plot(x.mean(), y.mean(), marker, ms=15, mfc=COLORS[name], mec="black")
    axis.set_title("Every image by brightness and spread (large: the means)")
    axis.set_xlabel("mean of its pixels (0 to 255)")
    axis.set_ylabel("standard deviation of its pixels")
    axis.legend()
show(
    figure,
    "Each image as a point: paintings lie to the right of the photos, so brighter, and lower, so less spread",
)

# %% [markdown]
# Both halves of the claim fail. In this sample the paintings are brighter by a large effect and spread less.
#
# **On the real images** it is the same: brightness 130 against 102 (d = +0.86, 95 % interval +0.74 to +0.97),
# spread within an image 50.5 against 57.5 (d = −0.55, −0.65 to −0.44). A painting is brighter than a photo in
# 74 % of all pairs. This prints the table of all measures, for any data:
#
# ```
# python -c "from monet_lib.lesson_eda import claims_table; claims_table('PATH')"
# ```
#
# ## How to come to the opposite claim
#
# S0 doesn't show its code, so test explanations. *Perhaps another standard deviation was meant?* There are
# three: within an image; between the images' means; and of all pixels in one heap. They hang together: heap²
# = mean of within² + between². *Perhaps too few images were looked at?* Draw a few at random from each set,
# many times, and count how often they support S0.
#
# **Predict first:** which explanation will survive?

# %%
for name, of in surveys.items():
    within, means = of.columns["spread"], of.columns["brightness"]
    share = of.histograms.sum((0, 1)) / of.histograms.sum()
    heap = np.sqrt(share @ (lesson.LEVELS - share @ lesson.LEVELS) ** 2)
    assert np.isclose(heap**2, (within**2).mean() + means.var())
    print(
        f"{name}: within images {within.mean():.1f}, between images {means.std():.1f}, in one heap {heap:.1f}"
    )

# %%
looks, chances = (1, 2, 4, 8, 16, 32), {"darker": [], "more spread": [], "both": []}
rng = np.random.default_rng(config.seed)
for n in looks:
    pick = {name: rng.integers(0, len(of.names), (4000, n)) for name, of in surveys.items()}
    darker, spread = (
        monet[measure][pick["monet"]].mean(1) - photo[measure][pick["photo"]].mean(1)
        for measure in ("brightness", "spread")
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
    figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for (label, shares), style in zip(chances.items(), ("o-", "s--", "^:"), strict=True):
        axis.plot(looks, shares, style, label=label)
    axis.set(
        title="How often a look at a few images finds the Monets…", xscale="log", ylabel="% of 4,000 looks"
    )
    axis.set_xticks(looks, looks)
    axis.minorticks_off()
    axis.set_xlabel("images looked at in each set")
    axis.legend()
show(
    figure,
    "Falling curves: the share of small random looks that find the Monets darker, more spread, or both",
)

# %% [markdown]
# All three standard deviations say the same: the paintings have less. So no reading of "standard deviation"
# rescues the claim. Few images might: with one of each, the odd look does support it; from 16 images on
# hardly any does. **On the real images** one pair says "darker" in a quarter of the looks and both in 7 %,
# eight images in 4 % and hardly ever. The three deviations are 50.5, 28.7 and 59.2 for the paintings, 57.5,
# 33.6 and 67.9 for the photos.
#
# One explanation remains, and it needs no luck. *Swap the two names* and both halves become true at once, to
# the "bit": the photos are darker and have the higher spread. It can't be proven from outside, but it is the
# first thing to check when a result is the exact mirror image of the truth: code that holds `m2p` and `p2m`,
# `monet` and `photo` is full of chances to swap them. The guard costs one line: every record names its set in
# `target`, and the first section compared it with the folder's name.
#
# ## Claim two: "deeper, more intense colours"
#
# S3 reads from its histograms that Monets "use deeper more intense colors", most prominently in green, though
# in all three channels. What is the intensity of a colour? Two measures are in use, and both begin with the
# distance of the largest channel from the smallest: **chroma** = max − min, and **HSV saturation** = (max −
# min) / max. **Predict first:** which of these two has more chroma, and which more saturation: the near-black
# (40, 10, 10) or the salmon (190, 160, 160)?

# %%
for color in ((40, 10, 10), (190, 160, 160)):
    chroma = max(color) - min(color)
    print(f"{color}: chroma {chroma}, saturation {chroma / max(color):.2f}")
found = lesson.effects(surveys["monet"], surveys["photo"])
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
    d, low, high = np.array(list(found.values())).T
    axis.axvspan(-0.2, 0.2, color="0.88", label="|d| < 0.2: hardly a difference")
    axis.errorbar(d, np.arange(len(d)), xerr=[d - low, high - d], fmt="o", capsize=4, color="black")
    axis.set_yticks(range(len(d)), [lesson.MEASURES[measure] for measure in found])
    axis.set(title="Monets have less of it (left) or more of it (right)", xlim=(-3, 3))
    axis.set_xlabel("Cohen's d; bars: 95 % of resamplings")
    axis.invert_yaxis()
    axis.legend(loc="lower right")
show(
    figure,
    "Effect sizes with intervals: brightness and the three channels right of zero; spread, chroma and saturation left",
)
assert np.isclose(found["chroma"][0], effect_size(monet["chroma"], photo["chroma"]))

# %% [markdown]
# The two colours have the same chroma, but the dark one is saturated five times as much: dividing by the
# maximum makes every dark colour "saturated", down to the noise in a shadow. The photos are darker, so HSV
# favours them. The bars are bootstrap intervals: draw as many images again from each set, with repetition,
# and compute d anew, 400 times. They are wide here, with 24 images a set.
#
# So what of the claim? All three means lie right: every channel has *higher values* in Monets, which is
# brightness. The colours themselves are not more intense: the chroma is no higher. **On the real images**
# chroma is 40.9 against 42.4 (d = −0.07: no difference), saturation 0.30 against 0.40 (d = −0.56). Is that
# all darkness? Compare only images of about the same brightness. And green? Compare the channels.

# %%
for low, high in ((60, 90), (90, 120), (120, 150), (150, 180)):
    chosen = [(low <= of["brightness"]) & (of["brightness"] < high) for of in (monet, photo)]
    if min(mask.sum() for mask in chosen) >= 4:
        for measure in ("saturation", "chroma"):
            a, b = (of[measure][mask].mean() for of, mask in zip((monet, photo), chosen, strict=True))
            print(f"brightness {low} to {high}: {measure:10} paintings {a:5.2f}, photos {b:5.2f}")
peaks = {name: of.histograms.sum(0) / of.histograms.sum((0, 2))[:, None] for name, of in surveys.items()}
for c, channel in enumerate(lesson.CHANNELS):
    more = monet[channel].mean() - photo[channel].mean()
    tall = 100 * peaks["monet"][c, 5:250].max()  # without the ends, where clipped values pile up
    print(
        f"{channel:6}: {more:+.1f} levels in Monets, d = {found[channel][0]:+.2f}; their peak is {tall:.2f} % high"
    )

# %% [markdown]
# In the sample the photos stay a little more colourful at equal brightness: its painter mixes paler paints.
# **On the real images** the difference in saturation nearly vanishes at equal brightness (0.38 against 0.39
# from 90 to 120, 0.29 against 0.32 from 120 to 150): it *was* mostly darkness.
#
# And green does not stand out by its effect size: **on the real images** red +31.0, green +29.5, blue +24.7
# levels, d = +0.86, +0.86, +0.63. What stands out is its *peak*: 0.62 % of the pixels at one level, against
# 0.59 in red and 0.51 in blue, in the sample too. A tall peak means that the values lie close together, not
# that there is more of the colour. Looking at a histogram's height and reading "intensity" is the likely
# slip: the colour's amount is where the curve lies, not how high it rises.
#
# ## Palettes
#
# Means mix all colours to mud. A palette keeps the main ones: *median cut* splits the cloud of pixels in RGB
# space until there are eight boxes, then *k-means* moves each centre to the middle of its pixels. Pillow's
# `quantize` does both. **Predict first:** in which set will the darkest of eight colours be closer to black?


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
# The photos' darkest colour is much closer to black: what the grid showed, now as a number. **On the real
# images** the darkest of eight is (49, 48, 41) with 11 % of the pixels in Monets, (26, 28, 23) with 21 % in
# photos. The Impressionists mixed their shadows from colours and hardly used black. This, more than "deeper
# colours", is what a generator has to learn: in the later lessons, watch what happens to the shadows.
#
# ## From bytes to tanh, and back
#
# A generator ends in tanh, whose values lie in (−1, 1). So that real and painted images are alike, pixels are
# brought there: x = level / 127.5 − 1. (S1 writes that it normalizes "to a scale [1, 1]"; it means [−1, 1].)
# On the way back, round. **Predict first:** if you don't, and simply write `.astype("uint8")`, how many of
# the 256 levels come back changed?

# %%
levels = np.arange(256, dtype=np.uint8)
scaled = levels.astype(np.float32) / 127.5 - 1
np.testing.assert_allclose(scaled, to_float(levels), atol=1e-6)
assert (scaled.min(), scaled.max()) == (-1, 1)
cut = ((scaled + 1) * 127.5).astype("uint8")
rounded = np.rint((scaled + 1) * 127.5).astype("uint8")
lost = cut != levels
print(f"cut off: {lost.sum()} levels change, for instance {levels[lost][:5]} become {cut[lost][:5]}")
print(f"rounded: {(rounded != levels).sum()} levels change")
np.testing.assert_array_equal(rounded, to_uint8(scaled))
np.testing.assert_array_equal(to_uint8(to_float(pictures["monet"])), pictures["monet"])

# %%
x = np.linspace(-4, 4, 400)
white = np.arctanh(254.5 / 127.5 - 1)
with figure_style():
    figure, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
    axis.plot(x, (np.tanh(x) + 1) * 127.5)
    axis.axvspan(white, 4, color="0.88", label=f"rounds to 255: beyond {white:.1f}")
    axis.axvspan(-4, -white, color="0.75", label=f"rounds to 0: below {-white:.1f}")
    axis.set(
        title="What the last layer must give for a level",
        xlabel="value before tanh",
        ylabel="level (0 to 255)",
    )
    axis.legend()
show(
    figure,
    "The S-curve of tanh on the scale of levels, steep in the middle and flat where pure black and pure white lie",
)
assert to_uint8(np.tanh(white + 0.01)) == 255

# %% [markdown]
# Cutting off darkens those levels by one: too little to see, and enough to be a pattern, in every image that
# you submit. Popular notebooks do it.
#
# The curve tells more. Mid-tones are cheap: a small step before tanh moves them far. Pure black and white are
# far out where the curve is flat and hardly passes a gradient back. An untrained generator gives values near
# 0, level 128: the grey picture that S1 saw before training.
#
# ## What the imbalance does to an epoch
#
# CycleGAN's losses take one batch of each set and never compare a certain painting with a certain photo, so
# the imbalance doesn't bias a class, as it would in a classifier. The question is *which images are met how
# often*. S2 and the popular tutorials train on `Dataset.zip((monets, photos))`, S2 for 30 epochs. **Predict
# first:** how many different photos does such an epoch meet? And how often is each painting shown if every
# photo is to be met once?


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
# `zip` stops with its shorter member. Unshuffled, the same 300 photos come every epoch, each beside the same
# painting: 30 epochs teach the generator 300 photos, and the other 6,738, which it must paint for the
# submission, it never met. (Shuffling the *whole* photo set before the zip cures it; a small shuffle buffer
# doesn't.) An "epoch" then means 300 steps, so S2's 30 epochs are 9,000 steps, little more than one pass over
# the photos.
#
# `UnpairedBatches` deals each set like a pack of cards: all of it in random order, then all of it again in a
# new one. Each photo once, each painting 23 or 24 times. The price is the other side of the imbalance: the
# *discriminator* sees each painting 23 times while the generator's photos are always new. 300 paintings can
# be learnt by heart, and a discriminator that knows them by heart stops teaching. That is where augmentation
# comes in: flips (S1) and crops, more in lesson 2 (S3's five copies of each painting), and differentiable
# augmentation in lesson 4. S0 tried batches of 64 down to 4 and shuffling, and wishes at its end that it had
# flipped and rotated its paintings: batch size alone doesn't make more of them.

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
# Give two colours, each three levels from 0 to 255, of the same chroma (at least 20): the first at least
# three times as saturated as the second. Which of the two would you call more colourful, looking at them?

# %%
two_colors = ...

solved = lesson.check_reds(two_colors)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# two_colors = [(60, 0, 0), (240, 180, 180)]
# ```
# Chroma 60 each; saturation 60/60 = 1 and 60/240 = 0.25. HSV calls the near-black one fully saturated. An eye
# sees hardly any colour in it. So a set of darker pictures looks "more saturated" in this measure for no
# other reason than being darker.
# </details>

# %% [markdown]
# ### Exercise 3: sentences as measures
#
# Say for each claim which measure decides it, and what the source says of the Monets: +1 for more, −1 for
# less. Not whether it is true: the cell finds that out and prints it. The measures are `brightness`,
# `spread`, `red`, `green`, `blue`, `chroma`, `saturation`. Before you run it, write down which verdicts you
# expect.

# %%
meanings = {
    "S0: darker": (..., ...),
    "S0: higher deviation": (..., ...),
    "S3: more intense colours": (..., ...),
    "S3: more in green": (..., ...),
}

if lesson.check_meaning(meanings):
    for claim, (measure, sign) in meanings.items():
        d = found[measure][0]
        verdict = "no difference" if abs(d) < 0.2 else "holds" if d * sign > 0 else "the opposite holds"
        print(f"{claim:26} {measure:12} d = {d:+.2f}: {verdict}")

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
# On the sample and on the real images alike, S0's two claims turn out as their opposites. S3's colours are
# not more intense: chroma has the opposite sign in the sample and no difference on the real images. Only
# "more in green" holds, and red and blue could say the same: all channels are higher in a brighter picture.
# </details>

# %% [markdown]
# ### Exercise 4: back to levels
#
# A generator's output can be anything that the optimizer makes it, and averaging or resizing can push it past
# the ends. Write `back(x)`: floats, about −1 to 1, to uint8, so that every level survives the way there and
# back and nothing wraps around.


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
# 300 paintings, 7,038 photos, and S4's batch of 4. Replace the dots: steps in an epoch of `UnpairedBatches`;
# how often each painting is shown in it, on average; and how many photos an unshuffled zip never shows, in
# however many epochs.

# %%
steps, times_shown, never_shown = ..., ..., ...

solved = lesson.check_deal(None if steps is ... else (steps, times_shown, never_shown))

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# steps, times_shown, never_shown = 7038 // 4, 7038 / 300, 7038 - 300
# ```
# 1,759 steps, 23.5 times, 6,738 photos. The batch size changes how many steps an epoch has, but not how often
# an image is shown: the imbalance stays as it is.
# </details>

# %% [markdown]
# ## Self-quiz
#
# <details><summary>1. A shard is named photo03-352.tfrec. How many images does it hold?</summary>
#
# You don't know yet. The name is a custom; the file has no count in it. Walk through the records, and
# compare: a download that broke off shows as a difference.
# </details>
#
# <details><summary>2. Two sets differ by d = 0.86 in brightness. Is a painting always brighter than a photo?</summary>
#
# No. On the real images it is so in 74 % of all pairs. The means are 0.86 standard deviations apart, and the
# heaps overlap widely. A "large" effect is one about sets, seldom about a single image.
# </details>
#
# <details><summary>3. You draw histograms of 300 and of 7,038 images into one axis. What comes first?</summary>
#
# Divide each by its number of pixels. Otherwise the height shows the number of images, 23 to 1, and hides
# everything else.
# </details>
#
# <details><summary>4. Somebody finds the photos "more saturated" than the paintings. What do you ask?</summary>
#
# In which measure, and at equal brightness? HSV saturation divides by the largest channel and rises in the
# dark. On the real images most of the difference is gone among images of equal brightness.
# </details>
#
# <details><summary>5. Why do generators and data share the range [−1, 1], and not [0, 255]?</summary>
#
# The last layer is a tanh, which can't leave (−1, 1). If real images came in 0 to 255, the discriminator
# would tell them by their range alone and teach nothing about painting.
# </details>

# %% [markdown]
# ## Recap
#
# - A [TFRecord](../docs/glossary.md#tfrecord) is a row of checksummed records. It compresses nothing: it
#   saves opening files, and tells when bytes were damaged.
# - Compare images, not pixels, by an [effect size](../docs/glossary.md#effect-size), and histograms as
#   shares.
# - Monets are brighter than the photos and spread less; S0 has it the other way round, as if the names were
#   swapped. Their chroma is no higher; they have more light and less black.
# - Images go to [−1, 1] for tanh; round and clip on the way back.
# - The imbalance hurts where a zip hides most photos, and where 300 paintings are learnt by heart. Deal both
#   sets in full each [epoch](../docs/glossary.md#epoch); augment.
#
# Next: [lesson 2](02_dcgan.ipynb) makes pictures from noise, with a [DCGAN](../docs/glossary.md#dcgan), and
# finds out why S3's gave the same picture every time.
