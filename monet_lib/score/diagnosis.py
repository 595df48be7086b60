"""What is wrong with a GAN's training: numbers from its losses, pictures and networks, and the cause that they name.

`diagnose` takes an `Evidence`, of which most may be missing. `measure` makes numbers of it, and each of CAUSES has its
signs: numbers beyond a limit. The limits lie between the healthy and the sick runs of `monet_lib.course.museum` with
seeds that docs/diagnosis.md doesn't report: python benchmarks/museum.py --choose.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from monet_lib.score.metrics import Skies, diversity, scene_kept

# The loss of (discriminator, generator) where the discriminator can't tell real from fake, by the kind of loss.
BLIND = {"least_squares": (0.25, 0.25), "bce": (np.log(2), np.log(2)), "hinge": (1.0, np.nan)}
# Names of the painting side's losses, here and elsewhere. Sums with the cycle and identity losses are of no use here.
COLUMNS = {
    "discriminator": ("monet_discriminator", "discriminator", "monet_disc_loss", "disc_y_loss", "D_Y_loss", "d_loss"),
    "generator": ("monet_generator", "generator", "g_loss"),
}
ROWS = 10  # of losses, from which on they tell something
NO_LOSS = ("step", "seconds", "epoch")
LATE = 0.2  # the share of the history at its end over which losses are averaged


@dataclass
class Evidence:
    """What is known of a training. Images are float (n, h, w, 3) in [-1, 1], if all is well.

    history: {column: values} of its losses, named as in COLUMNS, a value a row. photos, painted: photos as a viewer
    shows them, and their paintings; of a GAN without photos, painted are its samples. fed: the photos as the network
    gets them. monets: real paintings. last: painted by the weights of the last step where `painted` is by an average.
    in_training: the same in training mode, photo by photo. cycled: the way back, for a picture. seen, unseen, fake: the
    discriminator's mean logits of paintings trained on, of others, and of `painted`. drawn: photos in the order in
    which training drew them, less than one pass. pattern: of a validation, see `Skies`. settings: adversarial, steps
    and decay_from, as in `Config`. step: the step that was reached.
    """

    history: Mapping[str, Any] = field(default_factory=dict)
    photos: np.ndarray | None = None
    painted: np.ndarray | None = None
    fed: np.ndarray | None = None
    monets: np.ndarray | None = None
    last: np.ndarray | None = None
    in_training: np.ndarray | None = None
    cycled: np.ndarray | None = None
    seen: np.ndarray | None = None
    unseen: np.ndarray | None = None
    fake: np.ndarray | None = None
    drawn: np.ndarray | None = None
    pattern: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    step: int | None = None


@dataclass(frozen=True)
class Sign:
    """A number beyond a limit. only_if_known: it holds where the number is missing, too."""

    number: str
    way: Literal["above", "below"]
    limit: float
    only_if_known: bool = False

    def holds(self, numbers: Mapping[str, float]) -> bool:
        if self.number not in numbers:
            return self.only_if_known
        value = numbers[self.number]
        return value > self.limit if self.way == "above" else value < self.limit

    def clear(self, numbers: Mapping[str, float]) -> bool:
        """Whether the number is beyond the limit by half of it."""
        beyond = (self.way == "above") == (self.limit > 0)
        return replace(self, limit=self.limit * 1.5 if beyond else self.limit / 1.5).holds(numbers)

    def words(self, numbers: Mapping[str, float]) -> str:
        return f"{NUMBERS[self.number]}: {numbers[self.number]:.3g}, {self.way} {self.limit:g}"


@dataclass(frozen=True)
class Cause:
    """What its signs mean together. remedy: one change to try; setting: the same for `monet train`, if there is one.

    apart: numbers that would tell this cause from a similar one. Where one of them is unknown, no more than "perhaps"
    can be said.
    """

    name: str
    signs: tuple[Sign, ...]
    why: str
    remedy: str
    setting: str = ""
    apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """cause: a name in CAUSES, "healthy", or "nothing to tell from". sure: "sure", "likely", "perhaps" or "".

    evidence: a line for each sign. also: further causes whose signs hold; they may be consequences of the first.
    unknown: causes that can't be told, because their numbers are missing. numbers: see `measure`.
    """

    cause: str
    sure: str
    evidence: tuple[str, ...]
    why: str
    remedy: str
    setting: str
    also: tuple[str, ...]
    unknown: tuple[str, ...]
    numbers: Mapping[str, float]

    def __str__(self) -> str:
        lines = [self.cause + (f" ({self.sure})" if self.sure else "")]
        lines += [f"  seen: {line}" for line in self.evidence]
        lines += [f"  why: {self.why}"] if self.why else []
        lines += [f"  try: {self.remedy}" + (f" For example {self.setting}" if self.setting else "")]
        lines += [f"  its signs hold, too: {', '.join(self.also)}"] if self.also else []
        lines += [f"  can't be told from this: {', '.join(self.unknown)}"] if self.unknown else []
        return "\n".join(lines)


def diagnose(evidence: Evidence) -> Diagnosis:
    """The most likely cause: the first of CAUSES whose signs all hold. See `Diagnosis`."""
    numbers = measure(evidence)
    held = causes(numbers)
    unknown = tuple(
        cause.name
        for cause in CAUSES
        if any(sign.number not in numbers and not sign.only_if_known for sign in cause.signs)
    )
    if held:
        cause, *others = held
        sure = "sure" if all(sign.clear(numbers) for sign in cause.signs) else "likely"
        sure = "perhaps" if any(name not in numbers for name in cause.apart) else sure
        lines = tuple(sign.words(numbers) for sign in cause.signs if sign.number in numbers)
        also = tuple(other.name for other in others)
        return Diagnosis(cause.name, sure, lines, cause.why, cause.remedy, cause.setting, also, unknown, numbers)
    begun = evidence.step is not None and max(map(len, evidence.history.values()), default=0) < ROWS
    if begun or numbers.keys() <= {"not finite", "done", "rate", "transposed"}:
        given = f"Give a history of losses with at least {ROWS} rows, or photos and their paintings."
        remedy = f"Train on: a run is judged from {ROWS} rows of history.csv on." if begun else given
        return Diagnosis("nothing to tell from", "", (), "", remedy, "", (), unknown, numbers)
    return Diagnosis("healthy", "", (), "", _go_on(evidence, numbers), "", (), unknown, numbers)


def causes(numbers: Mapping[str, float]) -> list[Cause]:
    """Those of CAUSES whose signs all hold, the most likely first."""
    return [cause for cause in CAUSES if all(sign.holds(numbers) for sign in cause.signs)]


def _go_on(evidence, numbers):
    steps, falls = evidence.settings.get("steps"), evidence.settings.get("decay_from", 1.0)
    if numbers.get("done", 1.0) < 1 and steps:
        until = f"Train on until step {steps}"
        return f"{until}; the learning rates fall from step {round(falls * steps)} on." if falls < 1 else f"{until}."
    return "Stop here, or train on with a new schedule as long as the KID of held-out photos falls."


# Numbers


def measure(evidence: Evidence) -> dict[str, float]:
    """The numbers of NUMBERS that the evidence allows."""
    found = _of_losses(evidence) | _of_pictures(evidence) | _of_networks(evidence)
    return {name: float(value) for name, value in found.items() if not np.isnan(value)}


def _of_losses(e):
    history = {name: np.asarray(values, float) for name, values in e.history.items() if name not in NO_LOSS}
    if not history:
        return {}
    found = {"not finite": float(not all(np.isfinite(values).all() for values in history.values()))}
    kind = str(e.settings.get("adversarial", "least_squares"))
    sides = [next((history[n] for n in names if n in history), None) for names in COLUMNS.values()]
    if found["not finite"] or kind not in BLIND:
        return found
    told, fooled = (
        None if x is None or len(x) < ROWS else x / blind for x, blind in zip(sides, BLIND[kind], strict=True)
    )
    late = lambda curve: curve[-max(5, round(LATE * len(curve))) :].mean()  # noqa: E731
    if told is not None:
        found |= {"told": late(told), "jump": _jump(told)}
    return found if fooled is None else found | {"fooled": late(fooled)}


def _jump(curve):
    """The largest rise of a curve's mean from one tenth of its length to the next, after its first quarter."""
    width = max(3, len(curve) // 10)
    means = np.convolve(curve, np.ones(width) / width, "valid")
    rises = (means[width:] - means[:-width])[len(curve) // 4 :]
    return rises.max() if len(rises) else np.nan


def _of_pictures(e):
    found = {} if e.pattern is None else {"pattern": e.pattern}
    if e.drawn is not None:
        found["distinct"] = len({np.ascontiguousarray(x).tobytes() for x in e.drawn}) / len(e.drawn)
    if e.fed is not None:
        found["darkest"] = np.quantile(e.fed, 0.001)
    if e.painted is None:
        return found
    if not np.isfinite(e.painted).all():
        return found | {"not finite": 1.0}
    found |= {"checkered": checkered(e.painted), "clipped": np.mean(np.abs(e.painted) > 0.99)}
    if e.photos is None:
        return found | ({} if e.monets is None else {"variety": diversity(e.painted, e.monets)})
    found |= {
        "change": np.abs(e.painted - e.photos).mean() / 2,
        "contrast": e.painted.std((1, 2)).mean() / e.photos.std((1, 2)).mean(),
        "scene": scene_kept(e.photos, e.painted),
        "warmth": scene_kept(_warmth(e.photos), _warmth(e.painted)),
    }
    if e.pattern is None and e.monets is not None and min(e.photos.shape[1:3]) >= 256:
        photos, painted, monets = (
            np.clip(np.rint(x * 127.5 + 127.5), 0, 255).astype("uint8") for x in (e.photos, e.painted, e.monets)
        )
        found["pattern"] = Skies(monets).pattern(photos, painted)
    return found


def _warmth(images):
    return (images[..., 0] - images[..., 2])[..., None]


def _of_networks(e):
    found = {}
    inferred = e.painted if e.last is None else e.last
    if e.in_training is not None:  # by mean colours, so that dropout's noise hardly counts
        found["modes"] = np.abs((e.in_training - inferred).mean((1, 2))).mean() / 2
    if e.last is not None:
        found["unsettled"] = np.abs(e.last - e.painted).mean() / 2
    if e.unseen is not None and e.seen is not None and len(e.unseen):
        seen, unseen, fake = (float(np.mean(x)) for x in (e.seen, e.unseen, e.fake))
        found["by heart"] = (seen - unseen) / max(seen - fake, 0.1)
    if "upsample" in e.settings:
        found["transposed"] = float(e.settings["upsample"] == "transpose")
    steps, falls = e.settings.get("steps"), e.settings.get("decay_from")
    if e.step is not None and steps:
        found["done"] = e.step / steps
        if falls is not None:
            found["rate"] = 1.0 if found["done"] <= falls else (1 - found["done"]) / (1 - falls)
    return found


def checkered(images: np.ndarray) -> float:
    """How far the energy of images at a period of exactly 2 px stands out from the energy at periods close by.

    images: (n, h, w, 3), sides of 16 px or more. The largest ratio, for columns, rows and both, of the mean spectrum of
    luminance to the median around; 1 to 40 in paintings without a grid. Transposed convolutions of stride 2 draw such
    grids (Odena et al. 2016).
    """
    size = min(images.shape[1:3]) // 2 * 2
    grey = np.asarray(images, float)[:, :size, :size].mean(-1)
    window = np.hanning(size + 2)[1:-1]
    grey = (grey - grey.mean((1, 2), keepdims=True)) * window[:, None] * window
    energy = (np.abs(np.fft.fft2(grey)) ** 2).mean(0)
    ring = [(a, b) for a in range(-4, 5) for b in range(-4, 5) if max(abs(a), abs(b)) > 2]
    ratios = []
    for j, k in ((0, size // 2), (size // 2, 0), (size // 2, size // 2)):
        around = np.median([energy[(j + a) % size, (k + b) % size] for a, b in ring])
        ratios.append(energy[j, k] / max(around, 1e-9))
    return float(max(ratios))


# {number: what it is}. Differences of pictures are shares of the range from black to white.
NUMBERS = {
    "not finite": "a loss or a painting is not finite (1: yes)",
    "darkest": "darkest value that the network gets, where black is -1",
    "distinct": "share of the photos drawn in less than a pass that differ",
    "clipped": "share of the painted values that are black or white",
    "told": "discriminator's late loss, in units of its loss when it can't tell real from fake",
    "fooled": "generator's late adversarial loss, in units of its loss against a discriminator that can't tell",
    "jump": "largest sudden rise of the discriminator's loss, in units of its loss when it can't tell real from fake",
    "by heart": "how far known paintings are rated above unknown ones, in units of their lead over fakes",
    "contrast": "spread within paintings, in units of the photos'",
    "scene": "correlation of the luminance of photo and painting",
    "warmth": "correlation of red minus blue of photo and painting",
    "change": "mean difference of painting and photo",
    "checkered": "energy of a grid with a period of 2 px, in units of the energy around it",
    "transposed": "whether the generator enlarges by transposed convolutions (1: yes)",
    "pattern": "pattern in flat skies, in units of a painting's",
    "modes": "mean difference of the paintings' colours in training mode and as saved",
    "unsettled": "mean difference of paintings by the last weights and by their average",
    "rate": "learning rate that is left, in units of the first",
    "done": "share of the steps that are taken",
    "variety": "variety of the samples, in units of real pictures'",
}
SETTLED = Sign("done", "above", 0.2, only_if_known=True)  # earlier, a copy or an easy win is only a beginning

CAUSES = (
    Cause(
        "not finite",
        (Sign("not finite", "above", 0.5),),
        "A number became too large, in float16 above 65,504, and infected all weights.",
        "Lower both learning rates; with float16, scale the loss, or train in float32.",
        "--set precision=float32",
    ),
    Cause(
        "wrong scale",
        (Sign("darkest", "above", -0.2),),
        "The photos are fed in [0, 1], and the generator's tanh answers in [-1, 1].",
        "Scale levels by x / 127.5 - 1 on the way in, and back by (x + 1) * 127.5 on the way out.",
    ),
    Cause(
        "few images",
        (Sign("distinct", "below", 0.8),),
        "The pipeline repeats the same pictures, as with a cache after the crop.",
        "Cache decoded images, then shuffle, then crop and flip, and repeat last.",
    ),
    Cause(
        "rate too high",
        (Sign("clipped", "above", 0.5),),
        "The output is driven to the ends of tanh, where no gradient is left.",
        "Divide both learning rates by ten and start again.",
        "--set generator_rate=2e-4 --set discriminator_rate=2e-4",
    ),
    Cause(
        "labels swapped",
        (Sign("told", "below", 0.5), Sign("fooled", "below", 0.5)),
        "Both sides are content, so they don't work against each other: they ask for the same labels.",
        "Real is 1 and fake 0 for the discriminator, fake is 1 for the generator. Test it with logits of your own.",
    ),
    Cause(
        "one tint",
        (Sign("contrast", "below", 0.4),),
        "A loss compares with the wrong image: over many pairs, its best answer is one mean colour.",
        "Give the identity loss images of the generator's own target set, and compare with the same images.",
    ),
    Cause(
        "copy",
        (Sign("change", "below", 0.02), SETTLED),
        "Every change costs more of the cycle and identity losses than it gains from the discriminator.",
        "Lower the weights of both losses; after that, give it more steps.",
        "--set cycle_weight=1 --set identity_weight=0.5",
    ),
    Cause(
        "paintings learnt by heart",
        (Sign("told", "below", 0.4), Sign("by heart", "above", 0.5), SETTLED),
        "The discriminator knows its few paintings, not their style: it takes others for fakes.",
        "Augment what it sees, real and fake alike, or add paintings.",
        "--set diff_augment=color,translation,cutout",
    ),
    Cause(
        "discriminator wins",
        (Sign("told", "below", 0.45), Sign("fooled", "above", 2.5), SETTLED),
        "The discriminator tells all fakes, and the generator gets no direction from it.",
        "Raise the generator's learning rate or lower the discriminator's.",
        "--set discriminator_rate=1e-4",
        apart=("by heart",),
    ),
    Cause(
        "mode collapse",
        (Sign("variety", "below", 0.45),),
        "Every fake is judged alone, so the one picture that is rated highest answers every latent.",
        "Give both sides the same learning rate.",
    ),
    Cause(
        "negative",
        (Sign("scene", "below", -0.3),),
        "Two negatives make a positive, so that the cycle loss is content.",
        "Give the identity loss a weight, or begin with a generator that changes nothing.",
        "--set identity_weight=2",
    ),
    Cause(
        "channels swapped",
        (Sign("warmth", "below", -0.3), Sign("scene", "above", 0.3)),
        "Red and blue are exchanged on one side of the network: OpenCV reads BGR.",
        "Read with Pillow or TensorFlow, or reverse the last axis at reading and at saving.",
    ),
    Cause(
        "checkerboard",
        (Sign("checkered", "above", 80.0), Sign("transposed", "above", 0.5, only_if_known=True)),
        "Transposed convolutions paint some pixels more often than their neighbours.",
        "Enlarge by repeating pixels, then convolve.",
        "--set upsample=resize",
    ),
    Cause(
        "weave in skies",
        (Sign("pattern", "above", 2.5),),
        "The discriminator misses strokes in bare skies, and gets a regular pattern.",
        "Let it see the fakes shifted, and give it a norm that keeps contrast.",
        "--set diff_augment=translation --set discriminator_norm=spectral",
    ),
    Cause(
        "batch norm",
        (Sign("modes", "above", 0.03),),
        "In training, batch norm takes the batch's statistics, of one image its own.",
        "Use instance norm or none.",
        "--set norm=instance",
    ),
    Cause(
        "stale resume",
        (Sign("jump", "above", 0.6),),
        "The discriminators began anew in the middle: a checkpoint held the generators alone.",
        "Save and restore all networks, both optimizers and the step.",
    ),
    Cause(
        "circling",
        (Sign("done", "above", 0.999), Sign("rate", "above", 0.5), Sign("unsettled", "above", 0.003)),
        "The learning rates never fell: both sides chase each other, and the last step is any step.",
        "Let the learning rates fall to zero over the second half, or paint by the average.",
        "--set decay_from=0.5",
    ),
)
