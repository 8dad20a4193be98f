"""What Shapley values of a reconstruction say: a table of columns for columns, and the error of each row.

Shapes: B explained rows, P players, M measured columns. numpy only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.autoencoder.models import Floats

__all__ = ["ErrorShapley", "ReconstructionTable"]


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
