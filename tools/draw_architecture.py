"""Draw docs/architecture.md's picture of the library from its imports: python tools/draw_architecture.py.

A box is a room: a package of monet_lib, or a module beside the packages. An arrow leads to a room that it imports,
except where another arrow leads there by way of a third room. Equal code gives equal text.
"""

import ast
import re
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
PACKAGE = "monet_lib"
BEGIN, END = "<!-- drawn -->", "<!-- /drawn -->"


def room_imports():
    """{room: set of the rooms that it imports}, rooms by their names below monet_lib."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    found = {}
    for module in graph.modules - {PACKAGE}:
        room = module.split(".")[1]
        imported = {m.split(".")[1] for m in graph.find_modules_directly_imported_by(module) if m != PACKAGE}
        found[room] = found.get(room, set()) | imported - {room}
    return found


def drawing():
    """The Markdown between the marks: a Mermaid graph, and a table of the rooms from the highest to the lowest."""
    imports = room_imports()

    def below(room):
        return imports[room].union(*map(below, imports[room]))

    def height(room):
        return 1 + max(map(height, imports[room]), default=0)

    rooms = sorted(imports, key=lambda room: (-height(room), room))
    lines = ["```mermaid", "graph TD", *(f"    {room}[{room}]" for room in rooms)]
    for room in rooms:
        reached = set().union(*map(below, imports[room]))
        lines += [f"    {room} --> {other}" for other in sorted(imports[room] - reached)]
    lines += ["```", "", "| room | what it is for |", "|---|---|"]
    for room in rooms:
        path = ROOT / PACKAGE / room
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        purpose = ast.get_docstring(ast.parse(file.read_text())).splitlines()[0]
        lines.append(f"| [`{room}`](../{PACKAGE}/{room if path.is_dir() else file.name}) | {purpose} |")
    return "\n".join(lines)


def drawn(text):
    """The document `text` with a new drawing between its marks."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{drawing()}\n{END}", text, flags=re.S)


if __name__ == "__main__":
    DOCUMENT.write_text(drawn(DOCUMENT.read_text()))
    print(DOCUMENT.relative_to(ROOT))
