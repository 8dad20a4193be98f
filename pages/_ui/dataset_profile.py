"""The profile of a table: warnings first, then the target, then every column."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages._ui import dataset_words, shell, widgets
from tabnet_engine.data.profile import ColumnProfile, Severity, TableProfile, TargetProfile
from tabnet_engine.data.schema import Kind, Role
from tabnet_engine.figures.profile import associations, class_balance, distribution, missing_shares, value_counts
from tabnet_engine.figures.theme import format_number
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["profile_view", "serious_warnings"]

_ICONS = {
    Severity.SERIOUS: (msg("Serious"), ":material/report:", "red"),
    Severity.WARNING: (msg("Check"), ":material/warning:", "orange"),
    Severity.INFO: (msg("Note"), ":material/info:", "gray"),
}
_MOST_ASSOCIATED = 30
_TINY_BARS = 24
_DIGITS = 4  # three would make one of -124.35 and -123.6
_NAMES_OF_ROWS = (Kind.IDENTIFIER, Kind.TEXT)


def profile_view(profile: TableProfile, dataset_id: str) -> None:
    """Draw warnings, overview charts and one column in detail."""
    _warnings(profile)
    target = _shown_target(profile, dataset_id)
    _overview(profile, target, dataset_id)
    _all_columns(profile, dataset_id)
    _one_column(profile, target, dataset_id)
    widgets.notes(say("How this was measured"), profile.notes)


def serious_warnings(profile: TableProfile, dataset_id: str) -> None:
    """What would make a training worthless, such as a leak: said wherever a training can be started."""
    serious = [warning.text for warning in profile.warnings if warning.severity is Severity.SERIOUS]
    for text in serious:
        st.warning(widgets.as_sentence(widgets.said(text)), icon=":material/report:")
    if serious:
        shell.link(
            "dataset", say("Change the columns' roles"), icon=":material/tune:", dataset=dataset_id, view="Columns"
        )


def _warnings(profile: TableProfile) -> None:
    if not profile.warnings:
        widgets.success(say("Nothing in this table looks wrong"))
        return
    order = list(_ICONS)
    with st.container(border=True, gap="small"):
        st.markdown(say("**What to look at before training**"))
        for warning in sorted(profile.warnings, key=lambda item: order.index(item.severity)):
            label, icon, tone = _ICONS[warning.severity]
            with st.container(horizontal=True, vertical_alignment="top", gap="small", wrap=False):
                st.badge(say(label), icon=icon, color=tone)  # type: ignore[arg-type]
                st.markdown(widgets.as_sentence(widgets.said(warning.text)))


def _shown_target(profile: TableProfile, dataset_id: str) -> TargetProfile | None:
    """The target that the columns are compared with; asked only where there are several."""
    if len(profile.targets) < 2:
        return next(iter(profile.targets), None)
    names = [target.name for target in profile.targets]
    name = st.selectbox(say("Compare the columns with"), names, key=f"profile_target_{dataset_id}")
    return profile.targets[names.index(name)]


def _overview(profile: TableProfile, target: TargetProfile | None, dataset_id: str) -> None:
    left, right = st.columns(2, gap="medium")
    if target is not None:
        with left:
            widgets.chart(
                _associations(target),
                key=f"associations_{dataset_id}",
                alt=say("Association of each column with {name}", name=target.name),
                data=lambda: _association_rows(target),
            )
        with right:
            _target(profile, target, dataset_id)
    shares = {column.name: column.missing_share for column in profile.columns}
    if any(shares.values()):
        with right if target is not None else left:
            figure = missing_shares(shares, n_rows=profile.n_rows)
            alt = say("Share of missing values by column")
            rows = [(column.name, column.n_missing, column.missing_share) for column in profile.columns]
            columns = [say("Column"), say("Rows missing"), say("Share missing")]
            widgets.chart(
                figure, key=f"missing_{dataset_id}", alt=alt, data=lambda: pd.DataFrame(rows, columns=columns)
            )


def _target(profile: TableProfile, target: TargetProfile, dataset_id: str) -> None:
    if target.classes:
        figure = class_balance(target.classes, target.class_counts, target=target.name)
        counts = list(zip(target.classes, target.class_counts, strict=True))
        widgets.chart(
            figure,
            key=f"target_{dataset_id}",
            alt=say("Share of each class of {name}", name=target.name),
            data=lambda: pd.DataFrame(counts, columns=[say("Class"), say("Rows")]),
        )
    else:
        column = profile.column(target.name)
        widgets.chart(
            _column_figure(column),
            key=f"target_{dataset_id}",
            alt=say("Distribution of {name}", name=target.name),
            data=lambda: _distribution_rows(column),
        )


def _associations(target: TargetProfile) -> Any:
    measured = sorted(target.associations.items(), key=lambda item: -item[1].value)
    shown = measured[:_MOST_ASSOCIATED]
    return associations(
        [name for name, _ in shown],
        [item.value for _, item in shown],
        [widgets.said(item.measure) for _, item in shown],
        target=target.name,
        n_left_out=len(measured) - len(shown),
    )


def _all_columns(profile: TableProfile, dataset_id: str) -> None:
    st.subheader(say("Columns"), anchor=False)
    columns = profile.columns
    table = pd.DataFrame(
        {
            "column": [column.name for column in columns],
            "kind": [dataset_words.kind(column.kind) for column in columns],
            "shape": [_shape(column) for column in columns],
            "missing": [100 * column.missing_share for column in columns],
            "different": [column.n_unique for column in columns],
            **{name: [_value(column, name) for column in columns] for name in ("minimum", "median", "maximum")},
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=widgets.table_height(len(columns), 430),
        key=f"columns_{dataset_id}",
        column_config={
            "column": st.column_config.TextColumn(say("Column"), pinned=True),
            "kind": say("Kind"),
            "shape": st.column_config.BarChartColumn(say("Distribution"), width="small", y_min=0),
            "missing": st.column_config.NumberColumn(say("Missing, %"), format="%.2g"),
            "different": st.column_config.NumberColumn(
                say("Distinct"), format="localized", help=say("Different values")
            ),
            "minimum": say("Smallest"),
            "median": say("Middle"),
            "maximum": say("Largest"),
        },
    )


def _shape(column: ColumnProfile) -> list[int]:
    """Rows per bin or value for a tiny chart, neighbouring bins merged where they would be thinner than a pixel."""
    if column.kind in _NAMES_OF_ROWS:
        return []
    counts = list(column.histogram.counts if column.histogram else column.top_counts)
    merged = max(1, -(-len(counts) // _TINY_BARS))
    return [sum(counts[start : start + merged]) for start in range(0, len(counts), merged)]


def _value(column: ColumnProfile, name: str) -> str:
    value = getattr(column, name)
    if value is None:
        return ""
    if column.kind is Kind.DATETIME:
        return str(pd.Timestamp(value, unit="s").date())
    return format_number(value, _DIGITS)


def _one_column(profile: TableProfile, target: TargetProfile | None, dataset_id: str) -> None:
    names = [column.name for column in profile.columns]
    first = next((place for place, column in enumerate(profile.columns) if column.role is Role.FEATURE), 0)
    name = st.selectbox(say("Look at one column"), names, index=first, key=f"one_column_{dataset_id}")
    column = profile.column(name)
    facts = {say("Kind"): dataset_words.kind(column.kind), say("Missing"): f"{100 * column.missing_share:.3g} %"}
    facts[say("Different values")] = f"{column.n_unique:,}"
    if column.mean is not None and column.kind is Kind.NUMBER:
        facts[say("Mean")] = format_number(column.mean, _DIGITS)
        facts[say("Standard deviation")] = format_number(column.std, _DIGITS)
    association = None if target is None else target.associations.get(name)
    if association is not None:
        facts[say("Association ({measure})", measure=widgets.said(association.measure))] = f"{association.value:.2f}"
    widgets.metrics(facts)
    if column.kind in _NAMES_OF_ROWS:
        st.text(say("For example: {values}", values=" · ".join(column.top_values[:5])))
        return
    widgets.chart(
        _column_figure(column),
        key=f"distribution_{dataset_id}",
        alt=say("Distribution of {name}", name=name),
        data=lambda: _distribution_rows(column),
    )


def _association_rows(target: TargetProfile) -> pd.DataFrame:
    """Every column with its association, the strongest first: also those that the chart has no room for."""
    rows = [(name, item.value, widgets.said(item.measure)) for name, item in target.associations.items()]
    table = pd.DataFrame(rows, columns=["column", "value", "measure"]).sort_values("value", ascending=False)
    return table.set_axis([say("Column"), say("Association"), say("Measured by")], axis=1)


def _distribution_rows(column: ColumnProfile) -> pd.DataFrame:
    """What the chart of one column draws: rows by range, or by value."""
    if column.histogram is not None:
        edges = column.histogram.edges
        if column.kind is Kind.DATETIME:
            edges = [str(pd.Timestamp(edge, unit="s")) for edge in edges]
        return pd.DataFrame({say("From"): edges[:-1], say("To"): edges[1:], say("Rows"): column.histogram.counts})
    values, counts = list(column.top_values), list(column.top_counts)
    if column.n_other:
        values, counts = [*values, say("all other values")], [*counts, column.n_other]
    return pd.DataFrame({say("Value"): values, say("Rows"): counts})


def _column_figure(column: ColumnProfile) -> Any:
    missing = say_plural("{count} row missing", "{count:,} rows missing", column.n_missing)
    if not column.n_missing:
        missing = say("no row missing")
    if column.histogram is not None:
        edges, counts = column.histogram.edges, column.histogram.counts
        return distribution(column.name, edges, counts, kind=column.kind, subtitle=missing)
    return value_counts(
        column.name,
        column.top_values,
        column.top_counts,
        kind=column.kind,
        n_other=column.n_other,
        subtitle=say("{n_unique:,} different values, {missing}", n_unique=column.n_unique, missing=missing),
    )
