"""The flow of the reading and the leading paths, against loops over rows."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.explain.mask_flow import flow_sentences, path_table, reading_flow
from tabnet_engine.explain.mask_paths import leading_columns, leading_paths
from tests.explain.conftest import make_masks


def by_loops(masks):
    """Mean over rows of the product of a row's mask of one step and of the next, by definition."""
    n_steps, n_rows, n_features = masks.masks.shape
    links = np.zeros((n_steps - 1, n_features, n_features))
    for step, row, before, after in itertools.product(
        range(n_steps - 1), range(n_rows), range(n_features), range(n_features)
    ):
        links[step, before, after] += float(masks.masks[step, row, before]) * float(masks.masks[step + 1, row, after])
    return links / n_rows


@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_links_are_mean_products_and_add_up_to_what_the_steps_read(n_rows, n_steps, n_features, seed):
    masks = make_masks(n_rows=n_rows, n_steps=n_steps, n_features=n_features, seed=seed)
    flow = reading_flow(masks, max_columns=99)
    order = [masks.features.index(name) for name in flow.columns]
    np.testing.assert_allclose(flow.links, by_loops(masks)[:, order][:, :, order], atol=1e-5)
    np.testing.assert_allclose(flow.shares, masks.masks.mean(axis=1)[:, order], atol=1e-5)
    for step, link in enumerate(flow.links):
        np.testing.assert_allclose(link.sum(axis=1), flow.shares[step], atol=1e-5)
        np.testing.assert_allclose(link.sum(axis=0), flow.shares[step + 1], atol=1e-5)


def test_columns_beyond_those_named_flow_as_one():
    masks = make_masks(n_rows=20, n_steps=3, n_features=7)
    whole, folded = reading_flow(masks, max_columns=99), reading_flow(masks, max_columns=3)
    assert folded.columns == whole.columns[:3]
    assert folded.n_other == 4
    np.testing.assert_allclose(folded.links[:, :3, :3], whole.links[:, :3, :3])
    np.testing.assert_allclose(folded.links[:, 3, 3], whole.links[:, 3:, 3:].sum(axis=(1, 2)))
    np.testing.assert_allclose(folded.shares.sum(axis=1), 1, atol=1e-5)
    table = folded.table()
    assert table["share"].sum() == pytest.approx(2, abs=1e-5)
    assert "4 others" in table["column"].tolist()
    assert reading_flow(masks, max_columns=6).n_other == 0  # one column alone is named


def test_the_flow_of_some_rows_is_theirs():
    masks = make_masks(n_rows=20)
    chosen = np.array([3, 5, 8])
    some, alone = reading_flow(masks, chosen), reading_flow(masks.take(chosen))
    np.testing.assert_allclose(some.links, alone.links)
    assert some.n_rows == 3


def test_sentences_say_first_and_then():
    said = flow_sentences(reading_flow(make_masks(n_rows=10, n_steps=3)))
    assert [text.split(" reads ")[0] for text in said] == ["First, step 1", "Then step 2", "Then step 3"]
    assert "%)" in said[0]


@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_paths_are_the_leading_columns_of_each_row_and_are_counted(n_rows, n_steps, n_features, seed):
    masks = make_masks(n_rows=n_rows, n_steps=n_steps, n_features=n_features, seed=seed)
    paths = leading_paths(masks)
    expected = [tuple(int(np.argmax(masks.masks[step, row])) for step in range(n_steps)) for row in range(n_rows)]
    assert [tuple(paths.columns[code].tolist()) for code in paths.codes] == expected
    assert paths.counts.tolist() == sorted(paths.counts.tolist(), reverse=True)
    assert paths.counts.tolist() == [expected.count(tuple(path)) for path in paths.columns.tolist()]
    assert paths.shares.sum() == pytest.approx(1)
    assert len(set(paths.names)) == len(paths.names)


def test_a_path_of_many_wide_steps_keeps_its_own_number():
    masks = make_masks(n_rows=40, n_steps=12, n_features=300)
    assert len(leading_paths(masks).counts) == len(np.unique(leading_columns(masks).T, axis=0))


def test_no_row_has_no_path():
    masks = make_masks(n_rows=3)
    paths = leading_paths(masks, np.zeros(0, dtype=np.int64))
    assert path_table(paths).empty
    assert reading_flow(masks, np.zeros(0, dtype=np.int64)).shares.sum() == 0
