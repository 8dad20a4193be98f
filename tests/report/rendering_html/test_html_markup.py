"""No text breaks out of the place that it is put into."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.report.rendering.html_markup import Markup, css_string, joined, tag, visible
from tests.report.rendering_html.reading import Page

TEXTS = st.text(st.characters() | st.sampled_from("<>&\"'/!-;=\u202e\x00\r\n\\"), max_size=40)


@given(text=TEXTS)
def test_what_is_put_into_an_element_is_read_out_of_it(text: str) -> None:
    page = Page.of(tag("p", tag("b", text), text, title=text, data_x=text))
    assert page.faults == []
    paragraph, bold = page.elements
    assert (bold.text, paragraph.text) == (visible(text), visible(text) * 2)
    assert paragraph.attributes == {"title": visible(text), "data-x": visible(text)}


@given(text=TEXTS)
def test_a_string_of_a_style_sheet_reads_as_the_text(text: str) -> None:
    quoted = css_string(text)
    assert re.fullmatch(r'"(?:[A-Za-z0-9 ]|\\[0-9a-f]+ )*"', quoted)
    read = re.sub(r"\\([0-9a-f]+) ", lambda found: chr(int(found[1], 16)), quoted[1:-1])
    assert read == visible(text).replace("\n", " ")


@given(text=TEXTS)
def test_nothing_hides_and_what_is_seen_stays(text: str) -> None:
    shown = visible(text)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\ud800-\udfff\r]", shown)
    assert visible(shown) == shown
    shown.encode()


def test_markup_is_put_in_as_it_is_and_a_text_never() -> None:
    assert joined([tag("i", "a<b"), "<i>"]) == "<i>a&lt;b</i>&lt;i&gt;"
    assert tag("i", Markup("<br>")) == "<i><br></i>"
