"""What a readable zip is, for every command: whole, of safe names and sizes, and read where it is, never unpacked."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from monet_lib.errors import UserError
from monet_lib.files import reading

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
