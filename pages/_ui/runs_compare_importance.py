"""Importances of the compared runs side by side, by one method at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_access, kept, measures, runs_compare_access, widgets
from tabnet_engine.explain.agreement import rank_agreement
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.figures.comparison import importance_dots
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.importance import GlobalImportance
    from tabnet_engine.runs.run import Run

__all__ = ["importances"]

_HELP = {"masks": "aggregate_mask", "shap": "mean_abs_shap"}


def importances(runs: Sequence[Run]) -> None:
    """The shares of the columns by the chosen method, run by run."""
    explained = [run for run in runs if not run.is_pretraining and explain_access.importances(run)]
    for run in runs:
        if run not in explained:
            widgets.info(say("{title} has no importances: it is not explained yet", title=run.manifest.title))
    found = {run.run_id: explain_access.importances(run) for run in explained}
    methods = [name for name in METHOD_NAMES if sum(name in own for own in found.values()) > 1]
    if not methods:
        widgets.info(say("No method measured importances in two of these runs; explain them by the same methods"))
        return
    method = kept.choice("method", say("Method"), {name: say(METHOD_NAMES[name]) for name in methods})
    having = [run for run in explained if method in found[run.run_id]]
    names = runs_compare_access.run_labels(having)
    shown = {name: found[run.run_id][method] for name, run in zip(names, having, strict=True)}
    help_text = (
        measures.help_text(_HELP.get(method, method)) if _HELP.get(method, method) in measures.MEASURES else None
    )
    st.subheader(say("Importances"), anchor=False, help=help_text)
    table = _table(shown)
    widgets.chart(
        importance_dots(shown),
        key=f"compared_importance_{method}",
        alt=say("Share of importance of each column in each run"),
        data=lambda: table,
    )
    _agreement(shown)
    st.dataframe(
        table,
        hide_index=True,
        key="compared_importances",
        height=widgets.table_height(len(table), 420),
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in table.columns[1:]},
    )
    for name, importance in shown.items():
        st.caption(widgets.md(say("{run}: {note}", run=name, note=widgets.said(importance.note))))


def _agreement(shown: dict[str, GlobalImportance]) -> None:
    """How alike the orders of the first run and each other are, where they are about the same columns."""
    items = list(shown.items())
    for name, importance in items[1:]:
        if importance.features != items[0][1].features:
            st.caption(say("{run} reads other columns, so its order is not correlated.", run=widgets.md(name)))
            continue
        agreement = rank_agreement(items[0][1], importance)
        if agreement.spearman is not None:
            st.caption(
                say(
                    "Order of the columns in {first} and {second}: Spearman {spearman}; {n_shared} of the {top_k} "
                    "leading columns are the same.",
                    first=widgets.md(items[0][0]),
                    second=widgets.md(name),
                    spearman=f"{agreement.spearman:.2f}",
                    n_shared=agreement.n_shared,
                    top_k=agreement.top_k,
                )
            )


def _table(shown: dict[str, GlobalImportance]) -> pd.DataFrame:
    """Share of each column in each run, the largest first; empty where a run does not read it."""
    columns = {
        name: pd.Series(importance.shares, index=list(importance.features)) for name, importance in shown.items()
    }
    table = pd.DataFrame(columns)
    order = np.argsort(-table.max(axis=1).to_numpy(), kind="stable")
    return table.iloc[order].rename_axis(say("Column")).reset_index()
