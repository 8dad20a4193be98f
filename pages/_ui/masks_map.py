"""The map of rows by columns of every step: in an order, of a stretch, and the rows behind a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import (
    explain_access,
    explain_widgets,
    guard,
    kept,
    masks_access,
    masks_list,
    measures,
    state,
    widgets,
)
from tabnet_engine.explain.mask_orders import ORDERS, MapOrder
from tabnet_engine.figures.mask_maps import mask_maps
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from pages._ui.masks_rows import ShownRows
    from tabnet_engine.explain.mask_orders import OrderedRows
    from tabnet_engine.explain.mask_rows import MaskMap

__all__ = ["chosen_lines", "section"]

_NEED_OUTCOMES = ("outcome", "error")
_MOST_PANELS = 5  # steps that are drawn without being asked for
_EVERY, _AGGREGATE = "every", "all"
_SHAPES = {"stacked": msg("steps one below the other"), "sideways": msg("steps side by side")}


def section(shown: ShownRows, output: int) -> None:
    """The map with its controls, and the rows that were chosen on it."""
    st.subheader(say("Row by row"), anchor=False, help=measures.help_text("mask"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order, column = _order(shown, output)
        sideways = kept.choice("shape", say("Layout"), {key: say(text) for key, text in _SHAPES.items()}) == "sideways"
        steps, aggregate = _steps(shown)
    rows = masks_access.ordered(shown, order, output=output, column=column)
    _map(shown, rows, output, steps=steps, aggregate=aggregate, sideways=sideways)


def _order(shown: ShownRows, output: int) -> tuple[MapOrder, str]:
    """The order chosen, and the column for the order by a column."""
    has_table = explain_access.frame(shown.run) is not None
    knows = shown.outcomes(output) is not None
    orders = {
        key: say(text)
        for key, text in ORDERS.items()
        if (knows or key not in _NEED_OUTCOMES) and (has_table or key != "column")
    }
    order: Any = kept.choice("order", say("Order of the rows"), orders)
    if order != "column":
        return order, ""
    features = shown.run.schema.feature_names
    names = [*features, *(column.name for column in shown.run.schema.columns if column.name not in features)]
    return order, kept.choice("column", say("Column"), {name: name for name in names})


def _steps(shown: ShownRows) -> tuple[list[int], bool]:
    """Which steps are drawn, and whether all of them together are."""
    n_steps = shown.explanation.n_steps
    if n_steps <= 1:
        return [0], False
    each = {str(step + 1): say("Step {step}", step=step + 1) for step in range(n_steps)}
    names = {_EVERY: say("every step, and all together"), _AGGREGATE: say("all steps together"), **each}
    usual = _EVERY if n_steps <= _MOST_PANELS else _AGGREGATE
    chosen = kept.choice("step", say("Steps"), names, default=usual, help_text=measures.help_text("aggregate_mask"))
    if chosen == _EVERY:
        return list(range(n_steps)), True
    return ([], True) if chosen == _AGGREGATE else ([int(chosen) - 1], False)


@st.fragment
def _map(
    shown: ShownRows, rows: OrderedRows, output: int, *, steps: list[int], aggregate: bool, sideways: bool
) -> None:
    with guard.sentences():
        n_rows = len(rows.positions)
        stretch = _stretch(n_rows)
        record = masks_access.line_map(shown, rows, output=output, stretch=stretch)
        st.caption(widgets.md(record.told(explain_widgets.score(shown.run, output).name)))
        figure = mask_maps(
            record,
            unit=explain_widgets.unit(shown.run, output),
            steps=steps,
            aggregate=aggregate,
            key_name=_key_name(rows),
            sideways=sideways,
        )
        selection = widgets.selectable(
            figure,
            key=f"mask_map_{shown.run.run_id}_{rows.order}_{stretch}_{sideways}",
            alt=say("Masks of {n_rows:,} rows, every step on one colour scale", n_rows=int(record.counts.sum())),
            data=record.table,
        )
        if record.group_note:
            st.caption(widgets.md(record.group_note))
        _chosen(shown, rows, record, selection, output)


def _key_name(rows: OrderedRows) -> str:
    if rows.order == "error":
        return say("error")
    return say("actual value") if rows.order == "outcome" else rows.by


def _stretch(n_rows: int) -> tuple[int, int] | None:
    """First and last place (from 0) to show, None for all: from and to, the ways out and on.

    This does by keyboard what choosing lines on the chart does.
    """
    if n_rows < 2:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help_text = say("Places in the order of the rows, counted from 1. A short stretch shows each row by itself.")
        first = kept.number("from", say("From place"), 1, n_rows, default=1, help_text=help_text) - 1
        last = kept.number("to", say("To place"), 1, n_rows, default=n_rows) - 1
        if (first, last) != (0, n_rows - 1):
            width = max(last - first + 1, 1)
            _button(say("All rows"), "zoom_out_map", 0, n_rows - 1, n_rows, key="stretch_all")
            if first > 0:
                _button(say("Before"), "chevron_left", first - width, first - 1, n_rows, key="stretch_before")
            if last < n_rows - 1:
                _button(say("After"), "chevron_right", last + 1, last + width, n_rows, key="stretch_after")
    if last < first:
        st.caption(say("The stretch must end at or after the place where it begins; all rows are shown."))
        return None
    return None if (first, last) == (0, n_rows - 1) else (first, last)


def _button(label: str, icon: str, first: int, last: int, n_rows: int, *, key: str, primary: bool = False) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=key,
        type="primary" if primary else "secondary",
        on_click=_go,
        args=(max(first, 0), min(last, n_rows - 1), n_rows),
    )


def _go(first: int, last: int, n_rows: int) -> None:
    """Show another stretch of the rows; places count from 0."""
    state.keep_asked("from", str(first + 1), is_default=first == 0)
    state.keep_asked("to", str(last + 1), is_default=last == n_rows - 1)


def _chosen(shown: ShownRows, rows: OrderedRows, record: MaskMap, selection: Any, output: int) -> None:
    """The rows of the lines that were chosen on the chart, or of a small stretch; else how to choose some."""
    lines = chosen_lines(record, selection)
    stretch = record.stretch_of(lines)
    n_rows = len(rows.positions)
    if stretch is None:
        if record.is_exact:
            masks_list.rows_below(shown, rows.positions[record.first[0] : record.last[-1] + 1], output, key="map_rows")
            return
        st.caption(
            say(
                "Drag across the chart, or click a point of the score, to choose lines; or set from and to above. "
                "The rows behind them are listed here, and can be enlarged until each line is one row."
            )
        )
        return
    first, last = stretch
    text = say("Enlarge the rows {first:,} to {last:,}", first=first + 1, last=last + 1)
    shown_now = (int(record.first[0]), int(record.last[-1]))
    if stretch != shown_now and not record.is_exact:
        _button(text, "zoom_in", first, last, n_rows, key="stretch_in", primary=True)
    masks_list.rows_below(shown, rows.positions[first : last + 1], output, key="map_rows")


def chosen_lines(record: MaskMap, selection: Any) -> list[int]:
    """Numbers of the lines that a selection on the chart covers: by its points, or by the boxes drawn."""
    places = {name: line for line, name in enumerate(record.labels)}
    lines = [int(point["point_index"]) for point in selection.points if "point_index" in point]
    for box in getattr(selection, "box", None) or []:
        ends = [places[str(end)] for axis in ("x", "y") for end in box.get(axis, []) if str(end) in places]
        lines += [min(ends), max(ends)] if ends else []
    return lines
