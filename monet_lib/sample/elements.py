"""What a procedural landscape is put together from: sky, hills, trees, water, ground."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from monet_lib.data.images import SIZE
from monet_lib.sample.canvas import COLUMN, ROW, plane_noise, shifted, smooth_noise, soft_mix, soft_step

REACH = {"round": 0.58, "poplar": 0.24, "conifer": 0.27}  # half a tree's width, in heights


def sky(rng: np.random.Generator, horizon: Any, light: Any, sun: Any) -> np.ndarray:
    up = np.clip(1 - ROW / horizon, 0, 1)
    distance = np.hypot(COLUMN - sun[0], ROW - sun[1])
    canvas = soft_mix(light.low, light.zenith, up**0.7)
    canvas = soft_mix(
        canvas, np.minimum(light.low * 0.4 + 160, 255), 0.7 * np.exp(-distance * 4.5) * light.glow
    )
    cloud = 0.8 * smooth_noise(rng, (4, 3), octaves=7, gain=0.55) + 0.35 * plane_noise(rng, up, 0.8, 2.5)
    thick = cloud - rng.uniform(-0.5, 1.2)
    lit = 0.66 + 0.4 * (cloud - shifted(cloud, 6, 4 if sun[0] < 0.5 else -4)) - 0.14 * np.maximum(thick, 0)
    clouds = soft_mix(light.cloud_shade, light.cloud, soft_step(lit))
    canvas = soft_mix(canvas, clouds, 0.95 * soft_step(thick / 1.3) * soft_step(up * 5))
    return soft_mix(canvas, np.array((255, 250, 226)), soft_step((0.026 - distance) * SIZE / 2))


def hills(
    canvas: np.ndarray, rng: np.random.Generator, horizon: Any, light: Any, land: Any, sun: Any
) -> np.ndarray:
    """Ranges from far to near; each is less hazy and lower than the one behind it."""
    ranges, height = rng.integers(2, 5), rng.uniform(0.12, 0.5) * horizon
    for near in np.arange(1, ranges + 1) / ranges:
        ridge = smooth_noise(rng, (1, 3), (1, SIZE), octaves=6, gain=0.42)[0]
        top = horizon - height * (1.05 - 0.85 * near) * (1 + 0.38 * ridge) - 0.012
        relief = smooth_noise(rng, (5, 4), octaves=6)
        slope = relief - shifted(relief, 2, 4 if sun[0] < 0.5 else -4)
        lit = soft_step(0.5 + 0.45 * slope + 0.12 * near * smooth_noise(rng, (90, 70), octaves=2))
        colour = soft_mix(land.hills, land.leaves * 0.8, soft_step(relief * 0.4 + near - 0.2)) / 255
        colour *= soft_mix(light.shade, light.sun, lit)
        haze = 0.12 + (1 - near) * (0.8 + 0.25 * soft_step((ROW - top) / height))
        colour = soft_mix(colour, light.low * 0.75 + light.zenith * 0.25, haze)
        canvas = soft_mix(canvas, colour, soft_step((ROW - top) * SIZE / 1.5))
    return canvas


def tree(
    canvas: np.ndarray,
    rng: np.random.Generator,
    x: float,
    foot: float,
    height: float,
    kind: str,
    light: Any,
    land: Any,
    sun: Any,
    leaf: np.ndarray,
    haze: float = 0.0,
) -> None:
    """Paint one tree into `canvas`. x, foot, height: fractions of the image; leaf: fine noise (256, 256)."""
    reach = REACH[kind] * height
    ends = (foot - 1.03 * height, foot), (x - reach, x + reach)
    box = tuple(slice(*np.clip((int(a * SIZE), int(b * SIZE) + 2), 0, SIZE)) for a, b in ends)
    if canvas[box].size == 0:
        return
    u, v = (COLUMN[box] - x) / height, (foot - ROW[box]) / height  # in heights, from the foot, upwards
    side = 1 if sun[0] > x else -1
    leaf = np.roll(leaf, rng.integers(0, SIZE, 2), (0, 1))[box]
    if kind == "conifer":  # drooping tiers
        tier = (1 - v - 0.5 * np.abs(u)) * rng.integers(6, 10) % 1
        crown = np.where(v > 0.07, (1 - v) * (0.15 + 0.1 * tier) - np.abs(u), -1) * 22
        lit, leaves = 0.5 + 1.6 * u * side - 0.3 * tier, np.array((62, 92, 52))
    else:  # clumps: spheres, each lit on its own
        n, smallest = (60, 0.05) if height > 0.12 else (12, 0.09)
        slim = 0.25 if kind == "poplar" else 1
        cv, r = rng.uniform(0.3, 0.88, n), rng.uniform(smallest, 0.12, n) * slim**0.25
        cu = rng.uniform(-0.42, 0.42, n) * slim * np.sqrt(np.clip(1 - ((cv - 0.54) / 0.38) ** 2, 0.05, 1))
        du, dv = u - cu[:, None, None], v - cv[:, None, None]
        clumps = 1 - (du**2 + dv**2) / r[:, None, None] ** 2
        crown, front = clumps.max(0) * 1.8, clumps.argmax(0)[None]
        nu, nv = (np.take_along_axis(d, front, 0)[0] for d in (du, dv))
        lit, leaves = 0.34 + (2 * nu + 0.5 * u) * side + 1.7 * nv + 0.35 * (v - 0.5), land.leaves
    leaves = leaves * rng.uniform(0.85, 1.15, 3) * (1 + 0.1 * leaf[..., None]) / 255
    leaves *= soft_mix(light.shade * 0.75, light.sun * 1.15, soft_step(lit + 0.14 * leaf))
    bend = rng.uniform(-0.03, 0.03)
    trunk = soft_step((0.034 - 0.025 * v - np.abs(u + bend * np.sin(v * 9))) * height * SIZE) * (v < 0.6)
    patch = soft_mix(canvas[box], np.array((62, 50, 42)) / 510 * (light.sun + light.shade), trunk)
    foliage = soft_step(crown + 0.5 * leaf * min(1, height * 4) + 0.15)
    canvas[box] = soft_mix(patch, leaves + (light.low - leaves) * haze, foliage)


def water(canvas: np.ndarray, rng: np.random.Generator, shore: Any, light: Any, sun: Any) -> np.ndarray:
    """A water surface below the row `shore`: what is above it mirrored and broken up by ripples."""
    depth, wind = np.clip((ROW - shore) / (1 - shore), 0, 1), rng.uniform(0.3, 1)
    ripple = wind * plane_noise(rng, depth, 5, stretch=2.5)
    rows = np.abs(2 * shore - ROW) * SIZE + ripple * (0.25 + depth) * 9
    rows = np.clip(rows, 0, shore * SIZE - 1).astype(int)
    columns = np.clip(COLUMN * SIZE + ripple * depth * 3, 0, SIZE - 1).astype(int)
    deep = (light.zenith * 0.45 + light.shade * 0.25) * (0.72, 0.95, 0.9)
    water = soft_mix(canvas[rows, columns] * 0.93, deep, 0.12 + 0.42 * depth + 0.1 * np.clip(ripple, -1, 1))
    beam = np.exp(-(((COLUMN - sun[0]) / (0.03 + 0.09 * depth)) ** 2)) * (sun[1] > 0)
    return soft_mix(water + 8 * ripple[..., None], light.cloud, 0.8 * beam * soft_step(ripple * 2 + 0.1))


def ground(
    canvas: np.ndarray,
    rng: np.random.Generator,
    top: np.ndarray,
    horizon: Any,
    light: Any,
    land: Any,
    strip: Any,
    path: Any,
) -> np.ndarray:
    """Meadow below the curve `top` (256,): shadows, tufts, blades, flowers; nothing grows where strip > 0."""
    depth = np.clip((ROW - horizon) / (1 - horizon), 0, 1)
    tufts, patches = plane_noise(rng, depth, 7, 1.6), plane_noise(rng, depth, 0.8, 2, octaves=3)
    albedo = land.meadow * (1 + land.tufts * (tufts + patches))[..., None]
    albedo = soft_mix(albedo, land.leaves * 0.9, 6 * land.tufts * soft_step(patches * 0.7 - 0.1))
    if path:
        sand = np.array((186, 164, 128)) * (1 + 0.09 * tufts[..., None])
        albedo = soft_mix(albedo, sand, 0.9 * soft_step(strip * 30))
    lit = soft_step(0.62 + 0.5 * plane_noise(rng, depth, 0.35, 3, octaves=2) + 1.6 * land.tufts * tufts)
    colour = soft_mix(
        albedo / 255 * soft_mix(light.shade, light.sun, lit), light.low, 0.4 * np.exp(-depth * 9)
    )
    canvas = soft_mix(canvas, colour, soft_step((ROW - top) * SIZE / 2))
    big = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8)).resize((2 * SIZE, 2 * SIZE))
    draw, flowers, centre = ImageDraw.Draw(big), rng.choice((0, 0.35)), rng.uniform(0.1, 0.9)
    # All chances are drawn beforehand, so that a rounding error moves one blade and not all that follow.
    chance = rng.random((int(26000 * land.tufts), 5))
    chance[:, 0] = np.sort(1 - (1 - horizon) * (1 - chance[:, 0] ** 0.75))  # far to near
    for y, x, kind, length, tone in chance.tolist():
        near, (i, j) = (y - horizon) / (1 - horizon), (int(y * SIZE), int(x * SIZE))
        if y < top[j] + 0.012 or near < 0.08 or strip[i, j] > 0:
            continue
        x2, y2 = 2 * SIZE * x, 2 * SIZE * y  # drawn at twice the size, for smooth edges
        if kind < flowers and abs(x - centre) < 0.3:
            r, colour = 0.5 + 2.8 * near**1.4, land.flowers / 255 * light.sun * (0.7 + 0.35 * tone)
            draw.ellipse((x2 - r, y2 - r * 0.7, x2 + r, y2 + r * 0.7), tuple(colour.astype(int)))
        else:
            tip, colour = (x2 + 20 * (kind - 0.5) * near, y2 - (6 + 20 * length) * near**1.3), canvas[i, j]
            ink = (colour * (0.72 + 0.58 * tone)).astype(int)
            draw.line((x2, y2, *tip), tuple(ink), 2 if near > 0.6 else 1)
    return np.asarray(big.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32)
