"""The result type of every signed explanation: values with everything a reviewer asks about them.

Shapes: B rows, F raw features, K outputs. Values are on logits (for regression: on the prediction, in
the target's own unit), always on the user's raw columns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.wording import additivity_words

__all__ = ["Attribution", "Background", "position_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Background:
    """The rows that stand for "not knowing a column": their values replace it.

    ``rows`` are positions in the table that the run was trained on; ``n_population`` counts the rows
    that they were drawn from, ``description`` says which these were and how the draw was made.
    """

    description: str
    rows: npt.NDArray[np.int64]
    n_population: int

    def __post_init__(self) -> None:
        if self.rows.ndim != 1 or len(self.rows) == 0:
            raise ValueError(f"a background must hold at least one row, got an array of shape {self.rows.shape}")
        if self.n_population < len(self.rows):
            raise ValueError(f"a background of {len(self.rows)} rows cannot come from {self.n_population} rows")

    @property
    def n_rows(self) -> int:
        """How many rows the background has."""
        return len(self.rows)

    def to_mapping(self) -> dict[str, Any]:
        """The background as plain JSON values."""
        return {
            "description": self.description,
            "n_rows": self.n_rows,
            "n_population": self.n_population,
            "rows": self.rows.tolist(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            description=str(values["description"]),
            rows=np.asarray(values["rows"], dtype=np.int64),
            n_population=int(values["n_population"]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution:
    """Signed contributions of each raw column to each logit, with their provenance.

    For a complete method ``values.sum(1) + base`` equals ``logits`` up to ``additivity_error``, the
    largest absolute difference found. ``standard_error`` is the error of the sampling of column orders
    alone; that of the background is not in it. ``selection`` says how the rows were chosen.
    ``n_evaluations`` counts coalitions per explained row, each averaged over the background.
    """

    method: str
    features: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    logits: npt.NDArray[np.float64]
    background: Background
    n_evaluations: int
    n_permutations: int
    seed: int
    additivity_error: float
    standard_error: npt.NDArray[np.float64] | None = None
    selection: str = ""
    run_id: str = ""

    def __post_init__(self) -> None:
        n_rows, n_features, n_outputs = len(self.rows), len(self.features), len(self.outputs)
        expected = {
            "rows": (n_rows,),
            "values": (n_rows, n_features, n_outputs),
            "base": (n_outputs,),
            "logits": (n_rows, n_outputs),
        }
        if self.standard_error is not None:
            expected["standard_error"] = expected["values"]
        for name, shape in expected.items():
            _check_array(name, getattr(self, name), shape)
        if not np.isfinite(self.additivity_error):
            raise ValueError(f"additivity_error must be finite, got {self.additivity_error}")

    @property
    def n_rows(self) -> int:
        """B, how many rows are explained."""
        return len(self.rows)

    @property
    def provenance(self) -> str:
        """How the values were made, in one sentence for beside every figure of them."""
        chosen = f" ({self.selection})" if self.selection else ""
        return (
            f"Values of {self.n_rows:,} rows{chosen} against a background of {self.background.n_rows:,} rows "
            f"({self.background.description}); {self.n_permutations:,} orders of the columns, each forwards and "
            f"backwards: {self.n_evaluations:,} evaluations a row, seed {self.seed}; "
            f"{additivity_words(self.additivity_error)}."
        )

    def take(self, positions: npt.ArrayLike) -> Self:
        """The attribution of some of its rows, by position within this attribution."""
        chosen = np.asarray(positions)
        error = None if self.standard_error is None else self.standard_error[chosen]
        return dataclasses.replace(
            self,
            rows=self.rows[chosen],
            values=self.values[chosen],
            logits=self.logits[chosen],
            standard_error=error,
        )

    def for_output(self, output: str) -> npt.NDArray[np.float64]:
        """Values (B, F) of one output, by its name."""
        return self.values[:, :, self.outputs.index(output)]


def position_of(rows: npt.NDArray[np.int64], row: int) -> int | None:
    """Where the table's row number ``row`` stands in ``rows``; None when it is not among them."""
    found = np.flatnonzero(rows == row)
    return int(found[0]) if len(found) else None


def _check_array(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
