"""The walkthrough's fourth step: what the decision steps read over all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, explain_access, explain_masks, masks_access, state, widgets
from pages._ui.masks_rows import ShownRows
from tabnet_engine.explain.reading import summary_sentences
from tabnet_engine.explain.store import MASKS, has_explanations
from tabnet_engine.figures.masks import step_feature_map, step_shares
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["explained_run", "masks"]


def masks() -> bool:
    """The mean mask of each step, with what to look at."""
    run = explained_run()
    explanation = None if run is None else explain_access.masks(run)
    if run is None or explanation is None:
        return False
    everything = ShownRows(run=run, explanation=explanation, positions=None, key="", words=())
    summary = masks_access.summary(everything)
    st.markdown(
        say(
            "**Look at:** the darkest cell of each step, the column that it reads most; a mask says what was *read*, "
            "not which way it pushed the decision."
        )
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        widgets.chart(
            step_feature_map(summary),
            key="walk_map",
            alt=say("Mean mask of each step and column"),
            data=lambda: explain_masks.mean_table(summary),
        )
    with right:
        widgets.chart(
            step_shares(summary),
            key="walk_shares",
            alt=say("Share of each step in the decision"),
            data=lambda: explain_masks.step_table(summary),
        )
    widgets.notes(say("In words"), summary_sentences(summary))
    return True


def explained_run() -> Run | None:
    """The run that is walked through, with masks; else a sentence says what is wanting."""
    run_id = state.current("run")
    if run_id not in data_access.run_names():
        widgets.info(say("This step needs a trained model; go back and train one"))
        return None
    run = data_access.run(run_id)
    _remember_table(run)
    if not has_explanations(run, MASKS):
        widgets.info(say("This run was saved without explanations; go back and train again"))
        return None
    return run


def _remember_table(run: Run) -> None:
    """The steps before this one are about the table of this run, also where an address led here at once."""
    dataset_id = run.manifest.dataset.dataset_id
    if dataset_id is not None and dataset_id in data_access.dataset_names():
        state.choose("dataset", dataset_id)
