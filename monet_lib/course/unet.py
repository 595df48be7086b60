"""Lesson 3: sizes of its trainings, what it measures, figures; then the checks of its exercises."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from tqdm import tqdm
from tqdm.keras import TqdmCallback

from monet_lib.config import Config
from monet_lib.course.checks import answer_of, close, exercise, expect_shape, refuse_if
from monet_lib.course.tools import cosine, drawing, flat, shrunk
from monet_lib.data import UnpairedBatches, find_images, load, to_float, to_uint8, training_data
from monet_lib.figures import figure_style, image_grid
from monet_lib.model import CycleGAN, FeatureDiscriminator, patch_discriminator, unet_generator
from monet_lib.paint import SHIPPED, paint_all, shipped_generator
from monet_lib.recipes import profile
from monet_lib.score import Score, compare, embed, feature_network, scene_kept

HELD = 16  # paintings and photos, the last of each set, that no training of the lesson sees
FEW = 32  # pictures of a set that an experiment with whole pictures takes
BORDER = 32  # px, a multiple of 2 ** depth for every U-Net of the lesson
PATCH_TASK = 128  # px of the whole pictures that a discriminator of patches learns from
Images = dict[str, np.ndarray]  # {"monet", "photo"}: (n, h, w, 3)

# {recipe: (filters, (px, halvings) of whole pictures, (px, halvings) of the last training's squares at full resolution,
# steps of the last training, steps of a comparison)}
SCALES = {
    "tiny": (4, (32, 4), (48, 3), 3, 2),
    "laptop": (16, (64, 5), (96, 4), 1500, 150),
    "full": (64, (128, 7), (256, 5), 30000, 2000),
}


def settings(config: Config) -> tuple[Config, Config, int]:
    """(Config for whole pictures, shrunk; Config of the last training, with its steps; steps of each comparison)."""
    filters, whole, squares, steps, short = SCALES.get(config.profile, SCALES["laptop"])
    common = {"model": "unet", "unet_dropout": 0.0, "norm": "instance", "precision": "float32"}
    common |= {"generator_filters": filters, "discriminator_filters": filters}

    def sized(scale: tuple[int, int], **more: Any) -> Config:
        return profile(config.profile, image_size=scale[0], unet_depth=scale[1], **common, **more)

    return sized(whole, crop=256, beta_1=0.5), sized(squares, crop=squares[0], beta_1=0.0, steps=steps), short


def split_off(root: str | Path) -> tuple[Images, Images]:
    """(to train on, held out) of the images in `root`, uint8; HELD of each set are held out. Prints the counts."""
    train, held = {}, {}
    for name in ("monet", "photo"):
        pixels = load(find_images(root, name))[1]
        train[name], held[name] = pixels[:-HELD], pixels[-HELD:]
        print(f"{name}: {len(train[name])} to train on, {HELD} held out")
    return train, held


def whole(images: Images, size: int) -> Images:
    """The first FEW of uint8 images, shrunk to `size` px: float32 in [-1, 1]."""
    return {name: shrunk(pixels[:FEW], size) for name, pixels in images.items()}


def filters_of(config: Config) -> list[int]:
    """The filters of a U-Net's encoder steps: doubled at each step, up to eight times the first."""
    return [config.generator_filters * min(8, 2**level) for level in range(config.unet_depth)]


def widths_of(config: Config) -> list[int]:
    """The filters of a PatchGAN's first four convolutions."""
    return [config.discriminator_filters * factor for factor in (1, 2, 4, 8)]


Bar = partial(TqdmCallback, verbose=1, tqdm_class=tqdm, mininterval=1)  # over the batches of `fit`


def teach(network: keras.Model, inputs: np.ndarray, targets: Any, loss: Any, steps: int, weights: Any = None) -> None:
    """Train a network by Keras' `fit` with Adam at 1e-3, four images a step, for about `steps` steps, with a bar."""
    network.compile(keras.optimizers.Adam(1e-3), loss, weights, jit_compile=False)  # XLA is slower on a CPU
    network.fit(inputs, targets, 4, max(1, round(4 * steps / len(inputs))), verbose=0, callbacks=[Bar()])


def batches(images: Images, config: Config, steps: int) -> tf.data.Dataset:
    """`steps` batches (monet, photo) that a Config cuts from uint8 images: float32 (batch, h, w, 3) in [-1, 1]."""
    return training_data(UnpairedBatches(images["monet"], images["photo"], config), 0, steps)


class OnFeatures(keras.Model):
    """A `FeatureDiscriminator` in a PatchGAN's place: images in [-1, 1] to its four heads' answers in a row, (n, m)."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = FeatureDiscriminator()
        self.built = True

    def call(self, images: Any) -> Any:
        answers = self.heads(self.heads.project(images))
        return ops.concatenate([ops.reshape(x, (ops.shape(x)[0], -1)) for x in answers], 1)


def apart_with_equal_weights(mine: keras.Model, theirs: keras.Model, images: np.ndarray) -> float:
    """The largest difference between two networks' answers to images, after `mine` took the weights of `theirs`."""
    mine.set_weights(theirs.get_weights())
    return float(np.abs(mine.predict(images, verbose=0) - theirs.predict(images, verbose=0)).max())


def patch_task(discriminator: keras.Model, train: Images, held: Images) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(pictures (n, 128, 128, 3) in [-1, 1], targets (n, answers, answers, 1), half, one picture).

    Targets are 1 for paintings, 0 for photos. `half` is half a photo, then half a painting, both held out.
    """
    paintings, photos = whole(train, PATCH_TASK).values()
    pictures, new = np.concatenate([paintings, photos]), whole(held, PATCH_TASK)
    targets = np.zeros(discriminator.compute_output_shape(pictures.shape), np.float32)
    targets[: len(paintings)] = 1
    left, right = np.split(np.arange(PATCH_TASK), 2)
    return pictures, targets, np.concatenate([new["photo"][0][:, left], new["monet"][0][:, right]], 1)


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """{name: {column: value}} as text, a line each under the columns' names."""
    lines = [f"{'':20}" + "".join(f"{column:>13}" for column in next(iter(rows.values())))]
    lines += [f"{name:20}" + "".join(f"{value:13.2f}" for value in row.values()) for name, row in rows.items()]
    return "\n".join(lines)


def sheet(rows: Mapping[str, np.ndarray], columns: int = 6) -> np.ndarray:
    """A row of the first `columns` images for each name, uint8 or floats, clipped to [-1, 1]: uint8 (h, w, 3)."""
    shown = [x if x.dtype == np.uint8 else np.clip(x, -1, 1) for x in (images[:columns] for images in rows.values())]
    return image_grid([list(images) for images in shown], row_labels=list(rows), least=128)


def cyclegan_figure() -> Figure:
    """A CycleGAN's data flow: its six passes through the generators, numbered, and what each loss compares."""
    texts = {  # by (column, row)
        (0, 0): "photo", (1, 0): "paint  ①", (2, 0): "fake Monet", (3, 0): "back  ③", (4, 0): "photo again\n= photo?",
        (2, 1): "Monet\ndiscriminator", (3, 1): "Monet",
        (0, 2): "Monet", (1, 2): "back  ②", (2, 2): "fake photo", (3, 2): "paint  ④", (4, 2): "Monet again\n= Monet?",
        (2, 3): "photo\ndiscriminator", (3, 3): "photo",
        (0, 4): "Monet", (1, 4): "paint  ⑤", (2, 4): "the same\n= Monet?",
        (2.9, 4): "photo", (3.6, 4): "back  ⑥", (4.4, 4): "the same\n= photo?",
    }  # fmt: skip
    places: dict[Any, tuple] = {}
    for place, text in texts.items():
        kind = "monet" if "Monet" in text else "photo"
        places[place] = (*place, text, "net" if text.startswith(("paint", "back")) or "disc" in text else kind)
    arrows: list[tuple] = []
    for y in (0, 2):
        arrows += [((x, y), (x + 1, y)) for x in range(3)] + [((3, y), (4, y), "cycle")]
        arrows += [((2, y), (2, y + 1), "adversarial"), ((3, y + 1), (2, y + 1))]
    for x, net, end in ((0, 1, 2), (2.9, 3.6, 4.4)):
        arrows += [((x, 4), (net, 4)), ((net, 4), (end, 4), "identity")]
    title = "A CycleGAN's step: ①–④ two cycles, ⑤ and ⑥ identity; each generator is used three times"
    return drawing(places, arrows, title, (11, 6.4))


@figure_style()
def hourglass_figure(filters: Sequence[int], size: int) -> Figure:
    """A U-Net drawn: a bar for each map, as high as the map, with its filters; skip connections as arrows."""
    middle = len(filters)
    down = [(size, 3), *((size >> (level + 1), f) for level, f in enumerate(filters))]
    maps = [*down, *down[-2:0:-1], (size, 3)]
    figure, axis = plt.subplots(figsize=(11, 4.2), layout="constrained")
    for x, (height, channels) in enumerate(maps):
        axis.bar(x, np.log2(height) + 1, 0.5, color="0.55" if x <= middle else "0.8", edgecolor="black")
        axis.text(x, np.log2(height) + 1.1, f"{height}²\n×{channels}", ha="center", fontsize=9)
    for level in range(1, middle):
        top = np.log2(maps[level][0]) + 2.2
        arrow = {"arrowstyle": "->", "color": "0.4", "lw": 1.4}
        axis.annotate("", (2 * middle - level, top), (level, top), arrowprops=arrow)
    names = ["photo", *(f"down {k}" for k in range(1, middle + 1)), *(f"up {k}" for k in range(1, middle)), "painting"]
    axis.set_xticks(range(len(maps)), names, rotation=30, ha="right", fontsize=9)
    axis.set(title="The U-Net: maps halve, then double; arrows are skip connections", yticks=[])
    axis.set(ylim=(0, np.log2(size) + 3.2), ylabel="height of the map (logarithmic)")
    axis.grid(False)
    return figure


@figure_style()
def answers_figure(image: np.ndarray, answers: np.ndarray, title: str) -> Figure:
    """An image in [-1, 1] beside a PatchGAN's answers (n, n, 1): 1 is its target for paintings, 0 for photos."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
    left.imshow((image + 1) / 2)
    left.set(title=title, xticks=[], yticks=[])
    shown = right.imshow(answers[..., 0], cmap="cividis", vmin=0, vmax=1)
    right.set(title=f"{answers.shape[0]}×{answers.shape[1]} answers", xticks=[], yticks=[])
    right.grid(False)
    figure.colorbar(shown, ax=right, label="answer: 0 photo, 1 painting")
    return figure


def translator_losses(
    translators: Mapping[str, Sequence[Callable]], discriminator: Callable, images: Images
) -> dict[str, dict[str, float]]:
    """{name: {"adversarial", "cycle", "identity"}}, unweighted, of pairs (paint, back) of functions. images: uint8."""
    monets, photos = whole(images, PATCH_TASK).values()
    found = {}
    for name, (paint, back) in translators.items():
        answers = np.asarray(discriminator(np.asarray(paint(photos), np.float32)))
        cycle = _apart(back(paint(photos)), photos) + _apart(paint(back(monets)), monets)
        identity = _apart(paint(monets), monets) + _apart(back(photos), photos)
        found[name] = {"adversarial": float(np.square(answers - 1).mean()), "cycle": cycle, "identity": identity}
    return found


def cheapest(losses: Mapping[str, Mapping[str, float]], cycle_weight: float, identity_weight: float) -> str:
    """The name with the least weighted sum of the three `translator_losses`: where training would lead."""
    return min(losses, key=lambda name: np.dot(list(losses[name].values()), [1, cycle_weight, identity_weight]))


@figure_style()
def weights_figure(losses: Mapping[str, Mapping[str, float]], cycle_weight: float, identity_weight: float) -> Figure:
    """Stacked bars of each candidate's weighted losses; the `cheapest` candidate is marked."""
    parts = np.array([list(row.values()) for row in losses.values()]) * [1, cycle_weight, identity_weight]
    best, left = list(losses).index(cheapest(losses, cycle_weight, identity_weight)), np.zeros(len(losses))
    figure, axis = plt.subplots(figsize=(9, 3.2), layout="constrained")
    labels = {"adversarial": "", "cycle × weight": "//", "identity × weight": ".."}
    for part, (label, hatch) in zip(parts.T, labels.items(), strict=True):
        axis.barh(list(losses), part, left=left, label=label, hatch=hatch, edgecolor="white")
        left += part
    axis.text(left[best], best, "  cheapest", va="center", weight="bold")
    axis.set(title=f"What each translator pays at cycle {cycle_weight:g}, identity {identity_weight:g}")
    axis.set(xlabel="total loss", xlim=(0, max(left.max() * 1.25, 1)))
    axis.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _weights(make, steps):
    """The weights of four small networks before and after some steps of make(networks)(pair): arrays (2, n), in order.

    The kernels are ten times as large as at the start of a training: each loss then moves the weights visibly.
    """
    keras.utils.set_random_seed(0)
    networks = [unet_generator((4, 4), dropout=0.0) for _ in range(2)]
    networks += [patch_discriminator((4, 4, 4, 4), norm="none") for _ in range(2)]
    for network in networks:
        network.set_weights([10 * w if w.ndim == 4 else w for w in network.get_weights()])
    pair = tuple(tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 32, 3)), tf.float32))
    before, step = [flat(network.get_weights()) for network in networks], make(networks)
    for _ in range(steps):
        step(pair)
    return [np.stack([old, flat(network.get_weights())]) for old, network in zip(before, networks, strict=True)]


def _descents(count):
    return [keras.optimizers.SGD(0.1) for _ in range(count)]  # Adam's step would hide a wrong weight of a loss


def _library(networks, adversarial="least_squares"):
    model = CycleGAN(*networks)
    generators, discriminators = _descents(2)
    model.compile(generators, discriminators, Config(adversarial=adversarial, cycle_weight=10.0, identity_weight=5.0))
    return model.train_step


def against_library(model: Callable, loss: Callable, adversarial: str) -> tuple[float, float]:
    """(furthest that any weight moved, largest difference) after two steps of a lesson's class and of the library's.

    model: four networks to a keras.Model with `compile(optimizers, loss=...)`; adversarial: the library's loss.
    """

    def own(networks):
        made = model(*networks)
        made.compile(_descents(4), loss=loss)
        return made.train_step

    mine, theirs = (np.concatenate(_weights(x, 2), 1) for x in (own, partial(_library, adversarial=adversarial)))
    return float(np.abs(mine[1] - mine[0]).max()), float(np.abs(mine[1] - theirs[1]).max())


def half_gradient(paint: keras.Model, back: keras.Model, images: Images) -> float:
    """The cosine between two gradients of the cycle losses with respect to the weights of both generators.

    One is the whole gradient. In the other each generator gets only the cycle that it ends: `paint` the Monets' cycle,
    `back` the photos'. images: in [-1, 1]; the first of each set is taken.
    """
    monet, photo = (tf.constant(images[name][:1]) for name in ("monet", "photo"))
    sides = [paint.trainable_variables, back.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        photo_cycle = tf.reduce_mean(tf.abs(back(paint(photo)) - photo))
        monet_cycle = tf.reduce_mean(tf.abs(paint(back(monet)) - monet))
        both = photo_cycle + monet_cycle
    half = [*tape.gradient(monet_cycle, sides[0]), *tape.gradient(photo_cycle, sides[1])]
    return cosine(flat(half), flat(tape.gradient(both, sides[0] + sides[1])))


def measures(paint: keras.Model, back: keras.Model, images: Images) -> dict[str, float]:
    """What a pair of generators does with images in [-1, 1]: {"cycle", "scene", "tint"}.

    cycle: mean absolute error of the photos' round trip; scene: see `scene_kept`; tint: levels of 255 by which the
    mean colour of a Monet changes when `paint` gets it.
    """
    photos, monets = images["photo"], images["monet"]
    painted, same = (paint.predict(x, verbose=0) for x in (photos, monets))
    cycle, tint = _apart(back.predict(painted, verbose=0), photos), _apart(same.mean((1, 2)), monets.mean((1, 2)))
    return {"cycle": cycle, "scene": scene_kept(photos, painted), "tint": 127.5 * tint}


def painted_by(generator: keras.Model, photos: np.ndarray) -> np.ndarray:
    """Photos, uint8 (n, h, w, 3), painted with BORDER px of their mirror image around them, which leaves no rim."""
    wider = np.pad(photos, [(0, 0), (BORDER, BORDER), (BORDER, BORDER), (0, 0)], mode="reflect")
    return to_uint8(generator.predict(to_float(wider), batch_size=4, verbose=0)[:, BORDER:-BORDER, BORDER:-BORDER])


def by_the_course(photos: np.ndarray) -> dict[str, np.ndarray]:
    """{"the course's": photos painted by the course's generator}, uint8; an empty dict where it is not at hand."""
    return {"the course's": paint_all(shipped_generator()[0], photos)} if SHIPPED.exists() else {}


class Jury:
    """KID to held-out paintings by two networks: call it with uint8 images (n, h, w, 3) for {network: Score}."""

    names = ("efficientnet-lite0", "squeezenet")  # generators are trained against the first, and never met the second

    def __init__(self, paintings: np.ndarray) -> None:
        self.networks = {name: feature_network(name) for name in self.names}
        self.real = {name: self.features(paintings, name) for name in self.names}

    def features(self, images: np.ndarray, name: str) -> np.ndarray:
        """The features of uint8 images by the network of that name: float32 (n, features)."""
        return embed(images, self.networks[name])

    def __call__(self, images: np.ndarray) -> dict[str, Score]:
        return {n: compare(self.networks[n], self.features(images, n), self.real[n]) for n in self.names}


def scored(made: Images, monets: np.ndarray, mine: str) -> tuple[dict[str, tuple[Score, ...]], list[str]]:
    """({name: its Score by each network of a `Jury` of monets}, names that `mine` is nearer than by both), printed."""
    jury = Jury(monets)
    scores = {name: tuple(jury(images).values()) for name, images in made.items()}
    for name, (lite, other) in scores.items():
        print(f"{name:14} KID {lite.kid:.3f} ± {lite.kid_std:.3f}, by SqueezeNet {other.kid:.0f} ± {other.kid_std:.0f}")
    beaten = [n for n, pair in scores.items() if all(map(Score.nearer_than, scores[mine], pair))]
    print(f"{mine} beats, by both and beyond both bars: {', '.join(beaten) or 'none'}")
    return scores, beaten


def _apart(a, b):
    return float(np.abs(a - b).mean())


def maps(channels: np.ndarray) -> np.ndarray:
    """The channels of one map (1, h, w, n), values in [-1, 1], as n grey squares side by side, white between them."""
    squares = np.moveaxis(np.asarray(channels, float)[0], -1, 0)
    return image_grid([[np.repeat(square[..., None], 3, -1) for square in squares]], least=40)


def halves() -> tuple[np.ndarray, np.ndarray]:
    """A decoder step's map (1, 5, 5, 8), each channel of one grey, and an encoder's (1, 5, 5, 3) with an edge in it."""
    edge = np.where(np.arange(5)[:, None] < np.arange(3) + 1, -1.0, 0.7)  # (places, channels)
    return np.ones((1, 5, 5, 8)) * np.linspace(-0.8, 0.6, 8), np.ones((1, 5, 5, 3)) * edge


@exercise(
    "Exercise 1, a skip connection",
    expected=lambda: maps(np.concatenate(halves(), -1)),
    drawn=lambda answer: maps(answer(*halves())),
    alt="Eleven small maps in a row: eight even greys, the step's own channels, then three with an edge, the encoder's",
)
def check_skip(answer):
    inner, skip = (x.astype(np.float32) for x in halves())
    try:
        found = np.asarray(answer_of(answer, inner, skip))
    except ValueError as error:
        return {f"these two maps can't be put together so: {error}. Along which axis do they differ?": True}
    refuse_if(found.shape == inner.shape, "8 channels: what a residual block hands on. A U-Net hands on more.")
    refuse_if(found.shape == skip.shape, "3 channels: the decoder step's own map is lost.")
    expect_shape(found, (1, 5, 5, 11), "what the next step receives")
    order = "all eleven channels are there, in the other order: a decoder of the library would need other weights."
    return {
        order: np.allclose(found, np.concatenate([skip, inner], -1)),
        "the step's own channels are not there unchanged.": not np.allclose(found[..., :8], inner),
        "the encoder's channels are not there unchanged.": not np.allclose(found[..., 8:], skip),
    }


@exercise("Exercise 2, how many answers")
def check_answers(answer):
    found = tuple(answer)
    refuse_if(len(found) != 2, f"give two numbers, not {len(found)}.")
    hints = {f"{found}: answers are counted, so these are whole numbers.": any(int(x) != x for x in found)}
    hints["the right two numbers, in the wrong order."] = found == (23, 62)
    draw = "Write down the side of the map after each layer, as `compute_output_shape` would give it."
    asked = {"two halvings and 256 px": 62, "three halvings and 200 px": 23}
    for value, (name, right) in zip(found, asked.items(), strict=True):
        hints |= {
            f"{name}: {value} is the side after the halvings. Two more layers follow.": value == right + 2,
            f"{name}: {value} is the side after one of the last two layers.": value == right + 1,
            f"{name}: {value} answers in all; asked is their number along one side.": value == right**2,
            f"{name}: not {value}. {draw}": value != right,
        }
    return hints


def _loss_hints(answer, given, parts, known, weight, last):
    """What a check returns of a loss that compares two pairs of pictures, `parts`. known: {hint: wrong result}."""
    found = np.asarray(answer_of(answer, *given))
    refuse_if(found.size != 1, f"an array of shape {found.shape}: a loss is one number, a mean over pixels.")
    right = sum(_apart(a, b) for a, b in parts)
    common = {
        "half of the sum of both. Each of them counts fully.": right / 2,
        "the weight of the loss doesn't belong here.": weight * right,
        "errors of both signs cancel out.": sum((a - b).mean() for a, b in parts),
        "squares instead of absolute values.": sum(np.square(a - b).mean() for a, b in parts),
        "a sum over pixels, which grows with the picture.": sum(np.abs(a - b).sum() for a, b in parts),
    }
    return close(found, known | common) | {f"not {found:.4f}. {last}": not np.isclose(found, right, rtol=1e-4)}


@exercise("Exercise 3, both cycles")
def check_cycle(answer):
    monet, photo = np.random.default_rng(0).uniform(-1, 1, (2, 2, 4, 4, 3)).astype(np.float32)
    paint, back = (lambda x: 0.5 * x), (lambda x: x + 0.25)
    painted, lost, again, turned = paint(photo), back(monet), back(paint(photo)), paint(back(monet))
    known = {
        "one cycle is missing: monet -> photo -> monet.": _apart(again, photo),
        "one cycle is missing: photo -> monet -> photo.": _apart(turned, monet),
        "each picture goes through its generators in the wrong order.":
            _apart(paint(back(photo)), photo) + _apart(back(paint(monet)), monet),
        "only one way is walked: a cycle is there and back.": _apart(painted, photo) + _apart(lost, monet),
        "a translation is compared with a picture of the other set; those two are no pair.":
            [_apart(painted, monet), _apart(again, monet) + _apart(turned, photo),
             _apart(painted, monet) + _apart(lost, photo)],
    }  # fmt: skip
    last = "Which picture should come back, and through which two generators?"
    return _loss_hints(answer, (monet, photo, paint, back), ((again, photo), (turned, monet)), known, 10, last)


@exercise("Exercise 4, identity")
def check_identity(answer):
    monet, photo = np.full((1, 2, 2, 3), 0.5, np.float32), np.full((1, 2, 2, 3), -0.25, np.float32)
    paint, back = (lambda x: 1.2 * x), (lambda x: 1.6 * x)
    same, other, painted, lost = paint(monet), back(photo), paint(photo), back(monet)
    ways = [_apart(painted, photo), _apart(lost, monet)]
    known = {
        "compared with an image of the other set: every answer is wrong then, and the median of that set the least.":
            [_apart(same, photo) + _apart(other, monet), _apart(same, photo),
             _apart(painted, monet) + _apart(lost, photo), _apart(painted, monet)],
        "only one of the two generators is asked.": [_apart(same, monet), _apart(other, photo)],
        "each generator gets the image that it should translate, and is told to leave it.": [sum(ways), *ways],
        "the cycle loss.": _apart(back(painted), photo) + _apart(paint(lost), monet),
    }  # fmt: skip
    last = "Which image needs no painting, and which needs no way back?"
    return _loss_hints(answer, (monet, photo, paint, back), ((same, monet), (other, photo)), known, 5, last)


@exercise("Exercise 5, two optimizers")
def check_step(answer):
    try:
        mine = _weights(lambda networks: lambda pair: answer(networks, _descents(2), *pair), 1)
    except (ValueError, KeyError, RuntimeError) as error:
        text = str(error)
        refuse_if("No gradients" in text, "the tape knows nothing of this loss: the sums are formed outside its block.")
        strange = "unknown variable" in text.lower() or "recognize" in text or isinstance(error, KeyError)
        refuse_if(strange, "an optimizer meets variables that it wasn't built for: apply it once, to both networks.")
        refuse_if("on-persistent" in text, "this tape gives one gradient only. See how the class makes its tape.")
        raise
    moves = [[after - before for before, after in each] for each in (mine, _weights(_library, 1))]
    still = not any(map(np.any, moves[0]))
    hints = {"no network has moved: form the sums, then let each optimizer take its step.": still}
    goals = ("the weighted sum of all four generator losses", "both discriminators' losses")
    names = ("paint", "back", "the Monet discriminator", "the photo discriminator")
    for k, (name, move, right) in enumerate(zip(names, *moves, strict=True)):
        off = np.abs(move - right).max() > 1e-3 * np.abs(right).max()
        hints |= {
            f"{name} has not moved: each optimizer moves two networks.": not move.any(),
            f"{name} climbs: its loss has the wrong sign.": off and cosine(move, right) < -0.9,
            f"{name} moved, but not by the slope of {goals[k // 2]}.": off,
        }
    return hints


@exercise("Exercise 6, a painter of your own")
def check_painter(answer):
    painted, photos, monets = answer
    expect_shape(painted, photos.shape, "what you painted")
    scale = f"{painted.dtype}, not uint8: scale [-1, 1] to levels, as `lesson.painted_by` does."
    refuse_if(painted.dtype != np.uint8, scale)
    refuse_if(painted.std((1, 2, 3)).min() < 2, "at least one picture is of one colour.")
    refuse_if(_apart(painted.astype(float), monets) < 2, "these are the paintings held out, not your own.")
    refuse_if(_apart(painted.astype(float), photos) < 2, "these are the photos, not changed by two levels.")
    kept = scene_kept(photos, painted)
    refuse_if(kept < -0.5, "light and dark are exchanged.")
    if kept < 0.5:
        others = max(scene_kept(np.roll(photos, k, 0), painted) for k in range(1, len(photos)))
        turned = max(scene_kept(photos, x) for x in (painted[:, ::-1], painted[:, :, ::-1]))
        return {
            "the paintings stand beside other photos than their own: keep the order.": others > 0.5,
            "the paintings are turned or mirrored.": turned > 0.5,
            f"scene kept {kept:.2f}: the photos' scenes are lost. Raise a weight that holds them.": True,
        }
    network = feature_network("squeezenet")
    real = embed(monets, network)
    kid, untouched = (compare(network, embed(x, network), real).kid for x in (painted, photos))
    worse = f"KID {kid:.0f} by SqueezeNet, the untouched photos have {untouched:.0f}: change one setting, train again."
    return {worse: kid >= untouched}
