"""A pretraining on the page: how well it fills in each column, and the way to a training that starts from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import (
    data_access,
    measures,
    pretraining_explained,
    pretraining_worth,
    run_view,
    shell,
    train_start,
    widgets,
)
from tabnet_engine.data.schema import Kind, Role
from tabnet_engine.explain.wording import column_name, joined
from tabnet_engine.figures.pretraining import reconstruction_bars
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.data.schema import Column
    from tabnet_engine.runs.run import Run
    from tabnet_engine.training.reconstruction import Reconstruction

__all__ = ["details", "next_step", "reconstruction"]

_MOST_NAMED = 20
_READING = msg(
    "Cells were hidden at random in rows that the pretraining did not learn from, and filled in again. An error of 0 "
    "is exact; 1 is no better than always saying the column's mean (for a category: the shares of its values). A "
    "column that nothing else tells about stays near 1, which is no fault."
)


def next_step(run: Run) -> None:
    """The button that leads to a training that starts from this pretraining."""
    if st.button(
        say("Train from this pretraining"),
        type="primary",
        icon=":material/arrow_forward:",
        icon_position="right",
        key=f"train_from_{run.run_id}",
        help=say("The column to predict is chosen next; the network starts from what was learned here."),
    ):
        dataset_id = run.manifest.dataset.dataset_id
        known = dataset_id if dataset_id in data_access.dataset_names() else None
        shell.open_page("train", pretrained=run.run_id, dataset=known, mode=train_start.PREDICT)


def details(run: Run) -> None:
    """Everything about a pretraining: columns, what they rest on, curves, and what it was worth."""
    reconstruction(run)
    pretraining_explained.explained_section(run)
    run_view.curves(run)
    pretraining_worth.worth_section(run)


def reconstruction(run: Run) -> None:
    """Per-column reconstruction: the number that sums it up, the bars, the table, what was skipped and why."""
    measured = run.reconstruction
    st.subheader(say("What was learned about each column"), anchor=False, help=measures.help_text("reconstruction"))
    _numbers(measured)
    st.caption(say(_READING))
    left, right = st.columns([3, 2])
    with left:
        figure = reconstruction_bars(measured)
        widgets.chart(
            figure,
            key=f"reconstruction_{run.run_id}",
            alt=say("Reconstruction error of each column"),
            data=lambda: reconstruction_table(measured),
        )
    with right:
        table = reconstruction_table(measured)
        st.dataframe(
            _shown(table),
            hide_index=True,
            key=f"reconstruction_table_{run.run_id}",
            height=widgets.table_height(len(table), 420),
            column_config={
                say("error"): st.column_config.NumberColumn(
                    format="%.3f", help=say("Relative to predicting the mean.")
                ),
                say("standard error"): st.column_config.NumberColumn(format="%.2g"),
                say("hidden cells"): st.column_config.NumberColumn(format="localized"),
            },
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


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """The same in the reader's words."""
    if "left out because" in table:
        table = table.assign(**{"left out because": [widgets.said(why) for why in table["left out because"]]})
    names = [say("column"), say("error"), say("standard error"), say("hidden cells"), say("left out because")]
    return table.set_axis(names[: table.shape[1]], axis=1)


def _numbers(measured: Reconstruction) -> None:
    mean, rows = say("Mean error"), say("Rows")
    measured_columns = say(
        "{n_measured:,} of {n_columns:,}", n_measured=len(measured.measured), n_columns=len(measured.columns)
    )
    widgets.metrics(
        {
            mean: widgets.score("error", measured.overall),
            say("Columns measured"): measured_columns,
            rows: f"{measured.n_rows:,}",
            say("Cells hidden"): f"{100 * measured.mask_rate:.3g} %",
        },
        help_texts={
            mean: say("Of all columns: 0 is exact, 1 is no better than predicting each column's mean."),
            rows: say(
                "Rows that the pretraining did not learn from; cells hidden with seed {seed}.", seed=measured.seed
            ),
        },
    )


def _skipped(measured: Reconstruction) -> None:
    """Columns without an error by the reason, so that none is missing silently."""
    reasons: dict[str, list[str]] = {}
    for column in measured.skipped:
        reasons.setdefault(column.skipped or msg("nothing to measure"), []).append(column_name(column.name))
    for reason, names in reasons.items():
        told = say("Without an error: {columns} ({reason})", columns=_listed(names), reason=widgets.said(reason))
        widgets.info(told)


def _listed(names: list[str]) -> str:
    """The names in a sentence; beyond a number of them only how many more there are."""
    more = len(names) - _MOST_NAMED
    if more > 0:
        return joined([*names[:_MOST_NAMED], say_plural("{count} more", "{count:,} more", more)])
    return joined(names)


def _not_read(run: Run) -> None:
    """Columns of the table that took no part, each with the reason."""
    listed = [
        say("{column} ({reason})", column=column_name(column.name), reason=_why_not_read(column))
        for column in run.schema.columns
        if not column.is_feature
    ]
    if listed:
        st.caption(widgets.as_sentence(say("Not read: {columns}", columns=_listed(listed))))


_ROLES = {
    Role.TARGET: msg("target"),
    Role.IGNORED: msg("ignored"),
    Role.ROW_ID: msg("row id"),
}


def _why_not_read(column: Column) -> str:
    return say("one value only") if column.kind is Kind.CONSTANT else say(_ROLES[column.role])
