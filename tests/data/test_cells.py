"""Columns of text: what becomes a number, a date or a boolean, and what is said about the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.reading.dates import read_dates
from tabnet_engine.data.reading.numbers import read_numbers
from tabnet_engine.data.tables import ReadOptions, Table, read_table


def column(tmp_path, cells, **options) -> tuple[pd.Series, str]:
    """The one column of a table of these cells, and the notes on it."""
    table = read_cells(tmp_path, cells, **options)
    return table.frame["x"], " ".join(table.notes)


def read_cells(tmp_path, cells, **options) -> Table:
    path = tmp_path / "t.csv"
    path.write_text("k\tx\n" + "".join(f"k\t{cell}\n" for cell in cells), encoding="utf-8")
    return read_table(path, ReadOptions(header="first", delimiter="\t", **options))


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "-2", "+3", "0"], "int64", [1, -2, 3, 0]),
        (["1", "2.5", ".5", "3."], "float64", [1, 2.5, 0.5, 3]),
        (["1e3", "5E-1", "+.5"], "float64", [1000, 0.5, 0.5]),
        (["20000", "1e+05"], "int64", [20000, 100000]),
        (["1.0", "2.0"], "float64", [1, 2]),
        (["0.1", "0.30000000000000004"], "float64", [0.1, 0.30000000000000004]),
        (["1,234", "5"], "int64", [1234, 5]),
        (["true", "FALSE", "True"], "bool", [True, False, True]),
        (["0x1f", "1"], "str", ["0x1f", "1"]),
        (["1_000", "2"], "str", ["1_000", "2"]),
        (["١", "٢"], "str", ["١", "٢"]),
        (["inf", "-inf"], "str", ["inf", "-inf"]),
        (["true", "maybe"], "str", ["true", "maybe"]),
        (["1.2.10", "1.2.11"], "str", ["1.2.10", "1.2.11"]),
        (["10:30", "11:45"], "str", ["10:30", "11:45"]),
    ],
)
def test_what_cells_become(tmp_path, cells, dtype, values):
    series, _ = column(tmp_path, cells)
    assert str(series.dtype) == dtype
    assert series.tolist() == values


def test_one_other_cell_beyond_the_sample_is_seen(tmp_path):
    cells = ["true"] * 3000
    cells[1501] = "unsure"
    assert str(column(tmp_path, cells)[0].dtype) == "str"


def test_missing_cells(tmp_path):
    assert str(column(tmp_path, ["1", "", "3"])[0].dtype) == "float64"
    assert column(tmp_path, ["true", "?", "false"])[0].fillna("-").tolist() == ["True", "-", "False"]
    assert str(column(tmp_path, ["true", "?"])[0].dtype) == "str"
    empty, notes = column(tmp_path, ["", "NA", "  "])
    assert str(empty.dtype) == "float64"
    assert empty.isna().all()
    assert "blank 2 times" in notes
    assert '"NA" 1 time' in notes
    dates = column(tmp_path, ["2024-01-02", "", "2024-01-03"])[0]
    assert str(dates.dtype) == "datetime64[us]"
    assert dates.isna().tolist() == [False, True, False]


def test_a_few_bad_cells_keep_the_column_text_and_say_so(tmp_path):
    cells = [str(i) for i in range(100)]
    cells[17] = "abc"
    series, notes = column(tmp_path, cells)
    assert str(series.dtype) == "str"
    assert 'Column "x": 1 of 100 cells is no number, first "abc" at row 17 (line 19)' in notes
    assert 'add "abc" to the missing tokens to read it as numbers' in notes
    cells[40] = cells[41] = "-"
    _, notes = column(tmp_path, cells)
    assert '3 of 100 cells are no numbers, first "abc" at row 17 (line 19)' in notes
    assert 'add "abc", "-" to the missing tokens' in notes
    assert str(column(tmp_path, cells, missing_tokens=("abc", "-"))[0].dtype) == "float64"


def test_many_different_bad_cells_come_without_a_remedy(tmp_path):
    cells = [str(i) for i in range(100)] + ["a", "b", "c", "d"]
    _, notes = column(tmp_path, cells)
    assert "4 of 104 cells are no numbers" in notes
    assert "missing tokens" not in notes


def test_many_bad_cells_are_simply_text(tmp_path):
    assert "no number" not in column(tmp_path, ["1"] * 9 + ["a"])[1]


def test_no_line_where_rows_span_lines(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('k,x\n"a\nb",1\n' + "k,2\n" * 60 + "k,abc\n")
    notes = " ".join(read_table(path).notes)
    assert 'first "abc" at row 61;' in notes


def test_leading_zeros_and_long_numbers_stay_text(tmp_path):
    series, notes = column(tmp_path, ["007", "12", "0"])
    assert series.tolist() == ["007", "12", "0"]
    assert 'leading zeros, first "007"' in notes
    series, notes = column(tmp_path, ["1234567890123456", "2"])
    assert series.tolist() == ["1234567890123456", "2"]
    assert "more than 15 digits" in notes
    assert str(column(tmp_path, ["9" * 30, "2"])[0].dtype) == "str"
    assert str(column(tmp_path, ["123456789012345", "2"])[0].dtype) == "int64"
    assert str(column(tmp_path, ["0.5", "-0.25"])[0].dtype) == "float64"


def test_numbers_beyond_float64_become_missing_with_a_note(tmp_path):
    series, notes = column(tmp_path, ["1.5", "1e999", "-inf"])
    assert series.isna().tolist() == [False, True, True]
    assert "2 values infinite or beyond the largest number (1.8e308), first at row 1 (line 3)" in notes


def test_thousands_separators_are_noted(tmp_path):
    _, notes = column(tmp_path, ["1,234", "999", "1,000,000"])
    assert 'thousands separators were taken out of 2 cells, first "1,234"' in notes


@pytest.mark.parametrize(
    ("cells", "iso", "said"),
    [
        (["2024-01-02", "2024-12-31"], ["2024-01-02", "2024-12-31"], ""),
        (["2024/1/2", "2024/12/31"], ["2024-01-02", "2024-12-31"], ""),
        (["2024-01-02 10:30", "2024-01-02T23:59:59.25"], ["2024-01-02 10:30", "2024-01-02 23:59:59.25"], ""),
        (["31/12/2024", "01/02/2024"], ["2024-12-31", "2024-02-01"], "day, month, year (a part above 12"),
        (["12/31/2024", "01/02/2024"], ["2024-12-31", "2024-01-02"], "month, day, year (a part above 12"),
        (["01/02/2024", "03/04/2024"], ["2024-01-02", "2024-03-04"], "month, day, year (no part"),
        (["01.02.2024", "03.04.2024"], ["2024-02-01", "2024-04-03"], "day, month, year (no part"),
        (["1-2-2024 1:05 pm", "3-4-2024 12:00 AM"], ["2024-02-01 13:05", "2024-04-03 00:00"], "guess"),
        (["1/31/69", "2/3/70"], ["2069-01-31", "1970-02-03"], "1970 to 2069"),
        (["2 Jan 2024", "31-December-2024"], ["2024-01-02", "2024-12-31"], ""),
        (["Jan 2, 2024", "December 31 2024"], ["2024-01-02", "2024-12-31"], ""),
        (["2024-01-02T00:30:00+02:00", "2024-01-02T00:30:00Z"], ["2024-01-01 22:30", "2024-01-02 00:30"], "UTC"),
        (["2024-01-02T00:30-0130", "2024-01-02 00:30"], ["2024-01-02 02:00", "2024-01-02 00:30"], "taken as UTC"),
        (["2024-02-29", "1600-02-29"], ["2024-02-29", "1600-02-29"], ""),
    ],
)
def test_dates(tmp_path, cells, iso, said):
    series, notes = column(tmp_path, cells)
    assert str(series.dtype) == "datetime64[us]"
    assert series.tolist() == [pd.Timestamp(text) for text in iso]
    assert said in notes


@pytest.mark.parametrize(
    "cells",
    [
        ["2023-02-29", "2024-01-01"],
        ["2024-13-01", "2024-01-01"],
        ["31/12/2024", "12/31/2024"],
        ["2024-01-01 24:00", "2024-01-01 10:00"],
        ["2024-01-01 13:00 pm", "2024-01-01 10:00"],
        ["32 Jan 2024", "1 Jan 2024"],
        ["0000-01-01", "2024-01-01"],
        ["2 Foo 2024", "3 Bar 2024"],
        ["2024-01-01", "01.02.2024"],
    ],
)
def test_what_is_in_no_calendar_stays_text(tmp_path, cells):
    series, _ = column(tmp_path, cells)
    assert series.tolist() == cells


def test_a_few_bad_dates_are_named(tmp_path):
    _, notes = column(tmp_path, ["2024-01-02"] * 50 + ["2024-02-30"])
    assert '1 of 51 cells is no date, first "2024-02-30" at row 50 (line 52)' in notes


@given(st.lists(st.datetimes(), min_size=1, max_size=20))
def test_iso_dates_come_back(values):
    found = read_dates(pa.array([value.isoformat(sep=" ") for value in values]), [values[0].isoformat(sep=" ")])
    assert found is not None
    assert not found.bad.any()
    assert found.values.tolist() == values


def test_no_form_of_date():
    assert read_dates(pa.array(["x", "y"]), ["x", "y"]) is None


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_come_back_exactly(values):
    found = read_numbers(pa.array([repr(value) for value in values]), ".")
    assert found.values is not None
    assert np.array_equal(np.asarray(found.values), np.array(values))


@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=20), st.sampled_from([".", ","]))
def test_integers_come_back_exactly(values, decimal):
    found = read_numbers(pa.array([str(value) for value in values]), decimal)
    assert np.asarray(found.values).tolist() == values
    grouped = [f"{value:,}" if decimal == "." else f"{value:,}".replace(",", ".") for value in values]
    assert np.asarray(read_numbers(pa.array(grouped), decimal).values).tolist() == values


@given(st.lists(st.text(max_size=6), min_size=1, max_size=10))
def test_no_text_becomes_another_number(texts):
    found = read_numbers(pa.array(texts), ".")
    if found.values is not None:
        for text, value in zip(texts, found.values.to_pylist(), strict=True):
            assert float(text.replace(",", "")) == value


def test_thousands_of_odd_columns_get_a_readable_number_of_notes(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",".join(f"c{i}" for i in range(300)) + "\n" + ",".join(["007"] * 300) + "\n")
    notes = read_table(path, ReadOptions(header="first")).notes
    assert len(notes) == 201
    assert notes[-1] == "100 more notes of this kind are not shown."
