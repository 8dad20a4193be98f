"""The runs of the workspace as a table, and those that can no longer be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import widgets
from pages._ui.run_actions import delete_button
from tabnet_engine.data.schema import Task
from tabnet_engine.figures.training import metric_label, split_metric
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tabnet_engine.runs.workspace import RunSummary

__all__ = ["damaged", "overview"]

_SCORES = ("auc", "accuracy", "log_loss", "rmse", "mae", "r2")
_WITHOUT_COLUMN = frozenset({"reconstruction_error"})
TASK_NAMES = {
    Task.BINARY: msg("binary"),
    Task.MULTICLASS: msg("multiclass"),
    Task.REGRESSION: msg("regression"),
    Task.MULTITASK: msg("several targets"),
    Task.PRETRAINING: msg("pretraining"),
}


def overview(summaries: Sequence[RunSummary]) -> None:
    """One line per run, newest first, with the scores of its test rows."""
    sound = [item.manifest for item in summaries if item.manifest]
    scores = [manifest.metrics.get("test") or manifest.metrics.get("validation", {}) for manifest in sound]
    table = pd.DataFrame(
        {
            say("Run"): [manifest.title for manifest in sound],
            say("Created (UTC)"): [manifest.created[:16].replace("T", " ") for manifest in sound],
            say("Table"): [manifest.dataset.name for manifest in sound],
            say("Predicts"): [manifest.target for manifest in sound],
            say("Task"): [say(TASK_NAMES[manifest.task]) for manifest in sound],
        }
    )
    used = [name for name in _SCORES if any(name in values for values in scores)]
    for name in used:
        table[name] = [values.get(name) for values in scores]
    config = {
        name: st.column_config.NumberColumn(
            metric_label(name)[:1].upper() + metric_label(name)[1:],
            format="%.5g" if name in {"rmse", "mae"} else "%.3f",
            help=say("On the test rows"),
        )
        for name in used
    }
    others = [_other_scores(values) for values in scores]
    if any(others):
        table[say("Other scores")] = others
    height = widgets.table_height(len(table), 290)
    st.dataframe(table, hide_index=True, height=height, column_config=config, key="runs", placeholder="–")


def _other_scores(values: Mapping[str, float | None]) -> str:
    """Scores that have no column of their own: those of several targets, and of a pretraining."""
    shown = [key for key in values if split_metric(key)[1] in _WITHOUT_COLUMN or split_metric(key)[0]]
    first = [key for key in shown if split_metric(key)[1] in ("auc", "accuracy", "rmse", "reconstruction_error")]
    return " · ".join(f"{metric_label(key)} {widgets.score(key, values[key])}" for key in first)


def damaged(summaries: Sequence[RunSummary]) -> None:
    """Runs that cannot be opened: why, and a way to be rid of them."""
    for item in summaries:
        if item.problem is not None:
            with st.container(border=True):
                widgets.error(item.problem)
                delete_button(item.run_id, item.title)
