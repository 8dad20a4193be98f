"""The result type: it refuses what does not fit, and slices keep their provenance."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tabnet_engine.explain.attribution import Background, position_of


def test_slices_keep_the_facts_and_select_the_rows(cases):
    values = np.random.default_rng(0).normal(size=(5, 3, 2))
    whole = cases.attribution(values)
    part = whole.take([3, 1])
    assert part.rows.tolist() == [13, 11]
    np.testing.assert_array_equal(part.values, values[[3, 1]])
    np.testing.assert_array_equal(part.logits, whole.logits[[3, 1]])
    assert part.standard_error.shape == (2, 3, 2)
    assert (part.seed, part.run_id, part.background) == (whole.seed, whole.run_id, whole.background)
    assert cases.attribution(values, standard_error=None).take([0]).standard_error is None


def test_values_of_one_output_by_its_name(cases):
    values = np.random.default_rng(0).normal(size=(2, 3, 2))
    np.testing.assert_array_equal(cases.attribution(values).for_output("o1"), values[:, :, 1])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"base": np.zeros(3)}, "base must have the shape"),
        ({"rows": np.arange(3)}, "values must have the shape|rows"),
        ({"logits": np.zeros((2, 3))}, "logits must have the shape"),
        ({"values": np.full((2, 3, 1), np.nan)}, "values must be finite"),
        ({"standard_error": np.zeros((2, 3))}, "standard_error must have the shape"),
        ({"additivity_error": float("nan")}, "additivity_error must be finite"),
        ({"features": ("a", "b")}, "values must have the shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(cases, changes, problem):
    with pytest.raises(ValueError, match=problem):
        dataclasses.replace(cases.attribution(np.zeros((2, 3, 1))), **changes)


def test_a_background_survives_json_and_must_hold_rows():
    background = Background(description="training rows", rows=np.array([4, 9]), n_population=30)
    again = Background.from_mapping(json.loads(json.dumps(background.to_mapping())))
    assert (again.description, again.rows.tolist(), again.n_population, again.n_rows) == (
        "training rows",
        [4, 9],
        30,
        2,
    )
    with pytest.raises(ValueError, match="at least one row"):
        Background(description="", rows=np.zeros(0, dtype=np.int64), n_population=3)
    with pytest.raises(ValueError, match="cannot come from 1"):
        Background(description="", rows=np.array([1, 2]), n_population=1)


def test_the_provenance_names_budget_background_and_error(cases):
    text = cases.attribution(np.zeros((2, 3, 1)), additivity_error=2e-7).provenance
    assert text == (
        "Values of 2 rows (all rows) against a background of 3 rows (training rows); 10 orders of the columns, "
        "each forwards and backwards: 70 evaluations a row, seed 0; values and base miss the score by at most 2.0e-07."
    )
    assert "Values of 2 rows against" in cases.attribution(np.zeros((2, 3, 1)), selection="").provenance


def test_positions_of_row_numbers():
    rows = np.array([7, 3, 9])
    assert position_of(rows, 9) == 2
    assert position_of(rows, 8) is None
