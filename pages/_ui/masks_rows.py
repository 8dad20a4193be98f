"""Which of the explained rows the masks page shows: by part of the table, by archetype and by a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import explain_access, explain_widgets, kept, measures, row_filter, state, widgets
from tabnet_engine.explain.row_outcomes import SPLIT_NAMES
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabnet_engine.explain.archetypes import Archetypes
    from tabnet_engine.explain.masks import MaskExplanation
    from tabnet_engine.explain.row_outcomes import RowOutcomes
    from tabnet_engine.runs.run import Run

__all__ = ["ShownRows", "archetypes_of", "archetypes_version", "choose", "extent", "nothing"]

_ANY = "any"
_PARTS = {
    "training": msg("training rows"),
    "validation": msg("validation rows"),
    "test": msg("test rows"),
    "not used": msg("rows not used in training or testing"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ShownRows:
    """The rows that are shown.

    ``positions`` are their places among the explained rows, None for all of these; ``key`` names them in caches;
    ``words`` are what they were chosen by, none where nothing narrows them.
    """

    run: Run
    explanation: MaskExplanation
    positions: npt.NDArray[np.int64] | None
    key: str
    words: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """How many rows are shown."""
        return self.explanation.n_rows if self.positions is None else len(self.positions)

    def outcomes(self, output: int) -> RowOutcomes | None:
        """Prediction and outcome of all explained rows, of the target that an output belongs to."""
        return explain_access.outcomes(self.run, explain_widgets.target_of(self.run, output)[0].name)


def choose(run: Run, explanation: MaskExplanation) -> ShownRows:
    """Let the user narrow the rows; without the run's table all of them are shown."""
    outcomes, found = explain_access.outcomes(run), archetypes_of(run, explanation)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        part = _part(outcomes)
        archetype = _archetype(found)
    chosen = row_filter.filter_box(run)
    if explain_access.frame(run) is None:
        explain_widgets.table_gone(run)
    passing: list[npt.NDArray[np.bool_]] = []
    words, key = [], []
    if part is not None and outcomes is not None:
        passing.append(outcomes.split == SPLIT_NAMES.index(part))
        words.append(say(_PARTS[part]))
        key.append(f"part={part}")
    if archetype is not None and found is not None:
        passing.append(found.codes == archetype)
        words.append(say("rows of the kind “{name}”", name=widgets.said(found.names[archetype])))
        key.append(f"archetype={archetypes_version(run)}:{archetype}")
    if chosen is not None:
        passing.append(chosen.mask[explanation.rows])
        words.append(chosen.words)
        key.append(f"where={chosen.words}")
    positions = np.flatnonzero(np.logical_and.reduce(passing)).astype(np.int64) if passing else None
    return ShownRows(run=run, explanation=explanation, positions=positions, key="\n".join(key), words=tuple(words))


def _part(outcomes: RowOutcomes | None) -> str | None:
    if outcomes is None:
        return None
    counts = np.bincount(outcomes.split, minlength=len(SPLIT_NAMES))
    present = {name: say(_PARTS[name]) for name, count in zip(SPLIT_NAMES, counts, strict=True) if count}
    chosen = kept.choice(
        "part",
        say("Rows"),
        {_ANY: say("all rows"), **present},
        help_text=say("The part of the table that the rows belong to."),
    )
    return None if chosen == _ANY else chosen


def _archetype(found: Archetypes | None) -> int | None:
    if found is None:
        return None
    names = {str(place + 1): widgets.said(name) for place, name in enumerate(found.names)}
    chosen = kept.choice(
        "archetype",
        say("Way of reading"),
        {_ANY: say("any way of reading"), **names},
        help_text=measures.help_text("archetype"),
    )
    return None if chosen == _ANY else int(chosen) - 1


def archetypes_version(run: Run) -> str:
    """What names the archetypes in a cache; a new name of one changes it too."""
    return explain_access.version(run, "explanations/archetypes.json")


def archetypes_of(run: Run, explanation: MaskExplanation) -> Archetypes | None:
    """The archetypes of exactly the explained rows; None without."""
    found = explain_access.archetypes(run)
    return found if found is not None and np.array_equal(found.rows, explanation.rows) else None


def extent(shown: ShownRows) -> str:
    """How many rows are shown, of which, in one sentence."""
    explanation = shown.explanation
    if shown.positions is None:
        return say(
            "Shown are all {n_rows:,} rows whose masks are stored ({which}).",
            n_rows=explanation.n_rows,
            which=widgets.said(explanation.selection),
        )
    return say(
        "Shown are {n_shown:,} of {n_rows:,} rows whose masks are stored: {words}.",
        n_shown=shown.n_rows,
        n_rows=explanation.n_rows,
        words="; ".join(shown.words),
    )


def nothing(shown: ShownRows) -> bool:
    """Say so when no row passes what was chosen, with the way back to all; whether that is the case."""
    if shown.n_rows:
        return False
    with st.container(border=True, gap="small"):
        st.subheader(say("No row passes the filter"), anchor=False)
        st.write(widgets.md(say("No explained row is all of this: {words}.", words="; ".join(shown.words))))
        if st.button(say("Show all rows"), icon=":material/filter_alt_off:", key="masks_show_all"):
            for name in ("part", "archetype", "where"):
                state.keep_asked(name, "", is_default=True)
            st.rerun()
    return True
