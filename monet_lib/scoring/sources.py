"""Read the images of a folder, a zip or shards one by one, and trust none of them."""

import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from monet_lib.data.competition import ImageSet, examine
from monet_lib.errors import UserError

SCORED = (".jpg", ".jpeg", ".png")
LARGEST = 1 << 26  # bytes of one file in a zip, and of a picture: far above any image, far below any memory
EXPANSION = 100  # times its own size that a zip of images may unpack to; JPEG and PNG hardly compress


def count_images(source):
    """How many images `read_images` would yield without n."""
    listed = listed_images(Path(source))
    return listed.count() if isinstance(listed, ImageSet) else len(listed)


def read_images(source, n=None):
    """Stream (name, uint8 (h, w, 3) RGB in 0..255) in name order, one image in memory at a time.

    source: a folder of JPEG and PNG files or of shards, a .zip of images, or one .tfrec. n: an even spread of that
    many. A zip is read where it is and never unpacked. Raises UserError for a missing, empty, damaged or unsafe source.
    """
    source = Path(source)
    listed, places = listed_images(source), even_spread(count_images(source), n)
    if isinstance(listed, ImageSet):
        wanted = set(places)
        for place, (name, image, problem) in enumerate(examine(listed)):
            if problem:
                raise problem
            if place in wanted:
                yield name, image
    elif source.is_dir():
        for place in places:
            yield listed[place].name, _decoded_image(listed[place].read_bytes, listed[place])
    else:
        with zipfile.ZipFile(source) as archive:
            for info in (listed[place] for place in places):
                where = f"{source}: {info.filename}"
                yield info.filename, _decoded_image(lambda info=info: archive.read(info), where)


def listed_images(source):
    """An ImageSet of shards, or the sorted files of a folder, or the sorted ZipInfos of a zip found safe."""
    if source.suffix.lower() == ".zip" and source.is_file():
        return _safe_entries(source)
    if source.suffix == ".tfrec" and source.is_file():
        return ImageSet("images", "tfrec", (source,))
    if not source.is_dir():
        found = "neither a folder, a .zip nor a .tfrec" if source.exists() else "no such file or folder"
        raise UserError(f"{source}: {found}. Name the images to score.")
    files = sorted(source.iterdir())
    images = [file for file in files if _is_picture(file.name)]
    shards = tuple(file for file in files if file.suffix == ".tfrec" and file.name[0] != ".")
    if images and shards:
        raise UserError(f"{source}: holds both images and shards. Name a folder of one kind.")
    if not images and not shards:
        raise UserError(
            f"{source}: no JPEG, PNG or .tfrec in it; folders inside are not searched. Name theirs."
        )
    return ImageSet("images", "tfrec", shards) if shards else images


def _safe_entries(source):
    try:
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise UserError(f"{source}: not a whole zip ({error}). Make or download it again.") from None
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or info.filename[1:2] == ":":
            raise UserError(f"{source}: entry {info.filename!r} leads out of the zip. Don't trust the file.")
        if info.flag_bits & 1:
            raise UserError(f"{source}: {info.filename} is encrypted. Zip without a password.")
        if info.file_size > LARGEST:
            raise UserError(f"{source}: {info.filename} would unpack to {info.file_size:,} bytes: no image.")
    total, size = sum(info.file_size for info in infos), source.stat().st_size
    if total > LARGEST and total > EXPANSION * size:
        raise UserError(f"{source}: {size:,} bytes would unpack to {total:,}, a bomb. Don't trust the file.")
    pictures = [info for info in infos if _is_picture(info.filename)]
    if not pictures:
        raise UserError(f"{source}: no JPEG or PNG in it. Zip the images themselves.")
    return sorted(pictures, key=lambda info: info.filename)


def _is_picture(name):
    path = PurePosixPath(name)
    return path.suffix.lower() in SCORED and not path.name.startswith(".")


def _decoded_image(read, where):
    """The image file that read() returns, as uint8 (h, w, 3). PIL's decoder, which agrees with `data.decode`."""
    try:
        with Image.open(io.BytesIO(read()), formats=("JPEG", "PNG")) as image:
            if image.width * image.height * 3 > LARGEST:
                raise UserError(f"{where}: {image.width}x{image.height} px are too many. Scale it down.")
            if image.mode[0] in "IF":
                raise UserError(f"{where}: more than 8 bits a channel ({image.mode}). Convert it to RGB.")
            return np.asarray(image.convert("RGB"))
    except UserError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile,
            zlib.error, Image.DecompressionBombError) as error:  # fmt: skip
        raise UserError(f"{where}: not a readable JPEG or PNG ({str(error)[:120]}). Leave it out.") from None


def even_spread(total, n):
    """n places of `total`, evenly apart, or all of them where n is None or more than there are."""
    if n is not None and n < 2:
        raise UserError(f"n must be 2 or more, got {n}: one image has no distribution.")
    count = total if n is None else min(n, total)
    return [place * total // count for place in range(count)]
