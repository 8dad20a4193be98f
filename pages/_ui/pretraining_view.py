"""A pretraining on the page: how well it fills in each column, and the way to a training that starts from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import data_access, explain_widgets, pretraining_worth, run_view, shell, train_start, widgets
from tabnet_engine.data.schema import Kind
from tabnet_engine.explain.wording import column_name, joined
from tabnet_engine.figures.pretraining import reconstruction_bars

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run
    from tabnet_engine.training.reconstruction import Reconstruction

__all__ = ["details", "next_step", "reconstruction"]

_MOST_NAMED = 20
_READING = (
    "Cells were hidden at random in rows that the pretraining did not learn from, and filled in again. An error of 0 "
    "is exact; 1 is no better than always saying the column's mean (for a category: the shares of its values). A "
    "column that nothing else tells about stays near 1, which is no fault."
)


def next_step(run: Run) -> None:
    """The button that leads to a training that starts from this pretraining."""
    label = "Train from this pretraining"
    if st.button(
        label,
        type="primary",
        icon=":material/arrow_forward:",
        icon_position="right",
        key=f"train_from_{run.run_id}",
        help="The column to predict is chosen next; the network starts from what was learned here.",
    ):
        dataset_id = run.manifest.dataset.dataset_id
        known = dataset_id if dataset_id in data_access.dataset_names() else None
        shell.open_page("train", pretrained=run.run_id, dataset=known, mode=train_start.PREDICT)


def details(run: Run) -> None:
    """Everything about a pretraining: columns, curves, and what it was worth."""
    reconstruction(run)
    run_view.curves(run)
    pretraining_worth.worth_section(run)


def reconstruction(run: Run) -> None:
    """Per-column reconstruction: the number that sums it up, the bars, the table, what was skipped and why."""
    measured = run.reconstruction
    st.subheader("What was learned about each column", anchor=False)
    _numbers(measured)
    st.caption(_READING)
    left, right = st.columns([3, 2])
    with left:
        figure = reconstruction_bars(measured)
        widgets.chart(figure, key=f"reconstruction_{run.run_id}", alt="Reconstruction error of each column")
    with right:
        table = reconstruction_table(measured)
        st.dataframe(
            table,
            hide_index=True,
            key=f"reconstruction_table_{run.run_id}",
            height=min(38 + 35 * len(table), 420),
            column_config={
                "error": st.column_config.NumberColumn(format="%.3f", help="Relative to predicting the mean."),
                "standard error": st.column_config.NumberColumn(format="%.2g"),
                "hidden cells": st.column_config.NumberColumn(format="localized"),
            },
        )
        explain_widgets.csv_button(
            "Download the errors", table, name="reconstruction", key=f"reconstruction_csv_{run.run_id}"
        )
    _skipped(measured)
    _not_read(run)


def reconstruction_table(measured: Reconstruction) -> pd.DataFrame:
    """One line a column in the table's order."""
    columns = measured.columns
    table = pd.DataFrame(
        {
            "column": [column.name for column in columns],
            "error": [column.error for column in columns],
            "standard error": [column.standard_error for column in columns],
            "hidden cells": [column.n_masked for column in columns],
        }
    )
    if measured.skipped:
        table["left out because"] = [column.skipped for column in columns]
    return table


def _numbers(measured: Reconstruction) -> None:
    widgets.metrics(
        {
            "Mean error": widgets.score("error", measured.overall),
            "Columns measured": f"{len(measured.measured):,} of {len(measured.columns):,}",
            "Rows": f"{measured.n_rows:,}",
            "Cells hidden": f"{100 * measured.mask_rate:.3g} %",
        },
        help_texts={
            "Mean error": "Of all columns: 0 is exact, 1 is no better than predicting each column's mean.",
            "Rows": f"Rows that the pretraining did not learn from; cells hidden with seed {measured.seed}.",
        },
    )


def _skipped(measured: Reconstruction) -> None:
    """Columns without an error by the reason, so that none is missing silently."""
    reasons: dict[str, list[str]] = {}
    for column in measured.skipped:
        reasons.setdefault(column.skipped or "nothing to measure", []).append(column_name(column.name))
    for reason, names in reasons.items():
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        listed = ", ".join(names[:_MOST_NAMED]) + more if more else joined(names)
        widgets.info(f"Without an error: {listed} ({reason})")


def _not_read(run: Run) -> None:
    """Columns of the table that took no part, each with the reason."""
    reasons = {
        column.name: "one value only" if column.kind is Kind.CONSTANT else f"{column.role.replace('_', ' ')}"
        for column in run.schema.columns
        if not column.is_feature
    }
    listed = [f"{column_name(name)} ({why})" for name, why in reasons.items()]
    if listed:
        more = f" and {len(listed) - _MOST_NAMED:,} more" if len(listed) > _MOST_NAMED else ""
        st.caption(widgets.as_sentence(f"Not read: {', '.join(listed[:_MOST_NAMED])}{more}"))
