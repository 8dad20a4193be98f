"""Judged rows: the very scores that the training stored, bins that hold every row once, nothing invented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.errors import ReportError
from tabnet_engine.explain.evaluation import load_evaluation
from tabnet_engine.explain.subject import Subject
from tabnet_engine.report.model.judging import calibration_bins, judge
from tabnet_engine.runs.artefact import load_run
from tabnet_engine.training.metrics import evaluate


@given(st.integers(0, 150), st.integers(0, 2**32 - 1))
def test_bins_hold_every_row_once_the_lowest_predictions_first(n_rows: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    predicted, came = generator.random(n_rows).round(1), (generator.random(n_rows) < 0.3).astype(float)
    bins = calibration_bins(predicted, came, is_share=True)
    assert len(bins) == min(10, n_rows // 10)
    if not bins:
        return
    counts = np.array([item.came.n for item in bins])
    means = np.array([item.predicted for item in bins])
    assert counts.sum() == n_rows
    assert counts.max() - counts.min() <= 1
    assert (np.diff(means) >= -1e-12).all()
    assert (counts * means).sum() == pytest.approx(predicted.sum())
    assert sum(item.came.n * item.came.value for item in bins) == pytest.approx(came.sum())
    assert all(item.came.low <= item.came.value <= item.came.high for item in bins)


def test_outcomes_drawn_from_the_predictions_lie_within_the_intervals() -> None:
    generator = np.random.default_rng(0)
    predicted = generator.random(4_000)
    bins = calibration_bins(predicted, (generator.random(4_000) < predicted).astype(float), is_share=True)
    assert sum(item.came.low <= item.predicted <= item.came.high for item in bins) >= 8
    moved = calibration_bins(predicted, (generator.random(4_000) < predicted**3).astype(float), is_share=True)
    assert sum(item.came.low <= item.predicted <= item.came.high for item in moved) <= 3


def test_the_scores_are_those_of_the_training_with_and_without_the_table(credit_run: Path, credit_csv: Path) -> None:
    run, frame = load_run(credit_run), pd.read_csv(credit_csv)
    whole, kept = judge(run, frame), judge(run, None)
    for judged, rows in ((whole, run.splits.test), (kept, load_evaluation(run).chosen.rows)):
        assert judged is not None
        (target,) = judged.targets
        assert judged.is_held_out
        assert judged.is_test
        logits = Subject.of_run(run).logits(run.encoder.transform(frame.iloc[rows]))
        expected = evaluate(run.codec.task, run.codec.encode(frame, rows=rows), logits, run.codec.classes)
        assert {name: found.value for name, found in target.scores.items()} == pytest.approx(expected, abs=1e-6)
        assert all(found.low < found.value < found.high for found in target.scores.values())
        assert sum(found.value for found in target.shares.values()) == pytest.approx(1)
        np.testing.assert_array_equal(judged.rows, rows)
    assert whole is not None
    (target,) = whole.targets
    stored = run.manifest.metrics["test"]
    assert {name: found.value for name, found in target.scores.items()} == pytest.approx(stored, abs=1e-6)


def test_another_table_is_refused(credit_run: Path, credit_csv: Path) -> None:
    frame = pd.read_csv(credit_csv)
    with pytest.raises(ReportError, match=r"300 rows, but .* one of 600; give the table that it was trained on"):
        judge(load_run(credit_run), frame.head(300))
    other = judge(load_run(credit_run), frame.sample(frac=1, random_state=1).reset_index(drop=True))
    own = judge(load_run(credit_run), frame)
    assert other is not None
    assert own is not None
    assert "auc" in other.unlike
    assert own.unlike == ()


def test_without_a_known_outcome_nothing_is_judged(credit_run: Path, credit_csv: Path) -> None:
    assert judge(load_run(credit_run), pd.read_csv(credit_csv).drop(columns="decision")) is None
