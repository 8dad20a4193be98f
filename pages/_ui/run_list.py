"""The runs of the workspace as a table, and those that can no longer be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import widgets
from pages._ui.run_actions import delete_button
from tabnet_engine.figures.training import METRIC_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.runs.workspace import RunSummary

__all__ = ["damaged", "overview"]

_SCORES = ("auc", "accuracy", "log_loss", "rmse", "mae", "r2")


def overview(summaries: Sequence[RunSummary]) -> None:
    """One line per run, newest first, with the scores of its test rows."""
    sound = [item.manifest for item in summaries if item.manifest]
    scores = [manifest.metrics.get("test") or manifest.metrics.get("validation", {}) for manifest in sound]
    table = pd.DataFrame(
        {
            "Run": [manifest.title for manifest in sound],
            "Created (UTC)": [manifest.created[:16].replace("T", " ") for manifest in sound],
            "Table": [manifest.dataset.name for manifest in sound],
            "Predicts": [manifest.target for manifest in sound],
            "Task": [str(manifest.task) for manifest in sound],
        }
    )
    used = [name for name in _SCORES if any(name in values for values in scores)]
    for name in used:
        table[name] = [values.get(name) for values in scores]
    config = {
        name: st.column_config.NumberColumn(
            METRIC_NAMES[name][:1].upper() + METRIC_NAMES[name][1:], format="%.4g", help="On the test rows"
        )
        for name in used
    }
    st.dataframe(table, hide_index=True, height=min(38 + 35 * len(table), 290), column_config=config, key="runs")


def damaged(summaries: Sequence[RunSummary]) -> None:
    """Runs that cannot be opened: why, and a way to be rid of them."""
    for item in summaries:
        if item.problem is not None:
            with st.container(border=True):
                widgets.error(item.problem)
                delete_button(item.run_id, item.title)
