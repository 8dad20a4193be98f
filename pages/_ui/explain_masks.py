"""The parts of the masks page: averages by step, the map of rows, the rows behind a selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_widgets, widgets
from tabnet_engine.explain.mask_health import mask_health
from tabnet_engine.explain.mask_rows import ORDERS, OrderedMap, ordered_map
from tabnet_engine.explain.mask_summaries import MaskSummary, summarise_masks
from tabnet_engine.explain.reading import summary_sentences
from tabnet_engine.explain.row_outcomes import SPLIT_NAMES, RowOutcomes, frequent_texts, rows_where, value_range
from tabnet_engine.figures.masks import mask_maps, reading_counts, step_feature_map, step_shares

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabnet_engine.explain.masks import MaskExplanation
    from tabnet_engine.runs.run import Run

__all__ = ["Filtered", "averages", "extent", "filters", "mean_table", "row_map"]

_MOST_CHOICES = 200  # values of a column that a choice list can hold
_ALL = "all rows"


@dataclass(frozen=True)
class Filtered:
    """The rows that pass the filter, and what the filter was, in words.

    ``positions`` are their places among the rows that have masks; None without the run's table.
    """

    masks: MaskExplanation
    positions: npt.NDArray[np.int64] | None
    words: str

    def outcomes(self, run: Run, output: int) -> RowOutcomes | None:
        """Prediction and outcome of these rows, of the target that ``output`` belongs to."""
        if self.positions is None:
            return None
        whole = explain_access.outcomes(run, explain_widgets.target_of(run, output)[0].name)
        return None if whole is None else whole.take(self.positions)


def filters(run: Run, explanation: MaskExplanation) -> Filtered:
    """Let the user narrow the rows by part of the table and by the value of one column."""
    outcomes, table = explain_access.outcomes(run), explain_access.frame(run)
    if outcomes is None or table is None:
        explain_widgets.table_gone(run)
        return Filtered(explanation, None, _ALL)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        passing, words = _part_filter(outcomes)
        more, column_words = _column_filter(run, table, explanation)
    passing &= more
    text = " and ".join(part for part in (words, column_words) if part) or _ALL
    positions = np.flatnonzero(passing)
    return Filtered(explanation if passing.all() else explanation.take(positions), positions, text)


def _part_filter(outcomes: RowOutcomes) -> tuple[npt.NDArray[np.bool_], str]:
    present = [name for number, name in enumerate(SPLIT_NAMES) if (outcomes.split == number).any()]
    part = st.selectbox(
        "Rows",
        [_ALL, *present],
        key="mask_part",
        help="The part of the table that the rows belong to.",
        bind="query-params",
    )
    if part == _ALL:
        return np.ones(len(outcomes.rows), dtype=bool), ""
    return outcomes.split == SPLIT_NAMES.index(part), f"{part} rows"


def _column_filter(run: Run, table: pd.DataFrame, explanation: MaskExplanation) -> tuple[npt.NDArray[np.bool_], str]:
    names = [*run.schema.feature_names, *run.targets.names]
    name = st.selectbox("Only where", names, index=None, placeholder="any column", key="mask_column")
    everything = np.ones(explanation.n_rows, dtype=bool)
    if name is None:
        return everything, ""
    cells = table[name].iloc[explanation.rows]
    bounds = value_range(cells)
    if bounds is not None:
        low, high = st.slider("between", *bounds, bounds, key=f"mask_range_{run.run_id}_{name}")
        if (low, high) == bounds:
            return everything, ""
        return rows_where(cells, between=(low, high)), f"{name} from {widgets.number(low)} to {widgets.number(high)}"
    values = list(frequent_texts(cells, limit=_MOST_CHOICES))
    chosen = st.multiselect("is", values, key=f"mask_values_{run.run_id}_{name}", placeholder="any value")
    if not chosen:
        return everything, ""
    return rows_where(cells, texts=tuple(chosen)), f"{name} is {' or '.join(chosen)}"


def extent(explanation: MaskExplanation, filtered: Filtered) -> str:
    """How many rows are shown, of which, in one sentence."""
    stored = f"masks are stored for {explanation.selection or f'{explanation.n_rows:,} rows'}"
    if filtered.words == _ALL:
        return f"All of them are shown: {stored}."
    return f"{filtered.masks.n_rows:,} rows are shown, {filtered.words}; {stored}."


def averages(run: Run, filtered: Filtered) -> None:
    """What each step reads on average, how much it weighs, how sharply it selects, and what to think of it."""
    summary = summarise_masks(filtered.masks)
    left, right = st.columns([3, 2])
    with left:
        alt = "Mean mask of each step: columns by steps"
        widgets.chart(step_feature_map(summary), key="step_feature_map", alt=alt)
    with right:
        widgets.chart(step_shares(summary), key="step_shares", alt="Share of each step in the decision")
        widgets.chart(reading_counts(summary), key="reading_counts", alt="Columns read by each step in a row")
    explain_widgets.bullets(summary_sentences(summary))
    for sentence in mask_health(summary, explain_access.distinct_shares(run)):
        widgets.info(sentence)
    table = mean_table(summary)
    explain_widgets.csv_button("Download the averages", table, name="mean-masks", key="mean_masks_csv")


def mean_table(summary: MaskSummary) -> pd.DataFrame:
    steps = {f"step {step + 1}": summary.mean_masks[step] for step in range(summary.n_steps)}
    return pd.DataFrame({"column": summary.features, **steps, "all steps": summary.mean_aggregate})


def row_map(run: Run, filtered: Filtered, output: int) -> None:
    """The map of rows by columns of every step; selected rows are listed below and lead to a decision."""
    outcomes = filtered.outcomes(run, output)
    orders = {key: name for key, name in ORDERS.items() if outcomes is not None or key not in ("outcome", "error")}
    order = st.selectbox(
        "Order of the rows", list(orders), format_func=orders.__getitem__, key="mask_order", bind="query-params"
    )
    if not filtered.masks.n_rows:
        widgets.info(f"No row passes the filter ({filtered.words}); widen it above")
        return
    ordered = ordered_map(filtered.masks, outcomes, order, output=output)
    st.caption(widgets.md(ordered.map.note))
    event = st.plotly_chart(
        widgets.in_page_colors(mask_maps(ordered.map, unit=explain_widgets.unit(run, output))),
        key=f"mask_map_{run.run_id}",
        on_select="rerun",
        selection_mode=("box", "points"),
        config={"displaylogo": False},
        alt=f"Masks of {ordered.map.n_rows} rows, every step on one colour scale",
    )
    _selected(run, outcomes, ordered, event)


def _selected(run: Run, outcomes: RowOutcomes | None, ordered: OrderedMap, event: Any) -> None:
    """The rows behind the selected points of the score, or how to select some."""
    lines = [int(point["x"]) for point in event.selection.points]
    rows = ordered.rows_of(lines)
    if not len(rows):
        st.caption("Drag across the points of the score, or click one, to list the rows behind them.")
        return
    st.subheader(f"{len(rows):,} selected rows", anchor=False)
    if outcomes is None:
        table = pd.DataFrame({"row": rows})
    else:
        place = {int(row): position for position, row in enumerate(outcomes.rows)}
        table = outcomes.table([place[int(row)] for row in rows])
    explain_widgets.row_table(table, run.run_id, key="selected_rows")
    explain_widgets.csv_button("Download these rows", table, name="selected-rows", key="selected_rows_csv")
