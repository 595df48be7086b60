"""Procedural landscapes: skies, hills, water, trees. The sample's "photos", and what its "paintings" are of."""

from collections import namedtuple

import numpy as np

from monet_lib.data.images import SIZE
from monet_lib.sample.canvas import COLUMN, ROW, set_tone, smooth_noise, soft_mix, soft_step
from monet_lib.sample.elements import REACH, ground, hills, sky, tree, water

# Light by time of day and colours by season, RGB in hexadecimal; `glow` is the haze around the sun.
Light = namedtuple("Light", "zenith low cloud cloud_shade sun shade glow")
Land = namedtuple("Land", "meadow leaves hills flowers tufts")
TIMES = {
    "noon": ("265cac b0d0e6 fffcf4 96a2b4 fff6dc 5c708c", 0.5),
    "dawn": ("7084b8 fad0b2 ffdec4 9684a6 ffd6a8 626088", 1),
    "sunset": ("3a4a84 ffac5c ffb270 705476 ffba70 54486a", 1),
    "overcast": ("808c9a ccd2d4 e2e4e6 808894 c8ccc8 7e868e", 0.2),
    "dusk": ("1a264e 928aa6 7a80a4 2c345a 7c88ac 343e5c", 0.7),
}
SEASONS = {  # the number is the contrast of the ground
    "spring": ("688e34 5c8a32 627648 f0e2e8", 0.1),
    "summer": ("7a8638 40662c 686c4a ce2c20", 0.1),
    "harvest": ("bea050 4e6830 8a7654 e2be3c", 0.1),
    "autumn": ("927c3e bc6822 7c644e b05428", 0.1),
    "winter": ("dce2ec 606058 aab2c2 dce2ec", 0.02),
}


def _rgb(colours):
    return np.frombuffer(bytes.fromhex(colours), np.uint8).reshape(-1, 3).astype(np.float32)


def scene(rng: np.random.Generator) -> np.ndarray:
    """A landscape, float32 (256, 256, 3) in about 0..255, painted from the sky to what is nearest."""
    colours, glow = TIMES[rng.choice(list(TIMES), p=(0.38, 0.2, 0.22, 0.1, 0.1))]
    light = Light._make([*_rgb(colours), glow])
    colours, tufts = SEASONS[rng.choice(list(SEASONS), p=(0.22, 0.27, 0.18, 0.2, 0.13))]
    land = Land._make([*_rgb(colours), tufts])
    layout = rng.choice(("lake", "sea", "river", "path", "meadow"), p=(0.38, 0.08, 0.2, 0.2, 0.14))
    horizon, leaf = rng.uniform(0.4, 0.62), smooth_noise(rng, (70, 70), octaves=2, gain=0.8)
    # Sun or moon stand low in coloured skies, else above the frame.
    sun = (rng.uniform(0.12, 0.88), horizon - rng.uniform(0.1, 0.28) if light.glow > 0.6 else -0.2)
    kinds = [kind for kind in REACH if rng.random() < 0.5] or ["round"]
    canvas = sky(rng, horizon, light, sun)
    if layout != "sea" or rng.random() < 0.7:
        canvas = hills(canvas, rng, horizon, light, land, sun)
    for _ in range(rng.integers(2, 5) if layout != "sea" else 0):  # woods at the far end
        centre, height = rng.random(), rng.uniform(0.04, 0.13)
        for x in rng.normal(centre, 0.16, rng.integers(5, 14)):
            foot, size = horizon + rng.uniform(0.01, 0.018), height * rng.uniform(0.6, 1.2)
            tree(canvas, rng, x, foot, size, rng.choice(kinds), light, land, sun, leaf, haze=0.22)
    depth = np.clip((ROW - horizon) / (1 - horizon), 0, 1)
    surface = water(canvas, rng, horizon + 0.01, light, sun)
    edge = smooth_noise(rng, (1, 6), (1, SIZE))[0]
    strip = np.full_like(ROW, -1)
    if layout in ("river", "path"):  # both wind through the meadow and grow wider towards the viewer
        bends = np.sin(rng.uniform(0, 6) + 6 * depth**0.6) * rng.uniform(0.05, 0.2) * depth**0.5
        middle = (
            0.5 + rng.uniform(-0.35, 0.35) * (1 - depth) + bends + 0.01 * smooth_noise(rng, (30, 1)) * depth
        )
        strip = (0.34 if layout == "river" else 0.16) * depth - 0.004 - np.abs(COLUMN - middle)
    if layout in ("lake", "sea"):
        canvas = soft_mix(canvas, surface, soft_step((ROW - horizon - 0.01) * SIZE / 1.5))
        slope = rng.choice((-1, 1)) * rng.uniform(0.1, 0.4) * (COLUMN[0] - 0.5)
        bank = rng.uniform(0.8, 1.05) + slope + 0.015 * edge
    else:
        bank = horizon + 0.012 + 0.006 * edge
    canvas = ground(canvas, rng, bank, horizon, light, land, strip, layout == "path")
    if layout == "river":
        canvas = soft_mix(
            canvas, canvas * 0.6, soft_step(strip * 30 + 0.6) * soft_step(depth * 4)
        )  # the bank's shade
        canvas = soft_mix(canvas, surface, soft_step(strip * SIZE / 2) * soft_step(depth * 60 - 1))
    for _ in range(rng.integers(1, 4)):  # trees close by frame the view
        x = rng.choice((rng.uniform(0, 0.3), rng.uniform(0.7, 1)))
        foot = bank[min(int(x * SIZE), SIZE - 1)] + rng.uniform(0.03, 0.2)
        size = rng.uniform(0.28, 0.6) * (0.6 + 0.5 * foot)
        if foot < 1.06 and strip[min(int(foot * SIZE), SIZE - 1), min(int(x * SIZE), SIZE - 1)] < -0.02:
            tree(canvas, rng, x, foot, size, rng.choice(kinds), light, land, sun, leaf)
    return canvas


def landscape(rng: np.random.Generator) -> np.ndarray:
    """A procedural landscape "photo": uint8 (256, 256, 3). rng: numpy.random.Generator."""
    image = set_tone(scene(rng), rng.normal(101, 18), rng.normal(59, 6))
    image += rng.uniform(0.05, 0.35) * (image.mean(-1, keepdims=True) - image)  # cameras differ in saturation
    image += rng.normal(0, 1.5, (SIZE, SIZE, 1))  # sensor noise
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)
