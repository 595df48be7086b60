"""Recipes: settings that were found to work together, one file each, with what they cost and what they reach."""

import os
from importlib import import_module
from typing import Any

from monet_lib.config import Config
from monet_lib.files import UserError

PROFILES = ("tiny", "demo", "quick", "laptop", "unet", "full", "shipped")


def profile(name: str | None = None, **changes: Any) -> Config:
    """The Config of a recipe with some settings changed.

    name: one of PROFILES; None asks the environment variable MONET_PROFILE, then takes "laptop". Raises UserError for
    an unknown recipe or setting.
    """
    name = name or os.environ.get("MONET_PROFILE") or "laptop"
    if name not in PROFILES:
        raise UserError(f"profile {name!r} is unknown. Choose one of {', '.join(PROFILES)}.")
    return import_module(f"monet_lib.recipes.{name}").RECIPE.with_(**changes)
