"""Prediction and outcome of rows: what is wrong, how wrong, in which order, and which rows pass a filter."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import SchemaError
from tabnet_engine.explain.row_outcomes import (
    SPLIT_NAMES,
    row_list,
    row_outcomes,
    rows_where,
    rows_with_text,
)

SPLITS = Splits(train=np.array([4, 0]), validation=np.array([1]), test=np.array([3, 2]))
BINARY = TargetCodec("bought", Task.BINARY, ("no", "yes"))
FRAME = pd.DataFrame({"bought": pd.Series(["yes", "no", "no", "yes", "yes", None], dtype="str")})
ROWS = np.arange(6)
LOGITS = np.array([[2.0], [1.0], [-3.0], [-0.5], [0.1], [4.0]])


def binary():
    return row_outcomes(BINARY, SPLITS, FRAME, ROWS, LOGITS)


def regression():
    codec = TargetCodec("price", Task.REGRESSION, mean=2.0, scale=1.0)
    frame = pd.DataFrame({"price": [1.0, 2.0, 3.0, 4.0, 5.0, np.nan]})
    return row_outcomes(codec, SPLITS, frame, ROWS, np.array([[1.5], [2.0], [6.0], [3.0], [5.5], [0.0]]))


def test_a_binary_outcome_by_hand():
    outcomes = binary()
    assert outcomes.predicted.tolist() == [1, 1, 0, 0, 1, 1]
    assert outcomes.actual.tolist() == [1, 0, 0, 1, 1, -1]
    assert outcomes.wrong.tolist() == [False, True, False, True, False, False]
    assert outcomes.known.tolist() == [True] * 5 + [False]
    shares = 1 / (1 + np.exp(-LOGITS[:, 0]))
    np.testing.assert_allclose(outcomes.confidence, np.maximum(shares, 1 - shares))
    np.testing.assert_allclose(outcomes.error[:5], [1 - shares[0], shares[1], shares[2], 1 - shares[3], 1 - shares[4]])
    assert np.isnan(outcomes.error[5])
    assert [SPLIT_NAMES[part] for part in outcomes.split] == [
        "training",
        "validation",
        "test",
        "test",
        "training",
        "not used",
    ]


def test_a_multiclass_outcome_uses_the_probability_of_the_class_that_came():
    codec = TargetCodec("kind", Task.MULTICLASS, ("a", "b", "c"))
    frame = pd.DataFrame({"kind": ["c", "a"]})
    logits = np.log(np.array([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1]]))
    splits = Splits(train=np.array([0]), validation=np.array([1]), test=np.array([], dtype=np.int64))
    outcomes = row_outcomes(codec, splits, frame, np.array([0, 1]), logits)
    np.testing.assert_allclose(outcomes.error, [0.8, 0.3])
    np.testing.assert_allclose(outcomes.confidence, [0.5, 0.7])
    assert outcomes.wrong.tolist() == [True, False]


def test_a_regression_has_errors_but_no_wrong_classes():
    outcomes = regression()
    assert outcomes.error[:5].tolist() == [0.5, 0.0, 3.0, 1.0, 0.5]
    assert not outcomes.wrong.any()
    assert np.isnan(outcomes.confidence).all()
    assert "probability" not in outcomes.table()
    assert outcomes.table()["predicted"].tolist() == [1.5, 2.0, 6.0, 3.0, 5.5, 0.0]


def test_the_table_speaks_the_users_words():
    table = binary().table([1, 5])
    assert table["row"].tolist() == [1, 5]
    assert table["predicted"].tolist() == ["yes", "yes"]
    assert table["actual"].tolist() == ["no", "missing"]
    assert table["part"].tolist() == ["validation", "not used"]


def test_the_lists_of_rows():
    outcomes = binary()
    assert row_list(outcomes, "all").tolist() == [0, 1, 2, 3, 4, 5]
    assert row_list(outcomes, "test").tolist() == [2, 3]
    assert row_list(outcomes, "uncertain")[:2].tolist() == [4, 3]
    assert row_list(outcomes, "wrong").tolist() == [1, 3]
    assert row_list(regression(), "wrong").tolist() == [2, 3, 0, 4, 1]


def test_one_of_several_targets_is_read_from_its_own_logits():
    kind = TargetCodec("kind", Task.MULTICLASS, ("a", "b", "c"))
    frame = FRAME.assign(kind=["a", "b", "c", "a", "b", "c"])
    others = np.random.default_rng(0).normal(size=(6, 3))
    together = row_outcomes(BINARY, SPLITS, frame, ROWS, np.hstack([others, LOGITS]), place=slice(3, 4))
    for field in dataclasses.fields(together):
        np.testing.assert_array_equal(getattr(together, field.name), getattr(binary(), field.name))
    first = row_outcomes(kind, SPLITS, frame, ROWS, np.hstack([others, LOGITS]), place=slice(0, 3))
    assert first.predicted.tolist() == others.argmax(axis=1).tolist()


def test_a_table_without_the_target_is_said_by_name():
    with pytest.raises(SchemaError, match="no column 'bought', the target"):
        row_outcomes(BINARY, SPLITS, FRAME.rename(columns={"bought": "sold"}), ROWS, LOGITS)


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_taking_rows_is_the_same_as_explaining_them_alone(values, random):
    n_rows = len(values)
    logits = np.array(values)[:, None]
    frame = pd.DataFrame({"bought": [random.choice(["yes", "no"]) for _ in values]})
    splits = Splits(train=np.arange(n_rows), validation=np.array([], dtype=np.int64), test=np.array([], dtype=np.int64))
    chosen = np.array(random.sample(range(n_rows), random.randint(1, n_rows)))
    some = row_outcomes(BINARY, splits, frame, np.arange(n_rows), logits).take(chosen)
    alone = row_outcomes(BINARY, splits, frame, chosen, logits[chosen])
    for field in dataclasses.fields(some):
        np.testing.assert_array_equal(getattr(some, field.name), getattr(alone, field.name))


def test_filters_by_text_and_by_range():
    jobs = pd.Series(["cook", None, "nurse", "cook"], dtype="str")
    assert rows_where(jobs, texts=("cook", "missing")).tolist() == [True, True, False, True]
    assert rows_where(jobs, texts=()).tolist() == [False] * 4
    ages = pd.Series([1.0, np.nan, 2.5, 4.0])
    assert rows_where(ages, between=(1.0, 2.5)).tolist() == [True, False, True, False]
    assert rows_where(ages).all()


def test_finding_a_row_by_its_id_reads_numbers_as_people_write_them():
    assert rows_with_text(pd.Series([7.0, 8.0, 7.0]), " 7 ").tolist() == [0, 2]
    assert rows_with_text(pd.Series(["A1", "a1"], dtype="str"), "a1").tolist() == [1]
    assert len(rows_with_text(pd.Series(["A1"], dtype="str"), "B")) == 0
