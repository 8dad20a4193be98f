"""Frames written in every way come back equal, and any bytes give a table or one sentence."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabnet_engine.data.tables import ReadOptions, Table, read_table
from tabnet_engine.errors import TableError

DTYPES = {"int64", "float64", "bool", "datetime64[us]", "str"}


def read(tmp_path: Path, data: bytes | str, name: str = "people.csv", **options) -> Table:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_table(path, ReadOptions(**options))


LETTERS = st.text(st.sampled_from("abcdefgh XYZ"), max_size=6).map(lambda text: f"x{text}y")
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), max_size=8).map(
    lambda text: f"x{text}y"
)


@st.composite
def frames(draw, words, min_rows=1):
    n_rows = draw(st.integers(min_rows, 12))
    columns = {}
    kinds = draw(st.lists(st.sampled_from(["int", "float", "text", "bool", "date"]), min_size=2, max_size=6))
    for number, kind in enumerate(["int", *kinds]):
        cells = {
            "int": st.integers(-(10**9), 10**9),
            "float": st.floats(-1e12, 1e12, allow_nan=False).map(lambda x: round(x, 3) + 0.0),
            "text": words,
            "bool": st.booleans(),
            "date": st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")).map(
                lambda value: value.replace(microsecond=0)
            ),
        }[kind]
        values = draw(st.lists(cells, min_size=n_rows, max_size=n_rows))
        if kind == "float" and all(float(value).is_integer() for value in values):
            values[0] = 0.5
        columns[f"{kind} n{number}"] = values
    frame = pd.DataFrame(columns)
    for name in frame:
        if name.startswith("date"):
            frame[name] = frame[name].astype("datetime64[us]")
        if name.startswith(("float", "text")) and n_rows > 1 and draw(st.booleans()):
            frame.loc[n_rows - 1, name] = None
            if name.startswith("float") and (frame[name].dropna() % 1 == 0).all():
                frame.loc[0, name] = 0.5
    return frame


def written(frame, delimiter, quote, decimal, encoding, newline="\n"):
    text = frame.to_csv(
        index=False,
        sep=delimiter,
        quotechar=quote,
        decimal=decimal,
        lineterminator=newline,
        date_format="%Y-%m-%dT%H:%M:%S",
    )
    return text.encode(encoding)


QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(
    frame=frames(ANY_TEXT),
    delimiter=st.sampled_from([",", ";", "\t", "|", "::"]),
    quote=st.sampled_from(['"', "'"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"]),
)
def test_any_frame_comes_back_when_the_options_are_known(tmp_path, frame, delimiter, quote, decimal, encoding):
    sign = delimiter if len(delimiter) == 1 else "\x1f"
    data = written(frame, sign, quote, decimal, encoding)
    if sign != delimiter:
        frame = frame.map(lambda cell: cell.replace("::", ":") if isinstance(cell, str) else cell)
        data = written(frame, sign, quote, decimal, "utf-8").replace(sign.encode(), b"::")
        encoding = "utf-8"
    options = {"delimiter": delimiter, "quote": quote, "decimal": decimal, "encoding": encoding, "header": "first"}
    table = read(tmp_path, data, **options)
    pd.testing.assert_frame_equal(table.frame, frame, check_column_type=False)


@QUICK
@given(
    frame=frames(LETTERS, min_rows=4),
    dialect=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", ".")]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_tame_frames_come_back_by_detection(tmp_path, frame, dialect, encoding, newline):
    delimiter, decimal = dialect
    table = read(tmp_path, written(frame, delimiter, '"', decimal, encoding, newline))
    pd.testing.assert_frame_equal(table.frame, frame, check_column_type=False)
    assert table.options.delimiter == delimiter
    again = read_table(tmp_path / "people.csv", table.options)
    pd.testing.assert_frame_equal(table.frame, again.frame)


@QUICK
@given(frame=frames(ANY_TEXT))
def test_parquet_and_json_lines_come_back(tmp_path, frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    pd.testing.assert_frame_equal(read(tmp_path, buffer.getvalue()).frame, frame, check_column_type=False)
    lines = frame.to_json(orient="records", lines=True, date_format="iso", force_ascii=False, double_precision=15)
    table = read(tmp_path, lines)
    for name in frame:
        if not name.startswith("float"):
            pd.testing.assert_series_equal(table.frame[name], frame[name])


PIECES = st.sampled_from(
    [b",", b";", b"\t", b'"', b"'", b"\n", b"\r\n", b"\x00", b"\xff", b"1e999", b"NaN", b"  ", b"::", b"|", b"\\", b"a",
     b"17", b"[1]", b'{"a":1}\n', b"\xef\xbb\xbf", b"9" * 30, b"2020-13-45", b"1,234.5", b"01/02/2020", b"\xb0\xa1"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map(b"".join)))
def test_any_bytes_give_a_table_or_one_sentence(tmp_path, data):
    path = tmp_path / "any.csv"
    path.write_bytes(data)
    text = None
    try:
        table = read_table(path)
    except TableError as error:
        text = str(error)
    if text is not None:
        assert "\n" not in text
        return
    assert {str(dtype) for dtype in table.frame.dtypes} <= DTYPES
    assert table.frame.columns.is_unique
    assert len(table.frame) > 0
    pd.testing.assert_frame_equal(read_table(path, table.options).frame, table.frame)
