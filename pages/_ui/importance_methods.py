"""All methods side by side on one scale: bars line by line, a table of ranks and shares, the chosen column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import (
    explain_access,
    explain_jobs,
    explain_widgets,
    importance_column,
    importance_data,
    kept,
    shap_source,
    widgets,
)
from pages._ui.measures import MEASURES, help_text
from tabnet_engine.explain.by_output import mean_absolute
from tabnet_engine.explain.wording import column_name
from tabnet_engine.figures.attributions import class_bars
from tabnet_engine.figures.importance import MOST_BARS, method_bars
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from tabnet_engine.explain.importance import GlobalImportance
    from tabnet_engine.explain.importance_comparison import ImportanceComparison, Scale
    from tabnet_engine.runs.run import Run

__all__ = ["by_class", "section", "stale"]

_ORDERS = {
    "mean": msg("mean rank over the methods"),
    "spread": msg("where the methods differ most"),
    "table": msg("as in the table"),
}
_SCALES: dict[Scale, str] = {"share": msg("Share of the whole"), "own": msg("Each in its own unit")}
_HELP = {"masks": "aggregate_mask", "shap": "mean_abs_shap"}


def section(run: Run, output: int) -> None:
    """The controls, the bars, the chosen column, the table and the rows."""
    compared = importance_data.comparison(run, output)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = compared.order(_order(compared))
        column = importance_column.choice(
            run, output, help_text=say("A click on a bar chooses its column too; what follows is about it.")
        )
        scale: Scale = _scale()
    _bars(run, output, compared, order=order, scale=scale, column=column)
    reason = None if "shap" in compared.names else explain_jobs.no_shap(run)
    if "shap" not in compared.names:
        widgets.info(reason or say("This run has no SHAP values; compute them on the page Masks and SHAP"))
    for method in compared.left_out:
        widgets.info(say("{method} was measured on other columns and is not shown beside these", method=method))
    st.subheader(widgets.md(column_name(column, start=True)), anchor=False)
    st.markdown(widgets.md(compared.sentence(column)))
    importance_column.leads_on(run, column)
    _table(compared, order)
    importance_column.rows(run, output, column)


def _order(compared: ImportanceComparison) -> str:
    names = {key: say(text) for key, text in _ORDERS.items() if key == "table" or len(compared.names) > 1}
    methods = {importance.method: importance.name for importance in compared.methods}
    return kept.choice(
        "order",
        say("Sort by"),
        {**methods, **names},
        default="mean" if "mean" in names else compared.names[0],
        help_text=say("All charts and the table keep the same lines."),
    )


def _scale() -> Scale:
    chosen = kept.tabs("scale", say("Scale"), {key: say(text) for key, text in _SCALES.items()})
    return "own" if chosen == "own" else "share"


def _bars(
    run: Run,
    output: int,
    compared: ImportanceComparison,
    *,
    order: npt.NDArray[np.int64],
    scale: Scale,
    column: str,
) -> None:
    colors = explain_access.colors(run, explain_widgets.target_of(run, output)[0].name)
    lines = [compared.features[place] for place in order[:MOST_BARS]]
    for start in range(0, len(compared.methods), 2):
        for place, importance in zip(st.columns(2), compared.methods[start : start + 2], strict=False):
            with place:
                method = importance.method
                figure = method_bars(
                    compared,
                    method,
                    order=order,
                    scale=scale,
                    colors=colors,
                    chosen=column,
                    x=_axis(run, output, method, scale),
                    subtitle=_subtitle(importance),
                )
                selection = widgets.selectable(
                    figure,
                    key=f"bars_{method}",
                    alt=_alt(compared, importance),
                    modes=("points",),
                    data=lambda: compared.table(order),
                )
                importance_column.picked(selection, lines, key=f"bars_{method}")
                st.caption(widgets.md(widgets.said(importance.note)), help=_help(method))


def _axis(run: Run, output: int, method: str, scale: Scale) -> str:
    """Name and unit of what a method measures."""
    if scale == "share":
        return say("share of the method's sum, %")
    if method == "masks":
        return say("share of the reading")
    if method == "permutation":
        return say("how much larger the loss becomes")
    return say("mean |value|, {unit}", unit=explain_widgets.unit(run, output))


def _subtitle(importance: GlobalImportance) -> str:
    if importance.interval is None:
        return say("mean of {n_rows:,} rows", n_rows=importance.n_rows)
    return say("mean of {n_rows:,} rows, bars with 95 % intervals", n_rows=importance.n_rows)


def _alt(compared: ImportanceComparison, importance: GlobalImportance) -> str:
    leading = ", ".join(compared.features[place] for place in importance.order[:3])
    return say("Importance by {method}; the leading columns are {columns}", method=importance.name, columns=leading)


def _help(method: str) -> str | None:
    key = _HELP.get(method, method)
    return help_text(key) if key in MEASURES else None


def _table(compared: ImportanceComparison, order: npt.NDArray[np.int64]) -> None:
    """Ranks and shares of all columns by all methods; a click on a heading sorts by it."""
    st.subheader(
        say("Ranks and shares of all columns"),
        anchor=False,
        help=say("Shares have one unit for all methods: a value as a part of the sum of the method's values."),
    )
    table = compared.table(order)
    shares = [say("share by {method}", method=importance.name) for importance in compared.methods]
    config: dict[str, object] = {name: explain_widgets.share_column() for name in shares}
    config[say("mean rank")] = st.column_config.NumberColumn(format="%.1f")
    config |= {
        name: st.column_config.NumberColumn(format="%.3g")
        for name in table.columns[2:]
        if table[name].dtype.kind == "f" and name not in shares
    }
    st.dataframe(
        _shown(table, shares),
        hide_index=True,
        column_config=config,
        height=widgets.table_height(len(table), 420),
        key="rank_table",
    )
    st.caption(
        say(
            "Rank 1 is the most important; equals share the better rank. The interval of a share is that of its value "
            "divided by the same sum."
        )
    )
    explain_widgets.csv_button(say("Download the ranks"), table, name="importance", key="importance_csv")


def _shown(table: pd.DataFrame, shares: list[str]) -> pd.DataFrame:
    return explain_widgets.in_per_cent(table, *shares)


def by_class(run: Run, output: int) -> None:
    """How far each column moves each class of the output's target; drawn only where there are several."""
    values = explain_access.attribution(run)
    codec, place = explain_widgets.target_of(run, output)
    if values is None or len(codec.outputs) == 1:
        return
    moved, outputs = mean_absolute(values)[:, place], values.outputs[place]
    scheme = explain_access.colors(run, codec.name)
    figure = class_bars(
        values.features,
        moved,
        outputs,
        subtitle=say("mean of {n_rows:,} rows", n_rows=values.n_rows),
        colors=[scheme.of_class(name) for name in codec.classes],
    )
    widgets.chart(
        figure,
        key="class_bars",
        alt=say("Mean absolute SHAP value of each column, split by class"),
        data=lambda: _class_table(values.features, moved, outputs),
    )


def _class_table(features: tuple[str, ...], moved: npt.NDArray[np.float64], outputs: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(moved, columns=list(outputs)).assign(**{say("column"): features})


def stale(run: Run) -> tuple[str, ...]:
    """Methods whose values were measured against another background than the run has now, each in a sentence."""
    compared = importance_data.comparison(run, 0)
    return tuple(
        say(
            "The values by {method} were measured against another background than the one this run has now; compute "
            "them again on the page Masks and SHAP to compare like with like",
            method=compared.of(method).name,
        )
        for method in shap_source.stale_methods(run)
        if method in compared.names
    )
