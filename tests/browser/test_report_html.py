"""A report as a file in a browser: without a network, without scripts, on paper, and by the keyboard."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tabnet_engine.report.rendering.html import html_bytes
from tests.report.rendering_html.samples import CHARTS, HOSTILE, document, hostile_document

pytestmark = pytest.mark.browser

QUIET = {"log", "info", "debug"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reports")
    (made / "plain.html").write_bytes(html_bytes(document()))
    (made / "blocked.html").write_bytes(html_bytes(document(blocked=("It must not be used.",))))
    (made / "hostile.html").write_bytes(html_bytes(hostile_document()))
    (made / "still.html").write_bytes(html_bytes(hostile_document(), is_interactive=False))
    (made / "links.html").write_bytes(html_bytes(document(), is_interactive=False))
    return made


@contextmanager
def opened(
    browser: Browser, path: Path, *, dark: bool = False, scripts: bool = True, width: int = 1280
) -> Iterator[Page]:
    """The file in a tab without a network; nothing may be asked for, complained about or asked of the reader."""
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts, offline=True
    )
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type not in QUIET else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: complaints.append(request.url) if request.url != path.as_uri() else None)
    try:
        page.goto(path.as_uri())
        yield page
        assert complaints == []
    finally:
        context.close()


def draw_all(page: Page) -> None:
    """Scroll every figure into view and wait until it is drawn."""
    figures = page.locator("figure[data-figure]")
    for place in range(figures.count()):
        figures.nth(place).scroll_into_view_if_needed()
        expect(figures.nth(place).locator(".live .main-svg").first).to_be_visible()
        expect(figures.nth(place).locator(".drawing")).to_be_hidden()


def faults(page: Page) -> list[str]:
    answer = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{found['id']}: {node['html'][:160]}"
        for found in answer["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_figures_are_drawn_without_a_network_and_axe_finds_nothing(
    browser: Browser, folder: Path, *, dark: bool
) -> None:
    with opened(browser, folder / "plain.html", dark=dark) as page:
        draw_all(page)
        assert page.locator(".is-live").count() == len(CHARTS)
        assert faults(page) == []
        ink = page.evaluate("getComputedStyle(document.body).color")
        drawn = page.evaluate("getComputedStyle(document.querySelector('.live .gtitle')).fill")
        assert drawn == ink


def test_words_that_try_to_be_more_are_only_shown(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "hostile.html", width=390) as page:
        draw_all(page)
        assert page.title() == f"{HOSTILE[0]} – {HOSTILE[2]}"
        assert page.locator("h1").all_inner_texts() == [HOSTILE[0]]
        assert page.locator("img, iframe, figure a").count() == 0
        # Only tables and drawings scroll sideways, never the page.
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        # What would turn a line around is written out, in the figures too.
        assert "\u202e" not in page.content()


def test_a_narrow_page_without_figures_can_be_scrolled_by_the_keyboard(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "still.html", width=390) as page:
        assert faults(page) == []


@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_without_scripts_everything_is_there_to_read(browser: Browser, folder: Path, name: str) -> None:
    with opened(browser, folder / f"{name}.html", scripts=False) as page:
        for drawing in page.locator(".drawing svg").all():
            expect(drawing).to_be_visible()
        expect(page.locator(".live").first).to_be_hidden()
        for heading in page.locator("h1, h2").all():
            expect(heading).to_be_visible()
        values = page.locator("details").last
        values.locator("summary").click()
        expect(values.locator("table")).to_be_visible()


def test_on_paper_each_page_says_which_report_it_is_and_whether_it_may_be_used(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "blocked.html", dark=True) as page:
        draw_all(page)
        printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
        pages = [one.extract_text() for one in printed.pages]
        assert len(pages) > 1
        for number, text in enumerate(pages, start=1):
            assert document().identity.case_id in text
            assert "BLOCKED" in text
            assert f"Page {number} of {len(pages)}" in text
        everything = "".join(pages)
        # The drawings are printed, not what a reader explored.
        assert all(chart.title in everything.replace("\n", " ") for chart in CHARTS)
        assert "Skip to the report" not in everything


def test_the_keyboard_skips_to_the_report_and_follows_the_contents(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "links.html") as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the report")).to_be_focused()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "report"
        link = page.get_by_role("navigation").get_by_role("link", name="Which case this is")
        link.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Which case this is")).to_be_in_viewport()
