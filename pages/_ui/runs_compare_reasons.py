"""Which reasons changed from one run to another on the same rows: by what was read, and by what moved the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import (
    explain_widgets,
    kept,
    measures,
    runs_compare_access,
    runs_compare_open,
    runs_compare_rows,
    widgets,
)
from tabnet_engine.explain.comparison.reasons import reason_changes, reason_rows
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.wording import percent
from tabnet_engine.figures.comparison import leading_shares
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from pages._ui.runs_compare_access import Pair
    from tabnet_engine.explain.comparison.reasons import PairedReasons, ReasonChanges
    from tabnet_engine.runs.run import Run

__all__ = ["reasons"]

_FEWEST_ROWS = 10
_SHOWN_MOVES = 10


def reasons(first: Run, second: Run) -> None:
    """How many rows keep their leading columns, which columns lead more or less often, and the rows that changed."""
    pair = runs_compare_rows.chosen_pair(first, second, with_reasons=True)
    if pair is None:
        return
    by_method = {one.method: one for one in pair.evidence.reasons}
    if not by_method:
        widgets.info(say("No row is explained in both runs; compare anew, and the same rows are explained in both"))
        return
    method = kept.choice("method", say("Reasons by"), {name: say(METHOD_NAMES[name]) for name in by_method})
    names = runs_compare_access.run_labels([first, second])
    _by(pair, by_method[method], names)


def _by(pair: Pair, rows: PairedReasons, names: list[str]) -> None:
    changes = reason_changes(rows, top_k=runs_compare_access.TOP_K)
    st.subheader(say("Changed reasons"), anchor=False, help=measures.help_text("changed_reason"))
    for note in changes.notes:
        st.caption(widgets.md(widgets.said(note)))
    if changes.n_rows < _FEWEST_ROWS:
        widgets.info(
            say("So few rows say little; compare anew, and as many rows as you wish are explained in both runs")
        )
    if pair.evidence.label and rows.is_signed:
        st.caption(say("Pushes are on the score of the class {label}.", label=widgets.md(pair.evidence.label)))
    explain_widgets.bullets(_sentences(changes, names))
    table = _shares_table(changes, names)
    widgets.chart(
        leading_shares(changes, first=names[0], second=names[1]),
        key=f"leading_{rows.method}",
        alt=" ".join(_sentences(changes, names)),
        data=lambda: table,
    )
    _moves(changes, names)
    _rows(pair, rows, names)


def _sentences(changes: ReasonChanges, names: list[str]) -> list[str]:
    same, shared = (explain_widgets.estimate_text(one, percent) for one in (changes.same_first, changes.overlap))
    found = [
        say("The leading column is the same in {share} of the rows.", share=same),
        say("On average the runs share {share} of the up to {top_k} leading columns that either names.",
            share=shared, top_k=changes.top_k),
    ]  # fmt: skip
    if changes.opposite is not None:
        found.append(
            say("In {share} of the rows a column that leads in both pushes the other way.",
                share=explain_widgets.estimate_text(changes.opposite, percent))
        )  # fmt: skip
    largest = next((one for one in changes.shares if _is_sure(one.difference.low, one.difference.high)), None)
    if largest is not None:
        found.append(
            say("The largest change: {column} leads in {before} of the rows by {first} and in {after} by {second}.",
                column=largest.feature, before=percent(largest.first), after=percent(largest.second),
                first=names[0], second=names[1])
        )  # fmt: skip
    return found


def _is_sure(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and not low <= 0 <= high


def _shares_table(changes: ReasonChanges, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            say("Column"): [share.feature for share in changes.shares],
            names[0]: [share.first for share in changes.shares],
            names[1]: [share.second for share in changes.shares],
            say("Difference"): [share.difference.value for share in changes.shares],
            say("Low"): [share.difference.low for share in changes.shares],
            say("High"): [share.difference.high for share in changes.shares],
        }
    )


def _moves(changes: ReasonChanges, names: list[str]) -> None:
    """The leading column of each run, by the number of rows."""
    if not changes.moves:
        return
    st.markdown(f"**{say('The leading column, from one run to the other')}**")
    shown = changes.moves[:_SHOWN_MOVES]
    table = pd.DataFrame(
        {
            say("Leads by {run}", run=names[0]): [move[0] for move in shown],
            say("Leads by {run}", run=names[1]): [move[1] for move in shown],
            say("Rows"): [f"{move[2]:,}" for move in shown],
        }
    )
    widgets.text_table(table, alt=say("Leading column by the first and by the second run, with the number of rows"))
    if len(changes.moves) > len(shown):
        st.caption(
            say_plural(
                "{count} rarer pair is left out here.",
                "{count:,} rarer pairs are left out here.",
                len(changes.moves) - len(shown),
            )
        )


def _rows(pair: Pair, rows: PairedReasons, names: list[str]) -> None:
    """Rows whose leading columns are not the same, those that share least first."""
    st.subheader(say("The rows"), anchor=False)
    top_k = runs_compare_access.TOP_K
    changed = np.flatnonzero(rows.changed(top_k))
    if not len(changed):
        widgets.info(say("Every row has the same leading columns in both runs"))
        return
    table = reason_rows(rows, changed, top_k=top_k).sort_values("shared", kind="stable")
    st.caption(
        say_plural(
            "{count} row has other leading columns, those that share least first.",
            "{count:,} rows have other leading columns, those that share least first.",
            len(changed),
        )
    )
    words = {
        "row": say("row"),
        "first": say("leading by {run}", run=names[0]),
        "second": say("leading by {run}", run=names[1]),
        "shared": say("shared"),
    }
    shown = table.head(runs_compare_open.MOST_ROWS).rename(columns=words)
    runs_compare_open.row_list(
        pair, shown, n_all=len(table), key=f"reason_rows_{rows.method}", everything=lambda: table
    )
