"""A score that someone else made, as it is stated and as a row holds it, for tests of reports and letters."""

from __future__ import annotations

from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.explain.reasons.records import CellReceived

STATED = ConsumerScore(
    use="column",
    column="bureau, score",
    name="Risk Score 8",
    provider="Bureau {{date}} <b>\n1 Score Road\n0800 1",
    lowest=300,
    highest=850,
    date_column="bureau day",
    factor_columns=("factor 1", "factor 2", "factor 3", "factor 4", "factor 5", "factor 6"),
)
FACTORS = ("Too many accounts {0}", "", "  ", "Short history", "Late payments", "High use of limits")


def score_cells(value: str = "540", day: str = "2026-02-03", factors: tuple[str, ...] = FACTORS) -> tuple:
    """The cells of a row: the score is read by the model, the rest only lies beside it."""
    texts = dict(zip(STATED.factor_columns, factors, strict=False))
    beside = {STATED.date_column: day, **texts}
    return (
        _cell(STATED.column, value, is_read=True),
        *(_cell(column, text, is_read=False) for column, text in beside.items()),
    )


def _cell(column: str, text: str, *, is_read: bool) -> CellReceived:
    return CellReceived(
        column=column,
        kind="number" if is_read else "text",
        received=text,
        shown=text or "missing",
        state="known" if text else "missing",
        encoded="standardised 1" if is_read and text else "",
        is_read=is_read,
    )
