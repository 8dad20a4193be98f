"""Delimiter, quote, decimal sign, and where the table begins."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.reading.layout import Layout, byte_offset, find_layout
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.sniffing import Dialect, Record, cut_sample, normalise, records_of, sniff, width_of
from tabnet_engine.data.reading.text_tables import _explained, _Text
from tabnet_engine.data.tables import Table, read_table
from tabnet_engine.errors import TableError


def read(tmp_path, text: str, **options) -> Table:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    return read_table(path, ReadOptions(**options))


@pytest.mark.parametrize(
    ("text", "delimiter", "shape"),
    [
        ("a,b\n1,x\n2,y\n", ",", (2, 2)),
        ("a;b\n1;x\n2;y\n", ";", (2, 2)),
        ("a\tb\n1\tx\n2\ty\n", "\t", (2, 2)),
        ("a|b\n1|x\n2|y\n", "|", (2, 2)),
        ("1::Toy Story (1995)::A|B\n2::Jumanji (1995)::C\n3::Heat (1995)::A|D\n", "::", (3, 3)),
        ("39, State-gov, 77516, x y\n50, Private, 83311, x z\n38, Private, 21, x y\n", ",", (3, 4)),
        ("a;b;c\n1,5;x;2,25\n3,25;y;4,5\n", ";", (2, 3)),
        ('name;where\nAnna;"Bonn; south"\nBob;"Rome, north"\n', ";", (2, 2)),
        ("id,tags\n1,a;b;c\n2,d;e;f\n3,g;h;i\n", ",", (3, 2)),
        ("name\tplace\nAnna\tBonn, D\nBob\tRome, I\n", "\t", (2, 2)),
        ("when,n\n2024-01-02 10:00:00,1\n2024-01-03 11:00:00,2\n", ",", (2, 2)),
        ("5.1  3.5   1.4 a\n 4.9 3.0 1.4  b\n4.7\t3.2 1.3 a  \n", " ", (3, 4)),
        ("1,5;2,25;3,5\n4,5;5,25;6,5\n7,5;8,25;9,5\n", ";", (3, 3)),
        ("x^y\n1^2\n3^4\n", "^", (2, 2)),
    ],
)
def test_delimiters_are_found(tmp_path, text, delimiter, shape):
    table = read(tmp_path, text)
    assert table.options.delimiter == delimiter
    assert table.frame.shape == shape
    again = read_table(tmp_path / "t.csv", table.options)
    assert again.frame.equals(table.frame)


@pytest.mark.parametrize(
    "text",
    [
        "full name\nAnna Smith\nBob Jones\n",
        "name\nAnna Smith\nBob Jones\nCleo Lee\n",
        "when\n2024-01-02 10:00:00\n2024-01-03 11:00:00\n",
        "a\n1\n2\n",
    ],
)
def test_one_column_is_not_torn_apart(tmp_path, text):
    assert read(tmp_path, text).frame.shape[1] == 1


def test_a_column_with_every_delimiter_is_still_one_column(tmp_path):
    assert read(tmp_path, "a, b; c | d\te\nx\ny\nz\nw\n", header="none").frame.shape == (5, 1)


@pytest.mark.parametrize(
    ("text", "decimal", "values"),
    [
        ("a;b\n1,5;x\n2,25;y\n", ",", [1.5, 2.25]),
        ("a;b\n1.234,5;x\n2.000,25;y\n", ",", [1234.5, 2000.25]),
        ("a;b\n1.5;x\n2.25;y\n", ".", [1.5, 2.25]),
        ('a,b\n"1,5",x\n"2,25",y\n', ",", [1.5, 2.25]),
        ('a,b\n"1,234",x\n"2,500,000",y\n', ".", [1234, 2500000]),
        ('a,b\n"1,234.5",x\n"2,500,000.25",y\n', ".", [1234.5, 2500000.25]),
    ],
)
def test_decimal_signs_are_found(tmp_path, text, decimal, values):
    table = read(tmp_path, text)
    assert table.options.decimal == decimal
    assert table.frame["a"].tolist() == values


def test_the_decimal_sign_is_correctable(tmp_path):
    text = "a;b\n1.234;x\n2.500;y\n"
    assert read(tmp_path, text).frame["a"].tolist() == [1.234, 2.5]
    assert read(tmp_path, text, decimal=",").frame["a"].tolist() == [1234, 2500]


def test_single_quotes_are_found(tmp_path):
    table = read(tmp_path, "a,b\n'x, y',1\n'it''s',2\n'z',3\n")
    assert table.options.quote == "'"
    assert table.frame["a"].tolist() == ["x, y", "it's", "z"]


def test_apostrophes_are_no_quotes(tmp_path):
    table = read(tmp_path, "a,b\nO'Neil,1\n'tis,2\nz,3\n")
    assert table.options.quote == '"'
    assert table.frame["a"].tolist() == ["O'Neil", "'tis", "z"]


def test_blanks_before_quotes(tmp_path):
    table = read(tmp_path, 'a, b, c\n1, "x, ""y""", 3\n2, "z" , "p ,  ""q"""\n')
    assert table.frame["b"].tolist() == ['x, "y"', "z"]
    assert table.frame["c"].tolist() == ["3", 'p ,  "q"']


def test_backslashes_before_quotes(tmp_path):
    table = read(tmp_path, 'a,b\n1,"say \\"hi\\" now"\n2,"C:\\\\dir"\n')
    assert table.frame["b"].tolist() == ['say "hi" now', "C:\\dir"]
    assert read(tmp_path, 'a,b\n1,"C:\\dir\\"\n2,"x"\n').frame["b"].tolist() == ["C:\\dir\\", "x"]


def test_a_blank_inside_quotes_is_no_delimiter(tmp_path):
    table = read(tmp_path, '18.0  8  "chevrolet  malibu"\n15.0  8  "buick skylark"\n16.0  4 "x y"\n')
    assert table.frame["2"].tolist() == ["chevrolet  malibu", "buick skylark", "x y"]


def test_a_quote_inside_a_cell_is_taken_as_it_is(tmp_path):
    assert read(tmp_path, 'a,b\n1,"x"y" z\n2,q\n').frame["b"].tolist() == ['xy" z', "q"]


def test_lines_of_all_lengths_are_no_table(tmp_path):
    assert read(tmp_path, "a\n1,2\n1,2,3\n1,2,3,4\n1,2,3,4,5\n").frame.shape[1] == 1


def test_what_only_arrow_refuses_is_still_one_sentence():
    text = _Text(b"a,b\n1,2\n", ",", Dialect(",", '"'), "utf-8", "t")
    error = _explained(text, Layout(2, None, 1), pa.ArrowInvalid("CSV\nparse error"))
    assert str(error) == "t cannot be read as a table: CSV parse error; choose another delimiter or quote"


def test_the_delimiter_that_excel_declares(tmp_path):
    table = read(tmp_path, "sep=|\na,x|b\n1,5|p\n2,5|q\n" + "3,5|q\n" * 60 + "u|q\n")
    assert table.options.delimiter == "|"
    assert list(table.frame.columns) == ["a,x", "b"]
    assert 'first "u" at row 62 (line 65)' in " ".join(table.notes)
    assert read_table(tmp_path / "t.csv", table.options).frame.equals(table.frame)
    assert read(tmp_path, "sep=|\na;b\n1;2\n", delimiter=";").frame["b"].tolist() == [2]


def test_row_names_without_a_name(tmp_path):
    table = read(tmp_path, '"a" "b"\n"1" 1.5 "x y"\n"2" 2.5 "y"\n"3" 3.5 "z"\n')
    assert list(table.frame.columns) == ["row", "a", "b"]
    assert table.frame["b"].tolist() == ["x y", "y", "z"]


def test_a_delimiter_by_hand_may_be_anything(tmp_path):
    assert read(tmp_path, "a§b\n1§2\n", delimiter="§").frame.shape == (1, 2)
    assert read(tmp_path, "a<>b\n1<>2\n", delimiter="<>").frame.shape == (1, 2)
    assert read(tmp_path, "a,b\n1,2\n", delimiter=";").frame.shape == (1, 1)
    text = "a::b\n1::\x1f\x1e\x1d\x01\x02\x03\n"
    with pytest.raises(TableError, match="control characters"):
        read(tmp_path, text, delimiter="::")


@given(
    st.lists(
        st.lists(st.text(st.sampled_from('ab1 ,;"\n:'), max_size=5), min_size=3, max_size=3), min_size=1, max_size=8
    )
)
def test_long_delimiters_change_nothing_inside_quotes(rows):
    quoted = ["::".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    data, delimiter = normalise("\n".join(quoted).encode(), Dialect("::", '"'))
    found = [list(record.cells) for record in records_of(data.decode(), delimiter, '"')]
    assert found == [[cell.strip() for cell in row] for row in rows]


def test_the_sample_is_whole_lines():
    line = b"x" * 999 + b"\n"
    sample = cut_sample(line * 1000)
    assert len(sample) % 1000 == 0
    assert 200_000 < len(sample) <= 262_144
    assert cut_sample(b"a,b\n") == b"a,b\n"
    long_lines = (b"1," * 40_000 + b"\n") * 30
    assert len(cut_sample(long_lines).splitlines()) >= 10
    assert cut_sample(b"z" * 300_000) == b"z" * 300_000
    assert len(cut_sample(b"z" * 17_000_000)) < 17_000_000


def test_a_sample_cut_inside_a_quote_is_no_trouble():
    text = b"a,b\n" + b'1,"x\ny"\n' * 40_000
    sample = cut_sample(text)
    assert len(sample) < len(text)
    assert sniff(sample, ReadOptions(), whole=False).delimiter == ","


def records(*rows):
    return [Record(line, tuple(row)) for line, row in enumerate(rows, start=1)]


def test_the_usual_width():
    assert width_of([]) == 0
    assert width_of(records("ab", "abc", "abc")) == 3


def test_titles_above_the_header_are_skipped():
    layout = find_layout(records(["Report"], ["2024"], "ab", "12", "34"), "auto", (), "t.csv")
    assert layout.header == ("a", "b")
    assert layout.first_line == 4
    assert layout.notes == ('2 lines above the table skipped: "Report" and 1 more.',)


def test_a_header_one_name_short():
    by_rows = records("bc", ["r1", "2", "3"], ["r2", "5", "6"])
    assert find_layout(by_rows, "auto", (), "t").header == ("row", "b", "c")
    trailing = records("ab", ["1", "2", ""], ["1", "5", ""])
    assert find_layout(trailing, "auto", (), "t").header == ("a", "b", "")
    with pytest.raises(TableError, match="line 1 of t has 2 cells where the rows below it have 3"):
        find_layout(records("bc", ["1", "2", "3"], ["1", "5", "6"]), "auto", (), "t")


def test_a_long_preface_is_no_table():
    many = records(*[["x"]] * 120, *[["1", "2"]] * 130)
    with pytest.raises(TableError, match="line 120 of t has 1 cell"):
        find_layout(many, "auto", (), "t")


def test_offsets_of_lines():
    data = b"a\r\nb\rc\nd"
    assert [data[byte_offset(data, line) :][:1] for line in (1, 2, 3, 4)] == [b"a", b"b", b"c", b"d"]
