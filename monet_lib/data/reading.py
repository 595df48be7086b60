"""Levels of pixels, without TensorFlow.

What a readable image is, for every command: opened by Pillow, whole, upright, and of a size that memory takes.

TFRecord shards, read and written without TensorFlow: a length, its checksum, the record, its checksum, and so on.

The format is TensorFlow's (tensorflow/core/lib/io/record_writer.h): both numbers little-endian, both checksums
CRC-32C, rotated and shifted. A record is a tf.train.Example, a protocol buffer of named lists.


What a readable zip is, for every command: whole, of safe names and sizes, and read where it is, never unpacked.

Read the images of a set one by one, and say of each what is wrong with it: files and records from anywhere.

Find the competition's images in TFRecord shards or folders of images, read, check and decode them.

What a data folder holds, and everything that is wrong with it, in one pass: all that any later command looks at."""

import hashlib
import io
import os
import re
import struct
import threading
import unicodedata
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import google_crc32c
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from PIL import Image, PngImagePlugin

from monet_lib.files import COURSE, UserError, counted, disguised, reading


# data.pixels
def to_uint8(images: Any) -> np.ndarray:
    """[-1, 1] back to uint8 0..255: rounded, so that `to_uint8(to_float(x)) == x`, and clipped. Returns NumPy."""
    return np.clip(np.rint((np.asarray(images, np.float32) + 1.0) * 127.5), 0, 255).astype(np.uint8)


# data.images
SIZE = 256  # pixels: height and width of every image of the competition
IMAGE_ADVICE = "Download it again, or leave it out (--skip-bad); see data/README.md."
MOST_PIXELS = 250_000_000  # of one image: phones make 200 million; as an array these are 750 MB
LONGEST_TEXT = 1 << 26  # bytes of a PNG's texts and of its colour profile, unpacked: Pillow refuses those above 1 MB
STARTS = {"JPEG": b"\xff\xd8", "PNG": b"\x89PNG\r\n\x1a\n"}
MODES = {"L": "greyscale", "1": "black and white", "RGBA": "transparent", "P": "palette"}
# EXIF's orientation: what turns an image upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
PILLOW = threading.Lock()


@contextmanager
def opened_image(
    data: bytes, where: Any, otherwise: str, formats: tuple[str, ...] | None = None, what: str = "image"
) -> Iterator[Image.Image]:
    """A Pillow image of the bytes `data`, for a `with` in which nothing is done but reading it.

    Raises UserError, beginning with `where`, for anything that Pillow can't read, and above MOST_PIXELS.
    """
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = LONGEST_TEXT
    with reading(where, what, otherwise):
        with PILLOW:  # Pillow's own limit, a setting of the process, is below the 200 megapixels of a phone
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = Image.open(io.BytesIO(data), formats=formats)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
        with image:
            if image.width * image.height > MOST_PIXELS:
                found = f"{image.width}x{image.height} px, above the {MOST_PIXELS // 10**6} million that are read"
                raise UserError(f"{where}: {found}. Scale it down.")
            yield image


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Pillow's transposition that turns an image upright by its EXIF orientation; None where it is, or says nothing."""
    try:
        orientation = image.getexif().get(0x112)
    except Exception:  # damaged metadata, in which Pillow meets errors of any type: the pixels are there
        return None
    return TURNS.get(orientation) if isinstance(orientation, int) else None


def upright(image: Image.Image) -> Image.Image:
    """The Pillow image turned as its EXIF orientation says; the rest of its metadata is neither read nor written."""
    turn = turn_of(image)
    return image if turn is None else image.transpose(turn)


def strict_jpeg(data: bytes, smallest: bool = False) -> tuple[np.ndarray | None, str | None]:
    """A JPEG decoded by libjpeg with its warnings as errors: (uint8 (h, w, 3) or None, what it warns of or None).

    Pillow and TensorFlow keep these warnings to themselves, and fill what is missing with grey or noise. smallest: of
    an eighth of the size and grey, which only looks for damage. Without simplejpeg (None, None). A changed bit that
    gives another valid picture is found by nobody: a JPEG has no checksum; a shard has one.
    """
    try:
        import simplejpeg
    except ImportError:
        return None, None
    try:
        small = {"min_height": 1, "min_width": 1, "min_factor": 8, "fastdct": True, "fastupsample": True}
        colours, how = ("GRAY", small) if smallest else ("RGB", {})
        return simplejpeg.decode_jpeg(data, colours, **how), None
    except ValueError as error:
        warning = str(error).startswith(("Corrupt JPEG data", "Premature end"))
        return None, str(error).removeprefix("Corrupt JPEG data: ") if warning else None


def decode(data: bytes, where: Any, formats: tuple[str, ...] = ("JPEG",), otherwise: str | None = None) -> np.ndarray:
    """The bytes of an image file to uint8 (256, 256, 3), RGB in 0..255, upright.

    formats: of JPEG and PNG. Raises UserError, beginning with `where`, for another format, size or mode, and for
    damage; otherwise: what it then says to do.
    """
    kind, again = " or ".join(formats), otherwise or IMAGE_ADVICE
    convert = otherwise or "Convert it, or leave it out (--skip-bad)."
    if not data.startswith(tuple(STARTS[name] for name in formats)):
        instead = disguised(data)
        found = f"(first bytes {data[:4].hex(' ') or 'none'})" + (f", but {instead}" if instead else "")
        raise UserError(f"{where}: not a {kind} {found}. {again}")
    with opened_image(data, where, again, formats, kind) as image:
        if image.mode != "RGB":
            found = MODES.get(image.mode, image.mode)
            raise UserError(f"{where}: a {found} image, not RGB. {convert}")
        if image.size != (SIZE, SIZE):
            raise UserError(f"{where}: {image.width}x{image.height} px, not {SIZE}x{SIZE}. {convert}")
        turn, (pixels, damage) = turn_of(image), strict_jpeg(data) if image.format == "JPEG" else (None, None)
        if damage:
            raise UserError(f"{where}: not a readable JPEG ({damage}). {again}")
        if pixels is None or turn is not None:
            pixels = np.asarray(upright(image))
        return pixels


# data.records
SHARD_ADVICE = "Download it again, or leave it out (--skip-bad); see data/README.md."
HEADER = 12  # bytes before a record: its length and the length's checksum
# tf.train.Example (tensorflow/core/example/example.proto) without its lists of numbers, which are skipped.
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


def read_records(file: str | Path, where: Any) -> Iterator[bytes]:
    """Yield the records of the shard `file`, bytes each, each found whole by its checksums.

    Raises UserError, beginning with `where` and the record's number, at the first that isn't: the rest can't be read.
    """
    number = 0
    with reading(where, "shard", SHARD_ADVICE), open(file, "rb") as stream:
        while header := stream.read(HEADER):
            number += 1
            if number == 1:
                _check_kind(header + stream.peek(64)[:64], where)
            at = f"{where}, record {number}"
            (length,) = struct.unpack("<Q", _whole(header, HEADER, at))
            yield _whole(stream.read(length + 4), length + 4, at)


def _whole(data, size, at):
    """`data` without the last four bytes, its checksum. Raises UserError where it is shorter than `size` or damaged."""
    found = "the file ends within it" if len(data) < size else "its checksum is wrong"
    if len(data) < size or masked_checksum(data[:-4]) != data[-4:]:
        raise UserError(f"{at}: {found}; the rest can't be read. {SHARD_ADVICE}")
    return data[:-4]


def write_records(file: str | Path, records: Iterable[bytes]) -> None:
    """Write the shard `file` of these records, bytes each. An OSError passes."""
    with open(file, "wb") as stream:
        for record in records:
            length = struct.pack("<Q", len(record))
            stream.write(length + masked_checksum(length) + record + masked_checksum(record))


def count_records(file: str | Path) -> int:
    """How many records the lengths in a shard tell of, without reading them; of a damaged one, up to the damage."""
    count = 0
    try:
        with open(file, "rb") as stream:
            end = stream.seek(0, 2)
            stream.seek(0)
            while len(header := stream.read(HEADER)) == HEADER:
                (length,) = struct.unpack("<Q", header[:8])
                if stream.tell() + length + 4 > end:
                    break
                stream.seek(length + 4, 1)
                count += 1
    except OSError:  # `read_records` says what is wrong
        pass
    return count


def masked_checksum(data: bytes) -> bytes:
    """The four bytes that follow `data` in a shard: its CRC-32C, rotated right by 15 bits, plus a constant."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def parse_example(record: bytes, where: Any) -> dict[str, list[bytes] | None]:
    """{feature: list of bytes} of a serialized tf.train.Example; None for one of numbers. UserError for others."""
    with reading(where, "tf.train.Example", SHARD_ADVICE):
        features = _example().FromString(record).features.feature
        return {name: list(f.bytes_list.value) if f.HasField("bytes_list") else None for name, f in features.items()}


def make_example(features: Mapping[str, bytes]) -> bytes:
    """A serialized tf.train.Example of one value a feature, equal for equal features."""
    example = _example()()
    for name, value in features.items():
        example.features.feature[name].bytes_list.value.append(value)
    return example.SerializeToString(deterministic=True)  # else the features' order may change


def _check_kind(start, where):
    kind = disguised(start)
    if start.startswith(b"\x1f\x8b"):
        kind = "compressed by gzip; write it without compression"
    elif start[:1] == b"\x78" and (start[0] << 8 | start[1]) % 31 == 0 and masked_checksum(start[:8]) != start[8:12]:
        kind = "compressed by zlib; write it without compression"
    if kind:
        raise UserError(f"{where}: {kind}. {SHARD_ADVICE}")


@lru_cache
def _example():
    """The message class of tf.train.Example, in a pool of its own."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(text_format.Parse(SCHEMA, descriptor_pb2.FileDescriptorProto()).SerializeToString())
    example = pool.FindMessageTypeByName("monet.Example")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(example)
    return message_factory.MessageFactory(pool).GetPrototype(example)  # before protobuf 4.22, on older images of Kaggle


# data.archives
LARGEST_ENTRY = 1 << 26  # bytes of one file in a zip: far above any image, far below any memory
EXPANSION = 100  # times its own size that a zip of images may unpack to; JPEG and PNG hardly compress
ZIP_ADVICE = "Make or download it again."


@contextmanager
def opened_zip(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """(archive, entries) of the zip `path`, for a `with`: a zipfile.ZipFile and the ZipInfos of its files, all safe.

    Raises UserError for what is no whole zip, for an entry that leads out of it or is encrypted, and for one that would
    unpack to more than LARGEST_ENTRY, or all to far more than the zip has.
    """
    with reading(path, "zip", ZIP_ADVICE):
        archive = zipfile.ZipFile(path)
    with archive:
        for info in archive.infolist():
            _check_entry(path, info)
        total, size = sum(info.file_size for info in archive.infolist()), path.stat().st_size
        if total > LARGEST_ENTRY and total > EXPANSION * size:
            raise UserError(f"{path}: {size:,} bytes would unpack to {total:,}, a bomb. Don't trust the file.")
        yield archive, [info for info in archive.infolist() if not info.is_dir()]


def read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one entry, whole by its checksum. Raises UserError for a damaged one."""
    with reading(f"{archive.filename}: {info.filename}", "entry of a zip", ZIP_ADVICE):
        return archive.read(info)


def _check_entry(path, info):
    name = PurePosixPath(info.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or info.filename[1:2] == ":":
        raise UserError(f"{path}: entry {info.filename!r} leads out of the zip. Don't trust the file.")
    if info.flag_bits & 1:
        raise UserError(f"{path}: {info.filename} is encrypted. Zip without a password.")
    if info.file_size > LARGEST_ENTRY:
        raise UserError(f"{path}: {info.filename} would unpack to {info.file_size:,} bytes: no image. Leave it out.")


# data.examination
LONGEST_NAME = 240  # bytes: with "-udlr.jpg" it is still a file name everywhere
AHEAD = 32  # images that are decoded before they are asked for


def examine(images: Any) -> Iterator[tuple[str, np.ndarray | None, UserError | None]]:
    """Yield (name, image, problem) record by record: uint8 (256, 256, 3) or None, and a UserError or None.

    Decoded in threads, a few ahead of what is asked for.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 2)) as pool:
        work = _records(images) if images.format == "tfrec" else (partial(_file, file) for file in images.files)
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
    while waiting:
        yield waiting.popleft().result()


def plain_name(name: str) -> bool:
    """Whether `name` can be a file's name anywhere: no folder, nothing hidden, no control characters, not too long."""
    return (
        bool(re.fullmatch(r'[^./\\:*?"<>|][^/\\:*?"<>|]*', name))
        and name == name.strip()
        and all(unicodedata.category(character)[0] != "C" for character in name)
        and len(name.encode()) <= LONGEST_NAME
    )


def count_in_name(file: Path) -> int | None:
    """The number of records that a shard's name tells of, or None."""
    match = re.search(r"-(\d{1,9})$", file.stem)
    return int(match[1]) if match else None


def _file(file):
    """What `examine` yields of a file."""
    name, where = _text(os.fsencode(file.stem)), f"{file.parent.name}/{file.name}"
    try:
        with reading(where, "image", IMAGE_ADVICE):
            data = file.read_bytes()
        return name, decode(data, where, ("JPEG", "PNG")), None
    except UserError as problem:
        return name, None, problem


def _records(images):
    """Yield functions that give what `examine` yields: of each record, and of what is wrong with a shard."""
    for file in images.files:
        where, number, named = f"{file.parent.name}/{file.name}", 0, count_in_name(file)
        try:
            for number, record in enumerate(read_records(file, where), 1):
                yield partial(_record, record, f"{file.stem}-{number}", f"{where}, record {number}")
            if number != named and (named is not None or not number):
                promised = "" if named is None else f"named for {counted(named, 'record')}, "
                raise UserError(f"{where}: {promised}holds {number if promised else 'no record'}. {IMAGE_ADVICE}")
        except UserError as problem:
            yield partial(tuple, (None, None, problem))


def _record(record, name, where):
    """What `examine` yields of a record; its name is the record's own where it has one."""
    try:
        features = parse_example(record, where)
        if not features.get("image"):
            held = "holds no bytes" if "image" in features else "is missing"
            raise UserError(f"{where}: no feature 'image' of bytes ({held}). {IMAGE_ADVICE}")
        if features.get("image_name", ()) is None:
            raise UserError(f"{where}: its image_name holds no text. {IMAGE_ADVICE}")
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


# data.competition
SETS = {"monet": "paintings", "photo": "photos"}
# In a notebook that holds this code there is no __file__: then it is `data/` beside the notebook.
CHECKOUT_DATA = Path(globals().get("__file__", "monet_lib/data/competition.py")).resolve().parents[2] / "data"
# Endings of images. Those that can't be trained on are files of the set too, so that they are named and not left out.
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")


@dataclass(frozen=True)
class ImageSet:
    """The files of one of the two sets. name: "monet" or "photo"; format: "tfrec" (shards) or "jpg" (images)."""

    name: str
    format: str
    files: tuple[Path, ...]

    def named_count(self) -> int | None:
        """Images according to the file names (`photo03-352.tfrec` holds 352), or None where a name tells nothing."""
        counts = [1 if self.format == "jpg" else count_in_name(file) for file in self.files]
        return None if None in counts else sum(counts)

    def count(self) -> int:
        """Images that are there: files, or the records of the shards, whatever their names say."""
        return len(self.files) if self.format == "jpg" else sum(map(count_records, self.files))


def find_data(data: str | Path | None = None) -> Path:
    """The folder to read from, as a Path, and the choice printed.

    The first of: `data`; the environment variable MONET_DATA; Kaggle's inputs (MONET_INPUT moves them), whichever way
    they are attached; `data/` of the checkout; the embedded sample. Raises UserError where a folder was named and holds
    no image set, and on Kaggle instead of taking the sample.
    """
    asked = [(data, "as asked"), (os.environ.get("MONET_DATA"), "from MONET_DATA")]
    for root, by in ((Path(name), by) for name, by in asked if name):
        if not root.is_dir():
            raise UserError(f"{root}: no such folder. Name the folder that holds monet_tfrec or monet_jpg.")
        if not has_images(root):
            raise UserError(f"{root}: neither monet_tfrec, monet_jpg, photo_tfrec nor photo_jpg with images in it. "
                            "Name the folder that holds them; see data/README.md.")  # fmt: skip
        return _chosen(root, by)
    kaggle = Path(os.environ.get("MONET_INPUT", "/kaggle/input"))
    # /kaggle/input/SLUG, .../competitions/SLUG, .../datasets/OWNER/SLUG, and a folder within each.
    depths = ("*", "*/*", "*/*/*", "*/*/*/*")
    places = [(root, "Kaggle input") for depth in depths for root in sorted(kaggle.glob(depth))]
    places += [(CHECKOUT_DATA, "the checkout's data folder"), (CHECKOUT_DATA / "gan-getting-started", "the checkout")]
    if not (kaggle.is_dir() or os.environ.get("KAGGLE_KERNEL_RUN_TYPE")):
        places += [(COURSE / "data" / "sample", "the embedded sample; set MONET_DATA for the real images")]
    for root, by in places:
        if has_images(root):
            return _chosen(root, by)
    raise UserError("data: none found. On Kaggle, add the competition gan-getting-started as input; elsewhere set "
                    "MONET_DATA, or make a sample: monet data --make-sample DIR.")  # fmt: skip


def _chosen(root, by):
    """`root`, printed as the shell would need it from here, where that is no longer than the whole path."""
    print(f"data: {min(str(root), os.path.relpath(root), key=len)} ({by})")
    return root


def find_images(root: str | Path, name: str, format: str | None = None) -> ImageSet:
    """The ImageSet `name` ("monet" or "photo") under `root`: shards where there are any, else JPEGs and PNGs.

    format: "tfrec" or "jpg" to insist on one. Raises UserError where the set is missing or empty.
    """
    root = Path(root)
    for kind in ("tfrec", "jpg"):
        files = image_files_in(root / f"{name}_{kind}", kind)
        if files and format in (None, kind):
            return ImageSet(name, kind, files)
    wanted = " or ".join(f"{name}_{k}/*.{k}" for k in ("tfrec", "jpg") if format in (None, k))
    raise UserError(f"{root}: no {SETS[name]} ({wanted}). Both sets are needed, and folders inside are not "
                    "searched; see data/README.md.")  # fmt: skip


def image_files_in(folder: Path, kind: str) -> tuple[Path, ...]:
    """The shards ("tfrec") or image files ("jpg") of a folder in name order, without what a system hides there.

    Whatever is called like one is one, a folder or a dangling link too: reading it says so.
    """
    endings = (".tfrec",) if kind == "tfrec" else PICTURES
    if not folder.is_dir():
        return ()
    return tuple(f for f in sorted(folder.iterdir()) if f.suffix.lower() in endings and not f.name.startswith("."))


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
        raise UserError(f"{images.files[0].parent}: no readable image in {searched}. {IMAGE_ADVICE}")
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


def to_float(pixels: Any) -> Any:
    """uint8 0..255 to float32 in [-1, 1], the range of tanh; any shape, NumPy or TensorFlow. A TensorFlow tensor."""
    import tensorflow as tf  # here, so that looking at data does without it

    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def has_images(root: Path) -> bool:
    """Whether `root` holds files of at least one set."""
    return any(_has_set(root, name) for name in SETS)


def has_both_sets(root: Path) -> bool:
    """Whether `root` holds files of either set, as training needs them."""
    return all(_has_set(root, name) for name in SETS)


def _has_set(root, name):
    return any(image_files_in(root / f"{name}_{kind}", kind) for kind in ("tfrec", "jpg"))


# data.inspection
def inspect_data(root: str | Path) -> tuple[list[str], list[str]]:
    """Read every record of every set and format under `root`. Returns (report, problems): lines of text each."""
    report, problems = [], []
    for name in SETS:
        folders = [(kind, image_files_in(Path(root) / f"{name}_{kind}", kind)) for kind in ("tfrec", "jpg")]
        report += [_inspect_images(ImageSet(name, kind, files), problems) for kind, files in folders if files]
        if not any(files for _, files in folders):
            found = f"no {SETS[name]} ({name}_tfrec/*.tfrec or {name}_jpg/*.jpg)"
            advice = "Folders inside are not searched: move what they hold; see data/README.md."
            problems.append(f"{root}: {found}. {advice}")
    return report, problems


def _inspect_images(images, problems):
    by_pixels, names = {}, Counter()
    for name, pixels, problem in examine(images):
        if problem:
            problems.append(str(problem))
        if pixels is None:
            continue
        by_pixels.setdefault(hashlib.sha256(pixels.tobytes()).digest(), []).append(name)
        names[name] += 1
    folder = images.files[0].parent
    repeated = [name for name, times in names.items() if times > 1]
    if repeated:
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
    return line + f"; {len(by_pixels)} distinct" + (f", such as {' = '.join(copies[0])}" if copies else "")
