"""Two faults that skies show first, measured: a regular pattern where nothing is, and a sky that turns orange.

KID forgives both: a few skies in a hundred are few, and a weave of flecks is nearer to strokes than bare blue is. In
plain NumPy, on uint8 images (n, h, w, 3).
"""

from typing import Any

import numpy as np

SKY_PATCH = 32  # px
FLAT_SPREAD = 4.0  # levels of 255: a patch with less spread of luminance shows sky, fog, still water or a wall
LEAST_PATCHES = 6  # flat patches from which an image is measured
PERIODS = (2.0, 12.0)  # px: what is looked for; strokes and clouds are wider
ORANGE = 40.0  # levels that red is above blue in a sky that is called orange
COOL = 10.0  # and at most in the photo's sky, if it was not that before
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def flat_places(images: np.ndarray, grain: int = 1) -> np.ndarray:
    """Which patches of images are flat: bool (n, h // 32, w // 32), the spread measured after a gradient is taken out.

    grain: px of the squares that are averaged before: 8 for paintings, whose strokes don't count.
    """
    grey = _cut(np.asarray(images, np.float32) @ LUMINANCE)
    *before, size, _ = grey.shape
    coarse = grey.reshape(*before, size // grain, grain, size // grain, grain).mean((-3, -1))
    return _without_plane(coarse).std((-2, -1)) < FLAT_SPREAD


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
    """For each image with enough flat `places`, how many times `base`'s energy its strongest frequency has there.

    base: a `spectrum`. Returns floats, one for each image that is measured. About 1 to 3 in paintings by Monet, against
    the spectrum of all of them; a weave that the eye sees has 10 and more.
    """
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SKY_PATCH)] * 2))
    watched = (frequency > 1 / PERIODS[1]) & (frequency <= 1 / PERIODS[0])
    cut = _cut(images)
    measured = np.flatnonzero(places.sum((1, 2)) >= LEAST_PATCHES)
    return np.array([(spectrum(cut[k][places[k]]) / base)[watched].max() for k in measured])


class Skies:
    """The two measures against one set of paintings. paintings: uint8 (n, h, w, 3)."""

    def __init__(self, paintings: np.ndarray) -> None:
        places = flat_places(paintings, grain=8)
        self.base = spectrum(_cut(paintings)[places]) if places.any() else None
        own = patterns(paintings, places, self.base) if places.any() else np.array([])
        self.own = float(np.quantile(own, 0.9)) if len(own) else None

    def pattern(self, photos: np.ndarray, painted: np.ndarray) -> float:
        """How patterned the flat places of `photos` are in `painted`: 1 is as in paintings, more is worse.

        The 90th percentile over images of `patterns`, divided by the paintings' own; nan where nothing is flat.
        """
        if self.own is None:
            return float("nan")
        found = patterns(painted, flat_places(photos), self.base)
        return float(np.quantile(found, 0.9)) / self.own if len(found) else float("nan")

    @staticmethod
    def orange(photos: np.ndarray, painted: np.ndarray) -> float:
        """The share of skies that turned orange or yellow and had another colour before; nan where no sky is flat."""
        turned = turned_orange(photos, painted)
        return float(np.mean(turned)) if len(turned) else float("nan")


def sky_places(photos: np.ndarray) -> np.ndarray:
    """The flat places in the upper half of photos, as `flat_places` gives them, with none below."""
    places = flat_places(photos)
    places[:, places.shape[1] // 2 :] = False
    return places


def turned_orange(photos: np.ndarray, painted: np.ndarray) -> Any:
    """Whether the sky of each photo with enough flat places above is orange in `painted` and was not before."""
    places = sky_places(photos)
    warmth = []
    for images in (photos, painted):
        cut = _cut(images)
        colours = [cut[k][places[k]].mean((0, 1, 2)) for k in np.flatnonzero(places.sum((1, 2)) >= LEAST_PATCHES)]
        warmth.append(np.array([red - blue for red, _, blue in colours]))
    before, after = warmth
    return (before < COOL) & (after > ORANGE)


def _cut(images):
    """(n, h, w, ...) cut into (n, h // 32, w // 32, 32, 32, ...); what is left at the right and below is dropped."""
    images = np.asarray(images)
    rows, columns = (side // SKY_PATCH for side in images.shape[1:3])
    images = images[:, : rows * SKY_PATCH, : columns * SKY_PATCH]
    return images.reshape(len(images), rows, SKY_PATCH, columns, SKY_PATCH, *images.shape[3:]).swapaxes(2, 3)


def _without_plane(patches):
    """(..., size, size) less the plane that fits each best: a sky that grows paler towards the horizon is flat."""
    size = patches.shape[-1]
    line = np.arange(size, dtype=np.float32) - (size - 1) / 2
    mean = patches.mean((-2, -1), keepdims=True)
    slopes, scale = (line[:, None], line[None]), (line**2).mean()
    down, right = (((patches - mean) * slope).mean((-2, -1), keepdims=True) / scale * slope for slope in slopes)
    return patches - mean - down - right
