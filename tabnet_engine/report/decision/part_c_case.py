"""Part C, the case itself: which it is, what came in and how it was encoded, its score."""

from __future__ import annotations

from tabnet_engine.data.schema import KIND_NAMES, Kind
from tabnet_engine.explain.wording import class_name, signed
from tabnet_engine.report.decision.numbers import percent_exact, share_in_full
from tabnet_engine.report.decision.told import CELL_STATES, Told, bare, quoted_columns
from tabnet_engine.report.document import Block, Callout, Facts, Paragraph, Table
from tabnet_engine.report.integrity_section import HASHED, identity_facts
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["identity", "inputs", "score"]

_TOLD_HASHES = ("model", "data", "configuration")


def identity(told: Told) -> tuple[Block, ...]:
    """Case, time, run, row, and the SHA-256 of model, data and configuration."""
    hashes = tuple(
        (say("SHA-256, {what}", what=say(HASHED[name])), told.identity.hashes[name])
        for name in _TOLD_HASHES
        if name in told.identity.hashes
    )
    return (Facts(lines=(*identity_facts(told.identity), (say("Target"), told.case.target), *hashes)),)


def inputs(told: Told) -> tuple[Block, ...]:
    """Every cell as it was received, as it is known, and as the network reads it."""
    case = told.case
    rows = tuple(
        (
            cell.column,
            say(KIND_NAMES[Kind(cell.kind)]) if cell.kind in set(Kind) else recalled(cell.kind),
            bare(cell.received),
            bare(cell.shown),
            say(CELL_STATES[cell.state]),
            bare(recalled(cell.encoded)),
            say("yes") if cell.is_read else say("no"),
        )
        for cell in case.cells
    )
    table = Table(
        caption=say("Inputs of row {row:,}", row=case.row),
        columns=(
            say("Column"),
            say("Kind"),
            say("As received"),
            say("As shown"),
            say("State"),
            say("As encoded"),
            say("Read by the model"),
        ),
        rows=rows,
    )
    return (table, _missing(told), _unseen(told))


def _missing(told: Told) -> Block:
    names = told.case.missing
    if not names:
        return Paragraph(text=say("No cell that the model reads was missing, and none was imputed."), is_note=True)
    text = say_plural(
        "{count} cell was missing: {columns}. It was not imputed: missing is a state of its own, which the network "
        "reads as such.",
        "{count:,} cells were missing: {columns}. They were not imputed: missing is a state of its own, which the "
        "network reads as such.",
        len(names),
        columns=quoted_columns(names),
    )
    return Callout(tone="note", text=text)


def _unseen(told: Told) -> Block:
    names = told.case.unseen
    if not names:
        return Paragraph(text=say("No cell holds a category that training never saw."), is_note=True)
    text = say_plural(
        "{count} cell holds a category that training never saw: {columns}. What the model makes of it rests on no "
        "data.",
        "{count:,} cells hold a category that training never saw: {columns}. What the model makes of them rests on no "
        "data.",
        len(names),
        columns=quoted_columns(names),
    )
    return Callout(tone="warning", text=text)


def score(told: Told) -> tuple[Block, ...]:
    """Score, cutoff and margin, as the model computes them and as probabilities."""
    own = told.case.score
    predicted = told.level(own.value) if told.is_quantity else class_name(own.predicted)
    lines = [
        (say("What the score is"), told.score_name),
        (say("Score"), told.level(own.value)),
        *_share_lines(told),
        (say("A row is approved where"), told.rule),
        (say("Margin"), say("{margin} ({unit})", margin=signed(own.margin), unit=told.unit)),
        (say("Given by the model"), predicted),
        (say("Outcome"), say("favourable") if own.is_favourable else say("not favourable")),
    ]
    if own.cutoff is not None:
        lines.insert(2, (say("Cutoff of the score"), told.cutoff))
    return (
        Facts(lines=tuple(lines)),
        Paragraph(
            text=say(
                "The margin is how far the score lies beyond the cutoff towards the favourable outcome; below 0 the "
                "row is not approved."
            ),
            is_note=True,
        ),
    )


def _share_lines(told: Told) -> tuple[tuple[str, str], ...]:
    own = told.case.score
    if own.share is None:
        return ()
    line = (say("Probability of the favourable outcome"), share_in_full(own.share, own.cutoff_share))
    if own.cutoff_share is None:
        return (line,)
    return (line, (say("Cutoff of the probability"), percent_exact(own.cutoff_share)))
