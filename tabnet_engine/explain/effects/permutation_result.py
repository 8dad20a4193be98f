"""What permutation importance found, for each target, class and slice. numpy only: pages import this.

Shapes: B rows, P players.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["ALL_ROWS", "PermutationImportance", "TargetPermutation"]

ALL_ROWS = ""

_COVERS = msg("The 95 % intervals cover the drawing of the rows, and are a little too wide rather than too narrow.")
_SHARED = msg("A column whose news another column also carries may show little.")
# By whether there are several targets, and whether only some rows counted.
_NOTES = {
    (False, False): msg(
        "Increase of the loss ({loss}; {before} as it is) when the column's cells are dealt out to other rows: mean "
        "over {n_rows:,} rows and {n_repeats:,} repeats."
    ),
    (False, True): msg(
        "Increase of the loss ({loss}; {before} as it is) when the column's cells are dealt out to other rows: mean "
        "over {n_rows:,} rows with {part} and {n_repeats:,} repeats."
    ),
    (True, False): msg(
        "Increase of the loss of '{target}' ({loss}; {before} as it is) when the column's cells are dealt out to "
        "other rows: mean over {n_rows:,} rows and {n_repeats:,} repeats."
    ),
    (True, True): msg(
        "Increase of the loss of '{target}' ({loss}; {before} as it is) when the column's cells are dealt out to "
        "other rows: mean over {n_rows:,} rows with {part} and {n_repeats:,} repeats."
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetPermutation:
    """One target on one part of the rows.

    ``part`` is empty for all rows, else names a class or a slice. ``loss_before`` is the mean loss of the rows as
    they are, ``constant_loss`` that of the best constant prediction for them; ``loss_increase`` (P) is what
    permuting adds to ``loss_before``, below zero where it lowered the loss by chance. ``metric_worse`` (P) is how
    much worse the score ``metric`` got, above zero for worse whatever its direction; None where the rows do not
    define the score.
    """

    target: str
    task: Task
    part: str
    n_rows: int
    loss: str
    loss_before: float
    constant_loss: float
    loss_increase: Band
    metric: str
    more_is_better: bool
    metric_before: float | None
    metric_worse: Band | None

    def __post_init__(self) -> None:
        if self.n_rows < 1 or not np.isfinite(self.loss_increase.values).all():
            raise ValueError("a permutation importance must be measured on rows, and be finite")
        if (self.metric_before is None) != (self.metric_worse is None):
            raise ValueError("a score and its change must both be given or neither")

    def to_mapping(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        worse = self.metric_worse
        facts = {name: getattr(self, name) for name in _FACTS}
        return {
            **facts,
            "task": str(self.task),
            "loss_increase": self.loss_increase.to_mapping(),
            "metric_worse": None if worse is None else worse.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        worse = values["metric_worse"]
        return cls(
            **{name: values[name] for name in _FACTS},
            task=Task(values["task"]),
            loss_increase=Band.from_mapping(values["loss_increase"]),
            metric_worse=None if worse is None else Band.from_mapping(worse),
        )


_FACTS = (
    "target", "part", "n_rows", "loss", "loss_before", "constant_loss", "metric", "more_is_better", "metric_before",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class PermutationImportance:
    """What permuting each player (P) costs, on held-out ``rows`` (B).

    ``targets`` holds every target on all rows, on the rows of each of its classes, and on each slice. ``relative``
    (P) is for all targets together: the mean over targets of the increase of the loss divided by the target's
    ``constant_loss``, so that euro and classes count the same; a target that is the same in all rows has no such
    unit and is named in ``left_out``.
    """

    features: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    selection: str
    n_repeats: int
    seed: int
    run_id: str
    targets: tuple[TargetPermutation, ...]
    relative: Band
    left_out: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.features),)
        bands = [self.relative, *(found.loss_increase for found in self.targets)]
        if not self.targets or any(band.values.shape != shape for band in bands):
            raise ValueError(f"a permutation importance must have one value for each of its {shape[0]} players")

    @property
    def target_names(self) -> tuple[str, ...]:
        """The targets (T)."""
        return tuple(dict.fromkeys(found.target for found in self.targets))

    @property
    def parts(self) -> tuple[str, ...]:
        """The classes and slices that were measured by themselves."""
        return tuple(dict.fromkeys(found.part for found in self.targets if found.part != ALL_ROWS))

    def of(self, target: str | None = None, part: str = ALL_ROWS) -> TargetPermutation:
        """One target (the first by default) on one part of the rows.

        Raises:
            KeyError: it was not measured.
        """
        target = self.target_names[0] if target is None else target
        for found in self.targets:
            if (found.target, found.part) == (target, part):
                return found
        raise KeyError(f"permutation importance of {target!r} was not measured on {part!r}")

    def importance(self, target: str | None = None, part: str = ALL_ROWS) -> GlobalImportance:
        """The increase of the loss as a global importance.

        Args:
            target: one target; when absent the only one, or of several all together, each counting the same.
            part: a class or slice of :attr:`parts`; all rows by default.
        """
        if target is None and part == ALL_ROWS and len(self.target_names) > 1:
            return self._as_importance(self.relative, len(self.rows), self._relative_note)
        found = self.of(target, part)
        return self._as_importance(found.loss_increase, found.n_rows, self._note(found))

    @property
    def sentences(self) -> tuple[str, ...]:
        """How the figures were measured, for beside them."""
        how = say(
            "Measured on {n_rows:,} rows ({which}): each column's cells were dealt out to other rows {n_repeats:,} "
            "times, seed {seed}.",
            n_rows=len(self.rows),
            which=recalled(self.selection) or say("chosen by the caller"),
            n_repeats=self.n_repeats,
            seed=self.seed,
        )
        return how, f"{say(_COVERS)} {say(_SHARED)}"

    def _as_importance(self, band: Band, n_rows: int, note: str) -> GlobalImportance:
        defined = bool(np.isfinite(band.low).all())
        return GlobalImportance(
            method="permutation",
            features=self.features,
            values=band.values,
            standard_error=(band.high - band.low) / (2 * NORMAL_POINT) if defined else None,
            low=band.low if defined else None,
            high=band.high if defined else None,
            n_rows=n_rows,
            note=note,
        )

    def _note(self, found: TargetPermutation) -> str:
        told = say(
            _NOTES[len(self.target_names) > 1, bool(found.part)],
            target=found.target,
            loss=recalled(found.loss),
            before=f"{found.loss_before:.3g}",
            n_rows=found.n_rows,
            part=found.part,
            n_repeats=self.n_repeats,
        )
        return f"{told} {say(_COVERS)} {say(_SHARED)}"

    @property
    def _relative_note(self) -> str:
        told = say(
            "Increase of the loss as a share of the loss of a constant prediction, when the column's cells are dealt "
            "out to other rows: mean over {n_rows:,} rows, {n_repeats:,} repeats and {n_targets:,} targets, each "
            "target counting the same.",
            n_rows=len(self.rows),
            n_repeats=self.n_repeats,
            n_targets=len(self.target_names) - len(self.left_out),
        )
        text = f"{told} {say(_COVERS)} {say(_SHARED)}"
        if not self.left_out:
            return text
        alike = say("Left out, being the same in all of these rows: {targets}.", targets=", ".join(self.left_out))
        return f"{text} {alike}"

    def to_mapping(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "features": list(self.features),
            "rows": self.rows.tolist(),
            "selection": self.selection,
            "n_repeats": self.n_repeats,
            "seed": self.seed,
            "run_id": self.run_id,
            "targets": [found.to_mapping() for found in self.targets],
            "relative": self.relative.to_mapping(),
            "left_out": list(self.left_out),
            "groups": {name: list(columns) for name, columns in self.groups.items()},
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            features=tuple(values["features"]),
            rows=np.asarray(values["rows"], dtype=np.int64),
            selection=str(values["selection"]),
            n_repeats=int(values["n_repeats"]),
            seed=int(values["seed"]),
            run_id=str(values["run_id"]),
            targets=tuple(TargetPermutation.from_mapping(item) for item in values["targets"]),
            relative=Band.from_mapping(values["relative"]),
            left_out=tuple(values["left_out"]),
            groups={name: tuple(columns) for name, columns in values["groups"].items()},
        )
