"""Effects of columns: what the run stores, and what is measured while the reader waits, cached by the run's version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access, importance_data
from tabnet_engine.explain.effects.overview import EffectOverview, leading_effects
from tabnet_engine.explain.effects.stored import has_effects, load_effects
from tabnet_engine.texts.speaking import ENGLISH, say, speaking

if TYPE_CHECKING:
    from tabnet_engine.explain.effects.interaction_result import EffectSurface, Interactions
    from tabnet_engine.explain.effects.source import EffectSource
    from tabnet_engine.runs.run import Run

__all__ = [
    "curves",
    "is_stored",
    "known_interactions",
    "measured_interactions",
    "partners",
    "seconds",
    "surface",
]


def is_stored(run: Run, column: str) -> bool:
    """Whether the run's own explanation holds the effect of a column."""
    found = _stored(importance_data.digest(run), run)
    return found is not None and column in found.columns


def curves(run: Run, column: str) -> EffectOverview | None:
    """Both curves of one column: stored, else measured now; None without the run's table.

    Raises:
        UserError: the column cannot be measured.
    """
    version = importance_data.digest(run)
    found = _stored(version, run)
    if found is not None and column in found.columns:
        return found
    source = _source(version, run)
    if source is None:
        return None
    with st.spinner(say("Measuring the effect of this column")):
        return _measured_curves(version, column, source)


@st.cache_resource(show_spinner=False, max_entries=8)
def _stored(version: str, _run: Run) -> EffectOverview | None:  # noqa: ARG001 - the cache's key
    return load_effects(_run) if has_effects(_run) else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _source(version: str, _run: Run) -> EffectSource | None:  # noqa: ARG001 - as above
    """The loaded network over the held-out rows; None without the table or those rows."""
    from tabnet_engine.explain.effects.at_once import source_of
    from tabnet_engine.explain.evaluation import has_evaluation

    frame, loaded = explain_access.frame(_run), explain_access.explainer(_run)
    if frame is None or loaded is None or not has_evaluation(_run):
        return None
    return source_of(_run, frame, loaded.subject)


@st.cache_resource(show_spinner=False, max_entries=64)
def _measured_curves(version: str, column: str, _measured: EffectSource) -> EffectOverview:  # noqa: ARG001 - as above
    with speaking(ENGLISH):
        return leading_effects(_measured, [column])


def partners(column: str, ranked: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that one is tried with."""
    from tabnet_engine.explain.effects.at_once import partners_of

    return partners_of(column, ranked)


def known_interactions(run: Run, column: str, others: tuple[str, ...]) -> Interactions | None:
    """Pairs of a column that are stored with the run, or were measured in this process; None when neither."""
    found = _stored(importance_data.digest(run), run)
    if found is not None and found.interactions is not None and column in found.interactions.columns:
        return found.interactions
    return _kept_interactions().get((importance_data.digest(run), column, others))


@st.cache_resource(show_spinner=False, max_entries=1)
def _kept_interactions() -> dict[tuple[str, str, tuple[str, ...]], Interactions]:
    """What was measured, by run, column and partners; asked for first, so that nobody waits twice."""
    return {}


def seconds(run: Run, n_partners: int) -> float | None:
    """About how long it takes to measure the pairs of a column here; None when they cannot be measured."""
    return _seconds(importance_data.digest(run), n_partners, run)


@st.cache_resource(show_spinner=False, max_entries=16)
def _seconds(version: str, n_partners: int, _run: Run) -> float | None:
    """Measured on a small part."""
    from tabnet_engine.explain.effects.at_once import interaction_seconds

    source = _source(version, _run)
    return None if source is None else interaction_seconds(source, n_partners)


def measured_interactions(run: Run, column: str, others: tuple[str, ...]) -> Interactions | None:
    """The pairs of a column with others, measured now with a bar that says how far it is; None without the table.

    Raises:
        UserError: they cannot be measured.
    """
    from tabnet_engine.explain.effects.interactions import pairwise_interactions
    from tabnet_engine.explain.subject import Steering

    version = importance_data.digest(run)
    source = _source(version, run)
    if source is None:
        return None
    text = say("Measuring how these columns act together")
    bar = st.progress(0.0, text=text)
    steering = Steering(progress=lambda done, total: _advance(bar, done / max(1, total), text))
    with speaking(ENGLISH):
        found = pairwise_interactions(source, (column, *others), only_with=column, steering=steering)
    bar.empty()
    kept, most = _kept_interactions(), 64
    kept[version, column, others] = found
    while len(kept) > most:
        kept.pop(next(iter(kept)))
    return found


def _advance(bar: st.delta_generator.DeltaGenerator, share: float, text: str) -> None:
    bar.progress(min(share, 1.0), text=text)


def surface(run: Run, pair: tuple[str, str]) -> EffectSurface | None:
    """The joint effect of two columns: stored, else measured now; None without the table.

    Raises:
        UserError: it cannot be measured.
    """
    version = importance_data.digest(run)
    found = _stored(version, run)
    held = None if found is None else found.surface
    if held is not None and (held.first.feature, held.second.feature) == pair:
        return held
    source = _source(version, run)
    if source is None:
        return None
    with st.spinner(say("Measuring the joint effect of both columns")):
        return _measured_surface(version, pair, source)


@st.cache_resource(show_spinner=False, max_entries=64)
def _measured_surface(version: str, pair: tuple[str, str], _measured: EffectSource) -> EffectSurface:  # noqa: ARG001
    from tabnet_engine.explain.effects.interactions import effect_surface

    with speaking(ENGLISH):
        return effect_surface(_measured, pair)
