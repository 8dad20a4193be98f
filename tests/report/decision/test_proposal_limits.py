"""The limits under which proposals were looked for stand in the report, where it answers and in its annex."""

from __future__ import annotations

import dataclasses

import pytest

from tabnet_engine.explain.counterfactual.constraints import Constraint, Constraints, Direction
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.report.decision.content import decision_document
from tests.report.decision.decision_cases import CASE, IDENTITY, counterfactuals, materials_of, texts_of

HOSTILE = "<b>{x}</b>,\n$y$"
LIMITS = Constraints(
    columns=(
        Constraint(column=HOSTILE, fixed=True),
        Constraint(column="months", direction=Direction.UP),
        Constraint(column="loans", direction=Direction.DOWN),
    )
)


@pytest.mark.parametrize("n_found", [0, 1])
def test_the_limits_of_the_proposals_are_stated(n_found):
    asked = dataclasses.replace(
        counterfactuals(n_found=n_found), constraints=LIMITS, settings=SearchSettings(n=1, max_changes=2)
    )
    settings = {"proposals": {"max_changes": 2, "fixed": [HOSTILE], "rising": ["months"], "falling": []}}
    case = dataclasses.replace(CASE, counterfactual=asked, settings=settings)
    told = decision_document(case, IDENTITY, materials_of("internal_model_risk"))
    annex = texts_of(told, ["settings"])
    for name, value in (("changes in a proposal at most", "2"), ("columns that change upwards only", "months")):
        assert annex[annex.index(f"limits of the proposals: {name}") + 1] == value
    assert annex[annex.index("limits of the proposals: columns that stay") + 1] == HOSTILE
    assert annex[annex.index("limits of the proposals: columns that change downwards only") + 1] == "–"
    told = decision_document(case, IDENTITY, materials_of("eu_data_subject"))
    (limits,) = [text for text in texts_of(told, ["variation"]) if text.startswith("A proposal changes at most")]
    assert limits == (
        f"A proposal changes at most 2 columns. No proposal changes “{HOSTILE}”. A proposal changes “months” upwards "
        "only: to a larger number, a later date, or from no to yes. A proposal changes “loans” downwards only: to a "
        "smaller number, an earlier date, or from yes to no."
    )


def test_nothing_is_said_of_limits_where_no_proposal_was_looked_for():
    told = decision_document(dataclasses.replace(CASE, counterfactual=None), IDENTITY, materials_of("eu_data_subject"))
    assert not any("A proposal changes" in text for text in texts_of(told))
