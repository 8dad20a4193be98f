import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.values import (
    as_numbers,
    as_text,
    as_timestamps,
    category_text,
    distinct_values,
    factorise,
    value_order,
)
from tabnet_engine.errors import SchemaError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (1e300, "1e+300"),
        (True, "True"),
        (np.True_, "True"),
        (np.int64(7), "7"),
        ("3", "3"),
        (dt.datetime(2024, 5, 6), "2024-05-06"),  # noqa: DTZ001 - tables hold moments without a zone
        (pd.Timestamp("2024-05-06 07:08"), "2024-05-06 07:08:00"),
        (pd.Timestamp("2024-05-06", tz="UTC"), "2024-05-06 00:00:00+00:00"),
    ],
)
def test_category_text(value, text):
    assert category_text(value) == text


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53)), min_size=1, max_size=20))
def test_whole_numbers_have_one_text_in_every_storage(values):
    integers = pd.Series(values, dtype="Int64")
    floats = pd.Series([np.nan if value is None else float(value) for value in values])
    texts = pd.Series([None if value is None else str(value) for value in values], dtype="str")
    small = floats[floats.abs().lt(1e15) | floats.isna()].index
    assert as_text(integers)[small].equals(as_text(floats)[small])
    assert as_text(integers)[small].equals(as_text(texts)[small])


def test_text_keeps_index_name_and_missing_cells():
    text = as_text(pd.Series([1.0, np.nan, 2.5], index=[5, 6, 7], name="x"))
    assert text.name == "x"
    assert list(text.index) == [5, 6, 7]
    assert text.isna().tolist() == [False, True, False]
    assert text.dropna().tolist() == ["1", "2.5"]


def test_mixed_values_are_not_merged_by_hash():
    codes, texts = factorise(pd.Series([True, 1, "1", None], dtype=object))
    assert codes.tolist() == [0, 1, 1, -1]
    assert texts == ("True", "1")


def test_distinct_values_count_in_order_of_appearance():
    codes, values = distinct_values(pd.Series(["b", "a", None, "b"], dtype="str"))
    assert codes.tolist() == [0, 1, -1, 0]
    assert list(values) == ["b", "a"]


def test_all_missing_columns_have_text():
    assert as_text(pd.Series([np.nan, np.nan])).isna().all()


def test_numbers_of_texts_and_truth_values():
    assert as_numbers(pd.Series(["1.5", None, "-2e3"], dtype="str")).tolist()[::2] == [1.5, -2000.0]
    assert as_numbers(pd.Series([True, False])).tolist() == [1.0, 0.0]
    assert np.isnan(as_numbers(pd.Series([1, None], dtype="Int64"))[1])


def test_a_text_that_is_no_number_is_named():
    with pytest.raises(SchemaError, match=r"column 'age', row 2: \"old\" is not a number \(1 more cells like it\)"):
        as_numbers(pd.Series(["1", None, "old", "x"], dtype="str", name="age"))


def test_dates_are_no_numbers_and_numbers_no_dates():
    with pytest.raises(SchemaError, match="holds dates"):
        as_numbers(pd.Series(pd.to_datetime(["2024-01-01"]), name="d"))
    with pytest.raises(SchemaError, match="holds numbers"):
        as_timestamps(pd.Series([1, 2], name="n"))


@pytest.mark.parametrize(
    "texts", [["2024-03-01", "2024-03-02 10:00"], ["March 1, 2024", "2 March 2024 10:00"], ["2024-03-01", None]]
)
def test_timestamps_of_texts(texts):
    moments = as_timestamps(pd.Series(texts, dtype="str"))
    assert moments.dtype == "datetime64[us]"
    assert moments[0] == np.datetime64("2024-03-01")
    assert moments[1] == np.datetime64("2024-03-02T10:00") if texts[1] else np.isnat(moments[1])


def test_zones_are_turned_into_utc():
    moments = as_timestamps(pd.Series(["2024-03-01T00:30:00+01:00"], dtype="str"))
    assert moments[0] == np.datetime64("2024-02-29T23:30")


def test_an_all_missing_number_column_can_be_a_date():
    assert np.isnat(as_timestamps(pd.Series([np.nan, np.nan]))).all()


def test_a_text_that_is_no_date_is_named():
    with pytest.raises(SchemaError, match=r"column 'day', row 1: \"soon\" is not a date; correct the cell"):
        as_timestamps(pd.Series(["2024-01-01", "soon"], dtype="str", name="day"))


def test_numbers_sort_by_size_before_texts():
    assert sorted(["b", "10", "nan", "9", "a", "-1.5"], key=value_order) == ["-1.5", "9", "10", "a", "b", "nan"]
