"""Making what was found sparser and nearer while it still reaches the outcome.

Shapes: n candidate rows, F raw features. torch is imported only where a network really runs.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.counterfactual.probe import CHANGE_COST, Probe
from tabnet_engine.explain.counterfactual.variables import Variable

__all__ = ["placed", "prune", "shrink"]

MAX_PARTS = 16  # taken back in one round: single columns of narrow rows, bundles of wide ones
N_BETWEEN = 24  # values tried between a row's own and the proposed one, before looking closer

Floats = npt.NDArray[np.float64]
Units = list[tuple[int, ...]]


def prune(probe: Probe, rows: Floats) -> Floats:
    """Take back what is not needed, the farthest change first; every row (n, F) must reach the outcome, and will."""
    rows = rows.copy()
    apart, changed = probe.by_column(rows), probe.moves.changed(rows)
    units = {index: _units(probe, changed[index], apart[index]) for index in range(len(rows))}
    sizes = {index: max(1, math.ceil(len(items) / MAX_PARTS)) for index, items in units.items()}
    while sizes:
        bundles = {index: _bundles(units[index], size) for index, size in sizes.items()}
        trials = [_taken_back(probe, rows[index], bundle) for index, parts in bundles.items() for bundle in parts]
        reached = iter(probe.reached(np.array(trials).reshape(len(trials), rows.shape[1])).tolist())
        for index, parts in bundles.items():
            fine = [bundle for bundle in parts if next(reached)]
            if fine:
                best = max(fine, key=lambda bundle: _saved(bundle, apart[index]))
                rows[index] = _taken_back(probe, rows[index], best)
                units[index] = [unit for unit in units[index] if unit not in best]
            elif sizes[index] > 1:
                sizes[index] //= 2
            else:
                del sizes[index]
    return rows


def _units(probe: Probe, changed: npt.NDArray[np.bool_], apart: Floats) -> Units:
    """The columns that can be taken back on their own, the nearest to the row's own value first."""
    places = np.flatnonzero(changed)
    ordered = places[np.argsort(apart[places], kind="stable")]
    return list(dict.fromkeys(probe.moves.undone_together(int(place)) for place in ordered))


def _bundles(units: Units, size: int) -> list[Units]:
    """The changes in bundles; none where one bundle is all of them, for the row itself is no answer."""
    parts = [units[start : start + size] for start in range(0, len(units), size)]
    return parts if len(parts) > 1 else []


def _taken_back(probe: Probe, row: Floats, bundle: Units) -> Floats:
    """The row (F) with the changes of a bundle taken back."""
    trial = row.copy()
    columns = [place for unit in bundle for place in unit]
    trial[columns] = probe.moves.own[columns]
    return trial


def _saved(bundle: Units, apart: Floats) -> float:
    return CHANGE_COST * len(bundle) + sum(float(apart[place]) for unit in bundle for place in unit)


def shrink(probe: Probe, rows: Floats) -> Floats:
    """Move each changed number or date as near to the row's own as still reaches; the farthest change first."""
    rows = rows.copy()
    apart, changed = probe.by_column(rows), probe.moves.changed(rows)
    order = [_changed_variables(probe, changed[index], apart[index]) for index in range(len(rows))]
    for turn in range(max(map(len, order), default=0)):
        pending = {index: items[turn] for index, items in enumerate(order) if turn < len(items)}
        _shrink_one(probe, rows, pending)
    return rows


def _shrink_one(probe: Probe, rows: Floats, pending: dict[int, Variable]) -> None:
    """Shrink one variable of each row in place, looking closer until no open value lies between."""
    after: dict[int, Floats | None] = dict.fromkeys(pending)
    while pending:
        paths = {
            index: item.between(rows[index][list(item.places)], N_BETWEEN, after=after[index])
            for index, item in pending.items()
        }
        # The last value of a path is where the row stands: that it reaches is known.
        paths = {index: path for index, path in paths.items() if len(path) > 1}
        trials = {index: placed(rows[index], pending[index], path[:-1]) for index, path in paths.items()}
        reached = probe.reached(np.vstack(list(trials.values()))) if trials else np.empty(0, dtype=bool)
        start = 0
        for index, path in paths.items():
            fine = np.flatnonzero(reached[start : start + len(path) - 1])
            start += len(path) - 1
            best = int(fine[0]) if len(fine) else len(path) - 1
            rows[index][list(pending[index].places)] = path[best]
            after[index] = path[best - 1] if best else after[index]
        pending = {index: pending[index] for index in paths}


def placed(row: Floats, item: Variable, values: Floats) -> Floats:
    """A row (F) with each of some values (L, m) of a variable: (L, F)."""
    rows = np.repeat(row[None], len(values), axis=0)
    rows[:, list(item.places)] = values
    return rows


def _changed_variables(probe: Probe, changed: npt.NDArray[np.bool_], apart: Floats) -> list[Variable]:
    chosen = [item for item in probe.moves.variables if changed[list(item.places)].any()]
    return sorted(chosen, key=lambda item: -float(apart[list(item.places)].sum()))
