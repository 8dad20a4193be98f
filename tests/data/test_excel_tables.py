"""Excel workbooks: written by openpyxl, or byte by byte for the old format and for files made to do harm."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections import Counter

import openpyxl
import pandas as pd
import pytest
import python_calamine

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.dispatch import read_source
from tabnet_engine.data.reading.excel_tables import names_of_sheets
from tabnet_engine.data.reading.python_values import as_column, as_text
from tabnet_engine.data.reading.source import Source
from tabnet_engine.data.tables import ReadOptions, Table, read_table, sheet_names
from tabnet_engine.errors import TableError


def workbook(**sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read(tmp_path, data: bytes, limits: TableLimits | None = None, **options) -> Table:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    return read_table(path, ReadOptions(**options), limits=limits or TableLimits())


def altered(data: bytes, part: str, change) -> bytes:
    """The workbook with one part of its archive rewritten."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == part else content)
    return buffer.getvalue()


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def biff(rows, far=None) -> bytes:
    """The stream of an old workbook (BIFF8) with one sheet of texts and numbers."""
    cells = b""
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                cells += record(0x204, struct.pack("<HHHHB", r, c, 0, len(value), 1) + text)
            else:
                cells += record(0x203, struct.pack("<HHHd", r, c, 0, value))
    if far:
        cells += record(0x203, struct.pack("<HHHd", *far, 0, 1.0))

    def begin(kind: int) -> bytes:
        return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 6))

    def book(offset: int) -> bytes:
        entry = record(0x85, struct.pack("<IHBB", offset, 0, 4, 0) + b"Data")
        return begin(5) + record(0x42, struct.pack("<H", 1200)) + entry + record(0x0A)

    return book(len(book(0))) + begin(0x10) + cells + record(0x0A)


def compound(stream: bytes, name: str = "Workbook") -> bytes:
    """A compound file (the envelope of .xls) with one stream."""
    stream += b"\0" * (max(4096, -(-len(stream) // 512) * 512) - len(stream))
    n_sectors = len(stream) // 512
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    fat = [0xFFFFFFFD, end, *(i + 3 for i in range(n_sectors - 1)), end]
    fat += [free] * (128 - len(fat))

    def entry(title: str, kind: int, start: int, size: int, child: int = free) -> bytes:
        text = (title + "\0").encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return head + b"\0" * 36 + struct.pack("<IQ", start, size)

    directory = (entry("Root Entry", 5, end, 0, 1) + entry(name, 2, 2, len(stream))).ljust(512, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    return header + struct.pack("<128I", *fat) + directory + stream


BORN = dt.datetime.fromisoformat("1990-01-02")
DAY = dt.datetime.fromisoformat("2024-01-02")
LATER = dt.datetime.fromisoformat("2024-01-02T03:00")
PEOPLE = [["name", "age", "born", "ok"], ["Anna", 31, BORN, True], ["Bob", 42.5, None, False]]


def test_a_sheet_becomes_a_table(tmp_path):
    table = read(tmp_path, workbook(People=PEOPLE))
    frame = table.frame
    assert list(frame.columns) == ["name", "age", "born", "ok"]
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "float64", "datetime64[us]", "bool"]
    assert frame["age"].tolist() == [31, 42.5]
    assert frame["born"][0] == pd.Timestamp(1990, 1, 2)
    assert frame["born"].isna()[1]
    assert table.options == ReadOptions(format="excel", sheet="People", decimal=".", header="first")
    assert table.notes == ("Read as missing: blank 1 time.",)


def test_old_workbooks(tmp_path):
    table = read(tmp_path, compound(biff([["name", "age"], ["Anna", 31.0], ["Bob", 42.0]])))
    assert table.frame["age"].tolist() == [31, 42]
    assert str(table.frame["age"].dtype) == "int64"
    assert table.options.sheet == "Data"
    assert sheet_names(tmp_path / "t.csv") == ("Data",)


def test_sheets_are_chosen(tmp_path):
    data = workbook(Empty=[], People=PEOPLE, Other=[["a"], [1]])
    table = read(tmp_path, data)
    assert table.options.sheet == "People"
    assert 'Sheet "People" was read; the workbook also has "Empty", "Other".' in table.notes
    assert read(tmp_path, data, sheet="Other").frame["a"].tolist() == [1]
    assert sheet_names(tmp_path / "t.csv") == ("Empty", "People", "Other")
    with pytest.raises(TableError, match='no sheet "Gone"; its sheets are "Empty", "People", "Other"'):
        read(tmp_path, data, sheet="Gone")
    with pytest.raises(TableError, match=r'sheet "Empty" of t\.csv holds no cells'):
        read(tmp_path, data, sheet="Empty")
    with pytest.raises(TableError, match=r"t\.csv holds no cells"):
        read(tmp_path, workbook(Empty=[]))


def test_hidden_sheets_come_last(tmp_path):
    book = openpyxl.load_workbook(io.BytesIO(workbook(Secret=[["a"], [1]], Shown=[["b"], [2]])))
    book["Secret"].sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    assert read(tmp_path, buffer.getvalue()).options.sheet == "Shown"


def test_other_files_have_no_sheets(tmp_path):
    path = tmp_path / "t.xlsx"
    path.write_text("a,b\n1,2\n")
    assert sheet_names(path) == ()


def test_titles_and_empty_rows(tmp_path):
    rows = [["Report 2024"], [], ["a", "b", "c"], [1, 2, 3], [None] * 3, [4, 5, 6]]
    table = read(tmp_path, workbook(S=rows))
    assert list(table.frame.columns) == ["a", "b", "c"]
    assert table.frame["c"].tolist() == [3, 6]
    assert '2 rows above the table skipped: "Report 2024".' in table.notes
    assert "1 empty row left out." in table.notes


def test_a_sparse_sheet_has_no_title(tmp_path):
    table = read(tmp_path, workbook(S=[["a", "b", "c"][:1]] + [["x"]] * 60 + [["y", 1, 2]]))
    assert len(table.frame) >= 60


def test_headers_by_detection_and_by_hand(tmp_path):
    data = workbook(S=[[1, 2], [3, 4]])
    table = read(tmp_path, data)
    assert list(table.frame.columns) == ["0", "1"]
    assert table.options.header == "none"
    assert any("called by position" in note for note in table.notes)
    assert list(read(tmp_path, data, header="first").frame.columns) == ["1", "2"]
    assert len(read(tmp_path, workbook(S=PEOPLE), header="none").frame) == 3
    with pytest.raises(TableError, match="a header and no rows"):
        read(tmp_path, workbook(S=[["a", "b"]]))


@pytest.mark.parametrize(
    ("cells", "dtype", "expected"),
    [
        ([1, "NA", 3], "float64", [1, None, 3]),
        (["1", "2"], "int64", [1, 2]),
        (["007", "8"], "str", ["007", "8"]),
        ([1, "x", 2.5], "str", ["1", "x", "2.5"]),
        ([DAY, "x", LATER], "str", ["2024-01-02", "x", "2024-01-02T03:00:00"]),
        ([dt.time(10, 30), dt.time(11, 45)], "str", ["10:30:00", "11:45:00"]),
        ([1e300, 2.0], "float64", [1e300, 2.0]),
        (["#DIV/0!", 2.0], "float64", [None, 2.0]),
    ],
)
def test_types(tmp_path, cells, dtype, expected):
    series = read(tmp_path, workbook(S=[["x", "n"], *([cell, 1] for cell in cells)])).frame["x"]
    assert str(series.dtype) == dtype
    assert series.astype(object).where(series.notna(), None).tolist() == expected


@pytest.mark.parametrize("cut", [100, -100, -1])
def test_a_part_of_a_file_is_refused(tmp_path, cut):
    with pytest.raises(TableError, match="damaged or incomplete"):
        read(tmp_path, workbook(S=PEOPLE)[:cut])


def test_damage_inside_is_refused(tmp_path):
    data = workbook(S=PEOPLE)
    with pytest.raises(TableError, match="damaged or incomplete workbook"):
        read(tmp_path, altered(data, "xl/workbook.xml", lambda _: b"<workbook"))
    with pytest.raises(TableError, match="damaged or incomplete workbook"):
        read(tmp_path, altered(data, "xl/worksheets/sheet1.xml", lambda xml: xml[:-60]))
    where = data.index(b"xl/worksheets/sheet1.xml") + 60
    with pytest.raises(TableError, match="damaged or incomplete workbook"):
        read(tmp_path, data[:where] + b"\xff\xff\xff\xff" + data[where + 4 :])
    with pytest.raises(TableError, match="damaged or incomplete workbook"):
        read(tmp_path, compound(b"nonsense"))


def test_old_workbooks_cannot_end_or_hold_up_this_process(tmp_path):
    """Two cells at far corners abort the parser, a directory that follows itself keeps it busy for ever."""
    with pytest.raises(TableError, match="could not be read within 8 GiB"):
        read(tmp_path, compound(biff([["a", "b"], [1.0, 2.0]], far=(65535, 65535))))
    with pytest.raises(TableError, match="could not be read within 8 GiB"):
        sheet_names(tmp_path / "t.csv")
    endless = bytearray(compound(biff([["a", "b"], [1.0, 2.0]])))
    endless[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    with pytest.raises(TableError, match=r"more than 2 seconds|could not be read"):
        read(tmp_path, bytes(endless), TableLimits(max_parse_seconds=2))


def test_old_workbooks_are_read_alike_on_either_side(tmp_path):
    source = Source("t", "xls", compound(biff([["name", "age"], ["Anna", 31.0]])), "")
    assert read_source(source, ReadOptions(), TableLimits()).frame["age"].tolist() == [31]
    assert names_of_sheets(source, TableLimits()) == ("Data",)


def test_archive_bombs_are_refused_before_parsing(tmp_path, monkeypatch):
    monkeypatch.setattr(python_calamine.CalamineWorkbook, "from_filelike", None, raising=False)
    bomb = altered(workbook(S=PEOPLE), "xl/styles.xml", lambda _: b" " * 30_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(TableError, match="unpacks to more than 20,000,000 bytes"):
        read(tmp_path, bomb, TableLimits(max_file_bytes=20_000_000))


def test_sizes_that_lie_are_found_by_unpacking(tmp_path):
    """The directory says 10 bytes, the part unpacks to millions: what counts is what comes out."""
    bomb = altered(workbook(S=PEOPLE), "xl/styles.xml", lambda _: b" " * 3_000_000)
    lie = bomb.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 10))
    assert lie != bomb
    with pytest.raises(TableError, match="damaged or incomplete workbook"):
        read(tmp_path, lie)


def test_cells_too_far_apart_are_refused_before_parsing(tmp_path):
    data = workbook(S=[["a", "b"], [1, 2]])
    far = altered(data, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="B2"', b'r="XFD1048576"'))
    with pytest.raises(TableError, match="reaches to row 1,048,576 and column 16,384"):
        read(tmp_path, far)
    rows = altered(data, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<row r="2"', b"<row  r = '9999999'"))
    with pytest.raises(TableError, match="reaches to row 9,999,999"):
        read(tmp_path, rows, TableLimits(max_parse_bytes=10**8))


def test_the_extent_is_found_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("tabnet_engine.data.reading.excel_tables._CHUNK", 64)
    data = workbook(S=[["a", "b"], [1, 2]])
    assert read(tmp_path, data).frame.shape == (1, 2)
    far = altered(data, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="B2"', b'r="XFD1048576"'))
    with pytest.raises(TableError, match="reaches to row 1,048,576"):
        read(tmp_path, far)


def test_a_panic_of_the_parser_is_one_sentence(tmp_path, monkeypatch):
    class PanicException(BaseException):
        pass

    def panic(_stream):
        raise PanicException("index out of bounds")

    data = workbook(S=PEOPLE)
    monkeypatch.setattr(
        "tabnet_engine.data.reading.excel_tables.calamine.CalamineWorkbook",
        type("Broken", (), {"from_filelike": staticmethod(panic)}),
    )
    with pytest.raises(TableError, match="index out of bounds"):
        read(tmp_path, data)

    def interrupt(_stream):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "tabnet_engine.data.reading.excel_tables.calamine.CalamineWorkbook",
        type("Stopped", (), {"from_filelike": staticmethod(interrupt)}),
    )
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path, data)


def test_protected_workbooks(tmp_path, monkeypatch):
    with pytest.raises(TableError, match="protected by a password"):
        read(tmp_path, compound(b"x", "EncryptedPackage"))

    def locked(_stream):
        raise python_calamine.PasswordError("locked")

    data = workbook(S=PEOPLE)
    monkeypatch.setattr(
        "tabnet_engine.data.reading.excel_tables.calamine.CalamineWorkbook",
        type("Locked", (), {"from_filelike": staticmethod(locked)}),
    )
    with pytest.raises(TableError, match="protected by a password"):
        read(tmp_path, data)


def test_days_and_moments_make_one_column():
    cells = as_column([dt.date(2024, 1, 2), LATER, None], (), Counter())
    assert cells.to_pylist() == [DAY, LATER, None]
    assert as_text(dt.date(2024, 1, 2)) == "2024-01-02"
