"""The look of the figures: contrast, literal text, labels that stay apart."""

from __future__ import annotations

import itertools
import json

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Kind
from tabnet_engine.figures import theme

LIGHT, DARK = "#ffffff", "#10151c"
HOSTILE = ["<b>x</b>", "$x$", '<a href="http://evil">y</a>', "100%{y}", "a & b", "emoji 🚀", "line\nbreak"]
# Machado et al. 2009, severity 1: how a colour looks with one kind of cone missing.
DEFICIENCIES = {
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
}


def linear(color: str) -> np.ndarray:
    value = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    low, high = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("color", [*theme.PALETTE, theme.NEUTRAL, theme.MISSING, theme.POSITIVE, theme.NEGATIVE])
@pytest.mark.parametrize("page", [LIGHT, DARK])
def test_every_colour_is_seen_on_both_pages(color: str, page: str) -> None:
    assert contrast(color, page) >= 2.8


@pytest.mark.parametrize("deficiency", DEFICIENCIES.values(), ids=DEFICIENCIES)
def test_colours_stay_apart_for_colour_blind_readers(deficiency: list[list[float]]) -> None:
    seen = [np.clip(np.array(deficiency) @ linear(color), 0, 1) ** (1 / 2.2) for color in theme.PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.1


def test_the_same_number_has_the_same_colour_everywhere() -> None:
    assert theme.color(1) == theme.color(1 + len(theme.PALETTE))
    assert set(theme.KIND_COLORS) == set(Kind)


def test_zero_is_see_through_in_both_scales() -> None:
    assert theme.SEQUENTIAL[0] == (0.0, "rgba(28,111,196,0)")
    assert dict(theme.DIVERGING)[0.5].endswith(",0)")
    go.Figure(go.Heatmap(z=[[0, 1]], colorscale=theme.DIVERGING))


@pytest.mark.parametrize("text", HOSTILE)
def test_escape_leaves_no_markup_template_or_formula(text: str) -> None:
    escaped = theme.escape(text)
    assert not set("<>$%\n") & set(escaped)


@given(st.text())
def test_escape_keeps_the_text(text: str) -> None:
    back = theme.escape(text)
    for entity, sign in {"&#37;": "%", "&#36;": "$", "&gt;": ">", "&lt;": "<", "&amp;": "&"}.items():
        back = back.replace(entity, sign)
    assert back == text.replace("\n", " ").replace("\r", " ")


@given(st.lists(st.text(alphabet="ab ()2", max_size=40), max_size=12))
def test_labels_stay_different(names: list[str]) -> None:
    made = theme.labels(names, width=6)
    assert len(set(made)) == len(names)


def test_a_long_label_keeps_its_beginning_and_its_end() -> None:
    (label,) = theme.labels(["monthly_income_before_tax_in_the_household_2021"], width=20)
    assert label.startswith("monthly")
    assert label.endswith("2021")
    assert len(label) == 20


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (float("nan"), "n/a"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (12, "12"),
        (0.91234, "0.912"),
        (48842.5, "48,842"),
        (1.5e13, "1.5e+13"),
        (3e15, "3e+15"),
    ],
)
def test_numbers_have_sensible_digits(value: float | None, text: str) -> None:
    assert theme.format_number(value) == text


def test_finish_escapes_and_wraps_every_text() -> None:
    figure = theme.finish(go.Figure(), title=" ".join(HOSTILE), subtitle="$y$", x="<i>", y="$z$")
    layout = json.loads(figure.to_json())["layout"]
    texts = [layout["title"]["text"], layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]]
    assert "<a" not in texts[0]
    assert all("$" not in text and "<i>" not in text for text in texts)
    assert texts[0].count("<br>") >= 2
    assert layout["paper_bgcolor"] == "rgba(0,0,0,0)"


def test_a_taller_heading_gets_more_room() -> None:
    short = theme.finish(go.Figure(), title="a")
    long = theme.finish(go.Figure(), title="a " * 60, subtitle="b")
    assert long.layout.margin.t > short.layout.margin.t


def test_an_empty_figure_says_why() -> None:
    figure = theme.empty("Nothing <here> yet")
    assert figure.layout.annotations[0].text == "Nothing &lt;here&gt; yet"
    assert not figure.data


def test_tint_and_height() -> None:
    assert theme.tint("#1c6fc4", 0.2) == "rgba(28,111,196,0.2)"
    assert theme.bars_height(2) == 220
    assert theme.bars_height(40) > theme.bars_height(20)
