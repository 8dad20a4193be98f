"""The one writer of CSV files that a spreadsheet opens as data and never as formulas.

A cell that starts with ``= + - @ | %``, a tab or a line break may be run as a formula by the program
that opens the file. Such a cell, or header, gets a leading ``'``; real numbers stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from pathlib import Path

import pandas as pd

__all__ = ["safe_cell", "safe_csv", "write_safe_csv"]

# Spreadsheets of East Asian locales read the full-width signs like the plain ones.
_TRIGGERS = frozenset("=+-@|%\t\r\n＝＋－＠｜％")
# What a spreadsheet may drop from the front of a cell before it looks for a formula.
_DROPPED = " \u00a0\u3000\ufeff\u200b\x00"
_NUMBER_CHARACTERS = frozenset("0123456789+-.eE")


def safe_cell(text: str) -> str:
    """The text of one cell, with a leading ``'`` where a spreadsheet could take it for a formula."""
    bare = text.lstrip(_DROPPED)
    if bare[:1] in _TRIGGERS and bare and not _is_number(text):
        return "'" + text
    return text


def safe_csv(frame: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV with a byte-order mark, so that spreadsheets read every script correctly."""
    return _safe_frame(frame).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig", errors="replace")


def write_safe_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write the table as UTF-8 CSV (without byte-order mark) to ``path``."""
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        _safe_frame(frame).to_csv(file, index=False, lineterminator="\n")


def _is_number(text: str) -> bool:
    """Whether the text is a finite number in plain digits, as ``-3.5`` or ``+1e6``."""
    if not _NUMBER_CHARACTERS.issuperset(text):
        return False
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _safe_frame(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.reset_index(drop=True)
    columns = [_safe_column(frame.iloc[:, index]) for index in range(frame.shape[1])]
    safe = pd.concat(columns, axis=1) if columns else frame.copy()
    safe.columns = pd.Index([safe_cell(str(name)) for name in frame.columns])
    return safe


def _safe_column(column: pd.Series) -> pd.Series:
    """The column with its texts made safe."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    # An infinity would be written as "-inf", which a spreadsheet reads as a formula.
    if pd.api.types.is_numeric_dtype(column.dtype) and not _has_infinity(column):
        return column
    # Built by hand: Series.map would infer a text type, which refuses lone surrogates.
    return pd.Series([_safe_value(value) for value in column], dtype=object)


def _has_infinity(column: pd.Series) -> bool:
    return bool((column.abs() == math.inf).any())


def _safe_value(value: Hashable) -> Hashable:
    if isinstance(value, str):
        return safe_cell(value)
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return safe_cell(str(value))
