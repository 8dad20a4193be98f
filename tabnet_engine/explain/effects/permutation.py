"""Permutation importance: how much worse the model gets when a column's cells are dealt out to other rows.

On held-out rows, with the targets as they are: the increase of the loss that training lowers, and the worsening of
the task's first score. Each repeat deals every row the cells of one other row, along one random cycle through all
rows, so that no row keeps its own (Breiman 2001, section 10; the estimate is the switched error minus the error of
Fisher, Rudin & Dominici 2019, section 3, sampled). Columns of one player move together. What a column shares with
others is not lost when it alone is permuted: two columns that say the same may both look unimportant.

Shapes: B rows, F raw features, P players, K outputs, R repeats, T targets.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.permutation_result import ALL_ROWS, PermutationImportance, TargetPermutation
from tabnet_engine.explain.effects.swaps import Swaps, slots_of, swaps_of
from tabnet_engine.explain.estimates import student_point
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.pseudo_values import (
    LOSS_WORDS,
    SCORES,
    constant_loss,
    row_losses,
    score_pseudo_values,
)
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering

__all__ = ["DEFAULT_REPEATS", "FEWEST_ROWS", "permutation_importance", "random_deals"]

DEFAULT_REPEATS = 5
_FEWEST_REPEATS = 2  # one repeat cannot tell the rows that were dealt out from those that got them
FEWEST_ROWS = 2

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Slices = Mapping[str, npt.NDArray[np.int64]]


def permutation_importance(  # noqa: PLR0913 - five of them are optional
    subject: LogitModel,
    targets: TargetCodecs,
    evaluation: ChosenRows,
    y: npt.NDArray[np.generic],
    *,
    players: Players | None = None,
    n_repeats: int = DEFAULT_REPEATS,
    seed: int = 0,
    slices: Slices | None = None,
    steering: Steering | None = None,
) -> PermutationImportance:
    """Permute each player's cells among the rows and measure what the model loses.

    Args:
        subject: the model.
        targets: its T targets.
        evaluation: the rows to measure on (B); rows that training did not see.
        y: their targets, (B,) of one or (B, T) of several, as :meth:`TargetCodecs.encode` gives them.
        players: what moves together; each raw column by itself when absent.
        n_repeats: how often the cells are dealt out anew, at least 2.
        seed: of the deals; every player gets the same ones.
        slices: further parts of the rows to measure by themselves, by name, as positions among the B rows. Each
            class of a target is measured anyway.
        steering: told the players done.

    Raises:
        ExplanationError: too few rows or repeats, or a slice without a row.
        JobCancelledError: the steering asked to stop.
    """
    steering = steering or Steering()
    players = players or Players.columns(subject.layout.feature_names)
    _check(evaluation, n_repeats, slices or {})
    parts = [
        _Part(targets, place, y, name, rows)
        for place, codec in enumerate(targets.codecs)
        for name, rows in _parts(codec, targets.column(y, place), slices or {}).items()
    ]
    swaps = swaps_of(subject, evaluation.table)
    deals = random_deals(len(evaluation), n_repeats, seed)
    for part in parts:
        part.start(swaps.before)
    mixture = _Mixture(targets, y, swaps.before)
    for done, members in enumerate(players.members):
        steering.step(done, len(players))
        changed = _permuted_logits(swaps, subject.layout, evaluation.table, members, deals)
        for part in parts:
            part.add(changed, deals)
        mixture.add(changed, deals)
    steering.step(len(players), len(players))
    return PermutationImportance(
        features=players.names,
        groups=players.groups(subject.layout.feature_names),
        rows=evaluation.rows,
        selection=evaluation.selection,
        n_repeats=n_repeats,
        seed=seed,
        run_id=subject.run_id,
        targets=tuple(part.result() for part in parts),
        relative=mixture.band(),
        left_out=mixture.left_out,
    )


class _Part:
    """One target on some of the rows, filled player by player."""

    def __init__(
        self, targets: TargetCodecs, place: int, y: npt.NDArray[np.generic], name: str, rows: Integers
    ) -> None:
        self.codec, self.outputs, self.name, self.rows = targets.codecs[place], targets.slices[place], name, rows
        self.y = targets.column(y, place)[rows]
        self.losses: list[tuple[float, float]] = []
        self.scores: list[tuple[float, float] | None] = []

    def start(self, logits: Floats) -> None:
        own = logits[self.rows, self.outputs]
        self.loss = row_losses(self.codec, self.y, own)
        self.score = score_pseudo_values(self.codec, self.y, own)

    def add(self, changed: Floats | None, deals: Integers) -> None:
        """Take up one player's logits (R, B, K); None where dealing changes no cell."""
        if changed is None:
            self.losses.append((0.0, 0.0))
            self.scores.append(None if self.score is None else (0.0, 0.0))
            return
        own = changed[:, self.rows, self.outputs]
        rise = np.array([row_losses(self.codec, self.y, logits) for logits in own]) - self.loss
        self.losses.append(_mean_and_margin(rise, deals, self.rows))
        if self.score is None:
            self.scores.append(None)
            return
        sign = -1.0 if SCORES[self.codec.task][1] else 1.0
        scores = [score_pseudo_values(self.codec, self.y, logits) for logits in own]
        worse = sign * (np.array(scores, dtype=np.float64) - self.score)
        self.scores.append(_mean_and_margin(worse, deals, self.rows))

    def result(self) -> TargetPermutation:
        metric, more_is_better = SCORES[self.codec.task]
        defined = [score for score in self.scores if score is not None]
        return TargetPermutation(
            target=self.codec.name,
            task=self.codec.task,
            part=self.name,
            n_rows=len(self.rows),
            loss=LOSS_WORDS[self.codec.task],
            loss_before=float(self.loss.mean()),
            constant_loss=constant_loss(self.codec, self.y),
            loss_increase=_band(self.losses),
            metric=metric,
            more_is_better=more_is_better,
            metric_before=None if self.score is None else float(self.score.mean()),
            metric_worse=None if self.score is None else _band(defined),
        )


class _Mixture:
    """All targets together: each one's increase of the loss as a share of the loss of a constant prediction."""

    def __init__(self, targets: TargetCodecs, y: npt.NDArray[np.generic], logits: Floats) -> None:
        self.parts: list[tuple[TargetCodec, slice, npt.NDArray[np.generic], float]] = []
        left_out = []
        for place, (codec, outputs) in enumerate(zip(targets.codecs, targets.slices, strict=True)):
            values = targets.column(y, place)
            unit = constant_loss(codec, values)
            if unit > 0.0:
                self.parts.append((codec, outputs, values, unit))
            else:
                left_out.append(codec.name)
        self.left_out = tuple(left_out)
        self.everyone = np.arange(len(logits))
        self.before = self._losses(logits)
        self.found: list[tuple[float, float]] = []

    def _losses(self, logits: Floats) -> Floats:
        """The mean over targets of each row's relative loss (B); zeros where no target has a unit."""
        losses = [row_losses(codec, values, logits[:, outputs]) / unit for codec, outputs, values, unit in self.parts]
        return np.mean(losses, axis=0) if losses else np.zeros(len(logits))

    def add(self, changed: Floats | None, deals: Integers) -> None:
        if changed is None:
            self.found.append((0.0, 0.0))
            return
        rise = np.array([self._losses(logits) for logits in changed]) - self.before
        self.found.append(_mean_and_margin(rise, deals, self.everyone))

    def band(self) -> Band:
        return _band(self.found)


def _check(evaluation: ChosenRows, n_repeats: int, slices: Slices) -> None:
    if len(evaluation) < FEWEST_ROWS:
        raise ExplanationError(
            f"permutation importance needs at least {FEWEST_ROWS} rows with a known target, got {len(evaluation)}; "
            "hold out more rows or give a longer table"
        )
    if n_repeats < _FEWEST_REPEATS:
        raise ExplanationError(
            f"permutation importance needs at least {_FEWEST_REPEATS} repeats for its interval, got {n_repeats}"
        )
    for name, rows in slices.items():
        if not len(rows):
            raise ExplanationError(f"the slice {name!r} holds none of the {len(evaluation):,} rows; widen it")
        if name == ALL_ROWS:
            raise ExplanationError("a slice must have a name of its own")


def _parts(codec: TargetCodec, y: npt.NDArray[np.generic], slices: Slices) -> dict[str, Integers]:
    """All rows, each class that has rows, and the caller's slices."""
    parts = {ALL_ROWS: np.arange(len(y))}
    for code, name in enumerate(codec.classes):
        rows = np.flatnonzero(y == code)
        if len(rows):
            parts[f"{codec.name} = {name}"] = rows
    return parts | {name: np.asarray(rows, dtype=np.int64) for name, rows in slices.items()}


def random_deals(n_rows: int, n_repeats: int, seed: int) -> Integers:
    """Whose cells each row gets (R, B): along one random cycle through all rows, never its own."""
    generator = np.random.default_rng(seed)
    deals = np.empty((n_repeats, n_rows), dtype=np.int64)
    for deal in deals:
        cycle = generator.permutation(n_rows)
        deal[cycle] = np.roll(cycle, -1)
    return deals


def _permuted_logits(
    swaps: Swaps, layout: InputLayout, table: EncodedTable, members: tuple[int, ...], deals: Integers
) -> Floats | None:
    """Logits (R, B, K) with the members' cells dealt out; None where all rows have the same cells."""
    numeric, categorical = slots_of(layout, members)
    if _all_alike(table.numeric[:, numeric]) and _all_alike(table.categorical[:, categorical]):
        return None
    everyone = np.tile(np.arange(len(table)), len(deals))
    return swaps.logits(members, table, everyone, deals.ravel()).reshape(*deals.shape, -1)


def _all_alike(cells: npt.NDArray[np.generic]) -> bool:
    return bool(np.array_equal(cells, np.broadcast_to(cells[:1], cells.shape), equal_nan=cells.dtype.kind == "f"))


def _mean_and_margin(change: Floats, deals: Integers, rows: Integers) -> tuple[float, float]:
    """The mean of changes (R, b) of some rows, and half of its 95 % interval; NaN with a single row.

    A mean over pairs of rows: one got cells, the other gave them, and the drawing of both counts. Each row of the
    table adds its own deviation as receiver and, over the repeats, as giver (the two projections of a U-statistic,
    Hoeffding 1948). The noise of the deals is in both, so that the interval is a little too wide rather than too
    narrow. The giver's part is scaled for the share of it that its receiver's own mean takes up.
    """
    n_repeats, n_rows = change.shape
    mean = float(change.mean())
    if n_rows < 2:
        return mean, float("nan")
    by_receiver = change.mean(axis=0)
    given = (change - by_receiver) * (n_repeats / (n_repeats - 1))
    influence = np.bincount(deals[:, rows].ravel(), weights=given.ravel(), minlength=deals.shape[1]) / n_repeats
    influence[rows] += by_receiver - mean
    error = np.sqrt(np.square(influence).sum() / (n_rows * (n_rows - 1)))
    return mean, float(student_point(n_rows - 1) * error)


def _band(found: list[tuple[float, float]]) -> Band:
    pairs = np.asarray(found, dtype=np.float64).reshape(-1, 2)
    return Band.around(pairs[:, 0], pairs[:, 1])
