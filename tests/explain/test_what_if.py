"""One row with other values: the answer is the prediction of that changed row, and what an address may say."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, Kind, Role, Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.masks import explain_masks
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.explain.training_values import training_values
from tabnet_engine.explain.what_if import (
    Moved,
    WhatIf,
    changes_from_text,
    changes_text,
    leading_columns,
    outside_sentences,
)
from tests.explain.conftest import make_attribution

COLUMNS = (
    Column(name="age", kind=Kind.NUMBER),
    Column(name="job", kind=Kind.CATEGORY, categories=("clerk", "cook")),
    Column(name="member", kind=Kind.BOOLEAN, categories=("False", "True")),
    Column(name="joined", kind=Kind.DATETIME),
)


@pytest.fixture
def asked(run, frame):
    return WhatIf.of(Subject.of_run(run), run.encoder, frame.iloc[[7]], 7)


@pytest.fixture
def seen(run, frame):
    reference = Reference.of_training_rows(RowScorer.of_run(run), frame, run.splits.train)
    return training_values(run.encoder.schema, frame.iloc[run.splits.train], reference.observed)


def test_the_answer_is_that_of_the_row_with_those_cells(run, frame, asked):
    changed = frame.iloc[[7]].assign(age=33.0, job="cook")
    chosen = ChosenRows(run.encoder.transform(changed), np.array([7]))
    alone = explain_masks(Subject.of_run(run), chosen)
    found = asked.answer({"age": 33.0, "job": "cook"})
    np.testing.assert_allclose(found.after.logits, alone.logits, atol=1e-6)
    np.testing.assert_allclose(found.after.masks, alone.masks, atol=1e-6)
    now = explain_masks(Subject.of_run(run), ChosenRows(run.encoder.transform(frame.iloc[[7]]), np.array([7])))
    np.testing.assert_allclose(found.before.logits, now.logits, atol=1e-6)
    table = found.read_table(0)
    np.testing.assert_allclose(table.groupby("step")["read_changed"].sum(), 1.0, atol=1e-5)
    added = table.groupby("step")["step_added_changed"].first().sum() + found.after.base[0]
    assert added == pytest.approx(found.after.logits[0, 0], abs=1e-5)


def test_a_cell_can_be_emptied_and_a_value_of_its_own_is_no_change(frame, run, asked):
    empty = asked.answer({"age": None})
    alone = run.encoder.transform(frame.iloc[[7]].assign(age=math.nan))
    expected = explain_masks(Subject.of_run(run), ChosenRows(alone, np.array([7])))
    np.testing.assert_allclose(empty.after.logits, expected.logits, atol=1e-6)
    same = asked.answer(dict(asked.own))
    assert same.changes == {}
    np.testing.assert_array_equal(same.before.logits, same.after.logits)


def test_a_column_that_is_not_read_cannot_be_changed(asked):
    with pytest.raises(ExplanationError, match="does not read column 'nonsense'"):
        asked.answer({"nonsense": 1})


def test_what_no_training_row_holds_is_said(frame, run, seen):
    train = frame.iloc[run.splits.train]
    by_name = {item.column.name: item for item in seen}
    age = by_name["age"]
    assert (age.low, age.high) == (train["age"].min(), train["age"].max())
    assert age.n_missing == int(train["age"].isna().sum())
    assert dict(by_name["job"].choices) == train["job"].value_counts().to_dict()
    inside, outside = {"age": age.low}, {"age": age.high + 1, "job": "astronaut"}
    assert outside_sentences(inside, seen) == ()
    told = outside_sentences(outside, seen)
    assert len(told) == 2
    assert "astronaut" in " ".join(told)


def test_the_move_in_words():
    codec = TargetCodec(name="approved", task=Task.BINARY, classes=("no", "yes"))
    moved = Moved(codec.name, -1.0, 1.0, classes=("no", "yes"), shares=(0.27, 0.73), looked_at="yes")
    assert moved.flips
    assert moved.sentence == "The decision changes from no to yes; the probability of yes goes from 27.0 % to 73.0 %."
    assert [number.change for number in moved.numbers] == ["was no", "was 27.0 %", "was −1.00"]
    stays = Moved(codec.name, 1.0, 1.0, classes=("yes", "yes"), shares=(0.73, 0.73), looked_at="yes")
    assert not any(number.change for number in stays.numbers)
    price = Moved("price", 20.0, 12.5)
    assert price.sentence == "The predicted price moves by −7.50, from 20.0 to 12.5."


def test_the_columns_that_matter_most_come_first(run, frame, asked):
    masks = asked.answer({}).before
    order = leading_columns(masks, None, 0)
    assert sorted(order) == sorted(masks.features)
    assert order[0] == masks.features[int(masks.aggregate[0].argmax())]
    grouped = make_attribution(np.zeros((1, 2, 1)))
    assert leading_columns(masks, grouped, 0) == order


@given(
    st.dictionaries(
        st.sampled_from(["age", "job", "member", "joined"]),
        st.none(),
    )
    | st.fixed_dictionaries(
        {},
        optional={
            "age": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9),
            "job": st.sampled_from(["clerk", "cook", None]),
            "joined": st.dates().map(str),
        },
    )
)
def test_changes_come_back_from_the_address(changes):
    assert changes_from_text(changes_text(changes), COLUMNS) == (changes, ())


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5).map(str))
def test_no_address_breaks_it(text):
    changes, _ = changes_from_text(text, COLUMNS)
    assert isinstance(changes, dict)


@pytest.mark.parametrize(
    "change",
    [
        {"age": "old"},
        {"age": True},
        {"age": 10**400},
        {"age": [1]},
        {"job": "astronaut"},
        {"job": {"a": 1}},
        {"joined": "tomorrow"},
        {"joined": 5},
        {"secret": 1},
    ],
)
def test_what_a_cell_cannot_hold_is_left_out_and_said(change):
    changes, told = changes_from_text(json.dumps(change), COLUMNS)
    assert changes == {}
    assert len(told) == 1


def test_endless_and_nested_addresses_are_refused():
    for text in ("[" * 7_000, "{" + "x" * 9_000, "NaN", '{"age": Infinity}', '{"age": NaN}'):
        assert changes_from_text(text, COLUMNS)[0] == {}


def test_dates_without_times_are_days():
    frame = pd.DataFrame({"joined": pd.date_range("2021-01-01", periods=5), "x": np.arange(5.0)})
    columns = (Column(name="joined", kind=Kind.DATETIME), Column(name="x", kind=Kind.NUMBER, unit="EUR"))
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.explain.counterfactual.grid import Observed
    from tabnet_engine.explain.counterfactual.space import RowSpace

    schema = FeatureSchema(columns=(*columns, Column(name="y", kind=Kind.CATEGORY, role=Role.TARGET)))
    matrix = RowSpace.of(schema).matrix(frame)
    observed = [Observed.of(column, matrix[:, place]) for place, column in enumerate(columns)]
    joined, number = training_values(schema, frame, observed)
    assert joined.whole_days
    assert joined.range_words == "Training rows hold 2021-01-01 to 2021-01-05."
    assert number.range_words == "Training rows hold 0 to 4 EUR."
    assert joined.outside("2022-01-01").startswith("2022-01-01 in joined lies outside")
    assert joined.outside(None).startswith("No training row lacks joined")
