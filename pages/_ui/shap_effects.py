"""The signed values drawn: every row's push, mean sizes, one column's shape, all rows as a map, one row as steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_widgets, kept, shap_columns, shap_picking, shell, state, widgets
from pages._ui.measures import help_text
from tabnet_engine.explain.attribution import position_of
from tabnet_engine.explain.by_output import mean_absolute
from tabnet_engine.explain.dependence import Dependence, dependence, interacting, trend
from tabnet_engine.explain.push_map import ORDERS, push_map
from tabnet_engine.explain.shap_summary import shap_summary
from tabnet_engine.explain.wording import percent
from tabnet_engine.figures import attributions
from tabnet_engine.figures.push_map import push_heat_map
from tabnet_engine.figures.waterfall import waterfall
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from pages._ui.shap_source import Source

__all__ = ["effects"]

_CHARTS = {
    "swarm": msg("All rows"),
    "bars": msg("Mean size"),
    "dependence": msg("One column"),
    "map": msg("Map"),
    "waterfall": msg("One row"),
}
_NO_COLOR = "-"
_FEWEST_SHARE = 0.05  # of what is left: a partner that explains less is not worth a colour


def effects(source: Source) -> None:
    """One of the charts, as chosen."""
    names = {key: say(text) for key, text in _CHARTS.items()}
    chart = kept.tabs("chart", say("Chart"), names)
    {"swarm": _swarm, "bars": _bars, "dependence": _dependence, "map": _map, "waterfall": _waterfall}[chart](source)


def _swarm(source: Source) -> None:
    cells = source.cells()
    summary = shap_summary(source.values, output=source.name, frame=None if cells is None else cells[0])
    texts = None if cells is None else {name: cells[1][name].tolist() for name in summary.features}
    selection = widgets.selectable(
        attributions.beeswarm(summary, unit=source.unit, texts=texts, subtitle=source.subtitle),
        key="beeswarm",
        alt=say("Signed values of {n_rows} rows, one line of points a column", n_rows=len(summary.rows)),
        data=lambda: _long(source),
    )
    column = shap_columns.column_choice(source, help_text=say("Whose pushes the range below is about."))
    pushes = source.values.for_output(source.name)[:, source.values.features.index(column)]
    within = shap_picking.range_of("push", say("Only rows whose push of the column is between"), pushes)
    shap_picking.picked_rows(source, selection, within, key="beeswarm", column=column)


def _long(source: Source) -> pd.DataFrame:
    """Every value of the output, one line a row and column."""
    values = source.values
    wide = pd.DataFrame(values.for_output(source.name), columns=list(values.features))
    return wide.assign(row=values.rows).melt(id_vars="row", var_name="column", value_name="push")


def _bars(source: Source) -> None:
    summary = shap_summary(source.values, output=source.name)
    leading = ", ".join(summary.features[:3])
    widgets.chart(
        attributions.mean_bars(summary, unit=source.unit, subtitle=source.subtitle),
        key="mean_bars",
        alt=say("Mean size of the push of each column; the leading columns are {columns}", columns=leading),
        data=lambda: pd.DataFrame(
            {
                "column": summary.features,
                "mean |push|": summary.mean_absolute,
                "standard error": np.nan if summary.standard_error is None else summary.standard_error,
            }
        ),
    )
    codec, place = explain_widgets.target_of(source.run, source.output)
    if len(codec.outputs) == 1:
        return
    moved, outputs = mean_absolute(source.values)[:, place], source.values.outputs[place]
    scheme = explain_access.colors(source.run, codec.name)
    widgets.chart(
        attributions.class_bars(
            source.values.features,
            moved,
            outputs,
            subtitle=source.subtitle,
            colors=[scheme.of_class(name) for name in codec.classes],
        ),
        key="class_bars",
        alt=say("Mean absolute value of each column, split by class"),
        data=lambda: pd.DataFrame(moved, columns=list(outputs)).assign(column=source.values.features),
    )


def _dependence(source: Source) -> None:
    cells = source.cells()
    if cells is None:
        explain_widgets.table_gone(source.run)
        return
    column = shap_columns.column_choice(source, help_text=say("In the order of how far they move the score."))
    raw, texts = cells
    if column not in raw:
        widgets.info(say("This column is a group of columns, which has no values of its own to draw"))
        return
    plain = dependence(source.values, column, frame=raw, texts=texts, output=source.name)
    other = _partner(plain, raw[[name for name in source.values.features if name in raw]])
    record = dependence(source.values, column, frame=raw, texts=texts, output=source.name, colored_by=other)
    figure = attributions.dependence(record, unit=source.unit, subtitle=source.subtitle, mean=trend(record))
    selection = widgets.selectable(
        figure,
        key="dependence",
        alt=say("Value of {column} against its push", column=column),
        data=lambda: pd.DataFrame({"row": record.rows, column: raw[column], "push": record.pushes}),
    )
    within = shap_picking.range_of("push", say("Only rows whose push of the column is between"), record.pushes)
    shap_picking.picked_rows(source, selection, within, key="dependence", column=column)


def _partner(plain: Dependence, frame: pd.DataFrame) -> str | None:
    """The column that gives the colour: the one that interacts most comes first."""
    partners = interacting(plain, frame)
    names = {_NO_COLOR: say("nothing")}
    for partner in partners:
        explains = partner.share >= _FEWEST_SHARE
        names[partner.feature] = (
            say("{column} (explains {share})", column=partner.feature, share=percent(partner.share))
            if explains
            else partner.feature
        )
    suggested = partners[0].feature if partners and partners[0].share >= _FEWEST_SHARE else _NO_COLOR
    asked = state.asked("other")
    if asked == plain.feature:
        state.keep_asked("other", "", is_default=True)
    chosen = kept.choice(
        "other",
        say("Coloured by"),
        names,
        default=suggested,
        help_text=say(
            "Equal values that push differently hint at another column. In brackets: how much of that difference goes "
            "with the other column's value; the first explains most. Where colours separate, the effect of one depends "
            "on the other."
        ),
    )
    return None if chosen == _NO_COLOR else chosen


def _map(source: Source) -> None:
    outcomes = source.outcomes()
    names = {key: say(text) for key, text in ORDERS.items() if key != "error" or outcomes is not None}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = kept.choice("order", say("Rows"), names, help_text=say("The order of the rows, from top to bottom."))
        column = shap_columns.column_choice(source) if order == "column" else None
    pushes = push_map(
        source.values,
        source.name,
        order=order,
        column=column,
        errors=None if outcomes is None else outcomes.error,
    )
    selection = widgets.selectable(
        push_heat_map(pushes, unit=source.unit, subtitle=source.subtitle),
        key="push_map",
        alt=say("Pushes of {n_rows} rows, one line a row and one field a column", n_rows=len(pushes.rows)),
        data=lambda: pd.DataFrame(pushes.values, columns=list(pushes.features)).assign(
            first_row=pushes.rows[pushes.starts], n_rows=pushes.counts, score=pushes.scores
        ),
    )
    lines = [int(point["y"]) for point in selection.get("points") or [] if isinstance(point.get("y"), int | float)]
    lines = [line for line in lines if 0 <= line < len(pushes.counts)]
    first, last = _lines(len(pushes.counts))
    if lines:
        first, last = min(lines) + 1, max(lines) + 1
    chosen = pushes.rows[pushes.starts[first - 1] : pushes.starts[last - 1] + pushes.counts[last - 1]]
    whole = not lines and (first, last) == (1, len(pushes.counts))
    within = None if whole else np.isin(source.values.rows, chosen)
    shap_picking.picked_rows(source, {}, within, key="push_map", column=column)


def _lines(n_lines: int) -> tuple[int, int]:
    with st.container(horizontal=True):
        first = kept.number("from", say("From line"), 1, n_lines, default=1)
        last = kept.number("to", say("To line"), 1, n_lines, default=n_lines)
    return min(first, last), max(first, last)


def _waterfall(source: Source) -> None:
    values = source.values
    place = _row_place(source)
    if place is None:
        return
    row, cells = int(values.rows[place]), source.cells()
    texts = None if cells is None else {name: str(cells[1][name].iloc[place]) for name in cells[1]}
    figure = waterfall(values, place, output=source.output, values=texts, unit=source.unit, subtitle=source.subtitle)
    alt = say("From the base value to the score of row {row:,}, column by column", row=row)
    widgets.chart(figure, key="waterfall", alt=alt, data=lambda: _steps(source, place))
    shell.link(
        "decision",
        say("Open the decision on row {row:,}", row=row),
        icon=":material/arrow_forward:",
        run=source.run.run_id,
        row=str(row),
    )


def _steps(source: Source, place: int) -> pd.DataFrame:
    values = source.values
    error = values.standard_error
    return pd.DataFrame(
        {
            "column": values.features,
            "push": values.values[place, :, source.output],
            "standard error": np.nan if error is None else error[place, :, source.output],
        }
    )


def _row_place(source: Source) -> int | None:
    """Which explained row: its number, chosen here, on another page or in the address."""
    rows = source.values.rows
    asked = state.current("row")
    current = int(asked) if asked and asked.isdecimal() and len(asked) < 16 else int(rows[0])
    typed = st.number_input(
        say("Row"),
        0,
        max(int(rows.max()), current),
        current,
        key=state.choice_key("shap_row", str(current)),
        help=help_text("shap"),
    )
    state.keep_chosen("shap_row", str(int(typed)))
    state.choose("row", str(int(typed)))
    place = position_of(rows, int(typed))
    if place is None:
        nearest = int(rows[np.argmin(np.abs(rows - int(typed)))])
        widgets.info(
            say(
                "Row {row:,} is not among the {n_rows:,} rows that were explained; the nearest is {nearest:,}. The "
                "page Decision explains any row at once",
                row=int(typed),
                n_rows=len(rows),
                nearest=nearest,
            )
        )
        shell.link(
            "decision",
            say("Open the decision on row {row:,}", row=int(typed)),
            icon=":material/arrow_forward:",
            run=source.run.run_id,
            row=str(int(typed)),
        )
    return place
