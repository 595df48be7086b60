"""Where the course is published: the one address, in pyproject.toml, and every place that repeats it."""

import posixpath
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(!?)(\[[^\]]*\]\()(?!https?:|#)([^)\s]+)\)")


def published(root=ROOT):
    """The address on GitHub, as "owner/name"."""
    text = (root / "pyproject.toml").read_text()
    return re.search(r'^Source = "https://github\.com/([\w.-]+/[\w.-]+)"', text, re.M)[1]


def set_published(repo, files, root=ROOT):
    """Replace the present address by "owner/name" in all `files`, which are named relative to `root`."""
    before = published(root)
    address = re.compile(rf"(?<=github\.com/){re.escape(before)}(?![\w.-]*\w)|"
                         rf"(?<=github/){re.escape(before)}(?=/blob)|"
                         rf"(?<=githubusercontent\.com/){re.escape(before)}(?=/)")  # fmt: skip
    for file in files:
        try:
            text = (root / file).read_text()
        except UnicodeDecodeError:  # a picture, or weights
            continue
        if (changed := address.sub(repo, text)) != text:
            (root / file).write_text(changed)


def tracked(root=ROOT):
    """The repository's files, new ones too, relative to `root`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
    return [file for file in listed if (root / file).is_file()]


def absolute(markdown, folder="notebooks"):
    """Markdown of a file in `folder` with its relative links leading to the published repository.

    Colab and Kaggle open a notebook without the repository, where a relative link leads nowhere.
    """
    repo = published()

    def address_of(match):
        image, text, target = match.groups()
        place = f"raw.githubusercontent.com/{repo}/main" if image else f"github.com/{repo}/blob/main"
        return f"{image}{text}https://{place}/{posixpath.normpath(f'{folder}/{target}')})"

    return LINK.sub(address_of, markdown)
