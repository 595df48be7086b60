"""The course as pages, built by Material for MkDocs: README, lessons, documents and failure gallery.

Everything is made from files of the repository. Notebooks are read as they are saved; none is executed.
"""

import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import yaml
from PIL import Image, ImageOps
from site_links import ADDRESS, PICTURES, ROOT, SOURCE, ours, relinked
from site_notebooks import failures, lesson_page, running
from site_paint import MODULES, build_paint

COURSE = ROOT / "site" / "course"
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# In this order in the sidebar; others follow by name.
ORDER = ("glossary", "diagnosis", "museum", "recipes", "models", "training", "kaggle", "data", "architecture",
         "benchmarks", "contributing")  # fmt: skip
LIBRARIES = {  # of npm, for formulas and drawings: the site loads them from itself
    "katex": ("katex/dist/katex.min.js", "katex/dist/katex.min.css", "katex/dist/fonts"),
    "mermaid": ("@mermaid-js/tiny/dist/mermaid.tiny.js",),
}
PAIR = ("mountain", "mountain-monet")  # of the painting page's samples: on the home page
CODE = re.compile(r"`([^`]+)`")
ENTRY = re.compile(r'^\| <a id="([^"]+)"></a>(.+?) \| (.+) \|$', re.MULTILINE)  # of the glossary
SECTION = "## {1} {{ #{0} .term }}\n\n{2}"
ROW = re.compile(r"^\| \[(\d+) ([^\]]+)\]\(([^)]+)\) \| ([^|]+?) \|", re.MULTILINE)
MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|\*\*?|`")
# Formulas, drawings and tables have styles of their own; scripts come from the site, or are Material's few lines.
POLICY = "default-src 'self'; script-src 'self'{}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
INLINE = re.compile(r"<script(?![^>]*(?:src=|json))[^>]*>(.*?)</script>", re.DOTALL)
UNSIZED = re.compile(r'<img (?![^>]*width=)(?=[^>]*src="([^":]+\.(?:jpg|png))")')


def build(out, work):
    """Build the site into the folder `out` from files that it writes into the folder `work`. Returns a summary."""
    shutil.rmtree(work, ignore_errors=True)
    docs, config = work / "docs", work / "mkdocs.yml"
    docs.mkdir(parents=True)
    painting_page = build_paint(docs / "paint")
    stage(docs)
    settings = {
        "INHERIT": os.path.relpath(COURSE / "mkdocs.yml", work),
        "docs_dir": str(docs),
        "site_dir": str(out),
        "site_url": ADDRESS,
        "repo_url": SOURCE,
        "nav": navigation(docs),
        "theme": {"custom_dir": str(COURSE / "overrides")},
    }
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--config-file", str(config)]
    if subprocess.run(command, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode:
        sys.exit("The course's pages are not built: correct what is reported above.")
    pages = [file for file in out.rglob("*.html") if file.parent.name != "paint"]
    for file in pages:
        file.write_text(finished(file.read_text(), file.parent))
    return f"{out}: {len(pages)} pages, and the painting page: {painting_page}"


def stage(docs):
    """Write every page's Markdown, the pictures and the libraries into the folder `docs`, which has paint/ already."""
    pages, pictures = documents(), set()
    painters = json.loads((docs / "paint" / "painters.json").read_text())["painters"]
    (docs / "lessons").mkdir()
    for path in LESSONS:
        source = path.relative_to(ROOT).as_posix()
        change = partial(relinked, source=source, pages=pages, pictures=pictures)
        markdown, files = lesson_page(path, change, painters)
        write(docs / pages[source], markdown, f"notebooks/src/{path.stem}.py")
        for name, data in files.items():
            (docs / "lessons" / name).write_bytes(data)
        (docs / "lessons" / path.name).write_text(ours(path.read_text()))
    for source, page in pages.items():
        if source.endswith(".md"):
            text = relinked((ROOT / source).read_text(), source, pages, pictures)
            write(docs / page, entries(text) if page == "glossary.md" else text, source)
    write(docs / "lessons" / "print.md", one_page([docs / "lessons" / f"{path.stem}.md" for path in LESSONS]))
    gallery, missing = failures((COURSE / "failures.md").read_text(), ROOT / "notebooks", painters)
    for one in missing:
        print(f"site/course/failures.md: no figure's alt text has these words: {one}. The page is without it.")
    write(docs / "failures.md", gallery, "site/course/failures.md")
    home = ours((COURSE / "home.md").read_text()).replace("{{ lessons }}", cards(docs / PICTURES))
    write(docs / "index.md", home, "site/course/home.md")
    for picture in pictures:
        (docs / PICTURES / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / picture, docs / PICTURES / picture)
    for name in PAIR:
        shrunk(docs / "paint" / "samples" / f"{name}.jpg", docs / PICTURES, (1200, 800))
    shutil.copytree(COURSE / "assets", docs / "assets")
    for folder, sources in LIBRARIES.items():
        (docs / "assets" / folder).mkdir()
        for source in sources:
            copy = shutil.copytree if (MODULES / source).is_dir() else shutil.copy
            copy(MODULES / source, docs / "assets" / folder / Path(source).name)


def write(file, markdown, source=""):
    """Write a page, with what its template needs: a description, and the file of the repository that it is made of."""
    front, text = markdown[4:].split("---\n", 1) if markdown.startswith("---\n") else ("", markdown)
    if "description:" not in front:
        front += yaml.safe_dump({"description": described(text)}, allow_unicode=True)
    file.write_text(f"---\n{front}source: {source}\n---\n{text}")


def described(markdown):
    """A page's first paragraph, at most 160 characters without markup, for search engines and shared links."""
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", markdown))
    prose = next((part for part in paragraphs if re.match(r"[A-Z]|[`*]\w", part)), "")
    return html.escape(textwrap.shorten(MARKUP.sub(r"\1", prose), 160, placeholder="…"))


def documents():
    """{file of the repository: page of the site}: the lessons and the documents."""
    pages = {path.relative_to(ROOT).as_posix(): f"lessons/{path.stem}.md" for path in LESSONS}
    found = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    for pattern in ("docs/*.md", "benchmarks/*.md", "data/README.md", "models/**/README.md"):
        found += sorted(ROOT.glob(pattern))
    for path in filter(Path.exists, found):
        name = path.parent.name if path.name == "README.md" else path.stem.lower()
        pages[path.relative_to(ROOT).as_posix()] = "about.md" if path == ROOT / "README.md" else f"{name}.md"
    assert len(set(pages.values())) == len(pages), "two documents want one page"
    return pages


def navigation(docs):
    """The sidebar, as MkDocs' setting `nav`."""
    lessons = [f"lessons/{path.stem}.md" for path in LESSONS]
    first = [page for page in (f"{name}.md" for name in ORDER) if (docs / page).exists()]
    rest = sorted({p.name for p in docs.glob("*.md")} - {"index.md", "about.md", "failures.md", *first})
    beside = [*first, *rest, {"About": "about.md"}, {"All lessons, to print": "lessons/print.md"}]
    return [{"Home": "index.md"}, {"Lessons": [*lessons, "failures.md"]}, {"Beside the lessons": beside}]


def cards(folder):
    """The README's table of lessons as cards, each with the picture that the lesson makes, shrunk into `folder`."""
    made = []
    for number, title, notebook, what in ROW.findall((ROOT / "README.md").read_text()):
        name = Path(notebook).stem
        picture = shrunk(ROOT / "docs" / "images" / f"{name}.jpg", folder, (600, 340))
        what, time = CODE.sub(r"<code>\1</code>", what), running(name)
        made.append(
            f'<a class="card" href="lessons/{name}/"><img src="{PICTURES}/{picture}" alt="" loading="lazy">'
            f'<span class="number">Lesson {int(number)}{time and f" · runs {time}"}</span>'
            f"<strong>{title}</strong><span>{what}</span></a>"
        )
    assert made, "README.md: the table of lessons has another form"
    return f'<div class="cards">\n{chr(10).join(made)}\n</div>'


def shrunk(file, folder, size):
    """Write the upper left part of a picture, in this size in px, into `folder`. Returns its name there."""
    folder.mkdir(exist_ok=True)
    ImageOps.fit(Image.open(file), size, Image.Resampling.LANCZOS, centering=(0, 0)).save(
        folder / file.name, quality=80
    )
    return file.name


def entries(glossary):
    """The glossary's table as sections: the search finds each word by itself, and before the lessons that use it."""
    front = "---\ndescription: The course's words, each in a sentence.\nhide: [toc]\nsearch: {boost: 4}\n---\n"
    title, table = glossary.split("\n\n", 1)
    words = ENTRY.findall(table)
    assert len(words) == table.count("\n") - 2, "docs/glossary.md: a row of another form, or text around the table"
    return "\n\n".join([front + title, *(SECTION.format(*word) for word in words)])


def one_page(lessons):
    """All lessons in one page: for the printer, and kept out of the search."""
    front = (
        "---\ntitle: All lessons, to print\ndescription: All lessons of the course on one page, with their solutions.\n"
        "hide: [navigation, toc]\nsearch: {exclude: true}\n---\n"
    )
    note = '<p class="to-print"><button type="button">Print, or save as PDF</button> Solutions unfold.</p>'
    return "\n\n".join([front + note, *(path.read_text().split("---\n", 2)[2] for path in lessons)])


def finished(page, folder):
    """A page's HTML with its pictures' sizes, a name for the search, and a policy that forbids foreign scripts."""

    def sized(match):
        with Image.open(folder / match[1]) as image:
            return match[0] + 'width="{}" height="{}" '.format(*image.size)

    hashes = (hashlib.sha256(script.encode()).digest() for script in INLINE.findall(page))
    allowed = "".join(f" 'sha256-{base64.b64encode(one).decode()}'" for one in hashes)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY.format(allowed)}">'
    page = UNSIZED.sub(sized, page).replace('role="dialog"', 'role="dialog" aria-label="Search"')
    return page.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n{policy}', 1)
