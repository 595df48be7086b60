"""Paint photographs: arrays in batches, and image files of any size."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tqdm.auto import tqdm

from monet_lib.checkpoints import write_beside
from monet_lib.config import UserError
from monet_lib.data import to_float, to_uint8

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Kaggle scores decoded JPEGs: at quality 95 without chroma subsampling the encoder leaves the strokes alone.
JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}


def paint(generator, photos):
    """uint8 photos (batch, h, w, 3) in 0..255 to uint8 paintings of the same shape."""
    return to_uint8(generator.predict_on_batch(np.asarray(to_float(photos))))


def image_files(inputs):
    """The image files that `inputs` name: files as they are, folders' JPEG, PNG and WebP files in name order.

    Raises UserError for a missing file and for a folder without images.
    """
    files = []
    for name in map(Path, inputs):
        found = [name]
        if name.is_dir():
            found = sorted(file for file in name.iterdir() if file.suffix.lower() in SUFFIXES)
        if not found or not found[0].exists():
            found = "no JPEG, PNG or WebP in it" if name.is_dir() else "no such file"
            raise UserError(f"{name}: {found}. Name photos or their folder.")
        files += found
    return files


def read_photo(file):
    """An image file as uint8 (h, w, 3) RGB, upright. Raises UserError where it can't be read."""
    try:
        with Image.open(file) as image:
            image = ImageOps.exif_transpose(image)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(
            f"{file}: not a readable image ({str(error)[:120]}). Leave it out or convert it."
        ) from None


def translate(generator, inputs, out):
    """Paint image files into the folder `out`, under their own names as JPEG. Returns the files written.

    Two inputs with one name are refused, and so is writing over an input.
    """
    files, out = image_files(inputs), Path(out)
    targets = [out / f"{file.stem}.jpg" for file in files]
    for k, target in enumerate(targets):
        if target in targets[:k]:
            raise UserError(f"{files[k]}: another input is called {target.stem} too. Rename one of them.")
        if target.resolve() in [file.resolve() for file in files]:
            raise UserError(f"{target}: would be written over an input. Choose another --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out}: can't be made ({error.strerror}). Choose another --out.") from None
    for file, target in zip(tqdm(files, unit="photo"), targets, strict=True):
        painted = Image.fromarray(paint(generator, read_photo(file)[None])[0])
        write_beside(target, lambda path, image=painted: image.save(path, **JPEG))
    return targets
