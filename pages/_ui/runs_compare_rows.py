"""On which rows two runs are compared: those that both stored, or those of a table computed anew by a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, job_panel, kept, measures, runs_compare_access, state, widgets
from pages._ui.explain_widgets import bullets
from tabnet_engine.config import CompareConfig
from tabnet_engine.errors import DamagedRunError
from tabnet_engine.explain.comparison.evidence import explained_label
from tabnet_engine.explain.comparison.targets import why_not_shared
from tabnet_engine.jobs.records import JobState
from tabnet_engine.jobs.spec import ComparePayload
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from pages._ui.runs_compare_access import Pair
    from tabnet_engine.explain.comparison.stored import ComputedComparison
    from tabnet_engine.explain.comparison.targets import SharedTarget
    from tabnet_engine.jobs.records import JobRecord
    from tabnet_engine.runs.run import Run

__all__ = ["anew", "chosen_pair", "rows_caption"]


def chosen_pair(first: Run, second: Run, *, several: bool = False, with_reasons: bool = False) -> Pair | None:
    """The rows on which the two are compared, after saying what cannot be; None where there is nothing to compare.

    Args:
        first: the run that is compared with.
        second: the other.
        several: whether other pairs stand on the page too; then nothing is asked for each.
        with_reasons: whether masks and signed values are wanted too.
    """
    if first.is_pretraining or second.is_pretraining:
        widgets.info(say("A pretraining predicts nothing; its settings and curves can be compared, scores cannot"))
        return None
    shared = runs_compare_access.targets_of(first, second)
    bullets(why_not_shared(first.targets, second.targets))
    if not shared:
        widgets.info(say("The two runs predict nothing in common, so no score or decision can be compared"))
        return None
    target = shared[0] if several else _target(shared)
    kept_one = _computed(first, second, target)
    label = _label(target) if with_reasons else ""
    stored = runs_compare_access.pair_of(first, second, target, label, with_reasons=with_reasons)
    pair = stored
    if kept_one is not None and (several or _source(kept_one[0].table, has_stored=stored.evidence.scores is not None)):
        pair = kept_one[1]
    bullets([widgets.said(gap) for gap in pair.evidence.gaps])
    return pair if pair.evidence.scores is not None else None


def _computed(first: Run, second: Run, target: SharedTarget) -> tuple[ComputedComparison, Pair] | None:
    """What was computed anew about this target; one that cannot be read is said, and can be computed again."""
    try:
        found = runs_compare_access.computed(first, second)
    except DamagedRunError as error:
        widgets.error(str(error))
        return None
    return found if found is not None and found[1].evidence.target.name == target.name else None


def rows_caption(pair: Pair) -> None:
    """Which rows were compared, and of how many of them the outcome is known."""
    judged = pair.found.judged
    if judged is None:
        return
    n_known = int(judged.known.sum())
    text = widgets.said(pair.found.rows)
    if n_known < judged.n_rows:
        known = say_plural(
            "The outcome of {count} of them is known.", "The outcome of {count:,} of them is known.", n_known
        )
        text = f"{text} {known}"
    st.caption(widgets.md(text))


def _target(shared: tuple[SharedTarget, ...]) -> SharedTarget:
    if len(shared) == 1:
        return shared[0]
    chosen = kept.choice("target", say("Target"), {target.name: target.name for target in shared})
    return next(target for target in shared if target.name == chosen)


def _label(target: SharedTarget) -> str:
    """The class whose score the signed reasons explain; asked where there are more than two."""
    if len(target.classes) <= 2:
        return ""
    options = {name: name for name in target.classes}
    return kept.choice(
        "label",
        say("Class whose score is explained"),
        options,
        default=explained_label(target),
        help_text=say("Signed reasons belong to the score of one class; masks and decisions do not depend on it."),
    )


def _source(table: str, *, has_stored: bool) -> bool:
    """Whether the rows that were computed anew are shown."""
    if not has_stored:
        st.caption(say("Computed anew on the table {table}.", table=widgets.md(table)))
        return True
    options = {"anew": say("Computed anew on {table}", table=table), "stored": say("Stored when each was explained")}
    return kept.choice("source", say("Rows"), options) == "anew"


def anew(first: Run, second: Run) -> None:
    """The job that compares on the rows of a table: where it stands, and the form that starts it."""
    shared = runs_compare_access.targets_of(first, second)
    if not shared:
        return
    asked = state.asked("target")
    target = next((target for target in shared if target.name == asked), shared[0])
    record = _latest(first, second)
    if record is not None and not record.ended:
        job_panel.job_panel(record.job_id)
        return
    if record is not None and record.state is JobState.FAILED:
        widgets.error(
            say("The last comparison failed: {reason}", reason=widgets.said(record.error or "no reason was given"))
        )
    with st.expander(say("Compare on the rows of a table, computed anew"), icon=":material/replay:"):
        _form(first, second, target)


def _form(first: Run, second: Run, target: SharedTarget) -> None:
    tables = runs_compare_access.tables_for(first, second)
    if not tables:
        widgets.info(say("No table of this workspace has every column that the two runs read; add one to compare anew"))
        return
    st.markdown(
        say("Both runs score every row of the table, and explain the same held-out rows against the same background, "
            "so that reasons differ by the runs alone.")
    )  # fmt: skip
    with st.form(f"compare_{first.run_id}_{second.run_id}", border=False):
        dataset_id = st.selectbox(say("Table"), list(tables), format_func=lambda item: tables[item])
        left, right = st.columns(2)
        standard = CompareConfig()
        n_rows = left.number_input(
            say("Rows to explain"), 1, 10_000, standard.n_reason_rows, 50, help=measures.help_text("shap")
        )
        n_background = right.number_input(say("Background rows"), 1, 1_000, standard.n_background, 10)
        if st.form_submit_button(say("Compare"), type="primary", icon=":material/play_arrow:"):
            settings = {
                "target": target.name, "n_reason_rows": int(n_rows), "n_background": int(n_background)
            }  # fmt: skip
            _submit(first, second, str(dataset_id), settings)


def _submit(first: Run, second: Run, dataset_id: str, settings: dict[str, object]) -> None:
    payload = ComparePayload(
        run_id=second.run_id,
        baseline_run_id=first.run_id,
        dataset_id=dataset_id,
        settings=settings,
        title=f"Compare {second.manifest.title} with {first.manifest.title}"[:200],
    )
    purpose = f"compare_{first.run_id}_{second.run_id}"
    data_access.queue().submit(payload.to_spec(), idempotency_key=state.token(purpose))
    state.fresh_token(purpose)
    st.rerun()


def _latest(first: Run, second: Run) -> JobRecord | None:
    """The newest job that compares these two."""
    return next(
        (
            record
            for record in data_access.queue().list()
            if record.spec.kind == "compare"
            and record.spec.run_id == second.run_id
            and record.spec.payload.get("baseline_run_id") == first.run_id
        ),
        None,
    )
