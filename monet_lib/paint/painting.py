"""Paint photographs, uint8 (h, w, 3): in batches, in tiles where a photo is large, and in broad strokes.

A generator is here either a Keras model, of [-1, 1], or a `Painter`, an ONNX file that paints the same without Keras.
"""

import hashlib
import io
import json
import math
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from monet_lib.data.reading import to_uint8
from monet_lib.files import COURSE, UserError, contents, reading

if TYPE_CHECKING:
    import keras

    from monet_lib.config import Config

# The course's trained generator, for Keras and for ONNX Runtime. A notebook that came alone has no such files.
SHIPPED, SHIPPED_PAINTER = COURSE / "models" / "monet.npz", COURSE / "models" / "monet.onnx"


def shipped_generator() -> "tuple[keras.Model, Config]":
    """(generator, Config) of models/monet.npz. Raises UserError where the file is missing."""
    from monet_lib.model.weights import load_generator  # here: it imports Keras, which a Painter does without

    return load_generator(SHIPPED)


def photographs(otherwise: Any) -> Any:
    """The course's photographs, cut to squares: uint8 (n, 256, 256, 3); `otherwise` where there are none."""
    files = sorted((COURSE / "data" / "photos").glob("*.jpg"))
    squares = [ImageOps.fit(Image.open(file), (256, 256), Image.Resampling.LANCZOS) for file in files]
    return np.stack([np.asarray(square) for square in squares]) if files else otherwise


class Painter:
    """A generator in an .onnx file, run by ONNX Runtime: call it with photos, and their paintings come back.

    Photos and paintings are uint8 (n, h, w, 3) in 0..255, of any h and w. config: the settings that the generator was
    trained with, a dict. surroundings: how many px around a pixel the generator looks at, None for the whole picture.
    weights: their `fingerprint`; "" in files of earlier versions. Memory grows with h * w, about 400 bytes a pixel:
    paint large photos with `paint_large`. source: the file's path, or its bytes. Raises UserError where it is no such
    file.
    """

    def __init__(self, source: str | Path | bytes) -> None:
        import onnxruntime  # here: Kaggle's images lack it, and the notebook that carries this file paints with Keras

        where = "painter" if isinstance(source, bytes) else source
        if not isinstance(source, bytes) and not Path(source).exists():
            raise UserError(f"{source}: no such file. Make one: monet export --run RUN --out {source}.")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # only errors, which are also raised
        # ONNX Runtime starts a thread for each core of the machine, also where this process may use fewer.
        if hasattr(os, "sched_getaffinity") and (cores := len(os.sched_getaffinity(0))) < (os.cpu_count() or 1):
            options.intra_op_num_threads = cores
        with reading(where, "painter", "Make one: monet export --run RUN."):
            data = source if isinstance(source, bytes) else contents(source)
            self._session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
            metadata = self._session.get_modelmeta().custom_metadata_map
            ends = [(e.name, e.type, e.shape[-1:]) for e in self._session.get_inputs() + self._session.get_outputs()]
            if ends != [("photo", "tensor(uint8)", [3]), ("painting", "tensor(uint8)", [3])]:
                raise ValueError("its input is no photo")
            self.config, self.weights = json.loads(metadata["config"]), metadata.get("weights", "")
            seen = metadata["surroundings"]
            self.surroundings = None if seen == "whole" else int(seen)

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        # One photo at a time is a quarter faster than a batch: the layers of one photo fit a processor's caches.
        runs = (self._session.run(["painting"], {"photo": photo[None]})[0] for photo in np.ascontiguousarray(photos))
        return np.concatenate(list(runs))


def fingerprint(generator: "keras.Model") -> str:
    """12 hexadecimal digits that tell a generator's weights from those of others."""
    digest = hashlib.sha256()
    for weight in generator.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:12]


def paint(generator: Callable, photos: np.ndarray) -> np.ndarray:
    """uint8 photos (batch, h, w, 3) in 0..255 to uint8 paintings of the same shape."""
    if not hasattr(generator, "predict_on_batch"):
        return generator(photos)
    return to_uint8(_as_graph(generator)(np.asarray(photos, np.float32) / 127.5 - 1.0))


def _as_graph(generator):
    """The Keras model as one TensorFlow graph, which paints in two thirds of the time that single layers take.

    `predict_on_batch` would not do: a model built for several devices paints the whole batch on each of them and
    returns all these copies.
    """
    if generator not in GRAPHS:
        import tensorflow as tf  # here: a Painter does without it

        network = weakref.proxy(generator)  # a graph that holds its model would keep it in memory for ever
        GRAPHS[generator] = tf.function(lambda photos: network(photos, training=False), reduce_retracing=True)
    return GRAPHS[generator]


GRAPHS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # {Keras model: its graph}, as long as the model lives


def paint_all(generator: Callable, photos: np.ndarray, batch: int = 8) -> np.ndarray:
    """uint8 photos (n, h, w, 3) to uint8 paintings of the same shape, `batch` at a time."""
    parts = (photos[k : k + batch] for k in range(0, len(photos), batch))
    return np.concatenate([paint(generator, part) for part in parts])


TILE = 640  # px
MULTIPLE = 4  # px: a ResNet halves its image twice
MARGIN = 64  # px of a tile's border that are thrown away: a ResNet of 6 blocks sees up to 63 px around a pixel
SMALLEST = 72  # px to which a small photo is padded: a reflection needs a side longer than what it adds
FADE = 32  # px over which a tile fades into the tile before it


def paint_large(generator: Callable, photo: np.ndarray, tile: int = TILE) -> np.ndarray:
    """One uint8 photo (h, w, 3) of any size to a painting of its size, in tiles where a side exceeds `tile` px.

    Beside the photo and the painting, the size of a tile bounds the memory. Each tile loses a border as wide as the
    generator looks around a pixel (MARGIN where the generator doesn't say). So the painting in tiles equals the
    painting in one piece if no norm looks at the whole picture (norm "none" or "batch"). With other norms, the
    brightness of the tiles can differ a little. With a U-Net, which sees the whole tile, shapes can differ too. Tiles
    therefore fade into each other over FADE px.
    """
    sees = getattr(generator, "surroundings", None)
    margin = MARGIN if sees is None else sees + -sees % MULTIPLE
    tile = max(tile, 4 * margin)
    height, width = photo.shape[:2]
    # A ResNet halves its image twice, and pads the halves of an odd size differently. Where sides and tiles are
    # multiples of 4, every pixel lies at the same place of the coarse grid as in training.
    below, right = (max(SMALLEST - side, -side % MULTIPLE) for side in (height, width))
    if below or right:  # without this test, photos that need no padding would be copied
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


def _tiles(size, tile, margin):
    """For one side of `size` px, each tile's (slice of the photo, slice that it paints, shares of its first px there).

    All tiles have one size, at most `tile` px. They are as few, and then as small, as that allows.
    """
    shared = 2 * margin + FADE
    count = max(1, math.ceil((size - shared) / (tile - shared)))
    step = MULTIPLE * math.ceil(max(0, size - shared) / count / MULTIPLE)
    tile = min(size, step + shared)
    shares = np.arange(1, FADE + 1, dtype="f4") / (FADE + 1)
    for number in range(count):
        start = min(number * step, size - tile)
        end = size if number == count - 1 else start + tile - margin
        yield slice(start, start + tile), slice(start + margin if start else 0, end), shares[: FADE if start else 0]


def _lay(new, place, fade):
    """Write `new` into `place`; the first rows of `new` are mixed with what is there, by their shares `fade`."""
    faded, under = new[: len(fade)], place[: len(fade)]
    under[:] = np.rint(under + fade[:, None, None] * (faded - under.astype("f4")))
    place[len(fade) :] = new[len(fade) :]


NARROWEST = 16  # px of the shorter side that a wide brush must leave
LARGE = 1_000_000  # pixels: on a larger photo, strokes of a few px are too fine to be seen as strokes
ACROSS = 300  # px of the shorter side that "auto" leaves for the broad strokes


def auto_brushes(height: int, width: int) -> tuple[float, ...]:
    """The brushes that suit a photo of this size, in px, for `paint_broadly`: the painting page takes the same.

    Up to a megapixel it is a stroke's own width. Above, broad strokes are painted first, and strokes half as wide next.
    """
    broad = round(min(height, width) / ACROSS)
    return (1,) if height * width <= LARGE or broad < 2 else (broad, broad / 2)


def paint_broadly(generator: Callable, photo: np.ndarray, *brushes: float) -> np.ndarray:
    """One uint8 photo (h, w, 3) to a painting of its size, in strokes that are `brush` times as wide.

    A generator's strokes have the width that it was trained on, a few pixels: the photo is painted at 1 / brush of its
    size, brush >= 1, and the painting is enlarged. With several brushes, the finest last, the result is the mean of
    their paintings: broad strokes give the colours, finer strokes the drawing. Raises UserError where a brush leaves
    less than NARROWEST px to paint.
    """
    height, width = photo.shape[:2]
    painting = photo
    for number, brush in enumerate(brushes, 1):
        size = (round(width / brush), round(height / brush))
        if brush > 1 and min(size) < NARROWEST:
            raise UserError(f"brush: {brush:g} leaves {size[0]}x{size[1]} px of {width}x{height} to paint. Lower it.")
        new = paint_large(generator, _resized(photo, size))
        if number > 1:  # at the size of the finest painting, not of the photo: that saves memory
            under = _resized(painting, size).astype("f4")
            new = np.rint(under + (new - under) / number).astype(np.uint8)
        painting = new
    return _resized(painting, (width, height))


def _resized(image, size):
    if image.shape[1::-1] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


# Kaggle scores decoded JPEGs: quality 95 without chroma subsampling keeps the strokes.
JPEG: dict[str, Any] = {"format": "JPEG", "quality": 95, "subsampling": 0}


def jpeg_of(painting: np.ndarray, exif: bytes = b"") -> bytes:
    """The JPEG of a uint8 painting (h, w, 3), made in memory: Pillow overlooks a disk that takes half of a write."""
    buffer = io.BytesIO()
    Image.fromarray(painting).save(buffer, exif=exif, **JPEG)
    return buffer.getvalue()
