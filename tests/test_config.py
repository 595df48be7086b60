import pytest

from monet_lib.config import PROFILES, Config, profile
from monet_lib.files import UserError


@pytest.mark.parametrize("name", PROFILES)
def test_settings_make_the_same_config_again(name):
    assert Config(**PROFILES[name].settings()) == PROFILES[name]


def test_environment_picks_the_profile(monkeypatch):
    monkeypatch.setenv("MONET_PROFILE", "tiny")
    assert profile() == PROFILES["tiny"]
    assert profile("full") == PROFILES["full"]


def test_each_network_has_its_own_laptop_settings():
    resnet, unet = (profile("laptop", model=model, seed=3) for model in ("resnet", "unet"))
    assert (resnet.norm, unet.norm) == ("none", "instance")
    assert (resnet.profile, unet.profile, resnet.seed, unet.seed) == ("laptop", "laptop", 3, 3)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"learning_rate": 1}, "no setting named 'learning_rate'"),
        ({"model": "vit"}, "model 'vit' is unknown. Choose one of resnet, unet"),
        ({"batch_size": 0}, "batch_size must be from 1"),
        ({"batch_size": 1.5}, "batch_size must be int"),
        ({"flip": 1}, "flip must be bool"),
        ({"diff_augment": "color,blur"}, "diff_augment 'blur' is unknown"),
        ({"model": "unet", "image_size": 96}, "no multiple"),
    ],
)
def test_a_wrong_setting_is_named(changes, says):
    with pytest.raises(UserError, match=says):
        profile("laptop", **changes)


def test_an_unknown_profile_is_named():
    with pytest.raises(UserError, match="profile 'huge' is unknown. Choose one of tiny, laptop, quick, full"):
        profile("huge")
