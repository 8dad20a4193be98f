"""Parquet: types of its own, and files made to do harm."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabnet_engine.config import TableLimits
from tabnet_engine.data.tables import ReadOptions, Table, read_table
from tabnet_engine.errors import TableError


def parquet(table: pa.Table, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def read(tmp_path, table: pa.Table | bytes, limits: TableLimits | None = None, **options) -> Table:
    path = tmp_path / "t.csv"
    path.write_bytes(table if isinstance(table, bytes) else parquet(table))
    return read_table(path, ReadOptions(**options), limits=limits or TableLimits())


MOMENT = dt.datetime.fromisoformat("2024-01-02T03:04:05")


@pytest.mark.parametrize(
    ("values", "kind", "dtype", "expected"),
    [
        ([1, 2], pa.int8(), "int64", [1, 2]),
        ([1, None], pa.int32(), "float64", [1, None]),
        ([2**64 - 1, 1], pa.uint64(), "str", [str(2**64 - 1), "1"]),
        ([2**60 + 1, None], pa.int64(), "str", [str(2**60 + 1), None]),
        ([2**60 + 1, 1], pa.int64(), "int64", [2**60 + 1, 1]),
        ([1.5, float("nan")], pa.float32(), "float64", [1.5, None]),
        ([decimal.Decimal("1.25"), None], pa.decimal128(6, 2), "float64", [1.25, None]),
        ([True, False], pa.bool_(), "bool", [True, False]),
        ([True, None], pa.bool_(), "str", ["True", None]),
        ([" a ", "?"], pa.string(), "str", ["a", None]),
        (["1", "007"], pa.large_string(), "str", ["1", "007"]),
        (["a", "b"], pa.string_view(), "str", ["a", "b"]),
        ([MOMENT, None], pa.timestamp("ns"), "datetime64[us]", [pd.Timestamp(MOMENT), None]),
        ([MOMENT, None], pa.timestamp("s", "UTC"), "datetime64[us]", [pd.Timestamp(MOMENT), None]),
        ([dt.date(2024, 1, 2)], pa.date32(), "datetime64[us]", [pd.Timestamp(2024, 1, 2)]),
        ([dt.time(10, 30)], pa.time64("us"), "str", ["10:30:00"]),
        ([dt.timedelta(seconds=90)], pa.duration("us"), "float64", [90.0]),
        ([b"ab", b"c"], pa.binary(), "str", ["ab", "c"]),
        ([b"\xff\x00", None], pa.binary(), "str", ["ff00", None]),
        ([[1, 2], None], pa.list_(pa.int64()), "str", ["[1, 2]", None]),
        ([{"a": 1}], pa.struct([("a", pa.int64())]), "str", ['{"a": 1}']),
        ([None, None], pa.null(), "float64", [None, None]),
        ([float("inf"), 1.0], pa.float64(), "float64", [None, 1.0]),
    ],
)
def test_types(tmp_path, values, kind, dtype, expected):
    table = read(tmp_path, pa.table({"x": pa.array(values, kind), "n": range(len(values))}))
    assert str(table.frame["x"].dtype) == dtype
    assert table.frame["x"].astype(object).where(table.frame["x"].notna(), None).tolist() == expected
    assert table.options == ReadOptions(format="parquet", header="first")


def test_dictionaries_and_extension_types(tmp_path):
    words = pa.array(["red", " ?", "red", None]).dictionary_encode()
    codes = pa.DictionaryArray.from_arrays([0, 1, 0, 1], [10, 20])
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid.UUID(int=i).bytes for i in range(4)], pa.binary(16)))
    table = read(tmp_path, pa.table({"w": words, "c": codes, "u": ids}))
    assert table.frame["w"].fillna("-").tolist() == ["red", "-", "red", "-"]
    assert table.frame["c"].tolist() == [10, 20, 10, 20]
    assert table.frame["u"].nunique() == 4


def test_what_changed_is_noted(tmp_path):
    table = read(
        tmp_path, pa.table({"l": [[1], [2, 3]], "z": pa.array([MOMENT] * 2, pa.timestamp("us", "Asia/Tokyo"))})
    )
    notes = " ".join(table.notes)
    assert 'Column "l": 2 cells with lists or records written as JSON text.' in notes
    assert 'Column "z": times with a time zone were turned into UTC' in notes


def test_number_tokens_count_in_numbers(tmp_path):
    table = read(tmp_path, pa.table({"x": [1, -999, 3], "y": [0.5, -999.0, None]}), missing_tokens=("-999", "x"))
    assert table.frame["x"].isna().tolist() == [False, True, False]
    assert table.frame["y"].isna().tolist() == [False, True, True]
    assert table.notes == ('Read as missing: "-999" 2 times.',)


def test_names_are_made_unique(tmp_path):
    table = read(tmp_path, pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]))
    assert list(table.frame.columns) == ["x", "x (2)"]


@pytest.mark.parametrize("cut", [5, 30, -9, -1])
def test_a_part_of_a_file_is_refused(tmp_path, cut):
    with pytest.raises(TableError, match=r"damaged or incomplete Parquet file \("):
        read(tmp_path, parquet(pa.table({"a": [1, 2]}))[:cut])


def test_text_that_is_no_utf8_is_refused(tmp_path):
    data = parquet(pa.table({"a": ["grüße", "b"]}), use_dictionary=False, compression="none", write_statistics=False)
    assert "grüße" in read(tmp_path, data).frame["a"].tolist()
    with pytest.raises(TableError, match="damaged or incomplete Parquet"):
        read(tmp_path, data.replace("grüße".encode(), b"gr\xff\xff\xffe."))
    nested = parquet(pa.table({"a": [["grüße"]]}), use_dictionary=False, compression="none", write_statistics=False)
    with pytest.raises(TableError, match='column "a" holds list'):
        read(tmp_path, nested.replace("grüße".encode(), b"gr\xff\xff\xffe."))


def test_no_rows_and_no_columns(tmp_path):
    with pytest.raises(TableError, match="columns and no rows"):
        read(tmp_path, pa.table({"a": pa.array([], pa.int64())}))
    with pytest.raises(TableError, match="no columns"):
        read(tmp_path, pa.table({}))


def test_a_small_file_of_a_billion_bytes_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("tabnet_engine.data.reading.parquet_tables._batches", None)
    bomb = parquet(pa.table({"a": pa.array(np.zeros(6_000_000, np.int8))}), compression="zstd")
    assert len(bomb) < 30_000
    with pytest.raises(TableError, match="6,000,000 rows, at most 5,000,000"):
        read(tmp_path, bomb)


def test_rows_are_counted_as_they_come(tmp_path):
    data = parquet(pa.table({"a": list(range(50_000))}), compression="zstd")
    with pytest.raises(TableError, match="memory"):
        read(tmp_path, data, TableLimits(max_parse_bytes=400_000))
    assert len(read(tmp_path, data, TableLimits(max_parse_bytes=1_000_000)).frame) == 50_000


def test_one_long_text_in_many_cells_is_refused_before_it_is_spread(tmp_path):
    cells = pa.DictionaryArray.from_arrays(np.zeros(100_000, np.int32), ["x" * 1_000_000])
    bomb = parquet(pa.table({"a": cells}), compression="zstd")
    assert len(bomb) < 10_000
    with pytest.raises(TableError, match="unpacks to more memory"):
        read(tmp_path, bomb)


def test_dates_beyond_the_calendar_are_said(tmp_path):
    far = pa.array([2**62, 0], pa.int64()).cast(pa.timestamp("ms"))
    with pytest.raises(TableError, match='column "x" holds timestamp'):
        read(tmp_path, pa.table({"x": far, "y": [1, 2]}))


def test_an_encrypted_file_is_named(tmp_path):
    with pytest.raises(TableError, match="an encrypted Parquet file"):
        read(tmp_path, b"PARE" + b"\x00\x01" * 20 + b"PARE")
