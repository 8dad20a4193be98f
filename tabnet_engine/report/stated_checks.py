"""What a profile requires people to state, and nobody did: a sentence for each, shared by all kinds of reports."""

from __future__ import annotations

from collections.abc import Mapping

from tabnet_engine.config.report import ReportKind
from tabnet_engine.report.dates import date_words
from tabnet_engine.report.document import Identity
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.regulation import RegulationProfile
from tabnet_engine.texts.speaking import msg, say

__all__ = ["STATED", "not_stated", "profile_unmet", "stated_or_not", "stated_unmet"]

# What each statement is called, wherever it is shown.
STATED: Mapping[str, str] = {
    "organisation.name": msg("Name of the organisation"),
    "organisation.address": msg("Address of the organisation"),
    "organisation.contact": msg("Contact of the organisation"),
    "organisation.agency": msg("Supervising authority"),
    "organisation.data_protection": msg("Contact for questions about personal data"),
    "organisation.signatory": msg("Signatory of letters"),
    "facts.owner": msg("Owner of the model"),
    "facts.provider": msg("Provider"),
    "facts.purpose": msg("Purpose of the model"),
    "facts.intended_use": msg("Intended use"),
    "facts.prohibited_use": msg("Prohibited use"),
    "facts.foreseeable_misuse": msg("Foreseeable misuse"),
    "facts.materiality": msg("Materiality"),
    "facts.assumptions": msg("Assumptions"),
    "facts.data_origin": msg("Origin of the data"),
    "facts.design_choices": msg("Choices of design"),
    "facts.benchmarking": msg("Benchmarking"),
    "facts.independent_validation": msg("Independent validation"),
    "facts.limitations": msg("Limitations"),
    "facts.controls": msg("Compensating controls"),
    "facts.human_oversight": msg("Human oversight"),
    "facts.ethical_considerations": msg("Ethical considerations"),
    "facts.cybersecurity": msg("Cybersecurity"),
    "facts.resources": msg("Resources, lifetime and maintenance"),
    "facts.monitoring": msg("Monitoring"),
    "facts.change_log": msg("Change log"),
    "facts.retention": msg("Retention of logs and reports"),
}


def not_stated() -> str:
    """What stands in place of a statement that nobody made."""
    return say("Not stated")


def stated_or_not(materials: Materials, key: str) -> str:
    """What was stated under a key such as ``facts.purpose``, or that it was not."""
    return _stated(materials, key) or not_stated()


def stated_unmet(materials: Materials, kind: ReportKind) -> tuple[str, ...]:
    """One sentence for each statement that the profile requires of this kind of report and that is empty."""
    lacking = (key for key in materials.profile.required(kind) if key in STATED and not _stated(materials, key))
    return tuple(_unmet(key) for key in lacking)


def profile_unmet(profile: RegulationProfile, identity: Identity) -> tuple[str, ...]:
    """A sentence where this version of the profile may not be used on the day of the report; else none."""
    if profile.is_in_force(identity.created):
        return ()
    places = {"title": profile.title, "version": profile.version, "day": date_words(identity.created)}
    if profile.valid_until is None:
        said = say(
            "The profile “{title}”, version {version}, is not valid on {day}: it is valid from {start}.",
            start=date_words(profile.valid_from),
            **places,
        )
    else:
        said = say(
            "The profile “{title}”, version {version}, is not valid on {day}: it is valid from {start} to {end}.",
            start=date_words(profile.valid_from),
            end=date_words(profile.valid_until),
            **places,
        )
    return (said,)


def _stated(materials: Materials, key: str) -> str:
    room, field = key.split(".")
    source = materials.organisation if room == "organisation" else materials.facts
    return str(getattr(source, field)).strip()


def _unmet(key: str) -> str:
    if key.startswith("organisation."):
        return say("Not stated: {what}. State it under “Who decides” before the report is used.", what=say(STATED[key]))
    return say(
        "Not stated: {what}. The owner of the model must state it before the report is used.", what=say(STATED[key])
    )
