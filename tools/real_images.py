"""What a lesson prints for the competition's images: python tools/real_images.py LESSON [DATA].

Runs the cells of notebooks/src/LESSON.py before the exercises, with profile `laptop`, on the images in DATA (default:
MONET_DATA), and prints what the cells print: the lesson quotes these lines under "On the real images". For 01_eda it
also writes docs/images/real_colours.png: curves and numbers only, since the images themselves may not be shown.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tools")]

from build_notebooks import NOTEBOOKS, assemble, for_tests
from lessons import execute
from matplotlib import pyplot as plt

from monet_lib.course import eda
from monet_lib.data.reading import find_images
from monet_lib.figures import COLORS, encode, figure_style


def printed(lesson, data):
    """The lines, in one str, that a lesson's cells before its exercises print for the images in the folder `data`."""
    notebook = assemble(NOTEBOOKS / "src" / f"{lesson}.py")
    exercises = ["## Exercises" in cell.source for cell in notebook.cells].index(True)
    # The tests' own cells assert what holds on the sample, which is what the lessons are built with.
    notebook.cells = [cell for cell in notebook.cells[:exercises] if not for_tests(cell)]
    execute(notebook, "laptop", Path(data).resolve())
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


def colours_figure(data):
    """Histograms of both sets as shares, and Cohen's d of each measure with its interval."""
    surveys = {name: eda.survey(find_images(data, name)) for name in eda.LABELS}
    effects = eda.effects(*surveys.values())
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


def main(lesson, data=None):
    data = data or os.environ["MONET_DATA"]
    if lesson == "01_eda":
        (ROOT / "docs" / "images" / "real_colours.png").write_bytes(encode(colours_figure(data))[0])
    print(printed(lesson, data))


if __name__ == "__main__":
    main(*sys.argv[1:])
