"""The parts of the importance page: bars side by side, rank agreement, the table of ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_jobs, explain_widgets, widgets
from tabnet_engine.explain.agreement import RankAgreement, agreement_sentence, disagreement_sentences, rank_agreement
from tabnet_engine.explain.by_output import mean_absolute, one_output
from tabnet_engine.explain.importance import GlobalImportance, from_attribution
from tabnet_engine.figures.agreement import rank_slope
from tabnet_engine.figures.attributions import class_bars
from tabnet_engine.figures.importance import importance_bars

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = [
    "agreement",
    "agreement_section",
    "by_class",
    "figures",
    "other_methods",
    "rank_section",
    "rank_table",
    "shap_importance",
]

_MEASURES = {"permutation": "how much larger the loss becomes"}
_SORTS = {"own": "each by itself", "masks": "by the masks", "shap": "by SHAP", "table": "as in the table"}


def shap_importance(run: Run, output: int) -> GlobalImportance | None:
    """Mean |SHAP| for one output; None when the run has no SHAP values."""
    values = explain_access.attribution(run)
    return None if values is None else from_attribution(one_output(values, output))


def agreement(run: Run, output: int) -> RankAgreement | None:
    """Masks against SHAP for one output; None unless the run has both."""
    masks, shap = explain_access.importances(run).get("masks"), shap_importance(run, output)
    return None if masks is None or shap is None else rank_agreement(masks, shap)


def figures(run: Run, output: int) -> None:
    """The bars of each method side by side, in the order the user wants."""
    masks, shap = explain_access.importances(run).get("masks"), shap_importance(run, output)
    sort = st.segmented_control(
        "Sort the columns",
        list(_SORTS),
        format_func=_SORTS.__getitem__,
        default="own",
        required=True,
        key="importance_sort",
        bind="query-params",
    )
    orders = {
        "masks": None if masks is None else masks.order.tolist(),
        "shap": None if shap is None else shap.order.tolist(),
        "table": list(range(len(run.schema.features))),
    }
    order = orders.get(sort)
    left, right = st.columns(2)
    with left:
        if masks is not None:
            _bars(masks, title="What the masks read", x="share of the reading, %", order=order)
    with right:
        if shap is not None:
            unit = explain_widgets.unit(run, output)
            _bars(shap, title="What moves the score (SHAP)", x=f"mean |SHAP|, {unit}", order=order)
        else:
            reason = explain_jobs.no_shap(run)
            widgets.info(reason or "This run has no SHAP values; compute them on the page Masks and SHAP")


def _bars(importance: GlobalImportance, *, title: str, x: str, order: list[int] | None) -> None:
    subtitle = f"mean of {importance.n_rows:,} rows, bars with 95 % intervals"
    figure = importance_bars(importance, title=title, x=x, subtitle=subtitle, order=order)
    leading = ", ".join(importance.features[index] for index in importance.order[:3])
    widgets.chart(figure, key=f"bars_{importance.method}", alt=f"{title}; the leading columns are {leading}")
    st.caption(widgets.md(importance.note))


def other_methods(run: Run) -> None:
    """Every other method that was computed with the run, two side by side."""
    others = [found for method, found in explain_access.importances(run).items() if method not in {"masks", "shap"}]
    if not others:
        return
    st.subheader("By other methods", anchor=False)
    size = f"mean |value|, {explain_widgets.unit(run, 0)}" if len(run.targets.outputs) == 1 else "mean |value|"
    for start in range(0, len(others), 2):
        for place, importance in zip(st.columns(2), others[start : start + 2], strict=False):
            with place:
                title = importance.name[:1].upper() + importance.name[1:]
                _bars(importance, title=title, x=_MEASURES.get(importance.method, size), order=None)


def by_class(run: Run, output: int) -> None:
    """How far each column moves each class of the output's target; drawn only where there are several."""
    values = explain_access.attribution(run)
    codec, place = explain_widgets.target_of(run, output)
    if values is None or len(codec.outputs) == 1:
        return
    subtitle = f"mean of {values.n_rows:,} rows"
    moved = mean_absolute(values)[:, place]
    figure = class_bars(values.features, moved, values.outputs[place], subtitle=subtitle)
    widgets.chart(figure, key="class_bars", alt="Mean absolute SHAP value of each column, split by class")


def agreement_section(run: Run, output: int) -> None:
    """How far the two orders agree, and where they differ, in words and as a picture."""
    both = agreement(run, output)
    if both is None:
        return
    st.subheader("Do they agree?", anchor=False)
    spearman = "n/a" if both.spearman is None else f"{both.spearman:.2f}"
    widgets.metrics(
        {
            "Rank correlation": spearman,
            "Columns": str(len(both.features)),
            f"Same among the first {both.top_k}": f"{both.n_shared} of {both.top_k}",
        },
        help_texts={
            "Rank correlation": "Spearman's: 1 when both put the columns in the same order, 0 when the orders have "
            "nothing to do with each other, −1 when they are reversed."
        },
    )
    left, right = st.columns(2)
    with left:
        st.markdown(widgets.md(agreement_sentence(both)))
        explain_widgets.bullets(disagreement_sentences(both))
    with right:
        figure = rank_slope(both, names=("masks", "SHAP"))
        widgets.chart(figure, key="rank_slope", alt=f"Ranks by masks and by SHAP; {agreement_sentence(both)}")


def rank_table(both: RankAgreement, masks: GlobalImportance, shap: GlobalImportance) -> pd.DataFrame:
    """Both rankings as a table, by SHAP's order."""
    table = pd.DataFrame(
        {
            "column": both.features,
            "rank by masks": both.first_rank,
            "rank by SHAP": both.second_rank,
            "difference": both.rank_difference,
            "share of the reading": both.first_share,
            "mean |SHAP|": shap.values,
            "SHAP standard error": np.nan if shap.standard_error is None else shap.standard_error,
            "masks standard error": np.nan if masks.standard_error is None else masks.standard_error,
        }
    )
    return table.sort_values("rank by SHAP", kind="stable", ignore_index=True)


def rank_section(run: Run, output: int, *, title: str = "") -> None:
    """The table of ranks, with its download, under a title where it has one."""
    both, masks, shap = (
        agreement(run, output),
        explain_access.importances(run).get("masks"),
        shap_importance(run, output),
    )
    if both is None or masks is None or shap is None:
        return
    table = rank_table(both, masks, shap)
    if title:
        st.subheader(title, anchor=False)
    config = {
        "share of the reading": explain_widgets.share_column(),
        "difference": st.column_config.NumberColumn(
            help="Rank by SHAP minus rank by masks; above 0: read more than it moves."
        ),
        "mean |SHAP|": st.column_config.NumberColumn(format="%.3g"),
        "SHAP standard error": st.column_config.NumberColumn(format="%.2g"),
        "masks standard error": st.column_config.NumberColumn(format="%.2g"),
    }
    shown = explain_widgets.in_per_cent(table, "share of the reading")
    st.dataframe(shown, hide_index=True, column_config=config, height=min(38 + 35 * len(table), 420), key="rank_table")
    explain_widgets.csv_button("Download the ranks", table, name="importance", key="importance_csv")
