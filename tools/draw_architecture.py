"""Draw docs/architecture.md's picture of the library from its own imports: python tools/draw_architecture.py.

A box is a room, or a module beside the rooms; an arrow leads to what it imports. Arrows that follow from two others are
left out. Equal code gives equal text.
"""

import ast
import re
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
PACKAGE = "monet_lib"
MARKS = "<!-- drawn -->", "<!-- /drawn -->"


def room_imports():
    """{room: set of the rooms that it imports}, rooms by their names below monet_lib."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    found = {}
    for module in graph.modules - {PACKAGE}:
        room = module.split(".")[1]
        imported = {m.split(".")[1] for m in graph.find_modules_directly_imported_by(module) if m != PACKAGE}
        found[room] = found.get(room, set()) | imported - {room}
    return found


def essential(imports):
    """The same without what follows: a room that is reached through another import has no arrow of its own."""

    def below(room):
        return imports[room].union(*(below(other) for other in imports[room]))

    return {
        room: {o for o in others if not any(o in below(p) for p in others - {o})} for room, others in imports.items()
    }


def purpose(room):
    """The first line of the room's docstring."""
    folder = ROOT / PACKAGE / room
    first = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    return ast.get_docstring(ast.parse(first.read_text())).splitlines()[0]


def drawing():
    """The Markdown between the marks: a Mermaid graph, and a table of the rooms from the highest to the lowest."""
    imports = room_imports()

    def height(room):
        return 1 + max((height(other) for other in imports[room]), default=0)

    order = sorted(imports, key=lambda room: (-height(room), room))
    arrows = [f"    {room} --> {other}" for room in order for other in sorted(essential(imports)[room])]
    boxes = [f"    {room}[{room}]" for room in order]
    table = ["| room | what it is for |", "|---|---|"]
    for room in order:
        table.append(f"| [`{room}`](../{PACKAGE}/{place(room)}) | {purpose(room)} |")
    return "\n".join(["```mermaid", "graph TD", *boxes, *arrows, "```", "", *table])


def place(room):
    """The path of a room below monet_lib: its folder, or its one file."""
    return room if (ROOT / PACKAGE / room).is_dir() else f"{room}.py"


def drawn(text):
    """The document with the drawing of today between its marks."""
    begin, end = MARKS
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{drawing()}\n{end}", text, flags=re.S)


if __name__ == "__main__":
    DOCUMENT.write_text(drawn(DOCUMENT.read_text()))
    print(DOCUMENT.relative_to(ROOT))
