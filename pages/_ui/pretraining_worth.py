"""What a pretraining was worth: the same labelled rows learned with it and without it, over several seeds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import data_access, explain_widgets, job_panel, job_submit, measures, run_jobs, state, widgets
from tabnet_engine.data.kinds import set_target
from tabnet_engine.data.schema import Kind
from tabnet_engine.errors import UserError
from tabnet_engine.figures.pretraining import gain_by_budget, score_by_budget
from tabnet_engine.figures.theme import format_number
from tabnet_engine.figures.training import metric_label
from tabnet_engine.jobs.pretraining import load_worth
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.runs.run import Run
    from tabnet_engine.training.pretraining_worth import BudgetSummary, PretrainingWorth

__all__ = ["parse_budgets", "sentences", "worth_section"]

_BUDGETS = "100, 500, 2000"
_SEEDS = 5
_TITLE = msg("Worth of {run}")


def worth_section(run: Run) -> None:
    """The stored measurement, and the form that makes one; or why none can be made."""
    st.subheader(say("What pretraining was worth"), anchor=False, help=measures.help_text("worth"))
    stored = load_worth(run)
    if stored is not None:
        _result(stored)
    active = data_access.queue().list(states=job_panel.ACTIVE)
    mine = next((job for job in active if job.spec.kind == "worth" and job.spec.run_id == run.run_id), None)
    if mine is not None:
        job_panel.job_panel(mine.job_id)
        return
    if stored is None:
        _form(run)
        return
    with st.expander(say("Measure again"), icon=":material/replay:"):
        _form(run)


def _result(worth: PretrainingWorth) -> None:
    left, right = st.columns(2)
    with left:
        alt = " ".join(sentences(worth))
        widgets.chart(score_by_budget(worth), key="worth_scores", alt=alt, data=lambda: worth_table(worth))
    with right:
        alt = say("Paired difference by labelled rows")
        widgets.chart(gain_by_budget(worth), key="worth_gain", alt=alt, data=lambda: budget_table(worth))
    explain_widgets.bullets(sentences(worth))
    widgets.notes(say("How this was measured"), _provenance(worth))


def worth_table(worth: PretrainingWorth) -> pd.DataFrame:
    """One line a pair of trainings."""
    return pd.DataFrame(
        {
            "labelled rows": [record.budget for record in worth.records],
            "seed": [record.seed for record in worth.records],
            "with pretraining": [record.with_pretraining for record in worth.records],
            "without": [record.without for record in worth.records],
            "difference": [record.difference for record in worth.records],
        }
    )


def budget_table(worth: PretrainingWorth) -> pd.DataFrame:
    """One line a budget: means, difference and its interval."""
    return pd.DataFrame([dataclasses.asdict(item) for item in worth.summary()])


def sentences(worth: PretrainingWorth) -> tuple[str, ...]:
    """One sentence for each budget: both scores, the difference and whether it can be told from chance."""
    return tuple(_sentence(worth, item) for item in worth.summary())


_SCORES = msg(
    "With {budget:,} labelled rows the {metric} was {with_scores} with pretraining and {without_scores} without"
)
_ONE_SEED = msg("{scores}: a difference of {difference} from one seed, which says nothing about chance.")
_BY_CHANCE = msg(
    "{scores}: a difference of {difference} over {n_seeds} seeds (95 % interval {low} to {high}), which may be chance."
)
_HELPED = msg(
    "{scores}: a difference of {difference} over {n_seeds} seeds (95 % interval {low} to {high}), so it helped."
)
_HARMED = msg(
    "{scores}: a difference of {difference} over {n_seeds} seeds (95 % interval {low} to {high}), so it did harm."
)


def _sentence(worth: PretrainingWorth, item: BudgetSummary) -> str:
    scores = say(
        _SCORES,
        budget=item.budget,
        metric=metric_label(worth.metric),
        with_scores=_around(item.with_mean, item.with_deviation),
        without_scores=_around(item.without_mean, item.without_deviation),
    )
    if item.difference_low is None or item.difference_high is None:
        return say(_ONE_SEED, scores=scores, difference=_signed(item.difference))
    if item.difference_low <= 0 <= item.difference_high:
        verdict = _BY_CHANCE
    else:
        verdict = _HELPED if (item.difference > 0) == worth.greater_is_better else _HARMED
    return say(
        verdict,
        scores=scores,
        difference=_signed(item.difference),
        n_seeds=item.n_seeds,
        low=_signed(item.difference_low),
        high=_signed(item.difference_high),
    )


def _signed(value: float) -> str:
    return f"{value:+.2g}".replace("-", "−")


def _around(mean: float, deviation: float | None) -> str:
    return format_number(mean) if deviation is None else f"{format_number(mean)} ± {format_number(deviation, 2)}"


_SCORED_HIGH = msg("the target is {target}; {metric}, higher is better, on {n_test:,} test rows; {seen}")
_SCORED_LOW = msg("the target is {target}; {metric}, lower is better, on {n_test:,} test rows; {seen}")
_UNSEEN = msg("their cells were not used by the pretraining")
_SEEN = msg("their cells, without the target, were among those that the pretraining learned from")


def _provenance(worth: PretrainingWorth) -> tuple[str, ...]:
    score = say(
        _SCORED_HIGH if worth.greater_is_better else _SCORED_LOW,
        target=worth.target,
        metric=metric_label(worth.metric),
        n_test=worth.n_test,
        seen=say(_UNSEEN if worth.test_rows_unseen else _SEEN),
    )
    pairs = say_plural(
        "for each budget and each of one seed two networks of the same shape and settings learned the same labelled "
        "rows: one started from the pretraining, one from random weights",
        "for each budget and each of {count} seeds two networks of the same shape and settings learned the same "
        "labelled rows: one started from the pretraining, one from random weights",
        len(worth.seeds),
    )
    return (score, pairs, *(widgets.said(note) for note in worth.notes))


def _form(run: Run) -> None:
    """Target, budgets and seeds; submitting queues the comparison."""
    dataset_id = run.manifest.dataset.dataset_id
    if dataset_id is None or dataset_id not in data_access.dataset_names():
        widgets.info(say("The table of this pretraining is not in this workspace any more; add the same file again"))
        return
    schema = data_access.schema(dataset_id)
    read = data_access.columns_read(run.run_id)
    names = [column.name for column in schema.columns if column.name not in read]
    if not names:
        widgets.info(
            say(
                "This pretraining read every column, so none is left to predict; pretrain again with the column to "
                "predict left out, and its worth can be measured"
            )
        )
        return
    st.markdown(
        say(
            "Train on a few labelled rows, once from this pretraining and once from random weights, for several seeds, "
            "and compare both on the same test rows."
        )
    )
    with st.form(f"worth_{run.run_id}", border=True):
        target, budgets, n_seeds, epochs = _choices(schema, names)
        submitted = st.form_submit_button(say("Measure"), icon=":material/play_arrow:", type="primary")
    if submitted:
        job_submit.worth(
            run.run_id,
            dataset_id,
            _schema_for(dataset_id, schema, target),
            budgets=parse_budgets(budgets),
            n_seeds=n_seeds,
            settings={} if epochs is None else {"max_epochs": int(epochs)},
            title=run_jobs.title(_TITLE, run.manifest.title),
        )
        state.fresh_token("train")
        st.rerun()


def _choices(schema: FeatureSchema, names: list[str]) -> tuple[str, str, int, int | None]:
    chosen = [target.name for target in schema.targets if target.name in names]
    places = st.columns(4)
    with places[0]:
        index = names.index((chosen or _likely(schema, names))[0])
        target = st.selectbox(
            say("Target"), names, index=index, key="worth_target", help=say("Columns it has not read.")
        )
    with places[1]:
        budgets = st.text_input(
            say("Labelled rows"),
            _BUDGETS,
            key="worth_budgets",
            help=say("Numbers of training rows, separated by commas."),
        )
    with places[2]:
        n_seeds = st.number_input(
            say("Seeds"), 1, 50, _SEEDS, key="worth_seeds", help=say("More tell chance from effect.")
        )
    with places[3]:
        epochs = st.number_input(
            say("Epochs"),
            1,
            10_000,
            None,
            key="worth_epochs",
            placeholder=say("automatic"),
            help=say("Of each training, at most."),
        )
    return target, budgets, int(n_seeds), epochs


def _likely(schema: FeatureSchema, names: list[str]) -> list[str]:
    """The columns a person may want to predict, the table's last one first; row numbers and constants are none."""
    dull = {column.name for column in schema.columns if column.kind in (Kind.IDENTIFIER, Kind.CONSTANT)}
    return [name for name in reversed(names) if name not in dull] or names


def _schema_for(dataset_id: str, schema: FeatureSchema, target: str) -> FeatureSchema:
    """The table's columns with this one target, as it is stored where it is the only one."""
    if [item.name for item in schema.targets] == [target]:
        return schema
    return set_target(schema, data_access.frame(dataset_id), target)


def parse_budgets(text: str) -> tuple[int, ...]:
    """Numbers of labelled rows out of what a person typed.

    Raises:
        UserError: something that is no number of rows.

    >>> parse_budgets("2000, 100; 500 100"), parse_budgets(" 50 ")
    ((100, 500, 2000), (50,))
    """
    parts = text.replace(";", " ").replace(",", " ").split()
    wrong = next((part for part in parts if not part.isdecimal() or len(part) > 9), None)
    if wrong is not None or not parts:
        if wrong is None:
            raise UserError(f"labelled rows must be whole numbers separated by commas, such as {_BUDGETS}")
        raise UserError(f"labelled rows must be whole numbers separated by commas, such as {_BUDGETS}, got {wrong!r}")
    return tuple(sorted({int(part) for part in parts}))
