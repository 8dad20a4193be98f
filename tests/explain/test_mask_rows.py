"""Maps ordered by outcomes, and the rows behind their lines."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.mask_rows import ORDERS, ordered_map
from tabnet_engine.explain.row_outcomes import row_outcomes


def outcomes_of(masks, actual):
    frame = pd.DataFrame({"bought": pd.Series([None] * 10 + list(actual), dtype="str")})
    none = np.array([], dtype=np.int64)
    splits = Splits(train=masks.rows, validation=none, test=none)
    return row_outcomes(TargetCodec("bought", Task.BINARY, ("no", "yes")), splits, frame, masks.rows, masks.logits)


def test_outcome_puts_each_class_together_the_higher_score_first_and_missing_last(cases):
    masks = cases.masks(n_rows=6)
    outcomes = outcomes_of(masks, ["yes", None, "no", "yes", "no", "no"])
    ordered = ordered_map(masks, outcomes, "outcome")
    score = dict(zip(masks.rows.tolist(), masks.logits[:, 0].tolist(), strict=True))
    no, yes = sorted([12, 14, 15], key=lambda row: -score[row]), sorted([10, 13], key=lambda row: -score[row])
    assert ordered.rows.tolist() == [*no, *yes, 11]
    assert ordered.map.line_rows.tolist() == ordered.rows.tolist()
    assert ordered.map.order == "by the actual outcome, then by the score"
    assert ordered.map.labels[0] == f"row {no[0]}"


def test_error_puts_the_largest_first_and_unknown_last(cases):
    masks = cases.masks(n_rows=5)
    outcomes = outcomes_of(masks, ["yes", "no", None, "yes", "no"])
    rows = ordered_map(masks, outcomes, "error").rows
    assert rows[-1] == 12
    errors = dict(zip(outcomes.rows.tolist(), outcomes.error.tolist(), strict=True))
    listed = [errors[int(row)] for row in rows[:-1]]
    assert listed == sorted(listed, reverse=True)


@pytest.mark.parametrize("order", list(ORDERS))
def test_a_line_holds_the_masks_of_its_own_rows(cases, order):
    masks = cases.masks(n_rows=7, n_features=4)
    ordered = ordered_map(masks, outcomes_of(masks, ["yes", "no"] * 3 + ["no"]), order)
    for line in range(ordered.map.n_lines):
        (row,) = ordered.rows_of([line])
        position = int(np.flatnonzero(masks.rows == row)[0])
        np.testing.assert_allclose(ordered.map.masks[:, line], masks.masks[:, position], atol=1e-6)
        np.testing.assert_allclose(ordered.map.score[line], masks.logits[position, 0], rtol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 1200), st.sampled_from(sorted(ORDERS)))
def test_the_lines_share_out_all_rows_once(n_rows, order):
    from tests.explain.conftest import make_masks

    masks = make_masks(n_rows=n_rows)
    ordered = ordered_map(masks, outcomes_of(masks, ["yes"] * n_rows), order)
    assert ordered.map.n_lines <= 500
    assert sorted(ordered.rows_of(range(ordered.map.n_lines)).tolist()) == masks.rows.tolist()


def test_lines_that_do_not_exist_hold_no_row(cases):
    ordered = ordered_map(cases.masks(), None, "score")
    assert len(ordered.rows_of([])) == 0
    assert ordered.rows_of([99, -1, 0, 0]).tolist() == [ordered.rows[0]]


def test_orders_by_outcome_need_the_outcomes_of_the_same_rows(cases):
    masks = cases.masks()
    with pytest.raises(ValueError, match="needs the outcomes"):
        ordered_map(masks, None, "error")
    with pytest.raises(ValueError, match="exactly the explained rows"):
        ordered_map(masks, outcomes_of(masks, ["yes"] * 6).take([0, 1]), "outcome")
