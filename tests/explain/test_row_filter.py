"""Conditions that pick rows: every kind of column, every mistake one sentence, the same answer as plain Python."""

from __future__ import annotations

import operator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.row_filter import Condition, RowFilter, parse_filter

FRAME = pd.DataFrame(
    {
        "age": [20, 30, None, 40],
        "monthly income": [1000.5, None, 2000, 3000],
        "job": ["clerk", "nurse", "cook, head", None],
        "code": [3.0, 4.0, None, 3.0],
        "member": [True, False, True, None],
        "joined": pd.to_datetime(["2020-01-01", "2020-01-01 12:30", "2020-01-02", None], format="ISO8601"),
    }
)
KINDS = {
    "age": Kind.NUMBER,
    "monthly income": Kind.NUMBER,
    "job": Kind.CATEGORY,
    "code": Kind.CATEGORY,
    "member": Kind.BOOLEAN,
    "joined": Kind.DATETIME,
}
SCHEMA = FeatureSchema(columns=tuple(Column(name=name, kind=kind) for name, kind in KINDS.items()))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("age>=30", [1, 3]),
        ("age >= 30", [1, 3]),
        ("age == 30.0", [1]),
        ("age != 30", [0, 3]),
        ("age is missing", [2]),
        ("age missing", [2]),
        ("age is not missing", [0, 1, 3]),
        ("age not missing AND job = nurse", [1]),
        ('"monthly income" < 2500', [0, 2]),
        ("job = clerk", [0]),
        ("job != clerk", [1, 2]),
        ("job in (clerk, nurse)", [0, 1]),
        ("job in ('cook, head')", [2]),
        ("job not in (clerk)", [1, 2]),
        ("code = 3", [0, 3]),
        ("code = 3.0", [0, 3]),
        ("member = true", [0, 2]),
        ("member = False", [1]),
        ("joined = 2020-01-01", [0, 1]),
        ("joined <= 2020-01-01", [0, 1]),
        ("joined > 2020-01-01", [2]),
        ("joined >= 2020-01-01", [0, 1, 2]),
        ("joined < 2020-01-02", [0, 1]),
        ("joined != 2020-01-01", [2]),
        ("joined in (2020-01-02)", [2]),
        ("joined = '2020-01-01 12:30'", [1]),
        ("joined > 2020-01-01T12:00", [1, 2]),
        ("age < 100 and job in (clerk, nurse) and joined <= 2020-01-01", [0, 1]),
    ],
)
def test_conditions_pick_rows(text, rows):
    assert parse_filter(text, SCHEMA).positions(FRAME).tolist() == rows


def test_several_texts_must_all_hold():
    assert parse_filter(["age >= 30", "age < 40"], SCHEMA).positions(FRAME).tolist() == [1]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", ExplanationError, "a column was expected where it says nothing more"),
        ("age", ExplanationError, "a comparison was expected where it says nothing more"),
        ("age >=", ExplanationError, "a value was expected where it says nothing more"),
        ("age >= old", ExplanationError, "column 'age' holds numbers and 'old' is none"),
        ("age >= nan", ExplanationError, "'nan' is none"),
        ("age = 3 job = clerk", ExplanationError, "'and' was expected where it says 'job'"),
        ("age is 3", ExplanationError, "'missing' was expected where it says '3'"),
        ("job > clerk", ExplanationError, r"column 'job' \(category\) has no order; use ="),
        ("job in clerk", ExplanationError, r"'\(' was expected where it says 'clerk'"),
        ("job in (clerk", ExplanationError, r"'\)' was expected where it says nothing more"),
        ("job in ()", ExplanationError, r"a value was expected where it says '\)'"),
        ("joined > soon", ExplanationError, "column 'joined' holds dates and 'soon' is none"),
        ("joined > 3", ExplanationError, "column 'joined' holds dates and '3' is none"),
        ("job = 'clerk", ExplanationError, "a quote must be closed"),
        ("age ! 3", ExplanationError, "cannot be read from '! 3' on"),
        ("aeg >= 3", SchemaError, "there is no column 'aeg'"),
        ("monthly income > 3", SchemaError, "there is no column 'monthly'"),
    ],
)
def test_every_mistake_is_one_sentence(text, error, words):
    with pytest.raises(error, match=words) as caught:
        parse_filter(text, SCHEMA)
    assert "\n" not in str(caught.value)


def test_nothing_found_and_a_table_without_the_column_are_refused():
    with pytest.raises(ExplanationError, match=r"no row of the table meets the condition 'age > 99'; loosen it"):
        parse_filter("age > 99", SCHEMA).positions(FRAME)
    with pytest.raises(ExplanationError, match="the table has no column 'age', which the condition 'age > 99' reads"):
        parse_filter("age > 99", SCHEMA).positions(FRAME.drop(columns="age"))
    with pytest.raises(ExplanationError, match="the condition is empty"):
        parse_filter([], SCHEMA)


names = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() == text and "\x00" not in text)
values = st.text(max_size=8)
numbers = st.integers(-3, 3)


@given(column=names, chosen=st.lists(values, min_size=1, max_size=3), word=st.sampled_from(["in", "not in", "=", "!="]))
def test_what_is_written_is_read_again(column, chosen, word):
    schema = FeatureSchema(columns=(Column(name=column, kind=Kind.CATEGORY),))
    written = chosen if word.endswith("in") else chosen[:1]
    condition = Condition(column=column, kind=Kind.CATEGORY, operator=word, values=tuple(written))
    assert parse_filter(str(RowFilter((condition,))), schema) == RowFilter((condition,))


COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}


@given(cells=st.lists(st.none() | numbers, min_size=1), first=numbers, second=numbers, sign=st.sampled_from([*COMPARE]))
def test_the_answer_is_that_of_plain_python(cells, first, second, sign):
    frame = pd.DataFrame({"age": pd.Series(cells, dtype="float64")})
    found = parse_filter(f"age{sign}{first} and age != {second}", SCHEMA).mask(frame)
    expected = [cell is not None and COMPARE[sign](cell, first) and cell != second for cell in cells]
    np.testing.assert_array_equal(found, expected)


@given(cells=st.lists(st.none() | st.sampled_from(["a", "b", "c"]), min_size=1))
def test_in_and_not_in_share_the_present_cells(cells):
    schema = FeatureSchema(columns=(Column(name="job", kind=Kind.CATEGORY),))
    frame = pd.DataFrame({"job": pd.Series(cells, dtype="object")})
    inside, outside, missing = (
        parse_filter(f"job {word}", schema).mask(frame) for word in ("in (a, b)", "not in (a, b)", "is missing")
    )
    assert (inside.astype(int) + outside + missing == 1).all()
