"""The model card: details, use, factors, metrics, data, analyses, ethics, caveats (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping

from tabnet_engine.explain.groups.membership import MAX_GROUPS
from tabnet_engine.report.document import Bullets, Facts, Paragraph
from tabnet_engine.report.measured_words import cell, kind_text, number
from tabnet_engine.report.model.data_blocks import (
    class_table,
    dataset_blocks,
    split_blocks,
    warning_blocks,
)
from tabnet_engine.report.model.draft import Blocks, Builder, Draft
from tabnet_engine.report.model.group_blocks import group_blocks, proxy_blocks
from tabnet_engine.report.model.limitations import measured_limitations
from tabnet_engine.report.model.performance_blocks import calibration_blocks, measure_blocks, performance_blocks
from tabnet_engine.report.model.training_blocks import identity_facts, note_blocks, theory_blocks
from tabnet_engine.texts.speaking import say

__all__ = ["BUILDERS", "limitation_blocks"]


def _model_details(draft: Draft) -> Blocks:
    return (
        *draft.once("identity", lambda: (identity_facts(draft),)),
        *draft.once("theory", theory_blocks),
        *draft.once("notes", lambda: note_blocks(draft)),
        *draft.stated("owner"),
    )


def _intended_use(draft: Draft) -> Blocks:
    return draft.stated("purpose", "intended_use", "prohibited_use")


def _factors(draft: Draft) -> Blocks:
    evidence = draft.evidence
    kinds: dict[str, list[str]] = {}
    for column in evidence.run.schema.features:
        kinds.setdefault(kind_text(column), []).append(column.name)
    read = Facts(
        lines=tuple(
            (say("Columns read: {kind}", kind=kind), say("{n:,}: {names}", n=len(names), names=cell(names)))
            for kind, names in kinds.items()
        )
    )
    measured = [audit.title for audit in evidence.audits]
    if measured:
        groups = Paragraph(
            text=say("The model was measured in the groups of: {columns}.", columns=cell(measured, MAX_GROUPS))
        )
    else:
        groups = Paragraph(text=say("The model was not measured in the groups of any column."))
    return (read, groups, *draft.once("proxies", lambda: proxy_blocks(draft)))


def _metrics(draft: Draft) -> Blocks:
    config = draft.evidence.run.training_config
    monitored = say("loss on the validation rows") if config.monitor == "auto" else config.monitor
    chosen = Paragraph(text=say("The kept epoch was chosen by: {measure}.", measure=monitored))
    has_classes = any(codec.classes for codec in draft.evidence.run.targets.codecs)
    threshold = Paragraph(
        text=say(
            "Scores by class are at the class of the highest probability, which is a cutoff of 0.5 where there are two "
            "classes; a decision at another cutoff has other error rates."
        )
    )
    own = () if draft.evidence.is_imported else (chosen,)
    return (*draft.once("measures", lambda: measure_blocks(draft)), *own, *((threshold,) if has_classes else ()))


def _evaluation_data(draft: Draft) -> Blocks:
    judged = draft.evidence.judged
    if judged is None:
        words = say("No row with a known outcome is at hand.")
    else:
        words = say("The model is judged on {rows}.", rows=judged.words)
    return (Paragraph(text=words), *draft.once("splits", lambda: split_blocks(draft)), *class_table(draft))


def _training_data(draft: Draft) -> Blocks:
    rows = draft.evidence.run.manifest.rows.get("train", 0)
    trained = (Paragraph(text=say("The model was trained on {n_rows} rows.", n_rows=number(rows))),) if rows else ()
    return (
        *trained,
        *draft.once("dataset", lambda: dataset_blocks(draft)),
        *draft.once("splits", lambda: split_blocks(draft)),
        *draft.once("warnings", lambda: warning_blocks(draft)),
        *draft.stated("data_origin"),
    )


def _quantitative(draft: Draft) -> Blocks:
    return (
        *draft.once("performance", lambda: performance_blocks(draft)),
        *draft.once("calibration", lambda: calibration_blocks(draft)),
        *draft.once("groups", lambda: group_blocks(draft)),
    )


def _ethical(draft: Draft) -> Blocks:
    told = [
        found
        for audit in draft.evidence.audits
        if any(difference.is_told_apart for difference in audit.differences)
        for found in audit.sentences
    ]
    measured = (Bullets(items=tuple(dict.fromkeys(told))),) if told else ()
    return (*draft.stated("ethical_considerations"), *measured)


def _caveats(draft: Draft) -> Blocks:
    return (*limitation_blocks(draft), *draft.stated("limitations"))


def limitation_blocks(draft: Draft) -> Blocks:
    """The limits that follow from what was measured."""
    title = Paragraph(text=say("Limits that follow from what was measured"), is_strong=True)
    return draft.once("limitations", lambda: (title, Bullets(items=measured_limitations(draft.evidence))))


BUILDERS: Mapping[str, Builder] = {
    "model_details": _model_details,
    "intended_use": _intended_use,
    "factors": _factors,
    "metrics": _metrics,
    "evaluation_data": _evaluation_data,
    "training_data": _training_data,
    "quantitative_analyses": _quantitative,
    "ethical": _ethical,
    "caveats": _caveats,
}
