"""The painting page's shortest tests, for `make test`: python tests/browser/short.py.

They need Chromium, its driver and npm. Where something is missing, one line says what, and nothing has failed;
`make test-browser` insists.
"""

import shutil
import sys
from pathlib import Path

import pytest
from pages import BROWSERS, ROOT, browse
from selenium.common.exceptions import WebDriverException

sys.path.insert(0, str(ROOT / "tools"))
from build_site import fetch_packages


def missing():
    """What keeps the tests from running, in one line, or None."""
    if not any(map(shutil.which, BROWSERS)) or not shutil.which("chromedriver"):
        return "no Chromium with its driver. On Debian: apt-get install chromium chromium-driver"
    try:
        fetch_packages()
        with browse():
            return None
    except SystemExit as error:
        return str(error)
    except WebDriverException as error:
        return f"Chromium does not start: {error.msg.splitlines()[0]}"


if reason := missing():
    print(f"The painting page is not tested here: {reason}")
else:
    files = [str(Path(__file__).with_name(name)) for name in ("test_paint_page.py", "test_photo_files.py")]
    sys.exit(pytest.main([*files, "-m", "short"]))
