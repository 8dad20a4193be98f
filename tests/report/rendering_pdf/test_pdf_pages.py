from __future__ import annotations

import dataclasses
import io
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.report.document import (
    Bullets,
    Callout,
    Document,
    Facts,
    Paragraph,
    ReviewStep,
    SignatureLines,
    Table,
)
from tabnet_engine.report.rendering.pdf import pdf_bytes
from tabnet_engine.report.rendering.pdf_flow import Piece, paged
from tabnet_engine.report.rendering.pdf_tables import column_widths
from tabnet_engine.report.rendering.pdf_text import Cell, Setter, Style, row_pieces
from tests.report.rendering_pdf.papers import CHINESE, LONG, every_block, paper


def _reader(document: Document) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf_bytes(document)))


def _text(reader: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


@pytest.fixture(scope="module")
def full() -> pypdf.PdfReader:
    return _reader(paper(*every_block(), language="zh", n_sections=4))


def test_all_text_can_be_read_out_in_order(full: pypdf.PdfReader) -> None:
    told = re.sub(r"\s", "", _text(full))
    wanted = [
        "Whythiswasdeclined",
        "Headingnumber0",
        "Plainwords.Asecondline.",
        CHINESE,
        "1.firstreason",
        "Lookatthis.",
    ]
    places = [told.rindex(words) if words.startswith("Heading") else told.index(words) for words in wanted[2:]]
    assert all(words in told for words in wanted)
    assert places == sorted(places)
    assert LONG in told
    assert "<script>alert(1)</script>&{x}%s‹U+1F600›‹U+202E›" in told
    assert "‹U+0000›" in told


def test_title_language_and_time_are_those_of_the_report(full: pypdf.PdfReader) -> None:
    root = full.trailer["/Root"]
    assert (full.metadata.title, root["/Lang"]) == ("Why this was declined 拒绝", "zh-Hans")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert full.metadata.creation_date.isoformat() == "2026-03-01T09:30:00+00:00"


def test_every_font_is_embedded(full: pypdf.PdfReader) -> None:
    fonts = [font.get_object() for page in full.pages for font in page["/Resources"]["/Font"].values()]
    used = {font["/BaseFont"].split("+")[-1] for font in fonts}
    assert used == {"NotoSans-Regular", "NotoSans-Bold", "NotoSansSC-Regular", "NotoSansSC-Bold"}
    assert all("/FontFile2" in font["/FontDescriptor"] for font in fonts)


def test_the_contents_name_the_pages_of_the_sections(full: pypdf.PdfReader) -> None:
    pages = [page.extract_text() for page in full.pages]
    told = re.findall(r"Heading number (\d) (\d+)$", "\n".join(pages), flags=re.MULTILINE)
    assert [int(number) for number, _ in told] == [0, 1, 2, 3]
    for number, page in told:
        assert re.search(rf"Heading number {number}$", pages[int(page) - 1], flags=re.MULTILINE)
    assert [entry.title.split("·")[1].strip() for entry in full.outline[1:]] == [
        f"Heading number {n}" for n in range(4)
    ]


def test_every_page_tells_its_number_and_case(full: pypdf.PdfReader) -> None:
    for number, page in enumerate(full.pages, start=1):
        text = page.extract_text()
        assert re.search(rf"\b{number}\b.*\b{len(full.pages)}\b", text)
        assert "D-20260301-ABCDEF012345" in text


def test_the_tags_lead_from_every_mark_to_its_element(full: pypdf.PdfReader) -> None:
    root = full.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    numbers = root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    for page in full.pages:
        marks = [int(one) for one in re.findall(rb"/MCID (\d+)", page.get_contents().get_data())]
        parents = numbers[2 * page["/StructParents"] + 1].get_object()
        assert marks == list(range(len(parents)))
        for mark, parent in enumerate(parents):
            assert (page.indirect_reference, mark) in _content(parent.get_object())
    kinds = re.findall(r"/S', '/(\w+)'", str(_elements(root["/StructTreeRoot"]["/K"])))
    assert {"H1", "H2", "P", "L", "LI", "Table", "TR", "TH", "TD", "Figure", "TOC"} <= set(kinds)


def _content(element: pypdf.generic.DictionaryObject) -> list[tuple[object, int]]:
    """The marked content of an element: its page and its number."""
    kids = element["/K"] if isinstance(element["/K"], list) else [element["/K"]]
    found = []
    for kid in kids:
        if isinstance(kid, int):
            found.append((element.raw_get("/Pg"), kid))
        elif "/MCID" in kid.get_object():
            found.append((kid.raw_get("/Pg"), kid["/MCID"]))
    return found


def _elements(element: pypdf.generic.DictionaryObject) -> list[tuple[str, str]]:
    kids = element.get("/K", [])
    kids = kids if isinstance(kids, list) else [kids]
    found = [("/S", str(element["/S"]))]
    for kid in (kid.get_object() for kid in kids):
        if isinstance(kid, dict) and "/S" in kid:
            found += _elements(kid)
    return found


def test_the_same_document_is_the_same_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document = paper(*every_block())
    first = pdf_bytes(document)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert pdf_bytes(Document.from_mapping(document.to_mapping())) == first
    script = (
        "import sys; from tests.report.rendering_pdf.papers import every_block, paper;"
        "from tabnet_engine.report.rendering.pdf import pdf_bytes;"
        "sys.stdout.buffer.write(pdf_bytes(paper(*every_block())))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai"}
    again = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert again.stdout == first


def test_a_long_table_repeats_its_head_and_loses_no_row() -> None:
    rows = tuple((f"row{number:03}", LONG if number == 40 else "x") for number in range(130))
    pages = [
        page.extract_text() for page in _reader(paper(Table(caption="All", columns=("Key", "Word"), rows=rows))).pages
    ]
    found = re.findall(r"row\d{3}", "\n".join(pages))
    assert found == [row[0] for row in rows]
    assert len(pages) > 2
    assert all("Key Word" in page for page in pages if "row" in page)


def test_a_cell_longer_than_a_page_goes_on_and_a_wide_table_is_set_in_parts() -> None:
    words = " ".join(f"word{number}" for number in range(2_500))
    wide = tuple(f"c{number}c" for number in range(60))
    tables = (
        Table(caption="Long", columns=("a", "b"), rows=(("x", words),)),
        Table(caption="Wide", columns=wide, rows=(wide,)),
    )
    told = _text(_reader(paper(*tables)))
    assert re.findall(r"word\d+", told) == words.split()
    assert all(name in told for name in wide)


def test_a_blocked_report_is_marked_on_every_page() -> None:
    document = paper(Paragraph(text="word " * 2_000), blocked=("The column sex is a reason.",))
    reader = _reader(document)
    assert len(reader.pages) > 1
    assert all("BLOCKED" in page.extract_text() for page in reader.pages)
    assert "The column sex is a reason." in reader.pages[0].extract_text()


def test_a_letter_has_no_contents_and_keeps_what_it_lacks_apart() -> None:
    document = paper(Bullets(items=("one",)), n_sections=5, is_letter=True, unmet=("No address.",))
    first, last = [page.extract_text() for page in _reader(document).pages]
    assert "Contents" not in first
    assert "Part C" not in first
    assert "No address." not in first
    assert "No address." in last


def test_the_review_stands_at_the_end_and_in_the_foot() -> None:
    steps = (
        ReviewStep(state="draft", name="Ann", time="2026-03-01T09:30:00+00:00"),
        ReviewStep(state="signed", name="Ørsted Жук", time="2026-03-02T09:30:00+00:00", comment="seen"),
    )
    document = dataclasses.replace(paper(Callout(tone="note", text="words")), review=steps)
    told = _text(_reader(document))
    assert told.count("Signed by Ørsted Жук on 2 March 2026, 09:30 UTC") == 2  # in the front and in the foot
    assert told.index("words") < told.index("seen")


def test_the_lines_of_a_row_stand_below_each_other_and_torn_ones_go_on() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.bases: list[float] = []

        def line(self, x: float, baseline: float, line: object, size: float, **more: object) -> None:
            self.bases.append(baseline)

    style = Style(size=10.0, leading=1.5)
    lines = Setter().lines("\n".join("word" for _ in range(60)), 100.0, style)
    pen, y = Recorder(), 0.0
    for piece in row_pieces([Cell(0.0, lines, style, None)]):
        piece.paint(pen, y)
        y += piece.height
    assert [after - before for before, after in itertools.pairwise(pen.bases)] == pytest.approx([15.0] * 59)
    assert pen.bases[-1] < y


_PIECES = st.lists(st.tuples(st.floats(1, 60), st.booleans(), st.floats(0, 20), st.booleans()), min_size=1, max_size=30)


@settings(max_examples=150)
@given(_PIECES)
def test_pages_hold_every_piece_in_order_and_never_run_over(values: list[tuple[float, bool, float, bool]]) -> None:
    def paint(pen: object, y: float) -> None:
        raise AssertionError("nothing is drawn here")

    head = Piece(height=10.0, paint=paint)
    pieces = [
        Piece(height=height, paint=paint, is_kept=is_kept, before=before, heads=(head,) if has_head else ())
        for height, is_kept, before, has_head in values
    ]
    pages = paged(pieces, 100.0)
    assert [piece for page in pages for _, piece in page if piece is not head] == pieces
    for page in pages:
        assert page[0][0] == 0
        assert all(y + piece.height <= 100.0 + 1e-9 for y, piece in page)
        assert all(y + piece.height <= after + 1e-9 for (y, piece), (after, _) in itertools.pairwise(page))


def test_a_heading_moves_on_with_what_it_heads() -> None:
    def paint(pen: object, y: float) -> None:
        raise AssertionError("nothing is drawn here")

    filling, heading, body = (
        Piece(height=height, paint=paint, is_kept=is_kept) for height, is_kept in ((80, False), (15, True), (30, False))
    )
    assert [len(page) for page in paged([filling, heading, body], 100.0)] == [1, 2]


def test_blocks_without_anything_in_them_are_no_mistake() -> None:
    empty = (
        Facts(lines=()),
        Bullets(items=()),
        SignatureLines(roles=()),
        Paragraph(text=""),
        Table(caption="", columns=(), rows=()),
        Table(caption="No rows", columns=("Key",), rows=()),
    )
    assert "No rows" in _text(_reader(paper(*empty, title="")))


def test_columns_fill_the_room_and_give_a_long_text_the_most() -> None:
    table = Table(caption="", columns=("n", "text"), rows=(("1", "many words " * 40),))
    narrow, wide = column_widths(table, 400.0)
    assert narrow + wide == pytest.approx(392.0)
    assert narrow < 40 < wide
