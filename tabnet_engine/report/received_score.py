"""A score about the person that someone else made: what a row holds of it, and what nobody stated of it.

Nothing here comes from the model: key factors are those that the score's provider told, as they stand in the table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.data.schema import FeatureSchema, Role
from tabnet_engine.errors import ReportError
from tabnet_engine.explain.reasons.records import CellReceived
from tabnet_engine.explain.wording import listed
from tabnet_engine.report.dates import date_words
from tabnet_engine.texts.speaking import say

__all__ = [
    "MOST_FACTORS",
    "ReceivedScore",
    "check_consumer_score",
    "consumer_score_unmet",
    "day_words",
    "outside_sentence",
    "plain_number",
    "received_score",
    "score_columns",
    "unstated_of_score",
]

MOST_FACTORS = 4
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{8})(?![0-9])")


@dataclass(frozen=True, kw_only=True)
class ReceivedScore:
    """What one row holds of a score that someone else made; texts as they were received, empty where missing.

    ``value`` is the score, ``day`` the day on which it was made, ``factors`` its first four key factors that are not
    empty, and beside them the one of inquiries; ``n_more`` is how many others the row has. ``is_outside`` tells that
    the score is no number of the range that was stated.
    """

    value: str
    day: str
    factors: tuple[str, ...]
    n_more: int
    is_outside: bool


def score_columns(stated: ConsumerScore) -> tuple[str, ...]:
    """Every column that a statement names: the score, its date, its key factors."""
    if stated.use != "column":
        return ()
    return tuple(name for name in _named(stated) if name)


def _named(stated: ConsumerScore) -> tuple[str, ...]:
    return (stated.column, stated.date_column, *stated.factor_columns, stated.inquiry_column)


def check_consumer_score(stated: ConsumerScore, schema: FeatureSchema, columns: Sequence[str] = ()) -> None:
    """Refuse a statement about columns that are not there.

    Args:
        stated: what is stated.
        schema: the columns of the run's table.
        columns: those of the table that is reported on, where it is another one.

    Raises:
        ReportError: a column that the table does not have, that is predicted, that is named twice, or a score that the
            model does not read.
    """
    known = {column.name: column for column in schema.columns}
    for name in score_columns(stated):
        if name not in known and name not in columns:
            raise ReportError(
                f"a score bought from others is stated with the column {name!r}, which the table does not have; state "
                "a column of the table under “About the model”, or in the file of the score"
            )
        if name in known and known[name].role is Role.TARGET:
            raise ReportError(
                f"a score bought from others is stated with the column {name!r}, which the model predicts; state "
                "another column"
            )
    named = score_columns(stated)
    for name in named:
        if named.count(name) > 1:
            raise ReportError(
                f"the column {name!r} is stated twice of a score bought from others; the score, its date and each key "
                "factor are columns of their own"
            )
    if stated.use == "column" and stated.column not in schema.feature_names:
        raise ReportError(
            f"the model does not read the column {stated.column!r}, so no score in it had a part in its decisions; "
            "state a column that the model reads, or that it reads no such score"
        )


def received_score(stated: ConsumerScore, cells: Sequence[CellReceived]) -> ReceivedScore | None:
    """What a row holds of the score that is stated; None where none is stated to be used."""
    if stated.use != "column":
        return None
    own = {cell.column: "" if cell.state == "missing" else cell.received.strip() for cell in cells}
    value = own.get(stated.column, "")
    factors, inquiries = (
        tuple(text for text in (own.get(name, "") for name in names) if text)
        for names in (stated.factor_columns, (stated.inquiry_column,))
    )
    return ReceivedScore(
        value=value,
        day=_day(own.get(stated.date_column, "")),
        factors=factors[:MOST_FACTORS] + inquiries,
        n_more=max(len(factors) - MOST_FACTORS, 0),
        is_outside=bool(value) and _is_outside(value, stated),
    )


def consumer_score_unmet(stated: ConsumerScore, cells: Sequence[CellReceived], row: int) -> tuple[str, ...]:
    """One sentence for each thing that must be known of such a score and is not; none where the row has no score.

    Args:
        stated: what is stated.
        cells: of the row.
        row: its number in the table.
    """
    if not stated.use:
        return (
            say(
                "Not stated: whether the model reads a score about the person that was bought from someone else. "
                "State it under “About the model” before the report is used."
            ),
        )
    received = received_score(stated, cells)
    return () if received is None or not received.value else tuple(_lacking(stated, received, row))


def unstated_of_score(stated: ConsumerScore) -> list[str]:
    """What nobody stated of a score that is used, each in words; empty where none is used."""
    if stated.use != "column":
        return []
    return [
        *([] if stated.provider.strip() else [say("its provider")]),
        *([say("its range")] if stated.lowest is None or stated.highest is None else []),
        *([] if stated.date_column else [say("the column with its date")]),
        *([] if stated.factor_columns else [say("the columns with its key factors")]),
    ]


def outside_sentence(stated: ConsumerScore, received: ReceivedScore) -> str:
    """That a score lies outside the range that was stated for it."""
    bounds = (stated.lowest, stated.highest)
    low, high = ("…" if bound is None else plain_number(bound) for bound in bounds)
    return say(
        "The score of this row, {value}, lies outside the range that is stated for it, {low} to {high}: the statement "
        "or the score is wrong, or it is a code and no score.",
        value=received.value,
        low=low,
        high=high,
    )


def plain_number(value: float) -> str:
    """A bound of a range as it was stated.

    >>> plain_number(300.0), plain_number(0.5), plain_number(-1200.0)
    ('300', '0.5', '−1,200')
    """
    return f"{value:,.12g}".replace("-", "−")


def day_words(day: str) -> str:
    """The day on which a score was made as the reader writes dates; as received where it is no ISO date."""
    try:
        return date_words(day)
    except ValueError:
        return day


def _lacking(stated: ConsumerScore, received: ReceivedScore, row: int) -> Iterator[str]:
    name = stated.name.strip() or stated.column
    missing = unstated_of_score(stated)
    if missing:
        yield say(
            "Not stated of the score “{name}”, which was bought from someone else: {what}. State it under “About the "
            "model” before the report is used.",
            name=name,
            what=listed(missing),
        )
    if stated.date_column and not received.day:
        yield say(
            "Row {row:,} has no date of the score “{name}”: its column “{column}” is empty there.",
            row=row,
            name=name,
            column=stated.date_column,
        )


def _day(text: str) -> str:
    """Only the day of a moment: turned to another zone it might be the next one."""
    match = _DAY.match(text)
    return match[1] if match else text


def _is_outside(value: str, stated: ConsumerScore) -> bool:
    try:
        number = float(value)
    except ValueError:
        number = math.nan  # a text lies in no range of numbers
    is_low = stated.lowest is not None and not number >= stated.lowest
    return is_low or (stated.highest is not None and not number <= stated.highest)
