"""Encodings: a table of a few words must be enough to tell them apart."""

from __future__ import annotations

import codecs
import math
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.reading.charsets import _first_invalid, detect_encoding, to_utf8
from tabnet_engine.data.reading.letters import CANDIDATES, log_likelihood
from tabnet_engine.errors import TableError

TEXTS = {
    "gbk": [
        "姓名,年龄,城市\n张三,25,北京\n李四,30,上海\n",
        "性别,n\n1,1\n2,2\n",
        "a,b\n男,1\n女,2\n",
        "是否违约,贷款金额\n1,2\n",
    ],
    "gb18030": ["姓名,城市\n张䶮,北京\n李四,上海\n"],
    "big5": ["姓名,年齡,城市\n張三,25,臺北\n李四,30,高雄\n", "教育程度,貸款金額,是否違約\n1,200,0\n"],
    "shift_jis": [
        "名前,年齢,都市\n田中さん,25,東京\nサトウ,41,名古屋\n",
        "都市,数量\n東京,1\n大阪,2\n",
        "性別,審査結果\n1,3\n",
    ],
    "euc_jp": ["名前,年齢,都市\n田中さん,25,東京\nサトウ,41,名古屋\n"],
    "euc_kr": ["이름,나이,도시\n홍길동,25,서울\n김철수,30,부산\n", "a,b\n남,1\n여,2\n", "성별,학력,대출금액\n1,2,3\n"],
    "latin-1": [
        "name,city\nJosé,São Paulo\nZoë,Köln\nAndré,Besançon\n",
        "Straße,Größe\n1,2\n",
        "temp °C,m²\n1,2\n",
        "ÄÖÜ,n\n1,2\n",
        "année,décision\n1,a\n",
    ],
    "cp1252": ["name,price\nCafé – bar,5€\nO’Neil,6€\n", "income (€),b\n1,2\n", "a,b\nit’s,2\n"],
    "cp1250": ["imię,miasto\nŁukasz,Łódź\nStanisław,Kraków\n"],
    "cp1251": ["имя,город,доход\nИван,Москва,100\nПётр,Самара,200\n", "пол,n\nм,1\nж,2\n"],
    "koi8_r": ["имя,город\nиван,москва\nпётр,самара\nольга,тверь\n"],
    "utf-8": ["a,b\n1,2\n", "姓名,é\n1,2\n"],
    "utf-8-sig": ["é,b\n1,2\n"],
    "utf-16": ["a,b\n1,2\n", "姓名,年龄\n张三,25\n"],
    "utf-16-le": ["a,b\n1,2\n", "姓名,年龄\n张三,25\n李四,30\n"],
    "utf-16-be": ["a,b\n1,2\n", "姓名,年龄\n张三,25\n李四,30\n"],
    "utf-32": ["a,b\n1,é\n"],
}


ALSO_RIGHT = {"gb18030": {"gbk"}, "latin-1": {"cp1252"}}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts])
def test_a_few_words_are_read_as_they_were_written(encoding, text):
    data, found = to_utf8(text.encode(encoding), None, "t.csv")
    assert data.decode("utf-8") == text
    assert codecs.lookup(found).name in {codecs.lookup(encoding).name, "utf-8"} | ALSO_RIGHT.get(encoding, set())


def test_long_files_of_mostly_numbers_are_judged_by_their_words():
    rows = b"1,2,3\n" * 200_000
    assert detect_encoding(rows + "4,5,北京\n4,5,上海市\n".encode("gbk")) == "gbk"
    assert detect_encoding(rows + "4,5,Köln\n".encode("latin-1")) == "latin-1"
    assert detect_encoding(b"1," * 100_000 + "Köln\n".encode("latin-1")) == "latin-1"


def test_a_rare_character_beyond_the_sample_takes_the_full_set():
    rows = "性别,年龄,城市\n".encode("gbk") * 6000
    assert len(rows) > 64 * 1024
    assert detect_encoding(rows + "䶮\n".encode("gb18030")) == "gb18030"
    assert detect_encoding(rows + b"\x81\n") in {"latin-1", "cp1252", "cp1251", "koi8_r", "cp1250"}


def test_zeros_without_line_ends_are_not_utf16():
    assert detect_encoding("ab".encode("utf-16-le") * 20) == "utf-8"
    assert detect_encoding(b"a\x00" * 20 + b"\x00\xd8a\x00\n\x00") != "utf-16-le"


def test_a_long_utf8_text_is_checked_across_chunks(monkeypatch):
    monkeypatch.setattr("tabnet_engine.data.reading.charsets._CHUNK", 7)
    assert detect_encoding("名前é🙂".encode() * 50) == "utf-8"
    text = "Größe,é\n".encode("latin-1") * 20
    assert to_utf8(text, None, "t")[0].decode() == text.decode("latin-1")


def test_utf8_with_a_few_broken_bytes_is_refused_by_line():
    data = "naïve,é\n".encode() * 50 + b"caf\xe9,1\n" + "naïve,é\n".encode() * 50
    with pytest.raises(TableError, match=r"t\.csv is UTF-8 except for byte 0xE9 at line 51"):
        to_utf8(data, None, "t.csv")
    assert to_utf8(data, "latin-1", "t.csv")[1] == "latin-1"


@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        (b"a\nb\xe9\n", "utf-8", "byte 0xE9 at line 2"),
        (b"a\nb\n\xe9", "ascii", "byte 0xE9 at line 3"),
        ("é".encode(), "ascii", "byte 0xC3 at line 1"),
        (b"\x81", "shift_jis", "byte 0x81 at line 1"),
        (b"abc", "utf-16-le", "line 1"),
    ],
)
def test_a_wrong_encoding_by_hand_is_named_by_line(data, encoding, said):
    with pytest.raises(TableError) as caught:
        to_utf8(data, encoding, "t.csv")
    assert said in str(caught.value)
    assert f"cannot be read as {encoding}" in str(caught.value)


@given(st.binary(min_size=1, max_size=60), st.sampled_from(["utf-8", "gbk", "shift_jis", "euc_kr", "big5", "ascii"]))
def test_the_first_wrong_byte_is_found_across_chunks(data, encoding):
    expected = None
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        expected = error.start
    with patch("tabnet_engine.data.reading.charsets._CHUNK", 3):
        assert _first_invalid(data, encoding) == expected


@given(st.binary(max_size=80))
def test_any_bytes_get_an_encoding_that_can_read_them(data):
    try:
        text, encoding = to_utf8(data, None, "t.csv")
    except TableError:
        return
    assert text.decode("utf-8") is not None
    assert codecs.lookup(encoding)


@given(st.text(max_size=40))
def test_utf8_comes_back_to_the_letter(text):
    data = ("x" + text).encode()
    assert to_utf8(data, None, "t.csv")[0] == data or b"\x00" in data


@pytest.mark.parametrize("encoding", CANDIDATES)
def test_every_candidate_scores_its_own_script(encoding):
    assert log_likelihood(b"abc,1\n", encoding) > -8
    assert math.isfinite(log_likelihood("é".encode("utf-16-le") * 3, encoding)) in {True, False}


def test_a_candidate_that_cannot_decode_is_out():
    assert log_likelihood(b"\xff\xff", "gbk") == -math.inf
