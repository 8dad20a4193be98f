"""The door for user files: what comes back, and one sentence for everything that is no table."""

from __future__ import annotations

import gzip
import hashlib
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import TableLimits
from tabnet_engine.data.tables import DEFAULT_MISSING_TOKENS, ReadOptions, Table, read_table
from tabnet_engine.errors import TableError

PEOPLE = b"name,age,city\nAnna,31,Bonn\nBob,?,Rome\nCleo,29,Bonn\n"


def read(tmp_path: Path, data: bytes | str, name: str = "people.csv", **options) -> Table:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_table(path, ReadOptions(**options))


def refusal(tmp_path: Path, data: bytes | str, name: str = "people.csv", **options) -> str:
    with pytest.raises(TableError) as caught:
        read(tmp_path, data, name, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert "Traceback" not in text
    return text


def test_a_plain_table(tmp_path):
    table = read(tmp_path, PEOPLE)
    assert list(table.frame.columns) == ["name", "age", "city"]
    assert [str(dtype) for dtype in table.frame.dtypes] == ["str", "float64", "str"]
    assert isinstance(table.frame.index, pd.RangeIndex)
    assert table.frame["age"].tolist()[::2] == [31.0, 29.0]
    assert np.isnan(table.frame["age"][1])
    assert table.sha256 == hashlib.sha256(PEOPLE).hexdigest()
    assert table.name == "people.csv"
    assert table.notes == ('Read as missing: "?" 1 time.',)
    assert table.options == ReadOptions(
        format="csv", encoding="utf-8", delimiter=",", quote='"', decimal=".", header="first"
    )


def test_the_name_is_the_callers(tmp_path):
    path = tmp_path / "tmp1234"
    path.write_bytes(PEOPLE)
    assert read_table(path, name="people.csv").name == "people.csv"
    path.write_bytes(b"")
    with pytest.raises(TableError, match=r"^people\.csv is empty"):
        read_table(path, name="people.csv")


def test_tokens_are_the_users(tmp_path):
    data = "a,b\n1,none\n-9,x\n3,\n"
    kept = read(tmp_path, data, missing_tokens=("-9", " none "))
    assert kept.frame["a"].isna().tolist() == [False, True, False]
    assert kept.frame["b"].isna().tolist() == [True, False, False]
    assert kept.frame["b"][2] == ""
    assert "" in DEFAULT_MISSING_TOKENS
    assert "?" in DEFAULT_MISSING_TOKENS


def test_no_header_by_detection_and_by_hand(tmp_path):
    rows = "39, State-gov, 77516, <=50K\n50, Private, 83311, >50K\n38, Private, 215646, <=50K\n"
    found = read(tmp_path, rows)
    assert list(found.frame.columns) == ["0", "1", "2", "3"]
    assert found.options.header == "none"
    assert any("called by position" in note for note in found.notes)
    forced = read(tmp_path, rows, header="first")
    assert list(forced.frame.columns) == ["39", "State-gov", "77516", "<=50K"]
    assert len(read(tmp_path, PEOPLE, header="none").frame) == 4


def test_a_comment_above_the_rows_is_skipped_and_quoted(tmp_path):
    rows = "|1x3 Cross validator\n25, Private, 226802, <=50K.\n38, ?, 89814, >50K.\n28, Local-gov, 336951, <=50K.\n"
    table = read(tmp_path, rows)
    assert table.frame.shape == (3, 4)
    assert table.notes[0] == '1 line above the table skipped: "|1x3 Cross validator".'
    assert table.frame["3"].tolist() == ["<=50K.", ">50K.", "<=50K."]
    assert read(tmp_path, rows, header="none").frame.shape == (3, 4)


def test_a_footer_of_blanks_and_ctrl_z_is_no_row(tmp_path):
    assert len(read(tmp_path, PEOPLE + b"\n\n   \n").frame) == 3
    assert len(read(tmp_path, PEOPLE + b"\x1a").frame) == 3


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends(tmp_path, end):
    table = read(tmp_path, PEOPLE.replace(b"\n", end))
    pd.testing.assert_frame_equal(table.frame, read(tmp_path, PEOPLE).frame)


def test_mixed_line_ends_and_quoted_newlines(tmp_path):
    table = read(tmp_path, b'a,b\r\n1,"x\ny"\n2,"p, ""q"""\r3,z')
    assert table.frame["a"].tolist() == [1, 2, 3]
    assert table.frame["b"].tolist() == ["x\ny", 'p, "q"', "z"]


def test_quoted_newlines_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("tabnet_engine.data.reading.text_tables._BLOCK", 40)
    cells = [f"{'x' * (i % 17)}\n{i}\r\n" for i in range(500)]
    data = "a,b\n" + "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells))
    assert read(tmp_path, data).frame["a"].tolist() == [cell.strip() for cell in cells]


def test_names_are_kept_to_the_letter(tmp_path):
    names = ["<b>bold</b>", "$x$", "![](http://example.com/a.png)", "🙂 mood", "a'b", "=1+1", "名前"]
    row = ",".join(str(i) for i in range(len(names)))
    table = read(tmp_path, ",".join(names) + "\n" + f"{row}\n" * 3)
    assert list(table.frame.columns) == names


def test_duplicate_and_blank_names_are_told_apart(tmp_path):
    table = read(tmp_path, "x,x,,x (2),x,\n" + "1,2,3,4,5,6\n" * 3)
    assert list(table.frame.columns) == ["x", "x (3)", "unnamed 2", "x (2)", "x (4)", "unnamed 5"]
    assert table.frame.iloc[0].tolist() == [1, 2, 3, 4, 5, 6]
    assert any("came up twice" in note and '"x (3)"' in note for note in table.notes)
    assert any("without a name" in note for note in table.notes)


def test_one_column_is_a_table(tmp_path):
    table = read(tmp_path, "age\n31\n42\n")
    assert table.frame["age"].tolist() == [31, 42]
    assert any("one column" in note for note in table.notes)


def test_five_thousand_columns_are_quick(tmp_path):
    names = ",".join(f"c{i}" for i in range(5000))
    rows = "".join(",".join(str(i * j % 7) for j in range(5000)) + "\n" for i in range(20))
    started = time.process_time()
    table = read(tmp_path, f"{names}\n{rows}")
    assert table.frame.shape == (20, 5000)
    assert time.process_time() - started < 10


def test_one_very_long_line(tmp_path):
    assert "columns" in refusal(tmp_path, "1," * 500_000 + "1")
    assert read(tmp_path, "a,b\n1," + "x" * 10_000_000 + "\n2,y\n").frame["b"].str.len().tolist() == [10_000_000, 1]
    assert read(tmp_path, "x" * 2_000_000 + "\ny\n", header="none").frame.shape == (2, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"\t" * 9_000 + b"x\n" + (b"\t" * 9_000 + b"\n") * 30,
        b"a,b\n" + b"1" * 400_000 + b"x,2\n",
        b"<!---->" * 500 + b"x,y\n1,2\n",
        b"a b\n1" + b" " * 300_000 + b"2\n",
        b"a, b\n1," + b" " * 300_000 + b'x"\n',
        b"x,y" * 40_000 + b"\xe9\n1,2\n",
        b"'," * 100_000 + b"\n",
        b'a,b\n1,"' + b'""' * 300_000 + b"\n",
        b'"' * 300_001,
        b"\\" * 300_000 + b'"\n',
        b"{" * 100_000,
        b"\r" * 300_000 + b"a,b\r1,2",
        b"1" + b",1" * 9_000 + b"\n" + b"\n" * 100_000 + b"2" + b",2" * 9_000,
        b"<!--" * 100_000,
        b"- " * 200_000,
        b"1." * 200_000,
    ],
    ids=range(16),
)
def test_nothing_takes_long_to_refuse_or_read(tmp_path, data):
    started = time.process_time()
    path = tmp_path / "hostile.csv"
    path.write_bytes(data)
    with suppress(TableError):
        read_table(path)
    assert time.process_time() - started < 10


def test_a_nul_is_left_out_and_control_characters_stay(tmp_path):
    table = read(tmp_path, b"a,b\n1,x\x00y\n2,p\x07q\n")
    assert table.frame["b"].tolist() == ["xy", "p\x07q"]
    assert "1 NUL character left out." in table.notes


def test_rows_of_another_length_are_named(tmp_path):
    text = refusal(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11,12\n")
    assert "line 3" in text
    assert "2 cells" in text
    assert "have 3" in text
    assert "2 such rows" in text


def test_a_long_file_with_one_bad_row_far_down(tmp_path):
    rows = "".join(f"{i},{i}\n" for i in range(60_000))
    assert "line 60002 " in refusal(tmp_path, f"a,b\n{rows}1,2,3\n")


@pytest.mark.parametrize("tail", ["", "\n"])
def test_a_quote_never_closed_is_named(tmp_path, tail):
    text = refusal(tmp_path, 'a,b\n1,x\n2,"y\n3,z' + tail)
    assert "line 3" in text
    assert "never closed" in text


def test_inches_are_no_quotes(tmp_path):
    assert read(tmp_path, 'a,b\n1,5" pipe\n2,pipe\n3,x\n').frame["b"][0] == '5" pipe'


def test_quotes_can_be_switched_off(tmp_path):
    assert read(tmp_path, 'a,b\n1,"x\n2,y\n', quote="").frame["b"].tolist() == ['"x', "y"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "no rows"),
        (b"\xef\xbb\xbf", "no rows"),
        (b"name,age\n", "header and no rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "PNG image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "JPEG image"),
        (b"%PDF-1.7\n1 0 obj\n", "PDF document"),
        (b"<!DOCTYPE html>\n<html><body>a,b</body></html>", "web page"),
        (b'\n <?xml version="1.0"?>\n<a/>', "XML file"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image"),
        (b"BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00", "bitmap"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"\x80\x04\x95\x10\x00\x00\x00", "pickle"),
        (bytes(range(256)) * 4, "binary data"),
        (b"\x00" * 1000, "binary data"),
        (b"PAR1" + b"\x00" * 40, "Parquet"),
        (b"PK\x03\x04" + b"\x00" * 40, "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "not a workbook"),
    ],
)
def test_what_is_no_table_is_said_in_one_sentence(tmp_path, data, said):
    text = refusal(tmp_path, data)
    assert said in text
    assert "people.csv" in text


@pytest.mark.parametrize("word", ["ORC", "ID3", "PARE", "PAR1", "FEA1", "BZh91", "MZ", "BM"])
def test_plain_words_are_not_taken_for_signatures(tmp_path, word):
    assert list(read(tmp_path, f"{word},b\n1,2\n3,4\n").frame.columns) == [word, "b"]


def test_limits_on_rows_columns_and_cells(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 10)
    for limits, said in (
        (TableLimits(max_rows=9), "10 rows, at most 9"),
        (TableLimits(max_columns=1), "2 columns, at most 1"),
        (TableLimits(max_cells=19), "more than 19 cells"),
        (TableLimits(max_file_bytes=20), "larger than 20 bytes"),
    ):
        with pytest.raises(TableError, match=said):
            read_table(path, limits=limits)
    assert len(read_table(path, limits=TableLimits(max_rows=10, max_columns=2, max_cells=20)).frame) == 10


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(TableError, match=r"there is no file gone\.csv"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(TableError, match="is a folder"):
        read_table(tmp_path)


def test_nothing_is_fetched(tmp_path, monkeypatch):
    def no_network(*_args, **_kwargs):
        raise AssertionError("a reader opened a connection")

    monkeypatch.setattr("socket.socket.connect", no_network)
    with pytest.raises(TableError, match="there is no file"):
        read_table(Path("http://example.com/a.csv"))
    assert read(tmp_path, "u,v\nhttp://example.com/a.csv,1\ns3://b/c,2\n").frame.shape == (2, 2)


def test_a_wrong_format_by_hand_is_refused(tmp_path):
    assert "delimited text, not Parquet" in refusal(tmp_path, PEOPLE, format="parquet")
    assert read(tmp_path, PEOPLE, format="csv").frame.shape == (3, 3)
    assert "not valid JSON" in refusal(tmp_path, PEOPLE, format="jsonl")


def test_memory_that_runs_out_is_said(tmp_path, monkeypatch):
    def no_memory(*_args):
        raise MemoryError

    monkeypatch.setattr("tabnet_engine.data.reading.dispatch.build_frame", no_memory)
    assert "needs more memory" in refusal(tmp_path, PEOPLE)


def test_reading_again_with_what_was_used_gives_the_same(tmp_path):
    first = read(tmp_path, gzip.compress("größe;wert\n1,5;x\n2,25;ä\n".encode("cp1252")), "t.csv.gz")
    again = read_table(tmp_path / "t.csv.gz", first.options)
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert again.options == first.options
    assert first.frame["größe"].tolist() == [1.5, 2.25]


def test_a_name_that_looks_like_a_script_is_a_name(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("<script>alert(1)</script>,b\n1,2\n3,4\n")
    assert list(read_table(path).frame.columns) == ["<script>alert(1)</script>", "b"]
