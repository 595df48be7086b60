"""Assemble the static site under build/site/: python tools/build_site.py [course | paint], or both.

course: README, lessons, documents and failure gallery as pages; see site_pages.py and docs/site.md.
paint: the painting page, build/site/paint/, from site/paint/, models/monet.onnx, the photographs that may be shown and
ONNX Runtime for the web, which npm fetches by the versions and hashes of site/package-lock.json. Serve it by any web
server: python -m http.server --directory build/site.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
RUNTIME = SITE / "node_modules" / "onnxruntime-web" / "dist"
# The program and what it loads: for WebAssembly alone, and for WebGPU, which is larger.
WASM = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
WEBGPU = ("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm")
THUMBNAIL = (192, 144)  # px


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


def build_paint(out):
    """Write the painting page into the folder `out`, made afresh. Returns a one-line summary."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(SITE / "paint", out)
    shutil.copy(ROOT / "models" / "monet.onnx", out)
    (out / "samples").mkdir()
    for photo in sorted((ROOT / "data" / "photos").glob("*.jpg")):
        shutil.copy(photo, out / "samples")
        small = ImageOps.fit(Image.open(photo), THUMBNAIL, Image.Resampling.LANCZOS)
        small.save(out / "samples" / f"{photo.stem}-small.jpg", quality=80)
    (out / "ort").mkdir()
    for name in (*WASM, *WEBGPU):
        shutil.copy(RUNTIME / name, out / "ort")
    stored = [file for file in files_of(out) if file.name not in (*WEBGPU, "sw.js")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files_of(out))).hexdigest()[:12]
    worker = (out / "sw.js").read_text()
    names = ["./", *(file.relative_to(out).as_posix() for file in stored)]
    worker = worker.replace('"{{version}}"', json.dumps(f"monet-{digest}"))
    worker = worker.replace('["{{files}}"]', json.dumps(names))
    (out / "sw.js").write_text(worker)
    page = sum(file.stat().st_size for file in files_of(out) if file.parent.name != "ort")
    runtime = sum((out / "ort" / name).stat().st_size for name in WASM)
    return f"{out}: {page / 1e6:.2f} MB, and {runtime / 1e6:.1f} MB of ONNX Runtime"


def files_of(folder):
    return sorted(file for file in folder.rglob("*") if file.is_file())


def fetch_packages():
    """Install site/node_modules as site/package-lock.json has it; nothing to do where it already is."""
    lock, installed = SITE / "package-lock.json", SITE / "node_modules" / ".monet-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    npm = shutil.which("npm")
    if not npm:
        sys.exit("The site's scripts come by npm, which is not installed: apt-get install npm, or nodejs.org.")
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=SITE).returncode:
        sys.exit("npm could not fetch the site's scripts. Is there a network? Try again: make site.")
    shutil.copy(lock, installed)


if __name__ == "__main__":
    main()
