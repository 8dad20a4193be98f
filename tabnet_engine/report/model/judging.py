"""How well a run does on rows that no weight was fitted to, each figure with its interval, for its reports.

Shapes: B rows, K outputs, T targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ReportError
from tabnet_engine.explain.estimates import Estimate, mean_estimate, proportion_estimate
from tabnet_engine.explain.evaluation import has_evaluation, held_out, load_evaluation
from tabnet_engine.explain.groups.calibration import N_BINS, calibration
from tabnet_engine.explain.groups.performance import performance
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.run import Run

__all__ = ["CalibrationBin", "JudgedRows", "JudgedTarget", "calibration_bins", "judge"]

Floats = npt.NDArray[np.float64]
_FEWEST_IN_BIN = 10
_ROUNDING = 0.01  # by which a score may differ between machines and precisions

_TESTED = msg("{n_rows:,} test rows")
_VALIDATED = msg("{n_rows:,} validation rows")
_EVERY_ROW = msg("{n_rows:,} rows of the table; which of them trained the model is not known")


@dataclass(frozen=True, kw_only=True)
class CalibrationBin:
    """Rows of like prediction: how high it was on average, and what came, with its interval."""

    predicted: float
    came: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedTarget:
    """One target on the judged rows.

    ``scores`` and ``calibration`` are by the name of the measure. ``about`` is the class whose probability is
    calibrated: the positive one, empty where it is the predicted one or a quantity. ``shares`` (by class) are those
    of the outcomes; empty for a quantity. ``mean_prediction`` is that of the calibrated probability or the quantity.
    """

    codec: TargetCodec
    n_known: int
    scores: dict[str, Estimate]
    calibration: dict[str, Estimate]
    bins: tuple[CalibrationBin, ...]
    about: str
    shares: dict[str, Estimate]
    mean_prediction: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedRows:
    """The rows that a run is judged on. ``words`` say which; ``is_test`` whether nothing at all was chosen by them.

    ``rows`` (B) are row numbers in the table of the run. ``unlike`` are scores that are not those that the training
    stored of the same rows: the table is then not the one that the run was trained on.
    """

    words: str
    rows: npt.NDArray[np.int64]
    is_held_out: bool
    is_test: bool
    targets: tuple[JudgedTarget, ...]
    unlike: tuple[str, ...] = ()


def judge(run: Run, frame: pd.DataFrame | None, *, seed: int = 0) -> JudgedRows | None:
    """Measure a run on its held-out rows; None where there is no row with a known outcome to measure it on.

    With the table all held-out rows are used (of an imported run all rows); without it the evaluation rows that the
    run keeps.

    Args:
        run: a trained or imported run.
        frame: the table that it was trained on.
        seed: of the resampling.

    Raises:
        ReportError: ``frame`` has not as many rows as the run's own table.
        SchemaError: ``frame`` does not hold what the run reads.
    """
    from tabnet_engine.explain.subject import Subject

    found = _from_table(run, frame) if frame is not None else _from_store(run)
    if found is None:
        return None
    rows, words, encoded, outcomes = found
    logits = Subject.of_run(run).logits(encoded)
    targets = tuple(
        _judged(codec, outcomes[codec.name], logits[:, place], seed)
        for codec, place in zip(run.targets.codecs, run.targets.slices, strict=True)
    )
    if not any(target.n_known for target in targets):
        return None
    known = held_out(run)[0]
    return JudgedRows(
        words=words,
        rows=rows,
        is_held_out=len(known) > 0,
        is_test=len(run.splits.test) > 0,
        targets=tuple(target for target in targets if target.n_known),
        unlike=() if frame is None else tuple(_unlike(run, targets)),
    )


def _unlike(run: Run, targets: Sequence[JudgedTarget]) -> Iterator[str]:
    """Scores of all held-out rows that differ from what was stored of them by more than another machine's rounding."""
    stored = run.manifest.metrics.get("test" if len(run.splits.test) else "validation", {})
    for target in targets:
        for name, found in target.scores.items():
            before = stored.get(name if len(targets) == 1 else f"{target.codec.name}: {name}")
            if before is None or found.value is None:
                continue
            if abs(found.value - before) > _ROUNDING * max(1.0, abs(before)):
                yield name


_Found = tuple[npt.NDArray[np.int64], str, Any, dict[str, npt.NDArray[Any]]]


def _from_table(run: Run, frame: pd.DataFrame) -> _Found | None:
    rows, _ = held_out(run)
    n_rows = run.manifest.dataset.n_rows
    if len(rows) and len(frame) != n_rows:
        raise ReportError(
            f"the table has {len(frame):,} rows, but the run {run.manifest.title!r} was trained on one of {n_rows:,}; "
            "give the table that it was trained on"
        )
    words = (_TESTED if len(run.splits.test) else _VALIDATED) if len(rows) else _EVERY_ROW
    if not len(rows):
        rows = np.arange(len(frame), dtype=np.int64)
    if not len(rows):
        return None
    outcomes = {codec.name: _outcomes(codec, frame, rows) for codec in run.targets.codecs}
    return rows, say(words, n_rows=len(rows)), run.encoder.transform(frame.iloc[rows]), outcomes


def _from_store(run: Run) -> _Found | None:
    if not has_evaluation(run):
        return None
    kept = load_evaluation(run)
    outcomes = {name: kept.of_target(run.targets, place) for place, name in enumerate(run.targets.names)}
    return kept.chosen.rows, recalled(kept.description), kept.chosen.table, outcomes


def _outcomes(codec: TargetCodec, frame: pd.DataFrame, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Targets (B); -1 or NaN where the outcome is missing or the table does not hold it."""
    is_quantity = codec.task is Task.REGRESSION
    y = np.full(len(rows), np.nan if is_quantity else -1, dtype=np.float64 if is_quantity else np.int64)
    if codec.name in frame:
        known = frame[codec.name].notna().to_numpy()[rows]
        y[known] = codec.encode(frame, rows=rows[known])
    return y


def _judged(codec: TargetCodec, y: npt.NDArray[Any], logits: Floats, seed: int) -> JudgedTarget:
    known = np.isfinite(y) if codec.task is Task.REGRESSION else y >= 0
    y, logits = y[known], logits[known]
    predicted, came = _calibrated(codec, y, logits)
    shares = {}
    if codec.task is not Task.REGRESSION:
        shares = {name: proportion_estimate(int((y == code).sum()), len(y)) for code, name in enumerate(codec.classes)}
    return JudgedTarget(
        codec=codec,
        n_known=len(y),
        scores=performance(codec.task, y, logits, codec.classes, seed=seed) if len(y) else {},
        calibration=calibration(codec, y, logits, seed=seed) if len(y) else {},
        bins=calibration_bins(predicted, came, is_share=codec.task is not Task.REGRESSION),
        about=codec.classes[1] if codec.task is Task.BINARY else "",
        shares=shares,
        mean_prediction=mean_estimate(predicted),
    )


def _calibrated(codec: TargetCodec, y: npt.NDArray[Any], logits: Floats) -> tuple[Floats, Floats]:
    """Prediction and what came (B), in one unit: of the positive or the predicted class, or the quantity."""
    if codec.task is Task.REGRESSION:
        return logits[:, 0], y.astype(np.float64)
    shares = class_probabilities(codec.task, logits)
    if codec.task is Task.BINARY:
        return shares[:, 1], (y == 1).astype(np.float64)
    codes = predicted_codes(codec.task, logits)
    return shares[np.arange(len(y)), codes], (codes == y).astype(np.float64)


def calibration_bins(predicted: Floats, came: Floats, *, is_share: bool) -> tuple[CalibrationBin, ...]:
    """At most ten bins of equally many rows by their prediction, the lowest first; fewer where rows are few.

    Args:
        predicted: (B,) probabilities or quantities.
        came: (B,) what came: 0 or 1, or quantities.
        is_share: whether what came is 0 or 1, so that its mean is a share with Wilson's interval.
    """
    n_bins = min(N_BINS, len(predicted) // _FEWEST_IN_BIN)
    if not n_bins:
        return ()
    order = np.argsort(predicted, kind="stable")
    return tuple(
        CalibrationBin(
            predicted=float(predicted[part].mean()),
            came=proportion_estimate(int(came[part].sum()), len(part)) if is_share else mean_estimate(came[part]),
        )
        for part in np.array_split(order, n_bins)
    )
