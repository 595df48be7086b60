"""Run the benchmarks and put what they print into benchmarks/README.md: python benchmarks/report.py [NAME ...].

NAME: step, training, pipeline, submission, metrics, painting, shipped; by default all, for about half an hour.
`--kept`: of the step, the table of what was measured before. The README's section "Measured" is written anew from the
page.
"""

import argparse
import os
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
    """(before, between, after) a name's two marks in a page, the marks left with their sides."""
    before, start, rest = page.read_text().partition(f"<!-- {name} -->\n")
    between, end, after = rest.partition(f"<!-- /{name} -->")
    if not end:
        raise SystemExit(f"{page}: no <!-- {name} --> ... <!-- /{name} -->. Put it back.")
    return before + start, between.strip(), end + after


def put(page, name, text):
    """Replace what stands between a name's two marks."""
    before, _, after = parts(page, name)
    page.write_text(f"{before}{text}\n{after}")


def summary():
    """The README's figures: the step's table, and the other programs' lines as they stand on the page."""
    step = parts(REPORT, "step")[1]
    about = "Steps a second and peak memory of training, as ratios to the official TensorFlow tutorial's step"
    found = [f"{about}, {step}"] if step else []
    for name in ("training", "pipeline", "submission"):
        if text := parts(REPORT, name)[1]:
            command, _, lines = text.partition("```\n")
            items = [f"- {line}" for line in lines.removesuffix("```").strip().splitlines()]
            found.append(command.strip() + "\n\n" + "\n".join(items))
    found.append("More, and what was tried: [benchmarks/README.md](benchmarks/README.md).")
    return "\n\n".join(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--kept", action="store_true")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"{min(unknown)!r} is unknown. Choose from {', '.join(NAMES)}.")
    for name in arguments.names or NAMES:
        command = [
            sys.executable,
            f"benchmarks/{name}.py",
            *(["--table"] if arguments.kept and name == "step" else []),
        ]
        out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        lines = [line for line in out.splitlines() if not line.startswith("data: ")]
        body = out if name == "step" else "```\n" + "\n".join(lines) + "\n```"
        put(REPORT, name, f"`python benchmarks/{name}.py` on {machine()}:\n\n{body}")
        put(ROOT / "README.md", "bench", summary())
        print(f"{name}: written to {REPORT}")


if __name__ == "__main__":
    main()
