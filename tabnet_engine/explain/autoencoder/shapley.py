"""Shapley values of a reconstruction: of each reconstructed value, and of the error with its target fixed.

The game is that of the predictions (Lundberg & Lee 2017, interventional): columns that a coalition does not know
take the background's values. For the error the target stays the explained row's own cells, whatever the coalition:
v(S) is how far the reconstruction from the known columns is off *this* row.

Shapes: B explained rows, F raw features, P players, R reconstructed values of a row, M measured columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.autoencoder.errors import ColumnScale
from tabnet_engine.explain.autoencoder.models import Autoencoder, Cells, Floats, require_work, shared_players
from tabnet_engine.explain.autoencoder.shapley_results import ErrorShapley, ReconstructionTable
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.budget import default_evaluations
from tabnet_engine.explain.signed.methods import exact_is_cheap
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering
from tabnet_engine.texts.speaking import say

__all__ = [
    "ReconstructionModel",
    "ShapleyBudget",
    "error_shapley",
    "reconstruction_shapley",
    "reconstruction_table",
]


@dataclass(frozen=True, kw_only=True)
class ShapleyBudget:
    """How much work Shapley values may cost.

    ``n_evaluations`` counts coalitions a row, None for the default; where sampling reaches the standard error
    ``target_error`` in every value of a row, it stops. ``seed`` is that of the orders.
    """

    n_evaluations: int | None = None
    target_error: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class ReconstructionModel:
    """An autoencoder as a model with R outputs, its reconstructed values."""

    autoencoder: Autoencoder

    @property
    def layout(self) -> InputLayout:
        """Which slot belongs to which raw feature."""
        return self.autoencoder.layout

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the R reconstructed values."""
        return self.autoencoder.value_names

    @property
    def run_id(self) -> str:
        """The run it came from."""
        return self.autoencoder.run_id

    def logits(self, table: EncodedTable) -> Floats:
        """Reconstructed values (B, R)."""
        return self.autoencoder.reconstruct(table)


@dataclass(frozen=True)
class _FixedTarget:
    """The error against one row's cells: of all measured columns together first, then of each (1 + M outputs)."""

    autoencoder: Autoencoder
    scale: ColumnScale
    target: Cells
    columns: tuple[int, ...]

    @property
    def layout(self) -> InputLayout:
        return self.autoencoder.layout

    @property
    def outputs(self) -> tuple[str, ...]:
        names = self.layout.feature_names
        return (say("all columns"), *(names[column] for column in self.columns))

    @property
    def run_id(self) -> str:
        return self.autoencoder.run_id

    def logits(self, table: EncodedTable) -> Floats:
        values = self.autoencoder.reconstruct(table)
        errors = self.scale.errors(self.target, values)[:, list(self.columns)]
        # A cell that the row lacks has no target, so it adds no error.
        errors = np.nan_to_num(errors) / max(1, int(np.isfinite(errors[0]).sum()))
        return np.concatenate([errors.sum(axis=1, keepdims=True), errors], axis=1)


def reconstruction_shapley(
    autoencoder: Autoencoder,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    players: Players | None = None,
    budget: ShapleyBudget | None = None,
    steering: Steering | None = None,
) -> Attribution:
    """Shapley values of every reconstructed value, outputs (R) being the autoencoder's value names.

    All coalitions where they are few (256, or the budget), else sampled orders with their standard error.

    Args:
        autoencoder: what reconstructs.
        chosen: the rows to explain (B).
        background: what replaces the columns that a coalition does not know.
        players: who moves as a whole; columns that share one entry of the masks by default.
        budget: how much work; the default without one.
        steering: told the rows done; may cancel.

    Raises:
        ExplanationError: no row, or a budget that cannot be met.
        JobCancelledError: the steering asked to stop.
    """
    owned, budget = players or shared_players(autoencoder.layout), budget or ShapleyBudget()
    _require_work(autoencoder, chosen, background, len(owned), budget)
    model = ReconstructionModel(autoencoder)
    return _shapley(model, chosen, background, owned, budget, steering)


def _require_work(
    autoencoder: Autoencoder, chosen: ChosenRows, background: BackgroundSample, n_players: int, budget: ShapleyBudget
) -> None:
    coalitions = budget.n_evaluations or default_evaluations(n_players, target_error=budget.target_error)
    if exact_is_cheap(n_players, budget.n_evaluations):
        coalitions = 2**n_players
    n = len(chosen) * coalitions * background.background.n_rows
    require_work(autoencoder, n, "these Shapley values", "the rows, the background or n_evaluations, or name groups")


def _shapley(
    model: LogitModel,
    chosen: ChosenRows,
    background: BackgroundSample,
    players: Players,
    budget: ShapleyBudget,
    steering: Steering | None,
) -> Attribution:
    from tabnet_engine.explain.signed.exact import exact_shapley
    from tabnet_engine.explain.signed.sampling import sampled_shapley

    if exact_is_cheap(len(players), budget.n_evaluations):
        return exact_shapley(model, chosen, background, players=players, steering=steering)
    return sampled_shapley(
        model,
        chosen,
        background,
        players=players,
        n_evaluations=budget.n_evaluations,
        target_error=budget.target_error,
        seed=budget.seed,
        steering=steering,
    )


def reconstruction_table(autoencoder: Autoencoder, attribution: Attribution, scale: ColumnScale) -> ReconstructionTable:
    """Fold Shapley values of all reconstructed values into the table of players and columns.

    Args:
        autoencoder: the one whose values are explained.
        attribution: what :func:`reconstruction_shapley` gave.
        scale: the columns' variances.
    """
    columns = scale.measured
    squares = np.zeros((*attribution.values.shape[:2], autoencoder.layout.n_features))
    np.add.at(np.moveaxis(squares, 2, 0), autoencoder.owner, np.moveaxis(np.square(attribution.values), 2, 0))
    sizes = np.sqrt(squares[:, :, columns] / scale.variance[list(columns)])
    n_rows = attribution.n_rows
    error = sizes.std(axis=0, ddof=1) / np.sqrt(n_rows) if n_rows > 1 else np.full(sizes.shape[1:], np.nan)
    return ReconstructionTable(
        players=attribution.features,
        columns=tuple(autoencoder.layout.feature_names[column] for column in columns),
        values=sizes.mean(axis=0),
        standard_error=error,
        n_rows=n_rows,
        note=_note(
            autoencoder,
            say(
                "Mean size of the Shapley values over {n_rows:,} rows, in standard deviations of the reconstructed "
                "column; background: {n_background:,} rows, {background}; {algorithm}.",
                n_rows=n_rows,
                n_background=attribution.background.n_rows,
                background=attribution.background.description,
                algorithm=attribution.algorithm or attribution.method,
            ),
        ),
    )


def error_shapley(
    autoencoder: Autoencoder,
    chosen: ChosenRows,
    background: BackgroundSample,
    scale: ColumnScale,
    *,
    players: Players | None = None,
    budget: ShapleyBudget | None = None,
    steering: Steering | None = None,
) -> ErrorShapley:
    """Shapley values of each row's reconstruction error, its target fixed; see :func:`reconstruction_shapley`.

    Args:
        autoencoder: what reconstructs.
        chosen: the rows to explain (B).
        background: what replaces the columns that a coalition does not know.
        scale: the columns' variances, which put their errors on one scale.
        players: who moves as a whole; columns that share one entry of the masks by default.
        budget: how much work; the default without one.
        steering: told the rows done; may cancel.

    Raises:
        ExplanationError: no row, or a budget that cannot be met.
        JobCancelledError: the steering asked to stop.
    """
    if len(chosen) == 0:
        raise ExplanationError("there is no row to explain; choose at least one row")
    owned, budget = players or shared_players(autoencoder.layout), budget or ShapleyBudget()
    _require_work(autoencoder, chosen, background, len(owned), budget)
    steering = steering or Steering()
    parts = []
    for place in range(len(chosen)):
        steering.step(place, len(chosen))
        row = ChosenRows(chosen.table.take([place]), chosen.rows[place : place + 1], chosen.selection)
        game = _FixedTarget(autoencoder, scale, autoencoder.cells(row.table), scale.measured)
        parts.append(_shapley(game, row, background, owned, budget, None))
    steering.step(len(chosen), len(chosen))
    return _joined(autoencoder, owned, scale.measured, chosen, parts)


def _joined(
    autoencoder: Autoencoder,
    players: Players,
    columns: tuple[int, ...],
    chosen: ChosenRows,
    parts: list[Attribution],
) -> ErrorShapley:
    values = np.concatenate([part.values for part in parts])
    is_own = np.array([[column in owned for column in columns] for owned in players.members])
    own = (values[:, :, 1:] * is_own).sum(axis=2)
    errors = [part.standard_error for part in parts if part.standard_error is not None]
    first = parts[0]
    return ErrorShapley(
        players=players.names,
        rows=chosen.rows,
        values=values[:, :, 0],
        own=own,
        cross=values[:, :, 0] - own,
        base=np.array([part.base[0] for part in parts]),
        error=np.array([part.logits[0, 0] for part in parts]),
        additivity_error=max(part.additivity_error for part in parts),
        standard_error=np.concatenate(errors)[:, :, 0] if len(errors) == len(parts) else None,
        algorithm=_algorithm(parts),
        note=_note(
            autoencoder,
            say(
                "Shapley values of the squared error of {n_rows:,} rows, the target being the row itself, in variances "
                "of each column; below zero, knowing the column lowers the error; background: {n_background:,} rows, "
                "{background}.",
                n_rows=len(chosen),
                n_background=first.background.n_rows,
                background=first.background.description,
            ),
        ),
        groups=players.groups(autoencoder.layout.feature_names),
    )


def _algorithm(parts: list[Attribution]) -> str:
    """How the rows were computed, each for itself, in one clause."""
    told = {part.algorithm for part in parts}
    if len(told) == 1:
        return told.pop()
    least, most = (bound(part.n_evaluations for part in parts) for bound in (min, max))
    return say("sampled orders of the columns, {least:,} to {most:,} evaluations a row", least=least, most=most)


def _note(autoencoder: Autoencoder, told: str) -> str:
    return f"{autoencoder.description} {told}"
