"""Scores and curves of the compared runs: each on its own rows, and the difference on rows that both know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._ui import explain_widgets, measures, runs_compare_access, runs_compare_rows, widgets
from tabnet_engine.explain.comparison.metrics import VERDICTS
from tabnet_engine.explain.wording import signed
from tabnet_engine.figures.comparison import compared_curves, score_differences
from tabnet_engine.figures.training import metric_label, split_metric
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.comparison.metrics import MetricDifference
    from tabnet_engine.explain.estimates import Estimate
    from tabnet_engine.runs.run import Run

__all__ = ["curves", "scores"]

_MAIN = ("auc", "accuracy", "log_loss", "rmse", "mae", "r2", "reconstruction_error")


def scores(runs: Sequence[Run]) -> None:
    """What each run scored on its own test rows, then the differences on the same rows."""
    _own_scores(runs)
    for other in runs[1:]:
        _pair(runs[0], other, several=len(runs) > 2)


def _own_scores(runs: Sequence[Run]) -> None:
    """One line a run; rows of other runs may be among the test rows of each."""
    st.subheader(say("Each run on its own test rows"), anchor=False)
    names = runs_compare_access.run_labels(list(runs))
    found = [run.manifest.metrics.get("test") or run.manifest.metrics.get("validation", {}) for run in runs]
    keys = [key for key in dict.fromkeys(key for values in found for key in values) if split_metric(key)[1] in _MAIN]
    if not keys:
        widgets.info(say("None of these runs has scores: they were not tested here"))
        return
    table = pd.DataFrame(
        {
            say("Run"): names,
            say("Test rows"): [f"{run.manifest.rows.get('test', 0):,}" for run in runs],
            **{_label(key): [widgets.score(key, values.get(key)) for values in found] for key in keys},
        }
    )
    widgets.text_table(table, alt=say("Scores of each run on its own test rows"))
    st.caption(
        say("The test rows of two runs may be different rows, so small differences here say little; the scores on the "
            "same rows follow.")
    )  # fmt: skip


def _pair(first: Run, second: Run, *, several: bool) -> None:
    """The paired differences of one run with the chosen one."""
    names = runs_compare_access.run_labels([first, second])
    if several:
        st.subheader(
            say("{second} against {first}", second=widgets.md(names[1]), first=widgets.md(names[0])), anchor=False
        )
    else:
        st.subheader(say("On the same rows"), anchor=False, help=measures.help_text("paired_difference"))
    pair = runs_compare_rows.chosen_pair(first, second, several=several)
    if pair is None:
        return
    metrics = pair.found.metrics
    if not metrics:
        widgets.info(say("No outcome is known of rows that both runs score, so their scores cannot be compared"))
        return
    runs_compare_rows.rows_caption(pair)
    explain_widgets.bullets(_sentences(metrics, names))
    key = f"differences_{second.run_id}"
    figure = score_differences([m for m in metrics if m.name in _MAIN], first=names[0], second=names[1])
    alt = " ".join(_sentences(metrics, names))
    widgets.chart(figure, key=key, alt=alt, data=lambda: _numbers(metrics))
    widgets.text_table(_table(metrics, names), alt=say("Scores of both runs on the same rows, with their difference"))


def _sentences(metrics: Sequence[MetricDifference], names: list[str]) -> list[str]:
    """One sentence for what is told apart, one for what is not."""
    apart = [metric for metric in metrics if metric.verdict in ("better", "worse")]
    told = [metric for metric in apart if metric.name in _MAIN] or apart
    sentences = [_sentence(metric, names) for metric in told]
    if not told:
        sentences.append(
            say("No score tells the two runs apart on these rows: no 95 % interval of a difference leaves zero out.")
        )
    return sentences


def _sentence(metric: MetricDifference, names: list[str]) -> str:
    values: dict[str, Any] = {
        "second": names[1],
        "first": names[0],
        "score": metric_label(metric.name),
        "mine": widgets.score(metric.name, metric.second.value),
        "yours": widgets.score(metric.name, metric.first.value),
    }
    if metric.verdict == "better":
        return say("{second} is better than {first} by its {score}: {mine} against {yours}.", **values)
    return say("{second} is worse than {first} by its {score}: {mine} against {yours}.", **values)


def _table(metrics: Sequence[MetricDifference], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            say("Score"): [_label(metric.name) for metric in metrics],
            names[0]: [_score_text(metric.name, metric.first) for metric in metrics],
            names[1]: [_score_text(metric.name, metric.second) for metric in metrics],
            say("Difference (95 % interval)"): [
                explain_widgets.estimate_text(metric.difference, _signed) for metric in metrics
            ],
            say("The second is"): [say(VERDICTS[metric.verdict]) for metric in metrics],
        }
    )


def _score_text(name: str, estimate: Estimate) -> str:
    """A score with its interval, in the digits that the score has everywhere."""
    return explain_widgets.estimate_text(estimate, lambda value: widgets.score(name, value))


def _signed(value: float) -> str:
    """A difference with its sign; nothing at all has none."""
    return signed(value) if value else "0"


def _numbers(metrics: Sequence[MetricDifference]) -> pd.DataFrame:
    parts = ("first", "second", "difference")
    return pd.DataFrame(
        [
            {"score": metric.name, "verdict": metric.verdict, "rows": metric.difference.n}
            | {
                f"{part}_{end}": getattr(getattr(metric, part), end)
                for part in parts
                for end in ("value", "low", "high")
            }
            for metric in metrics
        ]
    )


def _label(key: str) -> str:
    name = metric_label(key)
    return name[:1].upper() + name[1:]


def curves(runs: Sequence[Run]) -> None:
    """Loss and main scores by epoch, the runs over each other."""
    names = runs_compare_access.run_labels(list(runs))
    histories = {name: run.history.records for name, run in zip(names, runs, strict=True) if run.history.records}
    if not histories:
        widgets.info(say("No epochs are known of these runs: they were trained elsewhere"))
        return
    if len(histories) < len(runs):
        st.caption(say("Runs that were trained elsewhere have no epochs and are left out."))
    known = dict.fromkeys(key for records in histories.values() for key in records[-1].validation)
    keys = ["", *(key for key in known if split_metric(key)[1] in _MAIN)]
    for start in range(0, len(keys), 2):
        for place, key in zip(st.columns(2), keys[start : start + 2], strict=False):
            with place:
                widgets.chart(
                    compared_curves(histories, key),
                    key=f"compared_{key or 'loss'}",
                    alt=say("{score} by epoch of each run", score=metric_label(key) if key else say("validation loss")),
                    data=lambda key=key: _curve_numbers(histories, key),
                )


def _curve_numbers(histories: dict[str, Any], key: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"run": name, "epoch": record.epoch, "value": record.validation.get(key) if key else record.validation_loss}
            for name, records in histories.items()
            for record in records
        ]
    )
