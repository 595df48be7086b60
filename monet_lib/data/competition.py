"""Find the competition's images, read them from TFRecord shards or JPEG folders, check and decode them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from monet_lib.errors import UserError
from monet_lib.files import COURSE

SIZE = 256  # pixels: height and width of every image of the competition
SETS = {"monet": "paintings", "photo": "photos"}
# In a notebook that holds this code there is no __file__: then it is `data/` beside the notebook.
CHECKOUT_DATA = Path(globals().get("__file__", "monet_lib/data/competition.py")).resolve().parents[2] / "data"
FEATURES = {
    "image": tf.io.FixedLenFeature([], tf.string, ""),
    "image_name": tf.io.FixedLenFeature([], tf.string, ""),
}
ADVICE = "Download it again, or go on without it (--skip-bad); see data/README.md."


@dataclass(frozen=True)
class ImageSet:
    """The files of one of the two sets. name: "monet" or "photo"; format: "tfrec" (shards) or "jpg" (images)."""

    name: str
    format: str
    files: tuple[Path, ...]

    def named_count(self):
        """Images according to the file names (`photo03-352.tfrec` holds 352), or None where a name tells nothing."""
        counts = [1 if self.format == "jpg" else _count_in_name(file) for file in self.files]
        return None if None in counts else sum(counts)

    def count(self):
        """Images according to the names, or counted record by record where the names don't tell."""
        return self.named_count() or sum(1 for _ in _named_jpegs(self))


def find_data(data=None):
    """The folder to read from, as a Path, and the choice printed.

    The first of: `data`; the environment variable MONET_DATA; /kaggle/input/* (MONET_INPUT moves it); `data/` of
    the checkout; the embedded sample. Raises UserError where a folder was named and holds no image set.
    """
    for named, by in ((data, "as asked"), (os.environ.get("MONET_DATA"), "from MONET_DATA")):
        if named:
            root = Path(named)
            if not root.is_dir():
                raise UserError(
                    f"{root}: no such folder. Name the folder that holds monet_tfrec or monet_jpg."
                )
            if not has_images(root):
                raise UserError(f"{root}: neither monet_tfrec, monet_jpg, photo_tfrec nor photo_jpg is in it. "
                                "Name the folder that holds them; see data/README.md.")  # fmt: skip
            print(f"data: {_short(root)} ({by})")
            return root
    kaggle = Path(os.environ.get("MONET_INPUT", "/kaggle/input"))
    places = [(root, "Kaggle input") for pattern in ("*", "*/*") for root in sorted(kaggle.glob(pattern))]
    places += [
        (CHECKOUT_DATA, "the checkout's data folder"),
        (CHECKOUT_DATA / "gan-getting-started", "the checkout"),
    ]
    places += [(COURSE / "data" / "sample", "the embedded sample; set MONET_DATA for the real images")]
    for root, by in places:
        if has_images(root):
            print(f"data: {_short(root)} ({by})")
            return root
    raise UserError("data: none found. On Kaggle, add the competition gan-getting-started as input; elsewhere set "
                    "MONET_DATA, or make a sample: monet data --make-sample DIR.")  # fmt: skip


def find_images(root, name, format=None):
    """The ImageSet `name` ("monet" or "photo") under `root`: shards where there are any, else JPEGs.

    format: "tfrec" or "jpg" to insist on one. Raises UserError where the set is missing or empty.
    """
    root = Path(root)
    for kind, pattern in (("tfrec", "*.tfrec"), ("jpg", "*.jpg")):
        files = tuple(sorted((root / f"{name}_{kind}").glob(pattern)))
        if files and format in (None, kind):
            return ImageSet(name, kind, files)
    wanted = " or ".join(f"{name}_{k}/*.{k}" for k in ("tfrec", "jpg") if format in (None, k))
    raise UserError(f"{root}: no {SETS[name]} ({wanted}). Both sets are needed; see data/README.md.")


def load(images, skip_bad=False):
    """Read, check and decode a whole ImageSet.

    Returns (names, pixels, problems): a list of str, uint8 (n, 256, 256, 3) in 0..255 and a list of UserErrors.
    A bad record raises its UserError; with `skip_bad` it is left out and its error listed instead.
    """
    count = images.count()
    try:
        # One batch of all: each image is decoded into its place, and the memory is never copied.
        whole = read_batches(images, max(1, count))
        names, pixels = next(whole)
        if len(names) == count and next(whole, None) is None:
            return names, pixels, []
    except (tf.errors.OpError, StopIteration, UnicodeDecodeError):
        pass
    # Something is wrong: read again one by one, slowly, to say what and where.
    names, kept, problems = [], [], []
    for name, image, problem in examine(images):
        if problem and not skip_bad:
            raise problem
        if problem:
            problems.append(problem)
        if image is not None:
            names.append(name)
            kept.append(image)
    if not kept:
        raise UserError(f"{images.files[0].parent}: no readable image in {len(images.files)} files. {ADVICE}")
    return names, np.stack(kept), problems


def read_batches(images, batch):
    """Stream (names, pixels): a list of str and uint8 (batch, 256, 256, 3), in order; the last batch may be smaller.

    Fast, and with TensorFlow's errors for bad records: `load` or `examine` the set first.
    """
    decoded = _named_jpegs(images).map(_decode_checked, tf.data.AUTOTUNE)
    # Unlike Tensor.numpy(), this iterator lends its memory instead of copying it.
    for names, pixels in decoded.batch(batch).prefetch(2).as_numpy_iterator():
        yield [name.decode() for name in names], pixels


def examine(images):
    """Yield (name, image, problem) record by record: uint8 (256, 256, 3) or None, and a UserError or None."""
    for file in images.files:
        where, number = f"{file.parent.name}/{file.name}", 0
        if images.format == "jpg":
            yield _examined(file.read_bytes(), file.stem, where)
            continue
        iterator = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
        try:
            for number, record in enumerate(iterator, 1):
                yield _examined_record(record, f"{file.stem}-{number}", f"{where}, record {number}")
        except tf.errors.DataLossError as error:
            found = "the file ends within it" if "truncated" in str(error) else "its checksum is wrong"
            yield (
                None,
                None,
                UserError(f"{where}, record {number + 1}: {found}; the rest can't be read. {ADVICE}"),
            )
            continue
        named = _count_in_name(file)
        if named is not None and number != named:
            yield None, None, UserError(f"{where}: named for {named} records, holds {number}. {ADVICE}")


def decode(jpeg, where):
    """JPEG bytes to uint8 (256, 256, 3), RGB in 0..255. Raises UserError, beginning with `where`, for anything else."""
    if not jpeg.startswith(b"\xff\xd8"):
        raise UserError(f"{where}: not a JPEG (first bytes {jpeg[:4].hex(' ') or 'none'}). {ADVICE}")
    try:
        height, width, channels = tf.image.extract_jpeg_shape(jpeg).numpy()
        if channels != 3:
            kind = {1: "greyscale", 4: "CMYK"}.get(channels, f"{channels}-channel")
            raise UserError(
                f"{where}: a {kind} image, not RGB. Convert it, or go on without it (--skip-bad)."
            )
        if (height, width) != (SIZE, SIZE):
            raise UserError(
                f"{where}: {width}x{height} px, not {SIZE}x{SIZE}. Resize it, or go on without it (--skip-bad)."
            )
        return _decode_jpeg(jpeg).numpy()
    except tf.errors.InvalidArgumentError:
        raise UserError(f"{where}: a damaged JPEG. {ADVICE}") from None


def to_float(pixels):
    """uint8 0..255 to float32 in [-1, 1], the range of tanh; any shape, NumPy or TensorFlow."""
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def has_images(root):
    """Whether `root`, a Path, holds the folder of at least one set."""
    return any((root / f"{name}_{kind}").is_dir() for name in SETS for kind in ("tfrec", "jpg"))


def _short(path):
    """The path as the shell would need it from here, where that is no longer than the whole one."""
    return min(str(path), os.path.relpath(path), key=len)


def _count_in_name(file):
    match = re.search(r"-(\d+)$", file.stem)
    return int(match[1]) if match else None


def _named_jpegs(images):
    """tf.data.Dataset of (name, JPEG bytes), in file order."""
    files = [str(file) for file in images.files]
    if images.format == "jpg":
        stems = [file.stem for file in images.files]
        return tf.data.Dataset.from_tensor_slices((stems, files)).map(
            lambda stem, file: (stem, tf.io.read_file(file))
        )
    examples = tf.data.TFRecordDataset(files).map(lambda record: tf.io.parse_single_example(record, FEATURES))
    return examples.map(lambda example: (example["image_name"], example["image"]))


def _decode_checked(name, jpeg):
    # What isn't a JPEG has no such shape, and one of another size or other channels can't be reshaped to it and pass.
    # Any of these makes `load` fall back to `examine`, which tells what is wrong.
    return name, _decode_jpeg(jpeg, channels=0, shape=tf.image.extract_jpeg_shape(jpeg))


def _decode_jpeg(jpeg, channels=3, shape=(SIZE, SIZE, 3)):
    # The accurate transform is the one that other decoders use, so pixels are the same everywhere.
    pixels = tf.io.decode_jpeg(jpeg, channels=channels, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(tf.reshape(pixels, shape), (SIZE, SIZE, 3))


def _examined(jpeg, name, where):
    try:
        return name, decode(jpeg, where), None
    except UserError as problem:
        return name, None, problem


def _examined_record(record, name, where):
    try:
        feature = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        return name, None, UserError(f"{where}: not a tf.train.Example. {ADVICE}")
    if not feature["image"].bytes_list.value:
        return name, None, UserError(f"{where}: no feature 'image'. {ADVICE}")
    named = feature["image_name"].bytes_list.value
    return _examined(feature["image"].bytes_list.value[0], named[0].decode() if named else name, where)
