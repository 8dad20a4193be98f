"""Measuring a model by group: performance, calibration, selection and attributions, each with its interval.

Shapes: B rows, G groups, K outputs of one target. Sources: interval of the ratio of selection rates, recovered from
those of both shares on the log scale (Zou & Donner 2008); difference of two shares (Newcombe 1998, method 10); rates
by group as in Hardt, Price & Srebro 2016; adjustment for many comparisons (Holm 1979).
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.estimates import Estimate, proportion_estimate
from tabnet_engine.explain.evaluation import held_out
from tabnet_engine.explain.groups.audit import GroupAudit, GroupRecord
from tabnet_engine.explain.groups.calibration import calibration
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.groups.differences import group_differences
from tabnet_engine.explain.groups.membership import MAX_GROUPS
from tabnet_engine.explain.groups.performance import performance
from tabnet_engine.explain.groups.spread import attribution_spread
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.explain.subject import Steering
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.artefact import Run

__all__ = ["audit_groups", "audit_run"]

_EVERYONE = msg("all rows")

_TESTED = msg("{n_rows:,} test rows")
_VALIDATED = msg("{n_rows:,} validation rows")
_EVERY_ROW = msg("{n_rows:,} rows of the table; which of them trained the model is not known")

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


def audit_groups(  # noqa: PLR0913 - five of them are optional
    codec: TargetCodec,
    y: npt.NDArray[Any],
    logits: Floats,
    parts: RowParts,
    *,
    decision: Decision | None = None,
    reference: str | None = None,
    selection: str = "",
    seed: int = 0,
    steering: Steering | None = None,
) -> GroupAudit:
    """Measure every group of some rows.

    Args:
        codec: the target.
        y: (B,) class codes with -1 where the outcome is missing, or numbers with NaN there.
        logits: (B, K) of this target.
        parts: the group of each row.
        decision: when a row is selected; None leaves selection out.
        reference: the group that ratios are against; the largest when None.
        selection: which rows these are.
        seed: of the resampling.
        steering: told about the groups measured; may cancel.

    Raises:
        ExplanationError: no row, or a reference that is no group.
        JobCancelledError: the steering asked to stop.
        ValueError: arrays of different lengths.
    """
    n_rows = len(logits)
    if not n_rows == len(y) == len(parts.codes):
        raise ValueError(f"{n_rows} logits, {len(y)} targets and {len(parts.codes)} groups must be of the same rows")
    occurring = parts.occurring()
    if not len(occurring):
        raise ExplanationError("there is no row to compare groups in; give at least one")
    if len(occurring) > MAX_GROUPS:
        raise ExplanationError(
            f"{occurring.title} make {len(occurring):,} groups, too many to compare (at most {MAX_GROUPS}); cut them "
            "into fewer"
        )
    base = _reference(occurring, reference)
    measured = _Rows(codec, y, logits, decision, seed)
    steering = steering or Steering()
    steering.step(0, len(occurring) + 1)
    everyone = measured.record(_EVERYONE, np.arange(n_rows))
    records = []
    for part, name in enumerate(occurring.names):
        steering.step(part + 1, len(occurring) + 1)
        records.append(measured.record(name, occurring.members(part)))
    if decision is not None:
        records = [measured.against(record, occurring, part, base) for part, record in enumerate(records)]
    return GroupAudit(
        column=occurring.title,
        target=codec.name,
        task=codec.task,
        groups=tuple(records),
        everyone=everyone,
        reference=occurring.names[base],
        decision="" if decision is None else decision.words,
        differences=group_differences(codec, y, logits, occurring, measured.selected),
        is_feature=False,
        how=occurring.how,
        columns=occurring.columns,
        pieces=occurring.pieces,
        selection=selection or say_plural("{count} row", "{count:,} rows", n_rows),
        seed=seed,
    )


def audit_run(  # noqa: PLR0913 - six of them are optional
    run: Run,
    frame: pd.DataFrame,
    parts: RowParts,
    *,
    target: str | None = None,
    decision: Decision | None = None,
    reference: str | None = None,
    attribution: Attribution | None = None,
    seed: int = 0,
    steering: Steering | None = None,
) -> GroupAudit:
    """Measure a run by group on its held-out rows; of an imported run, which knows none, on the whole table.

    Args:
        run: the run; its network is used here.
        frame: the table it was trained on (B rows).
        parts: the group of every row of that table, from
            :func:`~tabnet_engine.explain.groups.membership.groups_of_column`; cross two with
            :func:`~tabnet_engine.explain.row_parts.intersection`.
        target: which of several targets; the first when None.
        decision: when a row is selected; None takes :meth:`Decision.of`'s own.
        reference: as :func:`audit_groups`.
        attribution: signed values of some of these rows; none leaves the spread of attributions out.
        seed: of the resampling.
        steering: as :func:`audit_groups`.

    Raises:
        ExplanationError: as :func:`audit_groups`, a pretraining, or a table shorter than the run's own.
        SchemaError: ``frame`` does not hold what the run reads, or no target is called so.
    """
    from tabnet_engine.explain.subject import Subject

    if len(parts.codes) != len(frame):
        raise ValueError(f"the groups of {len(parts.codes)} rows are not those of a table of {len(frame)} rows")
    codec, place = run.targets.of(target or run.targets.names[0])
    rows, name = _rows_to_judge(run, frame)
    subject = Subject.of_run(run)
    logits = subject.logits(run.encoder.transform(frame.iloc[rows]))[:, place]
    chosen = parts.take(rows).occurring()
    spread = None if attribution is None else attribution_spread(attribution, rows, chosen, place)
    audit = audit_groups(
        codec,
        _outcomes(codec, frame, rows),
        logits,
        chosen,
        decision=decision or Decision.of(codec),
        reference=reference,
        selection=say(name, n_rows=len(rows)),
        seed=seed,
        steering=steering,
    )
    is_feature = any(column in run.schema.feature_names for column in parts.columns)
    return dataclasses.replace(audit, attribution=spread, is_feature=is_feature, run_id=run.run_id)


def _rows_to_judge(run: Run, frame: pd.DataFrame) -> tuple[npt.NDArray[np.int64], str]:
    rows, _ = held_out(run)
    if len(rows) and rows.max() >= len(frame):
        raise ExplanationError(
            f"the table has {len(frame):,} rows, but the run was trained on one of at least {int(rows.max()) + 1:,}; "
            "give the table that the run was trained on"
        )
    if len(rows):
        return rows, _TESTED if len(run.splits.test) else _VALIDATED
    return np.arange(len(frame), dtype=np.int64), _EVERY_ROW


def _outcomes(codec: TargetCodec, frame: pd.DataFrame, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Targets (B); -1 or NaN where the outcome is missing or the table does not hold it."""
    missing = np.nan if codec.task is Task.REGRESSION else -1
    y = np.full(len(rows), missing, dtype=np.float64 if codec.task is Task.REGRESSION else np.int64)
    if codec.name in frame:
        known = frame[codec.name].notna().to_numpy()[rows]
        y[known] = codec.encode(frame, rows=rows[known])
    return y


def _reference(parts: RowParts, wanted: str | None) -> int:
    if wanted is None:
        return int(parts.sizes.argmax())
    if wanted not in parts.names:
        raise ExplanationError(f"{wanted!r} is no group of {parts.title}; its groups are {', '.join(parts.names)}")
    return parts.names.index(wanted)


class _Rows:
    """All rows with what is needed to measure any of them."""

    def __init__(
        self, codec: TargetCodec, y: npt.NDArray[Any], logits: Floats, decision: Decision | None, seed: int
    ) -> None:
        self.codec, self.y, self.logits, self.seed = codec, y, logits, seed
        self.known: Booleans = np.isfinite(y) if codec.task is Task.REGRESSION else y >= 0
        self.selected = None if decision is None else decision.selected(codec, logits)
        self.deserved = None if decision is None else decision.deserved(codec, y)

    def record(self, name: str, members: npt.NDArray[np.int64]) -> GroupRecord:
        """Every measure of some rows."""
        known = members[self.known[members]]
        y, logits = self.y[known], self.logits[known]
        codec = self.codec
        measures = performance(codec.task, y, logits, codec.classes, seed=self.seed)
        measures |= calibration(codec, y, logits, seed=self.seed)
        return GroupRecord(
            name=name, n_rows=len(members), n_known=len(known), measures=measures | self._rates(members, known)
        )

    def against(self, record: GroupRecord, parts: RowParts, part: int, base: int) -> GroupRecord:
        """The record with its selection compared with that of the reference group."""
        own, other = self._selection(parts.members(part)), self._selection(parts.members(base))
        if part == base:
            same = Estimate(value=1.0, n=own[1], how=say("the reference group itself"))
            none = Estimate(value=0.0, n=own[1], how=say("the reference group itself"))
            compared = {"selection_ratio": same, "selection_difference": none}
        else:
            compared = {"selection_ratio": _ratio(own, other), "selection_difference": _difference(own, other)}
        return GroupRecord(
            name=record.name,
            n_rows=record.n_rows,
            n_known=record.n_known,
            measures={**record.measures, **compared},
        )

    def _rates(self, members: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> dict[str, Estimate]:
        if self.selected is None or self.deserved is None:
            return {}
        good, bad = known[self.deserved[known]], known[~self.deserved[known]]
        return {
            "favourable_rate": proportion_estimate(len(good), len(known)),
            "selection_rate": proportion_estimate(*self._selection(members)),
            "false_positive_rate": proportion_estimate(*self._selection(bad)),
            "false_negative_rate": proportion_estimate(int((~self.selected[good]).sum()), len(good)),
        }

    def _selection(self, members: npt.NDArray[np.int64]) -> tuple[int, int]:
        """How many of the rows are selected, and how many there are."""
        if self.selected is None:
            raise ValueError("there is no decision to count selections of")
        return int(self.selected[members].sum()), len(members)


def _ratio(own: tuple[int, int], other: tuple[int, int]) -> Estimate:
    """Ratio of two shares; its interval is undefined where one of them is zero."""
    (a, n), (b, m) = own, other
    if n == 0 or m == 0 or b == 0:
        return Estimate(value=None, n=n, how=say("nobody in the reference group is selected"))
    ratio = (a / n) / (b / m)
    if a == 0:
        return Estimate(value=ratio, n=n, how=say("nobody is selected; see the difference for an interval"))
    # From the intervals of both shares, on the log scale: unlike that of Katz it does not shrink to nothing where
    # everybody is selected.
    mine, theirs = _ends(own), _ends(other)
    below = math.hypot(math.log(mine[1] / mine[0]), math.log(theirs[2] / theirs[1]))
    above = math.hypot(math.log(mine[2] / mine[1]), math.log(theirs[1] / theirs[0]))
    return Estimate(
        value=ratio,
        low=ratio * math.exp(-below),
        high=ratio * math.exp(above),
        n=n,
        how=say("Wilson scores of both shares, recovered on the log scale"),
    )


def _difference(own: tuple[int, int], other: tuple[int, int]) -> Estimate:
    """Difference of two shares by their two Wilson intervals."""
    if not own[1] or not other[1]:
        return Estimate(value=None, n=own[1], how=say("no row"))
    mine, theirs = _ends(own), _ends(other)
    value = mine[1] - theirs[1]
    low = value - math.hypot(mine[1] - mine[0], theirs[2] - theirs[1])
    high = value + math.hypot(mine[2] - mine[1], theirs[1] - theirs[0])
    return Estimate(value=value, low=low, high=high, n=own[1], how=say("Newcombe's hybrid score"))


def _ends(counts: tuple[int, int]) -> tuple[float, float, float]:
    """A share of some rows between the ends of its Wilson interval: low, share, high."""
    share = proportion_estimate(*counts)
    if share.value is None or share.low is None or share.high is None:
        raise ValueError("a share of some rows must have an interval")
    return share.low, share.value, share.high
