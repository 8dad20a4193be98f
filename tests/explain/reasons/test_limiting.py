"""No proposal of a report leaves the limits of its request, and one that was forged to do so is found."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.config import ReportConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role
from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.explain.counterfactual.constraints import Constraint, Constraints, Direction
from tabnet_engine.explain.counterfactual.grid import Observed
from tabnet_engine.explain.counterfactual.result import Change, CounterfactualResult, NearestMiss
from tabnet_engine.explain.counterfactual.space import RowSpace
from tabnet_engine.explain.counterfactual.variables import variable_of
from tabnet_engine.explain.reasons.altering import Alterations
from tabnet_engine.explain.reasons.case_explaining import _notes
from tabnet_engine.explain.reasons.limiting import broken_limits, proposal_limits, told_limits
from tabnet_engine.explain.reasons.protecting import ProtectedColumns

MIXED = FeatureSchema(
    columns=(
        Column(name="age", kind=Kind.NUMBER),
        Column(name="job", kind=Kind.CATEGORY, categories=("a", "b")),
        Column(name="owner", kind=Kind.BOOLEAN, categories=("False", "True")),
        Column(name="since", kind=Kind.DATETIME),
        Column(name="note, {x}", kind=Kind.NUMBER, role=Role.IGNORED),
    )
)


def asked_of(world, row, protected=(), **asked):
    """What a report of a world answers for one row, with its request."""
    config = world.model.config.replace(n_counterfactuals=3, max_changes=3, **asked)
    model = dataclasses.replace(world.model, config=config)
    alterations = Alterations.of_rows(model, world.approved.candidates, protected)
    is_favourable = bool(world.selected[row])
    found, why = alterations.of_row(world.cells(row), row, is_favourable=is_favourable)
    assert why == ""
    return model, found


def broken(model, cells, found, protected=()):
    return list(broken_limits(model.encoder.schema, model.config, protected, cells, found))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["free", "rising", "falling", "fixed"]), min_size=9, max_size=9), st.integers(0, 59))
def test_every_change_goes_the_way_that_was_asked_for(linear, reports, ways, row):
    asked = {way: tuple(n for n, own in zip(reports.NAMES, ways, strict=True) if own == way) for way in ways}
    asked.pop("free", None)
    model, found = asked_of(linear, row, **asked)
    before = linear.frame.iloc[row]
    misses = [] if found.nearest_miss is None else [found.nearest_miss]
    for item in (*found.counterfactuals, *misses):
        for name, after in item.apply(linear.cells(row)).iloc[0].items():
            way = ways[reports.NAMES.index(name)]
            assert after >= before[name] or way not in ("rising", "fixed"), (name, way)
            assert after <= before[name] or way not in ("falling", "fixed"), (name, way)
    assert broken(model, linear.cells(row), found) == []
    assert CounterfactualResult.from_mapping(json.loads(json.dumps(found.to_mapping()))).constraints.words == (
        found.constraints.words
    )


def test_a_direction_is_what_makes_the_difference(linear, reports, weights):
    """Upwards only, a declined row has to raise what counts for it; the other way there is provably no answer."""
    row = int(np.flatnonzero(~linear.selected)[0])
    others = tuple(name for name in reports.NAMES if name != "a")
    assert weights[0] > 0
    _, raised = asked_of(linear, row, rising=("a",), fixed=others)
    assert [change.column for item in raised.counterfactuals for change in item.changes] == ["a"]
    _, lowered = asked_of(linear, row, falling=("a",), fixed=others)
    assert lowered.counterfactuals == ()
    assert lowered.is_exhaustive


def _with_change(found, **changes):
    item = found.counterfactuals[0]
    forged = dataclasses.replace(item, changes=(dataclasses.replace(item.changes[0], **changes), *item.changes[1:]))
    return dataclasses.replace(found, counterfactuals=(forged, *found.counterfactuals[1:]))


def _twice(found):
    item = found.counterfactuals[0]
    forged = dataclasses.replace(item, changes=(*item.changes, *item.changes))
    return dataclasses.replace(found, counterfactuals=(forged, *found.counterfactuals[1:]))


def _many(found):
    item = found.counterfactuals[0]
    changes = tuple(Change(column=name, before=1.0, after=2.0, distance=0.1) for name in "abcd")
    return dataclasses.replace(found, counterfactuals=(dataclasses.replace(item, changes=changes),))


def _missed(found, column, after):
    change = Change(column=column, before=1.0, after=after, distance=0.1)
    item = found.counterfactuals[0]
    miss = NearestMiss(changes=(change,), logits=(0.0,), shortfall=1.0, likeness=item.likeness, outcome="no")
    return dataclasses.replace(found, nearest_miss=miss)


FORGERIES = [
    (lambda found: _with_change(found, after=-99.0), "Proposal 1 changes 'a' in a way that the request does not allow"),
    (lambda found: _with_change(found, after=None), "Proposal 1 changes 'a' in a way that the request does not allow"),
    (lambda found: _with_change(found, column="b"), "Proposal 1 changes 'b' in a way that the request does not allow"),
    (lambda found: _with_change(found, column="c"), "Proposal 1 changes 'c' in a way that the request does not allow"),
    (lambda found: _with_change(found, before=-7.5), "Proposal 1 gives 'a' another present value than the row has"),
    (lambda found: _with_change(found, column="id"), "Proposal 1 changes 'id', which the model does not read"),
    (_twice, "Proposal 1 changes more columns than the request allows, or one of them twice"),
    (_many, "Proposal 1 changes more columns than the request allows, or one of them twice"),
    (lambda found: dataclasses.replace(found, constraints=Constraints()), "are not those of the request"),
    (
        lambda found: dataclasses.replace(found, settings=dataclasses.replace(found.settings, max_changes=9)),
        "not sought with the settings of the request",
    ),
    (lambda found: _missed(found, "c", 2.0), "What came closest changes 'c' in a way that the request does not allow"),
]


@pytest.mark.parametrize(("forge", "told"), FORGERIES)
def test_a_forged_proposal_is_found(linear, reports, forge, told):
    row = int(np.flatnonzero(~linear.selected)[0])
    others = tuple(name for name in reports.NAMES if name not in "abc")
    model, found = asked_of(linear, row, protected=("c",), rising=("a", "c"), fixed=("b", *others))
    assert found.counterfactuals
    cells = linear.cells(row).assign(id=5)
    assert broken(model, cells, found, ("c",)) == []
    assert any(told in sentence for sentence in broken(model, cells, forge(found), ("c",)))


def test_the_limits_are_those_of_the_request_in_the_order_of_the_columns_named():
    asked = ReportConfig(fixed=("age", "note, {x}"), rising=("since", "job"), falling=("owner",))
    limits = proposal_limits(MIXED, asked, ("job", "sex"))
    assert [(one.column, one.fixed, one.direction) for one in limits.columns] == [
        ("job", True, Direction.ANY),
        ("age", True, Direction.ANY),
        ("since", False, Direction.UP),
        ("owner", False, Direction.DOWN),
    ]
    told = told_limits(MIXED, asked, ("job", "sex"))
    assert told == {
        "n_proposals": 2,
        "max_changes": 3,
        "fixed": ["job", "age"],
        "rising": ["since"],
        "falling": ["owner"],
    }
    assert told_limits(MIXED, asked.replace(n_counterfactuals=0), ()) == {"n_proposals": 0}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"rising": ("agee",)}, "there is no column 'agee'; check the names of the rising columns"),
        ({"falling": ("note, {x}",)}, "does not read column 'note, {x}', so no proposal changes it; leave it out of"),
        ({"rising": ("other",)}, "does not read column 'other'"),
        ({"rising": ("job",)}, "column 'job' holds categories, which have no up and down; leave it out of the rising"),
    ],
)
def test_a_direction_that_cannot_be_is_said_in_a_sentence(asked, told):
    with pytest.raises(ExplanationError) as caught:
        proposal_limits(MIXED, ReportConfig(**asked), (), known={"other"})
    assert told in str(caught.value)


@pytest.mark.parametrize("way", ["rising", "falling"])
def test_no_column_stays_and_moves(way):
    with pytest.raises(ConfigError, match="the column 'age' cannot be fixed and yet move one way"):
        ReportConfig(**{"fixed": ("job", "age"), way: ("age",)})


def test_a_direction_of_a_protected_column_is_said_to_be_needless(linear):
    row = int(np.flatnonzero(~linear.selected)[0])
    notes = {}
    for n in (0, 1):
        config = linear.model.config.replace(n_counterfactuals=n, protected=("sex",), rising=("sex",))
        measured = dataclasses.replace(linear.explain(row), model=dataclasses.replace(linear.model, config=config))
        protected = ProtectedColumns(declared=("sex",), links=(), not_examined={}, how={}, proxy_strength=0.1)
        notes[n] = _notes(measured, (), protected)
    assert not any("direction" in text for text in notes[0])
    assert [text for text in notes[1] if "direction" in text] == [
        "A direction was asked for protected columns, which no proposal changes anyway: sex."
    ]


def test_a_truth_value_that_training_never_saw_has_no_up_and_down():
    space = RowSpace.of(MIXED).extended(pd.DataFrame({"age": [1], "job": ["a"], "owner": ["maybe"], "since": [None]}))
    seen = Observed.of(MIXED.columns[0], np.array([1.0]))
    for direction, n_open in ((Direction.ANY, 2), (Direction.UP, 0), (Direction.DOWN, 0)):
        limit = Constraint(column="owner", direction=direction)
        found = variable_of(space, 2, 2.0, seen, np.array([0.5, 0.5]), limit)
        assert (0 if found is None else found.n_values) == n_open
