"""The game of one row: the worth of a coalition by its definition, end points, dummies, and its own check."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed import game, network_mixtures
from tabnet_engine.explain.signed.game import RowGame
from tabnet_engine.explain.signed.mixtures import CellKeys

EVERY_COALITION = np.array(list(product([False, True], repeat=4)))


@pytest.fixture
def mixed(cases):
    return cases.mixed_layout(), cases.mixed_table(12, seed=1), cases.mixed_table(1, seed=2)


@pytest.mark.parametrize("is_single", [False, True])
def test_a_network_behind_its_embedding_is_worth_what_mixed_tables_are(is_single, mixed, cases, networks):
    layout, background, row = mixed
    subject = networks.random(layout, n_outputs=2, seed=3)
    found = RowGame(subject, Players.columns(layout.feature_names), row, background, is_single=is_single)
    expected = np.stack(
        [
            subject.logits(cases.with_columns(layout, background, row, frozenset(np.flatnonzero(known).tolist()))).mean(
                0
            )
            for known in EVERY_COALITION
        ]
    )
    np.testing.assert_allclose(found.values(EVERY_COALITION), expected, atol=1e-5 if is_single else 1e-12)
    assert found.is_single == is_single
    np.testing.assert_allclose(found.values(EVERY_COALITION[[0, -1]]), [found.base, found.full], rtol=1e-14)


def test_any_model_is_asked_about_each_mixture_once(mixed, cases):
    layout, background, row = mixed
    model = cases.NumpyModel(layout, lambda t: np.nan_to_num(t.numeric).sum(axis=1) * t.categorical[:, 0])
    found = RowGame(model, Players.columns(layout.feature_names), row, background)
    twice = found.values(np.concatenate([EVERY_COALITION, EVERY_COALITION]))
    np.testing.assert_array_equal(twice[:16], twice[16:])
    asked = sum(model.calls)
    assert asked <= 12 + 1 + 14 * 12 + 1  # background, row, all between the end points, the check


def test_players_that_hold_what_the_background_holds_do_not_vary(cases):
    background = cases.plain_table([[0.0, 1.0, np.nan, 5.0], [1.0, 1.0, np.nan, 5.0]])
    row = cases.plain_table([[0.0, 1.0, np.nan, 6.0]])
    model = cases.NumpyModel(cases.plain_layout(4), lambda t: np.nan_to_num(t.numeric).sum(axis=1))
    found = RowGame(model, Players.columns(model.layout.feature_names), row, background)
    assert found.varying.tolist() == [0, 3]
    grouped = Players.grouped(model.layout.feature_names, {"both": ["x1", "x3"]})
    assert RowGame(model, grouped, row, background).varying.tolist() == [0, 1]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_keys_are_equal_where_all_cells_of_a_player_are(seed):
    generator = np.random.default_rng(seed)
    layout = InputLayout(("a", "b", "c"), (0, 2, 2), (1,), (5,), ((-1.0, 1.0),) * 3)
    numeric = generator.choice([np.nan, -0.0, 0.0, 1.5], size=(12, 3)).astype(np.float32)
    table = EncodedTable(numeric, generator.integers(0, 3, size=(12, 1)))
    keys = CellKeys(layout, Players.columns(layout.feature_names), table).background
    for player, (slots, codes) in enumerate([([0], []), ([], [0]), ([1, 2], [])]):
        for one, other in product(range(12), repeat=2):
            same = np.array_equal(numeric[one, slots], numeric[other, slots], equal_nan=True) and np.array_equal(
                table.categorical[one, codes], table.categorical[other, codes]
            )
            assert (keys[one, player] == keys[other, player]) == same


def test_equal_cells_in_different_columns_are_not_confused(cases):
    """Knowing x0 or knowing x1 mixes the same two cells, in different places."""
    background, row = cases.plain_table([[0.0, 0.0]]), cases.plain_table([[1.0, 1.0]])
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric @ [1.0, 10.0])
    worth = RowGame(model, Players.columns(("x0", "x1")), row, background).values([[True, False], [False, True]])
    np.testing.assert_array_equal(worth[:, 0], [1.0, 10.0])


def test_walks_are_the_worth_of_what_is_known_so_far(mixed, networks):
    layout, background, row = mixed
    found = RowGame(networks.random(layout, seed=1), Players.columns(layout.feature_names), row, background)
    generator = np.random.default_rng(0)
    order = generator.permutation(len(found.varying))
    walk = found.walks(np.tile(order, (12, 1)), np.arange(12))
    known = np.zeros((5, 4), dtype=bool)
    for step, player in enumerate(found.varying[order], start=1):
        known[step:, player] = True
    np.testing.assert_allclose(walk.mean(axis=0), found.values(known), atol=1e-12)


def test_coalitions_in_parts_change_nothing(mixed, networks, monkeypatch):
    layout, background, row = mixed
    subject, players = networks.random(layout, seed=1), Players.columns(layout.feature_names)
    whole = RowGame(subject, players, row, background).values(EVERY_COALITION)
    monkeypatch.setattr(game, "MIXTURES_AT_ONCE", 30)
    monkeypatch.setattr(game, "MEMBERSHIPS_AT_ONCE", 40)
    monkeypatch.setattr(network_mixtures, "ROWS_ON_CPU", 7)
    np.testing.assert_allclose(RowGame(subject, players, row, background).values(EVERY_COALITION), whole, atol=1e-12)


def test_a_network_that_magnifies_rounding_is_computed_in_double_precision(networks, cases):
    steep = networks.written(lambda x: (x[:, :1] * 1e6).sin(), 3)
    rows = cases.plain_table(np.random.default_rng(0).normal(size=(5, 3)))
    found = RowGame(steep, Players.columns(steep.features), rows.take([0]), rows.take([1, 2, 3]), is_single=True)
    worth = found.values(np.eye(3, dtype=bool))
    assert not found.is_single
    double = RowGame(steep, Players.columns(steep.features), rows.take([0]), rows.take([1, 2, 3]))
    np.testing.assert_array_equal(worth, double.values(np.eye(3, dtype=bool)))


def test_a_target_far_from_zero_keeps_its_digits_in_single_precision(networks, cases):
    import torch

    subject = networks.random(cases.plain_layout(3), seed=2)
    subject.network.set_output_scale(torch.tensor([1e9]), torch.tensor([1.0]))
    rows = cases.plain_table(np.random.default_rng(0).normal(size=(5, 3)))
    players, known = Players.columns(subject.features), np.eye(3, dtype=bool)
    single = RowGame(subject, players, rows.take([0]), rows.take([1, 2]), is_single=True)
    double = RowGame(subject, players, rows.take([0]), rows.take([1, 2]))
    np.testing.assert_allclose(single.values(known), double.values(known), rtol=0, atol=2e-6)
    assert single.is_single


def test_a_model_that_contradicts_itself_is_refused(cases):
    noise = np.random.default_rng(0)
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: noise.normal(size=len(t)))
    found = RowGame(model, Players.columns(("x0", "x1")), cases.plain_table([[1, 2]]), cases.plain_table([[0, 0]]))
    with pytest.raises(ExplanationError, match=r"failed their own check and are not kept.* train with fewer n_steps"):
        found.values([[True, False]])


def test_one_row_and_a_background_are_needed(cases):
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.sum(axis=1))
    players, rows = Players.columns(("x0", "x1")), cases.plain_table(np.zeros((2, 2)))
    with pytest.raises(ExplanationError, match="one explained row, got 2"):
        RowGame(model, players, rows, rows)
    with pytest.raises(ExplanationError, match="background has no rows"):
        RowGame(model, players, rows.take([0]), rows.take(np.zeros(0, dtype=np.int64)))
    with pytest.raises(ValueError, match=r"shape \(L, 2\)"):
        RowGame(model, players, rows.take([0]), rows).values(np.ones((1, 3), dtype=bool))
