"""The result type of every signed explanation: values with everything a reviewer asks about them.

Shapes: B rows, F raw features, K outputs. Values are on logits (for regression: on the prediction, in
the target's own unit), always on the user's raw columns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.wording import additivity_words
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

__all__ = ["Attribution", "Background", "position_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Background:
    """The rows that stand for "not knowing a column": their values replace it.

    ``rows`` are positions in the table that the run was trained on; ``n_population`` counts the rows
    that they were drawn from, ``description`` says which these were and how the draw was made. ``kind`` is what
    was asked for: training, class, where or cutoff; explained, where the explained table itself stands in.
    """

    description: str
    rows: npt.NDArray[np.int64]
    n_population: int
    kind: str = "training"

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
            "kind": self.kind,
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
            kind=str(values.get("kind", "training")),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution:
    """Signed contributions of each raw column to each logit, with their provenance.

    ``method`` is the name that the user chose (a key of ``METHODS`` in :mod:`tabnet_engine.explain.signed.methods`),
    ``algorithm`` says in words how this result was computed. For a complete method
    ``values.sum(1) + base`` equals ``logits`` up to ``additivity_error``, the largest absolute difference found; for
    a method that is not (``is_complete`` False) it is that difference too, and means nothing. ``standard_error`` is
    the error of the sampling alone; that of the background is not in it. ``selection`` says how the rows were
    chosen. ``n_evaluations`` counts coalitions (for gradients: points of the path) per explained row, each averaged
    over the background; where a row stops early it is the most of any row, and ``evaluations`` (B,) tells each
    row's own. ``features`` are the players: raw columns, or groups of them, whose columns ``groups`` lists.
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
    algorithm: str = ""
    is_complete: bool = True
    target_error: float | None = None
    evaluations: npt.NDArray[np.int64] | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
        if self.evaluations is not None:
            expected["evaluations"] = (n_rows,)
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
        check = additivity_words(self.additivity_error) if self.is_complete else say("they do not sum to the score")
        facts = {
            "n_rows": self.n_rows,
            "n_background": self.background.n_rows,
            "background": recalled(self.background.description),
            "computed": self._computed,
            "n_evaluations": self.n_evaluations,
            "seed": self.seed,
            "check": check,
        }
        if not self.selection:
            return say(
                "Values of {n_rows:,} rows against a background of {n_background:,} rows ({background}); {computed}: "
                "{n_evaluations:,} evaluations a row, seed {seed}; {check}.",
                **facts,
            )
        return say(
            "Values of {n_rows:,} rows ({selection}) against a background of {n_background:,} rows ({background}); "
            "{computed}: {n_evaluations:,} evaluations a row, seed {seed}; {check}.",
            selection=recalled(self.selection),
            **facts,
        )

    @property
    def _computed(self) -> str:
        if self.algorithm:
            return recalled(self.algorithm)
        return say("{n_orders:,} orders of the columns, each forwards and backwards", n_orders=self.n_permutations)

    @property
    def residual(self) -> npt.NDArray[np.float64]:
        """What values and base leave of the logits (B, K): near zero for a complete method."""
        residual: npt.NDArray[np.float64] = self.logits - self.base - self.values.sum(axis=1)
        return residual

    def take(self, positions: npt.ArrayLike) -> Self:
        """The attribution of some of its rows, by position within this attribution."""
        chosen = np.asarray(positions)
        error = None if self.standard_error is None else self.standard_error[chosen]
        evaluations = None if self.evaluations is None else self.evaluations[chosen]
        return dataclasses.replace(
            self,
            rows=self.rows[chosen],
            values=self.values[chosen],
            logits=self.logits[chosen],
            standard_error=error,
            evaluations=evaluations,
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
