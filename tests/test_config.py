from pathlib import Path

import pytest

from monet_lib.config import Config
from monet_lib.files import UserError
from monet_lib.recipes import PROFILES, profile


@pytest.mark.parametrize("name", PROFILES)
def test_settings_make_the_same_config_again(name):
    assert profile(name).profile == name
    assert Config.from_saved(profile(name).settings()) == profile(name)


def test_every_recipe_is_a_file_and_every_file_a_recipe():
    files = {file.stem for file in (Path(__file__).parents[1] / "monet_lib" / "recipes").glob("*.py")}
    assert files - {"__init__"} == set(PROFILES)


def test_environment_picks_the_profile(monkeypatch):
    monkeypatch.setenv("MONET_PROFILE", "tiny")
    assert profile() == profile("tiny")
    assert profile("full").image_size == 256


@pytest.mark.parametrize("name", PROFILES)
def test_a_change_is_the_same_before_and_after(name):
    changes = {"model": "unet", "image_size": 256, "norm": "group", "seed": 3}
    assert profile(name, **changes) == profile(name).with_(**changes)


def test_the_length_that_was_asked_for_last_counts():
    assert profile("quick").steps == 2400
    assert profile("quick", epochs=2).steps == 0
    assert profile("quick").with_(epochs=2).steps == 0
    assert profile("quick", epochs=2, steps=7).steps == 7


def test_settings_of_earlier_versions_are_read():
    config = profile("laptop", seed=3, tone_weight=0.0, color_weight=0.0)
    settings = config.settings()
    del settings["tone_weight"], settings["color_weight"]  # added in 0.2.0, off by default
    assert Config.from_saved(settings | {"identity_until": 0.0}) == config
    with pytest.raises(UserError, match="no setting named 'identity_until'"):
        Config.from_saved(settings | {"identity_until": 0.5})  # this run would go on in another way


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"learning_rate": 1}, "no setting named 'learning_rate'"),
        ({"model": "vit"}, "model 'vit' is unknown. Choose one of resnet, unet"),
        ({"batch_size": 0}, "batch_size must be from 1"),
        ({"seed": -1}, "seed must be from 0"),
        ({"seed": 2**28}, "seed must be from 0 to 268435455"),
        ({"batch_size": 1.5}, "batch_size must be int"),
        ({"flip": 1}, "flip must be bool"),
        ({"diff_augment": "color,blur"}, "diff_augment 'blur' is unknown"),
        ({"model": "unet", "image_size": 96}, "no multiple"),
    ],
)
def test_a_wrong_setting_is_named(changes, says):
    with pytest.raises(UserError, match=says):
        profile("laptop", **changes)
