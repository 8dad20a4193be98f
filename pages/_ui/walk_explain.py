"""The walkthrough's last steps: what the steps read over all rows, and one decision from start to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import asked, data_access, explain_access, explain_jobs, explain_widgets, run_view, state, widgets
from tabnet_engine.data.samples import SAMPLES, load_sample
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.mask_summaries import summarise_masks
from tabnet_engine.explain.reading import Score, attribution_sentences, summary_sentences, timeline_sentences
from tabnet_engine.explain.store import MASKS, has_explanations
from tabnet_engine.explain.timeline import step_timeline
from tabnet_engine.figures import decision as decision_figures
from tabnet_engine.figures.masks import step_feature_map, step_shares
from tabnet_engine.figures.waterfall import waterfall
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.explain.single_row import RowExplanation
    from tabnet_engine.runs.run import Run

__all__ = ["decision", "masks"]

_ROWS_OFFERED = 200
_CREDIT = next(sample.title for sample in SAMPLES if sample.name == "credit")


def masks() -> bool:
    """The mean mask of each step, with what to look at."""
    run = _run()
    explanation = None if run is None else explain_access.masks(run)
    if run is None or explanation is None:
        return False
    summary = summarise_masks(explanation)
    st.markdown(
        say(
            "**Look at:** the darkest cell of each step: the column that it reads most. A mask says what was *read*, "
            "not which way it pushed the decision."
        )
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        widgets.chart(step_feature_map(summary), key="walk_map", alt=say("Mean mask of each step and column"))
    with right:
        widgets.chart(step_shares(summary), key="walk_shares", alt=say("Share of each step in the decision"))
    widgets.notes(say("In words"), summary_sentences(summary))
    return True


def decision() -> bool:
    """One row: what was read, what it added, which columns moved the score; then the ways into the pages."""
    run = _run()
    if run is None:
        return False
    values = explain_access.attribution(run)
    if values is None:
        widgets.info(explain_jobs.no_shap(run) or say("This run was saved without SHAP values; its steps can be seen"))
        run_view.explanation_links(run.run_id)
        return False
    output = explain_widgets.output_choice(run, help_text=say("Whose score the steps and columns below explain."))
    score = explain_widgets.score(run, output)
    row = _row(values, score, output)
    explained = explain_access.row_explanation(run, row)
    if explained is None:
        widgets.info(say("The table of this run is no longer in the workspace, so its rows cannot be shown"))
        return False
    st.markdown(
        say(
            "**Look at:** what each step read, and what it added to the score. Then SHAP: which column moved the "
            "score, by how much and which way. The two need not agree."
        )
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _steps(explained, score, output)
    with right:
        _moved(explained, score, output)
    _truth(run)
    st.markdown(say("**Go on** with the pages behind these steps:"))
    run_view.explanation_links(run.run_id)
    return True


def _run() -> Run | None:
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


def _row(values: Attribution, score: Score, output: int) -> int:
    rows = values.rows.tolist()
    logits = dict(zip(rows, values.logits[:, output].tolist(), strict=True))
    offered = rows[:_ROWS_OFFERED]
    current = asked.whole_number("row")
    row = st.selectbox(
        say("Row"),
        offered,
        index=offered.index(current) if current in offered else 0,
        format_func=lambda item: say(
            "row {row}: {score} is {value}", row=item, score=score.name, value=score.value(logits[item])
        ),
        key=f"walk_row_{values.run_id}",
        help=say("The rows that got SHAP values after training; the page 'One decision' takes any row."),
    )
    state.choose("row", str(row))
    return int(row)


def _steps(explained: RowExplanation, score: Score, output: int) -> None:
    timeline = step_timeline(explained.masks, explained.row, explained.texts, top=len(explained.masks.features))
    figure = decision_figures.step_timeline(timeline, output=output, unit=score.name)
    widgets.chart(figure, key="walk_timeline", alt=say("Decision steps of row {row}", row=explained.row))
    widgets.notes(say("What was read"), timeline_sentences(timeline, score, output=output))


def _moved(explained: RowExplanation, score: Score, output: int) -> None:
    figure = waterfall(explained.attribution, 0, output=output, values=explained.texts, unit=score.name)
    widgets.chart(figure, key="walk_waterfall", alt=say("SHAP values of row {row}", row=explained.row))
    sentences = attribution_sentences(
        explained.attribution, explained.row, score, values=explained.texts, output=output
    )
    widgets.notes(say("What moved the score"), sentences)


def _truth(run: Run) -> None:
    """For the sample whose rule is known, say it, so that the explanation can be judged."""
    if run.manifest.dataset.name != _CREDIT:
        return
    truth = load_sample("credit").truth
    if truth is not None:
        with st.container(border=True):
            st.markdown(say("**The truth behind this sample**"))
            st.text(say("Deciding, strongest first: {columns}.", columns=", ".join(truth.deciding)))
            st.text(widgets.said(truth.rule))
