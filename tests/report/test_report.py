"""The report as a page: what it says, what it never does, and what a browser makes of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from report.replays import HOSTILE, MadeReplay, diced, empty, hostile, journey, tiny
from truenorth.insight import overview, promise_verdicts
from truenorth.report import report_html, write_report
from truenorth.report.page import script_json
from truenorth.report.section import Inputs
from truenorth.report.subjects import SUBJECTS

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Outline(HTMLParser):
    """Elements with their attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.skipping = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.skipping = tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self.skipping = False

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.text.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def page() -> str:
    return report_html(diced(400))


def test_says_what_the_frames_say(page: str) -> None:
    replay = diced(400)
    text = " ".join(part for part in Outline(page).text if part)
    numbers = overview(replay)
    assert "Getting help from the service desk" in text
    assert f"{100 * numbers.achieved_share:.1f} %" in text
    assert f"{numbers.n_cases}" in text
    assert "Working again within 3 days of first telling us, without telling us twice" in text
    for row in promise_verdicts(replay).iter_rows(named=True):
        assert row["group"] in text
    for key in ("quarantined", "duplicates", "filtered", "no_key", "before_need", "after_close"):
        assert key in text
    assert text.count("How is this computed?") == 8 + sum(one.can(Inputs()) for one in SUBJECTS)


def test_is_a_well_made_page(page: str) -> None:
    elements = Outline(page).elements
    tags = [tag for tag, _ in elements]
    assert ("html", {"lang": "en"}) in elements
    assert tags.count("h1") == 1
    assert tags.count("table") == tags.count("caption") >= 8
    assert all(given.get("aria-label") for tag, given in elements if given.get("role") == "img")
    assert all(given.get("scope") == "col" for tag, given in elements if tag == "th")
    ids = [given["id"] for _, given in elements if "id" in given]
    assert len(ids) == len(set(ids))
    anchors = {str(given["href"])[1:] for tag, given in elements if tag == "a"}
    assert anchors <= set(ids)


def test_asks_for_nothing_from_elsewhere(page: str) -> None:
    for _, given in Outline(page).elements:
        assert "src" not in given
        assert (given.get("href") or "#").startswith("#")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")


def test_size_does_not_grow_with_the_log() -> None:
    small, large = len(report_html(diced(100))), len(report_html(diced(3000)))
    assert large - small < 250_000
    assert large < 6_000_000


def test_warns_without_an_outcome_for_the_customer() -> None:
    page = report_html(MadeReplay(journey=journey(title="Bare"), cases=tiny().cases, events=tiny().events))
    assert "states no successful outcome for the customer" in page
    assert "not answered" in page
    assert "states no successful outcome" not in report_html(diced(50))


def test_an_empty_log_gives_a_page_that_says_so() -> None:
    page = report_html(empty())
    assert "No case was opened" in page
    assert "the log is empty" in page


def test_hostile_text_is_text() -> None:
    page = report_html(hostile())
    assert HOSTILE not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    scripts = [given for tag, given in Outline(page).elements if tag == "script"]
    assert len(scripts) == 3
    assert "img" not in [tag for tag, _ in Outline(page).elements]


def test_json_in_a_script_reads_back() -> None:
    value = {"a": ["</script><!--", "\u2028&"]}
    assert json.loads(script_json(value)) == value
    assert not set("<>&\u2028") & set(script_json(value))


# --- in a browser --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    made = {"plain": diced(400, n_types=20), "hostile": hostile(), "empty": empty()}
    return {name: write_report(replay, folder / f"{name}.html") for name, replay in made.items()}


def opened(browser: Any, path: Path, **context: Any) -> tuple[Any, list[str]]:
    """The page once it is drawn, and everything that went wrong or was asked for meanwhile."""
    page = browser.new_page(**context)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: faults.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-drawn]", timeout=30_000)
    return page, faults


def until(page: Any, condition: str) -> None:
    """Wait for a condition; the page's policy forbids the browser driver its own way, which is `eval`."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {condition}")


@pytest.mark.parametrize("name", ["plain", "hostile", "empty"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens_offline_without_a_fault(browser: Any, files: dict[str, Path], name: str, scheme: str) -> None:
    page, faults = opened(browser, files[name], color_scheme=scheme, viewport={"width": 1240, "height": 900})
    assert faults == []
    drawn, wanted = page.locator("[data-figure] svg.main-svg").count(), page.locator("[data-figure]").count()
    assert drawn >= wanted
    own = page.locator("section:not([id^='insight-']) [data-figure]").count()
    assert own == (0 if name == "empty" else 9)
    page.close()


def test_hostile_text_runs_nothing(browser: Any, files: dict[str, Path]) -> None:
    page, faults = opened(browser, files["hostile"])
    for plot in page.locator("[data-figure]").all():
        plot.hover()
    assert faults == []
    assert page.locator("img").count() == 0
    labels = page.locator("[data-figure=map] text").all_text_contents()
    assert any("<script>alert(1)" in label for label in labels)
    page.close()


def test_figures_follow_light_and_dark(browser: Any, files: dict[str, Path]) -> None:
    page, _ = opened(browser, files["plain"], color_scheme="light")
    colour = "getComputedStyle(document.querySelector('[data-figure=outcome] .main-svg')).backgroundColor"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    until(page, f"{colour} != '{light}'")
    assert page.evaluate(colour) == page.evaluate("getComputedStyle(document.querySelector('section')).backgroundColor")
    page.close()


def test_slider_shows_more_by_keyboard_and_moves_nothing(browser: Any, files: dict[str, Path]) -> None:
    page, faults = opened(browser, files["plain"])
    state = """() => {
      const plot = document.querySelector('[data-figure=map]');
      const { height, width } = plot._fullLayout;
      return { n: plot.data.filter(trace => trace.visible).length, height, width };
    }"""
    labels = (
        "() => [...document.querySelectorAll('[data-figure=map] text')].map(t => [t.textContent, t.getAttribute('x')])"
    )
    before, known = page.evaluate(state), {text: x for text, x in page.evaluate(labels) if "Ask for help" in text}
    page.focus("#detail-map")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    until(page, f"({state})().n > {before['n']}")
    after = page.evaluate(state)
    assert after["height"] > before["height"]
    assert after["width"] == before["width"]
    assert page.locator("#shown-map").text_content() == "100 %"
    assert known.items() <= dict(page.evaluate(labels)).items()
    page.keyboard.press("Home")
    until(page, f"({state})().n < {before['n']}")
    assert faults == []
    page.close()


@pytest.mark.parametrize("name", ["plain", "hostile", "empty"])
def test_fits_a_phone(browser: Any, files: dict[str, Path], name: str) -> None:
    page, _ = opened(browser, files[name], viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()


def test_prints_on_light_paper(browser: Any, files: dict[str, Path]) -> None:
    page, faults = opened(browser, files["plain"], color_scheme="dark")
    assert len(page.pdf(format="A4")) > 50_000
    assert faults == []
    page.close()
