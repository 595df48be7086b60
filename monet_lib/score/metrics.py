"""How good paintings are, measured in NumPy alone: FID, KID and MiFID, variety, the scene, and faults of skies.

FID, KID and the memorization distance take features as (generated, real): two float arrays (images, features) from one
feature network, at least 2 rows each and all of them finite, or they raise UserError. Sums are float64. Scores can be
compared only where the feature network and the numbers of images are the same: state both beside a score.
"""

import numpy as np

from monet_lib.files import UserError

BLOCK = 1 << 22  # values of the largest table of pairs held at once: 32 MB
EPSILON = 1e-14  # Kaggle's, which keeps MiFID finite for copies


def frechet_distance(generated: np.ndarray, real: np.ndarray) -> float:
    """FID: the squared distance of the two Gaussians fitted to the features (Heusel et al. 2017, eq. 6).

    |mean_g - mean_r|^2 + Tr(C_g + C_r - 2 (C_g C_r)^1/2), covariances with n - 1. Returns a float, 0 or more.

    No matrix square root: with A and B the rows, centred and divided by sqrt(n - 1), C_g = A'A and C_r = B'B, and the
    eigenvalues of C_g C_r are the squared singular values of A B'. So the last trace is the sum of those singular
    values, exact also for fewer images than features, where C is singular. With fewer images, FID is larger.
    """
    g, r = _finite_pair("frechet_distance", generated, real)
    shift = g.mean(0) - r.mean(0)
    a, b = ((x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (g, r))
    spread = np.sum(a * a) + np.sum(b * b)
    if min(a.shape[0], b.shape[0]) > a.shape[1]:
        # More images than features on both sides: R of A = QR has the singular values and fewer rows.
        a, b = np.linalg.qr(a, "r"), np.linalg.qr(b, "r")
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(0.0, float(shift @ shift + spread - 2 * shared))  # below 0 only by rounding


def kernel_distance(
    generated: np.ndarray, real: np.ndarray, subsets: int = 100, size: int = 250, seed: int = 0
) -> tuple[float, float]:
    """KID: the squared MMD with the kernel (x.y / features + 1)^3, without bias (Bińkowski et al. 2018).

    Each of `subsets` seeded draws takes `size` images of either side, or as many as the smaller side has. Returns
    (mean, standard deviation) over the draws. The mean does not depend on the number of images and is slightly
    negative as often as positive for equal distributions. The deviation is that of one draw, not of the mean, and
    shrinks to 0 as `size` nears the number of images, when all draws are the same.
    """
    g, r = _finite_pair("kernel_distance", generated, real)
    if subsets < 1 or size < 2:
        raise UserError(f"kernel_distance: needs subsets >= 1 and size >= 2, got {subsets} and {size}.")
    rng, size = np.random.default_rng(seed), min(size, len(g), len(r))
    draws = []
    for _ in range(subsets):
        x, y = (z[rng.choice(len(z), size, replace=False)] for z in (g, r))
        within = sum(k.sum() - np.trace(k) for k in (_cubic_kernel(x, x), _cubic_kernel(y, y)))
        draws.append(within / (size * (size - 1)) - 2 * _cubic_kernel(x, y).mean())
    return float(np.mean(draws)), float(np.std(draws))


def memorization_distance(generated: np.ndarray, train: np.ndarray) -> float:
    """How near the generated images are to copies of training images, from 0 (copies) to 1 (Bai et al. 2021).

    The mean over the GENERATED images of the minimum over the TRAINING images of 1 - |cos|. Some libraries exchange
    the two, which asks whether every painting was copied. A row of zeros is at distance 1 from all rows. Computed in
    blocks: beside the features, 32 MB of memory at any number of images.
    """
    pair, least = _finite_pair("memorization_distance", generated, train), np.finfo(np.float64).tiny
    g, t = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), least) for x in pair)
    nearest = [1 - np.abs(g[rows] @ t.T).max(1) for rows in _row_blocks(len(g), len(t))]
    return max(0.0, float(np.concatenate(nearest).mean()))


def mifid(fid: float, distance: float, threshold: float = 0.1) -> float:
    """MiFID, Kaggle's score: FID / (d' + 1e-14). d' is the memorization distance where it is below `threshold`, else 1.

    The score jumps tenfold at the threshold, so report FID and the distance beside it.
    """
    if not (fid >= 0 and distance >= 0):
        raise UserError(f"mifid: needs a FID and a distance of 0 or more, got {fid} and {distance}.")
    return fid / ((distance if distance < threshold else 1.0) + EPSILON)


def _cubic_kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def _row_blocks(rows, columns):
    """Slices that cover `rows`, so that a slice times `columns` holds at most BLOCK values (or one row)."""
    step = max(1, BLOCK // columns)
    return [slice(start, start + step) for start in range(0, rows, step)]


def _finite_pair(caller, generated, real):
    """Both feature arrays in float64. Raises UserError for anything that would give a meaningless number."""
    pair = []
    for side, features in (("first", generated), ("second", real)):
        where = f"{caller}: the {side} features"
        x = np.asarray(features, np.float64)
        if x.ndim != 2 or x.shape[1] < 1:
            raise UserError(f"{where} have shape {x.shape}. Pass an array (images, features).")
        if len(x) < 2:
            raise UserError(f"{where} are of {len(x)} image{'s' * (len(x) != 1)}. At least 2 are needed.")
        if not np.isfinite(x).all():
            bad = int(np.argmin(np.isfinite(x).all(1)))
            raise UserError(f"{where} hold NaN or infinity (row {bad}). Look at that image.")
        pair.append(x)
    if pair[0].shape[1] != pair[1].shape[1]:
        raise UserError(f"{caller}: {pair[0].shape[1]} features against {pair[1].shape[1]}. "
                        "Both sides must come from one feature network.")  # fmt: skip
    return pair


def diversity(images: np.ndarray, real: np.ndarray | None = None, cells: int = 8) -> float:
    """How much a generator's images differ from each other: the standard deviation over images, cell by cell.

    images: (n, h, w, 3), from n different latents. real: (m, h, w, 3): the result is divided by the deviation of these
    images, so that 1 is the variety of real images and 0 is one picture for every latent: mode collapse. Each image is
    first averaged over `cells` x `cells` squares, so that fine noise doesn't count as variety.
    """
    images = np.asarray(images, np.float64)
    n, height, width = images.shape[:3]
    if height % cells or width % cells:
        raise UserError(f"diversity: {height}x{width} px don't divide into {cells}x{cells} cells. Choose other cells.")
    coarse = images.reshape(n, cells, height // cells, cells, width // cells, -1).mean((2, 4))
    spread = float(np.sqrt(coarse.var(0).mean()))
    return spread if real is None else spread / diversity(real, None, cells)


def scene_kept(photos: np.ndarray, painted: np.ndarray) -> float:
    """Mean correlation of the luminance of photos and their paintings, (n, h, w, 3) both, over pairs that aren't flat.

    At 1 the paintings keep the scene, at 0 they show another scene, below 0 they invert it; nan where all are flat.
    """
    pairs = zip(np.asarray(photos).mean(-1), np.asarray(painted).mean(-1), strict=True)
    kept = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs if a.std() > 0 and b.std() > 0]
    return float(np.mean(kept)) if kept else float("nan")


# Faults that skies show first: a regular pattern where the photo is smooth, a grain like linen over nights, and a sky
# that turns orange. KID hardly sees them: few photos in a hundred are skies, and a weave of flecks is nearer to strokes
# than a smooth blue is.
# Images are uint8 (n, h, w, 3).
SKY_PATCH = 32  # px
FLAT_SPREAD = 4.0  # levels of 255: a patch with less spread of luminance shows sky, fog, still water or a wall
LEAST_PATCHES = 6  # an image with fewer flat patches isn't measured
PERIODS = (2.0, 12.0)  # px: periods of a pattern; strokes and clouds are wider
ORANGE = 40.0  # levels: a sky with red so far above blue is called orange
DARK = 64.0  # levels of luminance: a patch below them is dark
COOL = 10.0  # levels: a photo's sky with red less far above blue is not orange
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


class Skies:
    """These measures against one set of paintings. paintings: uint8 (n, h, w, 3)."""

    def __init__(self, paintings: np.ndarray) -> None:
        places = flat_places(paintings, grain=8)
        self.base = spectrum(_patches(paintings)[places]) if places.any() else None
        own = patterns(paintings, places, self.base) if places.any() else np.array([])
        self.own = float(np.quantile(own, 0.9)) if len(own) else None

    def pattern(self, photos: np.ndarray, painted: np.ndarray) -> float:
        """How patterned `painted` is in the flat places of `photos`: 1 is as in paintings, more is worse.

        The 90th percentile over images of `patterns`, divided by that of the paintings; nan where nothing is flat.
        """
        if self.own is None:
            return float("nan")
        found = patterns(painted, flat_places(photos), self.base)
        return float(np.quantile(found, 0.9)) / self.own if len(found) else float("nan")

    def linen(self, photos: np.ndarray, painted: np.ndarray, darkest: int = 40) -> float:
        """The share of nights that are painted with a grain like linen; nan where no night has flat squares.

        Nights are the `darkest` of the photos by mean luminance. A grain is a pattern in their dark and flat squares
        that is stronger than the 90th percentile of the paintings.
        """
        nights = np.argsort((photos @ LUMINANCE).mean((1, 2)), kind="stable")[:darkest]
        if self.own is None or not len(nights):
            return float("nan")
        photos, painted = photos[nights], painted[nights]
        places = flat_places(photos) & (_patches(photos @ LUMINANCE).mean((-2, -1)) < DARK)
        found = patterns(painted, places, self.base)
        return float(np.mean(found > self.own)) if len(found) else float("nan")

    @staticmethod
    def orange(photos: np.ndarray, painted: np.ndarray) -> float:
        """The share of skies that are orange or yellow in `painted` and not in `photos`; nan where no sky is flat."""
        places = sky_places(photos)
        before, after = (
            np.array([_warmth(each[sky]) for each, sky in zip(_patches(images), places, strict=True) if _enough(sky)])
            for images in (photos, painted)
        )
        return float(np.mean((before < COOL) & (after > ORANGE))) if len(before) else float("nan")


def flat_places(images: np.ndarray, grain: int = 1) -> np.ndarray:
    """Which patches of images are flat: bool (n, h // 32, w // 32). A gradient over a patch doesn't count as spread.

    grain: px of the squares that are averaged before: 8 for paintings, so that strokes don't count as spread either.
    """
    grey = _patches(np.asarray(images, np.float32) @ LUMINANCE)
    *before, size, _ = grey.shape
    coarse = grey.reshape(*before, size // grain, grain, size // grain, grain).mean((-3, -1))
    return _without_plane(coarse).std((-2, -1)) < FLAT_SPREAD


def sky_places(photos: np.ndarray) -> np.ndarray:
    """The flat places in the upper half of photos, as `flat_places` gives them; False in the lower half."""
    places = flat_places(photos)
    places[:, places.shape[1] // 2 :] = False
    return places


def spectrum(patches: np.ndarray) -> np.ndarray:
    """Mean energy at each frequency of patches (m, 32, 32, 3): (32, 32) in squared levels, summed over the colours.

    The frequency at [j, k] is j / 32 and k / 32 cycles per pixel, as `numpy.fft.fftfreq` counts them. The edges are
    faded out (Hann) so that they don't count as a pattern, and each value is averaged with its neighbours.
    """
    window = np.hanning(SKY_PATCH + 2)[1:-1]
    window = window[:, None] * window[None]
    window /= np.sqrt((window**2).mean())
    flat = _without_plane(np.moveaxis(np.asarray(patches, np.float32), -1, 1)) * window.astype(np.float32)
    energy = (np.abs(np.fft.fft2(flat)) ** 2).sum(1).mean(0) / SKY_PATCH**4
    shifts = [(j, k) for j in (-1, 0, 1) for k in (-1, 0, 1)]
    return np.mean([np.roll(energy, shift, (0, 1)) for shift in shifts], 0)


def patterns(images: np.ndarray, places: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The energy of the strongest frequency in the flat `places` of each image, divided by the energy in `base`.

    base: a `spectrum`. Returns floats, one for each image with LEAST_PATCHES flat places. About 1 to 3 in paintings by
    Monet, against the spectrum of all of them; 10 and more in a weave that the eye sees.
    """
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SKY_PATCH)] * 2))
    watched = (frequency > 1 / PERIODS[1]) & (frequency <= 1 / PERIODS[0])
    flat = (each[flat] for each, flat in zip(_patches(images), places, strict=True) if _enough(flat))
    return np.array([(spectrum(patches) / np.maximum(base, 1e-9))[watched].max() for patches in flat])


def _enough(places):
    return places.sum() >= LEAST_PATCHES


def _warmth(patches):
    """Mean red less mean blue of patches (m, 32, 32, 3)."""
    red, _, blue = patches.mean((0, 1, 2))
    return red - blue


def _patches(images):
    """(n, h, w, ...) cut into (n, h // 32, w // 32, 32, 32, ...), without the rests at the right and the lower edge."""
    images = np.asarray(images)
    rows, columns = (side // SKY_PATCH for side in images.shape[1:3])
    images = images[:, : rows * SKY_PATCH, : columns * SKY_PATCH]
    return images.reshape(len(images), rows, SKY_PATCH, columns, SKY_PATCH, *images.shape[3:]).swapaxes(2, 3)


def _without_plane(patches):
    """(..., size, size) minus the best-fitting plane of each: a sky that grows paler towards the horizon is flat."""
    size = patches.shape[-1]
    line = np.arange(size, dtype=np.float32) - (size - 1) / 2
    mean = patches.mean((-2, -1), keepdims=True)
    slopes, scale = (line[:, None], line[None]), (line**2).mean()
    down, right = (((patches - mean) * slope).mean((-2, -1), keepdims=True) / scale * slope for slope in slopes)
    return patches - mean - down - right
