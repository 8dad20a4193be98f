"""Evaluation rows: held-out rows alone, with their own targets, and the same ones after they were stored."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import DamagedRunError, ExplanationError
from tabnet_engine.explain.evaluation import (
    EVALUATION,
    EvaluationRows,
    draw_evaluation,
    has_evaluation,
    held_out,
    load_evaluation,
    save_evaluation,
)
from tabnet_engine.explain.subject import ChosenRows
from tabnet_engine.runs.artefact import load_run


def same(first: EvaluationRows, second: EvaluationRows) -> None:
    np.testing.assert_array_equal(second.chosen.table.numeric, first.chosen.table.numeric)
    np.testing.assert_array_equal(second.chosen.table.categorical, first.chosen.table.categorical)
    np.testing.assert_array_equal(second.chosen.rows, first.chosen.rows)
    np.testing.assert_array_equal(second.y, first.y)
    assert second.y.dtype == first.y.dtype
    assert (second.description, second.chosen.selection) == (first.description, first.chosen.selection)


def test_rows_are_held_out_and_keep_their_targets(run, frame):
    encoded = run.encoder.transform(frame)
    drawn = draw_evaluation(run, frame, encoded, n_rows=5, seed=3)
    rows, name = held_out(run)
    assert name == "test rows"
    assert set(drawn.chosen.rows) <= set(rows)
    assert not set(drawn.chosen.rows) & set(run.splits.train)
    expected = run.codec.encode(frame, rows=drawn.chosen.rows)
    np.testing.assert_array_equal(drawn.y, expected)
    np.testing.assert_array_equal(drawn.of_target(run.targets, 0), expected)
    np.testing.assert_array_equal(drawn.chosen.table.categorical, encoded.categorical[drawn.chosen.rows])
    assert drawn.n_rows == 5
    assert drawn.description == f"5 of {len(rows)} test rows, drawn in the shares of the classes"
    whole = draw_evaluation(run, frame, encoded, n_rows=10_000, seed=3)
    np.testing.assert_array_equal(whole.chosen.rows, rows)


def test_they_come_back_as_they_were_stored(run, frame):
    assert not has_evaluation(run)
    with pytest.raises(ExplanationError, match="no evaluation rows yet; explain the run first"):
        load_evaluation(run)
    drawn = draw_evaluation(run, frame, run.encoder.transform(frame), n_rows=6, seed=0)
    run = load_run(save_evaluation(run, drawn).folder)
    assert has_evaluation(run)
    same(drawn, load_evaluation(run))
    same(drawn.take([4, 1]), load_evaluation(run).take([4, 1]))
    (run.folder / f"{EVALUATION}.parquet").write_bytes(b"not parquet")
    with pytest.raises(DamagedRunError, match="evaluation rows cannot be read"):
        load_evaluation(run)


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
@pytest.mark.parametrize("y", [np.array([1.5, 2.5, -1.0]), np.array([[0, 1.5], [1, 2.5], [0, 0.5]])])
def test_numbers_several_targets_and_one_kind_of_slot(run, cases, kind, y):
    table = cases.mixed_table(3)
    numeric = table.numeric if kind == "numeric" else table.numeric[:, :0]
    categorical = table.categorical if kind == "categorical" else table.categorical[:, :0]
    rows = ChosenRows(EncodedTable(numeric, categorical), np.array([4, 7, 9]), "some rows")
    made = EvaluationRows(chosen=rows, y=y, description="some rows")
    same(made, load_evaluation(save_evaluation(run, made)))


def test_targets_of_other_rows_are_refused(cases):
    rows = ChosenRows(cases.mixed_table(3), np.arange(3))
    for y in (np.zeros(2), np.zeros((3, 1, 1))):
        with pytest.raises(ValueError, match="cannot belong to 3 rows"):
            EvaluationRows(chosen=rows, y=y, description="")
    with pytest.raises(ValueError, match="at least one row"):
        EvaluationRows(chosen=ChosenRows(cases.mixed_table(0), np.arange(0)), y=np.zeros(0), description="")
