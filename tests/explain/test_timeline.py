"""One row's steps: exact sums, named columns, missing rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tabnet_engine.explain.timeline import step_timeline


def test_contributions_lead_from_the_base_to_the_logits(cases):
    explanation = cases.masks(n_rows=4, n_steps=3, n_outputs=2)
    timeline = step_timeline(explanation, 12)
    assert timeline.cumulative.shape == (4, 2)
    np.testing.assert_array_equal(timeline.cumulative[0], explanation.base)
    np.testing.assert_allclose(timeline.cumulative[-1], explanation.logits[2], atol=1e-6)
    assert [step.step for step in timeline.steps] == [1, 2, 3]
    assert sum(step.share for step in timeline.steps) == pytest.approx(1, abs=1e-6)
    assert timeline.row == 12
    assert timeline.outputs == ("o0", "o1")


def test_names_the_columns_read_most_with_the_rows_own_values(cases):
    explanation = dataclasses.replace(
        cases.masks(n_rows=1, n_steps=1, n_features=4), masks=np.array([[[0.1, 0.6, 0.3, 0]]], dtype=np.float32)
    )
    step = step_timeline(explanation, 10, {"f1": "39", "f3": "x"}, top=2).steps[0]
    assert [(read.feature, read.value) for read in step.features] == [("f1", "39"), ("f2", "")]
    assert [read.share for read in step.features] == pytest.approx([0.6, 0.3])
    assert step.rest_share == pytest.approx(0.1)
    everything = step_timeline(explanation, 10, top=4).steps[0]
    assert [read.feature for read in everything.features] == ["f1", "f2", "f0"]  # f3 was not read
    assert everything.rest_share == pytest.approx(0, abs=1e-6)


def test_a_row_that_is_not_explained_is_refused(cases):
    with pytest.raises(KeyError, match="row 99 is not among the 4"):
        step_timeline(cases.masks(n_rows=4), 99)
