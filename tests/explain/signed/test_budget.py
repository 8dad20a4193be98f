"""Requests that cannot be met are refused with what to do; nothing is capped."""

from __future__ import annotations

import pytest

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.signed.budget import check_budget, check_exact, check_target_error, default_evaluations


@pytest.mark.parametrize(
    ("n_players", "n_rows", "n_background", "n_evaluations", "sentence"),
    [
        (14, 1, 50, 28, "28 evaluations are too few for 14 columns: at least 29"),
        (14, 1, 50, 0, "at least 29"),
        (5_000, 1, 50, None, "at most 2,000 columns and this request has 5,000; put columns into groups"),
        (14, 0, 50, None, "no row to explain"),
        (14, 1, 0, None, "the background has no rows"),
        (14, 1, 10_000, 29_000, "lower n_evaluations or n_background"),
        (14, 1_000_000, 50, None, "lower n_shap_rows"),
    ],
)
def test_requests_that_cannot_be_met_say_what_to_change(n_players, n_rows, n_background, n_evaluations, sentence):
    with pytest.raises(ExplanationError, match=sentence):
        check_budget(n_players, n_rows, n_background, n_evaluations)


def test_a_budget_pays_for_whole_orders():
    assert check_budget(14, 1, 50, 29) == 1
    assert check_budget(14, 1, 50, 57) == 1
    assert check_budget(14, 1, 50, None) == 10
    assert check_budget(14, 1, 50, None, 0.01) == 100
    assert check_budget(500, 10, 50, None) == 10
    assert default_evaluations(4) == 90
    assert default_evaluations(4, target_error=0.1) == 900


@pytest.mark.parametrize("target_error", [0.0, -1.0, float("nan"), float("inf")])
def test_a_standard_error_that_nothing_can_have_is_refused(target_error):
    with pytest.raises(ExplanationError, match="target_error must be a positive number"):
        check_target_error(target_error)


@pytest.mark.parametrize(
    ("n_varying", "n_background", "sentence"),
    [
        ([], 50, "no row to explain"),
        ([3], 0, "the background has no rows"),
        ([3, 17], 5, "at most 16 columns that differ from the background and a row has 17; sample instead"),
        ([16], 1_000, "65,536 combinations of columns over 1,000 background rows"),
        ([16] * 2_000, 50, "all combinations of columns of 2,000 rows are 6,553,600,000 predictions"),
    ],
)
def test_exact_values_of_too_many_columns_are_refused(n_varying, n_background, sentence):
    with pytest.raises(ExplanationError, match=sentence):
        check_exact(n_varying, n_background)
