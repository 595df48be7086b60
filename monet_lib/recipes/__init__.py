"""Recipes: settings that were found to work together, one file each, with what they cost and what they reach."""

import os
from typing import Any

from monet_lib.config import Config
from monet_lib.files import UserError
from monet_lib.recipes import demo, full, laptop, quick, tiny, unet

RECIPES = {module.RECIPE.profile: module.RECIPE for module in (tiny, demo, quick, laptop, unet, full)}
PROFILES = tuple(RECIPES)


def profile(name: str | None = None, **changes: Any) -> Config:
    """The Config of a recipe with some settings changed.

    name: one of PROFILES; None asks the environment variable MONET_PROFILE, then takes "laptop". Raises UserError for
    an unknown recipe or setting.
    """
    name = name or os.environ.get("MONET_PROFILE") or "laptop"
    if name not in RECIPES:
        raise UserError(f"profile {name!r} is unknown. Choose one of {', '.join(PROFILES)}.")
    return RECIPES[name].with_(**changes)
