"""Masks over many rows: means by hand, of all rows and of some."""

from __future__ import annotations

import dataclasses

import numpy as np

from tabnet_engine.explain.mask_summaries import summarise_masks


def by_hand(cases):
    """Two steps, two rows, three columns; the second row has no active step."""
    explanation = cases.masks(n_rows=2, n_steps=2, n_features=3)
    return dataclasses.replace(
        explanation,
        masks=np.array([[[1, 0, 0], [0.5, 0.5, 0]], [[0.25, 0.75, 0], [0, 0, 1]]], dtype=np.float32),
        step_sizes=np.array([[3, 0], [1, 0]], dtype=np.float32),
    )


def test_a_summary_worked_out_by_hand(cases):
    summary = summarise_masks(by_hand(cases))
    np.testing.assert_allclose(summary.mean_masks, [[0.75, 0.25, 0], [0.125, 0.375, 0.5]])
    np.testing.assert_allclose(summary.mean_aggregate, [13 / 16, 3 / 16, 0])
    np.testing.assert_allclose(summary.mean_step_shares, [0.75, 0.25])
    np.testing.assert_allclose(summary.columns_read, [1.5, 1.5])
    np.testing.assert_allclose(summary.read_share, [[1, 0.5, 0], [0.5, 0.5, 0.5]])
    np.testing.assert_allclose(summary.reuse, [0.5, 0, 0])
    assert (summary.n_rows, summary.n_silent, summary.n_steps) == (2, 1, 2)
    assert summary.order.tolist() == [0, 1, 2]


def test_some_rows_are_summarised_as_if_there_were_no_others(cases):
    explanation = cases.masks(n_rows=12)
    chosen = np.array([2, 3, 11])
    some, alone = summarise_masks(explanation, chosen), summarise_masks(explanation.take(chosen))
    np.testing.assert_array_equal(some.mean_masks, alone.mean_masks)
    assert (some.n_rows, alone.n_rows) == (3, 3)


def test_no_row_gives_an_empty_summary(cases):
    nothing = cases.masks(n_rows=3).take(np.zeros(0, dtype=np.int64))
    assert summarise_masks(nothing).mean_aggregate.tolist() == [0, 0, 0]


def test_chunks_share_out_the_rows_and_copy_nothing(cases, monkeypatch):
    monkeypatch.setattr("tabnet_engine.explain.masks.CHUNK_ROWS", 4)
    explanation = cases.masks(n_rows=10)
    parts = list(explanation.chunks())
    assert [part.n_rows for part in parts] == [4, 4, 2]
    assert np.concatenate([part.rows for part in parts]).tolist() == explanation.rows.tolist()
    assert np.shares_memory(parts[1].masks, explanation.masks)
    some = list(explanation.chunks(np.array([9, 0, 5, 5, 1])))
    assert np.concatenate([part.rows for part in some]).tolist() == [19, 10, 15, 15, 11]
