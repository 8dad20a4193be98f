"""Whether the first row names the columns, and what the columns are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

import pandas as pd

from tabnet_engine.data.reading.patterns import is_date, is_number
from tabnet_engine.data.values import category_text
from tabnet_engine.data.wording import counted, listed

__all__ = ["has_header", "repeats_names", "unique_names"]

_BOOLEANS = frozenset({"true", "false"})
_N_BODY = 200
_N_CELLS = 100_000
# So many different whole numbers in one row, each a column's number, are hardly values.
_N_POSITIONS = 10


def has_header(first: Sequence[str], body: Sequence[Sequence[str]], missing: Collection[str]) -> bool:
    """Whether ``first`` looks like names above ``body`` rather than like one more row of it.

    Every column votes: text above numbers speaks for a header, a number above numbers against it, and so does a
    text that comes up again further down. Where no column can tell, a first row of distinct texts is a header.

    Args:
        first: the cells of the first row, stripped.
        body: rows below it; may be empty.
        missing: cells that mean "no value".
    """
    blank = frozenset(missing) | {""}
    body = body[: min(_N_BODY, max(5, _N_CELLS // len(first)))]
    if _is_count(first):
        return True
    votes = [_vote(cell, [row[i] for row in body], blank) for i, cell in enumerate(first)]
    score = sum(votes) + _year_votes(first, body, blank)
    if score:
        return score > 0
    named = [cell for cell in first if cell not in blank]
    texts = [cell for cell in named if _type_of(cell, blank) == "text"]
    return bool(texts) and len(texts) == len(named) and len(set(named)) == len(named) and len(named) * 2 > len(first)


def _is_count(first: Sequence[str]) -> bool:
    """Names by position, "0", "1", "2", …, as tables without names are written out by many programs."""
    return len(first) >= 3 and list(first) == [str(i) for i in range(len(first))]


def repeats_names(frame: pd.DataFrame, names: Collection[str]) -> bool:
    """Whether row 0 of a table read without a header is a header: different names of columns, unlike row 1.

    Args:
        frame: the table, with its first line as row 0.
        names: the columns that it may have; they may be positions, "0", "1", …
    """
    known = frozenset(names)
    rows = [[category_text(value) for value in row] for row in frame.head(2).to_numpy(object)]
    if [_are_names(row, known) for row in rows] not in ([True], [True, False]):
        return False
    named = [cell for cell in rows[0] if cell in known]
    return _is_count(named) or len(named) >= _N_POSITIONS or not all(map(is_number, named))


def _are_names(row: Sequence[str], known: Collection[str]) -> bool:
    """Whether all cells differ, most are known names, and the others could be names of further columns."""
    others = [cell for cell in row if cell not in known]
    return len(set(row)) == len(row) and 2 * len(others) < len(row) and not any(map(is_number, others))


def _type_of(cell: str, blank: Collection[str]) -> str:
    if cell in blank:
        return "missing"
    if is_number(cell):
        return "number"
    if is_date(cell):
        return "date"
    return "boolean" if cell.lower() in _BOOLEANS else "text"


def _vote(cell: str, below: Sequence[str], blank: Collection[str]) -> float:
    """Between -1 (a value) and 1 (a name); 0 where the column cannot tell."""
    types = Counter(_type_of(value, blank) for value in below)
    del types["missing"]
    if not types:
        return 0.0 if _type_of(cell, blank) in {"text", "missing"} else -1.0
    kind, n_kind = types.most_common(1)[0]
    own = _type_of(cell, blank)
    if own == "missing":
        # A table may leave the name of its row numbers empty, and only "?" or "NA" is surely a value.
        return 0.0 if cell == "" else -1.0
    if kind == "text":
        return _vote_on_text(cell, own, below)
    if n_kind * 5 < sum(types.values()) * 4:
        return 0.0
    return -1.0 if own == kind or own != "text" else 1.0


def _vote_on_text(cell: str, own: str, below: Sequence[str]) -> float:
    """A name is not among the values; that says little where hardly any value comes up twice."""
    if own != "text":
        return -0.5
    counts = Counter(below)
    if cell in counts:
        return -1.0
    repeats = 1.0 - len(counts) / len(below)
    return 0.4 * repeats if len(below) >= 5 else 0.0


def _year_votes(first: Sequence[str], body: Sequence[Sequence[str]], blank: Collection[str]) -> float:
    """Undo the votes of a row of years such as 2019, 2020, 2021 above values that are no such years."""
    years = [i for i, cell in enumerate(first) if re.fullmatch(r"(19|20)\d\d", cell)]
    if len(years) < 2 or len({first[i] for i in years}) < len(years):
        return 0.0
    steps = {int(first[b]) - int(first[a]) for a, b in pairwise(years)}
    below = [row[i] for row in body for i in years if row[i] not in blank]
    alike = sum(1 for value in below if re.fullmatch(r"(19|20)\d\d", value))
    if len(steps) > 1 or 2 * alike > len(below):
        return 0.0
    return len(years) + 0.5


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names that are all different and none empty, and a note on each one that had to change.

    Args:
        names: the names as the file has them; they are kept to the letter but for surrounding blanks.
    """
    stripped = [name.strip() for name in names]
    taken = {name for name in stripped if name}
    seen: set[str] = set()
    result: list[str] = []
    n_blank, renamed = 0, []
    for position, name in enumerate(stripped):
        unique = name
        if not name or name in seen:
            n_blank += not name
            unique = _free_name(name or f"unnamed {position}", taken, numbered=bool(name))
            renamed.append((name, unique))
        seen.add(unique)
        taken.add(unique)
        result.append(unique)
    return result, _naming_notes(renamed, n_blank)


def _free_name(name: str, taken: set[str], *, numbered: bool) -> str:
    if not numbered and name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _naming_notes(renamed: list[tuple[str, str]], n_blank: int) -> list[str]:
    notes = []
    if n_blank:
        new = [unique for name, unique in renamed if not name]
        notes.append(f"{counted(n_blank, 'column')} without a name got one by position: {listed(new)}.")
    if len(renamed) > n_blank:
        new = [unique for name, unique in renamed if name]
        notes.append(f"Column names that came up twice were numbered: {listed(new)}.")
    return notes
