"""The course as pages, built by Material for MkDocs: README, lessons, documents and failure gallery.

Everything is made from files of the repository. Notebooks are read as they are saved; none is executed.
"""

import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import yaml
from PIL import Image
from site_links import PICTURES, ROOT, relinked
from site_notebooks import failures, lesson_page

COURSE = ROOT / "site" / "course"
MODULES = ROOT / "site" / "node_modules"
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
# In this order in the sidebar; others follow by name.
ORDER = ("glossary", "recipes", "models", "training", "kaggle", "data", "architecture", "benchmarks", "contributing")
LIBRARIES = {  # of npm, for formulas and drawings: the site loads them from itself
    "katex": ("katex/dist/katex.min.js", "katex/dist/katex.min.css", "katex/dist/fonts"),
    "mermaid": ("@mermaid-js/tiny/dist/mermaid.tiny.js",),
}
PHOTO = "mountain"  # of data/photos: on the home page, with its painting
CODE = re.compile(r"`([^`]+)`")
ENTRY = re.compile(r'^\| <a id="([^"]+)"></a>(.+?) \| (.+) \|$', re.MULTILINE)  # of the glossary
SECTION = "## {1} {{ #{0} .term }}\n\n{2}"
ROW = re.compile(r"^\| \[(\d+) ([^\]]+)\]\(([^)]+)\) \| (.+?) \| (.+?),", re.MULTILINE)


def build_course(out, work):
    """Build the course's pages into the folder `out` from Markdown that it writes into `work`. Returns one line."""
    shutil.rmtree(work, ignore_errors=True)
    docs, config = work / "docs", work / "mkdocs.yml"
    docs.mkdir(parents=True)
    stage(docs)
    settings = {
        "INHERIT": os.path.relpath(COURSE / "mkdocs.yml", work),
        "docs_dir": str(docs),
        "site_dir": str(out),
        "nav": navigation(docs),
        "theme": {"custom_dir": str(COURSE / "overrides")},
    }
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--config-file", str(config)]
    if subprocess.run(command, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode:
        sys.exit("The course's pages are not built: correct what is reported above.")
    return f"{out}: {len(list(out.rglob('index.html')))} pages"


def stage(docs):
    """Write every page's Markdown, the pictures and the libraries into the folder `docs`."""
    pages, pictures = documents(), set()
    (docs / "lessons").mkdir()
    for path in LESSONS:
        source = path.relative_to(ROOT).as_posix()
        markdown, files = lesson_page(path, partial(relinked, source=source, pages=pages, pictures=pictures))
        (docs / pages[source]).write_text(markdown)
        for name, data in files.items():
            (docs / "lessons" / name).write_bytes(data)
    for source, page in pages.items():
        if source.endswith(".md"):
            text = relinked((ROOT / source).read_text(), source, pages, pictures)
            (docs / page).write_text(entries(text) if page == "glossary.md" else text)
    (docs / "lessons" / "print.md").write_text(one_page([docs / "lessons" / f"{p.stem}.md" for p in LESSONS]))
    gallery, missing = failures((COURSE / "failures.md").read_text(), ROOT / "notebooks")
    for one in missing:
        print(f"site/course/failures.md: no figure's alt text has these words: {one}. The page is without it.")
    (docs / "failures.md").write_text(gallery)
    (docs / "index.md").write_text((COURSE / "home.md").read_text().replace("{{ lessons }}", cards(pictures)))
    for picture in pictures:
        (docs / PICTURES / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / picture, docs / PICTURES / picture)
    paint_pair(docs / PICTURES)
    shutil.copytree(COURSE / "assets", docs / "assets")
    for folder, sources in LIBRARIES.items():
        (docs / "assets" / folder).mkdir()
        for source in sources:
            copy = shutil.copytree if (MODULES / source).is_dir() else shutil.copy
            copy(MODULES / source, docs / "assets" / folder / Path(source).name)


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


def cards(pictures):
    """The README's table of lessons as cards, each with the picture that the lesson makes."""
    made = []
    for number, title, notebook, what, minutes in ROW.findall((ROOT / "README.md").read_text()):
        name = Path(notebook).stem
        picture = f"docs/images/{name}.jpg"
        pictures.add(picture)
        width, height = Image.open(ROOT / picture).size
        what = CODE.sub(r"<code>\1</code>", what)
        made.append(
            f'<a class="card" href="lessons/{name}/"><img src="{PICTURES / picture}" alt="" loading="lazy" '
            f'width="{width}" height="{height}"><span class="number">Lesson {int(number)} · {minutes}</span>'
            f"<strong>{title}</strong><span>{what}</span></a>"
        )
    assert len(made) == len(LESSONS), "README.md: the table of lessons has another form, or misses one"
    return f'<div class="cards">\n{chr(10).join(made)}\n</div>'


def entries(glossary):
    """The glossary's table as sections: the search finds each word by itself, and before the lessons that use it."""
    front = "---\nhide: [toc]\nsearch: {boost: 4}\n---\n"
    title, table = glossary.split("\n\n", 1)
    words = ENTRY.findall(table)
    assert len(words) == table.count("\n") - 2, "docs/glossary.md: a row of another form, or text around the table"
    return "\n\n".join([front + title, *(SECTION.format(*word) for word in words)])


def one_page(lessons):
    """All lessons in one page: for the printer, and kept out of the search."""
    front = "---\ntitle: All lessons, to print\nhide: [navigation, toc]\nsearch: {exclude: true}\n---\n"
    button = '<button type="button" onclick="print()">Print, or save as PDF</button>'
    note = f'<p class="to-print">{button} Solutions unfold.</p>'
    return "\n\n".join([front + note, *(path.read_text() for path in lessons)])


def paint_pair(folder):
    """The home page's photograph, and its painting by the course's generator."""
    import numpy as np

    sys.path.insert(0, str(ROOT))
    from monet_lib.paint.painting import Painter

    photo = Image.open(ROOT / "data" / "photos" / f"{PHOTO}.jpg").convert("RGB")
    painting = Painter(ROOT / "models" / "monet.onnx")(np.asarray(photo)[None])[0]
    photo.save(folder / "photo.jpg", quality=90)
    Image.fromarray(painting).save(folder / "painting.jpg", quality=90)
