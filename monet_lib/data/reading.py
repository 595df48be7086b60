"""The images of a data folder, from its files to NumPy arrays. This file follows their way from top to bottom.

At the end: images to score, which may lie in a folder, a zip or shards. Only `to_float` needs TensorFlow.
"""

import hashlib
import os
import re
import struct
import unicodedata
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import google_crc32c
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from numpy.typing import ArrayLike

from monet_lib.data.pictures import PICTURES, opened_image, picture, strict_jpeg, turn_of
from monet_lib.files import (
    COURSE,
    UserError,
    contents,
    counted,
    disguised,
    opened,
    reading,
    refuse_bomb,
    say,
    user_path,
)

SHARDS = (".tfrec", ".tfrecord", ".tfrecords")
SIZE = 256  # pixels: height and width of every image of the competition
SETS = {"monet": "paintings", "photo": "photos"}
CHECKOUT_DATA = Path(__file__).resolve().parents[2] / "data"
ADVICE = "Download it again, or leave it out (--skip-bad); see data/README.md."


# Find the folder.
def find_data(data: str | Path | None = None, download: Callable[[], Path] | None = None) -> Path:
    """The data folder, as a Path. Prints which folder it is and why.

    The first of: `data`; the environment variable MONET_DATA; Kaggle's inputs, or those in MONET_INPUT, whichever way
    they are attached; `data/` of the checkout; the folder that download() returns, where it is given; the embedded
    sample. Raises UserError where a named folder holds no image set, and on Kaggle instead of taking the sample.
    """
    asked = [(data, "as asked"), (os.environ.get("MONET_DATA"), "from MONET_DATA")]
    for root, by in ((user_path(name), by) for name, by in asked if name):
        if root.is_file():
            raise UserError(f"{root}: a file. If it is the competition's zip, unpack it, and name the folder.")
        if not root.is_dir():
            raise UserError(f"{root}: no such folder. Name the folder that holds monet_tfrec or monet_jpg.")
        if not any(_formats(root, name) for name in SETS):
            raise UserError(f"{root}: neither monet_tfrec, monet_jpg, photo_tfrec nor photo_jpg with images in it. "
                            "Name the folder that holds them; see data/README.md.")  # fmt: skip
        return _chosen(root, by)
    kaggle = Path(os.environ.get("MONET_INPUT", "/kaggle/input"))
    # /kaggle/input/SLUG, .../competitions/SLUG, .../datasets/OWNER/SLUG, and a folder within each.
    depths = ("*", "*/*", "*/*/*", "*/*/*/*")
    places = [(root, "Kaggle input") for depth in depths for root in sorted(kaggle.glob(depth))]
    places += [(CHECKOUT_DATA, "the checkout's data folder"), (CHECKOUT_DATA / "gan-getting-started", "the checkout")]
    if not (download or kaggle.is_dir() or os.environ.get("KAGGLE_KERNEL_RUN_TYPE")):
        places += [(COURSE / "data" / "sample", "the embedded sample; set MONET_DATA for the real images")]
    for root, by in places:
        if any(_formats(root, name) for name in SETS):
            return _chosen(root, by)
    if download:
        return _chosen(download(), "downloaded")
    raise UserError("data: none found. On Kaggle, add the competition gan-getting-started as input; elsewhere run "
                    "monet data --download, or set MONET_DATA to the folder of the images.")  # fmt: skip


def _chosen(root, by):
    """Print `root` as the shell would need it from the working folder, where that is shorter than the whole path."""
    say(f"data: {min(str(root), os.path.relpath(root), key=len)} ({by})")
    return root


def has_both_sets(root: Path) -> bool:
    """Whether `root` holds files of paintings and of photos, as training needs them."""
    return all(_formats(root, name) for name in SETS)


# List the files of a set.
@dataclass(frozen=True)
class ImageSet:
    """The files of one of the two sets. name: "monet" or "photo"; format: "tfrec" (shards) or "jpg" (images)."""

    name: str
    format: str
    files: tuple[Path, ...]

    def named_count(self) -> int | None:
        """Images according to the file names (`photo03-352.tfrec` holds 352), or None where a name has no number."""
        counts = [1 if self.format == "jpg" else _count_in_name(file) for file in self.files]
        return None if None in counts else sum(counts)

    def count(self) -> int:
        """The number of files of images, or of records in the shards, whatever numbers the shards' names have."""
        return len(self.files) if self.format == "jpg" else sum(map(count_records, self.files))


def _formats(root, name):
    """The ImageSets of `name` under `root`: its shards, then its image files; [] where there are neither."""
    sets = (ImageSet(name, kind, files_in(root / f"{name}_{kind}", kind)) for kind in ("tfrec", "jpg"))
    return [images for images in sets if images.files]


def find_images(root: str | Path, name: str, format: str | None = None) -> ImageSet:
    """The ImageSet `name` ("monet" or "photo") under `root`: shards where there are any, else JPEGs and PNGs.

    format: "tfrec" or "jpg" allows only that one. Raises UserError where the set is missing or empty.
    """
    for images in _formats(Path(root), name):
        if format in (None, images.format):
            return images
    raise UserError(f"{root}: {_missing(name, [format] if format else ['tfrec', 'jpg'])}")


def _missing(name, kinds):
    wanted = " or ".join(f"{name}_{kind}/*.{kind}" for kind in kinds)
    inside = "Folders inside are not searched: move files out of them; see data/README.md."
    return f"no {SETS[name]} ({wanted}). Both sets are needed. {inside}"


def files_in(folder: Path, kind: str) -> tuple[Path, ...]:
    """The shards ("tfrec") or image files ("jpg") of a folder in name order, without hidden files.

    A folder or a dangling link with such an ending is listed too: reading it raises the UserError that names it.
    """
    endings = SHARDS if kind == "tfrec" else PICTURES
    files = sorted(folder.iterdir()) if folder.is_dir() else ()
    return tuple(file for file in files if file.suffix.lower() in endings and not file.name.startswith("."))


def _count_in_name(file):
    match = re.search(r"-(\d{1,9})$", file.stem)
    return int(match[1]) if match else None


# Read the records of a shard.
# A shard is a TFRecord file (tensorflow/core/lib/io/record_writer.h): for each record its length, the length's
# checksum, the record and the record's checksum. Numbers are little-endian.
HEADER = 12  # bytes before a record: its length and the length's checksum


def read_records(file: str | Path, where: str) -> Iterator[bytes]:
    """Yield the records of the shard `file`, bytes each, each compared with its checksums.

    Raises UserError, beginning with `where` and the record's number, at the first damaged record: the records behind
    it can't be found.
    """
    number = 0
    with reading(where, "shard", ADVICE), opened(file) as stream:
        while header := stream.read(HEADER):
            number += 1
            if number == 1 and (kind := disguised(header + stream.peek(64)[:64])):
                raise UserError(f"{where}: {kind}. {ADVICE}")
            at = f"{where}, record {number}"
            (length,) = struct.unpack("<Q", _checked(header, HEADER, at))
            yield _checked(stream.read(length + 4), length + 4, at)


def _checked(data, size, at):
    """`data` without its last four bytes, the checksum. Raises UserError where it is shorter than `size` or damaged."""
    found = "the file ends within it" if len(data) < size else "its checksum is wrong"
    if len(data) < size or masked_checksum(data[:-4]) != data[-4:]:
        raise UserError(f"{at}: {found}; the rest can't be read. {ADVICE}")
    return data[:-4]


def masked_checksum(data: bytes) -> bytes:
    """The four bytes that follow `data` in a shard: its CRC-32C, rotated right by 15 bits, plus a constant."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def count_records(file: str | Path) -> int:
    """The number of records in a shard, by their lengths alone; in a damaged shard, the records before the damage."""
    count = 0
    with suppress(OSError), opened(file) as stream:  # `read_records` raises the error that names the file
        end = stream.seek(0, 2)
        stream.seek(0)
        while len(header := stream.read(HEADER)) == HEADER:
            (length,) = struct.unpack("<Q", header[:8])
            if stream.tell() + length + 4 > end:
                break
            stream.seek(length + 4, 1)
            count += 1
    return count


# tf.train.Example (tensorflow/core/example/example.proto) without its lists of numbers.
SCHEMA = """
name: "example.proto" package: "monet" syntax: "proto3"
message_type { name: "BytesList" field { name: "value" number: 1 type: TYPE_BYTES label: LABEL_REPEATED } }
message_type { name: "Feature" field { name: "bytes_list" number: 1 type: TYPE_MESSAGE type_name: ".monet.BytesList" } }
message_type { name: "Features"
  field { name: "feature" number: 1 type: TYPE_MESSAGE type_name: ".monet.Features.Entry" label: LABEL_REPEATED }
  nested_type { name: "Entry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING }
    field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".monet.Feature" } } }
message_type { name: "Example" field { name: "features" number: 1 type: TYPE_MESSAGE type_name: ".monet.Features" } }
"""


def parse_example(record: bytes, where: str) -> dict[str, list[bytes] | None]:
    """{feature: list of bytes} of a serialized tf.train.Example; None for a feature of numbers.

    Raises UserError where the bytes are no tf.train.Example.
    """
    with reading(where, "tf.train.Example", ADVICE):
        features = _example().FromString(record).features.feature
        return {name: list(f.bytes_list.value) if f.HasField("bytes_list") else None for name, f in features.items()}


@lru_cache
def _example():
    """The message class of tf.train.Example, in a pool of its own: TensorFlow registers the same names in another."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(text_format.Parse(SCHEMA, descriptor_pb2.FileDescriptorProto()).SerializeToString())
    example = pool.FindMessageTypeByName("monet.Example")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(example)
    return message_factory.MessageFactory(pool).GetPrototype(example)  # before protobuf 4.22, on older images of Kaggle


# Decode an image and check it.
STARTS = {"JPEG": b"\xff\xd8", "PNG": b"\x89PNG\r\n\x1a\n"}
MODES = {"L": "greyscale", "1": "black and white", "RGBA": "transparent", "P": "palette"}


def decode(data: bytes, where: str, formats: tuple[str, ...] = ("JPEG",), otherwise: str | None = None) -> np.ndarray:
    """The bytes of an image file to uint8 (256, 256, 3), RGB in 0..255, upright.

    formats: "JPEG", "PNG" or both. Raises UserError, beginning with `where`, for another format, size or mode, and for
    damage. otherwise: the advice at the message's end, instead of that for a data folder.
    """
    kind, again = " or ".join(formats), otherwise or ADVICE
    convert = otherwise or "Convert it, or leave it out (--skip-bad)."
    if not data.startswith(tuple(STARTS[name] for name in formats)):
        found = f"first bytes {data[:4].hex(' ')}" if data else "empty"
        raise UserError(f"{where}: not a {kind} ({disguised(data) or found}). {again}")
    with opened_image(data, where, again, formats=formats, what=kind) as image:
        if image.mode != "RGB":
            raise UserError(f"{where}: a {MODES.get(image.mode, image.mode)} image, not RGB. {convert}")
        if image.size != (SIZE, SIZE):
            raise UserError(f"{where}: {image.width}x{image.height} px, not {SIZE}x{SIZE}. {convert}")
        pixels, damage = strict_jpeg(data) if image.format == "JPEG" else (None, None)
        if damage:
            raise UserError(f"{where}: not a readable JPEG ({damage}). {again}")
        turn = turn_of(image)
        return np.asarray(image if turn is None else image.transpose(turn)) if pixels is None or turn else pixels


# Read a whole set.
AHEAD = 32  # images that are decoded before they are asked for


def examine(
    images: ImageSet, only: Collection[int] | None = None
) -> Iterator[tuple[str | None, np.ndarray | None, UserError | None]]:
    """Yield (name, image, problem) image by image: uint8 (256, 256, 3) or None, and a UserError or None.

    only: the places in the set, from 0 on, of the images to decode; the other images are left out. What is wrong with
    a whole shard is yielded without a name. Decoded in threads, at most AHEAD images before they are asked for.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 2)) as pool:
        if images.format == "tfrec":
            work = _records(images.files, only)
        else:
            work = (partial(_file, f) for place, f in enumerate(images.files) if only is None or place in only)
        yield from in_order(pool, lambda each: each(), work, AHEAD)


def in_order(pool: Executor, call: Callable[[Any], Any], items: Iterable[Any], ahead: int) -> Iterator[Any]:
    """Yield call(item) of each item in order, computed in the pool, at most `ahead` of them before they are asked for.

    As `Executor.map` with a `buffersize`, which Python has from 3.14 on.
    """
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(call, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    yield from (each.result() for each in waiting)


def _file(file):
    """The (name, image, problem) of an image file."""
    name, where = _text(os.fsencode(file.stem)), f"{file.parent.name}/{file.name}"
    try:
        with reading(where, "image", ADVICE):
            data = contents(file)
        return name, decode(data, where, ("JPEG", "PNG")), None
    except UserError as problem:
        return name, None, problem


def _records(files, only):
    """Yield functions, each of which returns the (name, image, problem) of a record, or the problem of a shard."""
    place = 0
    for file in files:
        where, number, named = f"{file.parent.name}/{file.name}", 0, _count_in_name(file)
        try:
            for number, record in enumerate(read_records(file, where), 1):
                if only is None or place in only:
                    yield partial(_record, record, f"{file.stem}-{number}", f"{where}, record {number}")
                place += 1
            if number != named and (named is not None or not number):
                promised = "" if named is None else f"named for {counted(named, 'record')}, "
                raise UserError(f"{where}: {promised}holds {number if promised else 'no record'}. {ADVICE}")
        except UserError as problem:
            yield partial(tuple, (None, None, problem))


def _record(record, name, where):
    """The (name, image, problem) of a record. name: for a record that has no image_name."""
    try:
        features = parse_example(record, where)
        if not features.get("image"):
            held = "holds no bytes" if "image" in features else "is missing"
            raise UserError(f"{where}: no feature 'image' of bytes ({held}). {ADVICE}")
        if features.get("image_name", ()) is None:
            raise UserError(f"{where}: its image_name holds no text. {ADVICE}")
        name = _text(features["image_name"][0]) if features.get("image_name") else name
        return name, decode(features["image"][0], where), None
    except UserError as problem:
        return name, None, problem


def _text(data):
    """A name's bytes as text: UTF-8, or else Latin-1, which old systems wrote."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def load(images: ImageSet, skip_bad: bool = False) -> tuple[list[str], np.ndarray, list[UserError]]:
    """Read, check and decode a whole ImageSet.

    Returns (names, pixels, problems): a list of str, uint8 (n, 256, 256, 3) in 0..255 and a list of UserErrors.
    A bad record raises its UserError; with `skip_bad` it is left out and its error listed instead.
    """
    names, problems = [], []
    pixels = np.empty((images.count(), SIZE, SIZE, 3), np.uint8)
    for name, image, problem in examine(images):
        if problem and not skip_bad:
            raise problem
        if problem:
            problems.append(problem)
        else:
            pixels[len(names)] = image
            names.append(name)
    if not names:
        searched = counted(len(images.files), "file")
        raise UserError(f"{images.files[0].parent}: no readable image in {searched}. {ADVICE}")
    return names, pixels[: len(names)], problems


def read_batches(images: ImageSet, batch: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Stream (names, pixels): a list of str and uint8 (batch, 256, 256, 3), in order; the last batch may be smaller.

    Raises UserError at a bad record.
    """
    found = examine(images)
    while part := list(islice(found, batch)):
        for *_, problem in part:
            if problem:
                raise problem
        yield [name for name, *_ in part], np.stack([image for _, image, _ in part])


def to_float(pixels):
    """uint8 0..255 to float32 in [-1, 1], the range of tanh; any shape, NumPy or TensorFlow. A TensorFlow tensor."""
    import tensorflow as tf  # imported here, because `monet data` answers without TensorFlow

    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def to_uint8(images: ArrayLike) -> np.ndarray:
    """[-1, 1] back to uint8 0..255: rounded, so that `to_uint8(to_float(x)) == x`, and clipped. Returns NumPy."""
    return np.clip(np.rint((np.asarray(images, np.float32) + 1.0) * 127.5), 0, 255).astype(np.uint8)


# Inspect a whole folder.
LONGEST_NAME = 240  # bytes: with "-udlr.jpg" behind it, a file may have such a name on every system
# The correlation of two thumbnails above which images count as twins. Of the competition's images, copies that were
# saved again have 0.997 and more; the most similar pictures that differ, two aeroplanes in a blue sky, have 0.987.
TWINS = 0.99
# Levels: the mean difference of two thumbnails from which one name is said to have two pictures. Between a painting in
# a shard and as a JPEG it is 1.4 at most, between the two aeroplanes 6.
APART = 4


def inspect_data(root: str | Path) -> tuple[list[str], list[str]]:
    """Read every record of every set and format under `root`. Returns (report, problems): lines of text each.

    A problem is what training or a submission would meet: images that can't be read, a set that is missing, names that
    can't be files' names, two formats of a set with different images. Images that are nearly the same, in one set or
    across the sets, harm little: the report names them.
    """
    report, problems, thumbs = [], [], {}
    for name in SETS:
        formats = []
        for images in _formats(Path(root), name):
            line, *found = _inspect_images(images, problems)
            report.append(line)
            formats.append(found)
        if len(formats) == 2 and (differ := _differences(*formats)):
            advice = "Training reads the shards, if --format doesn't say jpg: remove the wrong ones."
            problems.append(f"{root}: {name}_tfrec and {name}_jpg differ: {'; '.join(differ)}. {advice}")
        if formats:
            thumbs |= {f"{name}/{of}": thumb for of, thumb in formats[0][1].items()}
        else:
            problems.append(f"{root}: {_missing(name, ['tfrec', 'jpg'])}")
    return report + _near_twins(thumbs), problems


def _inspect_images(images, problems):
    """(line of the report, Counter of the images' names, {name: thumbnail} of the distinct images) of a set."""
    by_pixels, names, unreadable, thumbs = {}, Counter(), Counter(), {}
    for name, image, problem in examine(images):
        if problem:
            problems.append(str(problem))
            unreadable[name] += name is not None
            continue
        alike = by_pixels.setdefault(hashlib.sha256(image.tobytes()).digest(), [])
        if not alike:
            thumbs[name] = shrink(image, 8)
        alike.append(name)
        names[name] += 1
    folder = images.files[0].parent
    if repeated := [name for name, times in names.items() if times > 1]:
        found = f"{counted(len(repeated), 'name')} used twice, such as {repeated[0]}"
        problems.append(f"{folder}: {found}. Rename one of each.")
    if images.name == "photo" and (odd := [name for name in names if not plain_name(name)]):
        found = f"{counted(len(odd), 'name')} not plain enough for a file, such as {odd[0]!r}"
        problems.append(f"{folder}: {found}: monet submit needs plain ones. Rename.")
    copies = [group for group in by_pixels.values() if len(group) > 1]
    named, size = images.named_count(), sum(f.stat().st_size for f in images.files if f.is_file()) / 1e6
    what = f"{counted(names.total(), 'image')} of 256x256 RGB in {counted(len(images.files), 'file')}"
    line = f"{images.name}_{images.format}: {what}, {size:.1f} MB"
    line += f"; {named} by the names" if images.format == "tfrec" and named is not None else ""
    line += f"; {len(by_pixels)} distinct" + (f", such as {' = '.join(copies[0])}" if copies else "")
    return line, names + unreadable, thumbs


def _differences(shards, files):
    """What differs between the two formats of a set, each (names, thumbs) of `_inspect_images`; [] for nothing."""
    (names, thumbs), (file_names, file_thumbs) = shards, files
    both = thumbs.keys() & file_thumbs.keys()
    apart = [
        name for name in thumbs if name in both and np.abs(np.int16(thumbs[name]) - file_thumbs[name]).mean() > APART
    ]
    found = [(names - file_names, "only in the shards"), (file_names - names, "only as files")]
    found += [(apart, "with two pictures")]
    return [f"{counted(len(which), 'image')} {how} ({_few(list(which))})" for which, how in found if which]


def _near_twins(thumbs):
    """A line of the report that names the images which are nearly the same; [] for none. thumbs: {name: thumbnail}."""
    if not thumbs:
        return []
    names, (best, other) = list(thumbs), closest(np.stack(list(thumbs.values())))
    pairs = sorted({tuple(sorted((k, other[k]))) for k in np.flatnonzero(best > TWINS)})
    found = [f"{names[a]} = {names[b]}" for a, b in pairs]
    return [f"{counted(len(found), 'pair')} nearly the same: {_few(found)}"] if found else []


def _few(names):
    """`a, b, c and 7 more`"""
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def plain_name(name: str) -> bool:
    """Whether `name` can be a file's name anywhere: no folder, nothing hidden, no control characters, not too long."""
    return (
        bool(re.fullmatch(r'[^./\\:*?"<>|][^/\\:*?"<>|]*', name))
        and name == name.strip()
        and all(unicodedata.category(character)[0] != "C" for character in name)
        and len(name.encode()) <= LONGEST_NAME
    )


def shrink(image: np.ndarray, factor: int) -> np.ndarray:
    """A uint8 (h, w, 3) image, each side divided by `factor`: the mean of each square of pixels."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    return np.rint(image.reshape(height, factor, width, factor, 3).mean((1, 3))).astype(np.uint8)


def closest(thumbs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of uint8 (n, 32, 32, 3): (correlation with the most similar other thumb, its index), both (n,)."""
    x = np.asarray(thumbs, np.float32).reshape(len(thumbs), -1)
    x -= x.mean(1, keepdims=True)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
    best, index = np.empty(len(x), np.float32), np.empty(len(x), int)
    for start in range(0, len(x), 512):  # 7,038 x 7,038 at once would take 200 MB
        similar = x[start : start + 512] @ x.T
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -2
        index[start + rows], best[start + rows] = similar.argmax(1), similar.max(1)
    return best, index


# Images to score, of any size.
LARGEST_SCORED = 1 << 24  # px of a picture to score, 4096x4096
LEAVE_OUT = "Leave it out."


def count_images(source: str | Path, n: int | None = None) -> int:
    """How many images `read_images` yields."""
    return len(_spread(_pictures_of(Path(source)), n))


def read_images(source: str | Path, n: int | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """Stream (name, uint8 (h, w, 3) RGB in 0..255) in name order, one image in memory at a time.

    source: a folder of images or of shards, a .zip of images, or one .tfrec. n: yield an even spread of n
    images, and decode only these. A zip is read where it is and never unpacked. Raises UserError for a missing, empty,
    damaged or unsafe source.
    """
    source = Path(source)
    pictures = _pictures_of(source)
    places = _spread(pictures, n)
    if isinstance(pictures, ImageSet):
        for name, image, problem in examine(pictures, set(places)):
            if problem:
                raise problem
            yield name, image
    elif source.is_dir():
        for file in (pictures[place] for place in places):
            with reading(file, "image", LEAVE_OUT):
                data = contents(file)
            yield file.name, picture(data, file, LEAVE_OUT, partial(_refuse_large, file))
    else:
        with opened_zip(source) as (archive, _):
            for entry in (pictures[place] for place in places):
                data, where = read_entry(archive, entry), f"{source}: {entry.filename}"
                yield entry.filename, picture(data, where, LEAVE_OUT, partial(_refuse_large, where))


def _refuse_large(where, width, height):
    if width * height > LARGEST_SCORED:
        raise UserError(f"{where}: {width}x{height} px are too many. Scale it down.")


def _spread(pictures, n):
    """The places of n evenly spread pictures; of all, where n is None or there are fewer."""
    total = pictures.count() if isinstance(pictures, ImageSet) else len(pictures)
    if n is not None and n < 2:
        raise UserError(f"n must be 2 or more, got {n}: one image has no distribution.")
    count = total if n is None else min(n, total)
    return [place * total // count for place in range(count)]


def _pictures_of(source):
    """An ImageSet of shards, or the image files of a folder or the ZipInfos of a zip, by name."""
    if source.suffix.lower() == ".zip" and source.is_file():
        with opened_zip(source) as (_, entries):
            zipped = [entry for entry in entries if _is_picture(entry.filename)]
        if not zipped:
            raise UserError(f"{source}: no image in it. Zip the images themselves.")
        return sorted(zipped, key=lambda entry: entry.filename)
    if source.suffix.lower() in SHARDS and source.is_file():
        return ImageSet("images", "tfrec", (source,))
    if not source.is_dir():
        found = "neither a folder, a .zip nor a .tfrec" if source.exists() else "no such file or folder"
        raise UserError(f"{source}: {found}. Name the images to score.")
    shards, pictures = files_in(source, "tfrec"), files_in(source, "jpg")
    if pictures and shards:
        raise UserError(f"{source}: holds both images and shards. Name a folder of one kind.")
    if not pictures and not shards:
        raise UserError(f"{source}: no image or .tfrec in it; folders inside are not searched. Name theirs.")
    return ImageSet("images", "tfrec", shards) if shards else pictures


def _is_picture(name):
    path = PurePosixPath(name)
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


# Zips, read where they are and never unpacked.
ZIP_ADVICE = "Make or download it again."


@contextmanager
def opened_zip(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """(archive, entries) of the zip `path`, for a `with`: a zipfile.ZipFile and the ZipInfos of its files, all safe.

    Raises UserError where the file is no whole zip, where an entry leads out of it or is encrypted, and where all
    entries would unpack to far more bytes than the zip has.
    """
    with ExitStack() as files:
        with reading(path, "zip", ZIP_ADVICE):
            archive = files.enter_context(zipfile.ZipFile(files.enter_context(opened(path))))
        for info in archive.infolist():
            name = PurePosixPath(info.filename.replace("\\", "/"))
            if name.is_absolute() or ".." in name.parts or info.filename[1:2] == ":":
                raise UserError(f"{path}: entry {info.filename!r} leads out of the zip. Don't trust the file.")
            if info.flag_bits & 1:
                raise UserError(f"{path}: {info.filename} is encrypted. Zip without a password.")
        refuse_bomb(path, archive.infolist())
        yield archive, [info for info in archive.infolist() if not info.is_dir()]


def read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one entry, compared with its checksum. Raises UserError for a damaged entry."""
    with reading(f"{archive.filename}: {info.filename}", "entry of a zip", ZIP_ADVICE):
        return archive.read(info)
