"""What a data folder holds, and everything that is wrong with it, in one pass: all that any later command looks at."""

import hashlib
from pathlib import Path

from monet_lib.data.competition import SETS, find_images
from monet_lib.data.examination import examine, plain_name
from monet_lib.errors import UserError


def inspect_data(root: str | Path) -> tuple[list[str], list[str]]:
    """Read every record of every set and format under `root`. Returns (report, problems): lines of text each."""
    report, problems = [], []
    for name in SETS:
        found = False
        for format in ("tfrec", "jpg"):
            try:
                images = find_images(root, name, format)
            except UserError:
                continue
            found = True
            report.append(_inspect_images(images, problems))
        if not found:
            problems.append(
                f"{root}: no {SETS[name]} ({name}_tfrec/*.tfrec or {name}_jpg/*.jpg). Folders inside are not searched: "
                "move what they hold; see data/README.md."
            )
    return report, problems


def _inspect_images(images, problems):
    by_pixels, names, count = {}, {}, 0
    for name, pixels, problem in examine(images):
        if problem:
            problems.append(str(problem))
        if pixels is None:
            continue
        count += 1
        by_pixels.setdefault(hashlib.sha256(pixels.tobytes()).digest(), []).append(name)
        names[name] = names.get(name, 0) + 1
    folder = images.files[0].parent
    repeated = [name for name, times in names.items() if times > 1]
    if repeated:
        problems.append(f"{folder}: {len(repeated)} names occur twice, such as {repeated[0]}. Rename one of each.")
    if images.name == "photo" and (odd := [name for name in names if not plain_name(name)]):
        problems.append(
            f"{folder}: {len(odd)} names are no plain file names, such as {odd[0]!r}: monet submit needs them. Rename."
        )
    copies = [group for group in by_pixels.values() if len(group) > 1]
    named, size = images.named_count(), sum(f.stat().st_size for f in images.files if f.is_file()) / 1e6
    line = f"{images.name}_{images.format}: {count} images of 256x256 RGB in {len(images.files)} files, {size:.1f} MB"
    line += f"; {named} by the names" if images.format == "tfrec" and named is not None else ""
    return line + f"; {len(by_pixels)} distinct" + (f", such as {' = '.join(copies[0])}" if copies else "")
