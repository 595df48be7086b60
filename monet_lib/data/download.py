"""Download the competition's images from Kaggle, with the user's own credentials."""

from pathlib import Path

from monet_lib.data.reading import CHECKOUT_DATA, has_both_sets
from monet_lib.files import ADVICE_FOR, UserError, advice, copy_files, made_folder, reason, write_folder_beside

COMPETITION = "gan-getting-started"
BY_HAND = "or download it by hand, see data/README.md."


def download_data(folder: str | Path | None = None) -> Path:
    """Download the competition's images (about 370 MB) with kagglehub. Returns their folder, a Path.

    folder: where to; by default data/gan-getting-started of the checkout, where `data.find_data` looks, or without a
    checkout ./gan-getting-started. What is there already is not downloaded again. Raises UserError without kagglehub,
    without credentials, where the competition's rules aren't accepted, offline, and where it can't write.
    """
    folder = Path(folder or (CHECKOUT_DATA if CHECKOUT_DATA.is_dir() else Path()) / COMPETITION)
    if has_both_sets(folder):
        print(f"{folder}: holds the images already")
        return folder
    if folder.exists() and (folder.is_file() or any(not f.is_dir() for f in folder.rglob("*"))):
        raise UserError(f"{folder}: exists and doesn't hold the images, or not all. Remove it or name another folder.")
    try:
        import kagglehub
    except ImportError:
        raise UserError(f"kagglehub: not installed. Run pip install kagglehub, {BY_HAND}") from None
    try:
        fetched = Path(kagglehub.competition_download(COMPETITION))
    except Exception as error:  # kagglehub's own errors, those of requests, and more
        raise UserError(_what_failed(error)) from None
    if not has_both_sets(fetched):
        raise UserError(f"{fetched}: Kaggle's download holds no images. Remove that folder, {BY_HAND}")
    made_folder(folder.parent, "folder")
    write_folder_beside(folder, lambda partial: copy_files(fetched, partial))
    return folder


def _what_failed(error):
    if isinstance(error, OSError) and error.errno in ADVICE_FOR:  # of the disk, in kagglehub's cache
        return f"Kaggle: {COMPETITION} can't be kept ({reason(error)}). {advice(error)}"
    return (
        f"Kaggle: {COMPETITION} can't be downloaded ({reason(error)}). Accept the rules on its page, put an API "
        f"token from kaggle.com/settings into ~/.kaggle/kaggle.json or KAGGLE_USERNAME and KAGGLE_KEY, {BY_HAND}"
    )
