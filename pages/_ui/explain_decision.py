"""The parts of the page of one decision: prediction, steps, pushes, both methods, the row's own values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_widgets, widgets
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.agreement import agreement_sentence
from tabnet_engine.explain.reading import attribution_sentences, timeline_sentences
from tabnet_engine.explain.row_outcomes import SPLIT_NAMES, row_outcomes
from tabnet_engine.explain.row_pair import row_pair, row_pair_sentences
from tabnet_engine.explain.timeline import step_timeline
from tabnet_engine.explain.wording import additivity_words, column_name, joined, probability
from tabnet_engine.figures.agreement import attention_effect_pairs
from tabnet_engine.figures.decision import contribution_map, probability_bars
from tabnet_engine.figures.decision import step_timeline as timeline_figure
from tabnet_engine.figures.waterfall import brief, waterfall
from tabnet_engine.training.probabilities import class_probabilities

if TYPE_CHECKING:
    import numpy.typing as npt

    from pages._ui.explain_access import ShownRow
    from tabnet_engine.data.targets import TargetCodec
    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.explain.row_outcomes import RowOutcomes
    from tabnet_engine.runs.run import Run

__all__ = ["all_targets", "both_methods", "cell_table", "cells", "leading", "prediction", "pushes", "steps"]


def prediction(run: Run, explanation: ShownRow, table: pd.DataFrame, output: int) -> None:
    """What the model said, what really came, and which part of the table the row belongs to.

    Args:
        run: the run.
        explanation: the row.
        table: the run's table.
        output: which of all outputs is explained; its target is the one told here.
    """
    codec, place = explain_widgets.target_of(run, output)
    logits = explanation.masks.logits[:, place]
    outcome = _outcome(run, explanation, table, codec, place)
    values = _prediction_numbers(codec, logits, outcome)
    values["Part of the table"] = SPLIT_NAMES[int(outcome.split[0])]
    widgets.metrics(
        values,
        help_texts={
            "Part of the table": "Training rows were learned from; test rows were never seen before.",
            "Difference": "Predicted minus actual.",
            "Score": f"The log-odds of {widgets.md(codec.outputs[0])}: 0 is a probability of one half, each step "
            "up or down makes it surer.",
        },
    )
    if int(outcome.split[0]) == 0:
        st.caption("The model learned from this row, so it may know it by heart; test rows say more.")
    if outcome.wrong[0]:
        widgets.info("The model was wrong on this row: the steps and pushes below show what misled it")
    if codec.task is Task.MULTICLASS:
        shares = class_probabilities(codec.task, logits)[0]
        came = None if not outcome.known[0] else codec.classes[int(outcome.actual[0])]
        figure = probability_bars(codec.classes, shares, actual=came)
        widgets.chart(figure, key="probabilities", alt="Probability of each class")


def all_targets(run: Run, explanation: ShownRow, table: pd.DataFrame) -> None:
    """What the model said of every target of the row, and what came; nothing for a single target."""
    if len(run.targets.names) == 1:
        return
    lines = []
    for codec, place in zip(run.targets.codecs, run.targets.slices, strict=True):
        outcome = _outcome(run, explanation, table, codec, place)
        line = outcome.table().iloc[0]
        number = codec.task is Task.REGRESSION
        sure = "" if number else probability(float(line["probability"]))
        came = _actual(codec, outcome)
        said = widgets.number(float(line["predicted"])) if number else str(line["predicted"])
        lines.append({"target": codec.name, "predicted": said, "probability": sure, "actual": came})
    with st.expander(f"All {len(lines)} targets of this row", icon=":material/list:", expanded=len(lines) <= 5):
        shown = pd.DataFrame(lines)
        if not shown["probability"].any():
            shown = shown.drop(columns="probability")  # numbers alone have none
        st.dataframe(shown, hide_index=True, key="all_targets")


def _outcome(run: Run, explanation: ShownRow, table: pd.DataFrame, codec: TargetCodec, place: slice) -> RowOutcomes:
    rows = np.array([explanation.row], dtype=np.int64)
    return row_outcomes(codec, run.splits, table, rows, explanation.masks.logits[:, place])


def leading(run: Run, explanation: ShownRow) -> int:
    """The output of the first target with the highest score: what a reader wants explained first."""
    return int(explanation.masks.logits[0, run.targets.slices[0]].argmax())


def _actual(codec: TargetCodec, outcome: RowOutcomes) -> str:
    value = outcome.table().iloc[0]["actual"]
    if codec.task is not Task.REGRESSION:
        return str(value)
    return widgets.number(float(value)) if outcome.known[0] else "missing"


def _prediction_numbers(codec: TargetCodec, logits: npt.NDArray[np.float64], outcome: RowOutcomes) -> dict[str, str]:
    line = outcome.table().iloc[0]
    name = column_name(codec.name)
    if codec.task is Task.REGRESSION:
        return {
            f"Predicted {name}": widgets.number(float(line["predicted"])),
            f"Actual {name}": _actual(codec, outcome),
            "Difference": widgets.number(float(line["predicted"] - line["actual"])),
        }
    values = {f"Predicted {name}": str(line["predicted"]), "Probability": probability(float(line["probability"]))}
    values["Actual"] = _actual(codec, outcome)
    if codec.task is Task.BINARY:
        values["Score"] = f"{logits[0, 0]:+.2f}"
    return values


def steps(run: Run, explanation: ShownRow, output: int) -> None:
    """The timeline of the steps as a picture and in words."""
    masks = explanation.masks
    whole = step_timeline(masks, explanation.row, explanation.texts, top=len(masks.features))
    codec, place = explain_widgets.target_of(run, output)
    subtitle = _sum_words(codec, float(masks.base[output]))
    figure = timeline_figure(whole, output=output, unit=explain_widgets.unit(run, output), subtitle=subtitle)
    sentences = timeline_sentences(whole, explain_widgets.score(run, output), output=output)
    left, right = st.columns([3, 2])
    with left:
        widgets.chart(figure, key="timeline", alt=" ".join(sentences))
    with right:
        explain_widgets.bullets(sentences)
        if len(codec.outputs) > 1:
            subtitle = "the last column is the sum: the score of each class"
            figure = contribution_map(whole, outputs=range(place.start, place.stop), subtitle=subtitle)
            widgets.chart(figure, key="contributions", alt="What each step added to every class")


def _sum_words(codec: TargetCodec, base: float) -> str:
    if codec.task is Task.REGRESSION:
        return (
            f"the steps add to {widgets.number(base)}, the mean of the training rows, and make the prediction exactly"
        )
    return "the steps add up to the score exactly"


def pushes(run: Run, explanation: ShownRow, output: int) -> None:
    """The signed waterfall, how it was measured, and the leading columns in words; or why there is none."""
    values = explanation.attribution
    if values is None:
        widgets.info(explanation.why_not or "This run has no SHAP values and no background to compute them against")
        return
    left, right = st.columns([3, 2])
    with left:
        figure = waterfall(
            values,
            0,
            output=output,
            values=explanation.texts,
            unit=explain_widgets.unit(run, output),
            subtitle=f"against {values.background.n_rows} background rows, bars with 95 % intervals",
        )
        score = explain_widgets.score(run, output)
        cells_in_words = {name: brief(text) for name, text in explanation.texts.items()}
        sentences = attribution_sentences(values, explanation.row, score, values=cells_in_words, output=output)
        widgets.chart(figure, key="waterfall", alt=" ".join(sentences))
    with right:
        explain_widgets.bullets(sentences)
        st.caption(widgets.md(_measured(values)))


def _measured(values: Attribution) -> str:
    """How the row's values were made, in one sentence."""
    background = values.background
    return (
        f"Measured against {background.n_rows:,} background rows ({background.description}); "
        f"{values.n_permutations:,} orders of the columns, each forwards and backwards: {values.n_evaluations:,} "
        f"evaluations, seed {values.seed}; {additivity_words(values.additivity_error)}."
    )


def both_methods(explanation: ShownRow, output: int) -> None:
    """What was read of this row beside what moved its score, and where the two differ."""
    if explanation.attribution is None:
        return
    st.subheader("Do masks and SHAP agree here?", anchor=False)
    pair = row_pair(explanation.masks, explanation.attribution, explanation.row, output=output)
    left, right = st.columns([3, 2])
    with left:
        figure = attention_effect_pairs(pair, subtitle="shares within this row")
        widgets.chart(figure, key="pairs", alt=agreement_sentence(pair))
    with right:
        st.markdown(widgets.md(agreement_sentence(pair)))
        sentences = row_pair_sentences(pair)
        explain_widgets.bullets(sentences)
        if not sentences:
            st.markdown("No column got much more of the one than of the other.")
        st.caption(
            "Masks say what was read, not which way it pushed; do not take them for reasons where SHAP disagrees."
        )


def cells(explanation: ShownRow, output: int) -> None:
    """Every value of the row, missing and unseen ones marked, beside what both methods say of it."""
    if explanation.missing:
        names = joined([column_name(name) for name in explanation.missing])
        widgets.info(f"Missing in this row: {names}; missing is a state of its own to the model")
    if explanation.unseen:
        names = joined([column_name(name) for name in explanation.unseen])
        widgets.info(f"Never seen in training: what this row holds in {names}")
    table = cell_table(explanation, output)
    config = {
        "read": explain_widgets.share_column("Share of the aggregated mask."),
        "pushed": st.column_config.NumberColumn(
            format=_push_format(table), help="SHAP value: up or down on the score."
        ),
    }
    shown = explain_widgets.in_per_cent(table, "read")
    st.dataframe(shown, hide_index=True, column_config=config, height=38 + 35 * min(len(table), 15), key="cells")
    explain_widgets.csv_button("Download this row", table, name=f"row-{explanation.row}", key="row_csv")


def _push_format(table: pd.DataFrame) -> str:
    """Three digits, and all digits before the point: a push of 29,943 must not be shown as 29900."""
    return "%+.0f" if "pushed" in table and float(table["pushed"].abs().max()) >= 1000 else "%+.3g"


def cell_table(explanation: ShownRow, output: int) -> pd.DataFrame:
    """One line a column: its value, its state, how much it was read, which way it pushed."""
    names = explanation.masks.features
    states = {
        **dict.fromkeys(explanation.missing, "missing"),
        **dict.fromkeys(explanation.unseen, "not seen in training"),
    }
    table = pd.DataFrame(
        {
            "column": names,
            "value": [explanation.texts[name] for name in names],
            "state": [states.get(name, "") for name in names],
            "read": explanation.masks.aggregate[0].astype(float),
        }
    )
    if explanation.attribution is None:
        return table.sort_values("read", ascending=False, kind="stable", ignore_index=True)
    table["pushed"] = explanation.attribution.values[0, :, output]
    return table.sort_values("pushed", key=np.abs, ascending=False, kind="stable", ignore_index=True)
