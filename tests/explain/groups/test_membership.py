"""Groups of a column: every row in one, missing ones in their own, names that a reader understands."""

from __future__ import annotations

from contextvars import copy_context

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.groups.membership import groups_of_column
from tabnet_engine.explain.row_parts import intersection, name_shown
from tabnet_engine.texts.recalling import keep_words
from tabnet_engine.texts.speaking import speaking

N = 40
FRAME = pd.DataFrame(
    {
        "age": np.append(np.arange(20.0, 58.0), [np.nan, np.nan]),
        "ratio": np.linspace(0, 1, N),
        "grade": np.arange(N) % 3,
        "sex": ["f", "m", "f", None] * 10,
        "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), unit="D"),
        "word": ["missing", None] * 20,
        "empty": [None] * N,
        "name": [f"n{row}" for row in range(N)],
        "flag": [True, False] * 20,
        "unknown": np.arange(N) * 1.0,
    }
)
KINDS = {"age": Kind.NUMBER, "ratio": Kind.NUMBER, "grade": Kind.NUMBER, "sex": Kind.CATEGORY, "joined": Kind.DATETIME,
         "flag": Kind.BOOLEAN, "word": Kind.CATEGORY}  # fmt: skip
SCHEMA = FeatureSchema(columns=tuple(Column(name=name, kind=kind) for name, kind in KINDS.items()))


def groups(column, **options):
    return groups_of_column(FRAME, SCHEMA, column, **options)


def test_numbers_are_cut_into_named_ranges_and_missing_is_a_group():
    parts = groups("age")
    assert parts.names == ("under 29", "29 to under 38", "38 to under 48", "48 or more", "missing")
    assert parts.sizes.tolist() == [9, 9, 10, 10, 2]
    assert parts.columns == ("age",)
    assert "missing cells are a group of their own" in parts.how


def test_cuts_of_the_user():
    assert groups("age", cuts=[30]).names == ("under 30", "30 or more", "missing")
    assert groups("age", cuts=[30]).sizes.tolist() == [10, 28, 2]
    assert groups("ratio", cuts=[0.25]).names == ("under 0.25", "0.25 or more")
    assert groups("joined", cuts=["2020-01-11"]).sizes.tolist() == [10, 30]
    assert groups("joined", cuts=["2020-01-11"]).names == ("before 2020-01-11", "2020-01-11 or later")


def test_categories_few_numbers_and_truth_values_stay_as_they_are():
    assert groups("sex").names == ("f", "m", "missing")
    assert groups("grade").names == ("0", "1", "2")
    assert groups("flag").names == ("False", "True")
    assert groups("unknown").names[0].startswith("under ")


def test_a_category_called_missing_is_not_confused_with_a_missing_cell():
    parts = groups("word")
    assert parts.names == ("missing", "no value")
    assert parts.sizes.tolist() == [20, 20]


@pytest.mark.parametrize(
    ("column", "options", "said"),
    [
        ("nobody", {}, "no column 'nobody'"),
        ("empty", {}, "missing in every row"),
        ("sex", {"cuts": [1]}, "no order to cut"),
        ("age", {"cuts": [40, 30]}, "ascending order"),
        ("age", {"cuts": ["x"]}, "must be numbers"),
        ("joined", {"cuts": ["x"]}, "must be dates"),
        ("age", {"n_ranges": 1}, "at least 2 ranges"),
    ],
)
def test_mistakes_are_told_in_one_sentence(column, options, said):
    with pytest.raises(ExplanationError, match=said):
        groups(column, **options)


def test_too_many_groups_are_refused():
    frame = pd.DataFrame({"name": [f"n{row}" for row in range(201)]})
    with pytest.raises(ExplanationError, match="201 different values"):
        groups_of_column(frame, SCHEMA, "name")


@given(values=st.lists(st.none() | st.integers(-50, 50), min_size=1, max_size=60), n_ranges=st.integers(2, 6))
@settings(max_examples=60, deadline=None)
def test_every_row_is_in_the_range_that_its_name_says(values, n_ranges):
    if all(value is None for value in values):
        return
    frame = pd.DataFrame({"age": pd.array(values, dtype="Float64").astype(float)})
    parts = groups_of_column(frame, SCHEMA, "age", n_ranges=n_ranges)
    assert (parts.codes >= 0).all()
    assert parts.sizes.sum() == len(values)
    for value, code in zip(values, parts.codes, strict=True):
        name = parts.names[code]
        if value is None:
            assert name == "missing"
        elif name.startswith("under "):
            assert value < int(name.removeprefix("under "))
        elif name.endswith(" or more"):
            assert value >= int(name.removesuffix(" or more"))
        elif " to under " in name:
            low, high = map(int, name.split(" to under "))
            assert low <= value < high
        else:
            assert name in {"any value", str(value)}


def shown(parts):
    """Every group as a Chinese reader sees it, among columns that hold a category called "missing"."""

    def names():
        keep_words(["missing", "under 30"])
        with speaking("zh"):
            return [name_shown(parts.pieces_of(name)) for name in parts.names]

    return copy_context().run(names)


def test_what_this_program_names_is_in_the_reader_s_language():
    assert shown(groups("age")) == ["小于 29", "29 至小于 38", "38 至小于 48", "48 或以上", "缺失"]
    assert shown(groups("joined", cuts=["2020-01-11"])) == ["早于 2020-01-11", "2020-01-11 或更晚"]
    assert shown(groups("sex")) == ["f", "m", "缺失"]


def test_what_is_divided_while_a_reader_waits_is_named_in_their_language_at_once():
    with speaking("zh"):
        assert groups("age", cuts=[30]).names == ("小于 30", "30 或以上", "缺失")
        assert groups("sex").names == ("f", "m", "缺失")


def test_what_the_table_holds_stays_as_it_is():
    held = FRAME.assign(word=(["missing", "under 30", "30 to under 50", "any value"] * 10))
    assert shown(groups_of_column(held, SCHEMA, "word")) == ["30 to under 50", "any value", "missing", "under 30"]
    assert [piece.is_made for name in ("missing", "no value") for piece in groups("word").pieces_of(name)] == [
        False,
        True,
    ]
    assert shown(groups("word"))[0] == "missing"


def test_two_columns_crossed_keep_each_word_whose_it_is():
    crossed = intersection(groups("word"), groups("age", cuts=[30]))
    assert crossed.names[0] == "word = missing, age = under 30"
    assert shown(crossed)[0] == "word = missing, age = 小于 30"
    assert set(crossed.pieces) == set(crossed.names)
    assert set(crossed.take(np.arange(3)).occurring().pieces) == set(crossed.take(np.arange(3)).occurring().names)


def test_a_table_that_holds_every_word_for_a_missing_cell():
    held = pd.DataFrame({"word": ["missing", "no value", None]})
    assert groups_of_column(held, SCHEMA, "word").names == ("missing", "no value", "no value (empty cell)")
