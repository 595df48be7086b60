"""Noise and soft edges: what procedural landscapes and brush strokes are made of."""

from typing import Any

import numpy as np
from PIL import Image

from monet_lib.data.images import SIZE

ROW, COLUMN = np.mgrid[:SIZE, :SIZE].astype(np.float32) / SIZE  # 0..1, downwards and to the right


def soft_step(x: Any) -> Any:
    """0 below 0, 1 above 1, smooth between: the soft edge of every mask here."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def soft_mix(below: Any, above: Any, mask: np.ndarray) -> np.ndarray:
    return below + (above - below) * mask[..., None]


def shifted(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """`image` moved down and to the right, its edge repeated (np.roll would show a seam)."""
    where = (np.clip(np.arange(n) - k, 0, n - 1) for n, k in zip(image.shape, (rows, columns), strict=True))
    return image[np.ix_(*where)]


def smooth_noise(
    rng: np.random.Generator,
    cells: tuple[int, int],
    shape: tuple[int, int] = (SIZE, SIZE),
    octaves: int = 5,
    gain: float = 0.5,
) -> np.ndarray:
    """Fractal noise, float32 `shape`, mean 0 and deviation 1; cells: rows, columns of the coarsest grid."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        grid = rng.random([min(c * 2**octave, n) + 2 for c, n in zip(cells, shape, strict=True)], np.float32)
        enlarged = Image.fromarray(grid).resize(shape[::-1], Image.Resampling.BICUBIC)
        total += gain**octave * np.asarray(enlarged)
    return (total - total.mean()) / total.std()


def plane_noise(
    rng: np.random.Generator, depth: np.ndarray, cells: float, stretch: float, octaves: int = 4
) -> np.ndarray:
    """Noise on a plane seen in perspective. depth: (256, 256), 0 at the horizon and 1 at the viewer."""
    z, total = 1 / (depth + 0.06), np.zeros_like(depth)
    for f in cells * 2.0 ** np.arange(octaves):
        grid = rng.standard_normal((64, 64)).astype(np.float32)
        u, v = (COLUMN - 0.5) * z * f / stretch + 32, z * f
        i, j = np.floor(v).astype(int), np.floor(u).astype(int)
        a, b = soft_step(v - i), soft_step(u - j)
        near, far = (grid[r % 64, j % 64] * (1 - b) + grid[r % 64, (j + 1) % 64] * b for r in (i, i + 1))
        # Cells smaller than a pixel would alias: fade them out towards the horizon.
        total += (cells / f) ** 0.74 * (near * (1 - a) + far * a) / (1 + (2 * f * z**2 / SIZE) ** 2)
    return total


def set_tone(image: np.ndarray, mean: float, spread: float) -> np.ndarray:
    """Bring mean and standard deviation (0..255) near those asked for: half by exposure, half by gamma."""
    image = np.clip(image, 0, 255) / 255
    image = image * np.clip(np.sqrt(mean / 255 / image.mean()), 0.6, 1.2)
    image = image ** np.clip(np.log(mean / 255) / np.log(image.mean()), 0.5, 2)
    return 255 * ((image - image.mean()) * np.clip(spread / 255 / image.std(), 0.6, 1.6) + image.mean())
