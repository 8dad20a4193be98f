"""Signed values as a map: no row lost, none twice, lines are means of neighbours, orders are what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.explain import push_map as module
from tabnet_engine.explain.push_map import ORDERS, push_map
from tests.explain.conftest import make_attribution


def values_of(n_rows: int, n_features: int = 4, seed: int = 0):
    generator = np.random.default_rng(seed)
    rows = generator.permutation(np.arange(100, 100 + n_rows))
    return make_attribution(generator.normal(size=(n_rows, n_features, 2)), rows=rows)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 50), st.sampled_from(sorted(ORDERS)))
def test_every_row_is_in_exactly_one_line_and_lines_are_means(n_rows, max_lines, order):
    values = values_of(n_rows)
    errors = np.linspace(0, 1, n_rows)
    found = push_map(values, "o1", order=order, column="f2", errors=errors, max_lines=max_lines)
    assert sorted(found.rows.tolist()) == sorted(values.rows.tolist())
    assert found.counts.sum() == n_rows
    assert len(found.counts) == min(n_rows, max_lines)
    place = {row: index for index, row in enumerate(values.rows.tolist())}
    columns = [values.features.index(name) for name in found.features]
    for line in range(len(found.counts)):
        members = [place[row] for row in found.rows_of(line).tolist()]
        np.testing.assert_allclose(found.values[line], values.values[members][:, columns, 1].mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(found.scores[line], values.logits[members, 1].mean(), atol=1e-12)
    assert found.is_exact == (n_rows <= max_lines)


def test_each_order_is_what_it_says():
    values = values_of(30)
    errors = np.random.default_rng(1).random(30)
    errors[3] = np.nan
    place = {row: index for index, row in enumerate(values.rows.tolist())}

    def along(order, measure):
        rows = push_map(values, "o0", order=order, column="f1", errors=errors).rows
        return [measure[place[row]] for row in rows.tolist()]

    assert along("table", values.rows) == sorted(values.rows.tolist())
    for order, measure in {
        "score": values.logits[:, 0],
        "column": values.values[:, 1, 0],
        "size": np.abs(values.values[:, :, 0]).sum(axis=1),
    }.items():
        assert along(order, measure) == sorted(measure.tolist(), reverse=True)
    by_error = along("error", errors)
    assert by_error[:-1] == sorted(errors[np.isfinite(errors)].tolist(), reverse=True)
    assert np.isnan(by_error[-1])


@pytest.mark.parametrize("most", [3_000, 5])
def test_like_rows_stand_together(most, monkeypatch):
    """Two planted kinds of rows, shuffled: each must end up in one piece, by the tree and by the component."""
    monkeypatch.setattr(module, "MAX_CLUSTERED", most)
    generator = np.random.default_rng(2)
    kinds = generator.integers(0, 2, 40)
    pushes = np.where(kinds[:, None] == 1, [3.0, -1.0, 0.0], [-3.0, 1.0, 0.0]) + generator.normal(0, 0.1, (40, 3))
    found = push_map(make_attribution(pushes[:, :, None], rows=np.arange(40)), "o0")
    assert np.count_nonzero(np.diff(kinds[found.rows])) == 1


def test_leading_columns_are_kept_and_the_rest_counted():
    found = push_map(make_attribution(np.array([[[0.1], [-5.0], [1.0]]])), "o0", max_columns=2)
    assert found.features == ("f1", "f2")
    assert found.n_columns_left_out == 1


def test_an_order_needs_what_it_orders_by():
    values = values_of(3)
    for order, missing in (("column", "column"), ("error", "errors"), ("nonsense", "one of")):
        with pytest.raises(ValueError, match=missing):
            push_map(values, "o0", order=order)
    assert not len(push_map(make_attribution(np.zeros((0, 2, 1))), "o0").counts)
