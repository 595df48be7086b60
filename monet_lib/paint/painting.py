"""A painter: a generator in an .onnx file, run by ONNX Runtime. No TensorFlow, no Keras.

What comes with the course: a trained generator (models/) and photographs that may be shown (data/photos/).

Paint photographs: arrays in batches, and image files of any size, large ones in tiles.

A generator is a Keras model, or a `painter.Painter`, which paints the same without Keras.
"""

import io
import json
import math
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime
from PIL import Image, ImageOps
from tqdm.auto import tqdm

from monet_lib.config import Config
from monet_lib.data.reading import in_order, to_uint8
from monet_lib.files import COURSE, UserError, reading, write_beside
from monet_lib.model.weights import load_generator
from monet_lib.paint.photos import image_files, read_photo, targets_of

# painting.painter
SHIPPED_PAINTER = COURSE / "models" / "monet.onnx"


class Painter:
    """Call it with uint8 photos (n, h, w, 3) in 0..255 of any h and w; the paintings come back in the same form.

    config: the settings the generator was trained with, a dict. surroundings: px around a pixel that it looks at, None
    for the whole picture. Memory grows with h * w, about 400 bytes a pixel: paint large photos in tiles. Raises
    UserError where `path` is not such a file.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.exists():
            raise UserError(f"{path}: no such file. Make one: monet export --run RUN --out {path}.")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors: they are raised as well
        with reading(path, "painter", "Make one: monet export --run RUN."):
            self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
            metadata = self._session.get_modelmeta().custom_metadata_map
            ends = [(e.name, e.type, e.shape[-1:]) for e in self._session.get_inputs() + self._session.get_outputs()]
            if ends != [("photo", "tensor(uint8)", [3]), ("painting", "tensor(uint8)", [3])]:
                raise ValueError("its input is no photo")
            self.config = json.loads(metadata["config"])
            seen = metadata["surroundings"]
            self.surroundings = None if seen == "whole" else int(seen)

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        # One by one, which is a quarter faster than in a batch: a photo's layers fit a processor's caches.
        runs = (self._session.run(["painting"], {"photo": photo[None]})[0] for photo in np.ascontiguousarray(photos))
        return np.concatenate(list(runs))


# painting.shipped
SHIPPED = COURSE / "models" / "monet.npz"  # not there in a notebook that came alone


def shipped_generator() -> tuple[keras.Model, Config]:
    """(generator, Config) of models/monet.npz. Raises UserError where it isn't."""
    return load_generator(SHIPPED)


def photographs(otherwise: Any) -> Any:
    """The course's photographs, cut to squares: uint8 (n, 256, 256, 3); `otherwise` where there are none."""
    files = sorted((COURSE / "data" / "photos").glob("*.jpg"))
    squares = [ImageOps.fit(Image.open(file), (256, 256), Image.Resampling.LANCZOS) for file in files]
    return np.stack([np.asarray(square) for square in squares]) if files else otherwise


# painting.translation
# Kaggle scores decoded JPEGs: at quality 95 without chroma subsampling the encoder leaves the strokes alone.
JPEG: dict[str, Any] = {"format": "JPEG", "quality": 95, "subsampling": 0}
TILE = 768  # px, a multiple of what every generator here halves
MULTIPLE = 4  # px: a ResNet halves twice
MARGIN = 64  # px of a tile's border that are thrown away: a ResNet of 6 blocks sees up to 63 px around a pixel
SMALLEST = 72  # px to which a small photo is padded: reflection needs a side longer than what it adds
NARROWEST = 16  # px of the shorter side that a wide brush must leave
FADE = 32  # px over which a tile fades into the one before
FADES = np.arange(1, FADE + 1, dtype="f4") / (FADE + 1)


def paint(generator: Callable, photos: np.ndarray) -> np.ndarray:
    """uint8 photos (batch, h, w, 3) in 0..255 to uint8 paintings of the same shape."""
    if not hasattr(generator, "predict_on_batch"):
        return generator(photos)
    return to_uint8(_as_graph(generator)(np.asarray(photos, np.float32) / 127.5 - 1.0))


@lru_cache(maxsize=4)
def _as_graph(generator):
    """The network as one TensorFlow graph, a third quicker than layer by layer.

    Not its `predict_on_batch`: of a network built for several devices, that gives each the whole batch, and as many
    times the paintings back.
    """
    import tensorflow as tf  # here, since painting by ONNX Runtime does without it

    return tf.function(lambda photos: generator(photos, training=False), reduce_retracing=True)


def paint_all(generator: Callable, photos: np.ndarray, batch: int = 8) -> np.ndarray:
    """uint8 photos (n, h, w, 3) to uint8 paintings of the same shape, `batch` at a time."""
    parts = (photos[k : k + batch] for k in range(0, len(photos), batch))
    return np.concatenate([paint(generator, part) for part in parts])


def paint_large(generator: Callable, photo: np.ndarray, tile: int = TILE) -> np.ndarray:
    """One uint8 photo (h, w, 3) of any size to a painting of its size, in tiles where a side exceeds `tile` px.

    Beside the photo and the painting, memory is bounded by the tile. Of each, as much of the border is thrown away as
    the network looks around a pixel (MARGIN, where it doesn't say). So tiles equal the painting in one piece where no
    norm looks at the whole picture (norm "none" or "batch"); with other norms their brightness can differ a little, and
    of a U-Net, which sees everything, shapes can too: they fade over FADE px.
    """
    sees = getattr(generator, "surroundings", None)
    margin = MARGIN if sees is None else sees + -sees % MULTIPLE
    tile = max(tile, 4 * margin)
    height, width = photo.shape[:2]
    # A ResNet halves twice, and pads the halves of an odd size differently: of 4 n, every pixel, of a tile too, falls
    # on the same place of the coarse grid as in training.
    below, right = (max(SMALLEST - side, -side % MULTIPLE) for side in (height, width))
    if below or right:  # else it would be copied for nothing
        photo = np.pad(photo, ((0, below), (0, right), (0, 0)), "edge")
    if max(photo.shape) <= tile:
        return paint(generator, photo[None])[0][:height, :width]
    painting = np.empty_like(photo)
    for down, rows, fade in _tiles(photo.shape[0], tile, margin):
        strip = np.empty((rows.stop - rows.start, *photo.shape[1:]), np.uint8)
        for across, columns, fade_columns in _tiles(photo.shape[1], tile, margin):
            new = paint(generator, photo[None, down, across])[0]
            new = new[rows.start - down.start :, columns.start - across.start :]
            new = new[: len(strip), : columns.stop - columns.start]
            _lay(new.swapaxes(0, 1), strip[:, columns].swapaxes(0, 1), fade_columns)
        _lay(strip, painting[rows], fade)
    return painting[:height, :width]


def _lay(new, place, fade):
    """Write `new` into `place`; its first rows fade in over what is there, by the shares `fade`."""
    faded, under = new[: len(fade)], place[: len(fade)]
    under[:] = np.rint(under + fade[:, None, None] * (faded - under.astype("f4")))
    place[len(fade) :] = new[len(fade) :]


def paint_broadly(generator: Callable, photo: np.ndarray, brush: float) -> np.ndarray:
    """One uint8 photo (h, w, 3) to a painting of its size, in strokes `brush` times as wide.

    A generator's strokes have the width that it was trained on, a few pixels: the photo is painted at 1 / brush of its
    size, brush >= 1, and enlarged again. Raises UserError where that leaves less than NARROWEST px to paint.
    """
    height, width = photo.shape[:2]
    size = (round(width / brush), round(height / brush))
    if brush > 1 and min(size) < NARROWEST:
        raise UserError(f"brush: {brush:g} leaves {size[0]}x{size[1]} px of {width}x{height} to paint. Lower it.")
    return _resized(paint_large(generator, _resized(photo, size)), (width, height))


def _resized(image, size):
    if image.shape[1::-1] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def _tiles(size, tile, margin):
    """For one side of `size` px, each tile's (slice of the photo, slice that it paints, shares of its first px there).

    As few tiles as go with `tile` px at most, of one size and no larger than it takes.
    """
    shared = 2 * margin + FADE
    count = max(1, math.ceil((size - shared) / (tile - shared)))
    step = MULTIPLE * math.ceil(max(0, size - shared) / count / MULTIPLE)
    tile = min(size, step + shared)
    for number in range(count):
        start = min(number * step, size - tile)
        end = size if number == count - 1 else start + tile - margin
        painted = slice(start + margin if start else 0, end)
        yield slice(start, start + tile), painted, FADES if start else FADES[:0]


def translate(
    generator: Callable, inputs: Iterable[str | Path], out: str | Path, side_by_side: bool = False, brush: float = 1
) -> list[Path]:
    """Paint image files into the folder `out`, under their own names as JPEG. Returns the files written.

    side_by_side: each file shows the photo at the left and the painting at the right. brush: see `paint_broadly`. Two
    inputs with one name are refused, and so is writing over an input. Of several photos, those that can't be read are
    named and left out; when the others are painted, UserError says how many there were.
    """
    if not brush >= 1:
        raise UserError(f"brush: {brush:g} is below 1, a stroke's own width. Take 1 or more.")
    files = image_files(inputs)
    targets = targets_of(files, out)

    def read(file):
        try:
            return read_photo(file, side_by_side)
        except UserError as problem:
            return problem

    with ThreadPoolExecutor(2) as pool:  # the next photo is read, and the last painting written, meanwhile
        photos = in_order(pool, read, files, 1)
        with closing(_painted(generator, photos, targets, side_by_side, brush)) as painted:  # its bar ends with it
            written = list(in_order(pool, _write, painted, 2))
    if bad := len(files) - len(written):
        raise UserError(f"{out}: {len(written)} of {len(files)} photos painted; {bad} could not be: see above.")
    return written


def _painted(generator, photos, targets, side_by_side, brush):
    """Yield (pixels, target). photos: arrays, or the UserError of one that can't be read, left out among others."""
    for target, photo in zip(tqdm(targets, unit="photo"), photos, strict=True):
        try:
            if isinstance(photo, UserError):
                raise photo
            painting = paint_broadly(generator, photo, brush)
        except UserError as problem:
            if len(targets) == 1:
                raise
            tqdm.write(f"monet: {problem}", file=sys.stderr)
            continue
        yield np.concatenate([photo, painting], 1) if side_by_side else painting, target


def jpeg_of(painting: np.ndarray) -> bytes:
    """The JPEG of a uint8 painting (h, w, 3), made in memory: Pillow overlooks a disk that takes half of a write."""
    buffer = io.BytesIO()
    Image.fromarray(painting).save(buffer, **JPEG)
    return buffer.getvalue()


def _write(job):
    pixels, target = job
    write_beside(target, lambda path: path.write_bytes(jpeg_of(pixels)))
    return target
