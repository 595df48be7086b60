"""Check a built site: every link and anchor leads somewhere, and no page loads a file from another server."""

import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img", "script", "link", "iframe", "source", "video", "audio"}  # by the browser itself


class Page(HTMLParser):
    """A page's links, [(tag, address)], and the set of its anchors."""

    def __init__(self, file):
        super().__init__()
        self.links, self.anchors = [], {"", "__top"}
        self.feed(file.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if tag == "link" and attributes.get("rel") == "canonical":
            return
        self.links += [(tag, attributes[name]) for name in ("href", "src") if attributes.get(name)]


def faults(site):
    """The faults of the site in the folder `site`: a sorted list of lines, each with the page and the link."""
    site, found = Path(site), set()
    pages = {file.relative_to(site).as_posix(): Page(file) for file in sorted(site.rglob("*.html"))}
    for name, page in pages.items():
        if name == "404.html":  # its links are absolute, and the site's address is not known here
            continue
        for tag, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if tag in LOADED and parts.scheme != "data":
                    found.add(f"{name}: {link} is loaded from another server")
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
            path = name if not parts.path else path
            if (site / path).is_dir():
                path = posixpath.normpath(f"{path}/index.html")
            if path.startswith("..") or not (site / path).is_file():
                found.add(f"{name}: {link} leads nowhere")
            elif path in pages and unquote(parts.fragment) not in pages[path].anchors:
                found.add(f"{name}: {link}: no such anchor")
    return sorted(found)
