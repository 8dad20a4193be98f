"""A counterfactual that does not flip cannot be constructed, by no way."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.counterfactual.constraints import Constraints
from tabnet_engine.explain.counterfactual.plausibility import Likeness
from tabnet_engine.explain.counterfactual.result import (
    Change,
    Counterfactual,
    CounterfactualResult,
    NearestMiss,
    SearchSettings,
)
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
from tabnet_engine.explain.estimates import proportion_estimate

YES = WantedOutcome(target="granted", task=Task.BINARY, classes=("no", "yes"), code=1)
RAISE = Change(column="income", before=30_000, after=41_300, distance=0.2, unit="EUR", is_ordered=True)
LIKE = Likeness(distance=0.3, share=proportion_estimate(40, 100))


def flip(**changes):
    facts = {
        "wanted": YES, "changes": (RAISE,), "logits_before": (-1.0,), "logits": (0.5,), "distance": 0.2,
        "likeness": LIKE,
    }  # fmt: skip
    return Counterfactual(**{**facts, **changes})


def answer(*found, **changes):
    facts = {
        "row": 3, "run_id": "run-1", "wanted": YES, "logits": (-1.0,), "counterfactuals": found,
        "constraints": Constraints(), "settings": SearchSettings(n=max(1, len(found))),
        "reason": "" if found else "None within these limits.", "nearest_miss": None, "n_scored": 1_234,
        "is_exhaustive": False, "reference": "all 200 training rows",
    }  # fmt: skip
    return CounterfactualResult(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"logits": (-0.1,)}, "do not reach the wanted outcome: granted = yes"),
        ({"logits": (0.0,)}, "do not reach"),
        ({"logits_before": (0.1,)}, "has the wanted outcome already"),
        ({"changes": ()}, "must change something"),
        ({"logits": (float("nan"),)}, "must be finite"),
        ({"logits": (float("inf"),)}, "must be finite"),
    ],
)
def test_what_does_not_flip_cannot_be_constructed(changes, text):
    with pytest.raises(ValueError, match=text):
        flip(**changes)
    with pytest.raises(ValueError, match=text):
        dataclasses.replace(flip(), **changes)


def test_a_forged_file_is_not_believed():
    stored = answer(flip()).to_mapping()
    stored["counterfactuals"][0]["logits"] = [-0.3]
    with pytest.raises(ValueError, match="do not reach"):
        CounterfactualResult.from_mapping(stored)
    with pytest.raises(ValueError, match="format 9"):
        CounterfactualResult.from_mapping({**answer(flip()).to_mapping(), "format_version": 9})


def test_the_row_is_scored_itself(by_income):
    row = by_income.row(income=30_000.0)
    found = Counterfactual.verified(by_income.scorer, row, YES, (RAISE,), likeness=LIKE)
    assert found.logits == pytest.approx((0.005,))
    assert found.logits_before == pytest.approx((-1.125,))
    too_little = dataclasses.replace(RAISE, after=41_200)
    with pytest.raises(ValueError, match="do not reach"):
        Counterfactual.verified(by_income.scorer, row, YES, (too_little,), likeness=LIKE)
    with pytest.raises(ValueError, match="do not reach"):
        answer(dataclasses.replace(found, changes=(too_little,)), logits=found.logits_before).verify(
            by_income.scorer, row
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": SearchSettings(n=1), "counterfactuals": (flip(), flip())},
        {"settings": SearchSettings(n=2)},
        {"reason": "There are others."},
        {"logits": (-2.0,)},
        {"wanted": dataclasses.replace(YES, cutoff=0.4)},
    ],
)
def test_a_result_holds_together(changes):
    with pytest.raises(ValueError, match=r"counterfactual"):
        answer(*changes.pop("counterfactuals", (flip(),)), **changes)


def test_results_come_back_as_they_were_stored():
    miss = NearestMiss(changes=(RAISE,), logits=(-0.2,), shortfall=0.2, likeness=LIKE, outcome="no (55.0 %)")
    for result in (answer(flip(), flip()), answer(nearest_miss=miss)):
        text = json.dumps(result.to_mapping(), allow_nan=False)
        assert CounterfactualResult.from_mapping(json.loads(text)).to_mapping() == result.to_mapping()


def test_the_answer_in_words():
    found = answer(flip())
    assert found.sentences[:2] == (
        "Row 3 is given no (73.1 %); asked for: granted = yes (probability of yes over 50 %).",
        "Changing income from 30000 to 41300 EUR would give yes (62.2 %).",
    )
    assert "1,234 candidates were scored, so a nearer one may exist" in found.note
    assert "share of training rows that lie between" in found.note
    miss = NearestMiss(changes=(RAISE,), logits=(-0.2,), shortfall=0.2, likeness=LIKE, outcome="no (55.0 %)")
    words = answer(nearest_miss=miss, is_exhaustive=True).sentences
    assert "None within these limits." in words
    assert "What came closest, changing income from 30000 to 41300 EUR, gives no (55.0 %): 0.20 short." in words
    assert "All 1,234 open combinations were tried" in words[-1]


def test_applying_changes_leaves_the_row_as_it_was():
    row = pd.DataFrame({"income": [30_000.0], "job": ["clerk"]})
    after = flip().apply(row)
    assert after["income"].tolist() == [41_300]
    assert after["job"].tolist() == ["clerk"]
    assert row["income"].tolist() == [30_000.0]
