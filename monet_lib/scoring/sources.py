"""Read the images of a folder, a zip or shards one by one, and check each."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from monet_lib.data.archives import opened_zip, read_entry
from monet_lib.data.competition import ImageSet, read_batches
from monet_lib.data.images import opened_image, strict_jpeg, upright
from monet_lib.errors import UserError
from monet_lib.files import reading

SCORED = (".jpg", ".jpeg", ".png")
LARGEST_SCORED = 1 << 24  # px of a picture to score, 4096x4096
LEAVE_OUT = "Leave it out."


def count_images(source: str | Path) -> int:
    """How many images `read_images` would yield without n."""
    listed = _listed(Path(source))
    return listed.count() if isinstance(listed, ImageSet) else len(listed)


def read_images(source: str | Path, n: int | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """Stream (name, uint8 (h, w, 3) RGB in 0..255) in name order, one image in memory at a time.

    source: a folder of JPEG and PNG files or of shards, a .zip of images, or one .tfrec. n: an even spread of that
    many. A zip is read where it is and never unpacked. Raises UserError for a missing, empty, damaged or unsafe source.
    """
    source = Path(source)
    listed, places = _listed(source), even_spread(count_images(source), n)
    if isinstance(listed, ImageSet):
        wanted = set(places)
        for place, ((name,), (image,)) in enumerate(read_batches(listed, 1)):
            if place in wanted:
                yield name, image
    elif source.is_dir():
        for file in (listed[place] for place in places):
            with reading(file, "JPEG or PNG", LEAVE_OUT):
                data = file.read_bytes()
            yield file.name, _decoded_image(data, file)
    else:
        with opened_zip(source) as (archive, _):
            for info in (listed[place] for place in places):
                yield info.filename, _decoded_image(read_entry(archive, info), f"{source}: {info.filename}")


def _listed(source):
    """An ImageSet of shards, or the sorted files of a folder, or the sorted ZipInfos of a zip, checked."""
    if source.suffix.lower() == ".zip" and source.is_file():
        with opened_zip(source) as (_, infos):
            pictures = [info for info in infos if _is_picture(info.filename)]
        if not pictures:
            raise UserError(f"{source}: no JPEG or PNG in it. Zip the images themselves.")
        return sorted(pictures, key=lambda info: info.filename)
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
        raise UserError(f"{source}: no JPEG, PNG or .tfrec in it; folders inside are not searched. Name theirs.")
    return ImageSet("images", "tfrec", shards) if shards else images


def _is_picture(name):
    path = PurePosixPath(name)
    return path.suffix.lower() in SCORED and not path.name.startswith(".")


def _decoded_image(data, where):
    """The bytes of an image file as uint8 (h, w, 3), RGB, upright."""
    with opened_image(data, where, LEAVE_OUT, ("JPEG", "PNG"), "JPEG or PNG") as image:
        if image.width * image.height > LARGEST_SCORED:
            raise UserError(f"{where}: {image.width}x{image.height} px are too many. Scale it down.")
        if image.mode[0] in "IF":
            raise UserError(f"{where}: more than 8 bits a channel ({image.mode}). Convert it to RGB.")
        if image.format == "JPEG" and (damage := strict_jpeg(data, smallest=True)[1]):
            raise UserError(f"{where}: not a readable JPEG or PNG ({damage}). {LEAVE_OUT}")
        return np.asarray(upright(image).convert("RGB"))


def even_spread(total: int, n: int | None) -> list[int]:
    """n places of `total`, evenly apart, or all of them where n is None or more than there are."""
    if n is not None and n < 2:
        raise UserError(f"n must be 2 or more, got {n}: one image has no distribution.")
    count = total if n is None else min(n, total)
    return [place * total // count for place in range(count)]
