"""Every page, light and dark, is checked by axe; every control of a page is reached by the keyboard."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.driver import Server, Visitor, visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("explored"),  # every page has something to show
]

PAGES = (
    *("", "dataset", "train", "runs", "importance", "masks", "shap_comparison", "decision", "groups"),
    *("report", "measures"),
)
FURTHER = (
    "dataset?view=Columns",
    "dataset?view=Profile",
    "masks?view=rows",
    "masks?view=flow",
    "importance?view=effects",
    "shap_comparison?view=effects",
    "decision?view=what_if",
    "decision?view=counterfactual",
    "runs?view=compare",
    "report?part=several",
    "report?kind=comparison",
    "report?view=history",
    "report?view=history&part=several",
    "report?view=codes",
    "report?view=letter",
    "report?view=organisation",
    "report?view=facts",
)
# Streamlit's own, which a page cannot change: rule to where, and why.
STREAMLIT = {
    "list": "stSidebarNavItems",  # the groups of the menu are divs inside its list
    "listitem": "stSidebarNav",  # and the entries of a group lie in such a div
}
FOCUSABLE = """() => [...document.querySelectorAll(
  '[data-testid="stMain"] :is(a[href], button, input, select, textarea, [tabindex="0"])')]
  .filter(e => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true}))
  .map((e, place) => { e.dataset.reach = place; return place; }).length"""
FOCUSED = """() => { const e = document.activeElement, s = getComputedStyle(e);
  return [e.dataset.reach ?? null, e.matches(':focus-visible'), s.outlineStyle + s.boxShadow + s.borderColor]; }"""


def findings(tab: Visitor, rules: list[str] | None = None) -> list[str]:
    """What axe finds serious or critical on the page as it is shown, Streamlit's own left out."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    answer = Axe().run(tab.page, options=options).response
    return [
        f"{found['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for found in answer["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
        if not _is_streamlits(tab, found["id"], node["target"][0])
    ]


def _is_streamlits(tab: Visitor, rule: str, target: str) -> bool:
    where = STREAMLIT.get(rule)
    return where is not None and bool(
        tab.page.eval_on_selector(target, f"e => Boolean(e.closest('[data-testid=\"{where}\"]'))")
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(server: Server, browser: Browser, *, dark: bool) -> None:
    found = {}
    with visit(browser, server.url, dark=dark) as tab:
        for page in (*PAGES, *FURTHER):
            tab.open(page)
            # What a theme changes is colour alone.
            found[page] = findings(tab, ["color-contrast"] if dark else None)
    assert {page: faults for page, faults in found.items() if faults} == {}


def test_every_control_is_reached_by_the_keyboard_and_shows_it(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as tab:
        tab.open("dataset")
        n_controls = tab.page.evaluate(FOCUSABLE)
        reached, unseen = set(), []
        for _ in range(3 * n_controls + 40):
            tab.page.keyboard.press("Tab")
            place, is_visible, style = tab.page.evaluate(FOCUSED)
            if place is not None:
                reached.add(int(place))
                unseen += [] if is_visible and style else [place]
            if len(reached) == n_controls:
                break
        # Of a group of choices the keyboard reaches the chosen one, and the arrows the others.
        missed = set(range(n_controls)) - reached
        kinds = {tab.page.locator(f'[data-reach="{place}"]').first.get_attribute("role") for place in missed}
        assert kinds <= {"radio"}
        assert unseen == []


def test_a_reload_speaks_the_language_that_was_chosen(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as tab:
        tab.open("measures")
        assert tab.page.evaluate("document.documentElement.lang") == "en"
        tab.page.get_by_text("Display", exact=True).click()
        tab.page.get_by_text("中文", exact=True).click()
        tab.page.wait_for_function("document.documentElement.lang === 'zh' && location.search.includes('lang=zh')")
        tab.page.reload()
        tab.settle()
        assert tab.page.evaluate("document.documentElement.lang") == "zh"
        tab.has_no_failure()
