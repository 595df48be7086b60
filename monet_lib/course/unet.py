"""Lesson 3: sizes of its trainings, what it measures, figures; then the checks of its exercises."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from tqdm import tqdm

from monet_lib.config import Config
from monet_lib.course.checks import Wrong, answer_of, exercise, expect_close, expect_shape, refuse_if
from monet_lib.course.tools import drawing, shrunk
from monet_lib.data.batches import UnpairedBatches, training_data
from monet_lib.data.reading import find_images, load, to_float, to_uint8
from monet_lib.figures import figure_style, image_grid
from monet_lib.model.cyclegan import CycleGAN
from monet_lib.model.discriminators import FeatureDiscriminator, patch_discriminator
from monet_lib.model.generators import unet_generator
from monet_lib.paint import SHIPPED, paint_all, shipped_generator
from monet_lib.recipes import profile
from monet_lib.score import Score, compare, embed, feature_network, scene_kept

HELD = 16  # paintings and photos, the last of each set, that no training of the lesson sees
FEW = 32  # pictures of a set that an experiment with whole pictures takes
JUDGES = ("efficientnet-lite0", "squeezenet")  # networks by whose features pictures are scored
BORDER = 32  # px, a multiple of 2 ** depth for every U-Net of the lesson
PATCH_TASK = 128  # px of the whole pictures that a discriminator of patches learns from
Images = dict[str, np.ndarray]  # {"monet", "photo"}: (n, h, w, 3)

# For each recipe the changes that make the Config of whole pictures, shrunk; those that make the Config of the last
# training, of squares at full resolution, with its steps; and the steps of each comparison.
SCALES: dict[str, tuple[dict, dict, int]] = {
    "tiny": ({"image_size": 32, "unet_depth": 4, "generator_filters": 4, "discriminator_filters": 4},
             {"image_size": 48, "crop": 48, "unet_depth": 3, "generator_filters": 4, "discriminator_filters": 4,
              "steps": 3}, 2),
    "laptop": ({"image_size": 64, "unet_depth": 5, "generator_filters": 16, "discriminator_filters": 16},
               {"image_size": 96, "crop": 96, "unet_depth": 4, "generator_filters": 16, "discriminator_filters": 16,
                "steps": 1500}, 150),
    "full": ({"image_size": 128, "unet_depth": 7}, {"image_size": 256, "crop": 256, "unet_depth": 5, "steps": 30000},
             2000),
}  # fmt: skip
COMMON = {"model": "unet", "crop": 256, "unet_dropout": 0.0, "norm": "instance",
          "precision": "float32", "beta_1": 0.5}  # fmt: skip


def settings(config: Config) -> tuple[Config, Config, int]:
    """(Config for whole pictures, shrunk; Config of the last training, with its steps; steps of each comparison)."""
    whole, own, short = SCALES.get(config.profile, SCALES["laptop"])
    return (
        profile(config.profile, **COMMON | whole),
        profile(config.profile, **COMMON | own | {"beta_1": 0.0}),
        short,
    )


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


class Bar(keras.callbacks.Callback):
    """A progress bar over the batches of `fit`, in one line; Keras' own writes a line an epoch."""

    def on_train_begin(self, logs: Any = None) -> None:
        count = self.params.get("steps")
        self.bar = tqdm(total=count and count * self.params["epochs"], unit="step", mininterval=1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update()

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.close()


def teach(network: keras.Model, inputs: np.ndarray, targets: Any, loss: Any, steps: int, weights: Any = None) -> None:
    """Train a network by Keras' `fit` with Adam at 1e-3, four images a step, for about `steps` steps, with a bar.

    loss: one for each target, by Keras' names; weights: of the losses, where there are several.
    """
    network.compile(keras.optimizers.Adam(1e-3), loss, weights, jit_compile=False)  # XLA is slower on a CPU
    epochs = max(1, round(4 * steps / len(inputs)))
    network.fit(inputs, targets, batch_size=4, epochs=epochs, verbose=0, callbacks=[Bar()])


def batches(images: Images, config: Config, steps: int) -> tf.data.Dataset:
    """`steps` batches (monet, photo) that a Config cuts from uint8 images: float32 (batch, image_size, image_size, 3)
    in [-1, 1]."""
    return training_data(UnpairedBatches(images["monet"], images["photo"], config), 0, steps)


class OnFeatures(keras.Model):
    """A discriminator on frozen ImageNet features that stands where a PatchGAN may: see `FeatureDiscriminator`.

    Images (batch, h, w, 3) in [-1, 1] to the answers of its four heads in a row, (batch, n).
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.heads = FeatureDiscriminator(seed=seed)
        self.built = True

    def call(self, images: Any) -> Any:
        answers = self.heads(self.heads.project(images))
        return ops.concatenate([ops.reshape(x, (ops.shape(x)[0], -1)) for x in answers], 1)


def apart_with_equal_weights(mine: keras.Model, theirs: keras.Model, images: np.ndarray) -> float:
    """The largest difference between two networks' answers to images, after `mine` took the weights of `theirs`."""
    mine.set_weights(theirs.get_weights())
    return float(np.abs(mine.predict(images, verbose=0) - theirs.predict(images, verbose=0)).max())


def patch_task(discriminator: keras.Model, train: Images, held: Images) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(pictures, targets, half): whole paintings and photos, shrunk, with the target 1 or 0 for each patch; and a
    picture with the left half of a photo held out and the right half of a painting held out.

    pictures (n, 128, 128, 3) in [-1, 1]; targets (n, answers, answers, 1).
    """
    sets = whole(train, PATCH_TASK)
    pictures = np.concatenate([sets["monet"], sets["photo"]])
    answers = discriminator.compute_output_shape(pictures.shape)[1:]
    right = np.repeat(np.array([1, 0], np.float32), [len(sets["monet"]), len(sets["photo"])])
    new = {name: images[0] for name, images in whole(held, PATCH_TASK).items()}
    left_half = np.arange(PATCH_TASK)[None, :, None] < PATCH_TASK // 2
    half = np.where(left_half, new["photo"], new["monet"])
    return pictures, np.ones((len(pictures), *answers), np.float32) * right[:, None, None, None], half


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """{name: {column: value}} as text, a line each under the columns' names."""
    columns = list(next(iter(rows.values())))
    lines = [f"{'':20}" + "".join(f"{column:>13}" for column in columns)]
    lines += [f"{name:20}" + "".join(f"{row[column]:13.2f}" for column in columns) for name, row in rows.items()]
    return "\n".join(lines)


def sheet(rows: Mapping[str, np.ndarray], columns: int = 6) -> np.ndarray:
    """The first `columns` images of each row, uint8 or floats that are clipped to [-1, 1], under one another, with the
    rows' names: uint8 (h, w, 3)."""
    shown = [x if x.dtype == np.uint8 else np.clip(x, -1, 1) for x in (images[:columns] for images in rows.values())]
    return image_grid([list(images) for images in shown], row_labels=list(rows), least=128)


def cyclegan_figure() -> Figure:
    """A CycleGAN's data flow: its six passes through the generators, numbered, and what each loss compares."""
    places = {  # see `drawing`
        "photo": (0, 0, "photo", "photo"), "paint1": (1, 0, "paint  ①", "net"),
        "fake_monet": (2, 0, "fake Monet", "monet"), "back1": (3, 0, "back  ③", "net"),
        "cycled_photo": (4, 0, "photo again\n= photo?", "photo"),
        "DM": (2, 1, "Monet\ndiscriminator", "net"), "real_monet": (3, 1, "Monet", "monet"),
        "monet": (0, 2, "Monet", "monet"), "back2": (1, 2, "back  ②", "net"),
        "fake_photo": (2, 2, "fake photo", "photo"), "paint2": (3, 2, "paint  ④", "net"),
        "cycled_monet": (4, 2, "Monet again\n= Monet?", "monet"),
        "DP": (2, 3, "photo\ndiscriminator", "net"), "real_photo": (3, 3, "photo", "photo"),
        "own_monet": (0, 4, "Monet", "monet"), "paint3": (1, 4, "paint  ⑤", "net"),
        "same_monet": (2, 4, "the same\n= Monet?", "monet"),
        "own_photo": (2.9, 4, "photo", "photo"), "back3": (3.6, 4, "back  ⑥", "net"),
        "same_photo": (4.4, 4, "the same\n= photo?", "photo"),
    }  # fmt: skip
    arrows = [
        ("photo", "paint1"), ("paint1", "fake_monet"), ("fake_monet", "back1"), ("back1", "cycled_photo", "cycle"),
        ("fake_monet", "DM", "adversarial"), ("real_monet", "DM"),
        ("monet", "back2"), ("back2", "fake_photo"), ("fake_photo", "paint2"), ("paint2", "cycled_monet", "cycle"),
        ("fake_photo", "DP", "adversarial"), ("real_photo", "DP"),
        ("own_monet", "paint3"), ("paint3", "same_monet", "identity"),
        ("own_photo", "back3"), ("back3", "same_photo", "identity"),
    ]  # fmt: skip
    title = "A CycleGAN's step: ①–④ two cycles, ⑤ and ⑥ identity; each generator is used three times"
    return drawing(places, arrows, title, (11, 6.4))


@figure_style()
def hourglass_figure(filters: Sequence[int], size: int) -> Figure:
    """A U-Net drawn: a bar for each map, as high as the map, with its filters; skip connections as arcs."""
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
    axis.set_ylim(0, np.log2(size) + 3.2)
    axis.set_ylabel("height of the map (logarithmic)")
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


Translator = Callable[[np.ndarray], np.ndarray]


def translator_losses(
    translators: Mapping[str, Sequence[Translator]], discriminator: keras.Model, images: Images
) -> dict[str, dict[str, float]]:
    """{name: {"adversarial", "cycle", "identity"}} of pairs (paint, back) of exact functions, which need no training.

    adversarial: least squares of discriminator(paint(photos)) against 1; the others are the sums over both directions,
    unweighted. images: uint8, shrunk here as in `patch_task`.
    """
    monets, photos = whole(images, PATCH_TASK).values()
    found = {}
    for name, (paint, back) in translators.items():
        answers = np.asarray(discriminator(np.asarray(paint(photos), np.float32)))
        found[name] = {
            "adversarial": float(np.square(answers - 1).mean()),
            "cycle": float(_apart(back(paint(photos)), photos) + _apart(paint(back(monets)), monets)),
            "identity": float(_apart(paint(monets), monets) + _apart(back(photos), photos)),
        }
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


def _networks():
    """Two generators and two discriminators of a few weights, the same at each call.

    The kernels are ten times as large as at the start of a training: each loss then moves the weights visibly.
    """
    keras.utils.set_random_seed(0)
    networks = [unet_generator((4, 4), dropout=0.0) for _ in range(2)]
    networks += [patch_discriminator((4, 4, 4, 4), norm="none") for _ in range(2)]
    for network in networks:
        network.set_weights([10 * w if w.ndim == 4 else w for w in network.get_weights()])
    return networks


def _pair():
    rng = np.random.default_rng(0)
    return tuple(tf.constant(rng.uniform(-1, 1, (1, 32, 32, 3)), tf.float32) for _ in range(2))


def _library(adversarial="least_squares"):
    """(the library's CycleGAN of `_networks`, trained by plain gradient descent; the four networks)."""
    networks = _networks()
    model = CycleGAN(*networks)
    config = Config(adversarial=adversarial, cycle_weight=10.0, identity_weight=5.0)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), config)
    return model, networks


def against_library(model: Callable, loss: Callable, adversarial: str) -> tuple[float, float]:
    """(furthest that any weight moved, largest difference) after two steps of a lesson's class and of the library's.

    Both begin with the same small networks, see the same two pictures and descend by SGD, whose step is as long as the
    gradient: Adam's hardly depends on the gradient's length, and would hide a wrong weight. model: called with four
    networks, returns a keras.Model whose `compile` takes (optimizers, loss=...); adversarial: the library's name of
    `loss`.
    """
    (library, theirs), yours, before = _library(adversarial), _networks(), [n.get_weights() for n in _networks()]
    own = model(*yours)
    own.compile([keras.optimizers.SGD(0.1) for _ in yours], loss=loss)
    for _ in range(2):
        own.train_step(_pair())
        library.train_step(_pair())

    def furthest(others):
        return max(
            float(np.abs(a - b).max())
            for network, weights in zip(yours, others, strict=True)
            for a, b in zip(network.get_weights(), weights, strict=True)
        )

    return furthest(before), furthest([network.get_weights() for network in theirs])


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
    a, b = (np.concatenate([np.ravel(x) for x in g]) for g in (half, tape.gradient(both, sides[0] + sides[1])))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def measures(paint: keras.Model, back: keras.Model, images: Images) -> dict[str, float]:
    """What a pair of generators does with images in [-1, 1]: {"cycle", "scene", "tint"}.

    cycle: mean absolute error of the photos' round trip; scene: see `scene_kept`; tint: levels of 255 by which the
    mean colour of a Monet changes when `paint` gets it.
    """
    photos, monets = images["photo"], images["monet"]
    painted, same = (paint.predict(x, verbose=0) for x in (photos, monets))
    cycle = _apart(back.predict(painted, verbose=0), photos)
    tint = 127.5 * _apart(same.mean((1, 2)), monets.mean((1, 2)))
    return {"cycle": float(cycle), "scene": scene_kept(photos, painted), "tint": float(tint)}


def painted_by(generator: keras.Model, photos: np.ndarray) -> np.ndarray:
    """Photos, uint8 (n, h, w, 3), painted by a generator: uint8 of the same shape.

    Each photo is painted with BORDER px of its own mirror image around it, so that the zeros with which convolutions
    pad an image leave no rim.
    """
    wider = np.pad(photos, [(0, 0), (BORDER, BORDER), (BORDER, BORDER), (0, 0)], mode="reflect")
    return to_uint8(generator.predict(to_float(wider), batch_size=4, verbose=0)[:, BORDER:-BORDER, BORDER:-BORDER])


def by_the_course(photos: np.ndarray) -> dict[str, np.ndarray]:
    """{"the course's": photos painted by the course's generator}, uint8; an empty dict where it is not at hand."""
    return {"the course's": paint_all(shipped_generator()[0], photos)} if SHIPPED.exists() else {}


def scored(
    made: Mapping[str, np.ndarray], monets: np.ndarray, mine: str
) -> tuple[dict[str, tuple[Score, Score]], list[str]]:
    """({name: its Score by each of JUDGES}, names that `mine` is nearer than by both of them). Prints both.

    made: uint8 images; monets: paintings that no training has seen. See `Score.nearer_than`.
    """
    columns = []
    for network in map(feature_network, JUDGES):
        real = embed(monets, network)
        columns.append([compare(network, embed(images, network), real) for images in made.values()])
    scores = dict(zip(made, zip(*columns, strict=True), strict=True))
    for name, pair in scores.items():
        lite, squeeze = (f"{x.kid:.{digits}f} ± {x.kid_std:.{digits}f}" for x, digits in zip(pair, (3, 0), strict=True))
        print(f"{name:14} KID {lite}, by SqueezeNet {squeeze}")
    beaten = [
        name
        for name, other in scores.items()
        if all(a.nearer_than(b) for a, b in zip(scores[mine], other, strict=True))
    ]
    print(f"{mine} beats, by both and beyond both bars: {', '.join(beaten) or 'none'}")
    return scores, beaten


def _apart(a, b):
    return np.abs(a - b).mean()


def maps(channels: np.ndarray) -> np.ndarray:
    """The channels of one map (1, h, w, n), values in [-1, 1], as n grey squares side by side, white between them."""
    squares = np.asarray(channels, float)[0].repeat(8, 0).repeat(8, 1).transpose(2, 0, 1)
    row = np.pad(squares, [(0, 0), (0, 0), (0, 4)], constant_values=1.0)
    return np.repeat(np.concatenate(row, 1)[:, :-4, None], 3, 2)


def halves() -> tuple[np.ndarray, np.ndarray]:
    """A decoder step's map (1, 5, 5, 8), each channel of one grey, and an encoder's (1, 5, 5, 3) with an edge in it."""
    inner = np.ones((1, 5, 5, 8)) * np.linspace(-0.8, 0.6, 8)
    edge = np.where(np.arange(5)[:, None] < np.arange(3) + 1, -1.0, 0.7)  # (places, channels)
    return inner, np.ones((1, 5, 5, 3)) * edge


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
        raise Wrong(f"these two maps can't be put together so: {error}. Along which axis do they differ?") from None
    refuse_if(found.shape == inner.shape, "8 channels: what a residual block hands on. A U-Net hands on more.")
    refuse_if(found.shape == skip.shape, "3 channels: the decoder step's own map is lost.")
    expect_shape(found, (1, 5, 5, 11), "what the next step receives")
    turned = np.concatenate([skip, inner], -1)
    order = "all eleven channels are there, in the other order: a decoder of the library would need other weights."
    refuse_if(np.allclose(found, turned), order)
    refuse_if(not np.allclose(found[..., :8], inner), "the step's own channels are not there unchanged.")
    refuse_if(not np.allclose(found[..., 8:], skip), "the encoder's channels are not there unchanged.")


@exercise("Exercise 2, how many answers")
def check_answers(answer):
    found = tuple(answer)
    refuse_if(any(x is ... for x in found), "nothing here yet. Replace the ... and run the cell again.")
    refuse_if(len(found) != 2, f"give two numbers, not {len(found)}.")
    refuse_if(any(int(x) != x for x in found), f"{found}: answers are counted, so these are whole numbers.")
    refuse_if(found == (23, 62), "the right two numbers, in the wrong order.")
    two, three = "two halvings and 256 px", "three halvings and 200 px"
    for value, right, halved, name in ((found[0], 62, 64, two), (found[1], 23, 25, three)):
        refuse_if(value == halved, f"{name}: {value} is the side after the halvings. Two more layers follow.")
        refuse_if(value == halved - 1, f"{name}: {value} is the side after one of the last two layers.")
        refuse_if(value == right**2, f"{name}: {value} answers in all; asked is their number along one side.")
        hint = "Write down the side of the map after each layer, as `compute_output_shape` would give it."
        refuse_if(value != right, f"{name}: not {value}. {hint}")


def _sums(answer, monet, photo, paint, back):
    """The learner's loss as a float. Raises Wrong where it is no single number."""
    found = np.asarray(answer_of(answer, monet, photo, paint, back))
    refuse_if(found.size != 1, f"an array of shape {found.shape}: a loss is one number, a mean over pixels.")
    return float(found)


def _refuse_same(found, wrong):
    """Raise Wrong with the first hint of {hint: values} that has a value like `found`."""
    for hint, values in wrong.items():
        refuse_if(np.isclose(found, values, rtol=1e-4).any(), f"{found:.3f}: {hint}.")


@exercise("Exercise 3, both cycles")
def check_cycle(answer):
    monet, photo = np.random.default_rng(0).uniform(-1, 1, (2, 2, 4, 4, 3)).astype(np.float32)
    paint, back = (lambda x: 0.5 * x), (lambda x: x + 0.25)
    found = _sums(answer, monet, photo, paint, back)
    again, turned = back(paint(photo)), paint(back(monet))
    right = [_apart(again, photo), _apart(turned, monet)]
    wrong = {
        "one cycle is missing: monet -> photo -> monet": right[:1],
        "one cycle is missing: photo -> monet -> photo": right[1:],
        "half of the sum of both cycles. Each of them counts fully": [sum(right) / 2],
        "the weight of the cycle loss doesn't belong here": [10 * sum(right)],
        "errors of both signs cancel out": [(again - photo).mean() + (turned - monet).mean()],
        "squares instead of absolute values": [np.square(again - photo).mean() + np.square(turned - monet).mean()],
        "a sum over pixels, which grows with the picture": [np.abs(again - photo).sum() + np.abs(turned - monet).sum()],
        "each picture goes through its generators in the wrong order": [
            _apart(paint(back(photo)), photo) + _apart(back(paint(monet)), monet)
        ],
        "only one way is walked: a cycle is there and back": [_apart(paint(photo), photo) + _apart(back(monet), monet)],
        "a translation is compared with a picture of the other set; those two are no pair": [
            _apart(paint(photo), monet), _apart(again, monet) + _apart(turned, photo),
            _apart(paint(photo), monet) + _apart(back(monet), photo),
        ],
    }  # fmt: skip
    _refuse_same(found, wrong)
    expect_close(found, sum(right), "not {got}. Which picture should come back, and through which two generators?")


@exercise("Exercise 4, identity")
def check_identity(answer):
    monet, photo = np.full((1, 2, 2, 3), 0.5, np.float32), np.full((1, 2, 2, 3), -0.25, np.float32)
    paint, back = (lambda x: 1.2 * x), (lambda x: 1.6 * x)
    found = _sums(answer, monet, photo, paint, back)
    right = [_apart(paint(monet), monet), _apart(back(photo), photo)]
    wrong = {
        "compared with an image of the other set: every answer is wrong then, and the median of that set the least": [
            _apart(paint(monet), photo) + _apart(back(photo), monet),
            _apart(paint(photo), monet) + _apart(back(monet), photo),
            _apart(paint(monet), photo), _apart(paint(photo), monet),
        ],
        "only one of the two generators is asked": right,
        "each generator gets the image that it should translate, and is told to leave it": [
            _apart(paint(photo), photo) + _apart(back(monet), monet),
            _apart(paint(photo), photo), _apart(back(monet), monet),
        ],
        "the cycle loss": [_apart(back(paint(photo)), photo) + _apart(paint(back(monet)), monet)],
        "half of the sum of both. Each of them counts fully": [sum(right) / 2],
        "the weight of the identity loss doesn't belong here": [5 * sum(right)],
        "errors of both signs cancel out": [(paint(monet) - monet).mean() + (back(photo) - photo).mean()],
    }  # fmt: skip
    _refuse_same(found, wrong)
    expect_close(found, sum(right), "not {got}. Which image needs no painting, and which needs no way back?")


@exercise("Exercise 5, two optimizers")
def check_step(answer):
    monet, photo = _pair()
    (library, right), yours = _library(), _networks()
    before = [network.get_weights() for network in right]
    library.train_step((monet, photo))
    try:
        answer(yours, [keras.optimizers.SGD(0.1) for _ in range(2)], monet, photo)
    except (ValueError, KeyError, RuntimeError) as error:
        text = str(error)
        refuse_if("No gradients" in text, "the tape knows nothing of this loss: the sums are formed outside its block.")
        strange = "unknown variable" in text.lower() or "recognize" in text or isinstance(error, KeyError)
        refuse_if(strange, "an optimizer meets variables that it wasn't built for: apply it once, to both networks.")
        refuse_if("on-persistent" in text, "this tape gives one gradient only. See how the class makes its tape.")
        raise
    names = ("paint", "back", "the Monet discriminator", "the photo discriminator")
    moved = []
    for network, start in zip(yours, before, strict=True):
        moved.append(not all(np.array_equal(a, b) for a, b in zip(network.get_weights(), start, strict=True)))
    refuse_if(not any(moved), "no network has moved: form the sums, then let each optimizer take its step.")
    for name, network, other, start, has in zip(names, yours, right, before, moved, strict=True):
        refuse_if(not has, f"{name} has not moved: each optimizer moves two networks.")
        steps = [np.concatenate([np.ravel(a - b) for a, b in zip(x.get_weights(), start, strict=True)])
                 for x in (network, other)]  # fmt: skip
        if np.abs(steps[0] - steps[1]).max() > 1e-3 * np.abs(steps[1]).max():
            cosine = steps[0] @ steps[1] / np.linalg.norm(steps[0]) / np.linalg.norm(steps[1])
            refuse_if(cosine < -0.9, f"{name} climbs: its loss has the wrong sign.")
            loss = (
                "the weighted sum of all four generator losses" if name in names[:2] else "both discriminators' losses"
            )
            raise Wrong(f"{name} moved, but not by the slope of {loss}.")


@exercise("Exercise 6, a painter of your own")
def check_painter(answer):
    painted, photos, monets = answer
    refuse_if(painted is ... or painted is None, "nothing here yet. Train, paint, and run the cell again.")
    expect_shape(painted, photos.shape, "what you painted")
    if painted.dtype != np.uint8:
        raise Wrong(f"{painted.dtype}, not uint8: scale [-1, 1] to levels, as `lesson.painted_by` does.")
    refuse_if(painted.std((1, 2, 3)).min() < 2, "at least one picture is of one colour.")
    refuse_if(np.abs(painted.astype(float) - monets).mean() < 2, "these are the paintings held out, not your own.")
    refuse_if(np.abs(painted.astype(float) - photos).mean() < 2, "these are the photos, not changed by two levels.")
    kept = scene_kept(photos, painted)
    refuse_if(kept < -0.5, "light and dark are exchanged.")
    if kept < 0.5:
        others = max(scene_kept(np.roll(photos, k, 0), painted) for k in range(1, len(photos)))
        refuse_if(others > 0.5, "the paintings stand beside other photos than their own: keep the order.")
        turned = max(scene_kept(photos, x) for x in (painted[:, ::-1], painted[:, :, ::-1]))
        refuse_if(turned > 0.5, "the paintings are turned or mirrored.")
        raise Wrong(f"scene kept {kept:.2f}: the photos' scenes are lost. Raise a weight that holds them.")
    network = feature_network("squeezenet")
    real = embed(monets, network)
    kid, untouched = (compare(network, embed(x, network), real).kid for x in (painted, photos))
    worse = f"KID {kid:.0f} by SqueezeNet, the untouched photos have {untouched:.0f}: change one setting, train again."
    refuse_if(kid >= untouched, worse)
