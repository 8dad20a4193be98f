"""All that can be varied in one row, and the bonds between its columns.

Shapes: n candidate rows, F raw features, V variables. No torch: pages import this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.counterfactual.constraints import Bond, Constraints
from tabnet_engine.explain.counterfactual.distance import DistanceScale
from tabnet_engine.explain.counterfactual.grid import Observed
from tabnet_engine.explain.counterfactual.space import RowSpace
from tabnet_engine.explain.counterfactual.variables import Variable, variable_of, variable_of_amount

__all__ = ["Moves"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Moves:
    """One row (F), its variables (V), and the columns that are bound to each other.

    ``whole`` are bonds of which all columns change or none does, ``aligned`` bonds whose columns move one way.
    """

    space: RowSpace
    own: Floats
    variables: tuple[Variable, ...]
    whole: tuple[tuple[int, ...], ...] = ()
    aligned: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def build(cls, scale: DistanceScale, own: Floats, observed: tuple[Observed, ...], constraints: Constraints) -> Self:
        """What the constraints leave open to a row (F), given what training showed of each column (F)."""
        space = scale.space
        places = {name: place for place, name in enumerate(space.names)}
        bonds = {
            bond: tuple(
                tuple(places[name] for name in item.columns) for item in constraints.together if item.bond is bond
            )
            for bond in Bond
        }
        by_amount = bonds[Bond.SAME_AMOUNT]
        limits = [constraints.of(name) for name in space.names]
        tied = {place for group in by_amount for place in group}
        found = [
            variable_of(space, place, float(own[place]), observed[place], scale.shares[place], limits[place])
            for place in range(len(limits))
            if place not in tied
        ]
        found += [
            variable_of_amount(
                space, group, own, [observed[place] for place in group], [limits[place] for place in group]
            )
            for group in by_amount
        ]
        variables = [item for item in found if item is not None]
        free = {place for item in variables for place in item.places}
        # Where one column of a bond cannot move, the others must not.
        stuck = {place for group in bonds[Bond.ALL_OR_NONE] if not free.issuperset(group) for place in group}
        variables = [item for item in variables if not stuck.intersection(item.places)]
        return cls(
            space,
            own,
            tuple(variables),
            (*bonds[Bond.ALL_OR_NONE], *by_amount),
            bonds[Bond.SAME_DIRECTION],
        )

    def changed(self, rows: Floats) -> Mask:
        """Which cells (n, F) differ from the row's own."""
        return np.asarray((rows != self.own) & ~(np.isnan(rows) & np.isnan(self.own)))

    def n_moves(self, rows: Floats) -> npt.NDArray[np.int64]:
        """How many things change in each row (n); columns that change all together or not at all count once."""
        changed = self.changed(rows)
        count = changed.sum(axis=1)
        for group in self.whole:
            members = changed[:, list(group)]
            count = count - members.sum(axis=1) + members.any(axis=1)
        return np.asarray(count, dtype=np.int64)

    def complete(self, rows: Floats) -> Mask:
        """Which rows (n) leave no bond half done."""
        changed = self.changed(rows)
        done = np.ones(len(rows), dtype=bool)
        for group in self.whole:
            members = changed[:, list(group)]
            done &= members.all(axis=1) | ~members.any(axis=1)
        return done

    def aligned_rows(self, rows: Floats) -> Mask:
        """Which rows (n) move no two columns of a bond in opposite directions."""
        fine = np.ones(len(rows), dtype=bool)
        for group in self.aligned:
            # A missing cell that is filled, or emptied, has no direction: NaN is neither above nor below.
            moved = rows[:, list(group)] - self.own[list(group)]
            fine &= ~((moved > 0).any(axis=1) & (moved < 0).any(axis=1))
        return fine

    def due(self, row: Floats) -> tuple[Variable, ...] | None:
        """The variables that a half-done bond of one row (F) still demands; None where none is."""
        changed = self.changed(row[None])[0]
        for group in self.whole:
            members = changed[list(group)]
            if members.any() and not members.all():
                missing = {place for place in group if not changed[place]}
                return tuple(item for item in self.variables if missing.issuperset(item.places))
        return None

    def allowed(self, rows: Floats) -> Mask:
        """Which rows (n) keep every bond and change only what can be varied."""
        open_places = np.zeros(len(self.own), dtype=bool)
        open_places[[place for item in self.variables for place in item.places]] = True
        untouched = ~(self.changed(rows) & ~open_places).any(axis=1)
        return np.asarray(self.complete(rows) & self.aligned_rows(rows) & untouched)

    def undone_together(self, place: int) -> tuple[int, ...]:
        """The columns that must be taken back when one is."""
        return next((group for group in self.whole if place in group), (place,))
