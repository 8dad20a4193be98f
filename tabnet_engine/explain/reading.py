"""Explanations in plain sentences. No torch.

The wording keeps three things apart: masks say what was *read*, step contributions and SHAP values say
what *moved* the score, agreement says how far to trust either. Masks are never called reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.explain.attribution import Attribution, position_of
from tabnet_engine.explain.mask_summaries import MaskSummary
from tabnet_engine.explain.timeline import StepReading, StepTimeline
from tabnet_engine.explain.wording import amount, column_name, joined, percent, signed

__all__ = [
    "Score",
    "attribution_sentences",
    "summary_sentences",
    "timeline_sentences",
]

_ENOUGH_READ = 0.6  # naming stops once the named columns hold this share of a mask
_MOST_NAMED = 3
_INACTIVE = 0.005  # a step below half a per cent of the decision is said to have had no part


@dataclass(frozen=True)
class Score:
    """What one logit is called: its name in a sentence, and whether it stands in the target's own unit."""

    name: str
    task: Task

    @classmethod
    def of(cls, task: Task, output: str) -> Score:
        """The score that belongs to an output: log-odds, a class's score, or the prediction itself."""
        # A class or target that is called by a number must not look like a quantity.
        if task is Task.REGRESSION:
            return cls(f"the predicted {column_name(output) if output.isdecimal() else output}", task)
        shown = f"class {output}" if output.isdecimal() else output
        return cls(f"the {'log-odds' if task is Task.BINARY else 'score'} of {shown}", task)

    @classmethod
    def of_output(cls, targets: TargetCodecs, output: int) -> Score:
        """The score of one of a model's K outputs; with several targets it says whose: "income = >50K"."""
        codec, _ = targets.owner(output)
        return cls.of(codec.task, targets.outputs[output])

    def value(self, logit: float) -> str:
        """A value of this score as text; for a binary task with the probability it means."""
        if self.task is Task.REGRESSION:
            return f"{'−' if logit < 0 else ''}{amount(logit)}"
        if self.task is Task.MULTICLASS:
            return signed(logit)
        return f"{signed(logit)}, a probability of {percent(1 / (1 + np.exp(-logit)))}"


def timeline_sentences(timeline: StepTimeline, score: Score, *, output: int = 0) -> tuple[str, ...]:
    """One sentence for each decision step of a row, and one for where they lead.

    Example: "Step 2 read mostly capital-gain (62 %) and added 0.81 to the log-odds of >50K."
    """
    steps = tuple(_step_sentence(step, score, output) for step in timeline.steps)
    base, logit = float(timeline.base[output]), float(timeline.logits[output])
    start = f"Starting from {score.value(base)}, the" if score.task is Task.REGRESSION else "The"
    return (*steps, f"{start} steps together make {score.name} {score.value(logit)}.")


def _step_sentence(step: StepReading, score: Score, output: int) -> str:
    read = f"Step {step.step} read {_columns_read(step)}"
    if step.share < _INACTIVE:
        return f"{read}, but had no part in the decision."
    return f"{read} and {_change(float(step.contributions[output]))} {score.name}."


def _columns_read(step: StepReading) -> str:
    named: list[str] = []
    total = 0.0
    for column in step.features[:_MOST_NAMED]:
        named.append(f"{column_name(column.feature)} ({percent(column.share)})")
        total += column.share
        if total >= _ENOUGH_READ:
            break
    if not named:
        return "no column"
    if total > 1 - _INACTIVE:
        return f"only {joined(named)}"
    return f"mostly {joined(named)}" if total >= 0.5 else f"many columns, most of all {joined(named)}"


def _change(value: float) -> str:
    if value == 0:
        return "added nothing to"
    return f"added {amount(value)} to" if value > 0 else f"took {amount(value)} from"


def attribution_sentences(
    attribution: Attribution,
    row: int,
    score: Score,
    *,
    values: Mapping[str, str] | None = None,
    output: int = 0,
    limit: int = 3,
) -> tuple[str, ...]:
    """Where a row's score stands against the background, and the columns that moved it most.

    Args:
        attribution: values that include the row.
        row: its row number in the table.
        score: what the output is called.
        values: the row's cells as text, by column.
        output: position of the output.
        limit: the most columns to name; the others are summed up in one sentence.

    Raises:
        KeyError: the attribution does not include the row.
    """
    position = position_of(attribution.rows, row)
    if position is None:
        raise KeyError(f"row {row} is not among the {attribution.n_rows} explained rows")
    signed_values = attribution.values[position, :, output]
    order = np.argsort(-np.abs(signed_values), kind="stable")
    order = order[np.abs(signed_values[order]) > 0]
    named = [_push_sentence(attribution, position, int(index), output, values or {}, score) for index in order[:limit]]
    rest = order[limit:]
    if len(rest):
        total = float(signed_values[rest].sum())
        columns = "column" if len(rest) == 1 else "columns together"
        named.append(f"The other {len(rest):,} {columns} moved it by {signed(total)}.")
    return (_comparison(attribution, position, output, score), *named)


def _comparison(attribution: Attribution, position: int, output: int, score: Score) -> str:
    base, logit = float(attribution.base[output]), float(attribution.logits[position, output])
    difference = logit - base
    direction = "above" if difference >= 0 else "below"
    return (
        f"In this row {score.name} is {score.value(logit)}: {amount(difference)} {direction} the mean of the "
        f"{attribution.background.n_rows:,} background rows ({score.value(base)})."
    )


def _push_sentence(
    attribution: Attribution, position: int, feature: int, output: int, values: Mapping[str, str], score: Score
) -> str:
    name = attribution.features[feature]
    value = float(attribution.values[position, feature, output])
    cell = f" = {values[name]}" if name in values else ""
    error = attribution.standard_error
    spread = "" if error is None else f" (± {amount(float(error[position, feature, output]))})"
    direction = "up" if value > 0 else "down"
    return f"{column_name(name, start=True)}{cell} moved {score.name} {direction} by {amount(value)}{spread}."


def summary_sentences(summary: MaskSummary) -> tuple[str, ...]:
    """What the steps read over many rows: one sentence a step, then reuse and rows without reading."""
    sentences = [_mean_step_sentence(summary, step) for step in range(summary.n_steps)]
    reused = [index for index in summary.order[:_MOST_NAMED].tolist() if summary.reuse[index] >= 0.5]
    if reused:
        names = joined(
            [f"{column_name(summary.features[index])} ({percent(summary.reuse[index])} of rows)" for index in reused]
        )
        sentences.append(f"Read by more than one step: {names}.")
    if summary.n_silent:
        sentences.append(
            f"In {summary.n_silent:,} of {summary.n_rows:,} rows no step was active; there the score is the base alone."
        )
    return tuple(sentences)


def _mean_step_sentence(summary: MaskSummary, step: int) -> str:
    mean = summary.mean_masks[step]
    leading = [index for index in np.argsort(-mean, kind="stable")[:_MOST_NAMED].tolist() if mean[index] > 0]
    names = joined([f"{column_name(summary.features[index])} ({percent(float(mean[index]))})" for index in leading])
    return (
        f"Step {step + 1} makes {percent(float(summary.mean_step_shares[step]))} of the decision on average; it reads "
        f"{names or 'no column'} most, and {summary.columns_read[step]:.1f} columns in a row."
    )
