"""Check a built site: links and anchors lead somewhere, files come from it alone, each page describes itself."""

import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img", "script", "link", "iframe", "source", "video", "audio"}  # by the browser itself


class Page(HTMLParser):
    """A page's links, [(tag, address)], the set of its anchors, and the names of its <meta>."""

    def __init__(self, file):
        super().__init__()
        self.links, self.anchors, self.named = [], {"", "__top"}, set()
        self.feed(file.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if tag == "meta" and attributes.get("content"):
            self.named |= {attributes.get("name"), attributes.get("property"), attributes.get("http-equiv")}
        if tag == "link" and attributes.get("rel") == "canonical":
            return
        self.links += [(tag, attributes[name]) for name in ("href", "src") if attributes.get(name)]


def faults(site, address="/"):
    """The faults of the site in the folder `site`: a sorted list of lines, each with the page and the link.

    address: where the site is published. A link that begins with its path, as on 404.html, leads to the site.
    """
    site, found, root = Path(site), set(), urlsplit(address).path
    pages = {file.relative_to(site).as_posix(): Page(file) for file in sorted(site.rglob("*.html"))}
    for name, page in pages.items():
        for one in {"description", "og:title", "og:image", "Content-Security-Policy"} - page.named:
            found.add(f"{name}: no {one}")
        for tag, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if tag in LOADED and parts.scheme != "data":
                    found.add(f"{name}: {link} is loaded from another server")
                continue
            folder, path = posixpath.dirname(name), unquote(parts.path)
            if path.startswith(root):
                folder, path = "", path.removeprefix(root)
            path = posixpath.normpath(posixpath.join(folder, path)) if parts.path else name
            if (site / path).is_dir():
                path = posixpath.normpath(f"{path}/index.html")
            if path.startswith("..") or not (site / path).is_file():
                found.add(f"{name}: {link} leads nowhere")
            elif path in pages and unquote(parts.fragment) not in pages[path].anchors:
                found.add(f"{name}: {link}: no such anchor")
    return sorted(found)
