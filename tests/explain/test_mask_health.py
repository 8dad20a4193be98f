"""Steps that say little are named, healthy ones are not."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.explain.mask_health import distinct_shares, mask_health, mask_problems
from tabnet_engine.explain.mask_summaries import summarise_masks

FEATURES = tuple(f"f{index}" for index in range(6))


@pytest.fixture
def summary(cases):
    healthy = summarise_masks(cases.masks(n_rows=20, n_steps=2, n_features=6))
    masks = np.array([[0.5, 0.3, 0.2, 0, 0, 0], [0, 0, 0.1, 0.4, 0.5, 0]])
    return dataclasses.replace(
        healthy, mean_masks=masks, mean_step_shares=np.array([0.6, 0.4]), columns_read=np.array([2.0, 3.0])
    )


def test_healthy_steps_get_no_word(summary):
    assert mask_health(summary) == ()


def test_a_step_without_weight_is_named(summary):
    (sentence,) = mask_health(dataclasses.replace(summary, mean_step_shares=np.array([0.99, 0.01])))
    assert sentence.startswith("Step 2 makes only 1 % of the decision")


def test_a_step_that_reads_one_column_is_named_with_the_column(summary):
    masks = np.array([[0, 0.97, 0.03, 0, 0, 0], summary.mean_masks[1]])
    (sentence,) = mask_health(dataclasses.replace(summary, mean_masks=masks))
    assert sentence.startswith("Step 1 reads f1 in nearly every row (97 % of its mask)")


def test_a_step_that_reads_nearly_all_columns_is_named(summary):
    (sentence,) = mask_health(dataclasses.replace(summary, columns_read=np.array([2.0, 5.5])))
    assert sentence.startswith("Step 2 reads 5.5 of 6 columns in a row")


def test_with_few_columns_reading_all_or_one_of_them_means_nothing(cases):
    one = summarise_masks(cases.masks(n_features=1))
    assert not [text for text in mask_health(one) if "nearly every" in text or "hardly selects" in text]
    few = summarise_masks(cases.masks(n_rows=30, n_features=3))
    few = dataclasses.replace(few, columns_read=np.array([3.0, 3.0]))
    assert mask_health(few) == ()


def test_without_rows_there_is_nothing_to_say(cases):
    assert mask_health(summarise_masks(cases.masks().take(np.array([], dtype=np.int64)))) == ()


def kinds(summary, distinct=None):
    return [(problem.kind, problem.step, problem.column) for problem in mask_problems(summary, distinct)]


def test_a_mask_that_is_the_same_in_every_row_is_named_though_it_reads_several_columns(summary, cases):
    same = dataclasses.replace(summary, spread=np.array([0.01, 0.4]))
    assert kinds(same) == [("collapsed", 1, None)]
    assert mask_health(same)[0].startswith("Step 1 has nearly the same mask in every row")
    frozen = cases.masks(n_rows=20, n_features=6)
    frozen = dataclasses.replace(frozen, masks=np.repeat(frozen.masks[:, :1], 20, axis=1))
    assert [kind for kind, *_ in kinds(summarise_masks(frozen))].count("collapsed") == 2


def test_records_tell_what_was_measured_against_what(summary):
    dead = mask_problems(dataclasses.replace(summary, mean_step_shares=np.array([0.99, 0.01])))
    assert [(problem.kind, problem.step) for problem in dead] == [("dead_step", 2)]
    assert dead[0].measured == pytest.approx(0.01)
    assert dead[0].measured < dead[0].threshold
    dense = mask_problems(dataclasses.replace(summary, columns_read=np.array([2.0, 5.5])))
    assert [(problem.kind, problem.measured > problem.threshold) for problem in dense] == [("dense", True)]


def test_a_step_gets_one_sentence_though_it_has_two_problems(summary):
    masks = np.array([[0, 0.97, 0.03, 0, 0, 0], summary.mean_masks[1]])
    both = dataclasses.replace(summary, mean_masks=masks, spread=np.array([0.0, 0.4]))
    assert kinds(both) == [("one_column", 1, "f1"), ("collapsed", 1, None)]
    assert len(mask_health(both)) == 1


def test_a_column_that_names_rows_is_named_if_it_is_read(summary):
    read = dataclasses.replace(summary, mean_aggregate=np.array([0.05, 0.5, 0.45, 0, 0, 0]))
    assert kinds(read, {"f0": 1.0, "f1": 0.99, "f2": 0.3}) == [("identifier", None, "f1")]
    (sentence,) = mask_health(read, {"f1": 0.99})
    assert sentence.startswith("f1 holds 50 % of all reading, and 99 % of its cells differ")


def test_only_what_could_name_rows_is_counted():
    n = 60
    frame = pd.DataFrame(
        {
            "code": [f"c{row}" for row in range(n)],
            "number": np.arange(n),
            "income": np.linspace(0, 1, n),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(n), unit="D"),
            "job": ["a", "b", None] * 20,
        }
    )
    features = {"code": Kind.CATEGORY, "number": Kind.NUMBER, "income": Kind.NUMBER, "day": Kind.DATETIME,
                "job": Kind.CATEGORY, "absent": Kind.CATEGORY}  # fmt: skip
    schema = FeatureSchema(columns=tuple(Column(name=name, kind=kind) for name, kind in features.items()))
    shares = distinct_shares(frame, schema)
    assert shares == {"code": 1.0, "number": 1.0, "job": 2 / 40}
    assert distinct_shares(frame.iloc[:5], schema) == {}


def test_summaries_survive_500_columns(cases):
    wide = summarise_masks(cases.masks(n_rows=3, n_features=500))
    assert wide.spread.shape == (2,)
    mask_problems(wide)
