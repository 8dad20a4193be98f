"""Which decisions changed from one run to another on the same rows. numpy and pandas only.

Shapes: B rows, K outputs in the common form, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.rows import PairedScores
from tabnet_engine.explain.estimates import Estimate, mean_estimate, proportion_estimate
from tabnet_engine.training.probabilities import predicted_codes

__all__ = [
    "PredictionShift",
    "Transitions",
    "changed_positions",
    "decision_rows",
    "mcnemar",
    "prediction_shift",
    "transitions",
]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_BINS = 40
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, kw_only=True, eq=False)
class Transitions:
    """How rows moved between classes: ``counts[i, j]`` rows were given class i by the first run and j by the second.

    ``changed`` is the share of rows that were given another class. Of the ``n_known`` rows whose outcome is known,
    ``n_corrected`` were wrong by the first run and right by the second, ``n_spoiled`` the other way round, and
    ``n_both_wrong`` changed from one wrong class to another. ``p_value`` is that of McNemar's exact test that as many
    are corrected as spoiled; None without outcomes.
    """

    classes: tuple[str, ...]
    counts: Integers
    changed: Estimate
    n_known: int
    n_corrected: int
    n_spoiled: int
    n_both_wrong: int
    p_value: float | None

    @property
    def n_rows(self) -> int:
        """How many rows were compared."""
        return int(self.counts.sum())

    @property
    def n_changed(self) -> int:
        """How many rows were given another class."""
        return self.n_rows - int(np.trace(self.counts))

    def table(self) -> pd.DataFrame:
        """One line for each pair of classes that occurs, changes first, the most frequent first."""
        firsts, seconds = np.nonzero(self.counts)
        names = np.asarray(self.classes, dtype=object)
        table = pd.DataFrame({"first": names[firsts], "second": names[seconds], "rows": self.counts[firsts, seconds]})
        order = np.lexsort((-table["rows"].to_numpy(), firsts == seconds))
        return table.iloc[order].reset_index(drop=True)

    def to_mapping(self) -> dict[str, Any]:
        """The transitions as plain JSON values."""
        return {
            "classes": list(self.classes),
            "counts": self.counts.tolist(),
            "changed": self.changed.to_mapping(),
            "n_known": self.n_known,
            "n_corrected": self.n_corrected,
            "n_spoiled": self.n_spoiled,
            "n_both_wrong": self.n_both_wrong,
            "p_value": self.p_value,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        own = {
            **values,
            "classes": tuple(values["classes"]),
            "counts": np.asarray(values["counts"], dtype=np.int64),
            "changed": Estimate.from_mapping(values["changed"]),
        }
        return cls(**own)


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictionShift:
    """How far a predicted quantity moved, second minus first, in the target's unit.

    ``mean`` is the mean shift, ``size`` the mean of its size; ``quantiles`` are those of the ``levels``.
    ``nearer`` is the share of the rows with a known outcome in which the second run is nearer to it. ``counts`` (N)
    rows moved by an amount between neighbours of ``edges`` (N + 1).
    """

    mean: Estimate
    size: Estimate
    levels: tuple[float, ...]
    quantiles: tuple[float, ...]
    nearer: Estimate
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def to_mapping(self) -> dict[str, Any]:
        """The shift as plain JSON values."""
        return {
            "mean": self.mean.to_mapping(),
            "size": self.size.to_mapping(),
            "levels": list(self.levels),
            "quantiles": list(self.quantiles),
            "nearer": self.nearer.to_mapping(),
            "edges": list(self.edges),
            "counts": list(self.counts),
        }


def transitions(scores: PairedScores) -> Transitions:
    """Count the moves between classes.

    Raises:
        ValueError: the target is a quantity.
    """
    first, second = _codes(scores)
    n_classes, known = len(scores.target.classes), scores.known
    counts = np.bincount(first * n_classes + second, minlength=n_classes**2).reshape(n_classes, n_classes)
    changed = first != second
    was_right, is_right = (codes[known] == scores.y[known] for codes in (first, second))
    n_corrected, n_spoiled = int((is_right & ~was_right).sum()), int((was_right & ~is_right).sum())
    return Transitions(
        classes=scores.target.classes,
        counts=counts.astype(np.int64),
        changed=proportion_estimate(int(changed.sum()), scores.n_rows),
        n_known=int(known.sum()),
        n_corrected=n_corrected,
        n_spoiled=n_spoiled,
        n_both_wrong=int((changed[known] & ~was_right & ~is_right).sum()),
        p_value=mcnemar(n_corrected, n_spoiled) if known.any() else None,
    )


def prediction_shift(scores: PairedScores) -> PredictionShift:
    """How far a predicted quantity moved.

    Raises:
        ValueError: the target has classes.
    """
    if scores.target.task is not Task.REGRESSION:
        raise ValueError("a shift is that of a quantity; classes have transitions")
    moved, known = scores.second[:, 0] - scores.first[:, 0], scores.known
    errors = [np.abs(logits[known, 0] - scores.y[known]) for logits in (scores.first, scores.second)]
    counts, edges = np.histogram(moved, bins=min(_BINS, max(1, len(moved))))
    return PredictionShift(
        mean=mean_estimate(moved),
        size=mean_estimate(np.abs(moved)),
        levels=_QUANTILES,
        quantiles=tuple(np.quantile(moved, _QUANTILES).tolist()) if len(moved) else (),
        nearer=proportion_estimate(int((errors[1] < errors[0]).sum()), int(known.sum())),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )


def changed_positions(scores: PairedScores, *, from_class: str | None = None, to_class: str | None = None) -> Integers:
    """Positions of the rows whose decision changed, the largest change of the score first.

    For classes the change is that of the probability of the class that the second run gives; of a quantity every row
    counts as changed whose prediction is not the same.

    Args:
        scores: the rows.
        from_class: only rows that the first run gave this class.
        to_class: only rows that the second run gives this class; the same as ``from_class`` finds unchanged rows.
    """
    change = np.abs(_change(scores))
    if scores.target.task is Task.REGRESSION:
        chosen = np.flatnonzero(change > 0)
    else:
        first, second = _codes(scores)
        passing = first != second if from_class is None or from_class != to_class else np.ones(len(first), dtype=bool)
        if from_class is not None:
            passing &= first == scores.target.classes.index(from_class)
        if to_class is not None:
            passing &= second == scores.target.classes.index(to_class)
        chosen = np.flatnonzero(passing)
    return chosen[np.argsort(-change[chosen], kind="stable")].astype(np.int64)


def decision_rows(scores: PairedScores, positions: npt.ArrayLike) -> pd.DataFrame:
    """Some rows as a table in the user's words.

    Columns: ``row``, ``first`` and ``second`` (the prediction of each run), ``actual``; for classes also
    ``first_probability`` and ``second_probability`` of the class that the second run gives; ``change``.
    """
    chosen = scores.take(positions)
    if chosen.target.task is Task.REGRESSION:
        return pd.DataFrame(
            {
                "row": chosen.rows,
                "first": chosen.first[:, 0],
                "second": chosen.second[:, 0],
                "actual": chosen.y,
                "change": _change(chosen),
            }
        )
    first, second = _codes(chosen)
    names = np.asarray([*chosen.target.classes, None], dtype=object)
    shares = _shares_of(chosen, second)
    return pd.DataFrame(
        {
            "row": chosen.rows,
            "first": names[first],
            "second": names[second],
            "actual": names[chosen.y.astype(np.int64)],
            "first_probability": shares[0],
            "second_probability": shares[1],
            "change": shares[1] - shares[0],
        }
    )


def _codes(scores: PairedScores) -> tuple[Integers, Integers]:
    if scores.target.task is Task.REGRESSION:
        raise ValueError("a quantity has no classes to move between; it has a shift")
    return predicted_codes(scores.target.task, scores.first), predicted_codes(scores.target.task, scores.second)


def _change(scores: PairedScores) -> Floats:
    """How far each row's score moved (B): the prediction, or the probability of the class given by the second run."""
    if scores.target.task is Task.REGRESSION:
        return np.asarray(scores.second[:, 0] - scores.first[:, 0])
    before, after = _shares_of(scores, _codes(scores)[1])
    return after - before


def _shares_of(scores: PairedScores, codes: Integers) -> tuple[Floats, Floats]:
    """The probability (B) of one class of each row, by both runs."""
    places = np.arange(scores.n_rows)
    first, second = (scores.target.probabilities(logits)[places, codes] for logits in (scores.first, scores.second))
    return first, second


def mcnemar(n_corrected: int, n_spoiled: int) -> float:
    """McNemar's exact test (1947): the two-sided probability of a split as uneven by chance.

    Args:
        n_corrected: rows that were wrong and are right.
        n_spoiled: rows that were right and are wrong.
    """
    from scipy.stats import binomtest

    n = n_corrected + n_spoiled
    return float(binomtest(n_corrected, n).pvalue) if n else 1.0
