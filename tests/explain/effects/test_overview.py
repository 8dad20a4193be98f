"""All effects of the leading columns of a run, stored and read again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.effects.overview import EffectOverview, leading_columns, leading_effects
from tabnet_engine.explain.effects.source import EffectSource
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.subject import Steering


def test_the_leading_columns_of_a_run_with_everything_measured_of_them(run, frame):
    source = EffectSource.of_run(run, frame, np.arange(40), selection="the first 40 rows", scale="probability")
    told: list[tuple[int, int]] = []
    steering = Steering(progress=lambda done, total: told.append((done, total)))
    found = leading_effects(source, ("age", "job", "joined"), chosen_by="permutation importance", steering=steering)
    assert [(curve.feature, curve.method) for curve in found.curves] == [
        (name, method) for name in ("age", "job", "joined") for method in ("pdp", "ale")
    ]
    assert found.not_drawn == {}
    assert found.curve("job", "pdp").points.labels[0] == "<b>cook</b>"
    assert found.curve("member", "pdp") is None
    assert {found.surface.first.feature, found.surface.second.feature} == set(
        found.interactions.pairs[found.interactions.ranked()[0]]
    )
    assert told == sorted(told)
    assert told[-1] == (1_000, 1_000)
    again = EffectOverview.from_mapping(json.loads(json.dumps(found.to_mapping(), allow_nan=False)))
    assert again.to_mapping() == found.to_mapping()


def test_what_cannot_be_drawn_is_told(run, frame):
    constant = frame.assign(age=30.0)
    source = EffectSource.of_run(run, constant, np.arange(20))
    found = leading_effects(source, ("age",))
    assert [curve.method for curve in found.curves] == ["pdp"]
    assert "at least two different values of 'age'" in found.not_drawn["accumulated local effects of 'age'"]
    assert found.interactions is found.surface is None


def test_mistakes_and_a_cancel_end_it(run, frame):
    source = EffectSource.of_run(run, frame, np.arange(20))
    with pytest.raises(ExplanationError, match="at least one column"):
        leading_effects(source, ())
    with pytest.raises(ExplanationError, match="'wage' is no column"):
        leading_effects(source, ("wage",))
    with pytest.raises(JobCancelledError):
        leading_effects(source, ("age",), steering=Steering(should_cancel=lambda: True))
    with pytest.raises(ExplanationError, match="no row to average over"):
        EffectSource.of_run(run, frame, np.zeros(0, dtype=np.int64), selection="nobody")


def test_groups_are_passed_over_when_columns_are_chosen():
    importance = GlobalImportance(
        method="permutation",
        features=("who", "job", "joined"),
        values=np.array([3.0, 1.0, 2.0]),
        standard_error=None,
        n_rows=9,
        note="",
    )
    assert leading_columns(importance, ("age", "member", "job", "joined"), 2) == ("joined", "job")
