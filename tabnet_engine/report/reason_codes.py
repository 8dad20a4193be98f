"""The dictionary of reason codes: which sentence a person is told for which reason, reviewed by a person.

A code describes one column, in one case: its value lies above or below what is usual for approved rows, is another
one, is missing, was never seen, or is one value named. The most specific code serves. Sentences are data in two
languages, never templates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from tabnet_engine.data.schema import CATEGORICAL, FeatureSchema, Kind
from tabnet_engine.errors import ReportError
from tabnet_engine.explain.reasons.records import Reason
from tabnet_engine.report.reason_codes_csv import csv_of_records, records_of_csv
from tabnet_engine.report.reason_words import neutral_sentence
from tabnet_engine.runs.parts import json_bytes, sha256_bytes

__all__ = [
    "CODE_FIELDS",
    "ReasonCode",
    "ReasonCodes",
    "ReasonSentence",
    "code_problems",
    "codes_from_csv",
    "codes_to_csv",
    "default_codes",
]

CASES = ("any", "above", "below", "other", "missing", "unseen")
MAX_CODES = 20_000
_MOST_LINES = 20  # with a mistake that are named
_LONGEST_CODE, _LONGEST_TEXT = 40, 1_000
_NEEDED = ("code", "column", "when")
# One letter behind the column's number, so that a code is stable when another one of its column goes.
_LETTERS = {"above": "A", "below": "B", "other": "O", "missing": "M", "unseen": "U", "any": "X"}
# "any" serves a row that holds the usual value and is decided so because others do not.
_OF_CATEGORIES, _OF_NUMBERS = ("other", "missing", "unseen", "any"), ("above", "below", "missing", "any")


@dataclass(frozen=True)
class ReasonCode:
    """One sentence for one reason.

    Attributes:
        code: its name in the dictionary, such as R012; unique.
        column: which column it speaks of.
        when: any, above, below, other, missing, unseen, or ``=`` followed by the value that it is for.
        text_en: the sentence in English; empty where there is none in that language.
        text_zh: the same in Chinese.
        reviewed_by: who found the sentence right; empty for a draft.
        reviewed_on: on which day, as 2026-03-01.
    """

    code: str
    column: str
    when: str
    text_en: str
    text_zh: str
    reviewed_by: str = ""
    reviewed_on: str = ""

    @property
    def is_reviewed(self) -> bool:
        """Whether a person found it right, with name and day."""
        return bool(self.reviewed_by.strip() and self.reviewed_on.strip())

    def text(self, language: str) -> str:
        """The sentence in a language, on one line; empty where there is none."""
        return " ".join((self.text_zh if language == "zh" else self.text_en).split())


CODE_FIELDS = tuple(field.name for field in dataclasses.fields(ReasonCode))


@dataclass(frozen=True, kw_only=True)
class ReasonSentence:
    """What a person is told for one reason; ``code`` is empty where the sentence is generated, for no code has one."""

    code: str
    text: str
    is_reviewed: bool
    is_generated: bool


@dataclass(frozen=True)
class ReasonCodes:
    """A dictionary of reason codes, in the order of its owner."""

    codes: tuple[ReasonCode, ...] = ()

    def sentence(self, reason: Reason, language: str) -> ReasonSentence:
        """What is said for a reason: the code for its very value, else for its direction, else for any.

        A code without a sentence in this language is passed over; without any, a neutral sentence is generated.
        """
        own = [code for code in self.codes if code.column == reason.column and code.text(language)]
        actual, direction = reason.contribution.actual, reason.contribution.direction
        by_value = [code for code in own if direction != "missing" and _is_value(code.when, actual)]
        by_direction = [code for code in own if code.when == direction]
        fitting = [*by_value, *by_direction, *(code for code in own if code.when == "any")]
        if not fitting:
            when = _dated(direction) if _is_moment(actual) else direction
            text = neutral_sentence(when, reason.column, language)
            return ReasonSentence(code="", text=text, is_reviewed=False, is_generated=True)
        code = fitting[0]
        return ReasonSentence(
            code=code.code, text=code.text(language), is_reviewed=code.is_reviewed, is_generated=False
        )

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole dictionary, reviews and order among it."""
        return sha256_bytes(json_bytes(self.to_mapping()))

    def following(self, previous: ReasonCodes) -> ReasonCodes:
        """This dictionary as the next version of another: a sentence changed after its review is a draft again.

        A review holds for the words that were read. Where column, case or sentence differ from the version before
        and name and day of the review are the same, the review is taken away.
        """
        before = {code.code: code for code in previous.codes}
        return ReasonCodes(tuple(_after(code, before.get(code.code)) for code in self.codes))

    def to_mapping(self) -> dict[str, Any]:
        """The dictionary as plain JSON values."""
        return {"codes": [dataclasses.asdict(code) for code in self.codes]}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            ValueError: it is no dictionary of reason codes.
        """
        try:
            codes = tuple(ReasonCode(**item) for item in values["codes"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no dictionary of reason codes: {error}") from error
        if not all(isinstance(value, str) for code in codes for value in dataclasses.astuple(code)):
            raise ValueError("a reason code holds something that is no text")
        return cls(codes)


def code_problems(codes: Sequence[ReasonCode], columns: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """What is wrong with each code: its place from 0, and one English sentence; empty where all are right."""
    return tuple(_problems(codes, frozenset(columns)))


def codes_from_csv(content: bytes | str, columns: Sequence[str]) -> ReasonCodes:
    """Read a dictionary from CSV with the header of :data:`CODE_FIELDS`; the reviews and one language may be absent.

    Raises:
        ReportError: a file that is no such CSV, or a code that cannot be used: names its line, and the other
            lines with a mistake.
    """
    rows = list(records_of_csv(content, CODE_FIELDS, _NEEDED))
    if len(rows) > MAX_CODES:
        raise ReportError(f"there are {len(rows):,} reason codes and at most {MAX_CODES:,} are taken; give fewer")
    codes = ReasonCodes(tuple(ReasonCode(**record) for _, record in rows))
    problems = code_problems(codes.codes, columns)
    if not problems:
        return codes
    line, problem = rows[problems[0][0]][0], problems[0][1]
    if len(problems) == 1:
        raise ReportError(f"reason codes, line {line}: {problem}")
    others = ", ".join(str(rows[place][0]) for place, _ in problems[1 : _MOST_LINES + 1])
    raise ReportError(f"reason codes, line {line}: {problem}; there are mistakes in these lines too: {others}")


def codes_to_csv(codes: ReasonCodes) -> bytes:
    """The dictionary as CSV for a spreadsheet; :func:`codes_from_csv` reads the same dictionary from it."""
    return csv_of_records(CODE_FIELDS, [dataclasses.asdict(code) for code in codes.codes])


def default_codes(schema: FeatureSchema) -> ReasonCodes:
    """Drafts for every column that the model reads, in both languages; none of them is reviewed."""
    codes = []
    for place, column in enumerate(schema.features, start=1):
        for when in _OF_CATEGORIES if column.kind in CATEGORICAL else _OF_NUMBERS:
            words = _dated(when) if column.kind is Kind.DATETIME else when
            texts = [neutral_sentence(words, column.name, language) for language in ("en", "zh")]
            codes.append(ReasonCode(f"R{place:03d}{_LETTERS[when]}", column.name, when, *texts))
    return ReasonCodes(tuple(codes))


def _after(code: ReasonCode, before: ReasonCode | None) -> ReasonCode:
    if before is None or not code.is_reviewed:
        return code
    is_same_review = (code.reviewed_by, code.reviewed_on) == (before.reviewed_by, before.reviewed_on)
    if is_same_review and code != before:
        return dataclasses.replace(code, reviewed_by="", reviewed_on="")
    return code


def _problems(codes: Sequence[ReasonCode], columns: frozenset[str]) -> Iterator[tuple[int, str]]:
    names: dict[str, int] = {}
    cases: dict[tuple[str, str], str] = {}
    for place, code in enumerate(codes):
        try:
            _check(code, columns)
            if code.code in names:
                raise ReportError(f"the code {code.code!r} stands twice; give each its own")
            if (code.column, code.when) in cases:
                other = cases[code.column, code.when]
                raise ReportError(
                    f"{code.code!r} and {other!r} both speak of {code.column!r} when {code.when!r}; keep one of them"
                )
        except ReportError as error:
            yield place, str(error)
        names[code.code] = place
        cases.setdefault((code.column, code.when), code.code)


def _check(code: ReasonCode, columns: frozenset[str]) -> None:
    if not code.code.strip():
        raise ReportError("the field 'code' is empty; give the code a name such as R001")
    if len(code.code) > _LONGEST_CODE:
        raise ReportError(f"a code has {len(code.code):,} characters; give it at most {_LONGEST_CODE}")
    if code.column not in columns:
        raise ReportError(f"there is no column {code.column!r} that the code {code.code!r} could speak of")
    if code.when not in CASES and not (code.when.startswith("=") and len(code.when) > 1):
        raise ReportError(
            f"the field 'when' of {code.code!r} must be {', '.join(CASES)}, or = with a value, got {code.when!r}"
        )
    _check_texts(code)
    _check_review(code)


def _check_texts(code: ReasonCode) -> None:
    if not (code.text("en") or code.text("zh")):
        raise ReportError(f"the code {code.code!r} has no sentence; write one in 'text_en' or 'text_zh'")
    longest = max(len(code.text_en), len(code.text_zh))
    if longest > _LONGEST_TEXT:
        raise ReportError(f"the sentence of {code.code!r} has {longest:,} characters; at most {_LONGEST_TEXT:,} do")


def _check_review(code: ReasonCode) -> None:
    if bool(code.reviewed_by.strip()) != bool(code.reviewed_on.strip()):
        raise ReportError(f"the review of {code.code!r} needs a name and a day; fill in both fields, or neither")
    try:
        date.fromisoformat(code.reviewed_on.strip() or "2000-01-01")
    except ValueError:
        raise ReportError(
            f"'reviewed_on' of {code.code!r} must be a day such as 2026-03-01, got {code.reviewed_on!r}"
        ) from None


def _is_value(when: str, actual: str) -> bool:
    """Whether a case names the very value; 3 and 3.0 are the same number."""
    if not when.startswith("="):
        return False
    try:
        return when[1:] == actual or float(when[1:]) == float(actual)
    except ValueError:
        return False


def _is_moment(actual: str) -> bool:
    try:
        datetime.fromisoformat(actual)
    except ValueError:
        return False
    return not actual.isdigit()  # 20260301 is a number


def _dated(when: str) -> str:
    return {"above": "later", "below": "earlier"}.get(when, when)
