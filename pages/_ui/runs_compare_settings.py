"""What the compared runs were trained with and on, the differences marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import kept, runs_compare_access, widgets
from pages._ui.train_settings import label_of
from tabnet_engine.explain.comparison.settings import ORIGIN_NAMES, compare_columns, compare_origins, compare_settings
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.comparison.settings import SettingLine
    from tabnet_engine.runs.run import Run

__all__ = ["settings"]


def settings(runs: Sequence[Run]) -> None:
    """Settings, origins and columns; by default only what differs."""
    names = runs_compare_access.run_labels(list(runs))
    only = kept.toggle("changes", say("Only what differs"), default=True)
    _table(
        say("Settings"),
        compare_settings(runs),
        names,
        only=only,
        same=say("Every setting is the same."),
        key="compare_settings",
    )
    _table(
        say("Table, rows and time"),
        compare_origins(runs),
        names,
        only=only,
        same=say("Table, target and rows are the same."),
        key="compare_origins",
    )
    _columns(runs, names, only=only)


def _table(title: str, lines: Sequence[SettingLine], names: list[str], *, only: bool, same: str, key: str) -> None:
    st.subheader(title, anchor=False)
    n_different = sum(line.differs for line in lines)
    shown = [line for line in lines if line.differs or not only]
    if not n_different:
        st.caption(same)
    else:
        st.caption(say("{n_different} of {n_all} differ.", n_different=n_different, n_all=len(lines)))
    if not shown:
        return
    table = pd.DataFrame(
        {
            say("Setting"): [_name(line) for line in shown],
            say("Name"): [line.name for line in shown],
            **{name: [_value(line.values[place]) for line in shown] for place, name in enumerate(names)},
            say("Differs"): [line.differs for line in shown],
        }
    )
    st.dataframe(table, hide_index=True, key=key, height=widgets.table_height(len(table), 460))
    widgets.data_button(lambda: table, key=key)


def _name(line: SettingLine) -> str:
    return say(ORIGIN_NAMES[line.name]) if line.name in ORIGIN_NAMES else label_of(line.name)


def _value(value: str | None) -> str:
    if value is None:
        return "–"
    return say("automatic") if value == "automatic" else value


def _columns(runs: Sequence[Run], names: list[str], *, only: bool) -> None:
    uses = compare_columns([run.schema for run in runs])
    different = [use for use in uses if use.differs]
    st.subheader(say("Columns read"), anchor=False)
    if not different:
        st.caption(
            say_plural("All runs read the same {count} column.", "All runs read the same {count:,} columns.", len(uses))
        )
    else:
        st.caption(
            say_plural(
                "{count} column is not read alike by all runs.",
                "{count:,} columns are not read alike by all runs.",
                len(different),
            )
        )
    shown = different if only else uses
    if not shown:
        return
    table = pd.DataFrame(
        {
            say("Column"): [use.name for use in shown],
            **{
                name: [say("not read") if use.kinds[place] is None else use.kinds[place] for use in shown]
                for place, name in enumerate(names)
            },
        }
    )
    st.dataframe(table, hide_index=True, key="compare_columns", height=widgets.table_height(len(table), 320))
    widgets.data_button(lambda: table, key="compare_columns")
