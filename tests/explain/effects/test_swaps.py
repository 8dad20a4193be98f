"""Combinations of rows and cells: the fast way through a network says what the network says of the composed rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.effects import swaps
from tabnet_engine.explain.effects.swaps import slots_of, swaps_of
from tabnet_engine.explain.subject import Subject
from tabnet_engine.training.embedded import EmbeddedNetwork


@pytest.fixture
def subject(run) -> Subject:
    return Subject.of_run(run)


def composed(layout, table, cells, members, rows, places) -> EncodedTable:
    mixed = table.take(rows)
    numeric, categorical = slots_of(layout, members)
    mixed.numeric[:, numeric] = cells.numeric[places][:, numeric]
    mixed.categorical[:, categorical] = cells.categorical[places][:, categorical]
    return mixed


@pytest.mark.parametrize("members", [(0,), (1,), (2, 3), (0, 1, 2, 3), ()])
@pytest.mark.parametrize("at_once", [4_096, 7])
def test_a_network_is_asked_about_the_composed_rows(run, frame, subject, monkeypatch, members, at_once):
    monkeypatch.setattr(swaps, "_ROWS_ON_CPU", at_once)
    encoded = run.encoder.transform(frame)
    table, cells = encoded.take(np.arange(40)), encoded.take(np.arange(40, 55))
    generator = np.random.default_rng(0)
    rows, places = generator.integers(0, 40, 60), generator.integers(0, 15, 60)
    ready = swaps_of(subject, table)
    np.testing.assert_allclose(ready.before, subject.logits(table), atol=1e-9)
    expected = subject.logits(composed(subject.layout, table, cells, members, rows, places))
    np.testing.assert_allclose(ready.logits(members, cells, rows, places), expected, atol=1e-5)
    itself = subject.logits(composed(subject.layout, table, table, members, rows, places))
    np.testing.assert_allclose(ready.logits(members, table, rows, places), itself, atol=1e-5)


def test_a_network_that_magnifies_rounding_is_computed_in_double_precision(run, frame, subject, monkeypatch):
    table = run.encoder.transform(frame)
    assert swaps_of(subject, table)._rows.dtype is torch.float32
    head = EmbeddedNetwork.head

    def magnified(network, rows):
        return head(network, rows) + (1e-3 if rows.dtype is torch.float32 else 0.0)

    monkeypatch.setattr(EmbeddedNetwork, "head", magnified)
    ready = swaps_of(subject, table)
    rows = np.arange(len(table))
    expected = subject.logits(composed(subject.layout, table, table, (0,), rows, rows[::-1]))
    np.testing.assert_allclose(ready.logits((0,), table, rows, rows[::-1].copy()), expected, atol=1e-9)


def test_any_model_is_asked_in_batches(cases, monkeypatch):
    monkeypatch.setattr(swaps, "_ROWS_A_FORWARD", 9)
    table = cases.mixed_table(30)
    model = cases.NumpyModel(cases.mixed_layout(), lambda t: np.nan_to_num(t.numeric[:, 1]) + t.categorical[:, 0])
    ready = swaps_of(model, table)
    rows = np.arange(30)
    found = ready.logits((1, 2), table, rows, rows[::-1].copy())
    np.testing.assert_array_equal(found, ready.before[::-1])
    assert max(model.calls[1:]) == 9
