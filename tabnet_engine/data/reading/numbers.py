"""Numbers written as text: whole columns of them, or a sentence on why a column is not read as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tabnet_engine.data.reading.patterns import INFINITE, INTEGER, LEADING_ZERO, grouped, number
from tabnet_engine.data.wording import counted, quoted

__all__ = ["MAX_DIGITS", "Numbers", "read_numbers"]

# float64 keeps 15 decimal digits; longer whole numbers are nearly always identifiers.
MAX_DIGITS = 15


@dataclass(frozen=True)
class Numbers:
    """``values`` is ``None`` when the column stays text: because of ``bad`` cells or because of ``why``."""

    values: pa.Array | None
    bad: NDArray[np.bool_]
    why: str | None = None
    notes: tuple[str, ...] = ()


def read_numbers(cells: pa.Array, decimal: str) -> Numbers:
    """Read a column of numbers.

    Args:
        cells: stripped text without missing values.
        decimal: the decimal sign; the other of point and comma may separate thousands.
    """
    quick = _quick(cells) if decimal == "." else None
    if quick is not None:
        return Numbers(quick, np.zeros(len(cells), np.bool_))
    plain = pc.match_substring_regex(cells, number(decimal))
    nothing_bad = np.zeros(len(cells), np.bool_)
    notes: list[str] = []
    if not pc.all(plain).as_py():
        cells, notes, bad = _unusual(cells, plain, decimal)
        if bad.any():
            return Numbers(None, bad)
    if pc.any(pc.match_substring_regex(cells, LEADING_ZERO)).as_py():
        first = _first(cells, LEADING_ZERO)
        return Numbers(None, nothing_bad, f"it has leading zeros, first {quoted(first)}")
    if pc.all(pc.match_substring_regex(cells, INTEGER)).as_py():
        return _integers(cells, tuple(notes), nothing_bad)
    if decimal == ",":
        cells = pc.replace_substring(cells, ",", ".")
    values = _whole(pc.cast(_without_plus(cells), pa.float64()), cells)
    return Numbers(values, nothing_bad, None, tuple(notes))


def _quick(cells: pa.Array) -> pa.Array | None:
    """The ordinary case without any regular expression but one; ``None`` sends the column the careful way."""
    if pc.any(pc.match_substring_regex(cells, "^[+-]?0[0-9xX]")).as_py():
        return None
    try:
        whole = pc.cast(cells, pa.int64())
    except pa.ArrowInvalid:
        return _quick_floats(cells)
    return whole if (np.abs(np.asarray(whole)) < 10**MAX_DIGITS).all() else None


def _quick_floats(cells: pa.Array) -> pa.Array | None:
    try:
        values = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return None
    numbers = np.asarray(values)
    # Arrow reads "nan" and "inf" too; the careful way decides about them, and about whole numbers of any length.
    if not np.isfinite(numbers).all() or (numbers == np.floor(numbers)).all():
        return None
    return values


def _unusual(cells: pa.Array, plain: pa.Array, decimal: str) -> tuple[pa.Array, list[str], NDArray[np.bool_]]:
    """Take thousands separators out, allow infinities for now, and mark what is no number at all."""
    with_groups = pc.match_substring_regex(cells, grouped(decimal))
    infinite = pc.match_substring_regex(cells, INFINITE)
    bad = ~(np.asarray(plain) | np.asarray(with_groups) | np.asarray(infinite))
    notes: list[str] = []
    if pc.all(infinite).as_py():
        bad = np.ones(len(cells), np.bool_)
    n_grouped = pc.sum(with_groups).as_py()
    if n_grouped and not bad.any():
        example = cells.filter(with_groups)[0].as_py()
        separator = "," if decimal == "." else "."
        cells = pc.if_else(with_groups, pc.replace_substring(cells, separator, ""), cells)
        notes.append(f"thousands separators were taken out of {counted(n_grouped, 'cell')}, first {quoted(example)}")
    return cells, notes, bad


def _first(cells: pa.Array, pattern: str) -> str:
    return str(cells.filter(pc.match_substring_regex(cells, pattern))[0].as_py())


def _without_plus(cells: pa.Array) -> pa.Array:
    """Arrow reads "-1" and not "+1"."""
    if not pc.any(pc.starts_with(cells, "+")).as_py():
        return cells
    return pc.replace_substring_regex(cells, r"^\+", "")


def _integers(cells: pa.Array, notes: tuple[str, ...], nothing_bad: NDArray[np.bool_]) -> Numbers:
    digits = pc.utf8_length(pc.replace_substring_regex(cells, "^[+-]", ""))
    if pc.max(digits).as_py() > MAX_DIGITS:
        first = cells.filter(pc.greater(digits, MAX_DIGITS))[0].as_py()
        why = f"it has whole numbers of more than {MAX_DIGITS} digits, first {quoted(re.sub(' ', '', first))}"
        return Numbers(None, nothing_bad, why)
    return Numbers(pc.cast(_without_plus(cells), pa.int64()), nothing_bad, None, notes)


def _whole(values: pa.Array, cells: pa.Array) -> pa.Array:
    """Integers where "1e+05" stands among "99000": some programs write round numbers so."""
    numbers = np.asarray(values)
    whole = (np.abs(numbers) < 10.0**MAX_DIGITS).all() and (numbers == np.floor(numbers)).all()
    if not whole or pc.any(pc.match_substring(cells, ".")).as_py():
        return values
    return pc.cast(values, pa.int64())
