"""What a search for changes is asked for is the decision itself, whichever class or side is favourable."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.reasons.altering import Alterations, decision_scorer, wanted_outcome

CASES = [
    ("binary", ("no", "yes"), {"favourable": "yes", "cutoff": 0.7}),
    ("binary", ("no", "yes"), {"favourable": "no", "cutoff": 0.7}),
    ("multiclass", ("low", "mid", "high"), {"favourable": "mid"}),
    ("multiclass", ("low", "mid", "high"), {"favourable": "mid", "cutoff": 0.3}),
    ("multiclass", ("mid", "other than mid", "high"), {"favourable": "mid", "cutoff": 0.5}),
    ("regression", (), {"cutoff": 1.0}),
    ("regression", (), {"cutoff": -1.0, "is_high_favourable": False}),
]


def world_of(reports, weights, task, classes, asked):
    codec = TargetCodec(name="t", task=Task(task), classes=classes)

    def several(raw):
        return np.stack([raw @ weights, raw[:, 1] + 0.3, -(raw @ weights)], axis=1)

    return reports.World.of(several if len(classes) > 2 else lambda raw: raw @ weights, codec=codec, **asked)


@pytest.mark.parametrize(("task", "classes", "asked"), CASES)
def test_the_wanted_outcome_is_reached_exactly_where_a_row_is_approved(reports, weights, task, classes, asked):
    world = world_of(reports, weights, task, classes, asked)
    logits = decision_scorer(world.model).logits(world.frame)
    np.testing.assert_array_equal(wanted_outcome(world.model, favourable=True).reached(logits), world.selected)
    np.testing.assert_array_equal(wanted_outcome(world.model, favourable=False).reached(logits), ~world.selected)


@pytest.mark.parametrize(("task", "classes", "asked"), [CASES[1], CASES[3], CASES[6]])
def test_every_proposal_turns_the_decision_and_leaves_what_is_fixed(reports, weights, task, classes, asked):
    world = world_of(reports, weights, task, classes, {**asked, "fixed": ("a", "nothing"), "max_changes": 2})
    frame = world.frame.assign(nothing="x")
    candidates = type(world.approved.candidates)(frame=frame, rows=np.arange(len(frame)), name="training rows")
    alterations = Alterations.of_rows(world.model, candidates, ("b", "not read"))
    for is_favourable in (True, False):
        row = int(np.flatnonzero(world.selected == is_favourable)[0])
        found, why = alterations.of_row(world.cells(row), row, is_favourable=is_favourable)
        assert why == ""
        assert found.reason or found.counterfactuals
        for item in found.counterfactuals:
            assert not {"a", "b"} & {change.column for change in item.changes}
            changed = world.model.encoder.transform(item.apply(world.cells(row)))
            assert world.model.score.selected(world.model.subject.logits(changed))[0] != is_favourable


def test_a_fixed_column_that_is_not_there_is_named(reports, weights):
    world = world_of(reports, weights, "binary", ("no", "yes"), {"fixed": ("agee",)})
    with pytest.raises(ExplanationError, match="there is no column 'agee' to keep fixed"):
        Alterations.of_rows(world.model, world.approved.candidates, ())


def test_none_are_looked_for_where_none_are_asked_for(reports, weights):
    world = world_of(reports, weights, "binary", ("no", "yes"), {"n_counterfactuals": 0})
    assert Alterations.of_rows(world.model, world.approved.candidates, ()) is None
