"""Importance bars, and the pictures of agreement between masks and SHAP."""

import dataclasses

import numpy as np
import pytest

from tabnet_engine.explain.agreement import RowAgreement, rank_agreement
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.figures.agreement import (
    agreement_histogram,
    attention_effect_pairs,
    attention_effect_scatter,
    rank_slope,
)
from tabnet_engine.figures.importance import METHOD_COLORS, importance_bars

HOSTILE = "<b>x</b> $y$ %{z}"


def importance(values, *, method="shap", error=None, features=None, n_rows=10):
    values = np.asarray(values, dtype=float)
    names = features or tuple(f"f{index}" for index in range(len(values)))
    return GlobalImportance(
        method=method, features=tuple(names), values=values, standard_error=error, n_rows=n_rows, note="Note."
    )


def bars(*values, **options):
    return importance_bars(importance(values), title="t", x="x", **options)


def agreement(first=(0.5, 0.3, 0.2), second=(0.1, 0.2, 0.7), features=None):
    return rank_agreement(importance(first, method="masks", features=features), importance(second, features=features))


def test_bars_stand_by_size_with_their_rank_in_the_hover():
    figure = bars(1.0, 3.0, 2.0)
    assert figure.data[0].x.tolist() == [3.0, 2.0, 1.0]
    assert list(figure.layout.yaxis.ticktext) == ["f1", "f2", "f0"]
    assert figure.data[0].customdata[0] == "<b>f1</b><br>rank 1: 3.00"


def test_a_given_order_keeps_the_ranks():
    figure = bars(1.0, 3.0, 2.0, order=[0, 1, 2])
    assert figure.data[0].x.tolist() == [1.0, 3.0, 2.0]
    assert "rank 3" in figure.data[0].customdata[0]


def test_what_is_not_shown_one_by_one_is_summed_in_one_grey_bar():
    figure = bars(1.0, 3.0, 2.0, max_features=1)
    assert list(figure.layout.yaxis.ticktext) == ["f1", "2 other columns"]
    assert list(figure.data[1].x) == [3.0]
    assert figure.data[1].marker.color != figure.data[0].marker.color
    assert "the other 2 columns together: 3.00" in figure.data[1].hovertemplate


def test_masks_are_per_cent_in_the_colour_of_what_was_read():
    figure = importance_bars(importance([0.25, 0.75], method="masks"), title="t", x="x")
    assert figure.data[0].x.tolist() == [75.0, 25.0]
    assert "75 %" in figure.data[0].customdata[0]
    assert figure.data[0].marker.color == METHOD_COLORS["masks"] != METHOD_COLORS["shap"]


def test_intervals_are_95_per_cent_ones():
    figure = importance_bars(importance([1.0, 2.0], error=np.array([0.1, 0.2])), title="t", x="x")
    np.testing.assert_allclose(figure.data[0].error_x.array, [0.392, 0.196], rtol=1e-4)
    assert "(95 % interval 1.61 to 2.39)" in figure.data[0].customdata[0]
    assert bars(1.0).data[0].error_x.array is None


def test_an_interval_of_its_own_is_drawn_as_it_is():
    measured = dataclasses.replace(
        importance([-0.1, 2.0], method="permutation"), low=np.array([-0.3, 1.5]), high=np.array([0.2, 4.0])
    )
    bar = importance_bars(measured, title="t", x="x").data[0]
    np.testing.assert_allclose(bar.error_x.array, [2.0, 0.3])
    np.testing.assert_allclose(bar.error_x.arrayminus, [0.5, 0.2])
    assert "−0.10 (95 % interval −0.30 to 0.20)" in bar.customdata[1]


def test_nothing_measured_says_so():
    assert "nothing measured" in importance_bars(importance([], n_rows=0), title="t", x="x").layout.annotations[0].text


def test_no_figure_takes_a_columns_name_for_markup():
    names = (HOSTILE, "b", "c")
    both = agreement(features=names)
    figures = [
        importance_bars(importance([1.0, 2.0, 3.0], features=names), title="t", x="x"),
        attention_effect_scatter(both),
        rank_slope(both, names=("masks", "SHAP")),
        attention_effect_pairs(both),
    ]
    for figure in figures:
        text = figure.to_json()
        assert "<b>x" not in text.replace("\\u003c", "<")
        assert "$y$" not in text
        assert "%{z}" not in text


def test_short_names_of_two_near_points_are_both_drawn() -> None:
    both = agreement(first=(0.42, 0.34, 0.14, 0.1), second=(0.3, 0.31, 0.2, 0.19), features=("4", "10", "8", "9"))
    shown = {text for trace in attention_effect_scatter(both).data for text in trace.text or () if text}
    assert {"4", "10"} <= shown


def test_the_scatter_sorts_columns_by_where_they_differ():
    both = agreement((0.4, 0.3, 0.15, 0.1, 0.05), (0.01, 0.3, 0.1, 0.2, 0.39))
    figure = attention_effect_scatter(both)
    groups = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_allclose(groups["read more than it moves"].x, [40.0])
    np.testing.assert_allclose(groups["moves more than it is read"].y, [39.0])
    assert len({trace.marker.symbol for trace in groups.values()}) == 3


def test_names_that_would_cover_each_other_are_left_to_the_hover():
    both = agreement([0.2] * 5, [0.2] * 5)
    shown = [text for trace in attention_effect_scatter(both).data for text in trace.text or () if text]
    assert len(shown) == 1
    hovers = [text for trace in attention_effect_scatter(both).data for text in trace.customdata or ()]
    assert len(hovers) == 5


def test_the_slope_joins_ranks_and_counts_who_is_left_out():
    figure = rank_slope(agreement(), names=("masks", "SHAP"), max_features=2)
    lines = {trace.text[0].split()[0]: list(trace.y) for trace in figure.data}
    assert lines == {"f0": [1, 3], "f2": [3, 1]}
    assert "1 column that leads by neither is not drawn" in figure.layout.title.text.replace("<br>", " ")
    assert "not drawn" not in rank_slope(agreement(), names=("a", "b")).layout.title.text


def test_equal_ranks_do_not_stand_upon_each_other():
    figure = rank_slope(agreement((0.5, 0.5, 0.0), (0.5, 0.5, 0.0)), names=("a", "b"))
    assert sorted(trace.y[0] for trace in figure.data) == [1, 2, 3]
    assert [trace.text[0].split()[-1] for trace in figure.data] == ["1", "1", "3"]


def test_the_butterfly_shows_both_shares_with_positive_labels():
    figure = attention_effect_pairs(agreement())
    read, moved = figure.data
    np.testing.assert_allclose(sorted(-read.x), [20, 30, 50])
    np.testing.assert_allclose(sorted(moved.x), [10, 20, 70])
    assert not any(text.startswith("-") for text in figure.layout.xaxis.ticktext)
    assert min(figure.layout.xaxis.tickvals) < 0


@pytest.mark.parametrize("first", [(0.99, 0.01, 0.0), (0.02, 0.49, 0.49)])
def test_the_butterflys_axis_holds_the_largest_share(first):
    figure = attention_effect_pairs(agreement(first))
    assert figure.layout.xaxis.range[1] > 100 * max(*first, 0.7)
    assert 3 <= len(figure.layout.xaxis.tickvals) <= 9


def test_the_histogram_counts_every_row_with_an_agreement():
    spearman = np.array([-1.0, 0.0, np.nan, 1.0, 1.0])
    rows = RowAgreement(output="yes", rows=np.arange(5), spearman=spearman, top_k=3, overlap=np.ones(5))
    figure = agreement_histogram(rows, subtitle="5 rows")
    bars = figure.data[0]
    assert {x: y for x, y in zip(bars.x.tolist(), bars.y.tolist(), strict=True) if y} == {-1.0: 1, 0.0: 1, 1.0: 2}
    assert sum(bars.y) == 4
    assert figure.layout.annotations[0].text == "median 0.50"
    nothing = agreement_histogram(dataclasses.replace(rows, spearman=np.full(5, np.nan)))
    assert "No row has both" in nothing.layout.annotations[0].text.replace("<br>", " ")


@pytest.mark.parametrize(
    "draw", [attention_effect_scatter, attention_effect_pairs, lambda both: rank_slope(both, names=("a", "b"))]
)
def test_without_columns_there_is_nothing_to_compare(draw):
    nothing = dataclasses.replace(
        agreement(),
        features=(),
        first_rank=np.array([], dtype=int),
        second_rank=np.array([], dtype=int),
        first_share=np.array([]),
        second_share=np.array([]),
    )
    assert "no column to compare" in draw(nothing).layout.annotations[0].text
