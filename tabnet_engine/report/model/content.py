"""The report about a whole model: the sections that its regulation profile asks for, from what the run holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tabnet_engine.explain.wording import listed
from tabnet_engine.report.asked import asked_for
from tabnet_engine.report.document import Block, Document, Facts, Identity, Paragraph, Section
from tabnet_engine.report.integrity_section import integrity_section
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.measured_words import estimate_text, metric_text, score, task_text
from tabnet_engine.report.model import part_d, part_e, part_f
from tabnet_engine.report.model.draft import Builder, Draft
from tabnet_engine.report.model.evidence import ModelEvidence, gather
from tabnet_engine.report.regulation import AskedSection
from tabnet_engine.report.stated_checks import STATED, profile_unmet, stated_unmet
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.run import Run

__all__ = ["model_document"]

TITLES: Mapping[str, str] = {
    "model_details": msg("Model details"),
    "intended_use": msg("Intended use"),
    "factors": msg("Factors"),
    "metrics": msg("Metrics"),
    "evaluation_data": msg("Evaluation data"),
    "training_data": msg("Training data"),
    "quantitative_analyses": msg("Quantitative analyses"),
    "ethical": msg("Ethical considerations"),
    "caveats": msg("Caveats and recommendations"),
    "purpose": msg("Purpose, use and materiality"),
    "design": msg("Design, theory and assumptions"),
    "data_lineage": msg("Data lineage and quality"),
    "development": msg("Development and search record"),
    "soundness": msg("Conceptual soundness"),
    "outcomes_analysis": msg("Outcomes analysis"),
    "benchmarking": msg("Benchmarking"),
    "sensitivity": msg("Sensitivity"),
    "validation": msg("Independent validation and trust"),
    "limitations": msg("Limitations and compensating controls"),
    "monitoring": msg("Ongoing monitoring"),
    "changes": msg("Change log"),
    "approvals": msg("Approvals"),
    "provider": msg("Provider"),
    "intended_purpose": msg("Intended purpose"),
    "accuracy": msg("Accuracy, robustness and cybersecurity"),
    "misuse": msg("Foreseeable misuse"),
    "group_performance": msg("Performance by group"),
    "input_specification": msg("Specification of the inputs"),
    "output_interpretation": msg("Interpretation of the output"),
    "oversight": msg("Human oversight"),
    "resources": msg("Resources, lifetime and maintenance"),
    "logs": msg("Logs"),
}
_BUILDERS: Mapping[str, Builder] = {**part_e.BUILDERS, **part_d.BUILDERS, **part_f.BUILDERS}
_HEADLINES = ("auc", "accuracy", "rmse", "r2")


def model_document(run: Run, frame: pd.DataFrame | None, identity: Identity, materials: Materials) -> Document:
    """Write the report about a model, in the language that is being spoken.

    Args:
        run: a trained or imported run.
        frame: the table that it was trained on; without it what needs the table is said to be missing.
        identity: of the report.
        materials: the profile, and what the owner states.

    Raises:
        ReportError: the run is a pretraining, the table is not its own, or the profile has no report about a model.
        SchemaError: the table does not hold what the run reads.
        DamagedRunError: what is stored cannot be read.
    """
    asked = materials.profile.sections("model")
    draft = Draft(evidence=gather(run, frame, identity, materials))
    required = materials.profile.required("model")
    sections = _with_statements(draft, [_section(draft, one) for one in asked], required)
    measured = tuple(sentence for check, sentence in draft.lacking.items() if check in required)
    return Document(
        title=say("Model report: {title}", title=run.manifest.title),
        subtitle=materials.profile.title,
        language=identity.language,
        identity=identity,
        summary=_summary(draft.evidence),
        sections=sections,
        unmet=tuple(
            dict.fromkeys((*profile_unmet(materials.profile, identity), *measured, *stated_unmet(materials, "model")))
        ),
    )


def _section(draft: Draft, asked: AskedSection) -> Section:
    profile = draft.evidence.materials.profile
    if asked.key == "integrity":
        return integrity_section(draft.evidence.identity, profile, part=asked.part)
    draft.title = say(TITLES[asked.key])
    blocks = (*asked_for(profile, asked.key), *dict.fromkeys(_BUILDERS[asked.key](draft)))
    return Section(key=asked.key, title=draft.title, part=asked.part, blocks=blocks)


def _with_statements(draft: Draft, sections: list[Section], required: Sequence[str]) -> tuple[Section, ...]:
    """The sections, with what must be stated and belongs to none of them at the end of the last about the model."""
    further = [key for key in required if key in STATED and key not in draft.told]
    places = [place for place, section in enumerate(sections) if section.key != "integrity"]
    if further and places:
        last = sections[places[-1]]
        sections[places[-1]] = dataclasses.replace(last, blocks=(*last.blocks, *draft.stated_keys(*further)))
    return tuple(sections)


def _summary(evidence: ModelEvidence) -> tuple[Block, ...]:
    """What the model predicts from what, how well, and what leads it."""
    run = evidence.run
    manifest = run.manifest
    predicts = say("{target} ({task})", target=manifest.target, task=task_text(manifest.task))
    reads = say("{n} columns of “{table}”", n=len(run.schema.features), table=manifest.dataset.name)
    lines = [(say("Predicts"), predicts), (say("Reads"), reads)]
    lines += _headlines(evidence)
    if evidence.importances is not None:
        found = evidence.importances
        leading = [found.features[place] for place in found.order("mean").tolist()[:3]]
        lines.append((say("Leading columns by all methods"), listed(leading)))
    if evidence.certificate is not None:
        certificate = evidence.certificate
        counted = say(
            "{standing} of {findings} figures are told apart, for the better, from every useless explanation",
            standing=len(certificate.standing),
            findings=len(certificate.findings),
        )
        lines.append((say("Trust in explanations"), counted))
    return (Paragraph(text=evidence.materials.profile.summary), Facts(lines=tuple(lines)))


def _headlines(evidence: ModelEvidence) -> list[tuple[str, str]]:
    if evidence.judged is None:
        return [(say("Scores"), say("not measured here"))]
    several = len(evidence.judged.targets) > 1
    lines = []
    for target in evidence.judged.targets:
        for name in _HEADLINES:
            found = target.scores.get(name)
            if found is not None and found.value is not None:
                label = metric_text(f"{target.codec.name}: {name}") if several else metric_text(name)
                lines.append((label, estimate_text(found, lambda value, name=name: score(name, value))))  # type: ignore[misc]
    return [*lines, (say("Judged on"), evidence.judged.words)]
