"""Columns that stand for each other are found; columns that only share a neighbour are not joined."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.correlated import correlated_groups, correlations


def table_of(linear, *columns):
    model = linear(np.eye(len(columns)))
    return model, model.table(np.stack(columns, axis=1))


def test_copies_are_one_group_whatever_their_scale(linear):
    x, noise = np.random.default_rng(0).normal(size=(2, 200))
    model, table = table_of(linear, x, noise, -100 * np.sinh(x))
    assert correlated_groups(model, table) == {"x0 + x2": ("x0", "x2")}
    strength = correlations(model, table)
    assert strength[0, 2] == pytest.approx(1.0)
    assert strength[0, 1] < 0.3
    assert np.array_equal(strength, strength.T)


def test_a_chain_of_neighbours_is_not_one_group(linear):
    generator = np.random.default_rng(1)
    first, third = generator.normal(size=(2, 500))
    model, table = table_of(linear, first, first + third, third)
    assert correlated_groups(model, table, threshold=0.6) in ({"x0 + x1": ("x0", "x1")}, {"x1 + x2": ("x1", "x2")})


def test_a_constant_column_goes_with_nothing(linear):
    x = np.random.default_rng(0).normal(size=100)
    model, table = table_of(linear, x, np.ones(100), x)
    assert correlated_groups(model, table) == {"x0 + x2": ("x0", "x2")}


def test_numbers_and_categories_of_a_pretraining(pretraining):
    from tabnet_engine.explain.autoencoder.pretrained import PretrainedAutoencoder

    run, frame = pretraining
    complete = frame.dropna()
    groups = correlated_groups(PretrainedAutoencoder.of_run(run), run.encoder.transform(complete))
    assert groups == {"size + weight + colour": ("size", "weight", "colour")}


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_a_threshold_outside_its_range(linear, threshold):
    model, table = table_of(linear, np.arange(5.0))
    with pytest.raises(ExplanationError, match="above 0 and at most 1"):
        correlated_groups(model, table, threshold=threshold)
