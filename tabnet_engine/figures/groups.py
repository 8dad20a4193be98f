"""How a model treats groups of people: each measure with its interval, pushes by group, columns that give it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.audit import GroupAudit, GroupRecord
from tabnet_engine.explain.groups.proxies import Proxy, ProxyReport
from tabnet_engine.figures.group_rows import MOST_GROUPS, group_name, known, name_rows, reach, rows_height, short_label
from tabnet_engine.figures.theme import ACCENT, NEGATIVE, NEUTRAL, empty, escape, finish, format_number, labels
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["measure_by_group", "measure_title", "proxy_strengths"]

_MOST_COLUMNS = 20
_SHARES = frozenset(
    {
        "accuracy",
        "balanced_accuracy",
        "favourable_rate",
        "selection_rate",
        "selection_difference",
        "false_positive_rate",
        "false_negative_rate",
    }
)
# What a measure is called, and what its axis says.
_TITLES: Mapping[str, tuple[str, str]] = {
    "auc": (msg("AUC by group"), msg("area under the ROC curve; 0.5 is chance")),
    "accuracy": (msg("Accuracy by group"), msg("rows given the right class, in %")),
    "balanced_accuracy": (msg("Balanced accuracy by group"), msg("mean recall of the classes, in %")),
    "log_loss": (msg("Log loss by group"), msg("log loss; lower is better")),
    "rmse": (msg("RMSE by group"), msg("root mean squared error, in the target's unit")),
    "mae": (msg("Mean absolute error by group"), msg("mean absolute error, in the target's unit")),
    "r2": (msg("Variance explained by group"), msg("share of the variance explained")),
    "mse": (msg("Mean squared error by group"), msg("mean squared error")),
    "rmsle": (msg("RMSLE by group"), msg("root mean squared error of log(1 + y)")),
    "calibration_in_the_large": (
        msg("Outcome minus prediction by group"),
        msg("outcome minus prediction; above 0 predicted too low"),
    ),
    "calibration_slope": (
        msg("Calibration slope by group"),
        msg("slope; below 1 the predictions are too extreme"),
    ),
    "calibration_error": (msg("Calibration error by group"), msg("calibration error; 0 is perfect")),
    "calibration_error_by_chance": (
        msg("Calibration error by chance alone"),
        msg("what perfect predictions would score on as many rows"),
    ),
    "favourable_rate": (msg("Favourable outcomes by group"), msg("rows with the favourable outcome, in %")),
    "selection_rate": (msg("Selection rate by group"), msg("rows that are selected, in %")),
    "selection_ratio": (msg("Selection ratio by group"), msg("selection rate over that of the reference group")),
    "selection_difference": (
        msg("Selection difference by group"),
        msg("selection rate minus that of the reference group, in %"),
    ),
    "false_positive_rate": (
        msg("Selected without a favourable outcome"),
        msg("of the rows without a favourable outcome, in %"),
    ),
    "false_negative_rate": (
        msg("Not selected despite a favourable outcome"),
        msg("of the rows with a favourable outcome, in %"),
    ),
}
# Where a measure stands if there is nothing to see, and what the line says.
_LINES: Mapping[str, Sequence[tuple[float, str]]] = {
    "calibration_in_the_large": ((0.0, msg("as predicted")),),
    "calibration_slope": ((1.0, msg("as predicted")),),
    "selection_ratio": ((0.8, msg("four fifths")), (1.0, msg("reference"))),
    "selection_difference": ((0.0, msg("reference")),),
}


def measure_title(measure: str) -> str:
    """What a measure of an audit is called, with its class where it is that of one class."""
    name, _, class_name = measure.partition(": ")
    title = say(_TITLES[name][0]) if name in _TITLES else name
    return say("{title}: {class_name}", title=title, class_name=class_name) if class_name else title


def measure_by_group(audit: GroupAudit, measure: str) -> go.Figure:
    """One measure of every group as a point with its 95 % interval, all rows as a dashed line.

    A group with few rows is a hollow point. Beyond :data:`MOST_GROUPS` the largest are drawn.

    Args:
        audit: what was measured.
        measure: one of its measures.
    """
    title = measure_title(measure)
    groups = [group for group in audit.groups if _known(group, measure)]
    if not groups:
        return empty(say("No group has enough rows for this measure."), title=title)
    shown = _largest(groups)
    scale = 100.0 if measure in _SHARES else 1.0
    figure = go.Figure()
    if measure == "calibration_error":
        figure.add_trace(_by_chance(shown))
    for is_small, symbol in ((False, "circle"), (True, "circle-open")):
        places = [place for place, group in enumerate(shown) if group.is_small is is_small]
        figure.add_trace(_points([(place, shown[place]) for place in places], audit, measure, scale, symbol))
    _lines(figure, audit, measure, scale)
    notes = [say("points with 95 % intervals; hollow: few rows")]
    if measure == "calibration_error":
        notes.append(say("grey: what perfect predictions would score on as many rows"))
    unknown, hidden = len(audit.groups) - len(groups), len(groups) - len(shown)
    if unknown:
        notes.append(say_plural("{count} group has too few rows", "{count:,} groups have too few rows", unknown))
    if hidden:
        notes.append(say_plural("{count} smaller group is not drawn", "{count:,} smaller groups are not drawn", hidden))
    axis = say(_TITLES[measure.partition(": ")[0]][1])
    finish(figure, title=title, subtitle="; ".join(notes), x=axis, height=rows_height(len(shown)), legend=False)
    return name_rows(figure, [_row_label(audit, group) for group in shown])


def _known(group: GroupRecord, measure: str) -> bool:
    return measure in group.measures and group.measures[measure].value is not None


def _largest(groups: Sequence[GroupRecord]) -> list[GroupRecord]:
    """At most so many groups as can be drawn, the largest, in the order of the audit."""
    least = sorted((group.n_rows for group in groups), reverse=True)[:MOST_GROUPS][-1]
    return [group for group in groups if group.n_rows >= least][:MOST_GROUPS]


def _points(
    groups: Sequence[tuple[int, GroupRecord]], audit: GroupAudit, measure: str, scale: float, symbol: str
) -> go.Scatter:
    estimates = [group.measures[measure] for _, group in groups]
    values = [known(estimate.value) * scale for estimate in estimates]
    return go.Scatter(
        x=values,
        y=[place for place, _ in groups],
        mode="markers",
        marker={"color": ACCENT, "size": 10, "symbol": symbol, "line": {"width": 2, "color": ACCENT}},
        error_x=reach(estimates, scale),
        customdata=[
            _hover(audit, group, estimate, scale) for (_, group), estimate in zip(groups, estimates, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _by_chance(groups: Sequence[GroupRecord]) -> go.Scatter:
    """What calibrated predictions would score, just below each group's own point."""
    estimates = [group.measures["calibration_error_by_chance"] for group in groups]
    return go.Scatter(
        x=[known(estimate.value) for estimate in estimates],
        y=[place + 0.25 for place in range(len(groups))],
        mode="markers",
        marker={"color": NEUTRAL, "size": 8, "symbol": "diamond"},
        error_x={**reach(estimates, 1.0), "color": NEUTRAL},
        customdata=[say("by chance {value}", value=format_number(estimate.value)) for estimate in estimates],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _hover(audit: GroupAudit, group: GroupRecord, estimate: Estimate, scale: float) -> str:
    value = format_number(known(estimate.value) * scale)
    if estimate.low is None or estimate.high is None:
        told = say("{value}, without an interval", value=value)
    else:
        low, high = (format_number(end * scale) for end in (estimate.low, estimate.high))
        told = say("{value} (95 % interval {low} to {high})", value=value, low=low, high=high)
    rows = say_plural("{count} row", "{count:,} rows", estimate.n)
    return f"<b>{escape(group_name(audit, group.name))}</b><br>{escape(told)}<br>{escape(rows)}"


def _row_label(audit: GroupAudit, group: GroupRecord) -> str:
    return say("{group} ({n_rows:,})", group=short_label(group_name(audit, group.name)), n_rows=group.n_rows)


def _lines(figure: go.Figure, audit: GroupAudit, measure: str, scale: float) -> None:
    overall = audit.everyone.measures.get(measure)
    if overall is not None and overall.value is not None and measure not in _LINES:
        _line(figure, overall.value * scale, say("all rows"), "dash")
    for at, words in _LINES.get(measure.partition(": ")[0], ()):
        _line(figure, at * scale, say(words), "dot" if words == "four fifths" else "dash")


def _line(figure: go.Figure, at: float, words: str, dash: str) -> None:
    figure.add_vline(
        x=at,
        line={"color": NEUTRAL, "width": 1.5, "dash": dash},
        annotation={"text": escape(words), "font": {"size": 11}, "yanchor": "bottom", "yref": "paper", "y": 1.0},
    )


def proxy_strengths(report: ProxyReport) -> go.Figure:
    """How well each column alone tells the protected one, and how well all do together.

    Args:
        report: what was found; columns that the model reads are filled points, the others hollow ones.
    """
    title = say("Which columns give {column} away", column=report.column)
    proxies = report.proxies[:_MOST_COLUMNS]
    if not proxies:
        return empty(say("There is no other column to look at."), title=title)
    figure = go.Figure()
    for is_read, words, symbol in ((True, say("read by the model"), "circle"), (False, say("not read"), "circle-open")):
        chosen = [(place, proxy) for place, proxy in enumerate(proxies) if proxy.is_read is is_read]
        if chosen:
            figure.add_trace(_proxy_points(chosen, words, symbol))
    for words, joint, dash in (
        (say("all that are read"), report.joint_read, "dash"),
        (say("all columns"), report.joint_all, "dot"),
    ):
        if joint.value is not None:
            figure.add_vline(x=100 * joint.value, line={"color": NEGATIVE, "width": 1.5, "dash": dash})
            figure.add_scatter(
                x=[None], y=[None], mode="lines", name=words, line={"color": NEGATIVE, "width": 1.5, "dash": dash}
            )
    left_out = len(report.proxies) - len(proxies)
    subtitle = say("each column alone, in rows it was not fitted to; 95 % intervals")
    if left_out:
        more = say_plural("{count} weaker column is not drawn", "{count:,} weaker columns are not drawn", left_out)
        subtitle = f"{subtitle}; {more}"
    axis = say("share of the groups' variance told, in %")
    finish(figure, title=title, subtitle=subtitle, x=axis, height=rows_height(len(proxies)) + 50)
    return name_rows(figure, labels([proxy.column for proxy in proxies]))


def _proxy_points(proxies: Sequence[tuple[int, Proxy]], words: str, symbol: str) -> go.Scatter:
    estimates = [proxy.strength for _, proxy in proxies]
    return go.Scatter(
        x=[100 * known(estimate.value) for estimate in estimates],
        y=[place for place, _ in proxies],
        mode="markers",
        name=words,
        marker={"color": ACCENT, "size": 10, "symbol": symbol, "line": {"width": 2, "color": ACCENT}},
        error_x=reach(estimates, 100.0),
        customdata=[
            f"<b>{escape(proxy.column)}</b><br>{escape(_share_words(proxy.strength))}<br>{escape(words)}"
            for _, proxy in proxies
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _share_words(estimate: Estimate) -> str:
    value, low, high = (format_number(100 * known(end)) for end in (estimate.value, estimate.low, estimate.high))
    return say("{value} % (95 % interval {low} to {high})", value=value, low=low, high=high)
