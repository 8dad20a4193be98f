"""From what a reader found to the frame: missing tokens, numbers, dates, booleans, text, each step noted."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabnet_engine.data.reading.cells import ColumnContext, as_series, booleans, finite, read_text_column
from tabnet_engine.data.reading.native import as_plain
from tabnet_engine.data.reading.patterns import is_number
from tabnet_engine.data.reading.raw import RawTable
from tabnet_engine.data.wording import counted, quoted

__all__ = ["build_frame"]

_MAX_NOTES = 200


def build_frame(raw: RawTable) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Type every column.

    Args:
        raw: what a reader found; its columns are taken out one by one to free their memory.

    Returns:
        The frame, with ``int64``, ``float64``, ``bool``, ``datetime64[us]`` and ``str`` columns only, and all notes.
    """
    context = ColumnContext(raw)
    typed: dict[str, pd.Series] = {}
    columns, raw.columns = raw.columns[::-1], []
    for name in raw.names:
        typed[name] = _column(name, columns.pop(), context)
    frame = pd.DataFrame(typed)
    frame.columns = frame.columns.astype("str")
    return frame, (*raw.notes, *_token_notes(context.raw.tokens), *_shortened(context.notes))


def _token_notes(tokens: Counter[str]) -> list[str]:
    if not tokens:
        return []
    parts = [
        f"{quoted(token)} {counted(n, 'time')}" if token else f"blank {counted(n, 'time')}"
        for token, n in tokens.most_common()
    ]
    return [f"Read as missing: {', '.join(parts)}."]


def _shortened(notes: list[str]) -> list[str]:
    """A table of thousands of odd columns gets a readable number of notes."""
    if len(notes) <= _MAX_NOTES:
        return notes
    return [*notes[:_MAX_NOTES], f"{len(notes) - _MAX_NOTES:,} more notes of this kind are not shown."]


def _column(name: str, column: pa.ChunkedArray, context: ColumnContext) -> pd.Series:
    plain, notes = as_plain(column, name)
    for text in notes:
        context.note(name, text)
    if pa.types.is_large_string(plain.type):
        return read_text_column(name, plain, context)
    if pa.types.is_boolean(plain.type):
        return booleans(plain)
    if pa.types.is_timestamp(plain.type):
        return as_series(plain)
    return finite(name, _without_number_tokens(plain, context), context)


def _without_number_tokens(values: pa.Array, context: ColumnContext) -> pa.Array:
    """Tokens such as -999 also count where numbers are stored as numbers."""
    for token in context.raw.options.missing_tokens:
        if not is_number(token):
            continue
        hit = pc.equal(values, pa.scalar(float(token.replace(",", "."))))
        n_hits = pc.sum(hit).as_py() or 0
        if n_hits:
            context.raw.tokens[token] += n_hits
            values = pc.if_else(pc.fill_null(hit, fill_value=False), pa.scalar(None, values.type), values)
    return values
