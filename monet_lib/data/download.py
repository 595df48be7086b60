"""Download the images: monet2photo, which anyone may get, or the competition's own with the user's Kaggle token."""

import csv
from pathlib import Path, PurePosixPath

from tqdm.auto import tqdm

from monet_lib.data.reading import CHECKOUT_DATA, has_both_sets, opened_zip, read_entry
from monet_lib.files import (
    ADVICE_FOR,
    UserError,
    advice,
    copy_files,
    disguised,
    made_folder,
    reason,
    sha256_of,
    unwritable,
    write_folder_beside,
)

COMPETITION = "gan-getting-started"
# The set that the competition's images come from, at the authors of CycleGAN; its hash as tensorflow-datasets has it.
MONET2PHOTO = "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/monet2photo.zip"
SHA256 = "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04"
PAINTINGS = Path(__file__).with_name("monet2photo_300.csv")  # the competition's 300: their names there and in the zip
FOLDERS = {"trainA": "other_monets", "testA": "other_monets", "trainB": "photo_jpg", "testB": "photo_jpg"}
BY_HAND = "or download it by hand, see data/README.md."


def download_data(
    folder: str | Path | None = None, kaggle: bool = False, *, url: str = MONET2PHOTO, sha256: str = SHA256
) -> Path:
    """Download the images into the competition's layout, with a progress bar. Returns their folder, a Path.

    folder: where to; by default data/gan-getting-started of the checkout, where `data.find_data` looks, or without a
    checkout ./gan-getting-started. What is there already is not downloaded again. kaggle: False gets monet2photo (305
    MB) from `url`, without a login: the 7,038 photos, the competition's 300 paintings, and in other_monets/ 893 more.
    A download that broke off leaves FOLDER.zip.part, from which the next call continues; `sha256` is the whole zip's
    hash. True gets the competition's own files (370 MB) by kagglehub, with the user's credentials.

    Raises UserError where it can't connect or write, for a refusal, a wrong hash or an unsafe zip, and from Kaggle
    without kagglehub, without credentials, and where the competition's rules aren't accepted. Then nothing is at
    `folder`.
    """
    folder = Path(folder or (CHECKOUT_DATA if CHECKOUT_DATA.is_dir() else Path()) / COMPETITION)
    if has_both_sets(folder):
        print(f"{folder}: holds the images already")
        return folder
    if not folder.name or (folder.exists() and (folder.is_file() or any(not f.is_dir() for f in folder.rglob("*")))):
        raise UserError(f"{folder}: exists and doesn't hold the images, or not all. Remove it or name another folder.")
    made_folder(folder.parent, "folder")
    if kaggle:
        fetched = _from_kaggle()
        write_folder_beside(folder, lambda partial: copy_files(fetched, partial))
        return folder
    part = folder.with_name(f"{folder.name}.zip.part")
    print(f"{folder}: downloading monet2photo, 305 MB, from {url}")
    if not part.is_file() or sha256_of(part) != sha256:  # whole, if only the unpacking failed
        _fetch(url, part)
        if (found := sha256_of(part)) != sha256:
            with open(part, "rb") as stream:
                kind = disguised(stream.read(64)) or f"sha256 {found[:12]}…, not {sha256[:12]}…"
            part.unlink()
            raise UserError(f"{url}: not the zip that was expected ({kind}). It was removed. Repeat it, {BY_HAND}")
    write_folder_beside(folder, lambda partial: _unpack(part, partial))
    part.unlink()
    return folder


def _fetch(url, part):
    """Download `url` to the file `part`, or the rest of it where the file has its beginning."""
    import requests  # imported here, because most readers of images download none

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={have}-"}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
            if answer.status_code == 416:  # the file is as long or longer: its hash says what it is
                return
            if not answer.ok:
                raise requests.HTTPError(f"{answer.status_code} {answer.reason}")
            if "html" in answer.headers.get("Content-Type", ""):
                raise requests.RequestException("a web page instead of the zip: a proxy's, or one to log in")
            have = have if answer.status_code == 206 else 0  # a server that knows no ranges sends all of it
            rest = int(answer.headers.get("Content-Length", 0))
            bar = tqdm(desc=url.split("/")[-1], total=have + rest, initial=have, unit="B", unit_scale=True)
            with open(part, "ab" if have else "wb") as file, bar:
                for block in answer.iter_content(1 << 13):
                    file.write(block)
                    bar.update(len(block))
            if bar.n < bar.total:  # urllib3 before version 2 says nothing
                raise requests.ConnectionError("the connection broke off")
    except requests.RequestException as error:
        there = f"Repeat it: it continues at {part.stat().st_size / 1e6:.1f} MB. " if part.exists() else ""
        online = "Go online (on Kaggle: turn Internet on, or add the competition as input)"
        raise UserError(f"{url}: can't be downloaded ({_innermost(error)}). {there}{online}, {BY_HAND}") from None
    except OSError as error:
        raise unwritable(part, error) from None


def _innermost(error):
    """What the error says that others were raised for: `Name or service not known`, not the URL in three wrappings."""
    while error.__context__:
        error = error.__context__
    return reason(error)


def _unpack(part, folder):
    """Write the images of the zip `part` under `folder`, in the competition's layout."""
    with open(PAINTINGS, newline="") as file:
        names = {there: f"monet_jpg/{name}" for name, there in csv.reader(file)}
    with opened_zip(part) as (archive, entries):
        for entry in tqdm(entries, "unpack", unit="image"):
            of, name = PurePosixPath("none", entry.filename).parts[-2:]
            if of in FOLDERS and not name.startswith("."):
                # On Windows no file's name may have a colon, as a time of day has it.
                own = f"{FOLDERS[of]}/{of}-{name}".replace(":", "-")
                file = folder / names.get(f"{of}/{name}", own)
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(read_entry(archive, entry))
    if not has_both_sets(folder):
        raise UserError(f"{part}: holds no images in trainA and trainB. Remove it, {BY_HAND}")


def _from_kaggle():
    """The folder that kagglehub keeps the competition's files in."""
    try:
        import kagglehub
    except ImportError:
        raise UserError(f"kagglehub: not installed. Run pip install kagglehub, {BY_HAND}") from None
    try:
        fetched = Path(kagglehub.competition_download(COMPETITION))
    except Exception as error:  # kagglehub's own errors, those of requests, and more
        if isinstance(error, OSError) and error.errno in ADVICE_FOR:  # of the disk, in kagglehub's cache
            raise UserError(f"Kaggle: {COMPETITION} can't be kept ({reason(error)}). {advice(error)}") from None
        raise UserError(
            f"Kaggle: {COMPETITION} can't be downloaded ({reason(error)}). Accept the rules on its page, put an API "
            f"token from kaggle.com/settings into ~/.kaggle/kaggle.json or KAGGLE_USERNAME and KAGGLE_KEY, {BY_HAND}"
        ) from None
    if not has_both_sets(fetched):
        raise UserError(f"{fetched}: Kaggle's download holds no images. Remove that folder, {BY_HAND}")
    return fetched
