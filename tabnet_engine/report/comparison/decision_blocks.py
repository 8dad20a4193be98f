"""Which decisions changed from one run to another, and which rows, as blocks of their comparison."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.approvals import Approvals
from tabnet_engine.explain.comparison.decisions import PredictionShift, Transitions
from tabnet_engine.figures.plain import Bar, BarChart, HeatChart
from tabnet_engine.report.comparison.approval_blocks import approval_blocks
from tabnet_engine.report.comparison.approval_words import (
    NO_OUTCOME,
    approval_sentences,
    chance_sentence,
    missing_approvals,
    rule_sentence,
)
from tabnet_engine.report.comparison.compared import ChangedRow, Compared
from tabnet_engine.report.document import Block, Bullets, Callout, ChartBlock, Paragraph, Table
from tabnet_engine.report.measured_words import estimate_text, number, points, share, signed_text, together
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["decision_blocks", "decision_sentences"]

_MOST_ROWS = 50
_MOST_CLASSES = 20
_MOST_MOVES = 30
_EVEN = 0.5


class _Words(NamedTuple):
    """What is said of classes that changed: decisions where nothing else is one, else the likeliest class."""

    changed: str
    corrected: str
    chart: str
    note: str
    rows: str
    none: str


_DECIDED = _Words(
    changed=msg("{n_changed:,} of {n_rows:,} rows are decided otherwise by {second}: {share}."),
    corrected=msg(
        "{n_corrected:,} wrong decisions became right, {n_spoiled:,} right ones became wrong, and {n_both_wrong:,} "
        "went from one wrong class to another."
    ),
    chart=msg("Decisions by {first} (lines) and by {second} (columns)"),
    note=msg("Each cell says how many rows; on the diagonal the decision stayed."),
    rows=msg("Rows that are decided otherwise"),
    none=msg("No row is decided otherwise."),
)
_LIKELIEST = _Words(
    changed=msg("{n_changed:,} of {n_rows:,} rows have another likeliest class by {second}: {share}."),
    corrected=msg(
        "{n_corrected:,} wrong classes became right, {n_spoiled:,} right ones became wrong, and {n_both_wrong:,} "
        "went from one wrong class to another."
    ),
    chart=msg("Likeliest class by {first} (lines) and by {second} (columns)"),
    note=msg("Each cell says how many rows; on the diagonal the class stayed."),
    rows=msg("Rows whose likeliest class is another"),
    none=msg("No row has another likeliest class."),
)


def decision_blocks(compared: Compared) -> tuple[Block, ...]:
    """Approvals first, then the moves between classes, or how far a quantity moved, and the rows that changed."""
    found = compared.approvals
    if found is None:
        missing = missing_approvals(compared)
        said = (Callout(tone="warning", text=missing),) if missing else ()
        return (*said, *_outputs(compared))
    blocks = approval_blocks(compared, found)
    if _is_the_same(compared, found):
        return blocks
    title = say("By the predicted quantity, whatever the cutoff")
    if compared.transitions is not None:
        title = say("By the likeliest class, whatever the cutoff")
    return (*blocks, Paragraph(text=title, is_strong=True), *_outputs(compared))


def _is_the_same(compared: Compared, found: Approvals) -> bool:
    """Whether approval is the likeliest of two classes, so that the classes say nothing more."""
    if compared.task is not Task.BINARY or compared.transitions is None:
        return False
    if any(decision.cutoff != _EVEN for decision in found.decisions):
        return False
    # In a tie at one half the row is approved, and its class is the first of the two.
    is_second = found.decisions[1].favourable == compared.transitions.classes[1]
    counts = compared.transitions.counts if is_second else compared.transitions.counts[::-1, ::-1]
    return bool((counts == found.counts).all())


def _outputs(compared: Compared) -> tuple[Block, ...]:
    """What the runs give, apart from any rule: classes, or a quantity."""
    sentences = Bullets(items=_output_sentences(compared))
    if compared.transitions is not None:
        return (sentences, *_moves(compared, compared.transitions), *_rows(compared))
    if compared.shift is not None:
        return (sentences, *_histogram(compared, compared.shift), *_rows(compared))
    return (sentences,)


def decision_sentences(compared: Compared) -> tuple[str, ...]:
    """How many decisions changed, and whether for better or worse: by the rule where there is one."""
    if compared.approvals is not None:
        return (rule_sentence(compared, compared.approvals), *approval_sentences(compared, compared.approvals))
    missing = missing_approvals(compared)
    return (*_output_sentences(compared), *((missing,) if missing else ()))


def _output_sentences(compared: Compared) -> tuple[str, ...]:
    if compared.transitions is not None:
        return _moved(compared, compared.transitions)
    if compared.shift is not None:
        return _shifted(compared, compared.shift)
    return (say("No decision could be compared."),)


def _words(compared: Compared) -> _Words:
    return _DECIDED if compared.approvals is None else _LIKELIEST


def _moved(compared: Compared, moves: Transitions) -> tuple[str, ...]:
    words = _words(compared)
    said = [
        say(
            words.changed,
            n_changed=moves.n_changed,
            n_rows=moves.n_rows,
            second=compared.names[1],
            share=estimate_text(moves.changed, share),
        )
    ]
    if moves.p_value is None:
        return (*said, say(NO_OUTCOME))
    said.append(
        say(
            words.corrected,
            n_corrected=moves.n_corrected,
            n_spoiled=moves.n_spoiled,
            n_both_wrong=moves.n_both_wrong,
        )
    )
    if moves.n_corrected + moves.n_spoiled:
        said.append(chance_sentence(moves.p_value))
    return tuple(said)


def _shifted(compared: Compared, shift: PredictionShift) -> tuple[str, ...]:
    first, second = compared.names
    said = [
        say(
            "The predictions of {second} are {mean} from those of {first} on average, and {size} in size.",
            second=second,
            first=first,
            mean=estimate_text(shift.mean, signed_text),
            size=estimate_text(shift.size),
        )
    ]
    if len(shift.quantiles) == len(shift.levels) and len(shift.quantiles) > 1:
        low, high = shift.quantiles[1], shift.quantiles[-2]
        said.append(say("Half of the rows moved by {low} to {high}.", low=signed_text(low), high=signed_text(high)))
    if shift.nearer.value is not None:
        nearer = estimate_text(shift.nearer, share)
        said.append(say("{second} is nearer to what really came in {share} of the rows.", second=second, share=nearer))
    return tuple(said)


def _moves(compared: Compared, moves: Transitions) -> tuple[Block, ...]:
    first, second = compared.names
    table = moves.table()
    shown = table.head(_MOST_MOVES)
    rest = len(table) - len(shown)
    note = (
        say_plural("{count} rarer pair is left out here.", "{count:,} rarer pairs are left out here.", rest)
        if rest
        else ""
    )
    listed = Table(
        caption=say("From class to class, changes first"),
        columns=(say("Class by {run}", run=first), say("Class by {run}", run=second), say("Rows"), say("Share of all")),
        rows=tuple(
            (str(before), str(after), number(float(count)), share(float(count) / max(1, moves.n_rows)))
            for before, after, count in table.head(_MOST_MOVES).itertuples(index=False)
        ),
        numeric=(2, 3),
        note=note,
    )
    if len(moves.classes) > _MOST_CLASSES:
        return (listed,)
    return (_map(compared, moves), listed)


def _map(compared: Compared, moves: Transitions) -> ChartBlock:
    totals = np.maximum(moves.counts.sum(axis=1, keepdims=True), 1)
    shares = moves.counts / totals
    first, second = compared.names
    return ChartBlock(
        chart=HeatChart(
            title=say(_words(compared).chart, first=first, second=second),
            unit=say("share of the rows of the line"),
            rows=moves.classes,
            columns=moves.classes,
            values=tuple(tuple(map(float, line)) for line in shares.tolist()),
            texts=tuple(tuple(number(float(count)) for count in line) for line in moves.counts.tolist()),
        ),
        alt=one_text(_moved(compared, moves)[:2]),
        note=say(_words(compared).note),
    )


def _histogram(compared: Compared, shift: PredictionShift) -> tuple[Block, ...]:
    if len(shift.edges) < 2:
        return ()
    bars = tuple(
        Bar(
            label=say("{low} to {high}", low=signed_text(low), high=signed_text(high)),
            value=float(count),
            text=number(float(count)),
        )
        for low, high, count in zip(shift.edges, shift.edges[1:], shift.counts, strict=False)
        if count
    )
    chart = BarChart(title=say("How far the predictions moved"), unit=say("rows"), bars=bars)
    return (ChartBlock(chart=chart, alt=one_text(_shifted(compared, shift))),)


def _rows(compared: Compared) -> tuple[Block, ...]:
    is_quantity = compared.transitions is None
    if not compared.changed:
        none = say("Every prediction is the same.") if is_quantity else say(_words(compared).none)
        return (Paragraph(text=none),)
    shown = compared.changed[:_MOST_ROWS]
    first, second = compared.names
    rest = compared.n_changed - len(shown)
    kept = len(compared.changed) - len(shown)
    note = say("The largest change of the score first.")
    if rest:
        told = say("{rest:,} more rows changed, of which {kept:,} are listed in the evidence.", rest=rest, kept=kept)
        note = together(note, told)
    columns = [say("Row"), say("Given by {run}", run=first), say("Given by {run}", run=second), say("Actual outcome")]
    if not is_quantity:
        columns += [
            say("Probability by {run}", run=first),
            say("Probability by {run}", run=second),
        ]
        note = together(note, say("The probability is that of the class that {run} gives.", run=second))
    columns.append(say("Change"))
    table = Table(
        caption=say("Rows whose prediction moved most") if is_quantity else say(_words(compared).rows),
        columns=tuple(columns),
        rows=tuple(_row(compared, row) for row in shown),
        numeric=tuple(range(len(columns))) if is_quantity else (0, *range(4, len(columns))),
        note=note,
    )
    return (table,)


def _row(compared: Compared, row: ChangedRow) -> tuple[str, ...]:
    named = (number(row.row), *(_outcome(value) for value in (row.first, row.second, row.actual)))
    if compared.transitions is None:
        return (*named, signed_text(row.change))
    shares = tuple("–" if value is None else share(value) for value in (row.first_probability, row.second_probability))
    return (*named, *shares, points(row.change))


def _outcome(value: str | float | None) -> str:
    if value is None:
        return say("not known")
    return value if isinstance(value, str) else number(value)
