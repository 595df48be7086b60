"""What comes with the course, and files written beside their place, then renamed: whole, or as they were."""

import os
import shutil
import uuid
from pathlib import Path

from monet_lib.errors import UserError

# In a notebook that holds this code there is no __file__: then `data/` and `models/` are looked for beside it.
_PACKAGE = Path(globals().get("__file__", "monet_lib/files.py")).resolve().parent
# The folder of data/ and models/: the checkout, or a part of the package where that was installed on its own.
COURSE = _PACKAGE / "shipped" if (_PACKAGE / "shipped").is_dir() else _PACKAGE.parent


def write_beside(path, write):
    """Call write(temporary path beside `path`), then rename: `path` is whole or as it was.

    Raises UserError where the folder can't be written or the disk is full.
    """
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(
            f"{path}: can't be written ({error.strerror or error}). Free space or choose another place."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_folder_beside(target, write):
    """The same for a folder: write(folder) into a new one beside, then rename over `target`."""
    temporary = target.with_name(f"writing-{uuid.uuid4().hex[:8]}")
    try:
        temporary.mkdir()
        write(temporary)
        if target.exists():
            target.rename(temporary.with_name(f"{temporary.name}-old"))
        temporary.rename(target)
        shutil.rmtree(temporary.with_name(f"{temporary.name}-old"), ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0][:120]
        raise UserError(
            f"{target}: can't be written ({reason}). Earlier checkpoints are kept; free space and go on."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
