"""CSV exports: no cell can be taken for a formula, and every value can be read back."""

import csv
import io
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.export import safe_cell, safe_csv, write_safe_csv

TRIGGERS = tuple("=+-@|%\t\r\n＝＋－＠")


def _rows(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text",
    # One line for each way a spreadsheet could start a formula, also behind blanks it would drop.
    [
        *["=1+1", "+1-234-567", "-cmd|' /C calc'!A0", "@SUM(A1)", "|pipe", "%0A", "\t=1", "\r=1", "\n=1", "＝1+1"],
        *["-inf", "-", "+", "-1,5", "--1", "-1e", "+nan", "  =1+1", "\u00a0@x", "\ufeff=1"],
    ],
)
def test_a_cell_that_could_be_a_formula_gets_a_leading_quote(text):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "-1", "-1.5", "+2", "-1e-5", "a=b", "3 - 2", "'=1", "price", "<=50K", "😀", " x"])
def test_other_cells_stay_as_they_are(text):
    assert safe_cell(text) == text


@settings(deadline=None)
@given(st.text())
def test_no_cell_starts_a_formula_and_nothing_is_lost(text):
    safe = safe_cell(text)
    assert safe in {text, "'" + text}
    if safe.lstrip(" \u00a0\u3000\ufeff\u200b\x00").startswith(TRIGGERS):
        assert math.isfinite(float(safe))


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5), st.floats(allow_nan=False))
def test_a_table_comes_back_cell_by_cell(texts, number):
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object), "number": number})
    header, *rows = _rows(safe_csv(frame))
    assert header == ["text", "number"]
    assert [row[0] for row in rows] == [safe_cell(text) for text in texts]
    assert {float(row[1].removeprefix("'")) for row in rows} == {number}


def test_numbers_missing_values_dates_and_headers():
    frame = pd.DataFrame(
        {
            "=HYPERLINK()": [1, -2],
            "float": [-1.5, math.nan],
            "infinite": [-math.inf, 1.0],
            "flag": [True, False],
            "when": pd.to_datetime(["2024-01-02", None]),
            "text": pd.Series(["-x", None], dtype="str"),
            "mixed": pd.Series([-3, ("=a",)], dtype=object),
            "large": pd.Series([10**400, None], dtype=object),
        }
    )
    header, first, second = _rows(safe_csv(frame.set_index(pd.Index([7, 7]))))
    assert header[0] == "'=HYPERLINK()"
    assert first[:7] == ["1", "-1.5", "'-inf", "True", "2024-01-02", "'-x", "-3"]
    assert second == ["-2", "", "1.0", "False", "", "", "('=a',)", ""]


def test_two_columns_of_one_name_both_stay():
    frame = pd.DataFrame([[1, "=b"]], columns=["a", "a"])
    assert _rows(safe_csv(frame)) == [["a", "a"], ["1", "'=b"]]


def test_a_table_without_columns_is_an_empty_file():
    assert safe_csv(pd.DataFrame()).decode("utf-8-sig").strip() == ""


def test_lone_surrogates_do_not_stop_an_export():
    assert _rows(safe_csv(pd.DataFrame({"a": ["\ud800"]}, dtype=object))) == [["a"], ["?"]]


def test_write_safe_csv_writes_plain_utf8(tmp_path):
    path = tmp_path / "out.csv"
    write_safe_csv(pd.DataFrame({"地区": ["=1", "东"]}), path)
    assert path.read_bytes() == "地区\n'=1\n东\n".encode()
    assert pd.read_csv(path)["地区"].tolist() == ["'=1", "东"]
