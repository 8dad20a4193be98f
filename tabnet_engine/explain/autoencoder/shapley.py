"""Shapley values of a reconstruction: of each reconstructed value, and of the error with its target fixed.

The game is that of the predictions (Lundberg & Lee 2017, interventional): columns that a coalition does not know
take the background's values. For the error the target stays the explained row's own cells, whatever the coalition:
v(S) is how far the reconstruction from the known columns is off *this* row.

Shapes: B explained rows, F raw features, P players, R reconstructed values of a row, M measured columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.autoencoder.errors import ColumnScale
from tabnet_engine.explain.autoencoder.models import Autoencoder, Cells, Floats, shared_players
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering

__all__ = [
    "ErrorShapley",
    "ReconstructionModel",
    "ReconstructionTable",
    "ShapleyBudget",
    "error_shapley",
    "reconstruction_shapley",
    "reconstruction_table",
]

# All coalitions are played where they are no more than these, or no more than the user's own budget.
EXACT_COALITIONS = 1_024


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
        return ("all columns", *(names[column] for column in self.columns))

    @property
    def run_id(self) -> str:
        return self.autoencoder.run_id

    def logits(self, table: EncodedTable) -> Floats:
        values = self.autoencoder.reconstruct(table)
        errors = self.scale.errors(self.target, values)[:, list(self.columns)]
        # A cell that the row lacks has no target, so it adds no error.
        errors = np.nan_to_num(errors) / max(1, int(np.isfinite(errors[0]).sum()))
        return np.concatenate([errors.sum(axis=1, keepdims=True), errors], axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReconstructionTable:
    """How much each player moves each column's reconstruction: the F x F table (P, M for players and columns).

    ``values`` are mean sizes of the Shapley values over the rows, in standard deviations of the column; a column of
    several values counts as one vector. ``standard_error`` is that of the mean over rows, NaN for one row.
    """

    players: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats
    standard_error: Floats
    n_rows: int
    note: str

    def __post_init__(self) -> None:
        shape = (len(self.players), len(self.columns))
        if self.values.shape != shape or self.standard_error.shape != shape:
            raise ValueError(f"values and standard_error must have the shape {shape}")
        if not np.isfinite(self.values).all() or (self.values < 0).any():
            raise ValueError("sizes must be finite and not negative")

    def to_mapping(self) -> dict[str, Any]:
        """The table as plain JSON values."""
        return {
            "players": list(self.players),
            "columns": list(self.columns),
            "values": self.values.tolist(),
            "standard_error": [[None if np.isnan(x) else x for x in row] for row in self.standard_error.tolist()],
            "n_rows": self.n_rows,
            "note": self.note,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        shape = (len(values["players"]), len(values["columns"]))
        return cls(
            players=tuple(values["players"]),
            columns=tuple(values["columns"]),
            values=np.asarray(values["values"], dtype=np.float64).reshape(shape),
            standard_error=np.asarray(values["standard_error"], dtype=np.float64).reshape(shape),
            n_rows=int(values["n_rows"]),
            note=str(values["note"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ErrorShapley:
    """What knowing each column does to the reconstruction error of each row, the target being the row itself.

    ``base`` (B,) is the row's error when nothing of it is known, ``error`` (B,) when everything is: ``base`` plus
    the sum of ``values`` (B, P) is ``error``. A negative value lowers the error. ``own`` (B, P) is the part that
    the player has in its own columns' error, ``cross`` in that of the others; they sum to ``values``. Errors are
    squared, in variances of each column, averaged over the row's measured columns. ``standard_error`` (B, P) is
    that of the sampling, None for exact values.
    """

    players: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    values: Floats
    own: Floats
    cross: Floats
    base: Floats
    error: Floats
    additivity_error: float
    standard_error: Floats | None
    algorithm: str
    note: str
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_rows, shape = len(self.rows), (len(self.rows), len(self.players))
        arrays = {"values": self.values, "own": self.own, "cross": self.cross}
        if self.standard_error is not None:
            arrays["standard_error"] = self.standard_error
        for name, array in arrays.items():
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite and have the shape {shape}")
        if self.base.shape != (n_rows,) or self.error.shape != (n_rows,):
            raise ValueError(f"base and error must hold one number for each of the {n_rows} rows")

    def to_mapping(self) -> dict[str, Any]:
        """The values as plain JSON values."""
        return {
            "players": list(self.players),
            "rows": self.rows.tolist(),
            **{name: getattr(self, name).tolist() for name in ("values", "own", "cross", "base", "error")},
            "additivity_error": self.additivity_error,
            "standard_error": None if self.standard_error is None else self.standard_error.tolist(),
            "algorithm": self.algorithm,
            "note": self.note,
            "groups": {name: list(columns) for name, columns in self.groups.items()},
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        shape = (len(values["rows"]), len(values["players"]))
        numbers = {name: np.asarray(values[name], dtype=np.float64) for name in ("values", "own", "cross")}
        error = values["standard_error"]
        return cls(
            players=tuple(values["players"]),
            rows=np.asarray(values["rows"], dtype=np.int64),
            **{name: array.reshape(shape) for name, array in numbers.items()},
            base=np.asarray(values["base"], dtype=np.float64),
            error=np.asarray(values["error"], dtype=np.float64),
            additivity_error=float(values["additivity_error"]),
            standard_error=None if error is None else np.asarray(error, dtype=np.float64).reshape(shape),
            algorithm=str(values["algorithm"]),
            note=str(values["note"]),
            groups={name: tuple(columns) for name, columns in values["groups"].items()},
        )


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

    All coalitions where they are few (1,024, or the budget), else sampled orders with their standard error.

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
    owned = players or shared_players(autoencoder.layout)
    model = ReconstructionModel(autoencoder)
    return _shapley(model, chosen, background, owned, budget or ShapleyBudget(), steering)


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

    if 2 ** len(players) <= (EXACT_COALITIONS if budget.n_evaluations is None else budget.n_evaluations):
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
        note=(
            f"{autoencoder.description} Mean size of the Shapley values over {n_rows:,} rows, in standard deviations "
            f"of the reconstructed column; background: {attribution.background.n_rows:,} rows, "
            f"{attribution.background.description}; {attribution.algorithm or attribution.method}."
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
    owned = players or shared_players(autoencoder.layout)
    steering = steering or Steering()
    parts = []
    for place in range(len(chosen)):
        steering.step(place, len(chosen))
        row = ChosenRows(chosen.table.take([place]), chosen.rows[place : place + 1], chosen.selection)
        game = _FixedTarget(autoencoder, scale, autoencoder.cells(row.table), scale.measured)
        parts.append(_shapley(game, row, background, owned, budget or ShapleyBudget(), None))
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
    background = f"{first.background.n_rows:,} rows, {first.background.description}"
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
        note=(
            f"{autoencoder.description} Shapley values of the squared error of {len(chosen):,} rows, the target being "
            f"the row itself, in variances of each column; below zero, knowing the column lowers the error; "
            f"background: {background}."
        ),
        groups=players.groups(autoencoder.layout.feature_names),
    )


def _algorithm(parts: list[Attribution]) -> str:
    """How the rows were computed, each for itself, in one clause."""
    told = {part.algorithm for part in parts}
    if len(told) == 1:
        return told.pop()
    least, most = (bound(part.n_evaluations for part in parts) for bound in (min, max))
    return f"sampled orders of the columns, {least:,} to {most:,} evaluations a row"
