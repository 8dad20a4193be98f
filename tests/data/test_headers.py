"""Header or row: judged by what stands below."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.reading.headers import has_header, repeats_names, unique_names
from tabnet_engine.data.reading.options import DEFAULT_MISSING_TOKENS


def judge(text: str) -> bool:
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    return has_header(rows[0], rows[1:], DEFAULT_MISSING_TOKENS)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4",
        "name,city\nAnna,Bonn\nBob,Rome",
        "name,city\nAnna,Bonn",
        "name,city",
        "0,1,2\n5,6,7\n8,9,1",
        "country,2019,2020,2021\nDE,1.5,2,3\nFR,4,5,6",
        ",x,y\n0,a,1\n1,b,2",
        "flag,when\ntrue,2024-01-01\nfalse,2024-01-02",
        "x,\n1,\n2,",
        "grade,city\nA,Bonn\nB,Rome\nA,Bonn\nB,Rome\nA,Bonn\nA,Rome",
        "id,code\n1,A7\n2,x\n?,B8",
    ],
)
def test_headers(text):
    assert judge(text)


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4",
        "1,10,1,11\n2,11,2,13\n3,12,3,11",
        "A11,6,A34\nA12,48,A32\nA11,12,A34",
        "39,State-gov,<=50K\n50,Private,>50K\n38,Private,<=50K",
        "A,Bonn\nB,Rome\nA,Bonn\nB,Rome",
        "Anna,Anna\nBob,Cleo",
        "?,x\n1,y\n2,z",
        "5,2\n",
        "2019,2020\n2018,2021\n2017,2019",
        "2024-01-01,x\n2024-01-02,y",
        ",\n1,2",
        "7,\nx,\ny,",
        "12,a\nx1,b\nx2,c\nx1,d\nx2,e\nx3,f",
    ],
)
def test_rows(text):
    assert not judge(text)


def test_a_column_of_everything_does_not_vote():
    assert judge("a,b\n1,x\nx,1\n2020-01-01,y")


@given(st.lists(st.text(st.sampled_from("ab (2)"), max_size=5), max_size=12))
def test_names_are_unique_and_named(names):
    unique, notes = unique_names(names)
    assert len(unique) == len(names) == len(set(unique))
    assert all(unique)
    kept = [name.strip() for name in names]
    assert bool(notes) == (unique != kept)
    for old, new in zip(kept, unique, strict=True):
        assert new == old or not old or new.startswith(f"{old} (")


@given(st.lists(st.text(min_size=1).filter(lambda name: name == name.strip()), unique=True))
def test_good_names_are_kept_to_the_letter(names):
    assert unique_names(names) == (names, [])


def test_many_renamed_columns_are_counted():
    _, notes = unique_names(["x"] * 9)
    assert notes == [
        'Column names that came up twice were numbered: "x (2)", "x (3)", "x (4)", "x (5)", "x (6)" and 3 more.'
    ]


def test_an_unnamed_column_avoids_a_taken_name():
    assert unique_names(["unnamed 1", ""])[0] == ["unnamed 1", "unnamed 1 (2)"]


@pytest.mark.parametrize(
    ("rows", "names", "expected"),
    [
        ([["0", "1", "2"], ["5", "6", "7"]], "012", True),
        ([[0, 1, 2], [5, 6, 7]], "012", True),
        ([[0.0, 1.0, 2.0], [5.5, 6, 7]], "012", True),
        ([["0", "1", "2"]], "012", True),
        ([["b", "a"], ["1", "2"]], "abc", True),
        ([list("9876543210"), list("1111111111")], "0123456789", True),
        ([["0", "1", "2", "more"], ["5", "6", "7", "8"]], "012", True),
        ([["0", "1", "2", "77"], ["5", "6", "7", "8"]], "012", False),
        ([[2, 1, 0], [5, 6, 7]], "012", False),
        ([[0, 1, 2], [2, 1, 0]], "012", False),
        ([[0, 1], [5, 6]], "01", False),
        ([["a", "a"], ["1", "2"]], "ab", False),
        ([["a", "x"], ["1", "2"]], "ab", False),
        ([[None, "a"], ["1", "2"]], "ab", False),
    ],
)
def test_a_first_row_that_repeats_the_names_is_a_header(rows, names, expected):
    assert repeats_names(pd.DataFrame(rows), list(names)) is expected


def test_no_row_is_no_header():
    assert not repeats_names(pd.DataFrame({"0": [], "1": [], "2": []}), list("012"))
