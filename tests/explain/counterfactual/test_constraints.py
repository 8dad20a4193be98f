"""Limits are compared with the schema, and each mistake is told in a sentence."""

from __future__ import annotations

import json

import pytest

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.counterfactual.constraints import Bond, Constraint, Constraints, Direction, Together

SCHEMA = FeatureSchema(
    columns=(
        Column(name="id", kind=Kind.IDENTIFIER, role=Role.ROW_ID),
        Column(name="age", kind=Kind.NUMBER, integer=True),
        Column(name="ratio", kind=Kind.NUMBER),
        Column(name="job", kind=Kind.CATEGORY, categories=("clerk", "nurse")),
        Column(name="member", kind=Kind.BOOLEAN, categories=("False", "True")),
        Column(name="joined", kind=Kind.DATETIME),
    )
)


def columns(*items):
    return Constraints(columns=items)


def together(*names, bond=Bond.SAME_DIRECTION):
    return Constraints(together=(Together(columns=names, bond=bond),))


GOOD = Constraints(
    columns=(
        Constraint(column="age", direction=Direction.UP, low=20, high=60, step=5),
        Constraint(column="job", categories=("clerk",), missing_allowed=True),
        Constraint(column="member", direction=Direction.DOWN),
        Constraint(column="joined", low="2020-01-01", high="2021-01-01 12:00", step=7),
    ),
    together=(Together(columns=("age", "ratio"), bond=Bond.SAME_AMOUNT),),
)


def test_good_limits_pass_and_come_back_as_they_were_stored():
    GOOD.check(SCHEMA)
    together("member", "age", "joined").check(SCHEMA)
    together("job", "member", bond=Bond.ALL_OR_NONE).check(SCHEMA)
    assert Constraints.from_mapping(json.loads(json.dumps(GOOD.to_mapping()))) == GOOD
    assert Constraints.from_mapping({"columns": [{"column": "age", "fixed": True}]}).of("age").fixed


def test_limits_in_words():
    assert Constraints().words == ()
    fixed = Constraint(column="id", fixed=True)
    assert columns(fixed, *GOOD.columns, Constraint(column="ratio")).words == (
        "id stays as it is",
        "age: only up, at least 20, at most 60, in steps of 5",
        'job: one of "clerk", may be left empty',
        "member: only down",
        "joined: at least 2020-01-01, at most 2021-01-01 12:00, in steps of 7",
    )
    assert together("age", "ratio").words == ("age, ratio move together: same direction",)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (columns(Constraint(column="id", fixed=True)), "the model does not read column 'id'"),
        (columns(Constraint(column="age"), Constraint(column="age")), "column 'age' has 2 sets of limits"),
        (columns(Constraint(column="age", fixed=True, low=3)), "column 'age' is fixed and limited as well"),
        (columns(Constraint(column="job", fixed=True, categories=("clerk",))), "is fixed and limited"),
        (columns(Constraint(column="age", categories=("20",))), "column 'age' holds numbers, not categories"),
        (columns(Constraint(column="age", low=5, high=3)), "the range ends at 3 before it starts at 5"),
        (columns(Constraint(column="age", low="five")), "column 'age': the bound \"five\" is no number"),
        (columns(Constraint(column="age", high=float("inf"))), 'the bound "inf" is no number'),
        (columns(Constraint(column="age", step=0)), "the step must be a number above 0, got 0"),
        (columns(Constraint(column="age", step=0.5)), "holds whole numbers; the step must be one too, got 0.5"),
        (columns(Constraint(column="job", low=3)), "which have no range and no step"),
        (columns(Constraint(column="job", direction=Direction.UP)), "which have no up and down"),
        (columns(Constraint(column="job", categories=("pilot",))), 'training saw no category "pilot"; it saw "clerk"'),
        (columns(Constraint(column="joined", low="soon")), "column 'joined': the bound \"soon\" is no date"),
        (columns(Constraint(column="joined", low="2021-01-01", high="2020-01-01")), "the range ends at 2020-01-01"),
        (together("age"), "at least two"),
        (together("age", "age"), "column 'age' is bound to others 2 times"),
        (together("age", "job"), "column 'job' holds categories, which have no direction"),
        (together("age", "joined", bond=Bond.SAME_AMOUNT), "age, joined cannot move by one amount"),
        (together("member", "age", bond=Bond.SAME_AMOUNT), "cannot move by one amount"),
    ],
)
def test_each_mistake_is_told(limits, text):
    with pytest.raises(ExplanationError) as caught:
        limits.check(SCHEMA)
    assert text in str(caught.value)


def test_an_unknown_column_is_named_with_those_that_exist():
    for limits in (columns(Constraint(column="agee")), together("age", "agee")):
        with pytest.raises(SchemaError, match="there is no column 'agee'; the columns are 'id', 'age'"):
            limits.check(SCHEMA)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"columns": [{"column": "age", "maximum": 3}]}, "there is no limit 'maximum'"),
        ({"columns": [{"fixed": True}]}, "a limit must name its column"),
        ({"columns": [{"column": "age", "direction": "sideways"}]}, "the direction is any, up or down"),
        ({"together": [{"columns": ["a", "b"], "bond": "glue"}]}, 'there is no "glue"'),
    ],
)
def test_unknown_limits_are_refused_when_read(values, text):
    with pytest.raises(ExplanationError, match=text):
        Constraints.from_mapping(values)
