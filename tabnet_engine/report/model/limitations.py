"""Limits of a model that follow from what was measured of it, each as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tabnet_engine.data.profile import Severity
from tabnet_engine.explain.agreement import rank_agreement
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.audit import FOUR_FIFTHS, SMALL_GROUP, GroupAudit, GroupRecord
from tabnet_engine.explain.trust.finding import Family
from tabnet_engine.figures.group_rows import group_name
from tabnet_engine.report.measured_words import cell, estimate_text, share
from tabnet_engine.report.model.evidence import ModelEvidence
from tabnet_engine.report.model.judging import JudgedRows, JudgedTarget
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["measured_limitations"]

_FEW_ROWS = 500
_FEW_OF_CLASS = 50
_MUCH_MISSING = 0.2
_WEAK_AGREEMENT = 0.5

_SAME_TABLE = msg(
    "Every score is that of rows of the same table as the training: nothing was measured on later data or on other "
    "people."
)
_NO_CAUSE = msg("Explanations say how the model uses columns; they do not say what causes an outcome.")
_WEAK = {
    Family.FAITHFULNESS: msg(
        "No measured figure of faithfulness is told apart, for the better, from useless explanations: explanations of "
        "single rows must not be relied on."
    ),
    Family.STABILITY: msg(
        "No measured figure of stability is told apart, for the better, from useless explanations: explanations may "
        "change with small changes of a row."
    ),
    Family.AGREEMENT: msg(
        "No measured figure of agreement between methods is told apart, for the better, from useless explanations."
    ),
    Family.RANDOMISATION: msg(
        "No measured figure of randomisation is told apart, for the better, from useless explanations: explanations "
        "may not follow what was learned."
    ),
}


def measured_limitations(evidence: ModelEvidence) -> tuple[str, ...]:
    """One sentence for each limit found: of the rows, the data, the fit, the explanations, the groups."""
    return tuple(
        dict.fromkeys(
            (
                *_of_rows(evidence),
                *_of_data(evidence),
                *_of_fit(evidence),
                *_of_explanations(evidence),
                *_of_groups(evidence),
                say(_NO_CAUSE),
            )
        )
    )


def _of_rows(evidence: ModelEvidence) -> Iterator[str]:
    judged = evidence.judged
    if evidence.is_imported:
        yield say("The model was imported: how it was trained, and on which rows, is not known here.")
    if judged is None:
        yield say("No score was measured with an interval.")
        return
    if not judged.is_held_out:
        yield say("Which rows the model learned from is not known: its scores may be too kind.")
    elif not evidence.was_tested_elsewhere:
        yield say(_SAME_TABLE)
    if judged.is_held_out and not judged.is_test and not evidence.was_tested_elsewhere:
        yield say("No rows were kept for a test: the rows it is judged on chose the epoch.")
    for target in judged.targets:
        yield from _of_outcomes(target)


def _of_outcomes(target: JudgedTarget) -> Iterator[str]:
    name = target.codec.name
    if target.n_known < _FEW_ROWS:
        yield say(
            "The scores of “{target}” rest on {n_rows:,} rows only; their intervals are wide.",
            target=name,
            n_rows=target.n_known,
        )
    counts = {class_name: round((found.value or 0.0) * found.n) for class_name, found in target.shares.items()}
    few = [f"“{class_name}” ({count:,})" for class_name, count in counts.items() if count < _FEW_OF_CLASS]
    if few:
        yield say(
            "Outcomes of “{target}” that came in fewer than {least} of these rows, so that little is known of how the "
            "model does on them: {classes}.",
            target=name,
            least=_FEW_OF_CLASS,
            classes=cell(few),
        )


def _of_data(evidence: ModelEvidence) -> Iterator[str]:
    for note in evidence.run.manifest.notes:
        yield _sentence(recalled(note))
    table = evidence.table
    if table is None:
        return
    read = set(evidence.run.schema.feature_names)
    for warning in table.profile.warnings:
        if warning.severity is not Severity.INFO:
            yield _sentence(recalled(warning.text))
    much = [
        f"{column.name} ({share(column.missing_share)})"
        for column in table.profile.columns
        if column.name in read and column.missing_share >= _MUCH_MISSING
    ]
    if much:
        yield say("Cells are missing in a fifth of the rows or more: {columns}.", columns=cell(much))
    if table.unseen:
        found = [f"{name} ({estimate_text(one, share)})" for name, one in table.unseen.items()]
        yield say(
            "Held-out rows hold categories that the training never saw, which are read as unseen: {columns}.",
            columns=cell(found),
        )


def _of_fit(evidence: ModelEvidence) -> Iterator[str]:
    history = evidence.run.history
    if len(history) and history.best_epoch == len(history) and len(history) > 1:
        yield say("The last epoch was the best one: the training may have ended early.")
    if evidence.judged is not None:
        yield from _of_calibration(evidence.judged)


def _of_calibration(judged: JudgedRows) -> Iterator[str]:
    for target in judged.targets:
        name = target.codec.name
        slope = target.calibration.get("calibration_slope")
        if _excludes(slope, 1.0):
            text = _STEEP if (slope.value or 0.0) < 1 else _FLAT  # type: ignore[union-attr]
            yield say(text, target=name, slope=estimate_text(slope))
        error, chance = (target.calibration.get(key) for key in ("calibration_error", "calibration_error_by_chance"))
        if error and chance and error.low is not None and chance.high is not None and error.low > chance.high:
            yield say(_OFF, target=name, error=estimate_text(error), chance=estimate_text(chance))
        for text, sign in ((_LOW, 1), (_HIGH, -1)):
            found = [
                f"“{_about(target, key)}” ({estimate_text(one)})"
                for key, one in target.calibration.items()
                if key.startswith("calibration_in_the_large") and _excludes(one, 0.0) and sign * (one.value or 0.0) > 0
            ]
            if found:
                yield say(text, about=cell(found))


def _about(target: JudgedTarget, key: str) -> str:
    """The class, or the quantity, that a measure of calibration speaks of."""
    return key.partition(": ")[2] or target.about or target.codec.name


_OFF = msg(
    "Predictions of “{target}” are not calibrated: the calibration error is {error}, by chance alone it would be "
    "{chance}."
)
_STEEP = msg("Predictions of “{target}” are too extreme: the calibration slope is {slope}.")
_FLAT = msg("Predictions of “{target}” are not extreme enough: the calibration slope is {slope}.")
_LOW = msg("Predictions that are too low on average (in brackets the outcome minus the prediction): {about}.")
_HIGH = msg("Predictions that are too high on average (in brackets the outcome minus the prediction): {about}.")


def _excludes(found: Estimate | None, value: float) -> bool:
    return (
        found is not None and found.low is not None and found.high is not None and not found.low <= value <= found.high
    )


def _of_explanations(evidence: ModelEvidence) -> Iterator[str]:
    found = evidence.importances
    if found is not None:
        for first, second in combinations(found.methods, 2):
            agreement = rank_agreement(first, second)
            if agreement.spearman is not None and agreement.spearman < _WEAK_AGREEMENT:
                yield say(
                    "{first} and {second} order the columns differently (Spearman {spearman:.2f}): which columns "
                    "matter depends on the method.",
                    first=first.name,
                    second=second.name,
                    spearman=agreement.spearman,
                )
    yield from evidence.mask_problems
    certificate = evidence.certificate
    if certificate is None:
        yield say("How far explanations can be trusted was not measured.")
        return
    for family, text in _WEAK.items():
        findings = certificate.of_family(family)
        if findings and not any(finding.stands for finding in findings):
            yield say(text)


def _of_groups(evidence: ModelEvidence) -> Iterator[str]:
    if not evidence.audits:
        yield say("The model was not measured by group: nothing is known of differences between groups.")
    for audit in evidence.audits:
        for sentence in _of_audit(audit):
            yield say("Groups of “{column}”: {sentence}", column=audit.title, sentence=sentence)
    for report in evidence.proxies:
        told = [proxy.column for proxy in report.proxies if proxy.is_told_apart and proxy.is_read]
        if told:
            yield say(
                "The model reads columns that tell “{column}” in part: {columns}.",
                column=report.column,
                columns=cell(told),
            )


def _of_audit(audit: GroupAudit) -> Iterator[str]:
    """Differences that are told apart, groups that are selected seldom, and how many groups have few rows."""
    n_told = sum(found.is_told_apart for found in audit.differences)
    yield from audit.sentences[:n_told]
    low = [_quoted(audit, group.name) for group in audit.groups if _is_low(group, of_interval=False)]
    sure = [_quoted(audit, group.name) for group in audit.groups if _is_low(group, of_interval=True)]
    if sure:
        yield say(_SURELY_LOW, groups=cell(sure), reference=_quoted(audit, audit.reference))
    if perhaps := [name for name in low if name not in sure]:
        yield say(_PERHAPS_LOW, groups=cell(perhaps), reference=_quoted(audit, audit.reference))
    n_small = sum(group.is_small for group in audit.groups)
    if n_small:
        yield say(
            "{n_small:,} of {n_groups:,} groups have fewer than {least} rows with a known outcome: little is known of "
            "them.",
            n_small=n_small,
            n_groups=len(audit.groups),
            least=SMALL_GROUP,
        )


_SURELY_LOW = msg(
    "selected less than four fifths as often as {reference}, with the whole 95 % interval below: {groups}."
)
_PERHAPS_LOW = msg(
    "selected less than four fifths as often as {reference}, with a 95 % interval that reaches above: {groups}."
)


def _quoted(audit: GroupAudit, name: str) -> str:
    return f"“{group_name(audit, name)}”"


def _is_low(group: GroupRecord, *, of_interval: bool) -> bool:
    ratio = group.measures.get("selection_ratio")
    value = None if ratio is None else ratio.high if of_interval else ratio.value
    return value is not None and value < FOUR_FIFTHS


def _sentence(text: str) -> str:
    """A stored note as a sentence of its own."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "。", "!", "?")) else say("{note}.", note=whole)
