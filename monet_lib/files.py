"""The course's own files, files that are never left half-written, and one line for each error of a file.

A file is written beside its place, flushed to the disk, then renamed. A file that can't be read or written is a
UserError that names the file, what was found and what to do.
"""

import errno
import os
import re
import shutil
import traceback
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

# Writing


def write_beside(path: Path, write: Callable[[Path], Any]) -> None:
    """Call write(temporary path beside `path`), then rename it to `path`.

    After a kill or a power cut `path` is the whole new file or the old one. Raises UserError where the file can't be
    written.
    """
    with temporary_beside(path) as temporary:
        write(temporary)
        flush(temporary)
        os.replace(temporary, path)
        flush(path.parent)


def write_folder_beside(target: Path, write: Callable[[Path], Any]) -> None:
    """Call write(new empty folder beside `target`), then rename it to `target`.

    A folder that is there already is called .old-NAME between two renames; `recover_folders` finishes after a kill
    between them. Raises UserError where the folder can't be written.
    """
    old = target.with_name(f"{OLD}{target.name}")
    with temporary_beside(target, " What was there before is kept.") as temporary:
        temporary.mkdir()
        write(temporary)
        for each in (*temporary.rglob("*"), temporary):
            flush(each)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
        temporary.rename(target)
        flush(target.parent)
        shutil.rmtree(old, ignore_errors=True)


TEMPORARY = ".writing-"  # how every temporary name begins: short, since the file's own may be as long as they get
OLD = ".old-"  # how the name of a folder begins while another folder takes its place


@contextmanager
def temporary_beside(path: Path, kept: str = "") -> Iterator[Path]:
    """A new name beside `path`, which is removed at the end. An OSError becomes the UserError for `path`."""
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
    except OSError as error:
        raise UserError(f"{unwritable(path, error)}{kept}") from None
    finally:
        remove(temporary)


def flush(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name != "posix":  # a folder can't be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def recover_folders(parent: Path) -> None:
    """Finish a `write_folder_beside` that was killed in `parent`, and remove temporary files and folders there."""
    for old in parent.glob(f"{OLD}*"):
        target = old.with_name(old.name.removeprefix(OLD))
        if target.exists():
            remove(old)
        else:
            old.rename(target)
    for leftover in parent.glob(f"{TEMPORARY}*"):
        remove(leftover)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def copy_files(source: Path, target: Path) -> None:
    """Copy the files under `source` into `target`, without their permissions. The first OSError passes on.

    `shutil.copytree` continues after an error, and copies permissions, which may forbid to write.
    """
    for file in sorted(source.rglob("*")):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def made_folder(folder: str | Path, option: str = "--out") -> Path:
    """`folder`, a Path, made if it isn't there. Raises UserError where it can't be."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: can't be made ({reason(error)}). Choose another {option}.") from None
    return folder


# Reading


@contextmanager
def reading(where: Any, what: str, otherwise: str) -> Iterator[None]:
    """Around the readers of one file from outside, and nothing else: an error of theirs becomes one UserError.

    Damaged bytes lead Pillow, zipfile, NumPy and TensorFlow into errors of any type. A mistake in a line of this
    package is no damage, and passes. where: the beginning of the message; what: the kind of file, "image"; otherwise:
    what to do about a damaged one.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        last = list(traceback.walk_tb(error.__traceback__))[-1][0].f_globals.get("__name__", "")
        if isinstance(error, (TypeError, AttributeError, NameError)) and last.startswith("monet_lib."):
            raise
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


# Messages

ADVICE_FOR = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free space, or choose another place."),
    errno.EFBIG: "Choose a place that takes files of this size.",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Change its permissions, or choose another place."),
    errno.EROFS: "Choose a place that can be written.",
    errno.ENAMETOOLONG: "Shorten the name.",
    errno.EISDIR: "A folder is there: name a file.",
    errno.ENOENT: "Look whether its folder is there and its links lead somewhere.",
    errno.EMFILE: "Too many files are open: close other programs.",
    errno.EIO: "The disk or the network failed: copy your other files from there.",
}


def unwritable(path: str | Path, error: OSError) -> UserError:
    """The UserError for an OSError met while writing `path`."""
    return UserError(f"{path}: can't be written ({reason(error)}). {advice(error)}")


def reason(error: BaseException) -> str:
    """What an exception says, as the first line of at most 120 characters."""
    text = re.sub(r" <_io\.\w+ object at \w+>", "", getattr(error, "strerror", None) or str(error)).strip()
    return text.splitlines()[0][:120] if text else type(error).__name__


def advice(error: OSError) -> str:
    """What to do about an OSError, by its number."""
    return ADVICE_FOR.get(error.errno, "Look at the place, or choose another.")
