"""A decision report: what is known of one row, told in the sections that a regulation profile asks for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from tabnet_engine.explain.reasons.records import DecisionCase
from tabnet_engine.report.asked import asked_for
from tabnet_engine.report.decision import part_a, part_b, part_c_case, part_c_evidence, part_c_reasons, part_c_steps
from tabnet_engine.report.decision.scores_used import consumer_score
from tabnet_engine.report.decision.summary import summary
from tabnet_engine.report.decision.told import Told
from tabnet_engine.report.decision.unmet import blocked, unmet
from tabnet_engine.report.document import Block, Document, Identity, Paragraph, Section
from tabnet_engine.report.integrity_section import integrity_section
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.regulation import AskedSection
from tabnet_engine.texts.speaking import msg, say

__all__ = ["SECTIONS", "decision_document"]

Builder = Callable[[Told], tuple[Block, ...]]

# By key: the title, and what the section says.
SECTIONS: Mapping[str, tuple[str, Builder]] = {
    "action": (msg("The action taken"), part_a.action),
    "reasons": (msg("Principal reasons"), part_a.reasons),
    "creditor": (msg("Who decided"), part_a.creditor),
    "rights": (msg("Notice of rights"), part_a.rights),
    "consumer_score": (msg("Use of a score"), consumer_score),
    "procedure": (msg("The procedure that was applied"), part_b.procedure),
    "data_used": (msg("The data that were used"), part_b.data_used),
    "variation": (msg("What would have changed the outcome"), part_b.variation),
    "outcome_role": (msg("Responsibility, and the part of the model"), part_b.outcome_role),
    "fairness": (msg("Fairness"), part_b.fairness),
    "safety": (msg("Safety and performance"), part_b.safety),
    "human_review": (msg("Human review"), part_b.human_review),
    "identity": (msg("Identity of the case"), part_c_case.identity),
    "inputs": (msg("Inputs as received and as encoded"), part_c_case.inputs),
    "score": (msg("Score, cutoff and margin"), part_c_case.score),
    "reasons_table": (msg("Reasons in full"), part_c_reasons.reasons_table),
    "reference": (msg("Reference population"), part_c_reasons.reference),
    "timeline": (msg("Timeline of the decision steps"), part_c_steps.timeline),
    "methods": (msg("Agreement of the methods"), part_c_steps.methods),
    "counterfactual": (msg("Counterfactuals"), part_c_evidence.counterfactual),
    "calibration": (msg("Calibration"), part_c_evidence.calibration),
    "settings": (msg("Settings of the explanation and its error"), part_c_evidence.settings),
    "review": (msg("Record of human review"), part_c_evidence.review),
}
_INTEGRITY = "integrity"
_SPOKEN = frozenset({"rights"})  # sections whose statement is their text, not what is asked of them


def decision_document(case: DecisionCase, identity: Identity, materials: Materials) -> Document:
    """A decision report about one row, in the language that is spoken now.

    Args:
        case: what is known of the row; its English texts are turned.
        identity: of the report.
        materials: the profile, and what people wrote.

    Returns:
        The document. It is blocked where a principal reason is protected or a proxy, and where a row that is not
        approved has no reason; ``unmet`` says what the profile requires and is missing.

    Raises:
        ReportError: the profile has no decision report.
    """
    told = Told(case=case, identity=identity, materials=materials)
    sections = tuple(_section(told, asked) for asked in materials.profile.sections("decision"))
    return Document(
        title=say("Decision report"),
        subtitle=say("Row {row:,} · {run}", row=case.row, run=identity.run_title),
        language=identity.language,
        identity=identity,
        summary=summary(told),
        sections=sections,
        blocked=blocked(told),
        unmet=unmet(told),
    )


def _section(told: Told, asked: AskedSection) -> Section:
    if asked.key == _INTEGRITY:
        return integrity_section(told.identity, told.materials.profile, part=asked.part)
    title, build = SECTIONS[asked.key]
    asked_words = () if asked.key in _SPOKEN else asked_for(told.materials.profile, asked.key)
    blocks = (*asked_words, *build(told), *_sources(told, asked.key))
    return Section(key=asked.key, title=say(title), part=asked.part, blocks=blocks)


def _sources(told: Told, key: str) -> tuple[Block, ...]:
    sources = told.materials.profile.sources(key)
    if not sources:
        return ()
    return (
        Paragraph(text=say("Asked for by: {sources}.", sources=functools.reduce(_and_next, sources)), is_note=True),
    )


def _and_next(before: str, source: str) -> str:
    return say("{before}; {source}", before=before, source=source)
