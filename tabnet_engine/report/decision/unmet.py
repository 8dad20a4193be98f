"""Why a decision report must not be used, and what its profile asks for and is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tabnet_engine.explain.reasons.records import ProxyLink
from tabnet_engine.explain.wording import percent
from tabnet_engine.report.decision.told import Told, quoted_columns
from tabnet_engine.report.received_score import consumer_score_unmet
from tabnet_engine.report.stated_checks import profile_unmet, stated_unmet
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["MEASURED_CHECKS", "blocked", "link_sentence", "unmet"]


def blocked(told: Told) -> tuple[str, ...]:
    """One sentence for each reason why the report must not be used; empty where it may be."""
    offending = tuple(_offence(link) for link in told.case.protection.offending)
    if told.case.reasons or told.is_favourable:
        return offending
    why = recalled(told.case.no_reason)
    without = say("The row is not approved, and there is no principal reason that could be given for it.")
    return (*offending, *((without, why) if why else (without,)))


def unmet(told: Told) -> tuple[str, ...]:
    """One sentence for each thing that the profile requires of a decision report and that is missing."""
    required = told.materials.profile.required("decision")
    measured = tuple(sentence for key in required for sentence in MEASURED_CHECKS.get(key, _nothing)(told))
    return (*measured, *stated_unmet(told.materials, "decision"))


def link_sentence(link: ProxyLink) -> str:
    """How a column gives a protected one away, in words."""
    places = {"column": link.column, "protected": link.protected}
    if link.is_itself:
        return say("“{column}” is a protected column itself.", column=link.column)
    strength = link.strength
    if strength is None or strength.value is None:
        return say("“{column}” counts as a proxy of the protected column “{protected}”.", **places)
    told = {**places, "share": percent(strength.value)}
    if strength.low is None or strength.high is None:
        return say(
            "“{column}” is a proxy of the protected column “{protected}”: alone it tells {share} of its variance.",
            **told,
        )
    return say(
        "“{column}” is a proxy of the protected column “{protected}”: alone it tells {share} of its variance "
        "({low} to {high}).",
        low=percent(max(0.0, strength.low)),
        high=percent(strength.high),
        **told,
    )


def _offence(link: ProxyLink) -> str:
    return say(
        "“{column}” is a principal reason of this decision and must not be a reason: {because} The reason is not left "
        "out: this report stays blocked, and a person must look into the decision and the model.",
        column=link.column,
        because=link_sentence(link),
    )


def _in_force(told: Told) -> tuple[str, ...]:
    return profile_unmet(told.materials.profile, told.identity)


def _codes_reviewed(told: Told) -> tuple[str, ...]:
    pairs = zip(told.case.reasons, told.sentences, strict=True)
    drafts = [reason.column for reason, sentence in pairs if not sentence.is_reviewed]
    if not drafts:
        return ()
    return (
        say_plural(
            "The sentence for {count} principal reason was not reviewed by a person: {columns}.",
            "The sentences for {count} principal reasons were not reviewed by a person: {columns}.",
            len(drafts),
            columns=quoted_columns(drafts),
        ),
    )


def _reasons_given(told: Told) -> tuple[str, ...]:
    if told.case.reasons or not told.is_favourable:  # without any against the person the report is blocked
        return ()
    return (say("No column can be named as a principal reason for this outcome."),)


def _reasons_robust(told: Told) -> tuple[str, ...]:
    if not told.case.reasons or all(reason.kept for reason in told.case.reasons):
        return ()
    return (
        say("How firm the principal reasons are was not measured; ask for repetitions when the report is made again."),
    )


def _protected_declared(told: Told) -> tuple[str, ...]:
    if told.case.protection.declared:
        return ()
    return (
        say(
            "No protected column was declared, so this report cannot tell whether a principal reason is one, or a "
            "proxy of one."
        ),
    )


def _protected_examined(told: Told) -> tuple[str, ...]:
    missing = told.case.protection.not_examined
    return tuple(
        say("Proxies of “{column}” were not looked for: {why}", column=column, why=recalled(why))
        for column, why in missing.items()
    )


def _favourable_chosen(told: Told) -> tuple[str, ...]:
    if not told.case.favourable_is_assumed:
        return ()
    return (
        say(
            "Nobody chose which outcome is favourable; this report assumes that a row is approved where {rule}. "
            "Choose the favourable outcome, and make the report again.",
            rule=told.rule,
        ),
    )


def _reference_near(told: Told) -> tuple[str, ...]:
    if told.case.reference.is_near:
        return ()
    return (
        say(
            "The reference population reaches well above the cutoff: too few approved rows lie just above it. The "
            "reasons compare with approved rows, not with those that barely passed; ask for fewer rows to compare with."
        ),
    )


def _calibration_known(told: Told) -> tuple[str, ...]:
    if any(estimate.value is not None for estimate in told.case.calibration.values()):
        return ()
    return (say("The calibration of the model on rows that it was not trained on is not known."),)


def _variation_answered(told: Told) -> tuple[str, ...]:
    found = told.case.counterfactual
    if told.is_favourable or (found is not None and (found.counterfactuals or found.is_exhaustive)):
        return ()
    if found is None and told.case.why_no_counterfactual:
        why = recalled(told.case.why_no_counterfactual)
        return (say("How a change would have altered the outcome is not answered: {why}", why=why),)
    return (say("How a change would have altered the outcome is not answered."),)


def _consumer_score_stated(told: Told) -> tuple[str, ...]:
    return consumer_score_unmet(told.materials.consumer_score, told.case.cells, told.case.row)


def _nothing(_: Told) -> tuple[str, ...]:
    return ()


# What can be measured or chosen of one decision; what people state is looked up where it was stated.
MEASURED_CHECKS: Mapping[str, Callable[[Told], tuple[str, ...]]] = {
    "profile.in_force": _in_force,
    "favourable.chosen": _favourable_chosen,
    "reasons.given": _reasons_given,
    "codes.reviewed": _codes_reviewed,
    "reasons.robust": _reasons_robust,
    "protected.declared": _protected_declared,
    "protected.examined": _protected_examined,
    "reference.near": _reference_near,
    "calibration.known": _calibration_known,
    "variation.answered": _variation_answered,
    "consumer_score.stated": _consumer_score_stated,
}
