"""Assemble the static site under build/site/: python tools/build_site.py [--out FOLDER].

README, lessons, documents and failure gallery become pages: see site_pages.py and docs/site.md. The painting page,
paint/, is made of site/paint/, the painters and the runtimes, which npm fetches by the versions and hashes of
site/package-lock.json: see site_paint.py. Any web server can serve the site: python -m http.server --directory
build/site.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    out = parser.parse_args().out.resolve()
    fetch_packages()
    from site_check import faults
    from site_links import ADDRESS
    from site_pages import build

    print(build(out, out.with_name("pages")))
    if found := faults(out, ADDRESS):
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
