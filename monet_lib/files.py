"""Files that are never left half-written, and one line for each error of a file.

A file is written beside its place, flushed to the disk, then renamed. A file that can't be read or written is a
UserError that names the file, what was found and what to do.
"""

import csv
import errno
import hashlib
import os
import re
import shutil
import stat
import sys
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class UserError(ValueError):
    """Something the user can fix. The message says where, what was found and what to do, in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


def plain(text: str) -> str:
    """`text` in one line, with escapes for all that a terminal would obey: names of files may hold such characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def say(text: str) -> None:
    """Print one line, `plain`."""
    print(plain(text))


def counted(number: int, noun: str) -> str:
    """`1 problem`, `2 problems`: a number and what it counts, a word that takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_PACKAGE = Path(__file__).resolve().parent
# The folder of data/ and models/: the checkout, or a part of the package that was installed on its own.
COURSE = _PACKAGE / "shipped" if (_PACKAGE / "shipped").is_dir() else _PACKAGE.parent
# The trained ImageNet networks: for scores, and for the feature discriminator.
IMAGENET = COURSE / "models" / "imagenet"

# Writing


def write_beside(path: Path, write: Callable[[Path], Any], replace: bool = True) -> None:
    """Call write(temporary path beside `path`), then rename it to `path`.

    After a kill or a power cut `path` is the whole new file or the old one. Raises UserError where the file can't be
    written, and with `replace` off where there is one, which another process has written meanwhile.
    """
    with temporary_beside(path) as temporary:
        write(temporary)
        flush(temporary)
        if replace:
            os.replace(temporary, path)
        else:
            try:
                os.link(temporary, path)  # fails where there is a file, which a rename would replace
            except OSError:
                refuse_replacing([path])
                os.replace(temporary, path)  # a disk without links
        flush(path.parent)


def refuse_replacing(paths: Iterable[Path]) -> None:
    """Raise UserError where a file is at one of the paths. Commands ask before any work, if not told --overwrite."""
    if there := [path for path in paths if os.path.lexists(path)]:
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise UserError(f"{there[0]}{more}: there already. Choose another --out, or replace it with --overwrite.")


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
    """Wait until a file, or a folder's list of names, is on the disk; of a folder only where the system can do that."""
    folder = path.is_dir()
    try:
        descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not folder or error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise  # else it is Windows, or a share: they refuse it with numbers of many kinds


@contextmanager
def locked(file: Path, refusal: str) -> Iterator[None]:
    """Hold the lock `file` for a `with`. Raises UserError(refusal) where another process holds it.

    A process that ends, however it ends, frees its locks. Where a disk knows no locks nothing is held.
    """
    held = False
    with ExitStack() as stack:
        with suppress(OSError):
            number = stack.enter_context(open(file, "wb")).fileno()
            try:
                if sys.platform == "win32":
                    msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
                else:
                    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                raise UserError(refusal) from None
            # Its last holder may have removed the file since it was opened here: then others lock another file.
            if not file.exists() or not os.path.samestat(os.fstat(number), file.stat()):
                raise UserError(refusal)
            held = True
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file
                if held:
                    file.unlink()


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
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


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
    except MemoryError:
        raise UserError(f"{where}: not enough memory to read it. Close other programs, or leave it out.") from None
    except Exception as error:
        last = list(traceback.walk_tb(error.__traceback__))[-1][0].f_globals.get("__name__", "")
        if isinstance(error, (TypeError, AttributeError, NameError)) and last.startswith("monet_lib."):
            raise
        if isinstance(error, OSError) and error.errno is not None:  # Pillow's own for a damaged image has none
            raise UserError(f"{where}: can't be read ({reason(error)}). {advice(error)}") from None
        raise UserError(f"{where}: not a readable {what} ({reason(error)}). {otherwise}") from None


def opened(file: str | Path) -> BufferedReader:
    """A file opened to read its bytes. Raises OSError for a pipe or a device, whose reading might never end."""
    mode = os.stat(file).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.ENODEV, "a pipe or a device, not a file")
    return open(file, "rb")


def contents(file: str | Path) -> bytes:
    """The bytes of a file, `opened`."""
    with opened(file) as stream:
        return stream.read()


def read_table(file: Path) -> tuple[list[str], list[list[str]], str]:
    """(header, rows, delimiter) of a CSV table of numbers, with decimal points where a spreadsheet wrote commas."""
    text = contents(file).replace(b"\0", b"").decode("utf-8-sig", "replace")
    between = max(",;\t", key=text.partition("\n")[0].count)
    header, *rows = [row for row in csv.reader(text.splitlines(), delimiter=between) if row] or [[]]
    return header, rows if between == "," else [[cell.replace(",", ".") for cell in row] for row in rows], between


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def user_path(text: str | Path) -> Path:
    """The path that a user typed, with the home folder for a ~, which shells leave in quotes and behind a =."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{text}: there is no home folder. Name the path without ~, or set HOME.") from None


MOST_UNPACKED = 1 << 26  # bytes that any zip may unpack to
EXPANSION = 100  # times its own size that a zip may unpack to beyond: images and weights hardly compress


def refuse_bomb(path: Path, entries: Iterable[ZipInfo]) -> None:
    """Raise UserError where the entries of the zip `path` would unpack to far more bytes than it has."""
    total, size = sum(entry.file_size for entry in entries), path.stat().st_size
    if total > MOST_UNPACKED and total > EXPANSION * size:
        raise UserError(f"{path}: {size:,} bytes would unpack to {total:,}, a bomb. Don't trust the file.")


def disguised(data: bytes) -> str | None:
    """What the beginning of a file shows it to be instead of data, such as a web page; None for nothing known."""
    start = data[:64].lstrip().lower()
    if not data:
        return "empty: a copy that broke off"
    if not any(data[:64]):
        return "zeros: a copy that broke off, or a disk that lost power"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file: git lfs pull"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page or XML, not the file"
    return "compressed by gzip: unpack it" if start.startswith(b"\x1f\x8b") else None


# Messages

ADVICE_FOR = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free space, or choose another place."),
    errno.EFBIG: "Choose a place that takes files of this size.",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Change its permissions, or choose another place."),
    errno.EROFS: "Choose a place that can be written.",
    errno.ENAMETOOLONG: "Shorten the name.",
    errno.EISDIR: "A folder is there: name a file.",
    errno.ENOENT: "Look whether its folder is there and its links lead somewhere.",
    errno.ENODEV: "Name a file.",
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
