"""Files that come with the course, files that are whole or as they were, and one line for what goes wrong with one.

A file is written beside its place, flushed to the disk, then renamed. What can't be read or written is a UserError
that names the file, what was found and what to do.
"""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class UserError(ValueError):
    """Something the user can fix. The message says where, what was found and what to do, in one line."""


def counted(number: int, noun: str) -> str:
    """`1 problem`, `2 problems`: a number and what it counts, a word that takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_PACKAGE = Path(__file__).resolve().parent
# The folder of data/ and models/: the checkout, or a part of the package where that was installed on its own.
COURSE = _PACKAGE / "shipped" if (_PACKAGE / "shipped").is_dir() else _PACKAGE.parent
# The trained ImageNet networks: for scores, and for the feature discriminator.
IMAGENET = COURSE / "models" / "imagenet"


TEMPORARY = ".writing-"  # how every temporary name begins: short, since the file's own may be as long as they get
ADVICE_FOR = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free space, or choose another place."),
    errno.EFBIG: "Choose a place that takes files of this size.",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Change its permissions, or choose another place."),
    errno.EROFS: "Choose a place that can be written.",
    errno.ENAMETOOLONG: "Shorten the name.",
    errno.EISDIR: "A folder is there: name a file.",
    errno.ENOTDIR: "A file is in its path: choose another place.",
    errno.ENOENT: "Look whether its folder is there and its links lead somewhere.",
    errno.ENOTEMPTY: "A folder with something in it is there: choose another place.",
    errno.EEXIST: "It is there already: choose another place.",
    errno.EMFILE: "Too many files are open: close other programs.",
    errno.EIO: "The disk or the network failed: copy what is left.",
}


def reason(error: BaseException) -> str:
    """What an exception says, as the first line of at most 120 characters."""
    text = re.sub(r" <_io\.\w+ object at \w+>", "", getattr(error, "strerror", None) or str(error)).strip()
    return text.splitlines()[0][:120] if text else type(error).__name__


def advice(error: OSError) -> str:
    """What to do about an OSError, by its number."""
    return ADVICE_FOR.get(error.errno, "Look at the place, or choose another.")


def unwritable(path: str | Path, error: OSError) -> UserError:
    """The UserError for an OSError met while writing `path`."""
    return UserError(f"{path}: can't be written ({reason(error)}). {advice(error)}")


@contextmanager
def reading(where: Any, what: str, otherwise: str) -> Iterator[None]:
    """Around the readers of one file from outside, and nothing else: whatever they raise becomes one UserError.

    Damaged bytes lead Pillow, zipfile, NumPy and TensorFlow into errors of any type, so all are caught here, where
    nothing is done but reading. where: the message's beginning; what: what the file is no readable one of, "image";
    otherwise: what to do about a damaged one.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # Pillow's own for a damaged image has none
            raise UserError(f"{where}: can't be read ({reason(error)}). {advice(error)}") from None
        raise UserError(f"{where}: not a readable {what} ({reason(error)}). {otherwise}") from None


def disguised(data: bytes) -> str | None:
    """What the beginning of a file shows it to be instead of data: an untracked pointer, a page; None for neither."""
    start = data[:64].lstrip().lower()
    if not data:
        return "empty: a copy that broke off"
    if not any(data[:64]):
        return "zeros: a copy that broke off, or a disk that lost power"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file: git lfs pull"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, not the file"
    return None


def write_beside(path: Path, write: Callable[[Path], Any], durable: bool = True) -> None:
    """Call write(temporary path beside `path`), then rename: `path` is whole or as it was, after a power cut too.

    durable: False leaves out the wait for the disk, for files that are looked at before they are used. Raises
    UserError where the file can't be written.
    """
    with _temporary_beside(path) as temporary:
        write(temporary)
        if durable:
            _flush(temporary)
        os.replace(temporary, path)
        if durable:
            _flush(path.parent)


def write_folder_beside(target: Path, write: Callable[[Path], Any]) -> None:
    """The same for a folder: write(folder) into a new one beside, then rename to `target`.

    A folder that is there already is `target`.old between two renames: `recover_folders` repairs a kill there.
    """
    old = target.with_name(f"{target.name}.old")
    with _temporary_beside(target, " What was there before is kept.") as temporary:
        temporary.mkdir()
        write(temporary)
        for each in (*temporary.rglob("*"), temporary):
            _flush(each)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
        temporary.rename(target)
        _flush(target.parent)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _temporary_beside(path, kept=""):
    """A new name beside `path`, of which nothing is left afterwards; an OSError becomes the UserError for `path`."""
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
    except OSError as error:
        raise UserError(f"{unwritable(path, error)}{kept}") from None
    finally:
        _remove(temporary)


def copy_files(source: Path, target: Path) -> None:
    """Copy the files under `source` into `target`, without their permissions. The first OSError passes on.

    `shutil.copytree` continues after an error, and copies permissions, which may forbid to write.
    """
    for file in sorted(source.rglob("*")):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def recover_folders(parent: Path) -> None:
    """Finish what a killed `write_folder_beside` left in `parent`, and remove temporary files and folders there."""
    for old in sorted(parent.glob("*.old")):
        target = old.with_name(old.name.removesuffix(".old"))
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(target)
    remove_leftovers(parent)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes left in `folder`."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        _remove(leftover)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path):
    """Wait until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name != "posix":  # a folder can't be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def made_folder(folder: str | Path, option: str = "--out") -> Path:
    """`folder`, a Path, made if it isn't there. Raises UserError where it can't be."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: can't be made ({reason(error)}). Choose another {option}.") from None
    return folder
