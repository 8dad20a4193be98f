"""Which other outcome is asked for: a class, any other class, or a range of a number; kept in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_widgets, kept, widgets
from pages._ui.labels import label
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.counterfactual.wanted import (
    typed_range,
    wanted_class,
    wanted_other_class,
)
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
    from tabnet_engine.runs.run import Run

__all__ = ["wanted_outcome"]

_OTHER = "other"


def wanted_outcome(run: Run, logits: npt.ArrayLike, output: int) -> WantedOutcome | None:
    """Let the visitor choose an outcome that a row does not have.

    Args:
        run: the run.
        logits: the row's own (K).
        output: an output of the target that is asked about.

    Returns:
        The outcome; None while no range is named.
    """
    codec = explain_widgets.target_of(run, output)[0]
    now = wanted_other_class(run.targets, logits, target=codec.name) if codec.task is not Task.REGRESSION else None
    if now is None:
        return _range(run, codec.name)
    present = codec.classes[now.other_than or 0]
    others = {str(code): name for code, name in enumerate(codec.classes) if name != present}
    options = others if len(others) == 1 else {_OTHER: say("any other than {name}", name=present), **others}
    chosen = kept.choice(
        "wanted",
        say("Wanted {target}", target=label(codec.name)),
        options,
        help_text=say("The row is given another one now; which one should it be?"),
    )
    if chosen == _OTHER:
        return now
    return wanted_class(run.targets, codec.classes[int(chosen)], target=codec.name)


def _range(run: Run, target: str) -> WantedOutcome | None:
    with st.container(horizontal=True):
        low = kept.text("wanted_from", say("Wanted {target} at least", target=label(target)))
        high = kept.text("wanted_to", say("Wanted {target} at most", target=label(target)))
    found = typed_range(run.targets, low, high, target=target)
    if found is None:
        widgets.info(say("Name the lowest or the highest wanted value, or both."))
    return found
