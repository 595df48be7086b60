"""A real Jupyter server, a real browser: serve the lessons, open one, run it, find its explorers and move them."""

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")  # whichever is there
PATHS = {"lab": "lab/tree/notebooks", "notebook": "notebooks/notebooks"}  # in the URL of a lesson
SETTINGS = {
    # Every cell is in the page, as the tests look into all of them.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
ERRORS = '[data-mime-type="application/vnd.jupyter.error"], .jupyter-widgets-error-widget'
PIXELS = """
const image = arguments[0];
if (!image.complete || !image.naturalWidth) return null;
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
canvas.getContext("2d").drawImage(image, 0, 0);
return canvas.toDataURL("image/png");
"""


@contextmanager
def serve(app, folder, theme="JupyterLab Light"):
    """Run JupyterLab ("lab") or Notebook 7 ("notebook") over a copy of the lessons in `folder`; gives its URL.

    Settings and kernels are the server's own: nothing of the user's configuration is read or written.
    """
    for name in ("data/sample", "docs"):  # beside the lessons, as their links have it
        shutil.copytree(ROOT / name, folder / "site" / name)
    (folder / "site" / "notebooks").mkdir()
    for lesson in LESSONS:
        shutil.copy(lesson, folder / "site" / "notebooks")
    for plugin, values in {**SETTINGS, "@jupyterlab/apputils-extension/themes": {"theme": theme}}.items():
        file = folder / "config" / "lab" / "user-settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    kernels = {"MONET_PROFILE": "tiny", "MONET_DATA": "../data/sample"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root", "--ip=127.0.0.1",
               f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
               f"--ServerApp.root_dir={folder / 'site'}"]  # fmt: skip
    url = f"http://127.0.0.1:{port}/"
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(command, env={**os.environ, **own, **kernels}, stdout=log, stderr=log)
        try:
            for _ in range(240):
                try:
                    ask(url, "api/status")
                    break
                except OSError:
                    assert server.poll() is None, (folder / "server.log").read_text()
                    time.sleep(0.25)
            yield url
        finally:
            server.terminate()  # and its kernels
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()


def ask(url, path):
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        return json.load(answer)


@contextmanager
def browse(*more):
    """A headless Chromium of 1400 by 1000 pixels. more: other arguments, such as a camera that isn't there."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert binary, "These tests need a browser: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1400,1000", *more):
        options.add_argument(f"--{argument}")  # no-sandbox: containers, where tests run as root, have none
    # Named, the driver is not looked for on the network.
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


class Lesson:
    """An open notebook: run it, look for what it shows."""

    def __init__(self, driver, url, app, name):
        self.driver, self.url = driver, url
        driver.get(f"{url}{PATHS[app]}/{name}.ipynb" + ("?reset" if app == "lab" else ""))
        self.wait(lambda _: self.all(".jp-Notebook .jp-CodeCell"), 120, f"{name} to open")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, condition, seconds, what):
        return WebDriverWait(self.driver, seconds, 0.1).until(condition, f"waited {seconds} s for {what}")

    def idle(self):
        try:
            kernels = ask(self.url, "api/kernels")
        except OSError:  # a kernel that is being started makes the server stumble
            return False
        return bool(kernels) and all(kernel["execution_state"] == "idle" for kernel in kernels)

    def prompts(self):
        return self.driver.execute_script(
            "return [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(x => x.textContent)"
        )

    def run_all(self, seconds=900):
        """Choose Run All Cells from the menu, and wait until the kernel has nothing left to do."""
        self.wait(lambda _: self.idle(), 120, "the kernel to start")
        next(item for item in self.all(".lm-MenuBar-item") if item.text == "Run").click()
        entry = '.lm-Menu-item[data-command="runmenu:run-all"]'
        self.wait(lambda _: self.all(entry) and self.all(entry)[0].is_displayed(), 20, "the menu")
        self.all(entry)[0].click()
        self.wait(lambda _: "[*]:" in self.prompts(), 60, "the first cell to start")
        self.wait(lambda _: "[*]:" not in self.prompts() and self.idle(), seconds, "the last cell")
        time.sleep(1)  # outputs and widgets may still be on their way

    def errors(self):
        return [error.text for error in self.all(ERRORS)]

    def text(self, selector):
        return "\n".join(element.text for element in self.all(selector))

    def top(self):
        self.driver.execute_script("document.querySelector('.jp-Cell').scrollIntoView()")

    def explorers(self):
        return [Explorer(self, box) for box in self.all(".widget-vbox") if box.find_elements(*IMAGE)]


IMAGE = (By.CSS_SELECTOR, "img.widget-image")


class Explorer:
    """The controls of one `monet_lib.course.tools.explore` and the figure under them."""

    def __init__(self, lesson, box):
        self.lesson, self.box = lesson, box
        found = box.find_elements(By.CSS_SELECTOR, ".widget-slider, .widget-dropdown")
        self.controls = [(Slider if "slider" in one.get_attribute("class") else Choice)(one) for one in found]

    def pixels(self):
        """The figure as the browser decoded it, uint8 (h, w, 3), whatever its size on the page."""
        url = self.lesson.wait(lambda driver: driver.execute_script(PIXELS, self.image), 30, "the figure")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))

    @property
    def image(self):
        """Found anew each time: the page may have replaced it."""
        return self.box.find_element(*IMAGE)

    def stands_alone(self):
        """Whether the output before this one, the still figure, is hidden, and its alt text kept."""
        return self.lesson.driver.execute_script(
            "const still = arguments[0].closest('.jp-OutputArea-child').previousElementSibling;"
            "return !still.offsetHeight && arguments[0].querySelector('.monet-alt').textContent.length >= 30",
            self.box,
        )

    def fits(self):
        return self.lesson.driver.execute_script(
            "const [box, image] = arguments, output = box.closest('.jp-OutputArea-output');"
            "return output.scrollWidth <= output.clientWidth && image.clientWidth <= image.naturalWidth",
            self.box,
            self.image,
        )

    def message(self):
        """The error that a moved control has written, "" without one."""
        return "".join(error.text for error in self.box.find_elements(By.CSS_SELECTOR, ".widget-html-content b"))

    def move(self, control, gesture, seconds=30):
        """Make one gesture; seconds until another figure was there, None when the control or figure stayed."""
        value, before, start = control.value(), self.pixels(), time.perf_counter()
        control.gesture(self.lesson.driver, gesture)
        while control.value() == value:
            if time.perf_counter() - start > 1:
                return None
        while time.perf_counter() - start < seconds:
            now = self.pixels()
            if now.shape != before.shape or (now != before).any():
                return time.perf_counter() - start
            time.sleep(0.02)
        return None


class Control:
    def __init__(self, element):
        self.element = element
        self.name = element.find_element(By.CSS_SELECTOR, ".widget-label").text


class Slider(Control):
    gestures = (60, -60, Keys.HOME, Keys.END, Keys.ARROW_LEFT)  # to the end, where games differ

    def value(self):
        return self.element.find_element(By.CSS_SELECTOR, ".widget-readout").text

    def gesture(self, driver, gesture):
        handle = self.element.find_element(By.CSS_SELECTOR, ".noUi-handle")
        if isinstance(gesture, int):
            webdriver.ActionChains(driver).drag_and_drop_by_offset(handle, gesture, 0).perform()
        else:
            handle.send_keys(gesture)


class Choice(Control):
    @property
    def gestures(self):
        """Which options to click; none where there is one alone, as of painters before lesson 4."""
        return (1, 0) if len(self.select().options) > 1 else ()

    def value(self):
        return self.select().first_selected_option.text

    def gesture(self, driver, gesture):
        self.select().select_by_index(gesture)

    def select(self):
        return Select(self.element.find_element(By.TAG_NAME, "select"))
