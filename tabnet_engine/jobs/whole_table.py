"""What a run says of its whole table: in which ways its rows are read, and how its score moves with each column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabnet_engine.explain import store
from tabnet_engine.explain.archetype_finding import find_archetypes
from tabnet_engine.explain.archetype_store import save_archetypes
from tabnet_engine.explain.effects.overview import leading_columns, leading_effects
from tabnet_engine.explain.effects.source import EffectSource
from tabnet_engine.explain.effects.stored import save_effects
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.row_outcomes import row_outcomes

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.evaluation import EvaluationRows
    from tabnet_engine.explain.masks import MaskExplanation
    from tabnet_engine.explain.subject import Steering
    from tabnet_engine.runs.run import Run

__all__ = ["add_archetypes", "add_effects"]

# What puts the leading columns in their order: how much the loss rests on them, else what moves the score.
_RANKED_BY = ("permutation", "shap", "sampling", "exact", "gradients", "masks")


def add_archetypes(run: Run, frame: pd.DataFrame, masks: MaskExplanation, *, seed: int) -> Run:
    """Find and store the archetypes of the rows whose masks are known, with what was predicted and what came.

    Raises:
        SchemaError: ``frame`` is not the run's table.
        StorageError: the run folder cannot be written.
    """
    outcomes = {
        codec.name: row_outcomes(codec, run.splits, frame, masks.rows, masks.logits, place=place)
        for codec, place in zip(run.targets.codecs, run.targets.slices, strict=True)
    }
    return save_archetypes(run, find_archetypes(masks, outcomes, seed=seed))


def add_effects(
    run: Run, frame: pd.DataFrame, evaluation: EvaluationRows, *, n_columns: int, seed: int, steering: Steering
) -> Run:
    """Compute and store effect curves and interactions of the leading columns, over the evaluation rows.

    Args:
        run: a run with importances.
        frame: its table.
        evaluation: the rows that the effects are averaged over.
        n_columns: how many of the most important columns; 0 leaves the effects out.
        seed: of all draws.
        steering: follows the work.

    Raises:
        StorageError: the run folder cannot be written.
        JobCancelledError: the steering asked to stop.
    """
    if n_columns == 0:
        return run
    ranking = _ranking(store.load_importances(run))
    source = EffectSource.of_run(run, frame, evaluation.chosen.rows, selection=evaluation.description)
    columns = leading_columns(ranking, source.features, n_columns)
    found = leading_effects(source, columns, chosen_by=ranking.name, seed=seed, steering=steering)
    return save_effects(run, found)


def _ranking(importances: tuple[GlobalImportance, ...]) -> GlobalImportance:
    of_method = {importance.method: importance for importance in importances}
    return next(of_method[name] for name in _RANKED_BY if name in of_method)
