"""Masks over many rows: means by hand, maps that keep every row, orders."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.explain.mask_summaries import mask_map, row_order, summarise_masks


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


@given(
    n_rows=st.integers(1, 40),
    n_features=st.integers(1, 9),
    max_lines=st.integers(1, 12),
    max_features=st.integers(1, 9),
    order=st.sampled_from(["score", "row", "reading"]),
)
@settings(max_examples=80, deadline=None)
def test_a_map_holds_every_row_once_and_keeps_the_means(cases, n_rows, n_features, max_lines, max_features, order):
    explanation = cases.masks(n_rows=n_rows, n_features=n_features)
    drawn = mask_map(explanation, order=order, max_lines=max_lines, max_features=max_features)
    assert drawn.n_lines == min(n_rows, max_lines)
    assert drawn.counts.sum() == n_rows == drawn.n_rows
    assert drawn.counts.max() - drawn.counts.min() <= 1
    assert drawn.first[0] == 0
    assert drawn.last[-1] == n_rows - 1
    assert (drawn.first[1:] == drawn.last[:-1] + 1).all()
    shown = [explanation.features.index(name) for name in drawn.features]
    assert shown == sorted(shown)
    weighed = (drawn.masks * drawn.counts[:, None]).sum(axis=1) / n_rows
    np.testing.assert_allclose(weighed, explanation.masks.mean(axis=1)[:, shown], atol=1e-5)
    assert len(drawn.features) == min(n_features, max_features)
    read = explanation.aggregate.sum(axis=0, dtype=float)
    np.testing.assert_allclose(drawn.share_left_out, 1 - read[shown].sum() / read.sum(), atol=1e-5)
    assert read[shown].min() >= np.delete(read, shown).max(initial=0) - 1e-9
    assert len(drawn.labels) == drawn.n_lines


def test_orders(cases):
    explanation = cases.masks(n_rows=5)
    explanation = dataclasses.replace(explanation, rows=np.array([4, 3, 9, 0, 1]))
    assert row_order(explanation, "row").tolist() == [3, 4, 1, 0, 2]
    scores = explanation.logits[row_order(explanation, "score"), 0]
    assert (np.diff(scores) <= 0).all()
    silent = by_hand(cases)
    assert row_order(silent, "reading").tolist() == [0, 1]


def test_rows_that_read_the_same_column_stand_together(cases):
    explanation = cases.masks(n_rows=60, n_features=4, seed=5)
    leading = explanation.aggregate.argmax(axis=1)[row_order(explanation, "reading")]
    runs = leading[np.append(True, leading[1:] != leading[:-1])]
    assert len(runs) == len(set(runs.tolist()))
    counts = [int((leading == column).sum()) for column in runs]
    assert counts == sorted(counts, reverse=True)


def test_labels_and_note_say_what_a_line_is(cases):
    explanation = cases.masks(n_rows=5)
    single = mask_map(explanation, order="row")
    assert single.labels == ("row 10", "row 11", "row 12", "row 13", "row 14")
    assert single.note == "Each line is one row; 5 rows in 5 lines, ordered as in the table."
    binned = mask_map(explanation, max_lines=2, max_features=2)
    assert binned.labels == ("rows 1 to 2 in this order", "rows 3 to 5 in this order")
    assert binned.note.startswith(
        "Each line is the mean of up to 3 rows; 5 rows in 2 lines, ordered by the score of o0"
    )
    assert "Not shown: the 1 columns that were read least" in binned.note
    assert binned.n_steps == 2
    np.testing.assert_allclose(binned.score[0], np.sort(explanation.logits[:, 0])[::-1][:2].mean(), rtol=1e-6)


def test_no_row_gives_an_empty_map_and_summary(cases):
    nothing = cases.masks(n_rows=3).take(np.zeros(0, dtype=np.int64))
    drawn = mask_map(nothing)
    assert (drawn.n_lines, drawn.n_rows, drawn.masks.shape) == (0, 0, (2, 0, 3))
    assert summarise_masks(nothing).mean_aggregate.tolist() == [0, 0, 0]


def test_silent_rows_alone_leave_out_nothing(cases):
    explanation = cases.masks(n_rows=2, n_features=5)
    silent = dataclasses.replace(explanation, step_sizes=np.zeros_like(explanation.step_sizes))
    assert mask_map(silent, max_features=2).share_left_out == 0.0


@pytest.mark.parametrize("max_lines", [1, 500])
def test_a_large_map_is_quick_to_make(cases, max_lines):
    assert mask_map(cases.masks(n_rows=2_000, n_features=14), max_lines=max_lines).n_lines == min(2_000, max_lines)
