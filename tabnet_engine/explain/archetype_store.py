"""Archetypes in the run folder: a Parquet file with each row's archetype, and a JSON with all the rest.

Shapes: B rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.archetypes import Archetypes
from tabnet_engine.explain.stored_arrays import FOLDER, has_part, load_arrays, load_facts, reading, save_arrays

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = ["ARCHETYPES", "has_archetypes", "load_archetypes", "rename_archetype", "save_archetypes"]

ARCHETYPES = f"{FOLDER}/archetypes"
_WORDS = "archetypes"


def has_archetypes(run: Run) -> bool:
    """Whether the run holds archetypes."""
    return has_part(run, ARCHETYPES)


def save_archetypes(run: Run, archetypes: Archetypes) -> Run:
    """Store archetypes with every row's own; earlier ones, with the user's names, are replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    arrays: dict[str, npt.NDArray[Any]] = {"row": archetypes.rows, "archetype": archetypes.codes.astype(np.int16)}
    return save_arrays(run, ARCHETYPES, iter([arrays]), archetypes.facts)


def load_archetypes(run: Run) -> Archetypes:
    """The stored archetypes, under the user's names where there are some.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    facts = load_facts(run, ARCHETYPES, _WORDS)
    arrays = load_arrays(run, ARCHETYPES, _WORDS)
    with reading(run, _WORDS):
        return Archetypes.from_facts(facts, arrays["row"], arrays["archetype"].astype(np.int64))


def rename_archetype(run: Run, name: str, own_name: str) -> Run:
    """Give the archetype that is called ``name`` the user's own name; an empty one gives the made name back.

    Raises:
        ExplanationError: the run has no archetypes or none of that name, or the new name is too long or taken.
        UserError: the run was deleted meanwhile.
        DamagedRunError: what is stored cannot be read.
        StorageError: the disk refuses; the old name stays.
    """
    now = run.reopened()
    return save_archetypes(now, load_archetypes(now).renamed(name, own_name))
