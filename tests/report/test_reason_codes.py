"""The dictionary of reason codes: which sentence serves, what is refused, and the way through CSV and back."""

from __future__ import annotations

import dataclasses
import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role
from tabnet_engine.errors import ReportError
from tabnet_engine.explain.reasons.records import Contribution, Reason
from tabnet_engine.report.reason_codes import (
    CODE_FIELDS,
    ReasonCode,
    ReasonCodes,
    code_problems,
    codes_from_csv,
    codes_to_csv,
    default_codes,
)

DAY = "2026-03-01"
ANY = ReasonCode("R1", "income", "any", "Your income.", "您的收入。")
BELOW = ReasonCode("R2", "income", "below", "Your income is low.", "您的收入偏低。", "Ann", DAY)
ZERO = ReasonCode("R3", "income", "=0", "You have no income.", "您没有收入。")
OTHER_COLUMN = ReasonCode("R0", "rent", "below", "Your rent.", "您的租金。")
CODES = ReasonCodes((OTHER_COLUMN, ANY, BELOW, ZERO))
HOSTILE = [
    "=SUM(A1)",
    "'=x",
    "''",
    "'",
    "a,b;c\td",
    'say "no"',
    "{{reasons}} {0}",
    "line\r\nbreak",
    "＝１",
    " -3",
    "\ufeff+1",
]


def reason(column: str = "income", direction: str = "below", actual: str = "100") -> Reason:
    contribution = Contribution(
        column=column,
        value=-1.0,
        standard_error=None,
        actual=actual,
        reference="200",
        reference_detail="",
        direction=direction,
    )
    return Reason(rank=1, contribution=contribution, share=1.0, ranks={}, kept=(), moved=1.0, flips=False)


def csv_of(*lines: str) -> str:
    return "\n".join([",".join(CODE_FIELDS), *lines])


@pytest.mark.parametrize(
    ("given_reason", "code"),
    [
        (reason(), "R2"),
        (reason(actual="0"), "R3"),
        (reason(actual="0.0"), "R3"),
        (reason(direction="above"), "R1"),
        (reason(direction="missing", actual="0"), "R1"),
        (reason(column="rent"), "R0"),
    ],
)
def test_the_most_specific_code_serves_in_any_order(given_reason: Reason, code: str) -> None:
    for codes in (CODES, ReasonCodes(CODES.codes[::-1])):
        assert codes.sentence(given_reason, "en").code == code


def test_a_sentence_says_whether_a_person_found_it_right() -> None:
    told = CODES.sentence(reason(), "zh")
    assert (told.text, told.is_reviewed, told.is_generated) == ("您的收入偏低。", True, False)
    assert not CODES.sentence(reason(direction="above"), "en").is_reviewed


def test_without_a_code_a_neutral_sentence_names_the_column() -> None:
    told = ReasonCodes().sentence(reason("pay {column} <b>", "above", "3"), "en")
    assert told.text == "“pay {column} <b>” is higher than is usual for approved applications."
    assert told.is_generated
    assert not told.code
    assert not told.is_reviewed
    assert "later" in ReasonCodes().sentence(reason(direction="above", actual="2026-03-01"), "en").text


def test_a_code_without_the_language_gives_way() -> None:
    only_english = ReasonCodes((ReasonCode("R1", "income", "below", "Low.", " "),))
    assert only_english.sentence(reason(), "en").code == "R1"
    assert only_english.sentence(reason(), "zh").is_generated


def test_the_hash_tells_every_change() -> None:
    changed = [dataclasses.replace(BELOW, **{field: "=9"}) for field in CODE_FIELDS]
    hashes = {ReasonCodes((code,)).sha256 for code in (BELOW, *changed)}
    assert len(hashes) == len(CODE_FIELDS) + 1
    assert ReasonCodes((ANY, BELOW)).sha256 == ReasonCodes.from_mapping(ReasonCodes((ANY, BELOW)).to_mapping()).sha256


def test_a_sentence_changed_after_its_review_is_a_draft_again() -> None:
    before = ReasonCodes((BELOW,))
    changed = dataclasses.replace(BELOW, text_en="Your income is far too low.")
    assert not ReasonCodes((changed,)).following(before).codes[0].is_reviewed
    assert ReasonCodes((dataclasses.replace(changed, reviewed_by="Bo"),)).following(before).codes[0].is_reviewed
    assert ReasonCodes((BELOW,)).following(before) == before


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["R1,income,any,a,b,,", "R1,rent,any,a,b,,"], "line 3: the code 'R1' stands twice"),
        (["R1,income,any,a,b,,", "", "R2,income,any,a,b,,"], "line 4: 'R2' and 'R1' both speak of 'income'"),
        (["R1,salary,any,a,b,,"], "there is no column 'salary'"),
        (["R1,income,any, ,,,"], "the code 'R1' has no sentence"),
        (["R1,income,low,a,b,,"], "'when' of 'R1' must be any, above"),
        (["R1,income,=,a,b,,"], "'when' of 'R1' must be any, above"),
        ([",income,any,a,b,,"], "the field 'code' is empty"),
        (["R1,income,any,a,b,Ann,"], "needs a name and a day"),
        (["R1,income,any,a,b,Ann,1.3.2026"], "must be a day such as 2026-03-01"),
        (["R1,salary,any,a,b,,", "R2,income,low,a,b,,", "R2,rent,any,a,b,,"], "mistakes in these lines too: 3, 4"),
        (["R1,income,any,a"], "line 2 of the reason codes has 4 cells and the header 7"),
        (['"R1,income,any,a,b,,'], "check the quotation marks"),
    ],
)
def test_a_wrong_line_is_named(lines: list[str], words: str) -> None:
    with pytest.raises(ReportError) as caught:
        codes_from_csv(csv_of(*lines), ["income", "rent"])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("code,column\n", "has no 'when'"),
        ("", "has no 'code'"),
        ("code,column,when,when\n", "'when' twice"),
        ("code,column,when,price\n", "unknown field 'price'"),
        ("code,column\n".encode("utf-16"), "not UTF-8"),
        ("x" * 5_000_001, "longer than 5 MB"),
    ],
)
def test_a_file_that_is_no_dictionary_is_refused(content: str | bytes, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        codes_from_csv(content, ["income"])


def test_a_spreadsheet_with_semicolons_is_read() -> None:
    codes = codes_from_csv("\ufeffcode;column;when;text_en\r\nR1;income;=a,b;Low.\r\n", ["income"])
    assert codes.codes == (ReasonCode("R1", "income", "=a,b", "Low.", ""),)


TEXT = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.sampled_from(HOSTILE))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), max_size=4))
def test_csv_brings_the_same_dictionary_back(texts: list[tuple[str, str, str, str]]) -> None:
    codes = ReasonCodes(
        tuple(
            ReasonCode(f"'{place}", column, f"={value}x", f"{text_en}.", text_zh, "Ann", DAY)
            for place, (column, value, text_en, text_zh) in enumerate(texts)
        )
    )
    columns = [code.column for code in codes.codes]
    assert code_problems(codes.codes, columns) == () or len(set(columns)) < len(columns)
    if not code_problems(codes.codes, columns):
        assert codes_from_csv(codes_to_csv(codes), columns) == codes


def test_no_cell_of_the_file_is_a_formula() -> None:
    codes = ReasonCodes(tuple(ReasonCode(f"R{n}", text, f"={text}", text, text) for n, text in enumerate(HOSTILE)))
    cells = pd.read_csv(io.BytesIO(codes_to_csv(codes)), dtype=str, keep_default_na=False).to_numpy().ravel()
    assert not [cell for cell in cells if cell.lstrip(" \ufeff")[:1] in tuple("=+-@|%\t\r\n＝＋－＠")]


def test_every_column_that_is_read_gets_drafts_in_both_languages() -> None:
    kinds = {"age": Kind.NUMBER, "job": Kind.CATEGORY, "since": Kind.DATETIME, "name": Kind.TEXT}
    columns = [Column(name=name, kind=kind) for name, kind in kinds.items()]
    schema = FeatureSchema(columns=(*columns, Column(name="y", kind=Kind.NUMBER, role=Role.TARGET)))
    codes = default_codes(schema)
    assert {code.column for code in codes.codes} == {"age", "job", "since"}
    assert all(code.text("en") and code.text("zh") and not code.is_reviewed for code in codes.codes)
    assert code_problems(codes.codes, schema.feature_names) == ()
    assert "later" in codes.sentence(reason("since", "above", "2020-01-01"), "en").text
    for column in kinds.keys() - {"name"}:  # a row that holds the usual value has a sentence to review as well
        assert not codes.sentence(reason(column, "same"), "en").is_generated
    assert codes_from_csv(codes_to_csv(codes), schema.feature_names) == codes
    assert not any(word in code.text_en for code in codes.codes for word in ("model", "score", "probability"))


def test_a_thousand_columns_are_quick_and_long_names_stay_whole() -> None:
    columns = tuple(Column(name=f"{n}-" + "n" * 300, kind=Kind.NUMBER) for n in range(500))
    codes = default_codes(FeatureSchema(columns=columns))
    assert codes_from_csv(codes_to_csv(codes), [column.name for column in columns]) == codes
