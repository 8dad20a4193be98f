"""A condition on rows: typed, or put together by controls, kept in the address, and the rows that meet it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages._ui import data_access, explain_access, guard, kept, state, widgets
from tabnet_engine.data.schema import Kind
from tabnet_engine.errors import UserError
from tabnet_engine.explain.filter_building import (
    ColumnValues,
    column_values,
    comparison,
    example_condition,
    joined_conditions,
    one_of,
    within,
)
from tabnet_engine.explain.row_filter import ORDERED, Condition, parse_filter
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabnet_engine.data.schema import Column
    from tabnet_engine.runs.run import Run

__all__ = ["Filter", "clear", "filter_box", "filter_of"]

_HELP = msg(
    "Conditions joined by “and”: a comparison such as {example}, a list such as job in (clerk, nurse), or "
    "“is missing”. A name or value with blanks or signs stands in quotes."
)
_NUMBER_WAYS = {
    "at_least": msg("is at least"),
    "at_most": msg("is at most"),
    "between": msg("is between"),
    "equal": msg("is exactly"),
}
_CHOICE_WAYS = {"in": msg("is one of"), "out": msg("is none of")}
_EVERY_WAY = {"missing": msg("is missing"), "known": msg("is not missing")}


@dataclass(frozen=True, kw_only=True, eq=False)
class Filter:
    """The rows of a run's table that meet a condition.

    ``text`` is the condition as typed, ``words`` as it was understood, the same in every language. ``positions``
    (B, ascending) are row numbers in the table, ``mask`` (rows of the table) says the same row by row. No row may
    meet it: then ``positions`` is empty.
    """

    text: str
    words: str
    positions: npt.NDArray[np.int64]
    mask: npt.NDArray[np.bool_]


def filter_box(run: Run, *, name: str = "where") -> Filter | None:
    """A line for a condition on the columns of the run's table, and controls that write it.

    A condition that cannot be read is answered by a sentence and filters nothing. How many rows meet it is said here;
    a page says what it does without any.

    Args:
        run: the run; without its table there is nothing to filter by and nothing is drawn.
        name: under which the condition is kept in the address.

    Returns:
        The rows that meet it; None without a condition.
    """
    table = explain_access.frame(run)
    if table is None:
        return None
    example = example_condition(run.schema, table)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = kept.text(
            name,
            say("Only rows where"),
            placeholder=say("all rows; such as {example}", example=example),
            help_text=say(_HELP, example=widgets.md(example)),
        )
        with st.popover(say("Add a condition"), icon=":material/filter_alt:", width="content"):
            _builder(run, name)
        if text.strip() and st.button(say("All rows"), icon=":material/filter_alt_off:", key=f"{name}_clear"):
            clear(name)
            st.rerun()
    return _told(run, text, len(table))


def filter_of(run: Run, text: str) -> Filter | None:
    """The rows that meet a condition; None for an empty one or without the table.

    Raises:
        UserError: the condition cannot be read, or a cell is not what its column's kind holds.
    """
    if not text.strip() or explain_access.frame(run) is None:
        return None
    words = str(parse_filter(text, run.schema))
    mask, positions = _rows(data_access.root().as_posix(), run.run_id, words, run)
    return Filter(text=text, words=words, positions=positions, mask=mask)


def clear(name: str = "where") -> None:
    """Take the condition out of the address; the page shows all rows when it is drawn again."""
    state.keep_asked(name, "", is_default=True)


def _told(run: Run, text: str, n_all: int) -> Filter | None:
    """The filter, after saying how many rows meet it, or why the condition is none."""
    try:
        found = filter_of(run, text)
    except UserError as error:
        widgets.error(str(error))
        st.caption(say("All rows are shown until the condition can be read."))
        return None
    if found is not None and not len(found.positions):
        widgets.info(say("No row meets the condition: {words}. Loosen it, or show all rows", words=found.words))
    elif found is not None:
        st.caption(
            say(
                "{n_rows:,} of {n_all:,} rows meet the condition: {words}.",
                n_rows=len(found.positions),
                n_all=n_all,
                words=widgets.md(found.words),
            )
        )
    return found


@st.cache_resource(show_spinner=False, max_entries=8)  # of a million rows 9 MB each
def _rows(
    root: str,  # noqa: ARG001 - with the run's id the cache's key
    run_id: str,  # noqa: ARG001 - as above
    words: str,
    _run: Run,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    table = explain_access.frame(_run)
    if table is None:
        raise UserError(f"the table of the run {_run.run_id} is not in this workspace any more")
    mask = parse_filter(words, _run.schema).mask(table)
    return mask, np.flatnonzero(mask).astype(np.int64)


@st.fragment
def _builder(run: Run, name: str) -> None:
    """Column, comparison and value; the button adds the condition to the text."""
    with guard.sentences():
        features = run.schema.feature_names
        names = [*features, *(column.name for column in run.schema.columns if column.name not in features)]
        column = run.schema.column(str(st.selectbox(say("Column"), names, key=f"{name}_column")))
        ordered = column.kind in ORDERED
        ways = {**(_NUMBER_WAYS if ordered else _CHOICE_WAYS), **_EVERY_WAY}
        way = str(
            st.selectbox(
                say("Condition"), list(ways), format_func=lambda key: say(ways[key]), key=f"{name}_way_{ordered}"
            )
        )
        values = _values(data_access.root().as_posix(), run.run_id, column.name, run)
        conditions = _conditions(column, way, values, key=f"{name}_{column.name}_{way}")
        text = state.asked(name) or ""
        off = not conditions or not _readable(run, text)
        if st.button(say("Add the condition"), type="primary", disabled=off, key=f"{name}_add"):
            state.keep_asked(name, joined_conditions(text, *conditions), is_default=False)
            st.rerun()


def _readable(run: Run, text: str) -> bool:
    """Whether a condition can be added to the text; to one with a mistake it cannot."""
    try:
        return not text.strip() or bool(parse_filter(text, run.schema))
    except UserError:
        return False


@st.cache_resource(show_spinner=False, max_entries=64)
def _values(root: str, run_id: str, column: str, _run: Run) -> ColumnValues:  # noqa: ARG001 - as above
    table = explain_access.frame(_run)
    if table is None or column not in table:
        return ColumnValues(column=column, kind=Kind.TEXT, n_missing=0)
    return column_values(table, _run.schema.column(column))


def _conditions(column: Column, way: str, values: ColumnValues, *, key: str) -> tuple[Condition, ...]:
    if way in ("missing", "known"):
        operator = "missing" if way == "missing" else "not missing"
        return (Condition(column=column.name, kind=column.kind, operator=operator),)
    if way in ("in", "out"):
        chosen = _several_values(values, key=key)
        return (one_of(column, chosen, negated=way == "out"),) if chosen else ()
    if values.low is None:
        st.caption(say("This column holds no value."))
        return ()
    if way == "between":
        low = _entry(say("From"), column, values, values.low, key=f"{key}_low")
        high = _entry(say("To"), column, values, values.high, key=f"{key}_high")
        return within(column, low, high)
    start = values.high if way == "at_most" else values.low
    entered = _entry(say("Value"), column, values, start, key=key)
    return (comparison(column, {"at_least": ">=", "at_most": "<=", "equal": "="}[way], entered),)


def _several_values(values: ColumnValues, *, key: str) -> tuple[str, ...]:
    counts = dict(values.counts)
    hidden = values.n_distinct - len(counts)
    note = say("The most frequent values are listed; any other can be typed.") if hidden > 0 else None
    chosen = st.multiselect(
        say("Values"),
        list(counts),
        format_func=lambda value: f"{value} ({counts[value]:,})" if value in counts else str(value),
        accept_new_options=hidden > 0,
        placeholder=say("Choose"),
        help=note,
        key=key,
    )
    return tuple(map(str, chosen))


def _entry(label: str, column: Column, values: ColumnValues, start: Any, *, key: str) -> object:
    """A number, or a day; the range of the column is said."""
    if column.kind is Kind.NUMBER:
        spread = say("from {low} to {high}", low=widgets.number(values.low), high=widgets.number(values.high))  # type: ignore[arg-type]
        return st.number_input(label, value=float(start), help=widgets.md(spread), key=key, format="%.10g", step=None)
    day = np.datetime64(start).item()
    first, last = np.datetime64(str(values.low)).item(), np.datetime64(str(values.high)).item()
    return st.date_input(label, value=day, min_value=first, max_value=last, key=key)
