"""What a counterfactual may change: columns that stay, move one way, keep bounds or move together; in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import kept, shell, state, widgets
from pages._ui.labels import label
from tabnet_engine.data.schema import CATEGORICAL, Column, Kind
from tabnet_engine.explain.counterfactual.constraints import (
    Bond,
    Constraint,
    Constraints,
    Direction,
    Together,
    typed_bound,
)
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.training_values import TrainingValues

__all__ = ["directions", "limits", "report_link"]

_OF_REPORTS = ("fixed", "up", "down", "changes")  # as the pages of reports keep them too
_BONDS = {
    Bond.ALL_OR_NONE: msg("all of them change, or none"),
    Bond.SAME_DIRECTION: msg("they move the same way"),
    Bond.SAME_AMOUNT: msg("they move by the same amount"),
}


def limits(columns: Sequence[TrainingValues]) -> Constraints:
    """Draw the controls of all limits and return them.

    Args:
        columns: those that the model reads, those that matter most first.

    Raises:
        ExplanationError: a bound that is no number and no date.
    """
    names = [item.column.name for item in columns]
    left, right = st.columns(2, gap="medium")
    with left:
        fixed = kept.several(
            "fixed", say("Stay as they are"), names, help_text=say("No proposal changes these columns.")
        )
        free = [item for item in columns if item.column.name not in fixed]
        up, down = directions([item.column for item in free])
    with right:
        emptied = kept.several(
            "emptied",
            say("May be left empty"),
            [item.column.name for item in free],
            help_text=say("A proposal may ask for a missing cell; otherwise it never does."),
        )
        together = _together([item.column.name for item in free])
        limited = kept.several(
            "limited",
            say("Keep bounds of yours"),
            [item.column.name for item in free],
            help_text=say("Without bounds a proposal stays within what the training rows hold."),
        )
    bounds = {item.column.name: _bounds(item) for item in free if item.column.name in limited}
    made = [Constraint(column=name, fixed=True) for name in fixed]
    for item in free:
        name = item.column.name
        low, high, categories = bounds.get(name, (None, None, ()))
        direction = Direction.UP if name in up else Direction.DOWN if name in down else Direction.ANY
        made.append(
            Constraint(
                column=name,
                direction=direction,
                low=low,
                high=high,
                categories=categories,
                missing_allowed=name in emptied,
            )
        )
    return Constraints(columns=tuple(made), together=together)


def directions(free: Sequence[Column]) -> tuple[list[str], list[str]]:
    """Draw the controls of the columns that move one way only, and return those that go up and those that go down.

    Args:
        free: the columns that may change; those with categories have no up and down.
    """
    names = [column.name for column in free if column.kind is not Kind.CATEGORY]
    up = kept.several(
        "up", say("May only go up"), names, help_text=say("To a larger number, a later date, or from False to True.")
    )
    down = kept.several(
        "down",
        say("May only go down"),
        [name for name in names if name not in up],
        help_text=say("To a smaller number, an earlier date, or from True to False."),
    )
    return up, down


def report_link(run_id: str, row: int) -> None:
    """A link to a report on a row that carries the limits which the address holds and a report knows."""
    asked = {name: state.asked(name) for name in _OF_REPORTS}
    ids = {"run": run_id, "row": str(row), **asked}
    shell.link("report", say("Report on this row"), icon=":material/description:", **ids)


def _together(names: list[str]) -> tuple[Together, ...]:
    chosen = kept.several(
        "together", say("Move together"), names, help_text=say("At least two columns that are bound to each other.")
    )
    if not chosen:
        return ()
    bond = kept.choice("bond", say("How they move together"), {str(key): say(text) for key, text in _BONDS.items()})
    if len(chosen) < 2:
        widgets.info(say("Choose at least two columns that move together."))
        return ()
    return (Together(columns=tuple(chosen), bond=Bond(bond)),)


def _bounds(item: TrainingValues) -> tuple[float | str | None, float | str | None, tuple[str, ...]]:
    """Lowest and highest value allowed of a number or date, or the categories allowed."""
    name = item.column.name
    shown = label(name)
    if item.column.kind in CATEGORICAL:
        texts = [text for text, _ in item.choices]
        return None, None, tuple(kept.several(f"only_{name}", say("{column} may become", column=shown), texts))
    low, high = (item.text(number) if number is not None else "" for number in (item.low, item.high))
    with st.container(horizontal=True):
        least = kept.text(f"from_{name}", say("{column} at least", column=shown), placeholder=low)
        most = kept.text(f"to_{name}", say("{column} at most", column=shown), placeholder=high)
    return typed_bound(item.column, least), typed_bound(item.column, most), ()
