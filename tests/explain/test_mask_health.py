"""Steps that say little are named, healthy ones are not."""

import dataclasses

import numpy as np
import pytest

from tabnet_engine.explain.mask_health import mask_health
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
