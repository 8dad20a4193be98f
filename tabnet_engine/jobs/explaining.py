"""Explaining a run on its own table: what is computed, in which order, and what is stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import DamagedRunError, ExplanationError
from tabnet_engine.explain import importance, store
from tabnet_engine.explain.archetype_store import has_archetypes, load_archetypes
from tabnet_engine.explain.background import choose_rows, strata
from tabnet_engine.explain.background_choice import Candidates, choose_background
from tabnet_engine.explain.effects.permutation import FEWEST_ROWS, permutation_importance
from tabnet_engine.explain.effects.stored import save_permutation
from tabnet_engine.explain.evaluation import EvaluationRows, draw_evaluation, held_out, save_evaluation
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.masks import iterate_masks, most_rows
from tabnet_engine.explain.resumable import Checkpoint, explain_in_chunks
from tabnet_engine.explain.signed.budget import check_budget
from tabnet_engine.explain.signed.methods import METHODS, SignedMethod, exact_is_cheap
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.jobs.checkpoints import remove_checkpoint
from tabnet_engine.jobs.monitor import EXPLAINING, Monitor
from tabnet_engine.jobs.whole_table import add_archetypes, add_effects
from tabnet_engine.runs.artefact import Run
from tabnet_engine.runs.run import WEIGHTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "PERMUTATION",
    "check_budgets",
    "explain_run",
    "mask_rows",
    "method_phase",
    "phases_of",
    "signed_method",
    "spread_rows",
]

PERMUTATION = "permutation"  # the method's name

# How long each kind of work is against the others, for the bar.
_EFFECTS = "Effects"
_SHARES = {"masks": 1.0, PERMUTATION: 3.0, "effects": 3.0}
_SIGNED_SHARE = 5.0
# Settings that count coalitions; for paths along gradients the number of points is a setting of its own.
_PATHS = ("gradients", "integrated_gradients")
# Methods whose evaluations grow with the columns, and with their combinations.
_SAMPLING = ("sampling", "shap_permutation", "shap_kernel")
_EXACT = ("exact", "shap_exact")
_COUNTED = 10**12  # beyond it a number is no help to a reader


def explain_run(
    run: Run,
    frame: pd.DataFrame,
    config: ExplainConfig,
    *,
    monitor: Monitor | None = None,
    checkpoint: Path | None = None,
) -> Run:
    """Compute and store all that is said of the run's own table.

    That is: background, evaluation rows, masks and their archetypes, signed values, importances and effects.

    Masks cover every row up to ``config.max_mask_rows``; signed values a stratified sample of the test rows (of the
    validation rows where no test rows were held out). Each stored part says what it covers.

    Args:
        run: the run.
        frame: the table that it was trained on.
        config: which methods, on how many rows, against which background.
        monitor: follows the work.
        checkpoint: a folder for going on after the process died; removed once everything is stored.

    Raises:
        ExplanationError: a budget that cannot be met, a background without a row, or a run that cannot be explained:
            a pretraining, or one that knows no training rows.
        SchemaError: ``frame`` is not the run's table.
        StorageError: the run folder cannot be written.
        JobCancelledError: the monitor asked to stop; what was stored by then stays.
    """
    subject = Subject.of_run(run)
    if not len(run.splits.train):
        raise ExplanationError(
            f"the run {run.manifest.title!r} was imported without the rows it was trained on, so there are none to "
            "explain; explain any table with `python -m tabnet_engine explain`"
        )
    monitor = (monitor or Monitor(phases=EXPLAINING)).split("Explaining", phases_of(_methods(config)))
    encoded = run.encoder.transform(frame)
    candidates = Candidates(frame=frame, encoded=encoded, rows=run.splits.train)
    background = choose_background(subject, run.targets, run.schema, candidates, config)
    run = store.save_background(run, background)
    evaluation = draw_evaluation(run, frame, encoded, n_rows=config.n_importance_rows, seed=config.seed)
    run = save_evaluation(run, evaluation)
    run = _add_masks(run, subject, frame, mask_rows(run, encoded, config), config, monitor)
    rows = _signed_rows(run, frame, encoded, config)
    for name in config.signed_methods if config.n_shap_rows else ():
        parts = explain_in_chunks(
            subject,
            rows,
            background,
            signed_method(name, config),
            checkpoint=None if checkpoint is None else Checkpoint(checkpoint / name),
            weights=run.manifest.parts[WEIGHTS],
            steering=monitor.steering(method_phase(name)),
        )
        run = store.save_attribution_parts(run, parts)
        run = _add_importance(run, importance.from_attribution(store.load_attribution(run, method=name), run.targets))
    if PERMUTATION in config.methods:
        run = _permute(run, subject, evaluation, config, monitor)
    steering = monitor.steering(_EFFECTS, "steps")
    run = add_effects(run, frame, evaluation, n_columns=config.n_effect_columns, seed=config.seed, steering=steering)
    if checkpoint is not None:
        remove_checkpoint(checkpoint)
    return run


def _add_masks(
    run: Run, subject: Subject, frame: pd.DataFrame, rows: ChosenRows, config: ExplainConfig, monitor: Monitor
) -> Run:
    """Masks, their importance and their archetypes; what the run has of these very rows is kept, names included.

    The weights of a run never change, so its masks do not either.
    """
    steering = monitor.steering(method_phase("masks"))
    steering.step(0, len(rows))
    if _holds_masks_of(run, rows):
        steering.step(len(rows), len(rows))
        return run
    read = iterate_masks(subject, rows, steering=steering)
    run = store.save_masks(run, read)
    masks = store.load_masks(run)
    run = _add_importance(run, importance.from_masks(masks))
    return add_archetypes(run, frame, masks, seed=config.seed)


def _holds_masks_of(run: Run, rows: ChosenRows) -> bool:
    """Whether masks of these rows, their importance and archetypes are stored and can be read."""
    if not has_archetypes(run) or not store.has_explanations(run, store.IMPORTANCE):
        return False
    try:
        stored = store.load_masks(run)
        load_archetypes(run)
        known = {found.method for found in store.load_importances(run)}
    except (ExplanationError, DamagedRunError):
        return False
    return "masks" in known and np.array_equal(stored.rows, rows.rows)


def check_budgets(
    methods: Sequence[str], config: ExplainConfig, n_players: int, n_rows: int = 1, n_background: int | None = None
) -> None:
    """Refuse a budget that cannot be met before anything is computed.

    Args:
        methods: those that are asked for.
        config: their budget.
        n_players: columns, or groups of them.
        n_rows: rows of one request; 1 where rows are explained chunk by chunk for as long as it takes.
        n_background: how many background rows there are; by default as many as the settings ask for.

    Raises:
        ExplanationError: too few evaluations, or too much work; the text says what to change.
    """
    wanted, m = config.n_evaluations, config.n_background if n_background is None else n_background
    for name in methods:
        if name in _SAMPLING or (name == "shap" and not exact_is_cheap(n_players, wanted)):
            check_budget(n_players, n_rows, m, wanted, config.target_error)
        least = 2**n_players if name in _EXACT else n_players + 1 if name == "ablation" else 0
        if wanted is not None and wanted < least:
            raise ExplanationError(
                f"{wanted:,} evaluations are too few for the method {name} with {n_players:,} columns: "
                f"{f'{least:,}' if least < _COUNTED else f'2^{n_players}'} are needed; raise n_evaluations or choose "
                "another method"
            )


def _methods(config: ExplainConfig) -> Sequence[str]:
    """What is computed, in the order of computing."""
    last = (PERMUTATION,) if PERMUTATION in config.methods else ()
    return ("masks", *(config.signed_methods if config.n_shap_rows else ()), *last, "effects")


def phases_of(methods: Sequence[str]) -> dict[str, float]:
    """How long each method takes against the others, by the name of its phase."""
    return {method_phase(name): _SHARES.get(name, _SIGNED_SHARE) for name in methods}


def method_phase(name: str) -> str:
    """What the work of a method is called while it runs."""
    shown = METHODS[name].name if name in METHODS else name
    return shown[:1].upper() + shown[1:]


def signed_method(name: str, config: ExplainConfig, groups: dict[str, tuple[str, ...]] | None = None) -> SignedMethod:
    """A signed method with the budget of the settings."""
    follows_paths = name in _PATHS
    return SignedMethod(
        name=name,
        n_evaluations=config.n_points if follows_paths else config.n_evaluations,
        target_error=None if follows_paths else config.target_error,
        path_error=config.path_error if follows_paths else None,
        seed=config.seed,
        groups=groups or {},
    )


def mask_rows(run: Run, encoded: EncodedTable, config: ExplainConfig) -> ChosenRows:
    """All rows up to the cap; fewer of a very wide table, whose masks would not fit in memory."""
    most = most_rows(run.model_config.n_steps, run.encoder.layout.n_features, config.max_mask_rows)
    return spread_rows(encoded, most)


def spread_rows(encoded: EncodedTable, most: int) -> ChosenRows:
    """At most so many rows, evenly spread over the table."""
    n_rows = len(encoded)
    if n_rows <= most:
        return ChosenRows(encoded, np.arange(n_rows, dtype=np.int64), f"all {n_rows:,} rows")
    rows = np.linspace(0, n_rows - 1, most).astype(np.int64)
    return ChosenRows.from_table(encoded, rows, f"{most:,} of {n_rows:,} rows, spread evenly over the table")


def _signed_rows(run: Run, frame: pd.DataFrame, encoded: EncodedTable, config: ExplainConfig) -> ChosenRows:
    rows, name = held_out(run)
    y, task, target = strata(run.targets, run.targets.encode(frame, rows=rows))
    return choose_rows(
        encoded, rows, y, task=task, n_rows=config.n_shap_rows, seed=config.seed, name=name, target=target
    )


def _permute(run: Run, subject: Subject, evaluation: EvaluationRows, config: ExplainConfig, monitor: Monitor) -> Run:
    if evaluation.n_rows < FEWEST_ROWS:
        return _without_permutation(run, evaluation.n_rows)
    found = permutation_importance(
        subject,
        run.targets,
        evaluation.chosen,
        evaluation.y,
        seed=config.seed,
        steering=monitor.steering(method_phase(PERMUTATION), "columns"),
    )
    return _add_importance(save_permutation(run, found), found.importance())


def _without_permutation(run: Run, n_rows: int) -> Run:
    """Say beside the masks, which every table has, why permutation importance is not among the importances."""
    told = (
        f"Permutation importance is left out: it needs at least {FEWEST_ROWS} held-out rows with a known target, and "
        f"there {'is' if n_rows == 1 else 'are'} {n_rows}."
    )
    masks, *others = store.load_importances(run)
    return store.save_importances(run, [dataclasses.replace(masks, note=f"{masks.note} {told}"), *others])


def _add_importance(run: Run, found: GlobalImportance) -> Run:
    """Store an importance in place of the one by the same method; those by others stay, each with its own note."""
    kept = store.load_importances(run) if store.has_explanations(run, store.IMPORTANCE) else ()
    order = [item for item in kept if item.method != found.method]
    return store.save_importances(run, [found, *order] if found.method == "masks" else [*order, found])
