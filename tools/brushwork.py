"""Paint a picture in layers of brush strokes along its edges, in a Monet-like palette."""

import numpy as np
from PIL import Image

from monet_lib.data.reading import SIZE

# Brushes, coarse to fine: length, width, spacing (pixels), colour jitter, least detail they are used for.
BRUSHES = ((34, 14, 9, 9, 0), (21, 8.5, 6, 11, 0), (13, 5.2, 4, 12, 1), (8, 3.3, 3, 10, 4))
ANGLES = 24  # directions of a brush over half a turn
# Measured on the 300 paintings of the competition, in levels of 255: a picture's mean of each axis, the standard
# deviation of these means between pictures, the mean of the standard deviations within a picture.
AXES = np.array([[1 / 3, 1 / 3, 1 / 3], [1, 0, -1], [-0.5, 1, -0.5]], np.float32)  # light, red to blue, green
MONET = {"light": (130.2, 28.7, 45.3), "red to blue": (11.2, 29.4, 35.2), "green": (5.2, 9.8, 12.3)}


def _stamps(rng, length, width):
    """One brush: a list of ANGLES masks ("L"), slightly curved strokes with the streaks of bristles."""
    n = int(length * 0.65) * 2 + 5
    y, x = np.mgrid[:n, :n].astype(np.float32) - n // 2
    y += rng.uniform(-0.25, 0.25) * (x**2 / length - length / 12)
    mask = _soft_step((1 - np.abs(y) / width * 2) * 1.6) * _soft_step((length / 2 - np.abs(x)) / (0.15 * length))
    mask *= np.interp(y, np.arange(n) - n // 2, rng.uniform(0.5, 1, n))
    stroke = Image.fromarray((mask * 255).astype(np.uint8))
    return [stroke.rotate(180 * k / ANGLES, Image.Resampling.BICUBIC) for k in range(ANGLES)]


def _blur(array, size):
    small = Image.fromarray(array).resize((int(SIZE / size),) * 2, Image.Resampling.BOX)
    return np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC), np.float32)


def _strokes(rng, image):
    """Repaint `image` (float, 0..255) in layers of strokes along edges, coarse to fine (Hertzmann 1998)."""
    gy, gx = np.gradient(_blur(image.mean(-1).astype(np.float32), 2))
    xx, yy, xy = (_blur(product, 6) for product in (gx * gx, gy * gy, gx * gy))  # the structure tensor
    edges = (yy - xx - 2j * xy) / 12  # its phase: twice the angle along the edge; its size: how clear that is
    level = np.exp(0.8j * _smooth_noise(rng, (3, 3), octaves=2))  # where no edge is clear, strokes run nearly level
    angle = np.angle(edges + level) / 2
    detail = np.sqrt(np.maximum(xx + yy, 0))
    paint = image.clip(0, 255).astype(np.uint8)
    canvas = Image.new("RGBA", (SIZE, SIZE), (150, 140, 130, 128))  # the fourth channel is the paint's height
    for length, width, spacing, jitter, least in BRUSHES:
        brushes, colours = [_stamps(rng, length, width) for _ in range(3)], _blur(paint, max(2, width / 2))
        places = np.mgrid[0:SIZE:spacing, 0:SIZE:spacing].reshape(2, -1).T
        places = rng.permutation(places + rng.uniform(-0.6, 0.6, places.shape) * spacing)
        rows, columns = np.clip(places, 0, SIZE - 1).astype(int).T
        n, inks = len(rows), colours[rows, columns]
        inks = inks + rng.normal(0, 0.7 * jitter, (n, 3)) + rng.normal(0, 0.7 * jitter, (n, 1))
        inks = np.c_[np.clip(inks, 0, 255), rng.integers(60, 200, n)].astype(int).tolist()
        turns = -(angle[rows, columns] + rng.normal(0, 0.16, n)) / np.pi  # minus: rows count downwards
        turns = np.round(turns * ANGLES).astype(int) % ANGLES
        keep = np.flatnonzero(detail[rows, columns] >= least * rng.uniform(0.5, 1.5, n))
        half = brushes[0][0].width // 2
        for k in keep:
            corner = (int(columns[k]) - half, int(rows[k]) - half)
            canvas.paste(tuple(inks[k]), corner, brushes[k % 3][turns[k]])
    painted = np.asarray(canvas, np.float32)
    relief = painted[..., 3] - _shifted(painted[..., 3], 1, 1)
    return painted[..., :3] * (1 + 0.0016 * np.clip(relief, -60, 60)[..., None])  # light from the upper left


def repainted(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photograph, uint8 (256, 256, 3), as a painting of the same: Monet's measured colours, then brush strokes.

    Light and colour are moved to a mean and a spread drawn around the measured ones; a colour axis keeps half of the
    photograph's own mean, so that a meadow stays a meadow. rng: numpy.random.Generator.
    """
    x = photo.astype(np.float32) @ AXES.T
    for axis, (name, (mean, between, within)) in enumerate(MONET.items()):
        own, spread = x[..., axis].mean(), x[..., axis].std()
        aim = rng.normal(mean, 0.6 * between)
        if name != "light":
            aim = 0.5 * own + 0.5 * aim
        scale = np.clip(rng.normal(within, 0.15 * within) / max(spread, 1), 0.3, 1.8)
        x[..., axis] = aim + (x[..., axis] - own) * scale
    x[..., 0] = 128 + 112 * np.tanh((x[..., 0] - 128) / 112)  # next to no black, and no bare white
    image = np.clip(x @ np.linalg.inv(AXES).T, 0, 255)
    return np.clip(_strokes(rng, image) + 0.5, 0, 255).astype(np.uint8)


def _soft_step(x):
    """0 below 0, 1 above 1, smooth between: a stroke's soft edge."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _shifted(image, rows, columns):
    """`image` moved down and to the right, its edge repeated (np.roll would show a seam)."""
    where = (np.clip(np.arange(n) - k, 0, n - 1) for n, k in zip(image.shape, (rows, columns), strict=True))
    return image[np.ix_(*where)]


def _smooth_noise(rng, cells, octaves):
    """Fractal noise, float32 (256, 256), mean 0 and deviation 1; cells: rows, columns of the coarsest grid."""
    total = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(octaves):
        grid = rng.random([min(c * 2**octave, SIZE) + 2 for c in cells], np.float32)
        total += 0.5**octave * np.asarray(Image.fromarray(grid).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    return (total - total.mean()) / total.std()
