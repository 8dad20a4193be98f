"""The last part of every report: what it was made from, by which rules, and how anyone can check that."""

from __future__ import annotations

from collections.abc import Mapping

from tabnet_engine.config.report import KIND_WORDS
from tabnet_engine.report.dates import date_words, moment_words
from tabnet_engine.report.document import Block, Facts, Identity, Paragraph, Section, Table
from tabnet_engine.report.regulation import RegulationProfile
from tabnet_engine.texts.speaking import LANGUAGES, msg, say

__all__ = ["HASHED", "identity_facts", "integrity_section", "validity_words"]

# What each hash is of.
HASHED: Mapping[str, str] = {
    "model": msg("model (weights)"),
    "data": msg("data (the file as it was received)"),
    "table": msg("table that the rows of this report are from"),
    "configuration": msg("configuration of the training"),
    "schema": msg("schema of the columns"),
    "received": msg("row as it was received"),
    "manifest": msg("manifest of the run"),
    "request": msg("request for this report"),
    "profile": msg("regulation profile"),
    "reason_codes": msg("dictionary of reason codes"),
    "organisation": msg("statements about the organisation"),
    "stated_facts": msg("statements of the model's owner"),
    "consumer_score": msg("statements about a score bought from others"),
    "template": msg("template of the letter"),
    "baseline": msg("manifest of the run compared with"),
}


def integrity_section(identity: Identity, profile: RegulationProfile, *, part: str = "G") -> Section:
    """The section: identity, SHA-256 of every part, the profile with its sources, retention, and how to verify."""
    return Section(key="integrity", title=say("Integrity"), part=part, blocks=(*_made_from(identity), *_rules(profile)))


def identity_facts(identity: Identity) -> tuple[tuple[str, str], ...]:
    """Which report it is, made when and from which run: names and values."""
    return (
        (say("Case id"), identity.case_id),
        (say("Kind of report"), say(KIND_WORDS[identity.kind]) if identity.kind in KIND_WORDS else identity.kind),
        (say("Made on"), moment_words(identity.created)),
        (say("Run"), identity.run_title),
        (say("Run id"), identity.run_id),
        *(() if identity.row is None else ((say("Row of the table"), f"{identity.row:,}"),)),
        (say("Engine version"), identity.engine_version),
        (say("Language"), LANGUAGES.get(identity.language, identity.language)),
        (say("Seed of all draws"), f"{identity.seed}"),
    )


def validity_words(profile: RegulationProfile) -> str:
    """From when to when this version of a profile may be used."""
    start = date_words(profile.valid_from)
    if profile.valid_until is None:
        return say("from {start}; no end is known", start=start)
    return say("from {start} to {end}", start=start, end=date_words(profile.valid_until))


def _made_from(identity: Identity) -> tuple[Block, ...]:
    hashes = Table(
        caption=say("SHA-256 of everything that went into this report"),
        columns=(say("What"), say("SHA-256")),
        rows=tuple((say(HASHED[name]) if name in HASHED else name, digest) for name, digest in identity.hashes.items()),
        note=say("Two files with the same SHA-256 hold the same bytes; one changed byte gives another one."),
    )
    return (
        Facts(lines=identity_facts(identity)),
        hashes,
        Paragraph(
            text=say(
                "The same request at the same time gives the same report, byte for byte. The evidence pack of this "
                "report holds the report, its inputs, the model and a manifest with the SHA-256 of each; the command "
                "verify-evidence compares them, computes the result again from the model and says whether it is equal."
            )
        ),
        Paragraph(
            text=say(
                "The steps of its review are kept in a log that is only ever added to, in which every entry holds the "
                "hash of the one before; the command verify-log checks the chain. A signed report cannot be changed."
            )
        ),
    )


def _rules(profile: RegulationProfile) -> tuple[Block, ...]:
    facts = Facts(
        lines=(
            (say("Regulation profile"), profile.title),
            (say("Name and version"), f"{profile.name} {profile.version}"),
            (say("Valid"), validity_words(profile)),
            (say("Retention"), profile.retention),
        )
    )
    sources = Table(
        caption=say("Sources that this profile names"),
        columns=(say("Source"), say("What it asks for")),
        rows=tuple((citation.text, citation.about) for citation in profile.citations),
        note=say(
            "They are part of the profile, a versioned file; whether they still hold on the day of use is for a "
            "person to check."
        ),
    )
    return (facts, Paragraph(text=profile.summary, is_note=True), sources)
