"""What the steps read on average, how much each weighs and adds, and what to think of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_widgets, kept, masks_access, measures, widgets
from pages._ui.masks_rows import ShownRows, archetypes_of, archetypes_version
from tabnet_engine.explain.mask_health import mask_health
from tabnet_engine.explain.reading import summary_sentences
from tabnet_engine.explain.row_outcomes import SPLIT_NAMES
from tabnet_engine.explain.row_parts import RowParts, parts_by_actual, parts_by_predicted
from tabnet_engine.explain.step_effects import effect_table
from tabnet_engine.figures.masks import reading_counts, step_feature_map, step_shares
from tabnet_engine.figures.steps import step_effect_bars
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.explain.mask_summaries import MaskSummary

__all__ = ["averages", "mean_table", "step_parts", "step_table"]

_GROUPS = {
    "all": msg("all rows together"),
    "predicted": msg("by prediction"),
    "actual": msg("by actual outcome"),
    "part": msg("by part of the table"),
    "archetype": msg("by way of reading"),
}


def averages(shown: ShownRows, output: int) -> None:
    """What each step reads on average, how sharply it selects, what it adds, and what to think of it."""
    summary = masks_access.summary(shown)
    left, right = st.columns([3, 2])
    with left:
        alt = say("Mean mask of each step: columns by steps")
        data = lambda: mean_table(summary)  # noqa: E731 - made when the button is pressed
        widgets.chart(step_feature_map(summary), key="step_feature_map", alt=alt, data=data)
    with right:
        step_data = lambda: step_table(summary)  # noqa: E731 - as above
        widgets.chart(
            step_shares(summary), key="step_shares", alt=say("Share of each step in the decision"), data=step_data
        )
        widgets.chart(
            reading_counts(summary), key="reading_counts", alt=say("Columns read by each step in a row"), data=step_data
        )
    explain_widgets.bullets(summary_sentences(summary))
    _health(shown, summary)
    _effects(shown, output)


def _health(shown: ShownRows, summary: MaskSummary) -> None:
    st.subheader(say("Do the masks tell something?"), anchor=False, help=measures.help_text("mask_health"))
    problems = mask_health(summary, explain_access.distinct_shares(shown.run))
    for sentence in problems:
        widgets.info(sentence)
    if not problems:
        widgets.success(
            say(
                "Every step takes part in the decision, selects columns and tells rows apart; no column that may name "
                "rows is read much"
            )
        )


def mean_table(summary: MaskSummary) -> pd.DataFrame:
    """The mean mask of each step and of all together: one line a column."""
    steps = {f"step {step + 1}": summary.mean_masks[step] for step in range(summary.n_steps)}
    return pd.DataFrame({"column": summary.features, **steps, "all steps": summary.mean_aggregate})


def step_table(summary: MaskSummary) -> pd.DataFrame:
    steps = range(1, summary.n_steps + 1)
    return pd.DataFrame(
        {
            "step": steps,
            "share of the decision": summary.mean_step_shares,
            "columns read": summary.columns_read,
            "spread between rows": summary.spread,
        }
    )


def _effects(shown: ShownRows, output: int) -> None:
    """The share of each step in the score, for all shown rows or by part of them."""
    st.subheader(say("What each step adds"), anchor=False, help=measures.help_text("step_contribution"))
    ways = {key: say(text) for key, text in _GROUPS.items() if key == "all" or step_parts(shown, key, output)}
    group = kept.choice(
        "group", say("Compare"), ways, help_text=say("Parts of the rows whose steps are set side by side.")
    )
    parts = step_parts(shown, group, output)
    effects = masks_access.effects(shown, parts, f"{group}\n{output}\n{archetypes_version(shown.run)}")
    named = {widgets.said(name) if group in ("archetype", "part") else name: effect for name, effect in effects.items()}
    unit = explain_widgets.unit(shown.run, output)
    if parts is not None and parts.how and group != "archetype":
        st.caption(widgets.md(widgets.said(parts.how)))
    widgets.chart(
        step_effect_bars(named, output=output, unit=unit),
        key="step_effects",
        alt=say("What each step adds to the score: mean with its sign, and mean size"),
        data=lambda: effect_table(named),
    )
    if group == "all":
        explain_widgets.bullets(effects[""].sentences(output, explain_widgets.score(shown.run, output).name))


def step_parts(shown: ShownRows, group: str, output: int) -> RowParts | None:
    """The shown rows in the parts of one of the ways to compare; None where the run cannot tell them apart."""
    found = archetypes_of(shown.run, shown.explanation)
    outcomes = shown.outcomes(output)
    parts: RowParts | None = None
    if group == "archetype" and found is not None:
        parts = found.parts()
    elif group == "part" and outcomes is not None:
        parts = RowParts(title="part", names=SPLIT_NAMES, codes=outcomes.split)
    elif group == "predicted" and outcomes is not None:
        parts = parts_by_predicted(outcomes)
    elif group == "actual" and outcomes is not None:
        parts = parts_by_actual(outcomes)
    if parts is None:
        return None
    return parts if shown.positions is None else parts.take(shown.positions)
