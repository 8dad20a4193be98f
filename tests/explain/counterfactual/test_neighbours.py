"""Nearest real rows with another outcome, by the model and in fact."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.counterfactual.neighbours import Neighbours, Outcome, nearest_rows
from tabnet_engine.explain.counterfactual.wanted import wanted_class, wanted_range


@pytest.fixture
def told(by_income):
    """The table with what really came: not always what the model says."""
    frame = by_income.frame.copy()
    frame["granted"] = np.where(frame["age"].fillna(0) > 50, "yes", "no")
    frame.loc[::10, "granted"] = None
    return frame


def ask(world, row, frame, **further):
    return nearest_rows(world.scorer, world.reference, row, frame, wanted_class(world.scorer.targets, "yes"), **further)


def test_the_nearest_that_the_model_gives_another_outcome(by_income, told):
    row = told.iloc[[5]].assign(income=30_000.0)
    found = ask(by_income, row, told, row_number=5, n=4)
    incomes = told["income"].to_numpy()
    assert all(incomes[item.row] > 41_250 for item in found.rows)
    assert [item.distance for item in found.rows] == sorted(item.distance for item in found.rows)
    # By brute force: no other row that the model grants is nearer than the last one shown.
    scale, space = by_income.reference.scale, by_income.reference.space
    apart = scale.between(scale.positions(space.matrix(row))[0], scale.positions(space.matrix(told)))
    granted = np.setdiff1d(np.flatnonzero(by_income.scorer.logits(told)[:, 0] > 0), 5)
    assert [item.row for item in found.rows] == granted[np.argsort(apart[granted], kind="stable")][:4].tolist()
    assert found.n_with_outcome == len(granted)
    first = found.rows[0]
    assert first.distance == pytest.approx(sum(change.distance for change in first.differences))
    for change in first.differences:
        assert change.before_text != change.after_text
    assert "These are real rows, not advice" in found.note


def test_the_nearest_that_really_came_to_another_outcome(by_income, told):
    row = told.iloc[[7]]
    found = ask(by_income, row, told, row_number=7, by=Outcome.ACTUAL)
    assert {item.actual for item in found.rows} == {"yes"}
    assert 7 not in {item.row for item in found.rows}
    assert found.n_known == int(told["granted"].notna().sum())
    predicted = ask(by_income, row, told, by=Outcome.PREDICTED, n=200)
    assert None in {item.actual for item in predicted.rows}
    assert {item.predicted.split(" ")[0] for item in predicted.rows} == {"yes"}


def test_a_number_and_an_unseen_category(cells):
    targets = TargetCodecs((TargetCodec(name="price", task=Task.REGRESSION),))
    world = cells.World.of(lambda raw: raw["income"].fillna(0) / 1_000, targets=targets)
    frame = world.frame.assign(price=world.frame["age"], job="astronaut")
    wanted = wanted_range(targets, low=60)
    found = nearest_rows(world.scorer, world.reference, world.row(), frame, wanted, by=Outcome.ACTUAL)
    assert all(float(item.actual) >= 60 for item in found.rows)
    assert {change.after for item in found.rows for change in item.differences if change.column == "job"} == {
        "astronaut"
    }


def test_neighbours_come_back_as_they_were_stored(by_income, told):
    found = ask(by_income, told.iloc[[0]], told)
    restored = Neighbours.from_mapping(json.loads(json.dumps(found.to_mapping(), allow_nan=False)))
    assert restored.to_mapping() == found.to_mapping()
    assert restored.note == found.note
    with pytest.raises(ValueError, match="format 2"):
        Neighbours.from_mapping({**found.to_mapping(), "format_version": 2})


def test_requests_that_cannot_be_met_are_refused(by_income, told):
    row = told.iloc[[0]]
    with pytest.raises(ExplanationError, match="one row is explained at a time, got 2"):
        ask(by_income, told.iloc[:2], told)
    with pytest.raises(ExplanationError, match="no row to look for"):
        ask(by_income, row, told.iloc[:0])
    with pytest.raises(ExplanationError, match="at least one neighbour"):
        ask(by_income, row, told, n=0)
    with pytest.raises(ExplanationError, match="does not tell 'granted'"):
        ask(by_income, row, told.drop(columns="granted"), by=Outcome.ACTUAL)
    with pytest.raises(ExplanationError, match="no row is predicted to have granted = yes"):
        ask(by_income, row, told.assign(income=100.0))
    with pytest.raises(SchemaError, match="no column 'age'"):
        ask(by_income, row, told.drop(columns="age"))
