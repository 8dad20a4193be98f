"""The bridge between encoded slots and shap: codes that decode, shap's own masker, distinct rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.explain.raw_columns import ColumnMasker, RawColumnCodes, distinct_rows
from tabnet_engine.explain.shapley import warm_up


def test_equal_cells_share_a_code_and_different_cells_do_not(cases):
    background, explained = cases.mixed_table(40, seed=1), cases.mixed_table(30, seed=2)
    layout = cases.mixed_layout()
    codes = RawColumnCodes.build(layout, background, explained)
    joined = codes.joined
    for feature, numeric, categorical in ((0, [0], []), (1, [1, 2, 3], []), (2, [], [0]), (3, [], [1])):
        cells = [
            (tuple(np.nan_to_num(n, nan=1e9).tolist()), tuple(c.tolist()))
            for n, c in zip(joined.numeric[:, numeric], joined.categorical[:, categorical], strict=True)
        ]
        same_cell = np.array([[a == b for b in cells] for a in cells])
        same_code = codes.codes[:, feature][:, None] == codes.codes[:, feature][None, :]
        np.testing.assert_array_equal(same_code, same_cell)


@given(seed=st.integers(0, 2**32 - 1), n_background=st.integers(1, 12), n_explained=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_codes_decode_to_the_encoded_cells(seed, n_background, n_explained):
    generator = np.random.default_rng(seed)
    layout = InputLayout(("a", "b", "c"), (0, 2, 2), (1,), (5,), ((-1.0, 1.0),) * 3)
    numeric = generator.choice([np.nan, -0.0, 0.0, 1.5, -1e4], size=(n_background + n_explained, 3)).astype(np.float32)
    table = EncodedTable(numeric, generator.integers(0, 5, size=(len(numeric), 1)))
    codes = RawColumnCodes.build(
        layout, table.take(np.arange(n_background)), table.take(np.arange(n_background, len(table)))
    )
    decoded = codes.decode(np.concatenate([codes.background, codes.explained]))
    np.testing.assert_array_equal(decoded.numeric, table.numeric)
    np.testing.assert_array_equal(decoded.categorical, table.categorical)


def test_mixing_codes_exchanges_whole_columns(cases):
    layout, background, row = cases.mixed_layout(), cases.mixed_table(5, seed=3), cases.mixed_table(1, seed=4)
    codes = RawColumnCodes.build(layout, background, row)
    mixed = codes.background.copy()
    mixed[:, [1, 3]] = codes.explained[0, [1, 3]]
    expected = cases.with_columns(layout, background, row, frozenset({1, 3}))
    np.testing.assert_array_equal(codes.decode(mixed).numeric, expected.numeric)
    np.testing.assert_array_equal(codes.decode(mixed).categorical, expected.categorical)


def test_masks_as_shaps_own_masker_does():
    warm_up()
    from shap.maskers import Independent
    from shap.utils import MaskedModel

    generator = np.random.default_rng(0)
    background = generator.integers(0, 3, size=(7, 5)).astype(float)
    row = generator.integers(0, 3, size=5).astype(float)
    order = generator.permutation(5)
    flips = np.concatenate([[MaskedModel.delta_mask_noop_value], order, order])
    ours, theirs = ColumnMasker(background), Independent(background, max_samples=7)
    np.testing.assert_array_equal(ours.invariants(row), theirs.invariants(row))
    (mixed,), changed = ours(flips, row)
    (expected,), expected_changed = theirs(flips, row)
    np.testing.assert_array_equal(mixed, expected)
    np.testing.assert_array_equal(changed, expected_changed)
    assert ours.shape == theirs.shape


def test_neighbouring_codes_differ_however_large():
    assert not ColumnMasker(np.array([[100_000.0]])).invariants(np.array([100_001.0])).any()


@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(1, 40), n_columns=st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_distinct_rows_are_numpys(seed, n_rows, n_columns):
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 2, size=(n_rows, n_columns)) * generator.integers(1, 50_000, size=n_columns) * 1.0
    first, inverse = distinct_rows(codes)
    np.testing.assert_array_equal(codes[first][inverse], codes)
    assert len(first) == len(np.unique(codes, axis=0))
    assert all((codes[:index] != codes[index]).any(axis=1).all() for index in first.tolist())


def test_distinct_rows_survive_keys_beyond_64_bits():
    codes = np.full((2, 5), 65_535.0)
    codes[0, 0] = 0  # 16 bits a column: without compression the first column is shifted out
    assert distinct_rows(codes)[1].tolist() == [0, 1]
