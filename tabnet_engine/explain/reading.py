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
from tabnet_engine.explain.wording import amount, class_name, column_name, joined, percent, signed
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = [
    "Score",
    "attribution_sentences",
    "summary_sentences",
    "timeline_sentences",
]

_ENOUGH_READ = 0.6  # naming stops once the named columns hold this share of a mask
_MOST_NAMED = 3
_INACTIVE = 0.005  # a step below half a per cent of the decision is said to have had no part

# By how a step's reading is spread, and what the step did to the score.
_STEP_SENTENCES = {
    ("nothing", "idle"): msg("Step {step} read no column, but had no part in the decision."),
    ("nothing", "up"): msg("Step {step} read no column and added {amount} to {score}."),
    ("nothing", "down"): msg("Step {step} read no column and took {amount} from {score}."),
    ("nothing", "same"): msg("Step {step} read no column and added nothing to {score}."),
    ("only", "idle"): msg("Step {step} read only {columns}, but had no part in the decision."),
    ("only", "up"): msg("Step {step} read only {columns} and added {amount} to {score}."),
    ("only", "down"): msg("Step {step} read only {columns} and took {amount} from {score}."),
    ("only", "same"): msg("Step {step} read only {columns} and added nothing to {score}."),
    ("mostly", "idle"): msg("Step {step} read mostly {columns}, but had no part in the decision."),
    ("mostly", "up"): msg("Step {step} read mostly {columns} and added {amount} to {score}."),
    ("mostly", "down"): msg("Step {step} read mostly {columns} and took {amount} from {score}."),
    ("mostly", "same"): msg("Step {step} read mostly {columns} and added nothing to {score}."),
    ("many", "idle"): msg("Step {step} read many columns, most of all {columns}, but had no part in the decision."),
    ("many", "up"): msg("Step {step} read many columns, most of all {columns} and added {amount} to {score}."),
    ("many", "down"): msg("Step {step} read many columns, most of all {columns} and took {amount} from {score}."),
    ("many", "same"): msg("Step {step} read many columns, most of all {columns} and added nothing to {score}."),
}


@dataclass(frozen=True)
class Score:
    """What one logit is called: its name in a sentence, and whether it stands in the target's own unit."""

    name: str
    task: Task

    @classmethod
    def of(cls, task: Task, output: str) -> Score:
        """The score that belongs to an output: log-odds, a class's score, or the prediction itself."""
        if task is Task.REGRESSION:
            return cls(say("the predicted {target}", target=column_name(output)), task)
        shown = class_name(output)
        if task is Task.BINARY:
            return cls(say("the log-odds of {output}", output=shown), task)
        return cls(say("the score of {output}", output=shown), task)

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
        share = percent(1 / (1 + np.exp(-logit)))
        return say("{log_odds}, a probability of {probability}", log_odds=signed(logit), probability=share)


def timeline_sentences(timeline: StepTimeline, score: Score, *, output: int = 0) -> tuple[str, ...]:
    """One sentence for each decision step of a row, and one for where they lead.

    Example: "Step 2 read mostly capital-gain (62 %) and added 0.81 to the log-odds of >50K."
    """
    steps = tuple(_step_sentence(step, score, output) for step in timeline.steps)
    base, logit = score.value(float(timeline.base[output])), score.value(float(timeline.logits[output]))
    if score.task is Task.REGRESSION:
        whole = say(
            "Starting from {base}, the steps together make {score} {value}.", base=base, score=score.name, value=logit
        )
    else:
        whole = say("The steps together make {score} {value}.", score=score.name, value=logit)
    return (*steps, whole)


def _step_sentence(step: StepReading, score: Score, output: int) -> str:
    spread, columns = _columns_read(step)
    added = float(step.contributions[output])
    change = "same" if added == 0 else "up" if added > 0 else "down"
    return say(
        _STEP_SENTENCES[spread, "idle" if step.share < _INACTIVE else change],
        step=step.step,
        columns=columns,
        amount=amount(added),
        score=score.name,
    )


def _columns_read(step: StepReading) -> tuple[str, str]:
    """How the reading is spread, a key of the sentences above, and the leading columns with their shares."""
    named: list[str] = []
    total = 0.0
    for column in step.features[:_MOST_NAMED]:
        named.append(_share_of(column.feature, column.share))
        total += column.share
        if total >= _ENOUGH_READ:
            break
    if not named:
        return "nothing", ""
    if total > 1 - _INACTIVE:
        return "only", joined(named)
    return ("mostly" if total >= 0.5 else "many"), joined(named)


def _share_of(feature: str, share: float) -> str:
    return say("{column} ({share})", column=column_name(feature), share=percent(share))


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
        named.append(
            say_plural(
                "The other {count} column moved it by {change}.",
                "The other {count:,} columns together moved it by {change}.",
                len(rest),
                change=signed(total),
            )
        )
    return (_comparison(attribution, position, output, score), *named)


def _comparison(attribution: Attribution, position: int, output: int, score: Score) -> str:
    base, logit = float(attribution.base[output]), float(attribution.logits[position, output])
    places = {
        "score": score.name,
        "value": score.value(logit),
        "difference": amount(logit - base),
        "n_rows": attribution.background.n_rows,
        "base": score.value(base),
    }
    if logit >= base:
        return say(
            "In this row {score} is {value}: {difference} above the mean of the {n_rows:,} background rows ({base}).",
            **places,
        )
    return say(
        "In this row {score} is {value}: {difference} below the mean of the {n_rows:,} background rows ({base}).",
        **places,
    )


def _push_sentence(
    attribution: Attribution, position: int, feature: int, output: int, values: Mapping[str, str], score: Score
) -> str:
    name = attribution.features[feature]
    value = float(attribution.values[position, feature, output])
    shown = column_name(name, start=True)
    size, error = amount(value), attribution.standard_error
    if error is not None:
        size = f"{size} (± {amount(float(error[position, feature, output]))})"
    cell = f"{shown} = {values[name]}" if name in values else shown
    if value > 0:
        return say("{cell} moved {score} up by {amount}.", cell=cell, score=score.name, amount=size)
    return say("{cell} moved {score} down by {amount}.", cell=cell, score=score.name, amount=size)


def summary_sentences(summary: MaskSummary) -> tuple[str, ...]:
    """What the steps read over many rows: one sentence a step, then reuse and rows without reading."""
    sentences = [_mean_step_sentence(summary, step) for step in range(summary.n_steps)]
    reused = [index for index in summary.order[:_MOST_NAMED].tolist() if summary.reuse[index] >= 0.5]
    if reused:
        names = joined(
            [
                say("{column} ({share} of rows)", column=column_name(summary.features[index]), share=percent(share))
                for index, share in ((index, float(summary.reuse[index])) for index in reused)
            ]
        )
        sentences.append(say("Read by more than one step: {columns}.", columns=names))
    if summary.n_silent:
        sentences.append(
            say(
                "In {n_silent:,} of {n_rows:,} rows no step was active; there the score is the base alone.",
                n_silent=summary.n_silent,
                n_rows=summary.n_rows,
            )
        )
    return tuple(sentences)


def _mean_step_sentence(summary: MaskSummary, step: int) -> str:
    mean = summary.mean_masks[step]
    leading = [index for index in np.argsort(-mean, kind="stable")[:_MOST_NAMED].tolist() if mean[index] > 0]
    places = {
        "step": step + 1,
        "share": percent(float(summary.mean_step_shares[step])),
        "n_read": float(summary.columns_read[step]),
    }
    if not leading:
        return say(
            "Step {step} makes {share} of the decision on average; it reads no column most, and {n_read:.1f} columns "
            "in a row.",
            **places,
        )
    return say(
        "Step {step} makes {share} of the decision on average; it reads {columns} most, and {n_read:.1f} columns in "
        "a row.",
        columns=joined([_share_of(summary.features[index], float(mean[index])) for index in leading]),
        **places,
    )
