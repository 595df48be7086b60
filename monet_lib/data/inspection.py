"""What a data folder holds, and everything that is wrong with it, in one pass."""

import hashlib

from monet_lib.data.competition import SETS, examine, find_images
from monet_lib.errors import UserError


def inspect_data(root):
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
            problems.append(f"{root}: no {SETS[name]} ({name}_tfrec/*.tfrec or {name}_jpg/*.jpg).")
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
    copies = [group for group in by_pixels.values() if len(group) > 1]
    repeated = [name for name, times in names.items() if times > 1]
    if repeated:
        problems.append(
            f"{images.files[0].parent}: {len(repeated)} names occur twice, such as {repeated[0]}."
        )
    named = images.named_count()
    size = sum(file.stat().st_size for file in images.files) / 1e6
    line = f"{images.name}_{images.format}: {count} images of 256x256 RGB in {len(images.files)} files, {size:.1f} MB"
    line += f"; {named} by the names" if images.format == "tfrec" and named is not None else ""
    line += f"; {len(by_pixels)} distinct" + (f", such as {' = '.join(copies[0])}" if copies else "")
    return line
