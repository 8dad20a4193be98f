"""One declined case, complete in every part, for tests of the decision report; nothing is computed by a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
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
    JointMove,
    Kept,
    MethodRanks,
    Protection,
    Reason,
    ReferencePopulation,
    Score,
)
from tabnet_engine.explain.timeline import FeatureRead, StepReading, StepTimeline
from tabnet_engine.report.document import Bullets, Callout, ChartBlock, Document, Facts, Identity, Paragraph, Table
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.reason_codes import ReasonCode, ReasonCodes
from tabnet_engine.report.regulation import load_profile

BASE = 0.25
VALUES = {"debt": -1.5, "income": -0.5, "age": 0.5, "sex": -0.25}
ORGANISATION = Organisation(**{name: f"stated {name}" for name in Organisation().to_mapping()})
FACTS = ModelFacts(**{name: f"stated {name}" for name in ModelFacts().to_mapping()})
CODES = ReasonCodes(
    tuple(
        ReasonCode(
            f"C-{column}",
            column,
            "any",
            f"Your {column} counted against you.",
            f"{column} 不利于您。",
            "Ann",
            "2026-01-02",
        )
        for column in VALUES
    )
)
IDENTITY = Identity(
    case_id="D-20261121-000000000001",
    kind="decision",
    created="2026-11-21T20:00:00+00:00",
    run_id="run-1",
    run_title="credit model",
    engine_version="0.5.0",
    profile="us_adverse_action",
    profile_version="2026.1",
    language="en",
    seed=0,
    row=7,
    hashes={"model": "a" * 64, "data": "b" * 64, "configuration": "c" * 64, "profile": "d" * 64},
)


def contributions_of(values: dict[str, float]) -> tuple[Contribution, ...]:
    return tuple(
        Contribution(
            column=column,
            value=value,
            standard_error=0.01,
            actual="10",
            reference="20",
            reference_detail="half of them from 15 to 25",
            direction="below",
        )
        for column, value in values.items()
    )


def reasons_of(contributions: Sequence[Contribution], columns: Sequence[str]) -> tuple[Reason, ...]:
    own = {item.column: item for item in contributions}
    return tuple(
        Reason(
            rank=rank,
            contribution=own[column],
            share=0.4,
            ranks={"masks": rank, "ablation": rank},
            kept=(Kept(cause="reference rows drawn again", share=0.9, n_repetitions=10),),
            moved=1.0,
            flips=rank == 1,
        )
        for rank, column in enumerate(columns, start=1)
    )


def cells_of(columns: Sequence[str]) -> tuple[CellReceived, ...]:
    return tuple(
        CellReceived(
            column=column,
            kind="number",
            received="10",
            shown="10",
            state="known",
            encoded="standardised 1",
            is_read=True,
        )
        for column in columns
    )


def methods_of(columns: Sequence[str]) -> tuple[MethodRanks, ...]:
    n = len(columns)
    ranks = tuple(range(1, n + 1))
    share = tuple(1 / n for _ in columns)
    return (
        MethodRanks(method="masks", algorithm="exact", values=share, ranks=ranks, is_signed=False),
        MethodRanks(method="ablation", algorithm="exact", values=share, ranks=ranks[::-1], is_signed=True),
    )


def timeline_of(score: float, outputs: tuple[str, ...] = ("approved",)) -> StepTimeline:
    n = len(outputs)
    steps = tuple(
        StepReading(
            step=step,
            share=0.5,
            contributions=np.full(n, (score - BASE) / 2),
            features=(FeatureRead("debt", 0.75, "10"), FeatureRead("age", 0.25, "10")) if step == 1 else (),
            rest_share=0.0,
        )
        for step in (1, 2)
    )
    return StepTimeline(row=7, outputs=outputs, base=np.full(n, BASE), logits=np.full(n, score), steps=steps)


def counterfactuals(*, n_found: int = 1, is_exhaustive: bool = False) -> CounterfactualResult:
    wanted = WantedOutcome(target="outcome", task=Task.BINARY, classes=("declined", "approved"), code=1)
    change = Change(column="debt", before=10.0, after=4.0, distance=0.1, unit="EUR", is_ordered=True)
    likeness = Likeness(distance=0.1, share=Estimate(value=0.5, low=0.4, high=0.6, n=100))
    found = Counterfactual(
        wanted=wanted, changes=(change,), logits_before=(-1.5,), logits=(1.0,), distance=0.1, likeness=likeness
    )
    return CounterfactualResult(
        row=7,
        run_id="run-1",
        wanted=wanted,
        logits=(-1.5,),
        counterfactuals=(found,) * n_found,
        constraints=Constraints(),
        settings=SearchSettings(n=1),
        reason="" if n_found else "no combination of changes reaches it",
        nearest_miss=None,
        n_scored=10,
        is_exhaustive=is_exhaustive,
        reference="100 training rows",
    )


def case_of(values: dict[str, float], reasons: Sequence[str] = ("debt", "income"), **changes: Any) -> DecisionCase:
    """The declined case with these contributions."""
    score = BASE + sum(values.values())
    contributions = contributions_of(values)
    columns = tuple(values)
    case = DecisionCase(
        run_id="run-1",
        row=7,
        target="outcome",
        decision=Decision(favourable="approved", cutoff=0.5),
        favourable_is_assumed=False,
        score=Score(
            value=score,
            cutoff=0.0,
            margin=score,
            is_favourable=False,
            predicted="declined",
            unit="log-odds",
            share=0.182,
            cutoff_share=0.5,
        ),
        cells=cells_of(columns),
        reference=ReferencePopulation(
            rows=tuple(range(40)),
            n_candidates=1000,
            n_approved=700,
            candidates="training rows",
            low=0.5,
            high=0.6,
            mean_score=BASE,
            words="40 of 700 approved rows",
            is_near=True,
        ),
        contributions=contributions,
        reasons=reasons_of(contributions, reasons),
        no_reason="",
        left_out=(),
        joint=JointMove(columns=tuple(reasons), before=score, after=0.5, flips=True),
        protection=Protection(declared=("sex",), links=(), offending=(), not_examined={}, proxy_strength=0.1),
        features=columns,
        methods=methods_of(columns),
        agreement=0.9,
        timeline=timeline_of(score),
        output="approved",
        weights=(1.0,),
        outcome_kept=None,
        counterfactual=counterfactuals(),
        why_no_counterfactual="",
        calibration={"calibration_slope": Estimate(value=1.0, low=0.9, high=1.1, n=500)},
        evaluation="500 test rows",
        settings={"n_evaluations": 70, "nested": {"seed": 3, "exact": True}, "rows": [1, 2, 3]},
    )
    return dataclasses.replace(case, **changes)


CASE = case_of(VALUES)


def materials_of(profile: str = "us_adverse_action", language: str = "en", **changes: Any) -> Materials:
    told = Materials(
        profile=load_profile(profile, language),
        organisation=ORGANISATION,
        facts=FACTS,
        codes=CODES,
        consumer_score=ConsumerScore(use="none"),
    )
    return dataclasses.replace(told, **changes)


def texts_of(document: Document, keys: Sequence[str] | None = None) -> list[str]:
    """Every text of a document, of some sections only where they are named."""
    found = [] if keys is not None else [document.title, document.subtitle]
    blocks = [] if keys is not None else list(document.summary)
    for section in document.sections:
        if keys is None or section.key in keys:
            found.append(section.title)
            blocks += section.blocks
    for block in blocks:
        if isinstance(block, Paragraph | Callout):
            found.append(block.text)
        elif isinstance(block, Bullets):
            found += block.items
        elif isinstance(block, Facts):
            found += [text for line in block.lines for text in line]
        elif isinstance(block, Table):
            found += [block.caption, block.note, *block.columns, *(cell for row in block.rows for cell in row)]
        elif isinstance(block, ChartBlock):
            found += [block.chart.title, block.alt, block.note]
    return found
