"""Which decisions changed from one run to another, and which rows, as blocks of their comparison."""

from __future__ import annotations

import numpy as np

from tabnet_engine.explain.comparison.decisions import PredictionShift, Transitions
from tabnet_engine.figures.plain import Bar, BarChart, HeatChart
from tabnet_engine.report.comparison.compared import ChangedRow, Compared
from tabnet_engine.report.document import Block, Bullets, ChartBlock, Paragraph, Table
from tabnet_engine.report.measured_words import estimate_text, number, points, share, signed_text, together
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["decision_blocks", "decision_sentences"]

_MOST_ROWS = 50
_MOST_CLASSES = 20
_MOST_MOVES = 30
_SURE = 0.05
_HARDLY = 0.001

_NO_OUTCOME = msg("No outcome of these rows is known, so whether the changes are for the better cannot be said.")
_BY_DESIGN = msg("As uneven a split would hardly come by chance (exact McNemar test, p {p}).")
_BY_CHANCE = msg("Such a split may well come by chance (exact McNemar test, p {p}).")


def decision_blocks(compared: Compared) -> tuple[Block, ...]:
    """The moves between classes, or how far a quantity moved, then the rows that changed."""
    sentences = Bullets(items=decision_sentences(compared))
    if compared.transitions is not None:
        return (sentences, *_moves(compared, compared.transitions), *_rows(compared))
    if compared.shift is not None:
        return (sentences, *_histogram(compared, compared.shift), *_rows(compared))
    return (sentences,)


def decision_sentences(compared: Compared) -> tuple[str, ...]:
    """How many decisions changed, and whether for better or worse."""
    if compared.transitions is not None:
        return _moved(compared, compared.transitions)
    if compared.shift is not None:
        return _shifted(compared, compared.shift)
    return (say("No decision could be compared."),)


def _moved(compared: Compared, moves: Transitions) -> tuple[str, ...]:
    said = [
        say(
            "{n_changed:,} of {n_rows:,} rows are decided otherwise by {second}: {share}.",
            n_changed=moves.n_changed,
            n_rows=moves.n_rows,
            second=compared.names[1],
            share=estimate_text(moves.changed, share),
        )
    ]
    if moves.p_value is None:
        return (*said, say(_NO_OUTCOME))
    said.append(
        say(
            "{n_corrected:,} wrong decisions became right, {n_spoiled:,} right ones became wrong, and {n_both_wrong:,} "
            "went from one wrong class to another.",
            n_corrected=moves.n_corrected,
            n_spoiled=moves.n_spoiled,
            n_both_wrong=moves.n_both_wrong,
        )
    )
    if moves.n_corrected + moves.n_spoiled:
        p = f"= {moves.p_value:.3f}" if moves.p_value >= _HARDLY else "< 0.001"
        said.append(say(_BY_DESIGN if moves.p_value < _SURE else _BY_CHANCE, p=p))
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
            title=say("Decisions by {first} (lines) and by {second} (columns)", first=first, second=second),
            unit=say("share of the rows of the line"),
            rows=moves.classes,
            columns=moves.classes,
            values=tuple(tuple(map(float, line)) for line in shares.tolist()),
            texts=tuple(tuple(number(float(count)) for count in line) for line in moves.counts.tolist()),
        ),
        alt=one_text(_moved(compared, moves)[:2]),
        note=say("Each cell says how many rows; on the diagonal the decision stayed."),
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
        none = say("Every prediction is the same.") if is_quantity else say("No row is decided otherwise.")
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
        caption=say("Rows whose prediction moved most") if is_quantity else say("Rows that are decided otherwise"),
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
