import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.training.reconstruction import (
    CONSTANT,
    CellSums,
    ColumnReconstruction,
    Reconstruction,
    column_reconstructions,
    mean_error,
)


def sums(seed=0, n_rows=40, n_features=3):
    generator = np.random.default_rng(seed)
    hidden = (generator.random((n_rows, n_features)) < 0.4).astype(float)
    errors, spreads = generator.gamma(1.0, 1.0, (2, n_rows, n_features))
    return hidden, errors, spreads


def test_the_error_is_relative_to_predicting_the_mean():
    hidden, errors, spreads = sums()
    found = CellSums.of(hidden, errors, spreads).ratio(np.full(3, 1e-9))
    for j in range(3):
        cells = hidden[:, j] > 0
        assert found[j] == pytest.approx(errors[cells, j].sum() / spreads[cells, j].sum())


def test_predicting_the_mean_gives_exactly_one():
    hidden, _, spreads = sums()
    total = CellSums.of(hidden, spreads, spreads)
    assert total.ratio(np.full(3, 1e-9)).tolist() == [1, 1, 1]
    assert total.standard_error(np.full(3, 1e-9)) == pytest.approx(np.zeros(3), abs=1e-7)


def test_the_standard_error_is_the_spread_over_many_draws():
    generator = np.random.default_rng(0)
    ratios, claimed = [], []
    for _ in range(400):
        errors, spreads = generator.gamma(2.0, 0.3, (200, 1)), generator.gamma(3.0, 0.5, (200, 1))
        total = CellSums.of(np.ones((200, 1)), errors, spreads)
        ratios.append(total.ratio(np.array([1e-9]))[0])
        claimed.append(total.standard_error(np.array([1e-9]))[0])
    assert np.mean(claimed) == pytest.approx(np.std(ratios), rel=0.1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 40))
def test_sums_over_parts_are_those_of_the_whole(seed, cut):
    hidden, errors, spreads = sums(seed)
    whole = CellSums.of(hidden, errors, spreads)
    parts = CellSums.of(hidden[:cut], errors[:cut], spreads[:cut]) + CellSums.of(
        hidden[cut:], errors[cut:], spreads[cut:]
    )
    least = np.full(3, 1e-9)
    np.testing.assert_allclose(parts.ratio(least), whole.ratio(least))
    np.testing.assert_allclose(parts.standard_error(least), whole.standard_error(least))


def test_what_cannot_be_measured_says_why():
    hidden, errors, spreads = sums()
    hidden[:, 1] = 0
    columns = column_reconstructions(("a", "b", "c"), CellSums.of(hidden, errors, spreads), np.array([1e-9, 1e-9, 0.0]))
    assert [column.skipped for column in columns] == ["", "no cell was hidden", CONSTANT]
    assert [column.error is None for column in columns] == [False, True, True]
    assert columns[0].n_masked == hidden[:, 0].sum()


def test_one_hidden_cell_has_no_standard_error():
    one = np.ones((1, 1))
    (column,) = column_reconstructions(("a",), CellSums.of(one, one, 2 * one), np.array([1e-9]))
    assert (column.error, column.standard_error, column.n_masked) == (0.5, None, 1)


def test_hidden_cells_that_happen_to_be_alike_do_not_divide_by_nothing():
    total = CellSums.of(np.ones((4, 1)), np.full((4, 1), 0.2), np.zeros((4, 1)))
    assert total.ratio(np.array([0.1]))[0] == pytest.approx(2.0)


def test_the_mean_leaves_out_what_was_not_measured():
    assert mean_error(np.array([0.5, np.nan, 1.0])) == 0.75
    assert mean_error(np.array([np.nan])) is None


@pytest.fixture
def reconstruction():
    columns = (
        ColumnReconstruction(name="size", error=0.25, standard_error=0.01, n_masked=30),
        ColumnReconstruction(name="always", error=None, standard_error=None, n_masked=0, skipped=CONSTANT),
    )
    return Reconstruction(columns=columns, overall=0.25, mask_rate=0.3, n_rows=100, seed=3)


def test_it_survives_json(reconstruction):
    text = json.dumps(reconstruction.to_mapping(), allow_nan=False)
    assert Reconstruction.from_mapping(json.loads(text)) == reconstruction
    assert [column.name for column in reconstruction.measured] == ["size"]
    assert [column.name for column in reconstruction.skipped] == ["always"]


@pytest.mark.parametrize(
    "change", [{"columns": 3}, {"columns": [{}]}, {"overall": "much"}, {"overall": float("inf")}, {"mask_rate": None}]
)
def test_a_damaged_mapping_is_refused(reconstruction, change):
    with pytest.raises(ValueError, match="the reconstruction cannot be read"):
        Reconstruction.from_mapping({**reconstruction.to_mapping(), **change})
    with pytest.raises(ValueError, match="cannot be read"):
        Reconstruction.from_mapping({})


@pytest.mark.parametrize("module", ["reconstruction", "pretraining_worth"])
def test_reading_a_measurement_does_not_import_torch(module):
    code = f"import sys, tabnet_engine.training.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
