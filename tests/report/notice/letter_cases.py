"""A declined case and what people wrote beside it, for tests of the letter; nothing is computed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tabnet_engine.config.stated import ModelFacts, Organisation
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.counterfactual.constraints import Constraints
from tabnet_engine.explain.counterfactual.plausibility import Likeness
from tabnet_engine.explain.counterfactual.result import Change, Counterfactual, CounterfactualResult
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.explain.counterfactual.wanted import WantedOutcome
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.reasons.records import (
    CellReceived,
    Contribution,
    DecisionCase,
    Direction,
    Protection,
    ProxyLink,
    Reason,
    ReferencePopulation,
    Score,
)
from tabnet_engine.explain.timeline import StepTimeline
from tabnet_engine.report.document import Identity
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.notice.template import default_template
from tabnet_engine.report.reason_codes import ReasonCode, ReasonCodes
from tabnet_engine.report.regulation import load_profile

ORGANISATION = Organisation(
    name="Example Bank",
    address="1 High Street\nTown",
    contact="0800 123",
    agency="Agency, 2 Law Road",
    data_protection="data@example.org",
    signatory="A. Person",
)
CODES = ReasonCodes(
    (
        ReasonCode("R1", "income", "below", "Your income is low.", "您的收入偏低。", "Ann", "2026-03-01"),
        ReasonCode("R2", "debt", "above", "You have a lot of debt.", "您的债务较高。", "Ann", "2026-03-01"),
    )
)
WANTED = WantedOutcome(target="outcome", task=Task.BINARY, classes=("declined", "approved"), code=1)


def contribution(column: str, direction: Direction, actual: str = "10") -> Contribution:
    return Contribution(
        column=column,
        value=-1.0,
        standard_error=None,
        actual=actual,
        reference="20",
        reference_detail="",
        direction=direction,
    )


def reason(rank: int, column: str, direction: Direction) -> Reason:
    told = contribution(column, direction)
    return Reason(rank=rank, contribution=told, share=0.5, ranks={}, kept=(), moved=1.0, flips=False)


def cell(column: str, shown: str, **changes: Any) -> CellReceived:
    told = CellReceived(
        column=column, kind="number", received=shown, shown=shown, state="known", encoded=shown, is_read=True
    )
    return dataclasses.replace(told, **changes)


def counterfactuals(*proposals: tuple[Change, ...]) -> CounterfactualResult:
    estimate = Estimate(value=0.5, low=0.4, high=0.6, n=100)
    likeness = Likeness(distance=0.1, share=estimate)
    found = tuple(
        Counterfactual(
            wanted=WANTED, changes=changes, logits_before=(-1.0,), logits=(1.0,), distance=0.1, likeness=likeness
        )
        for changes in proposals
    )
    return CounterfactualResult(
        row=7,
        run_id="run-1",
        wanted=WANTED,
        logits=(-1.0,),
        counterfactuals=found,
        constraints=Constraints(),
        settings=SearchSettings(n=max(len(found), 1)),
        reason="" if found else "none was found",
        nearest_miss=None,
        n_scored=10,
        is_exhaustive=True,
        reference="100 training rows",
    )


RAISED = Change(column="income", before=10.0, after=25.0, distance=0.1, unit="EUR", is_ordered=True)
FEWER = Change(column="job", before=None, after="employed", distance=0.1)
REFERENCE = ReferencePopulation(
    rows=tuple(range(100)),
    n_candidates=1000,
    n_approved=700,
    candidates="training rows",
    low=0.5,
    high=0.6,
    mean_score=0.3,
    words="100 rows",
    is_near=True,
)
CASE = DecisionCase(
    run_id="run-1",
    row=7,
    target="outcome",
    decision=Decision(favourable="approved", cutoff=0.5),
    favourable_is_assumed=False,
    score=Score(
        value=-1.0,
        cutoff=0.0,
        margin=-1.0,
        is_favourable=False,
        predicted="declined",
        unit="log-odds",
        share=0.27,
        cutoff_share=0.5,
    ),
    cells=(
        cell("income", "10"),
        cell("debt", "90 <b>{{date}}</b>"),
        cell("job", "", state="missing"),
        cell("name", "Zoë {{agency}}\n😀", is_read=False),
    ),
    reference=REFERENCE,
    contributions=(contribution("income", "below"), contribution("debt", "above")),
    reasons=(reason(1, "income", "below"), reason(2, "debt", "above")),
    no_reason="",
    left_out=(),
    joint=None,
    protection=Protection(
        declared=("sex",),
        links=(),
        offending=(),
        not_examined={},
        proxy_strength=0.1,
    ),
    features=("income", "debt", "job"),
    methods=(),
    agreement=None,
    timeline=StepTimeline(row=7, outputs=("approved",), base=np.zeros(1), logits=np.array([-1.0]), steps=()),
    output="approved",
    counterfactual=counterfactuals((RAISED, FEWER)),
    why_no_counterfactual="",
    calibration={},
    evaluation="",
    settings={},
)
APPROVED = dataclasses.replace(CASE, score=dataclasses.replace(CASE.score, is_favourable=True))
OFFENDING = ProxyLink(column="income", protected="sex", is_itself=False)
BLOCKED = dataclasses.replace(CASE, protection=dataclasses.replace(CASE.protection, offending=(OFFENDING,)))
WITHOUT = dataclasses.replace(CASE, reasons=(), no_reason="all contributions are 0.")


def identity(profile: str = "us_adverse_action", language: str = "en") -> Identity:
    return Identity(
        case_id="N-20260301-AB12",
        kind="notice",
        created="2026-03-01T09:30:00+00:00",
        run_id="run-1",
        run_title="Run",
        engine_version="0",
        profile=profile,
        profile_version="2026.1",
        language=language,
        seed=0,
        row=7,
    )


def materials(profile: str = "us_adverse_action", language: str = "en", **changes: Any) -> Materials:
    given = Materials(
        profile=load_profile(profile, language),
        organisation=ORGANISATION,
        facts=ModelFacts(),
        codes=CODES,
        template=default_template(profile, language),
    )
    return dataclasses.replace(given, **changes)
