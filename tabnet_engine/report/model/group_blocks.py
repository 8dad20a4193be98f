"""How a run does in the groups of protected columns, alone and crossed, and which columns give these away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tabnet_engine.explain.groups.audit import GroupAudit, GroupRecord
from tabnet_engine.explain.groups.proxies import ProxyReport
from tabnet_engine.figures.group_rows import group_name
from tabnet_engine.figures.plain import Bar, BarChart
from tabnet_engine.report.document import Block, Bullets, ChartBlock, Paragraph, Table
from tabnet_engine.report.measured_words import estimate_text, metric_text, number, score, share, together
from tabnet_engine.report.model.draft import Blocks, Draft
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["group_blocks", "proxy_blocks"]

_MOST_GROUPS = 20
_MOST_PROXIES = 10
_MOST_SENTENCES = 15
_SHARES = frozenset({"selection_rate", "favourable_rate", "false_positive_rate", "false_negative_rate", "accuracy"})
_SHOWN = ("auc", "accuracy", "rmse", "mae", "calibration_in_the_large", "calibration_error")
_DECIDED = ("selection_rate", "selection_ratio", "false_positive_rate", "false_negative_rate")

_NO_AUDIT = msg(
    "The model was not measured by group. Measure the groups of each protected column on the page “Groups”, or with "
    "`python -m tabnet_engine audit --run RUN --table FILE --column COLUMN`."
)
_NO_CROSSED = msg(
    "No two protected columns were crossed, so nothing is known of groups within groups. Cross two columns on the "
    "page “Groups”, or with the argument `--crossed-with` of the command `audit`."
)
_NO_PROXIES = msg(
    "Nobody searched for columns that give a protected column away. Measure the groups of each protected column on "
    "the page “Groups”: the search is a part of that."
)


def group_blocks(draft: Draft) -> Blocks:
    """Every stored audit, then those of crossed columns; or that nothing was measured."""
    evidence = draft.evidence
    if not evidence.audits:
        said = say(_NO_AUDIT)
        draft.missing("measured.crossed_groups", say(_NO_CROSSED))
        return (draft.missing("measured.groups", said),)
    single = [audit for audit in evidence.audits if audit not in evidence.crossed]
    blocks: list[Block] = []
    for audit in (*single, *evidence.crossed):
        blocks += _audit(audit)
    if not single:
        blocks.append(draft.missing("measured.groups", say(_NO_AUDIT)))
    if not evidence.crossed:
        blocks.append(draft.missing("measured.crossed_groups", say(_NO_CROSSED)))
    return tuple(blocks)


def proxy_blocks(draft: Draft) -> Blocks:
    """Every stored search for proxies; or that there was none."""
    proxies = draft.evidence.proxies
    if not proxies:
        return (draft.missing("protected.examined", say(_NO_PROXIES)),)
    return tuple(block for report in proxies for block in _proxies(report))


def _audit(audit: GroupAudit) -> list[Block]:
    title = say("Groups of “{column}” in “{target}”", column=audit.title, target=audit.target)
    shown, note = _largest(audit), audit.note
    if len(audit.groups) > len(shown):
        rest = len(audit.groups) - len(shown)
        note = together(note, say("{n_more:,} more groups, of fewer rows, are in the evidence.", n_more=rest))
    blocks: list[Block] = [Paragraph(text=title, is_strong=True), Bullets(items=_sentences(audit))]
    names = [name for name in _SHOWN if name in audit.everyone.measures]
    blocks.append(_table(audit, say("{title}: scores", title=title), names, note))
    decided = [name for name in _DECIDED if any(name in group.measures for group in shown)]
    if decided:
        blocks.append(_table(audit, say("{title}: decisions", title=title), decided, ""))
        blocks.append(_selection(audit, shown))
    return blocks


def _largest(audit: GroupAudit) -> tuple[GroupRecord, ...]:
    """The groups in their own order; of many those of most rows."""
    least = sorted((group.n_rows for group in audit.groups), reverse=True)[:_MOST_GROUPS][-1]
    return tuple(group for group in audit.groups if group.n_rows >= least)[:_MOST_GROUPS]


def _sentences(audit: GroupAudit) -> tuple[str, ...]:
    """What the audit says first; of many groups the rest is in the evidence."""
    said = audit.sentences
    if len(said) <= _MOST_SENTENCES:
        return said
    more = say("{n_more:,} more sentences about these groups are in the evidence.", n_more=len(said) - _MOST_SENTENCES)
    return (*said[:_MOST_SENTENCES], more)


def _table(audit: GroupAudit, caption: str, names: Sequence[str], note: str) -> Table:
    return Table(
        caption=say("{caption}, with 95 % intervals", caption=caption),
        columns=(say("Group"), say("Rows"), *map(metric_text, names)),
        rows=tuple(
            (
                _group(audit, group),
                number(group.n_rows),
                *(estimate_text(group.measures.get(name), partial(_shown, name)) for name in names),
            )
            for group in (*_largest(audit), audit.everyone)
        ),
        numeric=tuple(range(1, len(names) + 2)),
        note=note,
    )


def _group(audit: GroupAudit, group: GroupRecord) -> str:
    if group is audit.everyone:
        return recalled(group.name)
    name = group_name(audit, group.name)
    return say("{group} (few rows)", group=name) if group.is_small else name


def _shown(name: str, value: float) -> str:
    return share(value) if name in _SHARES else score(name, value)


def _selection(audit: GroupAudit, groups: Sequence[GroupRecord]) -> ChartBlock:
    bars = [_bar(audit, group) for group in groups if group.measures["selection_rate"].value is not None]
    everyone = audit.everyone.measures["selection_rate"].value
    return ChartBlock(
        chart=BarChart(
            title=say("Selection rates by “{column}”", column=audit.title),
            unit=say("share of rows that are selected, with 95 % intervals"),
            bars=tuple(bars),
            is_points=True,
            mark=None if everyone is None else (say("all rows"), everyone),
        ),
        alt=_selection_alt(audit, bars),
    )


def _selection_alt(audit: GroupAudit, bars: Sequence[Bar]) -> str:
    if not bars:
        return say("No selection rate of a group of “{column}” is known.", column=audit.title)
    least, most = min(bars, key=lambda bar: bar.value), max(bars, key=lambda bar: bar.value)
    return say(
        "Selection rates of {n_groups} groups of “{column}”: the lowest is that of {least} with {low}, the highest "
        "that of {most} with {high}.",
        n_groups=len(bars),
        column=audit.title,
        least=least.label,
        low=least.text,
        most=most.label,
        high=most.text,
    )


def _bar(audit: GroupAudit, group: GroupRecord) -> Bar:
    rate = group.measures["selection_rate"]
    return Bar(
        label=_group(audit, group),
        value=float(rate.value or 0.0),
        low=rate.low,
        high=rate.high,
        text=share(rate.value or 0.0),
    )


def _proxies(report: ProxyReport) -> list[Block]:
    shown = report.proxies[:_MOST_PROXIES]
    note = report.note
    if len(report.proxies) > len(shown):
        rest = len(report.proxies) - len(shown)
        note = together(note, say("{n_more:,} weaker columns are in the evidence.", n_more=rest))
    table = Table(
        caption=say("Columns that tell “{column}”, the strongest first", column=report.column),
        columns=(say("Column"), say("Share told, with its 95 % interval"), say("Read by the model")),
        rows=tuple(
            (proxy.column, estimate_text(proxy.strength, share), say("yes") if proxy.is_read else say("no"))
            for proxy in shown
        ),
        numeric=(1,),
        note=note,
    )
    return [Bullets(items=report.sentences), table]
