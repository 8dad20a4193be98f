"""What the users of a model must be told: provider, accuracy, misuse, groups, inputs, outputs, oversight, logs."""

from __future__ import annotations

from collections.abc import Mapping

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.trust.finding import Family
from tabnet_engine.report.document import Bullets, Facts, Paragraph
from tabnet_engine.report.measured_words import number
from tabnet_engine.report.model.data_blocks import column_blocks
from tabnet_engine.report.model.draft import Blocks, Builder, Draft
from tabnet_engine.report.model.explanation_blocks import UNDERSTANDING, certificate_blocks, importance_blocks
from tabnet_engine.report.model.group_blocks import group_blocks, proxy_blocks
from tabnet_engine.report.model.performance_blocks import calibration_blocks, performance_blocks
from tabnet_engine.report.model.training_blocks import identity_facts
from tabnet_engine.runs.run import WEIGHTS
from tabnet_engine.texts.speaking import msg, say

__all__ = ["BUILDERS"]

_KIBIBYTE = 1024

_PROTECTED = (
    msg("Weights and all parts of the run are stored with their SHA-256, and compared with it whenever they are read."),
    msg("No part of a run is code: weights are stored as plain tensors, everything else as JSON or Parquet."),
)
_OVERSEEN = (
    msg(
        "A decision report names the reasons that moved the score and, where it was asked for, how robust each is and "
        "what would have changed the outcome."
    ),
    msg(
        "A report is a draft until a person has reviewed it and signed it with a name; a signed one cannot be changed."
    ),
    msg("A reason that rests on a column declared as protected, or on a proxy of one, blocks the report."),
)
_LOGGED = (
    msg("Every report carries a case number, its time, the run, and the hashes of model, data and configuration."),
    msg("Every step of a report's review is written to a log in which each line carries the hash of the one before."),
    msg("From an evidence pack a decision and its reasons can be computed again from the model, and compared."),
)
_OUTPUTS: Mapping[Task, str] = {
    Task.BINARY: msg(
        "For “{target}” the output is the log-odds of “{positive}”; its probability follows from it. It is an estimate "
        "for rows like those of the training, not a certainty about one person."
    ),
    Task.MULTICLASS: msg(
        "For “{target}” there is one output a class; their probabilities add up to one. The predicted class is the one "
        "of the highest probability, which may be low."
    ),
    Task.REGRESSION: msg(
        "For “{target}” the output is the expected quantity, in the unit of the table; it comes without an interval of "
        "its own: see the error on held-out rows."
    ),
}


def _provider(draft: Draft) -> Blocks:
    return draft.stated_keys("facts.provider", "organisation.name", "organisation.address", "organisation.contact")


def _intended_purpose(draft: Draft) -> Blocks:
    return (
        *draft.once("identity", lambda: (identity_facts(draft),)),
        *draft.stated("purpose", "intended_use", "prohibited_use"),
    )


def _accuracy(draft: Draft) -> Blocks:
    return (
        *draft.once("performance", lambda: performance_blocks(draft)),
        *draft.once("calibration", lambda: calibration_blocks(draft)),
        Paragraph(text=say("Robustness of explanations"), is_strong=True),
        *draft.once("stability", lambda: certificate_blocks(draft, (Family.STABILITY,))),
        Paragraph(text=say("Cybersecurity"), is_strong=True),
        Bullets(items=tuple(map(say, _PROTECTED))),
        *draft.stated("cybersecurity"),
    )


def _misuse(draft: Draft) -> Blocks:
    return draft.stated("foreseeable_misuse", "prohibited_use")


def _group_performance(draft: Draft) -> Blocks:
    return (
        *draft.once("groups", lambda: group_blocks(draft)),
        *draft.once("proxies", lambda: proxy_blocks(draft)),
    )


def _input_specification(draft: Draft) -> Blocks:
    return draft.once("columns", lambda: column_blocks(draft))


def _output_interpretation(draft: Draft) -> Blocks:
    codecs = draft.evidence.run.targets.codecs
    told = [
        say(_OUTPUTS[codec.task], target=codec.name, positive=codec.classes[1] if len(codec.classes) > 1 else "")
        for codec in codecs
    ]
    reasons = say(
        "Masks say what was read, not why. Reasons are signed attributions against a stated reference; other methods "
        "and their agreement stand beside them."
    )
    return (
        *(Paragraph(text=text) for text in (*told, reasons)),
        *draft.once("importances", lambda: importance_blocks(draft)),
        *draft.once("certificate", lambda: certificate_blocks(draft, UNDERSTANDING)),
    )


def _oversight(draft: Draft) -> Blocks:
    return (*draft.stated("human_oversight", "controls"), Bullets(items=tuple(map(say, _OVERSEEN))))


def _resources(draft: Draft) -> Blocks:
    run = draft.evidence.run
    size = run.path(WEIGHTS).stat().st_size / _KIBIBYTE
    lines = [(say("Size of the weights"), say("{size} KiB", size=number(round(size))))]
    if not draft.evidence.is_imported:
        lines += [
            (say("Seconds of training"), number(round(run.manifest.seconds, 1))),
            (say("Trained on the device"), run.manifest.device),
        ]
    return (Facts(lines=tuple(lines)), *draft.stated("resources", "monitoring", "change_log"))


def _logs(draft: Draft) -> Blocks:
    return (Bullets(items=tuple(map(say, _LOGGED))), *draft.stated("retention"))


BUILDERS: Mapping[str, Builder] = {
    "provider": _provider,
    "intended_purpose": _intended_purpose,
    "accuracy": _accuracy,
    "misuse": _misuse,
    "group_performance": _group_performance,
    "input_specification": _input_specification,
    "output_interpretation": _output_interpretation,
    "oversight": _oversight,
    "resources": _resources,
    "logs": _logs,
}
