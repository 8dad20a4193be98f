"""Conditions on raw columns that pick rows: ``age >= 30 and job in (clerk, nurse) and income is not missing``.

Shapes: B rows. What a value means is the column's kind: numbers and dates compare by size, everything else by its
text. A bare day means the whole day. A missing cell meets no condition but ``is missing``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import KIND_NAMES, FeatureSchema, Kind
from tabnet_engine.data.values import as_numbers, as_timestamps, category_text, factorise
from tabnet_engine.errors import ExplanationError
from tabnet_engine.texts.speaking import msg, say

__all__ = ["ORDERED", "Condition", "RowFilter", "parse_filter"]

_DAY = np.timedelta64(1, "D")
_BARE_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Quoted text (its quote doubled inside), an operator or a bracket, or a word.
_TOKENS = re.compile(r"""\s*(?:(?P<quoted>"(?:[^"]|"")*"|'(?:[^']|'')*')|(?P<sign><=|>=|!=|==|<|>|=|\(|\)|,)"""
                     r"""|(?P<word>[^\s<>=!(),"']+))""")  # fmt: skip
_SAME = {"==": "="}
ORDERED = (Kind.NUMBER, Kind.DATETIME)  # kinds whose values compare by size
_EXAMPLE = msg("such as 'age >= 30', 'job in (clerk, nurse)' or 'income is missing'")

_NO_COLUMN = msg("a column was expected where it says {found}")
_NO_VALUE = msg("a value was expected where it says {found}")

Bools = npt.NDArray[np.bool_]

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": lambda cells, value: cells == value,
    "!=": lambda cells, value: cells != value,
    "<": lambda cells, value: cells < value,
    "<=": lambda cells, value: cells <= value,
    ">": lambda cells, value: cells > value,
    ">=": lambda cells, value: cells >= value,
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition on one column.

    ``operator`` is a comparison with the only one of ``values``, ``in`` or ``not in`` all of them, ``missing`` or
    ``not missing``. ``kind`` is what the column's values are.
    """

    column: str
    kind: Kind
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = _quoted(self.column)
        if self.operator.endswith("missing"):
            return f"{name} is {self.operator}"
        if self.operator.endswith("in"):
            return f"{name} {self.operator} ({', '.join(map(_quoted, self.values))})"
        return f"{name} {self.operator} {_quoted(self.values[0])}"

    def mask(self, frame: pd.DataFrame) -> Bools:
        """Which rows (B) of a table meet the condition.

        Raises:
            ExplanationError: the table has no such column.
            SchemaError: a cell is not what the column's kind holds.
        """
        if self.column not in frame.columns:
            raise ExplanationError(
                say(
                    "the table has no column {column}, which the condition '{condition}' reads",
                    column=repr(self.column),
                    condition=self,
                )
            )
        series = frame[self.column]
        missing: Bools = series.isna().to_numpy(dtype=bool)
        if self.operator.endswith("missing"):
            return missing if self.operator == "missing" else ~missing
        if self.operator.endswith("in"):
            found: Bools = np.logical_or.reduce([self._compare(series, "=", value) for value in self.values])
            return found & ~missing if self.operator == "in" else ~found & ~missing
        return self._compare(series, self.operator, self.values[0]) & ~missing

    def _compare(self, series: pd.Series[Any], operator: str, value: str) -> Bools:
        if self.kind is Kind.NUMBER:
            result: Bools = _COMPARISONS[operator](as_numbers(series), float(value))
            return result
        if self.kind is Kind.DATETIME:
            return _compare_moments(as_timestamps(series), operator, value)
        codes, texts = factorise(series)
        wanted = {_canonical(value), value}
        if self.kind is Kind.BOOLEAN:
            wanted = {text.casefold() for text in wanted}
            texts = tuple(text.casefold() for text in texts)
        equal: Bools = np.array([*(text in wanted for text in texts), False])[codes]
        return equal if operator == "=" else ~equal


@dataclass(frozen=True)
class RowFilter:
    """Conditions that must all hold."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))

    def mask(self, frame: pd.DataFrame) -> Bools:
        """Which rows (B) of a table meet every condition; raises as :meth:`Condition.mask` does."""
        holds: Bools = np.logical_and.reduce([condition.mask(frame) for condition in self.conditions])
        return holds

    def positions(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Positions of the rows that meet every condition, ascending.

        Raises:
            ExplanationError: no row does, or the table lacks a column.
            SchemaError: a cell is not what its column's kind holds.
        """
        found = np.flatnonzero(self.mask(frame)).astype(np.int64)
        if len(found) == 0:
            raise ExplanationError(
                say("no row of the table meets the condition '{condition}'; loosen it", condition=self)
            )
        return found


def parse_filter(text: str | Sequence[str], schema: FeatureSchema) -> RowFilter:
    """Read conditions joined by ``and``; of several texts all must hold.

    Names and values with blanks, commas or signs stand in quotes: ``"monthly income" >= 2000``. A quote inside is
    doubled.

    Args:
        text: the conditions.
        schema: knows the columns and their kinds.

    Raises:
        ExplanationError: what is no condition, a value that the column's kind cannot hold, or a comparison by
            size of a column that has no order.
        SchemaError: a column that does not exist.
    """
    texts = [text] if isinstance(text, str) else list(text)
    conditions = [condition for item in texts for condition in _Reader(item, schema).conditions()]
    if not conditions:
        raise ExplanationError(say("the condition is empty; write one {example}", example=say(_EXAMPLE)))
    return RowFilter(tuple(conditions))


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, schema: FeatureSchema) -> None:
        self._text = text
        self._schema = schema
        self._tokens = _tokens(text)
        self._place = 0

    def conditions(self) -> list[Condition]:
        found = [self._condition()]
        while self._place < len(self._tokens):
            if not self._take_word("and"):
                raise self._mistake(say("'and' was expected where it says {found}", found=self._shown))
            found.append(self._condition())
        return found

    def _condition(self) -> Condition:
        column = self._schema.column(self._value(_NO_COLUMN))
        if self._take_word("is") or self._next_is("missing") or self._next_is("not", "missing"):
            operator = "not missing" if self._take_word("not") else "missing"
            if not self._take_word("missing"):
                raise self._mistake(say("'missing' was expected where it says {found}", found=self._shown))
            return Condition(column=column.name, kind=column.kind, operator=operator)
        negated = self._take_word("not")
        if self._take_word("in"):
            values = tuple(self._checked(column.name, column.kind, value) for value in self._list())
            operator = "not in" if negated else "in"
            return Condition(column=column.name, kind=column.kind, operator=operator, values=values)
        operator = self._comparison(column.name, column.kind)
        value = self._checked(column.name, column.kind, self._value(_NO_VALUE))
        return Condition(column=column.name, kind=column.kind, operator=operator, values=(value,))

    def _comparison(self, name: str, kind: Kind) -> str:
        sign, is_sign = self._peek()
        operator = _SAME.get(sign, sign)
        if not is_sign or operator not in _COMPARISONS:
            raise self._mistake(say("a comparison was expected where it says {found}", found=self._shown))
        self._place += 1
        if operator not in {"=", "!="} and kind not in ORDERED:
            raise self._mistake(
                say(
                    "column {column} ({kind}) has no order; use = or in (…)",
                    column=repr(name),
                    kind=say(KIND_NAMES[kind]),
                )
            )
        return operator

    def _list(self) -> list[str]:
        if not self._take_sign("("):
            raise self._mistake(say("'(' was expected where it says {found}", found=self._shown))
        values = [self._value(_NO_VALUE)]
        while self._take_sign(","):
            values.append(self._value(_NO_VALUE))
        if not self._take_sign(")"):
            raise self._mistake(say("')' was expected where it says {found}", found=self._shown))
        return values

    def _checked(self, name: str, kind: Kind, value: str) -> str:
        """The value, if a column of this kind can hold it."""
        if kind is Kind.NUMBER and not _is_number(value):
            raise self._mistake(
                say("column {column} holds numbers and {value} is none", column=repr(name), value=repr(value))
            )
        if kind is Kind.DATETIME and not _is_moment(value):
            raise self._mistake(
                say(
                    "column {column} holds dates and {value} is none; write one as 2024-12-31",
                    column=repr(name),
                    value=repr(value),
                )
            )
        return value

    def _value(self, expected: str) -> str:
        """The next name or value; ``expected`` says what is missing where there is none."""
        token, is_sign = self._peek()
        if is_sign or self._place >= len(self._tokens):
            raise self._mistake(say(expected, found=self._shown))
        self._place += 1
        return token if token[0] not in "\"'" else token[1:-1].replace(token[0] * 2, token[0])

    def _peek(self) -> tuple[str, bool]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("", False)

    def _next_is(self, *words: str) -> bool:
        following = self._tokens[self._place : self._place + len(words)]
        return [token.casefold() for token, _ in following] == list(words)

    def _take_word(self, word: str) -> bool:
        taken = self._next_is(word)
        self._place += taken
        return taken

    def _take_sign(self, sign: str) -> bool:
        taken = self._peek() == (sign, True)
        self._place += taken
        return taken

    @property
    def _shown(self) -> str:
        return repr(self._peek()[0]) if self._place < len(self._tokens) else say("nothing more")

    def _mistake(self, reason: str) -> ExplanationError:
        return ExplanationError(
            say(
                "the condition {text} cannot be read: {reason}; write one {example}",
                text=repr(self._text),
                reason=reason,
                example=say(_EXAMPLE),
            )
        )


def _tokens(text: str) -> list[tuple[str, bool]]:
    """The words of a text, quoted ones with their quotes, and whether each is a sign."""
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKENS.match(text, place)
        if match is None:
            raise ExplanationError(
                say(
                    "the condition {text} cannot be read from {rest} on; a quote must be closed, and names with signs "
                    "in them stand in quotes; write one {example}",
                    text=repr(text),
                    rest=repr(text[place:].strip()),
                    example=say(_EXAMPLE),
                )
            )
        found.append((match.group().strip(), match.lastgroup == "sign"))
        place = match.end()
    return found


def _compare_moments(cells: npt.NDArray[np.datetime64], operator: str, value: str) -> Bools:
    """A bare day stands for all of it: ``<= 2024-12-31`` holds until midnight, ``= 2024-12-31`` all day long."""
    moment = np.datetime64(_moment(value), "us")
    if not _BARE_DAY.fullmatch(value):
        result: Bools = _COMPARISONS[operator](cells, moment)
        return result
    within: Bools = (cells >= moment) & (cells < moment + _DAY)
    if operator in {"=", "!="}:
        return within if operator == "=" else ~within
    if operator in {"<=", ">"}:
        before: Bools = cells < moment + _DAY
        return before if operator == "<=" else ~before
    return (cells < moment) if operator == "<" else (cells >= moment)


def _moment(value: str) -> pd.Timestamp:
    moment = pd.Timestamp(value)
    return moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment


def _is_moment(value: str) -> bool:
    try:
        return not pd.isna(_moment(value)) and not _is_number(value)
    except (ValueError, OverflowError):
        return False


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _canonical(value: str) -> str:
    """The text that a category of this value has: 3.0 is the category 3."""
    return category_text(float(value)) if _is_number(value) else value


def _quoted(text: str) -> str:
    """A name or value as it stands in a condition: quoted where it would not be one word."""
    words = ("and", "is", "in", "not", "missing")
    plain = re.fullmatch(r"""[^\s<>=!(),"']+""", text) and text.casefold() not in words
    return text if plain else '"' + text.replace('"', '""') + '"'
