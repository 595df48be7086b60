"""Find the competition's images in TFRecord shards or folders of images, read, check and decode them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from monet_lib.data.examination import count_in_name, examine
from monet_lib.data.images import IMAGE_ADVICE, SIZE
from monet_lib.data.records import count_records
from monet_lib.errors import UserError, counted
from monet_lib.places import COURSE

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
