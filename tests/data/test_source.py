"""Files as they come: packed, packed twice, cut off, or far larger than they look."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.source import open_source
from tabnet_engine.data.tables import read_table, sheet_names
from tabnet_engine.errors import StorageError, TableError

PEOPLE = b"name,age\nAnna,31\nBob,42\n"


def zipped(password: bool = False, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    data = bytearray(buffer.getvalue())
    if password:
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(signature) + offset] |= 1
    return bytes(data)


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
    "zip": lambda data: zipped(**{"people.csv": data}),
}


def save(tmp_path, data: bytes):
    path = tmp_path / "people.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_tables(tmp_path, kind):
    packed = PACKERS[kind](PEOPLE)
    table = read_table(save(tmp_path, packed))
    assert table.frame["age"].tolist() == [31, 42]
    assert table.sha256 == hashlib.sha256(packed).hexdigest()
    assert any("unpacked" in note and kind in note for note in table.notes)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_bomb_stops_at_the_limit(tmp_path, kind):
    bomb = PACKERS[kind](b"0" * 30_000_000)
    with pytest.raises(TableError, match="unpacks to more than 1 MiB"):
        read_table(save(tmp_path, bomb), limits=TableLimits(max_file_bytes=1 << 20))


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("cut", [12, -20, -3])
def test_what_was_cut_off_is_refused(tmp_path, kind, cut):
    packed = PACKERS[kind](PEOPLE * 50)
    with pytest.raises(TableError, match=f"damaged or incomplete {kind} file"):
        read_table(save(tmp_path, packed[:cut]))


@pytest.mark.parametrize("outer", PACKERS)
def test_packed_twice(tmp_path, outer):
    with pytest.raises(TableError, match="compressed twice"):
        read_table(save(tmp_path, PACKERS[outer](gzip.compress(PEOPLE))))
    with pytest.raises(TableError, match="compressed twice"):
        read_table(save(tmp_path, PACKERS[outer](zipped(**{"people.csv": PEOPLE}))))


@pytest.mark.parametrize("outer", PACKERS)
def test_a_packed_workbook_is_no_second_packing(tmp_path, outer):
    book = openpyxl.Workbook()
    book.active.append(["name", "age"])
    book.active.append(["Anna", 31])
    buffer = io.BytesIO()
    book.save(buffer)
    path = save(tmp_path, PACKERS[outer](buffer.getvalue()))
    assert read_table(path).frame["age"].tolist() == [31]
    assert sheet_names(path) == ("Sheet",)


@pytest.mark.parametrize("outer", PACKERS)
def test_what_is_inside_is_checked_too(tmp_path, outer):
    with pytest.raises(TableError, match=r"the file inside people\.csv is a PNG image"):
        read_table(save(tmp_path, PACKERS[outer](b"\x89PNG\r\n\x1a\n")))
    with pytest.raises(TableError, match=r"the file inside people\.csv is empty"):
        read_table(save(tmp_path, PACKERS[outer](b"")))


def test_a_broken_archive_inside_a_packed_file(tmp_path):
    with pytest.raises(TableError, match="compressed twice"):
        read_table(save(tmp_path, gzip.compress(b"PK\x03\x04" + b"\x00" * 40)))


def test_an_archive_holds_one_file(tmp_path):
    two = zipped(**{"a.csv": PEOPLE, "b.csv": PEOPLE})
    with pytest.raises(TableError, match=r"exactly one file, found 2: a\.csv, b\.csv"):
        read_table(save(tmp_path, two))
    with pytest.raises(TableError, match="found 0: none"):
        read_table(save(tmp_path, zipped()))
    with_extras = zipped(
        **{"data__a.csv": PEOPLE, "__MACOSX__._a.csv": b"x", "data__.DS_Store": b"x", "Thumbs.db": b"x"}
    )
    assert len(read_table(save(tmp_path, with_extras)).frame) == 2


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("xl__workbook.bin", "binary Excel workbook"),
        ("content.xml", "OpenDocument"),
        ("[Content_Types].xml", "Office document"),
    ],
)
def test_other_documents_are_named(tmp_path, member, said):
    with pytest.raises(TableError, match=said):
        read_table(save(tmp_path, zipped(**{member: b"x"})))


def test_a_protected_archive(tmp_path):
    with pytest.raises(TableError, match="protected by a password"):
        read_table(save(tmp_path, zipped(password=True, **{"a.csv": PEOPLE})))


def test_members_of_gzip_and_zstd_follow_each_other(tmp_path):
    first, second = PEOPLE[:9], PEOPLE[9:]
    for pack in (gzip.compress, PACKERS["zstd"]):
        assert len(read_table(save(tmp_path, pack(first) + pack(second))).frame) == 2


def test_a_file_the_system_withholds(tmp_path, monkeypatch):
    path = save(tmp_path, PEOPLE)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(StorageError, match=r"people\.csv cannot be opened: Permission denied"):
        read_table(path)


@pytest.mark.parametrize(
    ("limit", "shown"), [(900, "900 bytes"), (5000, "4 KiB"), (3 << 20, "3 MiB"), (2 << 30, "2 GiB")]
)
def test_sizes_are_readable(tmp_path, limit, shown, monkeypatch):
    path = save(tmp_path, PEOPLE)
    monkeypatch.setattr("pathlib.Path.open", lambda *_: io.BytesIO(b""))
    monkeypatch.setattr("tabnet_engine.data.reading.source.len", lambda _: limit + 1, raising=False)
    with pytest.raises(TableError, match=f"larger than {shown}"):
        open_source(path, "people.csv", TableLimits(max_file_bytes=limit))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(PACKERS)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_changed_bytes_give_a_table_or_one_sentence(tmp_path, kind, changes):
    data = bytearray(PACKERS[kind](PEOPLE * 20))
    for position, value in changes:
        data[position % len(data)] = value
    text = None
    try:
        table = read_table(save(tmp_path, bytes(data)))
    except TableError as error:
        text = str(error)
    assert "\n" not in text if text is not None else len(table.frame) > 0
