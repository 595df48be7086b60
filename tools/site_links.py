"""Links of the repository's documents, changed for the site.

A document's links are relative to its folder, as on GitHub. On the site some documents are pages, the pictures lie in
one folder, and links to other files lead to GitHub.
"""

import os
import re
from pathlib import Path, PurePosixPath

from address import published

ROOT = Path(__file__).resolve().parents[1]
REPO = os.environ.get("GITHUB_REPOSITORY") or published()  # "owner/name": on GitHub, a fork's pages lead to the fork
SOURCE = f"https://github.com/{REPO}"
OWNER, NAME = REPO.split("/")
ADDRESS = os.environ.get("SITE_URL") or f"https://{OWNER.lower()}.github.io/{NAME}/"  # of the published site
PUBLISHED = re.compile(rf"(github(?:usercontent)?(?:\.com)?/){re.escape(published())}(?![\w-])")
# A notebook's links to the repository, which are absolute since Colab opens the notebook without the repository.
OWN = re.compile(rf"(?<=\]\()(?:{SOURCE}/blob|https://raw\.githubusercontent\.com/{REPO})/main/")
PICTURES = PurePosixPath("pictures")  # on the site
FENCED = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1\2`*~*[ ]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
BADGE = re.compile(r"\[!\[([^\]]*)\]\(https?:[^)]*\)\]\(([^)]*)\)")
DISTANT = re.compile(r"!\[([^\]]*)\]\(https?:[^)]*\)")
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|//)([^)#\s]*)(#[^)\s]*)?(?=[)\s])")


class LinkError(Exception):
    """A link in a document leads nowhere. The message names the document and the link."""


def ours(text):
    """`text` with the repository that publishes the site in the place of the one that pyproject.toml names."""
    return PUBLISHED.sub(rf"\g<1>{REPO}", text)


def relinked(text, source, pages, pictures):
    """The Markdown `text` of the repository's file `source`, with its links as the site needs them.

    source: relative to the repository. pages: {file of the repository: page of the site}, both relative. pictures:
    a set to which the pictures that `text` shows are added. Badges that other servers draw become plain links. Raises
    LinkError where a link leads nowhere.
    """
    page = PurePosixPath(pages[source])
    text = OWN.sub(f"{os.path.relpath('.', os.path.dirname(source) or '.')}/", ours(text))

    def target(match):
        path, anchor = match[1], match[2] or ""
        found = os.path.normpath(os.path.join(os.path.dirname(source), path))
        if found in pages:
            return os.path.relpath(pages[found], page.parent) + anchor
        if not (ROOT / found).exists():
            raise LinkError(f"{source}: a link to {path}, which is not there. Correct the link.")
        if found.endswith((".jpg", ".png", ".svg")):
            pictures.add(found)
            return os.path.relpath(PICTURES / found, page.parent)
        return f"{SOURCE}/{'tree' if (ROOT / found).is_dir() else 'blob'}/main/{found}{anchor}"

    def outside_code(prose):
        prose = BADGE.sub(lambda m: f"[{m[1]}]({m[2]}){{ .badge .{m[1].split()[-1].lower()} }}", prose)
        return LINK.sub(target, DISTANT.sub(r"\1", prose))

    return apart_from_code(text, outside_code)


def apart_from_code(text, change):
    """`text` with change(part) in the place of each part that is not a fenced block or `code`."""
    parts, end = [], 0
    for code in FENCED.finditer(text):
        parts += [change(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, change(text[end:])])
