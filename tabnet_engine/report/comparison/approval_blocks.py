"""Who is approved by one run and declined by the other, each at its own cutoff, as blocks of their comparison."""

from __future__ import annotations

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.approvals import Approvals, ChangedApproval
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.wording import class_name, clauses
from tabnet_engine.figures.plain import Bar, BarChart
from tabnet_engine.report.comparison.approval_words import approval_sentences, assumed_sentence, rule_sentence
from tabnet_engine.report.comparison.compared import Compared
from tabnet_engine.report.decision.numbers import exact, percent_exact, quantity_beside, share_beside
from tabnet_engine.report.document import Block, Bullets, Callout, ChartBlock, Paragraph, Table
from tabnet_engine.report.measured_words import number, points, share, signed_text, together
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

__all__ = ["approval_blocks"]

_MOST_ROWS = 50


def approval_blocks(compared: Compared, found: Approvals) -> tuple[Block, ...]:
    """The rule of both runs, how many rows are decided otherwise, what came of them, and which they are."""
    blocks: list[Block] = [Paragraph(text=rule_sentence(compared, found), is_strong=True)]
    if found.is_assumed:
        blocks.append(Callout(tone="warning", text=assumed_sentence(found)))
    blocks += [Bullets(items=approval_sentences(compared, found)), _rates(compared, found), _counts(compared, found)]
    return (*blocks, *_rows(compared, found))


def _rates(compared: Compared, found: Approvals) -> ChartBlock:
    bars = tuple(
        Bar(label=name, value=rate.value or 0.0, low=rate.low, high=rate.high, text=share(rate.value or 0.0))
        for name, rate in zip(compared.names, found.rates, strict=True)
    )
    return ChartBlock(
        chart=BarChart(title=say("Approved rows"), unit=say("share of the rows, with its 95 % interval"), bars=bars),
        alt=approval_sentences(compared, found)[1],
        note=say("Intervals: {ways}.", ways=clauses([recalled(one.how) for one in (found.rates[0], found.difference)])),
    )


def _counts(compared: Compared, found: Approvals) -> Table:
    """All four cells, the changed ones first, with what came of the rows."""
    first, second = compared.names
    approved, declined = say("approved"), say("declined")
    columns = [say("By {run}", run=first), say("By {run}", run=second), say("Rows"), say("Share of all")]
    if found.n_known:
        columns += [say("Turned out favourable"), say("Turned out unfavourable"), say("Outcome not known")]
    lines = []
    for was, is_now in ((0, 1), (1, 0), (1, 1), (0, 0)):
        n_rows = int(found.counts[was, is_now])
        against, favour = map(int, found.outcomes[was, is_now])
        named = [approved if flag else declined for flag in (was, is_now)]
        line = [*named, number(n_rows), share(n_rows / max(1, found.n_rows))]
        if found.n_known:
            line += [number(favour), number(against), number(n_rows - favour - against)]
        lines.append(tuple(line))
    return Table(
        caption=say("Approved and declined by both, changes first"),
        columns=tuple(columns),
        rows=tuple(lines),
        numeric=tuple(range(2, len(columns))),
        note=_outcome_note(compared, found) if found.n_known else "",
    )


def _outcome_note(compared: Compared, found: Approvals) -> str:
    """What counts as favourable where that is not plain."""
    second = found.decisions[1]
    if compared.task is Task.REGRESSION:
        told = say("What came is favourable where it keeps the cutoff of {cutoff}.", cutoff=exact(second.cutoff or 0.0))
    else:
        told = say("What came is favourable where it is {output}.", output=class_name(second.favourable))
    return together(told, say("A decision is right where it approves what came favourable, or declines what did not."))


def _rows(compared: Compared, found: Approvals) -> tuple[Block, ...]:
    if not found.changed:
        return (Paragraph(text=say("No row is approved by one run and declined by the other.")),)
    shown = found.changed[:_MOST_ROWS]
    rest, kept = found.n_changed - len(shown), len(found.changed) - len(shown)
    note = say("The largest change of the score first.")
    if rest:
        told = say("{rest:,} more rows changed, of which {kept:,} are listed in the evidence.", rest=rest, kept=kept)
        note = together(note, told)
    heads = [_score_head(compared, name, one) for name, one in zip(compared.names, found.decisions, strict=True)]
    table = Table(
        caption=say("Rows that are approved by one run alone"),
        columns=(say("Row"), say("By {run}", run=compared.names[1]), *heads, say("Change"), say("Actual outcome")),
        rows=tuple(_row(found, row) for row in shown),
        numeric=(0, 2, 3, 4),
        note=note,
    )
    return (table,)


def _score_head(compared: Compared, run: str, decision: Decision) -> str:
    if compared.task is Task.REGRESSION:
        return say("Predicted by {run} (cutoff {cutoff})", run=run, cutoff=exact(decision.cutoff or 0.0))
    if decision.cutoff is None:
        return say("Probability by {run}", run=run)
    return say("Probability by {run} (cutoff {cutoff})", run=run, cutoff=percent_exact(decision.cutoff))


def _row(found: Approvals, row: ChangedApproval) -> tuple[str, ...]:
    scores = zip((row.first, row.second), found.decisions, strict=True)
    is_quantity = not found.decisions[1].favourable
    beside = quantity_beside if is_quantity else share_beside
    return (
        number(row.row),
        say("newly approved") if row.is_approved else say("newly declined"),
        *(beside(score, decision.cutoff) for score, decision in scores),
        signed_text(row.change) if is_quantity else points(row.change),
        _actual(row),
    )


def _actual(row: ChangedApproval) -> str:
    if row.actual is None:
        return say("not known")
    return row.actual if isinstance(row.actual, str) else number(row.actual)
