"""A plan of what to watch, with triggers taken from the intervals measured now: a proposal, never the owner's plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.figures.group_rows import group_name
from tabnet_engine.report.document import Block, Paragraph, Table
from tabnet_engine.report.measured_words import estimate_text, metric_text, number, score, share
from tabnet_engine.report.model.evidence import ModelEvidence
from tabnet_engine.report.model.judging import JudgedTarget
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.metrics import LOWER_IS_BETTER

__all__ = ["monitoring_blocks"]

_WATCHED_SCORES = ("auc", "accuracy", "log_loss", "rmse", "mae", "r2")
_MOST_COLUMNS = 5
_MOST_GROUPS = 10
_MOST_CLASSES = 5

_PROPOSAL = msg(
    "A proposal that follows from what was measured: each trigger is an end of a 95 % interval measured now. A period "
    "of about as many rows as stand here crosses one by chance in a few cases of a hundred, so look before you act. "
    "The owner decides what is watched, how often, and who acts."
)
_BELOW = msg("below {limit}")
_ABOVE = msg("above {limit}")
_OUTSIDE = msg("outside {low} to {high}")

_Line = tuple[str, str, str, str]


def monitoring_blocks(evidence: ModelEvidence) -> tuple[Block, ...]:
    """The plan as a table; without any measured interval that there is none."""
    lines = (*_of_targets(evidence), *_of_cells(evidence), *_of_groups(evidence))
    if not lines:
        text = say(
            "No interval was measured, so no trigger can be proposed. Give the table that the run was trained on."
        )
        return (Paragraph(text=text),)
    table = Table(
        caption=say("Proposed monitoring, derived from measured intervals"),
        columns=(
            say("Watched"),
            say("Measured now, with its 95 % interval"),
            say("Rows"),
            say("Look into it when it is"),
        ),
        rows=lines,
        numeric=(2,),
    )
    return (Paragraph(text=say(_PROPOSAL)), table)


def _of_targets(evidence: ModelEvidence) -> Iterator[_Line]:
    if evidence.judged is None:
        return
    for target in evidence.judged.targets:
        several = len(evidence.judged.targets) > 1
        for name in _WATCHED_SCORES:
            found = target.scores.get(name)
            if found is not None and found.low is not None and found.high is not None:
                yield _line(_named(metric_text(name), target, several=several), found, partial(score, name), name)
        means = [name for name in target.calibration if name.startswith("calibration_in_the_large")]
        for name in means[:_MOST_CLASSES]:
            found = target.calibration[name]
            yield from _both(_named(metric_text(name), target, several=several), found, partial(score, name))
        show = number if target.codec.task is Task.REGRESSION else share
        yield from _both(_named(_mean_of(target), target, several=several), target.mean_prediction, show)


def _mean_of(target: JudgedTarget) -> str:
    if target.codec.task is Task.REGRESSION:
        return say("mean prediction")
    if target.about:
        return say("mean probability of “{class_name}”", class_name=target.about)
    return say("mean probability of the predicted class")


def _of_cells(evidence: ModelEvidence) -> Iterator[_Line]:
    """Missing cells of the leading columns, and categories that training never saw."""
    table = evidence.table
    if table is None:
        return
    names = list(evidence.run.schema.feature_names)
    if evidence.importances is not None and set(evidence.importances.features) == set(names):
        names = [evidence.importances.features[place] for place in evidence.importances.order("mean").tolist()]
    for name in [one for one in names if one in table.missing][:_MOST_COLUMNS]:
        found = table.missing[name]
        yield from _upper(say("missing cells of “{column}”", column=name), found)
    for name, found in list(table.unseen.items())[:_MOST_COLUMNS]:
        yield from _upper(say("unseen categories of “{column}”", column=name), found)


def _of_groups(evidence: ModelEvidence) -> Iterator[_Line]:
    for audit in evidence.audits:
        if audit in evidence.crossed:  # too many groups of too few rows to watch one by one
            continue
        for group in sorted(audit.groups, key=lambda one: -one.n_rows)[:_MOST_GROUPS]:
            ratio = group.measures.get("selection_ratio")
            if ratio is None or group.name == audit.reference or ratio.low is None or ratio.high is None:
                continue
            watched = say(
                "selection of “{group}” against “{reference}” in “{column}”",
                group=group_name(audit, group.name),
                reference=group_name(audit, audit.reference),
                column=audit.title,
            )
            yield from _both(watched, ratio, number)


def _line(watched: str, found: Estimate, show: Callable[[float], str], name: str) -> _Line:
    worst = found.high if name in LOWER_IS_BETTER else found.low
    trigger = say(_ABOVE if name in LOWER_IS_BETTER else _BELOW, limit=show(float(worst or 0.0)))
    return watched, estimate_text(found, show), number(found.n), trigger


def _both(watched: str, found: Estimate, show: Callable[[float], str]) -> Iterator[_Line]:
    if found.low is None or found.high is None:
        return
    trigger = say(_OUTSIDE, low=show(found.low), high=show(found.high))
    yield watched, estimate_text(found, show), number(found.n), trigger


def _upper(watched: str, found: Estimate) -> Iterator[_Line]:
    if found.high is not None:
        yield watched, estimate_text(found, share), number(found.n), say(_ABOVE, limit=share(found.high))


def _named(measure: str, target: JudgedTarget, *, several: bool) -> str:
    return say("{measure} of “{target}”", measure=measure, target=target.codec.name) if several else measure
