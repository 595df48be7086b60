"""Data-flow drawings: boxes for networks, rounded frames for data, arrows between them."""

from collections.abc import Mapping, Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from monet_lib.figures import COLORS, figure_style

# name: (column, row, text, colour of the frame or None for data that belong to neither set)
GAN = {
    "noise": (0, 1, "latent z\nrandom numbers", None),
    "G": (1, 1, "generator G", "net"),
    "fake": (2, 1, "G(z)\na fake", None),
    "real": (2, 0, "x\na real painting", "monet"),
    "D": (3, 0.5, "discriminator D", "net"),
    "answer": (4, 0.5, "logit\nhigh: real", None),
}
GAN_ARROWS = [
    ("noise", "G", ""), ("G", "fake", ""), ("fake", "D", ""), ("real", "D", ""), ("D", "answer", ""),
]  # fmt: skip
CYCLE = {
    "photo": (0, 0, "photo", "photo"),
    "paint1": (1, 0, "paint  ①", "net"),
    "fake_monet": (2, 0, "fake Monet", "monet"),
    "back1": (3, 0, "back  ③", "net"),
    "cycled_photo": (4, 0, "photo again", "photo"),
    "DM": (2, 1, "Monet\ndiscriminator", "net"),
    "monet": (0, 2, "Monet", "monet"),
    "back2": (1, 2, "back  ②", "net"),
    "fake_photo": (2, 2, "fake photo", "photo"),
    "paint2": (3, 2, "paint  ④", "net"),
    "cycled_monet": (4, 2, "Monet again", "monet"),
    "DP": (2, 3, "photo\ndiscriminator", "net"),
    "paint3": (1, 1, "paint  ⑤", "net"),
    "back3": (1, 3, "back  ⑥", "net"),
    "same_monet": (0, 1, "Monet", "monet"),
    "same_photo": (0, 3, "photo", "photo"),
}
CYCLE_ARROWS = [
    ("photo", "paint1", ""), ("paint1", "fake_monet", ""), ("fake_monet", "back1", ""), ("back1", "cycled_photo", ""),
    ("fake_monet", "DM", "adversarial"), ("monet", "back2", ""), ("back2", "fake_photo", ""),
    ("fake_photo", "paint2", ""), ("paint2", "cycled_monet", ""), ("fake_photo", "DP", "adversarial"),
    ("same_monet", "paint3", "identity"), ("same_photo", "back3", "identity"),
]  # fmt: skip


def drawing(
    places: Mapping[str, tuple], arrows: Sequence[tuple[str, str, str]], title: str, size: tuple[float, float]
) -> Figure:
    """A Figure of boxes at (column, row) of a grid and of arrows between them. See GAN for the form of `places`."""
    with figure_style():
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        drawn = {}
        for name, (column, row, text, kind) in places.items():
            net = kind == "net"
            box = {
                "boxstyle": "square,pad=0.5" if net else "round,pad=0.5",
                "facecolor": "0.92" if net else "white",
                "edgecolor": COLORS.get(kind, "0.3"),
                "linewidth": 2.5 if kind in COLORS else 1.2,
            }
            drawn[name] = axis.text(column, -row, text, ha="center", va="center", fontsize=10, bbox=box)
        for start, end, label in arrows:
            arrow = {"arrowstyle": "->", "lw": 1.3, "color": "0.2", "shrinkA": 4, "shrinkB": 4}
            arrow |= {"patchA": drawn[start].get_bbox_patch(), "patchB": drawn[end].get_bbox_patch()}
            (x0, y0), (x1, y1) = ((places[k][0], -places[k][1]) for k in (start, end))
            axis.annotate("", (x1, y1), (x0, y0), arrowprops=arrow)
            if label:
                beside = {"ha": "left"} if x0 == x1 else {"ha": "center", "va": "bottom"}
                where = ((x0 + x1) / 2 + 0.06 * (x0 == x1), (y0 + y1) / 2 + 0.04)
                axis.text(*where, label, fontsize=9, style="italic", **beside)
        columns, rows = (max(place[k] for place in places.values()) for k in (0, 1))
        axis.set(xlim=(-0.5, columns + 0.5), ylim=(-rows - 0.5, 0.5), title=title)
        axis.axis("off")
    return figure


def gan_figure() -> Figure:
    """A GAN's data flow: noise to generator to fake; fake and real painting to discriminator; one logit."""
    return drawing(GAN, GAN_ARROWS, "A GAN: the discriminator gets real paintings and fakes in turn", (10, 2.6))


def cyclegan_figure() -> Figure:
    """A CycleGAN's data flow with its six passes through the two generators, numbered."""
    title = "A CycleGAN's step: ①–④ two cycles, ⑤ and ⑥ identity; each generator is used three times"
    return drawing(CYCLE, CYCLE_ARROWS, title, (11, 5.4))
