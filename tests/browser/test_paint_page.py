"""The painting page in a browser: what it paints, what it says of wrong files, offline, by keyboard, and read aloud.

The page is built as `make site` does it and served by Python's own web server. `make test-browser` runs these, and
`make test` those marked as short.
"""

import base64
import functools
import http.server
import io
import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from pages import ROOT, browse
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from monet_lib.paint.painting import SHIPPED_PAINTER, Painter, paint_broadly, read_photo

sys.path.insert(0, str(ROOT / "tools"))
from build_site import WASM, WEBGPU, build_paint, fetch_packages

SAMPLES = ROOT / "data" / "photos"
PATIENCE = 300  # s, for machines that do other things besides


class Server:
    """build/ served on a port of its own until it is stopped."""

    def __init__(self, folder):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        handler = functools.partial(Quiet, directory=folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/paint/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Page:
    """An open painting page: its controls by id, what it says, the pixels of its canvases."""

    def __init__(self, driver, url):
        self.driver = driver
        driver.get(url)

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, what):
        return WebDriverWait(self.driver, PATIENCE, 0.05).until(lambda _: condition(), f"waited for {what}")

    def says(self, name="status"):
        return self.run("return document.getElementById(arguments[0]).textContent", name)

    def painted(self):
        """Wait for a painting, of what was asked for last, and return its line of status."""
        self.wait(lambda: self.says().startswith("Painted") or self.says("message"), "a painting")
        assert self.says("message") == ""
        return self.says()

    def refused(self, control, file):
        """The message that follows a file."""
        self[control].send_keys(str(file))
        return self.wait(lambda: self.says("message"), "a message")

    def choose(self, file, size=None):
        """Choose a file to paint and wait until it is shown."""
        self.forget()
        self["file"].send_keys(str(file))
        self.wait(lambda: self.says("caption") == file.name, file.name)

    def forget(self):
        self.run("document.getElementById('status').textContent = ''")

    def set(self, name, value):
        """Move a slider as a hand does: input while it moves, change at the end."""
        self.forget()
        self.run(
            "const [name, value] = arguments, control = document.getElementById(name); control.value = value;"
            "for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, {bubbles: true}))",
            name,
            value,
        )

    def pixels(self, name):
        """A canvas as uint8 (h, w, 3)."""
        url = self.run("return document.getElementById(arguments[0]).toDataURL('image/png')", name)
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))

    def focused(self):
        return self.run("return document.activeElement.id || document.activeElement.dataset.file")

    def tab_to(self, name):
        """Press the tab key until the control has the focus."""
        for _ in range(40):
            ActionChains(self.driver).send_keys(Keys.TAB).perform()
            if self.focused() == name:
                return
        raise AssertionError(f"{name} can't be reached by the tab key")

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def resize(self, width, height=800, dark=False):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def errors(self):
        return [line for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    fetch_packages()
    build_paint(folder / "paint")
    return folder


@pytest.fixture
def server(site):
    server = Server(site)
    yield server
    server.stop()


@pytest.fixture
def page(server):
    with browse("use-fake-device-for-media-stream", "use-fake-ui-for-media-stream") as driver:
        page = Page(driver, server.url)
        page.painted()
        page.wait(lambda: page["compare"].get_attribute("value") == "38", "the divider to come to rest")
        yield page
        assert page.errors() == []


@pytest.fixture(scope="module")
def painter():
    return Painter(SHIPPED_PAINTER)


def difference(one, other):
    return np.abs(one.astype(int) - other).mean()


@pytest.mark.short
def test_a_sample_is_painted_as_by_the_command(page, painter):
    assert "480 × 320" in page.painted()
    photo = read_photo(SAMPLES / "pavilion.jpg")
    assert difference(page.pixels("photo"), photo) < 0.1
    assert difference(page.pixels("painting"), photo) > 4
    assert difference(page.pixels("painting"), paint_broadly(painter, photo, 1)) < 0.5
    page.set("brush", 3)
    page.painted()
    assert difference(page.pixels("painting"), paint_broadly(painter, photo, 3)) < 0.5
    assert page["camera"].is_displayed()


@pytest.mark.short
def test_first_painting_weighs_little(page, site):
    names = page.run("return performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)")
    page_files = {site / name[1:] for name in names if "/ort/" not in name} | {site / "paint" / "index.html"}
    assert {file.name for file in page_files} >= {"monet.onnx", "app.js", "pavilion.jpg", "peaks-small.jpg"}
    program = [
        site / "paint" / name for name in ("worker.js", "tiles.js", "resize.js", "onnx.js", "ort/ort.wasm.min.mjs")
    ]
    assert sum(file.stat().st_size for file in page_files.union(program) if not file.is_dir()) < 1.5e6
    assert all((site / "paint" / "ort" / name).exists() for name in (*WASM, *WEBGPU))


def test_photos_turned_transparent_and_grey_are_read_as_by_the_command(page, tmp_path, painter):
    photo = Image.open(SAMPLES / "peaks.jpg").resize((320, 256))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    photo.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    clear = photo.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    clear.save(tmp_path / "clear.png")
    photo.convert("L").save(tmp_path / "grey.webp", lossless=True)
    for name in ("turned.jpg", "clear.png", "grey.webp"):
        page.choose(tmp_path / name)
        page.painted()
        expected = read_photo(tmp_path / name)
        assert difference(page.pixels("photo"), expected) < 0.6, name
        assert difference(page.pixels("painting"), paint_broadly(painter, expected, 1)) < 2, name


@pytest.mark.short
def test_wrong_files_are_explained(page, tmp_path):
    wrong = {
        "notes.txt": (b"a list of things", "“notes.txt” is not an image. Choose a JPEG"),
        "letter.jpg": (b"%PDF-1.7 a letter", "“letter.jpg” is not an image"),
        "empty.png": (b"", "“empty.png” is empty"),
        "half.png": ((b"\x89PNG\r\n\x1a\n" + b"\0" * 300), "is a PNG image, but damaged"),
        "phone.heic": (
            b"\0\0\0\x18ftypheic" + b"\0" * 300,
            "is a HEIC photo, which this browser can’t open. Save",
        ),
    }
    for name, (content, says) in wrong.items():
        (tmp_path / name).write_bytes(content)
        assert says in page.refused("file", tmp_path / name)
        page.run("document.getElementById('message').textContent = ''")
    # The photo before is still there to be painted.
    page.set("brush", 2)
    assert "480 × 320" in page.painted()


def test_twelve_megapixels_show_progress_and_can_be_cancelled(page, tmp_path, painter):
    large = Image.open(SAMPLES / "mountain.jpg").resize((4000, 3000))
    large.save(tmp_path / "large.jpg", quality=92)
    page.choose(tmp_path / "large.jpg")
    assert "4000 × 3000" in page.painted()
    brush = int(page["brush"].get_attribute("value"))
    expected = paint_broadly(painter, read_photo(tmp_path / "large.jpg"), brush)
    assert difference(page.pixels("painting"), expected) < 2
    corner = "return [...document.getElementById('painting').getContext('2d').getImageData(0, 0, 9, 9).data]"
    before = page.run(corner)
    page.set("brush", 1)
    text = page.wait(lambda: page["progress"].is_displayed() and page.says("progress-text"), "progress")
    assert "tiles" in text or text == "Painting"
    page.wait(lambda: "1 of 35 tiles" in page.says("progress-text"), "the first tile")
    page.wait(lambda: page.run(corner) != before, "the first tile to be seen")
    page["cancel"].click()
    assert page.run(corner) == before
    assert "Cancelled" in page.says()
    assert not page["progress"].is_displayed()
    page.forget()
    page.driver.find_element(By.CSS_SELECTOR, "[data-file=brook]").click()
    assert "480 × 384" in page.painted()
    assert page.says("caption").startswith("Brook")


def test_strength_blends_and_saves_what_is_shown(page, tmp_path):
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.set("strength", 40)
    page["save"].click()
    saved = page.wait(lambda: next(iter(tmp_path.glob("*.jpg")), None), "a download")
    assert saved.name == "pavilion-monet.jpg"
    time.sleep(0.5)  # it is there before its last bytes are
    blended = 0.6 * page.pixels("photo") + 0.4 * page.pixels("painting")
    assert difference(np.asarray(Image.open(saved)), blended) < 2


def monet(*arguments):
    """A command, in a process of its own as a user runs it."""
    subprocess.run([sys.executable, "-m", "monet_lib.cli", *map(str, arguments)], check=True, cwd=ROOT)


def test_a_painter_of_ones_own_from_the_training_to_the_page(page, tmp_path):
    run = tmp_path / "run"
    monet("train", "--data", "data/sample", "--profile", "tiny", "--steps", 20, "--out", run)
    monet("export", "--run", run, "--out", tmp_path / "own.onnx")
    by_the_course = page.pixels("painting")
    page.run("document.querySelector('details').open = true")
    page.forget()
    page["painter-file"].send_keys(str(tmp_path / "own.onnx"))
    page.painted()
    config = json.loads((run / "config.json").read_text())["config"]
    assert page.says("painter-name").startswith("own.onnx: ")
    assert f"{config['generator_filters']} filters, {config['norm']} norm." in page.says("painter-name")
    expected = paint_broadly(Painter(tmp_path / "own.onnx"), read_photo(SAMPLES / "pavilion.jpg"), 1)
    assert difference(page.pixels("painting"), expected) < 0.5
    assert difference(page.pixels("painting"), by_the_course) > 4
    (tmp_path / "bad.onnx").write_bytes(b"<html>not found</html>")
    assert page.refused("painter-file", tmp_path / "bad.onnx") == "“bad.onnx” is not an ONNX file, or is damaged."
    page.run("document.getElementById('message').textContent = ''")
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "own.onnx").read_bytes()[:9000])
    assert page.refused("painter-file", tmp_path / "cut.onnx") == "“cut.onnx” is not an ONNX file, or is damaged."
    page["own"].click()
    page.wait(lambda: not page["own"].is_displayed(), "the course's painter")
    page.wait(lambda: difference(page.pixels("painting"), by_the_course) == 0, "its painting")


def test_it_works_without_a_network_and_with_threads_after_the_first_visit(server):
    with browse() as driver:
        page = Page(driver, server.url)
        assert "1 thread" in page.painted()
        page.wait(lambda: page["offline"].is_displayed(), "everything to be stored")
        server.stop()
        driver.refresh()
        assert "threads" in page.painted()
        assert page.run("return crossOriginIsolated")
        page.forget()
        driver.find_element(By.CSS_SELECTOR, "[data-file=dandelions]").click()
        page.painted()
        assert page.errors() == []


def test_everything_can_be_done_by_keyboard(page):
    page.tab_to("compare")
    before = int(page["compare"].get_attribute("value"))
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert int(page["compare"].get_attribute("value")) == before + 2
    assert "photograph" in page["compare"].get_attribute("aria-valuetext")
    page.tab_to("choose")
    page.tab_to("camera")
    page.press(Keys.ENTER)
    page.wait(lambda: page["video"].is_displayed() and page["video"].get_property("videoWidth"), "the camera")
    page.forget()
    page["shoot"].send_keys(Keys.ENTER)
    page.painted()
    assert page.says("caption") == "From your camera"
    page.tab_to("sunset")
    page.forget()
    page.press(Keys.SPACE)
    page.painted()
    assert page.says("caption").startswith("Sunset")
    page.tab_to("brush")
    page.forget()
    page.press(Keys.ARROW_RIGHT)
    page.painted()
    assert page.says("brush-value") == "2×"
    for name in ("strength", "size", "save"):
        page.tab_to(name)


def test_a_dropped_file_is_painted(page):
    page.forget()
    page.run(
        "const data = new DataTransfer();"
        "return fetch('samples/peaks.jpg').then(answer => answer.blob()).then(blob => {"
        "  data.items.add(new File([blob], 'dropped.jpg'));"
        "  window.dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true}));"
        "})"
    )
    page.painted()
    assert page.says("caption") == "dropped.jpg"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_and_is_accessible(page, width, dark):
    shots = ROOT / "build" / "browser"
    shots.mkdir(parents=True, exist_ok=True)
    page.resize(width, dark=dark)
    page.run("document.querySelector('details').open = true")
    page.driver.save_screenshot(str(shots / f"paint-{width}-{'dark' if dark else 'light'}.png"))
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    axe = (ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js").read_text()
    page.run(axe)
    found = page.driver.execute_async_script("axe.run().then(arguments[0])")
    problems = [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found["violations"]]
    assert problems == []
