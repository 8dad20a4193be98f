"""JSON lines, and one list of records."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from tabnet_engine.config import TableLimits
from tabnet_engine.data.tables import ReadOptions, Table, read_table
from tabnet_engine.errors import TableError


def read(tmp_path, data: str | bytes, limits: TableLimits | None = None, **options) -> Table:
    path = tmp_path / "t.jsonl"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_table(path, ReadOptions(**options), limits=limits or TableLimits())


def lines(*records) -> str:
    return "\n".join(json.dumps(record) for record in records) + "\n"


def test_records_become_rows(tmp_path):
    table = read(tmp_path, lines({"a": 1, "b": "x"}, {"b": "?", "c": 2.5}, {"a": 3, "c": None}))
    assert list(table.frame.columns) == ["a", "b", "c"]
    assert table.frame["a"].isna().tolist() == [False, True, False]
    assert table.frame["b"].isna().tolist() == [False, True, True]
    assert table.options == ReadOptions(format="jsonl", encoding="utf-8", header="first")
    assert table.notes[0] == '3 columns with null or absent values, read as missing: "a", "b", "c".'
    assert table.notes[1] == 'Read as missing: "?" 1 time.'


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1, 2.5], "float64", [1, 2.5]),
        ([10**400, 1.5], "float64", [None, 1.5]),
        ([-(10**400), 1.5], "float64", [None, 1.5]),
        ([10**20, 1], "str", ["100000000000000000000", "1"]),
        ([True, False], "bool", [True, False]),
        ([True, None], "str", ["True", None]),
        (["1", "2"], "str", ["1", "2"]),
        ([1, "NA", 3], "float64", [1, None, 3]),
        ([1, "x", True], "str", ["1", "x", "true"]),
        ([2.0, "x"], "str", ["2", "x"]),
        (["2024-01-02", "2024-01-03"], "datetime64[us]", [pd.Timestamp(2024, 1, 2), pd.Timestamp(2024, 1, 3)]),
        ([[1, 2], {"k": "é"}], "str", ["[1, 2]", '{"k": "é"}']),
        ([None, None], "float64", [None, None]),
        ([float("nan"), 1.0], "float64", [None, 1.0]),
    ],
)
def test_types(tmp_path, values, dtype, expected):
    table = read(tmp_path, lines(*({"x": value, "n": 1} for value in values)))
    series = table.frame["x"]
    assert str(series.dtype) == dtype
    assert series.astype(object).where(series.notna(), None).tolist() == expected


def test_lists_are_kept_as_text_with_a_note(tmp_path):
    table = read(tmp_path, lines({"x": [1]}, {"x": []}))
    assert 'Lists and records inside cells were written as JSON text: "x".' in table.notes


def test_one_document_with_a_list_of_records(tmp_path):
    table = read(tmp_path, '[\n {"a": 1},\n {"a": 2}\n]')
    assert table.frame["a"].tolist() == [1, 2]


def test_encodings_and_marks(tmp_path):
    text = lines({"größe": "ä"}) + json.dumps({"größe": "ü"}, ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert read(tmp_path, text.encode(encoding), format="jsonl").frame["größe"].tolist() == ["ä", "ü"]


def test_a_lone_surrogate_is_replaced(tmp_path):
    table = read(tmp_path, '{"a\\ud800": "x\\ud800y", "b": ["\\ud800"]}\n')
    assert table.frame.iloc[0].tolist() == ["x?y", '["?"]']
    assert list(table.frame.columns) == ["a?", "b"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('{"a": 1}\n{"a": \n', "line 2 of t.jsonl is not valid JSON"),
        ('{"a": 1}\n[1, 2]\n', "line 2 of t.jsonl is not a record"),
        ('{"a": 1}\n3\n', "line 2 of t.jsonl is not a record"),
        ('[{"a": 1}, 5]', "entry 1 of t.jsonl is not a record"),
        ('[{"a": 1}, ', "t.jsonl is not valid JSON"),
        ("{}\n{}\n", "no records with values"),
        ('{"a":' + "[" * 200_000 + "\n", "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}\n", "not valid JSON"),
    ],
)
def test_what_is_wrong_is_named_by_line(tmp_path, data, said):
    with pytest.raises(TableError) as caught:
        read(tmp_path, data)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


def test_limits(tmp_path):
    wide = lines({f"c{i}": i for i in range(1200)})
    with pytest.raises(TableError, match="1,200 columns, at most 1,000"):
        read(tmp_path, wide, TableLimits(max_columns=1000))
    with pytest.raises(TableError, match="rows, at most 10"):
        read(tmp_path, '{"a": 1}\n' * 11, TableLimits(max_rows=10))
