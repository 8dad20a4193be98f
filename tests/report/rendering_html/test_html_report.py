"""A report as one file: all that is said stands in it, nothing else runs in it, and it stays small."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import itertools
import json
from collections.abc import Iterator

import pytest

from tabnet_engine.errors import ReportError
from tabnet_engine.figures.embedding import plotly_script
from tabnet_engine.report.document import Document, Paragraph, ReviewStep, Section, Table
from tabnet_engine.report.rendering.html import MOST_BYTES, html_bytes
from tabnet_engine.report.rendering.html_charts import Charts, chart_table
from tabnet_engine.report.rendering.html_markup import visible
from tests.report.rendering_html.reading import Page
from tests.report.rendering_html.samples import CHARTS, HOSTILE, document, hostile_document, identity

DOCUMENTS = {
    "plain": document(),
    "hostile": hostile_document(),
    "letter": document(is_letter=True, review=()),
    "bare": document(summary=(), sections=(), review=(), unmet=(), title="", subtitle=""),
}
# What names a thing instead of saying it, and numbers, which are drawn.
SILENT = {"kind", "key", "tone", "state", "time", "part", "language", "format_version", "profile_version", "created"}


@pytest.fixture(scope="module")
def interactive() -> Page:
    return Page.of(html_bytes(document()))


def said(value: object, key: str = "") -> Iterator[str]:
    """Every text of a document, however deep it stands."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in SILENT:
                yield from said(part, name)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from said(part, key)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", DOCUMENTS)
def test_all_that_is_said_stands_in_the_page_without_scripts(name: str) -> None:
    page = Page.of(html_bytes(DOCUMENTS[name], is_interactive=False))
    assert page.faults == []
    body = page.named("body")[0].text + " ".join(
        value for element in page.elements for value in element.attributes.values() if value
    )
    missing = [text for text in said(DOCUMENTS[name].to_mapping()) if visible(text) not in body]
    assert missing == []


def test_words_that_try_to_be_markup_make_no_element() -> None:
    known = {(element.name, key) for element in Page.of(html_bytes(document())).elements for key in element.attributes}
    page = Page.of(html_bytes(hostile_document()))
    assert page.faults == []
    found = {(element.name, key) for element in page.elements for key in element.attributes}
    # Some tables are open, for their names are long, and an axis of such a chart is named along its side.
    assert found - known <= {("details", "open"), ("text", "transform")}
    assert [element for element in page.elements if element.name in ("img", "iframe", "object", "base", "form")] == []
    assert page.texts("h1") == [HOSTILE[0]]
    assert page.texts("title")[0] == f"{HOSTILE[0]} – {HOSTILE[2]}"


def policy_of(page: Page) -> dict[str, list[str]]:
    found = [one for one in page.named("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert len(found) == 1
    parts = str(found[0].attributes["content"]).split(";")
    return {words[0]: words[1:] for words in map(str.split, parts)}


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_without_scripts_the_policy_lets_nothing_run_and_one_style_in() -> None:
    page = Page.of(html_bytes(document(), is_interactive=False))
    policy = policy_of(page)
    assert page.named("script") == []
    assert policy["default-src"] == policy["script-src"] == ["'none'"]
    assert policy["style-src"] == [digest(page.texts("style")[0])]
    assert not any("style" in element.attributes for element in page.elements)


def test_with_scripts_the_policy_names_the_hash_of_each(interactive: Page) -> None:
    policy = policy_of(interactive)
    scripts = {element.attributes.get("type"): element.text for element in interactive.named("script")}
    plotly = gzip.decompress(base64.b64decode(interactive.packed)).decode()
    assert plotly == plotly_script()
    assert policy["script-src"] == [digest(scripts[None]), digest(plotly)]
    assert digest(interactive.texts("style")[0]) in policy["style-src-elem"]
    assert "'unsafe-inline'" not in policy["style-src-elem"]
    everything = json.dumps(policy)
    assert "unsafe-eval" not in everything
    assert "http" not in everything
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]


def test_every_chart_is_drawn_and_has_a_figure_for_scripts(interactive: Page) -> None:
    figures = interactive.named("figure")
    blocks = {str(one.attributes.get("id")): one.text for one in interactive.named("script")}
    assert len(figures) == len(CHARTS) == len(interactive.named("svg"))
    for figure in figures:
        values = json.loads(blocks[str(figure.attributes["data-figure"])])
        assert values["data"]


def test_figures_beyond_the_room_stay_drawn() -> None:
    charts = Charts(is_interactive=True, most_bytes=2_500)
    drawn = [Page.of(charts(block)) for block in document().section("score").blocks]
    assert 0 < len(charts.figures) < len(drawn)
    assert all(page.named("svg") for page in drawn)


def test_equal_documents_give_equal_bytes_and_their_stored_form_too() -> None:
    first = html_bytes(document())
    assert html_bytes(document()) == first
    assert html_bytes(Document.from_mapping(json.loads(json.dumps(document().to_mapping())))) == first


def test_a_long_table_keeps_the_file_small_and_says_what_is_left_out() -> None:
    rows = tuple((f"row {place}", "x" * 2_500) for place in range(3_000))
    table = Table(caption="Long", columns=("a", "b"), rows=rows)
    long = document(sections=(*document().sections, Section(key="k", title="t", blocks=(table,))))
    content = html_bytes(long)
    assert len(content) < MOST_BYTES
    page = Page.of(content)
    shown = [text for text in page.texts("th") if text.startswith("row ")]
    assert any(f"The first {len(shown):,} of 3,000 rows" in text for text in page.texts("p"))


def test_a_text_too_long_for_any_page_is_a_clear_sentence() -> None:
    with pytest.raises(ReportError, match="larger than 6 MB as HTML"):
        html_bytes(document(summary=(Paragraph(text="x" * MOST_BYTES),)), is_interactive=False)


def test_what_stops_the_report_comes_first_and_on_every_page() -> None:
    content = html_bytes(document(blocked=("It must not be used, said ‹A›.",)), is_interactive=False)
    page = Page.of(content)
    order = [content.decode().index(text) for text in ("It must not be used", "not reviewed.", "The score is 0.38")]
    assert order == sorted(order)
    assert page.named("p")[0].text == "Blocked: this report must not be used"
    assert '@top-right{content:"BLOCKED"' in page.texts("style")[0]
    assert "BLOCKED" not in Page.of(html_bytes(document(), is_interactive=False)).texts("style")[0]


def test_the_state_is_that_of_the_last_step() -> None:
    steps = (
        ReviewStep(state="draft", name="", time="2026-11-21T19:30:00+00:00"),
        ReviewStep(state="reviewed", name="Ann", time="2026-11-22T19:30:00+00:00"),
        ReviewStep(state="signed", name="Bo", time="2026-11-23T20:30:00+01:00"),
    )
    words = [
        Page.of(html_bytes(document(review=steps[:n]), is_interactive=False)).texts("p")[0]
        for n in range(len(steps) + 1)
    ]
    assert words == [
        "Draft, not reviewed",
        "Draft, not reviewed",
        "Reviewed by Ann on 22 November 2026, 19:30 UTC, not signed",
        "Signed by Bo on 23 November 2026, 19:30 UTC",
    ]


@pytest.mark.parametrize("name", ["plain", "hostile", "letter"])
def test_the_page_can_be_found_through_by_headings_links_and_tables(name: str) -> None:
    page = Page.of(html_bytes(DOCUMENTS[name]))
    levels = [int(element.name[1]) for element in page.elements if element.name in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    assert {str(link.attributes["href"]).removeprefix("#") for link in page.named("a")} <= set(ids)
    assert len(page.named("caption")) == len(page.named("table"))
    assert all(head.attributes["scope"] in ("col", "row") for head in page.named("th"))
    assert all(
        one.attributes["aria-label"]
        for one in page.elements
        if one.attributes.get("role") == "img" and one.name == "div"
    )


def test_a_letter_has_neither_contents_nor_letters_of_parts() -> None:
    letter, report = (Page.of(html_bytes(document(is_letter=is_so), is_interactive=False)) for is_so in (True, False))
    assert (len(letter.named("nav")), len(report.named("nav"))) == (0, 1)
    assert "Part A" not in letter.named("body")[0].text
    assert "Part A" in report.named("body")[0].text
    assert identity().case_id in letter.named("footer")[0].text
    assert "Not part of the letter" in letter.named("main")[0].text


def test_the_page_speaks_the_language_of_the_document() -> None:
    content = html_bytes(document(language="zh", identity=identity(language="zh")), is_interactive=False)
    page = Page.of(content)
    assert page.named("html")[0].attributes["lang"] == "zh"
    assert "2026年11月21日 19:30 UTC" in page.named("header")[0].text


def test_the_table_of_a_chart_holds_every_name_and_number_in_full() -> None:
    waterfall, bars, points, heat, lines = map(chart_table, CHARTS)
    assert waterfall.rows[1] == ("missed_payments = 4", "−1.60", "-1.8", "-1.4")
    assert bars.rows[0] == ("missed_payments", "SHAP", "0.5")
    assert points.note == "all: 0.64"
    assert heat.columns[1:] == ("Step 1", "Step 2", "Step 3")
    assert heat.rows[0] == ("missed_payments", "90 %", "20 %", "")
    assert lines.rows[1] == ("test rows", "0.4", "0.35", "0.3", "0.4")
    assert chart_table(dataclasses.replace(CHARTS[1], bars=())).rows == ()
