"""Run the benchmarks and put what they print into benchmarks/README.md: python benchmarks/report.py [NAME ...].

NAME: step, training, pipeline, submission, metrics, painting, shipped; by default all, for about half an hour.
`--kept`: print the step's table from the last measurements, without measuring. The table under "Measured" in the
README is then written from benchmarks/README.md.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "benchmarks" / "README.md"
NAMES = ("step", "training", "pipeline", "submission", "metrics", "painting", "shipped")


def machine():
    """One line: cores, processor, its bfloat16, memory, TensorFlow's version."""
    from importlib.metadata import version

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    about = dict(line.split(":", 1) for line in lines if ":" in line)
    values = {key.strip(): value.strip() for key, value in about.items()}
    flags = [f for f in ("avx512_bf16", "amx_bf16") if f in values.get("flags", "").split()]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = f"{values.get('model name', 'an unknown processor')} with {' and '.join(flags) or 'no bfloat16'}"
    return f"{os.cpu_count()} cores of {processor}, {memory:.0f} GB, no GPU, TensorFlow {version('tensorflow')}"


def parts(page, name):
    """(text before, between and after) the two marks of a name in a page; each mark belongs to its outer text."""
    before, start, rest = page.read_text().partition(f"<!-- {name} -->\n")
    between, end, after = rest.partition(f"<!-- /{name} -->")
    if not end:
        raise SystemExit(f"{page}: no <!-- {name} --> ... <!-- /{name} -->. Put it back.")
    return before + start, between.strip(), end + after


def put(page, name, text):
    """Replace the text between the two marks of a name."""
    before, _, after = parts(page, name)
    page.write_text(f"{before}{text}\n{after}")


def found(name, pattern):
    """The first match of a regular expression in the section of a program: its groups, joined by commas."""
    match = re.search(pattern, parts(REPORT, name)[1])
    if not match:
        raise SystemExit(f"{REPORT}: no {pattern!r} in the section {name}. Run: python benchmarks/report.py {name}.")
    return ", ".join(match.groups())


def speeds(column):
    """The least and the greatest speed in a column of the step's first table, whose cells are "speed, memory"."""
    table = found("step", r"(\|[^\n]+\n(?:\|[^\n]+\n)+)").splitlines()
    place = table[0].split("|").index(f" {column}: speed, memory ")
    values = [float(cell.split(",")[0]) for row in table[2:] if (cell := row.split("|")[place]).strip()]
    return f"{min(values):.2f} to {max(values):.2f} times"


def summary():
    """The README's table: the figures that matter most, and the machine on which they were measured."""
    rows = (
        ("a training step in float32, against the official TensorFlow tutorial's",
         f"{speeds('ours, float32')} its speed", "step"),
        ("the same in bfloat16", speeds("ours, bfloat16"), "step"),
        ("PyTorch's step at its best, in float32 and bfloat16",
         f"{speeds('PyTorch, float32')}, {speeds('PyTorch, bfloat16')}", "step"),
        ("memory of a training with profile `laptop`", found("training", r"peak ([\d.]+ GB)"), "training"),
        ("a photo of 256x256 px, painted by `monet translate`", found("shipped", r"256x256: (.+)"), "shipped"),
        ("a photo of 4000x3000 px, `--brush 1`", found("shipped", r"4000x3000: (.+)"), "shipped"),
        ("KID of 500 paintings by EfficientNet-Lite0; photos as they are",
         found("shipped", r"lite0, 500 painted: KID ([\d.]+)") + "; "
         + found("shipped", r"lite0, 500 photos as they are: KID ([\d.]+)"), "shipped"),
        ("the same by SqueezeNet, which no training used",
         found("shipped", r"squeezenet, 500 painted: .*, ([\d.]+ of the photos')"), "shipped"),
    )  # fmt: skip
    usual = found("machine", r"it is (.+)\.")
    machines = sorted({found(name, r"\.py`(?: on )?(.*):\n") or usual for _, _, name in rows})
    lines = [f"On {' and '.join(machines)}:", "", "| what | result | `benchmarks/` |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {result} | `{name}.py` |" for what, result, name in rows)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--kept", action="store_true")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"{min(unknown)!r} is unknown. Choose from {', '.join(NAMES)}.")
    if not arguments.names:
        put(REPORT, "machine", f"Where a section names no machine, it is {machine()}.")
    for name in arguments.names or NAMES:
        command = [sys.executable, f"benchmarks/{name}.py"]
        if arguments.kept and name == "step":
            command.append("--table")
        out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        lines = [line for line in out.splitlines() if not line.startswith(("data: ", "monet: ", "photo: "))]
        body = out if name == "step" else "```\n" + "\n".join(lines) + "\n```"
        about = machine()
        elsewhere = "" if about in parts(REPORT, "machine")[1] else f" on {about}"
        put(REPORT, name, f"`python benchmarks/{name}.py`{elsewhere}:\n\n{body}")
        put(ROOT / "README.md", "bench", summary())
        print(f"{name}: written to {REPORT}")


if __name__ == "__main__":
    main()
