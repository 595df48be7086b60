"""Assemble the static site under build/site/: python tools/build_site.py [course | paint]. Without a name, both.

course: README, lessons, documents and failure gallery as pages; see site_pages.py and docs/site.md.
paint: the painting page, build/site/paint/, from site/paint/, models/monet.onnx and the runtimes that npm fetches by
the versions and hashes of site/package-lock.json; see site_paint.py. Any web server can serve the site:
python -m http.server --directory build/site.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from site_paint import build_paint

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=("course", "paint"), help="only this part")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    fetch_packages()
    if arguments.part != "paint":
        from site_pages import build_course

        # The course's builder empties its folder: the painting page comes after it.
        print(build_course(out, out.with_name("course")))
    if arguments.part != "course":
        print(build_paint(out / "paint"))
    if arguments.part is None:
        from site_check import faults

        if found := faults(out):
            sys.exit("\n".join(found))


def fetch_packages():
    """Install the packages of site/package-lock.json into site/node_modules, if they aren't installed yet."""
    lock, installed = SITE / "package-lock.json", SITE / "node_modules" / ".monet-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    npm = shutil.which("npm")
    if not npm:
        sys.exit("npm is not installed, and fetches the site's scripts: apt-get install npm, or nodejs.org.")
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=SITE).returncode:
        sys.exit("npm could not fetch the site's scripts. Is there a network? Try again: make site.")
    shutil.copy(lock, installed)


if __name__ == "__main__":
    main()
