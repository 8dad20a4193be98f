"""Searching for counterfactuals in place: progress, a limit of time, and the last answers of the visit."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import decision_models, state, widgets
from tabnet_engine.texts.speaking import ENGLISH, say, say_plural, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabnet_engine.explain.counterfactual.constraints import Constraints
    from tabnet_engine.explain.counterfactual.result import CounterfactualResult
    from tabnet_engine.explain.counterfactual.settings import SearchSettings
    from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
    from tabnet_engine.runs.run import Run

__all__ = ["Question"]

_FOUND = "counterfactuals_found"
_MOST_KEPT = 12
_QUICK = 2.0  # seconds: a search that was as quick is made again at once when its limits change
_TICK = 0.2  # seconds between two drawings of the progress


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked about one row."""

    run: Run
    row: int
    wanted: WantedOutcome
    constraints: Constraints
    settings: SearchSettings

    def answer(self) -> CounterfactualResult | None:
        """The answer, searched for when the visitor asks or has asked; None before.

        Raises:
            UserError: limits that contradict each other.
        """
        found = state.slot(_FOUND)
        is_wanted = self._is_wanted(found)
        if self._digest not in found and not is_wanted:
            return None
        answer = self.found()
        state.keep_asked("find", "1", is_default=False)
        return answer

    def found(self) -> CounterfactualResult:
        """The answer, searched for now unless this visit has it; raises as :meth:`answer` does."""
        found = state.slot(_FOUND)
        if self._digest not in found:
            began = time.monotonic()
            found[self._digest] = self._search()
            found[f"seconds {self.run.run_id}"] = time.monotonic() - began
            while len(found) > _MOST_KEPT:
                del found[next(iter(found))]
        answer: CounterfactualResult = found[self._digest]
        return answer

    def _is_wanted(self, found: dict[str, Any]) -> bool:
        """Whether to search now: the button, a link to an answer, or limits changed after a quick search."""
        seconds = found.get(f"seconds {self.run.run_id}")
        pressed = st.button(
            say("Find proposals"), type="primary", icon=":material/search:", key=f"find_{self.run.run_id}_{self.row}"
        )
        if pressed:
            return True
        if seconds is None:
            return state.asked("find") == "1"
        return seconds < _QUICK and state.asked("find") == "1"

    def _search(self) -> CounterfactualResult:
        from tabnet_engine.explain.counterfactual.finding import find_counterfactuals
        from tabnet_engine.explain.subject import Steering

        place = st.empty()
        with speaking(ENGLISH):  # it is kept, and said in any language later
            found = find_counterfactuals(
                decision_models.scorer(self.run),
                decision_models.reference(self.run),
                decision_models.one_line(self.run, self.row),
                self.wanted,
                constraints=self.constraints,
                settings=self.settings,
                row_number=self.row,
                steering=Steering(progress=_progress(place, self.settings.seconds or 1.0, state.language())),
            )
        place.empty()
        return found

    @property
    def _digest(self) -> str:
        asked = [
            self.run.run_id,
            self.row,
            self.wanted.to_mapping(),
            self.constraints.to_mapping(),
            self.settings.to_mapping(),
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _progress(place: Any, seconds: float, language: str) -> Callable[[int, int], None]:
    """Draws how many candidates were scored, and how much of the time is over."""
    began = last = time.monotonic()

    def draw(done: int, _: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _TICK:
            return
        last = now
        with speaking(language):
            text = say_plural(
                "{count} candidate is scored; at most {seconds:g} s in all",
                "{count:,} candidates are scored; at most {seconds:g} s in all",
                done,
                seconds=seconds,
            )
        place.progress(min((now - began) / seconds, 1.0), text=widgets.md(text))

    return draw
