"""Lesson 1: measure every image once, compare the two sets, lend photos a painting's colours; then its checks."""

import hashlib
import io
import struct
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from monet_lib.config import Config
from monet_lib.course.checks import answer_of, exercise, expect_shape, refuse_if
from monet_lib.data.reading import ImageSet, masked_checksum, read_batches, shrink, to_uint8
from monet_lib.data.reading import closest as closest  # for the lesson
from monet_lib.figures import COLORS, figure_style
from monet_lib.score import Score, scene_kept

MEASURES = {  # a column of a Survey, and what the figures call it
    "brightness": "brightness", "spread": "spread within an image", "red": "mean red", "green": "mean green",
    "blue": "mean blue", "chroma": "chroma (max − min)", "saturation": "HSV saturation (÷ max)",
}  # fmt: skip
CHANNELS = ("red", "green", "blue")
LABELS = {"monet": "painting", "photo": "photo"}
LEVELS = np.arange(256)


def scored(config: Config) -> int:
    """How many photos the lesson scores."""
    return 12 if config.profile == "tiny" else 150


class Survey(NamedTuple):
    """What one pass over a set keeps of its n images: 6 kB each instead of 200 kB."""

    names: list
    columns: dict  # {measure: float (n,)}, in levels of 0..255, saturation in 0..1
    histograms: np.ndarray  # int (n, 3, 256), pixels at each level
    thumbs: np.ndarray  # uint8 (n, 32, 32, 3)
    digests: list  # n hashes, alike for alike pixels


def survey(images: ImageSet) -> Survey:
    """Measure an ImageSet in one pass with flat memory."""
    kept, rows = [], []
    for names, batch in read_batches(images, 32):
        for name, image in zip(names, batch, strict=True):
            counts = np.stack([np.bincount(image[..., c].ravel(), minlength=256) for c in range(3)])
            kept.append((name, np.int32(counts), shrink(image, 8), hashlib.sha256(image.tobytes()).hexdigest()))
            rows.append(_measured(image, counts))
    names, histograms, thumbs, digests = map(list, zip(*kept, strict=True))
    columns = dict(zip(MEASURES, np.array(list(zip(*rows, strict=True))), strict=True))
    return Survey(names, columns, np.stack(histograms), np.stack(thumbs), digests)


def _measured(image, counts):
    """The numbers that MEASURES names, in its order. counts: (3, 256), pixels at each level."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    high, chroma, share = planes.max(0), np.ptp(planes, 0), counts.sum(0) / counts.sum()
    brightness = share @ LEVELS
    spread = np.sqrt(share @ (LEVELS - brightness) ** 2)
    return brightness, spread, *counts @ LEVELS / counts.sum(1), chroma.mean(), (chroma / np.maximum(high, 1)).mean()


def cohens_d(a: np.ndarray, b: np.ndarray) -> float:
    """Difference of the means over the pooled standard deviation (Cohen 1988); above 0: `a` has more."""
    variance = ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / (len(a) + len(b) - 2)
    return float((np.mean(a) - np.mean(b)) / np.sqrt(variance))


def effects(monet: Survey, photo: Survey, draws: int = 400) -> dict[str, tuple[float, float, float]]:
    """{measure: (d, low, high)} of two Surveys: Cohen's d, and what 95 % of `draws` resamplings give (bootstrap)."""
    rng, found = np.random.default_rng(0), {}
    for measure in MEASURES:
        a, b = monet.columns[measure], photo.columns[measure]
        again = [cohens_d(rng.choice(a, len(a)), rng.choice(b, len(b))) for _ in range(draws)]
        found[measure] = (cohens_d(a, b), *np.percentile(again, [2.5, 97.5]))
    return found


# Linear sRGB to X, Y, Z as shares of white's, IEC 61966-2-1, adapted from D65 to D50, the white of ICC profiles, by
# Bradford's matrix: http://www.brucelindbloom.com/Eqn_RGB_XYZ_Matrix.html
RGB_TO_XYZ = np.array([[0.45222, 0.39933, 0.14845], [0.22250, 0.71688, 0.06062], [0.01689, 0.11769, 0.86542]])
XYZ_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]])  # of the cube roots; L is then too large by 16
LAB_ZERO = np.array([16, 0, 0])
LINEAR = np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in LEVELS / 255])


def to_lab(pixels: np.ndarray) -> np.ndarray:
    """uint8 sRGB (..., 3) as CIELAB (CIE 15), float64 (..., 3): L from 0 to 100, a green to red, b blue to yellow."""
    xyz = LINEAR[pixels] @ RGB_TO_XYZ.T
    return np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29) @ XYZ_TO_LAB.T - LAB_ZERO


def from_lab(lab: np.ndarray) -> np.ndarray:
    """CIELAB (..., 3) as uint8 sRGB (..., 3), the inverse of `to_lab`; what no screen shows is clipped."""
    root = (lab + LAB_ZERO) @ np.linalg.inv(XYZ_TO_LAB).T
    xyz = np.where(root > 6 / 29, root**3, 3 * (6 / 29) ** 2 * (root - 4 / 29))
    light = np.clip(xyz @ np.linalg.inv(RGB_TO_XYZ).T, 0, 1)
    curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * curved).astype(np.uint8)


def color_transfer(photos: np.ndarray, paintings: np.ndarray) -> np.ndarray:
    """Give photo k the means and the spreads in CIELAB of painting k (after the last painting, of the first again).

    photos: uint8 (n, h, w, 3); paintings: uint8 (m, ..., 3). Returns uint8 (n, h, w, 3). After Reinhard et al. 2001
    (https://doi.org/10.1109/38.946629). KID of 150 photos of the competition: 0.079; untouched 0.091; with the
    paintings' common means and spreads 0.083, with those of the painting nearest to the photo 0.086 (bars of 0.004).
    """
    styles = [to_lab(painting).reshape(-1, 3) for painting in paintings[: len(photos)]]
    made = np.empty_like(photos)
    for k, photo in enumerate(photos):
        lab, style = to_lab(photo), styles[k % len(styles)]
        flat = lab.reshape(-1, 3)
        spread = style.std(0) / np.maximum(flat.std(0), 1e-6)  # a photo of one colour stays of one colour
        made[k] = from_lab((lab - flat.mean(0)) * spread + style.mean(0))
    return made


@figure_style()
def met_figure(orders: Mapping[str, np.ndarray], images: int) -> Figure:
    """How many of `images` images each order, {name: numbers of the images shown, one a step}, has met, over steps."""
    figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for (name, order), style in zip(orders.items(), ("o-", "s--", "^:"), strict=False):
        new = np.zeros(len(order))
        new[np.unique(order, return_index=True)[1]] = 100 / images
        axis.plot(new.cumsum(), style, label=name, markevery=len(order) // 10)
    axis.set(title="Photos that the networks have met", xlabel="steps", ylabel=f"% of {images:,}")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@figure_style()
def histograms_figure(counts: Mapping[str, np.ndarray], units: Mapping[str, str]) -> Figure:
    """A row of three histograms for each scale of {title: unit}. counts: {"monet", "photo": (scales, 3, 256)}."""
    figure, axes = plt.subplots(len(units), 3, figsize=(11, 5.8), layout="constrained", sharey="row")
    for row, (title, unit) in enumerate(units.items()):
        inner = max(values[row, :, 3:253].max() for values in counts.values())  # clipped values pile up at the ends
        for c, axis in enumerate(axes[row]):
            for name, values in counts.items():
                axis.plot(values[row, c], color=COLORS[name], label=None if row + c else LABELS[name])
            axis.set(title=f"{CHANNELS[c]}: {title}", ylim=(0, 1.1 * inner), ylabel="" if c else unit)
    for axis in axes[-1]:
        axis.set_xlabel("level (0 to 255)")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def effects_figure(found: Mapping[str, tuple[float, float, float]]) -> Figure:
    """What `effects` returns: a point with an interval for each measure."""
    named = {MEASURES[measure]: of for measure, of in found.items()}
    title = "Paintings have less of it (left of 0) or more of it (right)"
    figure = _intervals(named, title, "Cohen's d; bars: 95 % of redraws")
    figure.axes[0].axvspan(-0.2, 0.2, color="0.88", label="|d| below 0.2: hardly a difference")
    figure.legend(loc="outside lower center")
    return figure


def scores_figure(scores: Mapping[str, Score]) -> Figure:
    """KID of each of {name: Score}, with its standard deviation as a bar."""
    bars = {name: (s.kid, s.kid - s.kid_std, s.kid + s.kid_std) for name, s in scores.items()}
    return _intervals(bars, "Distance to held-out paintings", "KID (lower is nearer)")


@figure_style()
def _intervals(found, title, unit):
    """A point with a bar for each {name: (value, low, high)}."""
    figure, axis = plt.subplots(figsize=(8, 1.2 + 0.4 * len(found)), layout="constrained")
    value, low, high = np.array(list(found.values())).T
    axis.errorbar(value, range(len(value)), xerr=[value - low, high - value], fmt="o", capsize=4, color="black")
    axis.set_yticks(range(len(value)), list(found))
    axis.set(title=title, xlabel=unit)
    axis.invert_yaxis()
    return figure


@exercise("Exercise 1, chroma and saturation")
def check_reds(answer):
    colors = np.asarray(answer, float)
    expect_shape(colors, (2, 3), "the pair of colours")
    low, high = colors.min(1), colors.max(1)
    (a, b), (first, second) = high - low, (high - low) / np.maximum(high, 1)
    found = f"the saturations are {first:.2f} and {second:.2f}"
    return {
        "a level lies outside 0..255.": low.min() < 0 or high.max() > 255,
        "levels go from 0 to 255 here, not from 0 to 1.": high.max() <= 1,
        f"max − min is {a:.0f} and {b:.0f}: both should be the same, at least 20.": abs(a - b) > 1 or min(a, b) < 20,
        f"{found}: the larger one should come first.": second >= 3 * first,
        f"{found}: the first should be three times the second.": first < 3 * second,
    }


MEANINGS = {  # what to measure for each claim, and what the source says of the Monets: 1 more, -1 less
    "S0: darker": ("brightness", -1),
    "S0: higher deviation": ("spread", 1),
    "S3: more intense colours": ("chroma", 1),
    "S3: more in green": ("green", 1),
}


@exercise("Exercise 2, claims as measures")
def check_meaning(answer):
    for claim, (measure, sign) in MEANINGS.items():
        pair = isinstance(answer, dict) and np.shape(answer.get(claim)) == (2,)
        refuse_if(not pair, f"{claim}: give a pair (measure, sign).")
        found, direction = answer[claim]
        others = ", ".join(MEASURES)
        refuse_if(found not in MEASURES, f"{claim}: there is no measure {found!r}. Choose among {others}.")
        refuse_if(direction not in (1, -1), f"{claim}: the sign is +1 or -1, not {direction!r}.")
        trap = f"{claim}: by saturation (40, 10, 10) is five times as intense as (190, 160, 160). Do your eyes agree?"
        refuse_if(found == "saturation", trap)
        refuse_if(found != measure, f"{claim}: {found!r} can be high in an image of which the claim is false.")
        refuse_if(direction != sign, f"{claim}: the sign is what the source says of Monets, be it true or not.")


# Grey; it leaves [-1, 1], so an answer has to clip it.
RAMP = np.tile(np.linspace(-1.1, 1.1, 256, dtype=np.float32)[None, :, None], (64, 1, 3))


@exercise(
    "Exercise 3, back to levels",
    expected=lambda: to_uint8(RAMP),
    drawn=lambda answer: answer(RAMP),
    alt="A grey ramp: black at the left edge, white at the right edge, and no jump between",
)
def check_back(answer):
    found, levels = answer_of(answer, RAMP), np.tile(LEVELS[None, :, None], (1, 1, 3))
    expect_shape(found, (64, 256, 3), "the picture", np.uint8)
    back = answer(levels.astype(np.float32) / 127.5 - 1)[0, :, 0].astype(int)
    between = int(answer(np.full((1, 1, 3), 100.3 / 127.5 - 1, np.float32))[0, 0, 0])
    lost, ends = np.flatnonzero(back != LEVELS), tuple(map(int, found[0, [0, -1], 0]))
    last = lost[-1] if len(lost) else 0
    lower = "come back one lower. Look at (x + 1) * 127.5 of one of them, and at what astype makes of it."
    return {
        f"{len(lost)} of 256 levels {lower}": len(lost) and (back[lost] == lost - 1).all(),
        f"{len(lost)} of 256 levels don't come back: level {last} becomes {back[last]}.": len(lost),
        f"100.3 becomes {between}: which level is nearer?": between != 100,
        f"-1.1 and 1.1 became {ends}: the darkest place should be 0, the brightest 255.": ends != (0, 255),
    }


@exercise("Exercise 4, batches")
def check_deal(answer):
    steps, times, never = map(float, answer)
    return {
        "7,038 steps are an epoch of batches of one photo.": steps == 7038,
        "in 1,760 steps of 4 you deal 7,040 photos. Where do the last two come from?": steps == 1760,
        f"an epoch deals 7,038 photos, 4 a step: not {steps} steps.": steps != 7038 // 4,
        f"{times:.4g} times: the batch size counts once, in the number of steps or in the number of paintings a step.":
            np.isclose(times, [4 * 7036 / 300, 7036 / 1200], 0.02).any(),
        f"each step deals 4 of 300 paintings: each comes not {times} times.": not np.isclose(times, 7036 / 300, 0.02),
        "300 is the number of photos that this zip does show.": never == 300,
        f"a zip ends with its shorter side: it leaves out not {never} of 7,038 photos.": never != 6738,
    }  # fmt: skip


PASSES = 40  # so many that a full shuffle leaves no image out of the first batch: (2/3)^40 is one in 11 million


@exercise("Exercise 5, a chain repaired")
def check_chain(answer):
    level = np.arange(0, 240, 15)
    number, row, column = np.meshgrid(np.arange(0, 240, 20), level, level, indexing="ij")
    images, read = np.stack([number, column, row], -1).astype(np.uint8), []

    def source():
        for number, image in enumerate(images):
            read.append(number)
            yield image

    signature = tf.TensorSpec((16, 16, 3), tf.uint8)
    data = answer_of(answer, tf.data.Dataset.from_generator(source, output_signature=signature), 8)
    refuse_if(not isinstance(data, tf.data.Dataset), f"return the Dataset, not a {type(data).__name__}.")
    passes = [[np.asarray(batch, np.float32) for batch in data] for _ in range(PASSES)]
    for batch in passes[0]:
        expect_shape(batch, (4, 8, 8, 3), "a batch")
    everything = np.concatenate([batch for batches in passes for batch in batches])
    low, high, red = everything.min(), everything.max(), everything[:, 0, 0, 0]
    numbers = np.rint(11 * (red - red.min()) / max(np.ptp(red), 1e-6)).astype(int).reshape(PASSES, -1)
    missed = 12 - len(set(numbers[0]))
    refuse_if(numbers.shape[1] != 12 or missed, f"a pass brings {numbers.shape[1]} of 12 images; {missed} are missing.")
    versions = {(k, x.tobytes()) for k, x in zip(numbers.ravel(), everything, strict=True)}
    groups = {frozenset(frozenset(batch) for batch in row.reshape(-1, 4)) for row in numbers}
    orders, outside = {tuple(row) for row in numbers}, set(range(12)) - set(numbers[:, :4].ravel())
    ends = abs(low + 1) > 0.01 or abs(high - 0.745) > 0.03  # 220 or 225, as the crops have it
    faults = {
        f"each of {PASSES} passes brings the same crops of the 12 images.": len(versions) <= 12,
        f"the images were read from the file {len(read)} times in {PASSES} passes.": len(read) > 12,
        "every pass brings the images in the same order.": len(orders) == 1,
        "the same four images are together in every pass.": len(groups) == 1 < len(orders),
        f"{len(outside)} of 12 images never come in the first batch of a pass.": len(groups) > 1 and outside,
        f"levels 0 to 225 have become {low:.2f} to {high:.2f}; tanh goes from -1 to 1.": ends,
    }
    left = [text for text, wrong in faults.items() if wrong]
    return {f"{len(left)} fault{'s' * (len(left) > 1)} to be seen. One of them: {text}": True for text in left}


@exercise("Exercise 6, an opponent of your own")
def check_opponent(answer):
    rng = np.random.default_rng(0)
    photos, paintings = (
        rng.integers(low, high, (count, 6, 6, 3), np.uint8).repeat(10, 1).repeat(10, 2)
        for count, low, high in ((5, 20, 220), (3, [120, 90, 60], [230, 160, 120]))
    )
    given = photos.copy(), paintings.copy()
    found = answer_of(answer, *given)
    changed = (given[0] != photos).any() or (given[1] != paintings).any()
    refuse_if(changed, "your function writes into the photos or paintings that it gets: work on a copy.")
    expect_shape(found, photos.shape, "the result", np.uint8)
    apart, kept = np.abs(found.astype(int) - photos).mean((1, 2, 3)), scene_kept(photos, found)
    other = answer(photos, paintings[..., ::-1])
    return {
        "your pictures are the photos themselves: nothing has changed.": (apart < 1).all(),
        f"photo {apart.argmin()} of 5 comes back as it was.": (apart < 1).any(),
        "each of your pictures has one single colour: is it scaled to 0..255?": np.isnan(kept),
        f"light is dark and dark is light: luminances correlate by {kept:.2f}.": kept < -0.3,
        f"the scene is lost: in luminance it correlates with the photo's by {kept:.2f}; 0.8 is asked for.": kept < 0.8,
        "two calls give two results: give your random numbers a seed.": (answer(*given) != found).any(),
        "with other paintings your pictures are the same: take something from them.": (other == found).all(),
    }


@exercise("Appendix, exercise 1, a record")
def check_record(answer):
    orange = np.rint(to_uint8(RAMP) * [1, 0.6, 0.3]).astype(np.uint8)  # the channels differ everywhere but in black
    Image.fromarray(orange).save(file := io.BytesIO(), "JPEG", quality=95)
    values = {"image": file.getvalue(), "image_name": b"ramp", "target": b"photo"}
    features = {k: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for k, v in values.items()}
    found = answer_of(answer, tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    two = isinstance(found, tuple) and len(found) == 2
    refuse_if(not two, f"return two things, (name, pixels), not a {type(found).__name__}.")
    name, pixels = found
    refuse_if(isinstance(name, bytes | np.bytes_), f"the name is {name!r}: bytes, not text.")
    refuse_if(name != "ramp", f"the name is {name!r}, not 'ramp': it stands in image_name.")
    refuse_if(tf.is_tensor(pixels), "the pixels are a tensor of TensorFlow; give a NumPy array.")
    expect_shape(pixels, (64, 256, 3), "the array of pixels")
    apart, turned = (np.abs(x.astype(int) - orange).max() for x in (pixels, pixels[..., ::-1]))
    return {
        f"the pixels are {pixels.dtype}; the levels of a JPEG are uint8.": pixels.dtype != np.uint8,
        "the orange has turned blue: this is BGR.": turned <= 12,
        f"the pixels are off by up to {apart} levels: are they those of the image?": apart > 12,
    }


# Of a record, the byte in which a bit is flipped.
PLACES = {"second record's data": 52, "second record's length": 2, "checksum of the second record's length": 8}


@exercise("Appendix, exercise 2, a reader of your own")
def check_walk(answer):
    records = [b"first", b"x" * 300, b""]
    shard, second = b"".join(map(framed, records)), len(framed(records[0]))  # the byte where the second record begins
    try:
        found = list(answer_of(answer, shard))
    except (ValueError, struct.error) as error:
        begins = f"Print the place where each record begins: the second one begins at byte {second}."
        return {f"an undamaged shard of 3 records: your reader stops with {error!r}. {begins}": True}
    whole = any(isinstance(one, tuple) for one in found) or found[:1] == [framed(b"first")]
    refuse_if(whole, "give the data alone: without the length and the two checksums around them.")
    refuse_if(not all(isinstance(one, bytes) for one in found), "give the bytes of each record.")
    sizes = [len(one) for one in found]
    refuse_if(found != records, f"{len(found)} records of {sizes} bytes; the shard holds 3, of 5, 300 and 0 bytes.")
    for part, place in PLACES.items():
        what, broken = f"a bit of the {part} flipped", bytearray(shard)
        broken[second + place] ^= 1
        try:
            list(answer(bytes(broken)))
        except ValueError:
            continue
        except Exception as error:
            late = "Was the length compared before it was used?"
            return {f"{what}: {type(error).__name__} instead of ValueError. {late}": True}
        return {f"{what}: you read on as if nothing had happened.": True}


def checksum(data: bytes) -> int:
    """The checksum that a TFRecord stores of bytes: their CRC-32C, turned by 15 bits, plus a constant."""
    return int.from_bytes(masked_checksum(data), "little")


def framed(data: bytes) -> bytes:
    """One record of a TFRecord file: length, its checksum, data, their checksum."""
    length = struct.pack("<Q", len(data))
    return length + masked_checksum(length) + data + masked_checksum(data)
