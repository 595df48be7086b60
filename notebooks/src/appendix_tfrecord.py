# %% [markdown]
# # Appendix · The bytes of a TFRecord
#
# What a shard holds byte by byte, how damage is noticed, and a reader of your own. [Lesson 1](01_eda.ipynb) needs
# none of it.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/monet-lab/monet-lab/blob/main/notebooks/appendix_tfrecord.ipynb)

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

import io
import struct
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from monet_lib.course import eda as lesson
from monet_lib.data import ImageSet, examine, find_images
from monet_lib.figures import image_grid, show

# %% [markdown]
# ## Length, checksum, data, checksum
#
# A shard is a row of records with nothing before, between or after them
# ([format](https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details)). Each record is
#
# | bytes | what they are |
# |---|---|
# | 8 | the length of the data, a little-endian integer |
# | 4 | a checksum of these eight bytes |
# | length | the data |
# | 4 | a checksum of the data |
#
# The file has no table of contents and no count: a reader can only walk from record to record. The data are a
# `tf.train.Example`, a dictionary packed by a format called Protocol Buffers.

# %%
shards = find_images(root, "monet", "tfrec").files
raw = shards[0].read_bytes()
length, checksum = struct.unpack("<QI", raw[:12])
record = raw[12 : 12 + length]
print(f"{shards[0].name}: {len(raw):,} bytes; first record {length:,}")
print("its data begin with", record[:12].hex(" "))
example = tf.train.Example.FromString(record)
for name, feature in sorted(example.features.feature.items()):
    value = feature.bytes_list.value[0]
    print(f"{name:12}{len(value):6} bytes: {value[:10]}")
jpeg = example.features.feature["image"].bytes_list.value[0]

# %% tags=["ci"]
assert lesson.checksum(raw[:8]) == checksum
assert raw.startswith(lesson.framed(record))
assert jpeg[:2] == b"\xff\xd8", "every JPEG begins with these two bytes"
assert example.features.feature["target"].bytes_list.value[0] == b"monet"

# %% [markdown]
# ## From the JPEG to the network
#
# A JPEG must be decoded, and decoders need not agree to the last level. How large does the painting become on its way?

# %%
pixels = tf.io.decode_jpeg(jpeg, 3, dct_method="INTEGER_ACCURATE").numpy()
others = {
    "Pillow": np.asarray(Image.open(io.BytesIO(jpeg))),
    "TensorFlow, default": tf.io.decode_jpeg(jpeg, 3).numpy(),
}
apart = {}
for decoder, other in others.items():
    apart[decoder] = np.abs(pixels.astype(int) - other).max()
    print(f"{decoder}: differs by at most {apart[decoder]} of 255 levels")
bytes_of = {
    "JPEG": len(jpeg),
    "record with lengths and checksums": 12 + length + 4,
    "uint8 array": pixels.nbytes,
    "float32 array": pixels.nbytes * 4,
}
for what, size in bytes_of.items():
    print(f"{what:34}{size:8,} bytes")

# %% tags=["ci"]
assert apart["Pillow"] == 0

# %% [markdown]
# Decoding makes this painting {{ bytes_of["uint8 array"] / len(jpeg):.1f}} times as large, and floats are four times
# larger again. The library therefore keeps decoded images as uint8 in memory and makes floats only of the batch in
# use. It decodes with `INTEGER_ACCURATE`, so that TensorFlow and Pillow give the same pixels.
#
# ## What a shard saves
#
# S1, one of the five write-ups that lesson 1 introduces, notes that the sets come as 5 and 20 TFRecord files instead of
# 300 and 7,038 JPEGs, and concludes that the scale of the data is thereby reduced. **Predict first:** are all shards
# together smaller than all JPEGs together?

# %%
for name in ("monet", "photo"):
    images = find_images(root, name, "tfrec")
    named = images.named_count()
    files = [str(file) for file in images.files]
    count = sum(1 for _ in tf.data.TFRecordDataset(files))
    size = sum(file.stat().st_size for file in images.files)
    loose = (root / f"{name}_jpg").glob("*.jpg")
    jpegs = sum(file.stat().st_size for file in loose)
    print(f"{name}: {len(files)} shards, {named} by name, {count} counted;")
    print(f"       {size:,} bytes in shards, {jpegs:,} as JPEG files")

# %% [markdown]
# **On the real images** (`python tools/real_images.py appendix_tfrecord`)
#
# ```
# monet: 5 shards, 300 by name, 300 counted;
#        10,257,938 bytes in shards, 4,937,766 as JPEG files
# photo: 8 shards, 2816 by name, 2816 counted;
#        39,606,954 bytes in shards, 39,352,148 as JPEG files
# ```
#
# A TFRecord compresses nothing: it holds the same JPEGs and adds names and checksums. What it saves is the opening of
# files: 25 files instead of 7,338 in the competition, each of them read from front to back. The loose paintings take
# half of the space because they are another, coarser encoding of the same paintings: train on the shards.
# [Lesson 5](05_submission.ipynb) measures how far apart the two encodings are.
#
# ## What the checksums are for
#
# Flip one bit of the record and read it again. Then give the JPEG alone, with one bit flipped, to its decoder.

# %%
damaged = bytearray(raw)
damaged[12 + length // 2] ^= 1
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "monet_tfrec" / "damaged.tfrec"
    file.parent.mkdir()
    file.write_bytes(damaged)
    _, image, problem = next(examine(ImageSet("monet", "tfrec", (file,))))
print(problem)
smeared = bytearray(jpeg)
smeared[len(jpeg) // 2] ^= 4
decoded = np.asarray(Image.open(io.BytesIO(smeared)))
wrong = (decoded != pixels).any(-1).mean()
print(f"Pillow says nothing; {wrong:.0%} of the pixels differ")
show(
    image_grid([[pixels, decoded]], ["as it was", "one bit flipped"]),
    "A painting, and the same with some grey blocks, after which all is shifted",
)

# %% tags=["ci"]
assert image is None
assert "checksum" in str(problem)
assert wrong > 0

# %% [markdown]
# The checksum notices one wrong bit among {{ 8 * length:,}}, and the library adds where it happened and what to do. The
# decoder of JPEGs drew a picture from such bytes without a word. Which bit it is decides what one sees of it: most bits
# spoil a single block of 8×8 pixels, this one shifts all that comes after it.
#
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
#
# ### Exercise 2: a reader of your own
#
# `walk(raw)` takes all bytes of a shard and returns a list of the data of its records. It compares both checksums of
# every record and raises a `ValueError` where one is wrong. `lesson.checksum(data)` computes the checksum of bytes; it
# is stored as a little-endian unsigned integer of 4 bytes (`"<I"`). When your reader is right, the cell shows the
# paintings that it read.


# %%
def walk(raw):
    return ...


if lesson.check_walk(walk):
    read = [tf.train.Example.FromString(data) for data in walk(raw)]
    jpegs = [one.features.feature["image"].bytes_list.value[0] for one in read]
    mine = [tf.io.decode_jpeg(one, 3).numpy()[::2, ::2] for one in jpegs[:6]]
    show(image_grid([mine]), "Paintings of the shard, read by your own reader")

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
#             raise ValueError(f"byte {place}: the length's checksum is wrong")
#         end = place + 12 + length
#         data = raw[place + 12 : end]
#         (of_data,) = struct.unpack("<I", raw[end : end + 4])
#         if lesson.checksum(data) != of_data:
#             raise ValueError(f"byte {place}: the data's checksum is wrong")
#         found.append(data)
#         place = end + 4
#     return found
# ```
# The length has a checksum of its own because a wrong length would send the reader to a wrong place, from where it
# could not find any later record.
# </details>
