"""What a data folder holds, and everything that is wrong with it, in one pass: all that any later command looks at."""

import hashlib
from collections import Counter
from pathlib import Path

from monet_lib.data.competition import SETS, ImageSet, image_files_in
from monet_lib.data.examination import examine, plain_name
from monet_lib.errors import counted


def inspect_data(root: str | Path) -> tuple[list[str], list[str]]:
    """Read every record of every set and format under `root`. Returns (report, problems): lines of text each."""
    report, problems = [], []
    for name in SETS:
        folders = [(kind, image_files_in(Path(root) / f"{name}_{kind}", kind)) for kind in ("tfrec", "jpg")]
        report += [_inspect_images(ImageSet(name, kind, files), problems) for kind, files in folders if files]
        if not any(files for _, files in folders):
            found = f"no {SETS[name]} ({name}_tfrec/*.tfrec or {name}_jpg/*.jpg)"
            advice = "Folders inside are not searched: move what they hold; see data/README.md."
            problems.append(f"{root}: {found}. {advice}")
    return report, problems


def _inspect_images(images, problems):
    by_pixels, names = {}, Counter()
    for name, pixels, problem in examine(images):
        if problem:
            problems.append(str(problem))
        if pixels is None:
            continue
        by_pixels.setdefault(hashlib.sha256(pixels.tobytes()).digest(), []).append(name)
        names[name] += 1
    folder = images.files[0].parent
    repeated = [name for name, times in names.items() if times > 1]
    if repeated:
        found = f"{counted(len(repeated), 'name')} used twice, such as {repeated[0]}"
        problems.append(f"{folder}: {found}. Rename one of each.")
    if images.name == "photo" and (odd := [name for name in names if not plain_name(name)]):
        found = f"{counted(len(odd), 'name')} not plain enough for a file, such as {odd[0]!r}"
        problems.append(f"{folder}: {found}: monet submit needs plain ones. Rename.")
    copies = [group for group in by_pixels.values() if len(group) > 1]
    named, size = images.named_count(), sum(f.stat().st_size for f in images.files if f.is_file()) / 1e6
    what = f"{counted(names.total(), 'image')} of 256x256 RGB in {counted(len(images.files), 'file')}"
    line = f"{images.name}_{images.format}: {what}, {size:.1f} MB"
    line += f"; {named} by the names" if images.format == "tfrec" and named is not None else ""
    return line + f"; {len(by_pixels)} distinct" + (f", such as {' = '.join(copies[0])}" if copies else "")
