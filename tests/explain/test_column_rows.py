"""The rows in which a column counts most, against sorting all of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.explain.column_rows import rows_moved, rows_reading


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 99), n_rows=st.integers(1, 40))
def test_the_rows_are_those_of_a_full_sort(cases, seed, n_rows):
    values = np.random.default_rng(seed).integers(-3, 4, size=(30, 3, 2)).astype(float)
    attribution = cases.attribution(values)
    found = rows_moved(attribution, attribution.features[1], 1, n_rows=n_rows)
    expected = sorted(range(30), key=lambda row: (-abs(values[row, 1, 1]), attribution.rows[row]))[:n_rows]
    np.testing.assert_allclose(np.abs(found.amounts), np.abs(values[expected, 1, 1]))
    assert found.rows.tolist() == attribution.rows[found.positions].tolist()
    assert len(found.rows) == min(30, n_rows)
    assert found.n_rows == 30


def test_reading_is_the_share_of_the_aggregated_mask_and_silent_rows_read_nothing(cases):
    masks = cases.masks(n_rows=12)
    sizes = masks.step_sizes.copy()
    sizes[:, 5] = 0
    masks = dataclasses.replace(masks, step_sizes=sizes)
    found = rows_reading(masks, masks.features[0], n_rows=12)
    np.testing.assert_allclose(found.amounts, np.sort(masks.aggregate[:, 0])[::-1], atol=1e-6)
    assert found.positions[-1] == 5
    assert found.amounts[-1] == 0
    with pytest.raises(ValueError, match="not in tuple"):
        rows_reading(masks, "nobody")
