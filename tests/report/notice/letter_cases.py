"""A declined case and what people wrote beside it, for tests of the letter; nothing is computed."""

from __future__ import annotations

import dataclasses
from typing import Any

from tabnet_engine.config.stated import ModelFacts, Organisation
from tabnet_engine.explain.counterfactual.result import Change, CounterfactualResult
from tabnet_engine.explain.reasons.records import CellReceived, Contribution, Direction, ProxyLink, Reason
from tabnet_engine.report.document import Identity
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.notice.template import default_template
from tabnet_engine.report.reason_codes import ReasonCode, ReasonCodes
from tests.report.decision import decision_cases

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
    told = decision_cases.counterfactuals(is_exhaustive=True)
    pattern = told.counterfactuals[0]
    found = tuple(dataclasses.replace(pattern, changes=changes) for changes in proposals)
    settings = dataclasses.replace(told.settings, n=max(len(found), 1))
    reason_why = "" if found else "none was found"
    return dataclasses.replace(told, counterfactuals=found, settings=settings, reason=reason_why)


RAISED = Change(column="income", before=10.0, after=25.0, distance=0.1, unit="EUR", is_ordered=True)
FEWER = Change(column="job", before=None, after="employed", distance=0.1)
CASE = dataclasses.replace(
    decision_cases.CASE,
    score=dataclasses.replace(decision_cases.CASE.score, value=-1.0, margin=-1.0, share=0.27),
    cells=(
        cell("income", "10"),
        cell("debt", "90 <b>{{date}}</b>"),
        cell("job", "", state="missing"),
        cell("name", "Zoë {{agency}}\n😀", is_read=False),
    ),
    contributions=(contribution("income", "below"), contribution("debt", "above")),
    reasons=(reason(1, "income", "below"), reason(2, "debt", "above")),
    reference=dataclasses.replace(decision_cases.CASE.reference, rows=tuple(range(100))),
    counterfactual=counterfactuals((RAISED, FEWER)),
)
APPROVED = dataclasses.replace(CASE, score=dataclasses.replace(CASE.score, is_favourable=True))
OFFENDING = ProxyLink(column="income", protected="sex", is_itself=False)
BLOCKED = dataclasses.replace(CASE, protection=dataclasses.replace(CASE.protection, offending=(OFFENDING,)))
WITHOUT = dataclasses.replace(CASE, reasons=(), no_reason="all contributions are 0.")


def identity(profile: str = "us_adverse_action", language: str = "en") -> Identity:
    return dataclasses.replace(
        decision_cases.IDENTITY,
        case_id="N-20260301-AB12",
        kind="notice",
        created="2026-03-01T09:30:00+00:00",
        profile=profile,
        language=language,
        hashes={},
    )


def materials(profile: str = "us_adverse_action", language: str = "en", **changes: Any) -> Materials:
    given = {
        "organisation": ORGANISATION,
        "facts": ModelFacts(),
        "codes": CODES,
        "template": default_template(profile, language),
    }
    return decision_cases.materials_of(profile, language, **{**given, **changes})
