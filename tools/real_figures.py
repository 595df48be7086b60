"""Measure the competition's own images for lesson 1: python tools/real_figures.py [DATA].

Prints each measure's mean in both sets and its effect size. Writes docs/images/real_colours.png: curves and numbers
only, since the images themselves may not be shown.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from matplotlib import pyplot as plt

from monet_lib.course import eda
from monet_lib.data.reading import find_data, find_images
from monet_lib.figures import COLORS, encode, figure_style


def colours_figure(surveys, effects):
    """Histograms of both sets as shares, and Cohen's d of each measure with its interval."""
    with figure_style():
        figure, axes = plt.subplots(1, 4, figsize=(14, 3.8), layout="constrained")
        for c, channel in enumerate(eda.CHANNELS):
            for name, of in surveys.items():
                pixels = of.histograms[:, c].sum(0)
                label = f"{len(of.names):,} {eda.LABELS[name]}s" if c == 0 else None
                axes[c].plot(100 * pixels / pixels.sum(), color=COLORS[name], label=label)
            axes[c].set(title=f"{channel}: shares", xlabel="level (0 to 255)", ylim=(0, 1.5))
        axes[0].set_ylabel("% of the set's pixels")
        for row, (d, low, high) in enumerate(effects.values()):
            axes[3].errorbar(d, row, xerr=[[d - low], [high - d]], fmt="o", capsize=4, color="black")
        axes[3].axvspan(-0.2, 0.2, color="0.88")
        axes[3].set_yticks(range(len(eda.MEASURES)), list(eda.MEASURES.values()))
        axes[3].set(title="Monets against photos", xlabel="Cohen's d (95 %)", xlim=(-1, 1))
        axes[3].invert_yaxis()
        figure.legend(loc="outside lower left", ncols=2)
    return figure


def main(data=None):
    root = find_data(data)
    surveys = {name: eda.survey(find_images(root, name)) for name in eda.LABELS}
    effects, (monet, photo) = eda.effects(*surveys.values()), surveys.values()
    print(f"{len(monet.names):,} paintings, {len(photo.names):,} photos{'':5}Monet   photo   d [95 %]")
    for measure, (d, low, high) in effects.items():
        means = "".join(f"{of.columns[measure].mean():8.2f}" for of in (monet, photo))
        print(f"{eda.MEASURES[measure]:32}{means}   {d:+.2f} [{low:+.2f}, {high:+.2f}]")
    (ROOT / "docs" / "images" / "real_colours.png").write_bytes(encode(colours_figure(surveys, effects))[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
