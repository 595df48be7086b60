"""Settings for `pytest --nbval-lax notebooks/`, which a notebook's kernel inherits when it starts."""

import os

import pytest

os.environ["MONET_PROFILE"] = "tiny"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """Lessons are tested on the embedded sample, also where MONET_DATA names other images for other tests."""
    data = os.environ.pop("MONET_DATA", None)
    try:
        return (yield)
    finally:
        if data is not None:
            os.environ["MONET_DATA"] = data
