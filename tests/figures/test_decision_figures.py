"""One decision: the steps, what they read, what they added, and the probabilities."""

import dataclasses

import numpy as np
import pytest

from tabnet_engine.explain.timeline import step_timeline as arrange
from tabnet_engine.figures.decision import contribution_map, probability_bars, step_timeline
from tabnet_engine.figures.theme import NEGATIVE, POSITIVE
from tests.explain.conftest import make_masks

HOSTILE = "<b>x</b> $y$ %{z}"


def timeline(n_steps=3, n_features=5, n_outputs=2, values=None):
    masks = make_masks(n_steps=n_steps, n_features=n_features, n_outputs=n_outputs)
    return masks, arrange(masks, 12, values, top=n_features)


def of_type(figure, kind):
    return [trace for trace in figure.data if trace.type == kind]


def test_the_bars_are_what_each_step_added_to_the_output():
    masks, record = timeline()
    (bars,) = of_type(step_timeline(record, output=1, unit="score of yes"), "bar")
    np.testing.assert_allclose(bars.y, masks.contributions[:, 2, 1], rtol=1e-6)
    assert [shade == POSITIVE for shade in bars.marker.color] == [value >= 0 for value in bars.y]
    assert set(bars.marker.color) <= {POSITIVE, NEGATIVE}


def test_the_map_holds_all_that_was_read():
    _, record = timeline()
    (cells,) = of_type(step_timeline(record, unit="u"), "heatmap")
    np.testing.assert_allclose(np.asarray(cells.z).sum(axis=0), 1.0, atol=1e-5)


def test_columns_beyond_the_most_read_are_one_line():
    masks, record = timeline(n_features=9)
    figure = step_timeline(record, unit="u", max_features=2)
    (cells,) = of_type(figure, "heatmap")
    names = list(figure.layout.yaxis2.ticktext)
    weights = masks.aggregate[2]
    assert names[:2] == [f"f{index}" for index in np.argsort(-weights)[:2]]
    assert names[2:] == ["all other columns"]
    np.testing.assert_allclose(np.asarray(cells.z).sum(axis=0), 1.0, atol=1e-5)


def test_the_axis_says_the_share_of_each_step():
    masks, record = timeline()
    ticks = step_timeline(record, unit="u").layout.xaxis2.ticktext
    assert ticks[0] == f"step 1<br>{100 * masks.step_shares[0, 2]:.0f} %"


def test_many_steps_are_written_shorter():
    _, record = timeline(n_steps=8)
    figure = step_timeline(record, unit="u")
    assert not any("step" in tick or "%" in tick for tick in figure.layout.xaxis2.ticktext)
    assert of_type(figure, "bar")[0].textangle == -90


def test_values_and_hostile_names_are_shown_literally():
    masks = dataclasses.replace(make_masks(), features=(HOSTILE, "b", "c"))
    figure = step_timeline(arrange(masks, 12, {HOSTILE: "<i>v"}, top=3), unit=HOSTILE)
    text = figure.to_json().replace("\\u003c", "<")
    assert "<b>x" not in text
    assert "<i>v" not in text
    assert "&lt;i&gt;v" in text


def test_a_row_that_no_step_read_is_drawn_without_lines():
    _, record = timeline()
    silent = dataclasses.replace(
        record, steps=tuple(dataclasses.replace(step, features=(), rest_share=0.0) for step in record.steps)
    )
    (cells,) = of_type(step_timeline(silent, unit="u"), "heatmap")
    assert np.asarray(cells.z).size == 0


def test_the_contributions_and_their_sum_stand_class_by_class():
    masks, record = timeline(n_outputs=3)
    figure = contribution_map(record)
    cells = of_type(figure, "heatmap")[0]
    np.testing.assert_allclose(cells.z[:, :3], masks.contributions[:, 2, :].T, rtol=1e-6)
    np.testing.assert_allclose(cells.z[:, 3], masks.logits[2])
    assert cells.zmin == -cells.zmax
    assert list(figure.layout.xaxis.ticktext) == ["step 1", "step 2", "step 3", "score"]
    short = contribution_map(record, outputs=[1, 0], names=["NEAR OCEAN", "<1H OCEAN"])
    assert list(short.layout.yaxis.ticktext) == ["NEAR OCEAN", "&lt;1H OCEAN"]


def test_without_steps_both_say_so():
    _, record = timeline()
    nothing = dataclasses.replace(record, steps=())
    for figure in (step_timeline(nothing, unit="u"), contribution_map(nothing)):
        assert "no decision step" in figure.layout.annotations[0].text


def test_probabilities_stand_by_size_and_the_actual_class_is_marked():
    figure = probability_bars(("a", HOSTILE, "c"), np.array([0.2, 0.7, 0.1]), actual="a")
    assert list(figure.data[0].x) == pytest.approx([70.0, 20.0, 10.0])
    assert figure.layout.yaxis.ticktext[1] == "a ◂ actual"
    assert "<b>x" not in figure.to_json().replace("\\u003c", "<")


def test_the_actual_class_is_always_among_those_drawn():
    figure = probability_bars(("a", "b", "c", "d"), np.array([0.4, 0.3, 0.2, 0.1]), actual="d", max_classes=2)
    assert list(figure.layout.yaxis.ticktext) == ["a", "b", "d ◂ actual"]
    assert "1 less probable class is not drawn" in figure.layout.title.text


def test_no_class_says_so():
    assert "no class" in probability_bars((), np.array([]), actual=None).layout.annotations[0].text
