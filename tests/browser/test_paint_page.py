"""The painting page in a browser: what it paints, what it says when something is missing or wrong, and by keyboard.

The page is built as `make site` does it and served by Python's own web server, which some tests let answer wrongly.
`make test-browser` runs these, and `make test` those marked as short.
"""

import base64
import functools
import gzip
import http.server
import io
import json
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import onnx
import pytest
from build_site import fetch_packages
from pages import ROOT, browse
from PIL import Image, ImageOps
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from site_paint import build_paint

from monet_lib.config import Config
from monet_lib.model.networks import generator_of, with_border
from monet_lib.paint import SHIPPED_PAINTER, Painter, paint_broadly, read_photo
from monet_lib.paint.onnx_export import export_painter
from monet_lib.paint.painting import auto_brushes

PHOTOS = ROOT / "data" / "photos"
SAMPLES = ROOT / "site" / "paint" / "samples"
PATIENCE = 300  # s, for machines that do other things besides
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


class Server:
    """A folder served on a port of its own until it is stopped.

    answers: {path below paint/: what is sent in the file's place: bytes, a status, or a function of the file's bytes}.
    headers: sent with every answer.
    """

    def __init__(self, folder):
        self.answers, self.headers, self.asked = {}, {}, []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(handler, *_):
                pass

            def do_GET(handler):
                name = handler.path.partition("?")[0].removeprefix("/paint/")
                self.asked.append(name)
                answer = self.answers.get(name)
                if isinstance(answer, int):
                    return handler.send_error(answer)
                if answer is None:
                    return super().do_GET()
                body = answer((folder / "paint" / name).read_bytes()) if callable(answer) else answer
                handler.send_response(200)
                handler.send_header("Content-Type", KINDS.get("." + name.rpartition(".")[2], "text/plain"))
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def end_headers(handler):
                for name, value in self.headers.items():
                    handler.send_header(name, value)
                super().end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
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

    def phase(self):
        return self.run("return document.documentElement.dataset.phase")

    def hangs(self):
        self.wait(lambda: self.phase() == "done", "a painting")

    def painted(self):
        """Wait until the painting that was asked for last hangs, and return its line of status."""
        self.wait(lambda: self.phase() in ("done", "failed"), "a painting")
        assert self.says("message-text") == ""
        assert self.phase() == "done"
        return self.says()

    def message(self):
        return self.wait(lambda: self["message"].is_displayed() and self.says("message-text"), "a message")

    def refused(self, control, file):
        """The message that follows a file."""
        self.run("document.getElementById('message-text').textContent = ''")
        self[control].send_keys(str(file))
        return self.message()

    def choose(self, file):
        """Choose a file to paint and wait until it is shown."""
        self["file"].send_keys(str(file))
        self.wait(lambda: self.says("caption") == file.name, file.name)

    def set(self, name, value):
        """Move a slider as a hand does: input while it moves, change at the end."""
        self.run(
            "const [name, value] = arguments, control = document.getElementById(name);"
            "if (control.type === 'checkbox') control.checked = value; else control.value = value;"
            "for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, {bubbles: true}))",
            name,
            value,
        )

    def sample(self, name):
        self.driver.find_element(By.CSS_SELECTOR, f"[data-file={name}]").click()

    def tiles(self, done):
        """Wait until so many tiles of the painting that is being made are there."""
        self.wait(lambda: self.says("progress-text").startswith("Painting: ") and
                  int(self.says("progress-text").split()[1]) >= done, "tiles")  # fmt: skip

    def picture(self, name, what):
        """Of a picture at full size, which is not part of the page: an attribute, or what a method returns."""
        script = "const done = arguments[0]; import('./easel.js').then(({ pictures }) => done(pictures.%s.%s))"
        return self.driver.execute_async_script(script % (name, what))

    def pixels(self, name):
        """A picture at full size as uint8 (h, w, 3)."""
        return decoded(self.picture(name, "toDataURL('image/png')"))

    def seen(self, name):
        """What the page shows of a picture, uint8 (h, w, 3)."""
        return decoded(self.run("return document.getElementById(arguments[0]).toDataURL('image/png')", name))

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


def decoded(url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


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
def driver():
    with browse("use-fake-device-for-media-stream", "use-fake-ui-for-media-stream") as driver:
        yield driver


@pytest.fixture
def page(driver, server):
    page = Page(driver, server.url)
    page.painted()
    page.wait(lambda: page["compare"].get_attribute("aria-valuenow") == "38", "the divider to come to rest")
    yield page
    assert page.errors() == []


@pytest.fixture(scope="module")
def painter():
    return Painter(SHIPPED_PAINTER)


@pytest.fixture
def large(tmp_path):
    """A photograph of 12 megapixels, a file."""
    Image.open(PHOTOS / "mountain.jpg").resize((4000, 3000)).save(tmp_path / "large.jpg", quality=92)
    return tmp_path / "large.jpg"


def difference(one, other):
    return np.abs(one.astype(int) - other).mean()


# ---------------------------------------------------------------- what it paints


@pytest.mark.short
def test_a_photo_is_painted_as_by_the_command(page, painter):
    assert "Painted beforehand" in page.painted()
    photo = read_photo(PHOTOS / "pavilion.jpg")
    page.choose(PHOTOS / "pavilion.jpg")
    assert "480 × 320" in page.painted()
    assert difference(page.pixels("photo"), photo) < 0.1
    painted, expected = page.pixels("painting"), paint_broadly(painter, photo, 1)
    assert difference(painted, photo) > 4
    assert difference(painted, expected) < 0.5
    assert (np.abs(painted.astype(int) - expected) > 1).mean() < 0.02
    page.set("brush", 4)
    page.painted()
    assert difference(page.pixels("painting"), paint_broadly(painter, photo, 4)) < 0.5
    page.set("finer", True)
    page.painted()
    assert difference(page.pixels("painting"), paint_broadly(painter, photo, 4, 2)) < 0.6
    assert page["camera"].is_displayed()


@pytest.mark.short
def test_samples_hang_at_once_and_the_first_visit_is_light(page, server, site, painter):
    photo = read_photo(SAMPLES / "peaks.jpg")
    expected = paint_broadly(painter, photo, *auto_brushes(*photo.shape[:2]))
    assert difference(page.pixels("painting"), expected) < 4  # JPEG
    page.wait(lambda: page["offline"].is_displayed(), "the painter to be there")
    page.set("brush", 3)
    assert "on this device" in page.painted()
    visit = server.asked[: server.asked.index("sw.js")]
    assert "painters/course.bin" in visit
    assert not any("ort" in name or name.endswith(".onnx") for name in server.asked)
    files = [site / "paint" / (name or "index.html") for name in set(visit)]
    weight = sum(len(gzip.compress(file.read_bytes(), 6)) for file in files if file.exists())
    assert weight < 1.5e6
    for file in site.glob("paint/painters/*.bin"):
        assert file.stat().st_size < 0.61e6
    before = len(server.asked)
    page.sample("sunset")
    assert "Painted beforehand" in page.painted()
    assert server.asked[before:] == []  # the service worker has it


def test_other_painters_can_be_chosen_and_are_fetched_when_they_are(driver, site, tmp_path):
    """Untrained ones, with what the course's painter lacks: norms, and a change to the photo as their result."""
    others = {"collapsed": {"residual_output": True, "border": 8}, "unlisted": {"norm": "instance"}}
    for name, settings in others.items():
        config = Config(**{"norm": "none", "generator_filters": 8, "residual_blocks": 2, **settings})
        generator, rng = generator_of(config), np.random.default_rng(0)
        weights = [
            np.full(w.shape, 1.0) if "gamma" in w.path else rng.normal(0, 0.05, w.shape) for w in generator.weights
        ]
        generator.set_weights(weights)
        (tmp_path / "others").mkdir(exist_ok=True)
        export_painter(with_border(generator, config.border), config, tmp_path / "others" / f"{name}.onnx")
    build_paint(tmp_path / "paint", tmp_path / "others")
    server = Server(tmp_path)
    page = Page(driver, f"{server.url}?painter=collapsed&sample=mountain")
    photo = read_photo(SAMPLES / "mountain.jpg")
    assert "Painted in" in page.painted()
    assert page.says("caption").startswith("Mountain")
    assert "a white sheet" in page.says("painter-words")
    for name in (*others, "course"):
        page.set("painter", name)
        page.painted()
        painter = Painter(SHIPPED_PAINTER if name == "course" else tmp_path / "others" / f"{name}.onnx")
        expected = paint_broadly(painter, photo, *auto_brushes(*photo.shape[:2]))
        assert difference(expected, photo) > 2, name
        assert difference(page.pixels("painting"), expected) < 1, name
        assert f"painters/{name}.bin" in server.asked
        assert (f"painter={name}" in driver.current_url) == (name != "course")
        assert "sample=mountain" in driver.current_url
    server.stop()


def test_twelve_megapixels_are_painted_in_two_passes_and_can_be_cancelled(page, large, painter):
    page.choose(large)
    assert "4000 × 3000" in page.painted()
    brush = int(page["brush"].get_attribute("value"))
    assert brush == 10
    assert page["finer"].is_selected()
    expected = paint_broadly(painter, read_photo(large), 10, 5)
    before = page.pixels("painting")
    assert difference(before, expected) < 0.6
    assert (np.abs(before.astype(int) - expected) > 2).mean() < 0.001
    page.set("brush", 1)
    page.tiles(1)
    page.wait(lambda: page.picture("sheet", "width") == 1600, "the first tile to be seen")
    page["cancel"].click()
    assert page.picture("sheet", "width") == 0
    assert difference(page.pixels("painting"), before) == 0
    assert "Cancelled" in page.says()
    assert page.says("brush-value") == "10×"
    assert page["finer"].is_selected()
    assert not page["progress"].is_displayed()
    page.sample("brook")
    page.painted()
    assert page.says("caption").startswith("Brook")


# ---------------------------------------------------------------- states


@pytest.mark.short
def test_scripts_and_styles_are_linted_formatted_and_typed():
    fetch_packages()
    checked = subprocess.run(["npm", "run", "--silent", "check"], cwd=ROOT / "site", capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.short
def test_the_states_follow_each_event():
    subprocess.run(["node", "--test", ROOT / "tests" / "browser" / "studio.test.mjs"], check=True)


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
    # The photo before is still there to be painted.
    page.set("brush", 4)
    assert "1600 × 1067" in page.painted()


def downloads(page, folder):
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})


def saved(page, folder, name):
    """The pixels of a file that is being saved."""
    file = folder / name
    page.wait(lambda: file.exists() and page.says().startswith(f"Saved {name}"), "a download")
    page.wait(lambda: not [*folder.glob("*.crdownload")], "its last bytes")
    time.sleep(0.3)
    return Image.open(file)


def test_bad_files_and_saving_during_a_painting_leave_both_paintings_whole(page, tmp_path, large):
    downloads(page, tmp_path)
    (tmp_path / "notes.txt").write_text("a list of things")
    page.choose(large)
    assert "is not an image" in page.refused("file", tmp_path / "notes.txt")  # nothing hangs yet
    page.hangs()
    assert "4000 × 3000" in page.says()
    before = page.pixels("painting")
    page.set("brush", 1)
    page.tiles(3)
    page.run("document.getElementById('save').click()")
    page.wait(lambda: (tmp_path / "large-monet.jpg").exists(), "a download")
    assert "is not an image" in page.refused("file", tmp_path / "notes.txt")
    assert page.phase() == "painting"
    assert page["progress"].is_displayed()
    page.tiles(5)
    time.sleep(1)
    assert difference(np.asarray(Image.open(tmp_path / "large-monet.jpg")), before) < 1
    page["cancel"].click()
    assert difference(page.pixels("painting"), before) == 0


def test_a_worker_that_dies_or_falls_silent_is_reported_and_replaced(driver, server):
    programs = {
        b"onmessage = () => {}": "has been silent for 1.5 seconds",
        b"onmessage = () => { setTimeout(() => { throw new Error('out of memory'); }) }": "The painter stopped",
        b"import './nowhere.js'": "The painter",
    }
    server.answers["painter.js"] = lambda js: js.replace(b"const SILENCE = 90_000", b"const SILENCE = 1_500")
    for program, says in programs.items():
        server.answers["worker.js"] = program
        page = Page(driver, server.url)
        page.hangs()
        page.set("brush", 3)
        assert says in page.message()
        assert page["save"].is_enabled()  # the sample's painting
        assert page["again"].is_displayed()
        server.answers.pop("painter.js", None)
    del server.answers["worker.js"]
    page["again"].click()
    page.painted()
    page.run("CanvasRenderingContext2D.prototype.getImageData = () => { throw new RangeError('Out of memory') }")
    page.set("brush", 4)
    assert "too little memory for a picture of this size" in page.message()


FAULTS = {
    "missing network": ("painters/course.bin", 404, "course.bin is missing on this server (status 404)"),
    "HTML for the network": ("painters/course.bin", b"<html>Sign in</html>", "In place of course.bin, the server sent"),
    "network cut off": ("painters/course.bin", lambda whole: whole[:90_000], "In place of course.bin, the server sent"),
    "missing program": ("tf/tfjs-backend-wasm-simd.wasm", 404, "simd.wasm is missing on this server"),
    "HTML for the program": (
        "tf/tfjs-backend-wasm-simd.wasm",
        b"<html>Sign in</html>",
        "the server sent something else",
    ),
    "no WebAssembly": ("worker.js", lambda js: b"delete self.WebAssembly;" + js, "does not run WebAssembly"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_server_or_browser_withholds_is_named_and_can_be_tried_again(driver, server, name):
    file, answer, says = FAULTS[name]
    server.answers[file] = answer
    page = Page(driver, server.url)
    page.hangs()
    page.set("brush", 3)
    assert says in page.message()
    assert page["save"].is_enabled()
    del server.answers[file]
    if file == "worker.js":
        return  # a browser that forbids WebAssembly goes on forbidding it
    page["again"].click()
    page.painted()


def test_no_network_is_named(driver, server):
    server.answers["painters/course.bin"] = 500
    page = Page(driver, server.url)
    page.hangs()
    time.sleep(1)  # the first try
    server.stop()
    page.set("brush", 3)
    assert "The network does not answer" in page.message()
    page.sample("brook")
    page.wait(lambda: "The sample could not be loaded" in page.says("message-text"), "a message")


def test_without_javascript_program_or_server_the_page_says_so(server, site):
    with browse("blink-settings=scriptEnabled=false") as driver:
        driver.get(server.url)
        assert "switched off in this browser" in driver.find_element(By.CSS_SELECTOR, "noscript").text
    server.headers["Cache-Control"] = "no-store"
    with browse() as driver:
        driver.get((site / "paint" / "index.html").as_uri())
        trouble = driver.find_element(By.ID, "trouble")
        WebDriverWait(driver, 20).until(lambda _: trouble.is_displayed())
        assert "opened as a file" in trouble.text
        assert "did not start" not in trouble.text
        for file in ("app.js", "studio.js"):
            server.answers = {file: 404}
            driver.get(server.url)
            trouble = driver.find_element(By.ID, "trouble")
            WebDriverWait(driver, 20).until(lambda _, trouble=trouble: trouble.is_displayed())
            assert "program did not start" in trouble.text


def test_it_works_without_a_network_and_with_threads_after_the_first_visit(server):
    with browse() as driver:
        page = Page(driver, server.url)
        page.painted()
        page.wait(lambda: page["offline"].is_displayed(), "everything to be stored")
        server.stop()
        driver.refresh()
        page.painted()
        assert page.run("return crossOriginIsolated")
        page.set("brush", 3)
        threads = min(4, page.run("return navigator.hardwareConcurrency"))
        assert f"WebAssembly, {threads} thread" in page.painted()
        page.sample("mountain")
        assert "Painted beforehand" in page.painted()
        assert page.errors() == []


def test_a_release_reaches_visitors_whose_browser_may_keep_files(site, driver, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    server = Server(tmp_path / "site")
    server.headers["Cache-Control"] = "max-age=600"
    page = Page(driver, server.url)
    page.painted()
    page.wait(lambda: page["offline"].is_displayed(), "everything to be stored")
    paint = tmp_path / "site" / "paint"
    (paint / "messages.js").write_text((paint / "messages.js").read_text() + "\nself.release = 2;\n")
    worker = (paint / "sw.js").read_text()
    (paint / "sw.js").write_text(worker.replace('VERSION = "monet-', 'VERSION = "monet-2'))
    page.run("return navigator.serviceWorker.getRegistration().then(registration => registration.update())")
    stored = "return caches.keys().then(names => names.length === 1 && names[0].startsWith('monet-2'))"
    page.wait(lambda: page.run(stored), "the new release")
    driver.refresh()
    page.painted()
    assert page.run("return self.release") == 2
    server.stop()


# ---------------------------------------------------------------- saving


def test_strength_blends_and_saves_what_is_shown(page, tmp_path):
    downloads(page, tmp_path)
    page.set("strength", 40)
    page["save"].click()
    jpeg = saved(page, tmp_path, "peaks-monet.jpg")
    blended = 0.6 * page.pixels("photo") + 0.4 * page.pixels("painting")
    assert difference(np.asarray(jpeg), blended) < 1
    assert [(layer[1], layer[2]) for layer in jpeg.layer] == [(1, 1)] * 3  # 4:4:4, as by the command
    page.set("format", "png")
    page["save"].click()
    assert difference(np.asarray(saved(page, tmp_path, "peaks-monet.png").convert("RGB")), blended) < 0.6
    page.set("format", "card")
    page["save"].click()
    card = saved(page, tmp_path, "peaks-before-after.jpg")
    photo = ImageOps.fit(Image.fromarray(page.pixels("photo")), (1200, 800))
    assert card.size == (1248, 1736)
    assert difference(np.asarray(card)[24:824, 24:1224], np.asarray(photo)) < 6


def test_the_share_sheet_gets_the_picture(page):
    assert not page["share"].is_displayed()
    page.run("navigator.canShare = () => true; navigator.share = async (data) => { window.shared = data; };"
             "document.getElementById('share').hidden = false")  # fmt: skip
    page["share"].click()
    name, size, text = page.wait(
        lambda: page.run("const s = window.shared; return s && [s.files[0].name, s.files[0].size, s.text]"), "the sheet"
    )
    assert name == "peaks-monet.jpg"
    assert size > 1e5
    assert page.driver.current_url in text
    page.run("navigator.share = async () => { throw new DOMException('no', 'NotAllowedError'); }")
    page["share"].click()
    assert "could not be shared" in page.message()


def test_links_open_a_sample_and_say_when_there_is_none(driver, server):
    page = Page(driver, f"{server.url}?sample=dandelions")
    page.painted()
    assert page.says("caption").startswith("Dandelions")
    page.sample("sunset")
    page.painted()
    assert driver.current_url.endswith("?sample=sunset")
    page = Page(driver, f"{server.url}?sample=nothing")
    assert "no sample “nothing”" in page.message()
    page = Page(driver, f"{server.url}?painter=nobody")
    assert "no painter “nobody”" in page.message()
    assert page.says("caption").startswith("Peaks")


def test_it_can_be_installed(page):
    manifest = page.run("return fetch(document.querySelector('[rel=manifest]').href).then(answer => answer.json())")
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert page.run("return fetch(arguments[0]).then(answer => answer.ok)", icon["src"])
    assert page.driver.execute_cdp_cmd("Page.getInstallabilityErrors", {})["installabilityErrors"] in (
        [], [{"errorId": "in-incognito", "errorArguments": []}])  # fmt: skip


# ---------------------------------------------------------------- a painter of one's own


def monet(*arguments):
    """A command, in a process of its own as a user runs it."""
    subprocess.run([sys.executable, "-m", "monet_lib.cli", *map(str, arguments)], check=True, cwd=ROOT)


def test_a_painter_of_ones_own_from_the_training_to_the_page(page, tmp_path):
    run = tmp_path / "run"
    monet("train", "--data", "data/sample", "--profile", "tiny", "--steps", 20, "--out", run)
    monet("export", "--run", run, "--out", tmp_path / "own.onnx")
    page.choose(PHOTOS / "pavilion.jpg")
    page.painted()
    by_the_course = page.pixels("painting")
    page.run("document.querySelector('details').open = true")
    page["painter-file"].send_keys(str(tmp_path / "own.onnx"))
    page.wait(lambda: page.says("painter-name"), "the painter")
    assert "ONNX Runtime" in page.painted()
    config = json.loads((run / "config.json").read_text())["config"]
    assert page.says("painter-name").startswith("own.onnx: ")
    assert f"{config['generator_filters']} filters, {config['norm']} norm." in page.says("painter-name")
    expected = paint_broadly(Painter(tmp_path / "own.onnx"), read_photo(PHOTOS / "pavilion.jpg"), 1)
    assert difference(page.pixels("painting"), expected) < 0.5
    assert difference(page.pixels("painting"), by_the_course) > 4
    model = onnx.load(tmp_path / "own.onnx")
    wrong = {
        "bad.onnx": b"<html>not found</html>",
        "cut.onnx": (tmp_path / "own.onnx").read_bytes()[:9000],
        "settings.onnx": with_metadata(model, config="{model: resnet"),
        "abc.onnx": with_metadata(model, surroundings="abc"),
    }
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        damaged = f"“{name}” is not an ONNX file, or is damaged."
        settings = f"“{name}” has settings that can’t be read. Write it again with “monet export”."
        assert page.refused("painter-file", tmp_path / name) == (
            damaged if name in ("bad.onnx", "cut.onnx") else settings
        )
    page["own"].click()
    page.wait(lambda: not page["own"].is_displayed(), "the course's painter")
    page.wait(lambda: difference(page.pixels("painting"), by_the_course) == 0, "its painting")


def with_metadata(model, **changes):
    """The bytes of an ONNX model with other metadata."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for entry in changed.metadata_props:
        entry.value = changes.get(entry.key, entry.value)
    return changed.SerializeToString()


# ---------------------------------------------------------------- hands, keys, screens


def test_everything_can_be_done_by_keyboard(page):
    page.set("size", "0.25")  # little to paint
    page.painted()
    page.tab_to("compare")
    page.press(Keys.ARROW_RIGHT)
    assert page["compare"].get_attribute("aria-valuenow") == "39"
    page.press(Keys.END)
    assert page["compare"].get_attribute("aria-valuetext") == "100 % photograph, 0 % painting"
    page.press(Keys.HOME)
    assert page["compare"].get_attribute("aria-valuenow") == "0"
    page.tab_to("choose")
    page.tab_to("camera")
    page.press(Keys.ENTER)
    page.wait(lambda: page["video"].is_displayed() and page["video"].get_property("videoWidth"), "the camera")
    page["shoot"].send_keys(Keys.ENTER)
    page.wait(lambda: page.says("caption") == "From your camera", "the photo")
    page.painted()
    page.tab_to("sunset")
    page.press(Keys.SPACE)
    page.wait(lambda: page.says("caption").startswith("Sunset"), "the sample")
    page.painted()
    page.tab_to("brush")
    page.press(Keys.ARROW_RIGHT)
    page.painted()
    assert page.says("brush-value") == "2×"
    for name in ("finer", "strength", "size", "format", "save"):
        page.tab_to(name)


DROP = """
const [names, texts, done] = arguments, data = new DataTransfer();
fetch('samples/peaks-small.jpg').then((answer) => answer.blob()).then((blob) => {
  for (const name of names) data.items.add(new File([blob], name));
  for (const [kind, text] of Object.entries(texts)) data.setData(kind, text);
  window.dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true}));
  done();
});
"""


def test_dropped_files_and_pictures_are_painted(page):
    def drop(names, texts=None):
        page.driver.execute_async_script(DROP, names, texts or {})

    drop(["dropped.jpg"])
    page.wait(lambda: page.says("caption") == "dropped.jpg", "the photo")
    page.painted()
    drop(["one.jpg", "two.jpg", "three.jpg"])
    assert page.message() == "You dropped 3 files. Only “one.jpg” is painted: drop one file at a time."
    assert page.says("caption") == "one.jpg"
    drop([], {"text/html": f'<img src="{page.driver.current_url}samples/sunset-small.jpg">'})
    page.wait(lambda: page.says("caption") == "sunset-small.jpg", "the picture of a page")
    page.painted()
    drop([], {"text/uri-list": "https://example.org/picture.jpg"})
    assert "lies on another site" in page.message()
    page.run("document.getElementById('message-text').textContent = ''")
    drop(["Painter.ONNX"])
    assert page.message() == "“Painter.ONNX” is not an ONNX file, or is damaged."
    blocked = [line for line in page.errors() if "example.org" not in line["message"]]
    assert blocked == []


def test_the_picture_can_be_looked_at_closely_and_on_the_whole_screen(page):
    def middle(name):
        return page.seen(name)[100:-100, 100:-100]

    whole, compare = [page.seen(name) for name in ("photo", "painting")], page["compare"]
    height, width = whole[0].shape[:2]
    for name, seen in zip(("photo", "painting"), whole, strict=True):
        shrunk = Image.fromarray(page.pixels(name)).resize((width, height), Image.Resampling.LANCZOS)
        assert difference(np.asarray(shrunk), seen) < 6, name
    page["closer"].click()
    page.wait(lambda: difference(page.seen("photo"), whole[0]) > 6, "the middle")
    before = compare.get_attribute("aria-valuenow")
    for name in ("photo", "painting"):
        picture = page.pixels(name)
        h, w = (round(side / 2) for side in picture.shape[:2])
        part = Image.fromarray(picture[h // 2 : h // 2 + h, w // 2 : w // 2 + w]).resize((width, height))
        assert difference(np.asarray(part)[100:-100, 100:-100], middle(name)) < 6, name
    at = page.seen("photo")
    ActionChains(page.driver).move_to_element_with_offset(compare, 200, 100).click_and_hold().move_by_offset(
        60, 40
    ).release().perform()
    assert compare.get_attribute("aria-valuenow") == before  # the picture moved, not the divider
    page.wait(lambda: difference(page.seen("photo")[40:, 60:], at[:-40, :-60]) < 6, "the picture to follow the hand")
    page["closer"].click()
    page.wait(lambda: difference(page.seen("photo"), whole[0]) == 0, "the whole picture")
    page["full"].click()
    page.wait(lambda: page.run("return document.fullscreenElement?.id") == "figure", "the whole screen")
    page["full"].click()
    page.wait(lambda: page.run("return !document.fullscreenElement"), "the page")


def touch(page, kind, *points):
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_on_a_phone_the_picture_stays_in_sight_and_fingers_move_it(page):
    page.resize(390, 844)
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    inside = """
    const box = document.getElementById(arguments[0]).getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight
    """
    for control in ("brush", "strength", "size"):
        page.run("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", control)
        time.sleep(0.2)
        for seen in ("compare", control, "save"):
            assert page.run(inside, seen), (control, seen)
    page.run("scrollTo(0, 0)")
    x, y = page.run("const box = document.getElementById('compare').getBoundingClientRect();"
                    "return [box.left + box.width / 2, box.top + box.height / 2]")  # fmt: skip
    before = page["compare"].get_attribute("aria-valuenow")
    for _ in range(2):  # a swipe up or down scrolls
        touch(page, "touchStart", (x, y))
        for k in range(5):
            touch(page, "touchMove", (x, y - 12 * k))
        touch(page, "touchEnd")
        assert page["compare"].get_attribute("aria-valuenow") == before
    page.run("scrollTo(0, 0)")
    touch(page, "touchStart", (x - 20, y), (x + 20, y))
    for k in range(1, 6):
        touch(page, "touchMove", (x - 20 - 8 * k, y), (x + 20 + 8 * k, y))
    touch(page, "touchEnd")
    assert page["closer"].get_attribute("aria-pressed") == "true"
    assert page["compare"].get_attribute("aria-valuenow") == before
    assert page.run("return document.getElementById('shot').getAttribute('capture')") == "environment"


def test_it_fits_and_is_accessible(page):
    shots = ROOT / "build" / "browser"
    shots.mkdir(parents=True, exist_ok=True)
    page.run("document.querySelector('details').open = true")
    page.run((ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js").read_text())
    for width in (360, 768, 1440):
        for dark in (False, True):
            page.resize(width, dark=dark)
            page.driver.save_screenshot(str(shots / f"paint-{width}-{'dark' if dark else 'light'}.png"))
            assert page.run("return document.documentElement.scrollWidth <= innerWidth")
            found = page.driver.execute_async_script("axe.run().then(arguments[0])")
            problems = [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found["violations"]]
            assert problems == []
