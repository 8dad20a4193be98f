"""Waterfall, beeswarm, bars by class and dependence: every push drawn once, none claimed low or high."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.explain.dependence import dependence as arrange
from tabnet_engine.explain.shap_summary import shap_summary
from tabnet_engine.figures import attributions
from tabnet_engine.figures.attributions import beeswarm, class_bars, dependence
from tabnet_engine.figures.theme import NEGATIVE, POSITIVE, color
from tabnet_engine.figures.waterfall import waterfall
from tests.explain.conftest import make_attribution

HOSTILE = "<b>x</b> $y$ %{z}"
FRAME = pd.DataFrame({"f0": [1.0, np.nan, 3.0], "f1": pd.Series(["a", "b", "a"], dtype="str"), "f2": [1, 2, 3]})
TEXTS = FRAME.astype(object).where(FRAME.notna(), "missing").astype(str)


@pytest.fixture
def attribution():
    values = np.array([[[1.0], [-2.0], [0.5]], [[0.2], [0.1], [0.0]], [[-1.0], [0.3], [0.4]]])
    return make_attribution(values)


def bars_of(figure):
    return next(trace for trace in figure.data if trace.type == "bar")


def test_the_waterfall_goes_from_base_to_score_the_largest_push_first(attribution):
    bars = bars_of(waterfall(attribution, 0, unit="log-odds of yes"))
    assert list(bars.x) == [-2.0, 1.0, 0.5]
    assert list(bars.base) == pytest.approx([-0.5, -2.5, -1.5])
    assert bars.base[-1] + bars.x[-1] == pytest.approx(attribution.logits[0, 0])
    assert list(bars.marker.color) == [NEGATIVE, POSITIVE, POSITIVE]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.integers(1, 12))
def test_every_waterfall_ends_at_the_score(pushes, most):
    one = make_attribution(np.array(pushes).reshape(1, -1, 1))
    bars = bars_of(waterfall(one, 0, unit="u", max_features=most))
    assert len(bars.x) == min(len(pushes), most) + (len(pushes) > most)
    assert bars.base[0] == pytest.approx(one.base[0])
    assert bars.base[-1] + bars.x[-1] == pytest.approx(one.logits[0, 0], abs=1e-6)


def test_the_waterfall_names_values_intervals_and_the_rest(attribution):
    values = {"f0": "7", "f1": HOSTILE}
    figure = waterfall(attribution, 0, unit="u", values=values, max_features=2)
    ticks = list(figure.layout.yaxis.ticktext)
    assert ticks[0] == "average of the background"
    assert ticks[2:] == ["f0 = 7", "1 other column", "this row"]
    assert bars_of(figure).customdata[1] == "f0 = 7<br>+1.00 ± 0.020 (95 % interval)"
    assert "<b>x" not in figure.to_json().replace("\\u003c", "<")
    np.testing.assert_allclose(bars_of(figure).error_x.array, [0.0196, 0.0196, 0.0])


def test_long_fractions_are_rounded_and_everything_else_stays(attribution):
    figure = waterfall(
        attribution, 0, unit="u", values={"f1": "0.12345678901", "f0": "1234567890123", "f2": "red wine"}
    )
    assert list(figure.layout.yaxis.ticktext)[1:4] == ["f1 = 0.12346", "f0 = 1234567890123", "f2 = red wine"]


def test_the_waterfall_of_another_output_and_without_errors():
    values = np.stack([np.ones((1, 2)), -np.ones((1, 2))], axis=2)
    bars = bars_of(waterfall(make_attribution(values, standard_error=None), 0, output=1, unit="u"))
    assert list(bars.x) == [-1.0, -1.0]
    assert bars.error_x.array is None


def test_the_beeswarm_draws_every_push_once_grey_where_a_value_has_no_order(attribution):
    texts = {name: TEXTS[name].tolist() for name in TEXTS}
    figure = beeswarm(shap_summary(attribution, frame=FRAME), unit="u", texts=texts, subtitle="3 rows")
    drawn = sorted(float(x) for trace in figure.data for x in trace.x)
    assert drawn == sorted(attribution.values.ravel().tolist())
    grey = [text for trace in figure.data if isinstance(trace.marker.color, str) for text in trace.customdata]
    assert sorted(text for _, text in grey) == ["f0 = missing", "f1 = a", "f1 = a", "f1 = b"]


def test_the_beeswarm_says_what_it_does_not_draw(attribution, monkeypatch):
    monkeypatch.setattr(attributions, "_MAX_POINTS", 4)
    figure = beeswarm(shap_summary(attribution, max_features=2), unit="u")
    title = figure.layout.title.text.replace("<br>", " ")
    assert "2 evenly spaced rows are drawn" in title
    assert "1 column that moves it less is not drawn" in title
    assert sum(len(trace.x) for trace in figure.data) == 4


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=200))
def test_points_stay_in_their_line(pushes):
    assert np.abs(attributions._swarm_heights(np.array(pushes))).max() < 0.5


def test_points_of_one_value_stand_apart():
    assert len(set(attributions._swarm_heights(np.ones(12)).tolist())) == 12


def test_class_bars_stack_the_classes_in_their_colours():
    values = np.array([[0.1, 0.2], [0.5, 0.6], [0.0, 0.0]])
    figure = class_bars(("a", "b", "c"), values, ("no", "yes"), max_features=2)
    assert [trace.name for trace in figure.data] == ["no", "yes"]
    assert [trace.marker.color for trace in figure.data] == [color(0), color(1)]
    assert figure.data[1].x.tolist() == [0.6, 0.2]
    assert list(figure.layout.yaxis.ticktext) == ["b", "a"]
    assert "1 smaller column not drawn" in figure.layout.xaxis.title.text


def test_dependence_draws_every_row_and_marks_the_missing(attribution):
    figure = dependence(arrange(attribution, "f0", frame=FRAME, texts=TEXTS, colored_by="f2"), unit="u")
    assert sum(len(trace.x) for trace in figure.data) == 3
    assert figure.layout.annotations[0].text == "missing"
    assert "f0 = missing" in figure.data[1].customdata[1][1]
    assert "f2 = 2" in figure.data[1].customdata[1][1]
    assert [row for trace in figure.data for row, _ in trace.customdata] == attribution.rows.tolist()
    assert "colour: f2" in figure.layout.title.text


def test_dependence_without_a_second_column_has_no_scale(attribution):
    figure = dependence(arrange(attribution, "f1", frame=FRAME, texts=TEXTS), unit="u")
    assert list(figure.layout.xaxis.ticktext) == ["a", "b"]
    assert figure.layout.coloraxis.colorscale is None
    assert not figure.layout.annotations


def test_dependence_coloured_by_a_category_claims_no_order(attribution):
    figure = dependence(arrange(attribution, "f2", frame=FRAME, texts=TEXTS, colored_by="f1"), unit="u")
    assert figure.layout.coloraxis.colorscale is None
    assert sum(len(trace.x) for trace in figure.data) == 3


def test_nothing_explained_says_so():
    none = make_attribution(np.zeros((0, 2, 1)))
    empty_frame = FRAME.head(0)
    drawn = [
        beeswarm(shap_summary(none), unit="u"),
        dependence(arrange(none, "f0", frame=empty_frame, texts=TEXTS.head(0)), unit="u"),
    ]
    for figure in drawn:
        assert "no explained row" in figure.layout.annotations[0].text
    assert "no column" in class_bars((), np.zeros((0, 2)), ("a", "b")).layout.annotations[0].text
    assert "no column" in waterfall(make_attribution(np.zeros((1, 0, 1))), 0, unit="u").layout.annotations[0].text
