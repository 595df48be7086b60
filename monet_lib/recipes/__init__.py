"""Recipes: settings that were found to work together, one file each, with what they cost and what they reach."""

import os
from typing import Any

from monet_lib.config import Config
from monet_lib.files import UserError
from monet_lib.recipes.demo import RECIPE as DEMO
from monet_lib.recipes.full import RECIPE as FULL
from monet_lib.recipes.laptop import RECIPE as LAPTOP
from monet_lib.recipes.quick import RECIPE as QUICK
from monet_lib.recipes.shipped import RECIPE as SHIPPED
from monet_lib.recipes.tiny import RECIPE as TINY
from monet_lib.recipes.unet import RECIPE as UNET

RECIPES = {recipe.profile: recipe for recipe in (TINY, DEMO, QUICK, LAPTOP, SHIPPED, UNET, FULL)}
PROFILES = tuple(RECIPES)


def profile(name: str | None = None, **changes: Any) -> Config:
    """The Config of a recipe with some settings changed.

    name: one of PROFILES; None asks the environment variable MONET_PROFILE, then takes "laptop". Raises UserError for
    an unknown recipe or setting.
    """
    name = os.environ.get("MONET_PROFILE") or "laptop" if name is None else name
    if name not in RECIPES:
        raise UserError(f"profile {name!r} is unknown. Choose one of {', '.join(PROFILES)}.")
    return RECIPES[name].with_(**changes)
