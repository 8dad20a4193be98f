"""Masks of a real network: the paper's identities, chunks, refusals; and faults that must be caught."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain import masks as masks_module
from tabnet_engine.explain.masks import aggregate_masks, concatenate, explain_masks, iterate_masks, most_rows
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject


@pytest.fixture(scope="session")
def subject(trained):
    return Subject.of_run(trained[0])


@pytest.fixture(scope="session")
def everyone(trained):
    run, frame = trained
    return ChosenRows(run.encoder.transform(frame), np.arange(len(frame)), "all rows")


def test_a_networks_masks_and_contributions_hold_the_papers_identities(subject, everyone):
    explanation = explain_masks(subject, everyone)
    assert explanation.masks.shape == (2, 60, 4)
    assert explanation.features == ("age", "job", "member", "joined")
    assert (explanation.outputs, explanation.run_id, explanation.selection) == (("yes",), "people", "all rows")
    np.testing.assert_allclose(explanation.masks.sum(axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(explanation.logits, subject.logits(everyone.table), atol=1e-6)
    np.testing.assert_allclose(explanation.contributions.sum(axis=0) + explanation.base, explanation.logits, atol=1e-5)
    assert explanation.base.tolist() == [0.0]
    active = ~explanation.silent
    np.testing.assert_allclose(explanation.aggregate[active].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(explanation.step_shares[:, active].sum(axis=0), 1, atol=1e-5)


def test_chunks_give_what_one_pass_gives(subject, everyone, monkeypatch):
    whole = explain_masks(subject, everyone)
    monkeypatch.setattr(masks_module, "CHUNK_ROWS", 7)
    parts = list(iterate_masks(subject, everyone))
    assert [part.n_rows for part in parts] == [7] * 8 + [4]
    joined = concatenate(parts)
    np.testing.assert_array_equal(joined.rows, whole.rows)
    for name in ("masks", "step_sizes", "contributions", "logits"):
        np.testing.assert_allclose(getattr(joined, name), getattr(whole, name), atol=1e-5)


def test_a_regression_starts_from_its_offset_in_the_targets_own_units(trained, everyone):
    import torch

    subject = Subject.of_run(trained[0])
    subject.network.set_output_scale(torch.tensor([100_000.0]), torch.tensor([5_000.0]))
    explanation = explain_masks(subject, everyone)
    assert explanation.base.tolist() == [100_000.0]
    np.testing.assert_allclose(explanation.contributions.sum(axis=0) + explanation.base, explanation.logits, rtol=1e-6)


def test_progress_counts_rows_and_cancelling_stops(subject, everyone, monkeypatch):
    monkeypatch.setattr(masks_module, "CHUNK_ROWS", 25)
    seen: list[tuple[int, int]] = []
    explain_masks(subject, everyone, steering=Steering(lambda done, total: seen.append((done, total))))
    assert seen == [(0, 60), (25, 60), (50, 60), (60, 60)]
    with pytest.raises(JobCancelledError, match="0 of 60"):
        explain_masks(subject, everyone, steering=Steering(should_cancel=lambda: True))


def test_no_row_is_refused(subject, everyone):
    nothing = ChosenRows(everyone.table.take(np.zeros(0, dtype=int)), np.zeros(0, dtype=np.int64))
    with pytest.raises(ExplanationError, match="no row to explain"):
        explain_masks(subject, nothing)


def test_the_aggregate_is_the_papers_by_hand():
    masks = np.array([[[1, 0], [0.5, 0.5]], [[0.25, 0.75], [0, 1]]], dtype=np.float32)
    sizes = np.array([[3, 0], [1, 0]], dtype=np.float32)
    np.testing.assert_allclose(aggregate_masks(masks, sizes), [[13 / 16, 3 / 16], [0, 0]])


def test_wide_rows_are_stored_in_smaller_numbers():
    assert most_rows(3, 14, 200_000) == 200_000
    assert most_rows(3, 5_000, 200_000) == 3_000
    assert most_rows(1_000, 100_000, 200_000) == 1


def test_silent_rows_are_flagged_not_divided_by_zero(cases):
    explanation = cases.masks(n_rows=2)
    sizes = explanation.step_sizes.copy()
    sizes[:, 1] = 0
    explanation = dataclasses.replace(explanation, step_sizes=sizes)
    assert explanation.silent.tolist() == [False, True]
    assert explanation.aggregate[1].tolist() == [0, 0, 0]
    assert explanation.step_shares[:, 1].tolist() == [0, 0]


def test_slices_keep_rows_together(cases):
    explanation = cases.masks(n_rows=5)
    part = explanation.take([4, 2])
    assert part.rows.tolist() == [14, 12]
    np.testing.assert_array_equal(part.masks, explanation.masks[:, [4, 2]])
    np.testing.assert_array_equal(part.contributions, explanation.contributions[:, [4, 2]])


def changed(cases, name, change):
    explanation = cases.masks(n_rows=3)
    values = np.array(getattr(explanation, name))
    change(values)
    return lambda: dataclasses.replace(explanation, **{name: values})


def add(place, amount):
    def change(values):
        values[place] += amount

    return change


@pytest.mark.parametrize(
    ("name", "place", "amount", "problem"),
    [
        ("masks", (0, 0, 0), 0.01, "must sum to one, one misses it by 0.01"),
        ("masks", (0, 0, 0), -2, "must not be negative"),
        ("contributions", (1, 2, 0), 0.5, "must sum to the logits, they miss them by 0.5"),
        ("logits", (0, 0), np.nan, "logits must be finite"),
        ("step_sizes", (0, 0), np.inf, "step_sizes must be finite"),
    ],
)
def test_a_planted_fault_cannot_pass(cases, name, place, amount, problem):
    with pytest.raises(ValueError, match=problem):
        changed(cases, name, add(place, amount))()


def test_parts_of_another_shape_are_refused(cases):
    explanation = cases.masks(n_rows=3)
    with pytest.raises(ValueError, match="step_sizes must have the shape"):
        dataclasses.replace(explanation, step_sizes=explanation.step_sizes.T)


def test_large_contributions_that_cancel_are_measured_by_their_own_size(cases):
    explanation = cases.masks(n_rows=3, n_steps=2)
    large = np.full_like(explanation.contributions, 1e6)
    large[1] = -1e6
    large[1, 0] += 0.0625  # what single precision resolves at a million
    changed = dataclasses.replace(explanation, contributions=large, logits=np.zeros((3, 1)), base=np.zeros(1))
    assert changed.n_rows == 3
    large[1, 0] += 1_000
    with pytest.raises(ValueError, match="must sum to the logits"):
        dataclasses.replace(changed, contributions=large)
