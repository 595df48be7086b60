"""The course's pages in a browser: search, quizzes, formulas, code, print, width, contrast, no word to other servers.

The site is built as `make site` does it. Screenshots are left in build/browser/. `make test-browser` runs these.
"""

import base64
import functools
import http.server
import io
import json
import re
import subprocess
import sys
import threading
import unicodedata
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from pages import LESSONS, ROOT, browse
from pypdf import PdfReader
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from site_links import ADDRESS, SOURCE

SHOTS = ROOT / "build" / "browser"
NAMES = [path.stem for path in LESSONS]
AXE = ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """
const done = arguments[0], tags = ["wcag2a", "wcag2aa", "wcag21aa"];
axe.run({runOnly: tags, resultTypes: ["violations"]}).then(found => done(found.violations.map(
    one => `${one.id}: ${one.nodes.length}, ${one.nodes[0].html.slice(0, 160)}`)));
"""


LONG = "return [...document.querySelectorAll('pre > code')].filter(one => one.scrollWidth > one.clientWidth).length"
UNSIZED = "return [...document.images].filter(one => !one.src.endsWith('.svg') && !one.getAttribute('height')).length"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """The site as GitHub Pages serves it: also below its path there, and with a page for what is missing."""

    def log_message(self, *_):
        pass

    def translate_path(self, path):
        return super().translate_path("/" + path.removeprefix(urlsplit(ADDRESS).path).removeprefix("/"))

    def send_error(self, code, message=None, explain=None):
        body = Path(self.directory, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The site, built."""
    folder = tmp_path_factory.mktemp("built") / "site"
    subprocess.run([sys.executable, ROOT / "tools" / "build_site.py", "--out", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def url(folder):
    """The site, served."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def driver():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with browse() as driver:
        driver.set_script_timeout(600)  # axe-core looks at every letter of a lesson's code
        yield driver


def visit(driver, url, page="", width=1440, scheme="light"):
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    driver.get(url + page)


def all_of(driver, selector):
    return driver.find_elements(By.CSS_SELECTOR, selector)


def wait(driver, condition, what):
    return WebDriverWait(driver, 60, 0.1).until(lambda _: condition(), f"waited for {what}")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_every_page_reads_well(folder, url, driver, width, scheme):
    """No error, no other server, no sideways scrolling, no cut line of code, nothing that axe-core finds."""
    faults = []
    pages = sorted(file.parent.relative_to(folder).as_posix() for file in folder.rglob("index.html"))
    for page in pages:
        if page == "paint":
            continue  # it has tests of its own
        visit(driver, url, "" if page == "." else f"{page}/", width, scheme)
        errors = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        loaded = driver.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
        wide = driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
        faults += [f"{page}: {error}" for error in errors]
        faults += [f"{page}: loads {name}" for name in loaded if not name.startswith((url, "data:", "blob:"))]
        faults += [f"{page}: {wide} px too wide"] if wide > 0 else []
        for count, what in ((LONG, "cut blocks of code"), (UNSIZED, "pictures without a size")):
            if number := driver.execute_script(count):
                faults.append(f"{page}: {number} {what}")
        if page != "lessons/print":  # the lessons once more
            driver.execute_script(AXE.read_text())
            faults += [f"{page}: {one}" for one in driver.execute_async_script(CHECK)]
        driver.save_screenshot(str(SHOTS / f"site-{page.replace('/', '-').strip('.') or 'home'}-{width}-{scheme}.png"))
    assert len(pages) > len(NAMES) + 5
    assert not faults, "\n".join(faults)


def test_a_long_line_goes_on_below_and_is_copied_as_it_is(url, driver):
    visit(driver, url, f"lessons/{NAMES[1]}/", width=360)
    lines = "[...document.querySelectorAll('.language-python pre > code > span')]"
    wrapped = driver.execute_script(f"return {lines}.filter(line => line.clientHeight > 30).length")
    assert wrapped > 20
    changed = driver.execute_script(
        "return [...document.querySelectorAll('pre > code')].filter(code => code.checkVisibility()).filter(code => {"
        "  const text = code.textContent.trimEnd();"
        "  getSelection().selectAllChildren(code);"
        "  if (getSelection().toString().trimEnd() !== text) return true;"
        "  code.setAttribute('data-md-copying', '');"  # as Material does for its button
        "  return code.innerText.trimEnd() !== text; }).map(code => code.innerText)"
    )
    assert changed == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_painting_page_is_one_click_away(width, url, driver):
    visit(driver, url, f"lessons/{NAMES[0]}/", width)
    link = driver.find_element(By.CSS_SELECTOR, ".md-header .paint-link")
    assert link.is_displayed()
    assert 0 < link.rect["x"] < link.rect["x"] + link.rect["width"] <= width
    assert link.get_attribute("href") == f"{url}paint/"


def test_the_divider_moves_by_key_and_says_where_it_stands(url, driver):
    visit(driver, url)
    compare = driver.find_element(By.ID, "compare")
    wait(driver, lambda: compare.get_attribute("aria-valuetext") == "50 % photograph, 50 % painting", "the divider")
    compare.send_keys(Keys.ARROW_RIGHT, Keys.PAGE_UP)
    assert compare.get_attribute("aria-valuenow") == "61"
    compare.send_keys(Keys.END, Keys.ARROW_RIGHT)
    assert compare.get_attribute("aria-valuetext") == "100 % photograph, 0 % painting"
    box = compare.rect
    assert abs(box["width"] / box["height"] - 1.5) < 0.01


def test_dark_colours_are_kept_on_the_painting_page(url, driver):
    visit(driver, url)
    for _ in range(2):  # from the system's to light, to dark
        driver.find_element(By.CSS_SELECTOR, ".md-header__option label:not([hidden])").click()
    assert driver.find_element(By.TAG_NAME, "body").get_attribute("data-md-color-scheme") == "slate"
    driver.find_element(By.CSS_SELECTOR, ".md-header .paint-link").click()
    wait(driver, lambda: driver.current_url == f"{url}paint/", "the painting page")
    assert driver.find_element(By.TAG_NAME, "html").get_attribute("data-scheme") == "dark"
    driver.execute_script("localStorage.clear()")


def test_what_is_missing_has_a_way_home(url, driver):
    path = urlsplit(ADDRESS).path.removeprefix("/")
    visit(driver, url, f"{path}lessons/nowhere/at/all/")
    home, paint = all_of(driver, ".md-content .button")
    assert paint.get_attribute("href") == f"{url}{path}paint/"
    driver.execute_script(AXE.read_text())
    assert driver.execute_async_script(CHECK) == []
    driver.save_screenshot(str(SHOTS / "site-404.png"))
    home.click()
    wait(driver, lambda: all_of(driver, "#compare"), "the home page")


def test_every_page_describes_itself_and_is_in_the_sitemap(folder, url, driver):
    tree = ElementTree.parse(folder / "sitemap.xml").getroot()
    listed = {entry[0].text.removeprefix(ADDRESS) for entry in tree}
    files = {file.parent.relative_to(folder).as_posix() for file in folder.rglob("index.html")}
    assert listed == {"" if name == "." else f"{name}/" for name in files}
    assert "paint/" in listed
    said = []
    for page in listed:
        text = (folder / page / "index.html").read_text()
        found = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', text))
        said.append(found["description"])
        assert found["og:title"]
        assert found["og:url"] == ADDRESS + page
        assert (folder / found["og:image"].removeprefix(ADDRESS)).is_file()
        assert found["twitter:card"] == "summary_large_image"
        icon = re.search(r'<link rel="icon" href="([^"]+)"', text)[1]
        assert (folder / page / icon).resolve() == (folder / "paint" / "icon.svg").resolve()
    assert len(set(said)) == len(said)
    assert all(20 < len(words) < 200 for words in said), said


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_tells_its_time_can_be_downloaded_and_mended(name, url, driver):
    visit(driver, url, f"lessons/{name}/")
    facts = driver.find_element(By.CLASS_NAME, "facts")
    assert re.search(r"\d+ min to read", facts.text)
    link = facts.find_element(By.TAG_NAME, "a")
    with urllib.request.urlopen(link.get_attribute("href")) as answer:
        assert json.load(answer)["nbformat"] == 4
    edit, tell = (one.get_attribute("href") for one in all_of(driver, ".mend a"))
    assert edit == f"{SOURCE}/edit/main/notebooks/src/{name}.py"
    assert tell.startswith(f"{SOURCE}/issues/new?title=Page")


def test_figures_on_a_dark_page_have_a_light_ground(url, driver):
    for name in NAMES:
        visit(driver, url, f"lessons/{name}/", scheme="dark")
        grounds = driver.execute_script(
            "return [...document.querySelectorAll('.figure')].map(one => getComputedStyle(one).backgroundColor)"
        )
        assert len(grounds) >= 5
        assert set(grounds) == {"rgb(255, 255, 255)"}
        alts = [one.get_attribute("alt") for one in all_of(driver, ".figure")]
        assert all(len(alt) > 20 for alt in alts)


def test_the_search_finds_every_word_of_the_glossary_first(url, driver):
    visit(driver, url)
    query = driver.find_element(By.CSS_SELECTOR, "[data-md-component=search-query]")
    query.click()
    words = re.findall(r'<a id="(.+?)"></a>(.+?) \|', (ROOT / "docs" / "glossary.md").read_text())
    assert len(words) > 30

    def first_two():
        """Where the first results lead: the page that has the best one, and that one on it."""
        links = "[...document.querySelectorAll('.md-search-result__link')]"
        return driver.execute_script(f"return {links}.slice(0, 2).map(one => one.pathname + one.hash)")

    for anchor, word in words:
        query.clear()
        query.send_keys(word)
        wait(driver, lambda: first_two() == ["/glossary/", f"/glossary/#{anchor}"], f"{word} first")  # noqa: B023
    driver.save_screenshot(str(SHOTS / "site-search.png"))
    driver.execute_script("document.querySelectorAll('.md-search-result__link')[1].click()")
    wait(driver, lambda: driver.current_url.endswith(f"#{anchor}"), "the glossary")
    assert driver.find_element(By.ID, anchor).is_displayed()


def test_next_and_previous_lead_through_the_lessons(url, driver):
    visit(driver, url)
    for name in NAMES:
        driver.get(driver.find_element(By.CSS_SELECTOR, ".md-footer__link--next").get_attribute("href"))
        assert driver.current_url == f"{url}lessons/{name}/"
        sidebar = [one.get_attribute("href") for one in all_of(driver, ".md-nav--primary .md-nav__link")]
        assert all(f"{url}lessons/{other}/" in sidebar or other == name for other in NAMES)
        assert {one.text for one in all_of(driver, ".badge")} == {"Open in Colab", "Open in Kaggle"}
    back = driver.find_element(By.CSS_SELECTOR, ".md-footer__link--prev").get_attribute("href")
    assert back == f"{url}lessons/{NAMES[-2]}/"


@pytest.mark.parametrize("name", NAMES)
def test_quizzes_answer_in_place_and_solutions_are_folded(name, url, driver):
    visit(driver, url, f"lessons/{name}/")
    assert not all_of(driver, "details[open]")
    assert len(all_of(driver, "details.solution")) >= 4
    questions = all_of(driver, "details.question") or all_of(driver, "details.choice.first")
    assert len(questions) == 5
    if all_of(driver, "details.question"):
        questions[0].find_element(By.TAG_NAME, "summary").click()
        questions[0].find_element(By.CSS_SELECTOR, ".recall button").click()
        assert driver.find_element(By.CSS_SELECTOR, ".score").text.startswith("1 of 1 right")
    else:
        assert len(all_of(driver, "details.right")) == 5
        driver.find_element(By.CSS_SELECTOR, "details.right summary").click()
        wait(driver, lambda: "of 1 right" in driver.find_element(By.CSS_SELECTOR, ".score").text, "the score")
    driver.save_screenshot(str(SHOTS / f"site-quiz-{name}.png"))


def test_formulas_and_the_drawing_are_drawn(url, driver):
    formulas = 0
    for name in NAMES:
        visit(driver, url, f"lessons/{name}/")
        sources = all_of(driver, ".arithmatex")
        assert len(all_of(driver, ".arithmatex .katex-html")) == len(sources)
        formulas += len(sources)
    assert formulas >= 2
    visit(driver, url, "architecture/")
    wait(driver, lambda: not all_of(driver, "pre.mermaid") and all_of(driver, "div.mermaid"), "the drawing")


def letters(text):
    """`text` without spaces, and with "fi" where a PDF joins the two."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def test_all_lessons_print_with_their_solutions(url, driver):
    """What is folded on the screen is read on paper, and folded again afterwards; buttons are not printed."""
    visit(driver, url, "lessons/print/")
    folded = driver.execute_script(
        "return [...document.querySelectorAll('details:not([open]) :is(summary, p:not(.recall), pre)')]"
        ".map(one => one.textContent)"
    )
    assert len(all_of(driver, "details.solution")) > 20
    assert len(folded) > 100
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    (SHOTS / "lessons.pdf").write_bytes(pdf)
    printed = letters("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))
    missing = [text for text in folded if letters(text) not in printed]
    assert not missing, "\n---\n".join(missing)
    assert "Solutionsunfold" not in printed
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")  # as where a preview stays open
    assert not all_of(driver, "details:not([open])")
    assert driver.find_element(By.CSS_SELECTOR, ".score").text == ""  # what the printer unfolds is no answer
    driver.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not all_of(driver, "details[open]")
