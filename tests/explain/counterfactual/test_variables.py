"""What a cell may become: in the resolution in which the data are written, inside their range, nearest first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.explain.counterfactual.constraints import Constraint, Direction
from tabnet_engine.explain.counterfactual.grid import Observed, common_step, date_grid, number_grid
from tabnet_engine.explain.counterfactual.space import RowSpace, with_values
from tabnet_engine.explain.counterfactual.variables import variable_of, variable_of_amount

NUMBER = FeatureSchema(columns=(Column(name="x", kind=Kind.NUMBER), Column(name="y", kind=Kind.NUMBER)))
DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.0, 2.0, 5.0], 1.0),
        ([100.0, 300.0, 1_200.0], 100.0),
        ([0.25, 0.5, 1.0], 0.25),
        ([0.1, 0.2, 0.35], 0.05),
        ([0.123, 4.501], 0.001),
        ([7.0], 7.0),
        ([0.0], 1.0),
        ([], 1.0),
        ([-3.0, 6.0], 3.0),
        ([1e17, 3e17], 1e14),
    ],
)
def test_the_resolution_is_that_of_the_data(values, step):
    assert number_grid(np.array(values)).step == pytest.approx(step)


def test_continuous_numbers_move_by_a_thousandth_of_their_range():
    grid = number_grid(np.random.default_rng(0).normal(size=500))
    assert grid.step == pytest.approx(0.001)
    assert number_grid(np.random.default_rng(0).normal(size=500) * 1e-9).step == pytest.approx(1e-12, abs=0)


@given(st.integers(0, 5), st.integers(1, 40), st.lists(st.integers(-500, 500), min_size=2, max_size=30))
def test_every_training_value_lies_on_the_grid(decimals, unit, places):
    values = np.array(places) * unit / 10**decimals
    grid = number_grid(values)
    np.testing.assert_allclose(grid.at(grid.nearest(values)), values, atol=1e-12)
    low, high = float(values.min()), float(values.max())
    inside = grid.at(np.arange(grid.first(low), grid.last(high) + 1))
    assert inside.min() >= low
    assert inside.max() <= high


@pytest.mark.parametrize("values", [[1.0, 2.0, 2.5, 1e308], [-1e308, 1.0, 1e308], [1e308, 1e308], [-1e308]])
def test_a_number_too_large_to_count_to_ends_the_grid(values):
    seen = Observed.of(NUMBER.columns[0], np.array(values * 20))
    first, last = seen.grid.first(seen.low), seen.grid.last(seen.high)
    for place in (first, last):
        assert last < first or seen.low <= float(seen.grid.at(place)) <= seen.high
    assert (np.abs(seen.grid.nearest(np.array([1e308, -1e308, 2.0]))) <= 2**52).all()
    for own in (1e308, -1e308, 2.0):
        found = amounts(own, values * 20)
        if found is not None:
            rows = np.vstack([found.levels(5), found.between(found.levels(5)[0], 5)])
            assert ((rows >= seen.low) & (rows <= seen.high) & (rows != own)).all()


def test_dates_move_by_days_or_seconds():
    days = np.array([0, 3, 10]) * float(DAY) + 5 * DAY
    assert (date_grid(days).step, date_grid(days).origin) == (DAY, 5 * DAY)
    assert date_grid(days + np.array([0.0, 1.0, 7.0])).step == 1_000_000
    assert date_grid(np.array([])).step == 1_000_000


def test_the_least_common_step():
    assert common_step([0.1, 0.25]) == pytest.approx(0.5)
    assert common_step([2.0, 3.0]) == 6.0


def amounts(own, values, **limits):
    space = RowSpace.of(NUMBER)
    observed = Observed.of(space.columns[0], np.array(values, dtype=float))
    return variable_of(space, 0, own, observed, np.empty(0), Constraint(column="x", **limits))


def test_values_between_are_nearest_first_and_never_the_rows_own():
    found = amounts(4.0, range(11))
    assert found.n_values == 11
    assert found.levels(20)[:, 0].tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert found.between(np.array([8.0]), 10)[:, 0].tolist() == [5, 6, 7, 8]
    assert found.between(np.array([1.0]), 10)[:, 0].tolist() == [3, 2, 1]
    assert found.between(np.array([8.0]), 10, after=np.array([6.0]))[:, 0].tolist() == [7, 8]
    assert found.between(np.array([10.0]), 2)[:, 0].tolist() == [5, 10]


@pytest.mark.parametrize(
    ("limits", "values"),
    [
        ({"direction": Direction.UP}, [5, 6, 7, 8, 9, 10]),
        ({"direction": Direction.DOWN}, [0, 1, 2, 3]),
        ({"low": 2.5, "high": 7}, [3, 5, 6, 7]),
        ({"step": 3}, [1, 7, 10]),
        ({"low": -99, "high": 99, "step": 4}, [0, 8]),
    ],
)
def test_limits_leave_what_they_say(limits, values):
    assert amounts(4.0, range(11), **limits).levels(20)[:, 0].tolist() == values


def test_a_value_off_the_grid_starts_between_two_of_its_values():
    found = amounts(4.5, range(11))
    assert found.between(np.array([6.0]), 10)[:, 0].tolist() == [5, 6]
    assert found.between(np.array([3.0]), 10)[:, 0].tolist() == [4, 3]


def test_nothing_is_open_where_nothing_can_be_taken():
    assert amounts(4.0, [4.0, 4.0]) is None
    assert amounts(4.0, range(11), fixed=True) is None
    assert amounts(4.0, range(11), low=20, high=30) is None
    assert amounts(np.nan, range(11), direction=Direction.UP) is None
    assert amounts(4.0, []) is None
    assert amounts(20.0, range(11), direction=Direction.UP) is None
    # Above the range, the way down leads into it.
    assert amounts(20.0, range(11), direction=Direction.DOWN).between(np.array([9.0]), 9)[:, 0].tolist() == [10, 9]


def test_many_values_are_spread_over_the_training_rows():
    values = np.concatenate([np.arange(900.0) / 10, [10_000.0]])
    levels = amounts(45.0, values).levels(12)[:, 0]
    assert len(levels) <= 12
    assert (levels <= 90).sum() >= 9
    assert {0.0, 10_000.0} <= set(levels)


def test_several_move_by_one_amount_inside_all_their_ranges():
    space = RowSpace.of(NUMBER)
    training = np.stack([np.arange(20.0, 61.0), np.arange(41.0) / 2], axis=1)
    observed = [Observed.of(space.columns[place], training[:, place]) for place in range(2)]
    limits = [Constraint(column="x"), Constraint(column="y", high=12)]
    found = variable_of_amount(space, (0, 1), np.array([30.0, 10.0]), observed, limits)
    assert found.levels(99).tolist() == [[30 + k, 10 + k] for k in range(-10, 3) if k]
    assert found.between(np.array([32.0, 12.0]), 9).tolist() == [[31, 11], [32, 12]]
    assert found.nearest(np.array([[50.0, 0.0], [np.nan, 1.0]])).tolist() == [[32, 12], [30, 10]]
    stuck = [Constraint(column="x"), Constraint(column="y", fixed=True)]
    assert variable_of_amount(space, (0, 1), np.array([30.0, 10.0]), observed, stuck) is None


def test_categories_in_order_of_frequency():
    column = Column(name="job", kind=Kind.CATEGORY, categories=("a", "b", "c", "d"))
    space = RowSpace.of(FeatureSchema(columns=(column,)))
    shares = np.array([0.1, 0.6, 0.3, 0.0])
    nothing = Observed.of(column, np.empty(0))
    found = variable_of(space, 0, 0.0, nothing, shares, Constraint(column="job", missing_allowed=True))
    np.testing.assert_array_equal(found.levels(9)[:, 0], [1, 2, np.nan])  # "d" is in no training row
    np.testing.assert_array_equal(found.nearest(np.array([[2.0], [3.0], [np.nan]]))[:, 0], [2, 0, np.nan])
    one = variable_of(space, 0, 0.0, nothing, shares, Constraint(column="job", categories=("a", "c")))
    assert one.levels(9)[:, 0].tolist() == [2]


def test_plain_values_come_back_as_the_users_own_cells():
    row = pd.DataFrame(
        {
            "age": [3.0],
            "code": pd.Series([1], dtype="int64"),
            "flag": [True],
            "day": pd.to_datetime(["2020-01-01"]),
            "moment": pd.to_datetime(["2020-01-01 12:00+02:00"]),
        }
    )
    values = {"age": 4, "code": "2", "flag": False, "day": "2021-03-01", "moment": "2021-03-01 10:30:00"}
    after = with_values(row, values)
    assert after["code"].dtype == "int64"
    assert after["flag"].dtype == bool
    assert after["day"].iloc[0] == pd.Timestamp("2021-03-01")
    assert after["moment"].iloc[0] == pd.Timestamp("2021-03-01 12:30+02:00")
    assert row["age"].iloc[0] == 3.0
    emptied = with_values(row, dict.fromkeys(row.columns))
    assert emptied.isna().all(axis=None)
