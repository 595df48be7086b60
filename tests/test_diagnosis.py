from dataclasses import replace

import numpy as np
import pytest

from monet_lib.course import museum
from monet_lib.course.museum import RECIPE, ROOMS, picture, visit
from monet_lib.files import UserError
from monet_lib.score.diagnosis import CAUSES, NUMBERS, Evidence, Sign, checkered, diagnose, measure

rng = np.random.default_rng(0)
SETTINGS = {"adversarial": "least_squares", "steps": 400, "decay_from": 0.5}


def scenes(count=6, size=64):
    """Smooth pictures with clear edges and warm and cold places, float32 (count, size, size, 3)."""
    coarse = np.kron(rng.uniform(-0.9, 0.7, (count, 8, 8, 3)), np.ones((1, size // 8, size // 8, 1)))
    coarse[:, 0, :2], coarse[:, -1, -2:] = -1, 0.9
    return (coarse + rng.normal(0, 0.02, coarse.shape)).clip(-1, 1).astype("float32")


PHOTOS, MONETS = scenes(), scenes()
STROKES = rng.normal(0, 0.06, PHOTOS.shape).astype("float32")


def curves(told=0.2, fooled=0.4, rows=200):
    noise = rng.normal(1, 0.1, (2, rows))
    return {"step": np.arange(rows), "monet_discriminator": told * noise[0], "monet_generator": fooled * noise[1]}


def evidence(**changes):
    """A healthy training's, with some of it changed."""
    painted = np.clip(0.8 * PHOTOS + 0.1 + STROKES, -1, 1)
    whole = {
        "history": curves(), "photos": PHOTOS, "fed": PHOTOS, "painted": painted, "last": painted + 1e-4,
        "in_training": painted, "monets": MONETS, "cycled": PHOTOS,
        "seen": np.full(8, 0.7), "unseen": np.full(8, 0.6), "fake": np.full(8, 0.3), "drawn": scenes(40, 16),
        "settings": SETTINGS, "step": 400,
    }  # fmt: skip
    return Evidence(**(whole | changes))


def late_jump():
    told = np.full(200, 0.1)
    told[110:140] = 0.4
    return {"monet_discriminator": told, "monet_generator": np.full(200, 0.5)}


GRID = 0.3 * (np.indices((64, 64)).sum(0) % 2 - 0.5)[..., None]
SICK = {
    "not finite": {"history": curves() | {"cycle": np.array([0.2, np.nan])}},
    "wrong scale": {"fed": (PHOTOS + 1) / 2},
    "few images": {"drawn": np.tile(scenes(24, 16), (2, 1, 1, 1))[:40]},
    "rate too high": {"painted": np.ones_like(PHOTOS)},
    "labels swapped": {"history": curves(0.05, 0.05)},
    "one tint": {"painted": 0.1 * PHOTOS},
    "paintings learnt by heart": {"history": curves(0.03, 0.8), "unseen": np.full(8, 0.35)},
    "discriminator wins": {"history": curves(0.03, 0.97)},
    "negative": {"painted": -0.8 * PHOTOS},
    "channels swapped": {"painted": 0.8 * PHOTOS[..., ::-1]},
    "copy": {"painted": PHOTOS + 0.01 * STROKES, "last": PHOTOS + 0.01 * STROKES},
    "checkerboard": {"painted": (0.8 * PHOTOS + GRID).astype("float32")},
    "weave in skies": {"pattern": 4.0},
    "batch norm": {"in_training": 0.8 * PHOTOS + 0.3},
    "stale resume": {"history": late_jump()},
    "circling": {"settings": SETTINGS | {"decay_from": 1.0}, "last": 0.8 * PHOTOS + 0.1 - STROKES},
    "mode collapse": {"photos": None, "painted": np.repeat(PHOTOS[:1], 6, 0) + 0.1 * STROKES},
}


def test_a_healthy_training_is_healthy_and_told_how_far_to_go():
    found = diagnose(evidence())
    assert (found.cause, found.also) == ("healthy", ())
    assert "new schedule" in found.remedy
    assert "until step 400; the learning rates fall from step 200" in diagnose(evidence(step=100)).remedy


@pytest.mark.parametrize("cause", [cause.name for cause in CAUSES])
def test_each_cause_is_named_with_its_evidence(cause):
    found = diagnose(evidence(**SICK[cause]))
    assert found.cause == cause
    assert found.evidence
    assert found.remedy
    assert found.why


def test_a_grid_is_no_checkerboard_where_pixels_are_repeated_and_convolved():
    """Its remedy is in place already; paintings with little fine detail let a weak grid stand out."""
    for upsample, cause in (("transpose", "checkerboard"), ("resize", "healthy")):
        found = diagnose(evidence(**SICK["checkerboard"], settings=SETTINGS | {"upsample": upsample}))
        assert found.cause == cause


def test_sure_is_what_lies_half_a_limit_beyond_it():
    above, below = Sign("scene", "above", 2.0), Sign("scene", "below", 0.3)
    assert [above.clear({"scene": x}) for x in (2.9, 3.1)] == [False, True]
    assert [below.clear({"scene": x}) for x in (0.21, 0.19)] == [False, True]
    above, below = Sign("scene", "above", -0.3), Sign("scene", "below", -0.3)
    assert [above.clear({"scene": x}) for x in (-0.21, -0.19, 0.5)] == [False, True, True]
    assert [below.clear({"scene": x}) for x in (-0.44, -0.46)] == [False, True]
    assert diagnose(evidence(**SICK["wrong scale"])).sure == "sure"


def test_every_sign_has_words_and_every_room_a_cause():
    assert {sign.number for cause in CAUSES for sign in cause.signs} <= set(NUMBERS)
    assert {room.cause for room in ROOMS.values()} == {c.name for c in CAUSES} - {"weave in skies"} | {"healthy"}


def test_what_is_missing_is_said_and_not_guessed():
    found = diagnose(Evidence())
    assert found.cause == "nothing to tell from"
    assert set(found.unknown) == {cause.name for cause in CAUSES}
    alone = diagnose(Evidence(history=curves(0.03, 0.9)))
    assert (alone.cause, alone.sure) == ("discriminator wins", "perhaps")  # or it knows its paintings by heart
    assert "copy" in alone.unknown
    assert diagnose(evidence(**SICK["discriminator wins"])).sure == "sure"
    assert diagnose(Evidence(history=curves(0.03, 0.9, rows=9))).cause == "nothing to tell from"
    begun = evidence(history=curves(1, 1, rows=9), step=9)
    assert diagnose(begun).cause == "nothing to tell from"
    assert diagnose(begun).remedy == "Train on: a run is judged from 10 rows of history.csv on."
    assert diagnose(replace(begun, history=curves(1, 1, rows=10))).cause == "healthy"


@pytest.mark.parametrize(
    ("name", "kind", "blind"), [("D_Y_loss", "bce", 0.6931), ("disc_y_loss", "bce", 0.6931), ("d_loss", "hinge", 1.0)]
)
def test_losses_of_other_programs_are_read_in_units_of_their_own(name, kind, blind):
    history = {"epoch": range(20), name: np.full(20, blind / 2)}
    found = measure(Evidence(history=history, settings={"adversarial": kind}))
    assert found["told"] == pytest.approx(0.5, abs=1e-4)


def test_numbers_against_their_definitions():
    e = evidence(seen=np.full(8, 0.9), step=300)
    found = measure(e)
    assert found["by heart"] == pytest.approx((0.9 - 0.6) / (0.9 - 0.3))
    assert found["change"] == pytest.approx(np.abs(e.painted - PHOTOS).mean() / 2, rel=1e-5)
    assert (found["done"], found["rate"]) == (0.75, 0.5)  # it falls from 200 to 400
    assert found["distinct"] == 1
    assert found["told"] == pytest.approx(e.history["monet_discriminator"][-40:].mean() / 0.25)


def test_a_grid_stands_out_by_its_energy_whatever_its_direction():
    smooth = PHOTOS + STROKES
    assert checkered(smooth) < 15
    x = np.arange(64)
    for grid in (x % 2, x[:, None] % 2, (x[:, None] + x) % 2):
        assert checkered(smooth + 0.3 * (grid - 0.5)[..., None] * np.ones((64, 64, 1))) > 100
    assert checkered(smooth + 0.3 * np.sin(2 * np.pi * x / 7)[:, None]) < 15  # strokes have other periods


def test_rooms_repeat_with_their_seed_and_one_of_the_wrong_type_of_number_ends_in_nan(monkeypatch):
    monkeypatch.setattr(museum, "RECIPE", RECIPE.with_(steps=12, generator_filters=4, discriminator_filters=4))
    images = np.kron(rng.integers(0, 2, (2, 20, 4, 4, 3)), np.ones((1, 1, 64, 64, 1))).astype(np.uint8) * 255
    first, second, overflowing = (
        visit(room, *images, seed=3, size=32) for room in ("few-images", "few-images", "not-finite")
    )
    np.testing.assert_array_equal(first.painted, second.painted)
    assert measure(first) == measure(second)
    assert picture(first).shape[-1] == 3
    found = diagnose(overflowing)  # after two steps
    assert (found.cause, found.sure) == ("not finite", "sure")


def test_rooms_refuse_other_names_and_few_images():
    with pytest.raises(UserError, match="room 'attic' is unknown. Choose one of healthy"):
        visit("attic", *np.zeros((2, 20, 8, 8, 3), np.uint8))
    with pytest.raises(UserError, match="19 paintings and 20 photos: a room needs 20"):
        visit("copy", np.zeros((19, 8, 8, 3), np.uint8), np.zeros((20, 8, 8, 3), np.uint8))
