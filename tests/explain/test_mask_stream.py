"""Sums over chunks equal sums over all rows, each row counts the same, and parts hold their own rows."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.mask_stream import MaskSummary, summarise_parts, summarise_stream
from tabnet_engine.explain.mask_summaries import summarise_masks
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.explain.step_effects import step_effects, step_effects_by_part

ARRAYS = [field.name for field in dataclasses.fields(MaskSummary) if field.type == "Floats"]


def in_chunks(explanation, cuts):
    edges = [0, *sorted(cuts), explanation.n_rows]
    return (explanation.take(np.arange(start, stop)) for start, stop in itertools.pairwise(edges))


def by_definition(explanation):
    """Means over rows written with loops."""
    masks, sizes = explanation.masks.astype(float), explanation.step_sizes.astype(float)
    n_rows, active = explanation.n_rows, sizes.sum(axis=0) > 0
    aggregate = []
    for row in np.flatnonzero(active):
        weighed = sum(sizes[step, row] * masks[step, row] for step in range(len(masks)))
        aggregate.append(weighed / weighed.sum())
    mean = masks.mean(axis=1)
    spread = [
        np.sqrt(sum(((masks[step, row] - mean[step]) ** 2).sum() for row in range(n_rows)) / n_rows)
        for step in range(len(masks))
    ]
    shares = sizes[:, active] / sizes[:, active].sum(axis=0)
    return {"mean_masks": mean, "mean_aggregate": np.mean(aggregate, axis=0), "spread": spread,
            "mean_step_shares": shares.mean(axis=1)}  # fmt: skip


@given(n_rows=st.integers(2, 30), cuts=st.lists(st.integers(0, 30), max_size=4), silent=st.booleans())
@settings(max_examples=40, deadline=None)
def test_chunks_give_what_all_rows_give(cases, n_rows, cuts, silent):
    explanation = cases.masks(n_rows=n_rows, n_features=4)
    if silent:
        sizes = explanation.step_sizes.copy()
        sizes[:, 0] = 0
        explanation = dataclasses.replace(explanation, step_sizes=sizes)
    whole = summarise_masks(explanation)
    streamed = summarise_stream(in_chunks(explanation, [min(cut, n_rows) for cut in cuts]))
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(streamed, name), getattr(whole, name), atol=1e-12)
    assert (streamed.n_rows, streamed.n_silent) == (whole.n_rows, whole.n_silent) == (n_rows, int(silent))
    for name, expected in by_definition(explanation).items():
        np.testing.assert_allclose(getattr(whole, name), expected, atol=1e-6)


def test_a_loud_row_counts_as_much_as_any_other(cases):
    explanation = cases.masks(n_rows=6)
    sizes = explanation.step_sizes.copy()
    sizes[:, 2] *= 1e6
    loud = summarise_masks(dataclasses.replace(explanation, step_sizes=sizes))
    np.testing.assert_allclose(loud.mean_aggregate, summarise_masks(explanation).mean_aggregate, atol=1e-6)
    np.testing.assert_allclose(loud.mean_step_shares, summarise_masks(explanation).mean_step_shares, atol=1e-6)


def test_masks_that_are_the_same_for_all_rows_have_no_spread(cases):
    explanation = cases.masks(n_rows=5)
    same = np.repeat(explanation.masks[:, :1], 5, axis=1)
    summary = summarise_masks(dataclasses.replace(explanation, masks=same))
    np.testing.assert_allclose(summary.spread, 0, atol=1e-6)


def divided(n_rows, seed=0):
    codes = np.random.default_rng(seed).integers(-1, 2, n_rows)
    return RowParts(title="class", names=("no", "yes", "never"), codes=codes)


def test_each_part_is_summarised_on_its_own_rows(cases):
    explanation, parts = cases.masks(n_rows=25), divided(25)
    found = summarise_parts(in_chunks(explanation, [7, 9]), parts)
    effects = step_effects_by_part(in_chunks(explanation, [7, 9]), parts)
    assert [summary.n_rows for summary in found] == parts.sizes.tolist() == [one.n_rows for one in effects]
    for part in range(2):
        own = explanation.take(parts.members(part))
        np.testing.assert_allclose(found[part].mean_masks, summarise_masks(own).mean_masks)
        np.testing.assert_allclose(effects[part].mean, own.contributions.mean(axis=1), atol=1e-6)
    assert found[2].n_rows == 0
    assert effects[2].mean_estimate(0, 0).value is None


def test_parts_of_other_rows_and_nothing_at_all_are_refused(cases):
    explanation = cases.masks(n_rows=5)
    for rows in (4, 6):
        with pytest.raises(ValueError, match="5 explained rows cannot be divided"):
            summarise_parts([explanation], divided(rows))
    for function in (summarise_stream, step_effects):
        with pytest.raises(ExplanationError, match="no explained row"):
            function([])


@given(n_rows=st.integers(1, 30), cuts=st.lists(st.integers(0, 30), max_size=4), n_outputs=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_effects_of_chunks_are_means_over_all_rows(cases, n_rows, cuts, n_outputs):
    explanation = cases.masks(n_rows=n_rows, n_outputs=n_outputs)
    effects = step_effects(in_chunks(explanation, [min(cut, n_rows) for cut in cuts]))
    contributions = explanation.contributions.astype(float)
    np.testing.assert_allclose(effects.mean, contributions.mean(axis=1), atol=1e-9)
    np.testing.assert_allclose(effects.size, np.abs(contributions).mean(axis=1), atol=1e-9)
    # Means over rows keep what holds in every row: base and steps make up the logit.
    np.testing.assert_allclose(effects.base + effects.mean.sum(axis=0), explanation.logits.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(effects.shares.sum(axis=0), 1)
    estimate = effects.mean_estimate(0, 0)
    if n_rows > 1:
        error = contributions[0, :, 0].std(ddof=1) / np.sqrt(n_rows)
        assert (estimate.high - estimate.low) / 2 >= 1.9 * error
        np.testing.assert_allclose(effects.size_error[0, 0], np.abs(contributions[0, :, 0]).std(ddof=1) / n_rows**0.5)
    else:
        assert estimate.low is None
    assert len(effects.sentences(0)) == effects.n_steps


def test_contributions_far_from_zero_keep_their_spread(cases):
    explanation = cases.masks(n_rows=2_000)
    far = explanation.contributions.astype(np.float64) + 4_096.0
    shifted = dataclasses.replace(
        explanation, contributions=far.astype(np.float32), logits=far.sum(axis=0) + explanation.base
    )
    effects = step_effects(in_chunks(shifted, [500, 900]))
    expected = shifted.contributions.astype(float).std(axis=1, ddof=1) / np.sqrt(2_000)
    np.testing.assert_allclose(effects.mean_error, expected, rtol=1e-6)
