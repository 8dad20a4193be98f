"""The explanation of one decision: prediction, steps, pushes, both methods, the row's own values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import decision_limits, explain_access, explain_widgets, measures, widgets
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.agreement import agreement_sentence
from tabnet_engine.explain.long_table import attribution_table
from tabnet_engine.explain.reading import attribution_sentences, timeline_sentences
from tabnet_engine.explain.row_cells import cell_table
from tabnet_engine.explain.row_outcomes import SPLIT_NAMES, row_outcomes
from tabnet_engine.explain.row_pair import pair_table, row_pair, row_pair_sentences
from tabnet_engine.explain.timeline import step_timeline
from tabnet_engine.explain.wording import additivity_words, column_name, joined, probability, signed
from tabnet_engine.figures.agreement import attention_effect_pairs
from tabnet_engine.figures.decision import contribution_map, probability_bars
from tabnet_engine.figures.decision import step_timeline as timeline_figure
from tabnet_engine.figures.waterfall import brief, waterfall
from tabnet_engine.texts.speaking import say
from tabnet_engine.training.probabilities import class_probabilities

if TYPE_CHECKING:
    import numpy.typing as npt

    from pages._ui.explain_access import ShownRow
    from tabnet_engine.data.targets import TargetCodec
    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.explain.row_outcomes import RowOutcomes
    from tabnet_engine.runs.run import Run

__all__ = ["agreement", "all_targets", "leading", "prediction", "pushes", "section", "steps"]


def prediction(run: Run, shown: ShownRow, table: pd.DataFrame, output: int) -> None:
    """What the model said, what really came, and which part of the table the row belongs to.

    Args:
        run: the run.
        shown: the row.
        table: the run's table.
        output: which of all outputs is explained; its target is the one told here.
    """
    codec, place = explain_widgets.target_of(run, output)
    logits = shown.masks.logits[:, place]
    outcome = _outcome(run, shown, table, codec, place)
    part, difference, score = say("Part of the table"), say("Difference"), say("Score")
    values = _prediction_numbers(codec, logits, outcome)
    values[part] = say(SPLIT_NAMES[int(outcome.split[0])])
    log_odds = say(
        "The log-odds of {output}: 0 is a probability of one half, each step up or down makes it surer.",
        output=widgets.md(codec.outputs[0]),
    )
    widgets.metrics(
        values,
        help_texts={
            part: say("Training rows were learned from; test rows were never seen before."),
            difference: say("Predicted minus actual."),
            score: log_odds,
        },
    )
    if int(outcome.split[0]) == 0:
        st.caption(say("The model learned from this row, so it may know it by heart; test rows say more."))
    if outcome.wrong[0]:
        widgets.info(say("The model was wrong on this row: the steps and pushes below show what misled it"))
    if codec.task is Task.MULTICLASS:
        shares = class_probabilities(codec.task, logits)[0]
        came = None if not outcome.known[0] else codec.classes[int(outcome.actual[0])]
        scheme = explain_access.colors(run, codec.name)
        colors = {name: scheme.of_class(name) for name in codec.classes}
        widgets.chart(
            probability_bars(codec.classes, shares, actual=came, colors=colors),
            key="probabilities",
            alt=say("Probability of each class"),
            data=lambda: pd.DataFrame({"class": codec.classes, "probability": shares}),
        )


def all_targets(run: Run, shown: ShownRow, table: pd.DataFrame) -> None:
    """What the model said of every target of the row, and what came; nothing for a single target."""
    if len(run.targets.names) == 1:
        return
    lines = []
    for codec, place in zip(run.targets.codecs, run.targets.slices, strict=True):
        outcome = _outcome(run, shown, table, codec, place)
        line = outcome.table().iloc[0]
        number = codec.task is Task.REGRESSION
        sure = "" if number else probability(float(line["probability"]))
        said = _plain(float(line["predicted"])) if number else str(line["predicted"])
        lines.append({"target": codec.name, "predicted": said, "probability": sure, "actual": _actual(codec, outcome)})
    title = say("All {n} targets of this row", n=len(lines))
    with st.expander(title, icon=":material/list:", expanded=len(lines) <= 5):
        told = pd.DataFrame(lines)
        if not told["probability"].any():
            told = told.drop(columns="probability")  # numbers alone have none
        names = {"target": say("target"), "predicted": say("predicted"), "probability": say("probability")}
        config = {key: st.column_config.Column(words) for key, words in {**names, "actual": say("actual")}.items()}
        st.dataframe(told, hide_index=True, key="all_targets", column_config=config)


def _outcome(run: Run, shown: ShownRow, table: pd.DataFrame, codec: TargetCodec, place: slice) -> RowOutcomes:
    rows = np.array([shown.row], dtype=np.int64)
    return row_outcomes(codec, run.splits, table, rows, shown.masks.logits[:, place])


def leading(run: Run, shown: ShownRow) -> int:
    """The output of the first target with the highest score: what a reader wants explained first."""
    return int(shown.masks.logits[0, run.targets.slices[0]].argmax())


def _actual(codec: TargetCodec, outcome: RowOutcomes) -> str:
    value = outcome.table().iloc[0]["actual"]
    if codec.task is not Task.REGRESSION:
        return str(value)
    return _plain(float(value)) if outcome.known[0] else say("missing")


def _plain(value: float) -> str:
    """A number with the sign that is set for minus."""
    return widgets.number(value).replace("-", "−", 1) if value < 0 else widgets.number(value)


def _prediction_numbers(codec: TargetCodec, logits: npt.NDArray[np.float64], outcome: RowOutcomes) -> dict[str, str]:
    line = outcome.table().iloc[0]
    predicted = say("Predicted {target}", target=column_name(codec.name))
    if codec.task is Task.REGRESSION:
        return {
            predicted: _plain(float(line["predicted"])),
            say("Actual {target}", target=column_name(codec.name)): _actual(codec, outcome),
            say("Difference"): _plain(float(line["predicted"] - line["actual"])),
        }
    values = {predicted: str(line["predicted"]), say("Probability"): probability(float(line["probability"]))}
    values[say("Actual")] = _actual(codec, outcome)
    if codec.task is Task.BINARY:
        values[say("Score")] = signed(float(logits[0, 0]))
    return values


def section(run: Run, shown: ShownRow, output: int) -> None:
    """What each step read and added, which columns pushed, how far both agree, and the row's values."""
    st.subheader(say("How the steps came to it"), anchor=False, help=measures.help_text("step_contribution"))
    steps(run, shown, output)
    st.subheader(say("Which columns pushed"), anchor=False, help=measures.help_text("shap"))
    pushes(run, shown, output)
    if shown.attribution is not None:
        st.subheader(say("Do masks and SHAP agree here?"), anchor=False, help=measures.help_text("spearman"))
        agreement(shown, output)
    st.subheader(say("The row itself"), anchor=False)
    _cells(shown, output)
    decision_limits.report_link(run.run_id, shown.row)


def steps(run: Run, shown: ShownRow, output: int) -> None:
    """The timeline of the steps as a picture and in words."""
    masks = shown.masks
    whole = step_timeline(masks, shown.row, shown.texts, top=len(masks.features))
    codec, place = explain_widgets.target_of(run, output)
    subtitle = _sum_words(codec, float(masks.base[output]))
    figure = timeline_figure(whole, output=output, unit=explain_widgets.unit(run, output), subtitle=subtitle)
    sentences = timeline_sentences(whole, explain_widgets.score(run, output), output=output)
    left, right = st.columns([3, 2])
    with left:
        widgets.chart(figure, key="timeline", alt=" ".join(sentences), data=whole.table)
    with right:
        explain_widgets.bullets(sentences)
        if len(codec.outputs) > 1:
            subtitle = say("the last column is the sum: the score of each class")
            places = range(place.start, place.stop)
            figure = contribution_map(whole, outputs=places, names=codec.outputs, subtitle=subtitle)
            alt = say("What each step added to every class")
            widgets.chart(figure, key="contributions", alt=alt, data=whole.table)


def _sum_words(codec: TargetCodec, base: float) -> str:
    if codec.task is not Task.REGRESSION:
        return say("the steps add up to the score exactly")
    return say(
        "the steps add to {base}, the mean of the training rows, and make the prediction exactly", base=_plain(base)
    )


def pushes(run: Run, shown: ShownRow, output: int) -> None:
    """The signed waterfall, how it was measured, and the leading columns in words; or why there is none."""
    values = shown.attribution
    if values is None:
        none = say("This run has no SHAP values and no background to compute them against")
        widgets.info(shown.why_not or none)
        return
    left, right = st.columns([3, 2])
    with left:
        n_rows = values.background.n_rows
        figure = waterfall(
            values,
            0,
            output=output,
            values=shown.texts,
            unit=explain_widgets.unit(run, output),
            subtitle=say("against {n_rows:,} background rows, bars with 95 % intervals", n_rows=n_rows)
            if values.standard_error is not None
            else say("against {n_rows:,} background rows", n_rows=n_rows),
        )
        score = explain_widgets.score(run, output)
        texts = {name: brief(text) for name, text in shown.texts.items()}
        sentences = attribution_sentences(values, shown.row, score, values=texts, output=output)
        widgets.chart(figure, key="waterfall", alt=" ".join(sentences), data=lambda: attribution_table(values))
    with right:
        explain_widgets.bullets(sentences)
        st.caption(widgets.md(_measured(values)))


def _measured(values: Attribution) -> str:
    """How the row's values were made, in one sentence."""
    background = values.background
    places: dict[str, Any] = {
        "n_rows": background.n_rows,
        "background": widgets.said(background.description),
        "n_evaluations": values.n_evaluations,
        "seed": values.seed,
        "sum": additivity_words(values.additivity_error),
    }
    if values.n_permutations == 0:
        return say(
            "Measured against {n_rows:,} background rows ({background}); {algorithm}: {n_evaluations:,} evaluations, "
            "seed {seed}; {sum}.",
            algorithm=widgets.said(values.algorithm),
            **places,
        )
    return say(
        "Measured against {n_rows:,} background rows ({background}); {n_orders:,} orders of the columns, each forwards "
        "and backwards: {n_evaluations:,} evaluations, seed {seed}; {sum}.",
        n_orders=values.n_permutations,
        **places,
    )


def agreement(shown: ShownRow, output: int) -> None:
    """What was read of this row beside what moved its score, and where the two differ."""
    if shown.attribution is None:
        return
    pair = row_pair(shown.masks, shown.attribution, shown.row, output=output)
    left, right = st.columns([3, 2])
    with left:
        figure = attention_effect_pairs(pair, subtitle=say("shares within this row"))
        widgets.chart(figure, key="pairs", alt=agreement_sentence(pair), data=lambda: pair_table(pair))
    with right:
        st.markdown(widgets.md(agreement_sentence(pair)))
        sentences = row_pair_sentences(pair)
        explain_widgets.bullets(sentences)
        if not sentences:
            st.markdown(say("No column got much more of the one than of the other."))
        st.caption(
            say("Masks say what was read, not which way it pushed; do not take them for reasons where SHAP disagrees.")
        )


def _cells(shown: ShownRow, output: int) -> None:
    """Every value of the row, missing and unseen ones marked, beside what both methods say of it."""
    _missing_and_unseen(shown)
    table = cell_table(
        shown.masks, shown.attribution, shown.texts, missing=shown.missing, unseen=shown.unseen, output=output
    )
    config = {
        "column": st.column_config.TextColumn(say("column")),
        "value": st.column_config.TextColumn(say("value")),
        "state": st.column_config.TextColumn(say("state")),
        "group": st.column_config.TextColumn(
            say("moves with"), help=say("Columns of one group move together; the push is that of the whole group.")
        ),
        "read": st.column_config.ProgressColumn(
            say("read"), min_value=0, max_value=100, format="%.1f %%", help=measures.help_text("aggregate_mask")
        ),
        "pushed": st.column_config.NumberColumn(say("pushed"), help=measures.help_text("shap")),
    }
    lines = explain_widgets.in_per_cent(table, "read")
    with_signs = lines.style.format({"pushed": signed}) if "pushed" in lines else lines
    height = widgets.table_height(len(table), 563)
    st.dataframe(with_signs, hide_index=True, column_config=config, height=height, key="cells")
    explain_widgets.csv_button(say("Download this row"), table, name=f"row-{shown.row}", key="row_csv")


def _missing_and_unseen(shown: ShownRow) -> None:
    if shown.missing:
        names = joined([column_name(name) for name in shown.missing])
        widgets.info(say("Missing in this row: {columns}; missing is a state of its own to the model", columns=names))
    if shown.unseen:
        names = joined([column_name(name) for name in shown.unseen])
        widgets.info(say("Never seen in training: what this row holds in {columns}", columns=names))
