"""Shapley values of a reconstruction and of its error: axioms, closed forms, brute force."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.errors import ColumnScale
from tabnet_engine.explain.autoencoder.matrix import MatrixAutoencoder
from tabnet_engine.explain.autoencoder.shapley import (
    ShapleyBudget,
    error_shapley,
    reconstruction_shapley,
    reconstruction_table,
)
from tabnet_engine.explain.autoencoder.shapley_results import ErrorShapley, ReconstructionTable
from tabnet_engine.explain.players import Players

TOLERANCE = 1e-5


def matrix(n_rows, n_columns, seed=0):
    x = np.random.default_rng(seed).normal(size=(n_rows, n_columns)) * 2 + 1
    return x.astype(np.float32).astype(np.float64)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_linear_autoencoder_divides_as_its_weights(linear, rows_of, seed, n_columns):
    x = matrix(24, n_columns, seed)
    weight = np.random.default_rng(seed).normal(size=(n_columns, n_columns))
    model = linear(weight)
    chosen, background = rows_of(model.table(x), 3, 8)
    found = reconstruction_shapley(model, chosen, background)
    expected = np.einsum("kj,bj->bjk", weight, x[:3] - x[-8:].mean(axis=0))
    assert found.outputs == model.columns
    assert found.values == pytest.approx(expected, abs=TOLERANCE)
    assert np.abs(found.residual).max() < TOLERANCE
    table = reconstruction_table(model, found, ColumnScale.of(model, model.table(x)))
    assert table.values == pytest.approx(np.abs(expected).mean(axis=0) / x.std(axis=0), abs=TOLERANCE)


def error_by_hand(weight, row, background, variance):
    """Shapley values of the error by all orders of three columns."""
    from itertools import permutations

    def worth(known):
        mixed = background.copy()
        mixed[:, sorted(known)] = row[sorted(known)]
        return ((mixed @ weight.T - row) ** 2 / variance).mean(axis=0)  # (F,), the target is the row

    values = np.zeros((3, 3))
    orders = list(permutations(range(3)))
    for order in orders:
        for place, player in enumerate(order):
            values[player] += worth({*order[: place + 1]}) - worth({*order[:place]})
    return values / len(orders), worth(set()), worth({0, 1, 2})


def test_the_error_is_divided_as_by_brute_force(linear, rows_of):
    weight = np.random.default_rng(2).normal(size=(3, 3)) * 0.5
    x = matrix(40, 3)
    model = linear(weight)
    table = model.table(x)
    scale = ColumnScale.of(model, table)
    chosen, background = rows_of(table, 4, 10)
    found = error_shapley(model, chosen, background, scale)
    for place in range(4):
        values, base, full = error_by_hand(weight, x[place], x[-10:], x.var(axis=0))
        assert found.values[place] == pytest.approx(values.mean(axis=1), abs=TOLERANCE)
        assert found.own[place] == pytest.approx(np.diag(values) / 3, abs=TOLERANCE)
        assert found.base[place] == pytest.approx(base.mean())
        assert found.error[place] == pytest.approx(full.mean())
    assert found.own + found.cross == pytest.approx(found.values)
    assert found.base + found.values.sum(axis=1) == pytest.approx(found.error, abs=TOLERANCE)
    assert found.additivity_error < TOLERANCE


def test_knowing_a_column_of_the_identity_lowers_its_own_error_alone(linear, rows_of):
    model = linear(np.eye(4))
    table = model.table(matrix(30, 4))
    chosen, background = rows_of(table, 5, 10)
    found = error_shapley(model, chosen, background, ColumnScale.of(model, table))
    assert (found.values < 0).all()
    assert found.cross == pytest.approx(np.zeros((5, 4)), abs=1e-12)
    assert found.error == pytest.approx(np.zeros(5), abs=1e-12)


def test_many_columns_are_sampled_and_say_how_well(rows_of):
    import torch

    torch.manual_seed(0)
    names = tuple(f"x{place}" for place in range(14))
    module = nn.Sequential(nn.Linear(14, 6), nn.Tanh(), nn.Linear(6, 14)).double()
    model = MatrixAutoencoder(module, names)
    table = model.table(matrix(30, 14))
    chosen, background = rows_of(table, 2, 5)
    budget = ShapleyBudget(n_evaluations=600, seed=4)
    found = reconstruction_shapley(model, chosen, background, budget=budget)
    assert found.standard_error is not None
    assert np.abs(found.residual).max() < TOLERANCE
    error = error_shapley(model, chosen, background, ColumnScale.of(model, table), budget=budget)
    assert error.standard_error is not None
    exact = error_shapley(
        model, chosen, background, ColumnScale.of(model, table), budget=ShapleyBudget(n_evaluations=2**14)
    )
    assert exact.standard_error is None
    inside = np.abs(error.values - exact.values) <= 4 * error.standard_error + TOLERANCE
    assert inside.mean() > 0.9
    assert error.base == pytest.approx(exact.base)


def test_groups_play_as_one(linear, rows_of):
    weight = np.random.default_rng(1).normal(size=(3, 3))
    model = linear(weight)
    table = model.table(matrix(30, 3))
    chosen, background = rows_of(table, 2, 6)
    players = Players.grouped(model.columns, {"pair": ("x0", "x2")})
    single = reconstruction_shapley(model, chosen, background)
    grouped = reconstruction_shapley(model, chosen, background, players=players)
    # A linear game has no interaction, so a group gets what its members get.
    assert grouped.values[:, 0] == pytest.approx(single.values[:, 0] + single.values[:, 2], abs=TOLERANCE)
    error = error_shapley(model, chosen, background, ColumnScale.of(model, table), players=players)
    assert error.players == ("pair", "x1")
    assert error.groups == {"pair": ("x0", "x2")}


def test_a_pretraining_divides_every_value_and_a_hidden_cell_tells_nothing_of_itself(pretraining, rows_of):
    from tabnet_engine.explain.autoencoder.pretrained import PretrainedAutoencoder

    run, frame = pretraining
    encoded = run.encoder.transform(frame)
    chosen, background = rows_of(encoded, 6, 10)
    model = PretrainedAutoencoder.of_run(run)
    scale = ColumnScale.of(model, encoded)
    found = reconstruction_shapley(model, chosen, background)
    assert np.abs(found.residual).max() < TOLERANCE
    table = reconstruction_table(model, found, scale)
    own = [table.values[table.players.index(name), place] for place, name in enumerate(table.columns)]
    assert own == pytest.approx([0.0] * len(own), abs=1e-12)
    size, weight, noise = (table.players.index(name) for name in ("size", "weight", "noise"))
    filled = table.columns.index("size")
    assert table.values[weight, filled] > 3 * table.values[noise, filled]
    error = error_shapley(model, chosen, background, scale)
    assert error.own == pytest.approx(np.zeros_like(error.own))
    visible = PretrainedAutoencoder.of_run(run, "visible")
    seen = reconstruction_table(visible, reconstruction_shapley(visible, chosen, background), scale)
    assert seen.values[size, filled] > 0


def test_files_give_back_everything(linear, rows_of):
    model = linear(np.eye(2) * 0.5)
    table = model.table(matrix(20, 2))
    chosen, background = rows_of(table, 3, 4)
    scale = ColumnScale.of(model, table)
    error = error_shapley(model, chosen, background, scale)
    folded = reconstruction_table(model, reconstruction_shapley(model, chosen, background), scale)
    for kind, part in ((ErrorShapley, error), (ReconstructionTable, folded)):
        stored = json.loads(json.dumps(part.to_mapping(), allow_nan=False))
        assert kind.from_mapping(stored).to_mapping() == part.to_mapping()


def test_no_row_is_refused(linear, rows_of):
    model = linear(np.eye(2))
    table = model.table(matrix(20, 2))
    chosen, background = rows_of(table, 0, 4)
    with pytest.raises(ExplanationError, match="no row to explain"):
        error_shapley(model, chosen, background, ColumnScale.of(model, table))
