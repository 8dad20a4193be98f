"""What a beeswarm shows: order, colours without outliers, what is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.explain.shap_summary import relative_values, shap_summary


def test_columns_stand_by_their_mean_size_and_the_rest_is_counted(cases):
    values = np.array([[[1.0], [-4.0], [0.5]], [[-1.0], [2.0], [0.5]]])
    summary = shap_summary(cases.attribution(values), max_features=2)
    assert summary.features == ("f1", "f0")
    assert summary.order.tolist() == [1, 0]
    np.testing.assert_array_equal(summary.values, [[-4, 1], [2, -1]])
    np.testing.assert_allclose(summary.mean_absolute, [3, 1])
    np.testing.assert_allclose(summary.standard_error, [1, 0])
    assert (summary.n_columns_left_out, summary.left_out) == (1, 0.5)
    assert summary.output == "o0"
    assert "70 evaluations a row" in summary.note
    assert np.isnan(summary.colours).all()


def test_one_output_is_chosen_by_name_and_colours_follow_the_columns(cases):
    values = np.zeros((3, 2, 2))
    values[:, 1, 1] = [1, 2, 3]
    frame = pd.DataFrame({"f1": [10.0, 30.0, 20.0], "other": 0, "f0": ["a", "b", "a"]})
    summary = shap_summary(cases.attribution(values), output="o1", frame=frame)
    assert summary.features == ("f1", "f0")
    np.testing.assert_array_equal(summary.colours, [[0, np.nan], [1, np.nan], [0.5, np.nan]])


def test_rows_and_cells_must_belong_together(cases):
    with pytest.raises(ValueError, match="cells of 2 rows are needed, got 1"):
        shap_summary(cases.attribution(np.zeros((2, 1, 1))), frame=pd.DataFrame({"f0": [1]}))


def test_few_rows_have_no_error(cases):
    assert shap_summary(cases.attribution(np.ones((1, 2, 1)))).standard_error is None
    nothing = cases.attribution(np.ones((1, 2, 1))).take(np.zeros(0, dtype=np.int64))
    assert shap_summary(nothing).mean_absolute.tolist() == [0, 0]


def test_relative_values_have_places_not_amounts():
    frame = pd.DataFrame(
        {
            "outlier": [1.0, 2.0, 1e9, np.nan],
            "ties": [5, 5, 7, 9],
            "date": pd.to_datetime(["2024-01-02", "2024-01-01", None, "2025-01-01"]),
            "flag": [True, False, False, True],
            "text": ["a", "b", "c", "d"],
            "constant": [3.0, 3.0, 3.0, np.nan],
        }
    )
    placed = relative_values(frame)
    np.testing.assert_allclose(placed[:, 0], [0, 0.5, 1, np.nan])
    np.testing.assert_allclose(placed[:, 1], [0, 0, 0.6, 1])
    np.testing.assert_allclose(placed[:, 2], [0.5, 0, np.nan, 1])
    np.testing.assert_allclose(placed[:, 3], [1, 0, 0, 1])
    assert np.isnan(placed[:, 4:]).all()
