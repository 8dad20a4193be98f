"""Figures of a table's profile draw what they are given, on the user's own words."""

from __future__ import annotations

import numpy as np

from tabnet_engine.data.schema import Kind
from tabnet_engine.figures import profile
from tabnet_engine.figures.theme import NEUTRAL, color

HOSTILE = "<b>$x$</b>"


def test_a_histogram_has_one_bar_per_bin_at_its_place() -> None:
    figure = profile.distribution("age", [0.0, 10.0, 30.0], [4, 6])
    (bars,) = figure.data
    assert list(bars.x) == [5.0, 20.0]
    assert list(bars.width) == [10.0, 20.0]
    assert list(bars.y) == [4, 6]
    assert bars.customdata[1] == "10 to 30"


def test_a_histogram_of_dates_has_a_time_axis() -> None:
    day = 86_400.0
    figure = profile.distribution("when", [0.0, day, 2 * day], [1, 2], kind=Kind.DATETIME)
    (bars,) = figure.data
    assert np.asarray(bars.x, dtype="datetime64[s]")[0] == np.datetime64("1970-01-01T12:00:00")
    assert bars.width[0] == day * 1000
    assert bars.customdata[0].startswith("1970-01-01 00:00:00 to 1970-01-02")


def test_a_column_without_values_says_so() -> None:
    for figure in (profile.distribution("a", [], []), profile.distribution("a", [0, 1], [0])):
        assert "no values" in figure.layout.annotations[0].text
    assert "no values" in profile.value_counts("a", [], []).layout.annotations[0].text


def test_values_keep_their_order_and_the_rest_is_one_grey_bar() -> None:
    figure = profile.value_counts("colour", ["1", HOSTILE], [5, 3], n_other=7)
    (bars,) = figure.data
    assert list(bars.x) == [5, 3, 7]
    assert list(figure.layout.yaxis.ticktext) == ["1", "&lt;b&gt;&#36;x&#36;&lt;/b&gt;", "all other values"]
    assert bars.marker.color[-1] == NEUTRAL
    assert figure.layout.yaxis.autorange == "reversed"


def test_values_without_a_rest_have_no_grey_bar() -> None:
    assert len(profile.value_counts("colour", ["1"], [5]).data[0].x) == 1


def test_missing_shares_are_sorted_and_complete_columns_counted() -> None:
    figure = profile.missing_shares({"a": 0.0, "b": 0.1, "c": 0.4}, n_rows=50)
    assert list(figure.data[0].x) == [40.0, 10.0]
    assert "1 of 3 columns are complete" in figure.layout.title.text
    assert "No column" in profile.missing_shares({"a": 0.0}, n_rows=50).layout.annotations[0].text


def test_classes_keep_their_colours() -> None:
    figure = profile.class_balance(["no", "yes"], [30, 10], target="income")
    assert list(figure.data[0].x) == [75.0, 25.0]
    assert list(figure.data[0].marker.color) == [color(0), color(1)]
    assert profile.class_balance([], [], target="income").layout.annotations


def test_associations_are_sorted_with_the_measure_of_each() -> None:
    figure = profile.associations(["a", "b", "c"], [0.1, 0.9, 0.5], ["Pearson", "Cramér's V", "Pearson"], target="y")
    assert list(figure.layout.yaxis.ticktext) == ["b", "c", "a"]
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["Pearson"].y) == [1, 2]
    assert list(by_name["Pearson"].x) == [0.5, 0.1]
    assert by_name["Cramér's V"].customdata[0].startswith("b<br>")
    assert profile.associations([], [], [], target="y").layout.annotations
