"""The documentation of a model: purpose, design, data, development, outcomes, limits, monitoring, approvals."""

from __future__ import annotations

from collections.abc import Mapping

from tabnet_engine.explain.trust.finding import Family
from tabnet_engine.report.document import Paragraph, SignatureLines
from tabnet_engine.report.model.data_blocks import column_blocks, dataset_blocks, split_blocks, warning_blocks
from tabnet_engine.report.model.draft import Blocks, Builder, Draft
from tabnet_engine.report.model.explanation_blocks import (
    UNDERSTANDING,
    certificate_blocks,
    effect_blocks,
    importance_blocks,
    mask_blocks,
)
from tabnet_engine.report.model.group_blocks import group_blocks
from tabnet_engine.report.model.monitoring_plan import monitoring_blocks
from tabnet_engine.report.model.part_e import limitation_blocks
from tabnet_engine.report.model.performance_blocks import calibration_blocks, performance_blocks
from tabnet_engine.report.model.training_blocks import (
    epoch_blocks,
    identity_facts,
    note_blocks,
    setting_tables,
    theory_blocks,
)
from tabnet_engine.texts.speaking import say

__all__ = ["BUILDERS"]


def _purpose(draft: Draft) -> Blocks:
    return (
        *draft.once("identity", lambda: (identity_facts(draft),)),
        *draft.stated("purpose", "intended_use", "prohibited_use", "owner", "materiality"),
    )


def _design(draft: Draft) -> Blocks:
    return (
        *draft.once("theory", theory_blocks),
        *draft.once("network", lambda: setting_tables(draft, "model")),
        *draft.stated("assumptions", "design_choices"),
    )


def _data_lineage(draft: Draft) -> Blocks:
    return (
        *draft.once("dataset", lambda: dataset_blocks(draft)),
        *draft.once("splits", lambda: split_blocks(draft)),
        *draft.once("columns", lambda: column_blocks(draft)),
        *draft.once("warnings", lambda: warning_blocks(draft)),
        *draft.stated("data_origin"),
    )


def _development(draft: Draft) -> Blocks:
    return (
        *draft.once("training", lambda: setting_tables(draft, "training")),
        *draft.once("epochs", lambda: epoch_blocks(draft)),
        *draft.once("notes", lambda: note_blocks(draft)),
    )


def _soundness(draft: Draft) -> Blocks:
    return (
        *draft.once("importances", lambda: importance_blocks(draft)),
        *draft.once("masks", lambda: mask_blocks(draft)),
    )


def _outcomes(draft: Draft) -> Blocks:
    return (
        *draft.once("performance", lambda: performance_blocks(draft)),
        *draft.once("calibration", lambda: calibration_blocks(draft)),
        *draft.once("groups", lambda: group_blocks(draft)),
    )


def _benchmarking(draft: Draft) -> Blocks:
    hint = say("A report of the kind “comparison” sets this run beside another one on the same rows.")
    return (*draft.stated("benchmarking"), Paragraph(text=hint, is_note=True))


def _sensitivity(draft: Draft) -> Blocks:
    return (
        *draft.once("effects", lambda: effect_blocks(draft)),
        *draft.once("stability", lambda: certificate_blocks(draft, (Family.STABILITY,))),
    )


def _validation(draft: Draft) -> Blocks:
    return (
        *draft.stated("independent_validation"),
        Paragraph(text=say("How far explanations can be trusted, by the certificate of the run"), is_strong=True),
        *draft.once("certificate", lambda: certificate_blocks(draft, UNDERSTANDING)),
    )


def _limitations(draft: Draft) -> Blocks:
    return (*limitation_blocks(draft), *draft.stated("limitations", "controls", "human_oversight"))


def _monitoring(draft: Draft) -> Blocks:
    return (*draft.stated("monitoring"), *draft.once("monitoring", lambda: monitoring_blocks(draft.evidence)))


def _changes(draft: Draft) -> Blocks:
    told = say(
        "A model is never changed in place: every training is a run of its own, and this report is about one run."
    )
    return (*draft.stated("change_log", "retention"), Paragraph(text=told))


def _approvals(draft: Draft) -> Blocks:  # noqa: ARG001 - all builders are called alike
    told = say(
        "The steps of the review of this report, with name and time, stand at its end. Each is written to a log in "
        "which every entry holds the hash of the one before."
    )
    roles = (say("Owner of the model"), say("Independent validation"), say("Approval for use"))
    return (Paragraph(text=told), SignatureLines(roles=roles))


BUILDERS: Mapping[str, Builder] = {
    "purpose": _purpose,
    "design": _design,
    "data_lineage": _data_lineage,
    "development": _development,
    "soundness": _soundness,
    "outcomes_analysis": _outcomes,
    "benchmarking": _benchmarking,
    "sensitivity": _sensitivity,
    "validation": _validation,
    "limitations": _limitations,
    "monitoring": _monitoring,
    "changes": _changes,
    "approvals": _approvals,
}
