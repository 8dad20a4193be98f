"""Scores of two runs on the same rows with their paired differences, as blocks of their comparison."""

from __future__ import annotations

from functools import partial

from tabnet_engine.explain.comparison.metrics import VERDICTS, MetricDifference
from tabnet_engine.explain.wording import clauses
from tabnet_engine.report.comparison.compared import Compared
from tabnet_engine.report.document import Block, Bullets, Paragraph, Table
from tabnet_engine.report.measured_words import estimate_text, metric_text, number, score, signed_text
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

__all__ = ["metric_blocks", "metric_sentences"]

_MAIN = ("auc", "accuracy", "log_loss", "rmse", "mae", "r2")


def metric_blocks(compared: Compared) -> tuple[Block, ...]:
    """Every score of both runs, the paired difference with its interval, and how it was made."""
    if not compared.metrics:
        return (Paragraph(text=say("No outcome is known of rows that both runs score, so scores cannot be compared.")),)
    table = Table(
        caption=say("Scores of both runs on the same rows, with 95 % intervals"),
        columns=(say("Measure"), *compared.names, say("Difference"), say("The challenger is"), say("Rows")),
        rows=tuple(map(_line, compared.metrics)),
        numeric=(1, 2, 3, 5),
        note=_how(compared),
    )
    return (Bullets(items=metric_sentences(compared)), table)


def metric_sentences(compared: Compared) -> tuple[str, ...]:
    """One sentence for each main score that tells the runs apart; or that none does."""
    if not compared.metrics:
        return (say("No outcome is known of rows that both runs score, so scores cannot be compared."),)
    apart = [one for one in compared.metrics if one.verdict in ("better", "worse")]
    told = [one for one in apart if one.name in _MAIN] or apart
    if not told:
        return (
            say("No score tells the two runs apart on these rows: no 95 % interval of a difference leaves zero out."),
        )
    return tuple(_sentence(compared, one) for one in told)


def _sentence(compared: Compared, metric: MetricDifference) -> str:
    places = {
        "first": compared.names[0],
        "second": compared.names[1],
        "score": metric_text(metric.name),
        "mine": _shown(metric.name, metric.second.value),
        "yours": _shown(metric.name, metric.first.value),
    }
    if metric.verdict == "better":
        return say("{second} is better than {first} by its {score}: {mine} against {yours}.", **places)
    return say("{second} is worse than {first} by its {score}: {mine} against {yours}.", **places)


def _shown(name: str, value: float | None) -> str:
    return "–" if value is None else score(name, value)


def _line(metric: MetricDifference) -> tuple[str, ...]:
    show = partial(score, metric.name)
    return (
        metric_text(metric.name),
        estimate_text(metric.first, show),
        estimate_text(metric.second, show),
        estimate_text(metric.difference, signed_text),
        say(VERDICTS[metric.verdict]),
        number(metric.difference.n),
    )


def _how(compared: Compared) -> str:
    """How the intervals of the differences were made, each way once."""
    ways = dict.fromkeys(recalled(metric.difference.how) for metric in compared.metrics if metric.difference.how)
    return say(
        "The difference is that of the challenger minus the champion. Intervals: {ways}.", ways=clauses(list(ways))
    )
