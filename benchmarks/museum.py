"""Visit the museum of failures: python benchmarks/museum.py [--choose] [--page] [--out DIR] [ROOM ...].

Trains each room of `monet_lib.course.museum` on data/sample with five seeds at 64 px and at 48 px, and asks `diagnose`
what it sees. Prints how many answers are right, and what the others are, and then each wrong diagnosis with its
numbers. --choose: with the two seeds at 64 px by which the limits were chosen; prints the range of every number
over the healthy rooms, and its values in each sick one. benchmarks/museum.json keeps what was visited: the command
makes what is missing there, and a picture of each room's first visit in OUT. --page: writes docs/museum.md, its
pictures where OUT has new ones, and the table of docs/diagnosis.md.
"""

import argparse
import io
import json
import re
import shutil
import time
from pathlib import Path
from textwrap import fill

import keras
import numpy as np
from PIL import Image

from monet_lib.course.museum import RECIPE, ROOMS, picture, room_figure, visit
from monet_lib.data.reading import find_images, load
from monet_lib.figures import encode
from monet_lib.files import write_beside
from monet_lib.score.diagnosis import CAUSES, NUMBERS, causes, diagnose

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample"
VISITS = ROOT / "benchmarks" / "museum.json"
SIZES, SEEDS = (64, 48), range(5)
CHOSEN = [(seed, 64) for seed in (100, 101)]


def visited(out, rooms, visits):
    """{room: [{seed, size, seconds, numbers}]} of every visit; each new one is printed, and its picture written."""
    found = json.loads(VISITS.read_text()) if VISITS.exists() else {}
    monets, photos = (load(find_images(SAMPLE, name))[1] for name in ("monet", "photo"))
    for seed, size in visits:
        for room in rooms:
            if any((one["seed"], one["size"]) == (seed, size) for one in found.setdefault(room, [])):
                continue
            began = time.perf_counter()
            evidence = visit(room, monets, photos, seed, size)
            keras.backend.clear_session()
            seconds = round(time.perf_counter() - began, 1)
            said = diagnose(evidence)
            found[room].append({"seed": seed, "size": size, "seconds": seconds, "numbers": said.numbers})
            print(f"{room}, seed {seed}, {size} px: {said.cause} {said.sure}, {seconds} s", flush=True)
            if (seed, size) == visits[0]:
                figure = encode(room_figure(evidence.history, picture(evidence)))[0]
                Image.open(io.BytesIO(figure)).convert("RGB").save(out / f"{room}.jpg", quality=78)
            write_beside(VISITS, lambda beside: beside.write_text(f"{json.dumps(found)}\n"))
    return found


def table(found, visits):
    """The lines of the table, rooms with the same result in one row, and of the diagnoses that are wrong."""
    results, wrong, sums = {}, [], {"healthy": [0, 0], "sick": [0, 0]}
    for room in ROOMS:
        ones = [one for one in found.get(room, []) if (one["seed"], one["size"]) in visits]
        if not ones:
            continue
        named = [next((cause.name for cause in causes(one["numbers"])), "healthy") for one in ones]
        others = [name for name in named if name != ROOMS[room].cause]
        also = ", ".join(f"{name} {others.count(name)}" for name in dict.fromkeys(others))
        right = len(ones) - len(others)
        results.setdefault(f"{right} of {len(ones)}" + (f", else {also}" if also else ""), []).append(f"`{room}`")
        for place, count in enumerate((right, len(ones))):
            sums["healthy" if ROOMS[room].cause == "healthy" else "sick"][place] += count
        wrong += [f"{room}, seed {one['seed']}, {one['size']} px: {name}; {numbers(one)}"
                  for one, name in zip(ones, named, strict=True) if name in others]  # fmt: skip
    lines = ["| right | rooms |", "|---|---|"]
    lines += [f"| {result} | {', '.join(rooms)} |" for result, rooms in results.items()]
    lines += [f"| {right} of {count} | **all {kind} ones** |" for kind, (right, count) in sums.items()]
    return lines + wrong


def numbers(one):
    return ", ".join(f"{name} {value:.3g}" for name, value in one["numbers"].items())


def ranges(found, visits):
    """A line for each number: its range over the healthy rooms, then its values in each sick room."""
    rows = {}
    for room, ones in found.items():
        for one in ones:
            if (one["seed"], one["size"]) in visits:
                for name, value in one["numbers"].items():
                    kind = "healthy" if ROOMS[room].cause == "healthy" else room
                    rows.setdefault(name, {}).setdefault(kind, []).append(value)
    for name, kinds in rows.items():
        healthy = kinds.pop("healthy", [np.nan])
        rest = "; ".join(f"{kind} {min(values):.3g} to {max(values):.3g}" for kind, values in kinds.items())
        yield f"{name}: healthy {min(healthy):.3g} to {max(healthy):.3g}; {rest}"


HEAD = """# The museum

In each room one thing is done wrong in a small training on the sample: {steps} steps of {size} px pictures, or 300 of a
DCGAN. `monet museum ROOM` makes it again from a seed, here in {quick:.0f} to {slow:.0f} s, and [`monet
diagnose`](diagnosis.md) says what it sees, which is given here without its units. Each picture shows the losses; below,
photos, their paintings and the way back, or samples. `python benchmarks/museum.py --page` writes this page.

A training in which none of this happens:

![A healthy small training: losses, photos, paintings, and the way back](images/museum/healthy.jpg)
"""
ROOM = """## {room}

![{room}: losses and pictures](images/museum/{room}.jpg)

{words}
"""


def page(found, out):
    """docs/museum.md, from the rooms and the causes, with the pictures of the first visits."""
    pictures = ROOT / "docs" / "images" / "museum"
    pictures.mkdir(parents=True, exist_ok=True)
    seconds = [np.median([one["seconds"] for one in ones]) for ones in found.values()]
    times = {"quick": min(seconds), "slow": max(seconds)}
    parts = [HEAD.format(steps=RECIPE.steps, size=RECIPE.image_size, **times)]
    for new in out.glob("*.jpg"):
        shutil.copy(new, pictures)
    for name, room in ROOMS.items():
        if room.cause == "healthy":
            continue
        cause = next(cause for cause in CAUSES if cause.name == room.cause)
        first = found[name][0]["numbers"]
        signs = [seen(sign, first) for sign in cause.signs if sign.number in first and not sign.only_if_known]
        lesson = f"[lesson {int(room.lesson[:2])}](../notebooks/{room.lesson}.ipynb)"
        words = f"{room.wrong[0].upper()}{room.wrong[1:]} ({lesson}). Seen: {'; '.join(signs)}. Try: {cause.remedy}"
        parts.append(ROOM.format(room=name, words=filled(words)))
    (ROOT / "docs" / "museum.md").write_text("\n".join(parts))


def seen(sign, numbers):
    """A sign without its unit, such as "variety of the samples: 0.12, below 0.45"."""
    what, value = re.split(r",| \(", NUMBERS[sign.number])[0], float(f"{numbers[sign.number]:.2g}")
    return f"{what}: {value:g}, {sign.way} {sign.limit:g}"


def filled(text):
    """`text` in lines of at most 120 characters."""
    return fill(text, 120, break_on_hyphens=False, break_long_words=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", metavar="ROOM")
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--size", type=int, action="append", help="64, 48; default: both")
    parser.add_argument("--out", type=Path, default=Path("runs/museum"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    visits = CHOSEN if arguments.choose else [(seed, size) for size in arguments.size or SIZES for seed in SEEDS]
    found = visited(arguments.out, arguments.rooms or list(ROOMS), visits)
    lines = list((ranges if arguments.choose else table)(found, visits))
    print(*lines, sep="\n")
    if arguments.page:
        page(found, arguments.out)
        file = ROOT / "docs" / "diagnosis.md"
        rows = "\n".join(line for line in lines if line.startswith("|"))
        between = re.compile(r"(?<=<!-- museum -->\n).*?(?=<!-- /museum -->)", re.DOTALL)
        file.write_text(between.sub(rows + "\n", file.read_text()))


if __name__ == "__main__":
    main()
