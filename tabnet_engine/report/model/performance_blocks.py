"""Scores and calibration of a run with their intervals, as blocks of its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.audit import MEASURES
from tabnet_engine.explain.wording import clauses, listed
from tabnet_engine.figures.plain import Line, LineChart
from tabnet_engine.report.document import Block, Callout, ChartBlock, Paragraph, Table
from tabnet_engine.report.measured_words import estimate_text, metric_text, number, score, share, split_name, together
from tabnet_engine.report.model.draft import Blocks, Draft
from tabnet_engine.report.model.judging import JudgedTarget
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["calibration_blocks", "measure_blocks", "performance_blocks"]

_MOST_CLASSES = 25
_HOW_TO_TABLE = msg(
    "Intervals and calibration were not measured: the run keeps no rows with a known outcome, and no table was given. "
    "Give the table that the run was trained on."
)
_NO_TEST = msg(
    "The run kept no test rows of its table. These scores are those of the validation rows, by which the epoch was "
    "chosen, so they flatter the model a little."
)
_TEST_TABLE = msg(
    "At the training a second table was given for the test. The run does not keep it, so its scores stand here as they "
    "were stored, without intervals."
)
_NOT_HELD_OUT = msg(
    "Which rows the model learned from is not known, so these scores may flatter it: rows that it learned from may be "
    "among those that it is judged on."
)


def performance_blocks(draft: Draft) -> Blocks:
    """Every score of every target with its interval; the stored scores where no row is left to measure."""
    judged = draft.evidence.judged
    if judged is None:
        return _stored_scores(draft)
    blocks: list[Block] = [Paragraph(text=say("Measured on {rows}.", rows=judged.words))]
    if not judged.is_held_out:
        blocks.append(draft.missing("evaluation.held_out", say(_NOT_HELD_OUT)))
    elif not judged.is_test:
        blocks.append(Callout(tone="warning", text=say(_NO_TEST)))
    if judged.unlike:
        blocks.append(draft.missing("evaluation.held_out", _unlike(judged.unlike)))
    if judged.targets and all(_has_no_interval(target.scores) for target in judged.targets):
        blocks.append(draft.missing("measured.intervals", say("So few rows give no score an interval.")))
    blocks += [_score_table(target) for target in judged.targets]
    if draft.evidence.was_tested_elsewhere:
        metrics = draft.evidence.run.manifest.metrics
        blocks += [Paragraph(text=say(_TEST_TABLE)), _stored_table({"test": metrics["test"]})]
    return tuple(blocks)


def _unlike(names: Sequence[str]) -> str:
    return say(
        "These scores are not those that the training stored of the same rows ({measures}): the table is not the one "
        "that the run was trained on, or was changed since. Give that table.",
        measures=listed([metric_text(name) for name in names]),
    )


def measure_blocks(draft: Draft) -> Blocks:
    """What each score means, and how its interval is made; nothing where nothing was measured."""
    ways: dict[str, dict[str, None]] = {}
    evidence = draft.evidence
    for target in evidence.judged.targets if evidence.judged is not None else ():
        for name, found in {**target.scores, **target.calibration}.items():
            ways.setdefault(name.partition(": ")[0], {})[recalled(found.how)] = None
    for audit in evidence.audits:
        for name, found in audit.everyone.measures.items():
            ways.setdefault(name.partition(": ")[0], {})[recalled(found.how)] = None
    if evidence.judged is None:
        for key in (key for values in evidence.run.manifest.metrics.values() for key in values):
            ways.setdefault(key.rpartition(": ")[2], {})
    if not ways:
        return ()
    table = Table(
        caption=say("What each measure means"),
        columns=(say("Measure"), say("What it is"), say("Its 95 % interval")),
        rows=tuple((metric_text(name), _meaning(name), clauses(list(found)) or "–") for name, found in ways.items()),
    )
    return (table,)


def calibration_blocks(draft: Draft) -> Blocks:
    """Whether predictions are as high as outcomes are: measures, and a curve of every target."""
    judged = draft.evidence.judged
    if judged is None:
        return (draft.missing("measured.calibration", say(_HOW_TO_TABLE)),)
    blocks: list[Block] = []
    for target in judged.targets:
        blocks += _calibration(target)
    if not any(target.bins for target in judged.targets):
        blocks.append(draft.missing("measured.calibration", say("Too few rows for a calibration curve.")))
    return tuple(blocks)


def _score_table(target: JudgedTarget) -> Table:
    name = target.codec.name
    return Table(
        caption=say("Scores for “{target}”, with 95 % intervals", target=name),
        columns=(say("Measure"), say("Value"), say("95 % interval"), say("Rows")),
        rows=tuple(_line(metric, found) for metric, found in target.scores.items()),
        numeric=(1, 2, 3),
        note=_majority(target),
    )


def _line(name: str, found: Estimate) -> tuple[str, str, str, str]:
    show = partial(score, name)
    value = "–" if found.value is None else show(found.value)
    return metric_text(name), value, _interval(found, name), number(found.n)


def _interval(found: Estimate, name: str) -> str:
    if found.low is None or found.high is None:
        return recalled(found.how)
    return say("{low} to {high}", low=score(name, found.low), high=score(name, found.high))


def _majority(target: JudgedTarget) -> str:
    """What a model without any column would reach: the share of the most frequent class."""
    if not target.shares:
        return ""
    name, largest = max(target.shares.items(), key=lambda item: item[1].value or 0.0)
    return say(
        "For comparison: always saying “{class_name}” would be right in {share} of these rows.",
        class_name=name,
        share=share(largest.value or 0.0),
    )


def _calibration(target: JudgedTarget) -> list[Block]:
    codec = target.codec
    table = Table(
        caption=say("Calibration for “{target}”, with 95 % intervals", target=codec.name),
        columns=(say("Measure"), say("Value"), say("95 % interval"), say("Rows")),
        rows=tuple(_line(name, found) for name, found in _shown_calibration(target).items()),
        numeric=(1, 2, 3),
        note=say(
            "Outcome minus prediction above 0: the model predicts too low. A slope below 1: predictions are too "
            "extreme. The calibration error is never 0 in few rows: compare it with that by chance alone."
        ),
    )
    if not target.bins:
        return [table]
    return [table, ChartBlock(chart=_curve(target), alt=_curve_alt(target), note=_curve_note(target))]


def _shown_calibration(target: JudgedTarget) -> dict[str, Estimate]:
    """The measures; of very many classes the first, and all that are of no single class."""
    of_class = [name for name in target.calibration if ": " in name]
    left_out = set(of_class[_MOST_CLASSES:])
    return {name: found for name, found in target.calibration.items() if name not in left_out}


def _curve(target: JudgedTarget) -> LineChart:
    known = [item for item in target.bins if item.came.value is not None]
    is_quantity = target.codec.task is Task.REGRESSION
    line = Line(
        name=say("Actual outcome, with its 95 % interval"),
        x=tuple(item.predicted for item in known),
        y=tuple(float(item.came.value or 0.0) for item in known),
        low=tuple(_end(item.came, item.came.low) for item in known),
        high=tuple(_end(item.came, item.came.high) for item in known),
    )
    return LineChart(
        title=say("Calibration of “{target}”", target=target.codec.name),
        x_title=say("Mean prediction of the rows") if is_quantity else say("Mean predicted probability of the rows"),
        y_title=say("Mean of the actual values") if is_quantity else say("Share of rows with that outcome"),
        lines=(line,),
        has_diagonal=True,
    )


def _end(came: Estimate, end: float | None) -> float:
    return float((came.value if end is None else end) or 0.0)


def _curve_alt(target: JudgedTarget) -> str:
    """The lowest and the highest bin in words, and how many intervals hold what was predicted."""
    first, last = target.bins[0], target.bins[-1]
    show = number if target.codec.task is Task.REGRESSION else share
    n_held = sum(
        item.came.low is not None and item.came.high is not None and item.came.low <= item.predicted <= item.came.high
        for item in target.bins
    )
    return say(
        "Where the mean prediction was {low}, {low_came} came; where it was {high}, {high_came} came. In {n_held} of "
        "{n_bins} bins the 95 % interval of the actual outcomes holds the mean prediction.",
        low=show(first.predicted),
        low_came=estimate_text(first.came, show),
        high=show(last.predicted),
        high_came=estimate_text(last.came, show),
        n_held=n_held,
        n_bins=len(target.bins),
    )


def _curve_note(target: JudgedTarget) -> str:
    told = say("{n_bins} bins of equally many rows; the diagonal is perfect calibration.", n_bins=len(target.bins))
    if target.codec.task is Task.REGRESSION:
        return told
    if target.about:
        return together(told, say("The probability is that of “{class_name}”.", class_name=target.about))
    return together(told, say("The probability is that of the predicted class."))


def _stored_scores(draft: Draft) -> Blocks:
    """The scores of the training without intervals, or that there are none."""
    metrics = draft.evidence.run.manifest.metrics
    lacking = draft.missing("measured.intervals", say(_HOW_TO_TABLE))
    if not metrics:
        held_out = say("The run holds no scores: it was not tested here. Give a table with its columns and its target.")
        return (draft.missing("evaluation.held_out", held_out),)
    return (lacking, _stored_table(metrics))


def _stored_table(metrics: Mapping[str, Mapping[str, float | None]]) -> Table:
    return Table(
        caption=say("Scores that the run stored"),
        columns=(say("Rows"), say("Measure"), say("Value")),
        rows=tuple(
            (split_name(split), metric_text(name), "–" if value is None else score(name, value))
            for split, scores in metrics.items()
            for name, value in scores.items()
        ),
        numeric=(2,),
    )


def _has_no_interval(scores: dict[str, Estimate]) -> bool:
    return all(found.low is None for found in scores.values())


def _meaning(name: str) -> str:
    return say(MEASURES[name]) if name in MEASURES else name
