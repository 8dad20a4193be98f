"""Which decisions changed from one run to another on the same rows, and the rows themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import (
    explain_widgets,
    kept,
    measures,
    row_filter,
    runs_compare_access,
    runs_compare_open,
    runs_compare_rows,
    widgets,
)
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.decisions import (
    changed_positions,
    decision_rows,
    prediction_shift,
    transitions,
)
from tabnet_engine.figures.comparison import shift_histogram, transition_map
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from pages._ui.runs_compare_access import Pair
    from tabnet_engine.explain.comparison.decisions import PredictionShift, Transitions
    from tabnet_engine.explain.comparison.rows import PairedScores
    from tabnet_engine.runs.run import Run

__all__ = ["decisions"]

_ANY = ""


def decisions(first: Run, second: Run) -> None:
    """The map of changes, what they did to the outcome, and the rows that changed."""
    pair = runs_compare_rows.chosen_pair(first, second)
    if pair is None:
        return
    rows = _rows(pair)
    if rows is None:
        return
    names = runs_compare_access.run_labels([first, second])
    if pair.evidence.target.task is Task.REGRESSION:
        _quantity(pair, rows, names)
    else:
        _classes(pair, rows, names)


def _rows(pair: Pair) -> PairedScores | None:
    """The rows to look at: held-out ones unless all are wanted, and of these what a condition leaves."""
    everything = kept.toggle(
        "all",
        say("Rows that a run learned from too"),
        help_text=say("Without it only rows are counted that neither run learned from, which judges both fairly."),
    )
    rows = pair.evidence.scores if everything else pair.found.judged
    if rows is None:
        return None
    if everything:
        st.caption(widgets.md(widgets.said(rows.origin)))
    else:
        runs_compare_rows.rows_caption(pair)
    if pair.is_own_table:
        chosen = row_filter.filter_box(pair.first)
        if chosen is not None:
            rows = rows.take(chosen.mask[rows.rows])
    if not rows.n_rows:
        widgets.info(
            say("None of these rows is left to compare; loosen the condition, or take the rows of the training too")
        )
        return None
    return rows


def _classes(pair: Pair, rows: PairedScores, names: list[str]) -> None:
    moves = transitions(rows)
    st.subheader(say("Changed decisions"), anchor=False, help=measures.help_text("changed_decision"))
    explain_widgets.bullets(_sentences(moves, names))
    table = moves.table()
    widgets.chart(
        transition_map(moves, first=names[0], second=names[1]),
        key="transitions",
        alt=" ".join(_sentences(moves, names)),
        data=lambda: table,
    )
    classes = {_ANY: say("any class"), **{name: name for name in rows.target.classes}}
    left, right = st.columns(2)
    with left:
        before = kept.choice("from", say("Class by {run}", run=names[0]), classes)
    with right:
        after = kept.choice("to", say("Class by {run}", run=names[1]), classes)
    positions = changed_positions(rows, from_class=before or None, to_class=after or None)
    _listed(pair, rows, positions, names)


def _sentences(moves: Transitions, names: list[str]) -> list[str]:
    """How many changed, and whether for better or worse."""
    share = explain_widgets.estimate_text(moves.changed, explain_widgets.share_text)
    found = [
        say("{n_changed:,} of {n_rows:,} rows are decided otherwise by {second}: {share}.",
            n_changed=moves.n_changed, n_rows=moves.n_rows, second=names[1], share=share)
    ]  # fmt: skip
    if moves.p_value is None:
        return [
            *found,
            say("No outcome of these rows is known, so whether the changes are for the better cannot be said."),
        ]
    counts = {"n_corrected": moves.n_corrected, "n_spoiled": moves.n_spoiled, "n_both_wrong": moves.n_both_wrong}
    found.append(
        say("{n_corrected:,} wrong decisions became right, {n_spoiled:,} right ones became wrong, and {n_both_wrong:,} "
            "went from one wrong class to another.", **counts)
    )  # fmt: skip
    if moves.n_corrected + moves.n_spoiled == 0:
        return found
    verdict = {"p": f"= {moves.p_value:.3f}" if moves.p_value >= 0.001 else "< 0.001"}
    if moves.p_value < 0.05:
        found.append(say("As uneven a split would hardly come by chance (exact McNemar test, p {p}).", **verdict))
    else:
        found.append(say("Such a split may well come by chance (exact McNemar test, p {p}).", **verdict))
    return found


def _quantity(pair: Pair, rows: PairedScores, names: list[str]) -> None:
    shift = prediction_shift(rows)
    st.subheader(say("Changed predictions"), anchor=False)
    unit = explain_widgets.unit(pair.first, pair.evidence.target.output(pair.first.targets, "")[0])
    explain_widgets.bullets(_shift_sentences(shift, names))
    edges = np.asarray(shift.edges)
    numbers = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "rows": shift.counts})
    widgets.chart(
        shift_histogram(shift, unit=unit),
        key="shift",
        alt=" ".join(_shift_sentences(shift, names)),
        data=lambda: numbers,
    )
    _listed(pair, rows, changed_positions(rows), names)


def _shift_sentences(shift: PredictionShift, names: list[str]) -> list[str]:
    found = [
        say("The predictions of {second} are {mean} from those of {first} on average, and {size} in size.",
            second=names[1], first=names[0], mean=explain_widgets.estimate_text(shift.mean),
            size=explain_widgets.estimate_text(shift.size)),
        say("Half of the rows moved by {low} to {high}.", low=widgets.number(shift.quantiles[1]),
            high=widgets.number(shift.quantiles[3])),
    ]  # fmt: skip
    if shift.nearer.value is not None:
        share = explain_widgets.estimate_text(shift.nearer, explain_widgets.share_text)
        found.append(
            say("{second} is nearer to what really came in {share} of the rows.", second=names[1], share=share)
        )
    return found


def _listed(pair: Pair, rows: PairedScores, positions: np.ndarray, names: list[str]) -> None:
    """The rows, the largest change of the score first."""
    st.subheader(say("The rows"), anchor=False)
    if not len(positions):
        widgets.info(say("No row changed in this way"))
        return
    st.caption(
        say_plural(
            "{count} row, the largest change of the score first.",
            "{count:,} rows, the largest change of the score first.",
            len(positions),
        )
    )
    shown = decision_rows(rows, positions[: runs_compare_open.MOST_ROWS])
    runs_compare_open.row_list(
        pair,
        shown.rename(columns=_words(names)),
        n_all=len(positions),
        key="changed_rows",
        everything=lambda: decision_rows(rows, positions),
    )


def _words(names: list[str]) -> dict[str, str]:
    return {
        "row": say("row"),
        "first": say("by {run}", run=names[0]),
        "second": say("by {run}", run=names[1]),
        "actual": say("really"),
        "first_probability": say("probability by {run}", run=names[0]),
        "second_probability": say("probability by {run}", run=names[1]),
        "change": say("change"),
    }
