"""What each column is, proposed from its values; every proposal carries its reason.

The rules, first match wins:

1. Every cell missing, or one value and nothing missing: constant, ignored.
2. Truth values, 0/1, yes/no: boolean. Dates: date.
3. Whole numbers that name rows, unique and evenly spaced or unique under a name like "id": identifier.
4. Other whole numbers under such a name, and whole numbers with two values: category. A table made
   only of whole numbers with at most :data:`MAX_CODES` values each (cards, survey answers): category.
   Every other number stays a number: its order is kept, a value between or beyond those of training
   still means something, and with piecewise-linear inputs a number with few values can express what a
   category can. The reason names the other choice where there is one.
5. Texts: nested values and mostly different sentences are free text; mostly different words are an
   identifier; all others are categories, of which the encoder keeps the most frequent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import MAX_CATEGORIES
from tabnet_engine.data.moments import datetime_parts
from tabnet_engine.data.schema import ENCODABLE, Column, FeatureSchema, Kind, Role
from tabnet_engine.data.values import as_timestamps, factorise, value_order
from tabnet_engine.data.wording import listed

__all__ = ["MAX_CODES", "looks_like_truth", "propose_column", "propose_schema"]

MAX_CODES = 13
_FEW_VALUES = 20
_FEW_SHARE = 0.05
_FEW_CODED_COLUMNS = 3
_MOSTLY_DIFFERENT = 0.5
_WORDS_OF_A_SENTENCE = 3
_ROWS_FOR_IDENTIFIERS = 20
_SAMPLED_TEXTS = 1_000

_TRUTH_PAIRS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"1", "0"})
_IDENTIFIER_NAME = re.compile(r"(?i:(?:^|[^a-z])id$|uuid|guid)|[a-z](?:Id|ID)$")


@dataclass(frozen=True)
class _Measured:
    """One column, measured once and only as far as a rule asks."""

    name: str
    series: pd.Series[Any]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The different values as text, in order of appearance."""
        return factorise(self.series)[1]

    @cached_property
    def n_unique(self) -> int:
        return int(self.series.nunique()) if self.is_number else len(self.texts)

    @cached_property
    def n_present(self) -> int:
        return int(self.series.notna().sum())

    @property
    def is_truth(self) -> bool:
        return pd.api.types.is_bool_dtype(self.series.dtype)

    @property
    def is_date(self) -> bool:
        return pd.api.types.is_datetime64_any_dtype(self.series.dtype)

    @property
    def is_number(self) -> bool:
        return pd.api.types.is_numeric_dtype(self.series.dtype) and not self.is_truth

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64]:
        """The present numbers in table order."""
        values: npt.NDArray[np.float64] = self.series.to_numpy(dtype=np.float64, na_value=np.nan)
        return values[~np.isnan(values)]

    @cached_property
    def is_integer(self) -> bool:
        return self.is_number and bool((np.isfinite(self.numbers) & (self.numbers == np.floor(self.numbers))).all())

    @property
    def has_few_values(self) -> bool:
        return self.n_unique <= min(_FEW_VALUES, _FEW_SHARE * self.n_present)

    @property
    def may_be_code(self) -> bool:
        return self.is_integer and self.has_few_values and self.n_unique <= MAX_CODES

    @property
    def is_mostly_different(self) -> bool:
        return self.n_unique > _MOSTLY_DIFFERENT * self.n_present

    @property
    def is_named_identifier(self) -> bool:
        return bool(_IDENTIFIER_NAME.search(self.name))

    @cached_property
    def names_rows(self) -> bool:
        """Whole numbers, all different, that count or carry an identifier's name."""
        if not self.is_integer or self.n_present < len(self.series) or self.n_unique < self.n_present:
            return False
        steps = np.diff(np.sort(self.numbers))
        evenly = self.n_present >= _ROWS_FOR_IDENTIFIERS and bool((steps == steps[0]).all())
        return evenly or self.is_named_identifier

    @cached_property
    def words(self) -> float:
        """Average number of words of a value, over the first different values."""
        sample = self.texts[:_SAMPLED_TEXTS]
        return sum(len(text.split()) for text in sample) / max(1, len(sample))


_Proposal = tuple[Kind, str] | None


def propose_schema(frame: pd.DataFrame) -> FeatureSchema:
    """Kind and role of every column, each with one sentence that says why.

    Args:
        frame: the table as read; its column names are unique.

    Returns:
        A schema without a target. Identifiers, constants and free text are ignored.
    """
    measured = [_Measured(str(name), frame.iloc[:, index]) for index, name in enumerate(frame.columns)]
    rules = (_code_among_codes, *_RULES) if _is_table_of_codes(measured) else _RULES
    return FeatureSchema(columns=tuple(_propose(column, rules) for column in measured))


def propose_column(name: str, series: pd.Series[Any]) -> Column:
    """The proposal for one column, seen alone."""
    return _propose(_Measured(name, series), _RULES)


def looks_like_truth(texts: Sequence[str]) -> bool:
    """Whether two values are a pair such as yes and no."""
    return {text.casefold() for text in texts} in _TRUTH_PAIRS


def _propose(measured: _Measured, rules: Sequence[Callable[[_Measured], _Proposal]]) -> Column:
    kind, why = next(found for rule in rules if (found := rule(measured)) is not None)
    return Column(
        name=measured.name,
        kind=kind,
        role=Role.FEATURE if kind in ENCODABLE else Role.IGNORED,
        why=why,
        integer=measured.is_integer,
        datetime_parts=datetime_parts(as_timestamps(measured.series)) if kind is Kind.DATETIME else (),
    )


def _is_table_of_codes(columns: Sequence[_Measured]) -> bool:
    varying = [column for column in columns if column.n_unique > 1 and not column.names_rows]
    return len(varying) >= _FEW_CODED_COLUMNS and all(column.may_be_code for column in varying)


def _code_among_codes(column: _Measured) -> _Proposal:
    if not column.may_be_code or column.n_unique <= 2:
        return None
    return Kind.CATEGORY, (
        f"{column.n_unique} different whole numbers in a table where every column holds a few whole numbers: read as "
        "codes; choose number if their order means something."
    )


def _constant(column: _Measured) -> _Proposal:
    if column.n_present == 0:
        return Kind.CONSTANT, "Every cell is missing, so there is nothing to learn from; ignored."
    if column.n_unique == 1 and column.n_present == len(column.series):
        return Kind.CONSTANT, f"Every row has the same value {listed(column.texts)}; ignored."
    return None


def _truth(column: _Measured) -> _Proposal:
    if column.is_truth or (column.n_unique == 2 and looks_like_truth(column.texts)):
        return Kind.BOOLEAN, f"Its values are {listed(sorted(column.texts))}."
    return None


def _date(column: _Measured) -> _Proposal:
    if not column.is_date:
        return None
    return Kind.DATETIME, "Dates: the model reads year, month, day and so on, and explains them as this one column."


def _single(column: _Measured) -> _Proposal:
    if column.n_unique != 1:
        return None
    return Kind.CATEGORY, f"One value, {listed(column.texts)}, or missing: being present may mean something."


def _row_number(column: _Measured) -> _Proposal:
    if not column.names_rows:
        return None
    return Kind.IDENTIFIER, (
        f"A different whole number in each of the {column.n_present:,} rows: it names rows, so it is ignored; choose "
        "the role row id to see it beside each row, or the kind number to learn from it."
    )


def _reference(column: _Measured) -> _Proposal:
    if not (column.is_integer and column.is_named_identifier and column.n_unique > 2):
        return None
    return Kind.CATEGORY, (
        f"Its name says that its {column.n_unique:,} different whole numbers identify something: read as "
        f"codes{_capped(column)}; choose number if their size means something."
    )


def _number(column: _Measured) -> _Proposal:
    if not column.is_number:
        return None
    if not column.is_integer:
        return Kind.NUMBER, f"{column.n_unique:,} different numbers."
    if column.n_unique == 2:
        return (
            Kind.CATEGORY,
            f"Two codes, {listed(sorted(column.texts, key=value_order))}; as a number they would say the same.",
        )
    if column.has_few_values:
        return Kind.NUMBER, (
            f"{column.n_unique} different whole numbers: read as a number, which keeps their order; choose category "
            "if they are codes."
        )
    return Kind.NUMBER, f"{column.n_unique:,} different whole numbers."


def _free_text(column: _Measured) -> _Proposal:
    if all(text.startswith(("[", "{")) for text in column.texts):
        return Kind.TEXT, "Lists or records inside cells cannot be read as one value; left out."
    if column.is_mostly_different and column.words > _WORDS_OF_A_SENTENCE:
        return Kind.TEXT, (
            f"Free text ({column.n_unique:,} different values of {column.words:.0f} words on average) is left out; "
            "choose category to use it all the same."
        )
    return None


def _row_name(column: _Measured) -> _Proposal:
    enough = column.n_present >= _ROWS_FOR_IDENTIFIERS or column.is_named_identifier
    if not (enough and column.is_mostly_different):
        return None
    return Kind.IDENTIFIER, (
        f"{column.n_unique:,} different texts in {column.n_present:,} rows: they name rows rather than groups, so the "
        "column is ignored; choose category to use it all the same."
    )


def _category(column: _Measured) -> _Proposal:
    return Kind.CATEGORY, f"{column.n_unique:,} different texts{_capped(column)}."


def _capped(column: _Measured) -> str:
    if column.n_unique <= MAX_CATEGORIES:
        return ""
    return f", of which the {MAX_CATEGORIES} most frequent are learned and the others are read as unseen"


_RULES = (_constant, _truth, _date, _single, _row_number, _reference, _number, _free_text, _row_name, _category)
