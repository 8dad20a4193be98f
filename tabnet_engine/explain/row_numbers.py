"""Row numbers as a short text, so that a link can carry the rows that were chosen on a chart."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

__all__ = ["rows_as_text", "rows_from_text"]

Integers = npt.NDArray[np.int64]

_PART = re.compile(r"(\d{1,12})(?:-(\d{1,12}))?")


def rows_as_text(rows: npt.ArrayLike, *, most: int = 1500) -> str | None:
    """Row numbers (B) as text, in their order, stretches of neighbours as one.

    Args:
        rows: row numbers, counted from 0.
        most: the longest text that an address should carry.

    Returns:
        The text; None when it would be longer.

    >>> rows_as_text([3, 4, 5, 9, 1])
    '3-5,9,1'
    """
    numbers = np.asarray(rows, dtype=np.int64)
    if not len(numbers):
        return ""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(numbers) != 1) + 1])
    if 2 * len(starts) > most:
        return None  # a digit and a comma each are too long already
    ends = np.concatenate([starts[1:], [len(numbers)]]) - 1
    pairs = zip(numbers[starts].tolist(), numbers[ends].tolist(), strict=True)
    text = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in pairs)
    return text if len(text) <= most else None


def rows_from_text(text: str, n_rows: int) -> Integers:
    """Row numbers (B) that a text names, in its order; what is no row of the table is left out.

    >>> rows_from_text("3-5,9,x,1", 6).tolist()
    [3, 4, 5, 1]
    """
    found: list[Integers] = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is not None:
            first = int(match.group(1))
            last = min(int(match.group(2) or first), n_rows - 1)
            found.append(np.arange(first, last + 1, dtype=np.int64))
    # An address that repeats a stretch must not make the list longer than the table.
    numbers = np.concatenate(found[: len(text)]) if found else np.empty(0, dtype=np.int64)
    return numbers[np.sort(np.unique(numbers, return_index=True)[1])]
