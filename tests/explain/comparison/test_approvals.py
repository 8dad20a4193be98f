"""Approved or declined by two runs, each at its own cutoff, against a count by hand from the scores."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from tabnet_engine.config import ReportConfig
from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.explain.comparison.approval_rules import ApprovalRules
from tabnet_engine.explain.comparison.approvals import MOST_LISTED_ROWS, Approvals, approvals
from tabnet_engine.explain.comparison.decisions import transitions
from tabnet_engine.explain.comparison.rows import PairedScores
from tabnet_engine.explain.comparison.targets import SharedTarget

COLOURS = SharedTarget(name="c", task=Task.MULTICLASS, classes=("red", "green", "blue"))
LOAN = SharedTarget(name="d", task=Task.BINARY, classes=("approved", "declined"))
PRICE = SharedTarget(name="p", task=Task.REGRESSION, classes=())


def paired(target: SharedTarget, n: int = 400, *, seed: int = 7, known: float = 0.8) -> PairedScores:
    """Rows at random, of which some have no outcome."""
    generator = np.random.default_rng(seed)
    width = len(target.classes) if target.task is Task.MULTICLASS else 1
    first = generator.normal(size=(n, width))
    is_quantity = target.task is Task.REGRESSION
    y = generator.normal(size=n) if is_quantity else generator.integers(0, len(target.classes), n).astype(float)
    y[generator.random(n) >= known] = np.nan if is_quantity else -1
    return PairedScores(
        target=target,
        rows=generator.permutation(10 * n)[:n],
        y=y,
        first=first,
        second=first + generator.normal(scale=0.7, size=(n, width)),
        seen=np.zeros(n, dtype=bool),
        tested=np.ones(n, dtype=bool),
        origin="",
    )


def config(**settings: Any) -> ReportConfig:
    return ReportConfig(kind="comparison", **settings)


def rules_of(target: SharedTarget, **settings: Any) -> ApprovalRules:
    found = ApprovalRules.of(target, config(**settings))
    assert found is not None
    return found


def shares(target: SharedTarget, logits: list[float]) -> list[float]:
    """The probability of every class, from the definition."""
    if target.task is Task.BINARY:
        likely = 1 / (1 + math.exp(-logits[0]))
        return [1 - likely, likely]
    powers = [math.exp(value) for value in logits]
    return [power / sum(powers) for power in powers]


def by_hand(target: SharedTarget, logits: list[float], asked: dict[str, Any], cutoff: float | None) -> tuple:
    """Whether a row is approved, and its score."""
    if target.task is Task.REGRESSION:
        value = logits[0]
        return (value >= cutoff if asked.get("is_high_favourable", True) else value <= cutoff), value
    own = shares(target, logits)
    share = own[target.classes.index(asked["favourable"])]
    return (share == max(own) if cutoff is None else share >= cutoff), share


ASKED = [
    (LOAN, {"favourable": "approved", "cutoff": 0.3, "baseline_cutoff": 0.42}),
    (LOAN, {"favourable": "declined", "cutoff": 0.7}),
    (COLOURS, {"favourable": "blue"}),
    (COLOURS, {"favourable": "green", "cutoff": 0.25, "baseline_cutoff": 0.4}),
    (PRICE, {"cutoff": 0.4, "baseline_cutoff": -0.2}),
    (PRICE, {"cutoff": -0.3, "is_high_favourable": False}),
]


@pytest.mark.parametrize(("target", "asked"), ASKED)
def test_every_number_is_a_count_of_rows(target: SharedTarget, asked: dict[str, Any]) -> None:
    scores = paired(target)
    found = approvals(scores, rules_of(target, **asked))
    after = asked.get("cutoff")
    before = asked.get("baseline_cutoff", after)
    cells: Counter = Counter()
    changed, n_same = [], 0
    for row, y, mine, yours in zip(scores.rows, scores.y, scores.first.tolist(), scores.second.tolist(), strict=True):
        was, first = by_hand(target, mine, asked, before)
        is_now, second = by_hand(target, yours, asked, after)
        n_same += was != by_hand(target, yours, asked, before)[0]
        good: bool | None = None
        if target.task is Task.REGRESSION and not math.isnan(y):
            good = by_hand(target, [y], asked, after)[0]
        elif target.task is not Task.REGRESSION and y >= 0:
            good = target.classes[int(y)] == asked["favourable"]
        cells[was, is_now, good] += 1
        if was != is_now:
            changed.append((-abs(second - first), int(row), is_now, good))
    n = scores.n_rows
    for was in (0, 1):
        for is_now in (0, 1):
            assert found.counts[was, is_now] == sum(cells[was, is_now, good] for good in (None, False, True))
            assert found.outcomes[was, is_now].tolist() == [cells[was, is_now, good] for good in (False, True)]
    gained, lost = (sum(cells[was, not was, good] for good in (None, False, True)) for was in (False, True))
    assert (found.n_gained, found.n_lost, found.n_at_first_cutoff) == (gained, lost, n_same)
    assert min(gained, lost) > 5
    assert [rate.value for rate in found.rates] == pytest.approx(
        [found.counts[1].sum() / n, found.counts[:, 1].sum() / n]
    )
    assert found.difference.value == pytest.approx((gained - lost) / n)
    assert found.difference.low is not None
    assert found.difference.high is not None
    assert found.difference.low < (gained - lost) / n < found.difference.high
    corrected = cells[False, True, True] + cells[True, False, False]
    spoiled = cells[False, True, False] + cells[True, False, True]
    assert (found.n_corrected, found.n_spoiled) == (corrected, spoiled)
    tail = sum(math.comb(corrected + spoiled, k) for k in range(min(corrected, spoiled) + 1))
    assert found.p_value == pytest.approx(min(1.0, 2 * tail / 2 ** (corrected + spoiled)))
    listed = [(row.row, row.is_approved, row.is_favourable) for row in found.changed]
    assert listed == [item[1:] for item in sorted(changed, key=lambda item: item[0])]


@pytest.mark.parametrize(("target", "asked"), ASKED)
def test_from_the_other_side_everything_is_turned_round(target: SharedTarget, asked: dict[str, Any]) -> None:
    scores, rules = paired(target), rules_of(target, **asked)
    here = approvals(scores, rules)
    turned = PairedScores(**{**vars(scores), "first": scores.second, "second": scores.first})
    back = ApprovalRules(first=rules.second, second=rules.first, is_assumed=False)
    there = approvals(turned, back)
    assert there.counts.tolist() == here.counts.T.tolist()
    assert (there.difference.value, there.rates) == (-(here.difference.value or 0.0), here.rates[::-1])
    assert {row.row: -row.change for row in there.changed} == {row.row: row.change for row in here.changed}


@pytest.mark.parametrize("favourable", LOAN.classes)
def test_at_one_half_it_is_what_the_classes_say(favourable: str) -> None:
    scores = paired(LOAN)
    found, moves = approvals(scores, rules_of(LOAN, favourable=favourable)), transitions(scores)
    order = [1, 0] if favourable == LOAN.classes[0] else [0, 1]
    assert found.counts.tolist() == moves.counts[np.ix_(order, order)].tolist()
    assert (found.n_corrected, found.n_spoiled, found.p_value) == (moves.n_corrected, moves.n_spoiled, moves.p_value)


@pytest.mark.parametrize("cutoff", [1e-9, 1 - 1e-9])
def test_a_cutoff_that_all_or_none_reach(cutoff: float) -> None:
    found = approvals(paired(LOAN, known=0.0), rules_of(LOAN, favourable="approved", cutoff=cutoff))
    assert (found.n_changed, found.changed, found.p_value) == (0, (), None)
    assert {rate.value for rate in found.rates} == {float(cutoff < 0.5)}


def test_it_travels_as_json_and_lists_no_more_than_it_says() -> None:
    scores = paired(LOAN, 4_000)
    found = approvals(scores, rules_of(LOAN, cutoff=0.2, baseline_cutoff=0.8))
    values = found.to_mapping()
    assert values["changed_rows"]["n_rows"] == found.n_changed > MOST_LISTED_ROWS
    assert len(values["changed_rows"]["rows"]) == values["changed_rows"]["most_listed"] == MOST_LISTED_ROWS
    back = Approvals.from_mapping(json.loads(json.dumps(values, allow_nan=False)))
    assert back.to_mapping() == values
    assert (back.decisions, back.changed) == (found.decisions, found.changed)


def test_nobody_chose_and_a_name_tells() -> None:
    rules = rules_of(LOAN)
    assert (rules.favourable, rules.is_assumed) == ("approved", True)
    assert [rule.decision.cutoff for rule in (rules.first, rules.second)] == [0.5, 0.5]
    assert not rules_of(LOAN, favourable="approved").is_assumed
    own = rules_of(LOAN, baseline_cutoff=0.4)
    assert [rule.decision.cutoff for rule in (own.first, own.second)] == [0.4, 0.5]


@pytest.mark.parametrize("target", [COLOURS, PRICE])
def test_without_a_word_a_quantity_and_several_classes_have_no_rule(target: SharedTarget) -> None:
    assert ApprovalRules.of(target, config()) is None


@pytest.mark.parametrize(
    ("target", "asked", "words"),
    [
        (LOAN, {"cutoff": 1.5}, "the cutoff is a probability between 0 and 1, got 1.5"),
        (LOAN, {"baseline_cutoff": 0.0}, "the cutoff is a probability between 0 and 1, got 0"),
        (LOAN, {"favourable": "perhaps"}, "'perhaps' is no class of 'd'"),
        (COLOURS, {"cutoff": 0.4}, "say which class of 'c' is the favourable one"),
        (COLOURS, {"baseline_cutoff": 0.4}, "say which class of 'c' is the favourable one"),
        (PRICE, {"baseline_cutoff": 3.0}, "say from which value a row is approved"),
        (PRICE, {"favourable": "red"}, "is a quantity and has no class 'red'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(target: SharedTarget, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ExplanationError, match=words):
        ApprovalRules.of(target, config(**asked))


@pytest.mark.parametrize("kind", ["decision", "notice", "model"])
def test_a_champion_is_for_a_comparison_alone(kind: Any) -> None:
    with pytest.raises(ConfigError, match="baseline_cutoff is the cutoff of the champion"):
        ReportConfig(kind=kind, baseline_cutoff=0.4)
