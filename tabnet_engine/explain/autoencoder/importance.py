"""What a reconstruction loses when a column is destroyed: its own column's error and that of the others apart.

The reconstruction from the damaged table is compared with the *undamaged* cells; compared with the damaged ones, a
column's own target, which moved with it, would drown everything else. Permuting a column among the rows keeps its
distribution and cuts its ties to the others (Breiman 2001, section 10, for predictions); zeroing takes it away.

Shapes: B rows, F raw features, P players, M measured columns, R repetitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.errors import ColumnScale
from tabnet_engine.explain.autoencoder.models import Autoencoder, Bools, Floats, require_work, shared_players
from tabnet_engine.explain.effects.permutation import random_deals
from tabnet_engine.explain.effects.swaps import slots_of
from tabnet_engine.explain.estimates import Estimate, student_point
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import Steering
from tabnet_engine.explain.wording import column_name, joined
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say

__all__ = ["DESTRUCTIONS", "Destruction", "ReconstructionImportance", "reconstruction_importance"]

Destruction = Literal["permutation", "zeroing"]
DESTRUCTIONS: Mapping[str, str] = {
    "permutation": msg("every row gets its cells from another row"),
    "zeroing": msg("it is taken away from every row"),
}
DEFAULT_REPEATS = 10
_OVER_PAIRS = msg("Student's t over the rows, which receive cells and give them")
_FEWEST_REPEATS = 2  # one cannot tell the rows that got cells from those that gave them


@dataclass(frozen=True, kw_only=True, eq=False)
class ReconstructionImportance:
    """The increase of the reconstruction error when a player is destroyed.

    Errors are squared and divided by the column's variance, so 1 is the error of predicting the column's mean.
    ``table`` (P, M) holds the mean increase of each measured column's error, ``standard_error`` (P, M) that of the
    mean over rows. ``own`` is the increase for the player's own columns, ``cross`` that for all others, averaged
    over columns and rows, with their intervals. ``error`` (M,) is that of the undamaged rows. ``unmeasured``
    columns hold one value only.
    """

    method: Destruction
    players: tuple[str, ...]
    columns: tuple[str, ...]
    table: Floats
    standard_error: Floats
    own: tuple[Estimate, ...]
    cross: tuple[Estimate, ...]
    error: Floats
    n_rows: int
    n_repeats: int
    seed: int
    note: str
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unmeasured: tuple[str, ...] = ()
    run_id: str = ""

    def __post_init__(self) -> None:
        if self.method not in DESTRUCTIONS:
            raise ValueError(f"a column is destroyed by {' or '.join(DESTRUCTIONS)}, got {self.method!r}")
        shape = (len(self.players), len(self.columns))
        if self.table.shape != shape or self.standard_error.shape != shape or self.error.shape != shape[1:]:
            raise ValueError(f"table and standard_error must have the shape {shape}, error {shape[1:]}")
        if len(self.own) != shape[0] or len(self.cross) != shape[0]:
            raise ValueError(f"own and cross must hold one estimate for each of the {shape[0]} players")
        if not (np.isfinite(self.table).all() and np.isfinite(self.error).all()):
            raise ValueError("increases of the error must be finite")

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Player positions (P), the one that the other columns need most first; equals keep the table's order."""
        cross = np.array([-np.inf if estimate.value is None else estimate.value for estimate in self.cross])
        return np.argsort(-cross, kind="stable").astype(np.int64)

    def to_mapping(self) -> dict[str, Any]:
        """The importance as plain JSON values; a standard error that one row cannot have is null."""
        return {
            "method": self.method,
            "players": list(self.players),
            "columns": list(self.columns),
            "table": self.table.tolist(),
            "standard_error": [[None if np.isnan(x) else x for x in row] for row in self.standard_error.tolist()],
            "own": [estimate.to_mapping() for estimate in self.own],
            "cross": [estimate.to_mapping() for estimate in self.cross],
            "error": self.error.tolist(),
            "n_rows": self.n_rows,
            "n_repeats": self.n_repeats,
            "seed": self.seed,
            "note": self.note,
            "groups": {name: list(columns) for name, columns in self.groups.items()},
            "unmeasured": list(self.unmeasured),
            "run_id": self.run_id,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        shape = (len(values["players"]), len(values["columns"]))
        return cls(
            method=values["method"],
            players=tuple(values["players"]),
            columns=tuple(values["columns"]),
            table=np.asarray(values["table"], dtype=np.float64).reshape(shape),
            standard_error=np.asarray(values["standard_error"], dtype=np.float64).reshape(shape),
            own=tuple(map(Estimate.from_mapping, values["own"])),
            cross=tuple(map(Estimate.from_mapping, values["cross"])),
            error=np.asarray(values["error"], dtype=np.float64),
            n_rows=int(values["n_rows"]),
            n_repeats=int(values["n_repeats"]),
            seed=int(values["seed"]),
            note=str(values["note"]),
            groups={name: tuple(columns) for name, columns in values["groups"].items()},
            unmeasured=tuple(values["unmeasured"]),
            run_id=str(values["run_id"]),
        )


def reconstruction_importance(
    model: Autoencoder,
    table: EncodedTable,
    *,
    method: Destruction = "permutation",
    players: Players | None = None,
    n_repeats: int = DEFAULT_REPEATS,
    seed: int = 0,
    steering: Steering | None = None,
) -> ReconstructionImportance:
    """Destroy each player in turn and compare the reconstruction with the undamaged rows.

    All columns of a player move together, so columns that stand for each other may be named as one group; alone,
    each would seem dispensable.

    Args:
        model: the autoencoder.
        table: rows (B), at best ones that it did not learn from.
        method: how a player is destroyed.
        players: who is destroyed as a whole; columns that share one entry of the masks by default.
        n_repeats: R permutations, the same ones for every player; zeroing needs no repetition.
        seed: of the permutations.
        steering: told the forwards done; may cancel.

    Raises:
        ExplanationError: fewer than two rows, none that differ, too few repetitions, or too much work.
        JobCancelledError: the steering asked to stop.
    """
    if n_repeats < _FEWEST_REPEATS:
        raise ExplanationError(f"n_repeats must be at least {_FEWEST_REPEATS}, got {n_repeats}")
    players = players or shared_players(model.layout)
    steering = steering or Steering()
    repeats = n_repeats if method == "permutation" else 1
    require_work(model, len(table) * len(players) * repeats, "this importance", "n_rows or n_repeats, or name groups")
    scale, cells = ColumnScale.of(model, table), model.cells(table)
    before = scale.errors(cells, model.reconstruct(table))
    donors = random_deals(len(table), n_repeats, seed) if method == "permutation" else None
    measured = [column for column in scale.measured if np.isfinite(before[:, column]).any()]
    found = []
    steering.step(0, len(players))
    for place, members in enumerate(players.members):
        damaged = _damaged(model, table, members, donors)
        increases = np.stack([scale.errors(cells, values) - before for values in damaged])
        found.append(_PlayerIncrease.of(increases, donors, members, measured))
        steering.step(place + 1, len(players))
    names = model.layout.feature_names
    return ReconstructionImportance(
        method=method,
        players=players.names,
        columns=tuple(names[column] for column in measured),
        table=np.stack([part.mean for part in found]),
        standard_error=np.stack([part.error for part in found]),
        own=tuple(part.own for part in found),
        cross=tuple(part.cross for part in found),
        error=np.nanmean(before[:, measured], axis=0),
        n_rows=len(table),
        n_repeats=repeats,
        seed=seed,
        note=_note(model, names, measured, method, len(table), repeats),
        groups=players.groups(names),
        unmeasured=tuple(name for column, name in enumerate(names) if column not in measured),
        run_id=model.run_id,
    )


def _damaged(
    model: Autoencoder, table: EncodedTable, members: tuple[int, ...], orders: npt.NDArray[np.int64] | None
) -> Iterator[Floats]:
    """Reconstructions (B, R) from a table without the members, or with their cells in other rows."""
    if orders is None:
        zeroed: Bools = np.isin(np.arange(model.layout.n_features), members)
        yield model.reconstruct(table, zeroed)
        return
    for order in orders:
        yield model.reconstruct(_with_donors(model.layout, table, members, order))


def _with_donors(
    layout: InputLayout, table: EncodedTable, members: tuple[int, ...], donors: npt.NDArray[np.int64]
) -> EncodedTable:
    """The table with the members' cells of each row taken, together, from its donor."""
    numbers, categories = slots_of(layout, members)
    numeric, categorical = table.numeric.copy(), table.categorical.copy()
    numeric[:, numbers] = table.numeric[np.ix_(donors, numbers)]
    categorical[:, categories] = table.categorical[np.ix_(donors, categories)]
    return EncodedTable(numeric, categorical)


@dataclass(frozen=True)
class _PlayerIncrease:
    """What one player's destruction does to each measured column (M,), to its own columns and to the others."""

    mean: Floats
    error: Floats
    own: Estimate
    cross: Estimate

    @classmethod
    def of(
        cls,
        increases: Floats,
        donors: npt.NDArray[np.int64] | None,
        members: tuple[int, ...],
        measured: list[int],
    ) -> Self:
        """From the increases (R, B, F) of every row's errors."""
        mean, error, _ = _mean_over_rows(increases[:, :, measured], donors)
        own, cross = (
            _over_columns(increases[:, :, [column for column in measured if (column in members) is is_own]], donors)
            for is_own in (True, False)
        )
        return cls(mean, error, own, cross)


def _over_columns(increases: Floats, donors: npt.NDArray[np.int64] | None) -> Estimate:
    """The mean over columns, then over rows, with its interval over rows."""
    present = np.isfinite(increases)
    total, counts = np.where(present, increases, 0.0).sum(axis=2), present.sum(axis=2)
    per_row = np.divide(total, counts, out=np.full(total.shape, np.nan), where=counts > 0)
    means, errors, n_rows = _mean_over_rows(per_row[:, :, None], donors)
    n = int(n_rows[0])
    if n == 0:
        return Estimate(value=None, n=0, how=say("no measured column"))
    mean = float(means[0])
    if n == 1:
        return Estimate(value=mean, n=1, how=say("one row has no interval"))
    margin = float(student_point(n - 1) * errors[0])
    how = say("Student's t over the rows") if donors is None else say(_OVER_PAIRS)
    return Estimate(value=mean, low=mean - margin, high=mean + margin, n=n, how=how)


def _mean_over_rows(
    increases: Floats, donors: npt.NDArray[np.int64] | None
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Mean, standard error and number of rows (C,) of increases (R, B, C), NaN where a row has none.

    A mean over pairs of rows: one got cells, the other gave them, and the drawing of both counts (the two
    projections of a U-statistic, Hoeffding 1948). The noise of the repetitions is in both, so that the interval is a
    little too wide rather than too narrow.
    """
    n_repeats, _, n_columns = increases.shape
    present = np.isfinite(increases[0])
    n = present.sum(axis=0)
    known = np.where(present, increases, 0.0)
    by_receiver = known.mean(axis=0)
    mean = np.divide(by_receiver.sum(axis=0), n, out=np.full(n_columns, np.nan), where=n > 0)
    influence = np.where(present, by_receiver - mean, 0.0)
    if donors is not None:
        # What a row gave counts beside what its receivers get on average, of which it is itself a part.
        given = (known - by_receiver) * (1 / (n_repeats - 1))
        for deal, part in zip(donors, given, strict=True):
            influence[deal] += part
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.square(influence).sum(axis=0) / (n * (n - 1)))
    return mean, np.where(n > 1, error, np.nan), n.astype(np.int64)


_INCREASE = msg(
    "Increase of the squared error when a column is destroyed ({how}), over {n_rows:,} rows, against the undamaged "
    "cells; 1 is the error of predicting a column's mean."
)


def _note(
    model: Autoencoder, names: tuple[str, ...], measured: list[int], method: str, n_rows: int, n_repeats: int
) -> str:
    if method == "permutation":
        how = say("{n_repeats:,} times, every row gets its cells from another row", n_repeats=n_repeats)
    else:
        how = say("it is taken away from every row (replaced by {blank})", blank=model.blank)
    told = [model.description, say(_INCREASE, how=how, n_rows=n_rows), say("Intervals are over rows.")]
    left = [column_name(name) for column, name in enumerate(names) if column not in measured]
    if left:
        told.append(say("Not measured, since they hold one value only: {columns}.", columns=joined(left)))
    return one_text(told)
