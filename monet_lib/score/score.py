"""Read the images of a folder, a zip or shards one by one, and check each.

Score generated images against real ones: FID, KID, memorization and MiFID, always with features and counts."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm.auto import tqdm

from monet_lib.data.reading import ImageSet, opened_image, opened_zip, read_batches, read_entry, strict_jpeg, upright
from monet_lib.files import UserError, reading
from monet_lib.score.metrics import frechet_distance, kernel_distance, memorization_distance, mifid
from monet_lib.score.networks import FeatureNetwork, feature_network

# scoring.sources
SCORED = (".jpg", ".jpeg", ".png")
LARGEST_SCORED = 1 << 24  # px of a picture to score, 4096x4096
LEAVE_OUT = "Leave it out."


def count_images(source: str | Path) -> int:
    """How many images `read_images` would yield without n."""
    listed = _listed(Path(source))
    return listed.count() if isinstance(listed, ImageSet) else len(listed)


def read_images(source: str | Path, n: int | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """Stream (name, uint8 (h, w, 3) RGB in 0..255) in name order, one image in memory at a time.

    source: a folder of JPEG and PNG files or of shards, a .zip of images, or one .tfrec. n: an even spread of that
    many. A zip is read where it is and never unpacked. Raises UserError for a missing, empty, damaged or unsafe source.
    """
    source = Path(source)
    listed, places = _listed(source), even_spread(count_images(source), n)
    if isinstance(listed, ImageSet):
        wanted = set(places)
        for place, ((name,), (image,)) in enumerate(read_batches(listed, 1)):
            if place in wanted:
                yield name, image
    elif source.is_dir():
        for file in (listed[place] for place in places):
            with reading(file, "JPEG or PNG", LEAVE_OUT):
                data = file.read_bytes()
            yield file.name, _decoded_image(data, file)
    else:
        with opened_zip(source) as (archive, _):
            for info in (listed[place] for place in places):
                yield info.filename, _decoded_image(read_entry(archive, info), f"{source}: {info.filename}")


def _listed(source):
    """An ImageSet of shards, or the sorted files of a folder, or the sorted ZipInfos of a zip, checked."""
    if source.suffix.lower() == ".zip" and source.is_file():
        with opened_zip(source) as (_, infos):
            pictures = [info for info in infos if _is_picture(info.filename)]
        if not pictures:
            raise UserError(f"{source}: no JPEG or PNG in it. Zip the images themselves.")
        return sorted(pictures, key=lambda info: info.filename)
    if source.suffix == ".tfrec" and source.is_file():
        return ImageSet("images", "tfrec", (source,))
    if not source.is_dir():
        found = "neither a folder, a .zip nor a .tfrec" if source.exists() else "no such file or folder"
        raise UserError(f"{source}: {found}. Name the images to score.")
    files = sorted(source.iterdir())
    images = [file for file in files if _is_picture(file.name)]
    shards = tuple(file for file in files if file.suffix == ".tfrec" and file.name[0] != ".")
    if images and shards:
        raise UserError(f"{source}: holds both images and shards. Name a folder of one kind.")
    if not images and not shards:
        raise UserError(f"{source}: no JPEG, PNG or .tfrec in it; folders inside are not searched. Name theirs.")
    return ImageSet("images", "tfrec", shards) if shards else images


def _is_picture(name):
    path = PurePosixPath(name)
    return path.suffix.lower() in SCORED and not path.name.startswith(".")


def _decoded_image(data, where):
    """The bytes of an image file as uint8 (h, w, 3), RGB, upright."""
    with opened_image(data, where, LEAVE_OUT, ("JPEG", "PNG"), "JPEG or PNG") as image:
        if image.width * image.height > LARGEST_SCORED:
            raise UserError(f"{where}: {image.width}x{image.height} px are too many. Scale it down.")
        if image.mode[0] in "IF":
            raise UserError(f"{where}: more than 8 bits a channel ({image.mode}). Convert it to RGB.")
        if image.format == "JPEG" and (damage := strict_jpeg(data, smallest=True)[1]):
            raise UserError(f"{where}: not a readable JPEG or PNG ({damage}). {LEAVE_OUT}")
        return np.asarray(upright(image).convert("RGB"))


def even_spread(total: int, n: int | None) -> list[int]:
    """n places of `total`, evenly apart, or all of them where n is None or more than there are."""
    if n is not None and n < 2:
        raise UserError(f"n must be 2 or more, got {n}: one image has no distribution.")
    count = total if n is None else min(n, total)
    return [place * total // count for place in range(count)]


# scoring.scores
@dataclass(frozen=True)
class Score:
    """The result of `score`, with what it depends on. FID, KID and MiFID: lower is better; MiFID as Kaggle has it.

    features: the feature network's name. canonical: whether that is the Inception graph of 2015; if not, every
    number is a proxy and is called so, and MiFID's threshold, made for that graph, may punish what copies nothing.
    generated, reference: images on each side.
    """

    features: str
    canonical: bool
    generated: int
    reference: int
    fid: float
    kid: float
    kid_std: float  # of one draw of the subset estimate
    memorization: float  # 0: copies of training images, 1: nothing in common; Kaggle punishes below 0.1
    mifid: float

    def __str__(self):
        proxy = "" if self.canonical else "proxy "
        lines = {
            f"{proxy}FID": f"{self.fid:.3f}",
            f"{proxy}KID": f"{self.kid:.5f} ± {self.kid_std:.5f}",
            f"{proxy}memorization distance": f"{self.memorization:.4f}",
            f"{proxy}MiFID": f"{self.mifid:.3f}",
        }
        head = f"{self.generated} generated against {self.reference} real images, features {self.features}"
        return "\n".join([head, *(f"{name:28}{value}" for name, value in lines.items())])

    def to_json(self) -> str:
        """One line of JSON. Without the canonical features the numbers' names begin with `proxy_`."""
        values = dict(vars(self))
        if not self.canonical:
            for name in ("fid", "kid", "kid_std", "memorization", "mifid"):
                values[f"proxy_{name}"] = values.pop(name)
        return json.dumps(values)


def score(
    generated: str | Path,
    reference: str | Path,
    train: str | Path | None = None,
    features: str | FeatureNetwork = "efficientnet-lite0",
    n: int | None = None,
) -> Score:
    """The Score of the images in `generated` against those in `reference`: folders, zips or shards.

    See `sources.read_images` for what these may be. train: where the training paintings are, for the
    memorization distance; None takes the reference images. features: a name from `features.NETWORKS`, or a
    FeatureNetwork. n: score an even spread of n generated images. FID depends on the numbers of images: compare only
    scores with equal ones. Deterministic. Raises UserError for anything that can't be read.
    """
    network = feature_network(features) if isinstance(features, str) else features
    made, real = extract(generated, network, n), extract(reference, network)
    return compare(network, made, real, None if train is None else extract(train, network))


def compare(
    network: FeatureNetwork, generated: np.ndarray, reference: np.ndarray, train: np.ndarray | None = None
) -> Score:
    """The Score of features that `network` gave: arrays (images, features). train: None takes the reference."""
    fid = frechet_distance(generated, reference)
    # Draws of all images would be equal and their deviation 0: take three quarters where there are few.
    size = max(2, min(250, 3 * min(len(generated), len(reference)) // 4))
    kid = kernel_distance(generated, reference, size=size)
    distance = memorization_distance(generated, reference if train is None else train)
    counts = len(generated), len(reference)
    return Score(network.name, network.canonical, *counts, fid, *kid, distance, mifid(fid, distance))


def extract(source: str | Path, network: FeatureNetwork, n: int | None = None) -> np.ndarray:
    """The features of the images in `source`, or of an even spread of n: float32 (images, features), in name order.

    Shows a progress bar.
    """
    source = Path(source)
    total = len(even_spread(count_images(source), n))
    images = tqdm(read_images(source, n), f"{source.name} ({network.name})", total, unit="image")
    return embed((image for _, image in images), network)


def embed(images: Iterable[np.ndarray], network: FeatureNetwork, batch: int = 32) -> np.ndarray:
    """The features of uint8 images (h, w, 3), an array or any iterable, run through the network in batches."""
    rows, waiting = [], []
    for image in images:
        if len(waiting) == batch or (waiting and image.shape != waiting[0].shape):
            rows.append(network(np.stack(waiting)))
            waiting = []
        waiting.append(image)
    if not waiting:
        raise UserError(f"features {network.name}: no images to score.")
    return np.concatenate([*rows, network(np.stack(waiting))])
