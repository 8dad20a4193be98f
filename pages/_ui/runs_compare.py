"""Two or more runs side by side: which runs, and which part of the comparison is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import (
    data_access,
    kept,
    runs_compare_access,
    runs_compare_decisions,
    runs_compare_importance,
    runs_compare_reasons,
    runs_compare_rows,
    runs_compare_scores,
    runs_compare_settings,
    state,
    widgets,
)
from tabnet_engine.errors import DamagedRunError
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["compare_view"]

_SEPARATOR = "~"
_MOST_OTHERS = 4
_PARTS = {
    "scores": msg("Scores"),
    "curves": msg("Curves"),
    "settings": msg("Settings"),
    "importances": msg("Importances"),
    "decisions": msg("Decisions"),
    "reasons": msg("Reasons"),
}


def compare_view(run: Run) -> None:
    """The runs to compare with, then the part of the comparison that was chosen."""
    names = {run_id: name for run_id, name in data_access.all_run_names().items() if run_id != run.run_id}
    if not names:
        widgets.empty_state(
            say("One run only"),
            say("A comparison needs a second run: train again with other settings, another table or another seed."),
            page="train",
            label=say("Train another one"),
        )
        return
    others = _others(run, names)
    if not others:
        widgets.info(say("Choose at least one run to compare with"))
        return
    part = kept.tabs("part", say("What is compared"), {key: say(text) for key, text in _PARTS.items()})
    runs = [run, *others]
    if part == "curves":
        runs_compare_scores.curves(runs)
    elif part == "settings":
        runs_compare_settings.settings(runs)
    elif part == "importances":
        runs_compare_importance.importances(runs)
    else:
        _on_the_same_rows(part, run, others)


def _on_the_same_rows(part: str, run: Run, others: list[Run]) -> None:
    """Scores, decisions or reasons, and the way to compute them anew for one other run."""
    if part == "scores":
        runs_compare_scores.scores([run, *others])
        if len(others) == 1:
            runs_compare_rows.anew(run, others[0])
        return
    other = _against(others)
    section = runs_compare_decisions.decisions if part == "decisions" else runs_compare_reasons.reasons
    section(run, other)
    runs_compare_rows.anew(run, other)


def _others(run: Run, names: dict[str, str]) -> list[Run]:
    """The runs that are set beside the chosen one; kept in the address as ids."""
    asked = state.asked("with")
    default = [_likeliest(run, names)]
    start = default if asked is None else [item for item in asked.split(_SEPARATOR) if item in names][:_MOST_OTHERS]
    text = _SEPARATOR.join(start)
    chosen = st.multiselect(
        say("Compared with"),
        list(names),
        default=start,
        format_func=lambda item: names[item],
        max_selections=_MOST_OTHERS,
        placeholder=say("Choose"),
        key=state.choice_key("with", text),
        help=say("Up to {most} runs; each is compared with the one that is chosen above.", most=_MOST_OTHERS),
    )
    now = _SEPARATOR.join(chosen)
    state.keep_chosen("with", now)
    state.keep_asked("with", now, is_default=now == _SEPARATOR.join(default))
    return [opened for item in chosen if (opened := _opened(item)) is not None]


def _opened(run_id: str) -> Run | None:
    """The run; None, with the reason, when it is damaged."""
    try:
        return data_access.run(run_id)
    except DamagedRunError as error:
        widgets.error(str(error))
        return None


def _likeliest(run: Run, names: dict[str, str]) -> str:
    """The newest other run of the same table and target, else of the same table, else the newest."""
    mine = run.manifest
    manifests = {item.run_id: item.manifest for item in data_access.runs() if item.run_id in names and item.manifest}
    of_table = [key for key, other in manifests.items() if other.dataset.sha256 == mine.dataset.sha256]
    of_target = [key for key in of_table if manifests[key].target == mine.target]
    return next(iter([*of_target, *of_table, *manifests]))


def _against(others: list[Run]) -> Run:
    """One of several other runs, for what is compared row by row."""
    if len(others) == 1:
        return others[0]
    labels = runs_compare_access.run_labels(others)
    options = {run.run_id: label for run, label in zip(others, labels, strict=True)}
    chosen = kept.choice("against", say("Row by row with"), options)
    return next(run for run in others if run.run_id == chosen)
