"""Score generated images against real ones: FID, KID, memorization and MiFID, always with features and counts."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from monet_lib.data.reading import count_images, read_images
from monet_lib.files import UserError
from monet_lib.score.metrics import frechet_distance, kernel_distance, memorization_distance, mifid
from monet_lib.score.networks import FeatureNetwork, feature_network


@dataclass(frozen=True)
class Score:
    """The result of `score`, with what it depends on. FID, KID and MiFID: lower is better; MiFID as Kaggle has it.

    features: the feature network's name. canonical: whether that is the Inception graph of 2015. If not, every number
    is a proxy and is called so; MiFID's threshold was made for that graph, and may then punish images that copy none.
    generated, reference: images on each side.
    """

    features: str
    canonical: bool
    generated: int
    reference: int
    fid: float
    kid: float
    kid_std: float  # standard deviation of one of the draws that kid is the mean of
    memorization: float  # 0: copies of training images, 1: nothing in common; Kaggle punishes below 0.1
    mifid: float

    def nearer_than(self, other: "Score") -> bool:
        """Whether this KID lies below the other by more than the deviations of both: less may be chance."""
        return self.kid + self.kid_std < other.kid - other.kid_std

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
    """The Score of the images in `generated` against those in `reference`: what `data.read_images` takes.

    train: where the training paintings are, for the memorization distance; None takes the reference images. features: a
    name from `networks.NETWORKS`, or a FeatureNetwork. n: score an even spread of n generated images. FID depends on
    the numbers of images: compare only scores with equal numbers. Deterministic. Raises UserError for images that can't
    be read.
    """
    network = feature_network(features) if isinstance(features, str) else features
    made, real = extract(generated, network, n), extract(reference, network)
    return compare(network, made, real, None if train is None else extract(train, network))


def compare(
    network: FeatureNetwork, generated: np.ndarray, reference: np.ndarray, train: np.ndarray | None = None
) -> Score:
    """The Score of features that `network` gave: arrays (images, features). train: None takes the reference."""
    fid = frechet_distance(generated, reference)
    # Draws of all images would be equal, with a deviation of 0: of few images a draw takes three quarters.
    size = max(2, min(250, 3 * min(len(generated), len(reference)) // 4))
    kid = kernel_distance(generated, reference, size=size)
    distance = memorization_distance(generated, reference if train is None else train)
    counts = len(generated), len(reference)
    return Score(network.name, network.canonical, *counts, fid, *kid, distance, mifid(fid, distance))


def extract(source: str | Path, network: FeatureNetwork, n: int | None = None) -> np.ndarray:
    """The features of the images in `source`, or of an even spread of n: float32 (images, features), in name order.

    Shows a progress bar.
    """
    label = f"{Path(source).name} ({network.name})"
    images = tqdm(read_images(source, n), label, count_images(source, n), unit="image")
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
