import csv

import numpy as np
import pytest

from monet_lib.score.metrics import LEAST_PATCHES, Skies, flat_places, patterns, sky_places, spectrum
from monet_lib.train.run import Run
from monet_lib.train.watch import FIELDS, rank

rng = np.random.default_rng(0)
DOWN = np.linspace(0, 1, 256)[:, None, None]


def blocks(count):
    """Squares of 16 px in random colours: nothing is flat."""
    return np.kron(rng.integers(0, 255, (count, 16, 16, 3)), np.ones((1, 16, 16, 1))).astype(np.uint8)


def skies(count=8, colour=(120, 160, 210)):
    """Photos: a smooth sky that grows paler downwards over a rough ground."""
    sky = np.array(colour) + 40 * DOWN + rng.normal(0, 1, (count, 256, 256, 3))
    return np.where(DOWN < 0.6, sky, blocks(count)).clip(0, 255).astype(np.uint8)


def brushed(images, spread=8):
    """Irregular strokes over images: noise in blobs of 4 px and in single pixels."""
    blobs = np.kron(rng.normal(0, spread, (len(images), 64, 64, 3)), np.ones((1, 4, 4, 1)))
    grain = rng.normal(0, spread / 2, blobs.shape)
    return (images + blobs + grain).clip(0, 255).astype(np.uint8)


def woven(images, period=4, height=12):
    """A weave of one period over images."""
    wave = np.cos(2 * np.pi * np.arange(256) / period)
    weave = height * (wave[:, None] * wave[None])[..., None] * np.array([1, 1, -1])
    return (images + weave).clip(0, 255).astype(np.uint8)


def test_flat_places_are_skies_and_not_the_ground():
    places = flat_places(skies(2))
    assert places.shape == (2, 8, 8)
    assert places[:, :4].all()
    assert not places[:, 5:].any()
    assert not flat_places(brushed(skies(2)))[:, :4].any()
    assert flat_places(brushed(skies(2), 4), grain=8)[:, :4].all()


def test_a_spectrum_has_its_energy_where_the_pattern_is():
    x = np.arange(32)
    wave = 10 * np.cos(2 * np.pi * 8 * x / 32)
    patch = np.broadcast_to(100 + wave[:, None, None] + 3 * x[None, :, None], (5, 32, 32, 3))
    energy = spectrum(patch)
    assert np.unravel_index(energy.argmax(), energy.shape) in ((8, 0), (24, 0))
    assert energy.sum() == pytest.approx(3 * 50, rel=0.1)  # the variance of three waves of height 10; no gradient


@pytest.mark.parametrize("period", [2.5, 4, 8])
def test_a_weave_is_told_from_strokes(period):
    photos, paintings = skies(), brushed(skies(20))
    measure = Skies(paintings)
    strokes, weave = measure.pattern(photos, brushed(photos)), measure.pattern(photos, woven(photos, period))
    assert strokes == pytest.approx(1, abs=0.5)
    assert weave > 2
    assert measure.pattern(photos, photos) < 0.6


def test_linen_over_nights_is_counted_and_a_weave_by_day_is_not():
    nights, days = skies(4, (10, 12, 30)), skies(4)
    photos, measure = np.concatenate([days, nights]), Skies(brushed(skies(20)))
    half = np.concatenate([woven(days), woven(nights[:2]), brushed(nights[2:], 2)])
    assert measure.linen(photos, half, darkest=4) == 0.5
    assert measure.linen(photos, photos, darkest=4) == 0
    assert measure.linen(photos, half, darkest=8) == 0.5  # days have no dark squares
    assert np.isnan(measure.linen(days, woven(days)))


def test_nothing_flat_gives_nan():
    rough = blocks(2)
    assert np.isnan(Skies(rough).pattern(skies(), skies()))
    assert np.isnan(Skies(brushed(skies())).pattern(rough, rough))
    assert np.isnan(Skies.orange(rough, rough))
    assert len(patterns(rough, flat_places(rough), np.ones((32, 32)))) == 0


def test_paintings_of_one_colour_have_no_pattern():
    plain = np.full((2, 256, 256, 3), 200, np.uint8)
    with np.errstate(all="raise"):
        assert list(patterns(plain, flat_places(plain), np.zeros((32, 32)))) == [0, 0]


def test_skies_that_turn_orange_are_counted():
    blue, sunset = skies(4), skies(4, (220, 150, 90))
    orange = skies(4, (200, 150, 80))
    mixed = np.concatenate([orange[:1], blue[1:]])
    assert Skies.orange(blue, mixed) == 0.25
    assert Skies.orange(sunset, orange) == 0  # it was orange before
    assert Skies.orange(blue, orange) == 1
    assert sky_places(blue).sum((1, 2)).min() >= LEAST_PATCHES


def test_a_weave_or_an_orange_sky_is_worse_than_any_distance():
    def of(kid, pattern, orange):
        return rank([1, kid, 0, 0, 0, 0, pattern, orange, 0])

    assert of(0.03, 1.0, 0.0) < of(0.01, 6.0, 0.0)
    assert of(0.03, 1.0, 0.0) < of(0.01, 1.0, 0.2)
    assert of(0.01, "nan", "nan") < of(0.02, 1.0, 0.0)


def test_a_table_without_the_later_fields_is_read(tmp_path):
    with open(tmp_path / "validation.csv", "w", newline="") as file:
        csv.writer(file).writerows([FIELDS[:5], [2, 0.1, 0, 0, 0], [4, 0.2, 0, 0, 0], [4]])
    rows = Run(tmp_path, None, None).table("validation.csv", FIELDS, 3)
    assert rows == [["2", "0.1", "0", "0", "0", "nan", "nan", "nan", "nan"]]
