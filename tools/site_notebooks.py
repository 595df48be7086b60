"""Notebooks as pages of the site: Markdown by nbconvert, with the saved outputs. Nothing is executed."""

import json
import re
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from site_links import ROOT

TEMPLATE = ROOT / "site" / "course" / "lesson.md.j2"
FIGURES = ROOT / "benchmarks" / "lessons.json"
SPEED = 200  # words a minute, code among them
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
QUIZ = re.compile(r"^## Self-quiz.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
VERDICTS = {"**Right.**": "right", "**No.**": "wrong"}  # what an answer of a quiz begins with, and its class


def lesson_page(path, change, painters=()):
    """A notebook's Markdown, and the files of its pictures {name: bytes}, which it expects beside itself.

    change: what to do with the Markdown of each text cell; see `site_links.relinked`. painters: of the painting page.
    """
    notebook = visible(path)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = change(cell.source)
    exporter = MarkdownExporter(raw_template=TEMPLATE.read_text())
    exporter.register_preprocessor("nbconvert.preprocessors.CoalesceStreamsPreprocessor", enabled=True)
    markdown, resources = exporter.from_notebook_node(notebook, {"unique_key": path.stem})
    words = sum(len(cell.source.split()) for cell in notebook.cells)
    facts = [f"{max(1, round(words / SPEED))} min to read", f"[notebook to download]({path.name}){{ download }}"]
    if time := running(path.stem):
        facts.insert(1, f"{time} to run on two processor cores")
    below = f"{' · '.join(facts)}\n{{ .facts }}"
    if links := [painting(one, "../../") for one in painters if one.get("lesson") == path.stem]:
        below += f"\n\nWhat it learns, on a photograph of your own: {' · '.join(links)}\n{{ .facts }}"
    markdown = re.sub(r"^# .+$", lambda title: f"{title[0]}\n\n{below}", markdown, count=1, flags=re.MULTILINE)
    return folded(markdown), resources["outputs"]


def running(lesson):
    """How long a lesson runs on two cores, in words; "" where benchmarks/lessons.json does not tell."""
    kept = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    seconds = kept.get(lesson, {}).get("laptop", [0])[0]
    return f"{max(1, round(seconds / 60))} min" if seconds else ""


def painting(painter, up):
    """A link to the painting page with one of its painters. up: the way from the page to the site's first page."""
    return f'<a href="{up}paint/?painter={painter["id"]}">{painter["title"]}</a>'


def visible(path):
    """A notebook without the cells that only the tests need."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "ci" not in cell.metadata.get("tags", [])]
    return notebook


def folded(markdown):
    """`<details>` as Python-Markdown's blocks, since it would leave Markdown within HTML as it is.

    In the quiz, an answer that begins with a verdict becomes one of several choices, and any other a question.
    """

    def block(match):
        title, content = " ".join(match[1].split()), match[2].strip()
        kind = next((name for verdict, name in VERDICTS.items() if content.startswith(verdict)), "solution")
        return f"/// details | {title}\n    type: {kind}\n\n{content}\n\n///"

    markdown = FOLDED.sub(block, markdown)
    return QUIZ.sub(lambda quiz: quiz[0].replace("    type: solution", "    type: question"), markdown)


def figures(path):
    """The pictures among a notebook's outputs, in order: dicts of `name` (its file's), `alt` and `section`."""
    found, section = [], ""
    for number, cell in enumerate(visible(path).cells):
        if cell.cell_type == "markdown":
            section = [section, *re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)][-1]
        for place, output in enumerate(cell.get("outputs", ())):
            for kind, ending in (("image/png", "png"), ("image/jpeg", "jpg")):
                if kind in output.get("data", {}):
                    name, alt = f"{path.stem}_{number}_{place}.{ending}", output.metadata.get(kind, {}).get("alt", "")
                    found.append({"name": name, "alt": alt, "section": section})
    return found


def failures(markdown, notebooks, painters=()):
    """The failure gallery: each `{{ lesson: words }}` becomes that lesson's picture with these words in its alt text.

    Below the picture stands a link to its section. Each `{{ painter: ID }}` becomes a link to that one of the painting
    page's painters, or nothing where the site has no such painter. Returns the Markdown and a list of the `lesson:
    words` without such a picture: their link leads to the lesson's beginning.
    """
    missing = []

    def picture(match):
        lesson, words = match[1], [word.strip().lower() for word in match[2].split(",")]
        number = int(lesson[:2])
        for one in figures(Path(notebooks) / f"{lesson}.ipynb"):
            if all(word in one["alt"].lower() for word in words):
                file = f"lessons/{one['name']}"
                link = f"lessons/{lesson}.md#{slug(one['section'])}"
                picture = f"[![{one['alt']}]({file}){{ .figure }}]({file})"
                return f"{picture}\n\n[Lesson {number}: {one['section']}]({link}){{ .seen }}"
        missing.append(f"{lesson}: {match[2]}")
        return f"[Lesson {number}](lessons/{lesson}.md){{ .seen }}"

    links = {one["id"]: f"See it on a photograph of your own: {painting(one, '../')}\n\n" for one in painters}
    markdown = re.sub(r"\{\{ painter: ([\w-]+) \}\}\n\n", lambda match: links.get(match[1], ""), markdown)
    return re.sub(r"\{\{ (\w+): ([^}]+?) \}\}", picture, markdown), missing


def slug(heading):
    """A heading's anchor, as GitHub and MkDocs make it. MkDocs stops at a link to an anchor that isn't there."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
