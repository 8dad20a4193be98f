"""Which reasons changed from one run to another, by each method that explains rows in both, as blocks."""

from __future__ import annotations

import dataclasses

from tabnet_engine.explain.comparison.reasons import ReasonChanges
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.figures.plain import Bar, BarChart
from tabnet_engine.report.comparison.compared import Compared
from tabnet_engine.report.document import Block, Bullets, ChartBlock, Paragraph, Table
from tabnet_engine.report.measured_words import estimate_text, number, points, share, together
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["reason_blocks", "reason_sentences"]

_MOST_COLUMNS = 25
_CHARTED = 10
_MOST_MOVES = 8
_FEWEST_ROWS = 10

_READ = msg("By the masks, that is by what was read: not by what moved the score.")


def reason_blocks(compared: Compared) -> tuple[Block, ...]:
    """What each method says, masks and signed values never mixed."""
    return tuple(block for changes in compared.reasons for block in _method(compared, changes))


def reason_sentences(compared: Compared, changes: ReasonChanges) -> tuple[str, ...]:
    """How many rows keep their leading columns, and where it changed most."""
    said = [
        say(
            "By {method}, the leading column is the same in {share} of {n_rows:,} rows.",
            method=_name(changes),
            share=estimate_text(changes.same_first, share),
            n_rows=changes.n_rows,
        ),
        say(
            "All of the up to {top_k} leading columns are the same in {share} of the rows; on average the runs share "
            "{overlap} of those that either names.",
            top_k=changes.top_k,
            share=estimate_text(changes.same_set, share),
            overlap=estimate_text(_as_share(changes.overlap), share),
        ),
    ]
    if changes.opposite is not None:
        turned = estimate_text(changes.opposite, share)
        said.append(say("In {share} of the rows a column that leads in both pushes the other way.", share=turned))
    largest = next((one for one in changes.shares if _is_sure(one.difference.low, one.difference.high)), None)
    if largest is not None:
        said.append(
            say(
                "The largest change: {column} leads in {before} of the rows by {first} and in {after} by {second}.",
                column=largest.feature,
                before=share(largest.first),
                after=share(largest.second),
                first=compared.names[0],
                second=compared.names[1],
            )
        )
    return tuple(said)


def _method(compared: Compared, changes: ReasonChanges) -> tuple[Block, ...]:
    title = say("Leading columns by {method}", method=_name(changes))
    blocks: list[Block] = [Paragraph(text=title, is_strong=True)]
    if changes.method == "masks":
        blocks.append(Paragraph(text=say(_READ)))
    elif compared.label:
        blocks.append(Paragraph(text=say("Pushes are on the score of the class “{label}”.", label=compared.label)))
    blocks += [Paragraph(text=recalled(note), is_note=True) for note in changes.notes]
    if changes.n_rows < _FEWEST_ROWS:
        blocks.append(Paragraph(text=say("Fewer than {least} rows: this says little.", least=_FEWEST_ROWS)))
    blocks.append(Bullets(items=reason_sentences(compared, changes)))
    if changes.shares:
        blocks += [_chart(compared, changes), _table(compared, changes)]
    if changes.moves:
        blocks.append(_moves(compared, changes))
    return tuple(blocks)


def _as_share(found: Estimate) -> Estimate:
    """A mean share with the ends of its interval between nothing and all, where a share must be."""
    if found.low is None or found.high is None:
        return found
    return dataclasses.replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _name(changes: ReasonChanges) -> str:
    return say(METHOD_NAMES.get(changes.method, changes.method))


def _is_sure(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and not low <= 0 <= high


def _chart(compared: Compared, changes: ReasonChanges) -> ChartBlock:
    leading = changes.shares[:_CHARTED]
    bars = tuple(
        Bar(label=one.feature, value=value, text=share(value), series=name)
        for one in leading
        for value, name in zip((one.first, one.second), compared.names, strict=True)
    )
    return ChartBlock(
        chart=BarChart(
            title=say("How often a column leads, by {method}", method=_name(changes)),
            unit=say("share of the rows"),
            bars=bars,
        ),
        alt=one_text(reason_sentences(compared, changes)),
        note=say("The {n_shown} columns with the largest difference.", n_shown=len(leading)),
    )


def _table(compared: Compared, changes: ReasonChanges) -> Table:
    shown = changes.shares[:_MOST_COLUMNS]
    rest = len(changes.shares) - len(shown)
    note = say("How often a column is among the up to {top_k} leading ones of a row.", top_k=changes.top_k)
    if rest:
        more = say_plural(
            "{count} more column is in the evidence.", "{count:,} more columns are in the evidence.", rest
        )
        note = together(note, more)
    return Table(
        caption=say("How often a column leads, the largest difference first"),
        columns=(say("Column"), *compared.names, say("Difference, with its 95 % interval")),
        rows=tuple(
            (one.feature, share(one.first), share(one.second), estimate_text(one.difference, points)) for one in shown
        ),
        numeric=(1, 2, 3),
        note=note,
    )


def _moves(compared: Compared, changes: ReasonChanges) -> Table:
    first, second = compared.names
    shown = changes.moves[:_MOST_MOVES]
    rest = len(changes.moves) - len(shown)
    note = (
        say_plural("{count} rarer pair is left out here.", "{count:,} rarer pairs are left out here.", rest)
        if rest
        else ""
    )
    return Table(
        caption=say("The leading column, from one run to the other"),
        columns=(say("Leads by {run}", run=first), say("Leads by {run}", run=second), say("Rows")),
        rows=tuple((before, after, number(float(count))) for before, after, count in shown),
        numeric=(2,),
        note=note,
    )
