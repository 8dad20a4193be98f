"""Effects of the leading columns and permutation importances in the run folder, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabnet_engine.explain.effects.overview import EffectOverview
from tabnet_engine.explain.effects.permutation_result import PermutationImportance
from tabnet_engine.explain.stored_arrays import has_json, load_json, reading, save_json

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = [
    "has_effects",
    "has_permutation",
    "load_effects",
    "load_permutation",
    "save_effects",
    "save_permutation",
]

_EFFECTS, _EFFECT_WORDS = "effects", "effects of columns"
_PERMUTATION, _PERMUTATION_WORDS = "permutation", "permutation importance"


def has_effects(run: Run) -> bool:
    """Whether the run holds effects of its leading columns."""
    return has_json(run, _EFFECTS)


def save_effects(run: Run, effects: EffectOverview) -> Run:
    """Store effects; those stored earlier are replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    return save_json(run, _EFFECTS, effects.to_mapping())


def load_effects(run: Run) -> EffectOverview:
    """The stored effects.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    content = load_json(run, _EFFECTS, _EFFECT_WORDS)
    with reading(run, _EFFECT_WORDS):
        return EffectOverview.from_mapping(content)


def has_permutation(run: Run) -> bool:
    """Whether the run holds a permutation importance with all its parts."""
    return has_json(run, _PERMUTATION)


def save_permutation(run: Run, found: PermutationImportance) -> Run:
    """Store a permutation importance, by target and slice; one stored earlier is replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    return save_json(run, _PERMUTATION, found.to_mapping())


def load_permutation(run: Run) -> PermutationImportance:
    """The stored permutation importance.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    content = load_json(run, _PERMUTATION, _PERMUTATION_WORDS)
    with reading(run, _PERMUTATION_WORDS):
        return PermutationImportance.from_mapping(content)
