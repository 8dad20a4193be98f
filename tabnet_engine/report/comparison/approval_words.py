"""What is said of changed approvals: the rules, what changed, whether for the better, and why nothing can be said."""

from __future__ import annotations

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.approvals import Approvals
from tabnet_engine.report.comparison.compared import Compared
from tabnet_engine.report.measured_words import estimate_text, points, share
from tabnet_engine.texts.speaking import msg, say

__all__ = [
    "NO_OUTCOME",
    "approval_limits",
    "approval_sentences",
    "assumed_sentence",
    "chance_sentence",
    "missing_approvals",
    "rule_sentence",
]

_SURE = 0.05
_HARDLY = 0.001
_EVEN = 0.5

NO_OUTCOME = msg("No outcome of these rows is known, so whether the changes are for the better cannot be said.")
_BY_DESIGN = msg("As uneven a split would hardly come by chance (exact McNemar test, p {p}).")
_BY_CHANCE = msg("Such a split may well come by chance (exact McNemar test, p {p}).")


def rule_sentence(compared: Compared, found: Approvals) -> str:
    """When each run approves a row."""
    before, after = (decision.words for decision in found.decisions)
    if before == after:
        return say("A row is approved where {rule}, by both runs alike.", rule=after)
    first, second = compared.names
    return say(
        "{first} approves a row where {before}; {second} approves it where {after}.",
        first=first,
        second=second,
        before=before,
        after=after,
    )


def assumed_sentence(found: Approvals) -> str:
    """That nobody chose the favourable class."""
    favourable = found.decisions[1].favourable  # of both: a run may have a cutoff of its own, never such a class
    return say("Nobody chose which outcome is favourable; this report takes “{name}” for it.", name=favourable)


def approval_sentences(compared: Compared, found: Approvals) -> tuple[str, ...]:
    """How many rows are decided otherwise, how many each run approves, and whether the changes are for the better."""
    first, second = compared.names
    said = [
        say(
            "{n_changed:,} of {n_rows:,} rows are decided otherwise by {second}: {n_gained:,} newly approved and "
            "{n_lost:,} newly declined.",
            n_changed=found.n_changed,
            n_rows=found.n_rows,
            second=second,
            n_gained=found.n_gained,
            n_lost=found.n_lost,
        ),
        say(
            "{first} approves {before} of the rows, {second} {after}; the difference is {difference}.",
            first=first,
            second=second,
            before=estimate_text(found.rates[0], share),
            after=estimate_text(found.rates[1], share),
            difference=estimate_text(found.difference, points),
        ),
    ]
    if found.counts[0, 0] == found.n_rows:
        said.append(say("Neither run approves any of these rows, so at these cutoffs no decision changes."))
    if found.counts[1, 1] == found.n_rows:
        said.append(say("Both runs approve all of these rows, so at these cutoffs no decision changes."))
    if found.decisions[0] != found.decisions[1]:
        said.append(
            say(
                "With the cutoff of {first} for both, {n_rows:,} rows would be decided otherwise.",
                first=first,
                n_rows=found.n_at_first_cutoff,
            )
        )
    return (*said, *_for_the_better(found))


def _for_the_better(found: Approvals) -> tuple[str, ...]:
    """What came of the rows that are decided otherwise."""
    if found.p_value is None:
        return (say(NO_OUTCOME),)
    gained, lost = found.outcomes[0, 1], found.outcomes[1, 0]
    said = []
    if gained.sum():
        said.append(
            say(
                "Of the newly approved rows, {n_favourable:,} turned out favourable and {n_others:,} did not.",
                n_favourable=int(gained[1]),
                n_others=int(gained[0]),
            )
        )
    if lost.sum():
        said.append(
            say(
                "Of the newly declined rows, {n_favourable:,} turned out favourable and {n_others:,} did not.",
                n_favourable=int(lost[1]),
                n_others=int(lost[0]),
            )
        )
    if found.n_corrected + found.n_spoiled:
        said.append(
            say(
                "By what came, {n_corrected:,} wrong decisions became right and {n_spoiled:,} right ones became wrong.",
                n_corrected=found.n_corrected,
                n_spoiled=found.n_spoiled,
            )
        )
        said.append(chance_sentence(found.p_value))
    return tuple(said)


def chance_sentence(p_value: float) -> str:
    """Whether as uneven a split comes by chance."""
    p = f"= {p_value:.3f}" if p_value >= _HARDLY else "< 0.001"
    return say(_BY_DESIGN if p_value < _SURE else _BY_CHANCE, p=p)


def missing_approvals(compared: Compared) -> str:
    """Why approvals cannot be told, and how they can; empty where they are told or two classes were compared."""
    if compared.approvals is not None or not compared.has_rows or compared.task is Task.BINARY:
        return ""
    if compared.task is Task.REGRESSION:
        return say(
            "{target} is a quantity and nobody said from which value a row is approved, so which approvals changed "
            "cannot be told. Give the cutoff of the report, and make it again.",
            target=compared.target,
        )
    return say(
        "{target} has several classes and nobody said which one is decided in a person's favour, so which approvals "
        "changed cannot be told. Choose the favourable outcome of the report, and make it again.",
        target=compared.target,
    )


def approval_limits(found: Approvals) -> tuple[str, ...]:
    """What the approvals do not say."""
    limits = [say("Approvals are compared at the cutoffs that are named here; at another cutoff other rows change.")]
    cutoffs = {decision.cutoff for decision in found.decisions if decision.favourable} - {None, _EVEN}
    if found.p_value is not None and cutoffs:
        limits.append(
            say(
                "McNemar's test counts a wrong approval and a wrong refusal alike; a cutoff other than one half says "
                "that they do not weigh alike to whoever decides."
            )
        )
    if found.p_value is not None and found.n_known < found.n_rows:
        limits.append(
            say("If the outcome is known of cases only that were once approved, it says nothing about the others.")
        )
    return tuple(limits)
