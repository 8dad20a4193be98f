"""The profile of a table: warnings first, then the target, then every column."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages._ui import shell, widgets
from tabnet_engine.data.profile import ColumnProfile, Severity, TableProfile, TargetProfile
from tabnet_engine.data.schema import Kind, Role
from tabnet_engine.figures.profile import associations, class_balance, distribution, missing_shares, value_counts
from tabnet_engine.figures.theme import format_number

__all__ = ["profile_view", "serious_warnings"]

_ICONS = {
    Severity.SERIOUS: ("Serious", ":material/report:", "red"),
    Severity.WARNING: ("Check", ":material/warning:", "orange"),
    Severity.INFO: ("Note", ":material/info:", "gray"),
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
    widgets.notes("How this was measured", profile.notes)


def serious_warnings(profile: TableProfile, dataset_id: str) -> None:
    """What would make a training worthless, such as a leak: said wherever a training can be started."""
    serious = [warning.text for warning in profile.warnings if warning.severity is Severity.SERIOUS]
    for text in serious:
        st.warning(widgets.as_sentence(text), icon=":material/report:")
    if serious:
        shell.link("dataset", "Change the columns' roles", icon=":material/tune:", dataset=dataset_id, view="Columns")


def _warnings(profile: TableProfile) -> None:
    if not profile.warnings:
        widgets.success("Nothing in this table looks wrong")
        return
    order = list(_ICONS)
    with st.container(border=True, gap="small"):
        st.markdown("**What to look at before training**")
        for warning in sorted(profile.warnings, key=lambda item: order.index(item.severity)):
            label, icon, tone = _ICONS[warning.severity]
            with st.container(horizontal=True, vertical_alignment="top", gap="small", wrap=False):
                st.badge(label, icon=icon, color=tone)  # type: ignore[arg-type]
                st.markdown(widgets.as_sentence(warning.text))


def _shown_target(profile: TableProfile, dataset_id: str) -> TargetProfile | None:
    """The target that the columns are compared with; asked only where there are several."""
    if len(profile.targets) < 2:
        return next(iter(profile.targets), None)
    names = [target.name for target in profile.targets]
    name = st.selectbox("Compare the columns with", names, key=f"profile_target_{dataset_id}")
    return profile.targets[names.index(name)]


def _overview(profile: TableProfile, target: TargetProfile | None, dataset_id: str) -> None:
    left, right = st.columns(2, gap="medium")
    if target is not None:
        with left:
            widgets.chart(
                _associations(target),
                key=f"associations_{dataset_id}",
                alt=f"Association of each column with {target.name}",
            )
        with right:
            _target(profile, target, dataset_id)
    shares = {column.name: column.missing_share for column in profile.columns}
    if any(shares.values()):
        with right if target is not None else left:
            figure = missing_shares(shares, n_rows=profile.n_rows)
            widgets.chart(figure, key=f"missing_{dataset_id}", alt="Share of missing values by column")


def _target(profile: TableProfile, target: TargetProfile, dataset_id: str) -> None:
    if target.classes:
        figure = class_balance(target.classes, target.class_counts, target=target.name)
        widgets.chart(figure, key=f"target_{dataset_id}", alt=f"Share of each class of {target.name}")
    else:
        figure = _column_figure(profile.column(target.name))
        widgets.chart(figure, key=f"target_{dataset_id}", alt=f"Distribution of {target.name}")


def _associations(target: TargetProfile) -> Any:
    measured = sorted(target.associations.items(), key=lambda item: -item[1].value)
    shown = measured[:_MOST_ASSOCIATED]
    return associations(
        [name for name, _ in shown],
        [item.value for _, item in shown],
        [item.measure for _, item in shown],
        target=target.name,
        n_left_out=len(measured) - len(shown),
    )


def _all_columns(profile: TableProfile, dataset_id: str) -> None:
    st.subheader("Columns", anchor=False)
    columns = profile.columns
    table = pd.DataFrame(
        {
            "column": [column.name for column in columns],
            "kind": [str(column.kind) for column in columns],
            "shape": [_shape(column) for column in columns],
            "missing": [100 * column.missing_share for column in columns],
            "different": [column.n_unique for column in columns],
            **{name: [_value(column, name) for column in columns] for name in ("minimum", "median", "maximum")},
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(columns), 430),
        key=f"columns_{dataset_id}",
        column_config={
            "column": st.column_config.TextColumn("Column", pinned=True),
            "kind": "Kind",
            "shape": st.column_config.BarChartColumn("Distribution", width="small", y_min=0),
            "missing": st.column_config.NumberColumn("Missing, %", format="%.2g"),
            "different": st.column_config.NumberColumn("Distinct", format="localized", help="Different values"),
            "minimum": "Smallest",
            "median": "Middle",
            "maximum": "Largest",
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
    name = st.selectbox("Look at one column", names, index=first, key=f"one_column_{dataset_id}")
    column = profile.column(name)
    facts = {"Kind": str(column.kind), "Missing": f"{100 * column.missing_share:.3g} %"}
    facts["Different values"] = f"{column.n_unique:,}"
    if column.mean is not None and column.kind is Kind.NUMBER:
        facts |= {"Mean": format_number(column.mean, _DIGITS), "Standard deviation": format_number(column.std, _DIGITS)}
    association = None if target is None else target.associations.get(name)
    if association is not None:
        facts[f"Association ({association.measure})"] = f"{association.value:.2f}"
    widgets.metrics(facts)
    if column.kind in _NAMES_OF_ROWS:
        st.text(f"For example: {' · '.join(column.top_values[:5])}")
        return
    widgets.chart(_column_figure(column), key=f"distribution_{dataset_id}", alt=f"Distribution of {name}")


def _column_figure(column: ColumnProfile) -> Any:
    missing = f"{column.n_missing:,} rows missing" if column.n_missing else "no row missing"
    if column.histogram is not None:
        edges, counts = column.histogram.edges, column.histogram.counts
        return distribution(column.name, edges, counts, kind=column.kind, subtitle=missing)
    return value_counts(
        column.name,
        column.top_values,
        column.top_counts,
        kind=column.kind,
        n_other=column.n_other,
        subtitle=f"{column.n_unique:,} different values, {missing}",
    )
