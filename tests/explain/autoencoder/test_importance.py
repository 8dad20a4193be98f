"""What a reconstruction loses: closed forms of linear autoencoders."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.autoencoder.importance import ReconstructionImportance, reconstruction_importance
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import Steering

WEIGHT = np.array([[0.9, 0.3, 0.0], [-0.2, 0.5, 0.0], [0.0, 0.4, 1.0]])


def matrix(n_rows=400, n_columns=3, seed=0):
    generator = np.random.default_rng(seed)
    mixed = generator.normal(size=(n_rows, n_columns)) @ generator.normal(size=(n_columns, n_columns)) * 3 + 1
    return mixed.astype(np.float32).astype(np.float64)


def permuted_by_hand(weight, x):
    """Expected increase (P, F) of each column's error: 2 A_kj^2 var_j - 2 A_kj cov(x_j, e_k), over var_k.

    A row never gets its own cells, which makes the moments those divided by n - 1.
    """
    error = x @ weight.T - x
    covariance = (x - x.mean(axis=0)).T @ (error - error.mean(axis=0)) / (len(x) - 1)
    return (2 * weight.T**2 * x.var(axis=0, ddof=1)[:, None] - 2 * weight.T * covariance) / x.var(axis=0)


def zeroed_by_hand(weight, x, zeros):
    """The same for x_j replaced by a constant: A_kj^2 E(z - x_j)^2 + 2 A_kj E (z - x_j) e_k, over var_k."""
    error = x @ weight.T - x
    change = zeros - x
    return (weight.T**2 * (change**2).mean(axis=0)[:, None] + 2 * weight.T * (change.T @ error / len(x))) / x.var(0)


def test_permuting_a_linear_autoencoder_agrees_with_the_closed_form(linear):
    x = matrix()
    model = linear(WEIGHT)
    found = reconstruction_importance(model, model.table(x), n_repeats=60, seed=1)
    expected = permuted_by_hand(WEIGHT, x)
    # 60 permutations of the same rows leave a sampling error well below that of the rows.
    assert (np.abs(found.table - expected) <= found.standard_error + 1e-9).all()
    own, cross = np.diag(expected), (expected.sum(axis=1) - np.diag(expected)) / 2
    for place in range(3):
        assert found.own[place].value == pytest.approx(own[place], abs=0.3 * np.abs(expected).max())
        assert found.cross[place].low <= cross[place] <= found.cross[place].high
        assert found.own[place].low <= own[place] <= found.own[place].high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_zeroing_a_linear_autoencoder_is_the_closed_form(linear, seed, n_columns):
    x = matrix(50, n_columns, seed)
    weight = np.random.default_rng(seed).normal(size=(n_columns, n_columns))
    zeros = np.random.default_rng(seed + 1).normal(size=n_columns).astype(np.float32).astype(np.float64)
    model = linear(weight, zeros=zeros)
    found = reconstruction_importance(model, model.table(x), method="zeroing")
    expected = zeroed_by_hand(weight, x, zeros)
    assert found.table == pytest.approx(expected, rel=1e-6, abs=1e-9 * np.abs(expected).max())
    others = (expected.sum(axis=1) - np.diag(expected)) / (n_columns - 1)
    assert [part.value for part in found.own] == pytest.approx(np.diag(expected), rel=1e-6, abs=1e-6)
    assert [part.value for part in found.cross] == pytest.approx(others, rel=1e-6, abs=1e-6)


def test_the_identity_needs_every_column_for_itself_alone(linear):
    x = matrix()
    model = linear(np.eye(3))
    found = reconstruction_importance(model, model.table(x), seed=3)
    assert [part.value for part in found.cross] == [0.0, 0.0, 0.0]
    # A permuted column is off by twice its variance.
    assert [part.value for part in found.own] == pytest.approx([2.0] * 3, rel=0.2)
    assert found.error == pytest.approx(np.zeros(3), abs=1e-12)


def test_a_column_that_feeds_another_leads_by_the_error_of_the_others(linear):
    model = linear(np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    x = matrix()
    x[:, 1] = 2 * x[:, 0]
    found = reconstruction_importance(model, model.table(x))
    assert found.order[0] == 0
    assert found.cross[0].low > 0
    assert (found.cross[1].value, found.cross[2].value) == (0.0, 0.0)
    assert found.own[1].value == 0.0  # its own cell is not read


def test_intervals_cover_the_expectation(linear):
    """About 95 of 100 draws of the rows hold the population's value, for the column itself and for the other one.

    What a row gives counts as much as what it gets: intervals from the receivers alone cover 85 of 100.
    """
    generator = np.random.default_rng(5)
    model = linear(np.array([[1.0, 0.5], [0.0, 1.0]]))
    own = cross = 0
    for draw in range(200):
        x = generator.normal(size=(150, 2))
        found = reconstruction_importance(model, model.table(x), n_repeats=5, seed=draw)
        # Divided by the rows' own variance, as the result is: that of the population would add its noise.
        own += found.own[1].low <= 2.0 / x[:, 1].var() <= found.own[1].high
        cross += found.cross[1].low <= 0.0 <= found.cross[1].high  # 2 (0.5^2) - 2 (0.5) (0.5)
    assert 0.91 * 200 <= own <= 0.99 * 200
    assert cross >= 0.91 * 200


def test_a_group_moves_together(linear):
    model = linear(np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    x = matrix()
    x[:, 1] = x[:, 0]
    table = model.table(x)
    players = Players.grouped(model.columns, {"twins": ("x0", "x1")})
    alone = reconstruction_importance(model, table)
    together = reconstruction_importance(model, table, players=players)
    assert together.players == ("twins", "x2")
    assert together.groups == {"twins": ("x0", "x1")}
    # Alone each twin leaves half of the truth in place: a quarter of the increase of both.
    assert together.own[0].value == pytest.approx(2.0, rel=0.2)
    assert alone.own[0].value == pytest.approx(0.5, rel=0.2)
    assert together.cross[0].value == 0.0


def test_constant_columns_are_named_and_not_measured(linear):
    model = linear(WEIGHT)
    x = matrix()
    x[:, 2] = 7.0
    found = reconstruction_importance(model, model.table(x))
    assert found.columns == ("x0", "x1")
    assert found.unmeasured == ("x2",)
    assert found.own[2].value is None
    assert found.cross[2].value == 0.0  # permuting a constant changes nothing
    assert "Not measured, since they hold one value only: x2." in found.note


def test_one_column(linear):
    model = linear(np.array([[0.5]]))
    found = reconstruction_importance(model, model.table(matrix(30, 1)))
    assert found.cross[0].value is None
    assert found.own[0].value is not None


def test_the_seed_decides_and_a_file_gives_back_everything(linear):
    model = linear(WEIGHT)
    table = model.table(matrix(60))
    first, again, other = (reconstruction_importance(model, table, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.table, again.table)
    assert not np.array_equal(first.table, other.table)
    read = ReconstructionImportance.from_mapping(json.loads(json.dumps(first.to_mapping(), allow_nan=False)))
    assert read.to_mapping() == first.to_mapping()


def test_missing_cells_have_no_error_of_their_own(pretraining):
    from tabnet_engine.explain.autoencoder.pretrained import PretrainedAutoencoder

    run, frame = pretraining
    model = PretrainedAutoencoder.of_run(run)
    encoded = run.encoder.transform(frame)
    found = reconstruction_importance(model, encoded, n_repeats=2)
    assert np.isfinite(found.table).all()
    assert "noise" in found.columns
    swapped = EncodedTable(encoded.numeric.copy(), encoded.categorical.copy())
    assert np.isnan(swapped.numeric).any()  # the explained table itself is never changed
    again = reconstruction_importance(model, swapped, n_repeats=2)
    assert np.array_equal(found.table, again.table)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"n_repeats": 1}, "n_repeats must be at least 2"), ({"rows": 1}, "two rows or more"), ({"same": True}, "differ")],
)
def test_requests_that_cannot_be_met(linear, change, message):
    model = linear(WEIGHT)
    x = np.ones((20, 3)) if change.pop("same", False) else matrix(change.pop("rows", 20))
    with pytest.raises(ExplanationError, match=message):
        reconstruction_importance(model, model.table(x), **change)


def test_it_can_be_cancelled(linear):
    model = linear(WEIGHT)
    with pytest.raises(JobCancelledError):
        reconstruction_importance(model, model.table(matrix(20)), steering=Steering(should_cancel=lambda: True))
